"""Products of small matrices, whose sizes are told by the call: rows of the result are vectors.

    ag_little_f32(m, n, k, a, ra, ca, b, rb, cb, c, ldc)    c[m, n] = a[m, k] @ b[k, n]; ra and ca are the steps of a from
        row to row and from column to column, rb and cb those of b, ldc that from row to row of c, whose rows lie in one
        piece; none of m, n and k is 0; where cb is not 1, b has at most ROOM numbers, which are put in order first

and the same for f64. It is compiled once for a type, by itself, and kept: code for each size took longer to make than a
program's whole rest. An element is the sum over k in order.
"""

from __future__ import annotations

from runtime.backends.native.gemm import WORDS
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.processor import vector_bytes
from runtime.backends.native.texts import text_of

__all__ = ["ROOM", "symbol", "text"]

ROOM = 1024  # numbers of a second matrix whose rows do not lie in one piece
_ROWS, _FEW = 8, 4  # sums under way: two products at a time, each of which takes four cycles; fewer are less to do


def text(name: str) -> str:
    """The module of the function for a type ("ag_little_f32")."""
    kind = name[-3:]
    word, size = WORDS[kind]
    lanes = vector_bytes() // size
    vector, mask, v = f"<{lanes} x {word}>", f"<{lanes} x i1>", f"v{lanes}{kind}"
    masked = vector_bytes() > 16  # vectors may be read and written with masks
    declared = [f"declare {vector} @llvm.fmuladd.{v}({vector}, {vector}, {vector})"]
    if masked:
        declared += [
            f"declare {vector} @llvm.masked.load.{v}.p0(ptr, i32, {mask}, {vector})",
            f"declare void @llvm.masked.store.{v}.p0({vector}, ptr, i32, {mask})",
        ]
    else:
        declared.append(f"declare {word} @llvm.fmuladd.{kind}({word}, {word}, {word})")
    blocks = [line for name, rows in (("many", _ROWS), ("few", _FEW)) for line in _block(name, rows, lanes, kind, masked)]
    facts = {
        "$DECLARED": "\n".join(declared), "$BLOCKS": "\n".join(blocks), "$KIND": kind, "$WORD": word,
        "$ROOM": str(ROOM), "$ROWS": str(_ROWS), "$FEW": str(_FEW),
    }
    out = text_of("little")
    for place, what in facts.items():
        out = out.replace(place, what)
    return out


def _block(name: str, rows: int, lanes: int, kind: str, masked: bool) -> list[str]:
    """All columns of some rows; the last row stands for those that are not there."""
    word = WORDS[kind][0]
    lines = [f"{name}.rows:", f"  %{name}.a0 = getelementptr {word}, ptr %ap, i64 0"]
    for r in range(1, rows):
        lines += [
            f"  %{name}.is{r} = icmp sgt i64 %left, {r}",
            f"  %{name}.as{r} = select i1 %{name}.is{r}, i64 %ra, i64 0",
            f"  %{name}.a{r} = getelementptr {word}, ptr %{name}.a{r - 1}, i64 %{name}.as{r}",
        ]
    if masked:
        return lines + _columns(name, "v", f"{name}.rows", ("0", "%n"), rows, lanes, kind, "below", masked=True)
    lines.append(f"  %{name}.whole = and i64 %n, {-lanes}")
    lines += _columns(name, "v", f"{name}.rows", ("0", f"%{name}.whole"), rows, lanes, kind, f"{name}.single")
    lines.append(f"{name}.single:")
    return lines + _columns(name, "s", f"{name}.single", (f"%{name}.whole", "%n"), rows, 1, kind, "below")


def _columns(
    name: str, mark: str, before: str, over: tuple[str, str], rows: int, lanes: int, kind: str, after: str,
    masked: bool = False,
) -> list[str]:  # fmt: skip
    """A loop over columns of a block, so many at a time; `before` is the block of instructions that it comes from."""
    word, size = WORDS[kind]
    vector, v = (word, kind) if lanes == 1 else (f"<{lanes} x {word}>", f"v{lanes}{kind}")
    n, (first, end) = f"{name}.{mark}", over
    zero = "0.0" if lanes == 1 else "zeroinitializer"
    lines = [
        f"  %{n}any = icmp slt i64 {first}, {end}",
        f"  br i1 %{n}any, label %{n}across, label %{after}",
        f"{n}across:",
        f"  %{n}j = phi i64 [{first}, %{before}], [%{n}j.next, %{n}done]",
        f"  %{n}b = getelementptr {word}, ptr %bp, i64 %{n}j",
    ]
    if masked:
        bits, numbered = f"<{lanes} x i32>", ", ".join(f"i32 {k}" for k in range(lanes))
        lines += [
            f"  %{n}left = sub i64 {end}, %{n}j",
            f"  %{n}most = call i64 @llvm.smin.i64(i64 %{n}left, i64 {lanes})",
            f"  %{n}few = trunc i64 %{n}most to i32",
            f"  %{n}first = insertelement {bits} poison, i32 %{n}few, i64 0",
            f"  %{n}all = shufflevector {bits} %{n}first, {bits} poison, {bits} zeroinitializer",
            f"  %{n}mask = icmp ult {bits} <{numbered}>, %{n}all",
        ]
    lines += [
        f"  br label %{n}down",
        f"{n}down:",
        f"  %{n}p = phi i64 [%k, %{n}across], [%{n}p.next, %{n}down]",
        f"  %{n}b.p = phi ptr [%{n}b, %{n}across], [%{n}b.next, %{n}down]",
        f"  %{n}a.p = phi i64 [0, %{n}across], [%{n}a.next, %{n}down]",
        *(f"  %{n}sum{r} = phi {vector} [{zero}, %{n}across], [%{n}new{r}, %{n}down]" for r in range(rows)),
    ]
    if masked:
        given = f"ptr %{n}b.p, i32 {size}, <{lanes} x i1> %{n}mask, {vector} {zero}"
        lines.append(f"  %{n}terms = call {vector} @llvm.masked.load.{v}.p0({given})")
    else:
        lines.append(f"  %{n}terms = load {vector}, ptr %{n}b.p, align {size}")
    for r in range(rows):
        lines += [
            f"  %{n}x{r}.p = getelementptr {word}, ptr %{name}.a{r}, i64 %{n}a.p",
            f"  %{n}x{r} = load {word}, ptr %{n}x{r}.p",
        ]
        factor = f"%{n}x{r}"
        if lanes > 1:
            factor = f"%{n}f{r}"
            lines += [
                f"  %{n}o{r} = insertelement {vector} poison, {word} %{n}x{r}, i64 0",
                f"  {factor} = shufflevector {vector} %{n}o{r}, {vector} poison, <{lanes} x i32> zeroinitializer",
            ]
        given = f"{vector} {factor}, {vector} %{n}terms, {vector} %{n}sum{r}"
        lines.append(f"  %{n}new{r} = call {vector} @llvm.fmuladd.{v}({given})")
    lines += [
        f"  %{n}a.next = add i64 %{n}a.p, %ca",
        f"  %{n}b.next = getelementptr {word}, ptr %{n}b.p, i64 %step",
        f"  %{n}p.next = sub i64 %{n}p, 1",
        f"  %{n}p.more = icmp sgt i64 %{n}p.next, 0",
        f"  br i1 %{n}p.more, label %{n}down, label %{n}done",
        f"{n}done:",
        f"  %{n}c0 = getelementptr {word}, ptr %cp, i64 %{n}j",
    ]
    for r in range(rows):
        if r:
            lines += [
                f"  %{n}is{r} = icmp sgt i64 %left, {r}",
                f"  %{n}cs{r} = select i1 %{n}is{r}, i64 %ldc, i64 0",
                f"  %{n}c{r} = getelementptr {word}, ptr %{n}c{r - 1}, i64 %{n}cs{r}",
            ]
        if masked:
            given = f"{vector} %{n}new{r}, ptr %{n}c{r}, i32 {size}, <{lanes} x i1> %{n}mask"
            lines.append(f"  call void @llvm.masked.store.{v}.p0({given})")
        else:
            lines.append(f"  store {vector} %{n}new{r}, ptr %{n}c{r}, align {size}")
    return [
        *lines,
        f"  %{n}j.next = add i64 %{n}j, {lanes}",
        f"  %{n}j.more = icmp slt i64 %{n}j.next, {end}",
        f"  br i1 %{n}j.more, label %{n}across, label %{after}",
    ]


symbol = kept(text)
