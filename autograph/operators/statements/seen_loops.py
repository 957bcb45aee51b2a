"""What a trace knows of a loop from the times that it was traced before.

A loop inside another is traced again with each attempt at the outer one. What was found out about its form then would
cost an attempt each time, and so one inside that another two: a loop is known again by the lines of the user's that lead
to it, all calls around it among them.
"""

from __future__ import annotations

import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Any, TypeAlias

from autograph.operators.containers.lists import ListPlace
from autograph.operators.state.places import UNBOUND, ItemPlace
from autograph.operators.values.descriptors import Joiner, canonical
from autograph.operators.values.forms import Descriptor, Leaf, OneOf, Sequence, Static, Struct, Undefined
from runtime.ir.build import internal_folders
from runtime.tensor.trace import Place, Trace

__all__ = ["Learned", "Seen", "is_plain", "learned_before", "seen_before"]

_Way: TypeAlias = tuple[tuple[CodeType, int], ...]


class Seen:
    """What is known of a loop."""

    __slots__ = ("by_tensor",)

    def __init__(self) -> None:
        self.by_tensor = False  # whether a tensor decides about its `break`


def seen_before(trace: Trace) -> Seen:
    """What is known of the loop that is being staged."""
    known: dict[_Way, Seen] = trace.notes.setdefault("loops seen", {})
    return known.setdefault(_way(), Seen())


def _way() -> _Way:
    """The places in the user's code that are being run."""
    found = []
    folders = tuple(internal_folders)
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(folders):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


class Learned:
    """What attempts at a loop have found that the next one begins with: which places it carries, and as what.

    What a loop carries only becomes more, and wider, from one attempt at the loop around it to the next. So what it came
    to in one is where it begins in the next, which then is its only one: else each loop around would double the attempts.
    """

    __slots__ = ("around", "carried", "inner", "met", "names", "types")

    def __init__(self) -> None:
        self.inner: dict[Any, Learned] = {}  # of the loops in its body
        self.met: Counter[Any] = Counter()  # how many of them this attempt has come to, by their places in the code
        self.carried: dict[Any, Place] = {}  # by key, while its body is traced
        self.around: Learned | None = None
        self.names: list[tuple[Descriptor, Descriptor] | None] = []  # of its names: the type at entry, and at last
        self.types: dict[Any, tuple[Descriptor, Descriptor] | None] = {}  # of other places, by their keys `_by_names`

    def open(self, trace: Trace, places: list[Place]) -> Learned | None:
        """Begin with a region of the loop; returns what `close` needs."""
        before: Learned | None = trace.notes.get("learned")
        self.met.clear()
        self.around, self.carried = before, {place.key: place for place in places}
        trace.notes["learned"] = self
        return before

    def close(self, trace: Trace, before: Learned | None) -> None:
        """Leave the region. No place is kept: it would keep what it is a place of."""
        self.carried, self.around = {}, None
        trace.notes["learned"] = before

    def keep(self, state: Any) -> None:
        """Remember what a loop has come to."""
        count = len(state.cells)
        pairs = zip(state.first, state.types, strict=True)
        found = [pair if all(map(is_plain, pair)) else None for pair in pairs]
        self.names = found[:count]
        known_as = {id(owner): way for way, owner in _owners(state).items()}
        others = zip(state.places[count:], found[count:], strict=True)
        self.types = {_by_names(p.key, known_as): pair for p, pair in others if p.key[0] != "slot"}

    def place(self, key: Any) -> Place | None:
        """The place of that key which a loop around carries."""
        level: Learned | None = self
        while level is not None:
            if key in level.carried:
                return level.carried[key]
            level = level.around
        return None


def learned_before(trace: Trace, state: Any) -> None:
    """Let a loop that is being staged begin with what attempts before have found."""
    around: Learned | None = trace.notes.get("learned")
    if around is None or "tables" in trace.notes:
        return
    names = tuple(getattr(place, "name", None) for place in state.cells)
    at = _way(), state.loosened, names
    around.met[at] += 1
    learned = state.learned = around.inner.setdefault((*at, around.met[at]), state.learned)
    pairs = list(learned.names or [None] * len(state.cells))
    owners = _owners(state) if learned.types and "heap" not in trace.notes else {}
    carried = {place.key for place in state.places}
    for key, pair in learned.types.items():
        place = _place_of(trace, key, owners) or around.place(key)
        if place is not None and place.key not in carried:
            state.add(place)
            carried.add(place.key)
            pairs.append(pair)
    joiner = Joiner()
    for i, (pair, now) in enumerate(zip(pairs, state.types, strict=True)):
        if pair is not None and is_plain(now) and canonical([joiner(pair[0], now)]) == canonical([now]):
            state.types[i] = joiner(now, pair[1])


def _owners(state: Any) -> dict[tuple[Any, ...], Any]:
    """The lists and dictionaries that the body of a loop reads by names, and those in such dictionaries, by what leads to
    them: they may be other ones each time."""
    code, cells = getattr(state.body, "__code__", None), getattr(state.body, "__closure__", None)
    found: dict[tuple[Any, ...], Any] = {}
    for name, cell in zip(code.co_freevars, cells, strict=True) if code is not None and cells else ():
        try:
            held = cell.cell_contents
        except ValueError:
            continue
        if type(held) in (list, dict):
            found[name,] = held
        for part in list(held)[:_FEW] if type(held) is dict else ():
            if type(held[part]) in (list, dict):
                found[name, part] = held[part]
    return found


_FEW = 16  # items of a dictionary that are looked at


def _by_names(key: Any, known_as: dict[int, tuple[Any, ...]]) -> Any:
    """The key of a place, its owner's id replaced by the names that lead to it."""
    if key[0] not in ("list", "item") or key[1] not in known_as:
        return key
    return (key[0], known_as[key[1]], *key[2:])


def _place_of(trace: Trace, key: Any, owners: dict[tuple[Any, ...], Any]) -> Place | None:
    """The place of what a key leads to by names."""
    if key[0] not in ("list", "item") or key[1] not in owners:
        return None
    kind, way, *rest = key
    owner = owners[way]
    if kind == "list":
        return ListPlace(trace, owner) if type(owner) is list else None
    return ItemPlace(owner, *rest) if type(owner) is dict and kind == "item" else None


def is_plain(d: Descriptor | None) -> bool:
    """Whether a type says nothing of objects, and of no size that only the run knows: these are other ones each time."""
    if isinstance(d, Leaf):
        return d.type.shape is not None and all(type(n) is int for n in d.type.shape)
    if isinstance(d, Static):
        return d.value is None or d.value is UNBOUND or type(d.value) in (bool, int, float, str)
    if isinstance(d, Sequence):
        return d.element is None or is_plain(d.element)
    if isinstance(d, Struct):
        return d.kind in (tuple, list) and all(map(is_plain, d.children))
    if isinstance(d, OneOf):
        return all(map(is_plain, d.alternatives))
    return isinstance(d, Undefined)
