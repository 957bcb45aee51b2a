"""Walking and copying graphs: clones, users of values, substitution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtime.ir.graph import Graph, Node, Value

__all__ = ["clone", "copy_nodes", "reachable_functions", "renewed", "substitute", "users"]


CALLS = ("call", "attempt")
"""Operations that name a function of the table."""


def clone(graph: Graph) -> Graph:
    """A copy of a graph: nodes, values, regions and the functions it calls, which no pass shares with the original.

    Attributes are shared (they are never written to). Functions may call each other and themselves.
    """
    functions: dict[str, Graph] = {}
    for name in reachable_functions(graph):
        functions[name] = Graph(graph.functions[name].name, functions)
    for name, copy in functions.items():
        _fill(copy, graph.functions[name])
    out = Graph(graph.name, functions)
    _fill(out, graph)
    return out


def reachable_functions(graph: Graph) -> list[str]:
    """Names of the functions a graph calls, directly or through others, in the order of their first call."""
    found: dict[str, None] = {}
    waiting = [graph] if graph.functions else []
    while waiting:
        for node in waiting.pop().walk():
            if node.op.name in CALLS and node.attrs["function"] not in found:
                found[node.attrs["function"]] = None
                waiting.append(graph.functions[node.attrs["function"]])
    return list(found)


def copy_nodes(source: Graph, target: Graph, table: dict[Value, Value]) -> None:
    """Append copies of `source`'s nodes to `target`; `table` maps values of `source`, inputs first, and is filled."""
    for node in source.nodes:
        regions = []
        for region in node.regions:
            copy = Graph(region.name, target.functions)
            _fill(copy, region)
            regions.append(copy)
        new = target.add_node(
            node.op, [table[v] for v in node.inputs], dict(node.attrs), tuple(v.type for v in node.outputs),
            tuple(regions), node.location,
        )  # fmt: skip
        for old, copied in zip(node.outputs, new.outputs, strict=True):
            copied.name = old.name
            table[old] = copied


def _fill(copy: Graph, original: Graph) -> None:
    table = {v: copy.add_input(v.type, v.name) for v in original.inputs}
    copy_nodes(original, copy, table)
    copy.outputs = [table[v] for v in original.outputs]


def users(graph: Graph) -> dict[Value, list[Node]]:
    """The nodes of this graph (not of its regions) that use each value, once per use."""
    found: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            found.setdefault(value, []).append(node)
    return found


def renewed(graph: Graph) -> Iterator[tuple[Node, dict[Value, Value]]]:
    """The nodes of a graph one by one, with a table of what now stands for which value: their inputs are by it.

    The graph has no nodes meanwhile: who takes one puts it back, or others in its place. Go through to the end.
    """
    nodes, graph.nodes = graph.nodes, []
    table: dict[Value, Value] = {}
    for node in nodes:
        node.inputs = [table.get(v, v) for v in node.inputs]
        yield node, table
    graph.outputs = [table.get(v, v) for v in graph.outputs]


def substitute(graph: Graph, table: Mapping[Value, Value]) -> None:
    """Use `table[v]` instead of `v` in this graph's nodes and outputs (regions are closed: they see only their inputs).

    Chains (a replaced by b, b by c) are followed.
    """

    def final(value: Value) -> Value:
        while value in table:
            value = table[value]
        return value

    for node in graph.nodes:
        node.inputs = [final(v) for v in node.inputs]
    graph.outputs = [final(v) for v in graph.outputs]
