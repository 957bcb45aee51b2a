"""Which objects were born in a region: those that would die if the region's records were dropped and its writes undone.

Nobody outside can see what happens to such an object, so its writes are no effects of the region. Lists, dictionaries,
instances and cells are made in too many ways to catch their making; but an object that existed before the region is
held by somebody who did, and that reference is seen in its reference count.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from sys import getrefcount
from types import BuiltinFunctionType, CellType, CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from autograph.operators.state import places
from autograph.operators.state.aliases import count_note
from autograph.operators.state.debuggers import is_debugged, untraced
from autograph.operators.state.places import ROOM, CellPlace, Loose
from autograph.operators.state.plain import NUMBERS
from runtime.ir.build import Region
from runtime.ir.graph import Graph, Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Journal, Place, Trace, current

__all__ = ["Births", "births_of", "forget_dead", "has_frozen", "note_birth", "owner_of", "unheld"]

_ROUNDS = 8

_ATOMS = NUMBERS | {float, type}  # they hold nothing, and nobody asks for them
_LIMIT = 20_000  # objects looked at to find a cycle that nobody holds
_USUAL = frozenset((dict, list, tuple, set, partial, CellType, MethodType))  # what is held by most, and no part of the world
_WORLD = (type, ModuleType, CodeType, BuiltinFunctionType)


def owner_of(place: Place) -> Any:
    """The object that a place holds, and whose content it is; None for places that hold none (a global name)."""
    if type(place) is CellPlace:
        return place.cell
    return None if isinstance(place, Loose) else getattr(place, "owner", None)


class _Reference(weakref.ref[Any]):
    """A weak reference that knows the id of what it referred to."""

    __slots__ = ("key",)
    key: int


class Births:
    """Instances made while tracing, and in which region: seen from outside it they are structures, not identities.

    They die as they would without a trace, if their classes allow weak references; others live here until `forget_dead`.
    Of those made while the trace relies on it that it meets no tensor only the ids are kept, in `early`: all are made in
    one region, so that what gets the id of one that died was made there, too.
    """

    def __init__(self, journal: Journal) -> None:
        self.objects: dict[int, tuple[Any, Graph]] = {}  # by id: the object or a reference to it
        self.early: set[int] = set()
        self.tried = 0  # trials under way that are to find all that they change
        self.opened: set[int] = set()  # being described: who refers to itself is met again
        self.journal = journal
        self.gone = _forgetting(self.objects, journal)

    def __del__(self) -> None:
        self.objects.clear()  # references in it refer to it

    def add(self, x: Any, graph: Graph) -> None:
        """Note that `x` was made in the region of `graph`."""
        kept = x
        if type(x).__weakrefoffset__:
            kept = _Reference(x, self.gone)
            kept.key = id(x)
        self.objects[id(x)] = kept, graph

    def holds(self, x: Any) -> bool:
        """Whether `x` lives as long as it is not forgotten here."""
        return id(x) in self.objects and self.objects[id(x)][0] is x

    def held(self) -> list[Any]:
        """All of which that is so."""
        return [x for x, _ in self.objects.copy().values() if type(x) is not _Reference]

    def __contains__(self, x: Any) -> bool:
        return id(x) in self.objects or id(x) in self.early

    def here(self, x: Any, trace: Trace) -> bool:
        """Whether `x` was made in the open region: nobody else sees what is written to it."""
        known = self.objects.get(id(x))
        if known is None:
            return id(x) in self.early and trace.builder.region.parent is None and not self.tried
        return known[1] is trace.builder.region.graph and not self.tried

    def before(self, x: Any, region: Region) -> bool:
        """Whether `x` was made in a region around this one."""
        known = self.objects.get(id(x))
        outer = region.parent
        if known is None:
            return id(x) in self.early and outer is not None
        while known is not None and outer is not None:
            if outer.graph is known[1]:
                return True
            outer = outer.parent
        return False

    def left(self, x: Any, trace: Trace) -> bool:
        """Whether `x` was made in a region that is closed by now."""
        known = self.objects.get(id(x))
        if known is None:
            return False
        region: Region | None = trace.builder.region
        while region is not None:
            if region.graph is known[1]:
                return bool(trace.notes.get("closing"))
            region = region.parent
        return True


def _forgetting(objects: dict[int, tuple[Any, Graph]], journal: Journal) -> Callable[[_Reference], None]:
    """What forgets an object that was born in a trace when it dies: its id may come again."""

    def gone(reference: _Reference) -> None:
        key = reference.key
        objects.pop(key, None)
        journal.born.discard(key)
        if len(journal) > 1:
            journal.died(key)

    return gone


def births_of(trace: Trace) -> Births:
    """The instances born in a trace."""
    found = trace.notes.get("births")
    if found is None:
        found = trace.notes["births"] = Births(trace.journal)
    return found  # type: ignore[no-any-return]


def note_birth(trace: Trace, made: Any) -> None:
    """Note that an object was made in the open region."""
    notes = trace.notes
    births = notes.get("births") or births_of(trace)
    objects = births.objects
    kept = made
    if type(made).__weakrefoffset__:
        kept = _Reference(made, births.gone)
        kept.key = id(made)
    objects[id(made)] = kept, trace.builder.region.graph
    count_note(trace)
    if len(objects) > ROOM and len(objects) > notes.get("room", ROOM):
        forget_dead(trace, small=True)
    if "classes" in notes and "lists" not in notes:  # its properties are converted where they are
        trace.journal.born.add(id(made))


_IMMORTAL = 4096  # Python 3.12 puts its immortal objects, some hundreds, with what is frozen


def has_frozen() -> bool:
    """Whether the collector passes over objects, because a program has frozen all that there were."""
    return gc.get_freeze_count() > _IMMORTAL


def _before_collection(phase: str, info: dict[str, int]) -> None:
    """What only notes keep alive goes when Python collects garbage, as it would without a trace."""
    if phase == "start" and info["generation"] == 2 and (trace := current()) is not None:
        forget_dead(trace)


gc.callbacks.append(_before_collection)


def forget_dead(trace: Trace, small: bool = False) -> None:
    """Drop what is noted of objects that nobody but the notes holds: nobody can see what was written to them.

    If it is enough that few notes are left (`small`), those that are held by several notes may stay.
    """
    births = births_of(trace)
    objects = births.objects
    if "sharing" in trace.notes:
        trace.notes["sharing"].forget_dead()
    _forget_single(trace, objects)
    if small and 2 * (sum(map(len, trace.journal)) + len(objects)) < trace.notes.get("room", ROOM):
        return
    for _ in range(_ROUNDS):  # what dies may have held another
        owners = births.held()
        ours: dict[int, int] = {id(x): 1 for x in owners}
        noted: list[tuple[dict[Any, Any], Any, int]] = []
        for table in trace.journal:
            for name, (place, _) in table.copy().items():
                owner = owner_of(place)
                if owner is not None:
                    key = id(owner)
                    noted.append((table, name, key))
                    if key not in ours:
                        owners.append(owner)
                        ours[key] = 0
                    ours[key] += 1
        owner = place = None  # type: ignore[assignment]
        dead = {id(owners[i]) for i in range(len(owners)) if getrefcount(owners[i]) - _BASE <= ours[id(owners[i])]}
        if not dead:
            break
        owners.clear()
        for table, name, key in noted:
            if key in dead:
                table.pop(name, None)
        for key in dead:
            objects.pop(key, None)
        trace.journal.forget()
    trace.notes["room"] = 2 * sum(map(len, trace.journal)) + 2 * len(objects) + ROOM


def _forget_single(trace: Trace, objects: dict[int, tuple[Any, Graph]]) -> None:
    """Drop what is noted of objects that a single note holds, and nobody else."""
    trace.journal.forget()  # before anything dies: the next may get its id
    for _ in range(_ROUNDS):
        found = [
            key for key, (x, _) in objects.copy().items() if type(x) is not _Reference and getrefcount(x) == _SINGLE + 1
        ]
        for key in found:
            objects.pop(key, None)
        dropped = len(found)
        for table in trace.journal:
            for name in [*table]:  # what goes may have held the next, which then goes, too
                place = table.get(name, _NONE)[0]
                if not isinstance(place, Loose) and getrefcount(getattr(place, "owner", None)) == _SINGLE:
                    table.pop(name, None)
                    dropped += 1
            place = None
        if not dropped:
            break


_NONE = (None,)
_SINGLE = 2  # references to what one place holds, counted there

places.overfull_hook = partial(forget_dead, small=True)


def unheld(trace: Trace, owners: Iterable[Any], records: list[Any]) -> set[int]:
    """Ids of those of `owners` that only `records` (and the trace's own tables) hold, directly or through each other."""
    owners = {id(o): o for o in owners}
    if not owners:
        return set()
    if is_debugged(trace):
        return untraced(partial(_unheld, trace, owners, records))
    return _unheld(trace, owners, records)


def _unheld(trace: Trace, owners: dict[int, Any], records: list[Any]) -> set[int]:
    count = _Counting(any(type(x) is dict for x in owners.values()))
    sharing = trace.notes.get("sharing")
    shared = () if sharing is None else sharing.relations
    heap = trace.notes["heap"].known if "heap" in trace.notes else ()
    gone = trace.notes.get("spent", ()), trace.notes.get("gone", ()), *trace.notes.get("advanced", ())
    known = births_of(trace).objects, trace.notes.get("named_reads", ()), trace.closures, shared, heap, *gone
    count.drop([owners, *known, *trace.notes.get("kept", ()), *records])
    rest = [key for key in owners if key not in count.dead]
    if rest and "debugged" in trace.notes:
        count.drop_frames()
        rest = [key for key in owners if key not in count.dead]
    if rest:
        # a function that calls itself is a cycle: it may hold the cells of other names
        cells = [id(x) for x in count.objects if type(x) is CellType and id(x) not in count.dead]
        # and so may what was born here: what it held is taken back by now
        born = [key for key in list(births_of(trace).objects) if key not in count.dead and key in count.index]
        count.find_cycles(list(dict.fromkeys([*rest, *cells, *born])))
    return {key for key in owners if key in count.dead}


class _Counting:
    """Simulates the freeing of objects, without freeing any."""

    def __init__(self, of_dictionaries: bool) -> None:
        self.referents = _referents if of_dictionaries and _HIDDEN else gc.get_referents
        self.objects: list[Any] = []  # every object met: one reference each
        self.index: dict[int, int] = {}
        self.held: list[int] = []  # references to it that come from dropped objects
        self.dead: set[int] = set()

    def drop(self, containers: list[Any]) -> None:
        """Take the containers as gone, and with them what only they held."""
        pending: list[int] = []
        for container in containers:
            self._release(container, pending)
        container = None
        objects, held, dead, release = self.objects, self.held, self.dead, self._release
        while pending:
            i = pending.pop()
            if getrefcount(objects[i]) - _BASE <= held[i] and id(objects[i]) not in dead:
                dead.add(id(objects[i]))
                release(objects[i], pending)

    def drop_frames(self) -> None:
        """Take frames whose functions have returned as gone: a debugger keeps those that it has looked at."""
        # Of a frame that still runs nothing is counted: the collector does not see what it refers to.
        frames = [x for x in gc.get_objects() if type(x) is FrameType]
        self.dead.update(map(id, frames))
        self.drop(frames)

    def _release(self, gone: Any, pending: list[int]) -> None:
        """Count the references that `gone` holds; adds the numbers of what it refers to."""
        index, held, objects = self.index, self.held, self.objects
        for referent in self.referents(gone):
            if type(referent) in _ATOMS:
                continue
            i = index.get(id(referent))
            if i is None:
                i = index[id(referent)] = len(objects)
                objects.append(referent)
                held.append(1)
            else:
                held[i] += 1
            pending.append(i)

    def find_cycles(self, keys: list[int]) -> None:
        """Trial deletion: of all that `keys` reach, what is held by none but its like is dead."""
        index, held, objects, dead = self.index, self.held, self.objects, self.dead
        pending = [index[k] for k in keys if k in index]  # classes are not counted
        members = dict.fromkeys(pending, 0)  # number -> references from members
        while pending:
            for referent in _held_by(objects[pending.pop()], self.referents):
                kind, key = type(referent), id(referent)
                if kind in _ATOMS or key in dead or (kind not in _USUAL and issubclass(kind, _WORLD)):
                    continue
                j = index.get(key)
                if j is None:
                    j = index[key] = len(objects)
                    objects.append(referent)
                    held.append(0)
                if j in members:
                    members[j] += 1
                else:
                    members[j] = 1
                    pending.append(j)
            referent = kind = None  # type: ignore[assignment]
            if len(members) > _LIMIT:
                return
        alive = [i for i, inner in members.items() if getrefcount(objects[i]) - _BASE > held[i] + inner]
        reached = set(alive)
        while alive:
            for referent in _held_by(objects[alive.pop()], self.referents):
                j = index.get(id(referent))
                if j in members and j not in reached and not issubclass(type(referent), _WORLD):
                    reached.add(j)
                    alive.append(j)
        dead.update(id(objects[i]) for i in members if i not in reached)


def _held_by(x: Any, referents: Callable[[Any], list[Any]]) -> list[Any]:
    """What an object holds, as far as it may be part of a cycle."""
    kind = type(x)
    if kind is FunctionType:
        return [y for y in gc.get_referents(x) if y is not x.__globals__]
    if kind not in _USUAL and _is_world(x):
        return []
    return referents(x)


_HIDDEN = sys.version_info >= (3, 13)
"""Whether the collector passes over dictionaries of instances, and sees what is in them with the instances."""
_INLINE_VALUES = 1 << 2


def _referents(x: Any) -> list[Any]:
    """What an object holds: of an instance its dictionary, too, whose items the collector takes for the instance's."""
    found = gc.get_referents(x)
    if not type(x).__flags__ & _INLINE_VALUES:
        return found
    own = object.__getattribute__(x, "__dict__")
    return found if any(r is own for r in found) else [*found, own]


def _is_world(x: Any) -> bool:
    return isinstance(x, (*_WORLD, Tensor, Value))  # a value leads to all nodes, which hold nothing of the user's


def _base() -> int:
    probe = [object()]
    i = 0
    return getrefcount(probe[i])


_BASE = _base()
