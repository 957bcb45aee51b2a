"""All of NumPy's functions that tensors have, as on arrays: values, element types, shapes; eager, staged, in loops."""

import numpy as np
import pytest

import autograph as ag
from runtime.tensor.numpy_functions.table import TABLE
from runtime.tensor.numpy_protocol import FAMILIES

RNG = np.random.default_rng(0)
A = np.array([[1.5, -2.0, 0.25], [3.0, 0.5, -1.0]])
B = np.array([[0.5, 2.0, -0.75], [1.0, -3.5, 4.0]])
V = np.array([0.5, -1.5, 2.0, 0.25])
I = np.array([3, 1, 2, 1, 0, 3])  # noqa: E741
N = np.array([[1.5, np.nan, 0.25], [np.nan, np.nan, -1.0]])
C = np.array([[1 + 2j, -0.5j], [3.0 - 1j, 2.0]])
S = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]])
T = RNG.normal(size=(2, 3, 4))

CASES = {
    np.piecewise: [
        (lambda a: np.piecewise(a, [a < 0, a > 1], [lambda v: -v, lambda v: v + v.sum(), 7.0]), A),
        (lambda a: np.piecewise(a, [a < 0.5], [lambda v, k: v * k, lambda v, k: k - v], 3.0), V),
        (lambda a: np.piecewise(a, a > 0, [np.log, 0.5]), V),
    ],
    np.apply_along_axis: [
        (lambda a: np.apply_along_axis(lambda r: r.max() - r.min(), 0, a), A),
        (lambda a: np.apply_along_axis(lambda r: r[::-1] * 2, 1, a), T),
        (lambda a: np.apply_along_axis(lambda r: np.outer(r, r), -2, a), T),
        (lambda a: np.apply_along_axis(np.sort, 0, a), V),
    ],
    np.lib.stride_tricks.sliding_window_view: [
        (lambda a: np.lib.stride_tricks.sliding_window_view(a, 2), V),
        (lambda a: np.lib.stride_tricks.sliding_window_view(a, (2, 2)).mean((-1, -2)), A),
        (lambda a: np.lib.stride_tricks.sliding_window_view(a, 3, axis=-1), T),
    ],
    np.sum: [
        (lambda a: np.sum(a, 1), A),
        (lambda a: np.sum(a, initial=2.0), A),
        (lambda a: np.sum(a, where=a > 0), A),
        (lambda a: np.sum(a, dtype="float32"), A),
        (lambda a: np.sum(a, (0, 2), keepdims=True), T),
    ],
    np.prod: [(lambda a: np.prod(a, 0), A), (lambda a: np.prod(a, where=a > 0, initial=3.0), A)],
    np.mean: [
        (lambda a: np.mean(a, axis=1, where=a > 0), A),
        (lambda a: np.mean(a, dtype="float32"), A),
        (np.mean, I),
    ],
    np.max: [(lambda a: np.max(a, initial=2.0), A), (lambda a: np.max(a, 1, where=a < 1, initial=-9.0), A)],
    np.min: [(lambda a: np.min(a, (0, 1)), A)],
    np.amax: [(lambda a: np.amax(a, 0), A)],
    np.amin: [(lambda a: np.amin(a, 0, keepdims=True), A)],
    np.all: [
        (lambda a: np.all(a > -3), A),
        (lambda a: np.all(a, 1), I.reshape(2, 3)),
        (lambda a: np.all(a > 0, where=a > 1), A),
    ],
    np.any: [(lambda a: np.any(a, 0), I.reshape(2, 3)), (lambda a: np.any(a > 2, axis=1, keepdims=True), A)],
    np.var: [(lambda a: np.var(a, 1, ddof=1), A), (lambda a: np.var(a, keepdims=True), A)],
    np.std: [(lambda a: np.std(a, ddof=1), A), (lambda a: np.std(a, axis=0), A)],
    np.argmax: [(np.argmax, A), (lambda a: np.argmax(a, 1, keepdims=True), A)],
    np.argmin: [(lambda a: np.argmin(a, 0), A)],
    np.cumsum: [(np.cumsum, A), (lambda a: np.cumsum(a, 1), A)],
    np.cumprod: [(lambda a: np.cumprod(a, 0), A)],
    np.ptp: [(lambda a: np.ptp(a, 1), A)],
    np.average: [(np.average, A), (lambda a: np.average(a, 1, weights=[1.0, 2.0, 0.5]), A)],
    np.count_nonzero: [(lambda a: np.count_nonzero(a > 0, axis=1), A)],
    np.trapezoid: [
        (np.trapezoid, V),
        (lambda a: np.trapezoid(a, dx=0.5), A),
        (lambda a: np.trapezoid(a, [0.0, 1.0, 3.0, 3.5]), V),
    ],
    np.median: [
        (np.median, A),
        (lambda a: np.median(a, 1), A),
        (lambda a: np.median(a, 1, keepdims=True), A),
        (np.median, N),
    ],
    np.percentile: [(lambda a: np.percentile(a, 30), A), (lambda a: np.percentile(a, [25, 75], axis=1), A)],
    np.quantile: [
        (lambda a: np.quantile(a, 0.3, 0), A),
        (lambda a: np.quantile(a, [0.1, 0.9], axis=0, keepdims=True), A),
    ],
    np.nancumsum: [(np.nancumsum, N), (lambda a: np.nancumsum(a, 1), N)],
    np.nancumprod: [(lambda a: np.nancumprod(a, 0), N)],
    np.nanmedian: [(np.nanmedian, N), (lambda a: np.nanmedian(a, 0), N)],
    np.nanquantile: [(lambda a: np.nanquantile(a, [0.2, 0.7]), N), (lambda a: np.nanquantile(a, 0.3, axis=1), N)],
    np.nanpercentile: [(lambda a: np.nanpercentile(a, 30), N)],
    np.cumulative_sum: [(np.cumulative_sum, V), (lambda a: np.cumulative_sum(a, axis=1), A)],
    np.cumulative_prod: [(np.cumulative_prod, V)],
    np.nansum: [(np.nansum, N), (lambda a: np.nansum(a, 1), N)],
    np.nanprod: [(lambda a: np.nanprod(a, 0), N)],
    np.nanmax: [(lambda a: np.nanmax(a, 1), N)],
    np.nanmin: [(np.nanmin, N)],
    np.nanmean: [(np.nanmean, N), (lambda a: np.nanmean(a, 1), N)],
    np.nanvar: [(lambda a: np.nanvar(a, 1), N)],
    np.nanstd: [(np.nanstd, N)],
    np.nanargmax: [(lambda a: np.nanargmax(a, 1), N)],
    np.nanargmin: [(np.nanargmin, N)],
    np.copy: [(np.copy, A)],
    np.astype: [(lambda a: np.astype(a, np.float32), A)],
    np.block: [
        (lambda a: np.block([[a, a * 2], [a * 3, a]]), S),
        (lambda a: np.block([a, a[:2], 7.0]), V),
        (lambda a: np.block([[a], [a[::-1]]]), V),
    ],
    np.reshape: [
        (lambda a: np.reshape(a, (3, 2), order="F"), A),
        (lambda a: a.reshape(3, -1, order="F"), A),
        (lambda a: a.flatten("F"), T),
        (lambda a: a.ravel(order="F"), A),
        (lambda a: np.reshape(a, (3, -1)), A)],
    np.ravel: [(np.ravel, A)],
    np.transpose: [(np.transpose, T), (lambda a: np.transpose(a, (2, 0, 1)), T)],
    np.matrix_transpose: [(np.matrix_transpose, T)],
    np.linalg.matrix_transpose: [(np.linalg.matrix_transpose, T)],
    np.expand_dims: [(lambda a: np.expand_dims(a, -1), A), (lambda a: np.expand_dims(a, (0, 2)), A)],
    np.squeeze: [(lambda a: np.squeeze(a[:1]), A)],
    np.broadcast_to: [(lambda a: np.broadcast_to(a, (4, 2, 3)), A)],
    np.swapaxes: [(lambda a: np.swapaxes(a, 0, 2), T)],
    np.moveaxis: [(lambda a: np.moveaxis(a, 0, -1), T)],
    np.flip: [(np.flip, A), (lambda a: np.flip(a, (0, 2)), T)],
    np.flipud: [(np.flipud, A)],
    np.fliplr: [(np.fliplr, A)],
    np.roll: [(lambda a: np.roll(a, 2), A), (lambda a: np.roll(a, 1, 0), A)],
    np.repeat: [(lambda a: np.repeat(a, 2), A), (lambda a: np.repeat(a, [1, 2], axis=0), A)],
    np.diag: [(np.diag, V), (lambda a: np.diag(a, 1), V), (np.diag, S), (lambda a: np.diag(a, -1), S)],
    np.diagflat: [(np.diagflat, A)],
    np.tril: [(lambda a: np.tril(a, 1), S)],
    np.triu: [(np.triu, T[0])],
    np.meshgrid: [(lambda a: np.meshgrid(a, a[:2]), V), (lambda a: np.meshgrid(a, a[:2], indexing="ij"), V)],
    np.broadcast_arrays: [(lambda a: np.broadcast_arrays(a, a[:1], a[0]), A)],
    np.rollaxis: [(lambda a: np.rollaxis(a, 2), T), (lambda a: np.rollaxis(a, 0, 3), T)],
    np.rot90: [(np.rot90, A), (lambda a: np.rot90(a, 3), A), (lambda a: np.rot90(a, 2, (1, 2)), T)],
    np.atleast_1d: [(lambda a: np.atleast_1d(a[0]), V)],
    np.atleast_2d: [(np.atleast_2d, V)],
    np.atleast_3d: [(np.atleast_3d, V), (np.atleast_3d, A)],
    np.concatenate: [
        (lambda a: np.concatenate([a, a[:1]]), A),
        (lambda a: np.concatenate([a, a], axis=None), A),
    ],
    np.stack: [(lambda a: np.stack([a, a * 2], axis=1), A)],
    np.vstack: [(lambda a: np.vstack([a[0], a]), A)],
    np.hstack: [(lambda a: np.hstack([a, a]), A), (lambda a: np.hstack([a, a]), V)],
    np.dstack: [(lambda a: np.dstack([a, a]), A)],
    np.column_stack: [(lambda a: np.column_stack([a, a]), V)],
    np.append: [
        (lambda a: np.append(a, 3.0), A),
        (lambda a: np.append(a, a[:1], axis=0), A),
        (lambda a: np.append(a, [1, 2]), I),
    ],
    np.insert: [
        (lambda a: np.insert(a, 1, 9.0), V),
        (lambda a: np.insert(a, -1, 9.0), V),
        (lambda a: np.insert(a, 1, 7.0, axis=1), A),
        (lambda a: np.insert(a, [2, 0, 2], [7.0, 8.0, 9.0]), V),
        (lambda a: np.insert(a, [0, 3], 7.0, axis=1), A),
    ],
    np.delete: [
        (lambda a: np.delete(a, 1), V),
        (lambda a: np.delete(a, [0, -1]), V),
        (lambda a: np.delete(a, 1, axis=1), A),
        (lambda a: np.delete(a, slice(1, 3)), V),
    ],
    np.tile: [
        (lambda a: np.tile(a, 2), A),
        (lambda a: np.tile(a, (2, 1, 3)), A),
        (lambda a: np.tile(a, (2, 2)), V),
    ],
    np.resize: [(lambda a: np.resize(a, (3, 5)), A)],
    np.split: [(lambda a: np.split(a, 3, axis=1), A), (lambda a: np.split(a, [1, 3]), V)],
    np.array_split: [(lambda a: np.array_split(a, 3), V)],
    np.vsplit: [(lambda a: np.vsplit(a, 2), A)],
    np.hsplit: [(lambda a: np.hsplit(a, 3), A)],
    np.dsplit: [(lambda a: np.dsplit(a, 2), T)],
    np.unstack: [(lambda a: np.unstack(a, axis=1), A)],
    np.diagonal: [(np.diagonal, A), (lambda a: np.diagonal(a, 1, 1, 2), T)],
    np.linalg.diagonal: [(lambda a: np.linalg.diagonal(a), S)],
    np.trace: [(np.trace, S), (lambda a: np.trace(a, 1), S)],
    np.linalg.trace: [(np.linalg.trace, S)],
    np.vander: [(np.vander, V), (lambda a: np.vander(a, 3, increasing=True), V)],
    np.pad: [
        (lambda a: np.pad(a, 1), A),
        (lambda a: np.pad(a, ((0, 1), (2, 0)), mode="edge"), A),
        (lambda a: np.pad(a, 1, mode="reflect"), T[0]),
        (lambda a: np.pad(a, ((0, 3), (4, 1)), mode="wrap"), A),
    ],
    np.argwhere: [(lambda a: np.argwhere(a > 0), A)],
    np.flatnonzero: [(lambda a: np.flatnonzero(a > 0), A)],
    np.nonzero: [(lambda a: np.nonzero(a > 0), A)],
    np.take_along_axis: [(lambda a: np.take_along_axis(a, np.argsort(a, 1), 1), A)],
    np.where: [
        (lambda a: np.where(a > 0, a, 0.0), A),
        (lambda a: np.where(a > 0, 1.0, 0.5), A),
        (lambda a: np.where(a > 0, 1, 2), A),
        (lambda a: np.where(a > 0), A),
    ],
    np.select: [(lambda a: np.select([a < 0, a < 1], [a * 2, 10.0], 5.0), A)],
    np.choose: [(lambda a: np.choose(a, [a * 1, a * 10, a * 100], mode="clip"), I)],
    np.clip: [
        (lambda a: np.clip(a, -1, 1), A),
        (lambda a: np.clip(a, None, 0.5), A),
        (lambda a: np.clip(a, min=0.0), A),
    ],
    np.take: [
        (lambda a: np.take(a, [0, -1]), A),
        (lambda a: np.take(a, [1, 0, 1], axis=1), A),
        (lambda a: np.take(a, 7, mode="wrap"), V),
    ],
    np.compress: [(lambda a: np.compress([True, False, True], a, axis=1), A)],
    np.extract: [(lambda a: np.extract(a > 0, a), A)],
    np.nan_to_num: [(np.nan_to_num, N), (lambda a: np.nan_to_num(a / 0.0, posinf=3.0), V)],
    np.sort: [(np.sort, A), (lambda a: np.sort(a, axis=None), A)],
    np.lexsort: [(lambda a: np.lexsort((a[0], a[1])), A)],
    np.argsort: [(np.argsort, A), (lambda a: np.argsort(a, axis=None), A)],
    np.partition: [(lambda a: np.sort(np.partition(a, 2)[:2]), V)],
    np.argpartition: [(lambda a: np.sort(a[np.argpartition(a, 2)[:2]]), V)],
    np.searchsorted: [
        (lambda a: np.searchsorted(np.sort(a), a, side="right"), V),
        (lambda a: np.searchsorted(np.sort(a), 0.3), V),
    ],
    np.digitize: [
        (lambda a: np.digitize(a, [-1.0, 0.3, 1.0]), V),
        (lambda a: np.digitize(a, [-1.0, 0.5, 1.0], right=True), A),
    ],
    np.unique: [
        (np.unique, I),
        (lambda a: np.unique(a, return_index=True, return_inverse=True, return_counts=True), I),
        (lambda a: np.unique(a, return_index=True, return_inverse=True), I.reshape(2, 3)),
        (lambda a: np.unique(a, axis=0), I.reshape(3, 2)[[0, 1, 0, 2]]),
        (lambda a: np.unique(a, True, True, True, axis=1), I.reshape(2, 3)),
    ],
    np.setxor1d: [(lambda a: np.setxor1d(a, [1, 2, 9]), I)],
    np.tril_indices_from: [(lambda a: a[np.tril_indices_from(a, -1)], S)],
    np.triu_indices_from: [(lambda a: a[np.triu_indices_from(a)], S)],
    np.diag_indices_from: [(lambda a: a[np.diag_indices_from(a)], S)],
    np.trim_zeros: [
        (lambda a: np.trim_zeros(np.concatenate([a * 0, a, a * 0])), V),
        (lambda a: np.trim_zeros(np.concatenate([a * 0, a, a * 0]), "f"), V),
        (lambda a: np.trim_zeros(np.concatenate([a * 0, a, a * 0]), "b"), V),
        (lambda a: np.trim_zeros(a * 0), V),
    ],
    np.isin: [(lambda a: np.isin(a, [1, 3]), I)],
    np.union1d: [(lambda a: np.union1d(a, a[:2] + 7), I)],
    np.intersect1d: [(lambda a: np.intersect1d(a, [1, 2, 9]), I)],
    np.setdiff1d: [(lambda a: np.setdiff1d(a, [1, 2, 9]), I)],
    np.bincount: [
        (np.bincount, I),
        (lambda a: np.bincount(a, minlength=8), I),
        (lambda a: np.bincount(a, a * 0.5), I),
    ],
    np.histogram: [
        (lambda a: np.histogram(a, 4), A),
        (lambda a: np.histogram(a, [-2.0, 0.0, 1.0, 3.0]), A),
        (lambda a: np.histogram(a, 3, density=True), A),
        (lambda a: np.histogram(a, 3, range=(-1.0, 1.0)), A),
    ],
    np.unravel_index: [
        (lambda a: np.unravel_index(a, (2, 2)), I[:1]),
        (lambda a: np.unravel_index(a, (2, 3)), I),
    ],
    np.ravel_multi_index: [(lambda a: np.ravel_multi_index((a % 2, a % 3), (2, 3)), I)],
    np.zeros_like: [(np.zeros_like, A), (lambda a: np.zeros_like(a, dtype="int32"), A)],
    np.ones_like: [(np.ones_like, I)],
    np.full_like: [(lambda a: np.full_like(a, 3), A), (lambda a: np.full_like(a, 2.7), I)],
    np.real: [(np.real, C), (np.real, A)],
    np.imag: [(np.imag, C), (np.imag, A)],
    np.angle: [(np.angle, C), (lambda a: np.angle(a, deg=True), C)],
    np.isreal: [(np.isreal, C), (np.isreal, A)],
    np.iscomplex: [(np.iscomplex, C)],
    np.fix: [(np.fix, A)],
    np.isposinf: [(lambda a: np.isposinf(a / 0.0), V)],
    np.isneginf: [(lambda a: np.isneginf(a / 0.0), V)],
    np.ediff1d: [(np.ediff1d, A)],
    np.polyval: [(lambda a: np.polyval([2.0, -1.0, 0.5], a), V), (lambda a: np.polyval(a, 1.5), V)],
    np.round: [(lambda a: np.round(a * 1.26, 1), A)],
    np.around: [(np.around, A)],
    np.sinc: [(np.sinc, V)],
    np.i0: [(np.i0, V)],
    np.isclose: [(lambda a: np.isclose(a, a + 1e-9), A)],
    np.allclose: [(lambda a: np.allclose(a, a + 1e-9), A)],
    np.array_equal: [
        (lambda a: np.array_equal(a, a * 1), A),
        (lambda a: np.array_equal(a, a * 1, equal_nan=True), N),
    ],
    np.array_equiv: [(lambda a: np.array_equiv(a, a[0]), A)],
    np.linspace: [
        (lambda a: np.linspace(a[0], a[1], 5), V),
        (lambda a: np.linspace(a, a + 1, 4, endpoint=False, axis=1), V),
        (lambda a: np.linspace(a[0], 9, 4), I),
    ],
    np.logspace: [(lambda a: np.logspace(a[0], a[2], 4), V)],
    np.geomspace: [(lambda a: np.geomspace(a[0], a[2], 4), V)],
    np.diff: [
        (lambda a: np.diff(a, prepend=0.0), A),
        (lambda a: np.diff(a, 2, 0, prepend=a[:1] * 2, append=1), A),
        (lambda a: np.diff(a, append=[7, 8]), I),
        (np.diff, A),
        (lambda a: np.diff(a, 2, axis=1), A),
        (lambda a: np.diff(a > 0), V),
    ],
    np.gradient: [
        (np.gradient, V),
        (lambda a: np.gradient(a, 0.5), V),
        (lambda a: np.gradient(a, axis=1), T[0]),
        (lambda a: np.gradient(a, np.array([0.0, 1.0, 1.5, 4.0])), V),
        (np.gradient, T[0]),
    ],
    np.convolve: [
        (lambda a: np.convolve(a, [1.0, 0.5, -2.0]), V),
        (lambda a: np.convolve(a, [1.0, 0.5], "same"), V),
        (lambda a: np.convolve([1.0, 0.5, 3.0], a, "valid"), V),
    ],
    np.correlate: [
        (lambda a: np.correlate(a, [1.0, 0.5, -2.0]), V),
        (lambda a: np.correlate(a, [1.0, 0.5], "full"), V),
        (lambda a: np.correlate([1.0, 0.5], a, "full"), V),
    ],
    np.interp: [
        (lambda a: np.interp(a, [-1.0, 0.0, 1.0], [3.0, 1.0, 2.0]), V),
        (lambda a: np.interp(0.3, np.sort(a), a), V),
        (lambda a: np.interp(a, [0.0, 1.0], [3.0, 1.0], left=-1.0, right=9.0), V),
    ],
    np.cov: [
        (np.cov, A),
        (np.cov, V),
        (lambda a: np.cov(a, a[::-1]), V),
        (lambda a: np.cov(a, rowvar=False, bias=True), A),
    ],
    np.corrcoef: [(np.corrcoef, T[0])],
    np.einsum: [(lambda a: np.einsum("ij,kj->ik", a, a), A)],
    np.outer: [(lambda a: np.outer(a, a), V)],
    np.linalg.outer: [(lambda a: np.linalg.outer(a, a), V)],
    np.vdot: [(lambda a: np.vdot(a, a), C), (lambda a: np.vdot(a, a), A)],
    np.linalg.matmul: [(lambda a: np.linalg.matmul(a, a.T), A)],
    np.linalg.vecdot: [(lambda a: np.linalg.vecdot(a, a), A)],
    np.tensordot: [(lambda a: np.tensordot(a, a, ([0, 1], [0, 1])), T)],
    np.linalg.tensordot: [(lambda a: np.linalg.tensordot(a, a), A)],
    np.dot: [
        (lambda a: np.dot(a, a.T), A),
        (lambda a: np.dot(a, a[0]), A),
        (lambda a: np.dot(a[0, :, 0], a), T),
        (lambda a: np.dot(a, 2.0), A),
    ],
    np.inner: [(lambda a: np.inner(a, a), A)],
    np.kron: [(lambda a: np.kron(a, a), A), (lambda a: np.kron(a[0], a), A)],
    np.cross: [(lambda a: np.cross(a, a[::-1]), A)],
    np.linalg.cross: [(lambda a: np.linalg.cross(a, a[::-1]), A)],
    np.linalg.inv: [(np.linalg.inv, S)],
    np.linalg.det: [(np.linalg.det, S)],
    np.linalg.pinv: [(np.linalg.pinv, A)],
    np.linalg.eigvalsh: [(np.linalg.eigvalsh, S)],
    np.linalg.multi_dot: [(lambda a: np.linalg.multi_dot([a, a.T, a]), A)],
    np.linalg.norm: [
        *[(lambda a, ord=ord: np.linalg.norm(a, ord), S) for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
        *[(lambda a, ord=ord: np.linalg.norm(a, ord), V) for ord in (0, 1, 2, 3, -1, np.inf, -np.inf)],
        (lambda a: np.linalg.norm(a, 1, axis=(0, 2), keepdims=True), T),
        (lambda a: np.linalg.norm(a, axis=(2, 1)), T),
        (lambda a: np.linalg.norm(a, 0, axis=-1, keepdims=True), I.reshape(2, 3)),
        (np.linalg.norm, A),
        (lambda a: np.linalg.norm(a, axis=1), A),
        (lambda a: np.linalg.norm(a, 1, axis=0), A),
        (lambda a: np.linalg.norm(a, np.inf), V),
    ],
    np.linalg.vector_norm: [
        (np.linalg.vector_norm, A),
        (lambda a: np.linalg.vector_norm(a, axis=1, ord=1), A),
    ],
    np.linalg.solve: [(lambda a: np.linalg.solve(a, a[0]), S), (lambda a: np.linalg.solve(a, a), S)],
    np.linalg.cholesky: [(np.linalg.cholesky, S)],
    np.linalg.slogdet: [(lambda a: tuple(np.linalg.slogdet(a)), S)],
    np.linalg.eigh: [
        (lambda a: np.linalg.eigh(a).eigenvalues, S),
        (lambda a: abs(np.linalg.eigh(a, "U")[1]), S),
    ],
    np.linalg.svd: [
        (lambda a: np.linalg.svd(a, compute_uv=False), A),
        (lambda a: (lambda r: (r.U * r.S) @ r.Vh)(np.linalg.svd(a, full_matrices=False)), A),
    ],
    np.linalg.svdvals: [(np.linalg.svdvals, A)],
    np.linalg.qr: [(lambda a: abs(np.linalg.qr(a).R), S), (lambda a: abs(np.linalg.qr(a, "r")), A)],
    np.linalg.matrix_power: [
        (lambda a: np.linalg.matrix_power(a, 5), S),
        (lambda a: np.linalg.matrix_power(a, -2), S),
        (lambda a: np.linalg.matrix_power(a, 0), S),
    ],
    np.polyfit: [
        (lambda a: np.polyfit([0.0, 1.0, 2.5, 3.0], a, 2), V),
        (lambda a: np.polyfit(a, np.stack([a * 2, a**2], 1), 1), V),
    ],
    np.fft.fft: [(np.fft.fft, V), (np.fft.fft, C), (lambda a: np.fft.fft(a, 6, axis=0), A), (lambda a: np.fft.fft(a, 2), T)],
    np.fft.ifft: [(np.fft.ifft, C), (lambda a: np.fft.ifft(a, norm="forward"), V)],
    np.fft.fft2: [(np.fft.fft2, T)],
    np.fft.ifft2: [(np.fft.ifft2, A)],
    np.fft.fftn: [(np.fft.fftn, T)],
    np.fft.ifftn: [(np.fft.ifftn, T)],
    np.fft.rfft: [(np.fft.rfft, V), (lambda a: np.fft.rfft(a, 5), A), (lambda a: np.fft.rfft(a, axis=0), I.reshape(3, 2))],
    np.fft.irfft: [(lambda a: np.fft.irfft(a), C), (lambda a: np.fft.irfft(np.fft.rfft(a), 3), A)],
    np.fft.fftshift: [(np.fft.fftshift, V), (np.fft.fftshift, A)],
    np.fft.ifftshift: [(np.fft.ifftshift, A)],
    np.linalg.matrix_rank: [(np.linalg.matrix_rank, S)],
    np.linalg.lstsq: [
        (lambda a: np.linalg.lstsq(a.T, a.T[:, 0], rcond=None), A),
        (lambda a: np.linalg.lstsq(a, a[:, :2], rcond=None), T[0]),
        (lambda a: np.linalg.lstsq(np.stack([a, a, a * 2], 1), a), V),
    ],
    np.linalg.cond: [(np.linalg.cond, S)],
}
OF_FORM = {np.result_type, np.shape, np.ndim, np.size, np.isrealobj, np.iscomplexobj, np.empty_like}  # tested below
PARAMS = [
    pytest.param(f, x, id=f"{function.__name__}_{k}")
    for function, cases in CASES.items()
    for k, (f, x) in enumerate(cases)
]


def _parts(result):
    return [np.asarray(r) for r in result] if isinstance(result, (tuple, list)) else [np.asarray(result)]


def _check(got, want):
    got, want = _parts(got), _parts(want)
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert g.shape == w.shape
        assert g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=1e-6 if g.dtype == np.float32 else 1e-12, atol=1e-12)


@pytest.mark.parametrize(("f", "x"), PARAMS)
@pytest.mark.filterwarnings("ignore")
def test_eager(f, x):
    _check(f(ag.constant(x)), f(x))


@pytest.mark.parametrize(("f", "x"), PARAMS)
@pytest.mark.filterwarnings("ignore")
def test_staged(f, x):
    _check(ag.function(f)(ag.constant(x)), f(x))


@pytest.mark.parametrize(("f", "x"), PARAMS)
@pytest.mark.filterwarnings("ignore")
def test_in_a_loop_of_the_graph(f, x):
    def twice(a, n):
        result = f(a)
        for _ in range(n):
            result = f(a)
        return result

    _check(ag.function(twice)(ag.constant(x), ag.constant(2)), f(x))


def test_all_functions_of_the_table_are_compared():
    assert len(FAMILIES) == 8
    writers = np.copyto, np.fill_diagonal, np.ix_, np.place, np.put, np.put_along_axis, np.putmask
    # `tests/programs/test_written_by_numpy.py` compares these.
    assert {f.__name__ for f in TABLE} == {f.__name__ for f in {*CASES, *OF_FORM, *writers}}


def test_what_tells_of_the_form():
    x = ag.constant(A)
    assert np.shape(x) == (2, 3)
    assert (np.ndim(x), np.size(x), np.size(x, 1)) == (2, 6, 3)
    assert np.result_type(x, np.float32) == np.result_type(x * 1) == np.float64
    assert np.isrealobj(x)
    assert np.iscomplexobj(ag.constant(C))
    assert np.empty_like(x).shape == (2, 3)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.insert(a, [-1, 0], 3.0),
        lambda a: np.sum(a, out=np.zeros(3)),
    ],
)
def test_arguments_without_a_counterpart_are_refused_by_name(f):
    with pytest.raises(ag.errors.UnimplementedError, match=r"(the end, .* as|out=) of np"):
        f(ag.constant(A))


@pytest.mark.parametrize("staged", [False, True])
def test_methods_that_are_numpys_functions(staged):
    def f(x, v):
        return x.argsort(), x.argsort(0), x.diagonal(1), x.nonzero(), v.searchsorted([0.0, 1.0]), x.take([0, 4]), x.trace()

    run = ag.function(f) if staged else f
    for got, want in zip(run(ag.constant(A), ag.constant(np.sort(V))), f(A, np.sort(V)), strict=True):
        _check(got, want)


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7, 8])
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
def test_ufuncs_accumulate(ufunc, size, staged):
    def f(x):
        return ufunc.accumulate(x), ufunc.accumulate(x, 1), ufunc.accumulate(x, axis=-1)

    x = RNG.normal(size=(size, 3))
    run = ag.function(f) if staged else f
    for got, want in zip(run(ag.constant(x)), f(x), strict=True):
        _check(got, want)


def test_the_gradient_of_a_running_maximum():
    x = ag.constant([1.0, 3.0, 2.0, 4.0, 4.0, 0.0])
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.function(np.maximum.accumulate)(x)
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 2.0, 0.0, 1.0, 2.0, 0.0]
