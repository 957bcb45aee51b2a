"""Which objects an attempt to trace a function has made, whoever holds them.

The collector knows: what there is goes to its permanent generation, so that all it lists afterwards is new. That takes no
time, where a look at every object of the process takes seconds in a large one. Until the attempt is over the collector
passes over what there was; what a program has frozen itself is thawed by that.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Any

from autograph.operators.state.aliases import TraceAgain

__all__ = ["Newcomers"]


class Newcomers:
    """What is made from now on, until `close`; `old` does not belong to it, whenever it was made."""

    def __init__(self, old: Iterable[Any]) -> None:
        self._old = frozenset(map(id, old))
        self._new: set[int] | None = None
        self._probe: list[Any] = []
        gc.freeze()

    def __contains__(self, x: object) -> bool:
        if self._new is None:
            self._new = set(map(id, gc.get_objects())) - self._old
            if id(self._probe) in self._new:
                raise TraceAgain("thawed")  # by another thread: nothing tells old and new apart
        return id(x) in self._new

    def close(self) -> None:
        """Let the collector look at all objects again."""
        gc.unfreeze()
