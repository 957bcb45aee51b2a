"""A world outside of functions: a program is a function of it and a number, and comes with how the world begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograph as ag


class World:
    """What functions change."""

    def __init__(self) -> None:
        self.items, self.table, self.current = [], {}, None


class Node:
    """An object of the world."""

    def __init__(self, n: Any) -> None:
        self.n = n

    def __repr__(self) -> str:
        return f"Node({number(self.n)})"


def number(x: Any) -> Any:
    """What Python would have in place of a tensor."""
    return int(x) if isinstance(x, ag.Tensor) else x


class Programs(dict):
    """The programs of one file, by name, each with what sets the world up."""

    def add(self, setup: Callable[[World, int], None]) -> Callable[[Any], Any]:
        """Keep the decorated function."""

        def keep(f: Any) -> Any:
            self[f.__name__] = f, setup
            return f

        return keep

    def play(self, name: str, f: Any, argument: Any, turns: int, look: Any) -> list[Any]:
        """What calls give and leave, as `look` sees it, also after the world has been replaced."""
        _, setup = self[name]
        world, found = World(), []
        for start in (1, 5, 7):
            world.__init__()
            setup(world, start)
            seen = look(world)
            for turn in range(turns):
                try:
                    result = repr(number(f(world, argument(start + turn))))
                except (IndexError, KeyError) as error:
                    result = type(error).__name__
                found.append((result, seen()))
        return found
