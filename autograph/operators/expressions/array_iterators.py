"""Stand-ins for what goes over the elements of arrays in C: `np.ndenumerate`, `np.nditer`, `np.fromiter`, `np.vectorize`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import as_list_value, stacked
from autograph.operators.expressions.py_builtins import collect, list_
from autograph.operators.functions.calls import callee
from autograph.operators.items.iterators import iterator_of, mapped
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.iterables import StagedRange
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__: list[str] = []


def _shape(x: Tensor) -> tuple[int, ...]:
    shape = x.type.shape
    if shape is None or not all(isinstance(n, int) for n in shape):
        raise refusal("unknown-length", what="an array's elements with their indices")
    return shape  # type: ignore[return-value]


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
        shape = np.broadcast_shapes(*(_shape(op.strong(x)) for x in args))
        flats = [op.flatten(op.broadcast_to_shape(op.strong(x), list(shape))) for x in args]
        count = StagedRange(0, math.prod(shape))
        made = stacked(as_list_value(collect(count, lambda i: each(*(flat[i] for flat in flats)), None)))
        made = op.reshape_method(made, shape)
        return made if otypes is None else op.cast_to(made, np.dtype(otypes[0]))

    return call
