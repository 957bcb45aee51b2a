"""What a staged loop can go over: anything with a length and items by index that depend on staged tensors."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterator
from inspect import GEN_CREATED, getgeneratorstate
from types import GeneratorType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers.advances import taken_in_part
from autograph.operators.containers.counterparts import taken
from autograph.operators.containers.lists import as_list_value, dynamic_of, get_element, length
from autograph.operators.state.numbers import note_integer
from autograph.operators.state.plain import ITERATORS, PLAIN
from autograph.operators.statements.truth import truth_of
from autograph.operators.values.choice import choice_of, resolve
from autograph.operators.values.descriptors import mutable_parts
from autograph.operators.values.listvalue import ListValue, RunTuple, list_of
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE

__all__ = [
    "WITHOUT_END",
    "OverList",
    "StagedEnumerate",
    "StagedIterable",
    "StagedMap",
    "StagedRange",
    "StagedReversed",
    "StagedStream",
    "StagedZip",
    "filter_of",
    "filtered",
    "integer",
    "is_without_end",
    "item_of_range",
    "staged_iterable",
]

WITHOUT_END = sys.maxsize  # how many items there are of what has no end


def is_without_end(count: Any) -> bool:
    """Whether a count is that of what has no end."""
    return isinstance(count, int) and count == WITHOUT_END


class StagedIterable:
    """Items by staged index."""

    is_private = False  # of an iterator that nobody else can take from

    def count(self) -> Any:
        """Number of items: an int, or a staged integer."""
        raise NotImplementedError

    def item(self, index: Any) -> Any:
        """The item at a staged (or Python) index that is in range."""
        raise NotImplementedError

    def lists(self) -> list[OverList]:
        """The lists gone over, which a loop may make longer or shorter on its way."""
        return []

    def lefts(self) -> list[Any]:
        """What is left of iterators (`Left`), among what is gone over: these are to be told of how far that went."""
        return []

    def more(self, index: Any) -> Any:
        """Whether there is an item at an index."""
        count = self.count()
        return is_without_end(count) or _less(index, count)

    def moved(self, taken: Any, ended: Any) -> None:
        """So many items were taken from the start, and another was asked for in vain if it has `ended`."""

    def __iter__(self) -> Iterator[Any]:
        count = self.count()
        if not isinstance(count, int):
            raise refusal("unknown-length", what="iteration by Python")
        return self._live() if self.lefts() else (self.item(i) for i in range(count))

    def _live(self) -> Iterator[Any]:
        """The items of iterators that the taker may take from, too."""
        for one in self.lefts():
            one.is_live = True
        taken = 0
        while self.more(taken) is True:
            taken += 1
            yield self.item(taken - 1)
        self.moved(taken, True)

    def __staged_bool__(self) -> Any:
        count = self.count()
        return count != 0 if isinstance(count, int) else op.not_equal(count, 0)


def _less(a: Any, b: Any) -> Any:
    return a < b if isinstance(a, int) and isinstance(b, int) else op.less(a, b)


def _both(a: Any, b: Any) -> Any:
    if a is True or b is False:
        return b
    return a if b is True or a is False else op.logical_and(a, b)


def _not(a: Any) -> Any:
    return not a if isinstance(a, bool) else op.logical_not(a)


class StagedStream(StagedIterable):
    """Items one after the other, of which only running the graph tells how many there are."""

    def count(self) -> Any:
        raise refusal("unknown-length", what="this loop over a stream together with another iterable")

    def open(self) -> Any:
        """Start, before the loop; what it returns goes to the other methods."""
        raise NotImplementedError

    def pull(self, handle: Any) -> tuple[Any, Callable[[], Any]]:
        """Go on by one: whether there was an item, and what makes it where there was."""
        raise NotImplementedError

    def close(self, handle: Any) -> None:
        """Forget what `open` started."""
        raise NotImplementedError

    def enumerated(self, start: Any) -> StagedIterable:
        """The stream of (number, item)."""
        raise NotImplementedError


class _OverTensor(StagedIterable):
    def __init__(self, tensor: Tensor) -> None:
        shape = tensor.type.shape
        if shape == ():
            raise refusal("scalar-iteration")
        self.tensor = tensor

    def count(self) -> Any:
        shape = self.tensor.type.shape
        if shape is not None and isinstance(shape[0], int):
            return shape[0]
        return op.dim_size(self.tensor, axis=0)

    def item(self, index: Any) -> Any:
        return self.tensor[index]  # type: ignore[index]


class OverList(StagedIterable):
    """A list as it is when an item is taken: the loop may change it."""

    def __init__(self, value: ListValue, owner: list[Any] | None = None, start: int = 0) -> None:
        self.value = value
        self.owner = owner
        self.start = start
        self.is_live = False  # how long the list is, is asked before each turn

    def count(self) -> Any:
        count = length(as_list_value(self.owner) if self.is_live else self.value)
        return count if type(self.start) is int and self.start == 0 else op.maximum(op.sub(count, self.start), 0)

    def lists(self) -> list[OverList]:
        return [] if self.owner is None else [self]

    def item(self, index: Any) -> Any:
        trace = STATE.trace
        index = index if type(self.start) is int and self.start == 0 else op.add(index, self.start)
        if self.owner is None or trace is None:
            return get_element(self.value, index)
        return taken(trace, self.owner, index, get_element(as_list_value(self.owner), index))


class StagedRange(StagedIterable):
    """`range` with a staged bound."""

    def __init__(self, start: Any, stop: Any, step: Any = 1) -> None:
        self.start, self.stop, self.step = (integer(v) for v in (start, stop, step))

    def count(self) -> Any:
        start, stop, step = self.start, self.stop, self.step
        if not any(isinstance(v, Tensor) for v in (start, stop, step)):
            return len(range(start, stop, step))
        if isinstance(step, int):
            if step == 0:
                raise ValueError("range() arg 3 must not be zero")
            span = op.sub(stop, start) if not (isinstance(start, int) and start == 0) else stop
            if step != 1:
                span = op.neg(op.floordiv(op.sub(start, stop), step))
        else:
            _require(op.not_equal(step, 0), "range() arg 3 must not be zero")
            span = op.neg(op.floordiv(op.sub(start, stop), step))
        return op.maximum(span, 0)

    def item(self, index: Any) -> Any:
        scaled = index if isinstance(self.step, int) and self.step == 1 else op.mul(index, self.step)
        result = scaled if isinstance(self.start, int) and self.start == 0 else op.add(self.start, scaled)
        kinds = [v.type for v in (self.start, self.stop, self.step) if isinstance(v, Tensor)]
        strong = [k for k in kinds if not k.weak]
        if strong and isinstance(result, Tensor) and result.type.weak:
            result = op.cast(result, dtype=strong[0].dtype)
        note_integer(result)
        return result

    def __len__(self) -> int:
        count = self.count()
        if not isinstance(count, int):
            raise refusal("unknown-length", what="len()")
        return count

    def __getitem__(self, index: Any) -> Any:
        count = self.count()
        if isinstance(index, slice):
            step = 1 if index.step is None else index.step.__index__()
            first, last = (0, count) if step > 0 else (op.sub(count, 1), -1)
            least = 0 if step > 0 else -1
            start = first if index.start is None else _within(index.start, count, least)
            stop = last if index.stop is None else _within(index.stop, count, least)
            return StagedRange(self.item(start), self.item(stop), self.step * step)
        index = integer(index)
        inside = op.logical_and(op.greater_equal(index, op.neg(count)), op.less(index, count))
        _require(inside, "range object index out of range", IndexError)
        return self.item(op.where(op.less(index, 0), op.add(index, count), index))

    def __contains__(self, x: Any) -> Any:
        raise refusal("range-membership", what="bound")


def _within(bound: Any, count: Any, least: int) -> Any:
    """A bound of a slice as Python takes it: from the end where it is negative, and within `least` and `least + count`."""
    bound = op.where(op.less(bound, 0), op.add(bound, count), bound)
    return op.minimum(op.maximum(bound, least), op.add(count, least))


def _require(condition: Any, text: str, exception: type[Exception] = ValueError) -> None:
    """Raise an exception when the graph runs, if the condition does not hold then."""
    trace = STATE.trace
    if trace is not None:
        attributes = {"template": (text,), "exception": exception}
        trace.builder.emit(get("assert_"), [trace.operand(condition)], attributes, ())


def integer(v: Any) -> Any:
    """What `range`, `enumerate` and the like count with, as Python takes it."""
    if isinstance(v, Tensor):
        if not v.type.dtype.is_integer or v.type.shape not in ((), None):
            raise v._no_integer()
        return v
    return operator.index(v)


class StagedEnumerate(StagedIterable):
    """`enumerate` of a staged iterable."""

    def __init__(self, inner: StagedIterable, start: Any = 0) -> None:
        self.inner = inner
        self.start = start

    def count(self) -> Any:
        return self.inner.count()

    def lists(self) -> list[OverList]:
        return self.inner.lists()

    def item(self, index: Any) -> Any:
        number = index if isinstance(self.start, int) and self.start == 0 else op.add(index, self.start)
        return number, self.inner.item(index)


class StagedZip(StagedIterable):
    """`zip` of iterables of which one is staged."""

    def __init__(self, inners: list[StagedIterable]) -> None:
        self.inners = inners

    def count(self) -> Any:
        counts = [i.count() for i in self.inners]
        known = [c for c in counts if isinstance(c, int)]
        if len(known) == len(counts):
            return min(known)
        result = min(known, default=WITHOUT_END)
        for c in counts:
            if not isinstance(c, int):
                result = c if is_without_end(result) else op.minimum(result, c)
        return result

    def lists(self) -> list[OverList]:
        return [x for inner in self.inners for x in inner.lists()]

    def lefts(self) -> list[Any]:
        return [x for inner in self.inners for x in inner.lefts()]

    def more(self, index: Any) -> Any:
        result: Any = True
        for inner in self.inners:
            result = _both(result, inner.more(index))
        return result

    def moved(self, taken: Any, ended: Any) -> None:
        """Those before the first that has ended have given one more, which is lost."""
        if len(self.inners) == 1 or (ended is True and all(i.is_private or not i.lefts() for i in self.inners)):
            for inner in self.inners:
                inner.moved(taken, ended)
            return
        for inner in self.inners:
            more = inner.more(taken)
            inner.moved(taken, _both(ended, _not(more)))
            ended = _both(ended, more)
            for left in inner.lefts() if ended is not False else ():
                left.lose(ended)

    def item(self, index: Any) -> Any:
        return tuple(i.item(index) for i in self.inners)


class StagedReversed(StagedIterable):
    """`reversed` of a staged iterable."""

    def __init__(self, inner: StagedIterable) -> None:
        self.inner = inner
        self.last = op.sub(inner.count(), 1) if not isinstance(inner.count(), int) else inner.count() - 1

    def count(self) -> Any:
        return self.inner.count()

    def item(self, index: Any) -> Any:
        return self.inner.item(op.sub(self.last, index) if isinstance(index, Tensor) else self.last - index)


class StagedMap(StagedIterable):
    """`map` of a function over staged iterables."""

    def __init__(self, fn: Any, inner: StagedZip) -> None:
        self.fn = fn
        self.inner = inner

    def count(self) -> Any:
        return self.inner.count()

    def lists(self) -> list[OverList]:
        return self.inner.lists()

    def lefts(self) -> list[Any]:
        return self.inner.lefts()

    def more(self, index: Any) -> Any:
        return self.inner.more(index)

    def moved(self, taken: Any, ended: Any) -> None:
        self.inner.moved(taken, ended)

    def item(self, index: Any) -> Any:
        return self.fn(*self.inner.item(index))


def staged_iterable(x: Any) -> StagedIterable | None:
    """The staged view of an iterable that depends on staged tensors; None if Python can iterate over it."""
    kind = type(x)
    if kind in PLAIN or kind in ITERATORS:
        return None
    if kind is RunTuple:
        return staged_iterable(list_of(x))
    if kind is list:
        dynamic = dynamic_of(x)
        return None if dynamic is None else OverList(dynamic, x)
    if isinstance(x, StagedIterable):
        return x
    if choice_of(x) is not None:
        return staged_iterable(resolve(x))
    if kind is GeneratorType:
        filtered = _filtered.get(x)
        return None if filtered is None else filtered.staged()
    if isinstance(x, Tensor):
        return _OverTensor(x)
    if kind is ListValue:
        return OverList(x)
    view = getattr(kind, "__staged_iterable__", None)
    return None if view is None else view(x)  # type: ignore[no-any-return]


class _Filtered:
    """What a generator goes over that leaves items out: the first may have been looked at."""

    __slots__ = ("collect", "collected", "condition", "element", "iterable", "iterator", "looked_at")

    def __init__(self, element: Any, iterable: Any, condition: Any, collect: Any) -> None:
        self.element, self.iterable, self.condition, self.collect = element, iterable, condition, collect
        self.iterator = iter(iterable)
        self.looked_at: list[tuple[Any, Any]] = []
        self.collected: Any = None  # an iterator over the items that are left

    def look(self) -> Any:
        """The truth of the condition of the next item that is not left out for sure; None at the end."""
        if not self.looked_at:
            for x in self.iterator:
                test = truth_of(self.condition(x))
                if test is not False:
                    self.looked_at.append((x, test))
                    break
            else:
                return None
        return self.looked_at[0][1]

    def staged(self) -> StagedIterable | None:
        """The items that are left, where the condition of the next one is staged."""
        if not isinstance(self.look(), Tensor):
            return None
        if self.collected is None:
            left = [x for x, _ in self.looked_at]
            known = [test for _, test in self.looked_at]  # nobody is asked twice
            rest = itertools.chain(left, self.iterator)
            self.collected = self.collect(rest, self.element, lambda x: known.pop() if known else self.condition(x))
        return staged_iterable(self.collected)

    def items(self) -> Iterator[Any]:
        """The items, one at a time, as Python would take them."""
        looked_at, element, condition = self.looked_at, self.element, self.condition
        while True:
            if looked_at:
                x, test = looked_at.pop()
            else:
                for x in self.iterator:
                    test = condition(x)
                    break
                else:
                    return
            if test is not True and test is not False:
                test = truth_of(test)
                if isinstance(test, Tensor):
                    looked_at.append((x, test))
                    raise taken_in_part()
            if test:
                yield element(x)


_filtered: WeakKeyDictionary[Any, _Filtered] = WeakKeyDictionary()


def filter_of(generator: Any) -> tuple[Any, Any, Any] | None:
    """What a generator that leaves items out gives for each, goes over and asks; None of others, and where it has begun."""
    known = _filtered.get(generator) if type(generator) is GeneratorType else None
    if known is None or known.looked_at or getgeneratorstate(generator) != GEN_CREATED:
        return None
    return known.element, known.iterable, known.condition


def filtered(element: Any, iterable: Any, condition: Any, collect: Any) -> Any:
    """`(element(x) for x in iterable if condition(x))` over a Python iterable: lazy, a generator as Python's.

    Where the next item's condition turns out to be staged, converted code sees the rest as `collect` makes it: an
    iterator over a list. Where items are tensors, conditions are expected to be, and all is collected at once.
    """
    if type(iterable) in (list, tuple) and any(issubclass(kind, Tensor) for kind in set(map(type, iterable))):
        return collect(iterable, element, condition)
    state = _Filtered(element, iterable, condition, collect)
    made = state.items()
    _filtered[made] = state
    return made


def any_iterable(x: Any) -> StagedIterable:
    """A staged view of any iterable, packing Python sequences (for `zip` of a list and a tensor)."""
    staged = staged_iterable(x)
    if staged is not None:
        return staged
    if isinstance(x, np.ndarray):
        return _OverTensor(op.identity(x))
    if isinstance(x, range):
        return StagedRange(x.start, x.stop, x.step)
    return _OverPython(list(x))


def over_items(items: list[Any]) -> StagedIterable:
    """A staged view of the items of a Python list as it is now."""
    return _OverPython(items)


class _OverPython(StagedIterable):
    """A Python sequence indexed by a staged integer."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.packed: ListValue | None = None

    def count(self) -> Any:
        return len(self.items)

    def item(self, index: Any) -> Any:
        if isinstance(index, int):
            return self.items[index]
        first = self.items[0] if self.items else None
        if self.items and all(e is first for e in self.items):
            return first
        item = get_element(as_list_value(self.items), index)
        if STATE.trace is not None and any(True for _ in mutable_parts(item)):
            return taken(STATE.trace, self.items, index, item)
        return item


def depends_on_staged(x: Any) -> bool:
    """Whether iterating over `x` is staged."""
    return STATE.trace is not None and (staged_iterable(x) is not None or is_staged(x))


def item_of_range(x: range, index: Tensor) -> Any:
    """`x[index]`: no list is made of a range, which may be long."""
    inside = op.logical_and(op.greater_equal(index, -len(x)), op.less(index, len(x)))
    op.assert_(inside, template=("range object index out of range",), exception=IndexError)
    at = op.where(op.less(index, 0), op.add(index, len(x)), index)
    return op.add(x.start, op.mul(at, x.step))
