"""`and` and `or` of a few comparisons, traced as branches, lowered as logic: a branch that is not foreseen costs more."""

from __future__ import annotations

from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.rules.elementwise import cost_of
from runtime.backends.native.lower.scalars import Scalar
from runtime.ir.graph import Graph, Node
from runtime.ops.kinds import Elementwise
from runtime.typesys.spec import TensorType

__all__ = ["as_logic", "is_logic"]

_MOST_LOGIC = 4  # operations that cost less than a branch that is not foreseen


def is_logic(node: Node) -> bool:
    """Whether a `cond` is no more than an `and` or `or` of a few comparisons."""
    values = [v for region in node.regions for n in region.nodes for v in (*n.inputs, *n.outputs)]
    nodes = [n for region in node.regions for n in region.nodes if n.op.name != "constant"]
    return (
        len(nodes) <= _MOST_LOGIC
        and all(isinstance(n.op, Elementwise) and cost_of(n.op.numpy or n.op.name) == 1 for n in nodes)
        and all(type(v.type) is TensorType and v.type.shape == () for v in (*values, *node.inputs, *node.outputs))
        and all(v.tensor_type.dtype.kind == "b" for v in node.outputs)
    )


def as_logic(ctx: FunctionLowering, node: Node, test: Scalar) -> bool:
    """Compute both sides and choose, unless one of them may leave native code."""
    code = ctx.code
    lines, block = len(code.lines), code.block
    given = [ctx.scalar(v) for v in node.inputs[1:]]

    def side(graph: Graph) -> list[Scalar]:
        ctx.region(graph, given)
        return [ctx.ops.cast(ctx.scalar(v), "b1") for v in graph.outputs]

    then, other = (ctx.inside(lambda graph=graph: side(graph)) for graph in node.regions)  # type: ignore[misc]
    if code.block != block:
        del code.lines[lines:]
        code.block = block
        return False
    for out, x, y in zip(node.outputs, then, other, strict=True):
        ctx.define(out, ctx.ops.select(test, x, y))
    return True
