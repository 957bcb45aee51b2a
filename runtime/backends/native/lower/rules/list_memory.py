"""Lists of a known number of elements in memory that is planned with everything else.

A list that a loop of known length fills, and that the function itself takes apart or stacks, as gradients do, lies in the
frame: what lives at other times may be in the same place. The list borrows it, so that nobody gives it back.
"""

from __future__ import annotations

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.held_lists import ListRep
from runtime.backends.native.lower.types import SIZE
from runtime.ir.graph import Value
from runtime.typesys.spec import ListType

__all__ = ["as_number", "plans_memory"]

LEAST, MOST = 1 << 14, 1 << 25  # bytes of a list
ALL = 1 << 27  # bytes of all of them

_VIEWS = frozenset("reshape transpose expand_dims squeeze identity stop_gradient reverse index".split())
_LISTS = frozenset("list_pop list_reverse list_len list_get list_stack for_loop while_loop".split())


def as_number(count: Operand) -> int | None:
    """A count that is known."""
    try:
        return int(count)
    except ValueError:
        return None


def plans_memory(ctx: FunctionLowering, rep: ListRep, init: Value, value: Value, count: Operand) -> bool:
    """Plan memory for a list that a loop makes of `init`, if that is an empty one, by one element a turn; `value` is what
    it then is, which must not leave the function."""
    turns = as_number(count)
    if turns is None or init.node is None or init.node.op.name != "list_new" or ctx.code.depth or not rep.sizes:
        return False
    total = turns * rep.count * SIZE[rep.code]
    planned = sum(b.size or 0 for b in ctx.memory.buffers if b.first >= 0)
    if not LEAST <= total <= MOST or planned + total > ALL or _leaves(ctx, value):
        return False
    made = ctx.allocate(rep.code, (turns, *rep.sizes))
    rep.planned = made
    rep.buffers |= made.buffers
    ctx.memory.touch(rep.buffers)
    ctx.code.do(f"call void @ag_drop(ptr {rep.slot})")
    ctx.code.do(f"store {{ptr, i64}} zeroinitializer, ptr {rep.slot}")
    ctx.code.do(f"store ptr {made.ptr}, ptr {rep.slot}")
    return True


def _leaves(ctx: FunctionLowering, value: Value) -> bool:
    """Whether the memory of a list may be that of an output, or is for others than loops and what reads it."""
    todo, seen = [value], {value}
    while todo:
        one = todo.pop()
        if one not in ctx.uses.last:
            continue
        if ctx.uses.last[one] is None:  # an output of the region
            return True
        for user in ctx.uses.order:
            if user is None or one not in user.inputs:
                continue
            name = user.op.name
            if isinstance(one.type, ListType) and name not in _LISTS:
                return True
            if name in _LISTS or name in _VIEWS:
                new = [v for v in user.outputs if v not in seen]
                seen.update(new)
                todo += new
    return False
