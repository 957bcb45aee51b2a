"""Running a list of passes, with the verifier, timings or a dump after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from runtime.ir.graph import Graph
from runtime.ir.verify import verify
from runtime.typesys.errors import GraphError

__all__ = ["Pass", "run_passes"]

Pass: TypeAlias = Callable[[Graph], Graph]
"""Changes a graph, and the functions it calls, in place; returns it."""


def run_passes(
    graph: Graph,
    passes: Sequence[Pass],
    *,
    check: bool = False,
    dump: Callable[[str, Graph], None] | None = None,
    times: dict[str, float] | None = None,
) -> Graph:
    """Run passes in order.

    Args:
      check: verify the graph after each pass.
      dump: called with the name of each pass and the graph after it.
      times: seconds spent in each pass are added to it, by name.

    Raises:
      GraphError: with `check`, a pass left a graph that breaks its rules; the message names the pass.
    """
    for run in passes:
        start = time.perf_counter()
        graph = run(graph)
        if times is not None:
            times[run.__name__] = times.get(run.__name__, 0.0) + time.perf_counter() - start
        if check:
            try:
                verify(graph)
            except GraphError as error:
                raise GraphError(f"after {run.__name__}: {error}", **error.fields) from error
        if dump is not None:
            dump(run.__name__, graph)
    return graph
