"""Convolutions by windows of 3 by 3 with 16 products for each four results instead of 36: Winograd's F(2x2, 3x3).

Tiles of 4 by 4 of the source, two apart, and the weights are transformed: sums and differences of a few numbers each.
Then results are sums over inputs of products of the same place of both, 16 matrix products, transformed back:

    results = A' ((G weights G') * (B' tile B)) A

Rounding errors are of the size of those of the direct sum: fewer products are summed, of numbers that are a bit larger.
"""

from __future__ import annotations

from runtime.backends.native.lower import swept, tiles
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.kernels import Kernel, lanes_of, registers
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.sweeps import Bands, Frame, Sweep, grain_of, rows_to_share, split
from runtime.backends.native.lower.types import SIZE

__all__ = ["enter_tiles", "fits", "pays", "tiles_of", "winograd"]

HELD = 1 << 18  # numbers of transformed tiles in work at a time
OVERHEAD = 1.15  # of a product of matrices here over one there
NEW_TILE, OLD_TILE, WEIGHT = 32, 28, 60  # cycles of a vector's transforms: of a source's tile, of results, of weights
FEWEST = 8  # inputs and outputs


def fits(frame: Frame, groups: int) -> bool:
    """Whether the windows are such, of known sizes."""
    sizes = [*frame.count, *frame.source.sizes[1:]]
    plain = frame.taps == (3, 3) and frame.step == frame.stride == (1, 1) and groups == 1
    return plain and all(isinstance(n, int) for n in sizes)


def pays(frame: Frame, kind: str, inner: int, outer: int) -> bool:
    """Whether it is estimated to take less time than the direct sum: cycles of both, with two products at a time."""
    height, width = (n for n in frame.count if isinstance(n, int))
    pictures = frame.source.sizes[0]
    some = pictures if isinstance(pictures, int) else 8
    if min(inner, outer) < FEWEST or not some:
        return False
    lanes = lanes_of(kind)
    ins, outs = -(-inner // lanes), -(-outer // lanes)
    direct = height * width * 9 * inner * outs / 2
    tiles = -(-height // 2) * -(-width // 2)
    ours = tiles * (16 * inner * outs / 2 * OVERHEAD + ins * NEW_TILE + outs * OLD_TILE)
    return ours + inner * outs * WEIGHT / some < 0.9 * direct


def tiles_of(frame: Frame) -> Frame:
    """The tiles of the source, as windows."""
    height, width = (-(-n // 2) if isinstance(n, int) else n for n in frame.count)
    tall, wide = frame.source.sizes[1:3]
    inside = all(
        isinstance(o, int) and isinstance(n, int) and isinstance(s, int) and o >= 0 and 2 * n + 2 + o <= s
        for o, n, s in zip(frame.origin, (height, width), (tall, wide), strict=True)
    )
    return Frame(frame.source, (4, 4), (1, 1), (2, 2), frame.origin, (height, width), inside)


def _weights(ctx: FunctionLowering, job: Sweep, block: int) -> Array:
    """The weights transformed: (blocks of outputs, 16, inputs, outputs of a block)."""
    blocks, inner = -(-job.outer // block), job.inner
    made = ctx.allocate(job.out.code, (blocks * 16 * inner * block,))
    kernel = Kernel(ctx, job.out.code)
    code = kernel.code
    ctx.memory.touch(made.buffers | job.weights.buffers)
    given, taken = kernel.pointer(job.weights.ptr, job.weights.offset), kernel.pointer(made.ptr, made.offset)
    lines = inner * block
    with kernel.loop("%lo", "%hi") as task:
        b, row = code.op(f"udiv i64 {task}, {inner}"), code.op(f"urem i64 {task}, {inner}")
        source = kernel.at(given, code.add(code.mul(b, 9 * lines), code.mul(row, block)))
        target = kernel.at(taken, code.add(code.mul(b, 16 * lines), code.mul(row, block)))
        tiles.weights(kernel, source, target, lines, block)
    kernel.launch(blocks * inner, grain_of(40 * block))
    ctx.memory.touch(made.buffers | job.weights.buffers)
    return made


def block_of(tiles: int, vectors: int) -> int:
    """How many tiles are summed together: as many as registers hold, dealt out evenly."""
    most = (registers() - 2 - (vectors if vectors > 1 else 0)) // vectors
    return -(-tiles // -(-tiles // most))


def winograd(ctx: FunctionLowering, job: Sweep) -> None:
    """Emit a sweep by windows of 3 by 3."""
    frame, kind = tiles_of(job.frame), job.out.code
    kernel = Kernel(ctx, kind)
    code, lanes = kernel.code, kernel.lanes
    block = job.choice.vectors * lanes
    weights = _weights(ctx, job, block)
    ctx.big = True
    buffers = frame.source.buffers | weights.buffers | job.out.buffers
    if job.bias is not None:
        buffers |= job.bias.buffers
    ctx.memory.touch(buffers)
    (height, width), inner = (int(n) for n in frame.count), job.inner
    most = max(HELD // (16 * max(inner, block) * width), 1)
    slots = max(min(most // max(height, 1), 4), 1)
    if isinstance(frame.source.sizes[0], int):
        slots = min(slots, max(frame.source.sizes[0], 1))
    rows_of_band = min(most, height)
    if slots == 1:
        rows_of_band = min(rows_of_band, rows_to_share(frame, height * width * 16 * inner * job.outer))
    many = slots * rows_of_band * width
    each = block_of(many, job.choice.vectors)
    room = -(-many // each) * each  # tiles there is memory for
    bands = Bands(kernel, frame, 1, slots, rows_of_band, 16 * room * (inner + block))
    sums = kernel.at(bands.spare, 16 * room * inner)
    taken = kernel.pointer(weights.ptr, weights.offset)
    out = kernel.pointer(job.out.ptr, ctx.code.add(job.out.offset, job.base))
    bias = kernel.pointer(job.bias.ptr, job.bias.offset) if job.bias is not None else ""
    pictures = kernel.take(frame.source.sizes[0])
    count = kernel.take(bands.count)
    size = SIZE[kind]
    words = swept.Job(kernel, (1, 0, 1, 0, inner, 0, inner * size, 0, block * size, block * size))
    with kernel.loop("%lo", "%hi") as task:
        picture: Operand = code.mul(task, slots)
        band: Operand = 0
        if count != 1:
            picture, band = code.op(f"udiv i64 {task}, {count}"), code.op(f"urem i64 {task}, {count}")
        top, rows = bands.rows(band)
        some = code.at_most(code.sub(pictures, picture), slots) if slots > 1 else 1
        source = bands.enter_all(picture, some, top, rows)
        enter_tiles(kernel, bands, source, (some, rows), inner, room)
        have = code.mul(code.parts(code.mul(code.mul(some, rows), width), each), each)
        for first, last in split(job.outer, block):
            with kernel.loop(first, last) as b:
                left = min(job.outer - first * block, block)
                with kernel.loop(0, 16) as place:
                    x = kernel.at(bands.spare, code.mul(place, room * inner))
                    w = kernel.at(taken, code.mul(code.add(code.mul(b, 16), place), inner * block))
                    to = kernel.at(sums, code.mul(place, room * block))
                    swept.call(kernel, words, (x, w, to, ""), (1, each, -(-left // lanes) * lanes), "", (1, have))
                own = kernel.at(bias, code.mul(b, block)) if bias else ""
                start = code.add(code.mul(picture, kernel.take(job.pitch[0])), code.mul(b, block))
                goal = kernel.at(out, start)
                _results(kernel, job, (sums, goal, own), (some, top, rows), room, left)
    tasks = ctx.code.parts(ctx.code.mul(frame.source.sizes[0], bands.count), slots)
    kernel.launch(tasks, grain_of(many * 16 * inner * job.outer))
    ctx.memory.touch(buffers)


def enter_tiles(
    kernel: Kernel, bands: Bands, source: str, over: tuple[Operand, Operand], inner: int, room: int
) -> None:
    """Transform the tiles of some pictures' rows: (16, tiles, inputs) in the spare memory."""
    code = kernel.code
    some, rows = over
    width = bands.frame.count[1]
    with kernel.loop(0, some) as n, kernel.loop(0, rows) as i:
        tile = kernel.at(source, code.add(code.mul(n, bands.picture), code.mul(i, code.mul(bands.row, 2))))
        number = code.mul(code.add(code.mul(n, rows), i), width)
        target = kernel.at(bands.spare, code.mul(number, inner))
        tiles.to_tiles(kernel, tile, target, inner, bands.row, room * inner, width)


def _results(
    kernel: Kernel, job: Sweep, at: tuple[str, str, str], over: tuple[Operand, Operand, Operand], room: int, outputs: int
) -> None:
    """Transform products back, and store what lies in the picture."""
    code = kernel.code
    sums, out, bias = at
    some, top, rows = over
    block = job.choice.vectors * kernel.lanes
    height, width = (int(n) for n in job.frame.count)
    across = -(-width // 2)
    pitch = [kernel.take(p) for p in job.pitch]
    full = code.at_least(code.at_most(code.sub(height // 2, top), rows), 0)
    runs: list[tuple[Operand, Operand, int]] = [(0, full, 2)]
    if height % 2:
        runs.append((full, rows, 1))
    for start, end, tall in runs:
        with kernel.loop(0, some) as n, kernel.loop(start, end) as i:
            for first, last, wide in [(0, width // 2, 2)] + [(width // 2, across, 1)] * (width % 2):
                if first == last:
                    continue
                number = code.add(code.mul(code.add(code.mul(n, rows), i), across), first)
                source = kernel.at(sums, code.mul(number, block))
                place = code.mul(code.mul(code.add(top, i), 2), pitch[1])
                place = code.add(place, code.mul(2 * first, pitch[2]))
                goal = kernel.at(out, code.add(code.mul(n, pitch[0]), place))
                ends = (pitch[1], pitch[2])
                at_ends = source, goal, bias
                tiles.from_tiles(
                    kernel, at_ends, block, room * block, ends, (tall, wide), outputs, last - first, job.positive
                )
