"""Arrays made of parts of another: tile, repeat, pad, roll, and their gradients."""

from __future__ import annotations

import itertools
from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Affine, Const, Gather, IndexMap, Load, Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, constant, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of
from runtime.ir.graph import Node
from runtime.ops.kinds import normalize_axes, normalize_axis
from runtime.typesys.spec import TensorType

__all__: list[str] = []


def _given(ctx: FunctionLowering, entries: Any, inputs: list[Any], name: str) -> tuple[Operand, ...]:
    """Numbers from an attribute and inputs, none of them negative."""
    rest = iter(inputs)
    out: list[Operand] = []
    for e in entries:
        n: Operand = e if type(e) is int else ctx.number(next(rest))
        if isinstance(n, int):
            if n < 0:
                raise Unsupported([(f"a negative number in {name}", None)])
        else:
            ctx.code.require(ctx.code.op(f"icmp sge i64 {n}, 0"), ctx.failure)
        out.append(n)
    return tuple(out)


def _part(ctx: FunctionLowering, array: Array, starts: tuple[Operand, ...], sizes: tuple[Operand, ...]) -> Array:
    """A block of an array."""
    offset = array.offset
    for start, stride in zip(starts, array.strides, strict=True):
        offset = ctx.code.add(offset, ctx.code.mul(start, stride))
    return Array(array.ptr, array.code, sizes, array.strides, array.buffers, offset)


def _split(ctx: FunctionLowering, array: Array, inner: tuple[Operand, ...], outer: tuple[Operand, ...]) -> Array:
    """An array whose axes are of size outer * inner, with two axes for each."""
    sizes: list[Operand] = []
    strides: list[Operand] = []
    for n, m, stride in zip(inner, outer, array.strides, strict=True):
        sizes += [m, n]
        strides += [ctx.code.mul(n, stride), stride]
    return Array(array.ptr, array.code, tuple(sizes), tuple(strides), array.buffers, array.offset)


def _ratio(ctx: FunctionLowering, whole: Operand, part: Operand) -> Operand:
    """How often a size is in another, which is a multiple; 1 where it is 0."""
    if isinstance(whole, int) and isinstance(part, int):
        if part and whole % part:
            raise Unsupported([("sizes that are no multiples", None)])
        return whole // part if part else 1
    code = ctx.code
    safe = code.at_least(part, 1)
    times = code.op(f"sdiv i64 {whole}, {safe}")
    code.require(code.op(f"icmp eq i64 {code.mul(times, part)}, {whole}"), ctx.failure)
    return code.choose(code.op(f"icmp eq i64 {part}, 0"), 1, times)


@rule("tile", "tile_like")
def tile(ctx: FunctionLowering, node: Node) -> None:
    """x repeated along its axes."""
    x, *more = node.inputs
    have = ctx.sizes(x)
    if node.op.name == "tile_like":
        want = ctx.sizes(more[0])
        times = tuple(_ratio(ctx, b, a) for a, b in zip(have, want, strict=True))
    else:
        times = _given(ctx, node.attrs["multiples"], more, "multiples")
        want = tuple(ctx.code.mul(n, m) for n, m in zip(have, times, strict=True))
    if not have:
        raise Unsupported([("of a scalar", None)])
    out = ctx.allocate(code_of(ctx.type(x).dtype), want, node.outputs[0])
    target = _split(ctx, out, have, times)
    index: IndexMap = tuple((0, 2 * i + 1, 1) for i in range(len(have)))
    ctx.array(x)
    ctx.fill(target, ctx.viewed(x, index))
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("tile_grad")
def tile_grad(ctx: FunctionLowering, node: Node) -> None:
    """The copies added."""
    dy, x = node.inputs
    array, sizes = ctx.array(dy), ctx.sizes(x)
    times = tuple(_ratio(ctx, b, a) for a, b in zip(sizes, array.sizes, strict=True))
    _summed(ctx, node, _split(ctx, array, sizes, times), tuple(range(0, 2 * len(sizes), 2)), sizes)


def _summed(
    ctx: FunctionLowering, node: Node, source: Array, axes: tuple[int, ...], sizes: tuple[Operand, ...]
) -> None:
    """The sum of memory over some axes."""
    load = Load(source.ptr, source.code, source.offset, source.strides, source.buffers)
    d = ctx.defer(node.outputs[0], load, sizes, (), 0, ("sum", source.sizes, axes, False))
    ctx.materialize(d)


@rule("repeat", "repeat_like")
def repeat(ctx: FunctionLowering, node: Node) -> None:
    """Every element along an axis repeated."""
    x, counts = node.inputs[0], node.inputs[-1]
    have = ctx.sizes(x)
    axis = normalize_axis(node.attrs["axis"], len(have))
    if ctx.sizes(counts):
        _by_counts(ctx, node, axis)
        return
    (times,) = _given(ctx, (None,), [counts], "repeats")
    times = int(times) if isinstance(times, str) and times.isdigit() else times
    code = ctx.code
    want = (*have[:axis], code.mul(have[axis], times), *have[axis + 1 :])
    source = ctx.array(x)
    out = ctx.allocate(source.code, want, node.outputs[0])
    strides = (*out.strides[:axis], code.mul(times, out.strides[axis]), *out.strides[axis:])
    sizes = (*have[: axis + 1], times, *have[axis + 1 :])
    target = Array(out.ptr, out.code, sizes, strides, out.buffers, out.offset)
    index: IndexMap = tuple((0, i + (i > axis), 1) for i in range(len(have)))
    ctx.fill(target, ctx.viewed(x, index))
    ctx.define(node.outputs[0], ctx.dense(out))


def _by_counts(ctx: FunctionLowering, node: Node, axis: int) -> None:
    """Every element as often as a vector says."""
    flow, code = Flow(ctx, one_by_one=True), ctx.code
    x, counts = node.inputs[0], node.inputs[-1]
    source, many = ctx.array(x), ctx.array(counts)
    if len(many.sizes) != 1:
        raise Unsupported([("counts of another rank", None)])
    n = source.sizes[axis]
    total = flow.variable("i64", 0)
    flow.touch(source, many)
    if many.sizes[0] == 1 and n != 1:
        raise Unsupported([("one count for all", None)])
    code.require(code.op(f"icmp eq i64 {many.sizes[0]}, {n}"), ctx.failure)
    with flow.loop(n) as i:
        count = ctx.ops.cast(flow.read(many, i), "i64").reg
        code.require(code.op(f"icmp sge i64 {count}, 0"), ctx.failure)
        total.add(count)
    size: Operand = total.get()
    known = ctx.type(node.outputs[0]).shape
    if known is not None and isinstance(known[axis], int):
        code.require(code.op(f"icmp eq i64 {size}, {known[axis]}"), ctx.failure)
        size = known[axis]  # type: ignore[assignment]
    want = (*source.sizes[:axis], size, *source.sizes[axis + 1 :])
    out = ctx.allocate(source.code, want, node.outputs[0])
    at = flow.variable("i64", 0)
    flow.touch(source, many, out)
    with flow.loop(n) as i:
        count = ctx.ops.cast(flow.read(many, i), "i64").reg
        sizes = (*source.sizes[:axis], count, *source.sizes[axis + 1 :])
        starts: list[Operand] = [0] * len(want)
        starts[axis] = at.get()
        target = _part(ctx, out, tuple(starts), sizes)
        offset = code.add(source.offset, code.mul(i, source.strides[axis]))
        strides = tuple(0 if k == axis else s for k, s in enumerate(source.strides))
        load = Load(source.ptr, source.code, offset, strides, source.buffers)
        ctx.nest(sizes, [Root(load, target, target.strides)])
        at.add(count)
    flow.touch(source, many, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("repeat_grad")
def repeat_grad(ctx: FunctionLowering, node: Node) -> None:
    """The copies of every element added."""
    dy, x, counts = node.inputs
    array, sizes = ctx.array(dy), ctx.sizes(x)
    axis = normalize_axis(node.attrs["axis"], len(sizes))
    code = ctx.code
    if ctx.sizes(counts):
        _add_by_counts(ctx, node, axis)
        return
    (times,) = _given(ctx, (None,), [counts], "repeats")
    times = int(times) if isinstance(times, str) and times.isdigit() else times
    if array.sizes[axis] != code.mul(sizes[axis], times):
        code.require(code.op(f"icmp eq i64 {array.sizes[axis]}, {code.mul(sizes[axis], times)}"), ctx.failure)
    strides = (*array.strides[:axis], code.mul(times, array.strides[axis]), *array.strides[axis:])
    whole = (*sizes[: axis + 1], times, *sizes[axis + 1 :])
    source = Array(array.ptr, array.code, whole, strides, array.buffers, array.offset)
    _summed(ctx, node, source, (axis + 1,), sizes)


def _add_by_counts(ctx: FunctionLowering, node: Node, axis: int) -> None:
    flow, code = Flow(ctx, one_by_one=True), ctx.code
    dy, x, counts = node.inputs
    source, many, sizes = ctx.array(dy), ctx.array(counts), ctx.sizes(x)
    if len(many.sizes) != 1 or many.sizes[0] == 1:
        raise Unsupported([("one count for all", None)])
    code.require(code.op(f"icmp eq i64 {many.sizes[0]}, {sizes[axis]}"), ctx.failure)
    out = ctx.allocate(source.code, sizes, node.outputs[0])
    ctx.fill(out, Const(constant(0, TensorType(ctx.type(node.outputs[0]).dtype))))
    at = flow.variable("i64", 0)
    flow.touch(source, many, out)
    with flow.loop(sizes[axis]) as i, flow.loop(ctx.ops.cast(flow.read(many, i), "i64").reg):
        place = at.get()
        code.require(code.op(f"icmp slt i64 {place}, {source.sizes[axis]}"), ctx.failure)
        part = (*sizes[:axis], 1, *sizes[axis + 1 :])
        starts: list[Operand] = [0] * len(sizes)
        starts[axis] = i
        target = _part(ctx, out, tuple(starts), part)
        starts[axis] = place
        row = _part(ctx, source, tuple(starts), part)
        loads = tuple(Load(a.ptr, a.code, a.offset, a.strides, a.buffers) for a in (target, row))
        ctx.nest(part, [Root(Map(ctx.ops.add, out.code, loads, 1), target, target.strides)])
        at.add(1)
    flow.touch(source, many, out)
    ctx.define(node.outputs[0], ctx.dense(out))


def _widths(ctx: FunctionLowering, node: Node, counts: list[Any]) -> list[tuple[Operand, Operand]]:
    flat = _given(ctx, [w for pair in node.attrs["paddings"] for w in pair], counts, "paddings")
    return list(zip(flat[::2], flat[1::2], strict=True))


@rule("pad")
def pad(ctx: FunctionLowering, node: Node) -> None:
    """Elements put before and after along every axis."""
    x, *counts = node.inputs
    code, t = ctx.code, ctx.type(node.outputs[0])
    have, kind = ctx.sizes(x), code_of(t.dtype)
    widths = _widths(ctx, node, counts)
    if not have:
        raise Unsupported([("of a scalar", None)])
    want = tuple(code.add(code.add(n, a), b) for n, (a, b) in zip(have, widths, strict=True))
    if node.attrs["mode"] != "constant":
        _reflected(ctx, node, widths, want)
        return
    value = node.attrs["value"]
    fits = kind[0] == "f" or float(value) == int(value)
    if not fits or (kind[0] in "iu" and not _in_range(value, kind)):
        raise Unsupported([(f"the number {value} as {t.dtype.name}", None)])
    fill = constant(value, TensorType(t.dtype))
    ctx.array(x)
    out = ctx.allocate(kind, want, node.outputs[0])
    ctx.fill(out, Const(fill))
    ctx.fill(_part(ctx, out, tuple(a for a, _ in widths), have), ctx.expr(x))
    ctx.define(node.outputs[0], ctx.dense(out))


def _in_range(value: Any, kind: str) -> bool:
    bits = int(kind[1:])
    return 0 <= value < 2**bits if kind[0] == "u" else -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def _reflected(
    ctx: FunctionLowering, node: Node, widths: list[tuple[Operand, Operand]], want: tuple[Operand, ...]
) -> None:
    """Padding by what is inside: the index goes back where it meets an end."""
    b, code = ctx.ops, ctx.code
    array = ctx.array(node.inputs[0])
    edge = int(node.attrs["mode"] == "reflect")  # whether the end itself is left out
    at = []
    for axis, (n, (before, after)) in enumerate(zip(array.sizes, widths, strict=True)):
        for w in (before, after):
            most = code.sub(n, edge)
            if isinstance(w, int) and isinstance(most, int):
                if w > most:
                    raise Unsupported([("padding that is wider than the tensor", None)])
            else:
                code.require(code.op(f"icmp sle i64 {w}, {most}"), ctx.failure)
        place = Affine(code.sub(0, before), tuple(int(k == axis) for k in range(len(want))))
        low, high, last = Scalar(edge - 1, "i64"), Scalar(code.sub(code.mul(2, n), 1 + edge), "i64"), Scalar(n, "i64")
        zero = Scalar(0, "i64")

        def inside(i: Scalar, low: Scalar = low, high: Scalar = high, last: Scalar = last) -> Scalar:
            i = b.select(b.less(i, zero), b.subtract(low, i), i)
            return b.select(b.less(i, last), i, b.subtract(high, i))

        at.append((Map(inside, "i64", (place,), 4), array.strides[axis]))
    expr = Gather(array.ptr, array.code, array.offset, (0,) * len(want), tuple(at), array.buffers)
    ctx.define(node.outputs[0], ctx.dense(_stored(ctx, node, expr, array.code, want)))


def _stored(ctx: FunctionLowering, node: Node, expr: Any, kind: str, sizes: tuple[Operand, ...]) -> Array:
    out = ctx.allocate(kind, sizes, node.outputs[0])
    ctx.fill(out, expr)
    return out


@rule("pad_grad")
def pad_grad(ctx: FunctionLowering, node: Node) -> None:
    """The parts of a cotangent that padding took from x."""
    dy, x, *counts = node.inputs
    sizes = ctx.sizes(x)
    widths = _widths(ctx, node, counts)
    code = ctx.code
    have = ctx.sizes(dy)
    for n, m, (a, b) in zip(have, sizes, widths, strict=True):
        whole = code.add(code.add(m, a), b)
        if n != whole:
            code.require(code.op(f"icmp eq i64 {n}, {whole}"), ctx.failure)
    if node.attrs["mode"] == "constant":
        source = _part(ctx, ctx.array(dy), tuple(a for a, _ in widths), sizes)
        ctx.define(node.outputs[0], ctx.dense(ctx.copy(source)))
        return
    array, edge = ctx.array(dy), int(node.attrs["mode"] == "reflect")
    for axis, pair in enumerate(widths):
        if pair != (0, 0):
            array = _folded(ctx, array, axis, sizes[axis], pair, edge)
    ctx.define(node.outputs[0], ctx.dense(array if array.buffers <= ctx.writable else ctx.copy(array)))


def _folded(
    ctx: FunctionLowering, array: Array, axis: int, n: Operand, pair: tuple[Operand, Operand], edge: int
) -> Array:
    """What reflecting padding put before and after, added to where it came from."""
    code = ctx.code
    before, after = pair
    starts: list[Operand] = [0] * len(array.sizes)
    starts[axis] = before
    inner = (*array.sizes[:axis], n, *array.sizes[axis + 1 :])
    out = ctx.copy(_part(ctx, array, tuple(starts), inner))
    ends = (
        (before, edge, code.sub(before, 1)),  # width, first place in the sum, place in the array, which goes down
        (after, code.sub(code.sub(n, edge), after), code.sub(code.add(code.add(before, n), after), 1)),
    )
    for width, to, start in ends:
        part = (*array.sizes[:axis], width, *array.sizes[axis + 1 :])
        starts[axis] = to
        target = _part(ctx, out, tuple(starts), part)
        starts[axis] = start
        source = _part(ctx, array, tuple(starts), part)
        strides = tuple(code.sub(0, s) if k == axis else s for k, s in enumerate(source.strides))
        loads = (
            Load(target.ptr, target.code, target.offset, target.strides, target.buffers),
            Load(source.ptr, source.code, source.offset, strides, source.buffers),
        )
        ctx.nest(part, [Root(Map(ctx.ops.add, out.code, loads, 1), target, target.strides)])
    return out


@rule("roll")
def roll(ctx: FunctionLowering, node: Node) -> None:
    """Elements moved on along axes, what falls off the end entering at the start."""
    code = ctx.code
    x, *moved = node.inputs
    array = ctx.array(x)
    sizes, axes, by = array.sizes, node.attrs["axis"], node.attrs["shift"]
    if not sizes:
        raise Unsupported([("of a scalar", None)])
    whole = array
    if axes is None:  # as one row
        array = array if ctx.is_contiguous(array) else ctx.copy(array)
        whole = Array(array.ptr, array.code, (code.product(sizes),), (1,), array.buffers, array.offset)
        axes = (0,)
    places = normalize_axes(axes, len(whole.sizes))
    if moved and ctx.sizes(moved[0]):
        raise Unsupported([("by several tensors", None)])
    if moved:
        shifts: tuple[Operand, ...] = (ctx.number(moved[0]),) * len(places)
    else:
        shifts = tuple(by) if isinstance(by, tuple) else (by,) * len(places)
    if len(shifts) != len(places):
        if len(places) != 1:
            raise Unsupported([("as many shifts as axes", None)])
        places = places * len(shifts)
    total: dict[int, Operand] = {}
    for axis, s in zip(places, shifts, strict=True):
        total[axis] = code.add(total.get(axis, 0), s)
    out = ctx.allocate(array.code, sizes, node.outputs[0])
    target = Array(out.ptr, out.code, whole.sizes, code.strides(whole.sizes), out.buffers, out.offset)
    pieces: list[list[tuple[Operand, Operand, Operand]]] = []  # of each axis: (from, to, how many)
    for axis, n in enumerate(whole.sizes):
        if axis not in total:
            pieces.append([(0, 0, n)])
            continue
        s = _modulo(ctx, total[axis], n)
        rest = code.sub(n, s)
        pieces.append([(0, s, rest), (rest, 0, s)])
    for combination in itertools.product(*pieces):
        count = tuple(c for _, _, c in combination)
        source = _part(ctx, whole, tuple(f for f, _, _ in combination), count)
        ctx.copy(source, _part(ctx, target, tuple(t for _, t, _ in combination), count))
    ctx.define(node.outputs[0], ctx.dense(out))


def _modulo(ctx: FunctionLowering, s: Operand, n: Operand) -> Operand:
    """s % n as Python has it; 0 where n is."""
    if isinstance(s, int) and isinstance(n, int):
        return s % n if n else 0
    return ctx.ops.remainder(Scalar(s, "i64"), Scalar(n, "i64")).reg
