"""Log-sum-exp, Euclidean norms, and gradients of log_softmax and cross entropies: expressions of reductions."""

from __future__ import annotations

from collections.abc import Callable

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.exprs import Deferred, IndexMap, Map, identity
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.rules.reductions import hidden, kept, reduced_sizes, reduction
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import is_float
from runtime.ir.graph import Node, Value
from runtime.ops.kinds import normalize_axes

__all__: list[str] = []


def _operand(ctx: FunctionLowering, value: Value) -> Deferred:
    """An array of floating numbers."""
    source = ctx.env[value]
    if not isinstance(source, Deferred) or not source.sizes or not is_float(source.code):
        raise Unsupported([("of a scalar, or of no floating numbers", None)])
    return source


def _of_rows(
    ctx: FunctionLowering,
    node: Node,
    axes: tuple[int, ...],
    sizes: tuple[int | str, ...],
    reduced: list[Deferred],
    fn: Callable[..., Scalar],
    cost: int,
) -> None:
    """The output as a function of reductions that keep their axes, which the output may not."""
    keepdims = bool(node.attrs["keepdims"])
    left = [i for i in range(len(sizes)) if keepdims or i not in axes]
    index: IndexMap = tuple((0, None, 0) if i in axes else (0, left.index(i), 1) for i in range(len(sizes)))
    parts = tuple(r.as_expr(index) for r in reduced)
    made = Map(fn, reduced[0].code, parts, cost)
    d = ctx.defer(node.outputs[0], made, reduced_sizes(sizes, axes, keepdims), (), cost)
    ctx.refer(d, reduced)


@rule("reduce_logsumexp", fused=True)
def reduce_logsumexp(ctx: FunctionLowering, node: Node) -> None:
    """log(sum(exp(x - top))) + top, where top is the largest, or 0 if that is infinite."""
    source = _operand(ctx, node.inputs[0])
    b, code, sizes = ctx.ops, source.code, source.sizes
    axes = tuple(sorted(normalize_axes(node.attrs["axis"], len(sizes))))
    if not axes:
        raise Unsupported([("over no axes", None)])
    largest = reduction(ctx, "max", source, axes, True, code)
    finite = Map(lambda m: b.select(b.isfinite(m), m, b.const(0, m)), code, (largest.as_expr(),), 2)
    top = hidden(ctx, finite, code, largest.sizes, [largest], cost=2)
    shown = top.as_expr(kept(len(sizes), axes))
    powers = Map(lambda x, m: b.exp(b.subtract(x, m)), code, (source.as_expr(), shown), 18)
    total = reduction(ctx, "sum", hidden(ctx, powers, code, sizes, [source, top], cost=18), axes, True, code)
    _of_rows(ctx, node, axes, sizes, [total, top], lambda s, m: b.add(b.log(s), m), 17)


@rule("reduce_euclidean_norm", fused=True)
def reduce_euclidean_norm(ctx: FunctionLowering, node: Node) -> None:
    """sqrt(sum(x * x))"""
    source = _operand(ctx, node.inputs[0])
    b, code, sizes = ctx.ops, source.code, source.sizes
    axes = tuple(sorted(normalize_axes(node.attrs["axis"], len(sizes))))
    if not axes:
        raise Unsupported([("over no axes", None)])
    squares = hidden(
        ctx, Map(lambda x: b.multiply(x, x), code, (source.as_expr(),), 1), code, sizes, [source], cost=1
    )
    total = reduction(ctx, "sum", squares, axes, True, code)
    _of_rows(ctx, node, axes, sizes, [total], b.sqrt, 4)


@rule("log_softmax_grad", fused=True)
def log_softmax_grad(ctx: FunctionLowering, node: Node) -> None:
    """dy - exp(y) * sum(dy)"""
    dy, y = (_operand(ctx, v) for v in node.inputs)
    if dy.sizes != y.sizes or dy.code != y.code:
        raise Unsupported([("operands of different shapes", None)])
    b, code, rank = ctx.ops, y.code, len(y.sizes)
    axes = tuple(sorted(normalize_axes(node.attrs["axis"], rank)))
    total = reduction(ctx, "sum", dy, axes, True, code)
    parts = dy.as_expr(), y.as_expr(), total.as_expr(kept(rank, axes))
    fn = lambda g, v, t: b.subtract(g, b.multiply(b.exp(v), t))
    d = ctx.defer(node.outputs[0], Map(fn, code, parts, 18), y.sizes, node.inputs, 18)
    ctx.refer(d, [total])


@rule("softmax_cross_entropy_grad", fused=True)
def softmax_cross_entropy_grad(ctx: FunctionLowering, node: Node) -> None:
    """dloss * (probabilities * sum(labels) - labels)"""
    dloss, odds, labels = node.inputs
    source, want = _operand(ctx, odds), _operand(ctx, labels)
    b, code, rank = ctx.ops, source.code, len(source.sizes)
    rows = source.sizes[:-1]
    if want.sizes != source.sizes or want.code != code or ctx.sizes(dloss) != rows or ctx.env[dloss].code != code:
        raise Unsupported([("operands of different shapes", None)])
    total = reduction(ctx, "sum", want, (rank - 1,), True, code)
    parts = (
        source.as_expr(),
        want.as_expr(),
        total.as_expr(kept(rank, (rank - 1,))),
        ctx.viewed(dloss, identity(rank - 1)),
    )
    fn = lambda p, w, t, g: b.multiply(b.subtract(b.multiply(p, t), w), g)
    d = ctx.defer(node.outputs[0], Map(fn, code, parts, 3), source.sizes, node.inputs, 3)
    ctx.refer(d, [total])
