"""Going over datasets: eagerly by Python, in a trace by index or, where items have none, by Python when the graph runs."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograph.api.dataset_nodes import ENDLESS, Mapped, Node, Numbers, Zipped
from autograph.api.debugging import check
from autograph.api.effects import py_function
from autograph.api.nest import flatten, pack_sequence_as
from autograph.errors.refusals import refusal
from autograph.operators.expressions.py_builtins import iter_ as iter_of_items
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.iterables import StagedIterable, StagedStream
from autograph.operators.values.choice import is_mixed
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import OutOfRangeError, outward
from runtime.typesys.spec import TensorSpec

__all__ = ["DatasetIterator", "numbered", "staged_view"]

_END = "end of sequence: the iterator has given all its items"
_MANY = 2**62
_OUTSIDE = 0  # the handle of an iterator that was made outside the trace


def staged_view(node: Node) -> StagedIterable:
    """How a loop in a trace goes over the items of a dataset."""
    return _ByIndex(node) if node.count() is not None else _Running(node)


def numbered(node: Node, start: Any) -> Node:
    """The items with their numbers."""
    return Zipped((Numbers(start, ENDLESS, 1, "int64"), node))


class _ByIndex(StagedIterable):
    """Items that have an index: operations of the graph."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def count(self) -> Any:
        count = self.node.count()
        return _MANY if count is ENDLESS else count

    def item(self, index: Any) -> Any:
        return self.node.item(index)


class _FromPosition(StagedIterable):
    """What is left of an iterator whose items have an index; taking one uses it up."""

    def __init__(self, node: Node, position: Tensor) -> None:
        self.node, self.position = node, position

    def count(self) -> Any:
        count = self.node.count()
        return _MANY if count is ENDLESS else op.sub(count, self.position)

    def item(self, index: Any) -> Any:
        trace = STATE.trace
        assert trace is not None
        now = Tensor(trace.value_of(self.position))
        item = self.node.item(now)
        trace.write(self.position, trace.operand(op.add(now, 1)))
        return item


class _Running(StagedStream):
    """Items that Python gives when the graph runs: by an iterator from outside, or by one for each handle."""

    def __init__(self, node: Node, outside: Iterator[Any] | None = None) -> None:
        self.maps: list[Mapped] = []
        while outside is None and isinstance(node, Mapped):
            self.maps.insert(0, node)
            node = node.inputs[0]
        staged = node.staged_part()
        if staged is not None:
            raise refusal("dataset-of-staged", type=staged.type)
        self.node = node
        self.iterators: dict[int, Iterator[Any]] = {} if outside is None else {_OUTSIDE: outside}
        self.numbers = itertools.count(1)

    def open(self) -> Any:
        if _OUTSIDE in self.iterators:
            return _OUTSIDE

        def start() -> int:
            number = next(self.numbers)
            self.iterators[number] = iter(self.node)
            return number

        return py_function(start, [], TensorSpec((), "int64"))

    def pull(self, handle: Any) -> tuple[Any, Callable[[], Any]]:
        spec = self.node.spec()
        leaves = flatten(spec)

        def step(number: Any) -> list[Any]:
            iterator = self.iterators.get(int(number))
            for item in iterator or ():
                return [True, *flatten(item)]
            return [False, *(_nothing(s) for s in leaves)]

        more, *parts = py_function(step, [handle], [TensorSpec((), "bool"), *leaves])

        def item() -> Any:
            made = pack_sequence_as(spec, parts)
            for each in self.maps:
                made = each.of(made)
            return made

        return more, item

    def close(self, handle: Any) -> None:
        def forget(number: Any) -> None:
            self.iterators.pop(int(number), None)

        if _OUTSIDE not in self.iterators:
            py_function(forget, [handle], [])

    def enumerated(self, start: Any) -> StagedIterable:
        return _Running(numbered(self.node, start)) if not self.maps else _Enumerated(self, start)


class _Enumerated(_Running):
    """A stream with numbers, counted where the graph runs."""

    def __init__(self, stream: _Running, start: Any) -> None:
        super().__init__(numbered(stream.node, start))
        self.inner = stream.maps

    def pull(self, handle: Any) -> tuple[Any, Callable[[], Any]]:
        more, pair = super().pull(handle)

        def item() -> Any:
            number, made = pair()
            for each in self.inner:
                made = each.of(made)
            return number, made

        return more, item


def _nothing(spec: TensorSpec) -> Any:
    return np.zeros([d or 0 for d in spec.shape or ()], spec.dtype.dtype)


class DatasetIterator:
    """An iterator over a dataset, which `for` and `next` use up, eagerly or in a `function`.

    >>> import autograph as ag
    >>> items = iter(ag.data.Dataset.range(3))
    >>> int(next(items)), [int(x) for x in items]
    (0, [1, 2])
    """

    def __init__(self, node: Node) -> None:
        trace = STATE.trace
        self._node = node
        self._position: Tensor | None = None
        self._python: Iterator[Any] | None = None
        self._stream: _Running | None = None
        if node.count() is not None:
            self._position = Tensor(0) if trace is None else Tensor(trace.constant(0))
        elif trace is None:
            self._python = iter(node)
        else:
            self._stream = _Running(node)
            self._handle = self._stream.open()

    @property
    def element_spec(self) -> Any:
        """Structure of TensorSpecs of an item."""
        return self._node.spec()

    def __iter__(self) -> DatasetIterator:
        return self

    def __next__(self) -> Any:
        try:
            if STATE.trace is not None:
                raise refusal("unknown-length", what="iteration by Python")
            if self._position is None:
                assert self._python is not None
                return next(self._python)
            position = int(self._position._value)
            if position >= self._node.count():
                raise StopIteration
            item = self._node.item(position)
        except StopIteration:
            raise
        except BaseException as error:
            outward[0](error)
            raise
        self._position._value = position + 1
        return item

    def get_next(self) -> Any:
        """The next item; OutOfRangeError at the end."""
        if STATE.trace is not None:
            return self.__staged_next__()
        for item in self:
            return item
        raise OutOfRangeError(_END)

    def _running(self) -> _Running:
        return self._stream or _Running(self._node, self._python)

    def __staged_iterable__(self) -> StagedIterable:
        if self._position is not None:
            return _FromPosition(self._node, self._position)
        return _Left(self._running(), self)

    def __staged_next__(self, *default: Any) -> Any:
        """`next` in a trace: an item, or OutOfRangeError when the graph runs."""
        if default:
            raise refusal("unknown-length", what="next() with a default value")
        if self._position is not None:
            rest = _FromPosition(self._node, self._position)
            if self._node.count() is not ENDLESS:
                check(op.greater(rest.count(), 0), lambda: _END, OutOfRangeError)
            return rest.item(0)
        stream = self._running()
        more, item = stream.pull(self._handle if stream is self._stream else _OUTSIDE)
        check(more, lambda: _END, OutOfRangeError)
        return item()


class _Left(StagedStream):
    """What is left of an iterator over items without an index."""

    def __init__(self, stream: _Running, iterator: DatasetIterator) -> None:
        self.stream, self.iterator = stream, iterator

    def open(self) -> Any:
        return self.iterator._handle if self.stream is self.iterator._stream else _OUTSIDE

    def pull(self, handle: Any) -> tuple[Any, Callable[[], Any]]:
        return self.stream.pull(handle)

    def close(self, handle: Any) -> None:
        """The iterator may be used again."""

    def enumerated(self, start: Any) -> StagedIterable:
        raise refusal("unknown-length", what="enumerate() of an iterator over a stream (enumerate the dataset instead)")


@stand_in(builtins.iter)
def iter_(x: Any, *sentinel: Any) -> Any:
    """`iter(x)`; of a dataset, an iterator that a trace can use up."""
    if STATE.trace is not None and not sentinel:
        if isinstance(x, DatasetIterator):
            return x
        node = None if is_mixed(x) else getattr(x, "_dataset_node", None)
        if isinstance(node, Node):
            return DatasetIterator(node)
    return iter_of_items(x, *sentinel)
