"""Which objects were born in a region: those that would die if the region's records were dropped and its writes undone.

Nobody outside can see what happens to such an object, so its writes are no effects of the region. Lists, dictionaries,
instances and cells are made in too many ways to catch their making; but an object that existed before the region is
held by somebody who did, and that reference is seen in its reference count.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, CellType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from autograph.operators.places import CellPlace
from runtime.ir.build import Region
from runtime.ir.graph import Graph
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace

__all__ = ["Births", "births_of", "owner_of", "unheld"]

_LIMIT = 2000  # objects looked at to find a cycle that nobody holds
_WORLD = (type, ModuleType, CodeType, FrameType, BuiltinFunctionType)


def owner_of(place: Place) -> Any:
    """The object whose content a place is; None for places that are not part of an object (a global name)."""
    return place.cell if isinstance(place, CellPlace) else getattr(place, "owner", None)


class Births:
    """Instances made while tracing, and in which region: seen from outside it they are structures, not identities."""

    def __init__(self) -> None:
        self.objects: dict[int, tuple[Any, Graph]] = {}
        self.opened: set[int] = set()  # being described: who refers to itself is met again

    def add(self, x: Any, graph: Graph) -> None:
        """Note that `x` was made in the region of `graph`."""
        self.objects[id(x)] = x, graph

    def __contains__(self, x: Any) -> bool:
        return id(x) in self.objects

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


def births_of(trace: Trace) -> Births:
    """The instances born in a trace."""
    found = trace.notes.get("births")
    if found is None:
        found = trace.notes["births"] = Births()
    return found  # type: ignore[no-any-return]


def unheld(trace: Trace, owners: Iterable[Any], records: list[Any]) -> set[int]:
    """Ids of those of `owners` that only `records` (and the trace's own tables) hold, directly or through each other."""
    owners = {id(o): o for o in owners}
    if not owners:
        return set()
    count = _Counting()
    count.drop([owners, births_of(trace).objects, trace.notes.get("named_reads", ()), *records])
    rest = [key for key in owners if key not in count.dead]
    if rest:
        # a function that calls itself is a cycle: it may hold the cells of other names
        cells = [id(x) for x in count.objects if type(x) is CellType and id(x) not in count.dead]
        count.find_cycles(list(dict.fromkeys([*rest, *cells])))
    return {key for key in owners if key in count.dead}


class _Counting:
    """Simulates the freeing of objects, without freeing any."""

    def __init__(self) -> None:
        self.objects: list[Any] = []  # every object met: one reference each
        self.index: dict[int, int] = {}
        self.held: list[int] = []  # references to it that come from dropped objects
        self.dead: set[int] = set()

    def drop(self, containers: list[Any]) -> None:
        """Take the containers as gone, and with them what only they held."""
        pending = [i for container in containers for i in self._release(container)]
        while pending:
            i = pending.pop()
            key = id(self.objects[i])
            if key not in self.dead and sys.getrefcount(self.objects[i]) - _BASE <= self.held[i]:
                self.dead.add(key)
                pending += self._release(self.objects[i])

    def _release(self, gone: Any) -> list[int]:
        """Count the references that `gone` holds; returns the numbers of what it refers to."""
        touched = []
        for referent in gc.get_referents(gone):
            touched.append(self._number(referent))
            self.held[touched[-1]] += 1
        return touched

    def _number(self, x: Any) -> int:
        i = self.index.get(id(x))
        if i is None:
            i = self.index[id(x)] = len(self.objects)
            self.objects.append(x)
            self.held.append(0)
        return i

    def find_cycles(self, keys: list[int]) -> None:
        """Trial deletion: of all that `keys` reach, what is held by none but its like is dead."""
        pending = [self.index[k] for k in keys]
        members = dict.fromkeys(pending, 0)  # number -> references from members
        edges: dict[int, list[int]] = {}
        while pending:
            i = pending.pop()
            edges[i] = []
            if _is_world(self.objects[i]):
                continue
            for referent in gc.get_referents(self.objects[i]):
                if isinstance(referent, _WORLD) or (
                    type(self.objects[i]) is FunctionType and referent is self.objects[i].__globals__
                ):
                    continue
                j = self._number(referent)
                if id(referent) in self.dead:
                    continue
                edges[i].append(j)
                if j in members:
                    members[j] += 1
                else:
                    members[j] = 1
                    pending.append(j)
            if len(members) > _LIMIT:
                return
            referent = None
        alive = [i for i, inner in members.items() if sys.getrefcount(self.objects[i]) - _BASE > self.held[i] + inner]
        reached = set(alive)
        while alive:
            for j in edges[alive.pop()]:
                if j not in reached:
                    reached.add(j)
                    alive.append(j)
        self.dead.update(id(self.objects[i]) for i in members if i not in reached)


def _is_world(x: Any) -> bool:
    return isinstance(x, (*_WORLD, Tensor))


def _base() -> int:
    probe = [object()]
    i = 0
    return sys.getrefcount(probe[i])


_BASE = _base()
