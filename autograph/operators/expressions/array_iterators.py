"""Stand-ins for what goes over the elements of arrays in C: `np.ndenumerate`, `np.nditer`, `np.fromiter`, `np.vectorize`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import as_list_value, stacked
from autograph.operators.expressions.py_builtins import collect, list_
from autograph.operators.functions import array_forms
from autograph.operators.functions.calls import callee
from autograph.operators.items.iterators import iterator_of, mapped
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.iterables import StagedRange
from autograph.operators.values.choice import resolve
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__: list[str] = []


def _shape(x: Tensor) -> tuple[Any, ...]:
    """The sizes: numbers, or tensors of those that only the run knows."""
    shape = x.type.shape
    if shape is None:
        raise refusal("unknown-length", what="an array's elements with their indices")
    return tuple(n if isinstance(n, int) else op.dim_size(x, axis=k) for k, n in enumerate(shape))


def _is_known(shape: tuple[Any, ...]) -> bool:
    return all(isinstance(n, int) for n in shape)


@stand_in(np.ndenumerate)
def _ndenumerate(x: Any) -> Any:
    """`np.ndenumerate`: pairs of an index, a tuple of numbers, and the element there."""
    if not isinstance(x, Tensor) or STATE.trace is None:
        return np.ndenumerate(x)
    shape, flat = _shape(x), op.flatten(x)

    def pair(i: Any) -> Any:
        steps = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
        return tuple((i // step) % n for step, n in zip(steps, shape, strict=True)), flat[i]

    return mapped(pair, (StagedRange(0, math.prod(shape)),))


@stand_in(np.nditer)
def _nditer(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.nditer` of one array that is only read: its elements."""
    if not isinstance(x, Tensor) or STATE.trace is None:
        return np.nditer(x, *args, **kwargs)
    if args or kwargs:
        raise refusal("numpy-arguments", what="np.nditer() with flags")
    return iterator_of(op.flatten(x))


@stand_in(np.fromiter)
def _fromiter(items: Any, dtype: Any, count: int = -1, **kwargs: Any) -> Any:
    """`np.fromiter`."""
    if STATE.trace is None or kwargs:
        return np.fromiter(items, dtype, count, **kwargs)
    listed = list_(items)
    if type(listed) is list and len(listed) == 0:
        return np.fromiter((), dtype)
    made = op.cast_to(stacked(as_list_value(listed)), np.dtype(dtype))
    return made if count < 0 else made[:count]


@stand_in(np.fromfunction)
def _fromfunction(function: Any, shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """`np.fromfunction`: the function, converted, of the indices' arrays."""
    return callee(function)(*callee(np.indices)(shape, dtype=dtype), **kwargs)


@stand_in(np.apply_along_axis)
def _apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.apply_along_axis`: of rows of which only the run knows how many, a loop over them."""
    x = resolve(arr)
    rank = len(x.type.shape or ()) if isinstance(x, Tensor) else 0
    if rank < 2 or all(isinstance(n, int) for k, n in enumerate(x.type.shape) if k != axis % rank):
        return np.apply_along_axis(callee(func1d), axis, x, *args, **kwargs)
    rows = op.moveaxis(x, axis, -1)
    around, last = _shape(rows)[:-1], _shape(rows)[-1]
    found = callee(array_forms.applied)(func1d, op.reshape_method(rows, (-1, last)), args, kwargs)
    made = stacked(as_list_value(found), rows=True)
    inner = _shape(made)[1:]
    made = op.reshape_method(made, (*around, *inner))
    for k in range(len(inner)):  # the axes of a result stand where the axis stood
        made = op.moveaxis(made, len(around) + k, axis % rank + k)
    return made


@stand_in(np.vectorize)
def _vectorize(function: Any, otypes: Any = None, **kwargs: Any) -> Any:
    """`np.vectorize`: a function of numbers called for the elements of tensors, one after the other."""
    plain = np.vectorize(function, otypes, **kwargs)
    if STATE.trace is None:
        return plain
    each: Callable[..., Any] = callee(function)

    def call(*args: Any) -> Any:
        if not any(isinstance(x, Tensor) for x in args):
            return plain(*args)
        if kwargs:
            raise refusal("numpy-arguments", what="np.vectorize() with more than otypes")
        arrays = [op.strong(x) for x in args]
        shapes = list(map(_shape, arrays))
        if all(map(_is_known, shapes)):
            shape = np.broadcast_shapes(*shapes)
            arrays = [op.broadcast_to_shape(x, list(shape)) for x in arrays]
        else:
            arrays = list(np.broadcast_arrays(*arrays)) if len(arrays) > 1 else arrays
            shape = _shape(arrays[0])
        flats = [op.flatten(x) for x in arrays]
        count = StagedRange(0, math.prod(shape))
        made = stacked(as_list_value(collect(count, lambda i: each(*(flat[i] for flat in flats)), None)))
        made = op.reshape_method(made, shape)
        return made if otypes is None else op.cast_to(made, np.dtype(otypes[0]))

    return call
