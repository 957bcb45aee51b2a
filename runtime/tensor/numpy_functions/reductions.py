"""Reductions, running sums, and those that leave out what is not a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.tensor.numpy_functions.table import NO_VALUE, TABLE, counterpart, ours, public, rank_of, refuse
from runtime.tensor.tensor import Tensor

__all__: list[str] = []


def _given(x: Any) -> bool:
    return x is not None and x is not NO_VALUE


def _keeps(keepdims: Any) -> bool:
    return bool(keepdims) if keepdims is not NO_VALUE else False


def _typed(x: Any, dtype: Any) -> Any:
    return x if dtype is None else public.cast_to(x, dtype)


def _masked(a: Any, where: Any, neutral: Any) -> Any:
    return public.where(where, a, neutral) if _given(where) and where is not True else a


def _accumulation(name: str, neutral: int, combine: str) -> Callable[..., Any]:
    """np.sum or np.prod: what `where` leaves out counts as `neutral`."""

    def accumulate(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: Any = NO_VALUE,
        initial: Any = NO_VALUE,
        where: Any = NO_VALUE,
    ) -> Any:
        _no_out(f"np.{name}", out)
        found = getattr(public, name)(_masked(_typed(ours(a), dtype), where, neutral), axis, _keeps(keepdims))
        return getattr(public, combine)(found, initial) if _given(initial) else found

    return accumulate


sum_ = counterpart(np.sum)(_accumulation("sum", 0, "add"))
prod = counterpart(np.prod)(_accumulation("prod", 1, "mul"))


@counterpart(np.mean)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = NO_VALUE,
    *,
    where: Any = NO_VALUE,
) -> Any:
    _no_out("np.mean", out)
    a = _typed(ours(a), dtype)
    if _given(where) and where is not True:
        return _mean_where(a, public.broadcast_like(ours(where), a), axis, _keeps(keepdims))
    return public.mean(a, axis, _keeps(keepdims))


def _mean_where(a: Any, where: Any, axis: Any, keepdims: bool) -> Any:
    count = public.count_nonzero(where, axis, keepdims, "int64")
    total = public.sum(public.where(where, a, 0), axis, keepdims)
    return public.div(
        total, public.cast_to(count, total.type.dtype) if total.type.dtype.is_inexact else count
    )


def _no_out(name: str, out: Any) -> None:
    if out is not None:
        refuse(name, "out=")


def _extreme(name: str, reduce: str, combine: str) -> Callable[..., Any]:
    def extreme(
        a: Any,
        axis: Any = None,
        out: None = None,
        keepdims: Any = NO_VALUE,
        initial: Any = NO_VALUE,
        where: Any = NO_VALUE,
    ) -> Any:
        _no_out(f"np.{name}", out)
        if _given(where) and where is not True and not _given(initial):
            raise ValueError(
                f"reduction operation '{name}' does not have an identity, "
                "so to use a where mask one has to specify 'initial'"
            )
        found = getattr(public, reduce)(_masked(ours(a), where, initial), axis, _keeps(keepdims))
        return getattr(public, combine)(found, initial) if _given(initial) else found

    return extreme


counterpart(np.max, np.amax)(_extreme("max", "max", "maximum"))
counterpart(np.min, np.amin)(_extreme("min", "min", "minimum"))


def _truth_of(name: str, neutral: bool) -> Callable[..., Any]:
    """np.all or np.any."""

    def truth(
        a: Any, axis: Any = None, out: None = None, keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE
    ) -> Any:
        _no_out(f"np.{name}", out)
        a = ours(a)
        truths = a if a.type.dtype.kind == "b" else public.not_equal(a, 0)
        return getattr(public, name)(_masked(truths, where, neutral), axis, _keeps(keepdims))

    return truth


counterpart(np.all)(_truth_of("all", True))
counterpart(np.any)(_truth_of("any", False))


@counterpart(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = NO_VALUE,
    *,
    correction: Any = NO_VALUE,
) -> Any:
    _no_out("np.var", out)
    return public.variance(
        _typed(ours(a), dtype), axis, _keeps(keepdims), None, correction if _given(correction) else ddof
    )


@counterpart(np.std)
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = NO_VALUE,
    *,
    correction: Any = NO_VALUE,
) -> Any:
    return public.sqrt(var(a, axis, dtype, out, ddof, keepdims, correction=correction))


def _place(name: str, find: str) -> Callable[..., Any]:
    def place(a: Any, axis: Any = None, out: None = None, *, keepdims: Any = NO_VALUE) -> Any:
        _no_out(f"np.{name}", out)
        a = ours(a)
        found = getattr(public, find)(
            public.reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis
        )
        if not _keeps(keepdims):
            return found
        return (
            public.reshape(found, (1,) * rank_of(a)) if axis is None else public.expand_dims(found, axis=axis)
        )

    return place


counterpart(np.argmax)(_place("argmax", "argmax"))
counterpart(np.argmin)(_place("argmin", "argmin"))


def _running(run: str) -> Callable[..., Any]:
    def running(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
        _no_out(f"np.{run}", out)
        a = _typed(ours(a), dtype)
        return getattr(public, run)(
            public.reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis
        )

    return running


counterpart(np.cumsum)(_running("cumsum"))
counterpart(np.cumprod)(_running("cumprod"))
counterpart(np.cumulative_sum)(lambda x, /, *, axis=None: public.cumsum(ours(x), 0 if axis is None else axis))
counterpart(np.cumulative_prod)(lambda x, /, *, axis=None: public.cumprod(ours(x), 0 if axis is None else axis))


@counterpart(np.ptp)
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO_VALUE) -> Any:
    _no_out("np.ptp", out)
    keep = _keeps(keepdims)
    return public.sub(public.max(a, axis, keep), public.min(a, axis, keep))


@counterpart(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = NO_VALUE
) -> Any:
    a = ours(a)
    if weights is None:
        if returned:
            refuse("np.average", "returned= without weights")
        return public.mean(a, axis, _keeps(keepdims))
    w = ours(weights)
    if rank_of(w) == 1 and rank_of(a) > 1 and axis is not None:
        w = public.reshape(w, [-1 if k == axis % rank_of(a) else 1 for k in range(rank_of(a))])
    w = public.broadcast_like(w, a)
    total = public.sum(w, axis, _keeps(keepdims))
    found = public.div(public.sum(public.mul(a, w), axis, _keeps(keepdims)), total)
    return (found, total) if returned else found


@counterpart(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return public.count_nonzero(ours(a), axis, bool(keepdims), "int64")


@counterpart(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = public.moveaxis(ours(y), axis, -1)
    if x is None:
        step = dx
    else:
        x = ours(x)
        x = x if rank_of(x) == 1 else public.moveaxis(x, axis, -1)
        step = public.sub(x[..., 1:], x[..., :-1])
    return public.sum(public.mul(step, public.div(public.add(y[..., 1:], y[..., :-1]), 2.0)), -1)


@counterpart(np.median)
def median(
    a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    """The middle of the sorted elements, NaN where there is one."""
    _no_out("np.median", out)
    return quantile(a, 0.5, axis, keepdims=keepdims)


@counterpart(np.percentile)
def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
) -> Any:
    _no_out("np.percentile", out)
    part = public.div(q, 100.0) if isinstance(q, Tensor) else np.true_divide(q, 100.0)
    return quantile(a, part, axis, None, False, method, keepdims)


@counterpart(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
) -> Any:
    """Between the two nearest of the sorted elements, linearly; NaN where there is one."""
    _no_out("np.quantile", out)
    if method != "linear":
        refuse("np.quantile", f"method={method!r}")
    a = ours(a)
    rank = rank_of(a)
    if isinstance(axis, tuple):
        refuse("np.quantile", "several axes")
    rows = public.reshape(a, (-1,)) if axis is None else public.moveaxis(a, axis, -1)
    ordered = public.sort(rows, -1)
    floating = ordered.type.dtype.is_floating
    last = public.sub(public.shape(ordered, "int64")[-1], 1)
    q = ours(q)
    place = public.mul(q, public.cast_to(last, "float64"))
    low = public.cast_to(public.floor(place), "int64")
    high = public.minimum(public.add(low, 1), last)
    part = public.sub(place, public.cast_to(low, "float64"))
    part = public.cast_to(part, ordered.type.dtype) if floating else part
    one, two = (public.gather(ordered, index, axis=-1) for index in (low, high))  # (..., *q's shape)
    found = public.add(one, public.mul(part, public.sub(two, one)))
    if floating:
        top = ordered[..., -1]
        for _ in range(rank_of(q)):
            top = public.expand_dims(top, axis=-1)
        found = public.where(public.not_equal(top, top), top, found)
    rest = rank_of(rows) - 1
    for k in range(rank_of(q)):  # q's axes come first
        found = public.moveaxis(found, rest + k, k)
    if not keepdims:
        return found
    if axis is None:
        return public.reshape(found, (*q.type.shape, *(1,) * rank))
    return public.expand_dims(found, axis=rank_of(q) + axis % rank)


# Without what is not a number


def _without(neutral: Any, reduce: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction in which NaN counts as `neutral`."""

    def reduction(
        a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO_VALUE
    ) -> Any:
        a = ours(a)
        return reduce(public.where(public.is_nan(a), neutral, a), axis, dtype, out, keepdims)

    return reduction


counterpart(np.nansum)(_without(0, sum_))
counterpart(np.nanprod)(_without(1, prod))


def _extreme_without(reduce: str, neutral: float) -> Callable[..., Any]:
    def extreme(a: Any, axis: Any = None, out: None = None, keepdims: Any = NO_VALUE) -> Any:
        _no_out(f"np.nan{reduce}", out)
        a = ours(a)
        empty = public.is_nan(a)
        found = getattr(public, reduce)(public.where(empty, neutral, a), axis, _keeps(keepdims))
        return public.where(public.all(empty, axis, _keeps(keepdims)), np.nan, found)

    return extreme


counterpart(np.nanmax)(_extreme_without("max", -np.inf))
counterpart(np.nanmin)(_extreme_without("min", np.inf))


@counterpart(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = NO_VALUE) -> Any:
    _no_out("np.nanmean", out)
    a = _typed(ours(a), dtype)
    return _mean_where(a, public.logical_not(public.is_nan(a)), axis, _keeps(keepdims))


@counterpart(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: Any = NO_VALUE
) -> Any:
    _no_out("np.nanvar", out)
    a = _typed(ours(a), dtype)
    there = public.logical_not(public.is_nan(a))
    off = public.where(there, public.sub(a, _mean_where(a, there, axis, True)), 0)
    total = public.sum(public.square(off), axis, _keeps(keepdims))
    count = public.sub(public.count_nonzero(there, axis, _keeps(keepdims), "int64"), ddof)
    return public.div(total, public.cast_to(count, total.type.dtype))


@counterpart(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: Any = NO_VALUE
) -> Any:
    return public.sqrt(nanvar(a, axis, dtype, out, ddof, keepdims))


def _place_without(find: str, neutral: float) -> Callable[..., Any]:
    def place(a: Any, axis: Any = None) -> Any:
        a = ours(a)
        return TABLE[getattr(np, find)](public.where(public.is_nan(a), neutral, a), axis)

    return place


@counterpart(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    a = ours(a)
    return TABLE[np.cumsum](public.where(public.is_nan(a), 0, a), axis, dtype)


@counterpart(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    a = ours(a)
    return TABLE[np.cumprod](public.where(public.is_nan(a), 1, a), axis, dtype)


@counterpart(np.nanquantile)
def nanquantile(a: Any, q: Any, axis: Any = None) -> Any:
    """Of those of the sorted elements that are numbers; these come first."""
    a = ours(a)
    if rank_of(q):
        return public.stack([nanquantile(a, q[k], axis) for k in range(len(q))])
    rows = public.reshape(a, (-1,)) if axis is None else public.moveaxis(a, axis, -1)
    last = public.sub(public.count_nonzero(public.logical_not(public.is_nan(rows)), -1, True, "int64"), 1)
    place = public.mul(q, public.cast_to(last, "float64"))
    low = public.maximum(public.cast_to(public.floor(place), "int64"), 0)
    high = public.maximum(public.minimum(public.add(low, 1), last), 0)
    ordered = public.sort(rows, -1)
    one, two = (public.take_along_axis(ordered, index, -1) for index in (low, high))
    part = public.cast_to(public.sub(place, public.cast_to(low, "float64")), ordered.type.dtype)
    return public.add(one, public.mul(part, public.sub(two, one)))[..., 0]


counterpart(np.nanmedian)(lambda a, axis=None: nanquantile(a, 0.5, axis))
counterpart(np.nanpercentile)(lambda a, q, axis=None: nanquantile(a, np.true_divide(q, 100.0), axis))
counterpart(np.nanargmax)(_place_without("argmax", -np.inf))
counterpart(np.nanargmin)(_place_without("argmin", np.inf))
