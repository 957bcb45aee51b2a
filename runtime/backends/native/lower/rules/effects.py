"""What may end a run: native code goes back to its caller, where the NumPy plan raises the error at the user's line."""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.types import is_float
from runtime.ir.graph import Node
from runtime.typesys.spec import TensorType

__all__: list[str] = []


@rule("assert_")
def assert_(ctx: FunctionLowering, node: Node) -> None:
    """Go on if a condition holds."""
    ctx.code.require(str(ctx.ops.cast(ctx.scalar(node.inputs[0]), "b1").reg), ctx.failure)


@rule("demand")
def demand(ctx: FunctionLowering, node: Node) -> None:
    """Go on: operands are checked where they are taken, and numbers where they are made."""
    value = node.inputs[0]
    if isinstance(value.type, TensorType) and value.type.shape == ():
        ctx.scalar(value)


@rule("raise_")
def raise_(ctx: FunctionLowering, node: Node) -> None:
    """Never go on."""
    ctx.code.jump(ctx.failure)
    ctx.code.begin(ctx.code.label("never"))


@rule("require_alternative")
def require_alternative(ctx: FunctionLowering, node: Node) -> None:
    """Go on if a value is the alternative that its user can take."""
    tag = ctx.number(node.inputs[0])
    for other, *_ in node.attrs["errors"]:
        if other != node.attrs["index"]:
            ctx.code.require(ctx.code.op(f"icmp ne i64 {tag}, {int(other)}"), ctx.failure)


@rule("to_python", fused=True)
def to_python(ctx: FunctionLowering, node: Node) -> None:
    """float(x), int(x), bool(x)"""
    b = ctx.ops
    x = ctx.scalar(node.inputs[0])
    kind = {"float": "f64", "int": "i64", "bool": "b1"}.get(node.attrs["kind"])
    if kind is None or x.code == "u64":
        raise Unsupported([(f"{node.attrs['kind']}()", None)])
    if kind == "i64" and is_float(x.code):
        number, fits = b.whole(x)
        ctx.code.require(str(fits.reg), ctx.failure)
        ctx.define(node.outputs[0], number)
        return
    ctx.define(node.outputs[0], b.cast(x, kind))
