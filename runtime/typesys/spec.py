"""Types of graph values: `TensorType`, `ListType`; and `TensorSpec`, how a user writes a tensor's type."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from runtime.typesys.dtypes import DType, as_dtype, dtype_of_python
from runtime.typesys.errors import InvalidArgumentError, boundary
from runtime.typesys.shapes import Dim, Shape, whole_number

__all__ = ["ListType", "TensorSpec", "TensorType", "ValueType", "type_of_payload"]


def _show(shape: Shape) -> str:
    return "?" if shape is None else ",".join(str(d) for d in shape)


class TensorType:
    """dtype, shape and weak flag of a value. Immutable; compares by value, unknown sizes by name (identity)."""

    __slots__ = ("dtype", "shape", "weak", "_hash")
    dtype: DType
    shape: Shape
    weak: bool

    def __init__(self, dtype: Any, shape: Shape = (), weak: bool = False) -> None:
        self.dtype = dtype if type(dtype) is DType else as_dtype(dtype)
        self.shape = shape
        self.weak = weak
        self._hash = hash((self.dtype, shape, weak))

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    def with_shape(self, shape: Shape) -> TensorType:
        return TensorType(self.dtype, shape, self.weak and shape == ())

    def with_dtype(self, dtype: Any) -> TensorType:
        return TensorType(dtype, self.shape)

    def strong(self) -> TensorType:
        return TensorType(self.dtype, self.shape) if self.weak else self

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is TensorType
            and self.dtype == other.dtype
            and self.shape == other.shape
            and self.weak == other.weak
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"{self.dtype.name}{'*' if self.weak else ''}[{_show(self.shape)}]"


class ListType:
    """A list of values of one element type (the join of what was put in); `element` is None while nothing was.

    A `record` is a list of values of any types, about which nothing is said (see runtime/ops/records.py).
    """

    __slots__ = ("element", "record")
    element: ValueType | None
    record: bool

    def __init__(self, element: ValueType | None, record: bool = False) -> None:
        self.element = element
        self.record = record

    def __eq__(self, other: object) -> bool:
        return type(other) is ListType and self.element == other.element and self.record == other.record

    def __hash__(self) -> int:
        return hash(("list", self.element, self.record))

    def __repr__(self) -> str:
        return "record" if self.record else f"list<{'' if self.element is None else self.element}>"


ValueType: TypeAlias = TensorType | ListType


_TYPES: dict[Any, TensorType] = {}  # of arrays by (dtype, shape): eager rules ask all the time
_MOST_TYPES = 4096
_OF_SCALARS = {np.dtype(c).type: TensorType(as_dtype(c), ()) for c in "?bhilBHILefdFD"} | {
    t: TensorType(dtype_of_python(t()), (), weak=True) for t in (bool, int, float, complex)
}


def type_of_payload(payload: Any) -> TensorType:
    """The type of what an eager tensor holds: an array, a NumPy scalar, or a bare (weak) Python number.

    >>> type_of_payload(np.zeros((2, 3), np.float32)), type_of_payload(2)
    (float32[2,3], int64*[])
    """
    known = _OF_SCALARS.get(type(payload))
    if known is not None:
        return known
    if isinstance(payload, (np.ndarray, np.generic)):
        key = payload.dtype, payload.shape
        known = _TYPES.get(key)
        if known is None:
            if len(_TYPES) >= _MOST_TYPES:
                _TYPES.clear()
            known = _TYPES[key] = TensorType(as_dtype(payload.dtype), payload.shape)
        return known
    return TensorType(dtype_of_python(payload), (), weak=True)


class TensorSpec:
    """dtype and shape of an argument, with None for sizes (or the whole shape) that may differ between calls.

    >>> TensorSpec([None, 3], "float32")
    TensorSpec(shape=(None, 3), dtype=float32, name=None)
    """

    @boundary
    def __init__(self, shape: Any = None, dtype: Any = "float32", name: str | None = None) -> None:
        if isinstance(shape, (int, str)):
            raise InvalidArgumentError(f"the shape of a TensorSpec is a list of sizes, such as [None, 3], not {shape!r}")
        self.shape = shape if shape is None else tuple(None if d is None else whole_number(d, "a size") for d in shape)
        negative = [d for d in self.shape or () if d is not None and d < 0]
        if negative:
            raise InvalidArgumentError(f"a size is a number from 0 on, or None where it is open, not {negative[0]}")
        self.dtype = as_dtype(dtype)
        self.name = name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of a tensor (or anything with `shape` and `dtype`)."""
        return cls([d if isinstance(d, int) else None for d in tensor.shape], tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: TensorSpec, name: str | None = None) -> TensorSpec:
        """A copy, perhaps under another name."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    def to_type(self) -> TensorType:
        """The graph type: every None becomes an unknown size of its own."""
        shape = None if self.shape is None else tuple(Dim() if d is None else d for d in self.shape)
        return TensorType(self.dtype, shape)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a value of `other`'s dtype and shape may be passed where this spec is asked for."""
        if as_dtype(other.dtype) != self.dtype:
            return False
        shape = other.shape
        if self.shape is None or shape is None:
            return True
        sizes = tuple(shape)
        return len(sizes) == len(self.shape) and all(
            a is None or not isinstance(b, int) or a == b for a, b in zip(self.shape, sizes, strict=True)
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorSpec):
            return False
        return (self.shape, self.dtype, self.name) == (other.shape, other.dtype, other.name)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.name))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype.name}, name={self.name!r})"
