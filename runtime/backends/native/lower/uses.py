"""Who uses the values of a region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.ir.graph import Graph, Node, Value

__all__ = ["Uses"]


class Uses:
    """Who uses the values of a region: known before it is lowered."""

    def __init__(self, graph: Graph, is_fused: Callable[[Node], bool]) -> None:
        self.users: dict[Value, list[Any]] | None = None  # nodes by what they take, where somebody has asked for that
        self.count: dict[Value, int] = {}
        self.must: set[Value] = set(graph.outputs)
        self.last: dict[Value, Any] = {}
        self.order: dict[Any, int] = {node: i for i, node in enumerate(graph.nodes)}
        self.order[None] = len(graph.nodes)
        for node in graph.nodes:
            fused = is_fused(node)
            for value in set(node.inputs):
                self.count[value] = self.count.get(value, 0) + 1
                self.last[value] = node
                if not fused:
                    self.must.add(value)
        for value in set(graph.outputs):
            self.count[value] = self.count.get(value, 0) + 1
            self.last[value] = None
