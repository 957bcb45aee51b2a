"""Tests for 64 bits that a loop makes at its end, of all turns together: in each turn, the largest so far is kept.

    if k > most: leave        ->    largest = max(largest, k)
    k = 3 * k                       k = 3 * k
                                    ... after the loop:  if largest > most: leave

A turn with a branch less waits less for what is foreseen. Turns after the one that should have left go on with numbers that
wrapped around: so the loop must do nothing but arithmetic that cannot fail, and end, or ask, after some turns.
"""

from __future__ import annotations

from typing import Any

from runtime.backends.native.lower.checked import MOST_KEPT
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.signs import constant_of
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["Late"]

_FREE = frozenset(
    (
        "constant", "add", "sub", "mul", "where", "cond", "identity", "bitwise_and", "bitwise_or", "bitwise_xor", "minimum",
        "maximum", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
        "logical_not",
    )
)
_BY_CONSTANTS = frozenset(("mod", "floordiv"))


class Late:
    """The numbers of a `while_loop` of which the largest is kept; none where its turns are not free of all else.

    It is made where the loop's first block begins, and put into the code while a turn is written.
    """

    def __init__(self, ctx: FunctionLowering, node: Node, asks: bool) -> None:
        self._ctx = ctx
        self._place = len(ctx.code.lines)
        self.open = asks and node.op.name == "while_loop" and all(map(_is_free, node.regions))
        self._kept: list[tuple[str, str, str, int]] = []  # the largest before a turn, after it, of what, and its limit
        if self.open:
            ctx.code.lines += [""] * MOST_KEPT

    def __enter__(self) -> None:
        self._outer, self._ctx.code.late = self._ctx.code.late, [] if self.open else None

    def __exit__(self, *_: Any) -> None:
        code = self._ctx.code
        for x, most in code.late or ():
            now, following = code.fresh("largest"), code.fresh("larger")
            code.promised[now] = "i64"
            self._kept.append((now, following, x, most))
        code.late = self._outer

    def end_turn(self) -> None:
        """At the end of a turn."""
        for now, following, x, _ in self._kept:
            self._ctx.code.do(f"{following} = call i64 @llvm.umax.i64(i64 {now}, i64 {x})")

    def write(self, before: str, last: str) -> None:
        """When it is known which blocks come before the loop's first one."""
        for line, (now, following, _, _) in enumerate(self._kept, self._place):
            self._ctx.code.lines[line] = f"  {now} = phi i64 [ 0, %{before} ], [ {following}, %{last} ]"

    def ask(self) -> None:
        """Between the loop's turns: leave native code if one of those before should have."""
        for now, _, _, most in self._kept:
            self._require(now, most)

    def ask_after(self, tested: str, left: str | None) -> None:
        """The same at the loop's end, which `tested` goes to, and the end of a turn that `left` it."""
        code = self._ctx.code
        ends = [
            now if left is None else code.op(f"phi i64 [ {now}, %{tested} ], [ {following}, %{left} ]")
            for now, following, _, _ in self._kept
        ]
        for end, (_, _, _, most) in zip(ends, self._kept, strict=True):
            self._require(end, most)

    def _require(self, x: str, most: int) -> None:
        self._ctx.code.require(self._ctx.code.op(f"icmp ule i64 {x}, {most}"), self._ctx.failure)


def _is_free(region: Graph) -> bool:
    """Whether a region works on integers only, and no operation in it can fail but by more than 64 bits."""
    return all(map(_is_number, region.inputs)) and all(map(_cannot_fail, region.walk()))


def _cannot_fail(node: Node) -> bool:
    if not all(map(_is_number, (*node.inputs, *node.outputs))):
        return False
    name = node.op.name
    if name in _BY_CONSTANTS:
        by = constant_of(node.inputs[1])
        return by is not None and by > 0
    return name in _FREE or (name == "cast" and node.inputs[0].type == node.outputs[0].type)


def _is_number(value: Value) -> bool:
    """Whether a value is one of Python's integers, or a truth: others wrap around, and have no tests."""
    kind = value.type
    if not isinstance(kind, TensorType) or kind.shape != ():
        return False
    return kind.dtype.kind == "b" or (kind.dtype.name == "int64" and kind.weak)
