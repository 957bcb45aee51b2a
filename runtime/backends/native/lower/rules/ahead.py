"""Tests made once before a counted loop instead of in each turn: of indices that no turn changes, or each by as much.

A loop without tests that leave it is one that LLVM makes vectors of. What stands in the body itself is done in every
turn, so that what fails before the loop would fail in it. What stands in branches may never be done: what is found out
before the loop of their indices is one more truth that their tests ask, by which LLVM makes two loops of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Deferred
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.rules.reductions import Proved, wrapped
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import Range, constant_of, is_test_or
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["bound_numbers", "proved_ahead"]

_MOST = 2**60  # up to which sums of parts of an index are followed
_WHOLE = -(2**63), 2**63 - 1
_MOST_UNSURE = 6  # indices of a loop of which is asked before it whether all are within, without leaving if not
_TURNS = 2**56  # more than any array has elements
_ITEMS = {"index": 1, "index_update": 2, "index_add": 2}  # and which of their operands is the first index


class _Line(NamedTuple):
    """A number that is `step` times the turn and a sum of registers (with their signs) and a constant."""

    step: int
    terms: tuple[tuple[int, str], ...]
    constant: int

    def is_little(self) -> bool:
        """Whether it is a sum of a few parts, and goes on by little."""
        return abs(self.step) < 16 and abs(self.constant) <= _MOST and len(self.terms) <= 3

    def plus(self, other: _Line, sign: int) -> _Line:
        terms = list(self.terms)
        for s, reg in other.terms:
            if (-sign * s, reg) in terms:
                terms.remove((-sign * s, reg))
            else:
                terms.append((sign * s, reg))
        return _Line(self.step + sign * other.step, tuple(terms), self.constant + sign * other.constant)


def bound_numbers(ctx: FunctionLowering, node: Node, given: list[Any]) -> None:
    """Go on before a loop around others only with Python's integers of a size that sums with turns keep within 64 bits.

    Those that no turn changes (`given`, the last operands), that a turn adds or subtracts, and of which nothing is known.
    """
    code = ctx.code
    if code.depth or code.required is not None:
        return
    for k, rep in enumerate(given, len(node.inputs) - len(given)):
        kind = node.inputs[k].type
        if not isinstance(rep, Scalar) or rep.code != "i64" or not isinstance(kind, TensorType) or not kind.weak:
            continue
        inside = [region.inputs[k - len(node.inputs)] for region in node.regions]
        if code.range_of(rep.reg) is None and any(_is_summed(r, v) for r, v in zip(node.regions, inside, strict=True)):
            moved = code.op(f"add i64 {rep.reg}, {_MOST}")
            code.require(code.op(f"icmp ule i64 {moved}, {2 * _MOST}"), ctx.failure)
            code.narrow(rep.reg, -_MOST, _MOST)


def _is_summed(graph: Graph, value: Value) -> bool:
    for node in graph.nodes:
        if value not in node.inputs:
            continue
        if node.op.name in ("add", "sub"):
            return True
        for region in node.regions:
            first = len(node.inputs) - len(region.inputs)
            places = [k - first for k, v in enumerate(node.inputs) if v is value and k >= first]
            if any(_is_summed(region, region.inputs[k]) for k in places):
                return True
    return False


def proved_ahead(
    ctx: FunctionLowering, node: Node, count: Operand, turn: str, given: list[Any]
) -> dict[tuple[Value, Operand], Proved]:
    """Test what is indexed in the turns of a loop, if it is counted, whose body is given the turn and some values.

    Returns what is known then in the body of indices of axes of some size.
    """
    code, body = ctx.code, node.regions[-1]
    if node.op.name != "for_loop" or code.required is not None or (isinstance(count, int) and count <= 0):
        return {}
    _check_shifts(ctx, body, count, turn)
    reps = dict(zip(body.inputs[1:], given, strict=True))
    none = None if isinstance(count, int) else code.op(f"icmp sle i64 {count}, 0")
    turns = _bounded(ctx, count)
    given_as: dict[Value, Value] = {}
    found: dict[tuple[Value, Operand], Proved] = {}
    unsure: dict[tuple[Value, Operand], tuple[_Line, bool]] = {}
    innermost = not any(n.op.name.endswith("_loop") for n in body.walk())
    items = _items(node)
    if items is not None:
        _note_items(ctx, items)
    for index, size, tests in dict.fromkeys(_indices(body, reps, given_as)):
        always = not tests
        if items is not None and _origin(index, given_as) is items.item and (index, size) not in found:
            last = _last_item(ctx, items, turns)
            if last is not None:
                found[index, size] = _proved(ctx, f"icmp slt i64 {last}, {size}", Proved(None), none, always)
                continue
        line = _line(index, body, reps, given_as)
        if line is None or (index, size) in found:
            continue
        between = _between(ctx, line, turn)
        if between is not None and between[0] >= 0 <= line.step and isinstance(size, int) and between[1] < size:
            continue  # what a turn knows, too
        if not line.step:
            if not always or index.node is not None:
                continue  # what is computed of what no turn changes stands before the loop
            reg = reps[index].reg
            place = wrapped(code, reg, size)
            fine, known = f"icmp ult i64 {place}, {size}", Proved(place)
        elif between is not None and (between[0] >= 0 if line.step > 0 else always):
            fine, known = f"icmp slt i64 {_sum(ctx, line, turns)}, {size}", Proved(None, line.step < 0)
            if line.step < 0 and innermost and line.is_little():
                unsure[index, size] = line, False
        else:
            if innermost and line.is_little():
                unsure[index, size] = line, any(_says(test, holds, index, given_as) for test, holds in tests)
            continue
        found[index, size] = _proved(ctx, fine, known, none, always)
    if 0 < len(unsure) <= _MOST_UNSURE:
        whole = _all_within(ctx, unsure, turns)
        for key in unsure:
            found[key] = found.get(key, Proved(None))._replace(whole=whole)
    return found


def _all_within(
    ctx: FunctionLowering, lines: dict[tuple[Value, Operand], tuple[_Line, bool]], turns: Operand
) -> str:
    """Whether indices are between zero and their sizes in all turns, of which little is known before the run.

    Those that are said not to be below zero where they are used are only asked whether they are below their sizes.
    """
    code, fine = ctx.code, "true"

    def both(test: str) -> None:
        nonlocal fine
        here = code.op(test)
        fine = here if fine == "true" else code.op(f"and i1 {fine}, {here}")

    for (_, size), (line, said) in lines.items():
        first: Operand = line.constant
        for sign, reg in line.terms:  # within what sums of a few cannot leave 64 bits with
            near = code.at_most(code.at_least(reg, -_MOST), _MOST)
            both(f"icmp eq i64 {near}, {reg}")
            first = code.add(first, near) if sign > 0 else code.sub(first, near)
        last = code.add(first, code.mul(code.sub(turns, 1), line.step))
        if said:
            both(f"icmp slt i64 {last if line.step > 0 else first}, {size}")
            continue
        both(f"icmp ult i64 {first}, {size}")
        both(f"icmp ult i64 {last}, {size}")
    return fine


def _says(test: Value, holds: bool, index: Value, given_as: dict[Value, Value]) -> bool:
    """Whether an index is a difference that is not below zero where a condition holds, or does not."""
    index = _origin(index, given_as)
    if index.node is None or index.node.op.name != "sub":
        return False
    one, other = (_origin(v, given_as) for v in index.node.inputs)
    todo = [(test, holds)]
    while todo:
        value, holds = todo.pop()
        node = _origin(value, given_as).node
        if node is None:
            continue
        if node.op.name == "logical_not":
            todo.append((node.inputs[0], not holds))
        elif node.op.name == "cast" or (node.op.name == "logical_and" and holds):
            todo += [(v, holds) for v in node.inputs]
        elif node.op.name == "cond" and holds and is_test_or(node, _origin(value, given_as).index, False):
            todo += [(node.inputs[0], True), (node.regions[0].outputs[_origin(value, given_as).index], True)]
        elif (node.op.name, holds) in _AT_LEAST | _AT_MOST:
            ordered = [one, other] if (node.op.name, holds) in _AT_LEAST else [other, one]
            if [_origin(v, given_as) for v in node.inputs] == ordered:
                return True
    return False


_AT_LEAST = {("greater_equal", True), ("greater", True), ("equal", True), ("less", False)}
_AT_MOST = {("less_equal", True), ("less", True), ("greater", False)}




def _proved(ctx: FunctionLowering, test: str, known: Proved, none: str | None, always: bool) -> Proved:
    """What is known of an index by a test before the loop, which has no turn where `none` is true."""
    holds = ctx.code.op(test)
    if not always:
        return known._replace(unless=holds)
    ctx.code.require(holds if none is None else ctx.code.op(f"or i1 {none}, {holds}"), ctx.failure)
    return known


class _Items(NamedTuple):
    """The elements of a `range`, as a loop computes them: between its ends, or there were no such turn."""

    start: Value
    stop: Value
    step: Value
    product: Value
    item: Value


def _items(node: Node) -> _Items | None:
    """The elements of the range whose length a loop counts: start + turn * step, in Python's integers."""
    length = node.inputs[0]
    if length.node is not None and length.node.op.name == "maximum" and constant_of(length.node.inputs[1]) == 0:
        length = length.node.inputs[0]
    quotient = _operands(length, "neg")
    parts = _operands(quotient[0], "floordiv") if quotient else []
    ends = _operands(parts[0], "sub") if parts else []
    if not ends:
        return None
    (start, stop), step, body = ends, parts[1], node.regions[0]
    if any(v.tensor_type.dtype.name != "int64" for v in (start, stop, step)):
        return None
    outer = dict(zip(body.inputs[1 + node.carried :], node.inputs[1 + node.carried :], strict=True))

    def is_one(value: Value, wanted: Value) -> bool:
        fixed = constant_of(value)
        return outer.get(value) is wanted or (fixed is not None and fixed == constant_of(wanted))

    for each in body.nodes:
        if each.op.name == "mul" and each.outputs[0].tensor_type.weak and body.inputs[0] in each.inputs:
            other = each.inputs[each.inputs[0] is body.inputs[0]]
            if not is_one(other, step):
                continue
            product = each.outputs[0]
            if constant_of(start) == 0:
                return _Items(start, stop, step, product, product)
            for later in body.nodes:
                adds = later.op.name == "add" and later.outputs[0].tensor_type.weak and product in later.inputs
                if adds and is_one(later.inputs[later.inputs[0] is product], start):
                    return _Items(start, stop, step, product, later.outputs[0])
    return None


def _operands(value: Value, name: str) -> list[Value]:
    node = value.node
    return node.inputs if node is not None and node.op.name == name and value.tensor_type.weak else []


def _note_items(ctx: FunctionLowering, items: _Items) -> None:
    """Note between what the elements of a range are, and that they fit 64 bits."""
    start, stop, step = (ctx.code.range_of(ctx.number(v)) or _WHOLE for v in items[:3])
    if step[0] > 0:
        ctx.exact[items.product], ctx.exact[items.item] = (0, _WHOLE[1]), (start[0], max(stop[1] - 1, start[0]))
    else:
        ctx.exact[items.product] = _WHOLE
        ctx.exact[items.item] = min(start[0], stop[0]), max(start[1], stop[1])


def _last_item(ctx: FunctionLowering, items: _Items, turns: Operand) -> Operand | None:
    """The last element of a range that grows and begins at zero or above."""
    code = ctx.code
    start, step = ctx.number(items.start), ctx.number(items.step)
    first, pace = code.range_of(start), code.range_of(step)
    if first is None or pace is None or first[0] < 0 or pace[0] <= 0:
        return None
    return code.add(start, code.mul(code.sub(turns, 1), step))


def _origin(value: Value, given_as: dict[Value, Value]) -> Value:
    while value in given_as:
        value = given_as[value]
    return value


def _sum(ctx: FunctionLowering, line: _Line, turns: Operand) -> Operand:
    """The most that an index is in so many turns."""
    code = ctx.code
    most: Operand = line.constant
    for sign, reg in line.terms:
        most = code.add(most, reg) if sign > 0 else code.sub(most, reg)
    return code.add(most, code.mul(code.sub(turns, 1), line.step)) if line.step > 0 else most


def _bounded(ctx: FunctionLowering, count: Operand) -> Operand:
    """A number of turns with which sums cannot leave 64 bits, and which is too large for any array where it is another."""
    between = ctx.code.range_of(count)
    if between is not None and 0 <= between[0] <= between[1] <= _TURNS:
        return count
    return ctx.code.at_least(ctx.code.at_most(count, _TURNS), 1)


def _indices(
    body: Graph, reps: dict[Value, Any], given_as: dict[Value, Value], tests: tuple[tuple[Value, bool], ...] = ()
) -> Iterator[tuple[Value, Operand, tuple[tuple[Value, bool], ...]]]:
    """Numbers that turns take as indices, each with the size of its axis, and the conditions of those that do.

    What inputs of branches are given as is added to `given_as`.
    """
    for node in body.nodes:
        if node.op.name == "cond":
            for region, holds in zip(node.regions, (True, False), strict=True):
                given_as.update(zip(region.inputs, node.inputs[1:], strict=True))
                yield from _indices(region, reps, given_as, (*tests, (node.inputs[0], holds)))
        if node.op.name not in _ITEMS:
            continue
        sizes = _sizes(node.inputs[0], reps, given_as)
        spec = node.attrs["spec"]
        if sizes is None or len(spec) > len(sizes) or not all(entry == "?" or type(entry) is int for entry in spec):
            continue
        parts = iter(node.inputs[_ITEMS[node.op.name] :])
        for entry, size in zip(spec, sizes, strict=False):
            if entry == "?":
                part = next(parts)
                kind = part.tensor_type
                if kind.shape == () and kind.dtype.name == "int64":
                    yield part, size, tests


def _sizes(array: Value, reps: dict[Value, Any], given_as: dict[Value, Value]) -> tuple[Operand, ...] | None:
    """The sizes of an array that the body is given, or that it has written items of."""
    while array in given_as or (array.node is not None and array.node.op.name in ("index_update", "index_add")):
        array = given_as[array] if array.node is None else array.node.inputs[0]
    rep = reps.get(array)
    return rep.sizes if isinstance(rep, Deferred) else None


def _line(value: Value, body: Graph, reps: dict[Value, Any], given_as: dict[Value, Value]) -> _Line | None:
    """How a number depends on the turn; None where it does so in another way."""
    value = _origin(value, given_as)
    if value is body.inputs[0]:
        return _Line(1, (), 0)
    fixed = constant_of(value)
    if fixed is not None:
        return _Line(0, (), fixed)
    node = value.node
    if node is None:
        rep = reps.get(value)
        carried = any(value is v for v in body.inputs[1 : 1 + len(body.outputs)])
        if carried or not isinstance(rep, Scalar) or rep.code != "i64":
            return None
        number = str(rep.reg)
        return _Line(0, (), int(number)) if number.lstrip("-").isdigit() else _Line(0, ((1, number),), 0)
    if node.op.name == "cast" and all(v.tensor_type.dtype.name == "int64" for v in (value, node.inputs[0])):
        return _line(node.inputs[0], body, reps, given_as)
    if node.op.name not in ("add", "sub", "mul") or value.tensor_type.dtype.name != "int64":
        return None
    one, other = (_line(v, body, reps, given_as) for v in node.inputs)
    if one is None or other is None:
        return None
    if node.op.name != "mul":
        return one.plus(other, 1 if node.op.name == "add" else -1)
    if one.step or one.terms:
        one, other = other, one
    if one.step or one.terms or other.terms:
        return None
    return _Line(one.constant * other.step, (), one.constant * other.constant)


def _between(ctx: FunctionLowering, line: _Line, turn: str) -> Range | None:
    """The least that an index is in the first turn, and the most in any; None where a sum might leave 64 bits."""
    low = high = line.constant
    if abs(line.step) >= 16 or abs(line.constant) > _MOST or len(line.terms) > 3:
        return None
    for sign, reg in line.terms:
        between = ctx.code.range_of(reg)
        if between is None or between[0] < -_MOST or between[1] > _MOST:
            return None
        low += between[0] if sign > 0 else -between[1]
        high += between[1] if sign > 0 else -between[0]
    turns = ctx.code.range_of(turn)
    return low, high + max(line.step, 0) * (turns[1] if turns is not None else _TURNS)


def _check_shifts(ctx: FunctionLowering, body: Graph, count: Operand, turn: str) -> None:
    """Test before a loop that its turns shift constants by no more than 64 bits hold, where they do by their number."""
    code = ctx.code
    most = min((63 - n for n in _shifted(body)), default=None)
    if most is None or isinstance(count, int):
        return
    code.require(code.op(f"icmp sle i64 {count}, {most + 1}"), ctx.failure)
    code.narrow(turn, 0, most)


def _shifted(body: Graph) -> Iterator[int]:
    """The bits of constants above zero that every turn shifts to the left by its number."""
    for node in body.nodes:
        if node.op.name == "left_shift" and node.outputs[0].tensor_type.weak and node.inputs[1] is body.inputs[0]:
            fixed = constant_of(node.inputs[0])
            if fixed is not None and fixed > 0:
                yield fixed.bit_length()
