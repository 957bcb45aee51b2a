"""Diagonals, triangles and bands of matrices."""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Affine, Const, Map
from runtime.backends.native.lower.function import FunctionLowering, constant, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.indexing import owned
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, literal
from runtime.ir.graph import Node
from runtime.typesys.spec import TensorType

__all__: list[str] = []


@rule("triangle", "band_part", fused=True)
def band(ctx: FunctionLowering, node: Node) -> None:
    """Zeros outside a band of diagonals."""
    x, b = node.inputs[0], ctx.ops
    sizes = ctx.sizes(x)
    if len(sizes) < 2:
        raise Unsupported([("of a vector", None)])
    rank = len(sizes)
    if node.op.name == "triangle":
        k = int(node.attrs["k"])
        low, high = (None, k) if node.attrs["below"] else (k, None)
    else:
        lower, upper = int(node.attrs["lower"]), int(node.attrs["upper"])
        low, high = None if lower < 0 else -lower, None if upper < 0 else upper
    kind = code_of(ctx.type(node.outputs[0]).dtype)
    zero = Scalar(literal(0, kind), kind)
    steps = tuple(-1 if i == rank - 2 else int(i == rank - 1) for i in range(rank))
    place = Affine(0, steps)  # column less row

    def fn(v: Scalar, d: Scalar) -> Scalar:
        inside = Scalar("true", "b1")
        if low is not None:
            inside = b.logical_and(inside, b.greater_equal(d, Scalar(low, "i64")))
        if high is not None:
            inside = b.logical_and(inside, b.less_equal(d, Scalar(high, "i64")))
        return b.select(inside, b.cast(v, kind), zero)

    ctx.defer(node.outputs[0], Map(fn, kind, (ctx.expr(x), place), 2), sizes, [x], 2)


def _diagonal(ctx: FunctionLowering, array: Array, k: int) -> Array:
    """The k-th diagonal of the last two axes, where it lies."""
    code = ctx.code
    rows, columns = array.sizes[-2:]
    down, right = code.sub(rows, max(-k, 0)), code.sub(columns, max(k, 0))
    count: Operand = code.at_least(down if down == right else code.at_most(down, right), 0)
    row, column = array.strides[-2:]
    offset = code.add(array.offset, code.add(code.mul(max(-k, 0), row), code.mul(max(k, 0), column)))
    strides = (*array.strides[:-2], code.add(row, column))
    return Array(array.ptr, array.code, (*array.sizes[:-2], count), strides, array.buffers, offset)


@rule("matrix_diag_part")
def matrix_diag_part(ctx: FunctionLowering, node: Node) -> None:
    """A diagonal of the last two axes."""
    part = _diagonal(ctx, ctx.array(node.inputs[0]), int(node.attrs["k"]))
    ctx.define(node.outputs[0], ctx.dense(ctx.copy(part)))


@rule("matrix_diag")
def matrix_diag(ctx: FunctionLowering, node: Node) -> None:
    """Zeros with the last axis of x on a diagonal."""
    x, k = node.inputs[0], int(node.attrs["k"])
    sizes = ctx.sizes(x)
    if not sizes:
        raise Unsupported([("of a scalar", None)])
    t = ctx.type(node.outputs[0])
    size = ctx.code.add(sizes[-1], abs(k))
    ctx.array(x)
    out = ctx.allocate(code_of(t.dtype), (*sizes[:-1], size, size), node.outputs[0])
    ctx.fill(out, Const(constant(0, TensorType(t.dtype))))
    whole = _diagonal(ctx, out, k)
    ctx.fill(Array(whole.ptr, whole.code, sizes, whole.strides, whole.buffers, whole.offset), ctx.expr(x))
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("matrix_set_diag")
def matrix_set_diag(ctx: FunctionLowering, node: Node) -> None:
    """x with another diagonal."""
    x, diagonal = node.inputs
    have = ctx.sizes(diagonal)
    if len(have) != len(ctx.sizes(x)) - 1:
        raise Unsupported([("a diagonal of another rank", None)])
    source = ctx.array(diagonal)
    target = owned(ctx, x, node)
    part = _diagonal(ctx, target, int(node.attrs["k"]))
    for n, m in zip(have, part.sizes, strict=True):
        if n != m:
            if isinstance(n, int) and isinstance(m, int):
                raise Unsupported([("a diagonal of another size", None)])
            ctx.code.require(ctx.code.op(f"icmp eq i64 {n}, {m}"), ctx.failure)
    if source.buffers & target.buffers:
        source = ctx.copy(source)
    kind = target.code
    ctx.fill(part, Map(lambda v: ctx.ops.cast(v, kind), kind, (ctx.dense(source).as_expr(),), 1))
    ctx.define(node.outputs[0], ctx.dense(target))
