"""Pooling of pictures and its gradients, in vectors over channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower import pooled as pooled_rows
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.kernels import Kernel
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.pooled import UNROLLED
from runtime.backends.native.lower.rules.convolution import Windows, same_sizes, windows
from runtime.backends.native.lower.sweeps import grain_of, split
from runtime.backends.native.lower.types import code_of, is_float
from runtime.ir.graph import Node, Value

__all__: list[str] = []



class _Pool:
    """A kernel over pictures, the results of their windows, and the vectors of channels there.

    Args:
      ctx: the function being lowered.
      node: whose attributes say what the windows are.
      pictures: what the windows lie on.
    """

    def __init__(self, ctx: FunctionLowering, node: Node, pictures: Value) -> None:
        self.ctx = ctx
        self.window = node.attrs["window"]
        self.strides = node.attrs["strides"]
        sizes = ctx.sizes(pictures)
        if len(sizes) != 4 or not isinstance(sizes[3], int):
            raise Unsupported([("channels whose number only the run knows", None)])
        self.sizes = sizes
        self.channels = sizes[3]
        self.code = code_of(ctx.type(pictures).dtype)
        if self.code == "b1":
            raise Unsupported([("truth values", None)])
        self.lie: Windows = windows(ctx, sizes[1:3], self.window, self.strides, (1, 1), node.attrs["padding"])
        self.pooled = (sizes[0], *self.lie.number, self.channels)
        self.kernel = Kernel(ctx, self.code)
        self.buffers: frozenset[Any] = frozenset()
        self.places = self.window[0] * self.window[1]

    def read(self, value: Value, sizes: tuple[Operand, ...]) -> str:
        """A value in memory, inside the kernel."""
        if code_of(self.ctx.type(value).dtype) != self.code:
            raise Unsupported([("numbers of several types", None)])
        same_sizes(self.ctx, self.ctx.sizes(value), sizes)
        return self._inside(self.ctx.contiguous(value))

    def made(self, value: Value, sizes: tuple[Operand, ...]) -> str:
        """Memory for the result, inside the kernel."""
        out = self.ctx.allocate(self.code, sizes, value)
        self.ctx.define(value, self.ctx.dense(out))
        return self._inside(out)

    def _inside(self, array: Array) -> str:
        self.buffers |= array.buffers
        return self.kernel.pointer(array.ptr, array.offset)

    def tasks(self, whole: tuple[Operand, ...], work: int) -> Iterator[Operand]:
        """The index of a task, in the kernel; afterwards it is called for each of `whole`."""
        self.ctx.big = True
        self.ctx.memory.touch(self.buffers)
        with self.kernel.loop("%lo", "%hi") as task:
            yield task
        code = self.ctx.code
        each = code.mul(code.product(self.sizes), work)
        tasks = code.product(whole)
        if isinstance(each, int) and isinstance(tasks, int):
            each //= max(tasks, 1)
        self.kernel.launch(tasks, grain_of(each))
        self.ctx.memory.touch(self.buffers)

    def parted(self, task: Operand, by: Operand) -> tuple[Operand, Operand]:
        """(picture, row) of a task."""
        code = self.kernel.code
        by = self.kernel.take(by)
        return (task, 0) if by == 1 else (code.op(f"udiv i64 {task}, {by}"), code.op(f"urem i64 {task}, {by}"))

    def at(self, ptr: str, sizes: tuple[Operand, ...], *index: Operand) -> str:
        """The place of an index in an array."""
        code = self.kernel.code
        strides = code.strides(tuple(self.kernel.take(n) for n in sizes))
        offset: Operand = 0
        for i, stride in zip(index, strides, strict=False):
            offset = code.add(offset, code.mul(i, stride))
        return self.kernel.at(ptr, offset)

    def vectors(self) -> Iterator[tuple[Operand, int]]:
        """(first channel, how many) of every vector."""
        lanes = self.kernel.lanes
        for first, end in split(self.channels, lanes):
            with self.kernel.loop(first, end) as b:
                yield self.kernel.code.mul(b, lanes), min(self.channels - first * lanes, lanes)

    def range(self, axis: int, place: Operand) -> tuple[Operand, Operand, Operand]:
        """(place of the picture where a window begins, its first row inside, the end of its rows inside), along an axis."""
        code = self.kernel.code
        start = code.sub(code.mul(place, self.strides[axis]), self.kernel.take(self.lie.before[axis]))
        if self.lie.inside:
            return start, 0, self.window[axis]
        first = code.at_least(code.sub(0, start), 0)
        end = code.at_most(code.sub(self.kernel.take(self.sizes[1 + axis]), start), self.window[axis])
        return start, first, end

    def window_of(self, ranges: list[tuple[Operand, Operand, Operand]], body: Callable[[Operand, Operand], None]) -> None:
        """Instructions for the rows and columns of the picture that a window sees, in order."""
        code = self.kernel.code
        (top, *rows), (left, *columns) = ranges
        if self.lie.inside and self.places <= UNROLLED:
            for u in range(self.window[0]):
                for v in range(self.window[1]):
                    body(code.add(top, u), code.add(left, v))
            return
        with self.kernel.loop(rows[0], rows[1]) as i, self.kernel.loop(columns[0], columns[1]) as j:
            body(code.add(top, i), code.add(left, j))

    def each_window(self, work: int, whole_pictures: bool = False) -> Iterator[tuple[Operand, Operand, Operand, list[Any]]]:
        """(picture, row, column, ranges) of every window."""
        kernel, count = self.kernel, self.lie.number
        tasks = (self.sizes[0],) if whole_pictures else (self.sizes[0], count[0])
        for task in self.tasks(tasks, work):
            picture, row = (task, 0) if whole_pictures else self.parted(task, count[0])
            with kernel.loop(0, kernel.take(count[0]) if whole_pictures else 1) as y:
                at = y if whole_pictures else row
                with kernel.loop(0, kernel.take(count[1])) as x:
                    yield picture, at, x, [self.range(0, at), self.range(1, x)]

    # Arithmetic of vectors

    def equal(self, a: str, b: str) -> str:
        """Where two are equal."""
        return self.kernel.op("fcmp oeq" if is_float(self.code) else "icmp eq", a, b)

    def select(self, where: str, a: str, b: str) -> str:
        """One of two."""
        v, lanes = self.kernel.vector, self.kernel.lanes
        return self.kernel.code.op(f"select <{lanes} x i1> {where}, {v} {a}, {v} {b}")

    def divided(self, x: str, by: Operand) -> str:
        """A vector by a count."""
        if isinstance(by, int):
            return self.kernel.op("fdiv", x, self.kernel.constant(by))
        number = self.kernel.code.op(f"sitofp i64 {by} to {self.kernel.word}")
        return self.kernel.op("fdiv", x, self.kernel.spread(number))


@rule("max_pool2d", "avg_pool2d")
def pooled(ctx: FunctionLowering, node: Node) -> None:
    """The largest number, or the mean, of every window."""
    pool = _Pool(ctx, node, node.inputs[0])
    mean = node.op.name == "avg_pool2d"
    x = pool.read(node.inputs[0], pool.sizes)
    out = pool.made(node.outputs[0], pool.pooled)
    kernel = pool.kernel
    if pool.lie.inside:
        _in_rows(pool, "mean" if mean else "max", x, out)
        return
    (total,) = kernel.variables(1)
    for n, i, j, ranges in pool.each_window(2):
        source, target = pool.at(x, pool.sizes, n), pool.at(out, pool.pooled, n, i, j)
        for c, width in pool.vectors():
            kernel.set(total, pool.kernel.constant(0) if mean else pooled_rows.least(kernel))

            def add(row: Operand, column: Operand, source: str = source, c: Operand = c, width: int = width) -> None:
                seen = kernel.load(pool.at(source, pool.sizes[1:], row, column, c), width)
                so_far = kernel.get(total)
                kernel.set(total, pool.kernel.op("fadd", so_far, seen) if mean else pool.kernel.larger(so_far, seen))

            pool.window_of(ranges, add)
            found = kernel.get(total)
            if mean:
                found = pool.divided(found, _area(pool, ranges))
            kernel.store(kernel.at(target, c), found, width)


def _in_rows(pool: _Pool, how: str, x: str, out: str) -> None:
    """Windows that lie inside: a row of them by a function that is kept."""
    kernel, count, channels = pool.kernel, pool.lie.number, pool.channels
    steps = kernel.code.mul(kernel.take(pool.sizes[2]), channels), pool.strides[1] * channels
    for task in pool.tasks((pool.sizes[0], count[0]), 2):
        picture, row = pool.parted(task, count[0])
        place = kernel.code.mul(row, pool.strides[0])
        source, target = pool.at(x, pool.sizes, picture, place), pool.at(out, pool.pooled, picture, row)
        pooled_rows.call(kernel, how, pool.window, source, target, steps, channels, kernel.take(count[1]))


def _area(pool: _Pool, ranges: list[tuple[Operand, Operand, Operand]]) -> Operand:
    """How many places of a window lie inside the picture."""
    code = pool.kernel.code
    (_, top, bottom), (_, left, right) = ranges
    return code.mul(code.at_least(code.sub(bottom, top), 0), code.at_least(code.sub(right, left), 0))


@rule("max_pool2d_grad")
def max_pool2d_grad(ctx: FunctionLowering, node: Node) -> None:
    """The cotangent of every window, at its first largest number."""
    dy, x, y = node.inputs
    pool = _Pool(ctx, node, x)
    kernel = pool.kernel
    given, seen, largest = pool.read(dy, pool.pooled), pool.read(x, pool.sizes), pool.read(y, pool.pooled)
    out = pool.made(node.outputs[0], pool.sizes)
    apart = all(s >= w for s, w in zip(pool.strides, pool.window, strict=True))
    tiled = pool.lie.inside and all(
        isinstance(n, int) and s == w and n % s == 0
        for n, s, w in zip(pool.sizes[1:3], pool.strides, pool.window, strict=True)
    )
    (left,) = kernel.variables(1)
    size = kernel.code.product(tuple(kernel.take(n) for n in pool.sizes[1:]))
    for task in pool.tasks((pool.sizes[0],), 3):
        source, target = pool.at(seen, pool.sizes, task), pool.at(out, pool.sizes, task)
        if not tiled:
            kernel.clear(target, size)
        with kernel.loop(0, kernel.take(pool.lie.number[0])) as i, kernel.loop(0, kernel.take(pool.lie.number[1])) as j:
            ranges = [pool.range(0, i), pool.range(1, j)]
            for c, width in pool.vectors():
                best = kernel.load(pool.at(largest, pool.pooled, task, i, j, c), width)
                kernel.set(left, kernel.load(pool.at(given, pool.pooled, task, i, j, c), width))

                def add(
                    row: Operand, column: Operand, c: Operand = c, width: int = width, best: str = best,
                    source: str = source, target: str = target,
                ) -> None:  # fmt: skip
                    here = pool.equal(kernel.load(pool.at(source, pool.sizes[1:], row, column, c), width), best)
                    rest, zero = kernel.get(left), pool.kernel.constant(0)
                    mine = pool.select(here, rest, zero)
                    kernel.set(left, pool.select(here, zero, rest))
                    place = pool.at(target, pool.sizes[1:], row, column, c)
                    if not apart:
                        add = "fadd" if is_float(pool.code) else "add"
                        mine = pool.kernel.op(add, kernel.load(place, width), mine)
                    kernel.store(place, mine, width)

                pool.window_of(ranges, add)


@rule("max_pool2d_pick")
def max_pool2d_pick(ctx: FunctionLowering, node: Node) -> None:
    """What stands where every window's first largest number is."""
    v, x, y = node.inputs
    pool = _Pool(ctx, node, x)
    kernel, code = pool.kernel, pool.kernel.code
    given, seen, largest = pool.read(v, pool.sizes), pool.read(x, pool.sizes), pool.read(y, pool.pooled)
    out = pool.made(node.outputs[0], pool.pooled)
    found, open_ = kernel.variables(2)
    truth = f"<{kernel.lanes} x i1>"
    for n, i, j, ranges in pool.each_window(3):
        source, values = pool.at(seen, pool.sizes, n), pool.at(given, pool.sizes, n)
        for c, width in pool.vectors():
            best = kernel.load(pool.at(largest, pool.pooled, n, i, j, c), width)
            kernel.set(found, pool.kernel.constant(0))
            kernel.set(open_, pool.kernel.constant(1))

            def look(
                row: Operand, column: Operand, c: Operand = c, width: int = width, best: str = best,
                source: str = source, values: str = values,
            ) -> None:  # fmt: skip
                same = pool.equal(kernel.load(pool.at(source, pool.sizes[1:], row, column, c), width), best)
                still = kernel.get(open_)
                here = code.op(f"and {truth} {same}, {pool.equal(still, pool.kernel.constant(1))}")
                value = kernel.load(pool.at(values, pool.sizes[1:], row, column, c), width)
                kernel.set(found, pool.select(here, value, kernel.get(found)))
                kernel.set(open_, pool.select(here, pool.kernel.constant(0), still))

            pool.window_of(ranges, look)
            kernel.store(pool.at(out, pool.pooled, n, i, j, c), kernel.get(found), width)


@rule("avg_pool2d_grad")
def avg_pool2d_grad(ctx: FunctionLowering, node: Node) -> None:
    """For every place, its share of the cotangents of the windows that see it."""
    dy, x = node.inputs
    pool = _Pool(ctx, node, x)
    kernel, code = pool.kernel, pool.kernel.code
    given = pool.read(dy, pool.pooled)
    out = pool.made(node.outputs[0], pool.sizes)
    (total,) = kernel.variables(1)
    rows, columns = (kernel.take(n) for n in pool.lie.number)
    overlap = -(-pool.window[0] // pool.strides[0]) * -(-pool.window[1] // pool.strides[1])
    for task in pool.tasks((pool.sizes[0], pool.sizes[1]), overlap):
        n, h = pool.parted(task, pool.sizes[1])
        with kernel.loop(0, kernel.take(pool.sizes[2])) as w:
            down, right = _seen_by(pool, 0, h, rows), _seen_by(pool, 1, w, columns)
            for c, width in pool.vectors():
                kernel.set(total, pool.kernel.constant(0))
                with kernel.loop(*down) as i, kernel.loop(*right) as j:
                    share = kernel.load(pool.at(given, pool.pooled, n, i, j, c), width)
                    if not pool.lie.inside:
                        share = pool.divided(share, _area(pool, [pool.range(0, i), pool.range(1, j)]))
                    kernel.set(total, pool.kernel.op("fadd", kernel.get(total), share))
                found = kernel.get(total)
                if pool.lie.inside:
                    found = pool.divided(found, pool.places)
                kernel.store(pool.at(out, pool.sizes, n, h, w, c), found, width)
    del code


def _seen_by(pool: _Pool, axis: int, place: Operand, count: Operand) -> tuple[Operand, Operand]:
    """(first, end) of the windows that see a place along an axis."""
    code, stride = pool.kernel.code, pool.strides[axis]
    at = code.add(place, pool.kernel.take(pool.lie.before[axis]))
    first = code.at_least(code.add(at, stride - pool.window[axis]), 0)
    last = at
    if stride > 1:
        first, last = _quotient(pool, first, stride), _quotient(pool, at, stride)
    return first, code.at_most(code.add(last, 1), count)


def _quotient(pool: _Pool, a: Operand, b: int) -> Operand:
    return a // b if isinstance(a, int) else pool.kernel.code.op(f"udiv i64 {a}, {b}")
