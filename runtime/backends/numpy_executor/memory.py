"""What generated code calls to make memory, and to write into it where NumPy's own function has no `out`."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

__all__ = ["aligned", "cast_into"]

_empty, _array, _byte = np.empty, np.ndarray, np.uint8
_at, _address = ctypes.c_char.from_buffer, ctypes.addressof


def aligned(shape: tuple[int, ...], dtype: Any, size: int) -> Any:
    """A new array of `size` bytes that begins at a line of the cache: no store of a vector touches two lines then.

    NumPy's own begin anywhere at a multiple of 16 bytes, and additions, products and their like take twice the time.
    """
    memory = _empty(size + 64, _byte)
    return _array(shape, dtype, memory, -_address(_at(memory)) % 64)  # type: ignore[arg-type]


def cast_into(x: Any, out: Any) -> None:
    """Real numbers in another element type, written into `out`."""
    np.copyto(out, x, casting="unsafe")
