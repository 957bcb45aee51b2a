"""Staged tensors that stand for a Python number: the index of a loop over `range`, what `int(x)` gives."""

from __future__ import annotations

from typing import Any

from runtime.tensor.tensor import Tensor, is_staged

__all__ = ["is_number", "python_type"]


def is_number(x: Any) -> bool:
    """Whether `x` stands for a Python number."""
    return type(x) is Tensor and is_staged(x) and x.type.weak


def python_type(x: Tensor) -> type:
    """The class of the Python number that `x` stands for."""
    dtype = x.type.dtype
    return bool if dtype.is_bool else int if dtype.is_integer else complex if dtype.is_complex else float
