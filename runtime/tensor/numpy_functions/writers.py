"""Functions that write into an array: of a tensor, whoever shares its memory (`x.copy()`) keeps what it held."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.tensor.dispatch import op
from runtime.tensor.numpy_functions.table import (
    as_array,
    counterpart,
    ours,
    public,
    rank_of,
    without_counterpart,
)
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__: list[str] = []


@counterpart(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    if not isinstance(arr, Tensor):
        _by_numpy(np.put_along_axis, arr, indices, values, axis)
    elif axis is None:
        flat = public.reshape(arr, (-1,))
        _put(flat, indices, values)
        _put(arr, ..., public.reshape(flat, op.shape(arr)))
    else:
        rank = rank_of(arr)
        axis = axis % rank if -rank <= axis < rank else axis
        # The places along the other axes are those of the indices: where these have one item only, of all.
        where = [public.reshape(public.np_arange(arr.shape[k]), _along(k, rank)) for k in range(rank)]
        where[axis] = ours(indices)
        _put(arr, tuple(where), values)


@counterpart(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    return tuple(public.reshape(_places(x), _along(k, len(args))) for k, x in enumerate(args))


def _put(x: Any, index: Any, value: Any) -> None:
    """Into what `x` is a view of, too."""
    x[index] = value


def _along(k: int, rank: int) -> tuple[int, ...]:
    return tuple(-1 if j == k else 1 for j in range(rank))


def _places(x: Any) -> Any:
    x = ours(x)
    if rank_of(x) != 1:
        raise ValueError("Cross index must be 1 dimensional")
    return public.reshape(public.where(x), (-1,)) if x.dtype.is_bool else x


@counterpart(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    _by_numpy(np.copyto, dst, src, casting=casting, where=where)


@counterpart(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    _by_numpy(np.fill_diagonal, a, val, wrap)


@counterpart(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    _by_numpy(np.place, arr, mask, vals)


@counterpart(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    _by_numpy(np.put, a, ind, v, mode)


@counterpart(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    _by_numpy(np.putmask, a, mask, values)


def _by_numpy(function: Any, a: Any, *args: Any, **kwargs: Any) -> None:
    """NumPy's own function; into a tensor, what it makes of a copy."""
    if STATE.trace is not None or STATE.tapes:
        raise without_counterpart(function)
    array = np.array(a._value) if isinstance(a, Tensor) else a
    function(array, *map(as_array, args), **{k: as_array(v) for k, v in kwargs.items()})
    if isinstance(a, Tensor):
        _put(a, ..., array)
