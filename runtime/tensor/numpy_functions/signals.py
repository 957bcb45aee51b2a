"""Fourier's transforms: of complex and of real numbers, along one axis and several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.tensor.dispatch import op
from runtime.tensor.numpy_functions.table import axes_of, counterpart, ours, public, rank_of, refuse

__all__: list[str] = []


def _complex(x: Any) -> Any:
    x = ours(x)
    if x.type.dtype.kind == "c":
        return x
    return public.cast_to(x, "complex64" if x.type.dtype.name == "float32" else "complex128")


def _count(x: Any) -> Any:
    """The size of the last axis."""
    size = x.type.shape[-1]
    return size if isinstance(size, int) else public.shape(x, "int64")[-1]


def _of_size(x: Any, n: Any) -> Any:
    """As many elements along the last axis as are asked for: cut off, or with zeros behind."""
    if n is None:
        return x
    have = _count(x)
    missing = max(n - have, 0) if isinstance(n, int) and isinstance(have, int) else public.maximum(public.sub(n, have), 0)
    if not (isinstance(missing, int) and missing == 0):
        x = public.pad_with(x, [[0, 0]] * (rank_of(x) - 1) + [[0, missing]], "CONSTANT", 0)
    return x[..., :n]


def _transformed(x: Any, inverse: bool, norm: Any) -> Any:
    if norm not in (None, "backward", "forward"):
        refuse("np.fft", f"norm={norm!r}")
    return op.fourier_transform(x, inverse=inverse, scaled=inverse is (norm != "forward"))


def _along(inverse: bool) -> Callable[..., Any]:
    def transform(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        rows = _of_size(public.moveaxis(_complex(a), axis, -1), n)
        return public.moveaxis(_transformed(rows, inverse, norm), -1, axis)

    return transform


def _along_all(inverse: bool, last: int | None) -> Callable[..., Any]:
    def transform(a: Any, s: Any = None, axes: Any = None if last is None else (-2, -1), norm: Any = None) -> Any:
        if s is not None:
            refuse("np.fft", "s=")
        a = _complex(a)
        for axis in axes_of(axes, rank_of(a)):
            a = _along(inverse)(a, None, axis, norm)
        return a

    return transform


counterpart(np.fft.fft)(_along(False))
counterpart(np.fft.ifft)(_along(True))
counterpart(np.fft.fft2)(_along_all(False, 2))
counterpart(np.fft.ifft2)(_along_all(True, 2))
counterpart(np.fft.fftn)(_along_all(False, None))
counterpart(np.fft.ifftn)(_along_all(True, None))


@counterpart(np.fft.rfft)
def rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    """Of real numbers: the half that says all."""
    rows = _of_size(public.moveaxis(_complex(a), axis, -1), n)
    return public.moveaxis(_transformed(rows, False, norm)[..., : _count(rows) // 2 + 1], -1, axis)


@counterpart(np.fft.irfft)
def irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    """Real numbers of that half: the other one mirrors it."""
    rows = public.moveaxis(_complex(a), axis, -1)
    n = (_count(rows) - 1) * 2 if n is None else n
    rows = _of_size(rows, n // 2 + 1)
    mirrored = public.conj(public.reverse(rows[..., 1 : (n + 1) // 2], [-1]))
    whole = public.concat([rows, mirrored], -1)
    return public.moveaxis(public.real(_transformed(whole, True, norm)), -1, axis)


def _turned(forward: bool) -> Callable[..., Any]:
    def shift(x: Any, axes: Any = None) -> Any:
        x = ours(x)
        for axis in axes_of(axes, rank_of(x)):
            size = x.type.shape[axis]
            half = (size if isinstance(size, int) else public.shape(x, "int64")[axis]) // 2
            x = public.roll(x, half if forward else -half, axis)
        return x

    return shift


counterpart(np.fft.fftshift)(_turned(True))
counterpart(np.fft.ifftshift)(_turned(False))
