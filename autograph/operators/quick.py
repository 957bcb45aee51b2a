"""What generated code does at once, without a hook: with values of these types, while nothing stands in for them.

A list may have content that only the run knows, and a dictionary keys that are there on some paths only. As long as a trace
lives in which that came up, generated code asks the hooks (in all threads: what it reads is one for all).
"""

from __future__ import annotations

import weakref
from typing import Any

from autograph.operators.choice import CHOICES
from autograph.operators.plain import NUMBERS
from runtime.tensor import trace as trace_module
from runtime.tensor.trace import Trace

__all__ = ["ALTERNATIVES", "HOLDERS", "INDEXED", "INDICES", "METHODS"]

INDICES = NUMBERS
"""Exact types of indices by which Python finds an item."""
INDEXED: frozenset[Any] = frozenset((list, tuple, dict, str, bytes, range))
"""Exact types whose items and length are Python's."""
METHODS: frozenset[Any] = NUMBERS | {tuple, frozenset}
"""Exact types whose methods are called as they are."""
HOLDERS: frozenset[Any] = frozenset((str, bytes, set, frozenset, range, dict))
"""Exact types that tell themselves what is in them."""
ALTERNATIVES = frozenset(CHOICES)
"""Types of values that are one or another."""

namespace: dict[str, Any] = {}  # what generated code reads
_TABLES = {"INDEXED": INDEXED, "METHODS": METHODS, "HOLDERS": HOLDERS}
_unusual: set[int] = set()  # ids of traces


def ask_hooks(trace: Trace) -> None:
    """While a trace lives, generated code leaves it all to the hooks."""
    key = id(trace)
    if key not in _unusual:
        _unusual.add(key)
        weakref.finalize(trace, _gone, key)
        namespace.update(dict.fromkeys(_TABLES, frozenset()))


def _gone(key: int) -> None:
    _unusual.discard(key)
    if not _unusual:
        namespace.update(_TABLES)


trace_module.unusual = ask_hooks
