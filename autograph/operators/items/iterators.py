"""Iterators over what is staged: where one stands is state, as the user's own is, and what it gave is gone.

    it = iter(xs); first = next(it); for x in it: ...
    pairs = zip(xs, ys); for x, y in pairs: ...; list(pairs)    ->    an empty list

A loop takes the items that are left by their index, and moves the iterator when it has ended. Where the loop's body
takes from the same iterator, each turn asks where that stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import is_
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.advances import (
    by_place,
    changed_meanwhile,
    is_guarding,
    live,
    note_spent,
    refuse_spent,
)
from autograph.operators.containers.lists import as_list_value, dynamic_of
from autograph.operators.functions import alternatives, generators
from autograph.operators.items.attributes import set_attr
from autograph.operators.state.aliases import TraceAgain, hints_of, tensorless
from autograph.operators.state.births import note_birth
from autograph.operators.state.places import CellPlace
from autograph.operators.state.regions import current_trace
from autograph.operators.statements import endless_iterators
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_exp
from autograph.operators.statements.endless_iterators import MOST, Numbered, by_index
from autograph.operators.statements.iterables import (
    OverList,
    StagedIterable,
    StagedMap,
    StagedRange,
    StagedStream,
    StagedZip,
    any_iterable,
    is_without_end,
    staged_iterable,
)
from autograph.operators.values.choice import Choice, is_mixed, require_usable, select_of, usable_of
from autograph.operators.values.listvalue import RunTuple
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace

__all__ = [
    "SequenceIterator",
    "StagedIterator",
    "enumerated",
    "iterator_of",
    "mapped",
    "once",
    "one_of_sequences",
    "over_sequence",
    "placed",
    "sequence_iterator",
    "used_up",
    "zipped",
]

_SEQUENCES = frozenset((list, tuple, range))
_ENDED = 2**30  # the place of an iterator that has said that it has no more, and never will: an int32 holds it and more


class StagedIterator:
    """An iterator of which some item, or how many there are, is staged."""

    def __init__(self) -> None:
        note_birth(current_trace(), self)

    def rest(self) -> StagedIterable:
        """What is left, by index from where the iterator stands now."""
        raise NotImplementedError

    def __iter__(self) -> StagedIterator:
        return self

    def __next__(self) -> Any:
        rest = self.rest()
        there = rest.more(0)
        if there is True:
            item = rest.item(0)
            rest.moved(1, False)
            return item
        if there is False:
            rest.moved(0, True)
            raise StopIteration
        raise refusal("unknown-length", what="iteration by Python")

    def __staged_bool__(self) -> bool:
        return True  # as of all iterators

    def __staged_iterable__(self) -> StagedIterable:
        return self.rest()

    def __staged_next__(self, *default: Any) -> Any:
        """`next`."""
        rest = self.rest()

        def taken() -> Any:
            item = rest.item(0)
            rest.moved(1, False)
            return item

        def ended() -> Any:
            rest.moved(0, True)
            if default:
                return default[0]
            raise raised(StopIteration())

        there = rest.more(0)
        if default:
            return if_exp(there, taken, ended)
        if_exp(there, lambda: None, ended)
        return taken()


class ItemsIterator(StagedIterator):
    """An iterator over a tensor, a list, or another iterable that is no iterator."""

    def __init__(self, items: Any, is_private: bool = False) -> None:
        super().__init__()
        self.source_items = items
        self.is_private = is_private  # a joined one's, which nobody else can take from
        self.place: Any = 0
        self.gone_over: Left | None = None  # by a loop that is being traced

    def rest(self) -> StagedIterable:
        if self.gone_over is not None:
            self.gone_over.is_shared = True
        return Left(self)


_IN_GRAPH = "iterators in loops of the graph"  # a hint: what a loop's body takes, too, only the run knows


class SequenceIterator(ItemsIterator):
    """`iter` of a list, tuple or range of Python's, where tensors may decide how far somebody goes."""

    def is_known(self) -> bool:
        """Whether Python knows where it stands, and what it goes over."""
        if self.gone_over is not None or type(self.place) is not int:
            return False
        return type(self.source_items) is not list or dynamic_of(self.source_items) is None

    def __next__(self) -> Any:
        if not self.is_known():
            if current_trace().notes.get("restarts") and _IN_GRAPH not in hints_of(current_trace()):
                raise TraceAgain(_IN_GRAPH)
            return super().__next__()
        trace, place = current_trace(), self.place
        refuse_spent(trace, self)
        if is_guarding(trace):
            note_spent(trace, self)
        if place >= len(self.source_items):
            set_attr(self, "place", _ENDED)
            raise StopIteration
        set_attr(self, "place", place + 1)
        return self.source_items[place]

    def __staged_iterable__(self) -> StagedIterable | None:  # type: ignore[override]
        return None if self.is_known() and _IN_GRAPH not in hints_of(current_trace()) else self.rest()

    def __staged_next__(self, *default: Any) -> Any:
        return next(iter(self), *default) if self.is_known() else super().__staged_next__(*default)

    def __staged_turns__(self) -> Iterator[tuple[Callable[[], None], Any]]:
        """What is left, with what moves the iterator there: to be called where the item is taken."""
        items = self.source_items
        known = tuple(items) if type(items) is list else items
        for k in range(self.place, len(known)):
            if known is not items:
                _require_same(current_trace(), items, known)
            yield partial(set_attr, self, "place", k + 1), known[k]
        if known is not items:
            _require_same(current_trace(), items, known)


def _require_same(trace: Trace, items: Any, known: tuple[Any, ...]) -> None:
    """A list is what it was."""
    if len(items) != len(known) or not all(map(is_, items, known)):
        raise changed_meanwhile(trace, type(iter([])))


class BufferedIterator(SequenceIterator):
    """An iterator of Python's that branches and loops may go on with: it keeps the items that it gave.

    Where it was made, items are taken as they are asked for; in a branch or loop all are taken, since how many will be is
    for the run to know: what takes them must change nothing, and end.
    """

    def __init__(self, iterator: Iterator[Any], cells: tuple[Any, ...] = ()) -> None:
        super().__init__([])
        self.iterator: Any = iterator
        self.cells = {id(c) for c in cells}  # that are not the iterator's own
        self.trace = current_trace()
        self.region = self.trace.builder.region

    def beside(self) -> BufferedIterator:
        """Another one, over the same items."""
        made = BufferedIterator(self.iterator)
        made.source_items = self.source_items
        return made

    def is_known(self) -> bool:
        """Whether Python knows where it stands; elsewhere than where it was made all items are there."""
        if self.trace.builder.region is not self.region:
            self.fill()
        return super().is_known()

    def rest(self) -> StagedIterable:
        """What is left."""
        self.fill()
        return super().rest()

    def __next__(self) -> Any:
        if self.is_known() and self.place == len(self.source_items):
            self.take()
        return super().__next__()

    def __staged_turns__(self) -> Iterator[tuple[Callable[[], None], Any]]:
        """What is left, all of it taken by now."""
        self.fill()
        return super().__staged_turns__()

    def take(self) -> bool:
        """Take one more item, where there is one."""
        if self.iterator is not None:
            for item in self.iterator:
                self.source_items.append(item)
                return True
            self.iterator = None
        return False

    def fill(self) -> None:
        """Take all items that are left."""
        if self.iterator is None:
            return
        kind, graph, table = type(self.iterator).__name__, self.trace.builder.region.graph, {}  # type: ignore[var-annotated]
        before = len(graph.nodes)
        self.trace.journal.append(table)
        try:
            while self.take() and len(self.source_items) < MOST:
                pass
        finally:
            self.trace.journal.pop()
        for key, noted in table.items():
            self.trace.journal[-1].setdefault(key, noted)
        changes = any(place.read() is not held and self.is_seen(place) for place, held in table.values())
        if self.iterator is not None:
            raise refusal("endless-iterator")
        if len(graph.nodes) > before or changes:
            raise refusal("iterator-in-graph", what=kind)

    def is_seen(self, place: Any) -> bool:
        """Whether others see what taking the items has changed: not its own names, nor where another of these stands."""
        if type(place) is CellPlace:
            return id(place.cell) in self.cells
        return not isinstance(getattr(place, "owner", None), SequenceIterator)

    def close(self) -> None:
        """As of a generator."""
        if self.iterator is not None:
            self.iterator.close()
        self.iterator = None
        set_attr(self, "place", _ENDED)

    def send(self, value: Any) -> Any:
        """As of a generator, where it was made."""
        return self._into("send", value)

    def throw(self, *error: Any) -> Any:
        """As of a generator, where it was made."""
        return self._into("throw", *error)

    def _into(self, method: str, *args: Any) -> Any:
        if self.iterator is None or not self.is_known() or self.place != len(self.source_items) or self.iterator is None:
            raise refusal("iterator-in-graph", what="generator")
        self.source_items.append(getattr(self.iterator, method)(*args))
        return super().__next__()


generators.buffered = BufferedIterator


class JoinedIterator(StagedIterator):
    """An iterator that takes from others: `zip`, `map`, `enumerate`, generator expressions."""

    def __init__(self, join: Callable[[list[StagedIterable]], StagedIterable], inners: list[StagedIterator]) -> None:
        super().__init__()
        self.join, self.inners = join, inners

    def rest(self) -> StagedIterable:
        return self.join([i.rest() for i in self.inners])


class Left(StagedIterable):
    """What is left of an iterator, by index from where it stood; or, where others take from it too, one by one."""

    def __init__(self, iterator: ItemsIterator) -> None:
        self.iterator = iterator
        self.first = iterator.place
        items = iterator.source_items
        self.source = over_sequence(items)
        over = type(items) is list and type(iterator) is SequenceIterator and not isinstance(self.source, OverList)
        self.known = tuple(items) if over else None
        self.is_live = False
        self.is_shared = False
        self.is_private = iterator.is_private

    def count(self) -> Any:
        first = self.iterator.place if self.is_live else self.first
        count = self.source.count()
        if is_without_end(count):
            return count
        if isinstance(first, int):
            if first == 0 or isinstance(count, int):
                return max(count - first, 0) if isinstance(count, int) else count
            if first == _ENDED:
                return 0
        return op.maximum(op.sub(count, first), 0)

    def lists(self) -> list[OverList]:
        return self.source.lists()

    def lefts(self) -> list[Left]:
        return [self]

    def item(self, index: Any) -> Any:
        if not self.is_live:
            return self.source.item(_plus(self.first, index))
        place = self.iterator.place
        set_attr(self.iterator, "place", _plus(place, 1))
        return self.source.item(place)

    def more(self, index: Any) -> Any:
        if not self.is_live:
            return super().more(index)
        place, count = self.iterator.place, self.source.count()
        if is_without_end(count):
            return True
        return place < count if isinstance(place, int) and isinstance(count, int) else op.less(place, count)

    def moved(self, taken: Any, ended: Any) -> None:
        if ended is True:
            set_attr(self.iterator, "place", _ENDED)
            return
        place = self.iterator.place if self.is_live else _plus(self.first, taken)
        set_attr(self.iterator, "place", place if ended is False else op.where(ended, _ENDED, place))

    def lose(self, one: Any) -> None:
        """One more item was taken, where `one` is true."""
        place = self.iterator.place
        more = _plus(place, 1)
        set_attr(self.iterator, "place", more if one is True else op.where(one, more, place))

    def begin(self) -> None:
        """A loop over it is being traced."""
        self.iterator.gone_over = self

    def end(self) -> None:
        """The loop was traced."""
        self.iterator.gone_over = None

    def require_unchanged(self, trace: Trace) -> None:
        """The loop was traced over what a list was before: nothing in it may have changed the list."""
        if self.known is not None:
            _require_same(trace, self.iterator.source_items, self.known)


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return a if isinstance(b, int) and b == 0 else b if isinstance(a, int) and a == 0 else op.add(a, b)


class _Groups(StagedIterable):
    """`zip(it, it)`: items of one iterator, so many at a time."""

    def __init__(self, rest: StagedIterable, size: int) -> None:
        self.rest, self.size = rest, size

    def count(self) -> Any:
        count = self.rest.count()
        return count // self.size if isinstance(count, int) else op.floordiv(count, self.size)

    def lefts(self) -> list[Any]:
        return self.rest.lefts()

    def more(self, index: Any) -> Any:
        if any(left.is_live for left in self.lefts()):
            return StagedIterable.more(self, 0)
        return super().more(index)

    def item(self, index: Any) -> Any:
        first = index * self.size if isinstance(index, int) else op.mul(index, self.size)
        return tuple(self.rest.item(_plus(first, k)) for k in range(self.size))

    def moved(self, taken: Any, ended: Any) -> None:
        self.rest.moved(taken * self.size if isinstance(taken, int) else op.mul(taken, self.size), ended)


class _Used(StagedIterable):
    """What was left of an iterator that has ended since."""

    def __init__(self, rest: StagedIterable) -> None:
        self.rest = rest

    def count(self) -> Any:
        return self.rest.count()

    def lists(self) -> list[OverList]:
        return self.rest.lists()

    def item(self, index: Any) -> Any:
        return self.rest.item(index)


def used_up(x: Any) -> Any:
    """What is left of a staged iterator, which gives all of it to the caller; anything else as it is."""
    if not isinstance(x, StagedIterator):
        return x
    if isinstance(x, SequenceIterator) and x.is_known():
        return list(x)
    if type(x) is ItemsIterator and isinstance(x.place, int) and x.place == 0 and x.gone_over is None:
        set_attr(x, "place", _ENDED)
        return x.source_items
    rest = x.rest()
    rest.moved(rest.count(), True)
    return _Used(rest)


def placed(iterator: Iterator[Any]) -> Any:
    """An iterator of Python's over no tensors: where branches and loops may go on with it, one that keeps its items."""
    return BufferedIterator(iterator) if by_place(STATE.trace) else iterator


def over_sequence(x: Any) -> StagedIterable:
    """A staged view of any iterable; of a list as it is at each turn, where one may change."""
    if type(x) is list and dynamic_of(x) is None and live(STATE.trace):
        return OverList(as_list_value(x), x)
    return any_iterable(one_of_sequences(x))


def one_of_sequences(x: Any) -> Any:
    """One iterable for several lists, tuples or tensors of which only the run knows which it is; others as they are."""
    return _OneOfSequences(x) if is_mixed(x) and all(_is_sequence(a) for _, a in usable_of(x)) else x


def _is_sequence(x: Any) -> bool:
    return x.type.shape != () if isinstance(x, Tensor) else type(x) in _SEQUENCES or type(x) in (RunTuple, StagedRange)


alternatives.one_of_sequences = one_of_sequences


class _OneOfSequences(StagedIterable):
    """The items of the one that is taken: each is looked up in its own way, in a list as it is then."""

    def __init__(self, choice: Choice) -> None:
        require_usable(choice)
        self.choice, self.options = choice, usable_of(choice)
        self.views = {id(x): over_sequence(x) for _, x in self.options}
        self.known = {id(x): tuple(x) for _, x in self.options if type(x) is list}

    def view(self, x: Any) -> StagedIterable:
        view = self.views[id(x)]
        if type(x) is not list or (isinstance(view, OverList) and view.is_live):
            return view
        known = self.known[id(x)]
        if len(known) == len(x) and all(map(is_, known, x)):
            return view
        if not isinstance(view, OverList):
            raise changed_meanwhile(current_trace(), type(iter(x)))
        return over_sequence(x)

    def count(self) -> Any:
        return select_of(self.choice, self.options, lambda x: self.view(x).count())

    def item(self, index: Any) -> Any:
        return select_of(self.choice, self.options, lambda x: self.view(x).item(index))

    def lists(self) -> list[OverList]:
        return [one for view in self.views.values() for one in view.lists()]


def once(items: list[Any]) -> Any:
    """An iterator over a list."""
    if dynamic_of(items) is not None:
        return ItemsIterator(items)
    return SequenceIterator(items) if by_place(STATE.trace) else iter(items)


def sequence_iterator(x: Any) -> SequenceIterator | None:
    """`iter(x)` of a sequence of Python's, where tensors are about; None for anything else."""
    trace = STATE.trace
    if trace is None or type(x) not in _SEQUENCES or tensorless(trace) or dynamic_of(x) is not None:
        return None
    if not (trace.builder.emitted or trace.graph.inputs or "restarts" in trace.notes):
        return None  # nor are there any so far, and it cannot be traced again
    return SequenceIterator(x)


def iterator_of(x: Any) -> StagedIterator | None:
    """An iterator over a staged tensor, or a list that is known only to the run; None for anything else."""
    if STATE.trace is None or isinstance(x, StagedStream):
        return None
    if isinstance(x, StagedIterator):
        return x
    if is_staged(x) or dynamic_of(x) is not None or isinstance(x, StagedIterable):
        return None if staged_iterable(x) is None else ItemsIterator(x)
    return None


endless_iterators.placed = ItemsIterator


def _iterators(iterables: tuple[Any, ...]) -> list[StagedIterator]:
    views = by_index(iterables)
    return [
        x if isinstance(x, StagedIterator) else ItemsIterator(x if type(x) is list else view, is_private=True)
        for x, view in zip(iterables, views, strict=True)
    ]


def zipped(iterables: tuple[Any, ...], join: Callable[[list[StagedIterable]], StagedIterable]) -> StagedIterator:
    """`zip` of iterables some of which are staged."""
    shared = [id(i) for i in iterables if isinstance(i, StagedIterator)]
    if len(set(shared)) == len(shared):
        return JoinedIterator(join, _iterators(iterables))
    if len(set(map(id, iterables))) != 1 or join is not StagedZip:
        raise refusal("unknown-length", what="zip() of one iterator with itself and others")
    size = len(iterables)
    return JoinedIterator(lambda rests: _Groups(rests[0], size), [iterables[0]])


def mapped(function: Callable[..., Any], iterables: tuple[Any, ...]) -> StagedIterator:
    """`map` over iterables some of which are staged."""
    return JoinedIterator(lambda rests: StagedMap(function, StagedZip(rests)), _iterators(iterables))


def enumerated(iterable: Any, start: Any) -> StagedIterator:
    """`enumerate` of an iterable, where that or the start is staged."""
    numbers = ItemsIterator(Numbered(lambda index: _plus(start, index)), is_private=True)
    return JoinedIterator(StagedZip, [numbers, *_iterators((iterable,))])
