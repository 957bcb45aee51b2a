"""Objects from outside that a trace moves between places outside: they stay who they are.

    job = queue.pop(0); done.append(job)    ->    both lists are written with the objects that they hold then

A list of numbers or tensors is state of the graph, whatever it holds at a call. Of objects, dictionaries and lists only
those are known that were there: the trace belongs to them, and another is made where the places hold others.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, TypeAlias

from autograph.operators.containers.advances import IteratorPlace
from autograph.operators.state.dict_places import OrderPlace
from autograph.operators.values.choice import choice_of
from autograph.operators.values.descriptors import Descriptor, Static, Struct, describe, structure_of
from autograph.operators.values.listvalue import Contents, ListContents, Splice
from autograph.staging.dependence import is_plain
from autograph.staging.guards import differs
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place

__all__ = ["Moved", "Outside", "described", "kept"]

_Table: TypeAlias = dict[Any, tuple[Place, Any]]


class Moved:
    """A place that holds objects from outside before or after a call; `new` if it is left with a new list of them."""

    __slots__ = ("_after", "_before", "_new", "place")

    def __init__(self, place: Place, before: Any, after: Any, new: bool) -> None:
        self.place = place
        self._before = before
        self._after = after
        self._new = new

    def fits(self) -> bool:
        """Whether the place holds what it held when the function was traced."""
        now, before = self.place.read(), self._before
        if type(now) is Contents and type(before) is Contents:
            return now.same(before)
        if type(now) is not ListContents or type(before) is not ListContents:
            return _same(now, before)
        return len(now.items) == len(before.items) and all(map(_same, now.items, before.items))

    @property
    def is_order(self) -> bool:
        """Whether it is in which order a dictionary has its keys: to be written when it has them."""
        return type(self.place) is OrderPlace

    def write(self) -> None:
        """Put there what the function leaves there."""
        self.place.write(list(self._after) if self._new and type(self._after) is list else self._after)


class Outside:
    """What was there before the trace, as far as the places tell that it wrote to."""

    def __init__(self, originals: _Table, outside: _Table, state: Iterable[Place]) -> None:
        self._ids = {id(getattr(place, "owner", None)) for place in (*state, *(place for place, _ in outside.values()))}
        for key in outside:
            before = originals[key][1]
            for x in before.items if type(before) in (ListContents, Contents) and type(before.items) is tuple else (before,):
                if _has_identity(x):
                    self._ids.add(id(x))
                    if type(x) in (list, tuple):
                        self._ids.update(id(part) for part in x if _has_identity(part))

    def moved(self, place: Place, before: Any, after: Any) -> Moved | None:
        """What a place leaves, where it held or holds objects and all it leaves were there before the trace."""
        if type(place) is OrderPlace:
            return Moved(place, before, after, new=False)
        if type(place) is IteratorPlace:
            return Moved(place, _NONE, after, new=False)  # the next call takes other items
        if type(after) is Contents:
            known = type(after.items) is not tuple or all(map(self._was_there, after.items))
            return Moved(place, before, after, new=False) if known else None
        if type(after) is ListContents:
            held = *(before.items if type(before) is ListContents else ()), *after.items
            known = type(before) is ListContents and any(map(_has_identity, held)) and all(map(self._was_there, after.items))
            return Moved(place, before, after, new=False) if known else None
        new = type(after) in (list, tuple) and id(after) not in self._ids
        if new:
            known = any(map(_has_identity, after)) and all(map(self._was_there, after))
        else:
            known = type(after) in (list, dict) and self._was_there(after)
        return Moved(place, before, after, new) if known else None

    def _was_there(self, x: Any) -> bool:
        return is_plain(x) or id(x) in self._ids


def described(held: Any) -> Descriptor:
    """How what a place holds enters a graph."""
    if type(held) is Contents:
        parts = structure_of(held, instances=True)
        return Static(held) if parts is None else Struct(Contents, parts[0], tuple(map(describe, parts[1])))
    return describe(held)


def kept(before: Any, made: Any) -> Any:
    """The items that a call leaves in a list: those that are as they were stay who they were."""
    if type(before) is not ListContents or type(made) is not list:
        return made
    pairs = zip_longest(before.items[: len(made)], made, fillvalue=_NONE)
    return [old if old is not _NONE and _has_identity(old) and _alike(old, new) else new for old, new in pairs]


_NONE = object()


def _alike(old: Any, new: Any) -> bool:
    """Whether two structures hold the same numbers and arrays."""
    if old is new:
        return True
    if isinstance(new, Tensor):
        a, b = (x._value if isinstance(x, Tensor) else x for x in (old, new))
        return a is b or (is_plain(a) and is_plain(b) and bool(a == b))
    if type(old) is not type(new) or is_plain(old):
        return is_plain(old) and not differs(old, new)
    mine, theirs = (structure_of(x, instances=True) for x in (old, new))
    if mine is None or theirs is None:
        return False
    return mine[0] == theirs[0] and len(mine[1]) == len(theirs[1]) and all(map(_alike, mine[1], theirs[1]))


def _has_identity(x: Any) -> bool:
    return not (is_plain(x) or isinstance(x, Tensor) or type(x) is Splice or choice_of(x) is not None)


def _same(a: Any, b: Any) -> bool:
    return a is b or (is_plain(a) and not differs(a, b))
