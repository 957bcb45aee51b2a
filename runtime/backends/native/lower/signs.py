"""What is known of integers that a loop carries: which never become negative, and by how much a turn changes others.

An index that is never negative does not count from the end; a number that grows by one in a turn does not overflow.

Python's numbers grow without end or leave native code, so sums and products of what is not negative are not negative;
NumPy's integers wrap around, and say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["changes", "never_negative"]

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


def changes(node: Node) -> dict[int, tuple[int, int]]:
    """The least and the most that a turn of a loop adds to carried integers of 64 bits, where it adds constants."""
    first = _CARRIED_AFTER[node.op.name]
    body = node.regions[-1]
    out = {}
    for k in range(node.carried):
        before, after = body.inputs[first + k], body.outputs[k]
        if _is_integer(before) and _is_integer(after) and before.tensor_type.dtype.name == "int64":
            found = _change(after, before)
            if found is not None:
                out[k] = found
    return out


def _change(value: Value, origin: Value) -> tuple[int, int] | None:
    """Between what a value differs from an input of its region; None where that is not known."""
    if value is origin:
        return 0, 0
    node = value.node
    if node is None or not _is_integer(value) or value.tensor_type.dtype.name != "int64":
        return None
    name = node.op.name
    if name in ("add", "sub"):
        x, y = node.inputs
        for one, other in ((x, y), (y, x))[: 2 if name == "add" else 1]:
            so_far, step = _change(one, origin), _step(other)
            if so_far is not None and step is not None:
                low, high = step if name == "add" else (-step[1], -step[0])
                return so_far[0] + low, so_far[1] + high
        return None
    if name == "where":
        return _either([_change(v, origin) for v in node.inputs[1:]])
    if name == "cond" and origin in node.inputs[1:]:
        k = node.inputs.index(origin, 1) - 1
        return _either([_change(r.outputs[value.index], r.inputs[k]) for r in node.regions])
    return None


def _either(found: list[tuple[int, int] | None]) -> tuple[int, int] | None:
    known = [f for f in found if f is not None]
    return (min(f[0] for f in known), max(f[1] for f in known)) if len(known) == len(found) else None


def _step(value: Value) -> tuple[int, int] | None:
    """Between what a number is that is added: a constant, or a truth."""
    kind = value.tensor_type.dtype.kind
    if kind == "b":
        return 0, 1
    node = value.node
    if node is None or kind != "i":
        return None
    if node.op.name == "constant":
        return (int(node.attrs["value"]),) * 2
    return _step(node.inputs[0]) if node.op.name == "cast" and node.inputs[0].tensor_type.dtype.kind in "bi" else None
