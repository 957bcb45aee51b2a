"""Reductions of matrices with few columns, by whole columns: NumPy begins anew for each row, of so few elements.

`argmin` and `argmax` ask which column has the best of all; sums of columns are a product with a vector of ones.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from runtime.backends.numpy_executor.names import Globals
from runtime.ir.graph import Node

__all__ = ["narrowly"]

COLUMNS = 64  # so many are few for extrema, ...
SUMMED = 32  # ... and for sums
LEAST = 4096  # elements from which on it is worth a call
KEPT = 65536  # ones are kept from call to call


def narrowly(node: Node, source: str, names: Globals) -> str:
    """The source of a node: of a reduction of a matrix with few columns that of these functions."""
    name = node.op.name
    if name not in ("arg_min", "arg_max", "reduce_sum"):
        return source
    kind, axis = node.inputs[0].tensor_type, node.attrs["axis"]
    shape: Any = kind.shape
    if shape is None or len(shape) != 2 or not all(isinstance(d, int) for d in shape):
        return source
    rows, columns = shape
    if kind.dtype.name not in ("float32", "float64") or rows * columns < LEAST or columns < 2:
        return source
    if name == "reduce_sum":
        if axis not in (0, (0,)) or node.attrs["keepdims"] or columns > SUMMED or rows < 8 * columns:
            return source
        return f"{names.bind('sum_columns', sum_columns, 'sums of few columns')}({{0}})"
    if axis not in (1, -1) or columns > COLUMNS or rows < 4 * columns:
        return source
    best = arg_least if name == "arg_min" else arg_most
    return f"{names.bind(best.__name__, best, f'{name} of rows, by columns')}({{0}})"


def arg_least(x: Any) -> Any:
    """`argmin(x, axis=1)`."""
    return _arg(x, np.minimum, np.argmin)


def arg_most(x: Any) -> Any:
    """`argmax(x, axis=1)`."""
    return _arg(x, np.maximum, np.argmax)


def _arg(x: Any, best_of: Any, plainly: Any) -> Any:
    columns = x.T if x.flags.f_contiguous else x.T.copy()
    best = best_of.reduce(columns, 0)
    marks = np.equal(columns, best).view(np.int8)
    count = len(columns)
    np.negative(marks, marks)  # all bits where a column has the best ...
    marks &= _left(count)  # ... and now how many columns are left, most where it is the first
    found = np.maximum.reduce(marks, 0)
    if np.minimum.reduce(found) == 0:  # NaN is the first of all, and equal to nothing
        return plainly(x, axis=1)
    return count - found.astype(np.int64)


@lru_cache(maxsize=COLUMNS)
def _left(count: int) -> Any:
    return np.arange(count, 0, -1, dtype=np.int8)[:, None]


def sum_columns(x: Any) -> Any:
    """`x.sum(axis=0)`."""
    return np.matmul(_ones(len(x), x.dtype), x)


def _ones(count: int, dtype: Any) -> Any:
    return _kept_ones(dtype)[:count] if count <= KEPT else np.ones(count, dtype)


@lru_cache(maxsize=2)
def _kept_ones(dtype: Any) -> Any:
    ones = np.ones(KEPT, dtype)
    ones.setflags(write=False)
    return ones
