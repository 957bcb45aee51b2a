"""Containers that a staged loop's names share: what a turn leaves as one list is two in the next, each made of its values.

No account is kept of which they are by then: a change of one while the other is there is refused.
"""

from __future__ import annotations

from typing import Any

from autograph.operators.containers.held import refuse_alternatives, refuse_parts_of_others
from autograph.operators.containers.lists import ListPlace, dynamic_of
from autograph.operators.containers.relations import Detached, Shares
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.state.births import owner_of, unheld
from autograph.operators.state.places import CellPlace
from autograph.operators.values.descriptors import Static, is_mutable, mutable_parts
from autograph.operators.values.listvalue import ListContents
from runtime.tensor.trace import Place, Trace

__all__ = ["LoopSharing"]


class LoopSharing:
    """Which places of one loop share a container: by numbers of places, or (below 0) with one that it does not carry."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[int, int], tuple[Any, bool | None]] = {}  # (place, other) -> (what is not carried, `_kind`)
        self.held: list[tuple[int, Any]] = []  # what is in the content of a place before the loop, and others hold
        self.asked = 0  # places whose content was looked at for that

    def grow(self, trace: Trace, state: Any, body: Any, finals: list[Any]) -> bool:
        """After a trace of the body: whether more is shared than was known."""
        types = state.types
        known = len(self.pairs) + len(self.held)
        self._ask(trace, state, body, finals)
        found: list[tuple[int, Any, bool | None]] = []
        first: dict[int, int] = {}
        outside: dict[int, tuple[int, Any]] = {}
        inside = {id(part) for p in body.parameters for part in mutable_parts(p)}
        own: dict[int, list[Any]] = {}
        for r in body.shared:
            own.setdefault(id(r.near), []).append(r)
        r = None
        for i, (final, d) in enumerate(zip(finals, types, strict=True)):
            if isinstance(d, Static) and final is d.value:
                continue
            refuse_parts_of_others(trace, final)
            for part in mutable_parts(final):
                j = first.setdefault(id(part), i)
                if j != i:
                    self.pairs[i, j] = (None, True)
                for relation in own.get(id(part), ()):
                    self._by_relation(i, relation, finals, found)
                relation = None
                if id(part) in own:
                    continue
                if id(part) not in inside:
                    outside[id(part)] = i, part
        if outside:
            candidates = [part for _, part in outside.values()]
            part = final = None
            records = [candidates, outside, finals, body.finals, body.places, [body.result], body.shared, own]
            born = unheld(trace, candidates, records)
            for key, (i, part) in outside.items():
                if key not in born:
                    found.append((i, part, True))
        held = {(i, id(far)) for i, far in self.held}
        once = {(i, id(far), whole): (i, far, whole) for i, far, whole in found if (i, id(far)) not in held}
        for position, (i, far, whole) in enumerate(once.values()):
            self.pairs[i, -1 - position] = (far, whole)
        return len(self.pairs) + len(self.held) > known

    def _ask(self, trace: Trace, state: Any, body: Any, finals: list[Any]) -> None:
        """Find what a list or tuple holds before the loop, and others hold, too: each turn makes the content anew."""
        unasked, self.asked = range(self.asked, len(state.entries)), len(state.entries)
        new = [i for i in unasked if not is_mutable(state.entries[i])]
        numbers = [i for i in new for _ in mutable_parts(state.entries[i])]
        if not numbers:
            return
        parts = [part for i in new for part in mutable_parts(state.entries[i])]
        own = [state.places[i] for i in new if isinstance(state.places[i], (CellPlace, ListPlace))]
        owners = [owner_of(place) for place in own if id(owner_of(place)) not in set(map(id, parts))]
        noted = [entry for table in trace.journal for entry in list(table.values())]
        places = {id(x): x for x in [*state.places, *body.places.values(), *(place for place, _ in noted)]}
        originals = [original for _, original in noted]
        contents = {id(x): x.items for x in [*state.entries, *originals] if type(x) is ListContents}
        originals.clear()
        noted.clear()
        # What is kept in a list of this function is counted once, even where it dies with what else holds it.
        records = [parts, state.entries, *owners, *places.values(), *contents.values(), self.pairs]
        born = unheld(trace, parts, [*records, finals, body.finals, [body.result], body.shared])
        self.held += [(i, part) for i, part in zip(numbers, parts, strict=True) if id(part) not in born]

    def _by_relation(self, i: int, relation: Any, finals: list[Any], found: list[Any]) -> None:
        far = relation.far
        j = next((j for j, final in enumerate(finals) if any(part is far for part in mutable_parts(final))), None)
        if j is None or not is_mutable(far):
            found.append((i, far, _kind(relation)))
        elif j != i:
            self.pairs[i, j] = (None, _kind(relation))

    def note(self, trace: Trace, places: list[Place], values: list[Any]) -> None:
        """The places hold `values` now: a turn's parameters, or what the loop leaves."""
        for (i, j), (far, whole) in self.pairs.items():
            refuse_alternatives(trace, values[i], None if j < 0 else values[j])
            for a in _objects(places[i], values[i]):
                for b in _objects(places[j], values[j]) if far is None else [far]:
                    if a is not b and is_mutable(b):
                        made = Shares(trace, a, b) if whole is None else Detached(trace, a, b, whole)
                        sharing_of(trace).add(made)
        for i, far in self.held:
            for part in _objects(places[i], values[i]):
                if part is not far and type(part) is type(far):
                    sharing_of(trace).add(Detached(trace, part, far))


def _objects(place: Place, x: Any) -> list[Any]:
    """What can be changed: an object, or what is in the content of one. (Where a content becomes staged, it is noted.)"""
    if isinstance(place, ListPlace):
        return [] if dynamic_of(x) is not None else [part for e in x for part in mutable_parts(e)]
    return [x] if is_mutable(x) else list(mutable_parts(x))


def _kind(relation: Any) -> bool | None:
    """Whether a relation is of all of its far object; None where it is of their elements."""
    return None if type(relation) is Shares else relation.watches_far()
