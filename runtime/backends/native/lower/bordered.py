"""Rows with zeros around them: what sweeps read where windows reach over the edge, and weights in blocks.

    ag_bordered_f32(to, pitch, from, step, above, rows, below, left, middle, right)
        `above` rows of zeros, `rows` rows of `left` zeros, `middle` numbers and `right` zeros, `below` rows of
        zeros; `pitch` is from row to row of what is written, `step` of what is read

and the same for f64. It is compiled once for a type, by itself, and kept.
"""

from __future__ import annotations

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.kernels import Vectors
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.processor import vector_bytes
from runtime.backends.native.lower.types import SIZE

__all__ = ["call", "symbol", "text"]

_NAME = "ag_bordered_"


def call(
    module: Module, code: Code, kind: str, to: tuple[str, Operand], source: tuple[str, Operand],
    rows: tuple[Operand, Operand, Operand], row: tuple[Operand, Operand, Operand],
) -> None:  # fmt: skip
    """Write rows (above, rows, below) of (left, middle, right) numbers; places come with the steps from row to row."""
    name = f"{_NAME}{kind}"
    module.declare(f"declare void @{name}(ptr, i64, ptr, i64, i64, i64, i64, i64, i64, i64)", name)
    given = [f"ptr {to[0]}", f"i64 {to[1]}", f"ptr {source[0]}", *(f"i64 {x}" for x in (source[1], *rows, *row))]
    code.do(f"call void @{name}({', '.join(given)})")


def text(name: str) -> str:
    """The module of the function for a type ("ag_bordered_f32")."""
    kind = name.removeprefix(_NAME)
    kernel = Vectors(Module(), kind)
    code = kernel.code
    inner = code.add("%left", "%middle")
    whole = code.add(inner, "%right")
    source = kernel.beyond("%from", code.mul(code.sub(0, "%left"), SIZE[kind]))
    with kernel.loop(0, code.add(code.add("%above", "%rows"), "%below")) as i:
        row = code.sub(i, "%above")
        given = code.op(f"icmp ult i64 {row}, %rows")
        end = code.op(f"select i1 {given}, i64 {inner}, i64 0")
        to, x = kernel.at("%to", code.mul(i, "%pitch")), kernel.at(source, code.mul(row, "%step"))
        if vector_bytes() > 16:  # vectors may be read and written with masks
            with kernel.loop(0, whole, kernel.lanes) as k:
                _vector(kernel, to, x, k, ("%left", end, whole))
        else:
            with kernel.loop(0, whole) as k:
                _one(kernel, to, x, k, ("%left", end))
    given = ", ".join(f"i64 %{x}" for x in ("above", "rows", "below", "left", "middle", "right"))
    return kernel.defined(name, f"ptr noalias %to, i64 %pitch, ptr noalias %from, i64 %step, {given}")


def _vector(kernel: Vectors, to: str, x: str, k: Operand, among: tuple[Operand, Operand, Operand]) -> None:
    """A vector of a row: zeros but from `among`'s first to its second."""
    code, lanes, vector = kernel.code, kernel.lanes, kernel.vector
    numbers, mask, v = f"<{lanes} x i32>", f"<{lanes} x i1>", f"v{lanes}{kernel.kind}"
    size = SIZE[kernel.kind]
    ones = f"<{', '.join(['i1 true'] * lanes)}>"
    each = f"<{', '.join(f'i32 {j}' for j in range(lanes))}>"

    def below(n: Operand) -> str:
        left = code.at_most(code.at_least(code.sub(n, k), 0), lanes)
        first = code.op(f"insertelement {numbers} poison, i32 {code.op(f'trunc i64 {left} to i32')}, i64 0")
        splat = code.op(f"shufflevector {numbers} {first}, {numbers} poison, <{lanes} x i32> zeroinitializer")
        return code.op(f"icmp ult {numbers} {each}, {splat}")

    before, begun, written = (below(n) for n in among)
    read = code.op(f"and {mask} {begun}, {code.op(f'xor {mask} {before}, {ones}')}")
    for kind in (
        f"{vector} @llvm.masked.load.{v}.p0(ptr, i32, {mask}, {vector})",
        f"void @llvm.masked.store.{v}.p0({vector}, ptr, i32, {mask})",
    ):
        kernel.module.declare(f"declare {kind}")
    place, goal = kernel.at(x, k), kernel.at(to, k)
    found = code.op(
        f"call {vector} @llvm.masked.load.{v}.p0(ptr {place}, i32 {size}, {mask} {read}, {vector} zeroinitializer)"
    )
    code.do(f"call void @llvm.masked.store.{v}.p0({vector} {found}, ptr {goal}, i32 {size}, {mask} {written})")


def _one(kernel: Vectors, to: str, x: str, k: Operand, among: tuple[Operand, Operand]) -> None:
    """A number of a row."""
    code, word = kernel.code, kernel.word
    begun, before = (code.op(f"icmp {how} i64 {k}, {n}") for how, n in zip(("sge", "slt"), among, strict=True))
    goal = kernel.at(to, k)
    code.do(f"store {word} 0.0, ptr {goal}")
    with kernel.unless(code.op(f"xor i1 {code.op(f'and i1 {begun}, {before}')}, true")):
        code.do(f"store {word} {code.op(f'load {word}, ptr {kernel.at(x, k)}')}, ptr {goal}")


symbol = kept(text)
