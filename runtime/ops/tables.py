"""Lists of lists as tensors: what NumPy makes of rows whose number and lengths only the run knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.errors import DTypeError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType, ValueType

_HARD = {"b": "bool", "i": "int64", "u": "uint64", "f": "float64", "c": "complex128"}
"""What NumPy makes of Python's numbers."""


def _leaf(kind: ValueType | None) -> tuple[int, TensorType]:
    """(how deep the lists are nested, what they hold)."""
    depth = 0
    while isinstance(kind, ListType):
        kind, depth = kind.element, depth + 1
    if not isinstance(kind, TensorType):
        raise DTypeError("lists of nothing cannot be stacked")
    return depth, kind


class ListTable(Op):
    """The items of lists in lists as one tensor, an axis for each list; `kind` is the type of the lists."""

    def infer(self, x: ListType, *, kind: ValueType) -> TensorType:
        depth, leaf = _leaf(kind)
        axes = tuple(Dim() for _ in range(depth))
        dtype = _HARD[leaf.dtype.kind] if leaf.weak else leaf.dtype
        return TensorType(dtype, None if leaf.shape is None else (*axes, *leaf.shape))

    @staticmethod
    def kernel(x: list[Any], *, kind: ValueType) -> Any:
        depth, leaf = _leaf(kind)
        made = np.array(x, _HARD[leaf.dtype.kind] if leaf.weak else leaf.dtype.dtype)
        missing = depth + len(leaf.shape or ()) - made.ndim  # where the lists, or those in them, are empty
        return made.reshape((*made.shape, *[0] * missing)) if missing > 0 else made

    vjp = lambda op, dy, y, x, kind: (op.list_rows(dy, kind=op.type_of(x)),)

    def samples(self) -> Iterable[Any]:
        return ()


class ListRows(Op):
    """The lists in lists that a tensor's axes are."""

    def infer(self, x: TensorType, *, kind: ListType) -> ListType:
        return kind

    @staticmethod
    def kernel(x: Any, *, kind: ListType) -> list[Any]:
        depth, leaf = _leaf(kind)
        return _rows(x if leaf.weak else x.astype(leaf.dtype.dtype, copy=False), depth, leaf.weak)

    vjp = lambda op, dy, y, x, kind: (op.list_table(dy, kind=op.type_of(dy)),)

    def samples(self) -> Iterable[Any]:
        return ()


def _rows(x: Any, depth: int, plain: bool) -> Any:
    if depth == 0:
        return x.item() if plain else x
    return [_rows(row, depth - 1, plain) for row in x]
