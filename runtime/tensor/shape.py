"""`TensorShape`, and what tensors know of their shape: `shape`, `ndim`, `size`, `len`, iteration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import InvalidArgumentError, OperatorNotAllowedInGraphError, boundary, outward
from runtime.typesys.shapes import Dim, Shape, same_size, whole_number

__all__ = ["TensorShape"]


class TensorShape(tuple):  # noqa: SLOT001 (it remembers what it is the shape of)
    """The shape of a tensor: a tuple of sizes with TensorFlow's interface.

    Known sizes are ints. An unknown size of a staged tensor is a staged integer when it is indexed, iterated or
    unpacked, so that NumPy code which computes with sizes works; `as_list()` gives None for it.

    >>> s = TensorShape([2, None])
    >>> s.rank, s.as_list(), s.is_fully_defined(), TensorShape([2, 3]).num_elements()
    (2, [2, None], False, 6)
    """

    _of: Value | None = None  # the staged value whose shape this is
    _dims: Shape = None  # its sizes, Dim included, where some are unknown
    _axes: range = range(0)  # which of its axes these are
    _ranked: bool = True

    def __new__(cls, dims: Any = None) -> TensorShape:
        if isinstance(dims, TensorShape):
            return dims
        if dims is None:
            new = tuple.__new__(cls, ())
            new._ranked = False
            return new
        if isinstance(dims, (int, np.integer)):
            dims = (dims,)
        sizes = (None if d is None or isinstance(d, Dim) else whole_number(d, "a size") for d in dims)
        return tuple.__new__(cls, tuple(sizes))

    @classmethod
    def _of_value(cls, value: Value, axes: range | None = None) -> TensorShape:
        shape = value.tensor_type.shape
        if shape is None:
            new = cls(None)
        else:
            axes = range(len(shape)) if axes is None else axes
            new = tuple.__new__(cls, [shape[a] if isinstance(shape[a], int) else None for a in axes])
            if None in tuple.__iter__(new):
                new._dims = tuple(shape[a] for a in axes)
                new._axes = axes
        new._of = value
        return new

    @property
    def rank(self) -> int | None:
        """Number of axes; None if unknown."""
        return tuple.__len__(self) if self._ranked else None

    ndims = rank

    @property
    def dims(self) -> list[int | None] | None:
        """The sizes as a list with None, or None for an unknown rank."""
        return list(tuple.__iter__(self)) if self._ranked else None

    def as_list(self) -> list[int | None]:
        """The sizes as a list, None for unknown ones.

        Raises:
          ValueError: the rank is unknown.
        """
        if not self._ranked:
            raise InvalidArgumentError("as_list() is not defined for a shape of unknown rank")
        return list(tuple.__iter__(self))

    def num_elements(self) -> int | None:
        """Product of the sizes; None if one is unknown."""
        sizes = self.dims
        if sizes is None or None in sizes:
            return None
        total = 1
        for size in sizes:
            total *= size  # type: ignore[operator]
        return total

    def is_fully_defined(self) -> bool:
        """Whether every size is a number."""
        return self._ranked and None not in tuple.__iter__(self)

    @boundary
    def assert_is_fully_defined(self) -> None:
        """Raise ValueError unless every size is known."""
        if not self.is_fully_defined():
            raise InvalidArgumentError(f"shape {self} is not fully defined")

    @boundary
    def is_compatible_with(self, other: Any) -> bool:
        """Whether the two could be shapes of one tensor."""
        other = TensorShape(other)
        if not (self._ranked and other._ranked):
            return True
        return tuple.__len__(self) == tuple.__len__(other) and all(
            a is None or b is None or a == b for a, b in zip(tuple.__iter__(self), tuple.__iter__(other), strict=True)
        )

    @boundary
    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless the two could be shapes of one tensor."""
        if not self.is_compatible_with(other):
            raise InvalidArgumentError(f"shapes {self} and {TensorShape(other)} are incompatible")

    @boundary
    def with_rank(self, rank: int) -> TensorShape:
        """This shape, known to have `rank` axes."""
        if not self._ranked:
            return TensorShape([None] * rank)
        if tuple.__len__(self) != rank:
            raise InvalidArgumentError(f"shape {self} must have rank {rank}")
        return self

    @boundary
    def merge_with(self, other: Any) -> TensorShape:
        """What is known from either of two compatible shapes."""
        other = TensorShape(other)
        self.assert_is_compatible_with(other)
        if not self._ranked or not other._ranked:
            return other if not self._ranked else self
        pairs = zip(tuple.__iter__(self), tuple.__iter__(other), strict=True)
        return TensorShape([b if a is None else a for a, b in pairs])

    @boundary
    def concatenate(self, other: Any) -> TensorShape:
        """The sizes of this shape, then those of the other."""
        other = TensorShape(other)
        if not (self._ranked and other._ranked):
            return TensorShape(None)
        return TensorShape([*tuple.__iter__(self), *tuple.__iter__(other)])

    def _checked(self) -> None:
        if not self._ranked:
            raise OperatorNotAllowedInGraphError(
                "the rank of this staged tensor is unknown, so its shape cannot be taken apart; use shape(x), a tensor",
                id="unknown-rank",
            )

    def __len__(self) -> int:
        self._checked()
        return tuple.__len__(self)

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._item(key)
        except BaseException as error:
            outward[0](error)
            raise

    def _item(self, key: Any) -> Any:
        if self._dims is None:
            self._checked()
            found = tuple.__getitem__(self, key)
            return TensorShape(found) if isinstance(key, slice) else found
        assert self._of is not None
        if isinstance(key, slice):
            return TensorShape._of_value(self._of, self._axes[key])
        found = tuple.__getitem__(self, key)
        return found if found is not None else op.dim_size(Tensor(self._of), axis=self._axes[key])

    def __iter__(self) -> Iterator[Any]:
        self._checked()
        if self._dims is None:
            return tuple.__iter__(self)
        return (self[i] for i in range(tuple.__len__(self)))

    @boundary
    def __add__(self, other: Any) -> Any:
        items = (*self, *other)
        return TensorShape(items) if all(isinstance(i, int) for i in items) else items

    @boundary
    def __radd__(self, other: Any) -> Any:
        items = (*other, *self)
        return TensorShape(items) if all(isinstance(i, int) for i in items) else items

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, (tuple, list)):
            return NotImplemented
        theirs = other if isinstance(other, TensorShape) else None
        if not self._ranked or (theirs is not None and not theirs._ranked):
            return theirs is not None and self._ranked == theirs._ranked
        if tuple.__len__(self) != len(other):
            return False
        mine = self._dims if self._dims is not None else tuple(tuple.__iter__(self))
        yours = (
            theirs._dims
            if theirs is not None and theirs._dims is not None
            else tuple(other if theirs is None else tuple.__iter__(theirs))
        )
        result: Any = True
        for axis, (a, b) in enumerate(zip(mine, yours, strict=True)):
            if a is b or same_size(a, b):
                continue
            if (isinstance(a, int) and isinstance(b, int)) or a is None or b is None:
                return False
            same = op.equal(self[axis], other[axis])
            result = same if result is True else op.logical_and(result, same)
        return result

    def __ne__(self, other: object) -> Any:
        same = self.__eq__(other)
        if same is NotImplemented:
            return same
        return op.logical_not(same) if isinstance(same, Tensor) else not same

    def __hash__(self) -> int:
        return hash(tuple(tuple.__iter__(self)))

    def __repr__(self) -> str:
        return f"TensorShape({self.dims})"

    def __str__(self) -> str:
        return "<unknown>" if not self._ranked else str(tuple(tuple.__iter__(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorShape, (self.dims,)


def _shape(self: Tensor) -> TensorShape:
    """The sizes of the axes."""
    value = self._value
    if isinstance(value, np.ndarray):
        return tuple.__new__(TensorShape, value.shape)
    return TensorShape._of_value(value) if type(value) is Value else tuple.__new__(TensorShape, ())


def _rank(tensor: Tensor) -> int:
    value = tensor._value
    if type(value) is not Value:
        return np.ndim(value)
    rank = value.tensor_type.rank
    if rank is None:
        raise OperatorNotAllowedInGraphError(
            "the rank of this staged tensor is unknown until it runs; use rank(x)", id="unknown-rank"
        )
    return rank


def _ndim(self: Tensor) -> int:
    """Number of axes."""
    return _rank(self)


def _size(self: Tensor) -> Any:
    """Number of elements: an int, or a staged one if it is unknown."""
    value = self._value
    if type(value) is not Value:
        return int(np.size(value))
    known = self.shape.num_elements()  # type: ignore[attr-defined]
    return op.num_elements(self) if known is None else known


def _length(self: Tensor, what: str) -> int:
    if _rank(self) == 0:
        if what == "len()":
            raise TypeError("len() of unsized object: a tensor without axes")
        raise TypeError(
            "a tensor without axes (a scalar) cannot be iterated over\n"
            "Instead: for i in range(n) to count to n; ag.reshape(x, [-1]) to make a vector of it"
        )
    value = self._value
    if type(value) is not Value:
        return len(value)
    size = value.tensor_type.shape[0]  # type: ignore[index]
    if not isinstance(size, int):
        raise OperatorNotAllowedInGraphError(
            f"{what} needs the size of the first axis of a staged tensor ({value.type}), "
            "which is unknown until it runs; "
            "use shape(x)[0], or len(x) and for loops in converted code",
            id="unknown-length",
            what=what,
        )
    return size


def _len(self: Tensor) -> int:
    try:
        return _length(self, "len()")
    except BaseException as error:
        outward[0](error)
        raise


def _iter(self: Tensor) -> Iterator[Tensor]:
    try:
        count = _length(self, "iteration")
    except BaseException as error:
        outward[0](error)
        raise
    return (self[i] for i in range(count))  # type: ignore[index]


def _set_shape(self: Tensor, shape: Any) -> None:
    """Say what the shape is known to be, as TensorFlow's `Tensor.set_shape`; InvalidArgumentError if it is another."""
    checked = op.ensure_shape(self, shape=None if shape is None else tuple(shape))
    if type(self._value) is Value:
        self._value = checked._value


def _reshape_in_place(self: Tensor, shape: Any) -> None:
    raise AttributeError("the shape of a tensor cannot be set: make a tensor of another one, x = ag.reshape(x, shape)")


def attach_shape() -> None:
    """Give Tensor its shape, rank, size, length and iteration."""
    for name, getter in {"ndim": _ndim, "size": _size}.items():
        setattr(Tensor, name, property(getter))
    Tensor.shape = property(_shape, _reshape_in_place)  # type: ignore[attr-defined]
    Tensor.mT = property(boundary(lambda self: op.matrix_transpose(self)))  # type: ignore[attr-defined]
    Tensor.real = property(lambda self: op.real(self) if self.dtype.is_complex else self)  # type: ignore[attr-defined]
    Tensor.imag = property(lambda self: op.imag(self) if self.dtype.is_complex else op.zeros_like(self))  # type: ignore[attr-defined]
    Tensor.get_shape = _shape  # type: ignore[attr-defined]
    Tensor.set_shape = boundary(_set_shape)  # type: ignore[attr-defined]
    Tensor.__len__ = _len  # type: ignore[attr-defined]
    Tensor.__iter__ = _iter  # type: ignore[attr-defined]
