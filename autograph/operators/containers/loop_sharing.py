"""Containers that a staged loop's names share: what a turn leaves as one list is two in the next, each made of its values.

No account is kept of which they are by then. Where a dictionary or object is changed that may be another one so, the
function is traced again, and the loop carries a flag for each two that may be one. For others, that is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from autograph.operators.containers.held import refuse_alternatives, refuse_parts_of_others
from autograph.operators.containers.lists import ListPlace, dynamic_of
from autograph.operators.containers.relations import Detached, ElementOf, SameIf, Shares
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.state.aliases import hints_of
from autograph.operators.state.births import owner_of, unheld
from autograph.operators.state.places import CellPlace
from autograph.operators.values.choice import Choice
from autograph.operators.values.descriptors import (
    Static,
    is_mutable,
    mutable_parts,
    own_alternatives,
    structure_of,
)
from autograph.operators.values.listvalue import ListContents
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace

__all__ = ["LoopSharing"]


class LoopSharing:
    """Which places of one loop share a container: by numbers of places, or (below 0) with one that it does not carry."""

    def __init__(self, origin: Any, slot: Callable[[str, Any], Any]) -> None:
        self.hint = ("same", origin)  # of which containers the loop with this body keeps account
        self.slot = slot  # makes a place of the loop's own
        self.flags: dict[tuple[int, int], tuple[Any, Any]] = {}  # (place, other or id) -> (what is not carried, its flag)
        self.passed: set[int] = set()  # ids of what a turn was given, where an earlier trace of the body found it shared
        self.pairs: dict[tuple[int, int], tuple[Any, bool | None]] = {}  # (place, other) -> (what is not carried, `_kind`)
        self.held: list[tuple[int, Any]] = []  # what is in the content of a place before the loop, and others hold
        self.asked: set[int] = set()  # places whose content was looked at for that
        self.known: list[tuple[int, Any, bool | None]] = []  # what a container may be, or be in, before it is exchanged

    def grow(self, trace: Trace, state: Any, regions: list[Any], finals: list[Any]) -> bool:
        """After a trace of the loop's regions, of which the body is the last: whether more is shared than was known."""
        types, body = state.types, regions[-1]
        count = len(self.pairs) + len(self.held)
        self._ask(trace, state, regions, finals)
        found = list(self.known)
        first: dict[int, int] = {}
        outside: dict[int, tuple[int, Any]] = {}
        inside = {id(part): i for i, p in enumerate(body.parameters) for part in mutable_parts(p)}
        own: dict[int, list[Any]] = {}
        for r in body.shared:
            own.setdefault(id(r.near), []).append(r)
        r = None
        same = _alike(body.shared)
        for i, (final, d) in enumerate(zip(finals, types, strict=True)):
            if isinstance(d, Static) and final is d.value:
                continue
            refuse_parts_of_others(trace, final)
            for part in mutable_parts(final):
                j = first.setdefault(id(part), i)
                if j != i:
                    self.pairs[i, j] = (None, True)
                for other in same.get(id(part), [part]):
                    for relation in own.get(id(other), ()):
                        # What it may be may be an element, too; what else that may be was noted at the turn's begin.
                        if type(relation) is ElementOf or (other is part and type(relation) is not SameIf):
                            self._by_relation(i, relation, finals, found)
                relation = None
                for other in same.get(id(part), ()):
                    if other is part:
                        continue
                    holder = _holder(other, finals)
                    if holder is not None:
                        if holder != i:
                            self.pairs[i, holder] = (None, True)
                    elif id(other) not in inside:
                        outside.setdefault(id(other), (i, other))
                    elif inside[id(other)] != i:
                        found.append((i, other, True))
                other = None
                if id(part) in own:
                    continue
                if id(part) not in inside:
                    outside[id(part)] = i, part
        if outside:
            candidates = [part for _, part in outside.values()]
            part = final = None
            records = [candidates, outside, finals, body.finals, body.places, [body.result], body.shared, own]
            records += {id(group): group for group in same.values()}.values()
            born = unheld(trace, candidates, records)
            for key, (i, part) in outside.items():
                if key not in born:
                    found.append((i, part, True))
        held = {(i, id(far)) for i, far in self.held}
        once = {(i, id(far), whole): (i, far, whole) for i, far, whole in found if (i, id(far)) not in held}
        for position, (i, far, whole) in enumerate(once.values()):
            self.pairs[i, -1 - position] = (far, whole)
        flagged = self.hint in hints_of(trace) and self._flag(trace, state, inside, finals)
        return flagged or len(self.pairs) + len(self.held) > count

    def _flag(self, trace: Trace, state: Any, inside: dict[int, int], finals: list[Any]) -> bool:
        """Carry a flag for each two that may be one, directly or by way of others; returns whether there are new ones."""
        groups: dict[Any, set[Any]] = {}
        outside: dict[int, Any] = {}

        def together(a: Any, b: Any) -> None:
            joined = groups.get(a, {a}) | groups.get(b, {b})
            groups.update(dict.fromkeys(joined, joined))

        for (i, j), (far, whole) in self.pairs.items():
            if whole and j >= 0:
                together(i, j)
            elif whole and id(far) in inside:
                self.passed.add(id(far))
                together(i, inside[id(far)])
            elif whole and id(far) not in self.passed:
                outside[id(far)] = far
                together(i, ("outside", id(far)))
        for i, far in self.held:
            outside[id(far)] = far
            together(i, ("outside", id(far)))
        for i, final in enumerate(finals):
            for part in _followed(final):
                if inside.get(id(part), i) != i:
                    together(i, inside[id(part)])
        count = len(self.flags)
        for group in {id(group): group for group in groups.values()}.values():
            places = sorted(member for member in group if isinstance(member, int))
            for i in places:
                for j in [j for j in places if j < i]:
                    self._carry(trace, state, i, j, None)
                for far in [far for key, far in outside.items() if ("outside", key) in group]:
                    self._carry(trace, state, i, id(far), far)
        return len(self.flags) > count

    def _carry(self, trace: Trace, state: Any, i: int, j: int, far: Any) -> None:
        other = state.entries[j] if far is None else far
        if (i, j) not in self.flags and (far is None or _followed(far)) and len(self.flags) < _MOST:
            flag = self.slot("same", same_truth(trace, state.entries[i], other))
            self.flags[i, j] = far, flag
            state.add(flag)

    def write_flags(self, trace: Trace, places: list[Place]) -> None:
        """At a body's end: the flags as the places are now."""
        now = [place.read() for place in places]
        items = self.flags.items()
        new = [same_truth(trace, now[i], now[j] if far is None else far) for (i, j), (far, _) in items]
        for (_, flag), truth in zip(self.flags.values(), new, strict=True):
            flag.write(truth)

    def _ask(self, trace: Trace, state: Any, regions: list[Any], finals: list[Any]) -> None:
        """Find what a list or tuple holds before the loop, and others hold, too: each turn makes the content anew. Of a
        container that a turn exchanges for another one, that is the container itself."""
        entries, places = state.entries, state.places
        kept = [isinstance(d, Static) and final is d.value for d, final in zip(state.types, finals, strict=True)]
        new = [i for i in range(len(entries)) if i not in self.asked and not (is_mutable(entries[i]) and kept[i])]
        self.asked.update(new)
        numbers = [i for i in new for _ in mutable_parts(entries[i])]
        if not numbers:
            return
        parts = [part for i in new for part in mutable_parts(entries[i])]
        exchanged = [i for i in new if is_mutable(entries[i])]
        self._link_entries(entries, exchanged)
        self._relate_entries(trace, entries, exchanged)
        own = [places[i] for i in new if isinstance(places[i], (CellPlace, ListPlace))]
        owners = [owner_of(place) for place in own if id(owner_of(place)) not in set(map(id, parts))]
        noted = [entry for table in trace.journal for entry in list(table.values())]
        known = {id(x): x for r in regions for x in r.places.values()}
        known |= {id(x): x for x in [*places, *(place for place, _ in noted)]}
        originals = [original for _, original in noted]
        contents = {id(x): x.items for x in [*entries, *originals] if type(x) is ListContents}
        # What is held by a table, or by the attribute or item that is carried, is so once more than by the list of it here.
        twice = [x for x in originals if is_mutable(x)] if exchanged else []
        twice += [entries[i] for i in exchanged if not isinstance(places[i], CellPlace) and places[i].read() is entries[i]]
        originals.clear()
        noted.clear()
        # What is kept in a list of this function is counted once, even where it dies with what else holds it.
        records = [parts, entries, *owners, *known.values(), *contents.values(), self.pairs, twice, twice]
        for r in regions:
            records += [r.finals, [r.result], r.shared, r.parameters]
        born = unheld(trace, parts, [*records, finals, *([state.types] if exchanged else [])])
        self.held += [(i, part) for i, part in zip(numbers, parts, strict=True) if id(part) not in born]

    def _link_entries(self, entries: list[Any], exchanged: list[int]) -> None:
        """Containers that two places hold before the loop, and that it exchanges in one of them."""
        holding: dict[int, list[int]] = {}
        for j, entry in enumerate(entries):
            for part in mutable_parts(entry):
                holding.setdefault(id(part), []).append(j)
        for i in exchanged:
            for part in mutable_parts(entries[i]):
                self.pairs.update({(i, j): (None, True) for j in holding[id(part)] if j != i})

    def _relate_entries(self, trace: Trace, entries: list[Any], exchanged: list[int]) -> None:
        """Containers that may be others before the loop, or are elements of lists, and that it exchanges: the turns know
        them as new ones."""
        if "sharing" not in trace.notes or not exchanged:
            return
        sharing = sharing_of(trace)
        sharing.forget_dead()
        same = _alike(sharing.relations)
        for i in exchanged:
            for part in mutable_parts(entries[i]):
                alike = same.get(id(part), [part])
                self.known += [(i, other, True) for other in alike if other is not part]
                for r in sharing.relations:
                    if type(r) is not SameIf and any(r.near is x for x in alike):
                        self.known.append((i, r.far, _kind(r)))

    def _by_relation(self, i: int, relation: Any, finals: list[Any], found: list[Any]) -> None:
        far = relation.far
        j = _holder(far, finals)
        if j is None or not is_mutable(far):
            found.append((i, far, _kind(relation)))
        elif j != i:
            self.pairs[i, j] = (None, _kind(relation))

    def note(self, trace: Trace, places: list[Place], values: list[Any]) -> None:
        """The places hold `values` now: a turn's parameters, or what the loop leaves."""
        for (i, j), (far, whole) in self.pairs.items():
            refuse_alternatives(trace, values[i], None if j < 0 else values[j], noted=True)
            for a in _objects(places[i], values[i]):
                for b in _objects(places[j], values[j]) if far is None else [far]:
                    if a is not b and is_mutable(b) and not (whole and self._is_flagged(i, j, values, far)):
                        made = Shares(trace, a, b) if whole is None else Detached(trace, a, b, whole, self._hint(values[i]))
                        sharing_of(trace).add(made)
        for i, far in self.held:
            for part in _objects(places[i], values[i]):
                alike = part is not far and (type(part) is type(far) or is_mutable(values[i]))
                if alike and not self._is_flagged(i, -1, values, far):
                    sharing_of(trace).add(Detached(trace, part, far, hint=self._hint(values[i])))
        for (i, j), (far, flag) in self.flags.items():
            truth = flag.read()
            for a in _followed(values[i]) if truth is not False else ():
                for b in _followed(values[j]) if far is None else [far]:
                    if a is not b and _are_alike(a, b):
                        test = truth if isinstance(truth, Tensor) else Tensor(trace.constant(truth))
                        sharing_of(trace).add(SameIf(trace, a, b, test))

    def _hint(self, value: Any) -> Any:
        """What makes the loop keep account of what a place holds."""
        return self.hint if _followed(value) else None

    def _is_flagged(self, i: int, j: int, values: list[Any], far: Any) -> bool:
        """Whether account is kept of when two are one: it is of all that are in one group."""
        if not _followed(values[i]) or not _followed(values[j] if far is None else far):
            return False
        if far is None:
            return (max(i, j), min(i, j)) in self.flags
        return (i, id(far)) in self.flags or (self.flags != {} and id(far) in self.passed)


_MOST = 8  # flags of one loop: of more, no account is kept


def _followed(x: Any) -> list[Any]:
    """The dictionaries and objects of which account can be kept in the value of one place: such as hold none themselves,
    so that none is a part of another one."""
    found = [part for part in (own_alternatives(x) if type(x) is Choice else [x]) if is_mutable(part)]
    flat = all(type(part) is not list and all(p is part for p in mutable_parts(part)) for part in found)
    return found if flat else []


def _are_alike(a: Any, b: Any) -> bool:
    """Whether two may be one object: what is set on some paths only makes others of them."""
    one, other = structure_of(a, instances=True), structure_of(b, instances=True)
    return type(a) is type(b) and one is not None and other is not None and one[0] == other[0]


def same_truth(trace: Trace, a: Any, b: Any) -> Any:
    """Whether the values of two places are one object: True, False or a staged truth."""
    truths: list[Any] = []
    for x, here in _taken(a):
        for y, there in _taken(b):
            truth = sharing_of(trace).same(x, y)
            for test in (here, there):
                truth = test if truth is True else truth if test is True or truth is False else op.logical_and(truth, test)
            truths.append(truth)
    truths = [truth for truth in truths if truth is not False]
    return True if any(truth is True for truth in truths) else reduce(op.logical_or, truths) if truths else False


def _taken(x: Any) -> list[tuple[Any, Any]]:
    """The objects that a value may be, each with the truth that it is that one."""
    if type(x) is not Choice:
        return [(part, True) for part in _followed(x)]
    found = _followed(x)
    return [(a, op.equal(x._tag, k)) for k, a in enumerate(x._alternatives) if any(a is part for part in found)]


def _holder(x: Any, finals: list[Any]) -> int | None:
    """Number of the place that holds an object, or a structure that it is in."""
    return next((j for j, final in enumerate(finals) if any(part is x for part in mutable_parts(final))), None)


def _alike(relations: list[Any]) -> dict[int, list[Any]]:
    """By id of an object: the others that may be the same one, by whatever way."""
    found: dict[int, list[Any]] = {}
    for r in relations:
        if type(r) is SameIf:
            group = found.get(id(r.near), [r.near])
            more = found.get(id(r.far), [r.far])
            if group is not more:
                group += more
                found.update({id(x): group for x in group})
    return found


def _objects(place: Place, x: Any) -> list[Any]:
    """What can be changed: an object, or what is in the content of one. (Where a content becomes staged, it is noted.)"""
    if isinstance(place, ListPlace):
        return [] if dynamic_of(x) is not None else [part for e in x for part in mutable_parts(e)]
    return [x] if is_mutable(x) else list(mutable_parts(x))


def _kind(relation: Any) -> bool | None:
    """Whether a relation is of all of its far object; None where it is of their elements."""
    return None if type(relation) is Shares else relation.watches_far()
