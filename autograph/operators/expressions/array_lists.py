"""Stand-ins for functions of a list of tensors (`ag.stack`, `np.concatenate`): lists of staged length, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.operators.containers.lists import concatenated_tensors, dynamic_of, stacked, typed
from autograph.operators.expressions.reductions import sum_
from autograph.operators.functions.array_functions import array_of, on_arrays
from autograph.operators.state.plain_arrays import in_lists_staged, made
from autograph.operators.state.stand_ins import PUBLIC_STAND_INS, stand_in
from autograph.operators.values.choice import resolve
from runtime.tensor.dispatch import op
from runtime.tensor.shape import TensorShape
from runtime.tensor.views import mark_array

__all__: list[str] = []


def _on_lists(staged: Callable[..., Any]) -> Callable[[Any], Any]:
    """Given the original: calls `staged` with a list that has staged content, and the original otherwise."""

    def before(original: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            value = dynamic_of(args[0]) if args else None
            if value is None:
                return original(*args, **kwargs)
            kwargs.pop("name", None)
            return staged(value, *args[1:], **kwargs)

        return call

    return before


def _converted(value: Any, dtype: Any = None) -> Any:
    out = stacked(value, rows=True)
    return out if dtype is None else out.astype(dtype)


def _as_array(value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    del kwargs  # how it lies in memory
    out = stacked(typed(value), rows=True)
    return out if dtype is None else op.cast_to(out, np.dtype(dtype))


_STACK, _JOIN, _CONVERT = _on_lists(stacked), _on_lists(concatenated_tensors), _on_lists(_converted)
PUBLIC_STAND_INS.update(
    add_n=_on_lists(lambda value: sum_(value)),
    concat=_JOIN,
    concatenate=_JOIN,
    constant=_CONVERT,
    convert_to_tensor=_CONVERT,
    stack=_STACK,
)
stand_in(np.stack)(_STACK(on_arrays(np.stack, lists=False)))
stand_in(np.concatenate)(_JOIN(on_arrays(np.concatenate, lists=False)))


def _array(original: Callable[..., Any], copies: bool) -> Callable[..., Any]:
    """`np.array`, which `copies`, and its like: of what is known when the graph runs, a tensor that is an array."""

    def call(value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        value = resolve(value)
        if isinstance(value, TensorShape):
            value = list(value)
        if not in_lists_staged(value):
            array = original(value, dtype, *args, **kwargs)
            return array if array is value else made(array)
        return _of_staged(value, dtype, copies if (copy := kwargs.get("copy")) is None else copy, kwargs.get("ndmin", 0))

    return call


def _of_staged(value: Any, dtype: Any, copy: bool, axes: int) -> Any:
    array: Any = array_of(value)
    if dtype is not None:
        array = op.cast_to(array, np.dtype(dtype))
    rank = 0 if array.type.shape is None else len(array.type.shape)
    if rank < axes:
        array = array[(None,) * (axes - rank)]
    if array is not value:
        return mark_array(array)
    return mark_array(op.identity(value), of_any_rank=True) if copy else value


for _original in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray):
    stand_in(_original)(_on_lists(_as_array)(_array(_original, copies=_original is np.array)))
