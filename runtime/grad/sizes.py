"""How many bytes values take: what a budget is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["Sizes", "most_bytes", "static_number"]

SCALAR = 40  # of a number in a list: the object and its place
_BACKWARDS = 4  # times what the steps of a loop compute, at most, is kept of them and of their way back
HEADER = 128  # of an array in a list, beside its elements


class Sizes:
    """Bytes of values, by the unknown sizes that `sources` have."""

    def __init__(self, sources: Iterable[Value]) -> None:
        self.dims: dict[Dim, tuple[Value, int]] = {}
        for value in sources:
            kind = value.type
            if isinstance(kind, TensorType):
                for axis, size in enumerate(kind.shape or ()):
                    if isinstance(size, Dim):
                        self.dims.setdefault(size, (value, axis))

    def bytes(self, types: Iterable[ValueType | None]) -> Tensor | int:
        """Of one value of each type together: a number where it is known now, else an integer of the graph.

        A size that no source has counts as 1, and so does the length of a list.
        """
        known, unknown = SCALAR, []
        for kind in types:
            while isinstance(kind, ListType) and kind.element is not None:
                known += HEADER
                kind = kind.element
            if not isinstance(kind, TensorType) or not kind.shape:
                known += SCALAR if isinstance(kind, TensorType) else HEADER
                continue
            known += HEADER
            each = kind.dtype.dtype.itemsize * math.prod(d for d in kind.shape if isinstance(d, int))
            dims = [d for d in kind.shape if isinstance(d, Dim) and d in self.dims]
            if dims:
                unknown.append((each, dims))
            else:
                known += each
        if not unknown:
            return known
        total: Any = known
        for each, dims in unknown:
            count: Any = each
            for dim in dims:
                value, axis = self.dims[dim]
                count = op.mul(op.dim_size(Tensor(value), axis=axis), count)
            total = op.add(count, total)
        return total  # type: ignore[no-any-return]


def static_number(value: Value) -> int | None:
    """The integer that a value is, if it is a constant."""
    node = value.node
    known = node.attrs["value"] if node is not None and node.op.name == "constant" else None
    return int(known) if isinstance(known, (int, np.integer)) else None


def most_bytes(node: Node) -> int | None:
    """Bytes of all that a loop's steps compute, forwards and backwards, at most; None where that is not known."""
    total = _of_loop(node)
    return None if total is None else _BACKWARDS * total


def _of_loop(node: Node) -> int | None:
    count = static_number(node.inputs[0]) if node.op.name == "for_loop" else None
    step = None if count is None else _of_graph(node.regions[0])
    return None if count is None or step is None else max(count, 0) * step


def _of_graph(graph: Graph) -> int | None:
    total = 0
    for node in graph.nodes:
        if node.op.name in ("for_loop", "while_loop"):
            inner: Sequence[int | None] = [_of_loop(node)]
        elif node.op.name in ("call", "attempt"):
            return None
        else:
            inner = [_of_graph(region) for region in node.regions]
        for each in (*inner, *(_static(v.type) for v in node.outputs)):
            if each is None:
                return None
            total += each
    return total


def _static(kind: ValueType) -> int | None:
    if not isinstance(kind, TensorType) or kind.shape is None or not all(isinstance(d, int) for d in kind.shape):
        return None
    return HEADER + kind.dtype.dtype.itemsize * math.prod(d for d in kind.shape if isinstance(d, int))
