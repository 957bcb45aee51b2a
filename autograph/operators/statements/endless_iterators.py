"""`itertools.count`, `cycle` and `repeat`, which never end: how they were made is kept, so that a loop can go on with them.

    for i in count(1):        ->    the first turn is Python's; where a test is staged, a loop of the graph goes on
        if i * i > n: break
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.advances import by_place, note_spent, taken_in_part
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.iterables import (
    WITHOUT_END,
    StagedIterable,
    any_iterable,
    over_items,
    staged_iterable,
)
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE, Trace

__all__ = ["ENDLESS", "MOST", "Endless", "Numbered", "by_index", "endless", "repeated"]

ENDLESS = (itertools.count, itertools.cycle, itertools.repeat)
MOST = 100_000  # items of an iterator that are asked for, to see whether it ends


class Numbered(StagedIterable):
    """Items without end."""

    def __init__(self, item_at: Callable[[Any], Any]) -> None:
        self.item_at = item_at

    def count(self) -> int:
        return WITHOUT_END

    def item(self, index: Any) -> Any:
        return self.item_at(index)


class Endless:
    """An endless iterator that was made in this trace."""

    __slots__ = ("item", "owner", "spent", "taken")

    def __init__(self, owner: Any, item: Callable[[Any], Any]) -> None:
        self.owner, self.item = owner, item
        self.taken = 0  # items so far
        self.spent = False  # how many a loop of the graph took, only the run knows

    def __iter__(self) -> Endless:
        return self

    def __next__(self) -> Any:
        self.taken += 1
        return next(self.owner)

    def rest(self) -> StagedIterable:
        """The items that are left, which uses it up."""
        self.spent = True
        taken = self.taken
        return Numbered(lambda index: self.item(op.add(index, taken) if taken else index))


def endless(trace: Trace, x: Any) -> Endless | None:
    """What is known of an endless iterator of this trace; None of anything else."""
    if type(x) not in ENDLESS:
        return None
    found: Endless | None = trace.notes.get("endless", {}).get(id(x))
    if found is not None and found.spent:
        raise taken_in_part()
    return found


def by_index(iterables: Any) -> list[StagedIterable]:
    """Staged views of iterables that are gone over together; some may not end."""
    views = list(map(_view, iterables))
    counts = [c for c in (v.count() for v in views if v is not None) if isinstance(c, int)]
    return [_of_iterator(x, min(counts, default=MOST)) if v is None else v for x, v in zip(iterables, views, strict=True)]


def _view(x: Any) -> StagedIterable | None:
    """The staged view of an iterable; None of an iterator of Python's, whose items are gone when they are looked at."""
    if hasattr(type(x), "__staged_turns__"):
        return x.rest()  # type: ignore[no-any-return]
    return None if hasattr(type(x), "__next__") and staged_iterable(x) is None else any_iterable(x)


def _of_iterator(x: Any, most: int) -> StagedIterable:
    """A staged view of at most so many items of an iterator of Python's."""
    trace = STATE.trace
    known = None if trace is None else endless(trace, x)
    if known is not None:
        return known.rest()
    items = list(itertools.islice(x, most))
    if trace is not None:
        note_spent(trace, x)
    if len(items) == MOST:
        raise taken_in_part(refusal("endless-iterator"))
    return over_items(items)


placed: Callable[[StagedIterable], Any] = lambda items: items  # an iterator over what has places; `iterators` puts its own


def _made(owner: Any, item: Callable[[Any], Any]) -> Any:
    trace = STATE.trace
    if by_place(trace):
        return placed(Numbered(item))
    if trace is not None:
        trace.notes.setdefault("endless", {})[id(owner)] = Endless(owner, item)
    return owner


@stand_in(itertools.count)
def count_(start: Any = 0, step: Any = 1) -> Any:
    """`itertools.count`."""
    return _made(itertools.count(start, step), lambda index: start + (index if step == 1 else index * step))


@stand_in(itertools.cycle)
def cycle_(iterable: Any) -> Any:
    """`itertools.cycle`; its items are known at once where they are not an iterator's."""
    if hasattr(type(iterable), "__next__"):
        return itertools.cycle(iterable)
    staged = staged_iterable(iterable)
    if staged is not None and not isinstance(staged.count(), int):
        size = staged.count()
        return Numbered(lambda index: staged.item(index % size))
    items = list(iterable if staged is None else staged)
    view = over_items(items)
    return _made(itertools.cycle(items), lambda index: view.item(index % len(items)))


def repeated(value: Any) -> Any:
    """`itertools.repeat` without end."""
    return _made(itertools.repeat(value), lambda _: value)
