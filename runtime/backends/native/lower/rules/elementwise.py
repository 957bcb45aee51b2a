"""Elementwise operations: the type that the loop works in is the one NumPy's ufunc would choose."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from runtime.backends.native import mathlib
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.exprs import Const
from runtime.backends.native.lower.function import FunctionLowering, constant, rule
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.rules.latest import latest_last
from runtime.backends.native.lower.scalars import MATH, Ops, Scalar
from runtime.backends.native.lower.types import code_of, is_float
from runtime.ir.graph import Node
from runtime.ops.kinds import Elementwise
from runtime.typesys.dtypes import DType, as_dtype
from runtime.typesys.spec import TensorType

__all__: list[str] = []

_CHEAP = frozenset(("sqrt", "divide", "floor_divide", "remainder", "cast"))
_WORDS = frozenset(
    "add subtract multiply negative absolute maximum minimum fmax fmin square positive sign".split()
    + "left_shift right_shift invert".split()
)
_PYTHON = {"b": np.dtype(bool), "i": int, "u": int, "f": float}


@lru_cache(maxsize=4096)
def _loop_types(name: str, operands: tuple[tuple[DType, bool], ...]) -> tuple[str, ...]:
    """Codes of the types that NumPy's ufunc casts its operands to."""
    ufunc = getattr(np, name)
    weak = all(w for _, w in operands)
    args = [_PYTHON[d.kind] if w and not weak else d.dtype for d, w in operands]
    resolved = ufunc.resolve_dtypes((*args, *[None] * ufunc.nout))
    return tuple(code_of(as_dtype(d)) for d in resolved[: ufunc.nin])


def cost_of(name: str) -> int:
    """Rough cost of an operation on one element."""
    if name in _WORDS or name.startswith(("less", "greater", "equal", "not_", "logical", "bitwise", "is")):
        return 1
    return 4 if name in _CHEAP else 16


@rule("elementwise", fused=True)
def elementwise(ctx: FunctionLowering, node: Node) -> None:
    """Any elementwise operation with a meaning on scalars."""
    op = node.op
    if not isinstance(op, Elementwise):
        raise Unsupported([("no native rule", None)])
    if node.outputs[0] in ctx.exact:
        x, y = map(ctx.scalar, node.inputs)
        reg = ctx.code.op(f"{node.op.name} nsw {x}, {y.reg}")
        ctx.code.ranges[reg] = ctx.exact[node.outputs[0]]
        ctx.define(node.outputs[0], Scalar(reg, "i64"))
        return
    types = [ctx.type(v) for v in node.inputs]
    out = ctx.type(node.outputs[0])
    ops = ctx.ops
    if out.shape == () and not any(ctx.sizes(v) for v in node.inputs):
        ops = ctx.lone if not out.weak else ctx.wrapping if node.outputs[0] in ctx.low else ctx.checked
    name = op.numpy if op.is_ufunc else op.name
    assert name is not None
    if op.rules.scalar is not None:
        rule_of = op.rules.scalar
        codes: tuple[str, ...] = (code_of(out.dtype),) * len(types)
        attrs = dict(node.attrs)

        def compute(*xs: Scalar) -> Scalar:
            return rule_of(ops, *xs, **attrs)  # type: ignore[no-any-return]

    elif (op.is_ufunc and getattr(Ops, name, None) is not None) or name in _ufuncs():
        operands = tuple((t.dtype, t.weak) for t in types)
        if op.python is not None and all(t.weak and t.dtype.is_bool for t in types) and not out.dtype.is_bool:
            operands = tuple((as_dtype("int64"), True) for _ in types)
        codes = _loop_types(name, operands)
        if len(set(codes)) > 1:
            raise Unsupported([("operands of different types", None)])
        compute = getattr(ops, name)
    else:
        raise Unsupported([("no native rule", None)])
    target = code_of(out.dtype)
    weak = [t.weak and not out.weak for t in types]

    def fn(*xs: Scalar) -> Scalar:
        cast = [ops.cast(x, c) for x, c in zip(xs, codes, strict=True)]
        return ops.cast(compute(*cast), target)

    ordered = latest_last(ctx, node)
    if ordered is not None:
        first, *rest = map(ctx.scalar, ordered)
        for x in rest:
            first = fn(first, x)
        ctx.define(node.outputs[0], first)
        return
    for v, c, w in zip(node.inputs, codes, weak, strict=True):
        if w and ctx.scalar(v).code == "i64":
            ctx.narrowed(ctx.scalar(v), c, True)
    given = [code_of(t.dtype) for t in types]
    plain = ops is ctx.ops and op.rules.scalar is None and all(map(is_float, given))
    key = (name, tuple(given), tuple(codes), target) if plain else None
    if key is None or key not in ctx.module.tried:  # of floats, what they are makes no difference
        _try(ctx, node, fn, given)
        ctx.module.tried.add(key)
    ctx.elementwise(node, fn, cost_of(name))


def _try(ctx: FunctionLowering, node: Node, fn: Callable[..., Scalar], codes: list[str]) -> None:
    """Raise now what the loops that use the elements would raise: then it is too late for an island.

    Raises:
      Unsupported: there is no native form.
    """
    code = ctx.code
    kept, block = len(code.lines), code.block
    elements = []
    for value, kind in zip(node.inputs, codes, strict=True):
        rep = ctx.env[value]
        number = rep if isinstance(rep, Scalar) else getattr(rep.expr, "scalar", None)
        elements.append(number if isinstance(number, Scalar) else Scalar("%any", kind))
    required, late = code.required, code.late
    code.required, code.late = None if required is None else [], None
    try:
        with code.scope():
            fn(*elements)
    finally:
        del code.lines[kept:]
        code.block, code.required, code.late = block, required, late


def _ufuncs() -> Any:
    return {*mathlib.NAMES, *mathlib.BINARY, *MATH}


@rule("cast", fused=True)
def cast(ctx: FunctionLowering, node: Node) -> None:
    """Conversion of every element."""
    target = code_of(ctx.type(node.outputs[0]).dtype)
    ctx.elementwise(node, lambda x: ctx.ops.cast(x, target), 1)


@rule("identity", "stop_gradient", "fence", fused=True)
def identity(ctx: FunctionLowering, node: Node) -> None:
    """The value itself."""
    ctx.define(node.outputs[0], ctx.env[node.inputs[0]])


@rule("custom_gradient")
def custom_gradient(ctx: FunctionLowering, node: Node) -> None:
    """The values themselves: the gradient has been taken, or is not asked for."""
    for out, value in zip(node.outputs, node.inputs, strict=False):
        ctx.define(out, ctx.env[value])


@rule("where", fused=True)
def where(ctx: FunctionLowering, node: Node) -> None:
    """x where a condition holds, else y."""
    out = ctx.type(node.outputs[0])
    target = code_of(out.dtype)
    for v in node.inputs[1:]:
        t = ctx.type(v)
        if t.weak and not out.weak:
            ctx.narrowed(ctx.scalar(v), target, True)

    def fn(c: Scalar, x: Scalar, y: Scalar) -> Scalar:
        return ctx.ops.select(ctx.ops.cast(c, "b1"), ctx.ops.cast(x, target), ctx.ops.cast(y, target))

    ctx.elementwise(node, fn, 1)


@rule("constant")
def constant_(ctx: FunctionLowering, node: Node) -> None:
    """A number, or an array that the text holds or the caller passes."""
    t = ctx.type(node.outputs[0])
    value = node.attrs["value"]
    if t.shape == ():
        if t.weak and t.dtype.kind == "i" and not -(2**63) <= int(value) < 2**63:
            ctx.code.require("false", ctx.failure)  # a number of Python's that 64 bits do not hold
            value = 0
        ctx.define(node.outputs[0], constant(value, t))
        return
    code = code_of(t.dtype)
    array = np.asarray(value, t.dtype.dtype)
    sizes = array.shape
    first = array.flat[0] if array.size else 0
    if array.size and bool((array == first).all()):
        d = ctx.defer(node.outputs[0], Const(constant(first, TensorType(t.dtype))), sizes)
        d.must = False
        ctx.pending = [p for p in ctx.pending if p is not d]
        return
    name = ctx.module.constant(array)
    ptr = name if isinstance(name, str) else f"%constant{name}"
    ctx.define(
        node.outputs[0],
        ctx.dense(Array(ptr, code, sizes, ctx.code.strides(sizes), frozenset((Buffer(ptr, None),)))),
    )
