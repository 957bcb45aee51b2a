"""Functions of native code written with explicit vectors, which threads share: what loop nests are not good enough for.

A kernel is `void (words, lo, hi)`: it does the tasks from lo to hi. Words hold the caller's pointers and run-time sizes;
sizes that are known stand in the text, so that kernels of the same shapes are one function.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.processor import registers, vector_bytes
from runtime.backends.native.lower.types import LLVM, SIZE, is_float, is_signed, literal
from runtime.backends.native.lower.widen import OURS

__all__ = ["Kernel", "Vectors", "lanes_of", "registers"]


def lanes_of(kind: str) -> int:
    """Numbers in a vector."""
    return vector_bytes() // SIZE[kind]


class Vectors:
    """Instructions of a function with explicit vectors; `kind` is the code of the numbers in them."""

    def __init__(self, module: Module, kind: str) -> None:
        self.module = module
        self.kind = kind
        self.word = LLVM[kind]
        self.lanes = lanes_of(kind)
        self.vector = f"<{self.lanes} x {self.word}>"
        self.code = Code()
        self.code.block = "start"
        self._slots: list[str] = []

    # Loops

    @contextmanager
    def loop(self, start: Operand, end: Operand, step: int = 1) -> Iterator[Operand]:
        """Instructions for every index from start up to end; what has one index is no loop."""
        code = self.code
        if isinstance(start, int) and isinstance(end, int) and start < end <= start + step:
            yield start
            return
        head, body, after = code.label("head"), code.label("body"), code.label("done")
        i, following, before = code.fresh("i"), code.fresh("next"), code.block
        code.jump(head)
        code.begin(head)
        place = len(code.lines)
        code.lines.append("")
        code.branch(code.op(f"icmp slt i64 {i}, {end}"), body, after)
        code.begin(body)
        with code.scope():
            yield i
        code.do(f"{following} = add nsw i64 {i}, {step}")
        code.lines[place] = f"  {i} = phi i64 [ {start}, %{before} ], [ {following}, %{code.block} ]"
        code.do(f"br label %{head}, !llvm.loop {self.module.as_written()}{OURS}")
        code.begin(after)

    @contextmanager
    def unless(self, condition: str) -> Iterator[None]:
        """Instructions that are left out where a condition holds."""
        code = self.code
        body, after = code.label("body"), code.label("done")
        code.branch(condition, after, body)
        code.begin(body)
        with code.scope():
            yield
        code.jump(after)
        code.begin(after)

    # Memory

    def at(self, ptr: str, offset: Operand) -> str:
        """The place of a number."""
        if offset == 0:
            return ptr
        return self.code.op(f"getelementptr {self.word}, ptr {ptr}, i64 {offset}", "p")

    def beyond(self, ptr: str, size: Operand) -> str:
        """The place so many bytes further."""
        return ptr if size == 0 else self.code.op(f"getelementptr i8, ptr {ptr}, i64 {size}", "p")

    def opaque(self, ptr: str) -> str:
        """The same place, of which LLVM does not know where it comes from: it would look for long how to step through many
        that are a known number apart, and find that as they are is best."""
        return self.code.op(f'call ptr asm "", "=r,0"(ptr {ptr})', "p")

    def load(self, ptr: str, width: int) -> str:
        """Up to a vector of numbers from memory; zeros after them."""
        size = f"align {SIZE[self.kind]}"
        if width == self.lanes:
            return self.code.op(f"load {self.vector}, ptr {ptr}, {size}")
        if width == 1:
            x = self.code.op(f"load {self.word}, ptr {ptr}, {size}")
            return self.code.op(f"insertelement {self.vector} zeroinitializer, {self.word} {x}, i32 0")
        part = f"<{width} x {self.word}>"
        x = self.code.op(f"load {part}, ptr {ptr}, {size}")
        order = ", ".join(f"i32 {min(k, width)}" for k in range(self.lanes))
        return self.code.op(
            f"shufflevector {part} {x}, {part} zeroinitializer, <{self.lanes} x i32> <{order}>"
        )

    def store(self, ptr: str, x: str, width: int) -> None:
        """The first numbers of a vector to memory."""
        part = self.vector
        if width == 1:
            part, x = self.word, self.code.op(f"extractelement {self.vector} {x}, i32 0")
        elif width != self.lanes:
            part = f"<{width} x {self.word}>"
            order = ", ".join(f"i32 {k}" for k in range(width))
            x = self.code.op(
                f"shufflevector {self.vector} {x}, {self.vector} poison, <{width} x i32> <{order}>"
            )
        self.code.do(f"store {part} {x}, ptr {ptr}, align {SIZE[self.kind]}")

    def splat(self, ptr: str) -> str:
        """One number from memory in all lanes."""
        return self.spread(self.code.op(f"load {self.word}, ptr {ptr}"))

    def spread(self, x: str) -> str:
        """One number in all lanes."""
        first = self.code.op(f"insertelement {self.vector} poison, {self.word} {x}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.code.op(f"shufflevector {self.vector} {first}, {self.vector} poison, {zeros}")

    def multiply_add(self, x: str, y: str, z: str) -> str:
        """x * y + z, rounded once where the processor can."""
        v, name = self.vector, f"llvm.fmuladd.v{self.lanes}{self.kind}"
        self.module.declare(f"declare {v} @{name}({v}, {v}, {v})")
        return self.code.op(f"call {v} @{name}({v} {x}, {v} {y}, {v} {z})")

    def op(self, name: str, a: str, b: str) -> str:
        """An instruction of two vectors."""
        return self.code.op(f"{name} {self.vector} {a}, {b}")

    def constant(self, value: object) -> str:
        """A number in all lanes."""
        word = f"{self.word} {literal(value, self.kind)}"
        return f"<{', '.join([word] * self.lanes)}>"

    def larger(self, a: str, b: str) -> str:
        """The larger of two, NaN where one is."""
        v = self.vector
        if is_float(self.kind):
            name = f"llvm.maximum.v{self.lanes}{self.kind}"
        else:
            name = f"llvm.{'s' if is_signed(self.kind) else 'u'}max.v{self.lanes}{self.word}"
        self.module.declare(f"declare {v} @{name}({v}, {v})")
        return self.code.op(f"call {v} @{name}({v} {a}, {v} {b})")

    def clear(self, ptr: str, count: Operand) -> None:
        """Numbers of memory set to zero."""
        size = self.code.mul(count, SIZE[self.kind])
        self.code.do(f"call void @llvm.memset.p0.i64(ptr {ptr}, i8 0, i64 {size}, i1 false)")

    def copy(self, to: str, source: str, count: Operand) -> None:
        """Numbers copied."""
        size = self.code.mul(count, SIZE[self.kind])
        self.code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {size}, i1 false)")

    # Registers that change

    def variables(self, count: int) -> list[str]:
        """Places of vectors for one use at a time: LLVM keeps them in registers."""
        while len(self._slots) < count:
            name = self.code.fresh("sum")
            self.code.prologue.append(f"  {name} = alloca {self.vector}, align 64")
            self._slots.append(name)
        return self._slots[:count]

    def get(self, variable: str) -> str:
        """What a variable holds."""
        return self.code.op(f"load {self.vector}, ptr {variable}")

    def set(self, variable: str, x: str) -> None:
        """Let a variable hold something."""
        self.code.do(f"store {self.vector} {x}, ptr {variable}")


    def defined(self, name: str, given: str) -> str:
        """The text of the module, with what was written as a function of these arguments that returns nothing."""
        code = self.code
        lines = [f"define void @{name}({given}) {{", "entry:", *code.prologue, "  br label %start", "start:", *code.lines]
        self.module.functions.append("\n".join([*lines, "  ret void", "}"]))
        return self.module.text()


class Kernel(Vectors):
    """A function of (words, lo, hi) while it is being written."""

    def __init__(self, ctx: FunctionLowering, kind: str) -> None:
        super().__init__(ctx.module, kind)
        self.ctx = ctx
        self._words: dict[tuple[str, str], str] = {}
        self._kept: str | None = None  # memory that is freed at the end
        self._failed: str | None = None  # the caller's place that says that there was none

    def take(self, x: Operand, type: str = "i64") -> Operand:
        """The caller's operand, inside."""
        if isinstance(x, int):
            return x
        return self._words.setdefault((x, type), f"%word{len(self._words)}")

    def pointer(self, ptr: str, offset: Operand = 0) -> str:
        """The caller's pointer, inside."""
        inside = self._words.setdefault((ptr, "ptr"), f"%word{len(self._words)}")
        return self.at(inside, self.take(offset))

    def launch(self, tasks: Operand, grain: Operand) -> None:
        """End the function and call it, on threads where there are more than `grain` tasks."""
        ctx, code = self.ctx, self.ctx.code
        if tasks == 0:
            return
        if self._kept is not None:
            self.code.do(f"call void @ag_give(ptr {self._kept})")
        name = self.module.kernel(
            [
                *(
                    line
                    for k, (_, type) in enumerate(self._words)
                    for line in (
                        f"  %place{k} = getelementptr i64, ptr %words, i64 {k}",
                        f"  %word{k} = load {type}, ptr %place{k}",
                    )
                ),
                *self.code.prologue,
                "  br label %start",
                "start:",
                *self.code.lines,
                "  ret void",
            ]
        )
        words = code.alloca(f"[{max(len(self._words), 1)} x i64]", "words")
        for k, (outside, type) in enumerate(self._words):
            place = code.op(f"getelementptr i64, ptr {words}, i64 {k}", "p") if k else words
            code.do(f"store {type} {outside}, ptr {place}")
        if self._failed is not None:
            code.do(f"store i64 0, ptr {self._failed}")
        if isinstance(tasks, int) and isinstance(grain, int) and tasks <= grain:
            code.do(f"call void {name}(ptr {words}, i64 0, i64 {tasks})")
        else:
            self.module.threads()
            code.do(f"call void @ag_parallel(ptr {name}, ptr {words}, i64 {tasks}, i64 {grain})")
        if self._failed is not None:
            status = code.op(f"load i64, ptr {self._failed}")
            code.require(code.op(f"icmp eq i64 {status}, 0"), ctx.failure)

    def scratch(self, count: Operand) -> str:
        """Memory of this call's own, for so many numbers; the caller fails where there is none."""
        assert self._kept is None, "one piece of memory each"
        code = self.code
        self._failed = self.ctx.code.alloca("i64", "lacking")
        self._kept = code.op(f"call ptr @ag_take(i64 {code.mul(code.at_least(count, 1), SIZE[self.kind])})")
        lacking, going = code.label("lacking"), code.label("going")
        code.branch(code.op(f"icmp eq ptr {self._kept}, null"), lacking, going)
        code.begin(lacking)
        code.do(f"store i64 1, ptr {self.pointer(self._failed)}")
        code.do("ret void")
        code.begin(going)
        return self._kept
