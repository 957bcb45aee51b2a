"""Boxes that are one in some paths: after `if c: w = w * 2`, w is the tensor it was where c is false.

A conditional makes a new box of what its two paths leave. Where a path left a box from outside, the new box is linked
with it under the condition, so that writing an item of one is seen through the other exactly where they are the same.
"""

from __future__ import annotations

import weakref
from functools import reduce
from typing import Any, TypeAlias

from autograph.errors.refusals import refusal
from autograph.operators.state.nesting import is_open
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
            _add(trace, joined, box, ((test, when),))
            for other, conditions in known:  # the box that leads there may be gone by the time that one is written
                if other is not joined and other.type.shape != ():
                    _add(trace, joined, other, ((test, when), *conditions))
        if is_array(box):
            mark_array(joined, of_any_rank=True)


_Conditions: TypeAlias = tuple[tuple[Tensor, bool], ...]  # truths, each with what it has to be


def _links_of(trace: Trace, box: Tensor) -> list[tuple[Tensor, _Conditions]]:
    """The boxes that `box` is linked with, where that can be asked here."""
    entry = trace.notes.get("aliases", {}).get(id(box))
    if entry is None or entry[0]() is not box:
        return []
    found = []
    for reference, conditions in entry[1].values():
        other = reference()
        if other is not None and all(is_open(trace, test._value.graph) for test, _ in conditions):
            found.append((other, conditions))
    return found


def _add(trace: Trace, one: Tensor, two: Tensor, conditions: _Conditions) -> None:
    """Note that two boxes are one under all of the conditions."""
    table = trace.notes.setdefault("aliases", {})
    before = next((known for other, known in _links_of(trace, one) if other is two), None)
    if before is not None and _by_id(before) != _by_id(conditions):
        conditions = ((op.logical_or(_truth(before), _truth(conditions)), True),)
    for box, other in ((one, two), (two, one)):
        entry = table.get(id(box))
        if entry is None or entry[0]() is not box:
            entry = table[id(box)] = (weakref.ref(box), {})
        entry[1][id(other)] = (weakref.ref(other), conditions)


def _by_id(conditions: _Conditions) -> list[tuple[int, bool]]:
    return [(id(test), when) for test, when in conditions]


def _truth(conditions: _Conditions) -> Any:
    """The truth of all of them."""
    truths = [test if when else op.logical_not(test) for test, when in conditions]
    return reduce(op.logical_and, truths)


def write_through(trace: Trace, box: Tensor) -> None:
    """After an item of `box` was written: the boxes that are the same one on some path change with it there."""
    _written(trace, box)
    for other, conditions in _links_of(trace, box):
        if other is box or not is_open(trace, trace.value_of(other).graph):
            continue
        if len(conditions) > 1:
            new = op.where(_truth(conditions), box, other)
        else:
            ((test, when),) = conditions
            new = op.where(test, box, other) if when else op.where(test, other, box)
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
    return True


KEYED = "keyed"  # a hint: some dictionaries and sets have tensors as keys (see `functions.keyed`)
TENSORS = "tensors"  # a hint: some come where none had before
LINKED, NO_LINKS = "linked", "no links"  # hints: objects are rows of tables (see `items.linked`); they cannot be
HEAP, NO_HEAP = "heap", "no heap"  # hints: lists are references (see `containers.heap`); they cannot be


def followed_no_further() -> BaseException:
    """What to raise where only the run knows which lists are one: the function is traced again with lists as references;
    where that was tried, a refusal."""
    trace = current()
    if trace is not None and trace.notes.get("restarts") and hints_of(trace).isdisjoint((HEAP, NO_HEAP)):
        return TraceAgain(HEAP)
    return refusal("shared-list")


def doubt(trace: Trace, after: Any, before: Any, hint: Any) -> None:
    """Note that the box `after` may be the box `before`."""
    if trace.notes.get("restarts") and type(after) is Tensor and type(before) is Tensor:
        table = trace.notes.setdefault("doubts", {})
        for one in (before, *(other for other, _ in _links_of(trace, before))):  # `before` itself may be gone soon
            for box in (after, one):
                table.setdefault(id(box), []).append((weakref.ref(after), weakref.ref(one), hint))


def linked_boxes(trace: Trace, box: Any) -> list[tuple[Tensor, Any]]:
    """The boxes that `box` may be, itself included, with the condition under which it is."""
    found: list[tuple[Tensor, Any]] = [(box, True)]
    for other, conditions in _links_of(trace, box):
        if other is not box:
            found.append((other, _truth(conditions)))
    return found


def alias_condition(trace: Trace, a: Any, b: Any) -> Any:
    """Whether two boxes are the same one: True, False, or a staged truth."""
    if type(a) is not Tensor or type(b) is not Tensor:
        return False
    return next((condition for box, condition in linked_boxes(trace, a) if box is b), False)
