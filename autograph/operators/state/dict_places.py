"""What a trace writes to dictionaries: their items, all of a small one, and the order of keys."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state.places import ROOM, UNBOUND, ItemPlace, fasten, overfull
from runtime.tensor.trace import Place, Trace

__all__ = ["OrderPlace", "by_item", "note_all", "note_item", "note_order", "put_back"]


by_run: Callable[[Any], None] = lambda x: None  # is told of what only the run knows the keys of; `keyed` puts its own


class DictPlace:
    """All items of a dictionary: noted at once, while they are few. What differs in the end stands for itself."""

    __slots__ = ("owner",)

    def __init__(self, owner: dict[Any, Any]) -> None:
        self.owner = owner

    @property
    def key(self) -> Any:
        return ("dict", id(self.owner))

    def read(self) -> dict[Any, Any]:
        return dict.copy(self.owner)

    def write(self, value: dict[Any, Any]) -> None:
        for place, original in self.differing(value):
            place.write(original)

    def differing(self, before: dict[Any, Any]) -> list[tuple[ItemPlace, Any]]:
        """The items that are not as they were, and what they were."""
        owner = self.owner
        made = [(ItemPlace(owner, k), v) for k, v in before.items() if owner.get(k, UNBOUND) is not v]
        return made + [(ItemPlace(owner, k), UNBOUND) for k in owner if k not in before]

    def __repr__(self) -> str:
        return "a dict"


class OrderPlace:
    """The order of an OrderedDict's keys, where others than the last come, go or move."""

    __slots__ = ("_last", "owner")

    def __init__(self, owner: OrderedDict[Any, Any]) -> None:
        self.owner = owner
        self._last: frozenset[tuple[int, Any]] = frozenset()

    @property
    def key(self) -> Any:
        return ("order", id(self.owner))

    def read(self) -> frozenset[tuple[int, Any]]:
        """The keys by position, one value for the graph, where a tuple would be a structure of several; the same object
        while they are the same."""
        now = frozenset(enumerate(self.owner))
        if now != self._last:
            self._last = now
        return self._last

    def write(self, value: Any) -> None:
        if type(value) is not frozenset:
            by_run(self.owner)
            raise refusal("container-in-graph", what=type(self.owner).__name__)
        for _, key in sorted(value, key=itemgetter(0)):
            if key in self.owner:
                OrderedDict.move_to_end(self.owner, key)

    def __repr__(self) -> str:
        return "the order of an OrderedDict"


def note_all(trace: Trace, owner: dict[Any, Any]) -> None:
    """Note in the journal that any items of a dictionary are about to be changed."""
    table = trace.journal[-1]
    place = DictPlace(owner)
    if place.key not in table:
        before = dict.copy(owner)
        for key, (_, original) in table.items():
            if key[:2] == ("item", id(owner)):
                before[key[2]] = original
        table[place.key] = place, {key: value for key, value in before.items() if value is not UNBOUND}


def note_order(trace: Trace, owner: Any) -> None:
    """Note in the journal that keys of a dictionary are about to come, go or move."""
    if isinstance(owner, OrderedDict) and trace.journal and ("order", id(owner)) not in trace.journal[-1]:
        trace.record(OrderPlace(owner))


def by_item(table: dict[Any, tuple[Place, Any]]) -> None:
    """Put into a region's table, in the place of dictionaries, those of their items that have changed."""
    fasten(table)
    found = [key for key in table if key[0] == "dict"]
    if not found:
        return
    whole: set[int] = set()
    made: dict[Any, tuple[Place, Any]] = {}
    for key, entry in table.items():
        if key[0] == "dict":
            whole.add(key[1])
        if key[0] != "item" or key[1] not in whole:  # else it was noted later than all of them
            made[key] = entry
    for key in found:
        place, before = made.pop(key)
        assert isinstance(place, DictPlace)
        for item, original in place.differing(before):
            made.setdefault(item.key, (item, original))
    table.clear()
    table.update(made)


def put_back(table: dict[Any, tuple[Place, Any]]) -> None:
    """Undo what a region has written."""
    whole = [(place.owner, before) for place, before in table.values() if type(place) is DictPlace]
    by_item(table)
    for place, original in table.values():
        place.write(original)
    for place, original in table.values():
        if type(place) is OrderPlace:
            place.write(original)  # of all keys
    for owner, noted in whole:
        # A loop may have set others before all items were noted: of these, what was noted first is what was there.
        keys = [*(key for key in noted if key in owner), *(key for key in owner if key not in noted)]
        if list(owner) != keys:
            items = {key: owner[key] for key in keys}
            dict.clear(owner)
            dict.update(owner, items)


_FEW = 16  # items of a dictionary that are noted at once
_WHOLE = frozenset((dict, defaultdict))  # kinds of dictionaries whose items are


def note_item(trace: Trace, owner: Any, item: Any) -> None:
    """Note in the journal that an item of a dictionary is about to be changed."""
    if not trace.journal or id(owner) in trace.journal.noted:
        return
    table = trace.journal[-1]
    place: DictPlace | ItemPlace
    if type(owner) in _WHOLE and (len(owner) <= _FEW or ("dict", id(owner)) in table):
        key: Any = ("dict", id(owner))
        place = DictPlace(owner)
        if "lists" not in trace.notes:
            trace.journal.noted.add(id(owner))
    else:
        key = ("item", id(owner), item)
        place = ItemPlace(owner, item)
    if key not in table:
        table[key] = (place, place.read())
        if len(table) > trace.notes.get("room", ROOM):
            overfull(trace)
