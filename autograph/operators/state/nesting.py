"""The regions that enclose what is traced now: each is a graph under construction."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.ir.build import Region
from runtime.ir.graph import Graph
from runtime.tensor.trace import Trace

__all__ = ["in_region", "is_open", "outwards"]


def outwards(region: Region | None) -> Iterator[Region]:
    """A region and those around it, from the inside."""
    while region is not None:
        yield region
        region = region.parent


def is_open(trace: Trace, graph: Graph) -> bool:
    """Whether a graph is under construction: what belongs to it can be seen from here."""
    return any(region.graph is graph for region in outwards(trace.builder.region))


def in_region(trace: Trace) -> bool:
    """Whether what runs now is in a branch or loop of the graph: it may run never, or often."""
    return trace.builder.region.parent is not None
