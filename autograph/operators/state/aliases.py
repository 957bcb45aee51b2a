"""Boxes that are one in some paths: after `if c: w = w * 2`, w is the tensor it was where c is false.

A conditional makes a new box of what its two paths leave. Where a path left a box from outside, the new box is linked
with it under the condition, so that writing an item of one is seen through the other exactly where they are the same.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.nesting import is_open
from runtime.tensor import trace as trace_module
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, current
from runtime.tensor.views import is_array, mark_array, written_hook

__all__ = [
    "HEAP",
    "KEYED",
    "NO_HEAP",
    "TENSORS",
    "TraceAgain",
    "alias_condition",
    "count_note",
    "doubt",
    "followed_no_further",
    "hints_of",
    "link",
    "linked_boxes",
    "tensorless",
    "write_through",
    "written_boxes",
]


class TraceAgain(BaseException):
    """An item is written of a tensor that may be another one or not, by what a loop did that did not keep account of it.
    The function is traced again with a hint to that loop."""

    def __init__(self, hint: Any) -> None:
        self.hint = hint


def link(trace: Trace, joined: Any, left: Any, right: Any, test: Tensor) -> None:
    """Note that `joined` is the box `left` where `test` is true, and `right` where it is false."""
    if type(joined) is not Tensor:
        return
    for box, when in ((left, True), (right, False)):
        if type(box) is Tensor and is_open(trace, trace.value_of(box).graph) and box.type == joined.type:
            known = _links_of(trace, box)
            same = _When(test, when)
            _add(trace, joined, box, same)
            for other, also in known:  # the box that leads there may be gone by the time that one is written
                if other is not joined and other.type.shape != ():
                    _add(trace, joined, other, _When(None, parts=(same, also)))
        if is_array(box):
            mark_array(joined, of_any_rank=True)


class _When:
    """When two boxes are one: where `test` is `value`, or by the parts: all of them, or any. No node says so until it is
    asked, in the region that asks."""

    __slots__ = ("any_of", "parts", "test", "value")

    def __init__(self, test: Tensor | None, value: bool = True, parts: tuple[_When, ...] = (), any_of: bool = False) -> None:
        self.test, self.value, self.parts, self.any_of = test, value, parts, any_of

    def tests(self) -> Iterator[Tensor]:
        """The tensors that tell."""
        pending, seen = [self], {id(self)}
        while pending:
            one = pending.pop()
            if one.test is not None:
                yield one.test
            for part in one.parts:
                if id(part) not in seen:
                    seen.add(id(part))
                    pending.append(part)

    def truth(self, known: dict[int, Any] | None = None) -> Any:
        """The staged truth; each part is asked once."""
        known = {} if known is None else known
        if id(self) not in known:
            if self.test is not None:
                known[id(self)] = self.test if self.value else op.logical_not(self.test)
            else:
                truths = [part.truth(known) for part in self.parts]
                known[id(self)] = reduce(op.logical_or if self.any_of else op.logical_and, truths)
        return known[id(self)]


def _links_of(trace: Trace, box: Tensor) -> list[tuple[Tensor, _When]]:
    """The boxes that `box` is linked with, where that can be asked here."""
    entry = trace.notes.get("aliases", {}).get(id(box))
    if entry is None or entry[0]() is not box:
        return []
    found = []
    for reference, when in entry[1].values():
        other = reference()
        if other is not None and all(is_open(trace, test._value.graph) for test in when.tests()):
            found.append((other, when))
    return found


def _add(trace: Trace, one: Tensor, two: Tensor, when: _When) -> None:
    """Note when two boxes are one."""
    table = trace.notes.setdefault("aliases", {})
    before = next((known for other, known in _links_of(trace, one) if other is two), None)
    if before is not None:
        when = _When(None, parts=(before, when), any_of=True)
    for box, other in ((one, two), (two, one)):
        entry = table.get(id(box))
        if entry is None or entry[0]() is not box:
            entry = table[id(box)] = (weakref.ref(box), {})
        entry[1][id(other)] = (weakref.ref(other), when)


def write_through(trace: Trace, box: Tensor) -> None:
    """After an item of `box` was written: the boxes that are the same one on some path change with it there."""
    _written(trace, box)
    for other, when in _links_of(trace, box):
        if other is box or not is_open(trace, trace.value_of(other).graph):
            continue
        if when.test is None or when.value:
            new = op.where(when.truth(), box, other)
        else:
            new = op.where(when.test, other, box)
        trace.write(other, trace.operand(new))
        _written(trace, other)


def _written(trace: Trace, box: Tensor) -> None:
    """Note that an item of a box was written; nobody may be in doubt whether another one was."""
    trace.notes.setdefault("written boxes", []).append(weakref.ref(box))
    for first, second, hint in trace.notes.get("doubts", {}).get(id(box), ()):
        if first() is not None and second() is not None and (first() is box or second() is box):
            raise TraceAgain(hint)


written_hook[0] = write_through


def written_boxes(trace: Trace) -> set[int]:
    """Ids of the boxes whose items were written, of those that are left."""
    boxes = (reference() for reference in trace.notes.get("written boxes", ()))
    return {id(box) for box in boxes if box is not None}


def hints_of(trace: Trace) -> set[Any]:
    """The names of loops that have to keep account of which tensors they are: (code of the body, name)."""
    return trace.notes.setdefault("alias hints", set())  # type: ignore[no-any-return]


def tensorless(trace: Trace) -> bool:
    """Whether the trace has met no tensor so far. Who asks may rely on it that none comes: else all is traced again."""
    if trace.builder.emitted or trace.graph.inputs:
        return False
    notes = trace.notes
    if "tensorless" in notes:
        return True
    if "restarts" not in notes or TENSORS in hints_of(trace):
        return False
    notes["tensorless"] = True
    if trace is current():
        trace_module.changed()
    return True


def count_note(trace: Trace) -> None:
    """Count what is noted of Python's objects: a trace that has noted many without a tensor relies on it that none comes."""
    trace.noted += 1
    if trace.noted == _MANY:
        tensorless(trace)


_MANY = 16
KEYED = "keyed"  # a hint: some dictionaries and sets have tensors as keys (see `functions.keyed`)
TENSORS = "tensors"  # a hint: some come where none had before
LINKED, NO_LINKS = "linked", "no links"  # hints: objects are rows of tables (see `items.linked`); they cannot be
RECORDS = "records"  # a hint: so are dictionaries and tuples that are written out (see `items.records`)
HEAP, NO_HEAP = "heap", "no heap"  # hints: lists are references (see `containers.heap`); they cannot be


def followed_no_further(hint: Any = None) -> BaseException:
    """What to raise where only the run knows which lists are one: the function is traced again, by the hint to a loop to
    keep account of it, or with lists as references; where that was tried, with its dictionaries of lists as forms; then a
    refusal."""
    trace = current()
    if trace is not None and trace.notes.get("restarts"):
        if hint is not None and hint not in hints_of(trace):
            return TraceAgain(hint)
        if hints_of(trace).isdisjoint((HEAP, NO_HEAP)):
            return TraceAgain(HEAP)
        group(trace)
    return refusal("shared-list")


group: Callable[[Trace], None] = lambda trace: None  # makes forms of dictionaries of lists; `keyed` puts its own


def doubt(trace: Trace, after: Any, before: Any, hint: Any) -> None:
    """Note that the box `after` may be the box `before`."""
    if trace.notes.get("restarts") and type(after) is Tensor and type(before) is Tensor:
        table = trace.notes.setdefault("doubts", {})
        for one in (before, *(other for other, _ in _links_of(trace, before))):  # `before` itself may be gone soon
            for box in (after, one):
                table.setdefault(id(box), []).append((weakref.ref(after), weakref.ref(one), hint))


def linked_boxes(trace: Trace, box: Any) -> list[tuple[Tensor, Any]]:
    """The boxes that `box` may be, itself included, with the condition under which it is."""
    return [(box, True), *((other, when.truth()) for other, when in _links_of(trace, box) if other is not box)]


def alias_condition(trace: Trace, a: Any, b: Any) -> Any:
    """Whether two boxes are the same one: True, False, or a staged truth."""
    if type(a) is not Tensor or type(b) is not Tensor:
        return False
    return next((condition for box, condition in linked_boxes(trace, a) if box is b), False)
