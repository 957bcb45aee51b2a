"""Copies of a few numbers that lie in one piece: some instructions instead of a loop."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.exprs import Expr, Load
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.types import MEMORY, SIZE

__all__ = ["moved"]

MOST = 256  # bytes


def moved(code: Code, sizes: Sequence[Operand], expr: Expr, target: Array, strides: tuple[Operand, ...]) -> bool:
    """Copy what an expression says to a target, if it is such; `sizes` and `strides` are of the loops instead."""
    if len(sizes) != 1 or code.required is not None or not isinstance(expr, Load) or expr.code != target.code:
        return False
    count, size = sizes[0], SIZE[expr.code]
    if not (expr.strides == strides == (1,)) or not isinstance(count, int) or not 0 < count * size <= MOST:
        return False
    places = []
    for ptr, offset in ((target.ptr, target.offset), (expr.ptr, expr.offset)):
        at = f"getelementptr inbounds {MEMORY[expr.code]}, ptr {ptr}, i64 {offset}"
        places.append(ptr if offset == 0 else code.op(at, "p"))
    to, source = (f"ptr align {size} {place}" for place in places)
    code.do(f"call void @llvm.memcpy.p0.p0.i64({to}, {source}, i64 {count * size}, i1 false)")
    return True
