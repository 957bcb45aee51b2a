"""The table of stand-ins: what converted code calls in the place of a function that knows nothing of staged tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["STAND_INS", "stand_in"]

STAND_INS: dict[Any, Any] = {}


def stand_in(original: Any) -> Callable[[Any], Any]:
    """Register the decorated function as what is called in the place of `original`."""

    def register(fn: Any) -> Any:
        STAND_INS[original] = fn
        return fn

    return register
