"""Linear algebra over the last two axes: determinants, inverses, systems of equations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.decompositions import adjoint_of, guarded, positive_definite, square_type
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import ShapeError
from runtime.typesys.shapes import broadcast
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _scalars(op: Any, x: Any) -> Any:
    """One number per matrix, with two axes to broadcast over it."""
    rank = op.type_of(x).rank
    return op.expand_dims(op.expand_dims(x, axis=rank), axis=rank + 1)


class Det(Op):
    """Determinants of square matrices.

    >>> ag.linalg.det([[1.0, 2.0], [3.0, 5.0]]).numpy().round(3)
    np.float32(-1.0)

    Source of the semantics: TensorFlow's `tf.linalg.det`.
    """

    public = "linalg.det"
    parameters = ("input",)
    numpy = "np.linalg.det({0})"

    def infer(self, x: TensorType) -> TensorType:
        kind = square_type(x, "det")
        return TensorType(kind.dtype, None if x.shape is None else x.shape[:-2])

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        return (op.mul(_scalars(op, op.mul(dy, y)), adjoint_of(op, op.inv(x))),)

    def samples(self) -> Iterable[Any]:
        yield (positive_definite(3, 3) * 0.5,), {}
        yield (positive_definite(2, 3, 3) * 0.5,), {}


class Slogdet(Op):
    """Sign and logarithm of the absolute determinant of square matrices.

    >>> [t.numpy() for t in ag.linalg.slogdet([[-1.0, 0.0], [0.0, 1.0]])]
    [np.float32(-1.0), np.float32(0.0)]

    Source of the semantics: TensorFlow's `tf.linalg.slogdet`.
    """

    outputs = 2
    sparse_cotangents = True
    public = "linalg.slogdet"
    parameters = ("input",)

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        kind = square_type(x, "slogdet")
        shape = None if x.shape is None else x.shape[:-2]
        return TensorType(kind.dtype, shape), TensorType(kind.dtype.real_dtype, shape)

    @staticmethod
    def kernel(x: Any) -> tuple[Any, Any]:
        sign, log = np.linalg.slogdet(x)
        return sign, log

    vjp = lambda op, dy, y, x: (None if dy[1] is None else op.mul(_scalars(op, dy[1]), adjoint_of(op, op.inv(x))),)

    def samples(self) -> Iterable[Any]:
        yield (positive_definite(2, 3, 3),), {}


@function("linalg.logdet")
def logdet(op: Any, matrix: Any, name: Any = None) -> Any:
    """The logarithm of the determinant of positive definite matrices.

    >>> ag.linalg.logdet([[1.0, 0.0], [0.0, 1.0]]).numpy()
    np.float32(0.0)

    Source of the semantics: TensorFlow's `tf.linalg.logdet`.
    """
    return op.slogdet(op.strong(matrix))[1]


class Inv(Op):
    """Inverses of square matrices."""

    def infer(self, x: TensorType) -> TensorType:
        kind = square_type(x, "inv")
        return TensorType(kind.dtype, x.shape)

    @staticmethod
    def kernel(x: Any) -> Any:
        return guarded("inv", np.linalg.inv, x)

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        t = adjoint_of(op, y)
        return (op.neg(op.matmul(op.matmul(t, dy), t)),)

    def samples(self) -> Iterable[Any]:
        yield (positive_definite(3, 3),), {}
        yield (positive_definite(2, 3, 3),), {}


@function("linalg.inv")
def inv_(op: Any, input: Any, adjoint: bool = False, name: Any = None) -> Any:
    """Inverses of square matrices (of their adjoints).

    Raises:
      MatrixError: a singular matrix.

    >>> ag.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy()
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.inv`.
    """
    x = op.strong(input)
    return op.inv(adjoint_of(op, x) if adjoint else x)


class Solve(Op):
    """x with a @ x = b, for matrices b."""

    def infer(self, a: TensorType, b: TensorType) -> TensorType:
        kind = square_type(a, "solve")
        dtype = promote((kind.dtype, False), (b.dtype, b.weak))[0]
        if a.shape is None or b.shape is None:
            return TensorType(dtype, None)
        rows, given = a.shape[-1], b.shape[-2] if len(b.shape) > 1 else None
        if given is None or (isinstance(rows, int) and isinstance(given, int) and rows != given):
            message = f"solve: matrices of shape {a.shape} need right sides of shape (..., {rows}, columns), not {b.shape}"
            raise ShapeError(message, op="solve")
        return TensorType(dtype, (*(broadcast(a.shape[:-2], b.shape[:-2]) or ()), a.shape[-1], b.shape[-1]))

    @staticmethod
    def kernel(a: Any, b: Any) -> Any:
        return guarded("solve", np.linalg.solve, a, b)

    def vjp(op: Any, dy: Any, y: Any, a: Any, b: Any) -> Any:
        db = op.solve(adjoint_of(op, a), dy)
        return op.sum_to(op.neg(op.matmul(db, adjoint_of(op, y))), a), op.sum_to(db, b)

    def samples(self) -> Iterable[Any]:
        yield (positive_definite(3, 3), _x(3, 2)), {}
        yield (positive_definite(2, 3, 3), _x(2, 3, 2)), {}


@function("linalg.solve")
def solve_(op: Any, matrix: Any, rhs: Any, adjoint: bool = False, name: Any = None) -> Any:
    """The solution x of matrix @ x = rhs, for matrices rhs.

    Raises:
      MatrixError: a singular matrix.

    >>> ag.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]).numpy()
    array([[1. ],
           [0.5]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.solve`.
    """
    a = op.strong(matrix)
    return op.solve(adjoint_of(op, a) if adjoint else a, op.strong(rhs))


@function("linalg.cholesky_solve")
def cholesky_solve(op: Any, chol: Any, rhs: Any, name: Any = None) -> Any:
    """x with (chol @ chol^T) @ x = rhs.

    >>> ag.linalg.cholesky_solve([[2.0, 0.0], [0.0, 1.0]], [[4.0], [3.0]]).numpy()
    array([[1.],
           [3.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.cholesky_solve`.
    """
    lower = op.strong(chol)
    return op.solve(adjoint_of(op, lower), op.solve(lower, op.strong(rhs)))


@function("linalg.triangular_solve")
def triangular_solve(
    op: Any, matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: Any = None
) -> Any:
    """x with T @ x = rhs, where T is the lower (or upper) triangle of `matrix`.

    >>> ag.linalg.triangular_solve([[2.0, 0.0], [1.0, 1.0]], [[2.0], [2.0]]).numpy()
    array([[1.],
           [1.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.triangular_solve`.
    """
    triangle = op.triangle(op.strong(matrix), k=0, below=bool(lower))
    return op.solve(adjoint_of(op, triangle) if adjoint else triangle, op.strong(rhs))


@function("linalg.pinv")
def pinv(op: Any, a: Any, rcond: Any = None, name: Any = None) -> Any:
    """The pseudo-inverse of full-rank matrices, through the smaller of a @ a^T and a^T @ a.

    >>> ag.linalg.pinv([[2.0, 0.0], [0.0, 4.0]]).numpy().round(3)
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.pinv`.
    """
    a = op.strong(a)
    rows, columns = op.type_of(a).shape[-2:]
    t = adjoint_of(op, a)
    if isinstance(rows, int) and isinstance(columns, int) and rows < columns:
        return op.matmul(t, op.inv(op.matmul(a, t)))
    return op.solve(op.matmul(t, a), t)


@function("linalg.lstsq")
def lstsq(op: Any, matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True, name: Any = None) -> Any:
    """The x that minimises |matrix @ x - rhs|^2 + l2_regularizer * |x|^2.

    >>> ag.linalg.lstsq([[1.0], [1.0]], [[2.0], [4.0]]).numpy().round(3)
    array([[3.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.lstsq`.
    """
    a, b = op.strong(matrix), op.strong(rhs)
    t = adjoint_of(op, a)
    gram = op.matmul(t, a)
    if l2_regularizer:
        size = op.type_of(gram).shape[-1]
        gram = op.add(gram, op.mul(op.eye(size, dtype=op.type_of(gram).dtype), l2_regularizer))
    return op.solve(gram, op.matmul(t, b))
