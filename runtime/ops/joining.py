"""Joining and splitting: concat, stack, unstack, split."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number, normalize_axis
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim, Shape, Size, concat_dim, unequal_parts, whole_number
from runtime.typesys.spec import TensorType, type_of_payload


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _agree(shapes: list[tuple[Size, ...]], what: str, axis: int | None = None) -> list[Size]:
    """One size for every axis but `axis`: known ones win.

    Raises:
      ShapeError: ranks or known sizes differ.
    """
    out = list(shapes[0])
    for shape in shapes[1:]:
        if len(shape) != len(out):
            raise ShapeError(
                f"cannot {what} tensors of shapes {', '.join(map(str, shapes))}: their ranks differ", op=what
            )
        for i, size in enumerate(shape):
            if i == axis or size is out[i] or size == out[i]:
                continue
            if isinstance(size, int) and isinstance(out[i], int):
                raise ShapeError(
                    f"cannot {what} tensors of shapes {', '.join(map(str, shapes))}: axis {i} differs", op=what
                )
            if isinstance(size, int):
                out[i] = size
    return out


def _joint_type(types: tuple[TensorType, ...], shape: Shape) -> TensorType:
    return TensorType(promote(*((t.dtype, t.weak) for t in types))[0], shape)


class Concatenate(Op):
    """The operands one after another along `axis`; dtypes promote as NumPy's."""

    def infer(self, *types: TensorType, axis: int) -> TensorType:
        shapes = [t.shape for t in types if t.shape is not None]
        if len(shapes) < len(types):
            return _joint_type(types, tuple(Dim() for _ in shapes[0]) if shapes else None)
        if shapes[0] == ():
            raise ShapeError("cannot concat scalars: use stack", op="concat")
        axis = normalize_axis(axis, len(shapes[0]), "concat")
        out = _agree(shapes, "concat", axis)
        out[axis] = concat_dim([s[axis] for s in shapes])
        return _joint_type(types, tuple(out))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.concatenate(({', '.join(args)},), {attrs['axis']})"

    @staticmethod
    def kernel(*xs: Any, axis: int) -> Any:
        return np.concatenate(xs, axis)

    def vjp(op: Any, dy: Any, y: Any, *xs: Any, axis: int) -> Any:
        if len(xs) == 1:
            return (dy,)
        static = [None if op.type_of(x).shape is None else op.type_of(x).shape[axis] for x in xs]
        rank = op.type_of(dy).rank
        where = axis % rank if rank is not None else axis
        grads: list[Any] = []
        start: Any = 0
        for x, length in zip(xs, static, strict=True):
            last = len(grads) == len(xs) - 1
            stop = (
                start + length
                if isinstance(length, int) and isinstance(start, int)
                else op.add(start, op.dim_size(x, axis=where))
            )
            lead: list[Any] = [slice(None)] * where if where >= 0 else [Ellipsis]
            tail: list[Any] = [] if where >= 0 else [slice(None)] * (-where - 1)
            part = op.get_item(dy, (*lead, slice(start, None if last else stop), *tail))
            grads.append(op.sum_to(op.like_shape(part, x), x))
            start = stop
        return tuple(grads)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3), _x(4, 3)), {"axis": 0}
        yield (_x(2, 3), _x(2, 1), _x(2, 2)), {"axis": -1}
        yield (_x(2, 3), _x(1, 3).astype(np.float32)), {"axis": 0}


@function("concat")
def concat(op: Any, values: Any, axis: int = -1, name: str = "concat") -> Any:
    """Tensors joined one after another along an axis.

    Args:
      values: tensors or arrays of equal rank; sizes may differ along `axis` only. dtypes promote.
      axis: where to join.

    >>> ag.concat([[[1, 2]], [[3, 4]]], 0).numpy().tolist()
    [[1, 2], [3, 4]]
    """
    items = _sequence(op, values)
    return op.concatenate(*items, axis=axis_number(axis))


@function("concatenate")
def np_concatenate(op: Any, arrays: Any, axis: Any = 0) -> Any:
    """As NumPy's `concatenate`: the first axis unless told; None joins the flattened operands.

    >>> ag.concatenate([[1, 2], [3]]).numpy()
    array([1, 2, 3], dtype=int32)
    """
    if axis is None:
        return op.concat([op.flatten(a) for a in _sequence(op, arrays)], 0)
    return op.concat(arrays, axis)


def _sequence(op: Any, values: Any) -> list[Any]:
    """The operands of a join: list elements; the rows of one tensor."""
    if isinstance(values, (list, tuple)):
        items = [op.strong(v) for v in values]
    elif isinstance(values, np.ndarray):
        items = list(values)
    else:
        items = op.unstack(values) if op.type_of(values).shape != () else [values]
    if not items:
        raise InvalidArgumentError("cannot join an empty list of tensors")
    return items


class StackArrays(Op):
    """The operands as the rows of a new axis."""

    def infer(self, *types: TensorType, axis: int) -> TensorType:
        shapes = [t.shape for t in types if t.shape is not None]
        if not shapes:
            return _joint_type(types, None)
        out = _agree(shapes, "stack")
        out.insert(normalize_axis(axis, len(out) + 1, "stack"), len(types))
        return _joint_type(types, tuple(out))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.stack(({', '.join(args)},), {attrs['axis']})"

    @staticmethod
    def kernel(*xs: Any, axis: int) -> Any:
        if np.ndim(xs[0]) == 0:
            dtype = promote(*((_dtype(x), not isinstance(x, (np.ndarray, np.generic))) for x in xs))[0]
            if any(np.ndim(x) for x in xs):
                raise unequal_parts(list(map(np.shape, xs)))
            normalize_axis(axis, 1, "stack")
            return np.array(xs, dtype.dtype)
        return np.stack(xs, axis)

    def vjp(op: Any, dy: Any, y: Any, *xs: Any, axis: int) -> Any:
        return tuple(op.sum_to(op.like_shape(op.take_one(dy, axis, i), x), x) for i, x in enumerate(xs))

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3), _x(2, 3)), {"axis": 0}
        yield (_x(2, 3), _x(2, 3), _x(2, 3)), {"axis": -1}
        yield (np.float64(1.5), np.float64(2.5)), {"axis": 0}


def _dtype(x: Any) -> Any:
    return type_of_payload(x).dtype


@function()
def take_one(op: Any, x: Any, axis: int, i: Any) -> Any:
    """`x[..., i, ...]` at one axis."""
    lead: tuple[Any, ...] = (slice(None),) * axis if axis >= 0 else (Ellipsis,)
    return op.get_item(x, (*lead, i, *([slice(None)] * (-axis - 1) if axis < 0 else [])))


@function("stack")
def stack(op: Any, values: Any, axis: int = 0, name: str = "stack") -> Any:
    """Tensors of one shape as the rows of a new axis.

    >>> ag.stack([[1, 2], [3, 4]], axis=1).numpy().tolist()
    [[1, 3], [2, 4]]
    """
    if isinstance(values, (list, tuple)):
        items = list(values)
        if not items:
            raise InvalidArgumentError("cannot stack an empty list of tensors", op="stack")
        if not any(_typed(v) for v in items):
            return op.stack_arrays(*[op.strong(v) for v in items], axis=axis_number(axis))
        items = [
            v if isinstance(v, (int, float, complex)) else op.convert(v) if isinstance(v, (list, tuple)) else v
            for v in items
        ]
        return op.stack_arrays(*items, axis=axis_number(axis))
    return op.stack_arrays(*_sequence(op, values), axis=axis_number(axis))


def _typed(value: Any) -> bool:
    return hasattr(value, "dtype")


@function("unstack")
def unstack(op: Any, value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Any]:
    """The rows of an axis of known size, as a list.

    Raises:
      ValueError: the size is unknown and `num` is not given, or they differ.

    >>> [t.numpy().tolist() for t in ag.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]

    Source of the semantics: TensorFlow's `tf.unstack`.
    """
    value = op.strong(value)
    shape = op.type_of(value).shape
    size = None if shape is None else shape[normalize_axis(axis_number(axis), len(shape), "unstack")]
    if isinstance(size, int) and num is not None and num != size:
        raise InvalidArgumentError(f"cannot unstack {size} rows into {num}", op="unstack")
    count = size if isinstance(size, int) else num
    if count is None:
        raise InvalidArgumentError("unstack needs `num`: the size of the axis is unknown until it runs", op="unstack")
    return [op.take_one(value, axis_number(axis), i) for i in range(count)]


@function("split")
def split(
    op: Any, value: Any, num_or_size_splits: Any, axis: int = 0, num: int | None = None, name: str = "split"
) -> list[Any]:
    """An axis cut into equal parts (a number of them) or parts of given sizes (one may be -1), as a list.

    >>> [p.numpy().tolist() for p in ag.split([1, 2, 3, 4, 5], [2, 3])]
    [[1, 2], [3, 4, 5]]
    """
    value = op.strong(value)
    shape = op.type_of(value).shape
    axis = axis_number(axis) if shape is None else normalize_axis(axis_number(axis), len(shape), "split")
    size: Any = None if shape is None else shape[axis]
    if not isinstance(size, int):
        size = op.dim_size(value, axis=axis)
    sizes = _split_sizes(op, num_or_size_splits, size, num)
    lead = (slice(None),) * axis if axis >= 0 else (Ellipsis,)
    tail = (slice(None),) * (-axis - 1) if axis < 0 else ()
    parts = []
    start: Any = 0
    for length in sizes:
        stop = start + length
        parts.append(op.get_item(value, (*lead, slice(start, stop), *tail)))
        start = stop
    return parts


def _split_sizes(op: Any, wanted: Any, size: Any, num: int | None) -> list[Any]:
    known: Any = op.static_value(wanted) if not isinstance(wanted, (list, tuple)) else wanted
    if known is None:
        if num is None:
            num = op.type_of(wanted).shape[0]
        return [op.get_item(wanted, i) for i in range(whole_number(num, "a number of parts"))]
    if np.ndim(known) == 0:
        count = int(known)
        if isinstance(size, int):
            if size % count:
                raise InvalidArgumentError(f"cannot split an axis of size {size} into {count} equal parts", op="split")
            return [size // count] * count
        text: Any = "cannot split an axis of size ", (0, ""), f" into {count} equal parts"
        op.assert_(op.equal(op.mod(size, count), 0), size, template=text, exception=InvalidArgumentError)
        return [op.floordiv(size, count)] * count
    sizes = [int(k) if op.static_value(k) is not None else k for k in known]
    if -1 in [s for s in sizes if isinstance(s, int)]:
        at = sizes.index(-1)
        rest = size
        for i, length in enumerate(sizes):
            if i != at:
                rest = rest - length
        sizes[at] = rest
    elif all(isinstance(s, int) for s in [*sizes, size]) and sum(sizes) != size:
        raise InvalidArgumentError(f"the sizes {sizes} do not add up to the {size} of the axis", op="split")
    else:
        total = functools.reduce(op.add, sizes, 0)
        if not (isinstance(total, int) and isinstance(size, int)):
            text = "the sizes of the parts add up to ", (0, ""), ", and not to the ", (1, ""), " of the axis"
            op.assert_(op.equal(total, size), total, size, template=text, exception=InvalidArgumentError)
    return sizes
