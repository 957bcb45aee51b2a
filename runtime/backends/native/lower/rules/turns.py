"""What is known in a loop of the integers that it carries; and the question, now and then, whether a signal ends it."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import Range, carried, changes, limits
from runtime.ir.graph import Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["MOST_TURNS", "TURNS_BETWEEN_POLLS", "goes_unevenly", "note_limits", "note_ranges", "poll"]

MOST_TURNS = 2**56  # of any loop: more than a processor does in years
TURNS_BETWEEN_POLLS = 65536  # a power of two
MOST_UNPOLLED = 2**20  # turns of a loop inside another that asks
_SMALL = 2**5  # what a turn may add so that a number stays within 62 bits


def note_ranges(ctx: FunctionLowering, node: Node, numbers: dict[int, tuple[Scalar, Scalar]]) -> int:
    """Note between what carried numbers stay, given before the loop and in it; how many turns there are at most."""
    if not numbers:
        return MOST_TURNS
    code = ctx.code
    found, turns = carried(node, [_range_of(ctx, ctx.env[v]) for v in node.inputs])
    grown = changes(node)
    for k, (before, now) in numbers.items():
        if k not in found:
            continue
        low, high = found[k]
        begin, change = code.range_of(before.reg), grown.get(k)
        if begin is not None and change is not None and -_SMALL <= change[0] <= change[1] <= _SMALL:
            ends = begin[0] + MOST_TURNS * min(change[0], 0), begin[1] + MOST_TURNS * max(change[1], 0)
            if -(2**62) < ends[0] <= ends[1] < 2**62:
                low, high = max(low, ends[0]), min(high, ends[1])
        code.ranges[now.reg] = low, high
    return turns


def note_limits(ctx: FunctionLowering, node: Node, given: list[Any]) -> None:
    """Note in a loop's body what its test has said of numbers."""
    if node.op.name != "while_loop" or not any(isinstance(rep, Scalar) for rep in given):
        return
    for k, (low, high) in limits(node.regions[0], [_range_of(ctx, rep) for rep in given]).items():
        if isinstance(given[k], Scalar):
            ctx.code.narrow(given[k].reg, low, high)


def _range_of(ctx: FunctionLowering, rep: Any) -> Range | None:
    return ctx.code.range_of(rep.reg) if isinstance(rep, Scalar) and rep.code[0] == "i" else None


def goes_unevenly(node: Node) -> bool:
    """Whether a loop writes items at places that are not a fixed distance apart: vectors would only make it slower."""
    body = node.regions[-1]
    if node.op.name != "while_loop" or not any(n.op.name in ("index_update", "list_set") for n in body.walk()):
        return False
    for k in range(node.carried):
        step = body.outputs[k].node
        if step is not None and step.op.name in ("add", "sub") and body.inputs[k] in step.inputs:
            other = step.inputs[0] if step.inputs[1] is body.inputs[k] else step.inputs[1]
            if _is_number(other) and (other.node is None or other.node.op.name != "constant"):
                return True
    return False


def _is_number(value: Value) -> bool:
    return isinstance(value.type, TensorType) and value.type.shape == () and value.type.dtype.kind == "i"


def poll(ctx: FunctionLowering, turn: str, counted: bool, most: int) -> None:
    """Ask now and then whether a signal ends the loop. A counted or short one inside another does not."""
    code = ctx.code
    if (counted and code.depth) or most < (MOST_UNPOLLED if code.depth else TURNS_BETWEEN_POLLS):
        return
    ctx.module.declare("declare i64 @ag_poll()", "ag_poll")
    ask, on = code.label("ask"), code.label("on")
    turns = code.op(f"and i64 {turn}, {TURNS_BETWEEN_POLLS - 1}")
    quiet = code.op(f"icmp ne i64 {turns}, {TURNS_BETWEEN_POLLS - 1}")
    code.do(f"br i1 {quiet}, label %{on}, label %{ask}, !prof !0")
    code.begin(ask)
    code.require(code.op(f"icmp eq i64 {code.op('call i64 @ag_poll()')}, 0"), ctx.failure)
    code.jump(on)
    code.begin(on)
