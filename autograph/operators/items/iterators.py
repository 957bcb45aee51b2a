"""`iter` of staged tensors and lists: where it stands is state, as the user's own is.

    it = iter(xs); first = next(it); for x in it: ...
"""

from __future__ import annotations

from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import dynamic_of
from autograph.operators.items.attributes import set_attr
from autograph.operators.state.births import note_birth
from autograph.operators.state.regions import current_trace
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_exp
from autograph.operators.statements.iterables import OverList, StagedIterable, StagedStream, staged_iterable
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import is_staged
from runtime.tensor.trace import STATE

__all__ = ["ItemsIterator", "iterator_of", "refuse_twice"]


class ItemsIterator:
    """An iterator over a staged iterable."""

    def __init__(self, source: StagedIterable) -> None:
        for one in source.lists():
            one.is_live = True
        self.source = source
        self.place: Any = 0
        note_birth(current_trace(), self)

    def __iter__(self) -> ItemsIterator:
        return self

    def __staged_iterable__(self) -> StagedIterable:
        return _Rest(self)

    def __staged_next__(self, *default: Any) -> Any:
        """`next`."""
        there = op.less(self.place, self.source.count())
        if default:
            return if_exp(there, self._taken, lambda: default[0])
        if_exp(there, lambda: None, _ended)
        return self._taken()

    def _taken(self) -> Any:
        item = self.source.item(self.place)
        set_attr(self, "place", op.add(self.place, 1))
        return item


def _ended() -> None:
    raise raised(StopIteration())


class _Rest(StagedIterable):
    """What is left of an iterator, which moves on with each item."""

    def __init__(self, iterator: ItemsIterator) -> None:
        self.iterator = iterator
        self.first = iterator.place

    def count(self) -> Any:
        return op.maximum(op.sub(self.iterator.source.count(), self.first), 0)

    def lists(self) -> list[OverList]:
        return []

    def item(self, index: Any) -> Any:
        place = op.add(self.first, index)
        set_attr(self.iterator, "place", op.add(place, 1))
        return self.iterator.source.item(place)


def iterator_of(x: Any) -> ItemsIterator | None:
    """An iterator over a staged tensor, or a list that is known only to the run; None for anything else."""
    if STATE.trace is None or isinstance(x, StagedStream):
        return None
    if isinstance(x, ItemsIterator):
        return x
    if is_staged(x) or (type(x) is list and dynamic_of(x) is not None) or isinstance(x, StagedIterable):
        staged = staged_iterable(x)
        return None if staged is None else ItemsIterator(staged)
    return None


def refuse_twice(iterables: tuple[Any, ...]) -> None:
    """`zip(it, it)` takes from one iterator in turns."""
    known = [id(i) for i in iterables if isinstance(i, ItemsIterator)]
    if len(set(known)) != len(known):
        raise refusal("unknown-length", what="zip() of one iterator with itself")
