"""Containers that stand for others: `row = rows[i]` of a list that only the run knows, `d = a if c else b`.

    row = rows[i]; row.append(v)    ->    rows = list_set(rows, i, list_append(list_get(rows, i), v))

What is known only at run time is taken out of graph values, so what Python would call the same list is another object
here. Each such object is noted together with the one it stands for; after every change the others are brought up to
date. Where only the run could tell what else has changed, the change is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators import choice as choice_module
from autograph.operators.descriptors import is_mutable, mutable_parts, structure_of
from autograph.operators.held import changeable_parts, overwrite, unseen_but
from autograph.operators.lists import as_list_value, dynamic_of, length
from autograph.operators.listvalue import Splice, expect_lists
from autograph.operators.relations import CountOf, Detached, ElementOf, Relation, SameIf, differ
from runtime.ir.graph import Graph, Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace

__all__ = ["finish", "joined", "placed", "same_if", "sharing_of", "sync", "taken"]

_ROOM = 64  # relations kept before one looks which are still needed


def _find_same(
    same: list[SameIf], way: list[Any], test: Any, last: SameIf | None, found: dict[int, tuple[Any, Any]]
) -> None:
    """What may be the first object of `way`, as its last one may be where `test` is true: (object, test) by id."""
    for r in same:
        other = r.other(way[-1])
        if other is None or any(other is x for x in way):
            continue
        if last is not None and r.group == last.group:
            continue  # it is but one of a group
        here = r.test if test is None else op.logical_and(test, r.test)
        known = found.get(id(other))
        found[id(other)] = other, here if known is None else op.logical_or(known[1], here)
        _find_same(same, [*way, other], here, r, found)


class Sharing:
    """The relations of a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.relations: list[Relation] = []
        self.busy = False

    def open_graphs(self) -> set[Graph]:
        """The graphs under construction."""
        region, graphs = self.trace.builder.region, set()
        while region is not None:
            graphs.add(region.graph)
            region = region.parent  # type: ignore[assignment]
        return graphs

    def add(self, relation: Relation) -> None:
        """Keep account of one more."""
        if len(self.relations) >= self.trace.notes.get("sharing room", _ROOM):
            self.forget_dead()
            self.trace.notes["sharing room"] = 2 * len(self.relations) + _ROOM
        self.relations.append(relation)

    def forget_dead(self) -> None:
        """Drop what is noted of objects that nobody but the notes holds."""
        ours: dict[int, int] = {}
        touching: dict[int, set[Any]] = {}
        for r in self.relations:
            for x in (r.near, r.far):
                ours[id(x)] = ours.get(id(x), 0) + 1
                touching.setdefault(id(x), set()).add(r.group)
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

        self.relations = [r for r in self.relations if r.near_changed() or needed(r)]

    def sync(self) -> None:
        """Bring up to date, after a change, what nobody is asked for before it is read.

        A list whose element has changed is changed when it is read, or the region of the element ends.
        """
        if self.busy:
            return
        self.busy = True
        try:
            done: set[int] = set()
            found = True
            while found:
                found = self.spread()
                for r in reversed(self.relations):
                    if type(r) is SameIf:
                        continue
                    near, far = r.near_changed(), r.far_changed()
                    if not near and not far:
                        continue
                    if type(r) is ElementOf and not r.off and not r.rivals(self.relations):
                        continue
                    found = True
                    if id(r) not in done and (type(r) is ElementOf or not r.is_dead()):
                        done.add(id(r))
                        if near and far:
                            raise refusal("shared-list")
                        if near:
                            r.push(self.relations)
                        else:
                            r.pull()
                    r.note()
        finally:
            self.busy = False

    def spread(self) -> bool:
        """Change what may be the same object as one that has changed, where it is; returns whether there was any."""
        if not any(type(r) is SameIf and (r.near_changed() or r.far_changed()) for r in self.relations):
            return False
        self.forget_dead()
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
            _find_same(same, [x], None, None, found)
            if any(key in changed for key in found):
                raise refusal("shared-list")
            for other, test in found.values():
                new = choice_module.branch_hook(test, lambda: x, lambda other=other: other)
                overwrite(other, new)
            touched.update(found)
        for r in same:
            if id(r.near) in touched or id(r.far) in touched:
                r.note()
        return bool(changed)

    def flush(self, owner: list[Any]) -> None:
        """Before `owner` is read: what changed in its elements is put into it."""
        for r in reversed(self.relations):
            if r.far is owner and type(r) is ElementOf and not r.off:
                self.finish(r)

    def finish(self, r: ElementOf) -> None:
        """Bring the list of one element up to date."""
        parts = [part for part, _ in r.near_held if type(part) is list]
        for part in parts:
            self.flush(part)
        if r.near_changed():
            r.push(self.relations)

    def moved(self, owner: Any, index: Any = None) -> None:
        """What stands at an index of `owner` (None: at all) is another object now."""
        for r in self.relations:
            if type(r) is ElementOf and r.far is owner and not (index is not None and differ(r.index, index)):
                r.off = True

    def note_all(self) -> None:
        """All is up to date: objects were bound to what a region made of them."""
        for r in self.relations:
            if type(r) is not ElementOf:
                r.note()

    def discard(self, kept: list[Relation]) -> None:
        """What a piece of code did is dropped: of the relations, those are left that were there before."""
        known = set(map(id, kept))
        self.relations = [r for r in self.relations if id(r) in known]

    def enter(self) -> list[Any]:
        """A region begins, in which objects may hold other values: what to give to `leave`."""
        for each in [r for r in self.relations if type(r) is ElementOf]:
            if each.is_dead() and not each.off:
                self.finish(each)
        self.forget_dead()
        for r in self.relations:
            if type(r) is ElementOf:
                r.count()
        held = [(r, r.near_held, r.far_held) for r in self.relations]
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
        self.relations = [r for r, _, _ in before]
        for r, near, far in before:
            r.near_held, r.far_held = near, far
        return own


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


def taken(trace: Trace, owner: list[Any], index: Any, element: Any) -> Any:
    """`element`, taken out of `owner` at `index`: changing it changes the list."""
    if any(True for _ in changeable_parts(element)):
        if dynamic_of(owner) is not None:
            sharing_of(trace).add(ElementOf(trace, element, owner, _counted(owner, index)))
        else:
            _one_of(trace, element, owner, index)
    return element


def _one_of(trace: Trace, element: Any, items: Any, index: Any) -> None:
    """`element` is the one of `items` at `index`."""
    tests: dict[int, tuple[Any, Any]] = {}
    for i, item in enumerate(items):
        here = op.logical_or(op.equal(index, i), op.equal(index, i - len(items)))
        if id(item) in tests:
            here = op.logical_or(tests[id(item)][1], here)
        tests[id(item)] = item, here
    group = object()
    for item, here in tests.values():
        for near, far in _pairs(element, item):
            sharing_of(trace).add(SameIf(trace, near, far, here, (group, id(near))))


def _pairs(near: Any, far: Any) -> Iterator[tuple[Any, Any]]:
    """What can be changed of two structures that may be one: themselves, or the parts of tuples."""
    if isinstance(near, tuple):
        if isinstance(far, tuple) and len(near) == len(far):
            for a, b in zip(near, far, strict=True):
                yield from _pairs(a, b)
    elif near is not far and all(any(True for _ in changeable_parts(x)) for x in (near, far)):
        yield near, far


def placed(trace: Trace, owner: list[Any], index: Any, item: Any) -> None:
    """`item` was put into `owner`, whose content is staged."""
    if any(True for _ in changeable_parts(item)):
        index = index if isinstance(index, CountOf) else _counted(owner, index)
        sharing_of(trace).add(ElementOf(trace, item, owner, index))


def _counted(owner: list[Any], index: Any) -> Any:
    """An index from the front."""
    if isinstance(index, Tensor):
        return op.where(op.less(index, 0), op.add(index, _length(owner)), index)
    return op.add(index, _length(owner)) if index < 0 else int(index)


def _length(owner: list[Any]) -> Any:
    return length(as_list_value(owner))


def joined(trace: Trace, result: Any, value: Any, test: Any, own: list[Relation]) -> None:
    """`result` was made by a conditional, of `value` where `test` is true: it is that object there.

    `own` are the relations of the conditional's region.
    """
    near = {id(r.near): r for r in own if not (r.near is value and type(r) is SameIf)}
    for part in mutable_parts(value) if near else ():
        if id(part) in near:
            _detach(trace, result, near[id(part)])
    _same_if(trace, result, value, test)


def same_if(trace: Trace, near: Any, far: Any, test: Any) -> None:
    """`near` is the object `far` where `test` is true."""
    if near is not far and is_mutable(near) and is_mutable(far):
        sharing_of(trace).add(SameIf(trace, near, far, test))


def _detach(trace: Trace, x: Any, relation: Relation) -> None:
    """`x` may be what another object is by a relation of a region that has ended."""
    sharing_of(trace).add(Detached(trace, x, relation.far, relation.watches_far()))


def _same_if(trace: Trace, result: Any, value: Any, test: Any) -> None:
    if result is value:
        return
    if is_mutable(value) and is_mutable(result) and _is_open(trace, value):
        sharing_of(trace).add(SameIf(trace, result, value, test, ("joined", id(result))))
        return
    ours, theirs = structure_of(result), structure_of(value)
    if ours is not None and theirs is not None and ours[0] == theirs[0] and len(ours[1]) == len(theirs[1]):
        for a, b in zip(ours[1], theirs[1], strict=True):
            _same_if(trace, a, b, test)


def _is_open(trace: Trace, x: Any) -> bool:
    """Whether all that a structure holds is known here, not only in a region that has ended."""
    graphs = sharing_of(trace).open_graphs()
    return all(v.graph in graphs for v in _values(trace, x))


def _values(trace: Trace, x: Any) -> Iterator[Value]:
    if isinstance(x, Tensor):
        yield trace.value_of(x)
    elif type(x) is Splice:
        yield from x.value.values
    else:
        parts = structure_of(x, instances=is_mutable(x))
        for part in () if parts is None else parts[1]:
            yield from _values(trace, part)
