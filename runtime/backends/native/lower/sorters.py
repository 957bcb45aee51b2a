"""Sorting a row: by insertion where there is little, else digit by digit; the largest few by selection.

    ag_order_up_f32(row, step, n, keys, places, counts, out, pace, count)     the places of the elements in order, stable;
        the first `count` of them go to `out`, `pace` apart; `ag_order_down_f32` has the largest first
    ag_sort_f32(row, step, n, keys, null, counts, out, pace, n)     the elements in order
    ag_top_f32(row, step, n, k, best, where, out, pace)     the places of the k largest, the largest first

and the same for the other types. `keys` and `places` are memory for two rows each, of the keys' type and of int64; `counts`
is for 256 int64 for each byte of an element, if n > FEW. Each function is compiled once, by itself, and kept.

What is sorted are unsigned numbers in the order of the elements: NaN, which NumPy puts last, is the largest.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.processor import vector_bytes
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import LLVM, MEMORY, SIZE, is_float, is_signed
from runtime.backends.native.toolchain import WRITTEN

__all__ = ["FEW", "key_code", "symbol", "text"]

FEW = 40  # elements up to which insertion is fastest
_TOGETHER = 8  # counts that are added up in a turn
BLOCK = 64  # elements that are looked at together for one that belongs to the largest
_PREFIXES = ("ag_order_up_", "ag_order_down_", "ag_sort_", "ag_top_")


def key_code(code: str) -> str:
    """The type of the numbers that elements are sorted by."""
    return f"u{8 * SIZE[code]}"


class Keys:
    """Elements of a type as unsigned numbers in their order; `down` for the reverse order."""

    def __init__(self, flow: Flow, code: str, down: bool = False, signed_zero: bool = False) -> None:
        self.flow = flow
        self.element = code
        self.down = down
        self.signed_zero = signed_zero  # zeros of both signs are different
        self.code = f"u{8 * SIZE[code]}"
        self.word = LLVM[self.code]

    def of(self, x: Scalar) -> Scalar:
        """An element's number."""
        code, b, word = self.flow.code, self.flow.ops, self.word
        top = 1 << (8 * SIZE[self.element] - 1)
        if is_float(self.element):
            if not self.signed_zero:
                x = b.add(x, b.const(0.0, x))  # -0.0 becomes 0.0
            bits = code.op(f"bitcast {x} to {word}")
            sign = code.op(f"ashr {word} {bits}, {8 * SIZE[self.element] - 1}")
            key = code.op(f"xor {word} {bits}, {code.op(f'or {word} {sign}, {-top}')}")
            key = code.op(f"select i1 {b.isnan(x).reg}, {word} -1, {word} {key}")
        elif self.element == "b1":
            key = code.op(f"zext i1 {x.reg} to i8")
        else:
            key = code.op(f"xor {word} {x.reg}, {-top}") if is_signed(self.element) else str(x.reg)
        return Scalar(code.op(f"xor {word} {key}, -1") if self.down else key, self.code)

    def element_of(self, key: Scalar) -> Scalar:
        """The element of a number (made with `signed_zero`, upwards)."""
        code, word = self.flow.code, self.word
        top = 1 << (8 * SIZE[self.element] - 1)
        if is_float(self.element):
            sign = code.op(f"ashr {word} {key.reg}, {8 * SIZE[self.element] - 1}")
            flip = code.op(f"or {word} {code.op(f'xor {word} {sign}, -1')}, {-top}")
            bits = code.op(f"xor {word} {key.reg}, {flip}")
            return Scalar(code.op(f"bitcast {word} {bits} to {LLVM[self.element]}"), self.element)
        if self.element == "b1":
            return self.flow.ops.cast(key, "b1")
        return Scalar(code.op(f"xor {word} {key.reg}, {-top}") if is_signed(self.element) else key.reg, self.element)


class _Sorter:
    """Sorts a row in memory that the caller has: two rows of keys, of places if these are wanted, and counts."""

    def __init__(self, flow: Flow, keys: Keys, n: str, places: bool) -> None:
        self.flow = flow
        self.keys = keys
        self.n = n
        self.places = places  # whether the places of the elements are sorted along
        self.mine = self._two("%keys", keys.code)
        self.where = self._two("%places", "i64") if places else []
        self.digits = SIZE[keys.code]
        self.counts = Array("%counts", "i64", (256 * self.digits,), (1,), frozenset())

    def _two(self, ptr: str, code: str) -> list[Array]:
        second = self.flow.code.op(f"getelementptr {LLVM[code]}, ptr {ptr}, i64 {self.n}", "p")
        return [self._at(ptr, code), self._at(second, code)]

    def _at(self, ptr: str, code: str) -> Array:
        return Array(ptr, code, (self.n,), (1,), frozenset())

    def sort(self, row: Array) -> Array:
        """The keys of a row in order, or their places."""
        flow, code = self.flow, self.flow.code
        with flow.loop(self.n) as i:
            flow.write(self.mine[0], self.keys.of(flow.read(row, i)), i)
            if self.places:
                flow.write(self.where[0], Scalar(i, "i64"), i)
        now, now_where = code.alloca("ptr"), code.alloca("ptr")
        code.do(f"store ptr {self.mine[0].ptr}, ptr {now}")
        if self.places:
            code.do(f"store ptr {self.where[0].ptr}, ptr {now_where}")
        few = code.op(f"icmp sle i64 {self.n}, {FEW}")
        with flow.when(few):
            self._insert()
        with flow.when(code.op(f"xor i1 {few}, true")):
            self._by_digits(now, now_where)
        made, kind = (now_where, "i64") if self.places else (now, self.keys.code)
        return self._at(code.op(f"load ptr, ptr {made}"), kind)

    def _insert(self) -> None:
        """Each element moves down past the larger ones."""
        flow, keys, places = self.flow, self.mine[0], self.where[0] if self.places else None
        with flow.loop(self.n, 1) as i:
            place = None if places is None else flow.read(places, i)
            _put(flow, flow.read(keys, i), place, i, keys, places, flow.ops.greater)

    def _by_digits(self, now: str, now_where: str) -> None:
        """Stable passes over the digits, lowest first; digits that are all the same are passed over."""
        flow, code, n = self.flow, self.flow.code, self.n
        size = 8 * 256 * self.digits
        code.do(f"call void @llvm.memset.p0.i64(ptr {self.counts.ptr}, i8 0, i64 {size}, i1 false)")
        with flow.loop(n) as i:
            key = self._wide(flow.read(self.mine[0], i))
            for k in range(self.digits):
                digit = code.op(f"and i64 {code.op(f'lshr i64 {key}, {8 * k}')}, 255")
                self._count(code.op(f"add i64 {digit}, {256 * k}"))
        free = [code.alloca("ptr"), code.alloca("ptr")]
        code.do(f"store ptr {self.mine[1].ptr}, ptr {free[0]}")
        if self.places:
            code.do(f"store ptr {self.where[1].ptr}, ptr {free[1]}")
        with flow.loop(self.digits) as d:
            shift, base = code.op(f"mul i64 {d}, 8"), code.op(f"mul i64 {d}, 256")
            source = self._at(code.op(f"load ptr, ptr {now}"), self.keys.code)
            first = self._digit(flow.read(source, 0), shift, base)
            some = code.op(f"icmp ne i64 {flow.read(self.counts, first).reg}, {n}")
            with flow.when(some):
                total = flow.variable("i64", 0)
                with flow.loop(256 // _TOGETHER) as part:
                    first = code.op(f"add i64 {base}, {code.op(f'mul i64 {part}, {_TOGETHER}')}")
                    each = [code.add(first, k) for k in range(_TOGETHER)]
                    many = [flow.read(self.counts, at) for at in each]
                    for at, here in zip(each, many, strict=True):
                        flow.write(self.counts, Scalar(total.get(), "i64"), at)
                        total.add(here.reg)
                target = self._at(code.op(f"load ptr, ptr {free[0]}"), self.keys.code)
                if self.places:
                    places = self._at(code.op(f"load ptr, ptr {now_where}"), "i64")
                    new_places = self._at(code.op(f"load ptr, ptr {free[1]}"), "i64")
                with flow.loop(n) as i:
                    key_here = flow.read(source, i)
                    to = self._count(self._digit(key_here, shift, base))
                    flow.write(target, key_here, to)
                    if self.places:
                        flow.write(new_places, flow.read(places, i), to)
                code.do(f"store ptr {target.ptr}, ptr {now}")
                code.do(f"store ptr {source.ptr}, ptr {free[0]}")
                if self.places:
                    code.do(f"store ptr {new_places.ptr}, ptr {now_where}")
                    code.do(f"store ptr {places.ptr}, ptr {free[1]}")

    def _wide(self, key: Scalar) -> str:
        return str(self.flow.ops.cast(key, "u64").reg)

    def _digit(self, key: Scalar, shift: str, base: str) -> str:
        code = self.flow.code
        digit = code.op(f"and i64 {code.op(f'lshr i64 {self._wide(key)}, {shift}')}, 255")
        return code.op(f"add i64 {digit}, {base}")

    def _count(self, at: str) -> str:
        """One more at a counter; what it was."""
        before = self.flow.read(self.counts, at)
        self.flow.write(self.counts, Scalar(self.flow.code.op(f"add i64 {before.reg}, 1"), "i64"), at)
        return str(before.reg)


def _select(flow: Flow, row: Array, best: Array, where: Array, n: str, k: str) -> None:
    """The k largest of a row so far, in order; most blocks of elements have none of them and are passed over."""
    code = flow.code
    keys = Keys(flow, row.code)
    with flow.loop(code.at_most(n, k)) as i:  # they are taken as they come
        _put(flow, keys.of(flow.read(row, i)), Scalar(i, "i64"), i, best, where, flow.ops.less)
    last = code.op(f"sub nsw i64 {k}, 1")

    def look(start: str, end: str) -> None:
        with flow.loop(end, start) as i:
            key = keys.of(flow.read(row, i))
            with flow.when(str(flow.ops.greater(key, flow.read(best, last)).reg)):
                _put(flow, key, Scalar(i, "i64"), last, best, where, flow.ops.less)

    start = flow.variable("i64", k)
    with flow.when(code.op("icmp eq i64 %step, 1")), flow.repeat() as again:
        at = start.get()
        end = code.op(f"add nsw i64 {at}, {BLOCK}")
        again.leave_unless(code.op(f"icmp sle i64 {end}, {n}"))
        start.set(end)
        with flow.when(_may_have_larger(flow, row, at, keys.element_of(flow.read(best, last)))):
            look(at, end)
    look(start.get(), n)


def _may_have_larger(flow: Flow, row: Array, start: str, least: Scalar) -> str:
    """Whether a block of a row has an element above another one, or, where either is none, a NaN."""
    code, word = flow.code, MEMORY[row.code]
    lanes = min(vector_bytes() // SIZE[row.code], BLOCK)
    vector = f"<{lanes} x {word}>"
    if row.code == "b1":
        least = flow.ops.cast(least, "u8")
    first = code.op(f"insertelement {vector} poison, {word} {least.reg}, i32 0")
    limit = code.op(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")
    test = "fcmp ugt" if is_float(row.code) else f"icmp {'sgt' if is_signed(row.code) else 'ugt'}"
    found = ""
    for k in range(0, BLOCK, lanes):
        place = code.op(f"getelementptr {word}, ptr {row.ptr}, i64 {code.add(start, k)}", "p")
        x = code.op(f"load {vector}, ptr {place}, align {SIZE[row.code]}")
        above = code.op(f"{test} {vector} {x}, {limit}")
        found = code.op(f"or <{lanes} x i1> {found}, {above}") if found else above
    return code.op(f"icmp ne i{lanes} {code.op(f'bitcast <{lanes} x i1> {found} to i{lanes}')}, 0")


def _put(
    flow: Flow,
    key: Scalar,
    place: Scalar | None,
    count: Operand,
    keys: Array,
    places: Array | None,
    after: Callable[[Scalar, Scalar], Scalar],
) -> None:
    """Put a key, and its place if places are kept, among the first `count`, before those that come `after` it."""
    code = flow.code
    j = flow.variable("i64", count)
    with flow.repeat() as again:
        at = j.get()
        again.leave_unless(code.op(f"icmp sgt i64 {at}, 0"))
        before = code.op(f"sub i64 {at}, 1")
        other = flow.read(keys, before)
        again.leave_unless(str(after(other, key).reg))
        flow.write(keys, other, at)
        if places is not None:
            flow.write(places, flow.read(places, before), at)
        j.set(before)
    at = j.get()
    flow.write(keys, key, at)
    if places is not None and place is not None:
        flow.write(places, place, at)


def _copy(flow: Flow, places: Array, out: Array, count: str) -> None:
    code = flow.code
    dense = code.op(f"icmp eq i64 {out.strides[0]}, 1")
    with flow.when(dense):
        size = code.op(f"mul i64 {count}, 8")
        code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {out.ptr}, ptr {places.ptr}, i64 {size}, i1 false)")
    with flow.when(code.op(f"xor i1 {dense}, true")), flow.loop(count) as i:
        flow.write(out, flow.read(places, i), i)


def text(name: str) -> str:
    """The module of a function."""
    prefix = next(p for p in _PREFIXES if name.startswith(p))
    element = name.removeprefix(prefix)
    ctx = FunctionLowering(Module(), {})
    ctx.code.begin("start")
    flow = Flow(ctx, finished=True)
    row = Array("%row", element, ("%n",), ("%step",), frozenset())
    if prefix == "ag_top_":
        given = "ptr %row, i64 %step, i64 %n, i64 %k, ptr %best, ptr %where, ptr %out, i64 %pace"
        best = Array("%best", key_code(element), ("%k",), (1,), frozenset())
        made, count = Array("%where", "i64", ("%k",), (1,), frozenset()), "%k"
        _select(flow, row, best, made, "%n", "%k")
    else:
        given = "ptr %row, i64 %step, i64 %n, ptr %keys, ptr %places, ptr %counts, ptr %out, i64 %pace, i64 %count"
        ordered = prefix != "ag_sort_"
        keys = Keys(flow, element, prefix == "ag_order_down_", signed_zero=not ordered)
        made, count = _Sorter(flow, keys, "%n", ordered).sort(row), "%count"
    out = Array("%out", element if prefix == "ag_sort_" else "i64", (count,), ("%pace",), frozenset())
    if prefix == "ag_sort_":
        with flow.loop(count) as i:
            flow.write(out, keys.element_of(flow.read(made, i)), i)
    else:
        _copy(flow, made, out, count)
    lines = [*ctx.code.prologue, "  br label %start", *ctx.code.lines, "  ret void"]
    return "\n".join(
        [WRITTEN, *ctx.module.declared, f"define void @{name}({given}) {{", "entry:", *lines, "}", *ctx.module.metadata, ""]
    )


symbol = kept(text)
