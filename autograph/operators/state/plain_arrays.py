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
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace
from runtime.tensor.views import into_array, mark_array

__all__ = [
    "at_of_ufunc",
    "boxed",
    "check_change",
    "check_write",
    "in_lists_staged",
    "made",
    "made_by",
    "method_of_array",
    "tensor_for",
]

_NOTE = "plain arrays"
_ALL = "plain arrays are tensors"  # the hint to make a tensor at each such place: what operators make of them is one, too


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
    if key in hints_of(trace) or _ALL in hints_of(trace):
        return boxed(array)
    trace.notes.setdefault(_NOTE, {})[id(array)] = array, trace.builder.region, key
    return array


def made_by(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function makes that is NumPy's, or a method of an array."""
    return made(original(*args, **kwargs))


def method_of_array(method: Any) -> Any:
    """What is called in the place of a bound method of an array."""
    name, trace = method.__name__, STATE.trace
    if trace is not None and id(method.__self__) in trace.arrays:
        return getattr(trace.arrays[id(method.__self__)], name, method)
    if name in _CHANGING:
        return partial(_changing, method)
    if name in _TAKING and trace is not None:
        return partial(_taking, method)
    return partial(made_by, method) if name in ("copy", "astype") else method


_CHANGING = frozenset(("fill", "sort", "partition", "put", "resize", "byteswap"))


_TAKING = frozenset(("choose", "clip", "dot", "repeat", "searchsorted", "take"))


def _taking(method: Any, *args: Any, **kwargs: Any) -> Any:
    """A method that takes arrays: where these are staged, NumPy's function of that name for tensors."""
    if any(map(in_lists_staged, (*args, *kwargs.values()))):
        given = [op.convert(x) if isinstance(x, (list, tuple)) and in_lists_staged(x) else x for x in args]
        return getattr(np, method.__name__)(op.convert(method.__self__), *given, **kwargs)
    return method(*args, **kwargs)


def in_lists_staged(x: Any) -> bool:
    """Whether a value is staged, or a list or tuple with such in it at any depth."""
    return any(map(in_lists_staged, x)) if type(x) in (list, tuple) else is_staged(x)


def _changing(method: Any, *args: Any, **kwargs: Any) -> Any:
    """A method that changes its array."""
    trace = STATE.trace
    if trace is None:
        return method(*args, **kwargs)
    into = check_change(trace, method.__self__, any(map(is_staged, args)), hasattr(Tensor, method.__name__))
    return method(*args, **kwargs) if into is method.__self__ else getattr(into, method.__name__)(*args, **kwargs)


def check_write(trace: Trace, array: np.ndarray, index: Any, value: Any) -> Any:
    """Before an item of a NumPy array is set in a trace: what to set it in.

    Raises:
      TraceAgain: it has to be a tensor, and the trace made it, or it was there before.
      OperatorNotAllowedInGraphError: it has to be a tensor, and nobody knows where it comes from.
    """
    if id(array) in trace.arrays:
        return trace.arrays[id(array)]
    staged = is_staged(value) or any(map(is_staged, index if type(index) is tuple else (index,)))
    return check_change(trace, array, staged)


def check_change(trace: Trace, array: np.ndarray, staged: bool, can_be_tensor: bool = True) -> Any:
    """Before a NumPy array is changed in a trace, as `check_write`.

    Args:
      trace: the trace.
      array: what is changed.
      staged: whether by what is known when the graph runs.
      can_be_tensor: whether tensors can be changed so.
    """
    if id(array) in trace.arrays:
        return trace.arrays[id(array)]
    region = trace.builder.region
    table, whole = trace.notes.get(_NOTE, {}), array
    while id(whole) not in table and type(whole.base) is np.ndarray:
        whole = whole.base
    found = table.get(id(whole))
    if found is not None and not staged and found[1] is region:
        return array  # made and written in one go
    if found is None and "outside arrays" in trace.notes and can_be_tensor:
        trace.notes["outside arrays"].written(trace, array)
    if not staged and region.parent is None:
        return array
    hint = _ALL if found is None else found[2]
    if hint in hints_of(trace) or not table or not can_be_tensor:
        raise refusal("array-write")
    raise TraceAgain(hint)


def tensor_for(array: Any, staged: bool, can_be_tensor: bool = True) -> Any:
    """What one of NumPy's functions is to write in the place of an array: a tensor, or None where NumPy itself writes."""
    if isinstance(array, Tensor):
        return array
    trace = STATE.trace
    if trace is None or type(array) is not np.ndarray:
        return None
    into = check_change(trace, array, staged, can_be_tensor)
    return None if into is array else into


def at_of_ufunc(method: Any) -> Callable[..., Any]:
    """What is called in the place of `np.add.at` and its like."""

    def at(a: Any, indices: Any, *values: Any) -> Any:
        into = tensor_for(a, any(map(is_staged, (indices, *values))), method.__self__ in _AT)
        return method(a if into is None else into, indices, *values)

    return at


_AT = frozenset((np.add, np.subtract))  # those that can write tensors


def _into(trace: Trace, array: np.ndarray) -> Any:
    """What a function of NumPy's writes a tensor into, given an array."""
    return check_change(trace, array, staged=True)


into_array[0] = _into
