"""Shapes: tuples of sizes, where a size is an int or a named unknown; None is an unknown rank."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from runtime.typesys.errors import DTypeError, InvalidArgumentError, OpError, ShapeError

__all__ = [
    "Dim", "Shape", "Size",
    "broadcast", "broadcast_many", "concat_dim", "is_static", "num_elements", "require_scalar", "same_size", "unequal_parts",
    "whole_number",
]

_counter = itertools.count()


class Dim:
    """A size that is only known at run time. Two sizes are known equal if they are the same `Dim`."""

    __slots__ = ("name",)

    def __init__(self, name: str | None = None) -> None:
        self.name = name if name is not None else f"n{next(_counter)}"

    def __repr__(self) -> str:
        return self.name


Size: TypeAlias = int | Dim
Shape: TypeAlias = tuple[Size, ...] | None


def whole_number(x: Any, what: str) -> int:
    """An argument that must be an integer, as an int; `what` it is called in the message.

    Raises:
      InvalidArgumentError: it is a float, a string, ...

    >>> whole_number(1.5, "an axis")
    Traceback (most recent call last):
    autograph.errors.InvalidArgumentError: an axis is an integer, not 1.5
    """
    if type(x) is int:
        return x
    try:
        return operator.index(x)
    except TypeError as error:
        if isinstance(error, OpError):  # a staged tensor
            kind = x.type
            if not kind.dtype.is_integer or kind.shape not in ((), None):
                raise InvalidArgumentError(f"{what} is an integer, not a tensor of {kind}") from None
            raise
        raise InvalidArgumentError(f"{what} is an integer, not {x!r}") from None


def require_scalar(shape: Shape, op: str | None = None) -> None:
    """Refuse a tensor with axes where one integer belongs: an index, a size, a count."""
    if shape not in ((), None):
        raise DTypeError(f"one integer belongs here, not a tensor of shape {shape}: index or reduce it first", op=op)


def is_static(shape: Shape) -> bool:
    """Whether every size is a number.

    >>> is_static((2, 3)), is_static((2, Dim())), is_static(None)
    (True, False, False)
    """
    return shape is not None and all(type(d) is int for d in shape)


def num_elements(shape: Shape) -> int | None:
    """Product of the sizes; None if one is unknown."""
    if shape is None:
        return None
    total = 1
    for size in shape:
        if not isinstance(size, int):
            return None
        total *= size
    return total


def same_size(a: Size, b: Size) -> bool:
    """Whether two sizes are known to be equal."""
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)


def _broadcast_size(a: Size, b: Size) -> Size | None:
    if same_size(a, b):
        return a
    if isinstance(a, int) and isinstance(b, int):
        return b if a == 1 else a if b == 1 else None
    if isinstance(a, int):  # an unknown size meets 1 or must equal (or be 1 against) a number
        return b if a == 1 else a
    if isinstance(b, int):
        return a if b == 1 else b
    return Dim()


def broadcast(a: Shape, b: Shape) -> Shape:
    """NumPy's broadcast of two shapes.

    Raises:
      ShapeError: two known sizes differ and neither is 1.

    >>> broadcast((4, 1), (3,))
    (4, 3)
    """
    if a is None or b is None:
        return None
    if a == b:
        return a
    longer, shorter = (b, a) if len(a) < len(b) else (a, b)
    lead = len(longer) - len(shorter)
    out = list(longer[:lead])
    for x, y in zip(a[len(a) - len(shorter) :], b[len(b) - len(shorter) :], strict=True):
        size = _broadcast_size(x, y)
        if size is None:
            raise ShapeError(
                f"operands could not be broadcast together with shapes {a} {b}: sizes {x} and {y} differ and neither is 1"
            )
        out.append(size)
    return tuple(out)


def broadcast_many(shapes: Iterable[Shape]) -> Shape:
    """Broadcast of any number of shapes."""
    result: Shape = ()
    for shape in shapes:
        result = broadcast(result, shape)
    return result


def concat_dim(sizes: Sequence[Size]) -> Size:
    """The sum of sizes; an unknown one if any is unknown."""
    if all(isinstance(s, int) for s in sizes):
        return sum(s for s in sizes if isinstance(s, int))
    return sizes[0] if len(sizes) == 1 else Dim()


def unequal_parts(shapes: Sequence[Shape]) -> ShapeError:
    """What to raise where tensors of these shapes are to become one."""
    shown = ", ".join(map(str, list(dict.fromkeys(shapes))[:4]))
    text = f"cannot stack tensors of different shapes: {shown}; pad them to one shape first, or keep the list as it is"
    return ShapeError(text, op="stack")
