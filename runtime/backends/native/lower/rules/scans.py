"""What goes along an axis step by step: running sums and products, recurrences, segments, searches."""

from __future__ import annotations

import numpy as np

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Const, Expr, Load, Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, constant, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.rules.arrays import sizes_of
from runtime.backends.native.lower.rules.sorting import sorted_row
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, is_float
from runtime.ir.graph import Node, Value
from runtime.ops.kinds import normalize_axis
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.spec import TensorType

__all__ = ["places_of"]


def _turned(ctx: FunctionLowering, array: Array, axis: int, back: bool) -> Array:
    """The array with an axis first, from its end if so asked."""
    order = [axis, *(i for i in range(len(array.sizes)) if i != axis)]
    sizes = tuple(array.sizes[i] for i in order)
    strides = [array.strides[i] for i in order]
    offset = array.offset
    if back:
        offset = ctx.code.add(offset, ctx.code.mul(ctx.code.sub(sizes[0], 1), strides[0]))
        strides[0] = ctx.code.sub(0, strides[0])
    return Array(array.ptr, array.code, sizes, tuple(strides), array.buffers, offset)


def _slice(ctx: FunctionLowering, array: Array, i: Operand) -> Array:
    """What is at an index of the first axis."""
    offset = ctx.code.add(array.offset, ctx.code.mul(i, array.strides[0]))
    return Array(array.ptr, array.code, array.sizes[1:], array.strides[1:], array.buffers, offset)


def _elements(array: Array) -> Load:
    return Load(array.ptr, array.code, array.offset, array.strides, array.buffers)


def _step(flow: Flow, target: Array, expr: Expr) -> None:
    """Store one slice of a scan."""
    flow.ctx.nest(target.sizes, [Root(expr, target, target.strides)])


def _by_rows(sizes: tuple[Operand, ...], axis: int) -> bool:
    """Whether it is better to go along each row by itself: the axis is the last, whose elements are neighbours."""
    return axis == len(sizes) - 1


@rule("cumulative_sum", "cumulative_prod")
def cumulative(ctx: FunctionLowering, node: Node) -> None:
    """Running sums or products."""
    flow, b, code = Flow(ctx, one_by_one=True), ctx.ops, ctx.code
    source = ctx.array(node.inputs[0])
    kind = code_of(ctx.type(node.outputs[0]).dtype)
    if not source.sizes:
        raise Unsupported([("of a scalar", None)])
    axis = normalize_axis(node.attrs["axis"], len(source.sizes))
    adds = node.op.name == "cumulative_sum"
    combine = b.add if adds else b.multiply
    unit = constant(0 if adds else 1, TensorType(ctx.type(node.outputs[0]).dtype))
    out = ctx.allocate(kind, source.sizes, node.outputs[0])
    back, exclusive = bool(node.attrs.get("reverse")), bool(node.attrs.get("exclusive"))
    x, y = _turned(ctx, source, axis, back), _turned(ctx, out, axis, back)
    flow.touch(source, out)
    n = x.sizes[0]
    if _by_rows(source.sizes, axis):
        with flow.loops(x.sizes[1:]) as index:
            total = flow.variable(kind, unit.reg)
            first = flow.variable("b1", "true")  # the first one is taken as it is: 0 + -0.0 would be 0.0
            with flow.loop(n) as i:
                mine = b.cast(flow.read(x, i, *index), kind)
                before = Scalar(total.get(), kind)
                joined = b.select(Scalar(first.get(), "b1"), mine, combine(before, mine))
                first.set("false")
                flow.write(y, before if exclusive else joined, i, *index)
                total.set(joined.reg)
    else:
        some = code.op(f"icmp sgt i64 {n}, 0")
        widen = lambda e: Map(lambda v: b.cast(v, kind), kind, (e,), 1)
        with flow.when(some):
            start: Expr = Const(unit) if exclusive else widen(_elements(_slice(ctx, x, 0)))
            _step(flow, _slice(ctx, y, 0), start)
        with flow.loop(n, 1) as i:
            before_at = code.op(f"sub nsw i64 {i}, 1")
            mine_at = _elements(_slice(ctx, x, before_at if exclusive else i))
            so_far = _elements(_slice(ctx, y, before_at))
            _step(flow, _slice(ctx, y, i), Map(combine, kind, (so_far, widen(mine_at)), 1))
    flow.touch(source, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("linear_recurrence")
def linear_recurrence(ctx: FunctionLowering, node: Node) -> None:
    """s[i] = b[i] + a[i] * s[i-1]"""
    flow, b, code = Flow(ctx, one_by_one=True), ctx.ops, ctx.code
    factors, terms = (ctx.array(v) for v in node.inputs)
    kind = code_of(ctx.type(node.outputs[0]).dtype)
    if len(factors.sizes) != len(terms.sizes) or any(
        n != m and isinstance(n, int) and isinstance(m, int) for n, m in zip(factors.sizes, terms.sizes, strict=True)
    ):
        raise Unsupported([("operands of different shapes", None)])
    for n, m in zip(factors.sizes, terms.sizes, strict=True):
        if n != m:
            code.require(code.op(f"icmp eq i64 {n}, {m}"), ctx.failure)
    axis, back = normalize_axis(node.attrs["axis"], len(terms.sizes)), bool(node.attrs["reverse"])
    out = ctx.allocate(kind, terms.sizes, node.outputs[0])
    a, t, s = (_turned(ctx, array, axis, back) for array in (factors, terms, out))
    flow.touch(factors, terms, out)
    step = lambda p, q, r: b.add(b.cast(p, kind), b.multiply(b.cast(q, kind), r))
    with flow.when(code.op(f"icmp sgt i64 {t.sizes[0]}, 0")):
        _step(flow, _slice(ctx, s, 0), Map(lambda v: b.cast(v, kind), kind, (_elements(_slice(ctx, t, 0)),), 1))
    with flow.loop(t.sizes[0], 1) as i:
        before = _slice(ctx, s, code.op(f"sub nsw i64 {i}, 1"))
        parts = _elements(_slice(ctx, t, i)), _elements(_slice(ctx, a, i)), _elements(before)
        _step(flow, _slice(ctx, s, i), Map(step, kind, parts, 2))
    flow.touch(factors, terms, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("shift")
def shift(ctx: FunctionLowering, node: Node) -> None:
    """Elements moved along an axis, zeros moving in."""
    source = ctx.array(node.inputs[0])
    axis, places = normalize_axis(node.attrs["axis"], len(source.sizes)), int(node.attrs["places"])
    if abs(places) != 1:
        raise Unsupported([("by more than one place", None)])
    out = ctx.allocate(source.code, source.sizes, node.outputs[0])
    ctx.fill(out, Const(constant(0, TensorType(ctx.type(node.outputs[0]).dtype))))
    rest = ctx.code.at_least(ctx.code.sub(source.sizes[axis], 1), 0)
    sizes = (*source.sizes[:axis], rest, *source.sizes[axis + 1 :])

    def part(array: Array, first: bool) -> Array:
        offset = array.offset if first else ctx.code.add(array.offset, array.strides[axis])
        return Array(array.ptr, array.code, sizes, array.strides, array.buffers, offset)

    ctx.fill(part(out, places < 0), ctx.dense(part(source, places > 0)).as_expr())
    ctx.define(node.outputs[0], ctx.dense(out))


def _before(flow: Flow, x: Scalar, y: Scalar) -> Scalar:
    """Whether x comes before y in NumPy's order, where NaN is last."""
    b = flow.ops
    less = b.less(x, y)
    return b.logical_or(less, b.logical_and(b.isnan(y), b.logical_not(b.isnan(x)))) if is_float(x.code) else less


@rule("search_sorted")
def search_sorted(ctx: FunctionLowering, node: Node) -> None:
    """Where values would be put in to keep a sequence sorted."""
    flow, b, code = Flow(ctx, one_by_one=True), ctx.ops, ctx.code
    kinds = [ctx.type(v).dtype.dtype for v in node.inputs]
    kind = code_of(as_dtype(np.result_type(*kinds)))
    sequence = ctx.array(node.inputs[0])
    sizes = ctx.sizes(node.inputs[1])
    values = ctx.array(node.inputs[1])
    n = sequence.sizes[-1]
    lead = sequence.sizes[:-1]
    if lead and len(lead) != len(sizes) - 1:
        raise Unsupported([("rows that do not match", None)])
    for have, want in zip(lead, sizes, strict=False):
        if have != want:
            if isinstance(have, int) and isinstance(want, int):
                raise Unsupported([("rows that do not match", None)])
            code.require(code.op(f"icmp eq i64 {have}, {want}"), ctx.failure)
    right = node.attrs["side"] == "right"

    def find(row: list[str], value: Scalar) -> Scalar:
        low, high = flow.variable("i64", 0), flow.variable("i64", n)
        with flow.repeat() as again:
            start, end = low.get(), high.get()
            again.leave_unless(code.op(f"icmp slt i64 {start}, {end}"))
            middle = code.op(f"lshr i64 {code.op(f'add i64 {start}, {end}')}, 1")
            other = b.cast(flow.read(sequence, *row, middle), kind)
            up = b.logical_not(_before(flow, value, other)) if right else _before(flow, other, value)
            above = code.op(f"add i64 {middle}, 1")
            low.set(code.op(f"select i1 {up.reg}, i64 {above}, i64 {start}"))
            high.set(code.op(f"select i1 {up.reg}, i64 {end}, i64 {middle}"))
        return Scalar(low.get(), "i64")

    if not sizes:
        flow.touch(sequence)
        ctx.define(node.outputs[0], find([], b.cast(ctx.scalar(node.inputs[1]), kind)))
        return
    out = ctx.allocate("i64", sizes, node.outputs[0])
    flow.touch(sequence, values, out)
    with flow.loops(sizes) as index:
        flow.write(out, find(index[: len(lead)], b.cast(flow.read(values, *index), kind)), *index)
    flow.touch(sequence, values, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("segment_reduce")
def segment_reduce(ctx: FunctionLowering, node: Node) -> None:
    """Rows with equal numbers reduced together."""
    flow, b, code = Flow(ctx, one_by_one=True), ctx.ops, ctx.code
    x, ids, *count = node.inputs
    how, t = node.attrs["how"], ctx.type(node.outputs[0])
    kind = code_of(t.dtype)
    (size,) = sizes_of(ctx, node.attrs["shape"], count)
    info = np.finfo(t.dtype.dtype) if is_float(kind) else np.iinfo(t.dtype.dtype) if kind[0] in "iu" else None
    if info is None and how in ("max", "min"):
        raise Unsupported([("of truth values", None)])
    first = {"sum": 0, "prod": 1, "max": info and info.min, "min": info and info.max}[how]
    combine = {"sum": b.add, "prod": b.multiply, "max": b.maximum, "min": b.minimum}[how]
    where = ctx.contiguous(ids) if ctx.sizes(ids) else None
    have, depth = ctx.sizes(x), len(ctx.sizes(ids))
    rows = ctx.contiguous(x)
    total = code.product(have[:depth])
    if where is None or rows.code != kind:
        raise Unsupported([("one number for all", None)])
    for n, m in zip(have, where.sizes, strict=False):
        if n != m:
            if isinstance(n, int) and isinstance(m, int):
                raise Unsupported([("numbers of other rows", None)])
            code.require(code.op(f"icmp eq i64 {n}, {m}"), ctx.failure)
    if not isinstance(size, int):
        code.require(code.op(f"icmp sge i64 {size}, 0"), ctx.failure)
    width = have[depth:]
    flat = Array(where.ptr, where.code, (total,), (1,), where.buffers, where.offset)
    table = Array(rows.ptr, kind, (total, *width), code.strides((total, *width)), rows.buffers, rows.offset)
    out = ctx.allocate(kind, (size, *width), node.outputs[0])
    ctx.fill(out, Const(constant(first, TensorType(t.dtype))))
    flow.touch(where, rows, out)
    with flow.loop(total) as i:
        mine = b.cast(flow.read(flat, i), "i64").reg
        code.require(code.op(f"icmp slt i64 {mine}, {size}"), ctx.failure)
        with flow.when(code.op(f"icmp sge i64 {mine}, 0")):
            target = _slice(ctx, out, mine)
            _step(flow, target, Map(combine, kind, (_elements(target), _elements(_slice(ctx, table, i))), 1))
    flow.touch(where, rows, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("nonzero")
def nonzero(ctx: FunctionLowering, node: Node) -> None:
    """The places where x is true, a row for each."""
    x = node.inputs[0]
    if not ctx.sizes(x):
        raise Unsupported([("of a scalar", None)])
    found, count = places_of(ctx, x)
    rank = len(ctx.sizes(x))
    sizes = (count, rank)
    ctx.define(node.outputs[0], ctx.dense(Array(found.ptr, "i64", sizes, (rank, 1), found.buffers)))


def places_of(ctx: FunctionLowering, x: Value) -> tuple[Array, Operand]:
    """A table of the places where a value is true, as long as all places, and how many rows of it there are."""
    flow, b, code = Flow(ctx, one_by_one=True), ctx.ops, ctx.code
    array = ctx.array(x)
    rank = len(array.sizes)
    total = code.product(array.sizes)
    out = ctx.allocate("i64", (total, rank))
    count = flow.variable("i64", 0)
    flow.touch(array, out)
    with flow.loops(array.sizes) as index:
        row = count.get()  # written in any case: the next one overwrites it
        for axis, i in enumerate(index):
            flow.write(out, Scalar(i, "i64"), row, axis)
        true = b.cast(flow.read(array, *index), "b1")
        count.add(code.op(f"zext i1 {true.reg} to i64"))
    flow.touch(array, out)
    return out, count.get()


@rule("unique_first")
def unique_first(ctx: FunctionLowering, node: Node) -> None:
    """The distinct elements as they first appear, which of them each is, and how often."""
    flow, code = Flow(ctx, one_by_one=True), ctx.code
    x = ctx.array(node.inputs[0])
    if len(x.sizes) != 1:
        raise Unsupported([("of more axes than one", None)])
    n = x.sizes[0]
    order = sorted_row(ctx, x)
    # group of each element, in order of size; of each group: its first element and how many
    group, firsts, many, numbers = (ctx.allocate("i64", (n,)) for _ in range(4))
    values, counts = ctx.allocate(x.code, (n,)), ctx.allocate("i64", (n,))
    where = ctx.allocate("i64", (n,), node.outputs[1])
    flow.touch(x, order, group, firsts, many, numbers, values, counts, where)
    groups = flow.variable("i64", -1)
    with flow.loop(n) as i:
        at = flow.read(order, i).reg
        mine = flow.read(x, at)
        new = flow.variable("b1", "true")
        with flow.when(code.op(f"icmp sgt i64 {i}, 0")):
            before = flow.read(x, flow.read(order, code.op(f"sub nsw i64 {i}, 1")).reg)
            new.set(_before(flow, before, mine).reg)
        with flow.when(new.get()):
            groups.add(1)
            flow.write(firsts, Scalar(at, "i64"), groups.get())
            flow.write(many, Scalar("0", "i64"), groups.get())
        flow.write(group, Scalar(groups.get(), "i64"), at)
        more = code.op(f"add i64 {flow.read(many, groups.get()).reg}, 1")
        flow.write(many, Scalar(more, "i64"), groups.get())
    count = flow.variable("i64", 0)
    with flow.loop(n) as i:
        own = flow.read(group, i).reg
        with flow.when(code.op(f"icmp eq i64 {flow.read(firsts, own).reg}, {i}")):
            at = count.get()
            flow.write(numbers, Scalar(at, "i64"), own)
            flow.write(values, flow.read(x, i), at)
            flow.write(counts, flow.read(many, own), at)
            count.add(1)
        flow.write(where, flow.read(numbers, own), i)
    flow.touch(x, order, group, firsts, many, numbers, values, counts, where)
    made = count.get()
    for value, array in ((node.outputs[0], values), (node.outputs[2], counts)):
        ctx.define(value, ctx.dense(Array(array.ptr, array.code, (made,), (1,), array.buffers)))
    ctx.define(node.outputs[1], ctx.dense(where))


@rule("first_places")
def first_places(ctx: FunctionLowering, node: Node) -> None:
    """Where each number first appears."""
    flow, code = Flow(ctx, one_by_one=True), ctx.code
    where = ctx.array(node.inputs[0])
    n = where.sizes[0]
    out = ctx.allocate("i64", ctx.sizes(node.inputs[1]), node.outputs[0])
    flow.touch(where, out)
    with flow.loop(n) as i:
        at = code.op(f"sub i64 {code.sub(n, 1)}, {i}")
        number = ctx.ops.cast(flow.read(where, at), "i64").reg
        code.require(code.op(f"icmp ult i64 {number}, {out.sizes[0]}"), ctx.failure)
        flow.write(out, Scalar(at, "i64"), number)
    flow.touch(where, out)
    ctx.define(node.outputs[0], ctx.dense(out))


