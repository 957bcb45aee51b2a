"""Diagonals, bands, triangles and grids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim, Size, num_elements, same_size, whole_number
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def smaller_size(a: Size, b: Size) -> Size:
    """The smaller of two sizes; an unknown one if that is not known."""
    if same_size(a, b):
        return a
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else Dim()


class MatrixDiag(Op):
    """Square matrices with the last axis of `x` on their diagonal."""

    def infer(self, x: TensorType, *, k: int) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, None)
        size = x.shape[-1] if k == 0 else x.shape[-1] + abs(k) if isinstance(x.shape[-1], int) else Dim()
        return TensorType(x.dtype, (*x.shape[:-1], size, size))

    @staticmethod
    def kernel(x: Any, *, k: int) -> Any:
        count = x.shape[-1]
        out = np.zeros((*x.shape[:-1], count + abs(k), count + abs(k)), x.dtype)
        at = np.arange(count)
        out[..., at + max(-k, 0), at + max(k, 0)] = x
        return out

    vjp = lambda op, dy, y, x, *, k: (op.like_shape(op.matrix_diag_part(dy, k=k), x),)

    def samples(self) -> Iterable[Any]:
        yield (_x(3),), {"k": 0}
        yield (_x(2, 3),), {"k": 1}


class MatrixDiagPart(Op):
    """The k-th diagonal of the last two axes."""

    numpy = "np.diagonal({0}, {k}, -2, -1)"
    view = True

    def infer(self, x: TensorType, *, k: int) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, None)
        if len(x.shape) < 2:
            raise ShapeError(f"a diagonal needs two axes, not shape {x.shape}", op="diag_part")
        rows, columns = x.shape[-2:]
        if k:
            known = isinstance(rows, int) and isinstance(columns, int)
            size: Size = max(min(rows + min(k, 0), columns - max(k, 0)), 0) if known else Dim()  # type: ignore[operator]
        else:
            size = smaller_size(rows, columns)
        return TensorType(x.dtype, (*x.shape[:-2], size))

    vjp = lambda op, dy, y, x, *, k: (op.matrix_set_diag(op.zeros_like(x), dy, k=k),)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 3),), {"k": 0}
        yield (_x(2, 3, 4),), {"k": 1}


class MatrixSetDiag(Op):
    """`x` with another k-th diagonal."""

    def infer(self, x: TensorType, diagonal: TensorType, *, k: int) -> TensorType:
        return TensorType(x.dtype, x.shape)

    @staticmethod
    def kernel(x: Any, diagonal: Any, *, k: int) -> Any:
        out = np.array(x)
        at = np.arange(np.shape(diagonal)[-1])
        out[..., at + max(-k, 0), at + max(k, 0)] = diagonal
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, diagonal: Any, *, k: int) -> Any:
        at = op.matrix_diag_part(dy, k=k)
        return op.matrix_set_diag(dy, op.zeros_like(at), k=k), op.sum_to(at, diagonal)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 3), _x(3)), {"k": 0}


class BandPart(Op):
    """The last two axes with zeros outside a band of `lower` diagonals below and `upper` above (negative: all)."""

    def infer(self, x: TensorType, *, lower: int, upper: int) -> TensorType:
        return TensorType(x.dtype, x.shape)

    @staticmethod
    def kernel(x: Any, *, lower: int, upper: int) -> Any:
        if upper < 0 <= lower:
            return np.triu(x, -lower)
        if lower < 0 <= upper:
            return np.tril(x, upper)
        return np.array(x) if lower < 0 else np.tril(np.triu(x, -lower), upper)

    vjp = lambda op, dy, y, x, *, lower, upper: (op.band_part(dy, lower=lower, upper=upper),)

    def samples(self) -> Iterable[Any]:
        for lower, upper in ((-1, 0), (0, -1), (1, 1), (-1, -1)):
            yield (_x(2, 4, 3),), {"lower": lower, "upper": upper}


class Triangle(Op):
    """The last two axes with zeros above the k-th diagonal (`below`), or below it."""

    def infer(self, x: TensorType, *, k: int, below: bool) -> TensorType:
        return TensorType(x.dtype, x.shape)

    @staticmethod
    def kernel(x: Any, *, k: int, below: bool) -> Any:
        return np.tril(x, k) if below else np.triu(x, k)

    vjp = lambda op, dy, y, x, *, k, below: (op.triangle(dy, k=k, below=below),)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4),), {"k": 1, "below": True}
        yield (_x(3, 4),), {"k": -1, "below": False}


@function("tril")
def tril(op: Any, m: Any, k: int = 0) -> Any:
    """The lower triangle of the last two axes, as NumPy's `tril`.

    >>> ag.tril([[1, 2], [3, 4]]).numpy()
    array([[1, 0],
           [3, 4]], dtype=int32)
    """
    return op.triangle(op.strong(m), k=whole_number(k, "k"), below=True)


@function("triu")
def triu(op: Any, m: Any, k: int = 0) -> Any:
    """The upper triangle of the last two axes, as NumPy's `triu`.

    >>> ag.triu([[1, 2], [3, 4]]).numpy()
    array([[1, 2],
           [0, 4]], dtype=int32)
    """
    return op.triangle(op.strong(m), k=whole_number(k, "k"), below=False)


@function("linalg.band_part")
def band_part_(op: Any, input: Any, num_lower: int, num_upper: int, name: Any = None) -> Any:
    """The last two axes with zeros outside a band; negative numbers keep the whole triangle.

    >>> ag.linalg.band_part([[1, 2], [3, 4]], 0, -1).numpy()
    array([[1, 2],
           [0, 4]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.band_part`.
    """
    x = op.strong(input)
    if op.type_of(x).rank in (0, 1):
        raise ShapeError(f"band_part needs at least two axes, not shape {op.type_of(x).shape}", op="band_part")
    return op.band_part(x, lower=whole_number(num_lower, "num_lower"), upper=whole_number(num_upper, "num_upper"))


def _offset(k: Any, what: str) -> int:
    if isinstance(k, int):
        return k
    raise InvalidArgumentError(f"{what} takes one diagonal: k must be an int, not {k!r}", op=what)


@function("linalg.diag")
def diag_(op: Any, diagonal: Any, name: str = "diag", k: int = 0, **_: Any) -> Any:
    """Matrices with the last axis of `diagonal` on their k-th diagonal.

    >>> ag.linalg.diag([1, 2]).numpy().tolist()
    [[1, 0], [0, 2]]
    """
    return op.matrix_diag(op.strong(diagonal), k=_offset(k, "diag"))


@function("linalg.diag_part")
def diag_part_(op: Any, input: Any, name: str = "diag_part", k: int = 0, **_: Any) -> Any:
    """The k-th diagonal of the last two axes.

    >>> ag.linalg.diag_part([[1, 2], [3, 4]]).numpy()
    array([1, 4], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.diag_part`.
    """
    return op.matrix_diag_part(op.strong(input), k=_offset(k, "diag_part"))


@function("linalg.set_diag")
def set_diag_(op: Any, input: Any, diagonal: Any, name: str = "set_diag", k: int = 0, **_: Any) -> Any:
    """Matrices with another k-th diagonal.

    >>> ag.linalg.set_diag([[1, 2], [3, 4]], [0, 0]).numpy()
    array([[0, 2],
           [3, 0]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.set_diag`.
    """
    return op.matrix_set_diag(op.strong(input), op.strong(diagonal), k=_offset(k, "set_diag"))


@function("diag")
def np_diag(op: Any, v: Any, k: int = 0) -> Any:
    """NumPy's `diag`: a matrix of a vector, the diagonal of a matrix.

    >>> ag.diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    v = op.strong(v)
    return op.matrix_diag(v, k=k) if op.type_of(v).rank == 1 else op.matrix_diag_part(v, k=k)


@function("linalg.tensor_diag")
def tensor_diag(op: Any, diagonal: Any, name: Any = None) -> Any:
    """A tensor of twice the rank with `diagonal` on its diagonal.

    >>> ag.linalg.tensor_diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.tensor_diag`.
    """
    x = op.strong(diagonal)
    shape = op.type_of(x).shape
    if num_elements(shape) is None:
        raise ShapeError("tensor_diag needs a known shape", op="tensor_diag")
    return op.reshape(op.matrix_diag(op.flatten(x), k=0), shape=(*shape, *shape))


@function("linalg.tensor_diag_part")
def tensor_diag_part(op: Any, input: Any, name: Any = None) -> Any:
    """The diagonal of a tensor whose shape is one shape twice.

    >>> ag.linalg.tensor_diag_part([[1, 2], [3, 4]]).numpy()
    array([1, 4], dtype=int32)

    Source of the semantics: TensorFlow's `tf.linalg.tensor_diag_part`.
    """
    x = op.strong(input)
    shape = op.type_of(x).shape
    half = shape[: len(shape) // 2]
    count = num_elements(half)
    if count is None or tuple(half) * 2 != shape:
        raise ShapeError(f"tensor_diag_part needs a known shape twice, not {shape}", op="tensor_diag_part")
    return op.reshape(op.matrix_diag_part(op.reshape(x, shape=(count, count)), k=0), shape=tuple(half))


@function("linalg.trace")
def trace(op: Any, x: Any, name: Any = None) -> Any:
    """The sum of the diagonal of the last two axes.

    >>> ag.linalg.trace([[1, 2], [3, 4]]).numpy()
    np.int64(5)

    Source of the semantics: TensorFlow's `tf.linalg.trace`.
    """
    return op.reduce_sum(op.matrix_diag_part(op.strong(x), k=0), axis=-1, keepdims=False)


@function("meshgrid")
def meshgrid(op: Any, *args: Any, indexing: str = "xy", name: Any = None, **_: Any) -> list[Any]:
    """Coordinate grids of vectors: the first along columns ("xy") or rows ("ij").

    >>> [t.numpy().tolist() for t in ag.meshgrid([1, 2], [3])]
    [[[1, 2]], [[3, 3]]]

    Source of the semantics: TensorFlow's `tf.meshgrid`.
    """
    if indexing not in ("xy", "ij"):
        raise InvalidArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}", op="meshgrid")
    vectors = [op.flatten(a) for a in args]
    rank = len(vectors)
    order = list(range(rank))
    if indexing == "xy" and rank > 1:
        order[:2] = [1, 0]
    sizes: list[Any] = [None] * rank
    placed = []
    for vector, axis in zip(vectors, order, strict=True):
        size = op.type_of(vector).shape[0]
        sizes[axis] = size if isinstance(size, int) else op.dim_size(vector, axis=0)
        place = [1] * rank
        place[axis] = -1
        placed.append(op.reshape(vector, shape=tuple(place)))
    return [op.broadcast_to_shape(p, sizes) for p in placed]
