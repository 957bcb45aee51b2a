"""Values that nobody reads: what making them raises is raised."""

from __future__ import annotations

from typing import Any

from autograph.operators.values.choice import bound
from runtime.ops.registry import get
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import current

__all__ = ["unused"]


def unused(value: Any) -> Any:
    """`value`, which the graph works out as far as that may raise; a name that may be unbound raises when the graph runs."""
    trace = current()
    if trace is None:
        return value
    value = bound(value)
    if type(value) is Tensor:
        trace.builder.emit(get("demand"), [trace.operand(value)], {}, ())
    return value
