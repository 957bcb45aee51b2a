"""The table of NumPy's functions on tensors, and what all of them use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import Parameter, signature
from typing import Any

import numpy as np

from runtime.ops.registry import FUNCTIONS, get, load_family_of
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import UnimplementedError

__all__ = [
    "NO_VALUE",
    "TABLE",
    "Counterpart",
    "as_array",
    "axes_of",
    "counterpart",
    "ours",
    "public",
    "rank_of",
    "refuse",
    "without_counterpart",
]


class _Public:
    """Operations as users call them: `op.reshape(x, shape)`, where rules write `op.reshape(x, shape=...)`."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):  # what protocols probe for is no operation
            raise AttributeError(name)
        load_family_of(name)
        entry = FUNCTIONS.get(name)
        call = entry.fn if entry is not None else get(name).rules.call
        caller = getattr(op, name) if call is None else partial(call, op)
        setattr(self, name, caller)
        return caller


public = _Public()


class Counterpart:
    """What is called in the place of one of NumPy's functions; arguments that it does not know must be left alone."""

    def __init__(self, original: Any, function: Callable[..., Any]) -> None:
        self.original = original
        self.function = function
        parameters = signature(function).parameters.values()
        self.places = [
            p.name
            for p in parameters
            if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        ]
        self.names = {
            p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        }
        self.takes_all = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (len(args) > len(self.places) and not self.takes_all) or not self.names.issuperset(kwargs):
            args, kwargs = self._without_defaults(args, kwargs)
        return self.function(*args, **kwargs)

    def _without_defaults(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments without those that are unknown here, which have NumPy's defaults.

        Raises:
          UnimplementedError: one of them has not.
        """
        parameters = signature(self.original).parameters
        extra = dict(zip(list(parameters)[len(self.places) :], args[len(self.places) :], strict=False))
        for name in [*extra, *(k for k in kwargs if k not in self.names)]:
            value = extra[name] if name in extra else kwargs.pop(name)
            if name in self.names:
                kwargs[name] = value
            elif name not in parameters:
                raise TypeError(f"{self.original.__name__}() got an unexpected keyword argument '{name}'")
            elif value is not parameters[name].default and value not in (None, parameters[name].default):
                refuse(f"np.{self.original.__name__}", f"{name}=")
        return args[: len(self.places)], kwargs


TABLE: dict[Any, Counterpart] = {}
NO_VALUE: Any = np._NoValue  # type: ignore[attr-defined]
"""What NumPy's functions have in the place of an argument that is not given."""


def counterpart(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the table, under functions of NumPy's. It has NumPy's parameters, or the first of them."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for original in functions:
            TABLE[original] = Counterpart(original, function)
        return function

    return enter


def refuse(function: str, argument: str) -> None:
    """Raise that an argument has no counterpart."""
    raise UnimplementedError(
        f"{argument} of {function} is not supported for tensors",
        id="numpy-arguments",
        what=f"{argument} of {function}",
    )


def without_counterpart(function: Any) -> UnimplementedError:
    """The error of one of NumPy's functions that there is nothing for."""
    inner = (getattr(function, "__module__", None) or "numpy").removeprefix("numpy").strip(".")
    what = f"np.{inner}.{function.__name__}" if inner and inner[0] != "_" else f"np.{function.__name__}"
    message = f"{what} has no counterpart for tensors in a graph or under a tape"
    return UnimplementedError(message, id="numpy-function", what=what)


def as_array(x: Any) -> Any:
    """An argument with eager tensors in it as arrays."""
    if isinstance(x, Tensor):
        return np.asarray(x._value)
    if type(x) in (list, tuple):
        return type(x)(map(as_array, x))
    return x


def rank_of(x: Any) -> int:
    """The number of axes."""
    return len(x.type.shape or ()) if isinstance(x, Tensor) else np.ndim(x)


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as numbers from 0; None are all."""
    if axis is None:
        return tuple(range(rank))
    return tuple(a % rank for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def ours(x: Any) -> Any:
    """A tensor of an array, a number or a list of tensors, of NumPy's element type: Python's numbers have 64 bits."""
    if isinstance(x, Tensor):
        return op.cast(x, dtype=x.type.dtype) if x.type.weak else x
    if isinstance(x, (list, tuple)) and any(isinstance(e, Tensor) for e in x):
        return public.stack([ours(e) for e in x])
    return public.constant(np.asarray(x))
