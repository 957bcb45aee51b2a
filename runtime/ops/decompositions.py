"""Decompositions of matrices, the last two axes: Cholesky, eigenvalues, singular values, QR."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.diagonals import smaller_size
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import MatrixError, ShapeError, UnimplementedError
from runtime.typesys.spec import TensorType

__all__ = ["adjoint_of", "guarded", "positive_definite", "square_type"]


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def positive_definite(*shape: int) -> Any:
    """An example of such matrices."""
    a = _x(*shape)
    return a @ np.swapaxes(a, -1, -2) + 2 * np.eye(shape[-1])


def square_type(x: TensorType, what: str) -> TensorType:
    """The type of a function of square matrices, floating or complex.

    Raises:
      ShapeError: they are not square.
    """
    if x.shape is not None:
        rows, columns = x.shape[-2:] if len(x.shape) > 1 else (0, 1)
        if isinstance(rows, int) and isinstance(columns, int) and rows != columns:
            raise ShapeError(f"{what} needs square matrices, not shape {x.shape}", op=what)
    return x if x.dtype.is_inexact else x.with_dtype("float64")


def guarded(what: str, compute: Any, *arrays: Any) -> Any:
    """NumPy's `compute`, whose errors are ours."""
    try:
        return compute(*arrays)
    except np.linalg.LinAlgError as error:
        raise MatrixError(str(error), op=what) from None


def adjoint_of(op: Any, x: Any) -> Any:
    """The conjugates of the transposed matrices."""
    return op.conj(op.matrix_transpose(x)) if op.type_of(x).dtype.is_complex else op.matrix_transpose(x)


class Cholesky(Op):
    """The lower triangular L with L @ L^T = x, for positive definite x."""

    def infer(self, x: TensorType) -> TensorType:
        return TensorType(square_type(x, "cholesky").dtype, x.shape)

    @staticmethod
    def kernel(x: Any) -> Any:
        return guarded("cholesky", np.linalg.cholesky, x)

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        inner = op.matmul(adjoint_of(op, y), op.triangle(dy, k=0, below=True))
        half = op.mul(op.matrix_diag_part(inner, k=0), 0.5)
        phi = op.matrix_set_diag(op.triangle(inner, k=0, below=True), half, k=0)
        left = op.solve(adjoint_of(op, y), phi)
        grad = adjoint_of(op, op.solve(adjoint_of(op, y), adjoint_of(op, left)))
        return (op.mul(op.add(grad, adjoint_of(op, grad)), 0.5),)


@function("linalg.cholesky")
def cholesky_(op: Any, input: Any, name: Any = None) -> Any:
    """The lower triangular L with L @ L^T = input, for symmetric positive definite matrices.

    Raises:
      MatrixError: a matrix that is not positive definite.

    >>> ag.linalg.cholesky([[4.0, 2.0], [2.0, 2.0]]).numpy()
    array([[2., 0.],
           [1., 1.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.cholesky`.
    """
    return op.cholesky(op.strong(input))


class Eigh(Op):
    """Eigenvalues, ascending, and eigenvectors of symmetric (Hermitian) matrices; the lower triangle is read.

    >>> values, vectors = ag.linalg.eigh([[2.0, 0.0], [0.0, 1.0]])
    >>> values.numpy()
    array([1., 2.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.eigh`.
    """

    outputs = 2
    sparse_cotangents = True
    public = "linalg.eigh"

    def call(op: Any, tensor: Any, name: Any = None) -> Any:
        return op.eigh(op.strong(tensor))

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        kind = square_type(x, "eigh")
        return TensorType(kind.dtype.real_dtype, None if x.shape is None else x.shape[:-1]), TensorType(
            kind.dtype, x.shape
        )

    @staticmethod
    def kernel(x: Any) -> tuple[Any, Any]:
        values, vectors = guarded("eigh", np.linalg.eigh, x)
        return values, vectors

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        dvalues, dvectors = dy
        values, vectors = y
        inner = None if dvalues is None else op.matrix_diag(dvalues, k=0)
        if dvectors is not None:
            rank = op.type_of(values).rank
            gaps = op.sub(op.expand_dims(values, axis=rank - 1), op.expand_dims(values, axis=rank))
            gaps = op.matrix_set_diag(gaps, op.ones_like(values), k=0)
            factor = op.matrix_set_diag(op.div(1.0, gaps), op.zeros_like(values), k=0)
            turned = op.mul(factor, op.matmul(adjoint_of(op, vectors), dvectors))
            inner = turned if inner is None else op.add(inner, turned)
        if inner is None:
            return (None,)
        grad = op.matmul(op.matmul(vectors, inner), adjoint_of(op, vectors))
        # The lower triangle alone is read: what falls above the diagonal belongs to its mirror image.
        above = op.triangle(grad, k=1, below=False)
        return (op.add(op.triangle(grad, k=0, below=True), adjoint_of(op, above)),)


@function("linalg.eigvalsh")
def eigvalsh(op: Any, tensor: Any, name: Any = None) -> Any:
    """Eigenvalues of symmetric matrices, ascending.

    >>> ag.linalg.eigvalsh([[2.0, 0.0], [0.0, 1.0]]).numpy()
    array([1., 2.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.eigvalsh`.
    """
    return op.eigh(op.strong(tensor))[0]


class Svd(Op):
    """Singular values, descending, and the matrices of left and right singular vectors (as columns)."""

    outputs = 3
    sparse_cotangents = True

    def infer(self, x: TensorType, *, full: bool) -> tuple[TensorType, ...]:
        dtype = x.dtype if x.dtype.is_inexact else as_dtype("float64")
        if x.shape is None:
            return TensorType(dtype.real_dtype, None), TensorType(dtype, None), TensorType(dtype, None)
        *lead, m, n = x.shape
        k = smaller_size(m, n)
        return (
            TensorType(dtype.real_dtype, (*lead, k)),
            TensorType(dtype, (*lead, m, m if full else k)),
            TensorType(dtype, (*lead, n, n if full else k)),
        )

    @staticmethod
    def kernel(x: Any, *, full: bool) -> tuple[Any, Any, Any]:
        u, s, vh = guarded("svd", lambda a: np.linalg.svd(a, full_matrices=full), x)
        return s, u, np.conj(np.swapaxes(vh, -1, -2))

    def vjp(op: Any, dy: Any, y: Any, x: Any, *, full: bool) -> Any:
        ds, du, dv = dy
        u, v = y[1:]
        if du is not None or dv is not None:
            raise UnimplementedError(
                "the gradient of svd is known for singular values only: use compute_uv=False",
                op="svd",
                id="gradient-of-factors",
                name="svd",
                known="singular values (compute_uv=False)",
            )
        if ds is None:
            return (None,)
        if full:
            _, u, v = op.svd(x, full=False)
        rank = op.type_of(u).rank
        return (op.matmul(op.mul(u, op.expand_dims(ds, axis=rank - 2)), adjoint_of(op, v)),)


@function("linalg.svd")
def svd_(op: Any, tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: Any = None) -> Any:
    """Singular values s, descending, with u and v: tensor = u @ diag(s) @ v^T; s alone without `compute_uv`.

    >>> s, u, v = ag.linalg.svd([[3.0, 0.0], [0.0, 2.0]])
    >>> s.numpy()
    array([3., 2.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.svd`.
    """
    s, u, v = op.svd(op.strong(tensor), full=bool(full_matrices))
    return (s, u, v) if compute_uv else s


class Qr(Op):
    """Orthogonal q and upper triangular r with q @ r = x."""

    outputs = 2
    sparse_cotangents = True

    def infer(self, x: TensorType, *, full: bool) -> tuple[TensorType, TensorType]:
        dtype = x.dtype if x.dtype.is_inexact else as_dtype("float64")
        if x.shape is None:
            return TensorType(dtype, None), TensorType(dtype, None)
        *lead, m, n = x.shape
        k = m if full else smaller_size(m, n)
        return TensorType(dtype, (*lead, m, k)), TensorType(dtype, (*lead, k, n))

    @staticmethod
    def kernel(x: Any, *, full: bool) -> tuple[Any, Any]:
        q, r = np.linalg.qr(x, "complete" if full else "reduced")
        return q, r

    def vjp(op: Any, dy: Any, y: Any, x: Any, *, full: bool) -> Any:
        dq, dr = dy
        q, r = y
        shape = op.type_of(r).shape
        if full or shape is None or shape[-1] != shape[-2]:
            known = "tall or square matrices, reduced (full_matrices=False)"
            raise UnimplementedError(
                f"the gradient of qr is known for {known}", op="qr", id="gradient-of-factors", name="qr", known=known
            )
        m = None if dr is None else op.matmul(r, adjoint_of(op, dr))
        if dq is not None:
            back = op.matmul(adjoint_of(op, dq), q)
            m = op.neg(back) if m is None else op.sub(m, back)
        sym = op.add(op.triangle(m, k=0, below=True), adjoint_of(op, op.triangle(m, k=-1, below=True)))
        total = op.matmul(q, sym)
        if dq is not None:
            total = op.add(total, dq)
        return (adjoint_of(op, op.solve(r, adjoint_of(op, total))),)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 3) + 2 * np.eye(3),), {"full": False}
        yield (_x(4, 3) + 2 * np.eye(4, 3),), {"full": False}


@function("linalg.qr")
def qr_(op: Any, input: Any, full_matrices: bool = False, name: Any = None) -> Any:
    """Orthogonal q and upper triangular r with q @ r = input.

    >>> q, r = ag.linalg.qr([[1.0, 2.0], [0.0, 3.0]])
    >>> (q @ r).numpy()
    array([[1., 2.],
           [0., 3.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.qr`.
    """
    return op.qr(op.strong(input), full=bool(full_matrices))
