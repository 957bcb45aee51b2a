"""Nested targets and sources (dict, list, tuple, namedtuple): flattened, and results put back in the same shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["flatten", "pack"]


def flatten(structure: Any) -> list[Any]:
    """The leaves of nested dicts, lists and tuples, in order (dicts in the order of their keys' insertion).

    >>> flatten({"a": 1, "b": [2, (3, None)]})
    [1, 2, 3, None]
    """
    if isinstance(structure, Mapping):
        return [leaf for part in structure.values() for leaf in flatten(part)]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def pack(structure: Any, leaves: list[Any]) -> Any:
    """`leaves` in the shape of `structure`.

    >>> pack({"a": 1, "b": [2, (3,)]}, ["x", "y", "z"])
    {'a': 'x', 'b': ['y', ('z',)]}
    """
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        return {key: _pack(part, leaves) for key, part in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(_pack(part, leaves) for part in structure))
    if isinstance(structure, tuple):
        return tuple(_pack(part, leaves) for part in structure)
    if isinstance(structure, list):
        return [_pack(part, leaves) for part in structure]
    return next(leaves)
