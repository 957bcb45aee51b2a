"""Numbers of the user's source that meet arrays: as arrays without axes, which NumPy takes in half the time of Python's.

A number has no dtype of its own then: NumPy gives it that of the array (NEP 50), and so is it written here.
"""

from __future__ import annotations

import math

import numpy as np

from runtime.ir.graph import Node, Value
from runtime.passes.rewrite import UNKNOWN, constant_of
from runtime.typesys.dtypes import DType
from runtime.typesys.spec import TensorType

__all__ = ["as_array", "has_numbers", "keeps"]

_OPERATIONS = frozenset(
    "add subtract multiply divide maximum minimum greater greater_equal less less_equal equal not_equal".split()
)


def as_array(node: Node, position: int) -> tuple[float, DType] | None:
    """The number that an operand is, and the dtype of the array that it meets; None where it is to stay as it is."""
    if node.op.numpy not in _OPERATIONS or len(node.inputs) != 2:
        return None
    number, other = constant_of(node.inputs[position]), node.inputs[1 - position]
    if number is UNKNOWN or type(number) not in (int, float) or not _is_array(other):
        return None
    dtype = other.tensor_type.dtype
    fits = keeps(number, dtype) and (node.op.numpy != "divide" or dtype.kind == "f")
    return (number, dtype) if fits else None


def keeps(number: float, dtype: DType) -> bool:
    """Whether a bare number becomes one of this dtype, as NumPy would make it, without a word."""
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            return not math.isfinite(number) or bool(np.isfinite(dtype.dtype.type(number)))
    limits = np.iinfo(dtype.dtype)
    return type(number) is int and limits.min <= number <= limits.max


def _is_array(value: Value) -> bool:
    kind = value.type
    if not isinstance(kind, TensorType) or kind.weak or not kind.shape:
        return False
    return has_numbers(kind.dtype)


def has_numbers(dtype: DType) -> bool:
    """Whether numbers of this dtype are written as arrays."""
    return dtype.name in ("float32", "float64") or dtype.kind in "iu"
