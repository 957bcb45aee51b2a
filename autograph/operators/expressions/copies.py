"""`copy.copy` and `copy.deepcopy` of what holds lists that only the run knows: Python would copy what stands for them."""

from __future__ import annotations

import copy
from typing import Any

from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.containers.lists import dynamic_of
from autograph.operators.expressions.py_builtins import collect
from autograph.operators.functions.calls import callee
from autograph.operators.state.births import note_birth
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.values.listvalue import RunTuple, run_tuple
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__: list[str] = []

_NOT_THERE = object()
_NEW: Any = object.__new__


@stand_in(copy.copy)
def copy_(x: Any) -> Any:
    """`copy.copy`."""
    if type(x) is RunTuple:
        return x
    if dynamic_of(x) is not None:
        return ListMethod(x, "copy")()
    method = getattr(type(x), "__copy__", None)
    return copy.copy(x) if method is None or isinstance(x, Tensor) else callee(method)(x)


@stand_in(copy.deepcopy)
def deepcopy_(x: Any, memo: Any = None) -> Any:
    """`copy.deepcopy`."""
    trace = STATE.trace
    if trace is None or "lists" not in trace.notes:
        return copy.deepcopy(x, memo)
    return _deep(x, {} if memo is None else memo)


def _deep(x: Any, memo: dict[int, Any]) -> Any:
    made = memo.get(id(x), _NOT_THERE)
    if made is not _NOT_THERE:
        return made
    kind = type(x)
    if dynamic_of(x) is not None:
        made = collect(x, lambda e: _deep(e, {}), None)
        made = made if kind is list else run_tuple(made)
    elif kind is list:
        made = memo[id(x)] = []
        made.extend(_deep(e, memo) for e in x)
    elif kind is tuple:
        made = tuple(_deep(e, memo) for e in x)
    elif kind is dict:
        made = memo[id(x)] = {}
        made.update({_deep(k, memo): _deep(v, memo) for k, v in x.items()})
    elif _is_plain(x):
        made = memo[id(x)] = object.__new__(kind)
        note_birth(STATE.trace, made)  # type: ignore[arg-type]
        for name, value in vars(x).items():
            object.__setattr__(made, name, _deep(value, memo))
    else:
        method = getattr(kind, "__deepcopy__", None)
        made = copy.deepcopy(x, memo) if method is None or isinstance(x, Tensor) else callee(method)(x, memo)
    memo[id(x)] = made
    memo.setdefault(id(memo), []).append(x)  # it keeps its id
    return made


def _is_plain(x: Any) -> bool:
    """Whether an object is its attributes, and copied as they are."""
    kind = type(x)
    if isinstance(x, (Tensor, type)) or not hasattr(x, "__dict__") or any("__slots__" in vars(c) for c in kind.__mro__):
        return False
    own = "__deepcopy__", "__reduce__", "__getstate__", "__setstate__", "__getnewargs__"
    return kind.__new__ is _NEW and not any(name in vars(c) for c in kind.__mro__[:-1] for name in own)
