"""Reductions, and what is made of them: means, softmax, cross entropies."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Affine, Const, Deferred, Expr, Gather, IndexMap, Map, identity
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, literal
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
    l: FunctionLowering, expr: Expr, code: str, sizes: tuple[Operand, ...], of: list[Deferred], reduce: Any = None, cost: int = 0
) -> Deferred:
    """An intermediate array that no value of the graph stands for."""
    d = Deferred(expr, code, sizes, reduce)
    d.left = 1
    of = [c for c in of if isinstance(c, Deferred) and c.sizes]
    l.children[d] = of
    for child in of:
        child.left += 1
    d.weight = cost + sum(0 if c.done else c.weight for c in of)
    return d


def reduction(l: FunctionLowering, kind: str, source: Deferred, axes: tuple[int, ...], keepdims: bool, code: str) -> Deferred:
    """An intermediate reduction of a deferred array."""
    shape = reduced_sizes(source.sizes, axes, keepdims)
    return hidden(l, source.as_expr(), code, shape, [source], (kind, source.sizes, axes, keepdims))


def kept(rank: int, axes: tuple[int, ...]) -> IndexMap:
    """How a reduction with keepdims is looked at over the index of what was reduced."""
    return tuple((0, None, 0) if i in axes else (0, i, 1) for i in range(rank))


def _axes(node: Node, rank: int) -> tuple[int, ...]:
    return tuple(sorted(normalize_axes(node.attrs["axis"], rank)))


def _not_empty(l: FunctionLowering, sizes: tuple[Operand, ...], axes: tuple[int, ...]) -> None:
    count = l.code.product(tuple(sizes[a] for a in axes))
    if count == 0:
        raise Unsupported([("nothing to choose from", None)])
    if not isinstance(count, int):
        l.code.require(l.code.op(f"icmp sgt i64 {count}, 0"), l.failure)


@rule(*_KINDS, fused=True)
def reduce(l: FunctionLowering, node: Node) -> None:
    """One value for each index of the axes that are kept."""
    (x,) = node.inputs
    kind = _KINDS[node.op.name]
    out = node.outputs[0]
    sizes = l.sizes(x)
    keepdims = bool(node.attrs.get("keepdims", False))
    axes = _axes(node, len(sizes))
    if kind in ("max", "min", "argmax", "argmin"):
        _not_empty(l, sizes, axes)
    code = code_of(l.type(out).dtype)
    if not sizes or not axes:
        if kind.startswith("arg"):
            raise Unsupported([("of a scalar", None)])
        l.elementwise(node, lambda v: l.ops.cast(v, code), 1)
        return
    expr = l.expr(x)
    if kind.startswith("arg") and axes != (len(sizes) - 1,) and len(axes) != len(sizes):
        order = [i for i in range(len(sizes)) if i not in axes] + list(axes)
        turned: IndexMap = tuple((0, order.index(i), 1) for i in range(len(sizes)))
        rep = l.env[x]
        assert isinstance(rep, Deferred)
        expr = rep.as_expr(turned)
        sizes = tuple(sizes[i] for i in order)
        axes = (len(sizes) - 1,)
    l.defer(out, expr, reduced_sizes(sizes, axes, keepdims), [x], 0, (kind, sizes, axes, keepdims))


@rule("count_along", fused=True)
def count_along(l: FunctionLowering, node: Node) -> None:
    """How many elements a reduction takes together."""
    sizes = l.sizes(node.inputs[0])
    axes = _axes(node, len(sizes))
    target = code_of(l.type(node.outputs[0]).dtype)
    count = l.code.product(tuple(sizes[a] for a in axes))
    l.set(node.outputs[0], l.ops.cast(Scalar(count, "i64"), target))


@rule("reduce_mean", fused=True)
def reduce_mean(l: FunctionLowering, node: Node) -> None:
    """Sum divided by count."""
    (x,) = node.inputs
    sizes = l.sizes(x)
    axes = _axes(node, len(sizes))
    code = code_of(l.type(node.outputs[0]).dtype)
    if not sizes:
        l.elementwise(node, lambda v: l.ops.cast(v, code), 1)
        return
    source = l.env[x]
    keepdims = bool(node.attrs["keepdims"])
    total = reduction(l, "sum", source, axes, keepdims, code)
    count = l.ops.cast(Scalar(l.code.product(tuple(sizes[a] for a in axes)), "i64"), code)
    if not total.sizes:
        l.materialize(total)
        assert total.scalar is not None
        l.set(node.outputs[0], l.ops.divide(total.scalar, count))
        return
    mean = Map(lambda s: l.ops.divide(s, count), code, (total.as_expr(),), 4)
    d = l.defer(node.outputs[0], mean, total.sizes, (), 4)
    l.children[d].append(total)


@rule("sum_to_like", fused=True)
def sum_to_like(l: FunctionLowering, node: Node) -> None:
    """Sum over what broadcasting made."""
    dy, x = node.inputs
    have, want = l.sizes(dy), l.sizes(x)
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
            l.code.require(l.code.op(f"icmp eq i64 {size}, {have[lead + i]}"), l.failure)
    if not axes:
        l.set(node.outputs[0], l.env[dy])
        return
    code = code_of(l.type(node.outputs[0]).dtype)
    if not have:
        l.set(node.outputs[0], l.scalar(dy))
        return
    own = tuple(i for i in axes if i >= lead)
    if lead and own:
        first = reduction(l, "sum", l.env[dy], axes, True, code)
        strip: IndexMap = tuple((0, None, 0) if i < lead else (0, i - lead, 1) for i in range(len(have)))
        d = l.defer(node.outputs[0], first.as_expr(strip), want, ())
        l.children[d].append(first)
        return
    l.defer(node.outputs[0], l.expr(dy), reduced_sizes(have, axes, not lead), [dy], 0, ("sum", have, axes, not lead))


def _floating(l: FunctionLowering, value: Value) -> tuple[Deferred, str, int]:
    source = l.env[value]
    if not isinstance(source, Deferred) or not source.sizes:
        raise Unsupported([("of a scalar", None)])
    return source, source.code, len(source.sizes)


def _exponentials(l: FunctionLowering, source: Deferred, axes: tuple[int, ...]) -> tuple[Deferred, Deferred, Deferred]:
    """Largest, exp(x - largest) and its sum, along axes."""
    b, code, rank = l.ops, source.code, len(source.sizes)
    _not_empty(l, source.sizes, axes)
    over = kept(rank, axes)
    largest = reduction(l, "max", source, axes, True, code)
    power = Map(lambda x, m: b.exp(b.subtract(x, m)), code, (source.as_expr(), largest.as_expr(over)), 18)
    powers = hidden(l, power, code, source.sizes, [source, largest], cost=18)
    return largest, powers, reduction(l, "sum", powers, axes, True, code)


@rule("softmax", fused=True)
def softmax(l: FunctionLowering, node: Node) -> None:
    """exp(x) / sum(exp(x)) along an axis."""
    source, code, rank = _floating(l, node.inputs[0])
    axes = _axes(node, rank)
    _, powers, total = _exponentials(l, source, axes)
    parts = powers.as_expr(), total.as_expr(kept(rank, axes))
    d = l.defer(node.outputs[0], Map(l.ops.divide, code, parts, 4), source.sizes, (), 4)
    l.children[d] += [powers, total]


@rule("softmax_grad", fused=True)
def softmax_grad(l: FunctionLowering, node: Node) -> None:
    """y * (dy - sum(y * dy))"""
    dy, y = node.inputs
    b = l.ops
    source, code, rank = _floating(l, y)
    axes = _axes(node, rank)
    weighted = hidden(l, Map(b.multiply, code, (l.expr(y), l.expr(dy)), 1), code, source.sizes, [source, l.env[dy]], cost=1)
    total = reduction(l, "sum", weighted, axes, True, code)
    fn = lambda p, g, t: b.multiply(p, b.subtract(g, t))  # noqa: E731
    d = l.defer(
        node.outputs[0], Map(fn, code, (l.expr(y), l.expr(dy), total.as_expr(kept(rank, axes))), 2), source.sizes, (y, dy), 2
    )
    l.children[d].append(total)


@rule("log_softmax", fused=True)
def log_softmax(l: FunctionLowering, node: Node) -> None:
    """x - largest - log(sum(exp(x - largest)))"""
    source, code, rank = _floating(l, node.inputs[0])
    b, axes = l.ops, _axes(node, rank)
    largest, _, total = _exponentials(l, source, axes)
    logs = hidden(l, Map(b.log, code, (total.as_expr(),), 16), code, total.sizes, [total], cost=16)
    over = kept(rank, axes)
    fn = lambda x, m, s: b.subtract(b.subtract(x, m), s)  # noqa: E731
    d = l.defer(
        node.outputs[0],
        Map(fn, code, (source.as_expr(), largest.as_expr(over), logs.as_expr(over)), 2),
        source.sizes,
        node.inputs,
        2,
    )
    l.children[d] += [largest, logs]


@rule("sparse_softmax_cross_entropy", fused=True)
def sparse_softmax_cross_entropy(l: FunctionLowering, node: Node) -> None:
    """(loss of each row, probabilities) from logits and integer labels."""
    logits, labels = node.inputs
    source, code, rank = _floating(l, logits)
    b, axes = l.ops, (rank - 1,)
    largest, powers, total = _exponentials(l, source, axes)
    over = kept(rank, axes)
    odds = Map(b.divide, code, (powers.as_expr(), total.as_expr(over)), 4)
    p = l.defer(node.outputs[1], odds, source.sizes, (), 4)
    l.children[p] += [powers, total]
    at = checked_indices(l, labels, source.sizes[-1], wrap=False)
    memory = l.array(logits)
    rows = source.sizes[:-1]
    own = Gather(memory.ptr, code, memory.offset, memory.strides[:-1], ((at, memory.strides[-1]),), memory.buffers)
    flat: IndexMap = (*identity(rank - 1), (0, None, 0))
    fn = lambda s, m, x: b.add(b.subtract(m, x), b.log(s))  # noqa: E731
    loss = Map(fn, code, (total.as_expr(flat), largest.as_expr(flat), own), 18)
    d = l.defer(node.outputs[0], loss, rows, [labels], 18)
    l.children[d] += [total, largest]


@rule("sparse_softmax_cross_entropy_grad", fused=True)
def sparse_softmax_cross_entropy_grad(l: FunctionLowering, node: Node) -> None:
    """(probabilities - one at the label) * cotangent of the row's loss"""
    dy, odds, labels = node.inputs
    source, code, rank = _floating(l, odds)
    b = l.ops
    place = Affine(0, (0,) * (rank - 1) + (1,))
    rows: IndexMap = identity(rank - 1)
    one = lambda p, i, g, k: b.multiply(  # noqa: E731
        b.select(b.equal(i, b.cast(k, "i64")), b.subtract(p, b.const(1, p)), p), g
    )
    sizes = source.sizes
    for v in (dy, labels):
        for a, c in zip(l.sizes(v), sizes, strict=False):
            if a != c and not (isinstance(a, int) and isinstance(c, int)):
                l.code.require(l.code.op(f"icmp eq i64 {a}, {c}"), l.failure)
    parts = (source.as_expr(), place, l.viewed(dy, rows), l.viewed(labels, rows))
    l.defer(node.outputs[0], Map(one, code, parts, 3), sizes, node.inputs, 3)


@rule("softmax_cross_entropy", fused=True)
def softmax_cross_entropy(l: FunctionLowering, node: Node) -> None:
    """(loss of each row, probabilities) from logits and probabilities wanted."""
    logits, labels = node.inputs
    source, code, rank = _floating(l, logits)
    b, axes = l.ops, (rank - 1,)
    if l.sizes(labels) != source.sizes:
        raise Unsupported([("labels of another shape", None)])
    largest, powers, total = _exponentials(l, source, axes)
    over = kept(rank, axes)
    p = l.defer(node.outputs[1], Map(b.divide, code, (powers.as_expr(), total.as_expr(over)), 4), source.sizes, (), 4)
    l.children[p] += [powers, total]
    logs = hidden(
        l, Map(lambda s, m: b.add(b.log(s), m), code, (total.as_expr(), largest.as_expr()), 17), code, total.sizes, [total, largest], cost=17
    )
    want = l.env[labels]
    terms = Map(
        lambda x, w, s: b.multiply(w, b.subtract(s, x)), code, (source.as_expr(), want.as_expr(), logs.as_expr(over)), 2
    )
    each = hidden(l, terms, code, source.sizes, [source, want, logs], cost=2)
    total_loss = reduction(l, "sum", each, axes, False, code)
    d = l.defer(node.outputs[0], total_loss.as_expr(), source.sizes[:-1], ())
    l.children[d].append(total_loss)


def checked_indices(l: FunctionLowering, value: Value, size: Operand, wrap: bool = True) -> Expr:
    """The integers of a value as indices of an axis; negative ones count from the end; others leave native code."""
    b = l.ops
    rep = l.env[value]
    if isinstance(rep, Scalar):
        i = b.cast(rep, "i64")
        return Const(Scalar(place_of(l, i.reg, size, wrap), "i64"))
    sizes = l.sizes(value)
    wide = Map(lambda x: b.cast(x, "i64"), "i64", (l.expr(value),), 1)
    l.array(value)
    low = hidden(l, wide, "i64", (), [rep], ("min", sizes, tuple(range(len(sizes))), False))
    high = hidden(l, wide, "i64", (), [rep], ("max", sizes, tuple(range(len(sizes))), False))
    l.pending.append(high)
    l.materialize(low)
    l.materialize(high)
    assert low.scalar and high.scalar
    count = l.code.product(sizes)
    none = l.code.op(f"icmp eq i64 {count}, 0") if not isinstance(count, int) else ("false" if count else "true")
    above = l.code.op(f"icmp sge i64 {low.scalar.reg}, {l.code.sub(0, size) if wrap else 0}")
    below = l.code.op(f"icmp slt i64 {high.scalar.reg}, {size}")
    fine = l.code.op(f"and i1 {above}, {below}")
    l.code.require(l.code.op(f"or i1 {fine}, {none}"), l.failure)
    if not wrap:
        return wide
    n, zero = Scalar(size, "i64"), Scalar(0, "i64")
    return Map(lambda i: b.select(b.less(i, zero), b.add(i, n), i), "i64", (wide,), 2)


def place_of(l: FunctionLowering, i: Operand, size: Operand, wrap: bool = True) -> Operand:
    """A scalar index of an axis, checked."""
    code = l.code
    if isinstance(i, str) and i.lstrip("-").isdigit():
        i = int(i)
    if isinstance(i, int) and isinstance(size, int):
        if not -size <= i < size:
            raise Unsupported([("an index out of range", None)])
        return i % size
    if wrap:
        negative = code.op(f"icmp slt i64 {i}, 0")
        i = code.op(f"select i1 {negative}, i64 {code.add(i, size)}, i64 {i}")
    code.require(code.op(f"icmp ult i64 {i}, {size}"), l.failure)
    return i


_ = Array, literal
