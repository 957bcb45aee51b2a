"""Blocks of a sweep (sweeps.py), with places and steps told by the call: functions of a row of blocks, in registers.

    ag_swept_f32.ROWS.COLUMNS.OUTPUTS.HOW(job, x, w, out, bias, height, width)
        `height` by `width` places, a multiple of ROWS and at least COLUMNS of them, by blocks of ROWS by COLUMNS places
        and OUTPUTS outputs; a row's last block begins where it ends with the row, so that places may be done twice; HOW
        has "b" where a bias is added, "r" where what is negative becomes zero, "o" where every output has the one input
        of its number

and the same for f64. `job` is words of eight bytes, steps in bytes:
    0 taps down  1 from one to the next  2 runs of inputs of each  3 from one to the next  4 inputs of a run
    5 from row to row of the source  6 from place to place of it  7, 8 likewise of the results  9 from input to input of w

A function is compiled once, by itself, and kept: most of a convolution's compile time was that of its blocks.
"""

from __future__ import annotations

import re

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.kernels import Kernel, Vectors
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.types import SIZE

__all__ = ["Job", "call", "symbol", "text"]

_NAME = re.compile(r"ag_swept_(f32|f64)\.(\d+)\.(\d+)\.(\d+)\.([bro]*)")
_GIVEN = "(ptr, ptr, ptr, ptr, ptr, i64, i64)"
_REACH = 8  # places that are told by one address and multiples of the step between them


class Job:
    """The words that tell what is the same for all blocks."""

    def __init__(self, kernel: Kernel, words: tuple[Operand, ...]) -> None:
        self.place = kernel.code.alloca(f"[{len(words)} x i64]", "job")
        for k, word in enumerate(words):
            kernel.code.do(f"store i64 {word}, ptr {kernel.beyond(self.place, 8 * k)}")


def call(
    kernel: Kernel, job: Job, at: tuple[str, str, str, str], block: tuple[int, int, int], how: str,
    size: tuple[Operand, Operand],
) -> None:  # fmt: skip
    """Do places by blocks (rows, columns, outputs); `at` is where the first one, weights, results and bias are."""
    name = f"ag_swept_{kernel.kind}.{'.'.join(map(str, block))}.{how}"
    kernel.module.declare(f"declare void @{name}{_GIVEN}", name)
    x, w, out, bias = at
    given = f"ptr {job.place}, ptr {x}, ptr {w}, ptr {out}, ptr {bias or 'null'}, i64 {size[0]}, i64 {size[1]}"
    kernel.code.do(f"call void @{name}({given})")


def text(name: str) -> str:
    """The module of a function."""
    found = _NAME.fullmatch(name)
    assert found, name
    kind, how = found[1], found[5]
    rows, columns, outputs = (int(found[k]) for k in (2, 3, 4))
    module = Module()
    kernel = Vectors(module, kind)
    code, size = kernel.code, SIZE[kind]
    words = [code.op(f"load i64, ptr {kernel.beyond('%job', 8 * k)}, align 8") for k in range(10)]
    taps, down, runs, along, length, in_row, in_place, out_row, out_place, run = words
    last = code.sub("%width", columns)
    with kernel.loop(0, "%height", rows) as a, kernel.loop(0, "%width", columns) as b:
        first = code.at_most(b, last)
        x = kernel.beyond(kernel.beyond("%x", code.mul(a, in_row)), code.mul(first, in_place))
        out = kernel.beyond(kernel.beyond("%out", code.mul(a, out_row)), code.mul(first, out_place))
        vectors = -(-outputs // kernel.lanes)
        widths = [min(outputs - k * kernel.lanes, kernel.lanes) for k in range(vectors)]
        sums = kernel.variables(rows * columns * vectors)
        begun = ["zeroinitializer"] * vectors
        if "b" in how:
            begun = [kernel.load(kernel.at("%bias", k * kernel.lanes), widths[k]) for k in range(vectors)]
        for p, s in enumerate(sums):
            kernel.set(s, begun[p % vectors])
        steps = _multiples(kernel, in_place, columns)
        with kernel.loop(0, taps) as u, kernel.loop(0, runs) as v, kernel.loop(0, length) as c:
            number = code.add(code.mul(code.add(code.mul(u, runs), v), length), c)
            seen = kernel.beyond(kernel.beyond(x, code.mul(u, down)), code.add(code.mul(v, along), code.mul(c, size)))
            w = kernel.beyond("%w", code.mul(number, run))
            factors = [kernel.load(kernel.at(w, k * kernel.lanes), kernel.lanes) for k in range(vectors)]
            for p, place in enumerate(_seen(kernel, seen, (rows, columns), in_row, steps)):
                one = "" if "o" in how else kernel.splat(place)
                for k in range(vectors):
                    s = sums[p * vectors + k]
                    many = kernel.load(kernel.at(place, k * kernel.lanes), widths[k]) if "o" in how else one
                    kernel.set(s, kernel.multiply_add(many, factors[k], kernel.get(s)))
        for i in range(rows):
            to = out
            for j in range(columns):
                for k in range(vectors):
                    y = kernel.get(sums[(i * columns + j) * vectors + k])
                    y = kernel.larger(y, "zeroinitializer") if "r" in how else y
                    kernel.store(kernel.at(to, k * kernel.lanes), y, widths[k])
                to = kernel.beyond(to, out_place)
            out = kernel.beyond(out, out_row)
    given = "ptr %job, ptr noalias %x, ptr noalias %w, ptr noalias %out, ptr %bias, i64 %height, i64 %width"
    return kernel.defined(name, given)


def _multiples(kernel: Vectors, step: str, columns: int) -> list[str]:
    """Odd multiples of a step, in registers of their own: addresses are made of one of them, times 1, 2, 4 or 8."""
    code = kernel.code
    return [step, *(
        code.op(f'call i64 asm "", "=r,0"(i64 {code.mul(step, k)})', "s") for k in range(3, min(columns, _REACH), 2)
    )]  # fmt: skip


def _seen(kernel: Vectors, first: str, size: tuple[int, int], in_row: str, steps: list[str]) -> list[str]:
    """Where the numbers of a block's places are, row by row."""
    code = kernel.code
    out = []
    for i in range(size[0]):
        if i:
            first = kernel.beyond(first, in_row)
        base = first = kernel.opaque(first)
        for j in range(size[1]):
            near = j % _REACH
            if j and near == 0:
                base = kernel.opaque(kernel.beyond(base, code.op(f"shl i64 {steps[0]}, 3")))
            odd, twice = near, 0
            while odd and odd % 2 == 0:
                odd, twice = odd // 2, twice + 1
            step: Operand = steps[odd // 2] if near else 0
            out.append(kernel.beyond(base, code.op(f"shl i64 {step}, {twice}") if twice else step))
    return out


symbol = kept(text)
