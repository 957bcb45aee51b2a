"""Movement: the same elements in another shape."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number, normalize_axes, normalize_axis
from runtime.ops.registry import Op, function
from runtime.ops.sizes import fill_sizes, shape_of_sizes, split_sizes, text_of_sizes
from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim, Shape, broadcast, is_static, same_size, whole_number
from runtime.typesys.spec import TensorType

ALIASED = 2048  # bytes of rows whose beginnings share few places of the cache, where they are many times that
_APART = 128  # bytes between such rows


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether two shapes are known to be equal."""
    return a is not None and b is not None and len(a) == len(b) and all(map(same_size, a, b))


@function()
def like_shape(op: Any, dy: Any, x: Any) -> Any:
    """`dy`, whose elements are `x`'s one for one, in the shape of `x`; no operation where that is known already."""
    have, want = op.type_of(dy).shape, op.type_of(x).shape
    if same_shape(have, want):
        return dy
    return op.reshape(dy, shape=want) if is_static(want) else op.reshape_like(dy, x)


class Reshape(Op):
    """The elements of `x` in row-major order in another shape; at most one size is -1: what is left.

    >>> ag.reshape([[1, 2, 3], [4, 5, 6]], [3, -1]).shape
    TensorShape([3, 2])
    """

    public = "reshape"
    view = aliases = True

    def call(op: Any, tensor: Any, shape: Any, name: Any = None) -> Any:
        entries, inputs = split_sizes(op, shape)
        return op.reshape(op.strong(tensor), *inputs, shape=entries)

    def infer(self, x: TensorType, *sizes: TensorType, shape: Any) -> TensorType:
        if shape is None:
            return TensorType(x.dtype, None)
        if sum(e == -1 for e in shape if type(e) is int) > 1 or any(type(e) is int and e < -1 for e in shape):
            raise ShapeError(f"cannot reshape to {shape}: at most one size may be -1", op="reshape")
        out = list(shape_of_sizes(shape) or ())
        if -1 in out:
            out[out.index(-1)] = _left_over(x.shape, out)
        elif is_static(x.shape) and is_static(tuple(out)) and math.prod(x.shape or ()) != math.prod(out):  # type: ignore[arg-type]
            raise _does_not_fit(x.shape, out)
        return TensorType(x.dtype, tuple(out))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.reshape({args[0]}, {text_of_sizes(attrs['shape'], args[1:])})"

    @staticmethod
    def kernel(x: Any, *sizes: Any, shape: Any) -> Any:
        return np.reshape(x, fill_sizes(shape, sizes))

    vjp = lambda op, dy, y, x, *sizes, shape: (op.like_shape(dy, x), *[None] * len(sizes))

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 6),), {"shape": (3, 4)}
        yield (_x(2, 6),), {"shape": (-1,)}
        yield (_x(2, 6), np.int64(4)), {"shape": (None, -1)}
        yield (_x(),), {"shape": (1, 1)}


def _does_not_fit(shape: Shape, out: list[Any]) -> ShapeError:
    have, want = math.prod(shape or ()), math.prod(size for size in out if size != -1)  # type: ignore[arg-type]
    why = f"no multiple of {want}" if -1 in out else f"not {want}"
    text = f"cannot reshape a tensor of shape {shape} to {tuple(out)}: it has {have} elements, {why}"
    return ShapeError(text, op="reshape")


def _left_over(shape: Shape, out: list[Any]) -> Any:
    """The size that -1 stands for: unknown sizes that are on both sides cancel."""
    if shape is None:
        return Dim()
    rest = list(shape)
    known = 1
    for size in out:
        if isinstance(size, Dim):
            if size not in rest:
                return Dim()
            rest.remove(size)
        elif size != -1:
            known *= size
    total = math.prod(s for s in rest if isinstance(s, int))
    unknown = [s for s in rest if isinstance(s, Dim)]
    if not unknown:
        if known == 0 or total % known:
            raise _does_not_fit(shape, out)
        return total // known
    return unknown[0] if len(unknown) == 1 and total == known else Dim()


class ReshapeLike(Op):
    """`x` in the shape of `like`, which has as many elements."""

    view = aliases = True
    numpy = "np.reshape({0}, np.shape({1}))"

    def infer(self, x: TensorType, like: TensorType) -> TensorType:
        return TensorType(x.dtype, like.shape)

    vjp = lambda op, dy, y, x, like: (op.like_shape(dy, x), None)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 6), _x(3, 4)), {}


class Contiguous(Op):
    """A copy of `x`, its elements row by row in memory: for an operand that many products read.

    Rows of a multiple of 2048 bytes lie so far apart that they do not begin at the same place of the cache: BLAS takes
    0.4 to 0.95 of its time then, where the other operand has few rows.
    """

    @staticmethod
    def kernel(x: Any) -> Any:
        columns = x.shape[-1] if x.ndim == 2 else 0
        if not columns or columns * x.itemsize % ALIASED:
            return np.array(x, order="C")
        out = np.empty((len(x), columns + _APART // x.itemsize), x.dtype)[:, :columns]
        np.copyto(out, x)
        return out

    def infer(self, x: TensorType) -> TensorType:
        return x

    vjp = lambda op, dy, y, x: (dy,)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 6).T,), {}


def _turned(op: Any, x: Any) -> Any:
    """With the axes in the opposite order."""
    x = op.strong(x)
    return op.transpose(x, perm=tuple(reversed(range(op.type_of(x).rank))))


@function("flatten", method=("flatten", "ravel"))
def flatten(op: Any, x: Any, order: str = "C") -> Any:
    """All elements in one axis, in row-major order.

    >>> ag.flatten([[1, 2], [3, 4]]).numpy()
    array([1, 2, 3, 4], dtype=int32)

    As NumPy's.
    """
    if order != "C":
        return op.reshape(_turned(op, x), shape=(-1,))
    return op.reshape(op.strong(x), shape=(-1,))


@function(method="reshape")
def reshape_method(op: Any, x: Any, *shape: Any, order: str = "C") -> Any:
    """NumPy's `x.reshape(2, -1)` or `x.reshape((2, -1))`; with `order="F"` the first index changes fastest."""
    if len(shape) == 1 and not isinstance(shape[0], int):
        shape = shape[0]
    if order == "F":
        return _turned(op, reshape_method(op, _turned(op, x), *tuple(shape)[::-1]))
    entries, inputs = split_sizes(op, shape)
    return op.reshape(op.strong(x), *inputs, shape=entries)


@cache
def _insert(axis: int) -> tuple[Any, ...]:
    """The index that puts a new axis at `axis` of the result."""
    if axis >= 0:
        return (*[slice(None)] * axis, None)
    return (..., None, *[slice(None)] * (-axis - 1))


class ExpandDims(Op):
    """A new axis of size 1 at `axis` of the result.

    >>> ag.expand_dims([1, 2], 0).shape
    TensorShape([1, 2])

    Source of the semantics: TensorFlow's `tf.expand_dims`.
    """

    public = "expand_dims"
    view = True

    def call(op: Any, input: Any, axis: Any, name: Any = None) -> Any:
        x = op.strong(input)
        rank = op.type_of(x).rank
        axis = axis_number(axis)
        if rank is not None and not -rank - 1 <= axis <= rank:
            message = f"expand_dims: axis {axis} of a tensor of rank {rank} is none of {-rank - 1} to {rank}"
            raise InvalidArgumentError(message, op="expand_dims")
        return op.expand_dims(x, axis=axis if rank is None else normalize_axis(axis, rank + 1, "expand_dims"))

    def infer(self, x: TensorType, *, axis: int) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, None)
        axis = normalize_axis(axis, len(x.shape) + 1, "expand_dims")
        return TensorType(x.dtype, (*x.shape[:axis], 1, *x.shape[axis:]))

    def source(self, args: list[str], attrs: Any) -> str:
        axis = attrs["axis"]
        inner = ", ".join([":"] * axis + ["None"]) if axis >= 0 else ", ".join(["...", "None"] + [":"] * (-axis - 1))
        return f"np.asarray({args[0]})[{inner}]" if axis in (0, -1) else f"{args[0]}[{inner}]"

    @staticmethod
    def kernel(x: Any, *, axis: int) -> Any:
        return np.asarray(x)[_insert(axis)]

    vjp = lambda op, dy, y, x, *, axis: (op.like_shape(dy, x),)

    def samples(self) -> Iterable[Any]:
        for axis in (0, 1, 2, -1, -2):
            yield (_x(2, 3),), {"axis": axis}


class Squeeze(Op):
    """Axes of size 1 left out: those named, or all that there are (axis None).

    >>> ag.squeeze([[1, 2]]).numpy()
    array([1, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.squeeze`.
    """

    public = "squeeze"
    view = aliases = True

    def call(op: Any, input: Any, axis: Any = None, name: Any = None) -> Any:
        x = op.strong(input)
        shape = op.type_of(x).shape
        if shape is not None:
            if axis is not None and axis not in ([], ()):
                axis = tuple(sorted(normalize_axes(axis, len(shape), "squeeze")))
            elif is_static(shape):
                axis = tuple(i for i, d in enumerate(shape) if d == 1)
            else:
                axis = None
            if axis == ():
                return x
        elif isinstance(axis, int):
            axis = (axis,)
        return op.squeeze(x, axis=axis)

    def infer(self, x: TensorType, *, axis: Any) -> TensorType:
        if x.shape is None or axis is None:
            return TensorType(x.dtype, None)
        axes = normalize_axes(axis, len(x.shape), "squeeze")
        for a in axes:
            if isinstance(x.shape[a], int) and x.shape[a] != 1:
                raise ShapeError(f"cannot squeeze axis {a} of shape {x.shape}: its size is not 1", op="squeeze")
        return TensorType(x.dtype, tuple(d for i, d in enumerate(x.shape) if i not in axes))

    numpy = "np.squeeze({0}, axis={axis})"

    vjp = lambda op, dy, y, x, *, axis: (op.like_shape(dy, x),)

    def samples(self) -> Iterable[Any]:
        yield (_x(1, 3, 1),), {"axis": (0, 2)}
        yield (_x(1, 3, 1),), {"axis": (-1,)}


@function(method="squeeze")
def squeeze_method(op: Any, x: Any, axis: Any = None) -> Any:
    """NumPy's `x.squeeze(axis)`."""
    return Squeeze.call(op, x, axis)


class BroadcastTo(Op):
    """`x` repeated along axes of size 1, and new leading ones, to fill a shape (without copying).

    >>> ag.broadcast_to([1, 2], (2, 2)).numpy()
    array([[1, 2],
           [1, 2]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.broadcast_to`.
    """

    public = "broadcast_to"
    view = aliases = True

    def call(op: Any, input: Any, shape: Any, name: Any = None) -> Any:
        x = op.strong(input)
        entries, inputs = split_sizes(op, shape)
        if entries is not None and -1 in entries:
            have = op.type_of(x).shape
            lead = len(entries) - len(have)
            entries = tuple(have[i - lead] if e == -1 else e for i, e in enumerate(entries))
        return op.broadcast_to(x, *inputs, shape=entries)

    def infer(self, x: TensorType, *sizes: TensorType, shape: Any) -> TensorType:
        out = shape_of_sizes(shape)
        if x.shape is not None and out is not None:
            joint = broadcast(x.shape, out) or ()
            if len(x.shape) > len(out) or any(
                isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(joint, out, strict=True)
            ):
                raise ShapeError(f"cannot broadcast a tensor of shape {x.shape} to {out}", op="broadcast_to")
        return TensorType(x.dtype, out)

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.broadcast_to({args[0]}, {text_of_sizes(attrs['shape'], args[1:])})"

    @staticmethod
    def kernel(x: Any, *sizes: Any, shape: Any) -> Any:
        return np.broadcast_to(x, fill_sizes(shape, sizes))

    vjp = lambda op, dy, y, x, *sizes, shape: (op.sum_to(dy, x), *[None] * len(sizes))

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 1),), {"shape": (2, 3, 4)}
        yield (_x(3, 1), np.int64(2), np.int64(4)), {"shape": (None, 3, None)}
        yield (_x(),), {"shape": (2, 3)}


class EnsureShape(Op):
    """`x` itself, checked at run time to have the shape (None: any size), and typed so from then on.

    >>> ag.ensure_shape([1, 2], (None,)).shape
    TensorShape([2])

    Source of the semantics: TensorFlow's `tf.ensure_shape`.
    """

    public = "ensure_shape"
    view = aliases = True

    def call(op: Any, x: Any, shape: Any, name: Any = None) -> Any:
        dims = getattr(shape, "dims", shape)
        sizes = None if dims is None else tuple(None if d is None else whole_number(d, "a size") for d in dims)
        return op.ensure_shape(op.strong(x), shape=sizes)

    def infer(self, x: TensorType, *, shape: Any) -> TensorType:
        if shape is None:
            return x.strong()
        if x.shape is None:
            return TensorType(x.dtype, shape_of_sizes(shape))
        fits = len(shape) == len(x.shape) and all(
            a is None or not isinstance(b, int) or a == b for a, b in zip(shape, x.shape, strict=True)
        )
        if not fits:
            raise ShapeError(f"a tensor of shape {x.shape} is not compatible with {shape}", op="ensure_shape")
        return TensorType(x.dtype, tuple(b if a is None else a for a, b in zip(shape, x.shape, strict=True)))

    @staticmethod
    def kernel(x: Any, *, shape: Any) -> Any:
        have = np.shape(x)
        if shape is not None and (
            len(have) != len(shape) or any(a is not None and a != b for a, b in zip(shape, have, strict=True))
        ):
            raise ShapeError(f"a tensor of shape {have} is not compatible with {shape}", op="ensure_shape")
        return x

    vjp = lambda op, dy, y, x, *, shape: (dy,)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {"shape": (None, 3)}
