"""What a staged loop carries: its places, with what they hold before it and the types found so far."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from autograph.operators.containers.lists import ListPlace
from autograph.operators.containers.loop_aliases import LoopAliases
from autograph.operators.containers.loop_sharing import LoopSharing
from autograph.operators.state.places import UNBOUND, UNDEFINED, CellPlace, label_of, unset_before_loop
from autograph.operators.state.regions import Traced
from autograph.operators.statements.seen_loops import Learned, is_plain
from autograph.operators.values.descriptors import (
    Descriptor,
    Joiner,
    Static,
    canonical,
    describe,
    is_mutable,
    loosen,
    mutable_parts,
    value_types,
)
from autograph.operators.values.packing import unpack
from runtime.ir.graph import Graph
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace, current
from runtime.typesys.spec import TensorType

__all__ = ["INDEX", "LoopState", "Slot"]

INDEX = TensorType("int64", (), weak=True)
"""Of a loop's counter."""


class LoopState:
    """The places a staged loop carries, with the types found so far."""

    def __init__(self, cells: list[Place], loosened: bool, runs: bool, body: Any = None) -> None:
        origin = getattr(body, "__code__", None)
        self.aliases = LoopAliases(origin, Slot)
        self.sharing = LoopSharing(origin, Slot)
        self.cells = cells
        self.places: list[Place] = []
        self.entries: list[Any] = []
        self.unshared: set[int] = set()  # places that alone hold their tensors
        self.first: list[Descriptor | None] = []  # the types of the entries, as far as they hold no objects
        self.types: list[Descriptor] = []
        self.loosened = loosened
        self.options: dict[str, Any] = {}  # attributes of the node that the body asked for
        self.body = body
        self.learned = Learned()  # from the times that it was traced before, within a loop around
        self.exact = False  # it can be written out turn by turn: what has another structure each time keeps it
        self.runs = runs  # the body is known to run at least once: afterwards, what it always sets is set
        for place in cells:
            self.add(place)

    def add(self, place: Place) -> None:
        """Carry one more place."""
        holders = _holders(place) if type(place) is CellPlace else None
        entry = place.read()
        trace = current()
        alone = holders is not None and holders - _noted(trace, entry) <= _ONE_HOLDER
        if trace is not None and "heap" in trace.notes and type(entry) is not list:
            trace.notes["heap"].put_in(entry)  # what its lists are in the loop, they are outside
        described = Static(entry) if is_mutable(entry) else describe(entry)
        if alone and type(entry) is Tensor:
            self.unshared.add(len(self.places))
        self.places.append(place)
        self.entries.append(entry)
        kind = loosen(described) if self.loosened else described
        self.first.append(kind if is_plain(kind) else None)
        self.types.append(kind)

    def parameters(self, graph: Graph) -> list[Any]:
        """New inputs of a region for the carried values, as Python values; the places hold them."""
        result = []
        for place, d, entry in zip(self.places, self.types, self.entries, strict=True):
            values = [graph.add_input(t) for t in value_types(d)]
            name = label_of(place, unset_before_loop) if entry is UNBOUND else label_of(place)
            if len(values) == 1:
                values[0].name = name or None
            value = entry if isinstance(d, Static) and entry is not UNDEFINED else unpack(d, iter(values), name)
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


def _holders(place: Any) -> int:
    """References to what a place holds, those of the asking among them."""
    return getrefcount(place.read())


def _noted(trace: Trace | None, entry: Any) -> int:
    """How often a tensor that the open region made is held by notes that its items were written there."""
    if trace is None or type(entry) is not Tensor:
        return 0
    key, graph = ("box", id(entry)), trace.builder.region.graph
    return sum(key in table and table[key][1].graph is graph for table in trace.journal)


_ONE_HOLDER = _holders(Slot("alone", object()))
