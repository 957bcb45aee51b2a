"""The one list of passes over graphs, and running it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from runtime.ir.graph import Graph
from runtime.passes.dce import eliminate_dead_code

__all__ = ["PASSES", "Pass", "optimize"]

Pass: TypeAlias = Callable[[Graph], Graph]
"""Changes a graph, and the functions it calls, in place; returns it."""

PASSES: tuple[Pass, ...] = (eliminate_dead_code,)


def optimize(graph: Graph) -> Graph:
    """Run all passes over `graph`, in place: the caller passes a copy (`runtime.ir.walk.clone`). Returns it."""
    for run in PASSES:
        graph = run(graph)
    return graph
