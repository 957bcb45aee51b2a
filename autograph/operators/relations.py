"""Relations of containers that are one in Python and several while a function is traced (see `sharing`)."""

from __future__ import annotations

from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.held import held_by, overwrite, unchanged, unseen
from autograph.operators.lists import as_list_value, get_element, length, put_content, set_element
from autograph.operators.listvalue import ListValue
from runtime.ir.graph import Graph
from runtime.tensor.trace import Trace

__all__ = ["CountOf", "Detached", "ElementOf", "Relation", "SameIf", "differ"]


class Relation:
    """That `near` and another object are one in Python; what they held when both were up to date."""

    __slots__ = ("far", "far_held", "graph", "group", "near", "near_held", "off")

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

    def push(self, relations: list[Relation]) -> None:
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

    def push(self, relations: list[Relation]) -> None:
        if self.off:
            raise refusal("shared-list")
        self.note()
        others = self.rivals(relations)
        if any(type(r) is Detached or r.near_changed() for r in others):
            raise refusal("shared-list")
        put_content(self.far, set_element(as_list_value(self.far), self.count(), self.near))
        for r in others:
            r.pull()
            r.note()

    def rivals(self, relations: list[Relation]) -> list[Relation]:
        """Those that are there for what may be the same element."""
        others = [r for r in relations if r is not self and r.far is self.far]
        others = [r for r in others if not (type(r) is ElementOf and (r.off or differ(r.index, self.index)))]
        return [r for r in others if type(r) is not SameIf and not r.is_dead()]

    def pull(self) -> None:
        if not self.off:
            overwrite(self.near, get_element(as_list_value(self.far), self.count()))


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

    __slots__ = ("whole",)

    def __init__(self, trace: Trace, near: Any, far: Any, whole: bool = True) -> None:
        self.whole = whole
        super().__init__(trace, near, far)

    def watches_far(self) -> bool:
        return self.whole

    def push(self, relations: list[Relation]) -> None:
        raise refusal("shared-list")

    def pull(self) -> None:
        raise refusal("shared-list")


class CountOf:
    """How many elements a list had: the index of what was appended to it."""

    __slots__ = ("value",)

    def __init__(self, value: ListValue) -> None:
        self.value = value


def differ(a: Any, b: Any) -> bool:
    """Whether two indices from the front are surely not the same."""
    return isinstance(a, int) and isinstance(b, int) and a != b
