"""Matrix products of few columns: rows of the first operand times columns of the second, several at a time.

    ag_dots_f32_N(m, k, a, ra, b, rb, cb, c, ldc, add)     c[m, N] = or += a[m, k] @ b[k, N]; 0 where there is no memory;
        rows of a lie in one piece, `ra` apart; rb and cb are the steps of b from row to row and from column to column

A kernel has R rows and all N columns in registers, a vector of partial sums for each, and reads each row once. BLAS fills
panels of columns that are not there. The order of sums depends on k alone, not on the number of threads.
"""

from __future__ import annotations

from runtime.backends.native import gemm, pool, threads
from runtime.backends.native.once import once
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text

__all__ = ["most", "symbol", "text"]


def most(kind: str) -> int:
    """The largest number of columns that there are kernels for on this processor; 0: for none."""
    tile = gemm.tile(kind)
    return 0 if tile is None else min(_sums(tile), 15)


def _sums(tile: gemm.Tile) -> int:
    """How many vectors of sums there is room for."""
    return tile.rows * tile.vectors


def symbol(name: str) -> int:
    """Where the function for so many columns ("ag_dots_f32_3") begins."""
    kind, columns = name.split("_")[2:]
    return _loaded(kind, int(columns)).address(name)


@once
def _loaded(kind: str, columns: int) -> Loaded:
    tile = gemm.tile(kind)
    assert tile is not None
    symbols = pool.addresses() | {"ag_parallel": threads.parallel_address()}
    return compile_text(text(kind, tile, columns), symbols, (f"ag_dots_{kind}_{columns}",))


def text(kind: str, tile: gemm.Tile, columns: int) -> str:
    """The module for a type and a number of columns."""
    word, size = gemm.WORDS[kind]
    rows = max(min(_sums(tile) // columns, 8), 1)
    out = text_of("dots")
    lanes = tile.lanes
    facts = {
        "$KERNELS": "\n".join(_kernel(n, columns, lanes, kind) for n in sorted({1, rows})),
        "$NUMBERED64": "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">",
        "$NUMBERED": "<" + ", ".join(f"i32 {k}" for k in range(lanes)) + ">",
        "$VECTOR": f"<{lanes} x {word}>", "$MASK": f"<{lanes} x i1>", "$V": f"v{lanes}{kind}", "$WORD": word,
        "$KIND": kind, "$SIZE": str(size), "$LANES": str(lanes), "$ROWS": str(rows), "$N": str(columns),
    }
    for name in sorted(facts, key=len, reverse=True):
        out = out.replace(name, facts[name])
    return out


def _kernel(rows: int, columns: int, lanes: int, kind: str) -> str:
    word, size = gemm.WORDS[kind]
    vector, v = f"<{lanes} x {word}>", f"v{lanes}{kind}"
    each = [(i, j) for j in range(columns) for i in range(rows)]
    given = "i64 %k, ptr %a, i64 %ra, ptr %b, i64 %step, ptr %c, i64 %ldc, i64 %add"
    steps = [f"  %a{i}.row = mul i64 %ra, {i}" for i in range(rows)]
    steps += [f"  %a{i}.at = getelementptr {word}, ptr %a, i64 %a{i}.row" for i in range(rows)]
    steps += [f"  %b{j}.row = mul i64 %step, {j}" for j in range(columns)]
    steps += [f"  %b{j}.at = getelementptr {word}, ptr %b, i64 %b{j}.row" for j in range(columns)]

    def step(mark: str, loads: str, before: str) -> list[str]:
        """One vector of terms: those of a as `loads` says."""
        lines = []
        for i in range(rows):
            lines.append(f"  %{mark}pa{i} = getelementptr {word}, ptr %a{i}.at, i64 %p{mark}")
            lines.append(f"  %{mark}a{i} = " + loads.format(place=f"%{mark}pa{i}"))
        for j in range(columns):
            lines.append(f"  %{mark}pb{j} = getelementptr {word}, ptr %b{j}.at, i64 %p{mark}")
            lines.append(f"  %{mark}b{j} = load {vector}, ptr %{mark}pb{j}, align {size}")
            lines += [
                f"  %{mark}s{i}.{j} = call {vector} @llvm.fma.{v}({vector} %{mark}a{i}, {vector} %{mark}b{j}, "
                f"{vector} {before.format(i=i, j=j)})"
                for i in range(rows)
            ]
        return lines

    masked = f"call {vector} @llvm.masked.load.{v}.p0(ptr {{place}}, i32 {size}, $MASK %mask, {vector} zeroinitializer)"
    phi = "  %{name}{i}.{j} = phi {vector} [{first}, %{one}], [%{second}{i}.{j}, %{two}]"
    lines = [
        f"define private fastcc void @rows{rows}({given}) noinline {{",
        "entry:",
        *steps,
        f"  %whole = and i64 %k, {-lanes}",
        "  %some = icmp sgt i64 %whole, 0",
        "  br i1 %some, label %loop, label %tail",
        "loop:",
        "  %px = phi i64 [0, %entry], [%p.next, %loop]",
        *(phi.format(name="t", i=i, j=j, vector=vector, first="zeroinitializer", one="entry", second="xs", two="loop")
          for i, j in each),
        *step("x", f"load {vector}, ptr {{place}}, align {size}", "%t{i}.{j}"),
        f"  %p.next = add i64 %px, {lanes}",
        "  %more = icmp slt i64 %p.next, %whole",
        "  br i1 %more, label %loop, label %tail",
        "tail:",
        *(phi.format(name="u", i=i, j=j, vector=vector, first="zeroinitializer", one="entry", second="xs", two="loop")
          for i, j in each),
        "  %rest = sub i64 %k, %whole",
        "  %odd = icmp sgt i64 %rest, 0",
        "  br i1 %odd, label %last, label %end",
        "last:",
        "  %py = add i64 %whole, 0",
        "  %mask = call $MASK @inside(i64 %rest)",
        *step("y", masked, "%u{i}.{j}"),
        "  br label %end",
        "end:",
        *(f"  %w{i}.{j} = phi {vector} [%u{i}.{j}, %tail], [%ys{i}.{j}, %last]" for i, j in each),
        "  %adds = icmp ne i64 %add, 0",
    ]
    for i in range(rows):
        lines.append(f"  %c{i}.row = mul i64 %ldc, {i}")
        lines.append(f"  %c{i} = getelementptr {word}, ptr %c, i64 %c{i}.row")
        for j in range(columns):
            lines += [
                f"  %r{i}.{j} = call reassoc {word} @llvm.vector.reduce.fadd.{v}({word} 0.0, {vector} %w{i}.{j})",
                f"  %c{i}.{j} = getelementptr {word}, ptr %c{i}, i64 {j}",
                f"  %o{i}.{j} = load {word}, ptr %c{i}.{j}",
                f"  %q{i}.{j} = fadd {word} %o{i}.{j}, %r{i}.{j}",
                f"  %z{i}.{j} = select i1 %adds, {word} %q{i}.{j}, {word} %r{i}.{j}",
                f"  store {word} %z{i}.{j}, ptr %c{i}.{j}",
            ]
    return "\n".join([*lines, "  ret void", "}"])
