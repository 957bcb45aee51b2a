"""Shape, size and rank of a tensor, as values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.shapes import Dim, is_static
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


class IntValue(Op):
    """An integer scalar as a bare number."""

    numpy = "int({0})"

    def infer(self, x: TensorType) -> TensorType:
        return TensorType("int64", (), weak=True)

    vjp = lambda op, dy, y, x: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.int32(3),), {}


class DimSize(Op):
    """The size of one axis, as a bare number."""

    numpy = "np.shape({0})[{axis}]"

    def infer(self, x: TensorType, *, axis: int) -> TensorType:
        return TensorType("int64", (), weak=True)

    vjp = lambda op, dy, y, x, *, axis: (None,)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {"axis": 1}


class NumElements(Op):
    """The number of elements, as a bare number."""

    numpy = "np.size({0})"

    def infer(self, x: TensorType) -> TensorType:
        return TensorType("int64", (), weak=True)

    vjp = lambda op, dy, y, x: (None,)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {}


class ShapeVector(Op):
    """The shape as a vector of integers."""

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.array(np.shape({args[0]}), np.{attrs['dtype'].name})"

    @staticmethod
    def kernel(x: Any, *, dtype: Any) -> Any:
        return np.array(np.shape(x), dtype.dtype)

    def infer(self, x: TensorType, *, dtype: Any) -> TensorType:
        return TensorType(dtype, (Dim() if x.shape is None else len(x.shape),))

    vjp = lambda op, dy, y, x, *, dtype: (None,)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {"dtype": as_dtype("int32")}


@function("shape")
def shape(op: Any, input: Any, out_type: Any = "int32", name: Any = None) -> Any:
    """The shape as a vector of `out_type`; a constant where every size is known.

    >>> ag.shape([[1, 2], [3, 4]]).numpy()
    array([2, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.shape`.
    """
    x = op.strong(input)
    known = op.type_of(x).shape
    if is_static(known):
        return op.convert(np.array(known, as_dtype(out_type).dtype))
    return op.shape_vector(x, dtype=as_dtype(out_type))


@function("size")
def size(op: Any, input: Any, out_type: Any = "int32", name: Any = None) -> Any:
    """The number of elements as a scalar of `out_type`.

    >>> ag.size([[1, 2], [3, 4]]).numpy()
    np.int32(4)

    Source of the semantics: TensorFlow's `tf.size`.
    """
    x = op.strong(input)
    known = op.type_of(x).shape
    dtype = as_dtype(out_type)
    if is_static(known):
        return op.convert(dtype.dtype.type(math.prod(known)))
    return op.cast(op.num_elements(x), dtype=dtype)


@function("rank")
def rank(op: Any, input: Any, name: Any = None) -> Any:
    """The number of axes, int32.

    >>> ag.rank([[1, 2]]).numpy()
    np.int32(2)

    Source of the semantics: TensorFlow's `tf.rank`.
    """
    x = op.strong(input)
    known = op.type_of(x).rank
    if known is None:
        return op.cast(op.dim_size(op.shape(x), axis=0), dtype=as_dtype("int32"))
    return op.convert(np.int32(known))
