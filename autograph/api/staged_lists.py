"""Public functions of a list of tensors (`ag.stack`, `ag.concat`, ...) on lists whose length is known only at run time."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.operators.lists import concatenated_tensors, dynamic_of, stacked
from autograph.operators.py_builtins import sum_
from autograph.operators.stand_ins import stand_in

__all__ = ["register"]


def register(root: types.ModuleType) -> None:
    """Put stand-ins before the functions of `root` (and NumPy's) that take a list of tensors."""
    for original in (root.stack, np.stack):
        stand_in(original)(_on_lists(original, stacked))
    for original in (root.concat, np.concatenate):
        stand_in(original)(_on_lists(original, concatenated_tensors))
    stand_in(root.add_n)(_on_lists(root.add_n, lambda value: sum_(value)))
    for original in (root.convert_to_tensor, root.constant, np.array, np.asarray):
        stand_in(original)(_on_lists(original, lambda value, dtype=None: stacked(value)))


def _on_lists(original: Callable[..., Any], staged: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        value = dynamic_of(args[0]) if args else None
        if value is None:
            return original(*args, **kwargs)
        kwargs.pop("name", None)
        return staged(value, *args[1:], **kwargs)

    return call
