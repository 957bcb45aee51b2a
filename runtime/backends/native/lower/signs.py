"""Between what integers stay that a loop carries, and by how much a turn changes others.

An index that is never negative does not count from the end; one below a size needs no test; a number that grows by one in a
turn does not overflow. Python's numbers grow without end or leave native code; NumPy's integers wrap around, so that of a
sum that may not fit nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import NamedTuple, TypeAlias

from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = [
    "Carried", "Range", "around", "carried", "changes", "constant_of", "flags_of", "is_test_or", "limits", "ordered", "said",
]

Range: TypeAlias = tuple[int, int]
Known: TypeAlias = "dict[tuple[Node, tuple[Range | None, ...], int], Carried]"

_CARRIED_AFTER = {"for_loop": 1, "while_loop": 0}
_WHOLE = -(2**63), 2**63 - 1
_TURNS = 0, 2**56  # no loop goes round more often
_DEEPEST = 2  # loops inside each other that are looked into
_LEAST = 2**63
_FEW = 64  # turns, and nodes of a turn, that are gone through one by one
_COMPARED = {  # what is true of x where `x op y` is: at least y + this, and at most y + that
    "less": (-_LEAST * 2, -1), "less_equal": (-_LEAST * 2, 0), "greater": (1, _LEAST * 2), "greater_equal": (0, _LEAST * 2),
    "equal": (0, 0),
}
_SWAPPED = {
    "less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal", "equal": "equal",
}
_NOT = {
    "less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less", "not_equal": "equal",
}


class Carried(NamedTuple):
    """Of a loop: between what the integers are that it carries, by their numbers; how many turns there are at most;
    whether it ends at the latest when an integer that each turn takes one way passes what no turn changes; and between
    what the sums are that a turn adds to integers of Python's."""

    ranges: dict[int, Range]
    turns: int
    counted: bool
    sums: dict[int, Range]


def carried(node: Node, inputs: Sequence[Range | None], known: Known | None = None, deep: int = 0) -> Carried:
    """What is known of a loop whose inputs are known to be within some ranges; `known` keeps it.

    What begins at zero or above is taken to stay where it begins or above, then at zero or above, and everything to stay
    below the most that it begins with; what a turn might change is dropped, until nothing is dropped.
    """
    known = {} if known is None else known
    key = node, tuple(inputs), deep
    if key not in known:
        known[key] = _carried(node, inputs, known, deep)
    return known[key]


def _carried(node: Node, inputs: Sequence[Range | None], known: Known, deep: int) -> Carried:
    first = _CARRIED_AFTER[node.op.name]
    body = node.regions[-1]
    numbers = [k for k in range(node.carried) if _is_integer(body.inputs[first + k]) and _is_integer(body.outputs[k])]
    starts = {k: inputs[first + k] or _whole(body.inputs[first + k]) for k in numbers}
    if first and numbers and inputs[0] is not None and inputs[0][0] == inputs[0][1] <= _FEW and _is_short(body):
        return _turn_by_turn(node, inputs, starts, known, deep)
    kept = {k: starts[k][0] for k in numbers if starts[k][0] >= 0}
    below = {k for k in numbers if starts[k][1] < _whole(body.inputs[first + k])[1]}
    while numbers:
        given = [*inputs[first:]]
        within: dict[int, Range] = {}
        for k in numbers:
            low, high = _whole(body.inputs[first + k])
            given[k] = kept.get(k, low), starts[k][1] if k in below else high
        if first:
            count = inputs[0]
            given.insert(0, (0, count[1] - 1) if count is not None and count[1] > 0 else _TURNS)
        else:
            # Of loops that write, LLVM makes worse ones where nothing leaves them.
            squares = not any(n.op.name in ("index_update", "list_set") for n in body.walk())
            within = limits(node.regions[0], given, squares)
            for k, (low, high) in within.items():
                now = given[k] or _WHOLE
                given[k] = max(now[0], low), max(min(now[1], high), low, now[0])
        found = _ranges(body, given, known, deep)
        still = {k: least for k, least in kept.items() if found[body.outputs[k]][0] >= least}
        still |= {k: 0 for k, least in kept.items() if k not in still and least > 0}
        still_below = {k for k in below if found[body.outputs[k]][1] <= starts[k][1]}
        if still == kept and still_below == below:
            ends = {k: found[body.outputs[k]] for k in numbers}
            by = _Changes(found)
            most = min([_TURNS[1], *(_turns(within[k], starts[k], body, k, by) for k in numbers if k in within)])
            if not first and any(_loses_bits(node, k) for k in numbers):
                most = min(most, 64)
            ranges = {k: (min(starts[k][0], ends[k][0]), max(starts[k][1], ends[k][1])) for k in numbers}
            if first and inputs[0] is not None:
                most = max(0, min(most, inputs[0][1]))
            sums: dict[int, Range] = {}
            for k in numbers:
                change = by.of(body.outputs[k], body.inputs[first + k])
                if change is not None:
                    low, high = starts[k][0] + most * min(change[0], 0), starts[k][1] + most * max(change[1], 0)
                    ranges[k] = max(ranges[k][0], low), min(ranges[k][1], high)
                    if body.inputs[first + k].tensor_type.weak:
                        sums[k] = change
            return Carried(ranges, most, bool(first) or _is_counted(node, by), sums)
        kept, below = still, still_below
    most = max(0, min(inputs[0][1], _TURNS[1])) if first and inputs[0] is not None else _TURNS[1]
    return Carried({}, most, bool(first), {})


def _is_short(body: Graph) -> bool:
    nodes = list(body.walk())
    return len(nodes) <= _FEW and not any(n.op.name in _CARRIED_AFTER for n in nodes)


def _turn_by_turn(
    node: Node, inputs: Sequence[Range | None], starts: dict[int, Range], known: Known, deep: int
) -> Carried:
    """What is known of a short loop of a few turns, by going through them."""
    body, turns = node.regions[-1], max((inputs[0] or _TURNS)[0], 0)
    now = dict(starts)
    ranges = dict(starts)
    for turn in range(turns):
        given = [(turn, turn), *inputs[1:]]
        for k, between in now.items():
            given[1 + k] = between
        found = _ranges(body, given, known, deep)
        now = {k: found[body.outputs[k]] for k in now}
        ranges = {k: (min(ranges[k][0], low), max(ranges[k][1], high)) for k, (low, high) in now.items()}
    given = [(0, max(turns - 1, 0)), *inputs[1:]]
    for k, between in ranges.items():
        given[1 + k] = between
    by = _Changes(_ranges(body, given, known, deep))
    sums = {k: by.of(body.outputs[k], body.inputs[1 + k]) for k in now if body.inputs[1 + k].tensor_type.weak}
    return Carried(ranges, turns, True, {k: change for k, change in sums.items() if change is not None})


def _turns(within: Range, start: Range, body: Graph, k: int, by: _Changes) -> int:
    """How many turns there are at most while an integer that each of them changes is within a range."""
    change = by.of(body.outputs[k], body.inputs[k])
    if change is not None and change[0] > 0:
        return max(within[1] - start[0], 0) // change[0] + 1
    if change is not None and change[1] < 0:
        return max(start[1] - within[0], 0) // -change[1] + 1
    if within[0] > 0 and _is_halved(body.outputs[k], body.inputs[k]):
        return start[1].bit_length() + 1
    return _TURNS[1]


def _loses_bits(node: Node, k: int) -> bool:
    """Whether a loop goes on while an integer is not zero, of which each turn clears a bit (`k &= k - 1`)."""
    test, body = node.regions
    going, made = test.outputs[0].node, body.outputs[k].node
    if going is None or made is None or going.op.name != "not_equal" or made.op.name != "bitwise_and":
        return False
    if going.inputs[0] is not test.inputs[k] or constant_of(going.inputs[1]) != 0:
        return False
    for one, other in (made.inputs, made.inputs[::-1]):
        less = other.node
        if one is body.inputs[k] and less is not None and less.op.name == "sub" and less.inputs[0] is one:
            return constant_of(less.inputs[1]) == 1
    return False


def _is_counted(node: Node, by: _Changes) -> bool:
    test, body = node.regions
    todo = [test.outputs[0]]
    while todo:
        value = todo.pop()
        inner = value.node
        if inner is None:
            continue
        if inner.op.name == "logical_and":
            todo += inner.inputs
        elif inner.op.name == "cond" and is_test_or(inner, value.index, False):
            todo.append(inner.inputs[0])
        elif inner.op.name in ("less", "less_equal", "greater", "greater_equal") and all(map(_is_integer, inner.inputs)):
            up = inner.op.name[0] == "l"
            one, other = inner.inputs
            for x, y, grows in ((one, other, up), (other, one, not up)):
                fixed = constant_of(y) is not None or (y.node is None and y.index >= node.carried)
                square = x.node is not None and x.node.op.name == "mul" and x.node.inputs[0] is x.node.inputs[1]
                if x.node is not None and square and x.tensor_type.weak and up is grows:
                    x = x.node.inputs[0]
                if x.node is None and x.index < node.carried and fixed:
                    change = by.of(body.outputs[x.index], body.inputs[x.index])
                    if change is not None and (change[0] > 0 if grows else change[1] < 0):
                        return True
    return False


def _is_halved(value: Value, origin: Value) -> bool:
    """Whether a value is an integer above zero, divided by two or more."""
    node = value.node
    if node is None or node.op.name not in ("right_shift", "floordiv") or node.inputs[0] is not origin:
        return False
    by = constant_of(node.inputs[1])
    return by is not None and by > (node.op.name == "floordiv")


def limits(test: Graph, inputs: Sequence[Range | None], squares: bool = False) -> dict[int, Range]:
    """Between what integers among a test's inputs are where it holds; those whose `squares` are compared, too."""
    known = _ranges(test, inputs, {}, _DEEPEST)
    found = said(test.outputs[0], known.get, True)
    for x in list(found) if squares else ():
        node = x.node
        if node is not None and node.op.name == "mul" and x.tensor_type.weak and node.inputs[0] is node.inputs[1]:
            root = isqrt(max(found[x][1], 0))
            _meet(found, node.inputs[0], (-root, root))
    return {v.index: r for v, r in found.items() if v.node is None}


def said(test: Value, known: Callable[[Value], Range | None], holds: bool) -> dict[Value, Range]:
    """Between what integers are where a condition holds, or does not: those of its own region."""
    out: dict[Value, Range] = {}
    todo = [(test, holds)]
    while todo:
        value, holds = todo.pop()
        node = value.node
        if node is None:
            continue
        name = node.op.name
        if name == "cast" and _is_truth(node.inputs[0]):
            todo.append((node.inputs[0], holds))
        elif name == "logical_not":
            todo.append((node.inputs[0], not holds))
        elif name in ("logical_and", "logical_or") and holds == (name == "logical_and"):
            todo += [(v, holds) for v in node.inputs]
        elif name == "cond" and _is_truth(value) and is_test_or(node, value.index, not holds):
            todo.append((node.inputs[0], holds))  # where it holds, both parts of an `and` do; where not, neither of an `or`
            part = node.regions[0 if holds else 1]
            given = dict(zip(part.inputs, node.inputs[1:], strict=True))
            inside = said(part.outputs[value.index], lambda v, given=given: known(given[v]) if v in given else None, holds)  # type: ignore[misc]
            for v, between in inside.items():
                if v in given:
                    _meet(out, given[v], between)
        elif (name == "not_equal" and holds) or (name == "equal" and not holds):
            for x, y in (node.inputs, node.inputs[::-1]):
                of, known_x = constant_of(y), known(x)
                if of is not None and known_x is not None and _is_integer(x):
                    _meet(out, x, (known_x[0] + (known_x[0] == of), known_x[1] - (known_x[1] == of)))
        elif (name if holds else _NOT.get(name)) in _COMPARED and all(map(_is_integer, node.inputs)):
            name = name if holds else _NOT[name]
            one, other = node.inputs
            for x, y, (low, high) in ((one, other, _COMPARED[name]), (other, one, _COMPARED[_SWAPPED[name]])):
                fixed = constant_of(y)
                ends = known(y) if fixed is None else (fixed, fixed)
                if ends is not None:
                    _meet(out, x, (ends[0] + low, ends[1] + high))
    return {v: r for v, r in out.items() if r[0] <= r[1]}


def ordered(test: Value, holds: bool) -> list[tuple[Value, Value]]:
    """Pairs of integers of which the first is at least the second where a condition holds, or does not."""
    out = []
    todo = [(test, holds)]
    while todo:
        value, holds = todo.pop()
        node = value.node
        if node is None:
            continue
        name = node.op.name if holds else _NOT.get(node.op.name, node.op.name)
        if name in ("greater", "greater_equal", "less", "less_equal", "equal") and all(map(_is_integer, node.inputs)):
            one, other = node.inputs
            out.append((one, other) if name[0] != "l" else (other, one))
        elif name == "logical_not":
            todo.append((node.inputs[0], not holds))
        elif name == "cast" and _is_truth(node.inputs[0]):
            todo.append((node.inputs[0], holds))
        elif (name == "logical_and" and holds) or (name == "logical_or" and not holds):
            todo += [(v, holds) for v in node.inputs]
        elif name == "cond" and _is_truth(value) and is_test_or(node, value.index, not holds):
            todo.append((node.inputs[0], holds))  # as in `said`
    return out


def flags_of(test: Graph) -> set[int]:
    """The truths among a test's inputs that must be false for it to hold: those that `break` and `return` set."""
    return {v.index for v in _false(test.outputs[0], True) if v.node is None}


def _false(value: Value, holds: bool) -> set[Value]:
    """Inputs of its region that are false where a value is true, or false."""
    node = value.node
    if node is None:
        return set() if holds or not _is_truth(value) else {value}
    name = node.op.name
    if name == "cast" and _is_truth(node.inputs[0]):
        return _false(node.inputs[0], holds)
    if name == "logical_not":
        return _false(node.inputs[0], not holds)
    if name == ("logical_and" if holds else "logical_or"):
        return _false(node.inputs[0], holds) | _false(node.inputs[1], holds)
    if name == "cond" and _is_truth(value) and is_test_or(node, value.index, not holds):
        inner = _false(node.regions[0 if holds else 1].outputs[value.index], holds)
        outer = {node.inputs[1 + v.index] for v in inner}
        return _false(node.inputs[0], holds).union(*(_false(v, False) for v in outer))
    return set()


def _meet(out: dict[Value, Range], x: Value, between: Range) -> None:
    if x in out:
        between = max(out[x][0], between[0]), min(out[x][1], between[1])
    low, high = _whole(x)
    out[x] = max(low, between[0]), min(high, between[1])


def constant_of(value: Value) -> int | None:
    """An integer that the graph says."""
    node = value.node
    return int(node.attrs["value"]) if node is not None and node.op.name == "constant" and _is_integer(value) else None


def is_test_or(node: Node, output: int, truth: bool) -> bool:
    """Whether the region of a `cond` that is taken where its test is `truth` gives just that, or the test itself.

    Of an `and`, the second gives false; of an `or`, the first gives true.
    """
    value = node.regions[0 if truth else 1].outputs[output]
    while value.node is not None and value.node.op.name == "cast" and _is_truth(value.node.inputs[0]):
        value = value.node.inputs[0]
    if value.node is not None:
        return value.node.op.name == "constant" and bool(value.node.attrs["value"]) is truth
    return node.inputs[1 + value.index] is node.inputs[0]


def _ranges(graph: Graph, inputs: Sequence[Range | None], known: Known, deep: int) -> dict[Value, Range]:
    """Between what the integers of a region are."""
    out: dict[Value, Range] = {}
    for value, between in zip(graph.inputs, inputs, strict=True):
        if _is_integer(value) or _is_truth(value):
            out[value] = between or _whole(value)
    for node in graph.nodes:
        results: list[Range | None] = [None] * len(node.outputs)
        if node.op.name == "cond":
            given = [out.get(v) for v in node.inputs[1:]]
            parts = []
            for r, holds in zip(node.regions, (True, False), strict=True):
                here = said(node.inputs[0], out.get, holds)
                narrowed = [_within(g, here.get(v)) for g, v in zip(given, node.inputs[1:], strict=True)]
                parts.append(_ranges(r, narrowed, known, deep))
                out.update(parts[-1])
            ends = [[part.get(v) for v in r.outputs] for part, r in zip(parts, node.regions, strict=True)]
            results = [around(list(pair)) for pair in zip(*ends, strict=True)]
        elif node.op.name in _CARRIED_AFTER:
            if deep < _DEEPEST:
                for k, found in carried(node, [out.get(v) for v in node.inputs], known, deep + 1).ranges.items():
                    results[k] = found
        elif len(results) == 1:
            value = node.outputs[0]
            if _is_integer(value):
                out[value] = _fitting(value, _result(node, [out.get(v) for v in node.inputs]))
            elif _is_truth(value):
                out[value] = 0, 1
            continue
        for value, now in zip(node.outputs, results, strict=True):
            if _is_integer(value) or _is_truth(value):
                out[value] = _fitting(value, now)
    return out


def _within(known: Range | None, said: Range | None) -> Range | None:
    if known is None or said is None:
        return known or said
    low, high = max(known[0], said[0]), min(known[1], said[1])
    return (low, high) if low <= high else known


def _fitting(value: Value, found: Range | None) -> Range:
    """What is known of a value, if its type holds it: a number of Python's that does not fit has left native code."""
    whole = _whole(value)
    if found is None:
        return whole
    low, high = max(found[0], whole[0]), min(found[1], whole[1])
    return (low, high) if low <= high and ((low, high) == found or value.tensor_type.weak) else whole


def around(parts: list[Range | None]) -> Range | None:
    """The least range that holds all of several; None where one is not known."""
    known = [p for p in parts if p is not None]
    return (min(p[0] for p in known), max(p[1] for p in known)) if len(known) == len(parts) else None


def _result(node: Node, given: list[Range | None]) -> Range | None:
    name = node.op.name
    if name == "constant":
        return (int(node.attrs["value"]),) * 2
    if name == "where":
        return around(given[1:])
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
    if name in ("bitwise_or", "bitwise_xor") and a >= 0 and c >= 0:
        return 0, (1 << max(b.bit_length(), d.bit_length())) - 1
    if name == "right_shift" and a >= 0 and c >= 0 and d < 63:
        return a >> d, b >> c
    if name == "left_shift" and 0 <= c <= d < 63:
        return min(a, a << d), max(b, b << d)
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
    by = _Changes()
    for k in range(node.carried):
        before, after = body.inputs[first + k], body.outputs[k]
        if _is_integer(before) and _is_integer(after) and before.tensor_type.dtype.name == "int64":
            found = by.of(after, before)
            if found is not None:
                out[k] = found
    return out


class _Changes:
    """Between what values differ from an input of their region, where other values are known to be within ranges.

    What is known are all values of the region: then sums that wrap around are told apart. Each pair is asked for once,
    as a value that branches give is reached on as many ways as there are branches before it.
    """

    def __init__(self, known: dict[Value, Range] | None = None) -> None:
        self.known = known
        self.found: dict[tuple[Value, Value], Range | None] = {}

    def of(self, value: Value, origin: Value) -> Range | None:
        """Between what `value` is less `origin`; None where that is not known."""
        if value is origin:
            return 0, 0
        node, known = value.node, self.known
        if node is None or not _is_integer(value):
            return None
        if known is None and value.tensor_type.dtype.name != "int64":
            return None
        if known is not None and not value.tensor_type.weak and known[value] == _whole(value):
            return None  # it may have wrapped around
        pair = value, origin
        if pair not in self.found:
            self.found[pair] = self._made(node, value, origin)
        return self.found[pair]

    def _made(self, node: Node, value: Value, origin: Value) -> Range | None:
        name, known = node.op.name, self.known
        if name in ("add", "sub"):
            x, y = node.inputs
            for one, other in ((x, y), (y, x))[: 2 if name == "add" else 1]:
                so_far, step = self.of(one, origin), _step(other) or (known or {}).get(other)
                if so_far is not None and step is not None:
                    low, high = step if name == "add" else (-step[1], -step[0])
                    return so_far[0] + low, so_far[1] + high
            return None
        if name == "where":
            return self._around(node.inputs[1:], [origin, origin])
        if name in _CARRIED_AFTER and known is None:  # an inner loop: what its turns add, too, is little for each
            first = _CARRIED_AFTER[name]
            body = node.regions[-1]
            so_far = self.of(node.inputs[first + value.index], origin)
            turn = None if so_far is None else self.of(body.outputs[value.index], body.inputs[first + value.index])
            return None if so_far is None or turn is None else (so_far[0] + min(turn[0], 0), so_far[1] + max(turn[1], 0))
        if name == "cond":
            ends = [r.outputs[value.index] for r in node.regions]
            for k, given in enumerate(node.inputs[1:]):
                if not known and given is not origin:  # numbers that several branches change in a row keep their tests:
                    continue  # with none, LLVM makes choices of the branches, and each waits for the one before
                so_far = self.of(given, origin) if _is_integer(given) else None
                if so_far is None:
                    continue
                inside = self._around(ends, [r.inputs[k] for r in node.regions])
                if inside is not None:
                    return so_far[0] + inside[0], so_far[1] + inside[1]
        return None

    def _around(self, values: Sequence[Value], origins: Sequence[Value]) -> Range | None:
        parts: list[Range | None] = []
        for value, origin in zip(values, origins, strict=True):
            parts.append(self.of(value, origin))
            if parts[-1] is None:
                return None
        return around(parts)


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
    if node.op.name in ("bitwise_and", "mod"):
        fixed = constant_of(node.inputs[1])
        return (0, fixed - (node.op.name == "mod")) if fixed is not None and fixed > 0 else None
    if node.op.name == "where":
        return around([_step(v) for v in node.inputs[1:]])
    if node.op.name == "cond":
        return around([_step(r.outputs[value.index]) for r in node.regions])
    return _step(node.inputs[0]) if node.op.name == "cast" and node.inputs[0].tensor_type.dtype.kind in "bi" else None
