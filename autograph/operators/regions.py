"""Tracing a region: run Python code with operations going to a closed graph, and see what it did to places.

A region is traced on trial: its writes are taken back afterwards, so that it can be traced again with other types,
and what its places held at the end becomes its outputs.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograph.operators.listvalue import ListContents
from autograph.operators.places import UNDEFINED, CellPlace
from runtime.ir.build import Region
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.tensor.trace import STATE, BoxPlace, Place, Trace
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = ["PathEnds", "Traced", "current_trace", "drop_garbage", "inside", "run_region"]


class PathEnds(BaseException):
    """Leaves a region whose path raises: nothing after it is traced."""


def current_trace() -> Trace:
    """The active trace."""
    trace = STATE.trace
    assert trace is not None, "no trace is active"
    return trace


class Traced:
    """A traced region: its graph, what its places held at the end, what its function returned."""

    __slots__ = ("ended", "finals", "places", "region", "result")

    def __init__(self, region: Region) -> None:
        self.region = region
        self.ended = False  # the path raises: there are no final values
        self.result: Any = None
        self.places: dict[Any, Place] = {}
        self.finals: dict[Any, Any] = {}

    def final(self, place: Place, before: Any) -> Any:
        """What the place holds after the region, given what it held before."""
        return UNDEFINED if self.ended else self.finals.get(place.key, before)


def run_region(trace: Trace, thunk: Callable[[], Any], cells: list[Place], graph: Graph | None = None) -> Traced:
    """Trace `thunk` into a new region; all places are put back as they were.

    `cells` are the local names the thunk may bind; other places it writes are found through the journal.
    An exception that Python would raise only if the path is taken (a name unbound here, None used as a tensor before its
    type is known) ends the path instead of the trace.
    """
    region = trace.builder.push(graph)
    traced = Traced(region)
    before = {place.key: (place, place.read()) for place in cells}
    table: dict[Any, tuple[Place, Any]] = {}
    trace.journal.append(table)
    try:
        try:
            traced.result = thunk()
        except PathEnds:
            traced.ended = True
        except NameError as error:
            if not is_unbound(error):
                raise
            _raise_node(trace, error)
            traced.ended = True
            trace.notes["abandoned"] = trace.notes.get("abandoned", 0) + 1
        except (TypeError, AttributeError) as error:
            if not trace.notes.get("provisional") or isinstance(error, OperatorNotAllowedInGraphError):
                raise
            traced.ended = True
            trace.notes["abandoned"] = trace.notes.get("abandoned", 0) + 1
        _read_finals(traced, before, table)
    finally:
        trace.journal.pop()
        trace.builder.pop()
        _restore(table, before)
    _forget_born(trace, traced, before, table)
    return traced


def _read_finals(traced: Traced, *tables: dict[Any, tuple[Place, Any]]) -> None:
    """Note what every place holds that does not hold what it held before."""
    for table in tables:
        for key, (place, original) in table.items():
            if key not in traced.places:
                final = place.read()
                if final is not original:
                    traced.places[key] = place
                    traced.finals[key] = final


def _restore(*tables: dict[Any, tuple[Place, Any]]) -> None:
    for table in tables:
        for place, original in table.values():
            place.write(original)


def _forget_born(trace: Trace, traced: Traced, before: dict[Any, Any], table: dict[Any, tuple[Place, Any]]) -> None:
    """Take out what was born in the region: nobody outside can see it, and it keeps what was put into it."""
    born = [k for k, (p, original) in table.items() if k in traced.places and k not in before and isinstance(p, BoxPlace)
            and type(original) is Value and _within(original.graph, traced.region)]  # fmt: skip
    for key in born:
        traced.places.pop(key).write(traced.finals.pop(key))
    held, traced.result = [traced.result], None
    for key in drop_garbage(trace, table, [*before], [traced.finals, held]):
        if key in traced.places:
            traced.places.pop(key).write(traced.finals.pop(key))
    traced.result = held[0]


def drop_garbage(trace: Trace, table: dict[Any, tuple[Place, Any]], kept: list[Any], holders: list[Any]) -> list[Any]:
    """Remove from a journal the places whose cell, list or object only the journal and `holders` can reach."""
    gone: list[Any] = []
    collected = False
    while True:
        inside = _references([*holders])
        for place, _ in table.values():
            inside[id(_owner(place))] = inside.get(id(_owner(place)), 0) + 1
        left = [key for key in table if key not in kept and key not in gone]
        found = [key for key in left if _is_garbage(trace, table[key][0], inside)]
        if not found and not collected and any(key[0] in ("list", "attribute", "item") for key in left):
            gc.collect(1)  # closures that refer to themselves keep what they see
            collected = True
            found = [key for key in left if _is_garbage(trace, table[key][0], inside)]
        if not found:
            return gone
        gone += found
        for key in found:
            if key[0] == "cell":  # what the cell of a finished call holds is garbage, too, once the cell is gone
                del table[key]


def is_unbound(error: NameError) -> bool:
    """Whether a local name has no value on this path (and not: there is no such name)."""
    return isinstance(error, UnboundLocalError) or "free variable" in str(error)


def _raise_node(trace: Trace, error: NameError) -> None:
    name = str(error).split("'")[1] if "'" in str(error) else "?"
    message = f"cannot access local variable '{name}' where it is not associated with a value"
    trace.builder.emit(get("raise_"), [], {"exception": UnboundLocalError, "arguments": (message,), "template": ()}, ())


def _is_garbage(trace: Trace, place: Place, inside: dict[int, int]) -> bool:
    """Whether nobody else holds the cell, list or object of a place."""
    owner = _owner(place)
    if owner is None:
        return False
    # Known references: this variable, the argument of getrefcount, the tables of staged lists and of new objects, and
    # what was counted: places and holders.
    listed = (id(owner) in trace.notes.get("lists", {})) + (id(owner) in trace.notes.get("made", {}))
    return sys.getrefcount(owner) <= 2 + listed + inside.get(id(owner), 0)


def _owner(place: Place) -> Any:
    """The cell, list or object that a place belongs to."""
    return place.cell if isinstance(place, CellPlace) else getattr(place, "owner", None)


def _references(roots: list[Any]) -> dict[int, int]:
    """How often each object is referred to from structures, counted through all that they hold."""
    counts: dict[int, int] = {}
    seen: set[int] = set()
    pending = list(roots)
    while pending:
        holder = pending.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        for item in _held(holder):
            counts[id(item)] = counts.get(id(item), 0) + 1
            if not isinstance(item, _ATOMS):
                pending.append(item)
    return counts


_ATOMS = (str, int, float, bool, bytes, type, type(None), Value)


def _held(x: Any) -> Any:
    if isinstance(x, (list, tuple, set, frozenset)):
        return x
    if type(x) is dict:
        return x.values()
    if type(x) is ListContents:
        return x.items
    if hasattr(x, "__dict__") and not isinstance(x, (type, type(sys), type(_held))):
        return vars(x).values()
    return ()


def _within(graph: Graph, region: Region) -> bool:
    """Whether `graph` is the region's graph or was made inside it (so is on no enclosing level)."""
    outer = region.parent
    while outer is not None:
        if outer.graph is graph:
            return False
        outer = outer.parent
    return True


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

