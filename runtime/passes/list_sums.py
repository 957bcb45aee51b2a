"""Cotangents are added to where they are: no zeros are made for each element of a list that was read, nor for branches
that were not taken.

    d + (zeros like x, with dy added at i)                 ->  d with dy added at i
    d + cond(p, zeros like x with dy at i, zeros like x)   ->  cond(p, d with dy added at i, d)
    dW + cond(p, x^T @ dy, 0)                              ->  dW + cond(p, x, 0)^T @ cond(p, dy, 0), where these are small
    dW + cond(p, dy, 0)                                    ->  cond(p, dW + dy, dW), of other large arrays

The terms of a sum of lists come in another order. A list that was saved for its length alone is not looked at any more.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.passes.rewrite import graphs, put, static_sizes

__all__ = ["add_in_place"]

_LARGE = 256
"""Elements of an array from which on adding zeros is more than passing it to a branch."""


def add_in_place(graph: Graph) -> Graph:
    """`list_add(d, list_accumulate_at(list_zeros_like(x), i, dy))` -> `list_accumulate_at(d, i, dy)`."""
    for each in graphs(graph):
        _add_in_place(each)
    return graph


def _add_in_place(graph: Graph) -> None:
    if any(node.op.name in ("list_add", "add") for node in graph.nodes):
        table: dict[Value, Value] = {}
        region = _Region(graph)
        for node in list(graph.nodes):
            node.inputs = [table.get(v, v) for v in node.inputs]
            total = None
            if node.op.name == "list_add":
                total = region.in_place(node)
            elif node.op.name == "add":
                total = region.into_branches(node)
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

    def into_branches(self, node: Node) -> Value | None:
        """A sum with what is zero in one branch as a sum in the other one."""
        for start, term in (node.inputs, node.inputs[::-1]):
            branches = term.node
            if branches is None or branches.op.name != "cond" or self.uses[term] != 1 or not _is_large(term):
                continue
            if not start.type == term.type == node.outputs[0].type or not any(map(_is_zero, _returned(term))):
                continue
            split = _factors(term)
            if split is not None:
                node.inputs = [start, split]
                return None
            if start.node is not None and self.places[start.node] >= self.places[branches]:
                continue
            for region, value in zip(branches.regions, _returned(term), strict=True):
                inner = region.add_input(start.type)
                region.outputs[term.index] = inner if _is_zero(value) else put(region, "add", inner, value)
            branches.inputs = [*branches.inputs, start]
            self.uses[term] = self.uses[node.outputs[0]]
            return term
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


def _returned(value: Value) -> list[Value]:
    """What the branches of a cond give for a value."""
    assert value.node is not None
    return [region.outputs[value.index] for region in value.node.regions]


def _factors(term: Value) -> Value | None:
    """A product of rows in one branch as the product of what the branches give: that is small, and after a loop the products
    of all steps may be one."""
    cond, values = term.node, _returned(term)
    assert cond is not None
    made = next((v.node for v in values if not _is_zero(v)), None)
    if made is None or made.op.name != "matmul" or any(v.tensor_type.dtype != term.tensor_type.dtype for v in made.inputs):
        return None
    sizes = [static_sizes(v) for v in made.inputs]
    out = math.prod(static_sizes(term) or ())
    if any(not s or len(s) != 2 for s in sizes) or 4 * sum(math.prod(s or ()) for s in sizes) > out:
        return None
    factors = []
    for factor in made.inputs:
        factors.append(cond.add_output(factor.type))
        for region, value in zip(cond.regions, values, strict=True):
            kind = factor.tensor_type
            zeros = put(region, "zeros", shape=kind.shape, dtype=kind.dtype) if value.node is not made else factor
            region.outputs.append(zeros)
    product = Node(made.op, factors, made.attrs, (term.type,), term.graph, (), made.location)
    term.graph.nodes.insert(term.graph.nodes.index(cond) + 1, product)
    return product.outputs[0]


def _is_large(value: Value) -> bool:
    return math.prod(static_sizes(value) or (0,)) >= _LARGE


def _is_zero(value: Value) -> bool:
    node = value.node
    if node is None or node.op.name == "zeros":
        return node is not None
    return node.op.name == "constant" and not np.any(node.attrs["value"])


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
