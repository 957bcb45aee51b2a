"""Jacobians: one gradient per element of the target, stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.grad.structure import flatten, pack
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.shapes import num_elements, same_size

__all__ = ["batch_jacobian", "jacobian"]


def jacobian(gradient: Callable[..., Any], target: Tensor, sources: Any, unconnected: Any) -> Any:
    """`gradient(target, sources, seed, unconnected)` for every element of `target`, as target.shape + source.shape."""
    leaves = flatten(sources)
    count = _elements(target)
    rows = [gradient(target, leaves, _seed(target, i), unconnected) for i in range(count)]
    return pack(
        sources,
        [_stacked([row[k] for row in rows], leaf, target.type.shape) for k, leaf in enumerate(leaves)],
    )


def batch_jacobian(gradient: Callable[..., Any], target: Tensor, source: Tensor, unconnected: Any) -> Any:
    """The blocks on the diagonal: [b, *target, *source] for target [b, *target] and source [b, *source]."""
    t, s = target.type.shape, source.type.shape
    if not t or not s or not same_size(t[0], s[0]):
        raise ValueError(f"Need first dimension of target shape ({t}) and source shape ({s}) to match.")
    count = _elements(target) // max(int(t[0]), 1)
    rows = [gradient(target, [source], _seed(target, i, batched=True), unconnected)[0] for i in range(count)]
    if not rows or rows[0] is None:
        return None
    return op.reshape(op.stack(rows, axis=1), (*t, *s[1:]))


def _elements(target: Tensor) -> int:
    count = num_elements(target.type.shape)
    if count is None:
        raise ValueError(
            f"The jacobian of a target of unknown size ({target.type}) needs its sizes; give them by ensure_shape."
        )
    return count


def _seed(target: Tensor, index: int, batched: bool = False) -> Tensor:
    """Zeros like `target` with a one at a flat index (of every example)."""
    seed = np.zeros([int(d) for d in target.type.shape or ()], target.dtype.dtype)
    if batched:
        seed.reshape(seed.shape[0], -1)[:, index] = 1
    else:
        seed.reshape(-1)[index] = 1
    return Tensor(seed)


def _stacked(rows: list[Any], source: Tensor, shape: Any) -> Any:
    if not rows or rows[0] is None:
        return None
    return op.reshape(op.stack(rows, axis=0), (*shape, *source.type.shape))
