"""The kinds of descriptors: `Static`, `Leaf`, `Struct`, `Sequence`, `Words` and more; descriptors.py says what for.

Plain classes, not dataclasses: making those takes as long as loading everything else here.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from autograph.operators.values.listvalue import Contents
from runtime.typesys.spec import TensorType

__all__ = ["Descriptor", "Leaf", "OneOf", "Reference", "Sequence", "Static", "Struct", "Undefined", "Words", "same_static"]


class Descriptor:
    """Base of descriptors; they are never changed, and compare by value."""

    __slots__: tuple[str, ...] = ()

    def _parts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in type(self).__slots__)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._parts() == other._parts()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self._parts()))


class Static(Descriptor):
    """A Python object known while tracing."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and same_static(self.value, other.value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.value)


class Leaf(Descriptor):
    """A tensor or number of a type."""

    __slots__ = ("type",)

    def __init__(self, type: TensorType) -> None:
        self.type = type

    def __repr__(self) -> str:
        return repr(self.type)


class Struct(Descriptor):
    """A Python structure of a fixed tree; `kind` is its class, `keys` its dict keys or field names."""

    __slots__ = ("kind", "keys", "children")

    def __init__(self, kind: type, keys: tuple[Any, ...], children: tuple[Descriptor, ...]) -> None:
        self.kind = kind
        self.keys = keys
        self.children = children

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({', '.join(map(repr, self.children))})"


class Sequence(Descriptor):
    """A list of run-time length; `element` is None while nothing was put in."""

    __slots__ = ("element",)

    def __init__(self, element: Descriptor | None) -> None:
        self.element = element

    def __repr__(self) -> str:
        return f"list of {self.element}"


class Words(Descriptor):
    """A text of which only the run knows all."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "a text"


class Reference(Descriptor):
    """A list by its number in a store of contents (see `heap`)."""

    __slots__ = ("store",)

    def __init__(self, store: Any) -> None:
        self.store = store

    def __repr__(self) -> str:
        return "a list"


class Undefined(Descriptor):
    """Joins with anything."""

    __slots__ = ()


class OneOf(Descriptor):
    """One of several alternatives, by a tag."""

    __slots__ = ("alternatives",)

    def __init__(self, alternatives: tuple[Descriptor, ...]) -> None:
        self.alternatives = alternatives

    def __repr__(self) -> str:
        return " or ".join(map(repr, self.alternatives))


_SIMPLE = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis))


def same_static(a: Any, b: Any) -> bool:
    """Whether two Python values are interchangeable in a graph."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) is Contents:
        return a.same(b)  # type: ignore[no-any-return]
    if type(a) is float:
        return a.hex() == b.hex()
    if isinstance(a, (*_SIMPLE, slice, range, frozenset, np.dtype)):
        return bool(a == b)
    return type(a) is FunctionType and _same_function(a, b)


def _same_function(a: FunctionType, b: FunctionType) -> bool:
    """Whether two functions were made by the same `def` or `lambda` over the same variables."""
    cells = a.__closure__ or (), b.__closure__ or ()
    return (
        a.__code__ is b.__code__
        and len(cells[0]) == len(cells[1])
        and all(x is y for x, y in zip(*cells, strict=True))
        and _same_all(a.__defaults__, b.__defaults__)
        and _same_all(tuple((a.__kwdefaults__ or {}).items()), tuple((b.__kwdefaults__ or {}).items()))
        and a.__dict__ == b.__dict__
    )


def _same_all(a: tuple[Any, ...] | None, b: tuple[Any, ...] | None) -> bool:
    x, y = a or (), b or ()
    return len(x) == len(y) and all(
        _same_all(p, q) if type(p) is tuple and type(q) is tuple else same_static(p, q) for p, q in zip(x, y, strict=True)
    )
