"""What generated code calls to make memory, and to write into it where NumPy's own function has no `out`."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["aligned", "cast_into", "keep_freed_pages"]

KEPT = 256 << 20  # bytes of freed memory that the process keeps at most, as native code's pool does
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt

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


@lru_cache(maxsize=1)
def keep_freed_pages() -> None:
    """Let glibc keep freed memory for the next array: by itself it returns what is large, and takes it again page by page.

    What the environment says of it (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_`, `GLIBC_TUNABLES`) stays as it is.
    """
    told = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    if os.name != "posix" or any(name in os.environ for name in told):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version") and hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, 32 << 20)  # more it does not take
        library.mallopt(_TRIM_THRESHOLD, KEPT)
