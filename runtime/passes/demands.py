"""demand(x * v[5])  ->  demand(v[5])

Of a value that nobody uses (a statement `v[5]`, a name that is not read again) only what may raise is worked out.
"""

from __future__ import annotations

from runtime.ir.build import emit
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import may_fail, may_raise
from runtime.ir.walk import reachable_functions
from runtime.ops.registry import get

__all__ = ["settle_demands"]


def settle_demands(graph: Graph) -> Graph:
    """Move the demands of `graph` and the functions it calls to the operations that may raise, in place."""
    for part in (graph, *(graph.functions[name] for name in reachable_functions(graph))):
        if any(node.op.name == "demand" for node in part.walk()):
            _settle(part)
    return graph


def _settle(graph: Graph) -> set[Value]:
    """The inputs of the graph that are demanded: who made them raises."""
    wanted: set[Value] = set()
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if node.op.name == "demand":
            wanted.update(node.inputs)
            continue
        made = next((value for value in node.outputs if value in wanted), None)
        if made is not None:
            if _fails(node, graph):
                kept.append(emit(Graph(), get("demand"), [made], {}, (), (), node.location))
            elif node.op.effect is None:
                wanted.update(node.inputs)
        for region in node.regions:
            inputs = _settle(region)
            given = node.inputs[len(node.inputs) - len(region.inputs) :]
            wanted.update(given[value.index] for value in inputs if 0 <= value.index < len(given))
        kept.append(node)
    graph.nodes = kept[::-1]
    return wanted.intersection(graph.inputs)


def _fails(node: Node, graph: Graph) -> bool:
    """Whether running a node may raise what no node with an effect raises."""
    if node.op.name == "call":
        name = node.attrs["function"]
        called = {name, *reachable_functions(graph.functions[name])}
        return any(_raises(inner) for other in called for inner in graph.functions[other].walk())
    return _raises(node) or any(_fails(inner, region) for region in node.regions for inner in region.nodes)


def _raises(node: Node) -> bool:
    if node.op.effect is not None or node.op.name == "call" or node.regions:
        return False
    return may_fail(node.op, node.inputs) and may_raise(node) and not _is_in_range(node)


def _is_in_range(node: Node) -> bool:
    """Whether an item is asked for at known places of a known shape."""
    if node.op.name != "index" or len(node.inputs) > 1:
        return False
    shape, spec = node.inputs[0].tensor_type.shape, node.attrs["spec"]
    if shape is None or len(spec) > len(shape) or not all(type(i) is int for i in spec):
        return False
    return all(type(size) is int and -size <= i < size for i, size in zip(spec, shape, strict=False))
