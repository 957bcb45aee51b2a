"""Loops, conditions and variables for rules whose work goes step by step: sorting, searching, scanning.

A variable is memory of the call; LLVM makes registers of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import load, store
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import LLVM
from runtime.backends.native.lower.widen import ONE_BY_ONE, OURS

__all__ = ["Flow", "Variable"]


class Variable:
    """A scalar that changes."""

    __slots__ = ("_flow", "_slot", "code")

    def __init__(self, flow: Flow, code: str, first: Operand | None) -> None:
        self._flow = flow
        self.code = code
        self._slot = flow.code.alloca(LLVM[code])
        if first is not None:
            self.set(first)

    def get(self) -> str:
        """Its register now."""
        return self._flow.code.op(f"load {LLVM[self.code]}, ptr {self._slot}")

    def set(self, x: Operand) -> None:
        """Give it another value."""
        self._flow.code.do(f"store {LLVM[self.code]} {x}, ptr {self._slot}")

    def add(self, x: Operand) -> None:
        """Add to it."""
        self.set(self._flow.code.op(f"add {LLVM[self.code]} {self.get()}, {x}"))


class _Repeat:
    """A loop that goes on until it is left."""

    def __init__(self, flow: Flow, after: str) -> None:
        self._flow = flow
        self._after = after

    def leave_unless(self, condition: str) -> None:
        """Go on only if a condition holds."""
        code = self._flow.code
        on = code.label("on")
        code.branch(condition, on, self._after)
        code.begin(on)


class Flow:
    """Control flow in the function that is being written.

    finished    LLVM's passes have nothing to do about its loops
    one_by_one  they have, but make no vectors of them: each turn goes on with what the one before has made
    """

    def __init__(self, ctx: FunctionLowering, finished: bool = False, one_by_one: bool = False) -> None:
        self._finished = finished
        self._one_by_one = one_by_one
        self.ctx = ctx
        self.code = ctx.code
        self.ops = ctx.ops

    def variable(self, code: str, first: Operand | None = None) -> Variable:
        """A new variable."""
        return Variable(self, code, first)

    @contextmanager
    def loop(self, end: Operand, start: Operand = 0) -> Iterator[str]:
        """The block below, for each index from `start` to below `end`."""
        code = self.code
        head, inside, after = code.label("head"), code.label("each"), code.label("done")
        before = code.block
        code.jump(head)
        code.begin(head)
        i, following = code.fresh("i"), code.fresh("next")
        code.promised[i] = "i64"
        place = len(code.lines)
        code.lines.append("")
        code.branch(code.op(f"icmp slt i64 {i}, {end}"), inside, after)
        code.begin(inside)
        with self._turn():
            yield i
        code.do(f"{following} = add nsw i64 {i}, 1")
        code.lines[place] = f"  {i} = phi i64 [ {start}, %{before} ], [ {following}, %{code.block} ]"
        self._back(head)
        code.begin(after)

    def _back(self, head: str) -> None:
        said = ONE_BY_ONE if self._one_by_one else ""
        if self._finished:
            said = f", !llvm.loop {self.ctx.module.as_written()}{OURS}"
        self.code.do(f"br label %{head}{said}")

    @contextmanager
    def loops(self, sizes: tuple[Operand, ...]) -> Iterator[list[str]]:
        """The block below, for each index of a shape."""
        if not sizes:
            yield []
            return
        with self.loop(sizes[0]) as i, self.loops(sizes[1:]) as rest:
            yield [i, *rest]

    @contextmanager
    def repeat(self) -> Iterator[_Repeat]:
        """The block below, again and again until it is left."""
        code = self.code
        head, after = code.label("head"), code.label("done")
        code.jump(head)
        code.begin(head)
        with self._turn():
            yield _Repeat(self, after)
        self._back(head)
        code.begin(after)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """The block below if a condition holds."""
        code = self.code
        then, after = code.label("then"), code.label("fi")
        code.branch(condition, then, after)
        code.begin(then)
        with code.scope():
            yield
        code.jump(after)
        code.begin(after)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """What lives through part of the loop and was there before lives through all of it."""
        code = self.code
        code.moment += 1
        start = code.moment
        code.depth += 1
        with code.scope():
            yield
        code.depth -= 1
        self.ctx.memory.loops.append((start, code.moment))
        code.moment += 1

    # Elements

    def offset(self, array: Array, index: list[Operand]) -> Operand:
        """Where an element lies."""
        at: Operand = array.offset
        for i, stride in zip(index, array.strides, strict=True):
            at = self.code.add(at, self.code.mul(i, stride))
        return at

    def read(self, array: Array, *index: Operand) -> Scalar:
        """An element."""
        return load(self.code, array.ptr, array.code, self.offset(array, list(index)))

    def write(self, array: Array, x: Scalar, *index: Operand) -> None:
        """Put an element."""
        store(self.code, array.ptr, self.offset(array, list(index)), self.ops.cast(x, array.code))

    def row(self, array: Array, axis: int, index: list[str]) -> Array:
        """The elements along an axis, at an index of the others."""
        whole: list[Operand] = [*index[:axis], 0, *index[axis:]]
        return Array(
            array.ptr, array.code, (array.sizes[axis],), (array.strides[axis],), array.buffers, self.offset(array, whole)
        )

    def touch(self, *arrays: Array) -> None:
        """Their memory is used now."""
        for array in arrays:
            self.ctx.memory.touch(array.buffers)
