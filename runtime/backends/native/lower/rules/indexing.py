"""Reading and writing at indices."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import (
    Const,
    Deferred,
    Expr,
    Gather,
    IndexMap,
    Map,
    Ref,
    Resolver,
    identity,
)
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.nests import Root, load
from runtime.backends.native.lower.rules.reductions import checked_indices, place_of
from runtime.backends.native.lower.rules.scatter import Source, indices_in_memory, scatter, source_of
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, literal
from runtime.ir.graph import Node, Value
from runtime.ops.kinds import normalize_axis

__all__: list[str] = []


class Place:
    """Where an index points: for every axis of the array (start, axis of the result or None, step); the result's shape."""

    def __init__(
        self, maps: IndexMap, sizes: tuple[Operand, ...], vector: tuple[int, int, Expr] | None
    ) -> None:
        self.maps = maps
        self.sizes = sizes
        self.vector = vector  # (axis of the array, first axis in the result, indices) of an index array


def place(ctx: FunctionLowering, sizes: tuple[Operand, ...], spec: Any, parts: list[Value]) -> Place:
    """Work out an index; scalars are checked here."""
    code = ctx.code
    rest = iter(parts)
    named = sum(e is not None and e != "..." for e in spec)
    maps: list[Any] = []
    out: list[Operand] = []
    vector = None
    for entry in (*spec, *([] if "..." in spec else ["..."])):
        axis = len(maps)
        if entry is None:
            out.append(1)
        elif entry == "...":
            for _ in range(len(sizes) - named):
                out.append(sizes[len(maps)])
                maps.append((0, len(out) - 1, 1))
        elif isinstance(entry, tuple):
            start, size, step = _slice(ctx, sizes[axis], entry, rest)
            out.append(size)
            maps.append((start, len(out) - 1, step))
        elif entry == "?":
            value = next(rest)
            t = ctx.type(value)
            if t.dtype.is_bool:
                raise Unsupported([("a boolean mask", None)])
            shape = ctx.sizes(value)
            if not shape and t.shape == ():
                maps.append((place_of(ctx, _number(ctx.number(value)), sizes[axis]), None, 0))
                continue
            if vector is not None:
                raise Unsupported([("several index arrays", None)])
            vector = axis, len(out), checked_indices(ctx, value, sizes[axis])
            out += shape
            maps.append((0, None, 0))
        else:
            maps.append((place_of(ctx, entry, sizes[axis]), None, 0))
    if vector is not None and any(m[1] is None for i, m in enumerate(maps) if i != vector[0]):
        raise Unsupported([("an index array beside numbers", None)])
    del code
    return Place(tuple(maps), tuple(out), vector)


def _number(x: Operand) -> Operand:
    return int(x) if isinstance(x, str) and x.lstrip("-").isdigit() else x


def _slice(ctx: FunctionLowering, size: Operand, entry: Any, rest: Any) -> tuple[Operand, Operand, int]:
    """(start, number, step) of a slice, as Python clips it."""
    code = ctx.code
    start, stop, step = (_number(ctx.number(next(rest))) if b == "?" else b for b in entry)
    step = 1 if step is None else step
    if not isinstance(step, int):
        raise Unsupported([("a step that only the run knows", None)])
    if isinstance(size, int) and all(b is None or isinstance(b, int) for b in (start, stop)):
        begin, end, _ = slice(start, stop, step).indices(size)
        return begin, len(range(begin, end, step)), step
    if step < 0 and (start is not None or stop is not None):
        raise Unsupported([("bounds of a backward slice", None)])
    if step < 0:
        count = code.op(f"sdiv i64 {code.add(size, -step - 1)}, {-step}")
        return code.sub(size, 1), count, step

    def clip(bound: Operand | None, missing: Operand) -> Operand:
        if bound is None:
            return missing
        if isinstance(bound, int):
            if bound >= 0:
                return code.at_most(bound, size) if bound else 0
            return code.at_least(code.add(size, bound), 0)
        negative = code.op(f"icmp slt i64 {bound}, 0")
        from_end = code.op(f"add i64 {bound}, {size}")
        there = code.op(f"select i1 {negative}, i64 {from_end}, i64 {bound}")
        return code.at_most(code.at_least(there, 0), size)

    first: Operand = clip(start, 0)
    span = code.at_least(code.sub(clip(stop, size), first), 0)
    if step != 1:
        span = code.op(f"sdiv i64 {code.add(span, step - 1)}, {step}")
    return first, span, step


@rule("index", fused=True)
def index(ctx: FunctionLowering, node: Node) -> None:
    """x[index]"""
    x, *parts = node.inputs
    p = place(ctx, ctx.sizes(x), node.attrs["spec"], parts)
    if p.vector is None:
        if p.sizes:
            ctx.defer(node.outputs[0], ctx.viewed(x, p.maps), p.sizes, [x])
            return
        array = ctx.array(x)
        offset = array.offset
        for (at, _, _), stride in zip(p.maps, array.strides, strict=True):
            offset = ctx.code.add(offset, ctx.code.mul(at, stride))
        ctx.memory.touch(array.buffers)
        ctx.define(node.outputs[0], load(ctx.code, array.ptr, array.code, offset))
        return
    axis, first, where = p.vector
    _gather(ctx, node, ctx.array(x), axis, first, where, p)


def _gather(
    ctx: FunctionLowering, node: Node, array: Array, axis: int, first: int, at: Expr, p: Place
) -> None:
    offset: Operand = array.offset
    strides: list[Operand] = [0] * len(p.sizes)
    for (start, to, step), stride in zip(p.maps, array.strides, strict=True):
        offset = ctx.code.add(offset, ctx.code.mul(start, stride))
        if to is not None:
            strides[to] = ctx.code.add(strides[to], ctx.code.mul(step, stride))
    width = len(p.sizes) - sum(m[1] is not None for m in p.maps) - (0)
    own: IndexMap = tuple((0, first + i, 1) for i in range(width))
    where = _spread(ctx, at, own, len(p.sizes))
    expr = Gather(
        array.ptr, array.code, offset, tuple(strides), ((where, array.strides[axis]),), array.buffers
    )
    ctx.defer(node.outputs[0], expr, p.sizes, node.inputs[1:], 4)


def _spread(ctx: FunctionLowering, at: Expr, own: IndexMap, rank: int) -> Expr:
    """Indices over their own axes, looked at over those of the result."""
    return Resolver(ctx.code, rank, lambda _: True)(at, own) if not isinstance(at, Const) else at


@rule("gather", fused=True)
def gather(ctx: FunctionLowering, node: Node) -> None:
    """Slices at integer indices along one axis."""
    x, indices = node.inputs
    sizes = ctx.sizes(x)
    axis = normalize_axis(node.attrs["axis"], len(sizes))
    at = checked_indices(ctx, indices, sizes[axis])
    array = ctx.array(x)
    shape = ctx.sizes(indices)
    maps: list[Any] = []
    for i in range(len(sizes)):
        maps.append((0, None, 0) if i == axis else (0, i if i < axis else i + len(shape) - 1, 1))
    out = (*sizes[:axis], *shape, *sizes[axis + 1 :])
    p = Place(tuple(maps), out, (axis, axis, at))
    if isinstance(at, Const):
        maps[axis] = (_number(at.scalar.reg), None, 0)
        if not out:
            ctx.memory.touch(array.buffers)
            offset = ctx.code.add(array.offset, ctx.code.mul(_number(at.scalar.reg), array.strides[0]))
            ctx.define(node.outputs[0], load(ctx.code, array.ptr, array.code, offset))
        else:
            ctx.defer(node.outputs[0], ctx.viewed(x, tuple(maps)), out, [x])
        return
    _gather(ctx, node, array, axis, axis, at, p)


@rule("index_update", "index_add")
def write(ctx: FunctionLowering, node: Node) -> None:
    """x with something put, or added, at an index: in its own memory where nobody looks at the old value again."""
    x, _, *parts = node.inputs
    p = place(ctx, ctx.sizes(x), node.attrs["spec"], parts)
    if p.vector is not None:
        kept = indices_in_memory(ctx, p.vector[2], _shape_of_indices(ctx, parts))
        source = source_of(ctx, node.inputs[1], p.sizes, code_of(ctx.type(x).dtype))
        target = owned(ctx, x, node)
        _scatter(ctx, target, p, kept, source, node.op.name == "index_add")
        ctx.define(node.outputs[0], ctx.dense(target))
        return
    target = owned(ctx, x, node)
    put(ctx, node, target, p)
    ctx.define(node.outputs[0], ctx.dense(target))


def owned(ctx: FunctionLowering, x: Value, node: Node) -> Array:
    """Memory with the elements of x that may be written: its own if this is its last use and it is a plain array of ours."""
    rep = ctx.env[x]
    assert isinstance(rep, Deferred)
    if (
        rep.array is not None
        and ctx.uses.last.get(x) is node
        and node.inputs.count(x) == 1
        and ctx.may_overwrite(rep.array, node)
    ):
        return rep.array
    if rep.array is None and rep.reduce is None and not rep.must:
        target = ctx.allocate(rep.code, rep.sizes)
        ctx.fill(target, rep.as_expr())
        return target
    return ctx.copy(ctx.array(x))


def put(ctx: FunctionLowering, node: Node, target: Array, p: Place) -> None:
    """Write (or add) the value of a node at a place that no index array is part of."""
    v = node.inputs[1]
    offset = target.offset
    strides: list[Operand] = [0] * len(p.sizes)
    for (start, to, step), stride in zip(p.maps, target.strides, strict=True):
        offset = ctx.code.add(offset, ctx.code.mul(start, stride))
        if to is not None:
            strides[to] = ctx.code.mul(step, stride)
    have = ctx.sizes(v)
    b, code = ctx.ops, target.code
    if ctx.type(v).weak:
        value: Expr = Const(ctx.narrowed(ctx.scalar(v), code, True))
    elif not have:
        value = Const(b.cast(ctx.scalar(v), code))
    else:
        extra = max(len(have) - len(p.sizes), 0)
        if any(n != 1 for n in have[:extra]):
            raise Unsupported([("a value of more axes", None)])
        _, maps = ctx.broadcast([p.sizes, have[extra:]])
        value = ctx.viewed(v, (*((0, None, 0) for _ in range(extra)), *maps[1]))
        rep = ctx.env[v]
        if isinstance(rep, Deferred) and not rep.done:
            seen = ctx.view_of_memory(rep)
            if seen is None or seen.buffers & target.buffers:
                ctx.materialize(rep)
            value = ctx.viewed(v, (*((0, None, 0) for _ in range(extra)), *maps[1]))
        elif isinstance(rep, Deferred) and rep.array is not None and rep.array.buffers & target.buffers:
            raise Unsupported([("a value that overlaps its target", None)])
    part = Array(target.ptr, code, p.sizes, tuple(strides), target.buffers, offset)
    rank = len(p.sizes)
    resolved = Resolver(ctx.code, rank, lambda _: True)(value, identity(rank))
    resolved = Map(lambda q: b.cast(q, code), code, (resolved,), 1)
    if node.op.name == "index_add":
        before = Resolver(ctx.code, rank, lambda _: True)(
            Ref(ctx.dense(part), identity(rank)), identity(rank)
        )
        resolved = Map(b.add, code, (before, resolved), 1)
    ctx.nest(p.sizes, [Root(resolved, part, part.strides)])


def _shape_of_indices(ctx: FunctionLowering, parts: list[Value]) -> tuple[Operand, ...]:
    """The shape of the one index array among an index's parts."""
    return next((ctx.sizes(v) for v in parts if ctx.sizes(v)), ())


def _scatter(
    ctx: FunctionLowering, target: Array, p: Place, kept: Array | Scalar, source: Source, add: bool
) -> None:
    """Write (or add) a source at a place that an index array is part of."""
    assert p.vector is not None
    axis, first, _ = p.vector
    offset = target.offset
    strides: list[Operand] = [0] * len(p.sizes)
    for (start, to, step), stride in zip(p.maps, target.strides, strict=True):
        offset = ctx.code.add(offset, ctx.code.mul(start, stride))
        if to is not None:
            strides[to] = ctx.code.add(strides[to], ctx.code.mul(step, stride))
    scatter(ctx, target, p.sizes, tuple(strides), offset, (kept, first, target.strides[axis]), source, add)


@rule("gather_grad")
def gather_grad(ctx: FunctionLowering, node: Node) -> None:
    """Zeros with a cotangent added at indices along one axis."""
    dy, x, indices = node.inputs
    sizes, shape = ctx.sizes(x), ctx.sizes(indices)
    axis = normalize_axis(node.attrs["axis"], len(sizes))
    code = code_of(ctx.type(node.outputs[0]).dtype)
    kept = indices_in_memory(ctx, checked_indices(ctx, indices, sizes[axis]), shape)
    maps = tuple(
        (0, None, 0) if i == axis else (0, i if i < axis else i + len(shape) - 1, 1) for i in range(len(sizes))
    )
    out = (*sizes[:axis], *shape, *sizes[axis + 1 :])
    source = source_of(ctx, dy, out, code)
    target = ctx.allocate(code, sizes)
    ctx.fill(target, Const(Scalar(literal(0, code), code)))
    _scatter(ctx, target, Place(maps, out, (axis, axis, Const(Scalar(0, "i64")))), kept, source, True)
    ctx.define(node.outputs[0], ctx.dense(target))


@rule("index_grad", fused=True)
def index_grad(ctx: FunctionLowering, node: Node) -> None:
    """Zeros with a cotangent at an index."""
    dy, x, *parts = node.inputs
    sizes = ctx.sizes(x)
    p = place(ctx, sizes, node.attrs["spec"], parts)
    code = code_of(ctx.type(node.outputs[0]).dtype)
    source: Source | None = None
    if p.vector is not None:
        kept = indices_in_memory(ctx, p.vector[2], _shape_of_indices(ctx, parts))
        source = source_of(ctx, dy, p.sizes, code)
    target = ctx.allocate(code, sizes)
    ctx.fill(target, Const(Scalar(literal(0, code), code)))
    if source is not None:
        _scatter(ctx, target, p, kept, source, True)
    else:
        offset: Operand = 0
        strides: list[Operand] = [0] * len(p.sizes)
        for (start, to, step), stride in zip(p.maps, target.strides, strict=True):
            offset = ctx.code.add(offset, ctx.code.mul(start, stride))
            if to is not None:
                strides[to] = ctx.code.mul(step, stride)
        part = Array(target.ptr, code, p.sizes, tuple(strides), target.buffers, offset)
        if ctx.env[dy] is not None and isinstance(ctx.env[dy], Deferred):
            ctx.array(dy)
        ctx.fill(part, ctx.expr(dy))
    ctx.define(node.outputs[0], ctx.dense(target))
