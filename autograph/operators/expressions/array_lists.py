"""Stand-ins for functions of a list of tensors (`ag.stack`, `np.concatenate`): lists of staged length, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import concatenated_tensors, dynamic_of, element_of, stacked, typed
from autograph.operators.expressions.reductions import sum_
from autograph.operators.functions import array_forms
from autograph.operators.functions.array_functions import array_of, on_arrays
from autograph.operators.functions.calls import callee
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.plain_arrays import in_lists_staged, made
from autograph.operators.state.stand_ins import PUBLIC_STAND_INS, stand_in
from autograph.operators.values.choice import resolve
from autograph.operators.values.descriptors import Leaf, Sequence, Struct
from autograph.operators.values.listvalue import ListValue, Splice
from runtime.tensor.dispatch import op
from runtime.tensor.numpy_functions.table import public, rank_of
from runtime.tensor.shape import TensorShape
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
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


def _rank_of_each(value: ListValue) -> int:
    """The axes of each array in a staged list."""
    return _rank(element_of(value), value)


def _rank(kind: Any, value: ListValue) -> int:
    if isinstance(kind, Sequence) and kind.element is not None:
        return 1 + _rank(kind.element, value)
    if isinstance(kind, Struct) and kind.kind in (list, tuple) and kind.children:
        return 1 + _rank(kind.children[0], value)
    if not isinstance(kind, Leaf) or kind.type.shape is None:
        raise refusal("stack-of-structures", element=element_of(value))
    return len(kind.type.shape)


def _concatenated(value: ListValue, axis: Any = 0) -> Any:
    """`np.concatenate` of a staged list of arrays, of rows of as many numbers, or of lists."""
    element = element_of(value)
    if isinstance(element, Leaf) and (axis is not None or len(element.type.shape or ()) == 1):
        return concatenated_tensors(value, axis or 0)
    if isinstance(element, Sequence):
        return _as_array(dynamic_of(callee(array_forms.chained)([Splice(value)])))
    rows = stacked(typed(value), rows=True)
    return public.reshape(rows, (-1,)) if axis is None else _merged(rows, axis % (rank_of(rows) - 1))


def _merged(rows: Any, axis: int) -> Any:
    """What lies along the first axis, one behind the other along another."""
    rows = public.moveaxis(rows, 0, axis)
    known, sizes = rows.type.shape, public.shape(rows, "int64")
    each = [known[k] if isinstance(known[k], int) else sizes[k] for k in range(len(known))]
    return public.reshape(rows, [*each[:axis], public.mul(each[axis], each[axis + 1]), *each[axis + 2 :]])


def _vstack(value: ListValue) -> Any:
    rank = _rank_of_each(value)
    if rank == 0:
        return stacked(typed(value))[:, None]
    return stacked(typed(value), rows=True) if rank == 1 else _concatenated(value)


def _hstack(value: ListValue) -> Any:
    rank = _rank_of_each(value)
    return stacked(typed(value)) if rank == 0 else _concatenated(value, 0 if rank == 1 else 1)


def _column_stack(value: ListValue) -> Any:
    rank = _rank_of_each(value)
    if rank == 0:
        return stacked(typed(value))[None]
    return public.transpose(stacked(typed(value), rows=True)) if rank == 1 else _concatenated(value, 1)


def _dstack(value: ListValue) -> Any:
    rank = _rank_of_each(value)
    if rank == 0:
        return stacked(typed(value))[None, None]
    if rank == 1:
        return public.transpose(stacked(typed(value), rows=True))[None]
    return public.moveaxis(stacked(typed(value), rows=True), 0, 2) if rank == 2 else _concatenated(value, 2)


stand_in(np.stack)(_on_lists(lambda value, axis=0: stacked(typed(value), axis, rows=True))(on_arrays(np.stack, lists=False)))
_JOINING: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (np.column_stack, _column_stack),
    (np.concatenate, _concatenated),
    (np.dstack, _dstack),
    (np.hstack, _hstack),
    (np.vstack, _vstack),
)
for _plain, _joined in _JOINING:
    stand_in(_plain)(_on_lists(_joined)(on_arrays(_plain, lists=False)))


def _array(original: Callable[..., Any], copies: bool) -> Callable[..., Any]:
    """`np.array`, which `copies`, and its like: of what is known when the graph runs, a tensor that is an array."""

    def call(value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        value = resolve(value)
        if isinstance(value, TensorShape):
            value = list(value)
        if not (in_lists_staged(value) or _holds_grown(value)):
            array = original(value, dtype, *args, **kwargs)
            return array if array is value else made(array)
        return _of_staged(value, dtype, copies if (copy := kwargs.get("copy")) is None else copy, kwargs.get("ndmin", 0))

    return call


def _holds_grown(value: Any) -> bool:
    """Whether a list or tuple has lists in it, at any depth, of which only the run knows how long they are."""
    trace = STATE.trace
    if trace is None or "lists" not in trace.notes or type(value) not in (list, tuple):
        return False
    return any(dynamic_of(x) is not None or _holds_grown(x) for x in value)


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


@stand_in(np.polyval)
def polyval_(p: Any, x: Any) -> Any:
    """`np.polyval`: of coefficients of which only the run knows how many, a loop over them."""
    p, x = resolve(p), resolve(x)
    coefficients = p if isinstance(p, Tensor) else dynamic_of(p)
    if coefficients is None or (isinstance(p, Tensor) and isinstance((p.type.shape or (None,))[0], int)):
        return _POLYVAL(p, x)
    zero = np.zeros_like(op.convert(np.asarray(x)) if type(x) in NUMBERS else array_of(x))
    return callee(array_forms.polyval)(p, x, zero)


_POLYVAL = on_arrays(np.polyval, lists=False)
