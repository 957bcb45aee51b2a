"""The plan of a graph: what an executor does beyond running nodes in order.

    reuse   node -> index of the input whose buffer (or list) its first output takes over
    copies  loop node -> the carried values that are copied once before it, so that the loop owns them
    frees   node -> values whose buffers nobody needs after it
    fresh   indices of graph outputs that alias no input, constant or other output

Nodes stand in program order, and a plan keeps it.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value

__all__ = ["Plan"]


class Plan:
    """Decisions about one graph, the regions in it and the functions it calls."""

    def __init__(self, graph: Graph, donated: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        self.donated = donated
        self.reuse: dict[Node, int] = {}
        self.copies: dict[Node, frozenset[int]] = {}
        self.frees: dict[Node, list[Value]] = {}
        self.fresh: frozenset[int] = frozenset()
