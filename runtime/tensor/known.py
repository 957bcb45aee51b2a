"""What is known of a value before the graph runs: numbers, sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.shapes import Size

__all__ = ["dim_of", "static_value"]


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
    if node.op.name == "cast":
        value = static_value(node.inputs[0])
        return None if value is None else np.asarray(value).astype(node.attrs["dtype"].dtype)[()]
    return None


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
