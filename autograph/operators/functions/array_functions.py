"""NumPy's functions where Python's lists among their arguments hold tensors: NumPy would ask each tensor for its value.

    np.mean([x, y])    ->    np.mean(ag.convert([x, y])), which is the tensor's mean
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import dynamic_of, stacked, typed
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.functions.unconverted import without_lists
from autograph.operators.state.plain_arrays import made
from runtime.tensor.dispatch import op
from runtime.tensor.numpy_functions.table import public, rank_of
from runtime.tensor.tensor import Tensor

__all__ = ["JOINERS", "array_of", "is_of_numpy", "joined", "on_arrays"]

_KINDS = frozenset((np.ufunc, type(np.sum)))
_JOINING = np.column_stack, np.concatenate, np.dstack, np.hstack, np.stack, np.vstack
_OF_SEQUENCES = frozenset((*_JOINING, np.lexsort, np.linalg.multi_dot, np.select))
"""Functions of several arrays in a list: of them each becomes a tensor, not all of them together."""


def is_of_numpy(kind: type) -> bool:
    """Whether the class is that of NumPy's functions, which tensors take part in."""
    return kind in _KINDS


def on_arrays(f: Any, lists: bool) -> Callable[..., Any]:
    """What is called in the place of one; `lists`: the trace has some whose length only the run knows."""
    return partial(_call, f, without_lists(f) if lists else f)


def _call(f: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    given = [*args, *kwargs.values()]
    # They ask the tensors in the lists, or one beside them.
    passes = f is np.block or any(isinstance(x, Tensor) for x in given)
    if passes or not any(type(x) in _LISTS and holds_staged(x) for x in given):
        return function(*args, **kwargs) if passes else _new(function(*args, **kwargs), given)
    take = _each if f in _OF_SEQUENCES else _array
    return function(*map(take, args), **{name: take(x) for name, x in kwargs.items()})


def _new(result: Any, given: Any) -> Any:
    """What NumPy made of what the trace knows; arrays that are new may be written."""
    if type(result) in _LISTS:
        return type(result)(_new(x, given) for x in result)
    return result if type(result) is not np.ndarray or _shares(result, given) else made(result)


def _shares(array: Any, given: Any) -> bool:
    """Whether an array may be, or be a view of, one that was given."""
    arrays = (x for x in given if isinstance(x, np.ndarray))
    return any(np.may_share_memory(array, x) for x in arrays) or any(_shares(array, x) for x in given if type(x) in _LISTS)


_LISTS = frozenset((list, tuple))


def array_of(x: Any) -> Any:
    """A tensor of a list with tensors in it at any depth, or of one, as NumPy makes an array of it."""
    return op.convert(_typed(x))


def _typed(x: Any) -> Any:
    """Bare numbers of the run in NumPy's types for them: Python's float has 64 bits there."""
    if isinstance(x, Tensor):
        return op.cast_to(x, x.type.dtype.dtype) if x.type.weak else x
    if type(x) not in _LISTS:
        return x
    dynamic = dynamic_of(x)
    return list(map(_typed, x)) if dynamic is None else stacked(typed(dynamic), rows=True)


def _array(x: Any) -> Any:
    if type(x) not in _LISTS or not holds_staged(x):
        return x
    dynamic = dynamic_of(x)
    return array_of(x) if dynamic is None else stacked(typed(dynamic), rows=True)


def _each(x: Any) -> Any:
    if type(x) not in _LISTS or not holds_staged(x):
        return x
    dynamic = dynamic_of(x)
    if dynamic is not None:
        return stacked(typed(dynamic), rows=True)
    return type(x)(_typed(e) if isinstance(e, Tensor) else _array(e) for e in x)


JOINERS = frozenset((type(np.r_), type(np.c_)))
"""The classes of what joins arrays by subscripts."""


def joined(maker: Any, items: tuple[Any, ...]) -> Any:
    """`np.r_[x, 1, 2:5]` and `np.c_[x, y]` of tensors."""
    if any(isinstance(x, str) for x in items):
        raise refusal("numpy-arguments", what="a text in np.r_[...]")
    parts = [_part(x) for x in items]
    if maker is np.c_:
        columns = [p[None, None] if rank_of(p) == 0 else p[:, None] if rank_of(p) == 1 else p for p in parts]
        return np.concatenate(columns, -1)
    return np.concatenate([p if rank_of(p) else p[None] for p in parts])


def _part(x: Any) -> Any:
    if isinstance(x, slice):
        ends = 0 if x.start is None else x.start, x.stop, 1 if x.step is None else x.step
        return public.np_arange(*ends) if any(isinstance(e, Tensor) for e in ends) else public.constant(np.r_[x])
    return _array(x) if type(x) in _LISTS and holds_staged(x) else array_of(x if isinstance(x, Tensor) else np.asarray(x))
