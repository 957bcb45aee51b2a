"""Code whose way is known is put where it is used: `call @f(x)` -> the body of f; `cond(True; x)` -> its first branch.

A function is put in the place of its calls if it does not call itself, directly or through others, and is small or
called once. `taken` serves constant folding, which knows predicates and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import copy_nodes, reachable_functions, renewed
from runtime.passes.rewrite import UNKNOWN, constant_node, evaluate, graphs, splice

__all__ = ["inline_calls", "taken"]

SMALL = 16  # nodes of a function that is copied to every call
_TEST_LIMIT = 32  # nodes of a loop's test that is tried on the initial values


def inline_calls(graph: Graph) -> Graph:
    """`y = call @f(x)` -> the nodes of `f` on x."""
    chosen = _choose(graph)
    for name in [*reachable_functions(graph)][::-1]:
        if name in chosen:  # callees first, so that what is copied is final
            _inline(graph.functions[name], chosen)
    for each in graphs(graph):
        _inline(each, chosen)
    return graph


def _choose(graph: Graph) -> set[str]:
    """Functions to be put in the place of their calls."""
    names = reachable_functions(graph)
    callees = {n: set(_called(graph.functions[n])) for n in names}
    counts: dict[str, int] = {}
    for each in graphs(graph):
        for name in _called(each):
            counts[name] = counts.get(name, 0) + 1
    chosen: set[str] = set()
    for name in names:
        recursive = name in reachable_functions(graph.functions[name])
        leaf = not callees[name] - chosen or not callees[name]
        if not recursive and leaf:
            size = sum(1 for _ in graph.functions[name].walk())
            if size <= SMALL or counts.get(name, 0) == 1:
                chosen.add(name)
    return chosen


def _called(graph: Graph) -> list[str]:
    return [node.attrs["function"] for node in graph.walk() if node.op.name == "call"]


def _inline(graph: Graph, chosen: set[str]) -> None:
    for node, table in renewed(graph):
        for region in node.regions:
            _inline(region, chosen)
        if node.op.name == "call" and node.attrs["function"] in chosen:
            callee = graph.functions[node.attrs["function"]]
            inner = dict(zip(callee.inputs, node.inputs, strict=True))
            copy_nodes(callee, graph, inner)
            table.update(zip(node.outputs, (inner[v] for v in callee.outputs), strict=True))
        else:
            graph.nodes.append(node)


def taken(node: Node, graph: Graph, known: Mapping[Value, Any]) -> tuple[list[Node], list[Value]] | None:
    """What a control node does, where constants decide it: (nodes to run instead, its results), else None.

    cond(True; x) -> then(x)        for_loop(0, x) -> x        for_loop(1, x) -> body(0, x)
    while_loop(x) whose test is false at once -> x
    """
    if node.op.name == "cond":
        predicate = known.get(node.inputs[0], UNKNOWN)
        if predicate is UNKNOWN:
            return None
        return splice(node.regions[0 if predicate else 1], node.inputs[1:], graph)
    if node.op.name == "for_loop":
        count = known.get(node.inputs[0], UNKNOWN)
        if count is UNKNOWN or count > 1:
            return None
        start = node.inputs[1 : 1 + node.carried]
        if count <= 0:
            return [], start
        body = node.regions[0]
        kind = body.inputs[0].tensor_type
        index = constant_node(graph, 0 if kind.weak else kind.dtype.dtype.type(0), kind, node.location)
        nodes, outputs = splice(body, [index.outputs[0], *node.inputs[1:]], graph)
        return [index, *nodes], outputs
    if node.op.name == "while_loop" and _false_at_once(node, known):
        return [], node.inputs[: node.carried]
    return None


def _false_at_once(node: Node, known: Mapping[Value, Any]) -> bool:
    """Whether the test of a loop gives False for the initial values, as far as they are known."""
    test = node.regions[0]
    if len(test.nodes) > _TEST_LIMIT:
        return False
    values: dict[Value, Any] = {}
    for inner, outer in zip(test.inputs, node.inputs, strict=True):
        if outer in known:
            values[inner] = known[outer]
    for each in test.nodes:
        if each.op.name == "constant":
            values[each.outputs[0]] = each.attrs["value"]
        elif each.op.effect is not None or each.regions or each.op.name == "call":
            return False
        elif all(v in values for v in each.inputs):
            results = evaluate(each, [values[v] for v in each.inputs])
            if results is not None:
                values.update(zip(each.outputs, results, strict=True))
    result = values.get(test.outputs[0], UNKNOWN)
    return result is not UNKNOWN and not result
