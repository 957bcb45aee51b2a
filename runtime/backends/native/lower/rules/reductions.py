"""Reductions, and what is made of them: means, softmax, cross entropies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.exprs import Affine, Const, Deferred, Expr, Gather, IndexMap, Map, identity
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, is_float
from runtime.ir.graph import Node, Value
from runtime.ops.kinds import normalize_axes

__all__: list[str] = []

_KINDS = {
    "reduce_sum": "sum",
    "reduce_prod": "prod",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_any": "any",
    "reduce_all": "all",
    "arg_max": "argmax",
    "arg_min": "argmin",
}


def reduced_sizes(sizes: tuple[Operand, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[Operand, ...]:
    """The shape after a reduction."""
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(sizes))
    return tuple(n for i, n in enumerate(sizes) if i not in axes)


def hidden(
    ctx: FunctionLowering,
    expr: Expr,
    code: str,
    sizes: tuple[Operand, ...],
    of: list[Deferred],
    reduce: Any = None,
    cost: int = 0,
) -> Deferred:
    """An intermediate array that no value of the graph stands for."""
    d = Deferred(expr, code, sizes, reduce)
    ctx.refer(d, of, cost)
    return d


def reduction(
    ctx: FunctionLowering, kind: str, source: Deferred, axes: tuple[int, ...], keepdims: bool, code: str
) -> Deferred:
    """An intermediate reduction of a deferred array."""
    shape = reduced_sizes(source.sizes, axes, keepdims)
    return hidden(ctx, source.as_expr(), code, shape, [source], (kind, source.sizes, axes, keepdims))


def kept(rank: int, axes: tuple[int, ...]) -> IndexMap:
    """How a reduction with keepdims is looked at over the index of what was reduced."""
    return tuple((0, None, 0) if i in axes else (0, i, 1) for i in range(rank))


def _axes(node: Node, rank: int) -> tuple[int, ...]:
    return tuple(sorted(normalize_axes(node.attrs["axis"], rank)))


def _not_empty(ctx: FunctionLowering, sizes: tuple[Operand, ...], axes: tuple[int, ...]) -> None:
    count = ctx.code.product(tuple(sizes[a] for a in axes))
    if count == 0:
        raise Unsupported([("nothing to choose from", None)])
    if not isinstance(count, int):
        ctx.code.require(ctx.code.op(f"icmp sgt i64 {count}, 0"), ctx.failure)


@rule(*_KINDS, fused=True)
def reduce(ctx: FunctionLowering, node: Node) -> None:
    """One value for each index of the axes that are kept."""
    (x,) = node.inputs
    kind = _KINDS[node.op.name]
    out = node.outputs[0]
    sizes = ctx.sizes(x)
    keepdims = bool(node.attrs.get("keepdims", False))
    axes = _axes(node, len(sizes))
    if kind in ("max", "min", "argmax", "argmin"):
        _not_empty(ctx, sizes, axes)
    code = code_of(ctx.type(out).dtype)
    if not sizes or not axes:
        if kind.startswith("arg"):
            raise Unsupported([("of a scalar", None)])
        ctx.elementwise(node, lambda v: ctx.ops.cast(v, code), 1)
        return
    if kind.startswith("arg") and _is_long(ctx, ctx.env[x], axes):
        _first_extreme(ctx, node, kind, axes, keepdims)
        return
    expr = ctx.expr(x)
    if kind.startswith("arg") and axes != (len(sizes) - 1,) and len(axes) != len(sizes):
        order = [i for i in range(len(sizes)) if i not in axes] + list(axes)
        turned: IndexMap = tuple((0, order.index(i), 1) for i in range(len(sizes)))
        rep = ctx.env[x]
        assert isinstance(rep, Deferred)
        expr = rep.as_expr(turned)
        sizes = tuple(sizes[i] for i in order)
        axes = (len(sizes) - 1,)
    ctx.defer(out, expr, reduced_sizes(sizes, axes, keepdims), [x], 0, (kind, sizes, axes, keepdims))


def _is_long(ctx: FunctionLowering, source: Deferred, axes: tuple[int, ...]) -> bool:
    """Whether two passes that LLVM makes vectors of beat one that it does not."""
    count = ctx.code.product(tuple(source.sizes[a] for a in axes))
    return source.code != "b1" and not (isinstance(count, int) and count < 32)


def _first_extreme(
    ctx: FunctionLowering, node: Node, kind: str, axes: tuple[int, ...], keepdims: bool
) -> None:
    """The extremum first, then the smallest index of what equals it; NaN is more than everything, and less."""
    source, b = ctx.env[node.inputs[0]], ctx.ops
    rank = len(source.sizes)
    best = reduction(ctx, kind.removeprefix("arg"), source, axes, True, source.code)
    steps = iter(ctx.code.strides(tuple(source.sizes[a] for a in axes)))
    place = Affine(0, tuple(next(steps) if i in axes else 0 for i in range(rank)))
    count = ctx.code.product(tuple(source.sizes[a] for a in axes))
    word = "i32" if isinstance(count, int) and count < 2**31 else "i64"
    beyond = Scalar(2 ** (31 if word == "i32" else 63) - 1, word)

    def fn(x: Scalar, m: Scalar, i: Scalar) -> Scalar:
        found = b.equal(x, m)
        if is_float(x.code):
            found = b.logical_or(found, b.logical_and(b.isnan(x), b.isnan(m)))
        return b.select(found, b.cast(i, word), beyond)

    where = Map(fn, word, (source.as_expr(), best.as_expr(kept(rank, axes)), place), 3)
    found = hidden(ctx, where, word, source.sizes, [source, best], cost=3)
    first = reduction(ctx, "min", found, axes, True, word)
    left = [i for i in range(rank) if keepdims or i not in axes]
    shown: IndexMap = tuple((0, None, 0) if i in axes else (0, left.index(i), 1) for i in range(rank))
    made = Map(lambda i: b.cast(i, "i64"), "i64", (first.as_expr(shown),), 1)
    d = ctx.defer(node.outputs[0], made, reduced_sizes(source.sizes, axes, keepdims), (), 1)
    ctx.refer(d, [first])


@rule("count_along", fused=True)
def count_along(ctx: FunctionLowering, node: Node) -> None:
    """How many elements a reduction takes together."""
    sizes = ctx.sizes(node.inputs[0])
    axes = _axes(node, len(sizes))
    target = code_of(ctx.type(node.outputs[0]).dtype)
    count = ctx.code.product(tuple(sizes[a] for a in axes))
    ctx.define(node.outputs[0], ctx.ops.cast(Scalar(count, "i64"), target))


@rule("reduce_mean", fused=True)
def reduce_mean(ctx: FunctionLowering, node: Node) -> None:
    """Sum divided by count."""
    (x,) = node.inputs
    sizes = ctx.sizes(x)
    axes = _axes(node, len(sizes))
    code = code_of(ctx.type(node.outputs[0]).dtype)
    if not sizes:
        ctx.elementwise(node, lambda v: ctx.ops.cast(v, code), 1)
        return
    source = ctx.env[x]
    keepdims = bool(node.attrs["keepdims"])
    total = reduction(ctx, "sum", source, axes, keepdims, code)
    count = ctx.ops.cast(Scalar(ctx.code.product(tuple(sizes[a] for a in axes)), "i64"), code)
    if not total.sizes:
        ctx.materialize(total)
        assert total.scalar is not None
        ctx.define(node.outputs[0], ctx.ops.divide(total.scalar, count))
        return
    mean = Map(lambda s: ctx.ops.divide(s, count), code, (total.as_expr(),), 4)
    d = ctx.defer(node.outputs[0], mean, total.sizes, (), 4)
    ctx.refer(d, [total])


@rule("sum_to_like", fused=True)
def sum_to_like(ctx: FunctionLowering, node: Node) -> None:
    """Sum over what broadcasting made."""
    dy, x = node.inputs
    have, want = ctx.sizes(dy), ctx.sizes(x)
    lead = len(have) - len(want)
    axes = tuple(range(lead))
    for i, size in enumerate(want):
        if size == have[lead + i]:
            continue
        if size == 1:
            axes = (*axes, lead + i)
        elif isinstance(size, int) and isinstance(have[lead + i], int):
            raise Unsupported([("shapes that do not fit", None)])
        else:  # sizes that only the run knows, and which have to be equal here
            ctx.code.require(ctx.code.op(f"icmp eq i64 {size}, {have[lead + i]}"), ctx.failure)
    if not axes:
        ctx.define(node.outputs[0], ctx.env[dy])
        return
    code = code_of(ctx.type(node.outputs[0]).dtype)
    if not have:
        ctx.define(node.outputs[0], ctx.scalar(dy))
        return
    own = tuple(i for i in axes if i >= lead)
    if lead and own:
        first = reduction(ctx, "sum", ctx.env[dy], axes, True, code)
        strip: IndexMap = tuple((0, None, 0) if i < lead else (0, i - lead, 1) for i in range(len(have)))
        d = ctx.defer(node.outputs[0], first.as_expr(strip), want, ())
        ctx.refer(d, [first])
        return
    ctx.defer(
        node.outputs[0],
        ctx.expr(dy),
        reduced_sizes(have, axes, not lead),
        [dy],
        0,
        ("sum", have, axes, not lead),
    )


def _floating(ctx: FunctionLowering, value: Value) -> tuple[Deferred, str, int]:
    source = ctx.env[value]
    if not isinstance(source, Deferred) or not source.sizes:
        raise Unsupported([("of a scalar", None)])
    return source, source.code, len(source.sizes)


def _exponentials(
    ctx: FunctionLowering, source: Deferred, axes: tuple[int, ...]
) -> tuple[Deferred, Deferred, Deferred]:
    """Largest, exp(x - largest) and its sum, along axes."""
    b, code, rank = ctx.ops, source.code, len(source.sizes)
    _not_empty(ctx, source.sizes, axes)
    over = kept(rank, axes)
    largest = reduction(ctx, "max", source, axes, True, code)
    power = Map(lambda x, m: b.exp(b.subtract(x, m)), code, (source.as_expr(), largest.as_expr(over)), 18)
    powers = hidden(ctx, power, code, source.sizes, [source, largest], cost=18)
    return largest, powers, reduction(ctx, "sum", powers, axes, True, code)


@rule("softmax", fused=True)
def softmax(ctx: FunctionLowering, node: Node) -> None:
    """exp(x) / sum(exp(x)) along an axis."""
    source, code, rank = _floating(ctx, node.inputs[0])
    axes = _axes(node, rank)
    _, powers, total = _exponentials(ctx, source, axes)
    parts = powers.as_expr(), total.as_expr(kept(rank, axes))
    d = ctx.defer(node.outputs[0], Map(ctx.ops.divide, code, parts, 4), source.sizes, (), 4)
    ctx.refer(d, [powers, total])


@rule("softmax_grad", fused=True)
def softmax_grad(ctx: FunctionLowering, node: Node) -> None:
    """y * (dy - sum(y * dy))"""
    dy, y = node.inputs
    b = ctx.ops
    source, code, rank = _floating(ctx, y)
    axes = _axes(node, rank)
    weighted = hidden(
        ctx,
        Map(b.multiply, code, (ctx.expr(y), ctx.expr(dy)), 1),
        code,
        source.sizes,
        [source, ctx.env[dy]],
        cost=1,
    )
    total = reduction(ctx, "sum", weighted, axes, True, code)
    fn = lambda p, g, t: b.multiply(p, b.subtract(g, t))
    d = ctx.defer(
        node.outputs[0],
        Map(fn, code, (ctx.expr(y), ctx.expr(dy), total.as_expr(kept(rank, axes))), 2),
        source.sizes,
        (y, dy),
        2,
    )
    ctx.refer(d, [total])


@rule("log_softmax", fused=True)
def log_softmax(ctx: FunctionLowering, node: Node) -> None:
    """x - largest - log(sum(exp(x - largest)))"""
    source, code, rank = _floating(ctx, node.inputs[0])
    b, axes = ctx.ops, _axes(node, rank)
    largest, _, total = _exponentials(ctx, source, axes)
    logs = hidden(ctx, Map(b.log, code, (total.as_expr(),), 16), code, total.sizes, [total], cost=16)
    over = kept(rank, axes)
    fn = lambda x, m, s: b.subtract(b.subtract(x, m), s)
    d = ctx.defer(
        node.outputs[0],
        Map(fn, code, (source.as_expr(), largest.as_expr(over), logs.as_expr(over)), 2),
        source.sizes,
        node.inputs,
        2,
    )
    ctx.refer(d, [largest, logs])


def _one_for_each_row(ctx: FunctionLowering, v: Value, source: Deferred) -> None:
    """Leave native code where a value has another number of elements than there are rows; types compare known sizes."""
    for a, c in zip(ctx.sizes(v), source.sizes, strict=False):
        if a != c and not (isinstance(a, int) and isinstance(c, int)):
            ctx.code.require(ctx.code.op(f"icmp eq i64 {a}, {c}"), ctx.failure)


@rule("sparse_softmax_cross_entropy", fused=True)
def sparse_softmax_cross_entropy(ctx: FunctionLowering, node: Node) -> None:
    """(loss of each row, probabilities) from logits and integer labels."""
    logits, labels = node.inputs
    source, code, rank = _floating(ctx, logits)
    b, axes = ctx.ops, (rank - 1,)
    largest, powers, total = _exponentials(ctx, source, axes)
    over = kept(rank, axes)
    odds = Map(b.divide, code, (powers.as_expr(), total.as_expr(over)), 4)
    p = ctx.defer(node.outputs[1], odds, source.sizes, (), 4)
    ctx.refer(p, [powers, total])
    at = checked_indices(ctx, labels, source.sizes[-1], wrap=False)
    memory = ctx.array(logits)
    rows = source.sizes[:-1]
    _one_for_each_row(ctx, labels, source)
    own = Gather(
        memory.ptr, code, memory.offset, memory.strides[:-1], ((at, memory.strides[-1]),), memory.buffers
    )
    flat: IndexMap = (*identity(rank - 1), (0, None, 0))
    fn = lambda s, m, x: b.add(b.subtract(m, x), b.log(s))
    loss = Map(fn, code, (total.as_expr(flat), largest.as_expr(flat), own), 18)
    d = ctx.defer(node.outputs[0], loss, rows, [labels], 18)
    ctx.refer(d, [total, largest])


@rule("sparse_softmax_cross_entropy_grad", fused=True)
def sparse_softmax_cross_entropy_grad(ctx: FunctionLowering, node: Node) -> None:
    """(probabilities - one at the label) * cotangent of the row's loss"""
    dy, odds, labels = node.inputs
    source, code, rank = _floating(ctx, odds)
    b = ctx.ops
    place = Affine(0, (0,) * (rank - 1) + (1,))
    rows: IndexMap = identity(rank - 1)
    one = lambda p, i, g, k: b.multiply(
        b.select(b.equal(i, b.cast(k, "i64")), b.subtract(p, b.const(1, p)), p), g
    )
    sizes = source.sizes
    for v in (dy, labels):
        _one_for_each_row(ctx, v, source)
    parts = (source.as_expr(), place, ctx.viewed(dy, rows), ctx.viewed(labels, rows))
    ctx.defer(node.outputs[0], Map(one, code, parts, 3), sizes, node.inputs, 3)


@rule("softmax_cross_entropy", fused=True)
def softmax_cross_entropy(ctx: FunctionLowering, node: Node) -> None:
    """(loss of each row, probabilities) from logits and probabilities wanted."""
    logits, labels = node.inputs
    source, code, rank = _floating(ctx, logits)
    b, axes = ctx.ops, (rank - 1,)
    if ctx.sizes(labels) != source.sizes:
        raise Unsupported([("labels of another shape", None)])
    largest, powers, total = _exponentials(ctx, source, axes)
    over = kept(rank, axes)
    p = ctx.defer(
        node.outputs[1], Map(b.divide, code, (powers.as_expr(), total.as_expr(over)), 4), source.sizes, (), 4
    )
    ctx.refer(p, [powers, total])
    logs = hidden(
        ctx,
        Map(lambda s, m: b.add(b.log(s), m), code, (total.as_expr(), largest.as_expr()), 17),
        code,
        total.sizes,
        [total, largest],
        cost=17,
    )
    want = ctx.env[labels]
    terms = Map(
        lambda x, w, s: b.multiply(w, b.subtract(s, x)),
        code,
        (source.as_expr(), want.as_expr(), logs.as_expr(over)),
        2,
    )
    each = hidden(ctx, terms, code, source.sizes, [source, want, logs], cost=2)
    total_loss = reduction(ctx, "sum", each, axes, False, code)
    if not total_loss.sizes:
        ctx.materialize(total_loss)
        assert total_loss.scalar is not None
        ctx.define(node.outputs[0], total_loss.scalar)
        return
    d = ctx.defer(node.outputs[0], total_loss.as_expr(), source.sizes[:-1], ())
    ctx.refer(d, [total_loss])


def checked_indices(ctx: FunctionLowering, value: Value, size: Operand, wrap: bool = True) -> Expr:
    """The integers of a value as indices of an axis; negative ones count from the end; others leave native code."""
    b = ctx.ops
    rep = ctx.env[value]
    if isinstance(rep, Scalar):
        i = b.cast(rep, "i64")
        return Const(Scalar(place_of(ctx, i.reg, size, wrap), "i64"))
    if _are_places(ctx, value, size):
        return Map(lambda x: b.cast(x, "i64"), "i64", (ctx.expr(value),), 1)
    ctx.array(value)
    wide = Map(lambda x: b.cast(x, "i64"), "i64", (ctx.expr(value),), 1)
    return checked(ctx, wide, ctx.sizes(value), [rep], size, wrap)


_SOME_OF = ("reshape", "transpose", "index")  # operations that give elements of their first operand
_ORDERS = {"top_order": -1, "sort_order": None, "arg_max": None, "arg_min": None}  # and the axis that they order


def _are_places(ctx: FunctionLowering, value: Value, size: Operand) -> bool:
    """Whether the integers of a value, by the operation that made them, are indices from the start of an axis."""
    node = value.node
    while node is not None and (node.op.name in _SOME_OF or node.op.name == "cast"):
        t = ctx.type(node.outputs[0]).dtype
        if t.kind not in "iu" or not isinstance(size, int) or size > 1 << (8 * t.size - 1):
            return False
        node = node.inputs[0].node
    if node is None:
        return False
    if node.op.name == "constant":
        numbers = np.asarray(node.attrs["value"])
        least, most = (int(numbers.min()), int(numbers.max())) if numbers.size and numbers.dtype.kind in "iu" else (-1, 0)
        return isinstance(size, int) and least >= 0 and most < size
    if node.op.name not in _ORDERS:
        return False
    axis, of = _ORDERS[node.op.name], ctx.env.get(node.inputs[0])
    axis = node.attrs["axis"] if axis is None else axis
    return isinstance(of, Deferred) and isinstance(axis, int) and of.sizes[axis] == size


def checked(
    ctx: FunctionLowering, wide: Expr, sizes: tuple[Operand, ...], of: list[Deferred], size: Operand, wrap: bool = True
) -> Expr:
    """An expression of indices, likewise."""
    b = ctx.ops
    low = hidden(ctx, wide, "i64", (), of, ("min", sizes, tuple(range(len(sizes))), False))
    high = hidden(ctx, wide, "i64", (), of, ("max", sizes, tuple(range(len(sizes))), False))
    ctx.pending.append(high)
    ctx.materialize(low)
    ctx.materialize(high)
    assert low.scalar
    assert high.scalar
    count = ctx.code.product(sizes)
    none = (
        ctx.code.op(f"icmp eq i64 {count}, 0")
        if not isinstance(count, int)
        else ("false" if count else "true")
    )
    above = ctx.code.op(f"icmp sge i64 {low.scalar.reg}, {ctx.code.sub(0, size) if wrap else 0}")
    below = ctx.code.op(f"icmp slt i64 {high.scalar.reg}, {size}")
    fine = ctx.code.op(f"and i1 {above}, {below}")
    ctx.code.require(ctx.code.op(f"or i1 {fine}, {none}"), ctx.failure)
    if not wrap:
        return wide
    n, zero = Scalar(size, "i64"), Scalar(0, "i64")
    return Map(lambda i: b.select(b.less(i, zero), b.add(i, n), i), "i64", (wide,), 2)


MOST_ELEMENTS = 2**56
"""Of an axis: more than there are addresses."""


def wrapped(code: Code, i: Operand, size: Operand) -> Operand:
    """An index of an axis, counted from its beginning where it is negative."""
    known = code.range_of(i)
    if known is not None and known[0] >= 0:
        return i
    negative = code.op(f"icmp slt i64 {i}, 0")
    return code.op(f"select i1 {negative}, i64 {code.add(i, size)}, i64 {i}")


class Proved(NamedTuple):
    """What is known of an index of an axis.

    place   where it points, if that is said
    below   it is below the size, but may count from the end
    unless  a truth without which nothing is known
    whole   a truth with which it is below the size and does not count from the end
    """

    place: Operand | None
    below: bool = False
    unless: str = ""
    whole: str = ""


def place_of(ctx: FunctionLowering, i: Operand, size: Operand, wrap: bool = True, known_as: Proved | None = None) -> Operand:
    """A scalar index of an axis, checked."""
    code = ctx.code
    whole = known_as.whole if known_as is not None else ""
    if known_as is not None and not known_as.below and not known_as.unless and not whole:
        return i if known_as.place is None else known_as.place
    if isinstance(i, str) and i.lstrip("-").isdigit():
        i = int(i)
    if isinstance(i, int) and isinstance(size, int):
        if not -size <= i < size:
            raise Unsupported([("an index out of range", None)])
        return i % size
    known, given = code.range_of(i), i
    if wrap:
        i = wrapped(code, i, size)
        if whole and i is not given:
            i = code.op(f"select i1 {whole}, i64 {given}, i64 {i}")
        known = known if i is given else None
    if known is not None and known[0] >= 0 and isinstance(size, int) and known[1] < size:
        return i
    # As signed numbers, where it cannot be negative: so LLVM sees what a loop's test has said of it.
    less = "slt" if known is not None and known[0] >= 0 else "ult"
    if known_as is not None and known_as.below and not known_as.unless:
        fine = code.op(f"icmp sge i64 {i}, 0")
    else:
        fine = code.op(f"icmp {less} i64 {i}, {size}")
        if known_as is not None and known_as.unless:
            fine = code.op(f"or i1 {known_as.unless}, {fine}")
    if whole:
        fine = code.op(f"or i1 {whole}, {fine}")
    code.require(fine, ctx.failure)
    most = size - 1 if isinstance(size, int) else MOST_ELEMENTS
    code.narrow(given, 0 if given is i else -most - 1, most)
    code.narrow(i, 0, most)
    return i
