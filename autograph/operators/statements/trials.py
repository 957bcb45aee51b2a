"""What is tried while tracing: its nodes and what it wrote can be given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.containers.sharing import sharing_of
from autograph.operators.state.aliases import TENSORS, TraceAgain, tensorless
from autograph.operators.state.births import births_of
from autograph.operators.state.dict_places import put_back
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values.quick import meet_simple
from runtime.tensor.trace import Place, Trace, current

__all__ = ["Trial", "ask"]


class Trial:
    """What comes is given up where only the run knows its truth or end: what it added to the graph, and what it wrote."""

    __slots__ = ("held", "mark", "shared", "written")

    def __init__(self, trace: Trace) -> None:
        self.held = trace.notes["heap"].enter() if "heap" in trace.notes else None
        self.mark = len(trace.builder.region.graph.nodes)
        self.written: dict[Any, tuple[Place, Any]] = {}
        # The relations between containers before.
        self.shared = list(sharing_of(trace).relations) if "sharing" in trace.notes else []

    def keep(self, trace: Trace) -> None:
        """It was none: let the region know of what it wrote."""
        if self.held is not None:
            trace.notes["heap"].keep(self.held)
        if self.written:
            known = trace.journal[-1]
            for key, entry in self.written.items():
                known.setdefault(key, entry)

    def discard(self, trace: Trace) -> None:
        """Drop a trial of what will be traced again inside the loop: its nodes and what it wrote."""
        del trace.builder.region.graph.nodes[self.mark :]
        put_back(self.written)
        if self.held is not None:
            trace.notes["heap"].give_up(self.held)
        if "sharing" in trace.notes:
            sharing_of(trace).discard(self.shared)


def ask(test: Callable[[], Any], *owners: Any) -> Any:
    """The truth of a loop's test, which reads attributes of `owners`: True, False, or a `Trial`."""
    for owner in owners:
        meet_simple(type(owner))
    trace = current()
    if trace is None:
        return truth_of(test())
    if tensorless(trace):
        condition = test()
        if condition is not True and condition is not False:
            condition = truth_of(condition)
            if condition is not True and condition is not False:  # it met a tensor
                raise TraceAgain(TENSORS)
        return condition
    trial = Trial(trace)
    journal = trace.journal
    births = births_of(trace)
    journal.try_out(trial.written)
    births.tried += 1  # objects that were made here are there before the test, too
    try:
        condition = test()
    except BaseException:
        births.tried -= 1
        journal.tried()
        trial.keep(trace)
        raise
    births.tried -= 1
    journal.tried()
    if condition is not True and condition is not False:
        condition = truth_of(condition)
        if is_staged_condition(condition):
            return trial
    trial.keep(trace)
    return condition
