"""Functions that compute the same become one.

Two are the same if their graphs are equal but for the names of the functions they call, and these are the same in turn:
all start as one class, and classes are split until their members agree.
"""

from __future__ import annotations

from runtime.ir.compare import same_body
from runtime.ir.graph import Graph, Node
from runtime.ir.walk import CALLS, reachable_functions

__all__ = ["share_functions"]


def share_functions(graph: Graph) -> Graph:
    """Keep one of each class of equal functions in the table; those that nothing calls go."""
    functions = graph.functions
    names = sorted(reachable_functions(graph), key=lambda name: (len(name), name))  # `f` is kept of `f` and `f_2`
    for name in functions.keys() - set(names):
        del functions[name]
    calls: list[tuple[Node, str]] = [
        (node, node.attrs["function"])
        for each in (graph, *functions.values())
        for node in each.walk()
        if node.op.name in CALLS
    ]
    first = _classes(names, functions, calls)
    for node, name in calls:
        node.attrs["function"] = first[name]
    for name in names:
        if first[name] != name:
            del functions[name]
    return graph


def _classes(names: list[str], functions: dict[str, Graph], calls: list[tuple[Node, str]]) -> dict[str, str]:
    """For each function the first one that is the same."""
    first = dict.fromkeys(names, names[0]) if names else {}
    while True:
        for node, name in calls:
            node.attrs["function"] = first[name]
        split: dict[str, str] = {}
        for name in names:
            alike = (m for m in split if split[m] == m and first[m] == first[name])
            split[name] = next((m for m in alike if same_body(functions[m], functions[name])), name)
        if split == first:
            return first
        first = split
