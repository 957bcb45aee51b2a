"""Random numbers: the words of Philox in native code, and what is made of them in loops (as ops/sampling.py does)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Load, Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.arrays import sizes_of
from runtime.backends.native.lower.rules.sorting import sorted_row
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of, literal
from runtime.ir.graph import Node, Value

__all__: list[str] = []

_CHEAP, _DEAR = 3, 60  # costs of elements
SHORT = 4096  # of an order: more are sorted by keys of 64 bits, and by NumPy


def _state(ctx: FunctionLowering, value: Value) -> tuple[Operand, Operand]:
    """Key and number of the draw."""
    flow, state = Flow(ctx), ctx.array(value)
    flow.touch(state)
    return flow.read(state, 0).reg, flow.read(state, 1).reg


class _Words:
    """The words of one draw: registers where one number is asked for, memory where there are more."""

    def __init__(self, ctx: FunctionLowering, state: Value, sizes: tuple[Operand, ...], count: Operand, size: int) -> None:
        """`count` words of `size` bytes."""
        self.ctx = ctx
        self.code = f"u{8 * size}"
        key, draw = _state(ctx, state)
        code = ctx.code
        each = 16 // size
        if not sizes:
            block = code.op(f"call <4 x i32> @ag_philox(i64 {key}, i64 {draw}, i32 0)")
            self.parts: str | None = code.op(f"bitcast <4 x i32> {block} to <{each} x i{8 * size}>")
            return
        self.parts = None
        blocks = code.parts(count, each)
        self.memory = ctx.allocate("u32", (blocks, 4))
        ctx.memory.touch(self.memory.buffers)
        code.do(f"call void @ag_philox_words(ptr {self.memory.ptr}, i64 {blocks}, i64 {key}, i64 {draw})")

    def register(self, k: int) -> Scalar:
        """The k-th word of the first block."""
        width = self.code[1:]
        return Scalar(self.ctx.code.op(f"extractelement <{128 // int(width)} x i{width}> {self.parts}, i32 {k}"), self.code)

    def elements(self, strides: tuple[Operand, ...], offset: Operand = 0) -> Load:
        """Words by index."""
        return Load(self.memory.ptr, self.code, offset, strides, self.memory.buffers)


def _uniform(ctx: FunctionLowering, kind: str) -> Callable[[Scalar], Scalar]:
    """A word -> a number in [0, 1): 24 bits of 32, or 53 of 64."""
    b = ctx.ops
    shift, scale, signed = (8, 2.0**-24, "i32") if kind == "f32" else (11, 2.0**-53, "i64")

    def of(word: Scalar) -> Scalar:
        bits = b.right_shift(word, Scalar(literal(shift, word.code), word.code))
        number = b.cast(Scalar(bits.reg, signed), kind)  # its uppermost bits are 0
        return b.multiply(number, Scalar(literal(scale, kind), kind))

    return of


def _drawn(node: Node) -> tuple[str, int]:
    kind = code_of(node.attrs["dtype"])
    if kind not in ("f32", "f64"):
        raise Unsupported([(f"random numbers of {node.attrs['dtype'].name}", None)])
    return kind, int(kind[1:]) // 8


@rule("random_next")
def random_next(ctx: FunctionLowering, node: Node) -> None:
    """The state of the next draw."""
    flow = Flow(ctx)
    key, draw = _state(ctx, node.inputs[0])
    out = ctx.allocate("i64", (2,), node.outputs[0])
    flow.touch(out)
    after = ctx.code.op(f"add i64 {draw}, {node.attrs['count']}")
    flow.write(out, Scalar(key, "i64"), 0)
    flow.write(out, Scalar(after, "i64"), 1)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("random_uniform", fused=True)
def random_uniform(ctx: FunctionLowering, node: Node) -> None:
    """Numbers in [0, 1)."""
    state, *more = node.inputs
    kind, size = _drawn(node)
    sizes = sizes_of(ctx, node.attrs["shape"], more)
    words = _Words(ctx, state, sizes, ctx.code.product(sizes), size)
    of = _uniform(ctx, kind)
    if not sizes:
        ctx.define(node.outputs[0], of(words.register(0)))
        return
    ctx.defer(node.outputs[0], Map(of, kind, (words.elements(ctx.code.strides(sizes)),), _CHEAP), sizes, (), _CHEAP)


@rule("random_normal")
def random_normal(ctx: FunctionLowering, node: Node) -> None:
    """Standard normal numbers, by Box and Muller: two of each radius and angle."""
    state, *more = node.inputs
    kind, size = _drawn(node)
    b, code = ctx.ops, ctx.code
    sizes = sizes_of(ctx, node.attrs["shape"], more)
    half = code.parts(code.product(sizes), 2)
    words = _Words(ctx, state, sizes, code.mul(half, 2), size)
    of = _uniform(ctx, kind)
    one, minus_two, turn = (Scalar(literal(x, kind), kind) for x in (1.0, -2.0, np.dtype(f"f{size}").type(2 * math.pi)))

    def radius(word: Scalar) -> Scalar:
        return b.sqrt(b.multiply(minus_two, b.math("log", b.subtract(one, of(word)))))

    def angle(word: Scalar) -> Scalar:
        return b.multiply(of(word), turn)

    if not sizes:
        drawn = b.multiply(radius(words.register(0)), b.math("cos", angle(words.register(1))))
        ctx.define(node.outputs[0], drawn)
        return
    out = ctx.allocate(kind, (half, 2), None)
    far = Map(radius, kind, (words.elements((1,)),), _DEAR)
    turned = Map(angle, kind, (words.elements((1,), half),), _CHEAP)
    for k, name in enumerate(("cos", "sin")):
        every_second = Array(out.ptr, kind, (half,), (2,), out.buffers, code.add(out.offset, k))
        ctx.fill(every_second, Map(_along(b, name), kind, (far, turned), _DEAR))
    drawn_array = Array(out.ptr, kind, sizes, code.strides(sizes), out.buffers, out.offset)
    ctx.define(node.outputs[0], ctx.dense(drawn_array))


def _along(b: Any, name: str) -> Callable[[Scalar, Scalar], Scalar]:
    return lambda far, turned: b.multiply(far, b.math(name, turned))


@rule("random_integers", fused=True)
def random_integers(ctx: FunctionLowering, node: Node) -> None:
    """Integers in [low, high), both known."""
    state, low, high, *more = node.inputs
    first, end = _known(low), _known(high)
    if first is None or end is None or not 0 < end - first < 2**63:
        raise Unsupported([("random integers between limits that only the run knows", None)])
    span = end - first
    b, kind = ctx.ops, code_of(node.attrs["dtype"])
    sizes = sizes_of(ctx, node.attrs["shape"], more)
    short = span < 2**20
    words = _Words(ctx, state, sizes, ctx.code.product(sizes), 4 if short else 8)
    wide = lambda n: Scalar(literal(n, "u64"), "u64")

    def of(word: Scalar) -> Scalar:
        if short:
            drawn = b.right_shift(b.multiply(b.cast(word, "u64"), wide(span)), wide(32))
        else:
            drawn = Scalar(ctx.code.op(f"urem i64 {word.reg}, {span}"), "u64")
        return b.cast(Scalar(b.add(drawn, wide(first % 2**64)).reg, "i64"), kind)

    if not sizes:
        ctx.define(node.outputs[0], of(words.register(0)))
        return
    ctx.defer(node.outputs[0], Map(of, kind, (words.elements(ctx.code.strides(sizes)),), _CHEAP), sizes, (), _CHEAP)


def _known(value: Value) -> int | None:
    node = value.node
    known = node.attrs["value"] if node is not None and node.op.name == "constant" else None
    return int(known) if isinstance(known, (int, np.integer)) else None


@rule("random_state")
def random_state(ctx: FunctionLowering, node: Node) -> None:
    """The state that a seed stands for, by steps of SplitMix64."""
    [seed] = node.inputs
    sizes = ctx.sizes(seed)
    if not all(isinstance(n, int) for n in sizes) or len(sizes) != 1:
        raise Unsupported([("a seed that is no vector of a known length", None)])
    flow, code = Flow(ctx), ctx.code
    array, out = ctx.array(seed), ctx.allocate("i64", (2,), node.outputs[0])
    flow.touch(array, out)
    z: Operand = 0
    for k in range(int(sizes[0])):
        part = ctx.ops.cast(flow.read(array, k), "i64").reg
        z = code.op(f"add i64 {code.op(f'add i64 {z}, {part}')}, {_signed(0x9E3779B97F4A7C15)}")
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, None)):
            z = code.op(f"xor i64 {z}, {code.op(f'lshr i64 {z}, {shift}')}")
            if factor is not None:
                z = code.op(f"mul i64 {z}, {_signed(factor)}")
    flow.write(out, Scalar(z, "i64"), 0)
    flow.write(out, Scalar(0, "i64"), 1)
    ctx.define(node.outputs[0], ctx.dense(out))


def _signed(word: int) -> int:
    return word - (word >> 63 << 64)


@rule("random_permutation")
def random_permutation(ctx: FunctionLowering, node: Node) -> None:
    """A random order: that which sorts random words."""
    state, *more = node.inputs
    [count] = sizes_of(ctx, node.attrs["shape"], more)
    if not isinstance(count, int) or count > SHORT:
        raise Unsupported([("a random order of many", None)])
    words = _Words(ctx, state, (count,), count, 4).memory
    row = Array(words.ptr, "u32", (count,), (1,), words.buffers, words.offset)
    ctx.define(node.outputs[0], ctx.dense(sorted_row(ctx, row, node.outputs[0])))


@rule("random_categorical")
def random_categorical(ctx: FunctionLowering, node: Node) -> None:
    """Classes by their probabilities: the place of a uniform number among the sums of the probabilities so far."""
    state, logits, *more = node.inputs
    flow, code, b = Flow(ctx), ctx.code, ctx.ops
    given = ctx.array(logits)
    rows, classes = given.sizes
    [count] = sizes_of(ctx, node.attrs["shape"], more)
    words = _Words(ctx, state, (rows, count), code.mul(rows, count), 8)
    draws = words.elements((1,))
    of = _uniform(ctx, "f64")
    out = ctx.allocate(code_of(node.attrs["dtype"]), (rows, count), node.outputs[0])
    edges, most = ctx.allocate("f64", (rows, classes)), ctx.allocate(given.code, (rows,))
    flow.touch(given, most)
    code.require(code.op(f"icmp sgt i64 {classes}, 0"), ctx.failure)
    with flow.loop(rows) as i:
        top = flow.variable(given.code, flow.read(given, i, 0).reg)
        with flow.loop(classes) as k:
            top.set(b.maximum(Scalar(top.get(), given.code), flow.read(given, i, k)).reg)
        flow.write(most, Scalar(top.get(), given.code), i)
    flow.touch(given, most)
    less_the_most = Map(
        lambda x, top: b.math("exp", b.cast(b.subtract(x, top), "f64")),
        "f64",
        (
            Load(given.ptr, given.code, given.offset, given.strides, given.buffers),
            Load(most.ptr, most.code, most.offset, (1, 0), most.buffers),
        ),
        _DEAR,
    )
    ctx.fill(edges, less_the_most)
    flow.touch(edges, words.memory, out)
    with flow.loop(rows) as i:
        total = flow.variable("f64", literal(0.0, "f64"))
        with flow.loop(classes) as k:
            total.set(b.add(Scalar(total.get(), "f64"), flow.read(edges, i, k)).reg)
            flow.write(edges, Scalar(total.get(), "f64"), i, k)
        whole = Scalar(total.get(), "f64")
        with flow.loop(count) as j:
            at = code.op(f"add i64 {code.op(f'mul i64 {i}, {count}')}, {j}")
            place = Array(draws.ptr, "u64", (0,), (1,), draws.buffers)
            draw = b.multiply(of(flow.read(place, at)), whole)
            low, high = flow.variable("i64", 0), flow.variable("i64", classes)
            with flow.repeat() as going:
                first, last = low.get(), high.get()
                going.leave_unless(code.op(f"icmp slt i64 {first}, {last}"))
                middle = code.op(f"lshr i64 {code.op(f'add i64 {first}, {last}')}, 1")
                below = code.op(f"fcmp olt double {draw.reg}, {flow.read(edges, i, middle).reg}")
                above = code.op(f"add i64 {middle}, 1")
                low.set(code.op(f"select i1 {below}, i64 {first}, i64 {above}"))
                high.set(code.op(f"select i1 {below}, i64 {middle}, i64 {last}"))
            flow.write(out, Scalar(low.get(), "i64"), i, j)
    flow.touch(edges, words.memory, out)
    ctx.define(node.outputs[0], ctx.dense(out))
