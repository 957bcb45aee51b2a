"""How products of matrices are written: small ones by `dot`, those of few rows or columns in parts.

OpenBLAS copies the operands of a product into its own order first, but has kernels that read them where they lie for
products of up to a million multiplications. A thin product does little with what was copied: its parts take half the time.

`np.matmul` takes 0.4 microseconds more than `np.dot` to come to the same call of BLAS, which is as much as a product of
8 by 30 by 16 takes. (It asks afterwards whether there was a NaN, to warn of it; `dot` does not.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.backends.numpy_executor.names import Globals
from runtime.ir.graph import Node
from runtime.typesys.shapes import num_elements

__all__ = ["product"]

MOST = 1_000_000  # multiplications of a product that OpenBLAS does without copying
FEW_ROWS, FEW_COLUMNS = 8, 16
SMALL = 1 << 17  # multiplications of a product whose call costs enough to be seen


def product(node: Node, source: str, names: Globals) -> str:
    """The source of a product, `np.matmul(a, b)`: by `dot` or by parts where that takes less time."""
    a, b, out = (v.tensor_type for v in (*node.inputs, node.outputs[0]))
    if not (a.dtype == b.dtype == out.dtype) or out.dtype.kind != "f" or out.dtype.size not in (4, 8):
        return source
    if a.shape is None or b.shape is None or len(a.shape) != 2 or len(b.shape) != 2:
        return source
    rows, columns = out.shape or (None, None)
    inner = a.shape[0 if node.attrs.get("transpose_a") else 1], b.shape[1 if node.attrs.get("transpose_b") else 0]
    size = num_elements((*out.shape, inner[0])) if out.shape else None
    arguments = source[source.index("(") + 1 : -1]
    if size is not None and size <= MOST:
        return f"np.dot({arguments})" if size <= SMALL and inner[0] == inner[1] else source
    if isinstance(rows, int) and rows <= FEW_ROWS and not node.attrs.get("transpose_b"):
        return f"{names.bind('by_columns', by_columns, 'a product by groups of columns')}({arguments})"
    if isinstance(columns, int) and columns <= FEW_COLUMNS:
        return f"{names.bind('by_rows', by_rows, 'a product by groups of rows')}({arguments})"
    return source


def by_columns(a: Any, b: Any, out: Any = None) -> Any:
    """a @ b, as many columns at a time as OpenBLAS does without copying."""
    inner, columns = b.shape
    most = MOST // (len(a) * inner or 1)
    if columns <= most or most < 200:
        return np.matmul(a, b, out)
    if out is None:
        out = np.empty((len(a), columns), a.dtype)
    width = _width(columns, most)
    for k in range(0, columns, width):
        np.matmul(a, b[:, k : k + width], out[:, k : k + width])
    return out


def by_rows(a: Any, b: Any, out: Any = None) -> Any:
    """a @ b, as many rows at a time as OpenBLAS does without copying."""
    rows = len(a)
    most = MOST // (b.size or 1)
    if rows <= most or most < 96:
        return np.matmul(a, b, out)
    if out is None:
        out = np.empty((rows, b.shape[1]), a.dtype)
    width = _width(rows, most)
    for k in range(0, rows, width):
        np.matmul(a[k : k + width], b, out[k : k + width])
    return out


def _width(size: int, most: int) -> int:
    """The size of each of so many parts as there have to be, vectors of 16 where they fit."""
    parts = -(-size // most)
    return min(-(-size // (parts * 16)) * 16, most)
