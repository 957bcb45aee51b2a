"""Which tensors the names of a staged loop are: after `for ...: w = w * 2`, w is the tensor it was if the loop did not run.

Each name that a loop rebinds is a new box in its body and after it. Where items are written of a tensor that such a name
is or may be, the loop carries a flag for each pair that may be one, and links their boxes under it (see `aliases`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autograph.operators.state.aliases import (
    alias_condition,
    doubt,
    hints_of,
    link,
    linked_boxes,
    written_boxes,
)
from autograph.operators.state.nesting import outwards
from autograph.operators.state.regions import inside
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace

__all__ = ["LoopAliases"]


class LoopAliases:
    """The flags of one loop. A pair is (number of a place, number of another place or a box from outside)."""

    def __init__(self, origin: Any, slot: Callable[[str, Any], Any]) -> None:
        self.origin = origin  # the code of the loop's body
        self.slot = slot  # makes a place of the loop's own
        self.flags: dict[tuple[int, Any], tuple[Any, Any]] = {}  # pair, boxes by id -> (box if it is one, its flag)
        self.tracked: set[int] = set()
        self.always: set[int] = set()  # places that hold at each turn's end the box they held at its beginning
        self.never: set[int] = set()  # places that hold a new one then
        self.exchanged: set[int] = set()  # places whose boxes turns exchange: each is one place's alone, at every time

    def link_parameters(self, trace: Trace, parameters: list[Any]) -> None:
        """In a region: what its parameters are linked with."""
        for (i, other), (box, flag) in self.flags.items():
            truth = flag.read()
            if isinstance(truth, Tensor):
                link(trace, parameters[i], box if box is not None else parameters[other], None, truth)

    def write_flags(self, trace: Trace, places: list[Place]) -> None:
        """At a body's end: the flags as the names are now."""
        now = [place.read() for place in places]
        new = [alias_condition(trace, now[i], box if box is not None else now[j]) for (i, j), (box, _) in self.flags.items()]
        for (_, flag), truth in zip(self.flags.values(), new, strict=True):
            flag.write(truth)

    def grow(self, trace: Trace, state: Any, body: Any, finals: list[Any]) -> bool:
        """After a trace of the body: whether more flags are needed, which are now there."""
        count = len(self.flags)
        with inside(trace, body.region):
            wanted = list(self._wanted(trace, state, body, finals))
        for i, other in wanted:
            self._add(trace, state, i, other)
        return len(self.flags) > count

    def _wanted(self, trace: Trace, state: Any, body: Any, finals: list[Any]) -> Iterator[tuple[int, Any]]:
        """The pairs that may be one, as a turn of the loop leaves them."""
        parameters, written = body.parameters, written_boxes(trace)
        leaves = [i for i, p in enumerate(parameters) if type(p) is Tensor and not _is_own(state.places[i])]
        boxes = {i: linked_boxes(trace, finals[i]) for i in leaves if type(finals[i]) is Tensor}
        self.always = {i for i in leaves if finals[i] is parameters[i]}
        self.never = {i for i, linked in boxes.items() if len(linked) == 1} - self.always
        self.exchanged = self._exchanged(trace, state, leaves, parameters, finals, boxes)
        leaves = [i for i in leaves if i not in self.exchanged]
        for i in leaves:
            hinted = (self.origin, getattr(state.places[i], "name", None)) in hints_of(trace)
            if hinted or id(parameters[i]) in written or id(state.entries[i]) in written:
                self.tracked.add(i)
        if not self.tracked:
            return
        position = {id(parameters[i]): i for i in leaves}
        for i in leaves:
            if i in self.tracked or i not in self.always:
                yield i, state.entries[i]
            for box, _ in boxes.get(i, ()):
                j = position.get(id(box))
                if j is not None and j != i:
                    yield i, state.entries[j]
                    yield i, j
                elif j is None and _is_outside(trace, box, body.region):
                    yield i, box
            for j in leaves:
                if j < i and alias_condition(trace, finals[i], finals[j]) is not False:
                    yield i, j

    def _exchanged(
        self, trace: Trace, state: Any, leaves: list[int], parameters: list[Any], finals: list[Any], boxes: dict[int, Any]
    ) -> set[int]:
        """Places that hold boxes which nobody else does, and hold at a turn's end each another's, or a new one: they
        are never one, and what they were before the loop is not seen after it."""
        position = {id(parameters[i]): i for i in leaves}
        found = {i for i in leaves if i in state.unshared and len(boxes.get(i, ())) == 1 and i not in self.always}
        while found:
            bad = set()
            for i in found:
                j = position.get(id(finals[i]))
                own = j in found if j is not None else _is_inside(trace, finals[i])
                if not own or any(k != i and alias_condition(trace, finals[k], finals[i]) is not False for k in leaves):
                    bad.add(i)
            for k in leaves:  # what others may hold
                bad |= {position[id(box)] for box, _ in boxes.get(k, ()) if k not in found and id(box) in position} & found
            if not bad:
                break
            found -= bad
        return found if any(id(finals[i]) in position for i in found) else set()

    def _add(self, trace: Trace, state: Any, i: int, other: Any) -> None:
        is_box = type(other) is Tensor
        if not is_box and not isinstance(other, int):
            return
        key = (i, id(other) if is_box else other)
        if key not in self.flags:
            same = alias_condition(trace, state.entries[i], other if is_box else state.entries[other])
            flag = self.slot("same", same)
            self.flags[key] = (other if is_box else None, flag)
            state.add(flag)

    def stays(self, i: int, entry: Any) -> bool:
        """Whether a place holds after the loop the very box that it held before, unchanged."""
        return i in self.always and i not in self.tracked and type(entry) is Tensor

    def after(self, trace: Trace, state: Any, values: list[Any]) -> None:
        """After the loop: links of what its places hold now; doubts where no account was kept."""
        for (i, other), (box, flag) in self.flags.items():
            truth = flag.read()
            if isinstance(truth, Tensor):
                link(trace, values[i], box if box is not None else values[other], None, truth)
        for i, value in enumerate(values):
            entry, place = state.entries[i], state.places[i]
            known = i in self.tracked or i in self.exchanged or value is entry or (state.runs and i in self.never)
            if not known and type(value) is Tensor and not _is_own(place):
                doubt(trace, value, entry, (self.origin, getattr(place, "name", None)))


def _is_own(place: Place) -> bool:
    return place.key[0] == "slot"  # type: ignore[no-any-return]


def _is_inside(trace: Trace, box: Tensor) -> bool:
    """Whether a box belongs to the open region itself."""
    return trace.value_of(box).graph is trace.builder.region.graph


def _is_outside(trace: Trace, box: Tensor, region: Any) -> bool:
    """Whether a box belongs to what encloses a region."""
    graph = trace.value_of(box).graph
    return any(outer.graph is graph for outer in outwards(region.parent))
