"""Containers that stand for others: `row = rows[i]` of a list that only the run knows, `d = a if c else b`.

    row = rows[i]; row.append(v)    ->    rows = list_set(rows, i, list_append(list_get(rows, i), v))

What is known only at run time is taken out of graph values, so what Python would call the same list is another object
here. Each such object is noted together with the one it stands for; after every change the others are brought up to
date. Where only the run could tell what else has changed, the change is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import getrefcount
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators import choice as choice_module
from autograph.operators.births import births_of, owner_of
from autograph.operators.descriptors import is_mutable, mutable_parts, structure_of
from autograph.operators.lists import (
    as_list_value,
    dynamic_of,
    get_element,
    length,
    note_list,
    put_content,
    set_element,
)
from autograph.operators.listvalue import ListValue, Splice, expect_lists
from autograph.operators.places import note_attribute, note_item
from runtime.ir.graph import Graph, Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, current

__all__ = ["CountOf", "Detached", "SameIf", "joined", "placed", "same_if", "sharing_of", "sync", "taken"]

_ROOM = 64  # relations kept before one looks which are still needed


class Relation:
    """That `near` and another object are one in Python; what they held when both were up to date."""

    __slots__ = ("far", "far_held", "graph", "near", "near_held", "off")

    def __init__(self, trace: Trace, near: Any, far: Any) -> None:
        self.near = near
        self.far = far
        self.graph: Graph = trace.builder.region.graph
        self.off = False  # which object `near` is, is no longer known
        self.note()

    def note(self) -> None:
        """Both are up to date."""
        self.near_held = held_by(self.near)
        self.far_held = held_by(self.far) if self.watches_far() else []

    def watches_far(self) -> bool:
        """Whether a change of `far` is one of `near`."""
        return True

    def near_changed(self) -> bool:
        return not _same(self.near_held)

    def far_changed(self) -> bool:
        return self.watches_far() and not _same(self.far_held)

    def is_dead(self) -> bool:
        """Whether nobody but this note can see `near`, or `far`."""
        near, far = self.near_held, self.far_held
        if _unseen(near, bool(near) and near[0][0] is self.near):
            return True
        return self.watches_far() and _unseen(far, bool(far) and far[0][0] is self.far)

    def push(self, sharing: Sharing) -> None:
        """`near` has changed: change `far`."""
        raise NotImplementedError

    def pull(self) -> None:
        """`far` has changed: change `near`."""
        raise NotImplementedError


class ElementOf(Relation):
    """`near` is the element at `index` of the list `far`."""

    __slots__ = ("index",)

    def __init__(self, trace: Trace, near: Any, far: list[Any], index: Any) -> None:
        super().__init__(trace, near, far)
        self.index = index

    def count(self) -> Any:
        """The index from the front: a number, or staged in the region that is open when it is first asked for."""
        if isinstance(self.index, CountOf):
            self.index = length(self.index.value)
        return self.index

    def watches_far(self) -> bool:
        return False

    def push(self, sharing: Sharing) -> None:
        if self.off:
            raise refusal("shared-list")
        self.note()
        others = self.rivals(sharing)
        if any(type(r) is Detached or r.near_changed() for r in others):
            raise refusal("shared-list")
        put_content(self.far, set_element(as_list_value(self.far), self.count(), self.near))
        for r in others:
            r.pull()
            r.note()

    def rivals(self, sharing: Sharing) -> list[Relation]:
        """Those that are there for what may be the same element."""
        others = [r for r in sharing.relations if r is not self and r.far is self.far]
        others = [r for r in others if not (type(r) is ElementOf and (r.off or _differ(r.index, self.index)))]
        return [r for r in others if type(r) is not SameIf and not r.is_dead()]

    def pull(self) -> None:
        if not self.off:
            overwrite(self.near, get_element(as_list_value(self.far), self.count()))


class SameIf(Relation):
    """`near` is the object `far` where `test` is true."""

    __slots__ = ("test",)

    def __init__(self, trace: Trace, near: Any, far: Any, test: Any) -> None:
        super().__init__(trace, near, far)
        self.test = test

    def push(self, sharing: Sharing) -> None:
        near, far = self.near, self.far
        overwrite(far, choice_module.branch_hook(self.test, lambda: near, lambda: far))

    def pull(self) -> None:
        near, far = self.near, self.far
        overwrite(near, choice_module.branch_hook(self.test, lambda: far, lambda: near))


class Detached(Relation):
    """`near` may be `far`, or an element of it, of which no account is kept: neither can be changed while both are there."""

    __slots__ = ("whole",)

    def __init__(self, trace: Trace, near: Any, far: Any, whole: bool = True) -> None:
        self.whole = whole
        super().__init__(trace, near, far)

    def watches_far(self) -> bool:
        return self.whole

    def push(self, sharing: Sharing) -> None:
        raise refusal("shared-list")

    def pull(self) -> None:
        raise refusal("shared-list")


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
        self.relations = [r for r in self.relations if not r.is_dead() or r.near_changed()]

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
                found = False
                for r in reversed(self.relations):
                    near, far = r.near_changed(), r.far_changed()
                    if not near and not far:
                        continue
                    if type(r) is ElementOf and not r.off and not r.rivals(self):
                        continue
                    found = True
                    if id(r) not in done and (type(r) is ElementOf or not r.is_dead()):
                        done.add(id(r))
                        if near and far:
                            raise refusal("shared-list")
                        if near:
                            r.push(self)
                        else:
                            r.pull()
                    r.note()
        finally:
            self.busy = False

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
            r.push(self)

    def moved(self, owner: Any, index: Any = None) -> None:
        """What stands at an index of `owner` (None: at all) is another object now."""
        for r in self.relations:
            if type(r) is ElementOf and r.far is owner and not (index is not None and _differ(r.index, index)):
                r.off = True

    def note_all(self) -> None:
        """All is up to date: objects were bound to what a region made of them."""
        for r in self.relations:
            if type(r) is not ElementOf:
                r.note()

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


def sync(trace: Trace | None) -> None:
    """After a change that code has made: change what stands for the same object."""
    if trace is not None and "sharing" in trace.notes:
        trace.notes["sharing"].sync()


def taken(trace: Trace, owner: list[Any], index: Any, element: Any) -> Any:
    """`element`, taken out of `owner` at `index`: changing it changes the list."""
    if any(True for _ in _parts(element)):
        if dynamic_of(owner) is not None:
            sharing_of(trace).add(ElementOf(trace, element, owner, _counted(owner, index)))
        else:
            for i, item in enumerate(owner):
                here = op.logical_or(op.equal(index, i), op.equal(index, i - len(owner)))
                sharing_of(trace).add(SameIf(trace, element, item, here))
    return element


def placed(trace: Trace, owner: list[Any], index: Any, item: Any) -> None:
    """`item` was put into `owner`, whose content is staged."""
    if any(True for _ in _parts(item)):
        index = index if isinstance(index, CountOf) else _counted(owner, index)
        sharing_of(trace).add(ElementOf(trace, item, owner, index))


class CountOf:
    """How many elements a list had: the index of what was appended to it."""

    __slots__ = ("value",)

    def __init__(self, value: ListValue) -> None:
        self.value = value


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
        sharing_of(trace).add(SameIf(trace, result, value, test))
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


def _parts(x: Any) -> Iterator[Any]:
    """What can be changed in `x`: lists, dictionaries, instances and tensors, itself included."""
    if isinstance(x, Tensor):
        if type(x) is Tensor:
            yield x
        return
    mutable = is_mutable(x)
    if mutable:
        yield x
    parts = structure_of(x, instances=mutable)
    for part in () if parts is None else parts[1]:
        yield from _parts(part)


Held = list[tuple[Any, tuple[Any, ...]]]


def held_by(x: Any) -> Held:
    """What each part of `x` holds now."""
    return [(part, _content(part)) for part in _parts(x)]


def _content(part: Any) -> tuple[Any, ...]:
    if type(part) is Tensor:
        trace = current()
        return (part._value if trace is None else trace.overrides.get(id(part), part._value),)
    if type(part) is list:
        return tuple(e.value if type(e) is Splice else e for e in part)
    if type(part) is dict:
        return tuple(e for pair in part.items() for e in pair)
    parts = structure_of(part, instances=True)
    return () if parts is None else parts[1]


def _same(held: Held) -> bool:
    for part, before in held:
        now = _content(part)
        if len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True)):
            return False
    return True


def _unseen(held: Held, is_root: bool) -> bool:
    """Whether only notes hold the parts of an object; `is_root` says that the first is the object itself."""
    inner = _inner(held)
    for i in range(len(held)):
        if i == 0 or not isinstance(held[i][0], Tensor):
            others = getrefcount(held[i][0]) - _ONE - inner.get(id(held[i][0]), 0) - (is_root and i == 0)
            if others > 0 and others > _noted(held[i][0]):
                return False
    return True


def _inner(held: Held) -> dict[int, int]:
    """By id: how often the parts, and what is noted of them, hold an object."""
    inner: dict[int, int] = {}
    for _, content in held:
        for e in content:
            inner[id(e)] = inner.get(id(e), 0) + 2
    return inner


def _noted(x: Any) -> int:
    """How often the trace's own notes hold an object."""
    trace = current()
    assert trace is not None
    places = (place for table in trace.journal for place, _ in table.values())
    return (x in births_of(trace)) + sum(1 for place in places if owner_of(place) is x)


def _base() -> int:
    probe = [(object(),)]
    return getrefcount(probe[0][0])


_ONE = _base()


def _differ(a: Any, b: Any) -> bool:
    """Whether two indices from the front are surely not the same."""
    return isinstance(a, int) and isinstance(b, int) and a != b


def overwrite(x: Any, new: Any) -> None:
    """Give `x` the content of `new`, a structure of the same kind, keeping what it is."""
    trace = current()
    assert trace is not None
    if isinstance(x, Tensor):
        trace.write(x, trace.operand(new))
    elif type(x) is list:
        dynamic = dynamic_of(new)
        if dynamic is not None or dynamic_of(x) is not None or len(x) != len(new):
            put_content(x, as_list_value(new) if dynamic is None else dynamic)
            return
        note_list(trace, x)
        for i, (old, item) in enumerate(zip(x, new, strict=True)):
            x[i] = _kept(old, item)
    elif type(x) is dict:
        if x.keys() != new.keys():
            raise refusal("shared-list")
        for key in x:
            note_item(trace, x, key)
            x[key] = _kept(x[key], new[key])
    else:
        names, items = structure_of(new, instances=True) or ((), ())
        for name, item in zip(names, items, strict=True):
            note_attribute(trace, x, name)
            setattr(x, name, _kept(getattr(x, name, None), item))


def _kept(old: Any, new: Any) -> Any:
    """`old` with the content of `new` where it is a container of the same kind; else `new`."""
    if old is not new and is_mutable(old) and type(old) is type(new):
        overwrite(old, new)
        return old
    return new
