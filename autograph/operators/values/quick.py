"""What generated code does at once, without a hook: with values of these types, while nothing stands in for them.

A list may have content that only the run knows, and a dictionary keys that are there on some paths only. As long as a trace
lives in which that came up, generated code asks the hooks (in all threads: what it reads is one for all).
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from autograph.operators.state.plain import NUMBERS, PLAIN, TRUTHS
from autograph.operators.values.choice import CHOICES
from runtime.tensor import trace as trace_module
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, current

__all__ = ["ALTERNATIVES", "FRESH", "HOLDERS", "INDEXED", "INDICES", "METHODS", "NUMBERS", "OWN_NAMES", "READ", "TRUTHS"]

INDICES = NUMBERS
"""Exact types of indices by which Python finds an item."""
INDEXED: frozenset[Any] = frozenset((list, tuple, dict, str, bytes, range))
"""Exact types whose items and length are Python's."""
METHODS: frozenset[Any] = NUMBERS | {tuple, frozenset}
"""Exact types whose methods are called as they are."""
READ: frozenset[Any] = METHODS | {dict}
"""Exact types whose methods that change nothing are called as they are."""
FRESH: frozenset[Any] = frozenset((list, dict))
"""Exact types of containers that are changed without a note by the function that made them."""
HOLDERS: frozenset[Any] = frozenset((str, bytes, set, frozenset, range, dict))
"""Exact types that tell themselves what is in them."""
OWN_NAMES = tuple("abs bool chr divmod float hex id int isinstance len list max min ord range repr round slice str".split())
"""Built-in functions that generated code calls, or asks whether a name still means them."""
ALTERNATIVES = frozenset((*CHOICES, Tensor))
"""Types of values that are one or another, or stand for a number."""

namespace: dict[str, Any] = {}  # what generated code reads
_TABLES = {
    "FRESH": FRESH, "HOLDERS": HOLDERS, "INDEXED": INDEXED, "METHODS": METHODS, "NUMBERS": NUMBERS, "READ": READ,
    "TRUTHS": TRUTHS,
}  # fmt: skip
_unusual: set[int] = set()  # ids of traces
_lock = threading.RLock()  # a finalizer may come in between
_tracing: set[int] = set()  # threads that trace
_NOTHING: dict[str, Any] = {"noted": frozenset(), "born": frozenset(), "at_once": {}}


OUTRIGHT: set[type] = set()  # classes in C whose methods are called as they are outside all branches and loops of the graph

# What `callee` sees at once
at_once: dict[int, Any] = _NOTHING["at_once"]
met: set[type] = set()  # the classes for whose instances that is called, too
watched: dict[int, Any] = {}  # functions that are called as they are
outright: set[type] = set()


def show() -> None:
    """Let generated code see what is known in the open region of this thread's trace.

    `noted` and `born` are those of the journal: what is in them is changed without a note. `at_once` has by id what is
    called for a function, where that is always the same. All threads see the same: nothing while several trace. One that
    does not trace may see what is another's: it does as Python does then, or calls the converted form of a function.
    """
    global at_once, met, watched, outright
    trace = current()
    with _lock:
        if trace is None:
            _tracing.discard(threading.get_ident())
        else:
            _tracing.add(threading.get_ident())
        if trace is None or len(_tracing) > 1 or _unusual:
            namespace.update(_NOTHING)
            at_once, watched, outright = _NOTHING["at_once"], {}, set()
            return
        journal = trace.journal
        namespace["noted"], namespace["born"] = journal.noted, journal.born
        if trace.builder.region.parent is None and "rolling" not in trace.notes:
            at_once, met, watched, outright = trace.calls.at_once, trace.met, journal.watched, OUTRIGHT
        else:
            at_once, watched, outright = _NOTHING["at_once"], {}, set()
        namespace["at_once"] = at_once


def ask_hooks(trace: Trace) -> None:
    """While a trace lives, generated code leaves it all to the hooks."""
    key = id(trace)
    if key not in _unusual:
        _unusual.add(key)
        weakref.finalize(trace, _gone, key)
        namespace.update(dict.fromkeys(_TABLES, frozenset()), TRUTHS=PLAIN)
        show()


def _gone(key: int) -> None:
    _unusual.discard(key)
    if not _unusual:
        namespace.update(_TABLES)


trace_module.unusual = ask_hooks
trace_module.changed = show
