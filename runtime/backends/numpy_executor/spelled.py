"""Operations that are a ufunc with a number, spelled so: then they may write into memory that is there, as ufuncs do.

    relu(x) -> maximum(x, 0)
"""

from __future__ import annotations

from runtime.ir.graph import Graph
from runtime.ir.walk import reachable_functions, renewed
from runtime.passes.rewrite import may_stand_for, number, put
from runtime.typesys.spec import TensorType

__all__ = ["has_spelled", "spelled"]

_AS = {"relu": ("maximum", 0)}


def _parts(graph: Graph) -> list[Graph]:
    return [graph, *(graph.functions[name] for name in reachable_functions(graph))]


def has_spelled(graph: Graph) -> bool:
    """Whether there are any."""
    return any(node.op.name in _AS for part in _parts(graph) for node in part.walk())


def spelled(graph: Graph) -> Graph:
    """Spell them, in a graph that is the executor's own."""
    for part in _parts(graph):
        _visit(part)
    return graph


def _visit(graph: Graph) -> None:
    for node, table in renewed(graph):
        for region in node.regions:
            _visit(region)
        kind = node.inputs[0].type if node.op.name in _AS else None
        if not isinstance(kind, TensorType) or kind.weak or not kind.shape or kind.dtype.kind not in "iuf":
            graph.nodes.append(node)
            continue
        name, operand = _AS[node.op.name]
        mark = len(graph.nodes)
        made = put(graph, name, node.inputs[0], number(graph, operand))
        if not may_stand_for(made, node.outputs[0]):
            del graph.nodes[mark:]
            graph.nodes.append(node)
            continue
        for new in graph.nodes[mark:]:
            new.location = node.location
        made.name = node.outputs[0].name
        table[node.outputs[0]] = made
