"""Places: where converted code keeps state. A staged region's effects are what its places hold afterwards.

A place can be read, written and compared by key. Local names are closure cells; attributes, items, list contents and
globals are written through hooks that note them in the journal of the open region.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from opcode import opmap
from types import CellType, FunctionType, MethodType
from typing import Any, TypeAlias

from autograph.operators.state.nesting import in_region
from runtime.tensor.trace import Place, Trace, current
from runtime.typesys.errors import UnboundVariableError

__all__ = [
    "ROOM",
    "UNBOUND",
    "UNDEFINED",
    "AttributePlace",
    "CellPlace",
    "GlobalPlace",
    "ItemPlace",
    "Label",
    "Loose",
    "LooseAttributePlace",
    "Sentinel",
    "fasten",
    "label_of",
    "name_places",
    "names_of",
    "note_attribute",
    "note_unset",
    "overfull",
    "read_by_name",
    "rebinds",
    "unset_before_loop",
    "unset_by_branch",
    "unset_by_loop",
    "watch",
]


class Sentinel:
    """A named marker, equal only to itself."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Label(str):
    """What a place is called, with the error of reading it where it holds nothing: (type, *arguments)."""

    __slots__ = ("error",)

    def __new__(cls, text: str, error: tuple[Any, ...]) -> Label:
        """The name of a place that is no local name."""
        made = super().__new__(cls, text)
        made.error = error  # type: ignore[attr-defined]
        return made


def label_of(place: Place, why: Callable[[str], str] | None = None) -> str:
    """What messages call a place; `why` tells, of a name, how it comes to be unbound and what to do."""
    if isinstance(place, ItemPlace):
        return Label("", (KeyError, place.item))
    if isinstance(place, AttributePlace):
        message = f"{type(place.owner).__name__!r} object has no attribute {place.name!r}"
        return Label(place.name, (AttributeError, message))
    name = str(getattr(place, "name", ""))
    if isinstance(place, GlobalPlace):
        return Label(name, (NameError, f"name '{name}' is not defined"))
    return name if why is None else Label(name, (UnboundVariableError, name, why(name)))


def names_of(places: Iterable[Place]) -> str:
    """What messages call several places: the first few, each once."""
    names = list(dict.fromkeys(map(repr, places)))
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


_SHOWN = 5


def unset_by_branch(branch: str, deleted: bool = False) -> Callable[[str], str]:
    """Why a name is unbound after a branch that does not bind it, or that has `deleted` what it was bound to."""
    if deleted:
        return lambda name: f"the {branch} branch of an `if` deletes '{name}': it must be initialized again there"
    return lambda name: f"'{name}' must also be initialized in the {branch} branch, or before the `if`"


def unset_before_loop(name: str) -> str:
    """Why a name is unbound in the first turn of a loop that reads it."""
    return f"'{name}' must be defined before the loop: an iteration reads it before any has set it"


def unset_by_loop(name: str) -> str:
    """Why a name is unbound after a loop without a turn."""
    return f"the loop must iterate at least once to initialize '{name}'; otherwise '{name}' must be defined before the loop"


def note_unset(trace: Trace, place: Place, why: str) -> None:
    """Note why a name is unbound from here on, whichever path is taken: Python itself finds out where it is read."""
    if isinstance(place, CellPlace) and place.read() is UNBOUND:
        trace.notes.setdefault("unset", {})[place.name] = why.format(place.name)


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


CACHED: set[str | None] = set()
"""Names of cached properties that traces stand in for: to look one up there would run it."""

SET_PAST: weakref.WeakSet[type] = weakref.WeakSet()
"""Classes whose attributes were set past their own `__setattr__`, which is run by what sets them: not once more."""


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
        """The value without running code of the user's that Python would not run here (`__getattr__`, a cached property)."""
        owner, name = self.owner, self.name
        kind: Any = type(owner)
        if name in CACHED and hasattr(_held_by_classes(kind, name), "keeps_in_instances"):
            return owner.__dict__.get(name, UNBOUND)
        if kind.__getattribute__ is _GET and kind.__setattr__ is _SET and name in getattr(owner, "__dict__", _EMPTY):
            try:
                return _GET(owner, name)
            except Exception:  # noqa: BLE001 (a property that cannot be read now has no value)
                return UNBOUND
        if issubclass(kind, type):
            return _of_class(owner, name)
        descriptor = type(_held_by_classes(kind, name))
        if type(getattr(descriptor, "__get__", None)) is FunctionType and not hasattr(descriptor, "__set__"):
            return getattr(owner, "__dict__", _EMPTY).get(name, UNBOUND)
        python = type(kind.__getattribute__) is FunctionType or hasattr(kind, "__getattr__")
        try:
            if not python or kind.__setattr__ is not _SET:
                return getattr(owner, name, UNBOUND)
            return _GET(owner, name)
        except Exception:  # noqa: BLE001
            return UNBOUND

    def write(self, value: Any) -> None:
        past = type(self.owner) in SET_PAST
        if value is not UNBOUND:
            (object.__setattr__ if past else setattr)(self.owner, self.name, value)
        elif self.read() is not UNBOUND:
            (object.__delattr__ if past else delattr)(self.owner, self.name)

    def __repr__(self) -> str:
        return f"attribute '{self.name}' of {type(self.owner).__name__}"


def _of_class(owner: type, name: str) -> Any:
    """What a class itself holds under a name, as it holds it: a static method, a descriptor that runs code."""
    own = _held_by_classes(type(owner), name)
    if hasattr(type(own), "__set__"):  # its name, its documentation, a property of its class
        return getattr(owner, name, UNBOUND)
    value = _held_by_classes(owner, name)
    return UNBOUND if name not in owner.__dict__ and hasattr(type(value), "__get__") else value


def _held_by_classes(owner: type, name: str) -> Any:
    for base in owner.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return UNBOUND


_EMPTY: dict[str, Any] = {}
_GET: Any = object.__getattribute__
_SET: Any = object.__setattr__


class Loose:
    """A place in an object that the note does not keep alive: with the object the note goes."""

    __slots__ = ()
    reference: Any

    @property
    def owner(self) -> Any:
        return self.reference()

    @property
    def key(self) -> Any:
        raise AssertionError("it goes when its object does: ask `fasten` first")

    def fastened(self, owner: Any) -> Place:
        """The place, keeping its object."""
        raise NotImplementedError


class LooseAttributePlace(Loose, AttributePlace):  # type: ignore[misc]
    """An attribute of such an object."""

    __slots__ = ("reference",)

    def __init__(self, owner: Any, name: str, table: dict[Any, tuple[Place, Any]]) -> None:
        # A finalizer, called with the reference, which is what it returns where the note is gone already.
        self.reference = weakref.ref(owner, partial(table.pop, ("attribute", id(owner), name)))
        self.name = name

    def fastened(self, owner: Any) -> Place:
        return AttributePlace(owner, self.name)


def fasten(table: dict[Any, tuple[Place, Any]]) -> None:
    """Let the notes of a table keep alive what is alive: it ends, and what it holds is looked at."""
    for key, (place, before) in table.copy().items():
        if isinstance(place, Loose):
            owner = place.owner
            if owner is None:
                table.pop(key, None)
            else:
                table[key] = (place.fastened(owner), before)


maybe_there: Callable[[Any, Any], None] = lambda owner, value: None  # is told what a branch leaves at a key, by `keyed`


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
            if isinstance(self.owner, dict):
                there = dict.__contains__(self.owner, self.item)
                return dict.__getitem__(self.owner, self.item) if there else UNBOUND
            return self.owner[self.item]
        except (KeyError, IndexError):
            return UNBOUND

    def write(self, value: Any) -> None:
        owner = self.owner
        if type(owner) is not dict:
            maybe_there(owner, value)
        # Not by what a class derived from them makes of it: that has been done.
        kind: Any = type(owner) if not isinstance(owner, dict) else OrderedDict if isinstance(owner, OrderedDict) else dict
        if value is not UNBOUND:
            kind.__setitem__(owner, self.item, value)
        elif self.read() is not UNBOUND:
            kind.__delitem__(owner, self.item)

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


ROOM = 256
"""How many notes are taken before one looks whether they are still needed; a trace's own number is in its notes."""


def overfull(trace: Trace) -> None:
    """Too many notes: forget those of what nobody can see."""
    overfull_hook(trace)


overfull_hook: Any = None  # `births` puts it here


def note_attribute(trace: Trace, owner: Any, name: str) -> None:
    """Note in the journal that an attribute is about to be changed."""
    if trace.journal:
        table = trace.journal[-1]
        key = ("attribute", id(owner), name)
        if key not in table:
            # Only a function's own notes last long: a staged region's are looked at when it ends.
            loose = len(trace.journal) == 1 and type(owner).__weakrefoffset__
            place = LooseAttributePlace(owner, name, table) if loose else AttributePlace(owner, name)
            value = place.read()
            if type(value) is MethodType and loose and _is_of_its_class(value, owner, name):
                value = UNBOUND  # it would keep the object alive
            table[key] = (place, value)
            if len(table) > trace.notes.get("room", ROOM):
                overfull(trace)


def _is_of_its_class(method: MethodType, owner: Any, name: str) -> bool:
    """Whether an instance has a method from its class, and does not hold it itself."""
    if method.__self__ is not owner or _held_by_classes(type(owner), name) is not method.__func__:
        return False
    return name not in getattr(owner, "__dict__", ())


def read_by_name(owner: Any, name: str, *default: Any) -> Any:
    """`getattr` with a computed name: noted, since the text of the function does not say what is read."""
    trace = current()
    if trace is not None:
        trace.notes.setdefault("named_reads", {})[id(owner), name] = owner
    return getattr(owner, name, *default)


_HOOKS = "ag__"  # the free variable through which generated code finds the hooks: nobody rebinds it
_STORES = frozenset((opmap["STORE_GLOBAL"], opmap["DELETE_GLOBAL"]))
_CELL_STORES = frozenset((opmap["STORE_DEREF"], opmap["DELETE_DEREF"]))
_EXTENDED = opmap["EXTENDED_ARG"]
_Plan: TypeAlias = tuple[Any, tuple[tuple[int, str], ...], tuple[str, ...], bool]
_plans: dict[int, _Plan] = {}  # by id of a code object


def _stored(code: Any, operations: frozenset[int], name_of: Callable[[Any, int], str]) -> set[str]:
    """The names that a code object, or one nested in it, assigns by some operations."""
    names: set[str] = set()
    raw, high = code.co_code, 0
    for i in range(0, len(raw), 2):
        argument = raw[i + 1] | high
        high = argument << 8 if raw[i] == _EXTENDED else 0
        if raw[i] in operations:
            names.add(name_of(code, argument))
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            inner = _stored(constant, operations, name_of)
            names |= inner if operations is _STORES else inner & set(constant.co_freevars)
    return names


def _plan_of(code: Any) -> _Plan:
    """(the code, free variables by index, globals it rebinds, whether it rebinds any): what a function over `code` touches.

    Cells that are only read are noted, too: in them may be what holds, in a cycle, what a region has made.
    """
    key = id(code)
    cells = tuple((i, name) for i, name in enumerate(code.co_freevars) if name != _HOOKS)
    stored = _stored(code, _CELL_STORES, lambda code, i: code._varname_from_oparg(i)) if cells else set()
    globals_stored = tuple(_stored(code, _STORES, lambda code, i: code.co_names[i]))
    rebinds_any = bool(globals_stored) or any(name in stored for _, name in cells)
    kept = weakref.ref(code, lambda _: _plans.pop(key, None))
    plan = _plans[key] = (kept, cells, globals_stored, rebinds_any)
    return plan


def rebinds(fn: FunctionType) -> bool:
    """Whether calling a function may rebind closure cells or globals, which `watch` then notes each time."""
    plan = _plans.get(id(fn.__code__))
    if plan is None or plan[0]() is not fn.__code__:
        plan = _plan_of(fn.__code__)
    return plan[3]


seen_in_region: Callable[[Trace, Any], None] = lambda trace, value: None  # told what branches and loops name; by `advances`


def watch(trace: Trace, fn: Any) -> None:
    """Note that `fn` is called, and in the journal the closure cells and globals that it may rebind."""
    if not trace.journal:
        return
    code = fn.__code__
    key = id(code)
    if key not in trace.called:
        trace.called[key] = code, fn.__globals__
    plan = _plans.get(key)
    if plan is None or plan[0]() is not code:
        plan = _plan_of(code)
    if plan[1]:
        table, closure, noted = trace.journal[-1], fn.__closure__, trace.journal.noted
        assert closure is not None
        for i, name in plan[1]:
            cell = closure[i]
            if id(cell) not in noted:
                noted.add(id(cell))
                place = CellPlace(cell, name)
                trace.record(place)
                if in_region(trace):
                    seen_in_region(trace, place.read())
        if len(table) > trace.notes.get("room", ROOM):
            overfull(trace)
    for name in plan[2]:
        trace.record(GlobalPlace(fn.__globals__, name))
