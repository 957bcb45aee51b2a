"""Products of arrays, and linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from typing import Any

import numpy as np

from runtime.tensor.numpy_functions.table import axes_of, counterpart, ours, public, rank_of, refuse

__all__: list[str] = []

counterpart(np.einsum)(lambda *operands, optimize=False: public.einsum(*operands))
counterpart(np.outer, np.linalg.outer)(
    lambda a, b: public.mul(public.reshape(ours(a), (-1, 1)), public.reshape(ours(b), (1, -1)))
)
counterpart(np.vdot)(lambda a, b: public.tensordot(_conjugate(_flat(a)), _flat(b), 1))
counterpart(np.linalg.matmul)(lambda x1, x2, /: public.matmul(x1, x2))
counterpart(np.linalg.vecdot)(
    lambda x1, x2, /, *, axis=-1: public.sum(public.mul(_conjugate(ours(x1)), x2), axis)
)
counterpart(np.tensordot, np.linalg.tensordot)(lambda a, b, axes=2: public.tensordot(ours(a), ours(b), axes))
counterpart(np.linalg.inv)(lambda a: public.inv(a))
counterpart(np.linalg.det)(lambda a: public.det(a))
counterpart(np.linalg.pinv)(lambda a, rcond=None: public.pinv(a, rcond))
counterpart(np.linalg.eigvalsh)(lambda a: public.eigvalsh(ours(a)))
counterpart(np.linalg.multi_dot)(lambda arrays: reduce(dot, arrays))


def _flat(x: Any) -> Any:
    return public.reshape(ours(x), (-1,))


def _conjugate(x: Any) -> Any:
    return public.conj(x) if x.type.dtype.kind == "c" else x


@counterpart(np.dot)
def dot(a: Any, b: Any) -> Any:
    a, b = ours(a), ours(b)
    if not rank_of(a) or not rank_of(b):
        return public.mul(a, b)
    if rank_of(b) == 1:
        return public.tensordot(a, b, [[-1], [0]])
    return public.tensordot(a, b, [[-1], [rank_of(b) - 2]])


@counterpart(np.inner)
def inner(a: Any, b: Any) -> Any:
    a, b = ours(a), ours(b)
    return public.tensordot(a, b, [[-1], [-1]]) if rank_of(a) and rank_of(b) else public.mul(a, b)


@counterpart(np.kron)
def kron(a: Any, b: Any) -> Any:
    a, b = ours(a), ours(b)
    rank = max(rank_of(a), rank_of(b))
    for _ in range(rank - rank_of(a)):
        a = public.expand_dims(a, axis=0)
    for _ in range(rank - rank_of(b)):
        b = public.expand_dims(b, axis=0)
    shape = [m * n for m, n in zip(a.shape, b.shape, strict=True)]
    for k in range(rank):
        a, b = public.expand_dims(a, axis=2 * k + 1), public.expand_dims(b, axis=2 * k)
    return public.reshape(public.mul(a, b), shape)


@counterpart(np.cross, np.linalg.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = public.moveaxis(ours(a), axisa, -1), public.moveaxis(ours(b), axisb, -1)
    return public.moveaxis(public.cross(a, b), -1, axisc)


@counterpart(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = _inexact(x)
    axes = axes_of(axis, rank_of(x))
    if ord is None:
        return public.norm(x, "euclidean", list(axes), bool(keepdims))
    if len(axes) not in (1, 2):
        raise ValueError("Improper number of dimensions to norm.")
    moved = public.moveaxis(x, list(axes), list(range(-len(axes), 0)))
    found = _norm_of_rows(moved, ord) if len(axes) == 1 else _norm_of_matrices(moved, ord)
    for k in sorted(axes) if keepdims else ():
        found = public.expand_dims(found, axis=k)
    return found


def _inexact(x: Any) -> Any:
    x = ours(x)
    return x if x.type.dtype.is_inexact else public.cast_to(x, "float64")


def _norm_of_rows(x: Any, ord: Any) -> Any:
    """Along the last axis."""
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    size = public.abs(x)
    if ord in (np.inf, -np.inf):
        return public.max(size, -1) if ord > 0 else public.min(size, -1)
    if ord == 0:
        return public.cast_to(public.count_nonzero(x, -1, False, "int64"), size.type.dtype)
    if ord == 1:
        return public.sum(size, -1)
    if ord == 2:
        return public.norm(x, "euclidean", [-1])
    return public.pow(public.sum(public.pow(size, ord), -1), public.div(1.0, ord))


def _norm_of_matrices(x: Any, ord: Any) -> Any:
    """Along the last two axes."""
    if ord in ("fro", "f"):
        return public.norm(x, "euclidean", [-2, -1])
    if ord in (2, -2, "nuc"):
        values = public.svd(x, compute_uv=False)
        return public.sum(values, -1) if ord == "nuc" else public.max(values, -1) if ord == 2 else public.min(values, -1)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError("Invalid norm order for matrices.")
    sums = public.sum(public.abs(x), -2 if abs(ord) == 1 else -1)
    return public.max(sums, -1) if ord > 0 else public.min(sums, -1)


@counterpart(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = ours(x)
    flat = public.reshape(x, (-1,)) if axis is None else x
    found = public.norm(flat, ord, 0 if axis is None else axis, bool(keepdims) and axis is not None)
    return public.reshape(found, (1,) * rank_of(x)) if keepdims and axis is None else found


@counterpart(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0) -> Any:
    return public.sum(public.diag_part(ours(x), k=offset), -1)


@counterpart(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    a, b = ours(a), ours(b)
    if rank_of(b) == 1:
        return public.squeeze(public.solve(a, public.expand_dims(b, axis=-1)), [-1])
    return public.solve(a, b)


@counterpart(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    found = public.cholesky(ours(a))
    return public.swapaxes(found, -1, -2) if upper else found


@counterpart(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    return _kind(np.linalg.slogdet)(*public.slogdet(ours(a)))


@counterpart(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    a = ours(a)
    lower = _conjugate(public.swapaxes(a, -1, -2)) if UPLO.upper() == "U" else a
    return _kind(np.linalg.eigh)(*public.eigh(lower))


@counterpart(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    a = ours(a)
    if not compute_uv:
        return public.svd(a, compute_uv=False)
    values, left, right = public.svd(a, full_matrices)
    return _kind(np.linalg.svd)(left, values, _conjugate(public.swapaxes(right, -1, -2)))


counterpart(np.linalg.svdvals)(lambda x, /: svd(x, compute_uv=False))


@counterpart(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "complete", "r"):
        refuse("np.linalg.qr", f"mode={mode!r}")
    found = public.qr(ours(a), mode == "complete")
    return found[1] if mode == "r" else _kind(np.linalg.qr)(*found)


@cache
def _kind(function: Callable[..., Any]) -> Callable[..., Any]:
    """The named tuple that one of NumPy's functions returns."""
    return type(function(np.eye(1)))


@counterpart(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    a = ours(a)
    if n < 0:
        return matrix_power(public.inv(a), -n)
    if n == 0:
        return public.broadcast_like(public.eye(a.shape[-1], dtype=a.type.dtype), a)
    half = matrix_power(a, n // 2) if n > 1 else None
    if half is None:
        return a
    square = public.matmul(half, half)
    return public.matmul(square, a) if n % 2 else square


@counterpart(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None) -> Any:
    A = ours(A)
    values = public.svd(A, compute_uv=False)
    if tol is None:
        epsilon = float(np.finfo(values.type.dtype.dtype).eps)
        tol = public.max(values, -1, True) * _times(_longer(A), epsilon)
    return public.sum(public.cast_to(public.greater(values, tol), "int64"), -1)


def _longer(a: Any) -> Any:
    """The larger number of a matrix's rows and columns."""
    sizes = a.type.shape[-2:]
    if all(isinstance(n, int) for n in sizes):
        return max(sizes)
    return public.max(public.shape(a, "int64")[-2:])


def _times(count: Any, epsilon: float) -> Any:
    return count * epsilon if isinstance(count, int) else public.mul(public.cast_to(count, "float64"), epsilon)


@counterpart(np.polyfit)
def polyfit(x: Any, y: Any, deg: int) -> Any:
    """The polynomial of least squares, the highest power first; the powers are brought to one size before."""
    x, y = _inexact(x), _inexact(y)
    if not isinstance(deg, int):
        refuse("np.polyfit", "a degree that only the run knows as")
    powers = public.stack([public.ones_like(x) if p == 0 else public.pow(x, p) for p in reversed(range(deg + 1))], axis=1)
    scale = public.sqrt(public.sum(public.mul(powers, powers), 0))
    length = x.type.shape[0] if isinstance(x.type.shape[0], int) else public.shape(x, "int64")[0]
    found = lstsq(public.div(powers, scale), y, _times(length, float(np.finfo(np.float64).eps)))[0]
    return public.div(found, scale if rank_of(y) == 1 else public.expand_dims(scale, axis=1))


@counterpart(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """(shortest solution, residuals, rank, singular values); residuals only where more equations have full rank."""
    a, b = ours(a), ours(b)
    values, left, right = public.svd(a)
    if rcond is None:
        rcond = _times(_longer(a), float(np.finfo(values.type.dtype.dtype).eps))
    counts = public.greater(values, values[0] * rcond)
    rank = public.cast_to(public.sum(public.cast_to(counts, "int32")), "int32")
    sides = public.expand_dims(b, axis=1) if rank_of(b) == 1 else b
    parts = public.matmul(public.swapaxes(left, -1, -2), sides) / public.expand_dims(
        public.where(counts, values, 1), axis=1
    )
    found = public.matmul(right, public.where(public.expand_dims(counts, axis=1), parts, 0))
    squares = public.sum(public.square(public.sub(sides, public.matmul(a, found))), 0)
    sizes = public.shape(a, "int32")
    there = public.logical_and(public.equal(rank, sizes[1]), public.greater(sizes[0], sizes[1]))
    residuals = squares[public.broadcast_like(there, squares)]
    return found[:, 0] if rank_of(b) == 1 else found, residuals, rank, values


@counterpart(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    if p not in (None, 2):
        refuse("np.linalg.cond", f"p={p!r}")
    values = public.svd(ours(x), compute_uv=False)
    return values[..., 0] / values[..., -1]
