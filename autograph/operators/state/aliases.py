"""Boxes that are one in some paths: after `if c: w = w * 2`, w is the tensor it was where c is false.

A conditional makes a new box of what its two paths leave. Where a path left a box from outside, the new box is linked
with it under the condition, so that writing an item of one is seen through the other exactly where they are the same.
"""

from __future__ import annotations

import weakref
from typing import Any

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
            table = trace.notes.setdefault("aliases", {})
            for one, other in ((joined, box), (box, joined)):
                entry = table.get(id(one))
                if entry is None or entry[0]() is not one:
                    entry = table[id(one)] = (weakref.ref(one), [])
                entry[1].append((weakref.ref(other), test, when))
        if is_array(box):
            mark_array(joined, of_any_rank=True)


def write_through(trace: Trace, box: Tensor, seen: tuple[Tensor, ...] = ()) -> None:
    """After an item of `box` was written: the boxes that are the same one on some path change with it there."""
    trace.notes.setdefault("written boxes", []).append(weakref.ref(box))
    for first, second, hint in trace.notes.get("doubts", {}).get(id(box), ()):
        if first() is not None and second() is not None and (first() is box or second() is box):
            raise TraceAgain(hint)
    entry = trace.notes.get("aliases", {}).get(id(box))
    if entry is None or entry[0]() is not box:
        return
    for reference, test, when in entry[1]:
        other = reference()
        if other is None or other is box or any(other is s for s in seen) or not is_open(trace, test._value.graph):
            continue
        if not is_open(trace, trace.value_of(other).graph):
            continue
        new, old = (box, other) if when else (other, box)
        trace.write(other, trace.operand(op.where(test, new, old)))
        write_through(trace, other, (*seen, box))


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
        for box in (after, before):
            table.setdefault(id(box), []).append((weakref.ref(after), weakref.ref(before), hint))


def linked_boxes(trace: Trace, box: Any) -> list[tuple[Tensor, Any]]:
    """The boxes that `box` may be, itself included, with the condition under which it is."""
    found: list[tuple[Tensor, Any]] = [(box, True)]
    for one, condition in found:
        entry = trace.notes.get("aliases", {}).get(id(one))
        if entry is None or entry[0]() is not one:
            continue
        for reference, test, when in entry[1]:
            other = reference()
            if other is None or any(other is known for known, _ in found) or not is_open(trace, test._value.graph):
                continue
            mine = test if when else op.logical_not(test)
            found.append((other, mine if condition is True else op.logical_and(condition, mine)))
    return found


def alias_condition(trace: Trace, a: Any, b: Any) -> Any:
    """Whether two boxes are the same one: True, False, or a staged truth."""
    if type(a) is not Tensor or type(b) is not Tensor:
        return False
    return next((condition for box, condition in linked_boxes(trace, a) if box is b), False)
