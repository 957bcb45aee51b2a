"""Tracing a region: run Python code with operations going to a closed graph, and see what it did to places.

A region is traced on trial: its writes are taken back afterwards, so that it can be traced again with other types,
and what its places held at the end becomes its outputs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograph.operators.state import places
from autograph.operators.state.births import births_of, owner_of, unheld
from autograph.operators.state.dict_places import by_item, put_back
from autograph.operators.state.nesting import outwards
from autograph.operators.state.places import UNDEFINED, AttributePlace, CellPlace
from autograph.operators.state.plain_arrays import in_lists_staged
from runtime.ir.build import Region, calling, internal_folders, user_location, users_frame
from runtime.ir.graph import Calling, Graph, Location, Value
from runtime.ops.effects import Slot
from runtime.ops.registry import get
from runtime.tensor.tensor import is_staged
from runtime.tensor.trace import STATE, BoxPlace, Place, Trace
from runtime.typesys.errors import OperatorNotAllowedInGraphError, UnboundVariableError, UnimplementedError

__all__ = [
    "LEAVING",
    "NewReferences",
    "PathEnds",
    "Traced",
    "as_python_says",
    "current_trace",
    "forget_unheld",
    "inside",
    "is_ours",
    "leaving",
    "left_by",
    "replayed",
    "run_region",
    "settle",
    "site_of",
    "slotted",
]


class NewReferences(BaseException):
    """Leaves a region in which lists from outside became references: they have to before, and it is traced again."""

    def __init__(self, found: list[Any]) -> None:
        self.found = found


class PathEnds(BaseException):
    """Leaves a region whose path raises: nothing after it is traced."""


def current_trace() -> Trace:
    """The active trace."""
    trace = STATE.trace
    assert trace is not None, "no trace is active"
    return trace


class Traced:
    """A traced region: its graph, what its places held at the end, what its function returned."""

    __slots__ = ("ended", "finals", "heap", "parameters", "places", "region", "result", "shared")

    def __init__(self, region: Region) -> None:
        self.region = region
        self.ended = False  # the path raises: there are no final values
        self.result: Any = None
        self.parameters: list[Any] = []  # of a loop's region: what its places held at the start
        self.heap: Any = None  # the lists that were references at its end
        self.shared: list[Any] = []  # its own relations between containers
        self.places: dict[Any, Place] = {}
        self.finals: dict[Any, Any] = {}

    def final(self, place: Place, before: Any) -> Any:
        """What the place holds after the region, given what it held before."""
        return UNDEFINED if self.ended else self.finals.get(place.key, before)


Table = dict[Any, tuple[Place, Any]]


def run_region(
    trace: Trace, thunk: Callable[[], Any], cells: list[Place], graph: Graph | None = None, fresh: tuple[Any, ...] = ()
) -> Traced:
    """Trace `thunk` into a new region; all places are put back as they were.

    `cells` are the local names the thunk may bind; other places it writes are found through the journal.
    `fresh` are objects made for this region (a loop's structures).
    An exception that Python would raise only if the path is taken (a name unbound here, None used as a tensor before its
    type is known, whatever a `try` around it may catch) ends the path instead of the trace.
    """
    sharing = trace.notes.get("sharing")
    held = [] if sharing is None else sharing.enter()
    heap = trace.notes.get("heap")
    known = None if heap is None else heap.enter()
    region = trace.builder.push(graph)
    traced = Traced(region)
    before: Table = {place.key: (place, place.read()) for place in cells if heap is None or not heap.keeps(place)}
    table: Table = {}
    trace.journal.append(table)
    kept = trace.notes.setdefault("kept", [])  # of regions under way: who asks what holds an object passes over it
    kept.append(before)
    try:
        places.seen_in_region(trace, thunk)
        try:
            traced.result = thunk()
            if "choices" in trace.notes:
                read_items([traced.result, *(final for _, final in _changed(before, table).values())])
            if "sharing" in trace.notes:
                trace.notes["sharing"].end(region.graph)
        except PathEnds:
            traced.ended = True
        except BaseException as error:
            if not (left_by(trace, error) or _abandoned(trace, error)):
                raise
            traced.ended = True
        if heap is not None and not traced.ended:
            heap.end([traced.result, *(final for _, final in _changed(before, table).values())])
        changed = _changed(before, table)
    finally:
        trace.builder.pop()
        kept.pop()
        if heap is not None:
            traced.heap, made = heap.leave(known)
            known = None
        trace.journal.pop()
        put_back(table)
        put_back(before)
        if "sharing" in trace.notes:
            traced.shared = trace.notes["sharing"].leave(held, region.graph)
            held = sharing = None  # type: ignore[assignment]
    _keep_effects(trace, traced, before, table, changed, fresh)
    if heap is not None:
        heap.refuse_strangers(made, traced.places)
    if traced.shared:
        _keep_shared(trace, traced, [table, before, changed], fresh)
    return traced


def _keep_shared(trace: Trace, traced: Traced, records: list[Any], fresh: tuple[Any, ...]) -> None:
    """What the region has put into lists and was not born in it, is one of their elements from now on."""
    sharing = trace.notes["sharing"]
    placed = sharing.placed_in(traced.shared)
    if placed:
        records = [placed, traced.finals, traced.places, [traced.result], traced.shared, *records]
        sharing.keep_placed(traced.shared, unheld(trace, placed, records) | {id(x) for x in fresh})


read_items: Callable[[list[Any]], None] = lambda values: None  # has dictionaries read what they hold; put here by `maybe`
raised: Callable[[Any], Any] = lambda error: error  # notes what `raise` raises; put here by the module that can
LEAVING = "__autograph_leaving__"


def leaving(error: BaseException, values: list[Value], attrs: dict[str, Any]) -> None:
    """Note on an exception that the user's code raises it: if nothing catches it on its way out of the region, a node
    will raise it. (A note elsewhere would keep the exception's frames, and what they hold would seem to be held.)"""
    setattr(error, LEAVING, (values, attrs, user_location(current_trace().builder.root)))


def left_by(trace: Trace, error: BaseException) -> bool:
    """Emit the node of an exception that the user's code raised here, if it is one."""
    if LEAVING not in error.__dict__ and ("__raised_again__" in error.__dict__ or "__raised_again__" in vars(type(error))):
        raised(error)  # a bare `raise`
    known = error.__dict__.pop(LEAVING, None)
    if known is None:
        return False
    values, attrs, location = known
    if trace.notes.get("tries") and "site" not in attrs:
        site = site_of(trace, error, values, attrs)
        if site:
            attrs = {**attrs, "site": site}
    trace.builder.emit(get("raise_"), values, attrs, (), (), location)
    error.__traceback__ = None  # who keeps the exception does not keep what was born here
    return True


def site_of(trace: Trace, error: BaseException, values: list[Value], attrs: dict[str, Any]) -> int:
    """The number by which attempts tell a `raise` from others, under which is noted what else belongs to the exception; 0
    where all of it is known, or was raised before."""
    known = not values and error.__cause__ is None and error.__context__ is None and not hasattr(error, "__notes__")
    if known or not isinstance(attrs["exception"], type):
        return 0
    before = error.__cause__, error.__context__
    causes = [None if e is None else (type(e).__name__, *_plain(e)) for e in before]
    key = (repr(sorted(attrs.items())), attrs["exception"], tuple(v.type for v in values), repr(causes))
    sites: dict[Any, Any] = trace.notes.setdefault("sites", {})
    number = sites[key] if key in sites else len(sites) // 2 + 1
    for e in before:
        if e is not None:
            e.__traceback__ = None  # it would keep what was born here alive
    sites[key], sites[number] = number, (attrs["exception"], *before, error.__suppress_context__)
    return number


def _plain(error: BaseException) -> list[Any]:
    return [a for a in BaseException.args.__get__(error) if type(a) in (str, int)]  # type: ignore[attr-defined]


def _abandoned(trace: Trace, error: BaseException) -> bool:
    """Whether Python would raise this exception only if the path is taken: the path ends."""
    if isinstance(error, NameError) and is_unbound(error):
        _raise_node(trace, error)
    elif _is_of_its_path(trace, error):
        values: list[Value] = []
        whole = any(map(is_staged, error.args))
        arguments = tuple(str(a) if whole else slotted(trace, a, values) for a in error.args)
        attrs = {"exception": type(error), "arguments": arguments, "template": ()}
        trace.builder.emit(get("raise_"), values, attrs, (), (), _place_of(trace, error))
    elif not trace.notes.get("provisional") or not isinstance(error, _UNTIL_TYPES) or is_ours(error):
        return False
    trace.notes["abandoned"] = trace.notes.get("abandoned", 0) + 1
    return True


def slotted(trace: Trace, x: Any, values: list[Value]) -> Any:
    """An argument of an exception, with slots for the staged tensors in it, which are added to `values`."""
    if is_staged(x):
        values.append(trace.operand(x))
        return Slot(len(values) - 1)
    if type(x) in (tuple, list) and in_lists_staged(x):
        return type(x)(slotted(trace, part, values) for part in x)
    return known_argument(x)


def known_argument(x: Any) -> Any:
    """An argument of an exception by which it can be told from others: of a group its exceptions, in a tuple."""
    return tuple(x) if isinstance(x, list) and x and all(isinstance(e, BaseException) for e in x) else x


def _is_of_its_path(trace: Trace, error: BaseException) -> bool:
    """Whether an exception is one only where the path is taken: of those that a `try` statement around a branch or loop
    is to find, all are; of others, those of Python objects that are as they are on this path only."""
    opened = trace.notes.get("tries")
    if not opened:
        return not trace.notes.get("provisional") and (type(error) in _LATER or _is_of_none(error))
    if trace.builder.region.parent is opened[-1].start:
        return False
    return isinstance(error, Exception) and not is_ours(error)


def _is_of_none(error: BaseException) -> bool:
    return isinstance(error, AttributeError) and error.obj is None and error.name is not None


_LATER = (IndexError, KeyError, ValueError, StopIteration, ZeroDivisionError, OverflowError)
"""What an empty list raises, a dictionary without a key, `min` and `index` of an empty list, an iterator at its end, a
number that is zero or too large."""

_UNTIL_TYPES = (TypeError, AttributeError, *_LATER)
"""What Python raises of the None, the number or the empty list that a variable holds before its loop."""


def _place_of(trace: Trace, error: BaseException) -> Location | None:
    """Where user's code raised an exception, which has left the functions that its traceback shows."""
    found = None
    here = users_frame(sys._getframe(1))
    root = trace.builder.root
    callers = None if here is None or id(here) == root else Calling(here.f_code, here.f_lasti, calling(here, root))
    place = error.__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        if not code.co_filename.startswith(tuple(internal_folders)):
            if found is not None:
                callers = Calling(found.tb_frame.f_code, found.tb_lasti, callers)
            found = place
        place = place.tb_next
    if found is None:
        return None
    code = found.tb_frame.f_code
    return Location(code.co_filename, found.tb_lineno, code.co_name, code, found.tb_lasti, callers)


def is_ours(error: BaseException) -> bool:
    """Whether an exception ends a path of the trace, or refuses something: Python knows none like it."""
    module = type(error).__module__
    refuses = isinstance(error, (OperatorNotAllowedInGraphError, UnimplementedError))
    return refuses or (module.startswith("autograph.") and module != "autograph.errors")


def forget_unheld(trace: Trace, table: Table, records: list[Any]) -> None:
    """Drop from a function's table what was written to objects that it leaves to nobody: they keep it.

    `settle` would find that, too, but for each item of a dictionary.
    """
    asked = {key: owner_of(place) for key, (place, _) in table.items()}
    back = _come_back(table)
    owners = [owner for owner in asked.values() if owner is not None and id(owner) not in back]
    born = unheld(trace, owners, [owners, asked, table, *records])
    for key, owner in asked.items():
        if owner is not None and id(owner) in born:
            place, _ = table.pop(key)
            if isinstance(place, AttributePlace) and owner not in births_of(trace):
                births_of(trace).add(owner, trace.graph)


def _come_back(table: Table) -> set[int]:
    """By id: what attributes, items and lists held before and hold no more: they will again when that is undone."""
    found: set[int] = set()
    for place, original in table.values():
        if isinstance(place, CellPlace) or place.read() is original:
            continue
        found.add(id(original))
        items = getattr(original, "items", None)
        if type(items) is tuple:  # a list's content
            found.update(map(id, items))
    return found


def settle(trace: Trace, table: Table, fresh: list[Any], records: list[Any]) -> Table:
    """Undo the writes of a function's trace; what its places outside held at the end is returned, those of objects born
    in it (and of `fresh`) keep it."""
    changed = _changed({}, table)
    put_back(table)
    asked = {key: owner_of(place) for key, (place, _) in changed.items() if owner_of(place) is not None}
    _keep_born(trace, asked, changed, fresh, [table, fresh, *records], trace.graph)
    return {key: entry for key, entry in changed.items() if key not in asked}


def _changed(before: Table, table: Table) -> dict[Any, tuple[Place, Any]]:
    """The places that hold something else now, and what."""
    by_item(table)
    changed = {}
    for key, (place, original) in [*before.items(), *table.items()]:
        if key in changed:
            continue
        final = place.read()
        if final is not original:
            changed[key] = (place, final)
    return changed


def _keep_effects(
    trace: Trace, traced: Traced, before: Table, table: Table, changed: Table, fresh: tuple[Any, ...]
) -> None:
    """Tell effects on the world outside the region from what happened to objects born in it, which keep it."""
    asked = {}
    for key, (place, final) in changed.items():
        owner = owner_of(place)
        if key in before:
            known = True
        elif isinstance(place, BoxPlace):
            known = not (type(table[key][1]) is Value and _within(table[key][1].graph, traced.region))
        elif owner is None:
            known = True
        else:
            # Written or made before the region: it was there.
            known = any(_is_noted(key, outer) for outer in trace.journal) or births_of(trace).before(owner, traced.region)
            if not known:
                asked[key] = owner
        if known:
            traced.places[key] = place
            traced.finals[key] = final
        elif key not in asked:
            place.write(final)
    place = final = owner = None  # type: ignore[assignment]
    if not asked:
        return
    unsure = set(asked)
    result, traced.result = [traced.result], None  # held once, where it is counted
    records = [table, before, traced.finals, traced.places, result, traced.shared, traced.heap or ()]
    _keep_born(trace, asked, changed, list(fresh), records, traced.region.graph)
    traced.result = result.pop()
    for key, (place, final) in changed.items():
        if key in unsure and key not in asked:
            traced.places[key] = place
            traced.finals[key] = final


def _is_noted(key: Any, table: Table) -> bool:
    """Whether a table has a note of a place, or of the dictionary whose item it is."""
    return key in table or (key[0] == "item" and ("dict", key[1]) in table)


def _keep_born(
    trace: Trace, asked: dict[Any, Any], changed: Table, fresh: list[Any], records: list[Any], graph: Graph
) -> None:
    """Leave in `asked` (key -> owner) the places of objects born in the region, and give them back what they held."""
    owners = list(asked.values())
    born = {id(x) for x in fresh}
    born |= unheld(trace, owners, [owners, asked, changed, *records])
    for key in [k for k, owner in asked.items() if id(owner) not in born]:
        del asked[key]
    for key in asked:
        place, final = changed[key]
        place.write(final)
        if isinstance(place, AttributePlace) and place.owner not in births_of(trace):
            births_of(trace).add(place.owner, graph)


def is_unbound(error: NameError) -> bool:
    """Whether a local name has no value on this path (and not: there is no such name)."""
    return isinstance(error, UnboundLocalError) or "free variable" in str(error)


def as_python_says(error: BaseException) -> BaseException:
    """The UnboundLocalError that Python raises where generated code reads a local name of the user's function as a free one.

    The functions that statements become have the name of the user's function, in whose frame the name has its cell.
    """
    if type(error) is not NameError or "free variable" not in str(error) or error.__traceback__ is None:
        return error
    reading = error.__traceback__
    while reading.tb_next is not None:
        reading = reading.tb_next
    name, code = error.name, reading.tb_frame.f_code
    frame = reading.tb_frame.f_back
    while frame is not None:
        outer = frame.f_code
        if name in outer.co_cellvars and (outer.co_qualname, outer.co_filename) == (code.co_qualname, code.co_filename):
            said = UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")
            said.name = name
            said.__suppress_context__ = True
            return said.with_traceback(error.__traceback__)
        frame = frame.f_back
    return error


def _raise_node(trace: Trace, error: NameError) -> None:
    name = str(error).split("'")[1] if "'" in str(error) else "?"
    place = _place_of(trace, error)
    line = "" if place is None else f" in line {place.line}"
    trace.notes.setdefault("unset", {})[name] = (
        f"'{name}' must be defined before the branch or loop: it is read{line} before anything has set it"
    )
    arguments = name, "it must be initialized on each path, or before the branch or loop"
    attrs = {"exception": UnboundVariableError, "arguments": arguments, "template": ()}
    trace.builder.emit(get("raise_"), [], attrs, (), (), place)


def _within(graph: Graph, region: Region) -> bool:
    """Whether `graph` is the region's graph or was made inside it (so is on no enclosing level)."""
    return all(outer.graph is not graph for outer in outwards(region.parent))


@contextmanager
def inside(trace: Trace, region: Region) -> Iterator[None]:
    """Go on adding nodes to a region already traced (to pack its outputs)."""
    before = trace.builder.region
    trace.builder.region = region
    try:
        yield
    finally:
        trace.builder.region = before


@contextmanager
def replayed(traced: Traced) -> Iterator[None]:
    """Let the places hold what they held at the region's end: an object seen in it is seen as it then was."""
    before = [(place, place.read()) for place in traced.places.values()]
    heap = None if traced.heap is None else current_trace().notes["heap"]
    if heap is not None:
        known, heap.known = heap.known, traced.heap
    try:
        for key, place in traced.places.items():
            place.write(traced.finals[key])
        yield
    finally:
        if heap is not None:
            heap.known = known
        for place, value in before:
            place.write(value)


@contextmanager
def provisional(trace: Trace, on: bool) -> Iterator[None]:
    """Trace with types that may still widen: a path that needs more is abandoned for now."""
    before = trace.notes.get("provisional", False)
    trace.notes["provisional"] = on or before
    try:
        yield
    finally:
        trace.notes["provisional"] = before


def close(trace: Trace, regions: list[Region]) -> list[Value]:
    """Give sibling regions the same captured inputs, in the same order; returns the outer values to pass."""
    outers: list[Value] = []
    seen: set[Value] = set()
    for region in regions:
        for outer, _ in region.captured():
            if outer not in seen:
                seen.add(outer)
                outers.append(outer)
    for region in regions:
        inner = dict(region.captured())
        own = [v for v in region.graph.inputs if v not in set(inner.values())]
        ordered = [inner.get(outer) or Value(outer.type, region.graph, None, 0, outer.name) for outer in outers]
        region.graph.inputs = [*own, *ordered]
        for i, v in enumerate(region.graph.inputs):
            v.index = i
    return outers

