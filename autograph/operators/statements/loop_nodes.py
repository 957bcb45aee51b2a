"""Loop nodes: the types of what they carry are a fixed point.

The body is traced with the entry types; what comes out is joined with them and, if that widened anything (a size, a
dtype, None or a tensor), the body is traced again with the wider types, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.sharing import sharing_of, sync
from autograph.operators.state.births import births_of
from autograph.operators.state.places import UNBOUND, UNDEFINED, label_of, names_of, unset_by_loop
from autograph.operators.state.regions import (
    NewReferences,
    Traced,
    close,
    inside,
    provisional,
    replayed,
    run_region,
)
from autograph.operators.statements.loop_state import LoopState, Slot
from autograph.operators.statements.seen_loops import learned_before
from autograph.operators.values.choice import alternatives_of
from autograph.operators.values.descriptors import (
    Joiner,
    Leaf,
    OneOf,
    Sequence,
    Static,
    Struct,
    Undefined,
    canonical,
    describe,
    growing_text,
    growing_tuple,
    is_mutable,
    value_types,
)
from autograph.operators.values.invariants import checking_invariants
from autograph.operators.values.packing import alternative_for, pack, unpack
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.passes.ordered_writes import append_in_order
from runtime.tensor.trace import BoxPlace, Place, Trace
from runtime.tensor.variable import Variable
from runtime.tensor.views import is_array, mark_array
from runtime.typesys.errors import OperatorNotAllowedInGraphError, OpError

__all__ = [
    "attempts",
    "emit_while",
    "finish",
    "fixed_point",
    "pack_outputs",
    "set_predicate",
    "settled_by",
    "with_parameters",
]

_MAX_PASSES = 40


def fixed_point(
    trace: Trace, state: LoopState, attempt: Callable[[LoopState], list[Traced]]
) -> tuple[list[Traced], list[Any]]:
    """Trace the loop's regions until the carried types do not change. The last of the regions is the body.

    Returns the regions and the final values of the carried places in the body's region.
    """
    sync(trace)
    learned_before(trace, state)
    keys = {place.key for place in state.places}
    settled = False
    changing: list[Place] = []
    deeper = 0  # passes in a row that nested types deeper
    shared = 0  # passes that found containers to be one
    others = 0  # passes in a row that left an object of their own, which the next one does not know
    heap = trace.notes.get("heap")
    for _ in range(_MAX_PASSES):
        abandoned = trace.notes.get("abandoned", 0)
        try:
            with provisional(trace, not settled):
                regions = attempt(state)
        except NewReferences as new:
            if heap is None or not heap.put_in(tuple(new.found)):
                raise
            state.open_lists(heap)
            continue
        body = regions[-1]
        incomplete = trace.notes.get("abandoned", 0) != abandoned
        grown = False
        for region in regions:
            for key, place in region.places.items():
                if key not in keys:
                    keys.add(key)
                    state.add(place)
                    grown = True
        if heap is not None:
            grown |= state.open_lists(heap, body)
        if grown:
            settled = False
            continue
        parameters = body.parameters
        if _needs_flags(trace, state, regions):
            settled = False
            shared += 1
            if shared > _SHARED:
                break
            continue
        finals = [body.final(p, v) for p, v in zip(state.places, parameters, strict=True)]
        joiner = Joiner()
        joined = []
        for d, parameter, final in zip(state.types, parameters, finals, strict=True):
            same = final is parameter and isinstance(d, (Static, Leaf))
            if same:
                joined.append(d)
                continue
            with replayed(body):
                after = joiner.opened_for(describe(final), d)
            made = growing_text(joiner(d, after), d)
            joined.append(made if state.exact else growing_tuple(made, d))
        if canonical(joined) == canonical(state.types):
            if not incomplete or settled:
                state.learned.keep(state)
                return regions, finals
            settled = True  # once more, for good: what fails now fails for the user
            continue
        settled = False
        pairs = zip(state.places, state.types, joined, strict=True)
        changing = [place for place, before, after in pairs if canonical([before]) != canonical([after])]
        deeper = deeper + 1 if sum(map(_depth, joined)) > sum(map(_depth, state.types)) else 0
        others = others + 1 if _objects_made(trace, joined) - _objects_made(trace, state.types) else 0
        if others > _OTHERS:
            break
        if deeper > _MUCH_DEEPER or (deeper > 1 and _grows_without_end(state.types, joined)):
            break
        state.types = joined
    if any(isinstance(place, BoxPlace) and isinstance(place.box, Variable) for place in changing or state.places):
        raise refusal("variable-created-again", when="in a loop of the graph, where it would be a new one at each turn")
    raise refusal("unsettled-loop", names=names_of(changing or state.places))


def _grows_without_end(types: list[Any], joined: list[Any]) -> bool:
    """Whether types are nested deeper at each turn: each pass takes longer than all before together."""
    count = sum(len(value_types(d)) for d in joined)
    return count > _MANY_VALUES and count > 3 * sum(len(value_types(d)) for d in types) // 2


def _objects_made(trace: Trace, types: list[Any]) -> set[int]:
    """The ids of objects in types, known by what they are, that were made in regions which are closed."""
    births, found, pending = births_of(trace), set(), list(types)
    while pending:
        d = pending.pop()
        if isinstance(d, Static):
            if births.left(d.value, trace):
                found.add(id(d.value))
        elif isinstance(d, OneOf):
            pending += d.alternatives
        elif isinstance(d, Struct):
            pending += d.children
        elif isinstance(d, Sequence) and d.element is not None:
            pending.append(d.element)
    return found


_OTHERS = 3
_SHARED = 8  # each pass may find what the one before has made: lists are references then
_MANY_VALUES = 60
_MUCH_DEEPER = 12


def _depth(d: Any) -> int:
    """How deep structures are nested in a type."""
    if isinstance(d, OneOf):
        return max(map(_depth, d.alternatives), default=0)
    if isinstance(d, Sequence):
        return 1 + (0 if d.element is None else _depth(d.element))
    return 1 + max(map(_depth, d.children), default=0) if isinstance(d, Struct) else 0


def _needs_flags(trace: Trace, state: LoopState, regions: list[Traced]) -> bool:
    body = regions[-1]
    finals = [body.final(p, v) for p, v in zip(state.places, body.parameters, strict=True)]
    shared = state.sharing.grow(trace, state, regions, finals)
    return state.aliases.grow(trace, state, body, finals) or shared


def attempts(state_of: Callable[[bool], Any]) -> Any:
    """Trace with Python numbers as loop variables; if the code needs them as Python numbers, with them as they are."""
    try:
        return state_of(True)
    except (OperatorNotAllowedInGraphError, OpError, TypeError, ValueError) as error:
        try:
            return state_of(False)
        except Exception:  # noqa: BLE001 (the first attempt's error says more)
            raise error from None


def with_parameters(
    trace: Trace,
    state: LoopState,
    graph: Graph,
    thunk: Callable[[], Any],
    made: tuple[Any, ...] = (),
    ends: bool = False,
) -> Traced:
    """Trace a region whose inputs are the carried values, with the places holding them; `made` are its own, too.

    `ends` says that the region is one turn of the loop: what its places hold at the end is what the next starts with.
    """
    heap = trace.notes.get("heap")
    held = None if heap is None else heap.enter()
    around = trace.notes.get("loop_options")
    trace.notes["loop_options"] = state.options
    inside_of = state.learned.open(trace, state.places)
    try:
        parameters = state.parameters(graph)
        for entry, parameter in zip(state.entries, parameters, strict=True):
            if is_array(entry):
                mark_array(parameter)

        def turn() -> Any:
            state.aliases.link_parameters(trace, parameters)
            state.sharing.note(trace, state.places, parameters)
            with checking_invariants(trace, state.places):
                result = thunk()
            if ends:
                state.aliases.write_flags(trace, state.places)
                state.sharing.write_flags(trace, state.places)
            return result

        fresh = (*made, *state.fresh(parameters))
        for each in fresh:
            if type(each) not in (list, dict):
                births_of(trace).add(each, graph)
        traced = run_region(trace, turn, state.places, graph, fresh)
        traced.parameters = parameters
        return traced
    finally:
        state.restore()
        if heap is not None:
            heap.leave(held)
        trace.notes["loop_options"] = around
        state.learned.close(trace, inside_of)


def emit_while(trace: Trace, state: LoopState, condition: Traced, test: Any, body: Traced, finals: list[Any]) -> None:
    """The node, its outputs put into the places."""
    set_predicate(trace, condition, test)
    pack_outputs(trace, state, body, finals)
    outers = close(trace, [condition.region, body.region])
    finish(trace, state, "while_loop", [], outers, (condition.region.graph, body.region.graph), finals)


def set_predicate(trace: Trace, condition: Traced, test: Any) -> None:
    """Make the region of the test return its truth."""
    with inside(trace, condition.region):
        predicate = trace.operand(test)
        condition.region.graph.outputs = [condition.region.resolve(predicate)]


def pack_outputs(trace: Trace, state: LoopState, body: Traced, finals: list[Any]) -> None:
    """Make the body's region return the carried values."""
    with inside(trace, body.region), replayed(body):
        values: list[Value] = []
        for final, d in zip(finals, state.types, strict=True):
            values += pack(final, d)
        body.region.graph.outputs = [body.region.resolve(v) for v in values]


def finish(
    trace: Trace,
    state: LoopState,
    name: str,
    lead: list[Value],
    outers: list[Value],
    regions: tuple[Graph, ...],
    finals: list[Any],
) -> None:
    """Emit a loop node with the entry values of the carried places; afterwards the places hold its outputs."""
    values: list[Value] = []
    for entry, d in zip(state.entries, state.types, strict=True):
        values += pack(entry, d)
    types = tuple(t for d in state.types for t in value_types(d))
    attrs = {"carried": len(values), **_memory_budget(trace), **state.options}
    node = trace.builder.emit(get(name), [*lead, *values, *outers], attrs, types, regions)
    append_in_order(node)
    outputs = iter(node.outputs)
    results = []
    for i, (place, d, entry, final) in enumerate(zip(state.places, state.types, state.entries, finals, strict=True)):
        name_of_place = label_of(place, unset_by_loop) if entry is UNBOUND else label_of(place)
        value = entry if isinstance(d, Static) and entry is not UNDEFINED else unpack(d, outputs, name_of_place)
        if state.aliases.stays(i, entry) and trace.value_of(entry).type == value.type:
            value = entry
        if is_array(final) or is_array(entry):
            mark_array(value)
        if state.runs and isinstance(d, OneOf):
            value = settled_by(final, d, value)
        if type(place) is not Slot:
            trace.record(place)
        place.write(UNBOUND if value is UNDEFINED else value)
        results.append(value)
    state.aliases.after(trace, state, results)
    state.sharing.note(trace, state.places, results)
    if "sharing" in trace.notes:
        sharing_of(trace).note_all()


def _memory_budget(trace: Trace) -> dict[str, Any]:
    """The attribute of loops of a function that has a memory budget."""
    budget = trace.notes.get("memory_budget")
    return {} if budget is None else {"memory_budget": budget}


def settled_by(final: Any, d: OneOf, value: Any) -> Any:
    """What a place holds after a loop that surely ran: the one alternative that its body leaves, if it is one."""
    left = describe(final)
    if isinstance(left, (OneOf, Undefined)) or is_mutable(final):
        return value
    return alternatives_of(value)[alternative_for(left, d)]
