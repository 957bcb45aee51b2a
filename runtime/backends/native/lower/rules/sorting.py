"""Sorting: by insertion where there is little, else digit by digit; the largest few by selection.

What is sorted are unsigned numbers in the order of the elements: NaN, which NumPy puts last, is the largest.
"""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import LLVM, SIZE, is_float, is_signed
from runtime.ir.graph import Node
from runtime.ops.kinds import normalize_axis

__all__ = ["sorted_row"]

FEW = 40  # elements up to which insertion is fastest
LARGE_ROW = 2048  # elements from which on NumPy's sort, which uses vector instructions, wins over a crossing to Python
SELECTED = 64  # the most that are selected rather than sorted
BLOCK = 64  # elements that are looked at together for one that belongs to the largest


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


class Sorter:
    """Sorts rows of up to n elements; the memory it works in is used again for each row."""

    def __init__(self, flow: Flow, keys: Keys, n: Operand, places: bool) -> None:
        self.flow = flow
        self.keys = keys
        self.n = n
        self.places = places  # whether the places of the elements are sorted along
        ctx = flow.ctx
        self.mine = [ctx.allocate(keys.code, (n,)), ctx.allocate(keys.code, (n,))]
        self.where = [ctx.allocate("i64", (n,)), ctx.allocate("i64", (n,))] if places else []
        self.digits = SIZE[keys.code]
        self.counts = ctx.allocate("i64", (256 * self.digits,))
        flow.touch(*self.mine, *self.where, self.counts)

    def sort(self, row: Array) -> tuple[Array, Array | None]:
        """The keys of a row in order, and their places."""
        flow, code = self.flow, self.flow.code
        flow.touch(row, *self.mine, *self.where, self.counts)
        with flow.loop(self.n) as i:
            flow.write(self.mine[0], self.keys.of(flow.read(row, i)), i)
            if self.places:
                flow.write(self.where[0], Scalar(i, "i64"), i)
        now = code.alloca("ptr")
        now_where = code.alloca("ptr")
        code.do(f"store ptr {self.mine[0].ptr}, ptr {now}")
        if self.places:
            code.do(f"store ptr {self.where[0].ptr}, ptr {now_where}")
        if isinstance(self.n, int):
            if self.n <= FEW:
                self._insert()
            else:
                self._by_digits(now, now_where)
        else:
            few = code.op(f"icmp sle i64 {self.n}, {FEW}")
            with flow.when(few):
                self._insert()
            with flow.when(code.op(f"xor i1 {few}, true")):
                self._by_digits(now, now_where)
        flow.touch(*self.mine, *self.where, self.counts)
        made = self._at(code.op(f"load ptr, ptr {now}"), self.mine)
        return made, self._at(code.op(f"load ptr, ptr {now_where}"), self.where) if self.places else None

    def _at(self, ptr: str, arrays: list[Array]) -> Array:
        return Array(ptr, arrays[0].code, (self.n,), (1,), arrays[0].buffers | arrays[1].buffers)

    def _insert(self) -> None:
        """Each element moves down past the larger ones."""
        flow, code, b = self.flow, self.flow.code, self.flow.ops
        keys = self.mine[0]
        with flow.loop(self.n, 1) as i:
            key = flow.read(keys, i)
            place = flow.read(self.where[0], i) if self.places else None
            j = flow.variable("i64", i)
            with flow.repeat() as again:
                at = j.get()
                again.leave_unless(code.op(f"icmp sgt i64 {at}, 0"))
                below = code.op(f"sub i64 {at}, 1")
                other = flow.read(keys, below)
                again.leave_unless(str(b.greater(other, key).reg))
                flow.write(keys, other, at)
                if self.places:
                    flow.write(self.where[0], flow.read(self.where[0], below), at)
                j.set(below)
            at = j.get()
            flow.write(keys, key, at)
            if place is not None:
                flow.write(self.where[0], place, at)

    def _by_digits(self, now: str, now_where: str) -> None:
        """Stable passes over the digits, lowest first; digits that are all the same are passed over."""
        flow, code, n = self.flow, self.flow.code, self.n
        with flow.loop(256 * self.digits) as i:
            flow.write(self.counts, Scalar("0", "i64"), i)
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
            source = self._at(code.op(f"load ptr, ptr {now}"), self.mine)
            first = self._digit(flow.read(source, 0), shift, base)
            some = code.op(f"icmp ne i64 {flow.read(self.counts, first).reg}, {n}")
            with flow.when(some):
                total = flow.variable("i64", 0)
                with flow.loop(256) as counter:
                    at = code.op(f"add i64 {base}, {counter}")
                    mine = flow.read(self.counts, at)
                    flow.write(self.counts, Scalar(total.get(), "i64"), at)
                    total.add(mine.reg)
                target = self._at(code.op(f"load ptr, ptr {free[0]}"), self.mine)
                if self.places:
                    places = self._at(code.op(f"load ptr, ptr {now_where}"), self.where)
                    new_places = self._at(code.op(f"load ptr, ptr {free[1]}"), self.where)
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


def sorted_row(flow: Flow, row: Array, down: bool) -> Array:
    """The places of a row's elements in order."""
    _, places = Sorter(flow, Keys(flow, row.code, down), row.sizes[0], True).sort(row)
    assert places is not None
    return places


def _others(sizes: tuple[Operand, ...], axis: int) -> tuple[Operand, ...]:
    return (*sizes[:axis], *sizes[axis + 1 :])


@rule("sort_order")
def sort_order(ctx: FunctionLowering, node: Node) -> None:
    """The indices that sort along an axis, stable."""
    array = ctx.array(node.inputs[0])
    axis = normalize_axis(node.attrs["axis"], len(array.sizes))
    _orders(ctx, node, array, axis, array.sizes[axis], bool(node.attrs["descending"]))


def _orders(ctx: FunctionLowering, node: Node, array: Array, axis: int, count: Operand, down: bool) -> None:
    """The places of the first elements in order, along an axis."""
    flow = Flow(ctx)
    sizes = (*array.sizes[:axis], count, *array.sizes[axis + 1 :])
    out = ctx.allocate("i64", sizes, node.outputs[0])
    sorter = Sorter(flow, Keys(flow, array.code, down), array.sizes[axis], True)
    flow.touch(array, out)
    with flow.loops(_others(array.sizes, axis)) as index:
        _, places = sorter.sort(flow.row(array, axis, index))
        assert places is not None
        target = flow.row(out, axis, index)
        with flow.loop(count) as i:
            flow.write(target, flow.read(places, i), i)
    flow.touch(array, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("sort_along")
def sort_along(ctx: FunctionLowering, node: Node) -> None:
    """The elements in order along an axis."""
    sizes = ctx.sizes(node.inputs[0])
    axis = normalize_axis(node.attrs["axis"], len(sizes))
    n = sizes[axis]
    if isinstance(n, int) and n >= LARGE_ROW:
        raise Unsupported([("of long rows", None)])
    array = ctx.array(node.inputs[0])
    flow = Flow(ctx, as_loops=True)
    out = ctx.allocate(array.code, sizes, node.outputs[0])
    keys = Keys(flow, array.code, signed_zero=True)
    sorter = Sorter(flow, keys, n, False)
    flow.touch(array, out)
    with flow.loops(_others(sizes, axis)) as index:
        made, _ = sorter.sort(flow.row(array, axis, index))
        target = flow.row(out, axis, index)
        with flow.loop(n) as i:
            flow.write(target, keys.element_of(flow.read(made, i)), i)
    flow.touch(array, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("top_order")
def top_order(ctx: FunctionLowering, node: Node) -> None:
    """The indices of the k largest along the last axis, the largest first."""
    array = ctx.array(node.inputs[0])
    n, k = array.sizes[-1], int(node.attrs["k"])
    axis = len(array.sizes) - 1
    count = k
    if not isinstance(n, int):
        ctx.code.require(ctx.code.op(f"icmp sge i64 {n}, {k}"), ctx.failure)
    if k == 0 or k > SELECTED:
        _orders(ctx, node, array, axis, count, True)
        return
    flow = Flow(ctx)
    out = ctx.allocate("i64", (*array.sizes[:-1], count), node.outputs[0])
    best = ctx.allocate(Keys(flow, array.code).code, (k,))
    where = ctx.allocate("i64", (k,))
    flow.touch(array, out, best, where)
    with flow.loops(array.sizes[:-1]) as index:
        _select(flow, flow.row(array, axis, index), best, where, k)
        target = flow.row(out, axis, index)
        with flow.loop(count) as i:
            flow.write(target, flow.read(where, i), i)
    flow.touch(array, out, best, where)
    ctx.define(node.outputs[0], ctx.dense(out))


def _select(flow: Flow, row: Array, best: Array, where: Array, k: int) -> None:
    """The k largest of a row so far, in order; most blocks of elements have none of them and are passed over."""
    code, n = flow.code, row.sizes[0]
    keys = Keys(flow, row.code)
    full = code.at_most(n, k)  # as many are taken as they come
    with flow.loop(full) as i:
        _place(flow, keys.of(flow.read(row, i)), i, best, where, i)
    last = k - 1

    def look(i: str) -> None:
        key = keys.of(flow.read(row, i))
        with flow.when(str(flow.ops.greater(key, flow.read(best, last)).reg)):
            _place(flow, key, i, best, where, last)

    if isinstance(n, int) and n < 4 * BLOCK:
        with flow.loop(n, full) as i:
            look(i)
        return
    blocks = code.op(f"sdiv i64 {code.at_least(code.sub(n, full), 0)}, {BLOCK}")
    with flow.loop(blocks) as block:
        start = code.op(f"add i64 {full}, {code.op(f'mul i64 {block}, {BLOCK}')}")
        least = flow.read(best, last)
        some = flow.variable("b1", "false")
        with flow.loop(BLOCK) as j:
            above = flow.ops.greater(keys.of(flow.read(row, code.op(f"add nsw i64 {start}, {j}"))), least)
            some.set(code.op(f"or i1 {some.get()}, {above.reg}"))
        with flow.when(some.get()), flow.loop(BLOCK) as j:
            look(code.op(f"add nsw i64 {start}, {j}"))
    rest = code.op(f"add i64 {full}, {code.op(f'mul i64 {blocks}, {BLOCK}')}")
    with flow.loop(n, rest) as i:
        look(i)


def _place(flow: Flow, key: Scalar, i: str, best: Array, where: Array, count: Operand) -> None:
    """Put a key among the first `count`, which are in order, after those that are not smaller."""
    code, b = flow.code, flow.ops
    j = flow.variable("i64", count)
    with flow.repeat() as again:
        at = j.get()
        again.leave_unless(code.op(f"icmp sgt i64 {at}, 0"))
        before = code.op(f"sub i64 {at}, 1")
        other = flow.read(best, before)
        again.leave_unless(str(b.less(other, key).reg))
        flow.write(best, other, at)
        flow.write(where, flow.read(where, before), at)
        j.set(before)
    flow.write(best, key, j.get())
    flow.write(where, Scalar(i, "i64"), j.get())
