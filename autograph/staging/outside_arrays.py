"""NumPy arrays from outside that a function writes: tensors while it is traced, wherever its functions reach them. In the
places of containers of which only the run knows what they hold, there are forms (`outside_forms`).

    buf[i] = x    ->    each call reads buf, and writes into it when it ends

That an array is written is found out on the way (`plain_arrays.check_write`): then the function is traced again, with a
tensor in each place that holds the array. Arrays that share memory are views of one tensor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.state.aliases import TraceAgain
from autograph.operators.state.births import births_of
from autograph.operators.state.places import UNBOUND, CellPlace
from autograph.operators.values.descriptors import Sequence
from autograph.operators.values.listvalue import ListContents
from autograph.staging.dependence import Dependence, Node
from autograph.staging.outside_forms import FormPlace, has_form
from runtime.ir.graph import Value
from runtime.tensor.dispatch import op
from runtime.tensor.items import normalize_index
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace
from runtime.tensor.views import Turned, mark_array, note_view
from runtime.typesys.spec import type_of_payload

__all__ = ["OutsideArrays"]


class _Spot:
    """A place that holds an array, or a tuple with arrays in it. It is changed behind the back of the trace."""

    __slots__ = ("_held", "_key", "_owner", "original")

    def __init__(self, owner: Any, key: Any, original: Any) -> None:
        self._owner = owner
        self._key = key
        self.original = original
        self._held: Any = original

    @property
    def key(self) -> Any:
        return (id(self._owner.cell), None) if isinstance(self._owner, CellPlace) else (id(self._owner), self._key)

    def _read(self) -> Any:
        owner, key = self._owner, self._key
        if isinstance(owner, CellPlace):
            return owner.read()
        try:
            return owner[key] if isinstance(owner, (dict, list, deque)) else key.__get__(owner)
        except (AttributeError, LookupError):
            return UNBOUND

    def _put(self, value: Any) -> None:
        owner, key = self._owner, self._key
        if isinstance(owner, CellPlace):
            owner.write(value)
        elif isinstance(owner, type):
            setattr(owner, key, value)
        elif isinstance(owner, dict):
            dict.__setitem__(owner, key, value)
        elif isinstance(owner, (list, deque)):
            owner[key] = value
        else:
            key.__set__(owner, value)

    def stands(self) -> bool:
        """Whether the place holds what it held."""
        return self._read() is self.original

    def enter(self, boxes: dict[int, Any]) -> None:
        """Put the tensors there."""
        self._held = _with_boxes(self.original, boxes)
        self._put(self._held)

    def leave(self) -> bool:
        """Put back what was there, unless the function has put something else there; whether it was put back."""
        held = self._read() is self._held
        if held:
            self._put(self.original)
        return held

    def again(self) -> None:
        """Undo `leave`."""
        self._put(self._held)


def _with_boxes(x: Any, boxes: dict[int, Any]) -> Any:
    if isinstance(x, tuple):
        parts = [_with_boxes(part, boxes) for part in x]
        if any(a is not b for a, b in zip(parts, x, strict=True)):
            return tuple.__new__(type(x), parts)
    return boxes.get(id(x), x)


class OutsideArrays:
    """The arrays from outside that one function writes, over all attempts to trace it."""

    def __init__(self, function: Any, arguments: dict[str, Any]) -> None:
        self._function = function
        self._arguments = arguments
        self._arrays: dict[int, Any] = {}  # those that are tensors: they share memory with one that is written
        self._forms: dict[int, FormPlace] = {}  # by id of a container
        self._spots: dict[Any, _Spot] = {}
        self._known: tuple[int, dict[int, Any]] = -1, {}
        self._inputs: list[tuple[Any, Tensor, Value]] = []  # of this attempt: memory, its tensor, what that held at first
        self._boxes: dict[int, Tensor] = {}
        self._entered: list[tuple[Any, Any, Tensor, Any]] = []  # places of state, an array, its tensor, what that held
        self._places: list[Any] = []  # all places of state
        self._state: dict[Any, Any] = {}  # what places of state held before this attempt

    def written(self, trace: Trace, array: Any) -> None:
        """Before an array is written.

        Raises:
          TraceAgain: it, or what it is a view of, was there before the trace: that is a tensor from now on.
        """
        if self._known[0] != len(trace.called):
            self._known = len(trace.called), {id(x): x for node in self._nodes(trace) for x in _arrays_in(node.value)}
        known = self._known[1]
        found = known.get(id(array))
        if found is None and array.base is not None:
            found = next((x for x in known.values() if np.may_share_memory(x, array)), None)
        if found is None or id(found) in self._arrays or found.dtype.kind not in "biufc" or not found.dtype.isnative:
            return
        if not array.flags.writeable:
            raise ValueError("assignment destination is read-only")
        self._arrays[id(found)] = found
        self._gather(trace)
        raise TraceAgain(("outside", id(found)))

    def only_run_knows(self, trace: Trace, container: Any) -> None:
        """A container gets a key, or a length, that only the run knows.

        Raises:
          TraceAgain: it was there before the trace: it is a form from now on.
        """
        if id(container) in self._forms or not has_form(container):
            return
        if not any(node.value is container for node in self._nodes(trace)):
            return
        self._forms[id(container)] = FormPlace(container)
        self._gather(trace)
        raise TraceAgain(("outside", id(container)))

    def entries(self, known: Iterable[Any]) -> list[tuple[FormPlace, Any]]:
        """Places of forms that are not state yet, and how what they hold enters."""
        keys = {place.key for place in known}
        return [(place, place.described()) for place in self._forms.values() if place.key not in keys]

    def make_forms(self) -> None:
        """Before an attempt: what stands for containers."""
        for place in self._forms.values():
            place.enter()

    def complete(self, trace: Trace, arguments: Iterable[tuple[Any, Tensor, Value]]) -> None:
        """At the end of an attempt, when all functions are known that are called.

        Args:
          trace: the attempt.
          arguments: what was passed, the tensor that stood for it, and what that held at first.

        Raises:
          OperatorNotAllowedInGraphError: an argument was written that is also outside.
          TraceAgain: there are more places, or more arrays: those that were written, or put into another place, as state.
        """
        written = [x for x, box, before in arguments if type(x) is np.ndarray and box._value is not before]
        if written:
            found = [x for node in self._nodes(trace) for x in _arrays_in(node.value)]
            if any(np.may_share_memory(x, y) for x in found for y in written):
                raise refusal("array-write")
        finals = [(place, place.read()) for place in self._places] if self._entered else []
        for place, array, symbol, before in self._entered:
            if symbol._value is not before or any(final is symbol and other is not place for other, final in finals):
                self._arrays[id(array)] = array
        if self._arrays or self._forms:
            before = len(self._spots)
            self._gather(trace)
            if len(self._spots) > before:
                raise TraceAgain(("outside", -len(self._spots)))

    def _nodes(self, trace: Trace) -> list[Node]:
        """What the functions that were called can reach."""
        originals: dict[Any, Any] = {}
        for table in reversed(trace.journal):
            originals.update((key, before) for key, (_, before) in table.items() if key[0] in _PLACES)
        originals |= self._state
        back = self._stood_for()
        originals = {key: back.get(id(before), before) for key, before in originals.items()}
        left = [spot for spot in self._spots.values() if spot.leave()]
        try:
            dependence = Dependence(trace.called, originals, set(), births_of(trace).__contains__)
            nodes = dependence.collect(self._function, self._arguments, trace.notes.get("named_reads", {}))
        finally:
            for spot in left:
                spot.again()
        for node in nodes:
            nodes += node.children.values()
        return nodes

    def _gather(self, trace: Trace) -> None:
        """Find all places of all arrays that share memory with one that is written."""
        nodes = self._nodes(trace)
        found = {id(x): x for node in nodes for x in _arrays_in(node.value)}
        for x in found.values():
            if id(x) not in self._arrays and any(np.may_share_memory(x, y) for y in self._arrays.values()):
                self._arrays[id(x)] = x
        if any(len(family) > 1 and _memory_of(family) is None for family in _families(list(self._arrays.values()))):
            raise refusal("array-write")
        for node in nodes:
            if node.source[0] in ("global", "cell"):
                self._spot(node, *_of_root(node))
            for child in node.children.values():
                where = _of_child(node.value, child)
                if where is not None:
                    self._spot(child, *where)

    def _spot(self, node: Node, owner: Any, key: Any) -> None:
        if any(id(x) in self._arrays or id(x) in self._forms for x in _parts_of(node.value)):
            spot = _Spot(owner, key, node.value)
            known = self._spots.setdefault(spot.key, spot)
            if known.original is not node.value and not isinstance(node.value, tuple):
                raise refusal("array-write")

    def enter(self, trace: Trace, state: list[tuple[Any, Any]]) -> None:
        """Begin an attempt: tensors stand where the arrays do. `state`: places that are inputs, and what they held."""
        self._state = {place.key: held for place, held in state}
        self._places = [place for place, _ in state]
        self._known = -1, {}
        self._inputs, self._boxes = [], {}
        for family in _families(list(self._arrays.values())):
            self._enter_family(trace, family)
        for spot in self._spots.values():
            spot.enter(self._boxes | {key: place.form for key, place in self._forms.items()})
        trace.arrays = self._boxes
        self._entered = [
            (place, held, symbol, symbol._value)
            for place, held in state
            if type(held) is np.ndarray and id(held) not in self._arrays and type(symbol := place.read()) is Tensor
        ]

    def _enter_family(self, trace: Trace, family: list[Any]) -> None:
        if len(family) == 1:
            self._boxes[id(family[0])] = self._input(trace, family[0])
            return
        memory = _memory_of(family)
        assert memory is not None  # `_gather` has asked
        base = self._input(trace, memory)
        order = np.arange(memory.size)
        for x in family:
            start = (x.ctypes.data - memory.ctypes.data) // memory.itemsize
            steps = [step // memory.itemsize * order.itemsize for step in x.strides]
            index = np.lib.stride_tricks.as_strided(order[start:], x.shape, steps).copy()
            shape = list(x.shape)
            where = _of_all(shape) if index.size == memory.size and (index.reshape(-1) == order).all() else _of_some(index)
            view = where.there(base)
            view = Tensor(view._value)
            view._parent = (base, where)
            note_view(base, view)
            self._boxes[id(x)] = view

    def _input(self, trace: Trace, array: Any) -> Tensor:
        value = trace.capture(array, type_of_payload(array))
        box = mark_array(Tensor(value), of_any_rank=True)
        self._inputs.append((array, box, value))
        return box  # type: ignore[no-any-return]

    def leave(self) -> None:
        """End an attempt: the arrays and containers stand where they stood."""
        for spot in self._spots.values():
            spot.leave()
        for place in self._forms.values():
            place.form = None

    def _stood_for(self) -> dict[int, Any]:
        """What was there, by the id of what stands there now."""
        boxes = {id(box): self._arrays[key] for key, box in self._boxes.items()}
        return boxes | {id(place.form): place.owner for place in self._forms.values()}

    def refuse_lists(self, entries: Iterable[Any]) -> None:
        """Refuse places of state that are lists of any length with such arrays in them."""
        long = {id(getattr(e.place, "owner", None)) for e in entries if isinstance(e.before, Sequence)}
        if any(spot.key[0] in long for spot in self._spots.values()):
            raise refusal("array-write")

    def left_in(self, value: Any) -> Any:
        """What a place is left with, if that is one of the arrays, or a list with some of them: the array, or those by
        their index."""
        arrays = self._stood_for()
        if type(value) is ListContents:
            return {i: arrays[id(x)] for i, x in enumerate(value.items) if id(x) in arrays}
        return arrays.get(id(value))

    @property
    def keys(self) -> set[Any]:
        """By which guards know that what is in the arrays is read at each call."""
        return {("outside", key) for key in (*self._arrays, *self._forms)}

    def changed(self) -> tuple[list[Any], list[Value], list[_Spot]]:
        """The arrays that the graph writes, what it leaves in them, and the places that hold arrays as long as it fits."""
        changed = [(array, box._value) for array, box, before in self._inputs if box._value is not before]
        return [array for array, _ in changed], [value for _, value in changed], list(self._spots.values())


def _of_all(shape: list[int]) -> Turned:
    """An array of a shape that looks at the whole memory."""
    return Turned(lambda y: op.reshape_method(y, shape), lambda view, _: op.reshape_method(view, [-1]))


def _of_some(index: Any) -> Turned:
    """One whose items stand at an index of the memory."""
    spec, parts = normalize_index(index)
    return Turned(lambda y: op.get_item(y, index), lambda view, base: op.index_update(base, view, *parts, spec=spec))


_PLACES = frozenset(("cell", "global", "attribute", "item"))


def _parts_of(x: Any) -> Iterator[Any]:
    """A value, or those in a tuple."""
    if isinstance(x, tuple):
        for part in x:
            yield from _parts_of(part)
    else:
        yield x


def _arrays_in(x: Any) -> Iterator[Any]:
    """An array, or those in a tuple."""
    return (part for part in _parts_of(x) if type(part) is np.ndarray)


def _of_root(node: Node) -> tuple[Any, Any]:
    """(owner, key) of a global or a cell."""
    how, where = node.source
    return (where, node.label) if how == "global" else (CellPlace(where, node.label), None)


def _of_child(x: Any, child: Node) -> tuple[Any, Any] | None:
    """(owner, key) of an attribute or item of `x`; None for items of what cannot be changed, which is changed itself."""
    how, name = child.source
    if how == "[":
        return (x, name) if isinstance(x, (dict, list, deque)) else None
    own = getattr(x, "__dict__", None)
    if isinstance(own, dict) and name in own:
        return own, name
    for kind in x.__mro__ if isinstance(x, type) else type(x).__mro__:
        if name in kind.__dict__:
            found = kind.__dict__[name]
            return (x, found) if hasattr(type(found), "__set__") else (kind, name)
    return None


def _families(arrays: list[Any]) -> Iterator[list[Any]]:
    """Arrays by the memory that they share."""
    while arrays:
        family = [arrays.pop()]
        for x in family:
            more = [y for y in arrays if np.may_share_memory(x, y)]
            arrays = [y for y in arrays if not any(y is z for z in more)]
            family += more
        yield family


def _memory_of(family: list[Any]) -> Any:
    """One long array over the memory of several; None where they do not look at it in one way."""
    root = family[0]
    while type(root.base) is np.ndarray:
        root = root.base
    flat = root if root.flags.c_contiguous else root.T
    same = flat.flags.c_contiguous and all(x.dtype == root.dtype and np.may_share_memory(x, root) for x in family)
    inside = same and all((x.ctypes.data - flat.ctypes.data) % root.itemsize == 0 for x in family)
    return flat.reshape(-1) if inside else None
