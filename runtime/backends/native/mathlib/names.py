"""Which functions there are, and in which file each is: that is loaded when a program calls it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from runtime.backends.native.mathlib import emitter

__all__ = ["BINARY", "NAMES", "SLOW", "TYPES", "body", "slow_bodies", "symbol"]

TYPES = ("f32", "f64")
_UNARY = {
    "exponential": "exp exp2 expm1 sigmoid tanh sinh cosh",
    "logarithm": "log log2 log10 log1p softplus",
    "trigonometric": "sin cos tan",
    "inverse_trigonometric": "asin acos atan",
    "inverse_hyperbolic": "asinh acosh atanh",
    "error_function": "erf erfc",
    "algebraic": "rsqrt cbrt",
    "power": "cube fourth",
}
_BINARY = {
    "logarithm": "logaddexp",
    "inverse_trigonometric": "atan2",
    "algebraic": "hypot",
    "power": "pow",
    "division": "fmod remainder floor_divide",
}
_HOMES = {name: file for table in (_UNARY, _BINARY) for file, names in table.items() for name in names.split()}
NAMES = frozenset(name for names in _UNARY.values() for name in names.split())
BINARY = frozenset(name for names in _BINARY.values() for name in names.split())
# name -> where its vector code ends: its file has the test, `beyond`; the exact code is there, too, or libm's
SLOW = {
    **dict.fromkeys(("sin", "cos", "tan"), "|x| > 2**20 (f32), 2**36 (f64)"),
    **dict.fromkeys(("fmod", "remainder", "floor_divide"), "|x / y| >= 2**53"),
}


def symbol(name: str, kind: str) -> str:
    """The function's symbol, `@ag_exp_f32`.

    >>> symbol("exp", "f32")
    '@ag_exp_f32'
    """
    return f"@ag_{name}_{kind}"


def body(name: str) -> Callable[..., Any]:
    """What writes the instructions of a function. Raises KeyError where there is none."""
    return getattr(_home(name), name)  # type: ignore[no-any-return]


def slow_bodies(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The test of whether arguments are beyond a function's vector code, and the exact code."""
    home = _home(name)
    return home.beyond, getattr(home, f"exact_{name}", None) or partial(emitter.library_call, name)


def _home(name: str) -> Any:
    return import_module(f"{__name__.rpartition('.')[0]}.{_HOMES[name]}")
