"""Changing the element type, and passing values on: cast, saturate_cast, bitcast, identity, stop_gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import conj, no_gradient
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import DType, as_dtype, promote
from runtime.typesys.errors import DTypeError, ShapeError
from runtime.typesys.shapes import broadcast
from runtime.typesys.spec import TensorType

_SAMPLES = (
    np.array([[0.0, -1.75, 2.5], [1.0, 100.0, -0.25]]),
    np.array([0, 1, -3]),
    np.array([True, False]),
    np.float32(2.5),
)


class Cast(Op):
    """`x` in another element type, attribute `dtype`; never weak."""

    def infer(self, x: TensorType, *, dtype: DType) -> TensorType:
        if (x.dtype.kind == "O") != (dtype.kind == "O"):
            message = f"cast does not make {dtype.name} of {x.dtype.name}: convert in Python, outside the graph"
            raise DTypeError(message, op="cast")
        return TensorType(dtype, x.shape)

    @staticmethod
    def kernel(x: Any, *, dtype: DType) -> Any:
        to = dtype.dtype
        if not hasattr(x, "dtype"):
            return np.array(x.real if type(x) is complex and to.kind != "c" else x, to)
        if x.dtype.kind == "c" and to.kind not in "cb":
            x = x.real
        return x.astype(to)

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any, *, dtype: DType) -> tuple[Any]:
        want = op.type_of(x).dtype
        return (op.cast(dy, dtype=want) if want.is_inexact and dtype.is_inexact else None,)

    def samples(self) -> Iterable[Any]:
        for x in _SAMPLES:
            for name in ("float32", "float64", "int32", "int64", "bool", "complex64"):
                yield (x,), {"dtype": as_dtype(name)}


@function("cast", "dtypes.cast", method="astype", tensors=1)
def cast_to(op: Any, x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` in element type `dtype`; shape unchanged. Floats lose their fraction on the way to integers.

    As TensorFlow's `cast` and NumPy's `astype`. A tensor that already has the dtype is returned as it is.

    >>> import autograph as ag
    >>> ag.cast([1.8, -2.2], ag.int32).numpy()
    array([ 1, -2], dtype=int32)
    """
    wanted = as_dtype(dtype)
    kind = op.type_of(x)
    if kind.dtype == wanted and not kind.weak and hasattr(x, "_value"):
        return x
    return op.cast(x, dtype=wanted)


class SaturateCast(Op):
    """`value` in another element type, with what is outside its range at the range's ends. nan becomes 0."""

    def infer(self, x: TensorType, *, dtype: DType) -> TensorType:
        return TensorType(dtype, x.shape)

    @staticmethod
    def kernel(x: Any, *, dtype: DType) -> Any:
        x = np.asarray(x)
        low, high = dtype.limits
        if dtype.is_integer and x.dtype.kind == "f":
            # The ends may have no exact float: compare first, then convert only what is inside.
            inside = (x > low) & (x < high)
            out = np.where(inside, x, 0).astype(dtype.dtype)
            out[x >= high] = high
            out[x <= low] = low
            return out
        if dtype.is_integer and x.dtype.kind in "iu":
            info = np.iinfo(x.dtype)
            x = np.clip(x, max(low, info.min), min(high, info.max))
        elif dtype.is_floating and x.dtype.kind == "f" and np.finfo(x.dtype).max > high:
            x = np.where(np.isfinite(x), np.clip(x, low, high), x)
        return np.asarray(Cast.kernel(x, dtype=dtype))

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any, *, dtype: DType) -> tuple[Any]:
        if not (dtype.is_inexact and op.type_of(x).dtype.is_inexact):
            return (None,)
        inside = op.less_equal(op.abs(x), dtype.max)
        return (op.mul(op.cast(dy, dtype=op.type_of(x).dtype), inside),)

    def samples(self) -> Iterable[Any]:
        for x in (*_SAMPLES[:3], np.array([1e20, -1e20, 300.5, np.nan]), np.array([-5, 1000])):
            for name in ("uint8", "int32", "float32", "int64"):
                yield (x,), {"dtype": as_dtype(name)}


@function("saturate_cast", "dtypes.saturate_cast", tensors=1)
def cast_within_range(op: Any, value: Any, dtype: Any, name: str | None = None) -> Any:
    """`value` in element type `dtype`; what is outside its range becomes the nearest end of the range.

    As TensorFlow's `saturate_cast`.

    >>> import autograph as ag
    >>> ag.saturate_cast([300, -5, 7], ag.uint8).numpy()
    array([255,   0,   7], dtype=uint8)
    """
    return op.saturate_cast(value, dtype=as_dtype(dtype))


class Bitcast(Op):
    """The same bytes read as another element type; a narrower one adds a last axis, a wider one takes it away."""

    view = True

    def infer(self, x: TensorType, *, dtype: DType) -> TensorType:
        old, new = x.dtype.size, dtype.size
        if old == new or x.shape is None:
            return TensorType(dtype, x.shape)
        if old > new:
            return TensorType(dtype, (*x.shape, old // new))
        if not x.shape or (isinstance(x.shape[-1], int) and x.shape[-1] != new // old):
            raise ShapeError(
                f"bitcast from {x.dtype} to {dtype} needs a last axis of size {new // old}", op="bitcast"
            )
        return TensorType(dtype, x.shape[:-1])

    @staticmethod
    def kernel(x: Any, *, dtype: DType) -> Any:
        x = np.ascontiguousarray(x).reshape(np.shape(x))
        old, new = x.dtype.itemsize, dtype.size
        if old == new:
            return x.view(dtype.dtype)
        if old > new:
            return x.reshape(*x.shape, 1).view(dtype.dtype)
        if not x.shape or x.shape[-1] != new // old:
            raise ShapeError(
                f"bitcast from {x.dtype} to {dtype} needs a last axis of size {new // old}", op="bitcast"
            )
        return x.view(dtype.dtype)[..., 0]

    vjp = no_gradient

    def samples(self) -> Iterable[Any]:
        yield (np.arange(6.0, dtype="float32").reshape(3, 2),), {"dtype": as_dtype("int32")}
        yield (np.arange(6.0, dtype="float32").reshape(3, 2),), {"dtype": as_dtype("int64")}
        yield (np.arange(3.0),), {"dtype": as_dtype("uint8")}


@function("bitcast", tensors=1)
def read_bytes_as(op: Any, input: Any, type: Any, name: str | None = None) -> Any:
    """The bytes of `input` read as element type `type`, of any shape. As TensorFlow's `bitcast`.

    A narrower type adds a last axis, a wider one takes the last axis away.

    >>> import autograph as ag
    >>> ag.bitcast([1.0], ag.uint32).numpy()
    array([1065353216], dtype=uint32)
    """
    return op.bitcast(input, dtype=as_dtype(type))


class _PassOn(Op, abstract=True):
    """The value itself."""

    aliases = True
    numpy = "{0}"
    python = "{0}"

    def infer(self, x: TensorType) -> TensorType:
        return x

    def samples(self) -> Iterable[Any]:
        for x in _SAMPLES:
            yield (x,), {}


class Identity(_PassOn):
    """The same value in a new tensor (a box of its own). As TensorFlow's `identity`.

    >>> import autograph as ag
    >>> ag.identity([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """

    public = "identity"
    method = "copy"
    parameters = ("input",)
    vjp = lambda op, dy, y, x: (dy,)


class Fence(Op):
    """The same value, which no pass takes for the same: what is computed from it again is computed again.

    `number` tells the fences of a trace from each other.
    """

    aliases = True
    numpy = "{0}"
    python = "{0}"

    def infer(self, x: Any, *, number: int) -> Any:
        return x

    vjp = lambda op, dy, y, x, *, number: (dy,)

    def samples(self) -> Iterable[Any]:
        for x in _SAMPLES:
            yield (x,), {"number": 1}


class StopGradient(_PassOn):
    """The same value; gradients see a constant. As TensorFlow's `stop_gradient`.

    >>> import autograph as ag
    >>> ag.stop_gradient([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """

    public = "stop_gradient"
    parameters = ("input",)
    vjp = no_gradient


def _part_type(x: TensorType) -> TensorType:
    """The type of a real or imaginary part; a bare bool's are Python ints."""
    return TensorType("int64" if x.weak and x.dtype.is_bool else x.dtype.real_dtype, x.shape, x.weak)


class Real(Op):
    """The real part; a real tensor itself. As TensorFlow's and NumPy's `real`.

    >>> import autograph as ag
    >>> ag.math.real(ag.constant([1 + 2j])).numpy()
    array([1.])
    """

    public = "math.real"
    parameters = ("input",)
    numpy = "np.real({0})"
    python = "{0}.real"
    view = True

    def infer(self, x: TensorType) -> TensorType:
        return _part_type(x)

    vjp = lambda op, dy, y, x: (op.cast(dy, dtype=op.type_of(x).dtype),)

    def samples(self) -> Iterable[Any]:
        yield (np.array([1 + 2j, -3j]),), {}
        yield (np.array([1.5, 2.0], np.float32),), {}


class Imag(Op):
    """The imaginary part; zeros for a real tensor. As TensorFlow's and NumPy's `imag`.

    >>> import autograph as ag
    >>> ag.math.imag(ag.constant([1 + 2j])).numpy()
    array([2.])
    """

    public = "math.imag"
    parameters = ("input",)
    numpy = "np.imag({0})"
    python = "{0}.imag"
    view = True

    def infer(self, x: TensorType) -> TensorType:
        return _part_type(x)

    vjp = lambda op, dy, y, x: (op.mul(dy, 1j) if op.type_of(x).dtype.is_complex else None,)

    def samples(self) -> Iterable[Any]:
        yield (np.array([1 + 2j, -3j]),), {}
        yield (np.array([1.5, 2.0], np.float32),), {}


class Complex(Op):
    """real + imag * j, elementwise, of float32 or float64. As TensorFlow's `complex`.

    >>> import autograph as ag
    >>> ag.complex(ag.constant([1.0]), ag.constant([2.0])).numpy()
    array([1.+2.j], dtype=complex64)
    """

    public = "complex", "dtypes.complex"
    parameters = ("real", "imag")

    @staticmethod
    def kernel(real: Any, imag: Any) -> Any:
        out = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), np.result_type(real, imag, 1j))
        out.real, out.imag = real, imag  # not a sum: an infinite imaginary part times 1j has NaN for its real one
        return out[()]

    def infer(self, real: TensorType, imag: TensorType) -> TensorType:
        weak = real.weak and imag.weak
        dtype = promote((real.dtype, real.weak), (imag.dtype, imag.weak), (as_dtype("complex128"), True))[0]
        return TensorType(dtype, broadcast(real.shape, imag.shape), weak)

    vjp = lambda op, dy, z, x, y: (op.sum_to(op.real(dy), x), op.sum_to(op.imag(dy), y))

    def samples(self) -> Iterable[Any]:
        yield (np.array([1.0, 2.0]), np.array([0.5, -1.0])), {}
        yield (np.array([1.0, 2.0], np.float32), np.array([[0.5], [-1.0]], np.float32)), {}


class Angle(Op):
    """The argument of complex numbers, in radians; 0 or pi for real ones. As TensorFlow's and NumPy's `angle`.

    >>> import autograph as ag
    >>> ag.math.angle(ag.constant([1j, -1.0])).numpy().round(3)
    array([1.571, 3.142])
    """

    public = "math.angle"
    parameters = ("input",)
    numpy = "np.angle({0})"

    def infer(self, x: TensorType) -> TensorType:
        dtype = x.dtype.real_dtype if x.dtype.is_inexact else as_dtype("float64")
        return TensorType(dtype, x.shape, x.weak)

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any) -> tuple[Any]:
        if not op.type_of(x).dtype.is_complex:
            return (None,)
        return (op.div(op.mul(dy, 1j), conj(op, x)),)

    def samples(self) -> Iterable[Any]:
        yield (np.array([1 + 2j, -3j, -1.0]),), {}
        yield (np.array([1.5, -2.0], np.float32),), {}
