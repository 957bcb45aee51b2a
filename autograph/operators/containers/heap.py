"""Lists as references: where only the run knows which lists are one, their contents lie in a list of the run itself.

    row = rows[i]          ->    r = list_get(rows, i)
    row.append(v)          ->    store = list_set(store, r, list_append(list_get(store, r), v))

A list that is put into a staged list, or that a branch or a loop may exchange for another one, gets a place in a *store*,
a staged list of contents. From then on it is the number of that place: what has the same number is the same list. A
function is traced so where following which list is which (see `sharing`) does not do.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import getrefcount
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers import lists
from autograph.operators.containers.held import may_change
from autograph.operators.containers.lists import (
    ListPlace,
    appended,
    as_list_value,
    length,
    note_list,
    put_content,
    set_element,
)
from autograph.operators.state.aliases import TraceAgain, followed_no_further, hints_of
from autograph.operators.state.regions import NewReferences
from autograph.operators.values.choice import choice_of, make_choice
from autograph.operators.values.descriptors import Joiner, is_mutable, rebuild, structure_of, value_types
from autograph.operators.values.forms import Descriptor, Leaf, OneOf, Reference, Sequence, Struct
from autograph.operators.values.links import Linked
from autograph.operators.values.listvalue import (
    ListContents,
    ListValue,
    Splice,
    expect_lists,
    has_splices,
    new_list,
)
from autograph.operators.values.packing import mapped, pack_list
from runtime.ir.build import user_location
from runtime.ir.graph import Node
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place, Trace

__all__ = ["Heap"]

_ROOM = 256  # lists kept before one looks which are still needed


class Store:
    """The contents of the lists that were given a place at one line of the user's."""

    __slots__ = ("key", "owner", "seen")

    def __init__(self, key: Any) -> None:
        self.key = key
        self.owner: list[Any] = []
        self.seen: Descriptor | None = Sequence(None)  # of the contents, as far as they are known

    def value(self) -> ListValue:
        """The contents, in the region that is open."""
        if has_splices(self.owner):
            return self.owner[0].value  # type: ignore[no-any-return]
        d = Sequence(self.seen)
        return ListValue(self.seen, pack_list([], d))

    def write(self, value: ListValue) -> None:
        """Take other contents."""
        self.seen = Joiner().element(self.seen, value.element)
        put_content(self.owner, value)

    def __repr__(self) -> str:
        return f"the lists of {self.key}"


class Referred:
    """The place of a list in its store."""

    __slots__ = ("_content", "_seen", "heap", "index", "splice", "store")

    def __init__(self, heap: Heap, store: Store, index: Tensor) -> None:
        self.heap = heap
        self.store = store
        self.index = index
        self.splice = Splice(None, self)
        self._seen: tuple[Any, Any, int] = None, None, 0
        self._content: Any = None

    def content(self) -> ListValue:
        """What the list holds now."""
        now, graph, dropped = self.store.value(), self.heap.trace.builder.region.graph, self.heap.dropped
        if self._seen[0] is not now or self._seen[1] is not graph or self._seen[2] != dropped:
            d = now.element
            assert isinstance(d, Sequence), d
            types = value_types(d)
            index = lists.index_value(self.index)
            taken = [lists.emit("list_get", [v, index], None, (t,))[0] for v, t in zip(now.values, types, strict=False)]
            self._content = ListValue(d.element, taken)
            self._seen = now, graph, dropped
        return self._content  # type: ignore[no-any-return]


def _or_empty(referred: Referred, padded: dict[Any, ListValue]) -> ListValue:
    """What a list holds; nothing where its place is none of its store, as on paths on which there is no such list.

    `padded` are the stores with an empty list behind the others.
    """
    store = referred.store
    now = store.value()
    d = now.element
    assert isinstance(d, Sequence), d
    if store.key not in padded:
        padded[store.key] = appended(now, ListValue(d.element, pack_list([], d)))
    count = lists.index_value(length(now))
    index = lists.index_value(referred.index)
    at = op.where(op.less(Tensor(index), Tensor(count)), Tensor(index), Tensor(count))
    types = value_types(d)
    place = lists.index_value(at)
    pairs = zip(padded[store.key].values, types, strict=False)
    return ListValue(d.element, [lists.emit("list_get", [v, place], None, (t,))[0] for v, t in pairs])


Known = dict[int, tuple[list[Any], Referred]]


class Heap:
    """The lists of a trace that have become references."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.stores: dict[Any, Store] = {}
        self.known: Known = {}
        self.made: set[int] = set()  # ids of those given a place in the region that is open
        self.opened: set[int] = set()
        self.room = _ROOM
        self.closing = False  # the function ends: lists without a place are what they hold
        self.mixed = False  # several lists may hold one object that is no list
        self.dropped = 0  # how often nodes of a region that is open were dropped
        same = [hint[1:] for hint in hints_of(trace) if type(hint) is tuple and hint[0] == "one store"]
        self.same: list[set[Any]] = []
        for pair in same:
            joined = set(pair).union(*(group for group in self.same if not group.isdisjoint(pair)))
            self.same = [group for group in self.same if group.isdisjoint(pair)] + [joined]
        expect_lists(trace)

    def of(self, x: list[Any]) -> Referred | None:
        """The place of a list, if it has one."""
        entry = self.known.get(id(x))
        return None if entry is None else entry[1]

    def keeps(self, place: Any) -> bool:
        """Whether a place is the content of a list that is a reference: that is part of a store, and put back with it."""
        return type(place) is ListPlace and id(place.owner) in self.known

    def seen(self, owner: list[Any]) -> Sequence | None:
        """What is known of the contents in a store, given its list."""
        return next((Sequence(store.seen) for store in self.stores.values() if store.owner is owner), None)

    def are_one(self, a: list[Any], b: list[Any]) -> Any:
        """`a is b`, of two objects."""
        one, other = self.of(a), self.of(b)
        if one is None or other is None or one.store is not other.store:
            return False
        return op.equal(one.index, other.index)

    def view(self, d: Reference, index: Tensor) -> list[Any]:
        """A list that stands for the one whose place is `index`."""
        x: list[Any] = []
        self._become(x, Referred(self, d.store, index))
        return x

    def _become(self, x: list[Any], referred: Referred) -> None:
        if len(self.known) > self.room:
            self.forget_dead()
            self.room = 2 * len(self.known) + _ROOM
        self.known[id(x)] = x, referred
        x[:] = [referred.splice]

    def forget_dead(self) -> None:
        """Drop the lists that nobody but the heap holds."""
        held = {key for key, entry in self.known.items() if getrefcount(entry[0]) > _HELD}
        self.known = {key: entry for key, entry in self.known.items() if key in held}

    def put_in(self, x: Any) -> bool:
        """Give the lists that a value is or holds a place; returns whether there are new ones."""
        if type(x) is list:
            if id(x) in self.known:
                return False
            self._allocate(x)
            return True
        if type(x) is ListContents:
            return self._put_all(item for item in x.items if type(item) is not Splice)
        choice = choice_of(x)
        if choice is not None:
            return self._put_all(choice._alternatives)
        if type(x) is ListValue or isinstance(x, Tensor) or id(x) in self.opened:
            return False
        parts = structure_of(x, instances=is_mutable(x))
        if parts is None:
            return False
        self.opened.add(id(x))
        try:
            return self._put_all(parts[1])
        finally:
            self.opened.discard(id(x))

    def _put_all(self, items: Iterable[Any]) -> bool:
        found = [self.put_in(item) for item in items]
        return True in found

    def _allocate(self, x: list[Any]) -> None:
        if id(x) in self.opened:
            raise refusal("self-reference", what="list")
        self.opened.add(id(x))
        try:
            value = as_list_value(x)
        finally:
            self.opened.discard(id(x))
        note_list(self.trace, x)
        for hook in lists.before_staged_hooks:
            hook(self.trace, x)
        store = self.store_for(value)
        self.pin()
        before = store.value()
        index = length(before)
        store.write(appended(before, value))
        self._become(x, Referred(self, store, index))
        self.made.add(id(x))

    def store_for(self, value: ListValue) -> Store:
        """The store for contents made at the user's line that is traced."""
        place = user_location()
        key: Any = (_kind(value.element), *(("", 0, 0) if place is None else (place.file, place.line, place.column or 0)))
        for group in self.same:
            if key in group:
                key = min(group)
        if key not in self.stores:
            self.stores[key] = Store(key)
        return self.stores[key]

    def unify(self, a: Reference, b: Reference) -> Reference | None:
        """The references that both fit: lists that meet have their contents in one store. None for a list of numbers and
        one of lists or structures (`rows and rows[0]`): those are alternatives."""
        if a.store is not b.store:
            if _are_apart(a.store, b.store) or _are_apart(b.store, a.store):
                return None
            raise TraceAgain(("one store", a.store.key, b.store.key))
        return a

    def write(self, x: list[Any], value: ListValue) -> None:
        """Give a list that has a place another content."""
        referred = self.known[id(x)][1]
        self.pin(but=x)
        referred.store.write(set_element(referred.store.value(), referred.index, value))
        x[:] = [referred.splice]

    def pin(self, but: list[Any] | None = None) -> None:
        """Before a store changes: what Python has copied of lists keeps what they hold now, and what it has put into
        them behind our back is put into the store."""
        for x, referred in list(self.known.values()):
            if x is but:
                continue
            splice = referred.splice
            if getrefcount(splice) > _PINNED:
                if not (len(x) == 1 and x[0] is splice):
                    self._changed_by_python(x, referred)
                content = referred.content()
                self.mixed = self.mixed or (content.element is not None and may_change(content.element))
                splice.fix(content)
                referred.splice = Splice(None, referred)
                x[:] = [referred.splice]
            elif not (len(x) == 1 and x[0] is splice):
                self._changed_by_python(x, referred)

    def expect_one_holder(self, x: list[Any]) -> None:
        """An object that is no list has changed in `x`: refused where others may hold it, too."""
        self.pin(but=x)
        if self.mixed:
            raise followed_no_further()

    def _changed_by_python(self, x: list[Any], referred: Referred) -> None:
        value = lists.content_of(x) if has_splices(x) else as_list_value(x)
        referred.store.write(set_element(referred.store.value(), referred.index, value))
        x[:] = [referred.splice]

    def enter(self) -> tuple[Known, set[int]]:
        """A region begins: what to give to `leave`."""
        self.pin()
        held = self.known, self.made
        self.known, self.made = dict(self.known), set()
        return held

    def end(self, values: list[Any]) -> None:
        """A region ends that leaves `values`: the lists among them may be other ones on another path."""
        self.pin()
        for value in values:
            self.put_in(value)
        self.pin()

    def leave(self, held: tuple[Known, set[int]]) -> tuple[Known, set[int]]:
        """A region has ended: what it knew, and which lists it has given places."""
        own = self.known, self.made
        self.known, self.made = held
        return own

    def keep(self, held: tuple[Known, set[int]]) -> None:
        """What was begun with `enter` was no region of its own."""
        self.made |= held[1]

    def give_up(self, held: tuple[Known, set[int]]) -> None:
        """What was begun with `enter` is dropped, and its nodes are."""
        self.leave(held)
        self.dropped += 1

    def forget_dropped(self, nodes: list[Node]) -> None:
        """Nodes of a region that is open are dropped, and with them the lists whose places they made."""
        gone = {v for node in nodes for v in node.outputs}
        known = self.known.items()
        self.known = {key: entry for key, entry in known if self.trace.value_of(entry[1].index) not in gone}
        self.dropped += 1

    def refuse_strangers(self, made: set[int], places: dict[Any, Place]) -> None:
        """Lists from outside got a place in a region that has ended: they have to get it before."""
        found = [places["list", key].owner for key in made if ("list", key) in places]  # type: ignore[attr-defined]
        if found:
            raise NewReferences(found)

    def close(self, values: list[Any]) -> None:
        """The function ends: its lists hold their contents themselves again."""
        self.end([])
        self.closing = True
        seen: dict[int, Any] = {}
        for value in values:
            self._open(value, seen)
        seen.clear()
        padded: dict[Any, ListValue] = {}
        contents = [(x, self._plain_value(_or_empty(referred, padded))) for x, referred in self.known.values()]
        self.known = {}
        for store in self.stores.values():
            self.trace.journal[-1].pop(("list", id(store.owner)), None)
        del self.trace.notes["heap"]
        for x, value in contents:
            x[:] = [Splice(value)]

    def _open(self, x: Any, seen: dict[int, Any]) -> None:
        """Lists without a place that hold references."""
        if type(x) is list and id(x) not in self.known and has_splices(x):
            value = as_list_value(x)
            plain = self._plain_value(value)
            if plain is not value:
                put_content(x, plain)
            return
        choice = choice_of(x)
        if choice is not None:
            for alternative in choice._alternatives:
                self._open(alternative, seen)
            choice._descriptor = self._plain(choice._descriptor, ())
            return
        known = isinstance(x, (ListValue, Tensor, type)) or id(x) in seen
        parts = None if known else structure_of(x, instances=is_mutable(x))  # not the world that others refer to
        if parts is not None:
            seen[id(x)] = x
            for part in parts[1]:
                self._open(part, seen)

    def _plain_value(self, value: ListValue) -> ListValue:
        """A content whose lists are there themselves, not their references."""
        d = None if value.element is None else self._plain(value.element, ())
        if d is value.element:
            return value
        assert value.element is not None
        held = self.enter()
        try:
            return ListValue(d, mapped(value, Sequence(d), self._plain_item))
        finally:
            self.leave(held)

    def _plain_item(self, x: Any) -> Any:
        if type(x) is list:
            referred = self.of(x)
            return new_list(self._plain_value(as_list_value(x) if referred is None else referred.content()))
        choice = choice_of(x)
        if choice is not None:
            alternatives = [self._plain_item(alternative) for alternative in choice._alternatives]
            d = self._plain(choice._descriptor, ())
            return x if d is choice._descriptor else make_choice(d, choice._tag, alternatives, choice._name)
        parts = None if isinstance(x, (Tensor, Linked)) else structure_of(x, instances=True)
        if parts is None:
            return x
        return rebuild(type(x), parts[0], [self._plain_item(part) for part in parts[1]])

    def _plain(self, d: Descriptor, around: tuple[Store, ...]) -> Descriptor:
        """The descriptor of what `d` describes without references."""
        if isinstance(d, Reference):
            if d.store in around:
                raise refusal("shared-list")
            content = d.store.value().element
            assert isinstance(content, Sequence)
            inner = None if content.element is None else self._plain(content.element, (*around, d.store))
            return Sequence(inner)
        if isinstance(d, Struct):
            children = tuple(self._plain(c, around) for c in d.children)
            return d if all(a is b for a, b in zip(children, d.children, strict=True)) else Struct(d.kind, d.keys, children)
        if isinstance(d, Sequence) and d.element is not None:
            inner = self._plain(d.element, around)
            return d if inner is d.element else Sequence(inner)
        if isinstance(d, OneOf):
            alternatives = tuple(self._plain(a, around) for a in d.alternatives)
            return d if all(a is b for a, b in zip(alternatives, d.alternatives, strict=True)) else OneOf(alternatives)
        return d


def _are_apart(a: Store, b: Store) -> bool:
    """Whether a store holds lists of numbers, and another one lists of lists or of structures."""
    one, other = (x.seen.element if isinstance(x.seen, Sequence) else None for x in (a, b))
    return isinstance(one, Leaf) and isinstance(other, (Reference, Struct))


def _kind(d: Descriptor | None) -> str:
    """What lists of one line have to have in common to lie in one store, whose contents are all of one type."""
    if isinstance(d, Leaf):
        return f"{d.type.dtype}{'*' * d.type.weak}[{d.type.rank}]"
    return "" if d is None else type(d).__name__


def _held() -> int:
    probe: dict[int, Any] = {0: ([], None)}
    return next(getrefcount(entry[0]) for entry in probe.values())


_HELD = _held()
_PINNED = 4  # the place, its list, the name and the argument
