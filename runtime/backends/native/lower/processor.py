"""What code with explicit vectors is written for; asked of NumPy, as LLVM may not be loaded yet."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = ["masks_bytes", "registers", "vector_bytes"]


@lru_cache(maxsize=1)
def _processor() -> tuple[int, int]:
    has = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    if has.get("AVX512F"):
        return 64, 32
    if has.get("AVX2"):
        return 32, 16
    return 16, 32 if has.get("NEON") else 16


def vector_bytes() -> int:
    """Bytes of a vector."""
    return _processor()[0]


def registers() -> int:
    """Vector registers."""
    return _processor()[1]


@lru_cache(maxsize=1)
def masks_bytes() -> bool:
    """Whether vectors of bytes, and short ones, may be read and written with masks."""
    has = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    return bool(has.get("AVX512_SKX"))
