"""The least type that covers two: what a list's elements, or the two sides of a conditional, have in common."""

from __future__ import annotations

from runtime.typesys.dtypes import promote
from runtime.typesys.errors import DTypeError
from runtime.typesys.shapes import Dim, Shape, Size, same_size
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["join_all", "join_shapes", "join_types"]


def join_shapes(a: Shape, b: Shape) -> Shape:
    """Sizes that differ become a new unknown one; ranks that differ make the rank unknown."""
    if a is b:
        return a
    if a is None or b is None or len(a) != len(b):
        return None
    sizes: list[Size] = [x if same_size(x, y) else Dim() for x, y in zip(a, b, strict=True)]
    return tuple(sizes)


def join_types(a: ValueType | None, b: ValueType | None) -> ValueType | None:
    """dtype by promotion (weak first), shape by `join_shapes`, lists by their elements; None is below everything.

    Raises:
      DTypeError: a list meets a tensor, or dtypes that have no common one.

    >>> join_types(TensorType("float32", (2, 3)), TensorType("float64", (2, 3)))
    float64[2,3]
    """
    if a is None or b is None or a == b:
        return b if a is None else a
    if type(a) is ListType and type(b) is ListType:
        return ListType(join_types(a.element, b.element))
    if type(a) is not TensorType or type(b) is not TensorType:
        raise DTypeError(f"{a} and {b} have no common type")
    try:
        dtype, weak = promote((a.dtype, a.weak), (b.dtype, b.weak))
    except TypeError:
        raise DTypeError(f"{a.dtype} and {b.dtype} have no common element type") from None
    return TensorType(dtype, join_shapes(a.shape, b.shape), weak)


def join_all(types: list[ValueType]) -> ValueType | None:
    """The join of any number of types."""
    out: ValueType | None = None
    for one in types:
        out = join_types(out, one)
    return out
