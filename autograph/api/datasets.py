"""`ag.data`: the basics of TensorFlow's input pipelines, eager and staged.

A dataset whose items have an index (slices, ranges, and what `map`, `batch`, `take`, `zip` make of them) is staged as
operations of the graph, and has gradients. One whose items have none is run by Python when the graph runs.
"""

from __future__ import annotations

import operator
import random as _random
from collections.abc import Callable, Iterator
from typing import Any

from autograph.api.dataset_iterators import DatasetIterator, numbered, staged_view
from autograph.api.dataset_nodes import (
    ENDLESS,
    INT64,
    Batched,
    Joined,
    Mapped,
    Node,
    Numbers,
    One,
    Repeated,
    Slices,
    Stream,
    Taken,
    Zipped,
    call_with,
    spec_of_call,
    specs_of,
    tensors_of,
)
from autograph.api.declare import public
from autograph.api.nest import flatten, map_structure, pack_sequence_as
from autograph.errors.refusals import refusal
from autograph.operators.functions.calls import callee
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.statements.iterables import StagedIterable
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.spec import TensorSpec

__all__ = ["Dataset"]

AUTOTUNE = -1
INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


def _times(count: Any) -> Any:
    """A count argument: None and negative numbers mean no end."""
    if count is None:
        return ENDLESS
    if isinstance(count, Tensor) and is_staged(count):
        return count
    return ENDLESS if int(count) < 0 else int(count)


@public("data.Dataset")
class Dataset:
    """A sequence of elements: tensors, or tuples and dictionaries of them.

    It is gone over with `for`, eagerly or in a `function`, where the loop is staged.

    >>> import autograph as ag
    >>> squares = ag.data.Dataset.range(5).map(lambda x: x * x)
    >>> [int(x) for x in squares]
    [0, 1, 4, 9, 16]
    >>> [batch.numpy().tolist() for batch in squares.batch(2)]
    [[0, 1], [4, 9], [16]]

    Source of the semantics: TensorFlow's `tf.data.Dataset`.
    """

    def __init__(self, node: Node) -> None:
        if not isinstance(node, Node):
            raise TypeError(f"make datasets with Dataset.from_tensor_slices() and its kin, not of {type(node).__name__}")
        self._dataset_node = node

    # ------------------------------------------------------------------ sources

    @staticmethod
    def from_tensor_slices(tensors: Any, name: Any = None) -> Dataset:
        """One element for each row of the first axis.

        Args:
          tensors: a tensor, or a tuple or dictionary of tensors whose first axes have one size.

        Raises:
          InvalidArgumentError: a tensor is a scalar, or the first axes differ.

        >>> for x, y in ag.data.Dataset.from_tensor_slices(([1, 2], [3.0, 4.0])):
        ...     print(int(x), float(y))
        1 3.0
        2 4.0
        """
        return Dataset(Slices(tensors))

    @staticmethod
    def from_tensors(tensors: Any, name: Any = None) -> Dataset:
        """A single element."""
        return Dataset(One(tensors))

    @staticmethod
    def range(*args: Any, output_type: Any = "int64", name: Any = None) -> Dataset:
        """Numbers as Python's `range` gives them: (stop), (start, stop) or (start, stop, step)."""
        if not 1 <= len(args) <= 3:
            raise TypeError(f"Dataset.range() takes 1 to 3 numbers, got {len(args)}")
        bounds = [a if isinstance(a, Tensor) and is_staged(a) else int(a) for a in args]
        start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
        return Dataset(Numbers(start, stop, step, output_type))

    @staticmethod
    def counter(start: int = 0, step: int = 1, dtype: Any = "int64", name: Any = None) -> Dataset:
        """Numbers without end."""
        return Dataset(Numbers(start, ENDLESS, step, dtype))

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple[Any, ...] = (),
        output_signature: Any = None,
        name: Any = None,
    ) -> Dataset:
        """What a Python generator function yields, called anew for each pass.

        Args:
          generator: called with `args`; yields values that convert to the signature.
          output_signature: structure of TensorSpecs of an element (or `output_types`, and perhaps `output_shapes`).

        Raises:
          TypeError: neither is given.
        """
        if output_signature is None:
            if output_types is None:
                raise TypeError(
                    "from_generator() needs output_signature, such as ag.TensorSpec((), ag.float32): a graph must know "
                    "dtype and shape before the generator runs"
                )
            shapes = flatten(output_shapes) if output_shapes is not None else [None] * len(flatten(output_types))
            specs = [TensorSpec(s, t) for s, t in zip(shapes, flatten(output_types), strict=True)]
            output_signature = pack_sequence_as(output_types, specs)
        specs = flatten(output_signature)

        def items() -> Iterator[Any]:
            for item in generator(*args):
                leaves = flatten(item) if len(specs) > 1 else [item]
                if len(leaves) != len(specs):
                    raise InvalidArgumentError(
                        f"the generator yielded {len(leaves)} values where its signature has {len(specs)}: "
                        f"{output_signature}"
                    )
                tensors = [op.cast(tensors_of(x), dtype=s.dtype) for x, s in zip(leaves, specs, strict=True)]
                for tensor, s in zip(tensors, specs, strict=True):
                    if not s.is_compatible_with(tensor):
                        raise InvalidArgumentError(
                            f"the generator yielded shape {tuple(tensor.shape)} where its signature has {s.shape}"
                        )
                yield pack_sequence_as(output_signature, tensors) if len(specs) > 1 else tensors[0]

        return Dataset(Stream((), (), items, output_signature if len(specs) > 1 else specs[0]))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: Any = None) -> Dataset:
        """Elements of several datasets side by side: a tuple, or a dictionary of datasets."""
        structure = datasets if datasets is not None else args[0] if len(args) == 1 else args
        if isinstance(structure, Dataset):
            structure = (structure,)
        if isinstance(structure, dict):
            keys = list(structure)
            nodes = tuple(structure[k]._dataset_node for k in keys)
            return Dataset(Zipped(nodes, lambda items: dict(zip(keys, items, strict=True))))
        return Dataset(Zipped(tuple(d._dataset_node for d in structure)))

    # ------------------------------------------------------- one after the other

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        synchronous: Any = None,
        use_unbounded_threadpool: bool = False,
        name: Any = None,
    ) -> Dataset:
        """A function of each element; of a tuple, it takes the parts."""
        return Dataset(Mapped(self._dataset_node, map_func))

    def batch(
        self, batch_size: Any, drop_remainder: bool = False, num_parallel_calls: Any = None, deterministic: Any = None,
        name: Any = None,
    ) -> Dataset:
        """Several elements stacked along a new first axis; the last batch may be smaller."""
        if (size := operator.index(batch_size)) < 1:
            raise InvalidArgumentError(f"batch() needs a batch_size of 1 or more, not {size}")
        return Dataset(Batched(self._dataset_node, size, drop_remainder))

    def take(self, count: Any, name: Any = None) -> Dataset:
        """The first elements; all, for -1."""
        return Dataset(Taken(self._dataset_node, 0, _times(count)))

    def skip(self, count: Any, name: Any = None) -> Dataset:
        """All but the first elements."""
        return Dataset(Taken(self._dataset_node, _times(count), ENDLESS))

    def shard(self, num_shards: int, index: int, name: Any = None) -> Dataset:
        """Every num_shards-th element, from `index` on."""
        return Dataset(Taken(self._dataset_node, int(index), ENDLESS, int(num_shards)))

    def repeat(self, count: Any = None, name: Any = None) -> Dataset:
        """The elements several times over; without end, for None or -1."""
        return Dataset(Repeated(self._dataset_node, _times(count)))

    def concatenate(self, dataset: Dataset, name: Any = None) -> Dataset:
        """These elements, then those of another dataset."""
        return Dataset(Joined(self._dataset_node, dataset._dataset_node))

    def enumerate(self, start: Any = 0, name: Any = None) -> Dataset:
        """Elements with their numbers (int64)."""
        return Dataset(numbered(self._dataset_node, start))

    def _stream(
        self, items: Callable[[], Iterator[Any]], functions: tuple[Any, ...] = (), spec: Any = None
    ) -> Dataset:
        node = self._dataset_node
        return Dataset(Stream((node,), functions, items, spec or node.spec))

    def filter(self, predicate: Callable[..., Any], name: Any = None) -> Dataset:
        """The elements for which a function is true."""
        node = self._dataset_node
        return self._stream(lambda: (x for x in node if bool(call_with(predicate, x))), (predicate,))

    def take_while(self, predicate: Callable[..., Any], name: Any = None) -> Dataset:
        """The elements up to the first for which a function is false."""

        def items() -> Iterator[Any]:
            for x in node:
                if not bool(call_with(predicate, x)):
                    return
                yield x

        node = self._dataset_node
        return self._stream(items, (predicate,))

    def shuffle(
        self, buffer_size: Any = None, seed: int | None = None, reshuffle_each_iteration: bool | None = True,
        name: Any = None,
    ) -> Dataset:
        """Each next element is drawn from a buffer of so many; of all, for None."""
        node, again = self._dataset_node, reshuffle_each_iteration is not False
        size = ENDLESS if buffer_size is None else int(buffer_size)
        if size <= 0:
            raise InvalidArgumentError(f"buffer_size must be positive, got {buffer_size}")
        numbers = _random.Random(seed)
        fixed = numbers.getrandbits(64)

        def items() -> Iterator[Any]:
            draw = numbers if again else _random.Random(fixed)
            buffer: list[Any] = []
            for x in node:
                buffer.append(x)
                if len(buffer) > size:
                    i = draw.randrange(len(buffer) - 1)
                    buffer[i], buffer[-1] = buffer[-1], buffer[i]
                    yield buffer.pop()
            draw.shuffle(buffer)
            yield from buffer

        return self._stream(items)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: Any = None) -> Dataset:
        """`state, output = scan_func(state, element)` for each element; the outputs."""
        node, first = self._dataset_node, tensors_of(initial_state)

        def items() -> Iterator[Any]:
            state = first
            for x in node:
                state, out = callee(scan_func)(state, x)
                yield tensors_of(out)

        def spec() -> Any:
            return spec_of_call(lambda pair: callee(scan_func)(*pair)[1], (specs_of(first), node.spec()))

        return self._stream(items, (scan_func,), spec)

    def flat_map(self, map_func: Callable[..., Any], name: Any = None) -> Dataset:
        """The elements of the datasets that a function makes of the elements, one after the other."""
        return self.interleave(map_func, cycle_length=1)

    def interleave(
        self, map_func: Callable[..., Any], cycle_length: int | None = None, block_length: int = 1,
        num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None,
    ) -> Dataset:
        """As `flat_map`, going over `cycle_length` of the datasets in turns of `block_length` elements."""
        node = self._dataset_node

        def items() -> Iterator[Any]:
            sources = iter(node)
            active: list[Iterator[Any] | None] = [None] * (cycle_length or 1)
            more = True
            while more or any(a is not None for a in active):
                for k, a in enumerate(active):
                    if a is None and more:
                        source = next(sources, None)
                        more = source is not None
                        a = active[k] = None if source is None else iter(_made(map_func, source)._dataset_node)
                    for _ in range(block_length if cycle_length != 1 else 2**62):
                        x = None if a is None else next(a, None)
                        if x is None:
                            active[k] = None
                            break
                        yield x

        def spec() -> Any:
            for source in node:
                return _made(map_func, source).element_spec
            raise InvalidArgumentError("flat_map() of an empty dataset: the type of its elements is not known")

        return self._stream(items, (map_func,), spec)

    def unbatch(self, name: Any = None) -> Dataset:
        """The rows of the elements, one by one."""
        node = self._dataset_node

        def spec() -> Any:
            return map_structure(lambda s: TensorSpec(None if s.shape is None else s.shape[1:], s.dtype), node.spec())

        return self._stream(lambda: (row for x in node for row in Slices(x)), (), spec)

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any = None, padding_values: Any = None, drop_remainder: bool = False,
        name: Any = None,
    ) -> Dataset:
        """Batches of elements padded at their ends to the largest in the batch (or to `padded_shapes`)."""
        node, size = self._dataset_node, int(batch_size)
        wanted = None if padded_shapes is None else flatten(padded_shapes)
        structure = node.spec
        if wanted is not None and not any(isinstance(s, (tuple, list)) or s is None for s in wanted):
            wanted = [padded_shapes]  # one shape, as a list of sizes

        def together(items: list[Any]) -> Any:
            columns = zip(*map(flatten, items), strict=True)
            fills = flatten(padding_values) if padding_values is not None else None
            made = []
            for k, column in enumerate(columns):
                largest = [max(sizes) for sizes in zip(*(t.shape for t in column), strict=True)]
                asked = wanted[k] if wanted is not None else None
                goal = [g if a in (None, -1) else int(a) for g, a in zip(largest, asked or largest, strict=True)]
                fill = 0 if fills is None else fills[k if len(fills) > 1 else 0]
                rows = [
                    op.pad_with(t, [[0, g - int(n)] for g, n in zip(goal, t.shape, strict=True)], constant_values=fill)
                    for t in column
                ]
                made.append(op.stack(rows, axis=0))
            return pack_sequence_as(items[0], made)

        def items() -> Iterator[Any]:
            held: list[Any] = []
            for x in node:
                held.append(x)
                if len(held) == size:
                    yield together(held)
                    held = []
            if held and not drop_remainder:
                yield together(held)

        def spec() -> Any:
            return map_structure(lambda s: TensorSpec((None, *(None for _ in s.shape)), s.dtype), structure())

        return self._stream(items, (), spec)

    def cache(self, filename: str = "", name: Any = None) -> Dataset:
        """The elements, kept in memory after the first whole pass."""
        if filename:
            raise refusal("cache-in-file", name=filename)
        node = self._dataset_node
        kept: list[Any] = []

        def items() -> Iterator[Any]:
            if kept:
                yield from kept
                return
            made = []
            for x in node:
                made.append(x)
                yield x
            kept[:] = made

        return self._stream(items)

    def prefetch(self, buffer_size: Any = None, name: Any = None) -> Dataset:
        """The same elements: one is made when it is asked for."""
        return self

    def with_options(self, options: Any, name: Any = None) -> Dataset:
        """The same elements."""
        return self

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """What a function makes of the dataset."""
        return callee(transformation_func)(self)  # type: ignore[no-any-return]

    # ------------------------------------------------------------------- results

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: Any = None) -> Any:
        """`state = reduce_func(state, element)` over all elements.

        >>> int(ag.data.Dataset.range(5).reduce(ag.constant(0, "int64"), lambda total, x: total + x))
        10
        """
        state = tensors_of(initial_state)

        def body(item: Any) -> None:
            nonlocal state
            state = tensors_of(callee(reduce_func)(state, item))

        for_stmt(self, body, ("state",))
        return state

    def get_single_element(self, name: Any = None) -> Any:
        """The one element of a dataset of one."""
        items = list(self.take(2))
        if len(items) != 1:
            raise InvalidArgumentError(f"the dataset has {'no' if not items else 'more than one'} element")
        return items[0]

    def cardinality(self) -> Any:
        """Number of elements (int64); -1 where there is no end, -2 where only running tells."""
        count = self._dataset_node.count()
        known = UNKNOWN_CARDINALITY if count is None else INFINITE_CARDINALITY if count is ENDLESS else count
        return op.cast(tensors_of(known), dtype=INT64)

    def __len__(self) -> int:
        count = self._dataset_node.count()
        if count is None or count is ENDLESS:
            raise TypeError(f"the dataset has {'no end' if count else 'a length that only running it tells'}: say take(n)")
        if not isinstance(count, int):
            raise refusal("unknown-length", what="len()")
        return count

    @property
    def element_spec(self) -> Any:
        """Structure of TensorSpecs of an element."""
        return self._dataset_node.spec()

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as NumPy arrays."""
        return (map_structure(lambda t: t.numpy(), x) for x in self._dataset_node)

    def __iter__(self) -> Iterator[Any]:
        if STATE.trace is None:
            return DatasetIterator(self._dataset_node)
        count = self._dataset_node.count()
        if not isinstance(count, int):
            raise refusal("unknown-length", what="iteration by Python")
        return (self._dataset_node.item(i) for i in range(count))

    def __staged_iterable__(self) -> StagedIterable:
        return staged_view(self._dataset_node)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<autograph.data.Dataset of {self.element_spec}>"


def _made(fn: Any, source: Any) -> Dataset:
    made = call_with(fn, source)
    if not isinstance(made, Dataset):
        raise TypeError(f"flat_map() and interleave() need a function that gives a Dataset, not {type(made).__name__}")
    return made
