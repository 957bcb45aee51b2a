"""Tracing a region: run Python code with operations going to a closed graph, and see what it did to places.

A region is traced on trial: its writes are taken back afterwards, so that it can be traced again with other types,
and what its places held at the end becomes its outputs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograph.operators.places import UNDEFINED, CellPlace
from runtime.ir.build import Region
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.tensor.trace import STATE, BoxPlace, Place, Trace
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = ["PathEnds", "Traced", "current_trace", "inside", "is_garbage", "run_region"]


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
        for key, (place, original) in [*before.items(), *table.items()]:
            if key in traced.places:
                continue
            final = place.read()
            if final is not original and not (key not in before and _is_local(place, original, region)):
                traced.places[key] = place
                traced.finals[key] = final
    finally:
        trace.journal.pop()
        trace.builder.pop()
        for place, original in [*table.values(), *before.values()]:
            place.write(original)
    return traced


def is_unbound(error: NameError) -> bool:
    """Whether a local name has no value on this path (and not: there is no such name)."""
    return isinstance(error, UnboundLocalError) or "free variable" in str(error)


def _raise_node(trace: Trace, error: NameError) -> None:
    name = str(error).split("'")[1] if "'" in str(error) else "?"
    message = f"cannot access local variable '{name}' where it is not associated with a value"
    trace.builder.emit(get("raise_"), [], {"exception": UnboundLocalError, "arguments": (message,), "template": ()}, ())


def _is_local(place: Place, original: Any, region: Region) -> bool:
    """Whether a journalled place belongs to something born in the region (nobody outside can see it)."""
    if isinstance(place, BoxPlace):
        return type(original) is Value and _within(original.graph, region)
    return is_garbage(place)


def is_garbage(place: Place) -> bool:
    """Whether nobody but the journal holds the cell, list or object of a place."""
    owner = place.cell if isinstance(place, CellPlace) else getattr(place, "owner", None)
    if owner is None:
        return False
    # References to a garbage object: its place, this variable, the argument of getrefcount, the table of staged lists.
    listed = id(owner) in place.trace.notes.get("lists", {}) if hasattr(place, "trace") else False
    return sys.getrefcount(owner) <= 3 + listed


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

