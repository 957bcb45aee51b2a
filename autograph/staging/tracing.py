"""Running a converted function on symbols: collects its graph, what it returns, and what it does to the world outside.

A place outside (an attribute, a list, a closure's name) that receives a staged value is state of the function: it is
traced again with that place as an input, so that each call reads it and writes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import is_
from traceback import clear_frames
from types import CellType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.load.user_traceback import synthetic_frames
from autograph.operators.containers.heap import Heap
from autograph.operators.containers.leaving_rows import opened, opened_in
from autograph.operators.containers.lists import ListPlace
from autograph.operators.containers.sharing import finish
from autograph.operators.items import linked
from autograph.operators.state.aliases import (
    HEAP,
    KEYED,
    LINKED,
    NO_HEAP,
    NO_LINKS,
    RECORDS,
    TENSORS,
    TraceAgain,
    hints_of,
)
from autograph.operators.state.births import births_of, forget_dead, has_frozen
from autograph.operators.state.debuggers import is_debugged
from autograph.operators.state.dict_places import by_item, put_back
from autograph.operators.state.places import UNBOUND, UNDEFINED, CellPlace, ItemPlace, watch
from autograph.operators.state.regions import PathEnds, forget_unheld, left_by, settle
from autograph.operators.statements.staged_texts import place_of, text_in
from autograph.operators.values.choice import choice_of, is_read, require_bound
from autograph.operators.values.descriptors import (
    Descriptor,
    Static,
    describe,
    loosen,
    value_types,
)
from autograph.operators.values.listvalue import RunTuple
from autograph.operators.values.packing import pack, unpack
from autograph.operators.values.shells import leaving
from autograph.operators.values.specials import leads_to_tensor, special_methods
from autograph.staging.changed_containers import ChangedContainer, changed_containers
from autograph.staging.guards import Guards, guards_of
from autograph.staging.moved import Moved, Outside, described
from autograph.staging.newcomers import Newcomers
from autograph.staging.number_divisions import check_divisions
from autograph.staging.outside_arrays import OutsideArrays
from autograph.staging.own_objects import are_held, forget_new, holder_of, is_own, new_ids
from autograph.staging.signature import containers, contents, leaf_type, rebuild
from autograph.staging.state_entries import (
    StateEntry,
    enters_wider,
    entry_type,
    holds_variable,
    is_counter,
    is_unbound,
)
from runtime.ir.graph import Graph, Location, Value
from runtime.passes.share import share_functions
from runtime.tensor import trace as trace_module
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import BoxPlace, Place, Trace, active, tracing
from runtime.typesys.errors import OpError, UnboundVariableError, UnimplementedError

__all__ = ["TracedFunction", "trace_function"]


class TracedFunction:
    """The graph of one signature and how its inputs and outputs meet the world."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.arguments = 0  # the first inputs: the call's array leaves
        self.state: list[StateEntry] = []  # then these
        self.captured: list[Any] = []  # then boxes and arrays from outside, read at each call
        self.result: Descriptor = Static(None)  # outputs: the result, then
        self.changed_arguments: list[int] = []  # argument leaves whose box was written
        self.changed_containers: list[ChangedContainer] = []  # lists, dictionaries, ... among the arguments
        self.written_arrays: list[Any] = []  # NumPy arrays from outside that were written
        self.spots: list[Any] = []  # the places that hold them
        self.written: list[Tensor] = []  # outside boxes that were written
        self.constant_writes: list[tuple[Place, Any]] = []  # Python values written to places outside
        self.moved: list[Moved] = []  # objects from outside that lists outside hold at the end
        self.created: list[Any] = []  # variables made by the trace
        self.own: list[Place] = []  # places of the traced calls themselves, until it is known that nobody holds them
        self.originals: dict[Any, Any] = {}  # what places held that were written, by key, until `reading` is asked
        self.reading: Callable[[Callable[..., Any], dict[str, Any]], Guards | None] | None = None  # asked once, after it


_ATTEMPTS = 60
_UNSETTLED = 6  # attempts
_BY_SHARING = frozenset(("leaked-tensor", "unsettled-loop", "mixed-alternatives"))  # what lists that are shared may lead to


def trace_function(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str,
    names: list[str],
    may_create: bool,
    memory_budget: int | None = None,
    written_as: Callable[..., Any] | None = None,
) -> TracedFunction:
    """Trace `function(*args, **kwargs)`, array leaves replaced by symbols; `written_as`: before it was converted."""
    state: list[StateEntry] = []
    created: list[Any] = []
    hints: set[Any] = set()
    earlier: list[StateEntry] = []  # the objects, of which some are the function's own, keep their ids
    restarts = 0
    advanced: tuple[dict[int, Any], dict[int, Any]] = {}, {}  # iterators: by earlier attempts, and by this one
    given_up: Exception | None = None  # what refused the way by references, which says more than that they are needed
    constructed: dict[Any, Any] = {}  # classes of objects that the function makes, and their attributes (or keys: `records`)
    arrays = OutsideArrays(written_as or function, dict(zip(names, args, strict=False)) | kwargs)
    for turn in range(_ATTEMPTS):
        notes: dict[str, Any] = {"may_create_variables": may_create and not created, "memory_budget": memory_budget}
        notes["advanced"] = advanced
        advanced[0].update(advanced[1])
        advanced[1].clear()
        notes["constructed"], notes["outside arrays"] = constructed, arrays
        own: Newcomers | None = None
        if turn - restarts >= _UNSETTLED:
            # Another object at each attempt: one that is new is the function's own, whoever holds it.
            if not earlier:
                earlier += state
                state.clear()
            own = notes["own objects"] = notes["newcomers"] = Newcomers(holder_of(entry.place) for entry in earlier)
        elif not has_frozen():
            own = notes["newcomers"] = Newcomers(yields=True)
        state += [StateEntry(place, before) for place, before in arrays.entries(entry.place for entry in state)]
        try:
            traced, grown = _attempt(function, args, kwargs, name, names, notes, state, hints)
        except TraceAgain as again:
            hints.add(again.hint)
            if type(again.hint) is tuple and again.hint[0] is KEYED:  # with a form in the place of a dictionary they may be
                hints.discard(NO_HEAP)
            restarts += 1
        except Exception as error:
            by_references = HEAP in hints
            if not _other_way(hints, error, constructed):
                if given_up is not None and getattr(error, "id", None) in _SAID_OF_SHARING:
                    raise given_up from None
                raise
            restarts += 1
            if by_references and HEAP not in hints and getattr(error, "id", None) not in _SAID_OF_SHARING:
                clear_frames(error.__traceback__)  # who holds what is counted
                given_up = error
        else:
            created += traced.created
            traced.created = created
            if grown:
                arrays.refuse_lists(state)
                continue
            places = traced.own or [entry.place for entry in state]
            shown = ", ".join(map(repr, places))
            stale = any(is_staged(entry.place.read()) for entry in state) and not active()
            if stale or (traced.own and are_held(traced.own)):
                raise refusal("unsettled-state", function=name, names=shown)
            return traced
        finally:
            if own is not None:
                own.close()
    shown = ", ".join(dict.fromkeys(repr(entry.place) for entry in state))
    raise refusal("unsettled-state", function=name, names=shown)


def _other_way(hints: set[Any], error: Exception, constructed: dict[Any, Any]) -> bool:
    """Whether to trace again after a refusal; the hints are what then to do in another way."""
    found = sum(len(names) for made, names in constructed.items() if isinstance(made, type) or RECORDS in hints)
    if LINKED in hints:
        if (LINKED, found) not in hints:  # there are more of them
            hints.add((LINKED, found))
            return True
        if RECORDS not in hints and not all(isinstance(made, type) for made in constructed):
            hints.add(RECORDS)
            return True
        hints.difference_update((LINKED, HEAP))  # the refusal that led there says more
        hints.update((NO_LINKS, NO_HEAP))
        return True
    if not isinstance(error, (OpError, RecursionError)):
        return False
    led_there = isinstance(error, RecursionError) or error.id in (_BY_LINKS | _BY_SHARING if HEAP in hints else _BY_LINKS)
    if led_there and NO_LINKS not in hints and constructed:
        hints.difference_update((HEAP, NO_HEAP))
        hints.update((LINKED, (LINKED, found)))
        if not any(isinstance(made, type) for made in constructed):
            hints.add(RECORDS)
        return True
    if HEAP in hints:
        hints.remove(HEAP)
        hints.add(NO_HEAP)
        return True
    return False


_BY_LINKS = frozenset(("shared-list", "unsettled-loop", "unsettled-recursion", "too-many-alternatives", "self-reference"))
_SAID_OF_SHARING = _BY_SHARING | _BY_LINKS


def _attempt(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str,
    names: list[str],
    notes: dict[str, Any],
    state: list[StateEntry],
    hints: set[Any],
) -> tuple[TracedFunction, bool]:
    trace = Trace(name)
    trace.notes["restarts"] = True
    hints_of(trace).update(hints)
    traced = TracedFunction(trace.graph)
    traced.state = state
    trace.notes |= {**notes, "runs_again": True}
    if HEAP in hints:
        trace.notes["heap"] = Heap(trace)
    if LINKED in hints:
        linked.tables_for(trace, notes["constructed"], RECORDS in hints)
    if KEYED in hints:
        trace.notes["keyed"] = True
        trace_module.unusual(trace)
    is_debugged(trace)  # noted: later on nothing may tell
    boxes: list[Tensor] = []
    leaves: list[Any] = []
    label = [""]
    arrays: OutsideArrays = notes["outside arrays"]

    def symbol(leaf: Any) -> Tensor:
        box = Tensor(trace.graph.add_input(leaf_type(leaf), label[0] or None))
        boxes.append(box)
        leaves.append(leaf)
        return known.setdefault(id(leaf), box) if isinstance(leaf, Tensor) else box

    known: dict[int, Tensor] = {}  # one box may be several arguments

    def named(argument: Any, text: str) -> Any:
        label[0] = text
        return rebuild(argument, symbol)

    table: dict[Any, tuple[Place, Any]] = {}
    with special_methods(trace, [function, args, kwargs]), tracing(trace):
        symbols = tuple(named(a, names[i] if i < len(names) else "") for i, a in enumerate(args))
        keywords = {k: named(a, k) for k, a in kwargs.items()}
        traced.arguments = len(boxes)
        holders = [c for a in (*symbols, *keywords.values()) for c in containers(a)]
        for c in holders:
            if type(c) not in (list, dict):
                births_of(trace).add(c, trace.graph)  # it leaves by its parts: the caller has another one
        held = [contents(c) for c in holders]
        arrivals: list[Value] = [b._value for b in boxes]
        entered = [(entry.place, entry.place.read()) for entry in state]
        arrays.make_forms()
        for entry in state:
            values = [trace.graph.add_input(t, getattr(entry.place, "name", None)) for t in value_types(entry.before)]
            _retarget(entry.place, trace)
            entry.place.write(unpack(entry.before, iter(values)))
        arrays.enter(trace, entered)
        for entry in state[: len(entered)]:
            table[entry.place.key] = (entry.place, entry.place.read())
        trace.journal.append(table)
        watch(trace, function)
        try:
            try:
                result = [_called(trace, function, symbols, keywords)]  # in a list: who else holds it is counted
                finish(trace)
                if "heap" in trace.notes:
                    trace.notes["heap"].close([result, *_left(table)])
                if "tables" in trace.notes:
                    opened_in([place for place, _ in table.values()])
                    result[0] = opened(result[0])
                    linked.close(trace)
            except PathEnds:
                result = [UNDEFINED]
            except TypeError as error:
                _explain_none(trace, error)
                raise
            except UnboundLocalError as error:
                name = str(error).partition("'")[2].partition("'")[0]
                why = trace.notes.get("unset", {}).get(name)
                if why is None:
                    raise
                raise UnboundVariableError(name, why).with_traceback(error.__traceback__) from None
            _read_items(result)
            arrays.complete(trace, zip(leaves, boxes, arrivals, strict=True))
            trace.builder.location = _last_line(function)
            grown = _collect(
                trace,
                traced,
                state,
                table,
                list(zip(boxes, arrivals, strict=True)),
                list(zip(holders, held, strict=True)),
                result,
            )
            if not grown:
                check_divisions(trace.graph, trace.notes.get("joined numbers", set()))
        except TraceAgain:
            put_back(table)
            raise
        except OpError as error:
            if error.id not in _BY_SHARING or "sharing" not in trace.notes or not hints.isdisjoint((HEAP, NO_HEAP)):
                raise
            put_back(table)
            raise TraceAgain(HEAP) from None
        finally:
            trace.journal.pop()
            _restore(state, table, entered)
            arrays.leave()
    traced.created = trace.notes.get("created", [])
    keys = {entry.place.key for entry in state} | arrays.keys | {("captured", key) for key in trace.captured}
    traced.reading = partial(
        guards_of, trace.called, trace.notes.get("named_reads", {}), traced.originals, keys, births_of(trace).__contains__
    )
    return traced, grown


def _called(trace: Trace, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function's result; if tensors came up where it was relied upon that none would, it is traced again."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        if not left_by(trace, error):
            raise
        raise PathEnds from None  # raised when the graph runs, which knows what it says
    finally:
        # A seeded generator that somebody still holds is to be there anew after each call.
        if "tensorless" in trace.notes and (trace.builder.emitted or trace.graph.inputs or trace.notes.get("seeded")):
            raise TraceAgain(TENSORS)


def _read_items(result: list[Any]) -> None:
    """A name that the result's dictionaries were written with and that is unbound raises: no item is missing for it."""
    for holder in containers(result):
        for value in holder.values() if type(holder) is dict else ():
            is_read(value)


def _left(table: dict[Any, tuple[Place, Any]]) -> Iterator[Any]:
    """What the places of a table hold."""
    for place, _ in table.values():
        yield place.owner if isinstance(place, ListPlace) else place.read()


def _explain_none(trace: Trace, error: TypeError) -> None:
    """Say where a None came from that a gradient is."""
    place, text = trace.notes.get("gradient_none", (None, ""))
    if place is not None and "NoneType" in str(error) and not hasattr(error, "__notes__"):
        error.add_note(f"Line {place.line} of {place.file}: {text}")


def _last_line(function: Callable[..., Any]) -> Location | None:
    """Where a function returns what is looked at after it has returned."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    return Location(code.co_filename, max(line for *_, line in code.co_lines() if line is not None), code.co_name)


def _retarget(place: Place, trace: Trace) -> None:
    if isinstance(place, ListPlace):
        place.trace = trace


def _restore(
    state: list[StateEntry], table: dict[Any, tuple[Place, Any]], originals: list[tuple[Place, Any]]
) -> None:
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
    boxes: list[tuple[Tensor, Value]],
    holders: list[tuple[Any, tuple[Any, ...]]],
    result: list[Any],
) -> bool:
    """The graph's outputs: result, changed arguments, written boxes, state. True if another place became state."""
    known = {entry.place.key: entry for entry in state}
    finals = [entry.place.read() for entry in state]
    trace.notes["closing"] = True  # what was made here leaves by its parts
    forget_new(trace, table)
    forget_dead(trace)
    if "heap" not in trace.notes and any(key[0] == "dict" for key in table):
        forget_unheld(trace, table, [holders, finals, result])
    by_item(table)
    outside = settle(
        trace,
        {k: v for k, v in table.items() if not isinstance(v[0], BoxPlace)},
        [h for h, _ in holders],
        [table, holders, finals, result],
    )
    found = dict(table)
    table.clear()  # all is undone
    traced.originals = {key: original for key, (_, original) in found.items() if key in outside or key in known}
    grown = False
    done: list[tuple[Place, Any]] = []
    new = new_ids(trace, outside, found) if outside else frozenset()
    others = {key: entry for key, entry in outside.items() if key not in known}
    there = Outside(found, others, [entry.place for entry in state])
    for key, (place, final) in others.items():
        holder = None if type(place) is CellPlace else holder_of(place)
        if id(holder) in new and not leads_to_tensor([final]):
            place.write(final)  # in what Python made, which others may hold: there is nothing to undo or to go on with
            continue
        if is_own(trace, place):
            if isinstance(holder_of(place), (CellType, type)) or leads_to_tensor([final]):
                traced.own.append(place)
            else:
                done.append((place, final))
            continue
        moved = there.moved(place, found[key][1], final)
        if moved is not None:
            traced.moved.append(moved)
            continue
        try:
            before, after = described(found[key][1]), described(final)
        except UnimplementedError as refused:
            if refused.id != "self-reference" or "own objects" in trace.notes or leads_to_tensor([final]):
                raise
            grown = True  # it may be in an object that every attempt makes anew: then that will be seen
            continue
        if (isinstance(after, Static) and not is_counter(before, after)) or holds_variable(after):
            if (found[key][1] is UNBOUND or final is UNBOUND) and isinstance(place, ItemPlace):  # a key comes or goes
                traced.moved.append(Moved(place, found[key][1], final, new=False))
            else:
                traced.constant_writes.append((place, final))
            continue
        linked.stay_inside(trace, [after])
        state.append(StateEntry(place, entry_type(before, after)))
        grown = True
    for entry, final in zip(state, finals, strict=False):
        after = described(final)
        grown = enters_wider(entry, after) or grown
        entry.after, entry.arrays = after, trace.notes["outside arrays"].left_in(final)
    # What an attempt wrote and this one did not may be in an object that every attempt makes anew.
    if "own objects" not in trace.notes:
        grown = grown or any(is_unbound(e.before) and is_unbound(e.after) for e in state)
    traced.moved.sort(key=lambda moved: moved.is_order)
    if not grown or "created" in trace.notes:  # else undone: the next attempt has to see what this one saw
        for place, final in (*traced.constant_writes, *done):
            place.write(final)
    if grown:
        return True
    result[0] = _bound(result[0])
    written = (*(e.place for e in state), *(moved.place for moved in traced.moved), *(p for p, _ in traced.constant_writes))
    theirs = {id(holder_of(place)) for place in written}
    with leaving(trace, theirs):
        traced.result = describe(result[0])
    left = (result[0], *finals, *(final for _, final in traced.constant_writes), *(holder for holder, _ in holders))
    linked.stay_inside(trace, map(describe, left))
    for what, value in (("returned", result[0]), *((repr(place), final) for place, final in traced.constant_writes)):
        if (text := text_in(value)) is not None:
            error, made_at = refusal("text-of-tensor", what=what), place_of(text)
            if made_at is not None:
                synthetic_frames(made_at, error)
            raise error
    with leaving(trace, theirs):
        outputs = pack(result[0], traced.result)
    for i, (box, arrival) in enumerate(boxes):
        if box._value is not arrival:
            traced.changed_arguments.append(i)
            outputs.append(box._value)
    numbers = {id(box): i for i, (box, _) in enumerate(boxes)} | {id(holder): ~i for i, (holder, _) in enumerate(holders)}
    traced.changed_containers, contained = changed_containers(holders, numbers)
    outputs += contained
    for entry, final in zip(state, finals, strict=True):
        assert entry.after is not None
        outputs += pack(final, entry.after)
    traced.written_arrays, left, traced.spots = trace.notes["outside arrays"].changed()
    outputs += left
    for key, box in trace.written.items():
        traced.written.append(box)
        outputs.append(trace.overrides[key])
    traced.graph.outputs = [trace.builder.region.resolve(v) for v in outputs]
    things = {value: thing for thing, value in trace.captured.values()}
    lead = traced.arguments + sum(len(value_types(e.before)) for e in state)
    traced.captured = [things[v] for v in traced.graph.inputs[lead:]]
    share_functions(trace.graph)
    return False


def _bound(result: Any) -> Any:
    """What a function returns, with checks that the names in it, alone or in tuples and lists, are bound: where there is one
    thing that they may be bound to, that."""
    choice = choice_of(result)
    if choice is not None:
        bound = require_bound(choice)
        return bound[0][1] if len(bound) == 1 else result
    if type(result) is tuple:
        parts = tuple(map(_bound, result))
        return result if all(map(is_, parts, result)) else parts
    if isinstance(result, (tuple, list)) and type(result) is not RunTuple:
        for part in result:
            _bound(part)
    return result
