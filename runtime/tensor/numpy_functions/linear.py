"""Products of arrays, and linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from typing import Any

import numpy as np

from runtime.tensor.numpy_functions.table import counterpart, ours, public, rank_of, refuse

__all__: list[str] = []

counterpart(np.einsum)(lambda *operands, optimize=False: public.einsum(*operands))
counterpart(np.outer, np.linalg.outer)(
    lambda a, b: public.mul(public.reshape(ours(a), (-1, 1)), public.reshape(ours(b), (1, -1)))
)
counterpart(np.vdot)(lambda a, b: public.sum(public.mul(_conjugate(_flat(a)), _flat(b))))
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
    return public.norm(ours(x), "euclidean" if ord is None else ord, axis, bool(keepdims))


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
        tol = public.max(values, -1, True) * (max(A.shape[-2:]) * epsilon)
    return public.sum(public.cast_to(public.greater(values, tol), "int64"), -1)


@counterpart(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """(shortest solution, residuals, rank, singular values); residuals only where more equations have full rank."""
    a, b = ours(a), ours(b)
    values, left, right = public.svd(a)
    if rcond is None:
        rcond = float(np.finfo(values.type.dtype.dtype).eps) * max(a.shape)
    counts = public.greater(values, values[0] * rcond)
    rank = public.cast_to(public.sum(public.cast_to(counts, "int32")), "int32")
    sides = public.expand_dims(b, axis=1) if rank_of(b) == 1 else b
    parts = public.matmul(public.swapaxes(left, -1, -2), sides) / public.expand_dims(
        public.where(counts, values, 1), axis=1
    )
    found = public.matmul(right, public.where(public.expand_dims(counts, axis=1), parts, 0))
    squares = public.sum(public.square(public.sub(sides, public.matmul(a, found))), 0)
    there = public.logical_and(public.equal(rank, a.shape[1]), a.shape[0] > a.shape[1])
    residuals = squares[public.broadcast_like(there, squares)]
    return found[:, 0] if rank_of(b) == 1 else found, residuals, rank, values


@counterpart(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    if p not in (None, 2):
        refuse("np.linalg.cond", f"p={p!r}")
    values = public.svd(ours(x), compute_uv=False)
    return values[..., 0] / values[..., -1]
