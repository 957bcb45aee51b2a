"""Sizes that differed between calls are left open: one trace then serves them all (`reduce_retracing`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograph.staging.signature import encode_all, leaf_type, rebuild, same_leaves
from runtime.typesys.spec import TensorSpec

__all__ = ["Relaxation"]

Call = tuple[tuple[Any, ...], dict[str, Any]]


class Relaxation:
    """The sizes that a function was called with so far, for each family of calls that differ in nothing else."""

    def __init__(self) -> None:
        self._shapes: dict[Any, list[tuple[Any, ...]]] = {}

    def generalised(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
        """Arguments with sizes left open that differed between calls so far, and the key of the trace that serves them.

        The key is None for the first call of a family: it is traced for the sizes it has.
        """
        leaves: list[Any] = []

        def everything(leaf: Callable[[Any], Any]) -> Call:
            return tuple(rebuild(a, leaf) for a in args), {k: rebuild(v, leaf) for k, v in kwargs.items()}

        def ranked(x: Any) -> Any:
            leaves.append(x)
            return TensorSpec([None] * len(leaf_type(x).shape or ()), leaf_type(x).dtype)

        def key_of(call: Call) -> Any:
            return "general", encode_all(*call, [], []), same  # what is one tensor in a trace is one at each of its calls

        ranks = everything(ranked)
        same = same_leaves(leaves)
        family = key_of(ranks)
        shapes = [tuple(leaf_type(x).shape or ()) for x in leaves]
        known = self._shapes.get(family)
        if known is None:
            self._shapes[family] = shapes
            return args, kwargs, None
        joined = [
            tuple(a if a == b else None for a, b in zip(p, q, strict=True)) for p, q in zip(known, shapes, strict=True)
        ]
        self._shapes[family] = joined
        remaining = iter(joined)

        def opened(x: Any) -> Any:
            shape = next(remaining)
            return TensorSpec(shape, leaf_type(x).dtype) if None in shape else x

        made = everything(opened)
        return *made, key_of(made)
