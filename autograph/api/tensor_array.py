"""`ag.TensorArray`: TensorFlow's interface over a Python list, which a trace stages as any list of tensors."""

from __future__ import annotations

from typing import Any

from autograph.api.declare import public
from autograph.operators.containers.lists import concatenated_tensors, dynamic_of, length, stacked
from autograph.operators.functions.calls import callee
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.items.items import get_item, set_item
from autograph.operators.statements.branches import if_exp, if_stmt, or_
from autograph.operators.statements.iterables import StagedRange
from runtime.ops.registry import get
from runtime.tensor.dispatch import convert, op
from runtime.tensor.known import static_value
from runtime.tensor.shape import TensorShape
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError, OutOfRangeError

__all__ = ["TensorArray"]


_LONGER = "give it a larger size, or say dynamic_size=True"
_UNWRITTEN = (
    "elements of this TensorArray were never written, and element_shape is not known: write them first, or "
    "say TensorArray(dtype, size, element_shape=...)"
)


@public("TensorArray")
class TensorArray:
    """An array of tensors that is written by index, in loops too, and then stacked or joined.

    Args:
      dtype: element type; what is written is converted to it.
      size: number of elements: an int or an integer tensor; 0 by default.
      dynamic_size: whether a write behind the end makes it longer.
      element_shape: the shape of each element, if known; what was never written reads as zeros of it.
      clear_after_read, tensor_array_name, handle, flow, infer_shape, colocate_with_first_write_call, name: accepted
        for TensorFlow's sake.

    A write changes the array and returns it, so both `ta = ta.write(i, x)` and `ta.write(i, x)` work.

    Raises:
      OutOfRangeError: a read or write outside the array.

    >>> import autograph as ag
    >>> ta = ag.TensorArray(ag.float32, size=3)
    >>> for i in range(3):
    ...     ta = ta.write(i, 2.0 * i)
    >>> ta.stack().numpy(), ta.read(1).numpy(), ta.size().numpy()
    (array([0., 2., 4.], dtype=float32), np.float32(2.0), np.int32(3))

    Source of the semantics: TensorFlow's `tf.TensorArray`.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        self._dtype = as_dtype(dtype)
        self._dynamic = bool(dynamic_size)
        self._shape = TensorShape(element_shape)
        self._size: Any = 0 if size is None else _integer(size)
        self._items: list[Any] = []
        self._bounded = not self._dynamic  # whether no more than `_size` elements may be there

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether a write behind the end makes it longer."""
        return self._dynamic

    @property
    def element_shape(self) -> TensorShape:
        """The shape of the elements, as far as it was given or is known from what was written."""
        if self._shape.is_fully_defined() or not self._items or dynamic_of(self._items) is not None:
            return self._shape
        return TensorShape(self._items[0].shape)

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements, an int32 scalar."""
        return op.cast(convert(self._count()), dtype=as_dtype("int32"))

    def identity(self) -> TensorArray:
        """The array itself."""
        return self

    def close(self, name: str | None = None) -> None:
        """Forget the elements."""
        callee(self._items.clear)()

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Put a tensor at an index; returns the array."""
        value = self._converted(value)
        index = _integer(index)
        self._check(index, writing=True)
        written = self._written()

        def change() -> None:
            set_item(self._items, index, value)

        def grow() -> None:
            self._pad(index, op.zeros_like(value))
            callee(self._items.append)(value)

        if_stmt(_less(index, written), change, grow, ())
        return self

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The tensor at an index; zeros if it was never written."""
        index = _integer(index)
        self._check(index, writing=False)
        dynamic, known = dynamic_of(self._items) is not None, self._shape.is_fully_defined()
        if not (dynamic and known):
            if is_staged(index) and not (dynamic or known or self._items):
                raise IndexError(_UNWRITTEN)  # as of an empty list: in a loop's first turn the path may not be taken
            self._complete()
            result: Tensor = get_item(self._items, index)
            return result
        is_there = or_(_less(index, self._written()), lambda: op.less_equal(self._size, index))  # behind the end: an error
        missing = _zeros(self._shape, self._dtype)
        found: Tensor = if_exp(is_there, lambda: get_item(self._items, index), lambda: missing)
        return found

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as one tensor with a new first axis."""
        self._complete()
        self._check_size()
        dynamic = dynamic_of(self._items)
        if dynamic is not None:
            result: Tensor = stacked(dynamic)
            return result
        if not self._items:
            return self._none()
        return op.stack(self._items, axis=0)

    def concat(self, name: str | None = None) -> Tensor:
        """All elements joined along their first axis."""
        self._complete()
        self._check_size()
        dynamic = dynamic_of(self._items)
        if dynamic is not None:
            return concatenated_tensors(dynamic)
        if not self._items:
            return op.reshape(self._none(), (0, *self._shape.as_list()[1:]))
        return op.concat(self._items, 0)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at some indices as one tensor."""
        return op.gather(self.stack(), convert(indices), axis=0)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Make the slices of a tensor along its first axis the elements; returns the array."""
        value = convert(value, self._dtype)
        callee(self._items.clear)()
        count = value.shape[0]
        if isinstance(count, int):
            callee(self._items.extend)([op.get_item(value, i) for i in range(count)])
        else:
            callee(self._items.extend)(value)
        self._grow_to(count)
        return self

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Write the slices of a tensor at some indices; returns the array."""
        indices, value = convert(indices), convert(value, self._dtype)

        def body(i: Any) -> None:
            self.write(op.get_item(indices, i), op.get_item(value, i))

        _each(indices.shape[0], body)
        return self

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Make pieces of a tensor, with these sizes along its first axis, the elements; returns the array.

        Raises:
          InvalidArgumentError: the lengths are not known when the function is traced.
        """
        value = convert(value, self._dtype)
        known = static_value(convert(lengths))
        if known is None:
            raise InvalidArgumentError(
                "the lengths of TensorArray.split() must be known when the function is traced"
            )
        callee(self._items.clear)()
        at = 0
        for size in known.tolist():
            callee(self._items.append)(op.get_item(value, slice(at, at + size)))
            at += size
        self._grow_to(len(known))
        return self

    def _converted(self, value: Any) -> Tensor:
        value = convert(value, None if isinstance(value, Tensor) else self._dtype)
        if value.dtype != self._dtype:
            raise InvalidArgumentError(
                f"cannot write a {value.dtype.name} tensor into a TensorArray of {self._dtype.name}"
            )
        if not self._shape.is_compatible_with(value.shape):
            raise InvalidArgumentError(
                f"cannot write a tensor of shape {value.shape} into a TensorArray whose element_shape is {self._shape}"
            )
        return value

    def _written(self) -> Any:
        dynamic = dynamic_of(self._items)
        return len(self._items) if dynamic is None else length(dynamic)

    def _count(self) -> Any:
        written = self._written()
        if isinstance(written, int) and isinstance(self._size, int):
            return max(written, self._size)
        return op.maximum(written, self._size)

    def _check_size(self) -> None:
        """Leave a check that no loop of the graph has written behind the end: one for them all, not one for each."""
        written, size = self._written(), self._size
        if not self._bounded or not (is_staged(written) or is_staged(size)):
            return

        elements = f"of {size} elements" if isinstance(size, int) else "of fixed size"
        message = f"a TensorArray {elements} was written behind its end: {_LONGER}"
        behind = op.cast(op.less(size, written), dtype=as_dtype("int32"))
        op.require_alternative(behind, index=0, errors=((1, OutOfRangeError, message),))

    def _grow_to(self, count: Any) -> None:
        if isinstance(count, int) and isinstance(self._size, int):
            self._size = max(self._size, count)
        else:
            self._bounded = False

    def _check(self, index: Any, writing: bool) -> None:
        """Raise for an index outside the array, as far as both are known."""
        count = self._count()
        if not writing and isinstance(count, int) and count == 0:
            raise OutOfRangeError("cannot read from a TensorArray that nothing was written into")
        if is_staged(index) or is_staged(count):
            return
        if index < 0 or (index >= count and not (writing and self._dynamic)):
            what = "write to" if writing else "read"
            way_out = f": {_LONGER}" if writing and index >= 0 else ""
            raise OutOfRangeError(f"cannot {what} index {index} of a TensorArray of {count} elements{way_out}")

    def _pad(self, count: Any, filler: Tensor) -> None:
        """Append fillers until there are `count` elements."""

        def body(_: Any) -> None:
            callee(self._items.append)(filler)

        missing = op.sub(count, self._written()) if is_staged(count) or is_staged(self._written()) else None
        _each(count - self._written() if missing is None else missing, body)

    def _complete(self) -> None:
        """Fill up to the size with what reads as never written."""
        if isinstance(self._size, int) and (self._size == 0 or self._size <= self._known_written()):
            return
        if self._shape.is_fully_defined():
            filler = _zeros(self._shape, self._dtype)
        elif self._known_written():
            filler = op.zeros_like(get_item(self._items, 0))
        elif dynamic_of(self._items) is not None and dynamic_of(self._items).element is not None:  # type: ignore[union-attr]
            return  # every element was written in a loop, or its shape is not known
        else:
            raise InvalidArgumentError(_UNWRITTEN)
        self._pad(self._size, filler)

    def _known_written(self) -> int:
        return len(self._items) if dynamic_of(self._items) is None else 0

    def _none(self) -> Tensor:
        if not self._shape.is_fully_defined():
            raise InvalidArgumentError("this TensorArray is empty, and its element_shape is not known")
        return _zeros((0, *self._shape), self._dtype)


def _zeros(shape: Any, dtype: Any) -> Any:
    return get("zeros").rules.call(op, shape, dtype)


def _integer(x: Any) -> Any:
    """An index or size: an int where it is known, and not read from a staged tensor."""
    return x if is_staged(x) else int(x)


def _less(a: Any, b: Any) -> Any:
    return op.less(a, b) if is_staged(a) or is_staged(b) else a < b


def _each(count: Any, body: Any) -> None:
    staged = STATE.trace is not None and not isinstance(count, int)
    for_stmt(StagedRange(0, count) if staged else range(int(count)), body, ())
