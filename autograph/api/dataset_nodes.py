"""What datasets are made of: nodes that give items by index where the number of items is known, else one by one.

A node whose items have an index is staged as operations of the graph. One whose items have none (a filter, a shuffle,
a generator) is run by Python when the graph runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from types import FunctionType
from typing import Any

from autograph.api.control_flow import map_fn
from autograph.api.nest import flatten, map_structure
from autograph.operators.functions.calls import callee
from autograph.operators.statements.branches import if_exp
from autograph.staging.function import Function
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import init_scope
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.spec import TensorSpec

__all__ = ["ENDLESS", "Node", "call_with", "tensors_of"]

ENDLESS = math.inf
INT64 = as_dtype("int64")


def tensors_of(x: Any) -> Any:
    """An element as a structure of tensors: tuples and dictionaries are structure, lists become tensors."""
    if type(x) is tuple:
        return tuple(tensors_of(e) for e in x)
    if isinstance(x, tuple) and hasattr(x, "_make"):
        return x._make(tensors_of(e) for e in x)
    if isinstance(x, dict):
        return {k: tensors_of(v) for k, v in x.items()}
    return x if isinstance(x, Tensor) or x is None else convert(x)


def call_with(fn: Any, item: Any) -> Any:
    """`fn` of an element: of a tuple, of its parts."""
    return callee(fn)(*item) if type(item) is tuple else callee(fn)(item)


def specs_of(x: Any) -> Any:
    """The specs of a structure of tensors."""
    return map_structure(lambda t: TensorSpec.from_tensor(t) if isinstance(t, Tensor) else t, x)


def spec_of_call(fn: Callable[[Any], Any], spec: Any) -> Any:
    """The spec of what `fn` gives for an element of this spec, by tracing it."""
    found: list[Any] = []

    def probe(element: Any) -> None:
        found.append(specs_of(tensors_of(fn(element))))

    with init_scope():
        Function(probe).get_concrete_function(spec)
    return found[-1]


def batched_spec(spec: Any, size: int | None) -> Any:
    """The spec of a batch."""
    return map_structure(lambda s: TensorSpec(None if s.shape is None else (size, *s.shape), s.dtype), spec)


class Node:
    """Items of a dataset. `count` is None where only running tells, ENDLESS where there is no end."""

    inputs: tuple[Node, ...] = ()
    functions: tuple[Any, ...] = ()

    def count(self) -> Any:
        """Number of items: an int, a staged integer, ENDLESS or None."""
        return None

    def item(self, index: Any) -> Any:
        """The item at an index in range, where there is a count."""
        raise NotImplementedError

    def span(self, start: Any, stop: Any) -> Any:
        """The items from start to stop as one batch; None where they have to be stacked."""
        return None

    def spec(self) -> Any:
        """Structure of TensorSpecs of an item."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        i, count = 0, self.count()
        while i < count:
            yield self.item(i)
            i += 1

    def staged_part(self) -> Any:
        """A staged tensor that the items depend on, or None."""
        for fn in self.functions:
            found = _staged_in(fn)
            if found is not None:
                return found
        return next((t for t in (i.staged_part() for i in self.inputs) if t is not None), None)


def _staged_in(fn: Any) -> Any:
    """A staged tensor in a function's closure or defaults."""
    if not isinstance(fn, FunctionType):
        return None
    values = list(fn.__defaults__ or ())
    for cell in fn.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:
            continue
    return next((v for v in values if isinstance(v, Tensor) and is_staged(v)), None)


class Slices(Node):
    """The rows of a structure of tensors."""

    def __init__(self, structure: Any) -> None:
        self.structure = tensors_of(structure)
        leaves = flatten(self.structure)
        if not leaves:
            raise InvalidArgumentError("from_tensor_slices() needs at least one tensor")
        for leaf in leaves:
            if leaf.type.shape == ():
                raise InvalidArgumentError(
                    "from_tensor_slices() goes over the first axis, and a scalar has none: give it a list or a tensor "
                    "of rank 1 or more, or use from_tensors()"
                )
        sizes = {s for s in (leaf.type.shape and leaf.type.shape[0] for leaf in leaves) if isinstance(s, int)}
        if len(sizes) > 1:
            raise InvalidArgumentError(f"the first axes of the tensors must have one size, got {sorted(sizes)}")

    def count(self) -> Any:
        first = flatten(self.structure)[0]
        shape = first.type.shape
        return shape[0] if shape is not None and isinstance(shape[0], int) else op.dim_size(first, axis=0)

    def item(self, index: Any) -> Any:
        return map_structure(lambda t: op.get_item(t, index), self.structure)

    def span(self, start: Any, stop: Any) -> Any:
        return map_structure(lambda t: op.get_item(t, slice(start, stop)), self.structure)

    def spec(self) -> Any:
        return map_structure(lambda t: _row(TensorSpec.from_tensor(t)), self.structure)

    def staged_part(self) -> Any:
        return next((t for t in flatten(self.structure) if is_staged(t)), None)


def _row(spec: TensorSpec) -> TensorSpec:
    return TensorSpec(None if spec.shape is None else spec.shape[1:], spec.dtype)


class One(Node):
    """A single item."""

    def __init__(self, structure: Any) -> None:
        self.structure = tensors_of(structure)

    def count(self) -> Any:
        return 1

    def item(self, index: Any) -> Any:
        return self.structure

    def spec(self) -> Any:
        return specs_of(self.structure)

    def staged_part(self) -> Any:
        return next((t for t in flatten(self.structure) if is_staged(t)), None)


class Numbers(Node):
    """An arithmetic progression."""

    def __init__(self, start: Any, stop: Any, step: Any, dtype: Any) -> None:
        self.start, self.stop, self.step, self.dtype = start, stop, step, as_dtype(dtype)
        if isinstance(step, int) and step == 0:
            raise InvalidArgumentError("the step of Dataset.range() must not be zero")

    def count(self) -> Any:
        bounds = (self.start, self.stop, self.step)
        if self.stop is ENDLESS:
            return ENDLESS
        if not any(isinstance(b, Tensor) and is_staged(b) for b in bounds):
            return len(range(*map(int, bounds)))
        steps = op.neg(op.floordiv(op.sub(self.start, self.stop), self.step))
        return op.maximum(op.cast(steps, dtype=INT64), 0)

    def item(self, index: Any) -> Any:
        scaled = index if isinstance(self.step, int) and self.step == 1 else op.mul(index, self.step)
        return op.cast(op.add(convert(self.start), scaled), dtype=self.dtype)

    def spec(self) -> Any:
        return TensorSpec((), self.dtype)

    def staged_part(self) -> Any:
        bounds = (self.start, self.stop, self.step)
        return next((b for b in bounds if isinstance(b, Tensor) and is_staged(b)), None)


class Mapped(Node):
    """A function of each item."""

    def __init__(self, inner: Node, fn: Any) -> None:
        self.inputs, self.functions, self._spec = (inner,), (fn,), None

    def of(self, item: Any) -> Any:
        """The item made of one."""
        return tensors_of(call_with(self.functions[0], item))

    def count(self) -> Any:
        return self.inputs[0].count()

    def item(self, index: Any) -> Any:
        return self.of(self.inputs[0].item(index))

    def spec(self) -> Any:
        if self._spec is None:
            self._spec = spec_of_call(self.of, self.inputs[0].spec())
        return self._spec

    def __iter__(self) -> Iterator[Any]:
        return map(self.of, self.inputs[0])


class Taken(Node):
    """The items from one to another, every k-th."""

    def __init__(self, inner: Node, start: Any, stop: Any, step: int = 1) -> None:
        self.inputs, self.start, self.stop, self.step = (inner,), start, stop, step

    def count(self) -> Any:
        count = self.inputs[0].count()
        if count is None:
            return None
        end = _least(count, self.stop)
        if end is ENDLESS:
            return ENDLESS
        if isinstance(end, int) and isinstance(self.start, int):
            return len(range(self.start, end, self.step))
        return op.maximum(op.neg(op.floordiv(op.sub(self.start, end), self.step)), 0)

    def item(self, index: Any) -> Any:
        scaled = index * self.step if self.step != 1 else index
        return self.inputs[0].item(scaled + self.start if not isinstance(self.start, int) or self.start else scaled)

    def span(self, start: Any, stop: Any) -> Any:
        return self.inputs[0].span(start + self.start, stop + self.start) if self.step == 1 else None

    def spec(self) -> Any:
        return self.inputs[0].spec()

    def __iter__(self) -> Iterator[Any]:
        if self.count() is not None:
            yield from super().__iter__()
            return
        last = None if self.stop is ENDLESS else int(self.stop)
        yield from islice(self.inputs[0], int(self.start), last, self.step)


def _least(a: Any, b: Any) -> Any:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return b if a is ENDLESS else a if b is ENDLESS else op.minimum(a, b)
    return min(a, b)


class Repeated(Node):
    """All items, several times over."""

    def __init__(self, inner: Node, times: Any) -> None:
        self.inputs, self.times = (inner,), times

    def count(self) -> Any:
        count = self.inputs[0].count()
        if count is None:
            return 0 if self.times == 0 else None
        if isinstance(count, int) and count == 0:
            return 0
        return ENDLESS if self.times is ENDLESS or count is ENDLESS else count * self.times

    def item(self, index: Any) -> Any:
        count = self.inputs[0].count()
        return self.inputs[0].item(index if count is ENDLESS else index % count)

    def spec(self) -> Any:
        return self.inputs[0].spec()

    def __iter__(self) -> Iterator[Any]:
        done = 0
        while done < self.times:
            empty = True
            for item in self.inputs[0]:
                empty = False
                yield item
            if empty:
                return
            done += 1


class Joined(Node):
    """The items of one dataset, then those of another."""

    def __init__(self, first: Node, second: Node) -> None:
        self.inputs = (first, second)

    def count(self) -> Any:
        counts = [i.count() for i in self.inputs]
        return None if None in counts else counts[0] if counts[0] is ENDLESS else counts[0] + counts[1]

    def item(self, index: Any) -> Any:
        first, second = self.inputs
        count = first.count()
        if count is ENDLESS or (isinstance(count, int) and count == 0):
            return first.item(index) if count else second.item(index)
        return if_exp(index < count, lambda: first.item(index), lambda: second.item(index - count))

    def spec(self) -> Any:
        return self.inputs[0].spec()

    def __iter__(self) -> Iterator[Any]:
        for each in self.inputs:
            yield from each


class Zipped(Node):
    """The items of several datasets, in tuples or another structure."""

    def __init__(self, inputs: tuple[Node, ...], pack: Callable[[list[Any]], Any] = tuple) -> None:
        self.inputs, self.pack = inputs, pack

    def count(self) -> Any:
        counts = [i.count() for i in self.inputs]
        if any(c is None for c in counts):
            return None
        least = counts[0]
        for c in counts[1:]:
            least = _least(least, c)
        return least

    def item(self, index: Any) -> Any:
        return self.pack([i.item(index) for i in self.inputs])

    def span(self, start: Any, stop: Any) -> Any:
        spans = [i.span(start, stop) for i in self.inputs]
        return None if any(s is None for s in spans) else self.pack(spans)

    def spec(self) -> Any:
        return self.pack([i.spec() for i in self.inputs])

    def __iter__(self) -> Iterator[Any]:
        return (self.pack(list(items)) for items in zip(*self.inputs, strict=False))


class Batched(Node):
    """Several items stacked into one."""

    def __init__(self, inner: Node, size: int, drop: bool) -> None:
        if size <= 0:
            raise InvalidArgumentError(f"batch_size must be positive, got {size}")
        self.inputs, self.size, self.drop = (inner,), size, drop

    def count(self) -> Any:
        count = self.inputs[0].count()
        if count is None or count is ENDLESS:
            return count
        return count // self.size if self.drop else (count + self.size - 1) // self.size

    def _even(self) -> bool:
        count = self.inputs[0].count()
        return self.drop or count is ENDLESS or (isinstance(count, int) and count % self.size == 0)

    def item(self, index: Any) -> Any:
        inner, start = self.inputs[0], index * self.size
        if self._even():
            if isinstance(index, int):
                span = inner.span(start, start + self.size)
                if span is not None:
                    return span
            return stacked([inner.item(start + k) for k in range(self.size)])
        stop = _least(inner.count(), start + self.size)
        span = inner.span(start, stop)
        if span is not None:
            return span
        if not isinstance(start, Tensor) and not isinstance(stop, Tensor):
            return stacked([inner.item(i) for i in range(start, stop)])
        return map_fn(inner.item, op.cast(op.range(start, stop), dtype=INT64), fn_output_signature=inner.spec())

    def spec(self) -> Any:
        return batched_spec(self.inputs[0].spec(), self.size if self._even() else None)

    def __iter__(self) -> Iterator[Any]:
        if self.count() is not None:
            yield from super().__iter__()
            return
        items: list[Any] = []
        for item in self.inputs[0]:
            items.append(item)
            if len(items) == self.size:
                yield stacked(items)
                items = []
        if items and not self.drop:
            yield stacked(items)


def stacked(items: list[Any]) -> Any:
    """Structures of tensors stacked leaf by leaf."""
    shapes = {tuple(t.shape) for t in flatten(items[0])}
    try:
        return map_structure(lambda *leaves: op.stack(list(leaves), axis=0), *items)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(
            f"the elements of a batch must have one shape; the first has {sorted(shapes)}: {error}; pad them in map(), "
            "or say batch(1)"
        ) from None


class Stream(Node):
    """Items that only running gives: a Python iterator, made anew for each pass."""

    def __init__(
        self, inputs: tuple[Node, ...], functions: tuple[Any, ...], items: Callable[[], Iterator[Any]], spec: Any
    ) -> None:
        self.inputs, self.functions, self._items, self._spec = inputs, functions, items, spec

    def spec(self) -> Any:
        if callable(self._spec):
            self._spec = self._spec()
        return self._spec

    def __iter__(self) -> Iterator[Any]:
        return self._items()
