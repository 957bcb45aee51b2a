"""Work that threads share: its code is a function of the first and the last of so many pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.module import Module

__all__ = ["Apart", "apart", "call_shared", "share"]

Apart: TypeAlias = tuple[list[str], list[str], list[tuple[str, str]]]


def apart(code: Code, write: Callable[[], None]) -> Apart:
    """What `write` writes, as lines of another function: its allocas, the rest, and what it uses from outside."""
    kept = code.lines, code.prologue, code.block
    code.lines, code.prologue, code.block = [], [], "start"
    write()
    lines, allocas = code.lines, code.prologue
    code.lines, code.prologue, code.block = kept
    return allocas, lines, code.outlined([*allocas, *lines])


def call_shared(code: Code, module: Module, part: Apart) -> None:
    """Call code as a function that all call whose code differs in names only: large programs compile in less time."""
    allocas, lines, captured = part
    name = module.shared(captured, allocas, lines)
    code.do(f"call void {name}({', '.join(f'{kind} {r}' for r, kind in captured)})")


def share(code: Code, module: Module, part: Apart, count: Operand, grain: Operand) -> None:
    """Let threads do `count` pieces, at least `grain` at a time; the part does those from %lo to before %hi."""
    allocas, lines, captured = part
    name = module.outline(captured, allocas, lines)
    context = code.alloca(f"[{max(len(captured), 1)} x i64]", "context")
    for k, (register, kind) in enumerate(captured):
        place = code.op(f"getelementptr i64, ptr {context}, i64 {k}")
        code.do(f"store {kind} {register}, ptr {place}")
    code.do(f"call void @ag_parallel(ptr {name}, ptr {context}, i64 {count}, i64 {grain})")
