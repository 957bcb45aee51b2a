"""Staged tensors that stand for a Python number: the index of a loop over `range`, what `int(x)` gives."""

from __future__ import annotations

from typing import Any

from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import current

__all__ = ["is_number", "note_integer", "python_type"]


def note_integer(x: Any) -> None:
    """Note that `x` is an item of a range: it has the dtype of the range's bounds, but in Python it is an int."""
    trace = current()
    if trace is not None and is_staged(x):
        trace.notes.setdefault("integers", set()).add(x._value)


def is_number(x: Any) -> bool:
    """Whether `x` stands for a Python number."""
    if type(x) is not Tensor or not is_staged(x):
        return False
    trace = current()
    return x.type.weak or (trace is not None and x._value in trace.notes.get("integers", ()))


def python_type(x: Tensor) -> type:
    """The class of the Python number that `x` stands for."""
    dtype = x.type.dtype
    return bool if dtype.is_bool else int if dtype.is_integer else complex if dtype.is_complex else float
