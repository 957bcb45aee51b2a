"""Constant folding: `add(2, 3)` -> `5`; constants passed into regions as invariants -> constants there.

Pure nodes on constants are evaluated once, by the operation's own NumPy meaning, if the result is small. What raises or
warns is left to do so when the graph runs. Bare Python numbers stay bare. Branches and loops that constants decide are
replaced by what they do (`runtime.passes.inline.taken`).
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import substitute
from runtime.passes.inline import taken
from runtime.passes.rewrite import constant_node, evaluate, graphs, payload_type
from runtime.typesys.shapes import num_elements
from runtime.typesys.spec import TensorType

__all__ = ["fold_constants"]

LIMIT = 4096  # elements of a folded result
CREATED_LIMIT = 32  # the same where nothing goes in (zeros, ranges): a large one is made when it is needed


def fold_constants(graph: Graph) -> Graph:
    """`%2 = add(2, 3)` -> `%2 = 5`; `cond(True; x)` -> its first branch."""
    for each in graphs(graph):
        _fold(each)
    return graph


def _fold(graph: Graph) -> None:
    known: dict[Value, Any] = {}
    table: dict[Value, Value] = {}
    nodes: list[Node] = []
    waiting = deque(graph.nodes)
    while waiting:
        node = waiting.popleft()
        node.inputs = [_final(table, v) for v in node.inputs]
        if node.op.name == "constant":
            known[node.outputs[0]] = node.attrs["value"]
        elif node.regions:
            decided = taken(node, graph, known)
            if decided is not None:
                inner, results = decided
                waiting.extendleft(reversed(inner))
                table.update(zip(node.outputs, results, strict=True))
                continue
            _pass_constants(node, known)
            for region in node.regions:
                _fold(region)
        elif (made := _folded(node, graph, known)) is not None:
            for constant, value in zip(made, node.outputs, strict=True):
                constant.outputs[0].name = value.name
                table[value] = constant.outputs[0]
                known[constant.outputs[0]] = constant.attrs["value"]
            nodes += made
            continue
        nodes.append(node)
    graph.nodes = nodes
    graph.outputs = [_final(table, v) for v in graph.outputs]


def _final(table: dict[Value, Value], value: Value) -> Value:
    while value in table:
        value = table[value]
    return value


def _folded(node: Node, graph: Graph, known: dict[Value, Any]) -> list[Node] | None:
    """Constants for the outputs of a node, if its operands are known and its results small."""
    if node.op.effect is not None or node.op.name in ("placeholder", "call") or not node.outputs:
        return None
    if not all(v in known for v in node.inputs):
        return None
    limit = LIMIT if node.inputs else CREATED_LIMIT
    for value in node.outputs:
        kind = value.type
        if not isinstance(kind, TensorType) or kind.dtype.kind == "O":
            return None
        size = num_elements(kind.shape)
        if size is not None and size > limit:
            return None
    results = evaluate(node, [known[v] for v in node.inputs])
    if results is None or any(np.size(r) > limit for r in results):
        return None
    return [constant_node(graph, r, payload_type(r), node.location) for r in results]


def _pass_constants(node: Node, known: dict[Value, Any]) -> None:
    """Define the constants that a region gets as invariants inside it; dead code elimination drops the inputs."""
    first = {"cond": 1, "while_loop": 0, "for_loop": 1}.get(node.op.name, len(node.inputs))
    first += node.attrs.get("carried", 0)
    constants = [(k - len(node.inputs), v) for k, v in enumerate(node.inputs) if k >= first and v in known]
    if not constants:
        return
    for region in node.regions:
        made: list[Node] = []
        table: dict[Value, Value] = {}
        for k, outer in constants:
            value, payload = region.inputs[k], known[outer]
            location = outer.node.location if outer.node is not None else None
            made.append(constant_node(region, payload, payload_type(payload), location))
            made[-1].outputs[0].name = value.name
            table[value] = made[-1].outputs[0]
        substitute(region, table)
        region.nodes = [*made, *region.nodes]
