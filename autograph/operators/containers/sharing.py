"""Containers that stand for others: `row = rows[i]` of a list that only the run knows, `d = a if c else b`.

    row = rows[i]; row.append(v)    ->    rows = list_set(rows, i, list_append(list_get(rows, i), v))

What is known only at run time is taken out of graph values, so what Python would call the same list is another object
here. Each such object is noted together with the one it stands for; after every change the others are brought up to
date. Where only the run could tell what else has changed, the change is refused.
"""

from __future__ import annotations

from typing import Any

from autograph.operators.containers.held import changeable_parts, overwrite, unseen_but
from autograph.operators.containers.relations import (
    Detached,
    ElementOf,
    Relation,
    SameIf,
    Shares,
    differ,
    put_elsewhere,
)
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.state.nesting import outwards
from autograph.operators.state.places import UNBOUND
from autograph.operators.values import choice as choice_module
from autograph.operators.values.descriptors import mutable_parts, structure_of
from autograph.operators.values.listvalue import expect_lists, has_splices
from autograph.operators.values.quick import STANDING_IN
from runtime.ir.graph import Graph
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace

__all__ = ["Sharing", "finish", "sharing_of", "sync"]

_WAYS = 200  # by which one object may be others, as far as they are looked for
_ROOM = 64  # relations kept before one looks which are still needed


def _find_same(
    same: list[SameIf], way: list[Any], test: Any, last: Any, found: dict[int, tuple[Any, Any]], room: list[int]
) -> None:
    """What may be the first object of `way`, as its last one may be where `test` is true: (object, test) by id. `room` is
    how many ways more are gone."""
    room[0] -= 1
    if room[0] < 0:
        raise followed_no_further()
    for r in same:
        other = r.other(way[-1])
        if other is None or any(other is x for x in way):
            continue
        if last is not None and r.group == last.group:
            continue  # it is but one of a group
        here = r.test if test is None else op.logical_and(test, r.test)
        known = found.get(id(other))
        found[id(other)] = other, here if known is None else op.logical_or(known[1], here)
        _find_same(same, [*way, other], here, r, found, room)


def _either(test: Any, one: Any, other: Any) -> Any:
    """The content of one of two containers; of instances, which would be two alternatives, as dictionaries."""
    if type(one) is type(other) and type(one) not in (list, dict):
        names = dict.fromkeys(name for x in (one, other) for name in (structure_of(x, instances=True) or ((),))[0])
        one, other = ({name: getattr(x, name, UNBOUND) for name in names} for x in (one, other))
    elif type(one) is type(other) is dict and one.keys() != other.keys():  # a key has come or gone
        one, other = ({key: x.get(key, UNBOUND) for key in (other | one)} for x in (one, other))
    return choice_module.branch_hook(test, lambda: one, lambda: other)


class Sharing:
    """The relations of a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.relations: list[Relation] = []
        self.busy = False
        self.steps = 0  # since one last began to bring all up to date
        self.pushed: list[Relation] = []  # whose change is being put into their lists

    def open_graphs(self) -> set[Graph]:
        """The graphs under construction."""
        return {region.graph for region in outwards(self.trace.builder.region)}

    def add(self, relation: Relation) -> None:
        """Keep account of one more. Lists that are references are what they are; what several of them hold that is no list
        is noted to be there."""
        if "heap" in self.trace.notes:
            if type(relation) is Shares:
                self.trace.notes["heap"].mixed = True
            if type(relation.near) is list or type(relation) is Shares or not relation.near_held:
                return
        if len(self.relations) >= self.trace.notes.get("sharing room", _ROOM):
            self.forget_dead()
            self.trace.notes["sharing room"] = 2 * len(self.relations) + _ROOM
        self.relations.append(relation)
        STANDING_IN.add(type(relation.near))  # from now on, `is` of two of its type is a question for the relations

    def forget_dead(self) -> None:
        """Drop what is noted of objects that nobody but the notes holds."""
        ours: dict[int, int] = {}
        touching: dict[int, set[Any]] = {}
        for r in self.relations:
            for x in (r.near, r.far):
                ours[id(x)] = ours.get(id(x), 0) + 1
                group = ElementOf if type(r) is ElementOf and x is r.near else r.group  # of two lists: they share it
                touching.setdefault(id(x), set()).add(group)
            for held in (r.near_held, r.far_held):
                for part, content in held:
                    for x in (part, *content):
                        ours[id(x)] = ours.get(id(x), 0) + 1
        x = part = content = held = None  # type: ignore[assignment]

        def needed(r: Relation) -> bool:
            for x, held in ((id(r.near), r.near_held), (id(r.far), r.far_held)):
                groups = set(touching[x]).union(*(touching.get(id(part), ()) for part, _ in held))
                if held and len(groups) == 1 and unseen_but(held, ours):
                    return False
            return True

        self.relations[:] = [r for r in self.relations if r.near_changed() or needed(r)]

    def sync(self) -> None:
        """Bring up to date, after a change, what nobody is asked for before it is read.

        A list whose element has changed is changed when it is read, or the region of the element ends.
        """
        if self.busy:
            return
        self.busy = True
        self.steps = 0
        try:
            done: set[int] = set()
            found = True
            heap = "heap" in self.trace.notes  # other objects stand for the same list: none of them is asked
            while found:
                found = self.spread()
                for r in list(reversed(self.relations)):
                    if type(r) is SameIf:
                        continue
                    near, far = r.near_changed(), r.far_changed()
                    if not near and not far:
                        continue
                    if type(r) is ElementOf and not (r.off or heap or r.rivals(self.relations) or self.shares(r.far)):
                        continue
                    found = True
                    if id(r) not in done and (type(r) is ElementOf or not r.is_dead()):
                        done.add(id(r))
                        if near and far:
                            raise followed_no_further(r.hint)
                        if near:
                            self.push(r)
                        else:
                            r.pull()
                    r.note()
        finally:
            self.busy = False

    def shares(self, owner: Any) -> bool:
        """Whether a list may be one that others hold, or elements of it are noted to be those of another one, too."""
        for r in self.relations:
            if type(r) is SameIf:
                if any(part is owner for held in (r.near_held, r.far_held) for part, _ in held):
                    return True
            elif type(r) is not ElementOf and (r.near is owner or (type(r) is Shares and r.far is owner)):
                return True
        return False

    def spread(self) -> bool:
        """Change what may be the same object as one that has changed, where it is; returns whether there was any."""
        if not any(type(r) is SameIf and (r.near_changed() or r.far_changed()) for r in self.relations):
            return False
        self.forget_dead()
        self.step()
        same = [r for r in self.relations if type(r) is SameIf]
        changed: dict[int, Any] = {}
        for r in same:
            if r.near_changed():
                changed[id(r.near)] = r.near
            if r.far_changed():
                changed[id(r.far)] = r.far
        touched = set(changed)
        for x in changed.values():
            found: dict[int, tuple[Any, Any]] = {}
            _find_same(same, [x], None, None, found, [_WAYS])
            if any(key in changed for key in found):
                raise followed_no_further()
            for other, test in found.values():
                elements = self.elements_in(other)
                overwrite(other, _either(test, x, other))
                for e in elements:
                    e.pull()
                    e.note()
            touched.update(found)
        for r in same:
            if id(r.near) in touched or id(r.far) in touched:
                r.note()
        return bool(changed)

    def same(self, x: Any, y: Any) -> Any:
        """Whether two objects are one: True, False or a staged truth."""
        if x is y:
            return True
        found: dict[int, tuple[Any, Any]] = {}
        _find_same([r for r in self.relations if type(r) is SameIf], [x], None, None, found, [_WAYS])
        return found[id(y)][1] if id(y) in found else False

    def may_be(self, x: Any) -> list[Any]:
        """An object and all others that it may be."""
        found = [x]
        for one in found:
            others = [r.other(one) for r in self.relations if type(r) is SameIf]
            found += [y for y in others if y is not None and all(y is not z for z in found)]
        return found

    def elements_in(self, x: Any) -> list[ElementOf]:
        """Who stands for elements of the lists that `x` is or holds, before those are given another content."""
        lists = [part for part in changeable_parts(x) if type(part) is list]
        found = [r for r in self.relations if type(r) is ElementOf and any(r.far is part for part in lists)]
        found = [r for r in found if r.near_changed() or not r.is_dead()]
        if any(r.off or r.near_changed() for r in found):
            raise followed_no_further()
        return found

    def owners_of(self, splice: Any) -> list[list[Any]]:
        """The lists that hold a splice and whose elements are known, and may have changed."""
        return [r.far for r in self.relations if type(r) is ElementOf and any(e is splice for e in r.far)]

    def flush(self, owner: list[Any]) -> None:
        """Before `owner` is read: what changed in its elements is put into it."""
        for r in list(reversed(self.relations)):
            if r.far is owner and type(r) is ElementOf and not r.off:
                self.finish(r)

    def finish(self, r: ElementOf) -> None:
        """Bring the list of one element up to date."""
        parts = [part for part, _ in r.near_held if type(part) is list]
        for part in parts:
            self.flush(part)
        if r.near_changed():
            self.push(r)

    def push(self, r: Relation) -> None:
        """One side of a relation has changed: change the other."""
        self.step()
        if type(r) is not ElementOf or not has_splices(r.far):
            r.note() if type(r) is ElementOf else r.push(self.relations)
            return
        busy, self.busy = self.busy, True
        self.pushed.append(r)
        try:
            if self.shares(r.far):
                for e in [e for e in self.relations if type(e) is ElementOf and not e.off and e not in self.pushed]:
                    if e.near is not r.near:
                        self.finish(e)
            r.push(self.relations)
            if any(type(s) is Shares for s in self.relations):
                self.forget_dead()
                put_elsewhere(self.relations, r.far, r.count(), r.near, r.test)
        finally:
            self.busy = busy
            self.pushed.remove(r)

    def step(self) -> None:
        """One change more is passed on: where they go round, which object is which cannot be told."""
        self.steps += 1
        if self.busy and self.steps > 4 * len(self.relations) + 32:
            raise followed_no_further()

    def moved(self, owner: Any, index: Any = None, way: str = "") -> None:
        """What stands at an index of `owner` (None: at all) is another object now; `way` as for `ElementOf.move`."""
        if way in ("set", "pop"):
            self.link_elements(owner, index)
        for r in list(self.relations):
            if type(r) is ElementOf and r.far is owner:
                if not way or r.off:
                    r.off = True
                    continue
                if way in ("set", "pop") and not differ(r.count(), index):
                    self.follow(r.near, owner, r.count(), r.test)
                r.move(way, index)
                if r.test is False:
                    self.relations[:] = [other for other in self.relations if other is not r]
            elif type(r) is ElementOf and "heap" in self.trace.notes:
                r.off = True  # its list may be this one
        for r in self.relations:
            if type(r) is Shares and (r.near is owner or r.far is owner):
                r.move(owner, index if way == "set" else None)

    def follow(self, x: Any, owner: Any, index: Any, test: Any = True) -> None:
        """`x` is the element at `index` of `owner`, and soon no more: of lists that share it, it stays one."""
        for r in [r for r in self.relations if type(r) is Shares and (r.near is owner or r.far is owner)]:
            if not r.step:
                self.add(Detached(self.trace, x, r.far if r.near is owner else r.near, whole=False))
                continue
            other, there, inside = r.other(owner, index)
            made = ElementOf(self.trace, x, other, there)
            made.test = inside if test is True else op.logical_and(test, inside)
            self.add(made)

    def link_elements(self, owner: Any, index: Any) -> None:
        """Before elements of `owner` part from it: those that are one object are known to be."""
        for again in (False, True):
            found = [r for r in self.relations if type(r) is ElementOf and r.far is owner and not r.off]
            found = [r for r in found if not differ(r.count(), index)]
            if len(found) < 2:
                return
            if not again:
                self.forget_dead()
        for i, a in enumerate(found):
            for b in found[:i]:
                if a.near is b.near or differ(a.index, b.index):
                    continue
                if isinstance(a.index, int) and isinstance(b.index, int) and a.test is b.test is True:
                    self.add(SameIf(self.trace, a.near, b.near, Tensor(self.trace.constant(True))))
                else:
                    a.off = b.off = True

    def place(self, made: ElementOf) -> None:
        """An object has become an element of a list: it may be one of others, and so may its parts."""
        self.refuse_doubtful(made.near)
        for r in list(self.relations):
            if type(r) is ElementOf and r.near is made.near:
                self.share_one(made, r)
        for part in mutable_parts(made.near):
            for r in list(self.relations):
                if type(r) is ElementOf and r.near is not made.near and any(part is p for p, _ in r.near_held):
                    self.add(Shares(self.trace, made.far, r.far))
                elif type(r) is Shares and r.near is part:
                    for e in [e for e in self.relations if type(e) is ElementOf and e.near is r.far]:
                        self.add(Shares(self.trace, made.far, e.far))
        self.add(made)

    def refuse_doubtful(self, x: Any) -> None:
        """What may be another object where only the run knows, becomes an element: no account is kept of both."""
        heap = self.trace.notes.get("heap")
        for again in (False, True):
            doubts = [r for r in self.relations if type(r) in (SameIf, Detached) and (r.near is x or r.far is x)]
            if heap is not None and all(type(r) is Detached and r.near is x and not r.whole for r in doubts):
                heap.mixed = heap.mixed or bool(doubts)  # it stands in several lists: what changes in one is refused
                return
            if not doubts:
                return
            if again:
                raise followed_no_further()
            del doubts
            self.forget_dead()

    def share_one(self, one: ElementOf, other: ElementOf) -> None:
        """An object is an element of two lists, or twice one of one."""
        if other.off:
            self.add(Shares(self.trace, one.far, other.far))
            return
        ways = [(one, other), (other, one)] if one.far is other.far else [(one, other)]
        count = 1 if other.test is True else op.where(other.test, 1, 0)
        for a, b in ways:
            places = {"first": a.count(), "start": b.count(), "count": count, "step": 1}
            self.add(Shares(self.trace, a.far, b.far, **places, single=True))

    def note_all(self) -> None:
        """All is up to date: objects were bound to what a region made of them."""
        for r in self.relations:
            if type(r) is not ElementOf:
                r.note()

    def discard(self, kept: list[Relation]) -> None:
        """What a piece of code did is dropped: of the relations, those are left that were there before."""
        known = set(map(id, kept))
        self.relations[:] = [r for r in self.relations if id(r) in known]

    def enter(self) -> list[Any]:
        """A region begins, in which objects may hold other values: what to give to `leave`."""
        for each in [r for r in self.relations if type(r) is ElementOf]:
            if each.is_dead() and not each.off:
                self.finish(each)
        self.forget_dead()
        for r in self.relations:
            if type(r) is ElementOf:
                r.count()
        held = [(r, r.near_held, r.far_held, r.place()) for r in self.relations]
        self.note_all()
        return held

    def end(self, graph: Graph) -> None:
        """A region ends: its elements go, their lists may stay."""
        self.sync()
        for each in list(self.relations):
            if each.graph is graph and type(each) is ElementOf and not each.off:
                self.finish(each)

    def leave(self, before: list[Any], graph: Graph) -> list[Relation]:
        """A region has ended; returns the relations that were its own."""
        own = [r for r in self.relations if r.graph is graph and not r.is_dead()]
        self.relations[:] = [r for r, *_ in before]
        for r, near, far, place in before:
            r.near_held, r.far_held = near, far
            r.put_back(place)
        for r in own:
            if type(r) is Shares and not r.found:
                self.add(Shares(self.trace, r.near, r.far))
        return own

    def placed_in(self, own: list[Relation]) -> list[Any]:
        """What a region has put into lists."""
        return [part for r in own if type(r) is ElementOf for part, _ in r.near_held]

    def keep_placed(self, own: list[Relation], born: set[int]) -> None:
        """What a region has put into lists and was there before: which elements it is now, is not known."""
        for r in own:
            if type(r) is ElementOf and not any(e is r.near for e in r.far):
                for part, _ in r.near_held:
                    if id(part) not in born:
                        self.add(Detached(self.trace, part, r.far, whole=False))


def sharing_of(trace: Trace) -> Sharing:
    """The relations of a trace."""
    found = trace.notes.get("sharing")
    if found is None:
        found = trace.notes["sharing"] = Sharing(trace)
        expect_lists(trace)  # from now on, what changes a list is looked at
    return found  # type: ignore[no-any-return]


def finish(trace: Trace) -> None:
    """A region, or all that is traced, ends: lists whose elements have changed get the change."""
    if "sharing" in trace.notes:
        trace.notes["sharing"].end(trace.builder.region.graph)


def sync(trace: Trace | None) -> None:
    """After a change that code has made: change what stands for the same object."""
    if trace is not None and "sharing" in trace.notes:
        trace.notes["sharing"].sync()
