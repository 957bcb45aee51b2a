"""What passes share: constants in a graph, evaluating nodes, putting a region in the place of its node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from runtime.ir.build import emit
from runtime.ir.graph import Graph, Location, Node, Value
from runtime.ir.verify import fits
from runtime.ir.walk import reachable_functions
from runtime.ops.registry import get
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import TensorType, type_of_payload

__all__ = [
    "INDEX", "UNKNOWN", "Uses", "constant_node", "constant_of", "evaluate", "graphs", "is_scalar", "may_stand_for",
    "number", "payload_type", "put", "splice", "static_sizes",
]  # fmt: skip


INDEX = TensorType("int64", (), weak=True)
"""The type of a bare whole number."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()
"""No payload is known."""

_WEAK_TYPES = {
    kind: TensorType(dtype, (), weak=True)
    for kind, dtype in ((bool, "bool"), (int, "int64"), (float, "float64"), (complex, "complex128"))
}
# What evaluating a node may raise when it runs; it is left to do so then.
_ERRORS = (ArithmeticError, ValueError, TypeError, LookupError, RuntimeError, AssertionError)


class Uses:
    """How often values are used, counted region by region where somebody asks."""

    def __init__(self) -> None:
        self._of: dict[Graph, dict[Value, int]] = {}

    def __call__(self, value: Value) -> int:
        known = self._of.get(value.graph)
        if known is None:
            known = self._of[value.graph] = {}
            for each in [*(v for node in value.graph.nodes for v in node.inputs), *value.graph.outputs]:
                known[each] = known.get(each, 0) + 1
        return known.get(value, 0)


def graphs(graph: Graph) -> Iterator[Graph]:
    """The graph and the functions it calls (their regions are reached through their nodes)."""
    yield graph
    for name in reachable_functions(graph):
        yield graph.functions[name]


def constant_of(value: Value) -> Any:
    """The payload of a constant of the same graph, else UNKNOWN."""
    node = value.node
    return node.attrs["value"] if node is not None and node.op.name == "constant" else UNKNOWN


def put(graph: Graph, name: str, *inputs: Value, **attrs: Any) -> Value:
    """One node at the end of a graph; its output."""
    location = next((v.node.location for v in inputs if v.node is not None and v.node.location is not None), None)
    return emit(graph, get(name), list(inputs), attrs, location=location).outputs[0]


def number(graph: Graph, payload: int) -> Value:
    """A bare whole number as a value of a graph."""
    return put(graph, "constant", value=payload, type=INDEX)


def static_sizes(value: Value) -> tuple[int, ...] | None:
    """The shape, if all of it is known."""
    kind = value.type
    if not isinstance(kind, TensorType) or not is_static(kind.shape):
        return None
    return tuple(d for d in kind.shape or () if isinstance(d, int))


def is_scalar(value: Value) -> bool:
    """Whether a value is known to have no axes."""
    return isinstance(value.type, TensorType) and value.type.shape == ()


def constant_node(graph: Graph, payload: Any, type: TensorType, location: Location | None = None) -> Node:
    """A constant of `graph` that is not yet among its nodes."""
    return Node(get("constant"), [], {"value": payload, "type": type}, (type,), graph, (), location)


def may_stand_for(new: Value, old: Value) -> bool:
    """Whether `new` may be used wherever `old` is: the same dtype and weakness, and as much known of the shape."""
    return fits(new.type, old.type)


def evaluate(node: Node, payloads: list[Any]) -> list[Any] | None:
    """The outputs of a pure node on known operands; None where it raises, warns or gives another type."""
    op = node.op
    weak = bool(payloads) and all(isinstance(v.type, TensorType) and v.type.weak for v in node.inputs)
    runs = [op.run_weak, op.run] if weak and op.python is not None else [op.run]
    for run in runs:
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                out = run(*payloads, **node.attrs)
        except _ERRORS:
            return None
        found = [out] if op.outputs == 1 else list(out)
        made = [_as_typed(x, v.type) for x, v in zip(found, node.outputs, strict=True)]
        if not any(x is UNKNOWN for x in made):
            return made
    return None


def _as_typed(x: Any, type: Any) -> Any:
    """A result as the payload of a type, or UNKNOWN."""
    if not isinstance(type, TensorType):
        return UNKNOWN
    if type.weak:
        x = x.item() if isinstance(x, (np.generic, np.ndarray)) and x.ndim == 0 else x
        right = type == _WEAK_TYPES.get(x.__class__)
        return x if right and not (x.__class__ is int and not -(2**63) <= x < 2**63) else UNKNOWN
    array = np.asarray(x)
    return array[()] if array.dtype == type.dtype.dtype and fits(type_of_payload(array), type) else UNKNOWN


def payload_type(payload: Any) -> TensorType:
    """The type of a constant's payload."""
    return type_of_payload(payload)


def splice(region: Graph, passed: Iterable[Value], graph: Graph) -> tuple[list[Node], list[Value]]:
    """Move a region's nodes into `graph`, its inputs being `passed`: (the nodes, what the region returned)."""
    table: Mapping[Value, Value] = dict(zip(region.inputs, passed, strict=True))
    for node in region.nodes:
        node.inputs = [table.get(v, v) for v in node.inputs]
        for value in node.outputs:
            value.graph = graph
    return region.nodes, [table.get(v, v) for v in region.outputs]
