"""Retracing storms: a function that is traced again and again because of one thing warns once, and names it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograph.errors.refusals import caution

__all__ = ["WARN_AFTER", "Storms"]

WARN_AFTER = 8
"""Traces of one function that one argument, or one thing that it read, may cause before a warning names it."""


class Storms:
    """Why one function was traced again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._causes: Counter[tuple[str, str]] = Counter()
        self._last: Any = None
        self._warned = False

    def state(self, what: str) -> None:
        """It is traced again because of something that it read."""
        self._note("retracing-state", what)

    def arguments(self, names: list[str], parts: tuple[Any, ...]) -> None:
        """It is traced for arguments that it had no trace for; `parts` are their keys."""
        last, self._last = self._last, parts
        if last is None or len(last) != len(parts):
            return
        changed = [i for i, (a, b) in enumerate(zip(last, parts, strict=True)) if a != b]
        if len(changed) == 1 and not _is_object(parts[changed[0]]):
            self._note("retracing-argument", names[changed[0]] if changed[0] < len(names) else f"number {changed[0]}")

    def _note(self, id: str, what: str) -> None:
        self._causes[id, what] += 1
        if self._causes[id, what] >= WARN_AFTER and not self._warned:
            self._warned = True
            caution(id, name=self._name, what=what, count=self._causes[id, what])


def _is_object(part: Any) -> bool:
    """Whether an argument is told apart by identity: other objects have other traces, which is as meant."""
    return type(part) is tuple and part[:1] == ("object",)
