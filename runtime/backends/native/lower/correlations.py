"""Sums over places of the products of what windows see with results' cotangents: the gradient of a convolution's filters.

slope[tap, input, output] = sum over pictures and places of source[place * stride + tap * step + origin, input] *
dy[place, output]. A block of slopes stays in registers while all places of some pictures go by. Threads share either
outputs, or pictures in a number of parts that sizes decide, so that sums do not depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Const, Load, Map
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.kernels import Kernel, lanes_of, registers
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.sweeps import BAND, Bands, Frame, grain_of, split
from runtime.backends.native.lower.types import SIZE, literal

__all__ = ["MANY", "Correlation", "correlate", "dealt_evenly", "parts_of", "size_of_block"]

PARTS = 8  # most parts of the pictures
PER_PART = 4_000_000  # multiplications that are worth a part
NEAR = 24_576  # bytes of cotangents in work: half of a first-level cache
MANY = 1 << 17  # slopes that do not stay in the second-level cache with the rest
PER_SLOPE = 64  # multiplications for each slope, without which parts cost more than they save


@dataclass
class Correlation:
    """What is summed, and where to: `out` in C order is (taps down, taps right, inputs, outputs)."""

    frame: Frame
    groups: int
    inner: int  # inputs of a group
    outer: int  # outputs of a group
    dy: Array  # in C order
    out: Array
    own: bool = False  # whether every output has the one input of its number (then `inner` and `groups` are 1)


@dataclass
class _Block:
    """Rows of slopes (a tap and an input each) times vectors of outputs, summed together."""

    offsets: list[Operand]  # of what each row is a multiple of, from a place's first
    row: Operand  # of slopes, the first


def correlate(ctx: FunctionLowering, job: Correlation) -> None:
    """Emit the sums."""
    if job.frame.places(ctx.code) == 0:
        ctx.fill(job.out, Const(Scalar(literal(0, job.out.code), job.out.code)))
        return
    frame, code = job.frame, ctx.code
    pictures = frame.source.sizes[0]
    slopes = frame.taps[0] * frame.taps[1] * job.inner * job.groups * job.outer
    products = code.mul(code.product(frame.count), slopes)
    shape = _shape(job, isinstance(frame.source.sizes[2], int))
    blocks = -(-job.outer // (shape.vectors * lanes_of(job.out.code)))
    apart = slopes > MANY and job.groups == 1 and blocks > 1  # threads share the outputs
    parts = 1 if apart else parts_of(pictures, products, slopes)
    sums = job.out if parts == 1 else ctx.allocate(job.out.code, (parts, slopes))
    each = code.at_least(code.parts(pictures, parts), 1)
    ctx.big = True
    buffers = frame.source.buffers | job.dy.buffers | sums.buffers
    ctx.memory.touch(buffers)
    if apart:
        zero = Const(Scalar(literal(0, sums.code), sums.code))
        ctx.fill(Array(sums.ptr, sums.code, (slopes,), (1,), sums.buffers, sums.offset), zero)
    _kernel(ctx, job, shape, sums, blocks if apart else parts, slopes, each, products, apart)
    ctx.memory.touch(buffers)
    if parts > 1:
        loads = [
            Load(sums.ptr, sums.code, code.add(sums.offset, k * slopes), code.strides(job.out.sizes), sums.buffers)
            for k in range(parts)
        ]
        ctx.fill(job.out, Map(lambda *x: reduce(ctx.ops.add, x), sums.code, tuple(loads), parts))


def parts_of(pictures: Operand, products: Operand, slopes: int) -> int:
    """In how many parts the pictures are dealt out."""
    if isinstance(products, int) and products < slopes * PER_SLOPE:
        return 1
    if not isinstance(pictures, int) or not isinstance(products, int):
        return PARTS
    return max(min(PARTS, pictures, pictures * products // PER_PART), 1)


def _kernel(
    ctx: FunctionLowering, job: Correlation, shape: _Shape, sums: Array, tasks: int, slopes: int, each: Operand,
    products: Operand, apart: bool,
) -> None:  # fmt: skip
    frame = job.frame
    kernel = Kernel(ctx, sums.code)
    code = kernel.code
    space = frame.source.sizes[1:3]
    if not frame.inside:
        space = frame.span(0, frame.count[0], ctx.code), frame.span(1, frame.count[1], ctx.code)
    size = ctx.code.product((*space, frame.channels))
    much = 4 if slopes > MANY else 1  # slopes are read and written once for every so many places
    places = max(much * NEAR // (shape.vectors * kernel.lanes * SIZE[sums.code]), 1)
    slots = 1  # pictures in work together
    area = ctx.code.product(frame.count)
    if isinstance(size, int) and isinstance(area, int):
        slots = max(min((much - 1 or 1) * BAND // max(size, 1), places // max(area, 1)), 1)
    most = max(places // max(frame.count[1], 1), 1) if isinstance(frame.count[1], int) else 1
    rows_of_band = min(most, frame.count[0]) if isinstance(frame.count[0], int) else most
    block = shape.vectors * kernel.lanes
    extra: Operand = 0  # where outputs are not one block, one after another, already
    if block != job.outer * job.groups and shape.passes(job) > 1:
        extra = ctx.code.product((slots, rows_of_band, frame.count[1], block))
    bands = Bands(kernel, frame, 1, slots, most, extra)
    dy = kernel.pointer(job.dy.ptr, job.dy.offset)
    out = kernel.pointer(sums.ptr, sums.offset)
    whole, own = kernel.take(frame.source.sizes[0]), kernel.take(each)
    outputs = job.groups * job.outer
    width = kernel.take(frame.count[1])
    with kernel.loop("%lo", "%hi") as task:
        goal = out
        start: Operand = 0
        end: Operand = whole
        if not apart:
            goal = kernel.at(out, code.mul(task, slopes))
            kernel.clear(goal, slopes)
            start = code.at_most(code.mul(task, own), whole)
            end = code.at_most(code.add(start, own), whole)
        with kernel.loop(start, end, slots) as first, kernel.loop(0, kernel.take(bands.count)) as band:
            top, rows = bands.rows(band)
            some = code.at_most(code.sub(end, first), slots)
            source = bands.enter_all(first, some, top, rows)
            line = code.mul(width, outputs)
            seen = kernel.at(dy, code.mul(code.add(code.mul(first, kernel.take(frame.count[0])), top), line))
            pitch = code.mul(kernel.take(frame.count[0]), line)
            with kernel.loop(0, job.groups) as group:
                inputs = kernel.at(source, code.mul(group, job.inner))
                results = kernel.at(seen, code.mul(group, job.outer))
                target = kernel.at(goal, code.mul(group, job.outer))
                _blocks(
                    kernel, job, bands, shape, (inputs, results, target), (some, rows, width), (pitch, line, outputs),
                    task if apart else None,
                )  # fmt: skip
    kernel.launch(tasks, 1 if tasks > 1 else grain_of(products))


def _blocks(
    kernel: Kernel, job: Correlation, bands: Bands, shape: _Shape, at: tuple[str, str, str],
    over: tuple[Operand, Operand, Operand], pitch: tuple[Operand, Operand, Operand], only: Operand | None,
) -> None:  # fmt: skip
    """All slopes of a group, or those of one block of outputs."""
    code, frame = kernel.code, job.frame
    across, length = shape.across, shape.length
    block = shape.vectors * kernel.lanes
    for first, last in split(job.outer, block):
        start, end = (first, last) if only is None else (code.at_least(only, first), code.at_most(code.add(only, 1), last))
        with kernel.loop(start, end) as b:
            x = kernel.at(at[0], code.mul(b, block)) if job.own else at[0]
            dy, out = kernel.at(at[1], code.mul(b, block)), kernel.at(at[2], code.mul(b, block))
            outputs = min(job.outer - first * block, block)
            steps = pitch
            if bands.spare:
                _gather(kernel, dy, bands.spare, over, pitch, outputs, block)
                line = code.mul(over[2], block)
                dy, steps = bands.spare, (code.mul(over[1], line), line, block)

            def emit(
                what: _Block, x: str = x, dy: str = dy, out: str = out, outputs: int = outputs,
                steps: tuple[Operand, Operand, Operand] = steps,
            ) -> None:  # fmt: skip
                _block(kernel, job, bands, what, (x, dy, out), over, (pitch[2], *steps), outputs)

            if shape.small:
                offsets = [
                    code.add(code.mul(u * frame.step[0], bands.row), v * frame.step[1] * frame.channels + c)
                    for u in range(frame.taps[0])
                    for v in range(across)
                    for c in range(length)
                ]
                for start, end, wide in dealt_evenly(len(offsets), shape.rows):
                    for k in range(start, end, wide):
                        emit(_Block(offsets[k : k + wide], k))
                continue
            with kernel.loop(0, frame.taps[0]) as u, kernel.loop(0, across) as v:
                tap = code.add(code.mul(code.mul(u, frame.step[0]), bands.row), code.mul(v, frame.step[1] * frame.channels))
                row = code.mul(code.add(code.mul(u, across), v), length)
                for start, end, wide in dealt_evenly(length, shape.rows):
                    with kernel.loop(start, end, wide) as c:
                        place = code.add(tap, c)
                        emit(_Block([code.add(place, k) for k in range(wide)], code.add(row, c)))


def _gather(
    kernel: Kernel, dy: str, to: str, over: tuple[Operand, Operand, Operand], pitch: tuple[Operand, Operand, Operand],
    outputs: int, block: int,
) -> None:  # fmt: skip
    """Some outputs of the places in work, one place after another: as they lie they would compete for a few cache lines."""
    code, lanes = kernel.code, kernel.lanes
    pictures, rows, width = over
    with kernel.loop(0, pictures) as n, kernel.loop(0, rows) as i:
        line = kernel.at(dy, code.add(code.mul(n, pitch[0]), code.mul(i, pitch[1])))
        start = code.mul(code.add(code.mul(n, rows), i), width)
        with kernel.loop(0, width) as j:
            source = kernel.at(line, code.mul(j, pitch[2]))
            goal = kernel.at(to, code.mul(code.add(start, j), block))
            for k in range(-(-outputs // lanes)):
                x = kernel.load(kernel.at(source, k * lanes), min(outputs - k * lanes, lanes))
                kernel.store(kernel.at(goal, k * lanes), x, lanes)


class _Shape(NamedTuple):
    """How slopes are dealt out to blocks: runs of taps and inputs that lie one after another in the source."""

    across: int  # runs for each row of taps
    length: int  # of a run
    small: bool  # whether runs are so short that blocks reach over them: every row of slopes has an offset of its own
    vectors: int
    rows: int

    def passes(self, job: Correlation) -> int:
        """How often cotangents are read."""
        runs = job.frame.taps[0] * self.across
        return -(-runs * self.length // self.rows) if self.small else runs * -(-self.length // self.rows)


def _shape(job: Correlation, fixed: bool) -> _Shape:
    frame = job.frame
    joined = frame.step[1] == 1 and job.inner == frame.channels and not job.own
    across, length = (1, frame.taps[1] * job.inner) if joined else (frame.taps[1], job.inner)
    rows = frame.taps[0] * across * length
    small = (fixed or frame.taps[0] == 1) and length < 8 and rows <= 256
    return _Shape(across, length, small, *size_of_block(job.out.code, job.outer, rows if small else length))


def dealt_evenly(length: int, most: int) -> list[tuple[int, int, int]]:
    """(first, end, step) of blocks that differ in length by one at most."""
    parts = -(-length // most)
    wide = -(-length // parts)
    some = length - (wide - 1) * parts
    return [(0, some * wide, wide)] + [(some * wide, length, wide - 1)] * (some < parts)


def size_of_block(kind: str, outer: int, length: int) -> tuple[int, int]:
    """(vectors, rows) of a block for which the fewest cycles are estimated."""
    lanes, room = lanes_of(kind), registers()
    best, least = (1, 1), float("inf")
    for vectors in (1, 2, 3, 4):
        if vectors > 1 and (vectors - 1) * lanes >= outer:
            break
        for rows in range(1, min(length, room) + 1):
            if rows * vectors + (vectors + 2 if vectors > 1 else 2) > room:
                break
            cycles = max(rows * vectors / 2, (rows + vectors) / 2, 4) + 1
            total = cycles * -(-length // rows) * -(-outer // (vectors * lanes))
            if total < least:
                best, least = (vectors, rows), total
    return best


def _block(
    kernel: Kernel, job: Correlation, bands: Bands, what: _Block, at: tuple[str, str, str],
    over: tuple[Operand, Operand, Operand], pitch: tuple[Operand, ...], outputs: int,
) -> None:  # fmt: skip
    """The sums of a block over all places in work; pitch is that of rows of slopes, then dy's of pictures, rows, places."""
    code, frame = kernel.code, job.frame
    source, dy, out = at
    pictures, rows, width = over
    vectors = -(-outputs // kernel.lanes)
    widths = [min(outputs - k * kernel.lanes, kernel.lanes) for k in range(vectors)]
    target = kernel.at(out, code.mul(what.row, pitch[0]))
    places = [
        kernel.at(target, code.add(code.mul(r, pitch[0]), k * kernel.lanes))
        for r in range(len(what.offsets))
        for k in range(vectors)
    ]
    sums = kernel.variables(len(places))
    for s, place, k in zip(sums, places, [*range(vectors)] * len(what.offsets), strict=True):
        kernel.set(s, kernel.load(place, widths[k]))
    with kernel.loop(0, pictures) as n, kernel.loop(0, rows) as i:
        line = kernel.at(source, code.add(code.mul(n, bands.picture), code.mul(i, code.mul(bands.row, frame.stride[0]))))
        slopes = kernel.at(dy, code.add(code.mul(n, pitch[1]), code.mul(i, pitch[2])))
        with kernel.loop(0, width) as j:
            x = kernel.at(line, code.mul(j, frame.stride[1] * frame.channels))
            d = kernel.at(slopes, code.mul(j, pitch[3]))
            some = [kernel.lanes] * vectors if bands.spare else widths
            factors = [kernel.load(kernel.at(d, k * kernel.lanes), some[k]) for k in range(vectors)]
            for r, offset in enumerate(what.offsets):
                seen = kernel.at(x, offset)
                one = "" if job.own else kernel.splat(seen)
                for k in range(vectors):
                    s = sums[r * vectors + k]
                    many = kernel.load(kernel.at(seen, k * kernel.lanes), widths[k]) if job.own else one
                    kernel.set(s, kernel.multiply_add(many, factors[k], kernel.get(s)))
    for s, place, k in zip(sums, places, [*range(vectors)] * len(what.offsets), strict=True):
        kernel.store(place, kernel.get(s), widths[k])
