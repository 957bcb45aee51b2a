"""Shapes: looking at them, changing them, joining and splitting arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.tensor.numpy_functions.table import axes_of, counterpart, ours, public, rank_of, refuse
from runtime.tensor.tensor import Tensor

__all__: list[str] = []

counterpart(np.shape)(lambda a: ours(a).shape)
counterpart(np.ndim)(lambda a: rank_of(a))
counterpart(np.copy)(lambda a: public.identity(a))
counterpart(np.astype)(lambda x, dtype, /, *, copy=True: public.cast_to(x, dtype))
counterpart(np.reshape)(lambda a, shape, order="C": _reshaped(a, shape, order))
counterpart(np.ravel)(lambda a, order="C": _reshaped(a, (-1,), order))
counterpart(np.transpose)(lambda a, axes=None: public.transpose(ours(a), axes))
counterpart(np.matrix_transpose, np.linalg.matrix_transpose)(lambda x, /: public.swapaxes(x, -1, -2))
counterpart(np.expand_dims)(lambda a, axis: _expanded(ours(a), axis))
counterpart(np.squeeze)(lambda a, axis=None: public.squeeze(a, axis))
counterpart(np.broadcast_to)(lambda array, shape: public.broadcast_to(ours(array), shape))
counterpart(np.swapaxes)(lambda a, axis1, axis2: public.swapaxes(a, axis1, axis2))
counterpart(np.moveaxis)(lambda a, source, destination: public.moveaxis(a, source, destination))
counterpart(np.flip)(lambda m, axis=None: public.reverse(m, list(axes_of(axis, rank_of(m)))))
counterpart(np.flipud)(lambda m: public.reverse(m, [0]))
counterpart(np.fliplr)(lambda m: public.reverse(m, [1]))
counterpart(np.roll)(lambda a, shift, axis=None: public.roll(a, shift, axis))
counterpart(np.repeat)(lambda a, repeats, axis=None: public.repeat(ours(a), repeats, axis))
counterpart(np.diag)(lambda v, k=0: public.np_diag(ours(v), k))
counterpart(np.diagflat)(lambda v, k=0: public.np_diag(public.reshape(ours(v), (-1,)), k))
counterpart(np.tril)(lambda m, k=0: public.tril(ours(m), k))
counterpart(np.triu)(lambda m, k=0: public.triu(ours(m), k))
counterpart(np.meshgrid)(lambda *xi, indexing="xy": public.meshgrid(*map(ours, xi), indexing=indexing))


@counterpart(np.size)
def size(a: Any, axis: Any = None) -> Any:
    a = ours(a)
    return a.size if axis is None else a.shape[axis]


def _reshaped(a: Any, shape: Any, order: str) -> Any:
    return public.reshape(ours(a), shape) if order in ("C", "A", "K") else by_columns(a, shape)


def by_columns(a: Any, shape: Any) -> Any:
    """`order="F"`: the first index changes fastest, in what is read and in what is made."""
    sizes = list(shape) if isinstance(shape, (list, tuple)) else [shape]
    made = public.reshape(public.transpose(ours(a)), sizes[::-1])
    return public.transpose(made) if len(sizes) > 1 else made


def _expanded(a: Any, axis: Any) -> Any:
    if not isinstance(axis, (tuple, list)):
        return public.expand_dims(a, axis=axis)
    for k in sorted(axes_of(axis, rank_of(a) + len(axis))):
        a = public.expand_dims(a, axis=k)
    return a


@counterpart(np.broadcast_arrays)
def broadcast_arrays(*args: Any) -> Any:
    arrays = [ours(x) for x in args]
    zero = public.zeros_like(arrays[0])
    for x in arrays[1:]:
        zero = public.add(zero, public.zeros_like(x))
    return tuple(public.broadcast_like(x, zero) for x in arrays)


@counterpart(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    rank = rank_of(a)
    axis %= rank
    start += rank if start < 0 else 0
    return public.moveaxis(a, axis, start - 1 if axis < start else start)


@counterpart(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    one, two = axes_of(axes, rank_of(m))
    k %= 4
    if k == 0:
        return m
    if k == 2:
        return public.reverse(m, [one, two])
    if k == 1:
        return public.swapaxes(public.reverse(m, [two]), one, two)
    return public.reverse(public.swapaxes(m, one, two), [two])


def _at_least(least: int) -> Callable[..., Any]:
    def at_least(*arys: Any) -> Any:
        made = tuple(_with_axes(ours(a), least) for a in arys)
        return made[0] if len(made) == 1 else made

    return at_least


def _with_axes(a: Any, least: int) -> Any:
    rank = rank_of(a)
    if rank < least and least == 3 and rank > 0:
        return public.expand_dims(_with_axes(a, 2), axis=-1)
    for _ in range(least - rank):
        a = public.expand_dims(a, axis=0)
    return a


counterpart(np.atleast_1d)(_at_least(1))
counterpart(np.atleast_2d)(_at_least(2))
counterpart(np.atleast_3d)(_at_least(3))


# Joining


@counterpart(np.concatenate)
def concatenate(arrays: Any, axis: Any = 0, out: None = None, *, dtype: Any = None) -> Any:
    if out is not None:
        refuse("np.concatenate", "out=")
    joined = public.np_concatenate(arrays, axis)
    return joined if dtype is None else public.cast_to(joined, dtype)


@counterpart(np.stack)
def stack(arrays: Any, axis: int = 0, out: None = None, *, dtype: Any = None) -> Any:
    if out is not None:
        refuse("np.stack", "out=")
    joined = public.stack(arrays, axis=axis)
    return joined if dtype is None else public.cast_to(joined, dtype)


counterpart(np.vstack)(lambda tup: public.concat([_with_axes(ours(t), 2) for t in tup], 0))
counterpart(np.dstack)(lambda tup: public.concat([_with_axes(ours(t), 3) for t in tup], 2))


@counterpart(np.hstack)
def hstack(tup: Any) -> Any:
    arrays = [_with_axes(ours(t), 1) for t in tup]
    return public.concat(arrays, 0 if rank_of(arrays[0]) == 1 else 1)


@counterpart(np.column_stack)
def column_stack(tup: Any) -> Any:
    return public.concat([public.expand_dims(_with_axes(t, 1), axis=1) if rank_of(t) < 2 else t for t in map(ours, tup)], 1)


@counterpart(np.block)
def block(arrays: Any) -> Any:
    """Arrays in lists in lists: those of the innermost lists side by side, along the last axis."""
    depth = _depth(arrays)
    return _block(arrays, depth, max(depth, *map(rank_of, _leaves(arrays)), 0))


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for part in arrays for leaf in _leaves(part)] if isinstance(arrays, list) else [arrays]


def _block(arrays: Any, depth: int, rank: int) -> Any:
    if not isinstance(arrays, list):
        array = ours(arrays)
        return array[(*[None] * (rank - rank_of(array)), ...)]
    return public.concat([_block(part, depth - 1, rank) for part in arrays], rank - depth)


@counterpart(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    if axis is None:
        return public.concat([public.reshape(ours(arr), (-1,)), public.reshape(ours(values), (-1,))], 0)
    return public.concat([ours(arr), ours(values)], axis)


@counterpart(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    arr = ours(arr)
    if axis is None:
        arr, axis = public.reshape(arr, (-1,)), 0
    axis %= rank_of(arr)
    rows = public.moveaxis(arr, axis, 0)
    if rank_of(obj) or isinstance(obj, slice):
        return public.moveaxis(_inserted(rows, obj, values, axis), 0, axis)
    count = rows.shape[0] if isinstance(rows.type.shape[0], int) else public.shape(rows, "int64")[0]
    place = (
        public.where(public.less(obj, 0), public.add(obj, count), obj) if not isinstance(obj, int) else obj
    )
    place = place + count if isinstance(place, int) and place < 0 else place
    new = ours(values)
    if rank_of(new) == rank_of(rows):  # several, one after the other
        new = public.cast_to(public.moveaxis(new, axis, 0), rows.type.dtype)
    else:
        new = public.expand_dims(public.broadcast_like(public.cast_to(new, rows.type.dtype), rows[0]), axis=0)
    return public.moveaxis(public.concat([rows[:place], new, rows[place:]], 0), 0, axis)


def _inserted(rows: Any, places: Any, values: Any, axis: int) -> Any:
    """Rows with others put before several places, which are known."""
    if isinstance(places, (slice, Tensor)) or any(isinstance(k, Tensor) or k < 0 for k in places):
        refuse("np.insert", "places that count from the end, or that only the run knows, as")
    new = public.cast_to(ours(values), rows.type.dtype)
    new = public.moveaxis(new, axis, 0) if rank_of(new) == rank_of(rows) else new
    parts, before = [], 0
    for k in np.argsort(places, kind="stable").tolist():
        row = new[k % new.type.shape[0]] if rank_of(new) == rank_of(rows) else new
        parts += [rows[before : places[k]], public.expand_dims(public.broadcast_like(row, rows[0]), axis=0)]
        before = places[k]
    return public.concat([*parts, rows[before:]], 0)


@counterpart(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    arr = ours(arr)
    if axis is None:
        arr, axis = public.reshape(arr, (-1,)), 0
    axis %= rank_of(arr)
    rows = public.moveaxis(arr, axis, 0)
    count = public.shape(rows, "int64")[0]
    places = public.np_arange(count)
    if isinstance(obj, slice):
        gone = public.constant(False)
        chosen = places[obj]
    else:
        chosen = ours(obj)
        if chosen.type.dtype.kind == "b":
            kept = public.logical_not(chosen)
            return public.moveaxis(rows[kept], 0, axis)
        chosen = public.where(public.less(chosen, 0), public.add(chosen, count), chosen)
    chosen = public.reshape(chosen, (-1,))
    gone = public.any(public.equal(public.expand_dims(places, axis=1), public.expand_dims(chosen, axis=0)), 1)
    return public.moveaxis(rows[public.logical_not(gone)], 0, axis)


@counterpart(np.tile)
def tile(A: Any, reps: Any) -> Any:
    reps = list(reps) if isinstance(reps, (list, tuple)) else [reps]
    a = _with_axes(ours(A), len(reps)) if len(reps) != 3 else ours(A)
    while rank_of(a) < len(reps):
        a = public.expand_dims(a, axis=0)
    return public.tile(a, [1] * (rank_of(a) - len(reps)) + reps)


@counterpart(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    flat = public.reshape(ours(a), (-1,))
    total = int(np.prod(shape))
    index = (
        public.mod(public.np_arange(total), public.shape(flat, "int64")[0]) if total else public.np_arange(0)
    )
    return public.reshape(public.gather(flat, index), shape)


# Splitting


@counterpart(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        return _cut(ours(ary), list(indices_or_sections), axis)
    return public.split(ours(ary), indices_or_sections, axis)


def _cut(a: Any, places: list[Any], axis: int) -> list[Any]:
    lead = (slice(None),) * (axis % rank_of(a))
    return [a[(*lead, slice(i, j))] for i, j in zip([None, *places], [*places, None], strict=True)]


@counterpart(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    a = ours(ary)
    if isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        return _cut(a, list(indices_or_sections), axis)
    length = a.shape[axis]
    if not isinstance(length, int):
        each, more = length // indices_or_sections, length % indices_or_sections
        ends = [public.add(public.mul(each, k), public.minimum(more, k)) for k in range(1, indices_or_sections)]
        return _cut(a, ends, axis)
    each, more = divmod(length, indices_or_sections)
    return _cut(a, list(np.cumsum([each + (k < more) for k in range(indices_or_sections - 1)])), axis)


counterpart(np.vsplit)(lambda ary, indices_or_sections: split(ary, indices_or_sections, 0))
counterpart(np.hsplit)(
    lambda ary, indices_or_sections: split(ary, indices_or_sections, 1 if rank_of(ary) > 1 else 0)
)
counterpart(np.dsplit)(lambda ary, indices_or_sections: split(ary, indices_or_sections, 2))
counterpart(np.unstack)(lambda x, /, *, axis=0: tuple(public.unstack(ours(x), axis=axis)))


# Diagonals and borders


@counterpart(np.diagonal, np.linalg.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = ours(a)
    one, two = axes_of((axis1, axis2), rank_of(a))
    rows = public.moveaxis(a, [one, two], [-2, -1])
    return public.diag_part(rows, k=offset)


@counterpart(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    found = public.sum(diagonal(a, offset, axis1, axis2), -1)
    return found if dtype is None else public.cast_to(found, dtype)


@counterpart(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    x = ours(x)
    count = N if N is not None else x.shape[0]
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    columns = [public.ones_like(x) if p == 0 else public.pow(x, int(p)) for p in powers]
    return public.stack(columns, axis=1)


def _is_staged(width: Any) -> bool:
    return any(map(_is_staged, width)) if isinstance(width, (list, tuple)) else isinstance(width, Tensor)


def _padded_by_run(a: Any, width: Any, mode: str, value: Any) -> Any:
    """`np.pad` by widths that only the run knows: along each axis, where each element comes from."""
    widths = width if isinstance(width, (list, tuple)) else [width]
    if not isinstance(widths[0], (list, tuple)):
        widths = [[widths[0], widths[-1]]]
    widths = widths * rank_of(a) if len(widths) == 1 else widths
    if mode == "constant":
        return public.pad_with(a, widths, "CONSTANT", value)
    for axis, (before, after) in enumerate(widths):
        size = public.shape(a, "int64")[axis]
        place = public.sub(public.np_arange(public.add(size, public.add(before, after))), before)
        last = public.maximum(public.sub(size, 1), 0)
        if mode == "reflect":
            place = public.sub(last, public.abs(public.sub(last, public.mod(place, public.maximum(public.mul(last, 2), 1)))))
        elif mode == "wrap":
            place = public.mod(place, public.maximum(size, 1))
        elif mode == "symmetric":
            turn = public.mod(place, public.maximum(public.mul(size, 2), 1))
            place = public.minimum(turn, public.sub(public.sub(public.mul(size, 2), 1), turn))
        a = public.gather(a, public.clip(place, 0, last), axis=axis)
    return a


@counterpart(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode not in ("constant", "reflect", "symmetric", "edge", "wrap"):
        refuse("np.pad", f"mode={mode!r}")
    a = ours(array)
    if _is_staged(pad_width) or mode == "wrap":
        return _padded_by_run(a, pad_width, mode, constant_values)
    widths = np.broadcast_to(np.asarray(pad_width), (rank_of(a), 2)).tolist()
    if mode != "edge":
        return public.pad_with(a, widths, mode.upper(), constant_values)
    for axis, (before, after) in enumerate(widths):
        lead = (slice(None),) * axis
        first, last = a[(*lead, slice(None, 1))], a[(*lead, slice(-1, None))]
        parts = [public.repeat(first, before, axis), a, public.repeat(last, after, axis)]
        a = public.concat([p for p, n in zip(parts, (before, 1, after), strict=True) if n], axis)
    return a
