"""Choosing, ordering, searching and counting elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.tensor.numpy_functions.table import counterpart, ours, public, rank_of, refuse
from runtime.tensor.tensor import Tensor

__all__: list[str] = []

counterpart(np.argwhere)(lambda a: public.where(public.not_equal(ours(a), 0)))
counterpart(np.flatnonzero)(
    lambda a: public.reshape(public.where(public.not_equal(public.reshape(ours(a), (-1,)), 0)), (-1,))
)
counterpart(np.take_along_axis)(
    lambda arr, indices, axis=-1: public.take_along_axis(
        ours(arr) if axis is not None else public.reshape(arr, (-1,)), indices, -1 if axis is None else axis
    )
)
counterpart(np.unravel_index)(lambda indices, shape, order="C": _unraveled(indices, shape, order))


@counterpart(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None and y is None:
        return nonzero(condition)
    if all(
        isinstance(v, (bool, int, float, complex)) for v in (x, y)
    ):  # of two Python numbers NumPy makes an array
        x, y = ours(x), ours(y)
    return public.where(condition if isinstance(condition, Tensor) else ours(condition), x, y)


@counterpart(np.nonzero)
def nonzero(a: Any) -> Any:
    places = public.where(public.not_equal(ours(a), 0))
    return tuple(places[:, k] for k in range(rank_of(a)))


@counterpart(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    found = ours(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = public.where(condition, ours(choice), found)
    return found


@counterpart(np.choose)
def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    if mode not in ("clip", "wrap"):
        refuse("np.choose", f"mode={mode!r}")
    a = ours(a)
    count = len(choices)
    a = public.clip_by_value(a, 0, count - 1) if mode == "clip" else public.mod(a, count)
    found = ours(choices[-1])
    for k in reversed(range(count - 1)):
        found = public.where(public.equal(a, k), choices[k], found)
    return found


@counterpart(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = a_min if a_min is not None else min, a_max if a_max is not None else max
    a = ours(a)
    a = a if low is None else public.maximum(a, low)
    return a if high is None else public.minimum(a, high)


@counterpart(np.take)
def take(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    a = ours(a)
    if axis is None:
        a, axis = public.reshape(a, (-1,)), 0
    index = ours(indices)
    if index.type.dtype.kind == "f":
        index = public.cast_to(index, "int64")
    count = a.type.shape[axis] if isinstance(a.type.shape[axis], int) else public.shape(a, "int64")[axis]
    if mode == "wrap":
        index = public.mod(index, count)
    elif mode == "clip":
        index = public.clip_by_value(index, 0, count - 1)
    else:
        index = public.where(public.less(index, 0), public.add(index, count), index)
    return public.gather(a, index, axis=axis)


@counterpart(np.compress)
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    a = ours(a)
    if axis is None:
        a, axis = public.reshape(a, (-1,)), 0
    places = public.reshape(public.where(ours(condition)), (-1,))
    return public.gather(a, places, axis=axis)


@counterpart(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return compress(public.reshape(ours(condition), (-1,)), arr)


@counterpart(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    x = ours(x)
    if not x.type.dtype.is_floating:
        return x
    limits = np.finfo(x.type.dtype.dtype)
    x = public.where(public.is_nan(x), nan, x)
    x = public.where(public.equal(x, np.inf), float(limits.max) if posinf is None else posinf, x)
    return public.where(public.equal(x, -np.inf), float(limits.min) if neginf is None else neginf, x)


# Order


@counterpart(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, *, stable: Any = None) -> Any:
    a = ours(a)
    return public.sort(public.reshape(a, (-1,)), 0) if axis is None else public.sort(a, axis)


@counterpart(np.argsort)
def argsort(a: Any, axis: Any = -1, kind: Any = None, *, stable: Any = None) -> Any:
    a = ours(a)
    rows, axis = (public.reshape(a, (-1,)), 0) if axis is None else (a, axis)
    return public.cast_to(
        public.argsort(rows, axis, "ASCENDING", kind in ("stable", "mergesort") or bool(stable)), "int64"
    )


@counterpart(np.lexsort)
def lexsort(keys: Any, axis: Any = -1) -> Any:
    order: Any = None
    for key in keys:
        key = ours(key)
        if rank_of(key) > 1:
            refuse("np.lexsort", "keys of several axes")
        turned = argsort(key if order is None else public.gather(key, order), stable=True)
        order = turned if order is None else public.gather(order, turned)
    return order


@counterpart(np.partition)
def partition(a: Any, kth: Any, axis: Any = -1) -> Any:
    """All sorted, which any partition may be."""
    return sort(a, axis)


@counterpart(np.argpartition)
def argpartition(a: Any, kth: Any, axis: Any = -1) -> Any:
    return argsort(a, axis)


@counterpart(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    a = ours(a) if sorter is None else public.gather(ours(a), sorter)
    v = ours(v)
    found = public.searchsorted(a, public.reshape(v, (-1,)), side, "int64")
    return public.reshape(found, public.shape(v)) if rank_of(v) != 1 else found


@counterpart(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """The bin of each element; the bins ascend."""
    return searchsorted(bins, x, "left" if right else "right")


@counterpart(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
) -> Any:
    """The distinct elements, or rows, in order; their number is known when the graph runs."""
    a = ours(ar)
    rows = public.reshape(a, (-1,)) if axis is None else public.moveaxis(a, axis, 0)
    if rank_of(rows) == 1:
        values, places, counts = public.unique_with_counts(rows, "int64")
        order = public.cast_to(public.argsort(values), "int64")
        first = public.first_places(places, counts) if return_index else None
        found = [public.gather(values, order), first if first is None else public.gather(first, order)]
        inverse, counts = public.gather(public.invert_permutation(order), places), public.gather(counts, order)
    else:
        first, inverse, counts = public.unique_rows(rows)
        found = [public.moveaxis(public.gather(rows, first), 0, axis), first]
    if axis is None and rank_of(a) != 1:
        inverse = public.reshape(inverse, public.shape(a))
    wanted = (True, return_index, return_inverse, return_counts)
    chosen = [x for x, is_wanted in zip((*found, inverse, counts), wanted, strict=True) if is_wanted]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


@counterpart(np.isin)
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    one = public.expand_dims(ours(element), axis=-1)
    found = public.any(public.equal(one, public.reshape(ours(test_elements), (-1,))), -1)
    return public.logical_not(found) if invert else found


counterpart(np.union1d)(lambda ar1, ar2: unique(public.concat([_flat(ar1), _flat(ar2)], 0)))
counterpart(np.setxor1d)(lambda ar1, ar2: _in_one(unique(ar1), unique(ar2)))
counterpart(np.tril_indices_from)(lambda arr, k=0: nonzero(public.tril(_truths(arr), k)))
counterpart(np.triu_indices_from)(lambda arr, k=0: nonzero(public.triu(_truths(arr), k)))
counterpart(np.diag_indices_from)(lambda arr: (public.np_arange(public.shape(ours(arr), "int64")[0]),) * rank_of(arr))
counterpart(np.intersect1d)(lambda ar1, ar2: _members(ar1, ar2, False))
counterpart(np.setdiff1d)(lambda ar1, ar2: _members(ar1, ar2, True))


def _truths(x: Any) -> Any:
    return public.ones_like(ours(x), "int64")


def _in_one(one: Any, other: Any) -> Any:
    """What is in exactly one of two arrays, each of distinct elements."""
    return sort(public.concat([one[isin(one, other, invert=True)], other[isin(other, one, invert=True)]], 0))


@counterpart(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb") -> Any:
    a = ours(filt)
    if rank_of(a) != 1:
        refuse("np.trim_zeros", "several axes")
    here = public.cast_to(public.not_equal(a, 0), "int64")
    kept = public.ones_like(here, "bool")
    if "f" in trim.lower():  # up to each place, from the front and from the back, there was one
        kept = public.logical_and(kept, public.greater(public.cumsum(here), 0))
    if "b" in trim.lower():
        kept = public.logical_and(kept, public.greater(public.cumsum(here, reverse=True), 0))
    return a[kept]


def _members(one: Any, other: Any, invert: bool) -> Any:
    distinct = unique(one)
    return distinct[isin(distinct, other, invert=invert)]


def _flat(x: Any) -> Any:
    return public.reshape(ours(x), (-1,))


# Counting


@counterpart(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    found = public.bincount(ours(x), weights if weights is None else ours(weights), minlength or None)
    return public.cast_to(found, "int64" if weights is None else "float64")


@counterpart(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    a = _flat(a)
    if isinstance(bins, str):
        refuse("np.histogram", f"bins={bins!r}")
    if isinstance(bins, int):
        low, high = range if range is not None else (public.min(a), public.max(a))
        same = public.equal(low, high)
        low, high = (
            public.where(same, public.sub(low, 0.5), low),
            public.where(same, public.add(high, 0.5), high),
        )
        edges = public.linspace(low, high, bins + 1)
    else:
        edges = ours(bins)
    count = public.shape(edges, "int64")[0] - 1
    inside = public.logical_and(public.greater_equal(a, edges[0]), public.less_equal(a, edges[-1]))
    place = public.minimum(public.sub(searchsorted(edges, a, "right"), 1), public.sub(count, 1))
    hits = public.cast_to(
        public.equal(public.expand_dims(place, axis=0), public.expand_dims(public.np_arange(count), axis=1)),
        "int64",
    )
    hits = public.mul(hits, public.cast_to(inside, "int64"))
    found = public.sum(hits if weights is None else public.mul(hits, _flat(weights)), 1)
    if density:
        widths = public.sub(edges[1:], edges[:-1])
        found = public.div(found, public.mul(widths, public.cast_to(public.sum(found), "float64")))
    return found, edges


def _unraveled(indices: Any, shape: Any, order: str) -> Any:
    if order != "C":
        refuse("np.unravel_index", f"order={order!r}")
    found = []
    rest = ours(indices)
    for length in reversed(shape):
        found.append(public.mod(rest, length))
        rest = public.floordiv(rest, length)
    return tuple(reversed(found))


@counterpart(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: str = "raise", order: str = "C") -> Any:
    if mode != "raise" or order != "C":
        refuse("np.ravel_multi_index", f"mode={mode!r}" if mode != "raise" else f"order={order!r}")
    found = ours(multi_index[0])
    for index, length in zip(multi_index[1:], dims[1:], strict=True):
        found = public.add(public.mul(found, length), index)
    return found
