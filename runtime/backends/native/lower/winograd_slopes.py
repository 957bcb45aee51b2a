"""The gradient of filters of 3 by 3 with 16 products for each four results: the adjoint of winograd.py.

    slopes = G' (sum over tiles of (A dy A') * (B' tile B)) G

The sum is 16 matrix products, over tiles, of inputs with outputs.
"""

from __future__ import annotations

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.correlations import (
    MANY,
    Correlation,
    dealt_evenly,
    parts_of,
    size_of_block,
)
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.kernels import Kernel
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.sweeps import Bands, grain_of, split
from runtime.backends.native.lower.tiles import both
from runtime.backends.native.lower.winograd import HELD, enter_tiles, tiles_of

__all__ = ["winograd_slopes"]

TILES = 256  # in work at a time, at most
SHARES = 4  # of the outputs, where threads share those


def winograd_slopes(ctx: FunctionLowering, job: Correlation) -> None:
    """Emit the sums of a correlation over windows of 3 by 3."""
    code, kind = ctx.code, job.out.code
    kernel = Kernel(ctx, kind)
    vectors, rows = size_of_block(kind, job.outer, job.inner)
    block = vectors * kernel.lanes
    blocks = -(-job.outer // block)
    sums = 16 * job.inner * block * blocks
    pictures = job.frame.source.sizes[0]
    products = code.mul(code.product(job.frame.count), 4 * job.inner * job.outer)
    shared = 9 * job.inner * job.outer > MANY and blocks > 1
    parts = 1 if shared else parts_of(pictures, products, sums)
    tasks = min(SHARES, blocks) if shared else parts
    made = ctx.allocate(kind, (parts * sums,))
    ctx.big = True
    buffers = job.frame.source.buffers | job.dy.buffers | made.buffers
    ctx.memory.touch(buffers)
    _sums(ctx, kernel, job, made, (vectors, rows), (tasks, shared), products)
    ctx.memory.touch(buffers)
    _slopes(ctx, job, made, parts, sums, block)


def _sums(
    ctx: FunctionLowering, kernel: Kernel, job: Correlation, made: Array, shape: tuple[int, int],
    split_into: tuple[int, bool], products: Operand,
) -> None:  # fmt: skip
    """Sums over tiles: (parts, blocks of outputs, 16, inputs, outputs of a block)."""
    code, frame = kernel.code, tiles_of(job.frame)
    tasks, shared = split_into
    inner, block = job.inner, shape[0] * kernel.lanes
    blocks = -(-job.outer // block)
    height, width = (int(n) for n in frame.count)
    most = max(min(HELD // (16 * max(inner, block)), TILES) // width, 1)  # rows of tiles
    band = min(most, height)
    slots = max(most // max(height, 1), 1)
    room = slots * band * width
    bands = Bands(kernel, frame, 1, slots, band, 16 * room * (inner + block))
    slopes = kernel.at(bands.spare, 16 * room * inner)
    dy, out = kernel.pointer(job.dy.ptr, job.dy.offset), kernel.pointer(made.ptr, made.offset)
    pictures = frame.source.sizes[0]
    whole = kernel.take(pictures)
    own = kernel.take(pictures if shared else ctx.code.parts(pictures, tasks))
    of_block = 16 * inner * block
    with kernel.loop("%lo", "%hi") as task:
        start: Operand = 0
        end: Operand = whole
        few: tuple[Operand, Operand] = (0, blocks)
        goal = out
        if shared:
            each = -(-blocks // tasks)
            few = code.mul(task, each), code.at_most(code.add(code.mul(task, each), each), blocks)
            size = code.at_least(code.mul(code.sub(few[1], few[0]), of_block), 0)
            kernel.clear(kernel.at(out, code.mul(few[0], of_block)), size)
        else:
            start = code.at_most(code.mul(task, own), whole)
            end = code.at_most(code.add(start, own), whole)
            goal = kernel.at(out, code.mul(task, blocks * of_block))
            kernel.clear(goal, blocks * of_block)
        with kernel.loop(start, end, slots) as first, kernel.loop(0, bands.count) as number:
            top, rows = bands.rows(number)
            some = code.at_most(code.sub(end, first), slots)
            source = bands.enter_all(first, some, top, rows)
            enter_tiles(kernel, bands, source, (some, rows), inner, room)
            have = code.mul(code.mul(some, rows), width)
            for begin, last in split(job.outer, block):
                with kernel.loop(code.at_least(few[0], begin), code.at_most(few[1], last)) as b:
                    left = min(job.outer - begin * block, block)
                    _enter_slopes(kernel, job, (dy, slopes), (first, some, top, rows), b, (room, block, left))
                    target = kernel.at(goal, code.mul(b, of_block))
                    with kernel.loop(0, 16) as place:
                        x = kernel.at(bands.spare, code.mul(place, room * inner))
                        y = kernel.at(slopes, code.mul(place, room * block))
                        to = kernel.at(target, code.mul(place, inner * block))
                        for at, stop, wide in dealt_evenly(inner, shape[1]):
                            with kernel.loop(at, stop, wide) as c:
                                places = kernel.at(x, c), y, kernel.at(to, code.mul(c, block))
                                _product(kernel, places, have, wide, inner, block, -(-left // kernel.lanes))
    kernel.launch(tasks, 1 if tasks > 1 else grain_of(products))


def _enter_slopes(
    kernel: Kernel, job: Correlation, at: tuple[str, str], over: tuple[Operand, Operand, Operand, Operand], b: Operand,
    size: tuple[int, int, int],
) -> None:  # fmt: skip
    """Transform the cotangents of some tiles, for a block of outputs: (16, tiles, outputs)."""
    code, lanes = kernel.code, kernel.lanes
    picture, some, top, rows = over
    room, block, outputs = size
    dy, to = at
    height, width = (int(n) for n in job.frame.count)
    across, line = -(-width // 2), width * job.outer
    full = code.at_least(code.at_most(code.sub(height // 2, top), rows), 0)
    runs: list[tuple[Operand, Operand, int]] = [(0, full, 2)] + [(full, rows, 1)] * (height % 2)

    def along(a: str, b: str) -> list[str]:
        return [a, kernel.op("fadd", a, b), kernel.op("fsub", a, b), kernel.op("fsub", "zeroinitializer", b)]

    for start, end, tall in runs:
        with kernel.loop(0, some) as n, kernel.loop(start, end) as i:
            for first, last, wide in [(0, width // 2, 2)] + [(width // 2, across, 1)] * (width % 2):
                if first == last:
                    continue
                with kernel.loop(first, last) as j:
                    row = code.add(code.mul(code.add(picture, n), height), code.mul(code.add(top, i), 2))
                    place = code.add(code.mul(row, line), code.mul(j, 2 * job.outer))
                    source = kernel.at(dy, code.add(place, code.mul(b, block)))
                    number = code.add(code.mul(code.add(code.mul(n, rows), i), across), j)
                    target = kernel.at(to, code.mul(number, block))
                    for k in range(-(-outputs // lanes)):
                        many = min(outputs - k * lanes, lanes)
                        seen = [
                            kernel.load(kernel.at(source, u * line + v * job.outer + k * lanes), many)
                            if u < tall and v < wide
                            else "zeroinitializer"
                            for u in (0, 1)
                            for v in (0, 1)
                        ]
                        for p, x in enumerate(both(seen, 2, along)):
                            kernel.store(kernel.at(target, p * room * block + k * lanes), x, lanes)


def _product(
    kernel: Kernel, at: tuple[str, str, str], tiles: Operand, rows: int, inner: int, block: int, vectors: int
) -> None:
    """Sums over tiles for some inputs and a block of outputs, of one of the 16 places; added to what is there."""
    code, lanes = kernel.code, kernel.lanes
    source, slopes, out = at
    sums = kernel.variables(rows * vectors)
    places = [kernel.at(out, r * block + k * lanes) for r in range(rows) for k in range(vectors)]
    for s, place in zip(sums, places, strict=True):
        kernel.set(s, kernel.load(place, lanes))
    with kernel.loop(0, tiles) as t:
        x, y = kernel.at(source, code.mul(t, inner)), kernel.at(slopes, code.mul(t, block))
        factors = [kernel.load(kernel.at(y, k * lanes), lanes) for k in range(vectors)]
        for r in range(rows):
            one = kernel.splat(kernel.at(x, r))
            for k in range(vectors):
                s = sums[r * vectors + k]
                kernel.set(s, kernel.multiply_add(one, factors[k], kernel.get(s)))
    for s, place in zip(sums, places, strict=True):
        kernel.store(place, kernel.get(s), lanes)


def _slopes(ctx: FunctionLowering, job: Correlation, made: Array, parts: int, size: int, block: int) -> None:
    """G' sums G, of all parts' sums."""
    kernel = Kernel(ctx, made.code)
    code, lanes, inner = kernel.code, kernel.lanes, job.inner
    buffers = made.buffers | job.out.buffers
    ctx.memory.touch(buffers)
    given, out = kernel.pointer(made.ptr, made.offset), kernel.pointer(job.out.ptr, job.out.offset)
    half = kernel.constant(0.5)

    def along(a: str, b: str, c: str, d: str) -> list[str]:
        middle = kernel.op("fmul", kernel.op("fadd", b, c), half)
        apart = kernel.op("fmul", kernel.op("fsub", b, c), half)
        return [kernel.op("fadd", a, middle), apart, kernel.op("fadd", middle, d)]

    with kernel.loop("%lo", "%hi") as c:
        for first, last in split(job.outer, block):
            with kernel.loop(first, last) as b:
                left = min(job.outer - first * block, block)
                source = kernel.at(given, code.mul(code.add(code.mul(b, 16 * inner), c), block))
                target = kernel.at(out, code.add(code.mul(c, job.outer), code.mul(b, block)))
                for k in range(-(-left // lanes)):
                    seen = []
                    for place in range(16):
                        found = kernel.load(kernel.at(source, place * inner * block + k * lanes), lanes)
                        for part in range(1, parts):
                            at = part * size + place * inner * block + k * lanes
                            found = kernel.op("fadd", found, kernel.load(kernel.at(source, at), lanes))
                        seen.append(found)
                    for tap, x in enumerate(both(seen, 4, along)):
                        to = kernel.at(target, tap * inner * job.outer + k * lanes)
                        kernel.store(to, x, min(left - k * lanes, lanes))
    kernel.launch(inner, grain_of(40 * parts * job.outer))
    ctx.memory.touch(buffers)
