"""Running a converted function on symbols: collects its graph, what it returns, and what it does to the world outside.

A place outside (an attribute, a list, a closure's name) that receives a staged value is state of the function: it is
traced again with that place as an input, so that each call reads it and writes it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.operators.descriptors import (
    Descriptor,
    Joiner,
    Leaf,
    Sequence,
    Static,
    describe,
    loosen,
    pack,
    unpack,
    value_types,
)
from autograph.operators.lists import ListPlace
from autograph.operators.places import UNDEFINED
from autograph.operators.regions import PathEnds, drop_garbage
from autograph.staging.signature import leaf_type, rebuild
from runtime.ir.graph import Graph, Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import BoxPlace, Place, Trace, tracing
from runtime.typesys.errors import UnimplementedError

__all__ = ["StateEntry", "TracedFunction", "trace_function"]


class StateEntry:
    """A place outside the function that it reads and writes through the graph."""

    __slots__ = ("after", "before", "place")

    def __init__(self, place: Place, before: Descriptor) -> None:
        self.place = place
        self.before = before  # how it enters
        self.after: Descriptor | None = None  # how it leaves


class TracedFunction:
    """The graph of one signature and how its inputs and outputs meet the world."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.arguments = 0  # the first inputs: the call's array leaves
        self.state: list[StateEntry] = []  # then these
        self.captured: list[Any] = []  # then boxes and arrays from outside, read at each call
        self.result: Descriptor = Static(None)  # outputs: the result, then
        self.changed_arguments: list[int] = []  # argument leaves whose box was written
        self.written: list[Tensor] = []  # outside boxes that were written
        self.constant_writes: list[tuple[Place, Any]] = []  # Python values written to places outside
        self.created: list[Any] = []  # variables made by the trace


def trace_function(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str, names: list[str], may_create: bool) -> TracedFunction:
    """Trace `function(*args, **kwargs)`, array leaves replaced by symbols."""
    state: list[StateEntry] = []
    created: list[Any] = []
    for _ in range(20):
        traced, grown = _attempt(function, args, kwargs, name, names, may_create and not created, state)
        created += traced.created
        traced.created = created
        if not grown:
            return traced
    raise UnimplementedError(f"the state that {name} changes outside itself keeps changing its type")


def _attempt(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str,
    names: list[str],
    may_create: bool,
    state: list[StateEntry],
) -> tuple[TracedFunction, bool]:
    trace = Trace(name)
    traced = TracedFunction(trace.graph)
    trace.notes["may_create_variables"] = may_create
    boxes: list[Tensor] = []
    label = [""]

    def symbol(leaf: Any) -> Tensor:
        box = Tensor(trace.graph.add_input(leaf_type(leaf), label[0] or None))
        boxes.append(box)
        return box

    def named(argument: Any, text: str) -> Any:
        label[0] = text
        return rebuild(argument, symbol)

    table: dict[Any, tuple[Place, Any]] = {}
    with tracing(trace):
        symbols = tuple(named(a, names[i] if i < len(names) else "") for i, a in enumerate(args))
        keywords = {k: named(a, k) for k, a in kwargs.items()}
        traced.arguments = len(boxes)
        arrivals: list[Value] = [b._value for b in boxes]
        originals = [(entry.place, entry.place.read()) for entry in state]
        for entry in state:
            values = [trace.graph.add_input(t, getattr(entry.place, "name", None)) for t in value_types(entry.before)]
            _retarget(entry.place, trace)
            entry.place.write(unpack(entry.before, iter(values)))
        for entry, _ in zip(state, originals, strict=True):
            table[entry.place.key] = (entry.place, entry.place.read())
        trace.journal.append(table)
        try:
            try:
                held = [function(*symbols, **keywords)]
            except PathEnds:
                held = [UNDEFINED]
            grown = _collect(trace, traced, state, table, boxes, arrivals, originals, held)
        finally:
            trace.journal.pop()
            _restore(state, table, originals, boxes)
    traced.state = state
    traced.created = trace.notes.get("created", [])
    return traced, grown


def _retarget(place: Place, trace: Trace) -> None:
    if isinstance(place, ListPlace):
        place.trace = trace


def _restore(state: list[StateEntry], table: dict[Any, tuple[Place, Any]], originals: list[tuple[Place, Any]], boxes: list[Tensor]) -> None:
    """Put back what staged values were written over; Python values that were written stay written."""
    entered = {place.key for place, _ in originals}
    found = {entry.place.key for entry in state} - entered
    for place, original in originals:
        place.write(original)
    for key, (place, original) in table.items():
        if key in entered or isinstance(place, BoxPlace):
            continue
        if key in found or _is_staged(place.read()):
            place.write(original)


def _is_staged(x: Any) -> bool:
    return bool(value_types(loosen(describe(x)))) if not isinstance(describe(x), Static) else False


def _collect(
    trace: Trace,
    traced: TracedFunction,
    state: list[StateEntry],
    table: dict[Any, tuple[Place, Any]],
    boxes: list[Tensor],
    arrivals: list[Value],
    originals: list[tuple[Place, Any]],
    held: list[Any],
) -> bool:
    """The graph's outputs: result, changed arguments, written boxes, state. True if another place became state."""
    known = {entry.place.key: entry for entry in state}
    grown = False
    born = drop_garbage(trace, table, [*known], [held])
    for key, (place, original) in list(table.items()):
        if isinstance(place, BoxPlace) or key in known:
            continue
        final = place.read()
        if final is original or key in born:
            continue
        before, after = describe(original), describe(final)
        if isinstance(after, Static) and not _is_counter(before, after):
            traced.constant_writes.append((place, final))
            continue
        state.append(StateEntry(place, _entry_type(before, after)))
        grown = True
    for entry in state:
        final = entry.place.read()
        after = describe(final)
        if isinstance(entry.place, ListPlace) and not isinstance(entry.before, Sequence):
            joined = _entry_type(entry.before, after)
            if isinstance(joined, Sequence):
                entry.before, grown = joined, True
        entry.after = after
    if grown:
        return True
    traced.result = describe(held[0])
    outputs = pack(held[0], traced.result)
    for i, (box, arrival) in enumerate(zip(boxes, arrivals, strict=True)):
        if box._value is not arrival:
            traced.changed_arguments.append(i)
            outputs.append(box._value)
    for entry in state:
        assert entry.after is not None
        outputs += pack(entry.place.read(), entry.after)
    for key, box in trace.written.items():
        traced.written.append(box)
        outputs.append(trace.overrides[key])
    traced.graph.outputs = [trace.builder.region.resolve(v) for v in outputs]
    inputs = traced.graph.inputs
    things = {value: thing for thing, value in trace.captured.values()}
    lead = traced.arguments + sum(len(value_types(e.before)) for e in state)
    traced.captured = [things[v] for v in inputs[lead:]]
    return False


def _entry_type(before: Descriptor, after: Descriptor) -> Descriptor:
    """How a place of state enters: as it is, numbers as symbols; a list that changes its length as a list of any length."""
    loose = loosen(before)
    joined = Joiner()(loose, loosen(after))
    return joined if isinstance(joined, Sequence) else loose


def _is_counter(before: Descriptor, after: Descriptor) -> bool:
    """Whether a Python number was replaced by another: a count, which every call must go on counting."""
    old, new = loosen(before), loosen(after)
    if not isinstance(old, Leaf) or not isinstance(new, Leaf) or old.type.dtype.is_bool or new.type.dtype.is_bool:
        return False
    return before != after

