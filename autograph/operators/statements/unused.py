"""Values that nobody reads: what making them raises is raised."""

from __future__ import annotations

from collections.abc import Iterator
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
    for part in _tensors(value):
        trace.builder.emit(get("demand"), [trace.operand(part)], {}, ())
    return value


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in a value: `{"a": v[1]}`."""
    kind = type(value)
    if kind is Tensor:
        yield value
    elif kind is tuple or kind is list or kind is dict:
        for part in value.values() if kind is dict else value:
            yield from _tensors(part)
