"""Single elements of memory: how they are read and written, booleans as bytes."""

from __future__ import annotations

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import MEMORY

__all__ = ["load", "store"]


def load(code: Code, ptr: str, kind: str, offset: Operand, access: str = "") -> Scalar:
    """Read one element."""
    memory = MEMORY[kind]
    place = ptr if offset == 0 else code.op(f"getelementptr inbounds {memory}, ptr {ptr}, i64 {offset}", "p")
    value = code.op(f"load {memory}, ptr {place}{access}")
    return Scalar(code.op(f"icmp ne i8 {value}, 0") if kind == "b1" else value, kind)


def store(code: Code, ptr: str, offset: Operand, x: Scalar, access: str = "") -> None:
    """Write one element."""
    memory = MEMORY[x.code]
    place = ptr if offset == 0 else code.op(f"getelementptr inbounds {memory}, ptr {ptr}, i64 {offset}", "p")
    value = code.op(f"zext i1 {x.reg} to i8") if x.code == "b1" else x.reg
    code.do(f"store {memory} {value}, ptr {place}{access}")
