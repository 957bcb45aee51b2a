"""Products of small matrices: rows of the result are vectors.

A few are made by a kernel that is compiled once for all sizes (lower/little.py). For many, everything is written out: a call
costs about as much as such a product. Some rows at a time are in registers while the rows of the second matrix go by, so
that each is read once for all of them.
"""

from __future__ import annotations

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.little import ROOM
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.kernels import Plane, pointer
from runtime.backends.native.lower.types import LLVM, SIZE

__all__ = ["by_call", "is_for_call", "is_little", "little"]

FEWEST, MOST = 3, 32  # columns, and rows of the second matrix: products written out
FEW, WIDE = 4, 16  # terms or columns up to which loops over rows are faster, unless there are many columns or few rows
DEEP = 8  # terms from which on rows of many columns are not better left to LLVM
MANY = 10  # rows that pay for putting the second matrix in order
LARGEST = 32 * 32 * 32  # multiplications
WRITTEN = 32  # products of vectors up to which they stand one after another, without a loop
TERMS = 2  # of each sum in a turn of that loop
SUMS = 8  # vectors of 64 bytes that wait for each other: as many products are under way


def is_little(sizes: tuple[Operand, Operand, Operand]) -> bool:
    """Whether products of these rows, terms and columns are small enough."""
    if not all(isinstance(n, int) for n in sizes):
        return False
    rows, inner, columns = (int(n) for n in sizes)
    return rows > 1 and FEWEST <= columns <= MOST and 2 <= inner <= MOST and rows * inner * columns <= LARGEST


def is_for_call(sizes: tuple[Operand, Operand, Operand], in_rows: bool) -> bool:
    """Whether a product of few multiplications pays the call, which puts the second matrix in order, if not `in_rows`."""
    if not all(isinstance(n, int) for n in sizes):
        return False
    rows, inner, columns = (int(n) for n in sizes)
    if rows < 2 or columns < FEWEST or inner < (2 if columns <= MOST else DEEP):
        return False
    if not in_rows and (rows < MANY or inner * columns > ROOM):
        return False
    return (inner > FEW or columns >= WIDE) and (columns > FEW or rows <= WIDE)


def by_call(
    ctx: FunctionLowering,
    a: Plane,
    b: Plane,
    out: Array,
    sizes: tuple[Operand, Operand, Operand],
    pitch: Operand,
    at: tuple[Operand, Operand, Operand],
) -> None:
    """One product by the kernel for all sizes; its matrices lie at offsets."""
    code, kind = ctx.code, out.code
    rows, inner, columns = (int(n) for n in sizes)
    assert b[3][1] == 1 or inner * columns <= ROOM
    of_a, of_b, of_c = _pointers(ctx, a, b, out, at)
    name = f"ag_little_{kind}"
    ctx.module.declare(f"declare void @{name}(i64, i64, i64, ptr, i64, i64, ptr, i64, i64, ptr, i64)", name)
    code.do(
        f"call void @{name}(i64 {rows}, i64 {columns}, i64 {inner}, ptr {of_a}, i64 {a[3][0]}, i64 {a[3][1]}, "
        f"ptr {of_b}, i64 {b[3][0]}, i64 {b[3][1]}, ptr {of_c}, i64 {pitch})"
    )


def _pointers(
    ctx: FunctionLowering, a: Plane, b: Plane, out: Array, at: tuple[Operand, Operand, Operand]
) -> list[str]:
    """Where the three matrices of a product begin, these many elements on."""
    places = (a[0], a[1]), (b[0], b[1]), (out.ptr, out.offset)
    return [
        pointer(ctx, ptr, out.code, ctx.code.add(offset, extra))
        for (ptr, offset), extra in zip(places, at, strict=True)
    ]


def little(
    ctx: FunctionLowering,
    a: Plane,
    b: Plane,
    out: Array,
    sizes: tuple[Operand, Operand, Operand],
    pitch: Operand,
    at: tuple[Operand, Operand, Operand],
) -> None:
    """One product written out; its matrices lie at offsets."""
    code, kind = ctx.code, out.code
    rows, inner, columns = (int(n) for n in sizes)
    of_a, of_b, of_c = _pointers(ctx, a, b, out, at)
    step = b[3][0]
    if b[3][1] != 1:
        of_b, step = _turned(ctx, of_b, b, inner, columns, kind), columns
    each = min(max(SUMS * 64 // (-(-columns * SIZE[kind] // 64) * 64), 1), rows)
    flow = Flow(ctx, finished=True)

    def some(first: Operand, count: int) -> None:
        own_a = pointer(ctx, of_a, kind, code.mul(first, a[3][0]))
        own_c = pointer(ctx, of_c, kind, code.mul(first, pitch))
        _rows(ctx, own_a, a, of_b, step, own_c, (count, inner, columns), pitch, kind)

    if rows == each:
        some(0, rows)
        return
    with flow.loop(rows // each) as i:
        some(code.mul(i, each), each)
    if rows % each:
        some(rows - rows % each, rows % each)


def _turned(ctx: FunctionLowering, of_b: str, b: Plane, inner: int, columns: int, kind: str) -> str:
    """The address of a copy whose rows are contiguous."""
    code, word, size = ctx.code, LLVM[kind], SIZE[kind]
    own = code.alloca(f"[{inner * columns} x {word}]", "rows", 64)
    with Flow(ctx, finished=True).loop(columns) as j:
        column = pointer(ctx, of_b, kind, code.mul(j, b[3][1]))
        for k in range(inner):
            x = code.op(f"load {word}, ptr {pointer(ctx, column, kind, code.mul(k, b[3][0]))}, align {size}")
            code.do(f"store {word} {x}, ptr {pointer(ctx, own, kind, code.add(j, k * columns))}, align {size}")
    return own


def _rows(
    ctx: FunctionLowering,
    of_a: str,
    a: Plane,
    of_b: str,
    step: Operand,
    of_c: str,
    sizes: tuple[int, int, int],
    pitch: Operand,
    kind: str,
) -> None:
    """Some rows of a product."""
    code, word, size = ctx.code, LLVM[kind], SIZE[kind]
    rows, inner, columns = sizes
    loops = inner * rows > WRITTEN
    # LLVM takes vectors apart, to numbers, that go from block to block and are not a power of two long.
    lanes = 1 << (columns - 1).bit_length() if loops else columns
    part, vector = f"<{columns} x {word}>", f"<{lanes} x {word}>"
    name = f"llvm.fmuladd.v{lanes}{kind}"

    def resized(x: str, have: int, want: int) -> str:
        if have == want:
            return x
        order = ", ".join(f"i32 {min(k, have)}" for k in range(want))
        kept = f"<{have} x {word}>"
        return code.op(f"shufflevector {kept} {x}, {kept} zeroinitializer, <{want} x i32> <{order}>")

    def added(sums: list[str], from_a: str, from_b: str, count: int) -> list[str]:
        """The sums with so many terms more."""
        for k in range(count):
            place = pointer(ctx, from_b, kind, code.mul(k, step))
            terms = resized(code.op(f"load {part}, ptr {place}, align {size}"), columns, lanes)
            for i in range(rows):
                at = code.add(code.mul(i, a[3][0]), code.mul(k, a[3][1]))
                factor = code.op(f"load {word}, ptr {pointer(ctx, from_a, kind, at)}")
                one = code.op(f"insertelement {vector} poison, {word} {factor}, i64 0")
                all_ = code.op(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")
                sums[i] = code.op(f"call {vector} @{name}({vector} {all_}, {vector} {terms}, {vector} {sums[i]})")
        return sums

    sums: list[str] = ["zeroinitializer"] * rows
    done = 0
    if loops:
        places = [code.alloca(vector, "sum", 64) for _ in sums]
        for place in places:
            code.do(f"store {vector} zeroinitializer, ptr {place}")
        done = inner // TERMS * TERMS
        with Flow(ctx, finished=True).loop(inner // TERMS) as turn:
            k = code.mul(turn, TERMS)
            from_a, from_b = pointer(ctx, of_a, kind, code.mul(k, a[3][1])), pointer(ctx, of_b, kind, code.mul(k, step))
            sums = added([code.op(f"load {vector}, ptr {place}") for place in places], from_a, from_b, TERMS)
            for place, total in zip(places, sums, strict=True):
                code.do(f"store {vector} {total}, ptr {place}")
        sums = [code.op(f"load {vector}, ptr {place}") for place in places]
    rest_of_a, rest_of_b = (
        pointer(ctx, of_a, kind, code.mul(done, a[3][1])), pointer(ctx, of_b, kind, code.mul(done, step))
    )  # fmt: skip
    sums = added(sums, rest_of_a, rest_of_b, inner - done)
    for i, total in enumerate(sums):
        place = pointer(ctx, of_c, kind, code.mul(i, pitch))
        code.do(f"store {part} {resized(total, lanes, columns)}, ptr {place}, align {size}")
