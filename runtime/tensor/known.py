"""What is known of a value before the graph runs: numbers, sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Node, Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import OpError
from runtime.typesys.shapes import Size
from runtime.typesys.spec import TensorType

__all__ = ["dim_of", "static_value"]

_OF_SIZES = frozenset(
    "add sub mul floordiv mod maximum minimum cast index gather stack_arrays concatenate reduce_prod reduce_sum".split()
)
_MOST_SIZES = 16
_MOST_DEEP = 6


def static_value(x: Any) -> Any:
    """The number or array that `x` is known to be now; None if only the run will tell.

    Reads eager tensors (outside of a trace they are plain values), constant nodes, arrays and Python numbers; never a
    box that a trace captured, since it may hold something else at the next call.
    """
    if isinstance(x, Tensor):
        if STATE.trace is not None and type(x._value) is not Value:
            return None
        x = x._value
    if type(x) is not Value:
        return x
    node = x.node
    if node is None:
        return None
    if node.op.name == "constant":
        return node.attrs["value"]
    return _worked_out(node, 0)


def _worked_out(node: Node, depth: int) -> Any:
    """What an operation of sizes makes of known ones, as `shape(x)[0] * 2`."""
    if node.op.name not in _OF_SIZES or depth > _MOST_DEEP or not _is_small(node):
        return None
    known = []
    for value in node.inputs:
        made = value.node
        if made is None:
            return None
        known.append(made.attrs["value"] if made.op.name == "constant" else _worked_out(made, depth + 1))
        if known[-1] is None:
            return None
    try:
        with np.errstate(all="raise"):
            out = node.op.run(*known, **node.attrs)
    except (ArithmeticError, ValueError, LookupError, OpError):
        return None  # the run will raise it
    kind = node.outputs[0].tensor_type
    if kind.weak:
        return int(out)
    out = np.asarray(out)
    return out[()] if out.dtype == kind.dtype.dtype else None


def _is_small(node: Node) -> bool:
    """Whether an operation gives few whole numbers, or one number of another type."""
    kind = node.outputs[0].type
    if not isinstance(kind, TensorType) or kind.shape is None or len(kind.shape) > 1:
        return False
    if kind.dtype.kind not in "iu" and node.op.name != "cast":
        return False
    return not kind.shape or (isinstance(kind.shape[0], int) and kind.shape[0] <= _MOST_SIZES)


def dim_of(x: Any) -> Size | None:
    """The size that a staged scalar is known to be (it came from `x.shape[i]`), else None."""
    value = x._value if isinstance(x, Tensor) else x
    while type(value) is Value and value.node is not None:
        node = value.node
        if node.op.name == "dim_size":
            shape = node.inputs[0].tensor_type.shape
            return None if shape is None else shape[node.attrs["axis"]]
        if node.op.name != "cast":
            return None
        value = node.inputs[0]
    return None
