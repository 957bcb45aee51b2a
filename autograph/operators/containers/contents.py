"""What code that is not converted changes in a region: sets, deques, lists given to C functions.

    if c: seen.add(1)    ->    refused: whether 1 is in `seen`, only the run knows
    for x in xs: window.append(x); window.popleft()    ->    the items of `window` are loop variables

Python changes such objects while the region is traced. Here it is noted what they held, so that this is undone, and
that the region has changed them is seen: what cannot be carried by a graph is refused.
"""

from __future__ import annotations

import weakref
from array import array
from collections import UserDict, UserList, deque
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers import list_methods
from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.containers.lists import note_list
from autograph.operators.state import dict_places
from autograph.operators.state.dict_places import note_all, note_item
from autograph.operators.state.nesting import in_region
from autograph.operators.state.places import ROOM, Loose, overfull
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.plain_arrays import check_change
from autograph.operators.values.listvalue import Contents
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Place, Trace, current

__all__ = [
    "in_place",
    "note_arguments",
    "note_contents",
    "note_within",
    "noting",
    "noting_method",
]

_HOLDS_NOTHING = NUMBERS | {tuple, range, slice, frozenset}
_READING = frozenset(
    "copy count index isdisjoint issubset issuperset union intersection difference symmetric_difference get keys values "
    "items most_common elements total hex decode tolist tobytes sum mean min max any all".split()
)
_WRITES_ARRAYS = frozenset(("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"))


class ContentsPlace:
    """The content of a container that Python's own code changes."""

    __slots__ = ("_last", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self._last: Contents | None = None

    @property
    def key(self) -> Any:
        return ("contents", id(self.owner))

    def read(self) -> Contents:
        """The content; the same object while it is the same."""
        now = Contents(type(self.owner), _items(self.owner))
        if self._last is None or not now.same(self._last):
            self._last = now
        return self._last

    def write(self, value: Any) -> None:
        if type(value) is not Contents:
            dict_places.by_run(self.owner)
            raise refusal("container-in-graph", what=type(self.owner).__name__)
        if self.read() is not value:
            _put(self.owner, value.items)
            self._last = value

    def __repr__(self) -> str:
        return f"a {type(self.owner).__name__}"


class LooseContentsPlace(Loose, ContentsPlace):  # type: ignore[misc]
    """The content of one that a function's own notes do not keep alive."""

    __slots__ = ("reference",)

    def __init__(self, owner: Any, gone: Callable[[Any], None]) -> None:
        self.reference = weakref.ref(owner, gone)
        self._last = None

    def fastened(self, owner: Any) -> Place:
        made = ContentsPlace(owner)
        made._last = self._last
        return made


def _items(x: Any) -> Any:
    if isinstance(x, (set, bytearray)):
        return frozenset(x) if isinstance(x, set) else bytes(x)
    if isinstance(x, np.ndarray):
        return x.copy()
    return tuple(list.__iter__(x)) if isinstance(x, list) else tuple(x)


def _put(x: Any, items: Any) -> None:
    if isinstance(x, list):
        list.__setitem__(x, slice(None), items)
    elif isinstance(x, np.ndarray):
        x[...] = items
    elif isinstance(x, set):
        set.clear(x)
        set.update(x, items)
    elif isinstance(x, bytearray):
        x[:] = items
    else:
        while x:
            x.pop()
        x.extend(items)


@lru_cache(maxsize=1024)
def _family(kind: type) -> str:
    """How the content of instances of a class is noted; empty for what holds none."""
    if kind is list:
        return "list"
    if issubclass(kind, dict):
        return "dict"
    return "other" if issubclass(kind, (list, set, deque, bytearray, array, np.ndarray)) else ""


def note_contents(trace: Trace, x: Any, keys: Any = None) -> None:
    """Note in the journal that a container is about to be changed; of a dictionary, at `keys` (None: at those it has)."""
    kind = type(x)
    if kind in _HOLDS_NOTHING or not trace.journal:
        return
    family = _family(kind)  # type: ignore[arg-type]
    if family == "list":
        note_list(trace, x)
    elif family == "dict":
        for key in list(x) if keys is None else keys:
            note_item(trace, x, key)
    elif family and (key := ("contents", id(x))) not in trace.journal[-1]:
        if len(trace.journal) > 1 or not kind.__weakrefoffset__:
            trace.record(ContentsPlace(x))
            return
        table, noted = trace.journal[-1], trace.journal.noted
        place = LooseContentsPlace(x, partial(_gone, table, noted, key))
        table[key] = place, place.read()
        noted.add(id(x))
        if len(table) > trace.notes.get("room", ROOM):
            overfull(trace)


def _gone(table: dict[Any, Any], noted: set[int], key: tuple[str, int], _: Any) -> None:
    """A container is gone: forget it."""
    table.pop(key, None)
    noted.discard(key[1])


def note_within(trace: Trace, x: Any) -> bool:
    """Note what a container of the standard library keeps in one of Python's, if `x` is such: its code is not converted."""
    if _WRAPPERS.isdisjoint(type(x).__mro__) or not trace.journal:
        return False
    if isinstance(x.data, dict):
        note_all(trace, x.data)
    elif ("contents", id(x.data)) not in trace.journal[-1]:
        trace.record(ContentsPlace(x.data))  # of a list, too: its length is Python's
    return True


_WRAPPERS = frozenset((UserDict, UserList))

of_forms: Callable[[Any, Any], None] = lambda x, value: None  # is told what is joined with what; `keyed` puts its own


def in_place(x: Any, value: Any) -> Any:
    """`value`, for `x op= value`: where that changes the container `x` itself, it is noted."""
    if type(x) not in _HOLDS_NOTHING:
        trace = current()
        if trace is not None:
            if type(x) is list and "heap" in trace.notes and trace.notes["heap"].of(x) is not None and not _is_number(value):
                ListMethod(x, "extend")(value)
                return ()  # all is done
            if type(x) is list and not isinstance(value, (list, tuple)):
                value = list_methods.gathered(value)
            of_forms(x, value)
            if type(x) is np.ndarray and check_change(trace, x, is_staged(value)) is not x:
                return op.convert(value)  # NumPy asks it what to do, which writes the tensor that stands for the array
            note_contents(trace, x, value if isinstance(value, dict) else None)
    return value


def _is_number(x: Any) -> bool:
    return type(x) in NUMBERS or isinstance(x, Tensor)


def noting_method(trace: Trace, f: Any) -> Any:
    """A method of a container that is not converted: what it may change is noted."""
    if f.__name__ not in _READING and (in_region(trace) or _family(type(f.__self__)) == "other"):  # type: ignore[arg-type]
        note_contents(trace, f.__self__)
    return f


def noting(f: Any) -> Any:
    """A function that is called as it is: in a region, the content of its arguments is noted."""
    return f if _module_of(f) in _HARMLESS else partial(_noted_call, f)


def _module_of(f: Any) -> str:
    name = getattr(f, "__module__", None)
    if type(name) is not str:
        return ""
    top = name.partition(".")[0]
    return "" if top == "numpy" and f.__name__ in _WRITES_ARRAYS else top


_HARMLESS = frozenset("builtins math cmath numpy autograph runtime time re _sre json copy typing".split())


def _noted_call(f: Any, /, *args: Any, **kwargs: Any) -> Any:
    trace = STATE.trace
    if trace is not None and trace.builder.region.parent is not None:
        note_arguments(args, kwargs)
    return f(*args, **kwargs)


def note_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """In a region, note the content of arguments."""
    trace = current()
    if trace is not None and in_region(trace):
        for x in (*args, *kwargs.values()):
            note_contents(trace, x)
