"""Boxes that are one in some paths: after `if c: w = w * 2`, w is the tensor it was where c is false.

A conditional makes a new box of what its two paths leave. Where a path left a box from outside, the new box is linked
with it under the condition, so that writing an item of one is seen through the other exactly where they are the same.
"""

from __future__ import annotations

import weakref
from typing import Any

from runtime.ir.graph import Graph
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace

__all__ = ["link", "write_through"]


def link(trace: Trace, joined: Any, left: Any, right: Any, test: Tensor) -> None:
    """Note that `joined` is the box `left` where `test` is true, and `right` where it is false."""
    if type(joined) is not Tensor:
        return
    for box, when in ((left, True), (right, False)):
        if type(box) is Tensor and _is_open(trace, trace.value_of(box).graph) and box.type == joined.type:
            table = trace.notes.setdefault("aliases", {})
            for one, other in ((joined, box), (box, joined)):
                entry = table.get(id(one))
                if entry is None or entry[0]() is not one:
                    entry = table[id(one)] = (weakref.ref(one), [])
                entry[1].append((weakref.ref(other), test, when))


def _is_open(trace: Trace, graph: Graph) -> bool:
    """Whether a graph is under construction: what belongs to it can be seen from here."""
    region = trace.builder.region
    while region is not None:
        if region.graph is graph:
            return True
        region = region.parent  # type: ignore[assignment]
    return False


def write_through(trace: Trace, box: Tensor, seen: tuple[Tensor, ...] = ()) -> None:
    """After an item of `box` was written: the boxes that are the same one on some path change with it there."""
    entry = trace.notes.get("aliases", {}).get(id(box))
    if entry is None or entry[0]() is not box:
        return
    for reference, test, when in entry[1]:
        other = reference()
        if other is None or other is box or any(other is s for s in seen) or not _is_open(trace, test._value.graph):
            continue
        if not _is_open(trace, trace.value_of(other).graph):
            continue
        new, old = (box, other) if when else (other, box)
        trace.write(other, trace.operand(op.where(test, new, old)))
        write_through(trace, other, (*seen, box))
