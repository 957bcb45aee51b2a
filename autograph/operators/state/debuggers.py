"""Debuggers that stop in a trace: they keep frames, and so what a function made seems to be held by somebody.

Since CPython 3.13 the local variables that a debugger looks at are the frame's own, which lives as long as they do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from runtime.tensor.trace import Trace

__all__ = ["is_debugged", "untraced"]

_STARTING = frozenset(("breakpoint", "set_trace"))


def is_debugged(trace: Trace) -> bool:
    """Whether a debugger has stopped in the trace, or may have."""
    if "debugged" not in trace.notes:
        monitoring = getattr(sys, "monitoring", None)
        tracer, tool = sys.gettrace(), monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID)
        counts_lines = type(tracer).__module__.partition(".")[0] == "coverage"
        if (tracer is None or counts_lines) and tool is None and not _asks_for_debugger(trace):
            return False
        trace.notes["debugged"] = True
    return True


def _asks_for_debugger(trace: Trace) -> bool:
    """Whether a function that was called names what starts a debugger."""
    searched: set[int] = trace.notes.setdefault("searched", set())
    pending = [code for key, (code, _) in trace.called.items() if key not in searched]
    searched.update(map(id, pending))
    while pending:
        code = pending.pop()
        if not _STARTING.isdisjoint(code.co_names):
            return True
        pending += [c for c in code.co_consts if type(c) is CodeType]
    return False


def untraced(f: Callable[[], Any]) -> Any:
    """Call `f` while the debugger looks away: it would keep the frames of `f`, too."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return f()
    finally:
        sys.settrace(tracer)
