"""Matrix products of native code's own: kernels that keep a tile of the result in registers.

    ag_gemm_f32(m, n, k, a, ra, ca, b, rb, cb, c, ldc, add, own, room)
        c = a @ b, or c += a @ b; 0 where there is no memory; ra and ca are the steps from row to row and from column to
        column of a, rb and cb those of b, ldc that from row to row of c, whose rows lie in one piece; `own` is memory of
        `room` bytes for what is put in order (see `room` below), which is taken from the pool where that is not enough
    ag_pack_f32(k, n, b, rb, cb, out)                       b in panels, for many products; `packed_size` numbers
    ag_gemm_packed_f32(m, n, k, a, ra, ca, packed, c, ldc, add)

and the same for f64. Who knows sizes asks for these by names that say so (`of_sizes`, `packed_of_sizes`, `pack_of_steps`),
and no more is compiled than such a product needs: there is a kernel for each number of rows that a tile may have, and all of
them would be most of the time that a first product takes.

A panel is as many columns as a tile has, one row after the other, with zeros where b has ended. A BLAS copies both operands
at each call; these read `a` where it lies, and `b` where its rows are not too far apart, so that products of some dozens of
rows, of which steps of loops are made, run near the processor's peak. An element is the sum over k in order (over blocks of
256 where b is copied), whatever the number of threads.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from runtime.backends.native import pool, toolchain
from runtime.backends.native import threads as thread_pool
from runtime.backends.native.errors import NoCompilerError
from runtime.backends.native.once import MAKING, once
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text

__all__ = [
    "GRAIN", "SHARED", "WORDS", "Products", "Tile", "of_sizes", "pack_of_steps", "packed_of_sizes", "packed_size", "room",
    "symbol", "tile",
]

WORDS = {"f32": ("float", 4), "f64": ("double", 8)}
SHARED = 700_000  # multiplications from which on threads share a product: some 8 microseconds
GRAIN = 250_000  # the fewest that a thread takes
_MORE = 4_000_000  # where there are few for each number of the result
_NEAR = 800_000  # bytes of a second operand of which each thread may read all
_FAR = 1000  # columns from which on rows of a, too, are put in order
_ALONE = 8  # rows of a tile up to which it is likely to be the only one, whose rows of b are far, and
_AHEAD = 12  # how many of those it asks for ahead
_BLOCK = 1536  # rows of a that are put in order at a time
_EXPORTS = {
    "tiles": ("ag_share", "ag_pack", "ag_gemm_plain"), "edges": ("ag_dense", "ag_edge"), "panels": ("ag_any",),
    "order": ("ag_order",),
    "blocks": ("ag_gemm_packed", "ag_gemm_copied", "ag_gemm_ordered", "ag_gemm"),
}
_HOMES = {name: home for home, names in _EXPORTS.items() for name in names}
_FILLED = "dense", "edge", "any", "order"  # places behind the kernels
_NAME = re.compile(r"(ag_\w+?)_(f32|f64)(?:\.([a-z]*)\.([0-9a-f]+))?")  # what; the type; how; the places, as bits


class Tile(NamedTuple):
    """The part of a result that a kernel has in registers: `lanes` numbers in `vectors` vectors, up to `rows` times."""

    lanes: int
    vectors: int
    rows: int

    @property
    def columns(self) -> int:
        """Numbers in a row of it."""
        return self.lanes * self.vectors

    @property
    def kernels(self) -> int:
        """How many kernels there are: theirs are the first places."""
        return 2 * self.rows

    def place(self, rows: int, half: bool) -> int:
        """That of a kernel for so many rows."""
        return rows - 1 + (self.rows if half else 0)


@lru_cache(maxsize=2)
def tile(kind: str) -> Tile | None:
    """The tile for this processor, or None where a BLAS is left to do products."""
    try:
        features = toolchain.host()[2].split(",")
    except NoCompilerError:
        return None
    size = WORDS[kind][1]
    if "+avx512f" in features and "-prefer-256-bit" in features:
        return Tile(64 // size, 2, 12)  # 24 of 32 registers, two for b, one for a
    if "+avx2" in features and "+fma" in features:
        return Tile(32 // size, 2, 6)  # 12 of 16
    return None


def packed_size(kind: str, inner: int, columns: int) -> int:
    """How many numbers a packed matrix has."""
    found = tile(kind)
    assert found is not None
    return -(-columns // found.columns) * found.columns * inner


def room(kind: str, sizes: tuple[int, int, int], a: tuple[int, int], b: tuple[int, int]) -> int:
    """Bytes that ag_gemm needs for what it puts in order: `sizes` are m, n, k; the others steps."""
    found = tile(kind)
    assert found is not None
    (m, n, k), size = sizes, WORDS[kind][1]
    copied, ordered = _way(size, sizes, a, b)
    if not copied:
        return k * found.columns * size if n % found.columns else 0
    depth = k if k <= 384 else 256
    panels = packed_size(kind, depth, min(n, 1024))
    return (panels + (min(m, _BLOCK) * depth if ordered else 0)) * size


def _way(size: int, sizes: tuple[int, int, int], a: tuple[int, int], b: tuple[int, int]) -> tuple[bool, bool]:
    """Whether a product is made from panels of b, and from rows of a in order; blocks.ll asks the same."""
    (m, n, k), (ra, ca), (rb, cb) = sizes, a, b
    clash = rb * size % 2048 == 0 and m >= (32 if k >= 512 else 64)
    deep = (k >= 512 and n >= 384) or k > 1024
    many = m >= (96 if deep else 256 if k >= 512 else 600)
    turned = ca != 1 and ((m >= 1000 and n >= 96) or (n >= 400 and k >= 200 and m >= 128))
    far = m >= 128 and (n >= _FAR or (k > 1024 and n >= 256)) and ra > 384
    return clash or many or turned or far or cb != 1, turned or far


def of_sizes(kind: str, sizes: tuple[object, ...], a: tuple[object, ...], b: tuple[object, ...]) -> str:
    """The name by which to call ag_gemm for sizes and steps, some of which are numbers."""
    (m, n, k, *steps), found = (x if isinstance(x, int) else None for x in (*sizes, *a, *b)), tile(kind)
    assert found is not None
    places = _kernels(found, m, n)
    if m is None or n is None or k is None or None in steps:
        return f"ag_gemm_{kind}..{places | _bits(found, *_FILLED):x}"
    ra, ca, rb, cb = (x or 0 for x in steps)
    copied, ordered = _way(WORDS[kind][1], (m, n, k), (ra, ca), (rb, cb))
    way = "ordered" if ordered else "copied" if copied else "plain"
    parts = ["order"] * ordered + ["any" if cb != 1 else "dense"] * copied
    return f"ag_gemm_{kind}.{way}.{places | _bits(found, *parts):x}"


def packed_of_sizes(kind: str, m: object, n: object, k: object) -> str:
    """The name by which to call ag_gemm_packed."""
    found = tile(kind)
    assert found is not None
    large = all(not isinstance(x, int) or x >= least for x, least in ((k, 513), (m, 128), (n, 256)))
    return f"ag_gemm_packed_{kind}..{_kernels(found, m, n) | _bits(found, *['order'] * large):x}"


def pack_of_steps(kind: str, cb: object) -> str:
    """The name by which to call ag_pack."""
    found = tile(kind)
    assert found is not None
    parts = ["any"] * (cb != 1) + ["dense"] * (cb == 1 or not isinstance(cb, int))
    return f"ag_pack_{kind}..{_bits(found, *parts):x}"


def _kernels(t: Tile, m: object, n: object) -> int:
    """The places of the kernels that a product of m rows and n columns may need, as bits."""
    rows = set(range(1, t.rows + 1))
    if isinstance(m, int):
        rows = set()
        for count in {m, _BLOCK, m % _BLOCK} if m > _BLOCK else {m}:
            tiles = -(-count // t.rows)
            rows |= {count // tiles, -(-count // tiles)} if count else set()
    columns = {t.columns, t.lanes}
    if isinstance(n, int):
        over = n % t.columns
        columns = ({t.columns} if n > t.columns else set()) | {t.lanes if 0 < over <= t.lanes else t.columns}
    edges = () if isinstance(n, int) and n % t.columns == 0 else ("dense", "edge")
    return sum(1 << t.place(m, c == t.lanes) for m in rows for c in columns) | _bits(t, *edges)


def _bits(t: Tile, *parts: str) -> int:
    return sum(1 << t.kernels + _FILLED.index(part) for part in parts)


def symbol(name: str) -> int:
    """Where a function begins, of those above: `ag_gemm_f32` with all that it may need."""
    parts = _NAME.fullmatch(name)
    assert parts is not None
    return _products(parts[2]).symbol(name)


@once
def _products(kind: str) -> Products:
    found = tile(kind)
    assert found is not None
    return Products(kind, found)


class Products:
    """Products of a type by tiles, of which each part is compiled when it is needed first.

    places  addresses of the kernels, then of what `_FILLED` names: `ag_places`
    """

    def __init__(self, kind: str, found: Tile) -> None:
        self.kind, self.tile = kind, found
        self.places = (ctypes.c_void_p * (found.kernels + len(_FILLED)))()
        self._addresses = {"ag_places": ctypes.addressof(self.places)}
        self._loaded: list[Loaded] = []

    def symbol(self, name: str) -> int:
        """Where a function begins, by a name that may say what it needs."""
        parts = _NAME.fullmatch(name)
        assert parts is not None
        function, _, way, places = parts.groups()
        return self.address(f"{function}_{way}" if way else function, None if places is None else int(places, 16))

    def address(self, function: str, places: int | None = None) -> int:
        """Where a function begins; `places`, or all, are filled before."""
        t = self.tile
        with MAKING:
            wanted = [p for p in range(len(self.places)) if (places is None or places >> p & 1) and not self.places[p]]
            self._fill_with_kernels(p for p in wanted if p < t.kernels)
            for p, name in enumerate(_FILLED, t.kernels):
                if p in wanted:
                    self.places[p] = self._of(f"ag_{name}")
            return self._of(function)

    def _of(self, function: str) -> int:
        """The address of what a file of IR defines."""
        name, home = f"{function}_{self.kind}", _HOMES[function]
        if name not in self._addresses:
            if home == "blocks":
                self._of("ag_share")
            outside = pool.addresses() | {"ag_parallel": thread_pool.parallel_address()}
            exports = tuple(f"{n}_{self.kind}" for n in _EXPORTS[home])
            self._load(_text(self.kind, self.tile, home), outside | self._addresses, exports)
        return self._addresses[name]

    def _fill_with_kernels(self, places: Iterable[int]) -> None:
        """Each is a text of its own, which other programs find on disk; all together are one, that is sooner read."""
        t, kind, word = self.tile, self.kind, WORDS[self.kind][0]
        head = text_of("kernels").replace("$VECTOR", f"<{t.lanes} x {word}>").replace("$V", f"v{t.lanes}{kind}")
        made = {}
        for p in places:
            half, rows = p >= t.rows, p % t.rows + 1
            of = (Tile(t.lanes, 1, t.rows), word, kind, t.columns) if half else (t, word, kind)
            made[f"{'half_' if half else ''}kernel{rows}"] = p, _kernel(rows, *of)
        for names in [tuple(made)] if len(made) == t.kernels else [(name,) for name in made]:
            self._load("\n".join([head, *(made[name][1] for name in names)]), {}, names)
        for name, (p, _) in made.items():
            self.places[p] = self._addresses[name]

    def _load(self, text: str, outside: dict[str, int], exports: tuple[str, ...]) -> None:
        loaded = compile_text(text, outside, exports)
        self._loaded.append(loaded)
        self._addresses |= {name: loaded.address(name) for name in exports}


def _text(kind: str, t: Tile, home: str) -> str:
    """A file of IR for a type and a tile."""
    word, size = WORDS[kind]
    out = text_of("gemm", home)
    facts = {
        "$COLUMNS": str(t.columns), "$ROWS": str(t.rows), "$WORD": word, "$KIND": kind, "$SIZE": str(size),
        "$LANES": str(t.lanes), "$MASK": f"<{t.lanes} x i1>", "$V": f"v{t.lanes}{kind}",
        "$NUMBERED": "<" + ", ".join(f"i32 {k}" for k in range(t.lanes)) + ">", "$LINES": _line(t),
        "$DOWN": _column(t), "$PAIR": _pair(t, word, size), "$TURNED": _turned(t, word, size),
        "$FAR": str(_FAR), "$NEAR": str(_NEAR // size), "$BLOCK": str(_BLOCK),
        "$SHARED": str(SHARED), "$MORE": str(_MORE), "$GRAIN": str(GRAIN),
        "$NUMBERS": str(t.rows * t.columns), "$PLACES": str(t.kernels + len(_FILLED)),
        "$HOW": "; quick" if home in ("tiles", "blocks") else "; final", "$VECTOR": f"<{t.lanes} x {word}>",
    }
    facts |= {f"${part.upper()}": str(t.kernels + k) for k, part in enumerate(_FILLED)}
    # first what has others in it; "$VECTOR" before "$V"
    for name in ("$LINES", "$DOWN", "$PAIR", "$TURNED", *sorted(facts, key=len, reverse=True)):
        out = out.replace(name, facts[name])
    return out


def _column(t: Tile) -> str:
    """A column of a tile of a, whose numbers lie side by side, to its place in order."""
    out = []
    for j in range(-(-t.rows // t.lanes)):
        out += [
            f"  %left{j} = sub i64 %mr, {j * t.lanes}",
            f"  %mask{j} = call $MASK @inside(i64 %left{j})",
            f"  %f{j} = getelementptr $VECTOR, ptr %f, i64 {j}",
            f"  %x{j} = call $VECTOR @llvm.masked.load.$V.p0(ptr %f{j}, i32 $SIZE, $MASK %mask{j}, $VECTOR zeroinitializer)",
            f"  %t{j} = getelementptr $VECTOR, ptr %t, i64 {j}",
            f"  call void @llvm.masked.store.$V.p0($VECTOR %x{j}, ptr %t{j}, i32 $SIZE, $MASK %mask{j})",
        ]
    return "\n".join(out)


def _pair(t: Tile, word: str, size: int) -> str:
    """A vector of each of two rows of a full tile of a, as columns in order: the rows are interleaved."""
    lanes, vector, pair = t.lanes, f"<{t.lanes} x {word}>", f"<2 x {word}>"
    halves = [", ".join(f"i32 {k}" for i in range(n, n + lanes // 2) for k in (i, lanes + i)) for n in (0, lanes // 2)]
    out = [f"  %sq{i} = load {vector}, ptr %sq.p{i}, align {size}" for i in range(2)]
    for h, half in enumerate(halves):
        out.append(f"  %sq.m{h} = shufflevector {vector} %sq0, {vector} %sq1, <{lanes} x i32> <{half}>")
        for k in range(lanes // 2):
            at, both = (h * (lanes // 2) + k) * t.rows, f"<2 x i32> <i32 {2 * k}, i32 {2 * k + 1}>"
            out += [
                f"  %sq.e{h}.{k} = shufflevector {vector} %sq.m{h}, {vector} poison, {both}",
                f"  %sq.t{h}.{k} = getelementptr {word}, ptr %i.to, i64 {at}",
                f"  store {pair} %sq.e{h}.{k}, ptr %sq.t{h}.{k}, align {size}",
            ]
    return "\n".join(out)


def _turned(t: Tile, word: str, size: int) -> str:
    """A square of b, whose columns lie in one piece, as rows: halves interleaved once for each doubling in a vector."""
    lanes, vector = t.lanes, f"<{t.lanes} x {word}>"
    halves = [", ".join(f"i32 {k}" for i in range(n, n + lanes // 2) for k in (i, lanes + i)) for n in (0, lanes // 2)]
    out = []
    names = [f"%tu{i}" for i in range(lanes)]
    for i, name in enumerate(names):
        out += [
            f"  {name}.n = mul i64 %cb, {i}",
            f"  {name}.p = getelementptr {word}, ptr %tu.from, i64 {name}.n",
            f"  {name} = load {vector}, ptr {name}.p, align {size}",
        ]
    for stage in range(lanes.bit_length() - 1):
        pairs = [(names[i], names[i + lanes // 2]) for i in range(lanes // 2)]
        names = [f"%tu{stage}.{i}" for i in range(lanes)]
        for i, name in enumerate(names):
            a, b = pairs[i // 2]
            out.append(f"  {name} = shufflevector {vector} {a}, {vector} {b}, <{lanes} x i32> <{halves[i % 2]}>")
    for i, name in enumerate(names):
        out += [
            f"  {name}.to = getelementptr {word}, ptr %tu.to, i64 {i * t.columns}",
            f"  store {vector} {name}, ptr {name}.to, align {size}",
        ]
    return "\n".join(out)


def _line(t: Tile) -> str:
    """A row of b, zeros where it has ended, into a panel."""
    out = []
    for j in range(t.vectors):
        out += [
            f"  %left{j} = sub i64 %left, {j * t.lanes}",
            f"  %mask{j} = call $MASK @inside(i64 %left{j})",
            f"  %f{j} = getelementptr $VECTOR, ptr %f, i64 {j}",
            f"  %x{j} = call $VECTOR @llvm.masked.load.$V.p0(ptr %f{j}, i32 $SIZE, $MASK %mask{j}, $VECTOR zeroinitializer)",
            f"  %t{j} = getelementptr $VECTOR, ptr %t, i64 {j}",
            f"  store $VECTOR %x{j}, ptr %t{j}, align $SIZE",
        ]
    return "\n".join(out)


def _fetched(rows: int, t: Tile, word: str, size: int) -> list[str]:
    """Where the rows of the result are, which are brought near while the sums are made."""
    lines = []
    for i in range(rows):
        lines += [f"  %row{i} = mul i64 %ldc, {i}", f"  %c{i} = getelementptr {word}, ptr %c, i64 %row{i}"]
        for j in range(t.vectors):
            if j:
                lines.append(f"  %c{i}.{j} = getelementptr <{t.lanes} x {word}>, ptr %c{i}, i64 {j}")
            if j * t.lanes * size % 64 == 0:
                lines.append(f"  call void @llvm.prefetch.p0(ptr %c{i}{f'.{j}' if j else ''}, i32 1, i32 3, i32 1)")
    return lines


def _places(rows: int, pitch: int, word: str) -> list[str]:
    """Where the rows of a tile aside are."""
    return [f"  %c{i} = getelementptr {word}, ptr %c, i64 {i * pitch}" for i in range(rows)]


def _kernel(rows: int, t: Tile, word: str, kind: str, pitch: int | None = None) -> str:
    """c[rows, columns] = or += a[rows, k] @ b[k, columns]; with a pitch, c is memory for a tile aside, which is only set."""
    name = "half_" if pitch else ""
    vector = f"<{t.lanes} x {word}>"
    each = [(i, j) for i in range(rows) for j in range(t.vectors)]
    at = {(i, j): f"%c{i}" if j == 0 else f"%c{i}.{j}" for i, j in each}
    size = WORDS[kind][1]
    given = "i64 %k, ptr %a, i64 %ra, i64 %ca, ptr %b, i64 %rb, ptr %c, i64 %ldc, i64 %add"
    fma = f"{vector} @llvm.fma.v{t.lanes}{kind}"
    lines = [
        f"define fastcc void @{name}kernel{rows}({given}) {{",
        "entry:",
        *(f"  %step{i} = mul i64 %ra, {i}" for i in range(1, rows)),
        *(_places(rows, pitch, word) if pitch else _fetched(rows, t, word, size)),
        f"  %far = mul i64 %rb, {_AHEAD}",
        "  %some = icmp sgt i64 %k, 0",
        "  br i1 %some, label %loop, label %end",
        "loop:",
        "  %p = phi i64 [0, %entry], [%p.next, %loop]",
        "  %a.p = phi ptr [%a, %entry], [%a.next, %loop]",
        "  %b.p = phi ptr [%b, %entry], [%b.next, %loop]",
        *(f"  %sum{i}.{j} = phi {vector} [zeroinitializer, %entry], [%new{i}.{j}, %loop]" for i, j in each),
    ]
    if rows <= _ALONE:
        lines.append(f"  %b.far = getelementptr {word}, ptr %b.p, i64 %far")
    for j in range(t.vectors):
        lines.append(f"  %b{j}.p = getelementptr {vector}, ptr %b.p, i64 {j}")
        lines.append(f"  %b{j} = load {vector}, ptr %b{j}.p, align {size}")
        if rows <= _ALONE:
            lines.append(f"  %ahead{j} = getelementptr {vector}, ptr %b.far, i64 {j}")
            lines.append(f"  call void @llvm.prefetch.p0(ptr %ahead{j}, i32 0, i32 3, i32 1)")
    for i in range(rows):
        lines.append(f"  %a{i}.p = getelementptr {word}, ptr %a.p, i64 {f'%step{i}' if i else 0}")
        lines.append(f"  %a{i} = load {word}, ptr %a{i}.p")
        lines.append(f"  %first{i} = insertelement {vector} poison, {word} %a{i}, i64 0")
        lines.append(
            f"  %all{i} = shufflevector {vector} %first{i}, {vector} poison, <{t.lanes} x i32> zeroinitializer"
        )
        lines += [
            f"  %new{i}.{j} = call {fma}({vector} %all{i}, {vector} %b{j}, {vector} %sum{i}.{j})"
            for j in range(t.vectors)
        ]
    lines += [
        f"  %a.next = getelementptr {word}, ptr %a.p, i64 %ca",
        f"  %b.next = getelementptr {word}, ptr %b.p, i64 %rb",
        "  %p.next = add nuw nsw i64 %p, 1",
        "  %more = icmp slt i64 %p.next, %k",
        "  br i1 %more, label %loop, label %end",
        "end:",
        *(f"  %r{i}.{j} = phi {vector} [zeroinitializer, %entry], [%new{i}.{j}, %loop]" for i, j in each),
    ]
    if pitch:
        lines += [f"  store {vector} %r{i}.{j}, ptr {at[i, j]}, align {size}" for i, j in each]
        return "\n".join([*lines, "  ret void", "}"])
    lines += ["  %adds = icmp ne i64 %add, 0", "  br i1 %adds, label %plus, label %only", "only:"]
    lines += [f"  store {vector} %r{i}.{j}, ptr {at[i, j]}, align {size}" for i, j in each]
    lines += ["  ret void", "plus:"]
    for i, j in each:
        lines.append(f"  %old{i}.{j} = load {vector}, ptr {at[i, j]}, align {size}")
        lines.append(f"  %whole{i}.{j} = fadd {vector} %old{i}.{j}, %r{i}.{j}")
        lines.append(f"  store {vector} %whole{i}.{j}, ptr {at[i, j]}, align {size}")
    return "\n".join([*lines, "  ret void", "}"])
