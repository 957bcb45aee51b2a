"""The order in which a chain of minima (or maxima) of integers is worked out: last, what the turn before wrote.

Of `min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)` in a loop over j, the second waits for the turn before.
As the last operand it is one comparison away from the result, as the first two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.signs import constant_of
from runtime.ir.graph import Node, Value

__all__ = ["latest_last"]

_CHAINED = frozenset(("minimum", "maximum"))
_PASSED = frozenset(("add", "sub", "cast"))
_DEEPEST = 3


def latest_last(ctx: FunctionLowering, node: Node) -> list[Value] | None:
    """The operands of a chain of at least three integers, in order; None where there is nothing to change."""
    if node.op.name not in _CHAINED or not ctx.code.depth:
        return None
    kind = ctx.type(node.outputs[0])
    if kind.shape != () or kind.dtype.kind != "i":
        return None
    operands = list(_operands(ctx, node))
    if len(operands) < 3 or any(ctx.type(v) != kind for v in operands):
        return None
    late = [v for v in operands if _waits(ctx, v)]
    if not late or len(late) == len(operands) or operands[-1] in late:
        return None
    return [*(v for v in operands if v not in late), *late]


def _operands(ctx: FunctionLowering, node: Node) -> Iterator[Value]:
    for value in node.inputs:
        inner = value.node
        if inner is not None and inner.op is node.op and ctx.uses.count.get(value) == 1:
            yield from _operands(ctx, inner)
        else:
            yield value


def _waits(ctx: FunctionLowering, value: Value, deep: int = 0) -> bool:
    """Whether a number is made of an item that the turn before wrote."""
    node = value.node
    if node is None:
        return False
    if node.op.name == "index":
        place, array = _place(node, node.inputs[1:]), _whole(node.inputs[0])
        written = (n for n in ctx.uses.order if n is not None and n.op.name == "index_update")
        writes = (n for n in written if _whole(n.inputs[0]) is array)
        return place is not None and any(_is_one_behind(place, _place(n, n.inputs[2:])) for n in writes)
    return node.op.name in _PASSED and deep < _DEEPEST and any(_waits(ctx, v, deep + 1) for v in node.inputs)


def _whole(array: Value) -> Value:
    """An array before items were written."""
    while array.node is not None and array.node.op.name == "index_update":
        array = array.node.inputs[0]
    return array


def _place(node: Node, parts: list[Value] | tuple[Value, ...]) -> list[tuple[Any, int]] | None:
    """An index as (what it counts from, distance) for each axis; None where it is not an item's."""
    rest = iter(parts)
    out = []
    for entry in node.attrs["spec"]:
        if entry == "?":
            out.append(_counted(next(rest)))
        elif isinstance(entry, int):
            out.append((None, entry))
        else:
            return None
    return out


def _counted(value: Value) -> tuple[Any, int]:
    """An integer as another, which is no such sum, and a distance from it."""
    node, distance = value.node, 0
    while node is not None and node.op.name in ("add", "sub"):
        one, other = node.inputs
        sign = 1 if node.op.name == "add" else -1
        if constant_of(other) is None and sign > 0:
            one, other = other, one
        step = constant_of(other)
        if step is None:
            break
        value, distance = one, distance + sign * step
        node = value.node
    return value, distance


def _is_one_behind(read: list[tuple[Any, int]], written: list[tuple[Any, int]] | None) -> bool:
    """Whether an index is what a written one was a turn before, where both count with the turns."""
    if written is None or len(read) != len(written):
        return False
    apart = [(r, w) for r, w in zip(read, written, strict=True) if r != w]
    return len(apart) == 1 and apart[0][0][0] is apart[0][1][0] is not None and apart[0][1][1] - apart[0][0][1] == 1
