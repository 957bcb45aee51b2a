"""Which of the places that a trace wrote to are in objects that it has made itself: they are no state of the function."""

from __future__ import annotations

import gc
import weakref
from sys import getrefcount
from typing import Any, TypeAlias

from autograph.operators.state.births import births_of
from autograph.operators.state.places import AttributePlace, CellPlace
from autograph.staging.newcomers import Newcomers
from runtime.tensor.trace import Place, Trace

__all__ = ["are_held", "forget_new", "holder_of", "is_own", "new_ids"]

_BY_US = 3  # references to a cell or list: its place, the list, the argument of the question
_Table: TypeAlias = dict[Any, tuple[Place, Any]]


def forget_new(trace: Trace, table: _Table) -> None:
    """Forget what holds only itself and, in a trace without tensors, what was written to objects that the trace has made:
    they keep it, whoever holds them."""
    if not table or "newcomers" not in trace.notes:
        return
    trace.notes["newcomers"].collect()
    if trace.builder.emitted or trace.graph.inputs:
        return
    new, births = new_ids(trace, table, table), births_of(trace)
    for key, (place, _) in table.copy().items():
        holder = None if type(place) is CellPlace else holder_of(place)
        if id(holder) in new:
            table.pop(key, None)
            if isinstance(place, AttributePlace) and holder not in births:
                births.add(holder, trace.graph)


def new_ids(trace: Trace, table: _Table, originals: _Table) -> frozenset[int]:
    """The ids of what the trace has made for sure, of dictionaries those that are places of the table."""
    newcomers: Newcomers | None = trace.notes.get("newcomers")
    if newcomers is None:
        return frozenset()
    asked = [x for place, _ in table.values() if type(x := holder_of(place)) is dict]
    return newcomers.surely() | newcomers.dictionaries(asked, _kept_by(originals)) if asked else newcomers.surely()


def _kept_by(table: _Table) -> set[int]:
    """The ids of what a table keeps of what was before, and of how it keeps it."""
    kept = set(map(id, table.values()))
    pending: list[Any] = [before for _, before in table.values()]
    while pending:
        x = pending.pop()
        kind = type(x)
        if id(x) not in kept and (kind in (list, tuple, dict) or kind.__module__.startswith("autograph.")):
            kept.add(id(x))
            pending += gc.get_referents(x)
    return kept


def are_held(places: list[Place]) -> bool:
    """Whether anybody holds what one of the places is in, now that the trace is over; the list is emptied."""
    gc.collect()
    loose = [p.owner for p in places if isinstance(p, AttributePlace) and type(p.owner).__weakrefoffset__]
    owners = [weakref.ref(owner) for owner in loose]
    loose.clear()
    counted = [x for p in places if (x := holder_of(p)) is not None and not type(x).__weakrefoffset__]
    x = None  # type: ignore[assignment]
    held = any(getrefcount(counted[i]) > _BY_US for i in range(len(counted)))
    places.clear()
    gc.collect()
    return held or any(owner() is not None for owner in owners)


def holder_of(place: Place) -> Any:
    """What a place is in: a cell, or the object whose content it is; None for a global name."""
    return place.cell if isinstance(place, CellPlace) else getattr(place, "owner", None)


def is_own(trace: Trace, place: Place) -> bool:
    """Whether a place is a variable of a call that was traced, or in an object made there, which lives on in cycles."""
    own, holder = trace.notes.get("own objects"), holder_of(place)
    return own is not None and holder is not None and holder in own
