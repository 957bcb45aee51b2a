"""Which objects an attempt to trace a function has made, whoever holds them.

The collector knows: what there is goes to its permanent generation, so that all it lists afterwards is new. That takes no
time, where a look at every object of the process takes seconds in a large one. Until the attempt is over the collector
passes over what there was; what a program has frozen itself is thawed by that. Newcomers that yield are not known any more
where somebody asks for a collection of everything in between; one that Python begins itself looks at the new ones only.

Threads trace in turn: what one freezes or thaws while another traces leaves that one without new objects, and it traces
again, which disturbs the first. Who has waited for long goes on nevertheless: the other may wait for this thread.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from sys import getrefcount
from typing import Any

from autograph.operators.state.aliases import TraceAgain

__all__ = ["Newcomers", "in_turn"]


class Newcomers:
    """What is made from now on, until `close`; `old` does not belong to it, whenever it was made."""

    def __init__(self, old: Iterable[Any] = (), yields: bool = False) -> None:
        self._old = frozenset(map(id, old))
        self._new: set[int] | None = None
        self._probe: list[Any] = []
        self._yields = yields
        if yields:
            gc.collect(1)  # what is frozen counts as old from then on: what nobody holds any more goes
            _yielding.append(self)
        gc.freeze()

    def __contains__(self, x: object) -> bool:
        if self._new is None:
            self._new = set(map(id, gc.get_objects())) - self._old
            if id(self._probe) in self._new:
                raise TraceAgain("thawed")  # by another thread: nothing tells old and new apart
        return id(x) in self._new

    def surely(self) -> frozenset[int]:
        """The ids of those that are new for sure: dictionaries the collector may not have known before."""
        found = frozenset(id(x) for x in gc.get_objects() if type(x) is not dict)
        return frozenset() if id(self._probe) in found else found - self._old

    def dictionaries(self, asked: Iterable[Any], apart: Container[int]) -> frozenset[int]:
        """The ids of those of `asked` that are new, or might as well be: newcomers hold them, and nobody else.

        The collector learns of a dictionary when it first holds a container, so that one that was there before may be
        listed, too. But whoever held that one before is no newcomer. What the ids `apart` hold is held by somebody.
        """
        objects = gc.get_objects()
        dictionaries = [x for x in objects if type(x) is dict and id(x) not in apart]
        listed = len(dictionaries)
        number = {id(x): i for i, x in enumerate(dictionaries)}
        for x in asked:
            if id(x) not in number:  # it holds no containers
                number[id(x)] = len(dictionaries)
                dictionaries.append(x)
        held = [0] * len(dictionaries)
        holds: dict[int, list[int]] = {}
        for x in objects:
            if id(x) in apart:
                continue
            for y in gc.get_referents(x):
                if type(y) is dict and (i := number.get(id(y))) is not None:
                    held[i] += 1
                    if id(x) in number:
                        holds.setdefault(number[id(x)], []).append(i)
        x = y = None
        if any(x is self._probe for x in objects):  # thawed: nothing tells old and new apart
            return frozenset()
        pending = [i for i in range(len(held)) if getrefcount(dictionaries[i]) - (i < listed) > held[i] + _OURS]
        old = set(pending)
        while pending:
            for i in holds.get(pending.pop(), ()):
                if i not in old:
                    old.add(i)
                    pending.append(i)
        return frozenset(key for key, i in number.items() if i not in old) - self._old

    def collect(self) -> None:
        """Let go of those that only hold each other: most are what exceptions knew."""
        if self in _yielding:
            _yielding.remove(self)
            gc.collect()
            _yielding.append(self)

    def close(self) -> None:
        """Let the collector look at all objects again."""
        if self in _yielding:
            _yielding.remove(self)
        elif self._yields:
            return  # that is so
        gc.unfreeze()


_PATIENCE = 5  # seconds
_turn = threading.RLock()


@contextmanager
def in_turn() -> Iterator[None]:
    """One thread after the other is here."""
    alone = _turn.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if alone:
            _turn.release()


_OURS = 2  # references to a dictionary in a list, counted there
_yielding: list[Newcomers] = []


def _before_collection(phase: str, info: dict[str, int]) -> None:
    if _yielding and phase == "start" and info["generation"] == 2 and gc.get_count()[0] <= gc.get_threshold()[0]:
        _yielding.clear()
        gc.unfreeze()


gc.callbacks.append(_before_collection)
