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
from runtime.backends.native.lower.signs import Range, constant_of
from runtime.ir.graph import Graph, Node, Value

__all__ = ["proved_ahead"]

_MOST = 2**60  # up to which sums of parts of an index are followed
_TURNS = 2**56  # more than any array has elements
_ITEMS = {"index": 1, "index_update": 2, "index_add": 2}  # and which of their operands is the first index


class _Line(NamedTuple):
    """A number that is `step` times the turn and a sum of registers (with their signs) and a constant."""

    step: int
    terms: tuple[tuple[int, str], ...]
    constant: int

    def plus(self, other: _Line, sign: int) -> _Line:
        terms = self.terms + tuple((sign * s, reg) for s, reg in other.terms)
        return _Line(self.step + sign * other.step, terms, self.constant + sign * other.constant)


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
    for index, size, always in dict.fromkeys(_indices(body, reps, given_as)):
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
        else:
            continue
        holds = code.op(fine)
        if not always:
            known = known._replace(unless=holds)
        else:
            code.require(holds if none is None else code.op(f"or i1 {none}, {holds}"), ctx.failure)
        found[index, size] = known
    return found


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
    body: Graph, reps: dict[Value, Any], given_as: dict[Value, Value], always: bool = True
) -> Iterator[tuple[Value, Operand, bool]]:
    """Numbers that turns take as indices, each with the size of its axis, and whether every turn does.

    What inputs of branches are given as is added to `given_as`.
    """
    for node in body.nodes:
        if node.op.name == "cond":
            for region in node.regions:
                given_as.update(zip(region.inputs, node.inputs[1:], strict=True))
                yield from _indices(region, reps, given_as, False)
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
                    yield part, size, always


def _sizes(array: Value, reps: dict[Value, Any], given_as: dict[Value, Value]) -> tuple[Operand, ...] | None:
    """The sizes of an array that the body is given, or that it has written items of."""
    while array in given_as or (array.node is not None and array.node.op.name in ("index_update", "index_add")):
        array = given_as[array] if array.node is None else array.node.inputs[0]
    rep = reps.get(array)
    return rep.sizes if isinstance(rep, Deferred) else None


def _line(value: Value, body: Graph, reps: dict[Value, Any], given_as: dict[Value, Value]) -> _Line | None:
    """How a number depends on the turn; None where it does so in another way."""
    while value in given_as:
        value = given_as[value]
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
