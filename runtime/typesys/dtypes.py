"""Element types and their promotion.

A `DType` wraps a NumPy dtype under TensorFlow's names. Promotion is NumPy's own (NEP 50): typed
operands decide, bare Python numbers ("weak") only choose the kind.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from runtime.typesys.errors import DTypeError, InvalidArgumentError

__all__ = ["DType", "as_dtype", "dtype_of_python", "promote", "resolve_ufunc"]


class DType:
    """Element type of a tensor; equal to its NumPy dtype and to its name.

    >>> float32 = as_dtype("float32")
    >>> float32 == "float32", float32.is_floating, float32.size
    (True, True, 4)
    """

    __slots__ = ("dtype", "name", "kind", "is_floating", "is_complex", "is_integer", "is_bool", "size", "_hash")

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype  # np.dtype(DType) works through this attribute
        self.name = dtype.name if dtype.kind not in "OSU" else "string"
        self.kind = dtype.kind
        self.is_floating = dtype.kind == "f"
        self.is_complex = dtype.kind == "c"
        self.is_integer = dtype.kind in "iu"
        self.is_bool = dtype.kind == "b"
        self.size = dtype.itemsize
        self._hash = hash(dtype)

    @property
    def as_numpy_dtype(self) -> type:
        """The NumPy scalar class, as TensorFlow's `DType.as_numpy_dtype`."""
        return self.dtype.type

    @property
    def is_unsigned(self) -> bool:
        return self.kind == "u"

    @property
    def is_inexact(self) -> bool:
        """Floating or complex: what gradients flow through."""
        return self.kind in "fc"

    @property
    def real_dtype(self) -> DType:
        """The dtype of the real part."""
        return as_dtype(np.empty(0, self.dtype).real.dtype)

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def min(self) -> Any:
        return np.iinfo(self.dtype).min if self.is_integer else False if self.is_bool else np.finfo(self.dtype).min

    @property
    def max(self) -> Any:
        return np.iinfo(self.dtype).max if self.is_integer else True if self.is_bool else np.finfo(self.dtype).max

    @property
    def limits(self) -> tuple[Any, Any]:
        return self.min, self.max

    def is_compatible_with(self, other: Any) -> bool:
        return self == other

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self.dtype == other.dtype
        if other is None:
            return False
        try:
            return self.dtype == np.dtype(other)  # type: ignore[call-overload]
        except TypeError:
            return False

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"dtype({self.name!r})"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


_INTERNED: dict[Any, DType] = {}
_PYTHON: dict[type, str] = {bool: "bool", int: "int64", float: "float64", complex: "complex128", str: "O", bytes: "O"}
_ALIASES = {"double": "float64", "half": "float16", "string": "O", "float": "float32", "int": "int32"}


def as_dtype(type_value: Any) -> DType:
    """The `DType` for a DType, NumPy dtype, scalar class, or name.

    Python's own classes mean what `constant` makes of a literal: float is float32, int is int32.

    Raises:
      TypeError: no element type of that name.

    >>> ag.as_dtype('float32') == ag.float32
    True
    """
    if type(type_value) is DType:
        return type_value
    try:
        known = _INTERNED.get(type_value)
    except TypeError:
        known = None
    if known is not None:
        return known
    key = type_value
    if type_value is float:
        type_value = "float32"
    elif type_value is int:
        type_value = "int32"
    elif isinstance(type_value, str):
        type_value = _ALIASES.get(type_value, type_value)
    elif type_value in (str, bytes):
        type_value = "O"
    try:
        if hasattr(type_value, "dtype") and not isinstance(type_value, type):
            raise TypeError  # NumPy asks arrays for theirs, and warns of it
        if isinstance(type_value, type) and type_value not in (bool, complex, object) and not issubclass(
            type_value, (np.generic, np.dtype)
        ):
            raise TypeError  # NumPy takes any class for that of objects
        dtype = np.dtype(type_value)
    except TypeError:
        if hasattr(type_value, "dtype") and not isinstance(type_value, type):
            raise TypeError("no element type: a tensor or array stands where one is needed; that of x is x.dtype") from None
        raise TypeError(
            f"no element type {type_value!r}; expected a DType, a NumPy dtype or a name such as {_nearest(type_value)!r}"
        ) from None
    if dtype.kind in "SU":
        dtype = np.dtype("O")
    found = _INTERNED.get(dtype)
    if found is None:
        found = _INTERNED[dtype] = DType(dtype)
    try:
        _INTERNED[key] = found
    except TypeError:
        return found
    return found


def _nearest(name: Any) -> str:
    """The name of an element type that is most like `name`."""
    import difflib  # a rare error's only

    known = [*_ALIASES, *(np.dtype(c).name for c in "?bhilBHILefdFD")]
    return next(iter(difflib.get_close_matches(str(name), known, n=1)), "float32")


def dtype_of_python(value: Any) -> DType:
    """The 64-bit element type that carries a bare Python number.

    >>> dtype_of_python(3)
    dtype('int64')
    """
    kind = type(value)
    if kind not in _PYTHON:  # a member of an IntEnum, say
        kind = next((c for c in kind.__mro__ if c in _PYTHON), kind)
    if kind not in _PYTHON:
        raise InvalidArgumentError(
            f"cannot make a tensor of {value!r} ({kind.__name__}): expected numbers, arrays or sequences of them"
        )
    return as_dtype(_PYTHON[kind])


_WEAK_STANDIN: dict[str, Any] = {"b": np.dtype(bool), "i": 0, "u": 0, "f": 0.0, "c": 0j}
_WEAK_CLASS: dict[str, Any] = {"b": np.dtype(bool), "i": int, "u": int, "f": float, "c": complex}


_OF_STRINGS = frozenset("add equal not_equal less less_equal greater greater_equal".split())
"""The ufuncs that strings take part in."""


@lru_cache(maxsize=4096)
def promote(*operands: tuple[DType, bool]) -> tuple[DType, bool]:
    """Result (dtype, weak) of mixing operands given as (dtype, weak) pairs.

    >>> f32, f64 = as_dtype("float32"), as_dtype("float64")
    >>> promote((f32, False), (f64, True))
    (dtype('float32'), False)
    """
    weak = all(w for _, w in operands)
    if weak:
        order = "biufc"
        if any(d.kind not in order for d, _ in operands):
            raise DTypeError("strings take part in no arithmetic")
        best = max((d for d, _ in operands), key=lambda d: order.index(d.kind))
        return best, True
    stand_ins = [_WEAK_STANDIN[d.kind] if w else d.dtype for d, w in operands]
    return as_dtype(np.result_type(*stand_ins)), False


@lru_cache(maxsize=4096)
def resolve_ufunc(name: str, operands: tuple[tuple[DType, bool], ...]) -> tuple[DType, ...]:
    """Output dtypes of NumPy's ufunc `name` for operands given as (dtype, weak) pairs.

    All-weak operands resolve as their 64-bit carriers.
    """
    if any(d.kind == "O" for d, _ in operands) and not (name in _OF_STRINGS and all(d.kind == "O" for d, _ in operands)):
        raise TypeError(f"{name} is not defined for strings")
    ufunc = getattr(np, name)
    weak = all(w for _, w in operands)
    args = [_WEAK_CLASS[d.kind] if w and not weak else d.dtype for d, w in operands]
    resolved = ufunc.resolve_dtypes((*args, *[None] * ufunc.nout))
    return tuple(as_dtype(d) for d in resolved[ufunc.nin :])
