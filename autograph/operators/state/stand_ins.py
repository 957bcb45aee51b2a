"""The table of stand-ins: what converted code calls in the place of a function that knows nothing of staged tensors."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any

from autograph.operators.state.own_names import keep_own

__all__ = ["FRAME_READERS", "PUBLIC_STAND_INS", "STAND_INS", "stand_in", "stand_in_of"]

STAND_INS: dict[Any, Any] = {}
FRAME_READERS: dict[Any, Any] = {}  # stand-ins that converted code needs even where nothing is traced
# By name, as public functions are made when they are first used: given the function, what stands in for it.
PUBLIC_STAND_INS: dict[str, Callable[[Any], Any]] = {}
# Modules of Python whose functions' stand-ins are loaded when one of them is called, by the last of these.
_LATE = {
    "statistics": tuple(f"autograph.operators.functions.statistics_{name}" for name in ("forms", "stand_ins")),
}


def stand_in_of(f: Any) -> Any:
    """What is called in the place of a Python function, or None."""
    found = STAND_INS.get(f)
    if found is None:
        module = f.__module__
        if module == "autograph" and f.__name__ in PUBLIC_STAND_INS:
            found = STAND_INS[f] = PUBLIC_STAND_INS[f.__name__](f)
        elif type(module) is str and module in _LATE:
            for name in _LATE[module]:
                keep_own(import_module(name))
            found = STAND_INS.get(f)
    return found


def stand_in(original: Any) -> Callable[[Any], Any]:
    """Register the decorated function as what is called in the place of `original`."""

    def register(fn: Any) -> Any:
        STAND_INS[original] = fn
        name = getattr(original, "__name__", "")
        if type(fn) is FunctionType and fn.__name__ == f"{name}_":
            fn.__name__ = fn.__qualname__ = name  # what Python calls it where its arguments do not fit
        return fn

    return register
