"""Sizes given by users: numbers, staged scalars, or both; an attribute of known sizes and inputs for the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.typesys.errors import DTypeError, InvalidArgumentError
from runtime.typesys.shapes import Dim, Shape, Size, num_elements

__all__ = ["fill_sizes", "shape_of_sizes", "split_sizes"]


def split_sizes(op: Any, shape: Any) -> tuple[tuple[Any, ...] | None, list[Any]]:
    """(attribute, inputs): every size as an int, or, where an input brings it, its `Dim` if that is known, else None.

    The attribute itself is None if `shape` is a staged vector of unknown length: then that is the one input.
    """
    known = op.static_value(shape) if not isinstance(shape, (list, tuple)) else None
    if known is not None:
        array = np.asarray(known)
        if array.dtype.kind not in "iu" and array.size:
            raise _not_whole(repr(array.tolist()), array.dtype.kind == "f")
        return tuple(map(int, array.ravel())), []
    if not isinstance(shape, (list, tuple)):
        kind = op.type_of(shape)
        if kind.shape == ():
            shape = [shape]
        elif kind.shape is None or not isinstance(kind.shape[0], int):
            return None, [shape]
        else:
            shape = [op.get_item(shape, i) for i in range(kind.shape[0])]
    entries: list[Any] = []
    inputs: list[Any] = []
    for size in shape:
        if type(size) is int:
            entries.append(size)
            continue
        value = op.static_value(size)
        if value is not None:
            entries.append(_whole(value, size))
            continue
        if size is None:
            raise InvalidArgumentError("a shape to compute with must not hold None; give -1, a number or a tensor")
        if not op.type_of(size).dtype.is_integer:
            raise _not_whole(f"a {op.type_of(size).dtype.name} tensor")
        if op.type_of(size).shape not in ((), None):
            if num_elements(op.type_of(size).shape) != 1:
                raise _not_whole(f"a tensor of shape {op.type_of(size).shape}", number=False)
            size = op.reshape(size, shape=())
        dim = op.dim_of(size)
        if isinstance(dim, int):
            entries.append(dim)
            continue
        entries.append(dim)
        inputs.append(size)
    return tuple(entries), inputs


def _whole(value: Any, given: Any) -> int:
    array = np.asarray(value)
    if array.dtype.kind not in "iub" or array.size != 1:
        raise _not_whole(repr(given), array.dtype.kind == "f")
    return int(array.item())


def _not_whole(given: str, number: bool = True) -> DTypeError:
    instead = "; n // 2 is one where n / 2 is not, and so is int(n)" if number else ""
    return DTypeError(f"a shape is made of integers, not {given}{instead}")


def shape_of_sizes(entries: tuple[Any, ...] | None) -> Shape:
    """The shape that an attribute made by `split_sizes` describes."""
    return None if entries is None else tuple(_size(e) for e in entries)


def _size(entry: Any) -> Size:
    return Dim() if entry is None else entry


def fill_sizes(entries: tuple[Any, ...] | None, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The numbers (or source texts) of all sizes at run time."""
    if entries is None:
        return tuple(inputs[0])
    if not inputs:
        return entries
    rest = iter(inputs)
    return tuple(e if type(e) is int else next(rest) for e in entries)


def text_of_sizes(entries: tuple[Any, ...] | None, args: list[str]) -> str:
    """NumPy source of the sizes: `(n, 3)`, `3`, or the name of a vector."""
    if entries is None:
        return args[0]
    texts = [str(e) for e in fill_sizes(entries, tuple(args))]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
