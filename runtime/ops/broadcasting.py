"""Undoing a broadcast: summing a cotangent back to the shape and dtype of the operand it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.typesys.shapes import same_size
from runtime.typesys.spec import TensorType


class SumToLike(Op):
    """Sum `dy` over the axes along which `x` was broadcast. dy: x's shape broadcast; result: x's shape."""

    aliases = True

    def infer(self, dy: TensorType, x: TensorType) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any) -> Any:
        return sum_to_shape(dy, np.shape(x))

    vjp = lambda op, ddx, dx, dy, x: (op.broadcast_like(ddx, dy), None)


class BroadcastLike(Op):
    """`x` broadcast to the shape of `like`."""

    view = True

    def infer(self, x: TensorType, like: TensorType) -> TensorType:
        return TensorType(x.dtype, like.shape)

    @staticmethod
    def kernel(x: Any, like: Any) -> Any:
        return np.broadcast_to(x, np.shape(like))

    vjp = lambda op, dy, y, x, like: (op.sum_to_like(dy, x), None)


def sum_to_shape(dy: Any, shape: tuple[int, ...]) -> Any:
    """Sum a NumPy array over the axes that broadcasting `shape` to it made."""
    lead = np.ndim(dy) - len(shape)
    if lead:
        dy = np.add.reduce(dy, axis=tuple(range(lead)))
    axes = tuple(i for i, size in enumerate(shape) if size == 1 and dy.shape[i] != 1)
    return np.add.reduce(dy, axis=axes, keepdims=True) if axes else dy


@function()
def sum_to(op: Any, dy: Any, x: Any) -> Any:
    """`dy` summed to the shape, and cast to the dtype, of the operand `x`; no operation if they are known to agree."""
    have, want = op.type_of(dy), op.type_of(x)
    if have is want:
        return dy
    if have.dtype != want.dtype and not have.weak and want.dtype.is_inexact:
        dy = op.cast(dy, dtype=want.dtype)
    if _same_shape(have.shape, want.shape):
        return dy
    return op.sum_to_like(dy, x)


def _same_shape(a: Any, b: Any) -> bool:
    return a is not None and b is not None and len(a) == len(b) and all(map(same_size, a, b))
