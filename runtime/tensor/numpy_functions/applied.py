"""Functions applied to parts of tensors: along an axis, where conditions hold, to windows, to all that came before."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from runtime.tensor.dispatch import op
from runtime.tensor.items import write_item
from runtime.tensor.numpy_functions.table import axes_of, counterpart, ours, public, rank_of, refuse
from runtime.tensor.tensor import Tensor

__all__ = ["accumulated"]


@counterpart(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function is given what its condition chooses, as NumPy's: it may sum up, or not be defined elsewhere."""
    x = ours(x)
    if isinstance(condlist, Tensor) and rank_of(condlist) == rank_of(x):
        condlist = [condlist]
    conditions = [c if isinstance(c, Tensor) else ours(c) for c in condlist]
    if len(funclist) == len(conditions) + 1:
        some = conditions[0]
        for condition in conditions[1:]:
            some = public.logical_or(some, condition)
        conditions.append(public.logical_not(some))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or {len(conditions) + 1} functions are expected"
        )
    out = public.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        write_item(out, condition, function(x[condition], *args, **kw) if callable(function) else function)
    return out


@counterpart(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    x = ours(arr)
    [axis] = axes_of(axis, rank_of(x))
    rows = public.moveaxis(x, axis, -1)
    around = rows.type.shape[:-1]
    if not all(isinstance(n, int) for n in around):
        refuse("np.apply_along_axis", "an axis of unknown size")
    flat = public.reshape(rows, (prod(around), -1)) if around != () else public.expand_dims(rows, 0)
    found = public.stack([ours(func1d(flat[k], *args, **kwargs)) for k in range(prod(around))])
    inner = rank_of(found) - 1
    out = public.reshape(found, (*around, *found.type.shape[1:]))
    for k in range(inner):  # the axes of a result stand where the axis stood
        out = public.moveaxis(out, len(around) + k, axis + k)
    return out


@counterpart(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    x = ours(x)
    sizes = tuple(window_shape) if isinstance(window_shape, (tuple, list)) else (window_shape,)
    axes = axes_of(axis, rank_of(x))
    if len(sizes) != len(axes):
        raise ValueError(f"window_shape {sizes} does not provide a size for each of {len(axes)} axes")
    for size, at in zip(sizes, axes, strict=True):
        count = op.dim_size(x, axis=at)
        starts = public.range(count - (size - 1))
        places = public.expand_dims(starts, 1) + np.arange(size)
        x = public.moveaxis(public.gather(x, places, axis=at), at + 1, -1)
    return x


def _accumulated_by_run(name: str, x: Any, axis: int) -> Any:
    """The same along an axis whose size only the run knows."""
    if name in ("add", "mul"):
        return (public.cumsum if name == "add" else public.cumprod)(x, axis)
    rows = public.moveaxis(x, axis, -1)
    if name in ("logical_and", "logical_or"):
        truths = public.cast_to(public.not_equal(rows, 0) if name == "logical_or" else public.equal(rows, 0), "int64")
        some = public.greater(public.cumsum(truths, -1), 0)
        return public.moveaxis(some if name == "logical_or" else public.logical_not(some), -1, axis)
    places = public.np_arange(public.shape(rows, "int64")[-1])
    later = public.greater(public.expand_dims(places, axis=0), public.expand_dims(places, axis=1))
    # Of all that came before an element, it itself stands for what comes behind it.
    all_before = public.where(later, public.expand_dims(rows, axis=-1), public.expand_dims(rows, axis=-2))
    return public.moveaxis((public.max if name == "maximum" else public.min)(all_before, -1), -1, axis)


def accumulated(name: str, x: Any, axis: int) -> Any:
    """`ufunc.accumulate` of an associative one: each element joined with all before it along an axis of known size."""
    x = ours(x)
    [axis] = axes_of(axis, rank_of(x))
    size = x.type.shape[axis]
    if not isinstance(size, int):
        return _accumulated_by_run(name, x, axis)
    step, x = 1, public.moveaxis(x, axis, 0)
    while step < size:  # each is joined with 1, 2, 4, ... before it
        x = public.concat([x[:step], getattr(public, name)(x[step:], x[:-step])], 0)
        step *= 2
    return public.moveaxis(x, 0, axis)
