"""Relations of containers that are one in Python and several while a function is traced (see `sharing`)."""

from __future__ import annotations

from typing import Any

from autograph.operators.containers.held import held_by, overwrite, unchanged, unseen
from autograph.operators.containers.lists import (
    as_list_value,
    content_of,
    get_element,
    length,
    put_content,
    set_element,
)
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.values import choice as choice_module
from autograph.operators.values.listvalue import ListValue, new_list
from runtime.ir.graph import Graph
from runtime.tensor.dispatch import op
from runtime.tensor.trace import Trace, current

__all__ = ["CountOf", "Detached", "ElementOf", "Relation", "SameIf", "Shares", "differ", "put_elsewhere"]


class Relation:
    """That `near` and another object are one in Python; what they held when both were up to date."""

    __slots__ = ("far", "far_held", "graph", "group", "near", "near_held", "off")

    hint: Any = None  # by which account would be kept of what is not known

    def __init__(self, trace: Trace, near: Any, far: Any) -> None:
        self.near = near
        self.far = far
        self.graph: Graph = trace.builder.region.graph
        self.group: Any = object()  # alternatives of one another have the same
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
        return not unchanged(self.near_held)

    def far_changed(self) -> bool:
        return self.watches_far() and not unchanged(self.far_held)

    def is_dead(self) -> bool:
        """Whether nobody but this note can see `near`, or `far`."""
        near, far = self.near_held, self.far_held
        if unseen(near, bool(near) and near[0][0] is self.near):
            return True
        return self.watches_far() and unseen(far, bool(far) and far[0][0] is self.far)

    def place(self) -> tuple[Any, ...]:
        """Where `near` stands in `far`."""
        return ()

    def put_back(self, place: tuple[Any, ...]) -> None:
        """A region has ended: what it has moved is known there only."""

    def push(self, relations: list[Relation]) -> None:
        """`near` has changed: change `far`."""
        raise NotImplementedError

    def pull(self) -> None:
        """`far` has changed: change `near`."""
        raise NotImplementedError


class ElementOf(Relation):
    """`near` is the element at `index` of the list `far`, where `test` is true."""

    __slots__ = ("index", "test")

    def __init__(self, trace: Trace, near: Any, far: list[Any], index: Any) -> None:
        super().__init__(trace, near, far)
        self.index = index
        self.test: Any = True

    def place(self) -> tuple[Any, ...]:
        return self.index, self.test

    def put_back(self, place: tuple[Any, ...]) -> None:
        if self.index is not place[0] or self.test is not place[1]:
            self.index, self.test = place
            self.off = True

    def move(self, way: str, index: Any) -> None:
        """The list was changed: 'set' or 'pop' at `index`, 'insert' before it, or 'reverse' with the last index."""
        here = self.count()
        if way == "reverse":
            self.index = op.sub(index, here)
            return
        if way != "insert" and not differ(here, index):
            self.test = False if _equal(here, index) else _both(self.test, op.not_equal(here, index))
        if way != "set" and not (type(here) is type(index) is int and here < index):
            step = 1 if way == "insert" else -1
            later = op.greater_equal(here, index) if way == "insert" else op.greater(here, index)
            both_known = type(here) is type(index) is int
            self.index = here + step if both_known else op.where(later, op.add(here, step), here)

    def count(self) -> Any:
        """The index from the front: a number, or staged in the region that is open when it is first asked for."""
        if isinstance(self.index, CountOf):
            self.index = length(self.index.value)
        return self.index

    def watches_far(self) -> bool:
        return False

    def push(self, relations: list[Relation]) -> None:
        if self.off:
            raise followed_no_further()
        self.note()
        heap = _heap()
        if heap is not None:
            heap.expect_one_holder(self.far)
        others = self.rivals(relations)
        if heap is not None and others:
            raise followed_no_further()
        same = {id(r.other(self.near)) for r in relations if type(r) is SameIf}
        if any(type(r) is Detached or r.off or (r.near_changed() and id(r.near) not in same) for r in others):
            raise followed_no_further()
        put_content(self.far, _with(content_of(self.far), self.count(), self.near, self.test))
        for r in others:
            r.pull()
            r.note()

    def rivals(self, relations: list[Relation]) -> list[Relation]:
        """Those that are there for what may be the same element."""
        others = [r for r in relations if r.near is not self.near]
        if _heap() is not None:  # any list may be this one
            others = [r for r in others if not (r.far is self.far and type(r) is ElementOf and differ(r.index, self.index))]
        else:
            others = [r for r in others if r.far is self.far]
            others = [r for r in others if not (type(r) is ElementOf and not r.off and differ(r.index, self.index))]
        return [r for r in others if type(r) not in (SameIf, Shares) and not r.is_dead()]

    def pull(self) -> None:
        if self.off:
            return
        content, near = content_of(self.far), self.near
        if self.test is True:
            overwrite(near, get_element(content, self.count()))
        else:
            overwrite(near, choice_module.branch_hook(self.test, lambda: get_element(content, self.count()), lambda: near))


def put_elsewhere(
    relations: list[Relation], owner: Any, index: Any, item: Any, test: Any, way: tuple[Any, ...] = (), room: Any = None
) -> None:
    """An element of `owner` has changed where `test` is true: put it into the lists that share it.

    `way` are the relations that led here, `room` how many lists more are looked at.
    """
    room = room or [_ROOM]
    for r in [r for r in relations if type(r) is Shares and (r.near is owner or r.far is owner) and r not in way]:
        other, there, inside = r.other(owner, index)
        if inside is False:
            continue
        room[0] -= 1
        if not room[0]:
            raise followed_no_further()
        inside = _both(test, inside)
        elements = [e for e in relations if type(e) is ElementOf and e.far is other and not e.off and e.near is not item]
        for e in elements:
            if e.near_changed():
                put_content(other, _with(content_of(other), e.count(), e.near, e.test))
                e.note()
        put_content(other, _with(content_of(other), there, item, inside))
        for e in elements:
            e.pull()
            e.note()
        put_elsewhere(relations, other, there, item, inside, (*way, r), room)


_ROOM = 16


def _with(content: ListValue, index: Any, item: Any, test: Any) -> ListValue:
    """The list with another element at `index` where `test` is true."""
    if test is True:
        return set_element(content, index, item)
    made = choice_module.branch_hook(test, lambda: new_list(set_element(content, index, item)), lambda: new_list(content))
    return as_list_value(made)


def _heap() -> Any:
    """What knows the lists that are references, if they are."""
    trace = current()
    return None if trace is None else trace.notes.get("heap")


class SameIf(Relation):
    """`near` is the object `far` where `test` is true; it is but one of those that the relations of a `group` name."""

    __slots__ = ("test",)

    def __init__(self, trace: Trace, near: Any, far: Any, test: Any, group: Any = None) -> None:
        super().__init__(trace, near, far)
        self.test = test
        if group is not None:
            self.group = group

    def other(self, x: Any) -> Any:
        """The other one of the two; None if `x` is neither."""
        return self.far if self.near is x else self.near if self.far is x else None


class Detached(Relation):
    """`near` may be `far`, or an element of it, of which no account is kept: neither can be changed while both are there."""

    __slots__ = ("hint", "whole")

    def __init__(self, trace: Trace, near: Any, far: Any, whole: bool = True, hint: Any = None) -> None:
        self.whole = whole
        self.hint = hint
        super().__init__(trace, near, far)

    def watches_far(self) -> bool:
        return self.whole

    def push(self, relations: list[Relation]) -> None:
        raise followed_no_further(self.hint)

    def pull(self) -> None:
        raise followed_no_further(self.hint)


class Shares(Relation):
    """Elements of the list `near` are elements of the list `far`: those from `first` on, `count` of them, stand in `far`
    from `start` on, in the same order or (`step` -1) the other way round. Which they are is not known if `step` is 0."""

    __slots__ = ("count", "first", "found", "single", "start", "step")

    def __init__(
        self,
        trace: Trace,
        near: Any,
        far: Any,
        first: Any = 0,
        start: Any = 0,
        count: Any = 0,
        step: int = 0,
        single: bool = False,
    ) -> None:
        super().__init__(trace, near, far)
        self.first, self.start, self.count, self.step = first, start, count, step
        self.single = single  # one element at most
        self.found = False  # Python made the one of the other: that is found again where it is asked for

    def near_changed(self) -> bool:
        """Never of interest: what changes is an element."""
        return False

    def watches_far(self) -> bool:
        return True

    def far_changed(self) -> bool:
        return False

    def place(self) -> tuple[Any, ...]:
        return self.first, self.start, self.count

    def put_back(self, place: tuple[Any, ...]) -> None:
        if any(a is not b for a, b in zip(self.place(), place, strict=True)):
            self.first, self.start, self.count = place
            self.step = 0

    def move(self, owner: Any, index: Any) -> None:
        """`owner` has another object at an index (None: at all) now."""
        if index is None or not self.single or not self.step:
            self.step = 0
            return
        ours = [first for x, first in ((self.near, self.first), (self.far, self.start)) if x is owner]
        for first in ours:
            if not differ(first, index):
                self.count = op.where(op.equal(first, index), 0, self.count)

    def other(self, owner: Any, index: Any) -> tuple[Any, Any, Any]:
        """(the other list, the index there of the element at `index` of `owner`, whether it is there)."""
        if self.step == 0:
            raise followed_no_further()
        if owner is self.near:
            offset = _plus(index, self.first, -1)
            there = _plus(self.start, offset, self.step)
        else:
            offset = _plus(0, _plus(index, self.start, -1), self.step)
            there = _plus(self.first, offset)
        if isinstance(offset, int) and isinstance(self.count, int):
            inside: Any = 0 <= offset < self.count
        else:
            inside = op.logical_and(op.greater_equal(offset, 0), op.less(offset, self.count))
        return self.far if owner is self.near else self.near, there, inside


class CountOf:
    """How many elements a list had: the index of what was appended to it."""

    __slots__ = ("value",)

    def __init__(self, value: ListValue) -> None:
        self.value = value


def _plus(a: Any, b: Any, sign: int = 1) -> Any:
    """`a + b` or `a - b` of indices."""
    if isinstance(a, int) and isinstance(b, int):
        return a + sign * b
    return op.add(a, b) if sign > 0 else op.sub(a, b)


def _both(a: Any, b: Any) -> Any:
    return b if a is True else a if b is True else op.logical_and(a, b)


def _equal(a: Any, b: Any) -> bool:
    """Whether two indices from the front are surely the same."""
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)


def differ(a: Any, b: Any) -> bool:
    """Whether two indices from the front are surely not the same."""
    return isinstance(a, int) and isinstance(b, int) and a != b
