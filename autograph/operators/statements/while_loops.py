"""while statements: Python's, or `while_loop` nodes whose variables' types are a fixed point.

The body is traced with the entry types; what comes out is joined with them and, if that widened anything (a size, a
dtype, None or a tensor), the body is traced again with the wider types, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import ListPlace
from autograph.operators.containers.loop_aliases import LoopAliases
from autograph.operators.containers.loop_sharing import LoopSharing
from autograph.operators.containers.sharing import sharing_of, sync
from autograph.operators.state.births import births_of
from autograph.operators.state.places import (
    UNBOUND,
    UNDEFINED,
    label_of,
    name_places,
    put_back,
    unset_before_loop,
    unset_by_loop,
)
from autograph.operators.state.regions import (
    NewReferences,
    Traced,
    close,
    inside,
    provisional,
    replayed,
    run_region,
)
from autograph.operators.statements.endless import ENDLESS, is_endless, refuse_endless
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values.choice import alternatives_of
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    Leaf,
    OneOf,
    Static,
    Undefined,
    canonical,
    describe,
    is_mutable,
    loosen,
    mutable_parts,
    value_types,
)
from autograph.operators.values.invariants import checking_invariants
from autograph.operators.values.packing import alternative_for, pack, unpack
from autograph.operators.values.quick import meet_simple
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.passes.ordered_writes import append_in_order
from runtime.tensor.dispatch import op
from runtime.tensor.trace import Place, Trace, current
from runtime.typesys.errors import InvalidArgumentError, OperatorNotAllowedInGraphError, OpError
from runtime.typesys.spec import TensorType

__all__ = ["LoopState", "Slot", "ask", "fixed_point", "while_rest", "while_stmt"]

MAX_PASSES = 40
_PATIENCE = 200  # turns of a `while True` that are traced one by one


def while_stmt(test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]) -> None:
    """`while test(): body()`; staged from the iteration on in which the test depends on a staged tensor."""
    trace = current()
    if trace is None:
        while truth_of(test()):
            body()
        return
    if _is_constant(test):
        _until_an_exception(trace, test, body, names)
        return
    while True:
        condition = ask(test)
        if condition is False:
            return
        if condition is not True:
            while_rest(condition, test, body, names)
            return
        body()


def _until_an_exception(trace: Trace, test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]) -> None:
    """`while True` without a `break`: turn by turn, as Python's exceptions end it. If none does, it is one that only the
    run knows, and the loop is staged from its beginning."""
    cells = name_places(names, test, body)
    entries = [cell.read() for cell in cells]
    before = trace.builder.emitted
    trial = Trial(trace)
    trace.journal.append(trial.written)
    try:
        turns = 0
        while turns < _PATIENCE or trace.builder.emitted == before:
            body()
            turns += 1
    except BaseException:
        trace.journal.pop()
        trial.keep(trace)
        raise
    trace.journal.pop()
    trial.discard(trace)
    for cell, entry in zip(cells, entries, strict=True):
        cell.write(entry)
    staged_while(trace, test, body, cells)


def _is_constant(test: Callable[[], Any]) -> bool:
    """Whether a test reads nothing (and is true: others are left to Python)."""
    code = getattr(test, "__code__", None)
    return code is not None and not code.co_freevars and not code.co_names


class Trial:
    """What comes is given up where only the run knows its truth or end: what it added to the graph, and what it wrote."""

    __slots__ = ("held", "mark", "shared", "written")

    def __init__(self, trace: Trace) -> None:
        self.held = trace.notes["heap"].enter() if "heap" in trace.notes else None
        self.mark = len(trace.builder.region.graph.nodes)
        self.written: dict[Any, tuple[Place, Any]] = {}
        # The relations between containers before.
        self.shared = list(sharing_of(trace).relations) if "sharing" in trace.notes else []

    def keep(self, trace: Trace) -> None:
        """It was none: let the region know of what it wrote."""
        if self.held is not None:
            trace.notes["heap"].keep(self.held)
        if self.written:
            known = trace.journal[-1]
            for key, entry in self.written.items():
                known.setdefault(key, entry)

    def discard(self, trace: Trace) -> None:
        """Drop a trial of what will be traced again inside the loop: its nodes and what it wrote."""
        del trace.builder.region.graph.nodes[self.mark :]
        put_back(self.written)
        if self.held is not None:
            trace.notes["heap"].give_up(self.held)
        if "sharing" in trace.notes:
            sharing_of(trace).discard(self.shared)


def ask(test: Callable[[], Any], *owners: Any) -> Any:
    """The truth of a loop's test, which reads attributes of `owners`: True, False, or a `Trial`."""
    for owner in owners:
        meet_simple(type(owner))
    trace = current()
    if trace is None:
        return truth_of(test())
    trial = Trial(trace)
    journal = trace.journal
    journal.try_out(trial.written)
    try:
        condition = test()
    except BaseException:
        journal.tried()
        trial.keep(trace)
        raise
    journal.tried()
    if condition is not True and condition is not False:
        condition = truth_of(condition)
        if is_staged_condition(condition):
            return trial
    trial.keep(trace)
    return condition


def while_rest(condition: Any, test: Callable[[], Any], body: Callable[[], None], names: tuple[str, ...]) -> None:
    """Go on with a loop whose test gave something staged: a `Trial`, or the condition of a test without effects."""
    trace = current()
    assert trace is not None
    if type(condition) is Trial:
        condition.discard(trace)
    else:
        _discard_last(trace, test)
    staged_while(trace, test, body, name_places(names, test, body))


def _discard_last(trace: Trace, test: Callable[[], Any]) -> None:
    """Drop the nodes that a test without effects has just added: those that it adds once more."""
    nodes = trace.builder.region.graph.nodes
    end = len(nodes)
    again = ask(test)
    if type(again) is not Trial:
        return
    added = [node.op.name for node in nodes[end:]]
    again.discard(trace)
    if added and [node.op.name for node in nodes[-len(added) :]] == added:
        del nodes[-len(added) :]


class LoopState:
    """The places a staged loop carries, with the types found so far."""

    def __init__(self, cells: list[Place], loosened: bool, runs: bool, body: Any = None) -> None:
        self.aliases = LoopAliases(getattr(body, "__code__", None), Slot)
        self.sharing = LoopSharing()
        self.cells = cells
        self.places: list[Place] = []
        self.entries: list[Any] = []
        self.types: list[Descriptor] = []
        self.loosened = loosened
        self.options: dict[str, Any] = {}  # attributes of the node that the body asked for
        self.runs = runs  # the body is known to run at least once: afterwards, what it always sets is set
        for place in cells:
            self.add(place)

    def add(self, place: Place) -> None:
        """Carry one more place."""
        entry = place.read()
        trace = current()
        if trace is not None and "heap" in trace.notes and type(entry) is not list:
            trace.notes["heap"].put_in(entry)  # what its lists are in the loop, they are outside
        described = Static(entry) if is_mutable(entry) else describe(entry)
        self.places.append(place)
        self.entries.append(entry)
        self.types.append(loosen(described) if self.loosened else described)

    def parameters(self, graph: Graph) -> list[Any]:
        """New inputs of a region for the carried values, as Python values; the places hold them."""
        result = []
        for place, d, entry in zip(self.places, self.types, self.entries, strict=True):
            values = [graph.add_input(t) for t in value_types(d)]
            name = label_of(place, unset_before_loop) if entry is UNBOUND else label_of(place)
            if len(values) == 1:
                values[0].name = name or None
            value = entry if isinstance(d, Static) else unpack(d, iter(values), name)
            result.append(value)
            place.write(UNBOUND if value is UNDEFINED else value)
        return result

    def open_lists(self, heap: Any, body: Traced | None = None) -> bool:
        """Lists that a turn may exchange for others (by `body`) are references; returns whether that is new to the loop."""
        found = False
        for i, (d, place, entry) in enumerate(zip(self.types, self.places, self.entries, strict=True)):
            known = body is not None and isinstance(d, Static) and type(entry) is list
            if known and body is not None and i < len(body.parameters) and body.final(place, entry) is not entry:
                heap.put_in(entry)
                self.types[i] = describe(entry)
                found = True
        for i, place in enumerate(self.places):
            if not isinstance(place, ListPlace):
                continue
            if heap.of(place.owner) is not None:  # its content is a store's now
                self.places[i], self.entries[i], self.types[i] = Slot("content", None), None, Static(None)
                continue
            seen = heap.seen(place.owner)
            if seen is not None:
                self.entries[i] = place.read()
                wider = Joiner()(self.types[i], seen)
                found |= canonical([wider]) != canonical([self.types[i]])
                self.types[i] = wider
        return found

    def fresh(self, parameters: list[Any]) -> tuple[Any, ...]:
        """The lists, dictionaries and instances that `parameters` made: the region may change them unseen."""
        made = zip(parameters, self.types, strict=True)
        return tuple(part for p, d in made if not isinstance(d, Static) for part in mutable_parts(p))

    def restore(self) -> None:
        """Put back what the places held before the loop."""
        for place, entry in zip(self.places, self.entries, strict=True):
            place.write(UNBOUND if entry is UNDEFINED else entry)


def fixed_point(
    trace: Trace, state: LoopState, attempt: Callable[[LoopState], list[Traced]]
) -> tuple[list[Traced], list[Any]]:
    """Trace the loop's regions until the carried types do not change. The last of the regions is the body.

    Returns the regions and the final values of the carried places in the body's region.
    """
    sync(trace)
    keys = {place.key for place in state.places}
    settled = False
    heap = trace.notes.get("heap")
    for _ in range(MAX_PASSES):
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
            joined.append(joiner(d, after))
        if canonical(joined) == canonical(state.types):
            if not incomplete or settled:
                return regions, finals
            settled = True  # once more, for good: what fails now fails for the user
            continue
        settled = False
        state.types = joined
    names = ", ".join(repr(p) for p in state.places)
    raise refusal("unsettled-loop", names=names)


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


def staged_while(trace: Trace, test: Callable[[], Any], body: Callable[[], None], cells: list[Place]) -> None:
    """A `while_loop` node."""
    attempts(lambda loosened: _staged_while(trace, test, body, cells, loosened))


def _staged_while(
    trace: Trace, test: Callable[[], Any], body: Callable[[], None], cells: list[Place], loosened: bool
) -> None:
    state = LoopState(cells, loosened, runs=False, body=body)

    def attempt(state: LoopState) -> list[Traced]:
        graph = Graph(functions=trace.graph.functions)
        condition = with_parameters(trace, state, graph, lambda: truth_of(test()))
        if condition.places:
            raise _TestHasEffects
        graph = Graph(functions=trace.graph.functions)
        return [condition, with_parameters(trace, state, graph, body, ends=True)]

    try:
        regions, finals = fixed_point(trace, state, attempt)
    except _TestHasEffects:
        _staged_rotated(trace, test, body, cells, loosened)
        return
    condition, turn = regions
    if not turn.ended:
        refuse_endless(condition.result, turn.region.graph, state.places, state.entries, finals)
        _set_predicate(trace, condition, condition.result)
        captured = {inner for _, inner in condition.region.captured()}
        own = set(condition.region.graph.inputs) - captured
        if is_endless(condition.region.graph, own, turn.region.graph):
            begins = op.cast(truth_of(test()), dtype=INDEX.dtype)
            op.require_alternative(begins, index=0, errors=((1, InvalidArgumentError, ENDLESS),))
            return
    emit_while(trace, state, condition, condition.result, turn, finals)


class _TestHasEffects(Exception):
    """The loop's test binds names or writes places: it must run where its effects are kept."""


def _staged_rotated(
    trace: Trace, test: Callable[[], Any], body: Callable[[], None], cells: list[Place], loosened: bool
) -> None:
    """while with a test that has effects: the test runs before the loop and at the end of the body."""
    flag = Slot("test", truth_of(test()))

    def step() -> None:
        body()
        flag.write(truth_of(test()))

    state = LoopState([*cells, flag], loosened, runs=False, body=body)

    def attempt(state: LoopState) -> list[Traced]:
        condition = with_parameters(trace, state, Graph(functions=trace.graph.functions), flag.read)
        return [condition, with_parameters(trace, state, Graph(functions=trace.graph.functions), step, ends=True)]

    regions, finals = fixed_point(trace, state, attempt)
    emit_while(trace, state, regions[0], regions[0].result, regions[1], finals)


class Slot:
    """A place of the loop's own, which no enclosing region needs to know of."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    @property
    def key(self) -> Any:
        return ("slot", id(self))

    def read(self) -> Any:
        return self.value

    def write(self, value: Any) -> None:
        self.value = value


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
    try:
        parameters = state.parameters(graph)

        def turn() -> Any:
            state.aliases.link_parameters(trace, parameters)
            state.sharing.note(trace, state.places, parameters)
            with checking_invariants(trace, state.places):
                result = thunk()
            if ends:
                state.aliases.write_flags(trace, state.places)
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


def emit_while(trace: Trace, state: LoopState, condition: Traced, test: Any, body: Traced, finals: list[Any]) -> None:
    """The node, its outputs put into the places."""
    _set_predicate(trace, condition, test)
    pack_outputs(trace, state, body, finals)
    outers = close(trace, [condition.region, body.region])
    finish(trace, state, "while_loop", [], outers, (condition.region.graph, body.region.graph), finals)


def _set_predicate(trace: Trace, condition: Traced, test: Any) -> None:
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
    attrs = {"carried": len(values), **memory_budget(trace), **state.options}
    node = trace.builder.emit(get(name), [*lead, *values, *outers], attrs, types, regions)
    append_in_order(node)
    outputs = iter(node.outputs)
    results = []
    for i, (place, d, entry, final) in enumerate(zip(state.places, state.types, state.entries, finals, strict=True)):
        name_of_place = label_of(place, unset_by_loop) if entry is UNBOUND else label_of(place)
        value = entry if isinstance(d, Static) else unpack(d, outputs, name_of_place)
        if state.aliases.stays(i, entry) and trace.value_of(entry).type == value.type:
            value = entry
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


def memory_budget(trace: Trace) -> dict[str, Any]:
    """The attribute of loops of a function that has a memory budget."""
    budget = trace.notes.get("memory_budget")
    return {} if budget is None else {"memory_budget": budget}


def settled_by(final: Any, d: OneOf, value: Any) -> Any:
    """What a place holds after a loop that surely ran: the one alternative that its body leaves, if it is one."""
    left = describe(final)
    if isinstance(left, (OneOf, Undefined)) or is_mutable(final):
        return value
    return alternatives_of(value)[alternative_for(left, d)]


INDEX = TensorType("int64", (), weak=True)


def both(a: Any, b: Any) -> Any:
    """`a and b` of two tests without effects."""
    if a is True:
        return b
    if b is True or a is False:
        return a
    if b is False:
        return b
    return op.logical_and(a, b)

