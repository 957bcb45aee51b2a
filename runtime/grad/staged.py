"""What a tape records of a graph under construction: intervals of nodes, and the values watched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.grad.reverse import staged_gradient
from runtime.ir.graph import Node, Value, next_id
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace

__all__ = ["StagedRecording"]


class StagedRecording:
    """Nodes are recorded by being made while the tape is on: the graph has them all, so only the times are kept."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.intervals: list[tuple[int, int | None]] = []
        self.watched: dict[Value, int] = {}

    def resume(self) -> None:
        """Record the nodes made from now on,"""
        self.intervals.append((next_id(), None))

    def pause(self) -> None:
        """and until now."""
        self.intervals[-1] = (self.intervals[-1][0], next_id())

    def watch(self, value: Value) -> None:
        """Uses of this value from now on count."""
        self.watched.setdefault(value, next_id())

    def recorded(self, node: Node) -> bool:
        """Whether a node was made while the tape was on."""
        return any(start < node.id and (stop is None or node.id < stop) for start, stop in self.intervals)

    def gradient(self, seeds: Iterable[tuple[Value, Tensor]], sources: Sequence[Value]) -> dict[int, Tensor]:
        """Cotangents by id of the source value, by nodes added to the region that is open now."""
        unique = list(dict.fromkeys(v for v in sources if self._visible(v)))
        results = staged_gradient(self.trace, seeds, unique, self.recorded, self._in_sight())
        return {id(v): dx for v, dx in zip(unique, results, strict=True) if dx is not None}

    def _in_sight(self) -> dict[Value, int]:
        return {v: stamp for v, stamp in self.watched.items() if self._visible(v)}

    def _visible(self, value: Value) -> bool:
        """Whether a value belongs to a region that is still open (not to one that was closed or traced again)."""
        region = self.trace.builder.region
        while region.graph is not value.graph:
            if region.parent is None:
                return False
            region = region.parent
        return True
