"""Room for recursion over syntax trees: expressions may be as deep as Python's compiler takes them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["deep_trees"]

_DEPTH = 20_000  # the compiler takes some 3,000 nested expressions; a visitor needs a few frames for each
_lock = threading.Lock()
_state = {"inside": 0, "before": 0}


@contextmanager
def deep_trees() -> Iterator[None]:
    """While any thread is inside, Python's recursion limit is at least `_DEPTH`."""
    with _lock:
        if _state["inside"] == 0:
            _state["before"] = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_state["before"], _DEPTH))
        _state["inside"] += 1
    try:
        yield
    finally:
        with _lock:
            _state["inside"] -= 1
            if _state["inside"] == 0:
                sys.setrecursionlimit(_state["before"])
