"""Which integers that a loop carries never become negative: an index that is one of them does not count from the end.

Python's numbers grow without end or leave native code, so sums and products of what is not negative are not negative;
NumPy's integers wrap around, and say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["never_negative"]

_CARRIED_AFTER = {"for_loop": 1, "while_loop": 0}


def never_negative(node: Node, inputs: Sequence[bool]) -> set[int]:
    """The numbers of the carried values of a loop that are never negative, if of its inputs those marked are not.

    What begins so is taken to stay so, and dropped where an iteration might change that, until nothing is dropped.
    """
    first = _CARRIED_AFTER[node.op.name]
    body = node.regions[-1]
    kept = {k for k in range(node.carried) if inputs[first + k] and _is_integer(node.inputs[first + k])}
    while kept:
        flags = [k in kept for k in range(node.carried)]
        found = _facts(body, [*[True] * first, *flags, *inputs[first + node.carried :]])
        still = {k for k in kept if body.outputs[k] in found}
        if still == kept:
            break
        kept = still
    return kept


def _facts(graph: Graph, inputs: Sequence[bool]) -> set[Value]:
    """The values of a region that are not negative."""
    found = {v for v, known in zip(graph.inputs, inputs, strict=True) if known}
    for node in graph.nodes:
        given = [v in found for v in node.inputs]
        name = node.op.name
        if name == "cond":
            inner = [_facts(region, given[1:]) for region in node.regions]
            found |= {
                out for out in node.outputs
                if all(r.outputs[out.index] in f for r, f in zip(node.regions, inner, strict=True))
            }
        elif name in _CARRIED_AFTER:
            found |= {node.outputs[k] for k in never_negative(node, given)}
        elif len(node.outputs) == 1 and _is_integer(node.outputs[0]) and _result(node, given):
            found.add(node.outputs[0])
    return found


def _result(node: Node, given: list[bool]) -> bool:
    name, kind = node.op.name, node.outputs[0].tensor_type
    if name == "constant":
        return bool(node.attrs["value"] >= 0)
    if name in ("add", "mul"):
        return kind.weak and all(given)
    if name in ("floordiv", "minimum", "where"):
        return all(given[-2:])
    if name == "mod":
        return given[1]
    if name == "maximum":
        return any(given)
    if name == "cast":
        return all(given) and kind.dtype.name == "int64"
    return name == "dim_size"


def _is_integer(value: Value) -> bool:
    kind = value.type
    return isinstance(kind, TensorType) and kind.shape == () and kind.dtype.kind == "i"
