"""NumPy arrays that a trace makes of numbers it knows, and that staged code then writes.

Such an array is Python's as long as nobody writes it: it indexes lists and is iterated over at no cost. Where an item is set
to a tensor, or at a tensor, or where only the run knows whether it is set at all, the function is traced again, and
what the same place in it makes is a tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.state.aliases import TraceAgain, hints_of
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace
from runtime.tensor.views import mark_array

__all__ = ["boxed", "check_write", "made", "made_by", "method_of_array"]

_NOTE = "plain arrays"


def boxed(array: Any) -> Any:
    """An array of numbers as a tensor of the trace."""
    trace = STATE.trace
    if trace is None or type(array) is not np.ndarray or array.dtype.kind not in "biufc" or not array.dtype.isnative:
        return array
    return mark_array(Tensor(trace.constant(array)), of_any_rank=True)


def made(array: Any) -> Any:
    """An array that was just made of what the trace knows: itself, or a tensor, where it is known to be written."""
    trace = STATE.trace
    if trace is None or type(array) is not np.ndarray or not trace.notes.get("restarts"):
        return array
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("autograph."):
        frame = frame.f_back
    key = "array", frame.f_code, frame.f_lasti
    if key in hints_of(trace):
        return boxed(array)
    trace.notes.setdefault(_NOTE, {})[id(array)] = array, trace.builder.region, key
    return array


def made_by(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function makes that is NumPy's, or a method of an array."""
    return made(original(*args, **kwargs))


def method_of_array(method: Any) -> Any:
    """What is called in the place of a bound method of an array."""
    return partial(made_by, method) if method.__name__ in ("copy", "astype") else method


def check_write(trace: Trace, array: np.ndarray, index: Any, value: Any) -> None:
    """Before an item of a NumPy array is set in a trace.

    Raises:
      TraceAgain: it has to be a tensor, and the trace made it.
      OperatorNotAllowedInGraphError: it has to be a tensor, and nobody knows where it comes from.
    """
    staged = is_staged(value) or any(map(is_staged, index if type(index) is tuple else (index,)))
    region = trace.builder.region
    if not staged and region.parent is None:
        return
    found = trace.notes.get(_NOTE, {}).get(id(array))
    if found is not None and not staged and found[1] is region:
        return  # made and written in one go
    if found is None or found[2] in hints_of(trace):
        raise refusal("array-write")
    raise TraceAgain(found[2])
