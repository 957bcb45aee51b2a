"""In which form native code holds a value of a type: in registers and memory of its own, or in Python's hands."""

from __future__ import annotations

from runtime.typesys.dtypes import DType
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["is_held", "is_rows", "leaf_of"]


def is_held(t: ValueType) -> bool:
    """Whether Python holds values of a type, and native code a register's number: tensors of unknown rank or of other
    element types, lists whose elements have no one known shape, lists of lists, records that Python sees."""
    if isinstance(t, ListType):
        if t.record:
            return True
        if t.element is None:
            return False
        return type(t.element) is not TensorType or not is_static(t.element.shape) or not _is_number(t.element.dtype)
    return t.shape is None or not _is_number(t.dtype)


def is_rows(t: ValueType | None) -> bool:
    """Whether a type is of lists of lists of numbers, which native code may have in memory of its own (row_lists.py)."""
    if not isinstance(t, ListType) or not isinstance(t.element, ListType):
        return False
    leaf = leaf_of(t)
    return leaf is not None and leaf.shape == () and _is_number(leaf.dtype)


def leaf_of(t: ValueType | None) -> TensorType | None:
    """What lists in lists have in the end, if it is known."""
    while isinstance(t, ListType):
        if t.record:
            return None
        t = t.element
    return t


def _is_number(dtype: DType) -> bool:
    if not dtype.dtype.isnative:
        return False
    return dtype.kind == "b" or (dtype.kind in "iu" and dtype.size <= 8) or (dtype.kind == "f" and dtype.size in (4, 8))
