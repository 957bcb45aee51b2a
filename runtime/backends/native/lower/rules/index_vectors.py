"""Reading and writing at index vectors: the last axis of the indices names places in the first axes of an array."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Const, Expr, IndexMap, Load, Map, identity
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.arrays import sizes_of
from runtime.backends.native.lower.rules.indexing import (
    Place,
    added,
    gathered,
    kept_places,
    owned,
    place,
    scatter_at,
)
from runtime.backends.native.lower.rules.reductions import checked, sum_to_like
from runtime.backends.native.lower.rules.scatter import source_of
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, literal
from runtime.ir.graph import Node, Value

__all__: list[str] = []


def _named(ctx: FunctionLowering, sizes: tuple[Operand, ...], indices: Value, wrap: bool) -> Place:
    """The place that index vectors name; negative numbers count from the end, or leave native code."""
    shape = ctx.sizes(indices)
    if not shape or not isinstance(shape[-1], int) or shape[-1] == 0:
        raise Unsupported([("index vectors of unknown length", None)])
    lead, depth = shape[:-1], shape[-1]
    array = ctx.array(indices)
    out = (*lead, *sizes[depth:])
    arrays: list[tuple[int, Expr]] = []
    for j in range(depth):
        offset = ctx.code.add(array.offset, ctx.code.mul(j, array.strides[-1]))
        load = Load(array.ptr, array.code, offset, array.strides[:-1], array.buffers)
        wide = Map(lambda x: ctx.ops.cast(x, "i64"), "i64", (load,), 1)
        if lead:
            found = checked(ctx, wide, lead, [ctx.env[indices]], sizes[j], wrap)
        else:
            raise Unsupported([("one index vector", None)])
        own: IndexMap = identity(len(lead))
        arrays.append((j, ctx.resolved(found, len(out), own)))
    maps = tuple((0, None, 0) if i < depth else (0, i - depth + len(lead), 1) for i in range(len(sizes)))
    return Place(maps, out, arrays, 0, lead)


@rule("gather_nd", fused=True)
def gather_nd(ctx: FunctionLowering, node: Node) -> None:
    """Slices at index vectors."""
    x, indices = node.inputs
    p = _named(ctx, ctx.sizes(x), indices, True)
    gathered(ctx, node, ctx.array(x), p)


@rule("gather_nd_grad")
def gather_nd_grad(ctx: FunctionLowering, node: Node) -> None:
    """Zeros with a cotangent added at index vectors."""
    dy, x, indices = node.inputs
    sizes = ctx.sizes(x)
    ctx.define(node.outputs[0], ctx.dense(added(ctx, node, dy, _named(ctx, sizes, indices, False), sizes)))


@rule("scatter_nd")
def scatter_nd(ctx: FunctionLowering, node: Node) -> None:
    """Zeros of a shape with updates added at index vectors."""
    indices, updates, *more = node.inputs
    sizes = sizes_of(ctx, node.attrs["shape"], more)
    for n in sizes:
        if not isinstance(n, int):
            ctx.code.require(ctx.code.op(f"icmp sge i64 {n}, 0"), ctx.failure)
    ctx.define(node.outputs[0], ctx.dense(added(ctx, node, updates, _named(ctx, sizes, indices, False), sizes)))


@rule("tensor_scatter")
def tensor_scatter(ctx: FunctionLowering, node: Node) -> None:
    """x with updates put, added, subtracted or compared at index vectors."""
    x, indices, updates = node.inputs
    b = ctx.ops
    sizes = ctx.sizes(x)
    p = _named(ctx, sizes, indices, False)
    kept = kept_places(ctx, p, sizes)
    source = source_of(ctx, updates, p.sizes, code_of(ctx.type(x).dtype))
    target = owned(ctx, x, node)
    ways: dict[str, Any] = {"update": None, "add": b.add, "sub": b.subtract, "max": b.maximum, "min": b.minimum}
    scatter_at(ctx, target, p, kept, source, ways[node.attrs["how"]])
    ctx.define(node.outputs[0], ctx.dense(target))


@rule("last_scattered")
def last_scattered(ctx: FunctionLowering, node: Node) -> None:
    """For every index vector: whether it is the last to name its place."""
    sizes = ctx.sizes(node.inputs[0])
    _winners(ctx, node, _named(ctx, sizes, node.inputs[1], True), sizes)


@rule("index_winners")
def index_winners(ctx: FunctionLowering, node: Node) -> None:
    """For every place that an index names: whether it is the last to name it."""
    x, *parts = node.inputs
    sizes = ctx.sizes(x)
    p = place(ctx, sizes, node.attrs["spec"], parts)
    if not p.arrays:
        raise Unsupported([("an index without arrays", None)])
    _winners(ctx, node, p, sizes)


def _winners(ctx: FunctionLowering, node: Node, p: Place, sizes: tuple[Operand, ...]) -> None:
    """Each element of the place leaves its number; those whose number is still there at the end are the last."""
    flow, code = Flow(ctx), ctx.code
    kept = kept_places(ctx, p, sizes)
    marks = ctx.allocate("i64", sizes)
    ctx.fill(marks, Const(Scalar(literal(0, "i64"), "i64")))
    order = ctx.allocate("i64", p.sizes)
    paces = code.strides(p.sizes)
    flow.touch(order)
    with flow.loops(p.sizes) as index:
        number: Operand = 0
        for i, pace in zip(index, paces, strict=True):
            number = code.add(number, code.mul(i, pace))
        flow.write(order, Scalar(number, "i64"), *index)
    scatter_at(ctx, marks, p, kept, (order, order.strides), None)
    out = ctx.allocate("b1", p.sizes, node.outputs[0])
    offset, strides = p.strided(ctx, marks)
    flow.touch(marks, order, kept, out)
    with flow.loops(p.sizes) as index:
        at = Array(marks.ptr, "i64", p.sizes, strides, marks.buffers, offset)
        mine = index[p.first : p.first + len(p.shape)]
        there = code.add(flow.offset(at, list(index)), flow.read(kept, *mine).reg)
        left = flow.read(Array(marks.ptr, "i64", (), (), marks.buffers, there))
        flow.write(out, ctx.ops.equal(left, flow.read(order, *index)), *index)
    flow.touch(marks, order, kept, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("sum_to_place", fused=True)
def sum_to_place(ctx: FunctionLowering, node: Node) -> None:
    """Sum over what broadcasting made."""
    if len(ctx.sizes(node.inputs[1])) > len(ctx.sizes(node.inputs[0])):
        raise Unsupported([("leading axes", None)])
    sum_to_like(ctx, node)
