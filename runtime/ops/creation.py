"""Creation: tensors from numbers, sizes and ranges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number
from runtime.ops.registry import Op, function
from runtime.ops.sizes import fill_sizes, shape_of_sizes, split_sizes, text_of_sizes
from runtime.typesys.dtypes import as_dtype, promote
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.shapes import Dim, is_static, require_scalar, whole_number
from runtime.typesys.spec import TensorType


class Fill(Op):
    """A shape filled with one number, of dtype `dtype`; weak inputs beyond the first bring unknown sizes."""

    def infer(self, value: TensorType, *sizes: TensorType, shape: Any, dtype: Any) -> TensorType:
        return TensorType(dtype, shape_of_sizes(shape))

    def source(self, args: list[str], attrs: Any) -> str:
        sizes = text_of_sizes(attrs["shape"], args[1:])
        dtype = f"np.{_np_name(attrs['dtype'])}"
        if args[0] in ("0", "0.0", "1", "1.0"):
            return f"np.{'zeros' if args[0][0] == '0' else 'ones'}({sizes}, {dtype})"
        return f"np.full({sizes}, {args[0]}, {dtype})"

    @staticmethod
    def kernel(value: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        return np.full(fill_sizes(shape, sizes), value, dtype.dtype)

    def vjp(op: Any, dy: Any, y: Any, value: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        return op.sum_to(dy, value) if op.type_of(value).dtype.is_inexact else None, *[None] * len(sizes)

    def samples(self) -> Iterable[Any]:
        yield (np.float64(2.5),), {"shape": (2, 3), "dtype": as_dtype("float64")}
        yield (np.float64(2.5), np.int64(4)), {"shape": (None, 3), "dtype": as_dtype("float64")}
        yield (0,), {"shape": (), "dtype": as_dtype("int32")}


def _np_name(dtype: Any) -> str:
    return {"bool": "bool_", "string": "object_"}.get(dtype.name, dtype.name)


class Zeros(Op):
    """Zeros of a shape.

    >>> ag.zeros((2,)).numpy()
    array([0., 0.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.zeros`.
    """

    public = "zeros"

    def call(op: Any, shape: Any, dtype: Any = "float32", name: Any = None) -> Any:
        entries, inputs = split_sizes(op, shape)
        return op.zeros(*inputs, shape=_non_negative(entries), dtype=as_dtype(dtype))

    def infer(self, *sizes: TensorType, shape: Any, dtype: Any) -> TensorType:
        return TensorType(dtype, shape_of_sizes(shape))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.{self.name}({text_of_sizes(attrs['shape'], args)}, np.{_np_name(attrs['dtype'])})"

    @staticmethod
    def kernel(*sizes: Any, shape: Any, dtype: Any) -> Any:
        return np.zeros(fill_sizes(shape, sizes), dtype.dtype)

    vjp = lambda op, dy, y, *sizes, shape, dtype: (None,) * len(sizes)

    def samples(self) -> Iterable[Any]:
        yield (), {"shape": (2, 3), "dtype": as_dtype("float32")}
        yield (np.int64(4),), {"shape": (None, 3), "dtype": as_dtype("int32")}


class Ones(Zeros):
    """Ones of a shape.

    >>> ag.ones((2,)).numpy()
    array([1., 1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.ones`.
    """

    public = "ones"

    def call(op: Any, shape: Any, dtype: Any = "float32", name: Any = None) -> Any:
        entries, inputs = split_sizes(op, shape)
        return op.ones(*inputs, shape=_non_negative(entries), dtype=as_dtype(dtype))

    @staticmethod
    def kernel(*sizes: Any, shape: Any, dtype: Any) -> Any:
        return np.ones(fill_sizes(shape, sizes), dtype.dtype)


def _non_negative(entries: Any) -> Any:
    if entries is not None and any(type(e) is int and e < 0 for e in entries):
        raise InvalidArgumentError(f"negative sizes are not allowed: {entries}")
    return entries


class FullLike(Op):
    """The shape of `x`, filled with one number."""

    def infer(self, x: TensorType, *, value: Any, dtype: Any) -> TensorType:
        return TensorType(dtype, x.shape)

    def source(self, args: list[str], attrs: Any) -> str:
        value, dtype = attrs["value"], f"np.{_np_name(attrs['dtype'])}"
        if value in (0, 1):
            return f"np.{'ones' if value else 'zeros'}(np.shape({args[0]}), {dtype})"
        return f"np.full(np.shape({args[0]}), {value!r}, {dtype})"

    @staticmethod
    def kernel(x: Any, *, value: Any, dtype: Any) -> Any:
        return (np.zeros if value == 0 else np.ones)(np.shape(x), dtype.dtype)

    vjp = lambda op, dy, y, x, *, value, dtype: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.ones((2, 3)),), {"value": 1, "dtype": as_dtype("float64")}
        yield (np.ones((2, 3)),), {"value": 0, "dtype": as_dtype("int32")}


@function("fill")
def fill_with(op: Any, dims: Any, value: Any, name: Any = None) -> Any:
    """A shape filled with one number; its dtype is the number's.

    >>> ag.fill([2, 2], 7).numpy().tolist()
    [[7, 7], [7, 7]]
    """
    value = op.convert(value)
    entries, inputs = split_sizes(op, dims)
    return op.fill(value, *inputs, shape=_non_negative(entries), dtype=op.type_of(value).dtype)


@function("full")
def full(op: Any, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """As NumPy's `full`.

    >>> ag.full((2,), 7).numpy()
    array([7, 7], dtype=int32)
    """
    value = op.convert(fill_value, dtype)
    return op.fill_with(shape, value)


@function("zeros_like")
def zeros_like(op: Any, input: Any, dtype: Any = None, name: Any = None, **_: Any) -> Any:
    """Zeros in the shape of `input`, of its dtype unless told.

    >>> ag.zeros_like([1, 2]).numpy()
    array([0, 0], dtype=int32)

    Source of the semantics: TensorFlow's `tf.zeros_like`.
    """
    return _like(op, input, 0, dtype)


@function("ones_like")
def ones_like(op: Any, input: Any, dtype: Any = None, name: Any = None, **_: Any) -> Any:
    """Ones in the shape of `input`, of its dtype unless told.

    >>> ag.ones_like([1, 2]).numpy()
    array([1, 1], dtype=int32)

    Source of the semantics: TensorFlow's `tf.ones_like`.
    """
    return _like(op, input, 1, dtype)


def _like(op: Any, x: Any, value: int, dtype: Any) -> Any:
    x = op.strong(x)
    kind = op.type_of(x)
    wanted = kind.dtype if dtype is None else as_dtype(dtype)
    if is_static(kind.shape):
        return op.ones(shape=kind.shape, dtype=wanted) if value else op.zeros(shape=kind.shape, dtype=wanted)
    return op.full_like(x, value=value, dtype=wanted)


@function("eye", "linalg.eye")
def eye(
    op: Any, num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> Any:
    """The identity matrix, or a batch of them.

    >>> ag.eye(2).numpy()
    array([[1., 0.],
           [0., 1.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.eye`.
    """
    columns = num_rows if num_columns is None else num_columns
    entries, inputs = split_sizes(op, [num_rows, columns])
    out = op.eye_matrix(*inputs, shape=entries, dtype=as_dtype(dtype))
    return out if batch_shape is None else op.broadcast_to_shape(out, [*batch_shape, num_rows, columns])


@function()
def broadcast_to_shape(op: Any, x: Any, shape: Any) -> Any:
    """`x` broadcast to a shape as users write it."""
    entries, inputs = split_sizes(op, shape)
    return op.broadcast_to(x, *inputs, shape=entries)


class EyeMatrix(Op):
    """Ones on the diagonal."""

    def infer(self, *sizes: TensorType, shape: Any, dtype: Any) -> TensorType:
        return TensorType(dtype, shape_of_sizes(shape))

    def source(self, args: list[str], attrs: Any) -> str:
        rows, columns = fill_sizes(attrs["shape"], tuple(args))
        return f"np.eye({rows}, {columns}, dtype=np.{_np_name(attrs['dtype'])})"

    @staticmethod
    def kernel(*sizes: Any, shape: Any, dtype: Any) -> Any:
        rows, columns = fill_sizes(shape, sizes)
        return np.eye(rows, columns, dtype=dtype.dtype)

    vjp = lambda op, dy, y, *sizes, shape, dtype: (None,) * len(sizes)

    def samples(self) -> Iterable[Any]:
        yield (), {"shape": (3, 4), "dtype": as_dtype("float32")}


class Arange(Op):
    """start, start + delta, ... below (or, for a negative delta, above) limit, of dtype `dtype`."""

    def infer(
        self, start: TensorType, limit: TensorType, delta: TensorType, *, dtype: Any, length: Any = None
    ) -> TensorType:
        return TensorType(dtype, (Dim() if length is None else length,))

    def source(self, args: list[str], attrs: Any) -> str:
        dtype = f"np.{_np_name(attrs['dtype'])}"
        if args[2] == "1":
            return (
                f"np.arange({args[1]}, dtype={dtype})"
                if args[0] == "0"
                else f"np.arange({args[0]}, {args[1]}, dtype={dtype})"
            )
        return f"np.arange({args[0]}, {args[1]}, {args[2]}, {dtype})"

    @staticmethod
    def kernel(start: Any, limit: Any, delta: Any, *, dtype: Any, length: Any = None) -> Any:
        if delta == 0:
            raise InvalidArgumentError("range with delta 0", op="range")
        return np.arange(start, limit, delta, dtype=dtype.dtype)

    def vjp(op: Any, dy: Any, y: Any, start: Any, limit: Any, delta: Any, *, dtype: Any, length: Any = None) -> Any:
        if not dtype.is_inexact:
            return None, None, None
        steps = op.arange(0, op.dim_size(dy, axis=0), 1, dtype=dtype)
        total, weighted = op.sum_all(dy), op.sum_all(op.mul(dy, steps))
        kinds = [op.type_of(v).dtype.is_inexact for v in (start, delta)]
        return op.sum_to(total, start) if kinds[0] else None, None, op.sum_to(weighted, delta) if kinds[1] else None

    def samples(self) -> Iterable[Any]:
        yield (np.int64(1), np.int64(7), np.int64(2)), {"dtype": as_dtype("int64")}
        yield (0, 5, 1), {"dtype": as_dtype("int32"), "length": 5}


@function("range")
def range_(op: Any, start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Any:
    """Numbers from `start` (0 if only one bound is given) up to, not including, `limit`.

    Bare ints give int32 and floats float32; tensors give their promoted dtype.

    >>> ag.range(3, 18, 3).numpy().tolist()
    [3, 6, 9, 12, 15]
    """
    if limit is None:
        start, limit = 0, start
    bounds = [start, limit, delta]
    for bound in bounds:
        require_scalar(op.type_of(bound).shape, "range")
    if dtype is None:
        kinds = [op.type_of(b) for b in bounds]
        best, weak = promote(*((k.dtype, k.weak) for k in kinds))
        dtype = as_dtype({"i": "int32", "f": "float32"}.get(best.kind, best.name) if weak else best)
    else:
        dtype = as_dtype(dtype)
    known = [op.static_value(b) for b in bounds]
    length = None
    if all(k is not None for k in known):
        if known[2] == 0:
            raise InvalidArgumentError("range with delta 0", op="range")
        length = len(np.arange(*(k.item() if hasattr(k, "item") else k for k in known)))
        bounds = [k.item() if hasattr(k, "item") else k for k in known]
        if (
            dtype.is_integer
            and length
            and not all(dtype.min <= b <= dtype.max for b in (bounds[0], bounds[0] + (length - 1) * bounds[2]))
        ):
            dtype = as_dtype("int64")
    return op.arange(*bounds, dtype=dtype, length=length)


@function("arange")
def np_arange(op: Any, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """As NumPy's `arange`: bare ints give int64, floats float64.

    >>> ag.arange(2, 8, 3).numpy()
    array([2, 5])
    """
    if dtype is None:
        kinds = [op.type_of(b) for b in (start, stop, step) if b is not None]
        dtype = promote(*((k.dtype, k.weak) for k in kinds))[0]
    return op.range(start, stop, step, dtype=dtype)


class Linspace(Op):
    """`num` evenly spaced numbers from start to stop, both included, along a new axis."""

    numpy = "np.linspace({0}, {1}, {num}, axis={axis}).astype(np.result_type({0}, {1}), copy=False)"

    def infer(self, start: TensorType, stop: TensorType, *, num: int, axis: int) -> TensorType:
        shape = list(start.shape or ())
        shape.insert(axis if axis >= 0 else len(shape) + 1 + axis, num)
        return TensorType(promote((start.dtype, start.weak), (stop.dtype, stop.weak))[0], tuple(shape))

    def vjp(op: Any, dy: Any, y: Any, start: Any, stop: Any, *, num: int, axis: int) -> Any:
        rank = op.type_of(y).rank
        at = axis if axis >= 0 else rank + axis
        dtype = op.type_of(dy).dtype
        steps = np.arange(num) / max(num - 1, 1)
        w = op.convert(steps.astype(dtype.dtype).reshape([num if i == at else 1 for i in range(rank)]))
        return (
            op.sum_to(op.reduce_sum(op.mul(dy, op.sub(1, w)), axis=(at,), keepdims=False), start),
            op.sum_to(op.reduce_sum(op.mul(dy, w), axis=(at,), keepdims=False), stop),
        )

    def samples(self) -> Iterable[Any]:
        yield (np.float64(1.0), np.float64(3.0)), {"num": 5, "axis": 0}
        yield (np.array([0.0, 1.0]), np.array([2.0, 5.0])), {"num": 4, "axis": -1}


@function("linspace", "lin_space")
def linspace_(op: Any, start: Any, stop: Any, num: Any, name: Any = None, axis: int = 0) -> Any:
    """Evenly spaced numbers from start to stop, both included.

    >>> ag.linspace(0.0, 1.0, 3).numpy()
    array([0. , 0.5, 1. ], dtype=float32)

    Source of the semantics: TensorFlow's `tf.lin_space`.
    """
    start, stop = op.convert(start), op.convert(stop)
    if not op.type_of(start).dtype.is_inexact and not op.type_of(stop).dtype.is_inexact:
        start = op.cast(start, dtype=as_dtype("float64"))
    count = op.static_value(num)
    if count is not None:
        return op.linspace(start, stop, num=whole_number(count, "a number of points"), axis=axis_number(axis))
    dtype = promote(*((op.type_of(v).dtype, False) for v in (start, stop)))[0]
    steps = op.range(0, num, 1, dtype="int64")
    width = op.div(op.sub(stop, start), op.maximum(op.cast(op.sub(num, 1), dtype=dtype), 1))
    return op.add(start, op.mul(op.cast(steps, dtype=dtype), width))


@function("constant")
def constant_(op: Any, value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Any:
    """A tensor of a literal or an array: bare floats are float32, ints int32 (which must fit).

    Raises:
      InvalidArgumentError: a ragged sequence, a number too large for `dtype`, a value that does not fill `shape`.

    >>> ag.constant([1.0, 2.0]).dtype
    dtype('float32')
    """
    out = op.convert(value, dtype)
    if shape is None:
        return out
    sizes = tuple(map(int, shape))
    have = op.type_of(out).shape
    if have == sizes:
        return out
    return op.broadcast_to(out, shape=sizes) if have == () else op.reshape(out, shape=sizes)


@function("convert_to_tensor")
def convert_to_tensor(op: Any, value: Any, dtype: Any = None, dtype_hint: Any = None, name: Any = None) -> Any:
    """A tensor of a tensor, an array or a literal; `dtype_hint` is used where it is possible.

    >>> ag.convert_to_tensor([1.0, 2.0])
    <Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>

    Source of the semantics: TensorFlow's `tf.convert_to_tensor`.
    """
    if dtype is None and dtype_hint is not None and not hasattr(value, "dtype"):
        try:
            return op.convert(value, dtype_hint)
        except InvalidArgumentError:
            return op.convert(value)
    return op.convert(value, dtype)
