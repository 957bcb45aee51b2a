"""Between Python values and an executable's arrays, by descriptor: what `pack` and `unpack` are inside a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograph.operators.state.places import UNBOUND
from autograph.operators.values.choice import choice_of
from autograph.operators.values.descriptors import (
    Descriptor,
    Leaf,
    OneOf,
    Sequence,
    Static,
    Struct,
    Words,
    describe,
    list_types,
    rebuild,
    structure_of,
    value_types,
)
from autograph.operators.values.listvalue import Contents, RunTuple
from autograph.operators.values.packing import alternative_for
from autograph.operators.values.shells import is_shell
from runtime.ops.control import Placeholder
from runtime.tensor.tensor import Tensor

__all__ = ["from_arrays", "to_arrays"]


def to_arrays(x: Any, d: Descriptor) -> list[Any]:
    """The arrays that carry the Python value `x` as a `d`."""
    if isinstance(d, Leaf):
        return [_payload(x, d)]
    if isinstance(d, Words):
        return [x]
    if isinstance(d, Struct):
        parts = structure_of(x, instances=True)
        assert parts is not None, (x, d)
        children = tuple(x[k] for k in d.keys) if d.kind is dict else parts[1]
        return [a for child, c in zip(children, d.children, strict=True) for a in to_arrays(child, c)]
    if isinstance(d, Sequence):
        columns: list[list[Any]] = [[] for _ in list_types(d)]
        items = x.items if hasattr(x, "items") and type(x) is not dict else x
        for item in items:
            leaves = [] if d.element is None else to_arrays(item, d.element)
            for column, leaf in zip(columns, leaves or [0], strict=True):
                column.append(leaf)
        return columns  # type: ignore[return-value]
    assert choice_of(x) is None
    if isinstance(d, OneOf):
        taken = alternative_for(describe(x), d)
        return [taken, *(a for i, c in enumerate(d.alternatives) for a in (to_arrays(x, c) if i == taken else _unused(c)))]
    return []


def _unused(d: Descriptor) -> list[Any]:
    """What carries an alternative that a value is not."""
    return [Placeholder.kernel(type=t) for t in value_types(d)]


def _payload(x: Any, d: Leaf) -> Any:
    value = x._value if isinstance(x, Tensor) else x.item() if isinstance(x, np.generic) else x
    if d.type.weak:
        return value
    have = getattr(value, "dtype", None)
    return value if have == d.type.dtype.dtype else np.asarray(value).astype(d.type.dtype.dtype)[()]


def from_arrays(d: Descriptor, arrays: Iterator[Any], numbers: bool = False, of_place: bool = False) -> Any:
    """The Python value of a descriptor, of an executable's arrays; `numbers` gives weak scalars back as Python numbers. Of a
    place it may be that nothing is there.

    Raises:
      UnboundLocalError: the alternative taken is a name that was never bound.
    """
    made = _from_arrays(d, arrays, numbers)
    if made is UNBOUND and not of_place:
        raise UnboundLocalError("the value returned was never bound on the path that was taken")
    return made


def _from_arrays(d: Descriptor, arrays: Iterator[Any], numbers: bool) -> Any:
    if isinstance(d, Leaf):
        payload = next(arrays)
        return payload if numbers and d.type.weak else Tensor(payload)
    if isinstance(d, Static):
        return d.value
    if isinstance(d, Words):
        return str(next(arrays))
    if isinstance(d, Struct):
        if is_shell(d.keys):
            return rebuild(d.kind, d.keys, [_from_arrays(c, arrays, numbers) for c in d.children])
        if d.kind is RunTuple:
            return tuple(from_arrays(d.children[0], arrays, numbers))
        if issubclass(d.kind, (tuple, list, Contents)):
            return rebuild(d.kind, d.keys, [from_arrays(c, arrays, numbers) for c in d.children])
        parts = {k: _from_arrays(c, arrays, numbers) for k, c in zip(d.keys, d.children, strict=True)}
        present = {k: v for k, v in parts.items() if v is not UNBOUND}  # keys and attributes may be missing
        return rebuild(d.kind, tuple(present), list(present.values()))
    if isinstance(d, Sequence):
        columns = [next(arrays) for _ in list_types(d)]
        if d.element is None:
            return []
        width = len(value_types(d.element))
        return [from_arrays(d.element, iter(row[:width]), numbers) for row in zip(*columns, strict=True)]
    if isinstance(d, OneOf):
        tag = int(next(arrays))
        taken: Any = None
        for i, alternative in enumerate(d.alternatives):
            count = len(value_types(alternative))
            mine = [next(arrays) for _ in range(count)]
            if i == tag:
                taken = _from_arrays(alternative, iter(mine), numbers)
        return taken
    return None
