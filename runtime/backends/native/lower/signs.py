"""Between what integers stay that a loop carries, and by how much a turn changes others.

An index that is never negative does not count from the end; one below a size needs no test; a number that grows by one in a
turn does not overflow. Python's numbers grow without end or leave native code; NumPy's integers wrap around, so that of a
sum that may not fit nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["Range", "carried", "changes", "limits"]

Range: TypeAlias = tuple[int, int]

_CARRIED_AFTER = {"for_loop": 1, "while_loop": 0}
_WHOLE = -(2**63), 2**63 - 1
_TURNS = 0, 2**56  # no loop goes round more often
_DEEPEST = 2  # loops inside each other that are looked into
_COMPARED = {"less": (0, -1), "less_equal": (0, 0), "greater": (1, 1), "greater_equal": (1, 0)}  # which end, and by how much


class Carried(NamedTuple):
    """Of a loop: between what the integers are that it carries, by their numbers; and how many turns there are at most."""

    ranges: dict[int, Range]
    turns: int


def carried(node: Node, inputs: Sequence[Range | None], deep: int = 0) -> Carried:
    """What is known of a loop whose inputs are known to be within some ranges.

    What begins at zero or above is taken to stay so, and everything to stay below the most that it begins with; what a turn
    might change is dropped, until nothing is dropped.
    """
    first = _CARRIED_AFTER[node.op.name]
    body = node.regions[-1]
    numbers = [k for k in range(node.carried) if _is_integer(body.inputs[first + k]) and _is_integer(body.outputs[k])]
    starts = {k: inputs[first + k] or _whole(body.inputs[first + k]) for k in numbers}
    kept = {k for k in numbers if starts[k][0] >= 0}
    below = {k for k in numbers if starts[k][1] < _whole(body.inputs[first + k])[1]}
    while numbers:
        given = [*inputs[first:]]
        within: dict[int, Range] = {}
        for k in numbers:
            low, high = _whole(body.inputs[first + k])
            given[k] = 0 if k in kept else low, starts[k][1] if k in below else high
        if first:
            turns = inputs[0]
            given.insert(0, (0, turns[1] - 1) if turns is not None and turns[1] > 0 else _TURNS)
        else:
            within = limits(node.regions[0], given)
            for k, (low, high) in within.items():
                now = given[k] or _WHOLE
                given[k] = max(now[0], low), max(min(now[1], high), low, now[0])
        found = _ranges(body, given, deep)
        still = {k for k in kept if found[body.outputs[k]][0] >= 0}
        still_below = {k for k in below if found[body.outputs[k]][1] <= starts[k][1]}
        if still == kept and still_below == below:
            ends = {k: found[body.outputs[k]] for k in numbers}
            most = min([_TURNS[1], *(_turns(within[k], starts[k], body, k, found) for k in numbers if k in within)])
            return Carried({k: (min(starts[k][0], ends[k][0]), max(starts[k][1], ends[k][1])) for k in numbers}, most)
        kept, below = still, still_below
    return Carried({}, _TURNS[1])


def _turns(within: Range, start: Range, body: Graph, k: int, known: dict[Value, Range]) -> int:
    """How many turns there are at most while an integer that each of them changes is within a range."""
    change = _change(body.outputs[k], body.inputs[k], known)
    if change is not None and change[0] > 0:
        return max(within[1] - start[0], 0) // change[0] + 1
    if change is not None and change[1] < 0:
        return max(start[1] - within[0], 0) // -change[1] + 1
    return _TURNS[1]


def limits(test: Graph, inputs: Sequence[Range | None]) -> dict[int, Range]:
    """Between what integers among a test's inputs are where it holds."""
    known = _ranges(test, inputs, _DEEPEST)
    out: dict[int, Range] = {}
    todo = [test.outputs[0]]
    while todo:
        node = todo.pop().node
        if node is None:
            continue
        if node.op.name == "logical_and":
            todo += node.inputs
        elif node.op.name == "cond" and _is_false(node):
            todo.append(node.inputs[0])
        elif node.op.name in _COMPARED:
            end, by = _COMPARED[node.op.name]
            one, other = node.inputs
            for x, y, side, step in ((one, other, end, by), (other, one, 1 - end, -by)):
                if x.node is not None or not _is_integer(x) or not _is_integer(y):
                    continue
                low, high = out.get(x.index, _WHOLE)
                of = known[y]
                out[x.index] = (low, min(high, of[1] + step)) if side == 0 else (max(low, of[0] + step), high)
    return {k: r for k, r in out.items() if r[0] <= r[1]}


def _is_false(node: Node) -> bool:
    """Whether the second region of a `cond` gives false, or the condition itself."""
    other = node.regions[1]
    value = other.outputs[0]
    if value.node is not None:
        return value.node.op.name == "constant" and not value.node.attrs["value"]
    return node.inputs[1 + value.index] is node.inputs[0]


def _ranges(graph: Graph, inputs: Sequence[Range | None], deep: int) -> dict[Value, Range]:
    """Between what the integers of a region are."""
    out: dict[Value, Range] = {}
    for value, known in zip(graph.inputs, inputs, strict=True):
        if _is_integer(value) or _is_truth(value):
            out[value] = known or _whole(value)
    for node in graph.nodes:
        results: list[Range | None] = [None] * len(node.outputs)
        if node.op.name == "cond":
            given = [out.get(v) for v in node.inputs[1:]]
            parts = [_ranges(r, given, deep) for r in node.regions]
            ends = [[part.get(v) for v in r.outputs] for part, r in zip(parts, node.regions, strict=True)]
            results = [_around(list(pair)) for pair in zip(*ends, strict=True)]
        elif node.op.name in _CARRIED_AFTER:
            if deep < _DEEPEST:
                for k, found in carried(node, [out.get(v) for v in node.inputs], deep + 1).ranges.items():
                    results[k] = found
        elif len(node.outputs) == 1 and _is_integer(node.outputs[0]):
            results = [_result(node, [out.get(v) for v in node.inputs])]
        for value, between in zip(node.outputs, results, strict=True):
            if _is_integer(value) or _is_truth(value):
                out[value] = _fitting(value, between)
    return out


def _fitting(value: Value, found: Range | None) -> Range:
    """What is known of a value, if its type holds it: a number of Python's that does not fit has left native code."""
    whole = _whole(value)
    if found is None:
        return whole
    low, high = max(found[0], whole[0]), min(found[1], whole[1])
    return (low, high) if low <= high and ((low, high) == found or value.tensor_type.weak) else whole


def _around(parts: list[Range | None]) -> Range | None:
    known = [p for p in parts if p is not None]
    return (min(p[0] for p in known), max(p[1] for p in known)) if len(known) == len(parts) else None


def _result(node: Node, given: list[Range | None]) -> Range | None:
    name = node.op.name
    if name == "constant":
        return (int(node.attrs["value"]),) * 2
    if name == "where":
        return _around(given[1:])
    if name in ("dim_size", "list_length"):
        return 0, 2**62
    if any(g is None for g in given):
        return None
    known = [g for g in given if g is not None]
    if name in ("cast", "int_value", "identity"):
        return known[0]
    if len(known) != 2:
        return None
    (a, b), (c, d) = known
    if name == "add":
        return a + c, b + d
    if name == "sub":
        return a - d, b - c
    if name == "mul":
        ends = [a * c, a * d, b * c, b * d]
        return min(ends), max(ends)
    if name == "minimum":
        return min(a, c), min(b, d)
    if name == "maximum":
        return max(a, c), max(b, d)
    if name == "floordiv" and c > 0:
        ends = [a // c, a // d, b // c, b // d]
        return min(ends), max(ends)
    if name == "mod" and c > 0:
        return (0, min(b, d - 1)) if a >= 0 else (0, d - 1)
    if name == "bitwise_and" and (a >= 0 or c >= 0):
        return 0, min(x[1] for x in known if x[0] >= 0)
    if name == "right_shift" and a >= 0 and c >= 0 and d < 63:
        return a >> d, b >> c
    return None


def _whole(value: Value) -> Range:
    """All that the type of an integer holds."""
    kind = value.tensor_type.dtype
    if kind.kind == "b":
        return 0, 1
    half = 2 ** (8 * kind.size - 1)
    return -half, half - 1


def _is_truth(value: Value) -> bool:
    kind = value.type
    return isinstance(kind, TensorType) and kind.shape == () and kind.dtype.kind == "b"


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


def _change(value: Value, origin: Value, known: dict[Value, Range] | None = None) -> Range | None:
    """Between what a value differs from an input of its region, where other values are known to be within ranges.

    None where that is not known. What is known are all values of the region: then sums that wrap around are told apart.
    """
    if value is origin:
        return 0, 0
    node = value.node
    if node is None or not _is_integer(value):
        return None
    if known is None and value.tensor_type.dtype.name != "int64":
        return None
    if known is not None and not value.tensor_type.weak and known[value] == _whole(value):
        return None  # it may have wrapped around
    name = node.op.name
    if name in ("add", "sub"):
        x, y = node.inputs
        for one, other in ((x, y), (y, x))[: 2 if name == "add" else 1]:
            so_far, step = _change(one, origin, known), _step(other) or (known or {}).get(other)
            if so_far is not None and step is not None:
                low, high = step if name == "add" else (-step[1], -step[0])
                return so_far[0] + low, so_far[1] + high
        return None
    if name == "where":
        return _around([_change(v, origin, known) for v in node.inputs[1:]])
    if name == "cond" and origin in node.inputs[1:]:
        k = node.inputs.index(origin, 1) - 1
        return _around([_change(r.outputs[value.index], r.inputs[k]) for r in node.regions])
    return None


def _step(value: Value) -> Range | None:
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
