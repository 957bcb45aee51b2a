"""Linear algebra over the last two axes: det, inv, solve, cholesky, eigenvalues, norms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.diagonals import smaller_size
from runtime.ops.kinds import normalize_axes
from runtime.ops.matmul import Matmul
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import as_dtype, promote
from runtime.typesys.errors import InvalidArgumentError, ShapeError, UnimplementedError
from runtime.typesys.shapes import broadcast
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _spd(*shape: int) -> Any:
    a = _x(*shape)
    return a @ np.swapaxes(a, -1, -2) + 2 * np.eye(shape[-1])


def _square(x: TensorType, what: str) -> TensorType:
    if x.shape is not None:
        rows, columns = x.shape[-2:] if len(x.shape) > 1 else (0, 1)
        if isinstance(rows, int) and isinstance(columns, int) and rows != columns:
            raise ShapeError(f"{what} needs square matrices, not shape {x.shape}", op=what)
    return x if x.dtype.is_inexact else x.with_dtype("float64")


def _guarded(what: str, compute: Any, *arrays: Any) -> Any:
    try:
        return compute(*arrays)
    except np.linalg.LinAlgError as error:
        raise InvalidArgumentError(f"{what}: {error}", op=what) from None


def _mT(op: Any, x: Any) -> Any:
    return op.conj(op.matrix_transpose(x)) if op.type_of(x).dtype.is_complex else op.matrix_transpose(x)


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
        kind = _square(x, "det")
        return TensorType(kind.dtype, None if x.shape is None else x.shape[:-2])

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        return (op.mul(_scalars(op, op.mul(dy, y)), _mT(op, op.inv(x))),)

    def samples(self) -> Iterable[Any]:
        yield (_spd(3, 3) * 0.5,), {}
        yield (_spd(2, 3, 3) * 0.5,), {}


class Slogdet(Op):
    """Sign and logarithm of the absolute determinant of square matrices.

    >>> [t.numpy() for t in ag.linalg.slogdet([[-1.0, 0.0], [0.0, 1.0]])]
    [np.float32(-1.0), np.float32(0.0)]

    Source of the semantics: TensorFlow's `tf.linalg.slogdet`.
    """

    outputs = 2
    public = "linalg.slogdet"
    parameters = ("input",)

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        kind = _square(x, "slogdet")
        shape = None if x.shape is None else x.shape[:-2]
        return TensorType(kind.dtype, shape), TensorType(kind.dtype.real_dtype, shape)

    @staticmethod
    def kernel(x: Any) -> tuple[Any, Any]:
        sign, log = np.linalg.slogdet(x)
        return sign, log

    vjp = lambda op, dy, y, x: (None if dy[1] is None else op.mul(_scalars(op, dy[1]), _mT(op, op.inv(x))),)

    def samples(self) -> Iterable[Any]:
        yield (_spd(2, 3, 3),), {}


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
        kind = _square(x, "inv")
        return TensorType(kind.dtype, x.shape)

    @staticmethod
    def kernel(x: Any) -> Any:
        return _guarded("inv", np.linalg.inv, x)

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        t = _mT(op, y)
        return (op.neg(op.matmul(op.matmul(t, dy), t)),)

    def samples(self) -> Iterable[Any]:
        yield (_spd(3, 3),), {}
        yield (_spd(2, 3, 3),), {}


@function("linalg.inv")
def inv_(op: Any, input: Any, adjoint: bool = False, name: Any = None) -> Any:
    """Inverses of square matrices (of their adjoints).

    Raises:
      InvalidArgumentError: a singular matrix.

    >>> ag.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy()
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.inv`.
    """
    x = op.strong(input)
    return op.inv(_mT(op, x) if adjoint else x)


class Solve(Op):
    """x with a @ x = b, for matrices b."""

    def infer(self, a: TensorType, b: TensorType) -> TensorType:
        kind = _square(a, "solve")
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
        return _guarded("solve", np.linalg.solve, a, b)

    def vjp(op: Any, dy: Any, y: Any, a: Any, b: Any) -> Any:
        db = op.solve(_mT(op, a), dy)
        return op.sum_to(op.neg(op.matmul(db, _mT(op, y))), a), op.sum_to(db, b)

    def samples(self) -> Iterable[Any]:
        yield (_spd(3, 3), _x(3, 2)), {}
        yield (_spd(2, 3, 3), _x(2, 3, 2)), {}


@function("linalg.solve")
def solve_(op: Any, matrix: Any, rhs: Any, adjoint: bool = False, name: Any = None) -> Any:
    """The solution x of matrix @ x = rhs, for matrices rhs.

    Raises:
      InvalidArgumentError: a singular matrix.

    >>> ag.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]).numpy()
    array([[1. ],
           [0.5]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.solve`.
    """
    a = op.strong(matrix)
    return op.solve(_mT(op, a) if adjoint else a, op.strong(rhs))


class Cholesky(Op):
    """The lower triangular L with L @ L^T = x, for positive definite x."""

    def infer(self, x: TensorType) -> TensorType:
        return TensorType(_square(x, "cholesky").dtype, x.shape)

    @staticmethod
    def kernel(x: Any) -> Any:
        return _guarded("cholesky", np.linalg.cholesky, x)

    def vjp(op: Any, dy: Any, y: Any, x: Any) -> Any:
        inner = op.matmul(_mT(op, y), op.triangle(dy, k=0, below=True))
        half = op.mul(op.matrix_diag_part(inner, k=0), 0.5)
        phi = op.matrix_set_diag(op.triangle(inner, k=0, below=True), half, k=0)
        left = op.solve(_mT(op, y), phi)
        grad = _mT(op, op.solve(_mT(op, y), _mT(op, left)))
        return (op.mul(op.add(grad, _mT(op, grad)), 0.5),)


@function("linalg.cholesky")
def cholesky_(op: Any, input: Any, name: Any = None) -> Any:
    """The lower triangular L with L @ L^T = input, for symmetric positive definite matrices.

    Raises:
      InvalidArgumentError: a matrix that is not positive definite.

    >>> ag.linalg.cholesky([[4.0, 2.0], [2.0, 2.0]]).numpy()
    array([[2., 0.],
           [1., 1.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.cholesky`.
    """
    return op.cholesky(op.strong(input))


@function("linalg.cholesky_solve")
def cholesky_solve(op: Any, chol: Any, rhs: Any, name: Any = None) -> Any:
    """x with (chol @ chol^T) @ x = rhs.

    >>> ag.linalg.cholesky_solve([[2.0, 0.0], [0.0, 1.0]], [[4.0], [3.0]]).numpy()
    array([[1.],
           [3.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.cholesky_solve`.
    """
    lower = op.strong(chol)
    return op.solve(_mT(op, lower), op.solve(lower, op.strong(rhs)))


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
    return op.solve(_mT(op, triangle) if adjoint else triangle, op.strong(rhs))


class Eigh(Op):
    """Eigenvalues, ascending, and eigenvectors of symmetric (Hermitian) matrices; the lower triangle is read.

    >>> values, vectors = ag.linalg.eigh([[2.0, 0.0], [0.0, 1.0]])
    >>> values.numpy()
    array([1., 2.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.eigh`.
    """

    outputs = 2
    public = "linalg.eigh"

    def call(op: Any, tensor: Any, name: Any = None) -> Any:
        return op.eigh(op.strong(tensor))

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        kind = _square(x, "eigh")
        return TensorType(kind.dtype.real_dtype, None if x.shape is None else x.shape[:-1]), TensorType(
            kind.dtype, x.shape
        )

    @staticmethod
    def kernel(x: Any) -> tuple[Any, Any]:
        values, vectors = _guarded("eigh", np.linalg.eigh, x)
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
            turned = op.mul(factor, op.matmul(_mT(op, vectors), dvectors))
            inner = turned if inner is None else op.add(inner, turned)
        if inner is None:
            return (None,)
        grad = op.matmul(op.matmul(vectors, inner), _mT(op, vectors))
        # The lower triangle alone is read: what falls above the diagonal belongs to its mirror image.
        above = op.triangle(grad, k=1, below=False)
        return (op.add(op.triangle(grad, k=0, below=True), _mT(op, above)),)


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
        u, s, vh = _guarded("svd", lambda a: np.linalg.svd(a, full_matrices=full), x)
        return s, u, np.conj(np.swapaxes(vh, -1, -2))

    def vjp(op: Any, dy: Any, y: Any, x: Any, *, full: bool) -> Any:
        ds, du, dv = dy
        u, v = y[1:]
        if du is not None or dv is not None:
            raise UnimplementedError(
                "the gradient of svd is known for singular values only: use compute_uv=False", op="svd"
            )
        if ds is None:
            return (None,)
        if full:
            _, u, v = op.svd(x, full=False)
        rank = op.type_of(u).rank
        return (op.matmul(op.mul(u, op.expand_dims(ds, axis=rank - 2)), _mT(op, v)),)


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
            raise UnimplementedError("the gradient of qr is known for tall or square matrices, reduced", op="qr")
        m = None if dr is None else op.matmul(r, _mT(op, dr))
        if dq is not None:
            back = op.matmul(_mT(op, dq), q)
            m = op.neg(back) if m is None else op.sub(m, back)
        sym = op.add(op.triangle(m, k=0, below=True), _mT(op, op.triangle(m, k=-1, below=True)))
        total = op.matmul(q, sym)
        if dq is not None:
            total = op.add(total, dq)
        return (_mT(op, op.solve(r, _mT(op, total))),)

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
    t = _mT(op, a)
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
    t = _mT(op, a)
    gram = op.matmul(t, a)
    if l2_regularizer:
        size = op.type_of(gram).shape[-1]
        gram = op.add(gram, op.mul(op.eye(size, dtype=op.type_of(gram).dtype), l2_regularizer))
    return op.solve(gram, op.matmul(t, b))


@function("norm", "linalg.norm")
def norm(
    op: Any, tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: Any = None
) -> Any:
    """Norms of vectors (or, for two axes, of matrices): "euclidean" ("fro"), 1, 2, any positive number or np.inf.

    >>> ag.norm([3.0, 4.0]).numpy()
    np.float32(5.0)

    Source of the semantics: TensorFlow's `tf.linalg.norm`.
    """
    x = op.convert(tensor)
    if not op.type_of(x).dtype.is_inexact:
        x = op.cast(x, dtype=as_dtype("float64"))
    axes = normalize_axes(axis, op.type_of(x).rank, "norm")
    matrix = isinstance(axis, (tuple, list)) and len(axes) == 2
    size = op.abs(x)
    if ord in ("euclidean", "fro") or (ord == 2 and not matrix):
        return op.reduce_euclidean_norm(x, axis=axes, keepdims=keepdims)
    if matrix and ord in (1, np.inf):
        first, second = (axes[0], axes[1]) if ord == 1 else (axes[1], axes[0])
        out = op.reduce_max(op.reduce_sum(size, axis=first, keepdims=True), axis=second, keepdims=True)
        return out if keepdims else op.squeeze(out, axis=axes)
    if matrix:
        raise InvalidArgumentError(f"norm: no matrix norm {ord!r}; expected euclidean, fro, 1 or inf", op="norm")
    if ord == np.inf:
        return op.reduce_max(size, axis=axes, keepdims=keepdims)
    if ord == 1:
        return op.reduce_sum(size, axis=axes, keepdims=keepdims)
    if not isinstance(ord, (int, float)) or ord <= 0:
        raise InvalidArgumentError(f"norm: no vector norm {ord!r}", op="norm")
    return op.pow(op.reduce_sum(op.pow(size, ord), axis=axes, keepdims=keepdims), 1 / ord)


@function("linalg.normalize")
def normalize(op: Any, tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> tuple[Any, Any]:
    """`tensor` divided by its norm, and the norm.

    >>> unit, length = ag.linalg.normalize([3.0, 4.0])
    >>> unit.numpy(), length.numpy()
    (array([0.6, 0.8], dtype=float32), array([5.], dtype=float32))

    Source of the semantics: TensorFlow's `tf.linalg.normalize`.
    """
    size = op.norm(tensor, ord, axis, keepdims=True)
    return op.div(tensor, size), size


@function("linalg.global_norm")
def global_norm(op: Any, t_list: Any, name: Any = None) -> Any:
    """The norm of all elements of all tensors together.

    >>> ag.linalg.global_norm([ag.constant([3.0]), ag.constant([4.0])]).numpy()
    np.float32(5.0)

    Source of the semantics: TensorFlow's `tf.linalg.global_norm`.
    """
    squares = [op.sum_all(op.mul(t, t)) for t in (op.convert(t) for t in t_list if t is not None)]
    return op.sqrt(op.add_n(squares))


@function("clip_by_global_norm")
def clip_by_global_norm(
    op: Any, t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None
) -> tuple[list[Any], Any]:
    """Tensors scaled down together so that their norm is at most `clip_norm`, and the norm they had.

    >>> clipped, norm = ag.clip_by_global_norm([ag.constant([3.0]), ag.constant([4.0])], 1.0)
    >>> norm.numpy(), [t.numpy().round(3).tolist() for t in clipped]
    (np.float32(5.0), [[0.6000000238418579], [0.800000011920929]])

    Source of the semantics: TensorFlow's `tf.clip_by_global_norm`.
    """
    size = op.global_norm(t_list) if use_norm is None else use_norm
    factor = op.div(clip_norm, op.maximum(size, clip_norm))
    return [None if t is None else op.mul(t, factor) for t in t_list], size


@function("clip_by_norm")
def clip_by_norm(op: Any, t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Any:
    """`t` scaled down so that its norm over `axes` is at most `clip_norm`.

    >>> ag.clip_by_norm([3.0, 4.0], 1.0).numpy().round(3)
    array([0.6, 0.8], dtype=float32)

    Source of the semantics: TensorFlow's `tf.clip_by_norm`.
    """
    t = op.convert(t)
    size = op.norm(t, axis=axes, keepdims=True)
    return op.mul(t, op.div(clip_norm, op.maximum(size, clip_norm)))


@function("outer", "linalg.outer")
def outer(op: Any, a: Any, b: Any) -> Any:
    """The products of all elements of a with all of b, as NumPy's `outer`.

    >>> ag.outer([1, 2], [3, 4]).numpy()
    array([[3, 4],
           [6, 8]], dtype=int32)
    """
    return op.mul(op.expand_dims(op.flatten(a), axis=1), op.expand_dims(op.flatten(b), axis=0))


@function("linalg.cross", "cross")
def cross(op: Any, a: Any, b: Any, name: Any = None) -> Any:
    """Cross products of vectors of three along the last axis.

    >>> ag.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
    array([0., 0., 1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.cross`.
    """
    a, b = op.strong(a), op.strong(b)
    (a0, a1, a2), (b0, b1, b2) = ([op.get_item(v, (Ellipsis, i)) for i in range(3)] for v in (a, b))
    parts = [
        op.sub(op.mul(p, q), op.mul(r, s)) for p, q, r, s in ((a1, b2, a2, b1), (a2, b0, a0, b2), (a0, b1, a1, b0))
    ]
    return op.stack(parts, axis=-1)


@function("dot", method="dot")
def dot(op: Any, a: Any, b: Any) -> Any:
    """NumPy's `dot`: products with scalars, else the last axis of a with the last but one (or only) of b.

    >>> ag.dot([1.0, 2.0], [3.0, 4.0]).numpy()
    np.float32(11.0)
    """
    a, b = op.strong(a), op.strong(b)
    ra, rb = op.type_of(a).rank, op.type_of(b).rank
    if ra == 0 or rb == 0:
        return op.mul(a, b)
    if ra <= 2 and rb <= 2:
        return Matmul.call(op, a, b)
    return op.tensordot(a, b, [[ra - 1], [max(rb - 2, 0)]])
