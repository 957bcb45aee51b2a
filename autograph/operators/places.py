"""Places: where converted code keeps state. A staged region's effects are what its places hold afterwards.

A place can be read, written and compared by key. Local names are closure cells; attributes, items, list contents and
globals are written through hooks that note them in the journal of the open region.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from runtime.tensor.trace import Place, Trace

__all__ = [
    "UNBOUND",
    "UNDEFINED",
    "AttributePlace",
    "CellPlace",
    "GlobalPlace",
    "ItemPlace",
    "Sentinel",
    "name_places",
    "watch",
]


class Sentinel:
    """A named marker, equal only to itself."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


UNBOUND = Sentinel("<unbound>")  # what a place holds that Python would report as unbound or missing
UNDEFINED = Sentinel("<undefined>")  # never read before it is set: joins with anything without a tag


class CellPlace:
    """A local name of a converted function, through its closure cell."""

    __slots__ = ("cell", "name")

    def __init__(self, cell: CellType, name: str) -> None:
        self.cell = cell
        self.name = name

    @property
    def key(self) -> Any:
        return ("cell", id(self.cell))

    def read(self) -> Any:
        try:
            return self.cell.cell_contents
        except ValueError:  # an empty cell
            return UNBOUND

    def write(self, value: Any) -> None:
        if value is not UNBOUND:
            self.cell.cell_contents = value
        elif self.read() is not UNBOUND:
            del self.cell.cell_contents

    def __repr__(self) -> str:
        return f"'{self.name}'"


class GlobalPlace:
    """A global name."""

    __slots__ = ("name", "namespace")

    def __init__(self, namespace: dict[str, Any], name: str) -> None:
        self.namespace = namespace
        self.name = name

    @property
    def key(self) -> Any:
        return ("global", id(self.namespace), self.name)

    def read(self) -> Any:
        return self.namespace.get(self.name, UNBOUND)

    def write(self, value: Any) -> None:
        if value is UNBOUND:
            self.namespace.pop(self.name, None)
        else:
            self.namespace[self.name] = value

    def __repr__(self) -> str:
        return f"global '{self.name}'"


class AttributePlace:
    """An attribute of an object."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Any, name: str) -> None:
        self.owner = owner
        self.name = name

    @property
    def key(self) -> Any:
        return ("attribute", id(self.owner), self.name)

    def read(self) -> Any:
        return getattr(self.owner, self.name, UNBOUND)

    def write(self, value: Any) -> None:
        if value is not UNBOUND:
            setattr(self.owner, self.name, value)
        elif self.read() is not UNBOUND:
            delattr(self.owner, self.name)

    def __repr__(self) -> str:
        return f"attribute '{self.name}' of {type(self.owner).__name__}"


class ItemPlace:
    """An item of a dictionary (or other container with Python keys)."""

    __slots__ = ("item", "owner")

    def __init__(self, owner: Any, item: Any) -> None:
        self.owner = owner
        self.item = item

    @property
    def key(self) -> Any:
        return ("item", id(self.owner), self.item)

    def read(self) -> Any:
        try:
            return self.owner[self.item]
        except (KeyError, IndexError):
            return UNBOUND

    def write(self, value: Any) -> None:
        if value is not UNBOUND:
            self.owner[self.item] = value
        elif self.read() is not UNBOUND:
            del self.owner[self.item]

    def __repr__(self) -> str:
        return f"item {self.item!r} of a {type(self.owner).__name__}"


def name_places(names: tuple[str, ...], *functions: Callable[..., Any] | None) -> list[Place]:
    """The places of `names`, found through the closures (or globals) of the body functions that bind them."""
    places: list[Place] = []
    for name in names:
        for fn in functions:
            if not isinstance(fn, FunctionType):
                continue
            free = fn.__code__.co_freevars
            if name in free:
                assert fn.__closure__ is not None
                places.append(CellPlace(fn.__closure__[free.index(name)], name))
                break
        else:
            owner = next(f for f in functions if isinstance(f, FunctionType))
            places.append(GlobalPlace(owner.__globals__, name))
    return places


_stored_globals: dict[Any, frozenset[str]] = {}


def _globals_stored(code: Any) -> frozenset[str]:
    """Global names that a code object, or one nested in it, assigns."""
    known = _stored_globals.get(code)
    if known is None:
        names = {i.argval for i in dis.get_instructions(code) if i.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}
        for const in code.co_consts:
            if isinstance(const, type(code)):
                names |= _globals_stored(const)
        known = _stored_globals[code] = frozenset(names)
    return known


def watch(trace: Trace, fn: FunctionType) -> None:
    """Note in the journal the closure cells and globals that calling `fn` may rebind."""
    if not trace.journal:
        return
    if fn.__closure__:
        for name, cell in zip(fn.__code__.co_freevars, fn.__closure__, strict=True):
            trace.record(CellPlace(cell, name))
    for name in _globals_stored(fn.__code__):
        trace.record(GlobalPlace(fn.__globals__, name))
