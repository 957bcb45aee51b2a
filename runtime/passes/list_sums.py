"""The cotangent of a list is added to in place: no list of zeros is made for each element that was read.

    d + (zeros like x, with dy added at i)                 ->  d with dy added at i
    d + cond(p, zeros like x with dy at i, zeros like x)   ->  cond(p, d with dy added at i, d)

The terms of a sum come in another order. A list that was saved for its length alone is not looked at any more.
"""

from __future__ import annotations

from collections import Counter

from runtime.ir.graph import Graph, Node, Value
from runtime.passes.rewrite import graphs

__all__ = ["add_in_place"]


def add_in_place(graph: Graph) -> Graph:
    """`list_add(d, list_accumulate_at(list_zeros_like(x), i, dy))` -> `list_accumulate_at(d, i, dy)`."""
    for each in graphs(graph):
        _add_in_place(each)
    return graph


def _add_in_place(graph: Graph) -> None:
    if any(node.op.name == "list_add" for node in graph.nodes):
        table: dict[Value, Value] = {}
        region = _Region(graph)
        for node in graph.nodes:
            node.inputs = [table.get(v, v) for v in node.inputs]
            total = region.in_place(node) if node.op.name == "list_add" else None
            if total is not None:
                table[node.outputs[0]] = total
        graph.nodes = [n for n in graph.nodes if not n.outputs or n.outputs[0] not in table]
        graph.outputs = [table.get(v, v) for v in graph.outputs]
    for node in graph.nodes:
        for inner in node.regions:
            _add_in_place(inner)


class _Region:
    """Where the nodes of a graph are, and how often its values are used."""

    def __init__(self, graph: Graph) -> None:
        self.places = {node: place for place, node in enumerate(graph.nodes)}
        self.uses = Counter([*(v for node in graph.nodes for v in node.inputs), *graph.outputs])

    def in_place(self, node: Node) -> Value | None:
        """The sum of two lists as one of them that was added to."""
        for start, zeros in (node.inputs, node.inputs[::-1]):
            if start.type == node.outputs[0].type and self.can_begin(zeros, start):
                total = _begin(zeros, start)
                self.uses[total] = self.uses[node.outputs[0]]
                return total
        return None

    def can_begin(self, value: Value, start: Value) -> bool:
        """Whether `value` is a list of zeros that something was added to, used once, which can begin with `start` instead:
        that was made before it."""
        last = -1 if start.node is None else self.places[start.node]

        def visit(value: Value) -> bool:
            nonlocal last
            node = value.node
            if node is None or value.type != start.type or self.uses[value] != 1:
                return False
            name = node.op.name
            if name == "list_zeros_like":
                return True
            if name == "list_add":
                return all(map(visit, node.inputs))
            if name == "list_accumulate_at":
                begins = visit(node.inputs[0])
            else:
                begins = name == "cond" and all(_returns_sum(region, value.index) for region in node.regions)
            if not begins or self.places[node] <= last:
                return False
            last = self.places[node]
            return True

        return visit(value)


def _returns_sum(branch: Graph, index: int) -> bool:
    """Whether what a branch returns can begin with a list from outside."""
    value = branch.outputs[index]
    return _Region(branch).can_begin(value, Value(value.type, branch))


def _begin(value: Value, start: Value) -> Value:
    """A sum that begins with `start` in the place of zeros."""
    node = value.node
    assert node is not None
    if node.op.name == "list_zeros_like":
        return start
    if node.op.name == "list_add":
        return _begin(node.inputs[1], _begin(node.inputs[0], start))
    if node.op.name == "list_accumulate_at":
        node.inputs = [_begin(node.inputs[0], start), *node.inputs[1:]]
        return value
    node.inputs = [*node.inputs, start]
    for region in node.regions:
        region.outputs[value.index] = _begin(region.outputs[value.index], region.add_input(start.type))
    return value
