"""What is made once in a process and stays: code whose addresses others keep."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["MAKING", "once"]

P = ParamSpec("P")
T = TypeVar("T")

MAKING = threading.RLock()
"""Held while anything is made: one lock, as what is made needs other things that are made once."""


def once(make: Callable[P, T]) -> Callable[P, T]:
    """As `functools.cache`, for positional arguments, but threads that ask at the same time get the same thing.

    `cache` lets each of them make one and keeps the last. Code that nobody keeps is given back, and programs that have its
    addresses run into what is there instead.

    >>> @once
    ... def made(name):
    ...     return [name]
    >>> made("a") is made("a")
    True
    """
    found: dict[tuple[object, ...], T] = {}

    @wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        assert not kwargs
        try:
            return found[args]
        except KeyError:
            pass
        with MAKING:
            if args not in found:
                found[args] = make(*args, **kwargs)
            return found[args]

    return get
