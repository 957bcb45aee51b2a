"""Sums of products over windows that slide over pictures, each block of results in registers, in vectors over channels.

A convolution, the gradient of its pictures (for every place modulo the strides), and a transposed convolution are all
such a sweep: result[place, output] = sum over taps and inputs of source[place * stride + tap * step + origin, input] *
weight[tap, input, output], where what lies outside the source is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from runtime.backends.native.lower import bordered, swept
from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.kernels import Kernel, lanes_of, registers
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.types import SIZE

__all__ = ["Choice", "Frame", "Sweep", "choose", "grain_of", "split", "sweep"]

PER_THREAD = 1_000_000  # multiplications that are worth waking a thread: about 20 microseconds
BAND = 1 << 17  # numbers of a picture's border-filled rows at a time: what a second-level cache holds
TASKS = 8  # that are enough for some threads
FAR = 1 << 18  # numbers of weights that do not stay in a second-level cache with the rest
KINDS = 1.6  # what the block of the last rows counts for, as it is one more function
WIDTHS = (12, 4, 1)  # of blocks, where the run tells how many places there are


class Choice(NamedTuple):
    """A block of results in registers: places (rows by columns) times vectors of outputs."""

    vectors: int
    rows: int
    columns: int


@dataclass
class Frame:
    """How windows lie on a source of pictures in C order: (height, width) each."""

    source: Array
    taps: tuple[int, int]
    step: tuple[int, int]  # from tap to tap
    stride: tuple[int, int]  # from place to place
    origin: tuple[Operand, Operand]  # of the first place's first tap; negative where there is a border
    count: tuple[Operand, Operand]  # of places
    inside: bool  # whether no window reaches over the edge

    @property
    def channels(self) -> int:
        """Numbers of a place of the source."""
        channels = self.source.sizes[3]
        assert isinstance(channels, int)
        return channels

    def places(self, code: Code) -> Operand:
        """How many results there are, of one output."""
        return code.product((self.source.sizes[0], *self.count))

    def span(self, axis: int, count: Operand, code: Code) -> Operand:
        """How much of the source so many places see."""
        reach = (self.taps[axis] - 1) * self.step[axis] + 1
        return code.add(code.mul(code.sub(count, 1), self.stride[axis]), reach)


@dataclass
class Sweep:
    """One sweep: where it reads and writes."""

    frame: Frame
    groups: int
    inner: int  # inputs of a group
    outer: int  # outputs of a group
    weights: Array  # groups, blocks of outputs, taps times inputs, outputs of a block (zeros after the last)
    out: Array
    base: Operand  # of the first result in `out`
    pitch: tuple[Operand, Operand, Operand]  # from picture to picture, row to row, place to place in `out`
    choice: Choice
    bias: Array | None = None  # added to every place
    positive: bool = False  # whether what is negative becomes zero, at last
    own: bool = False  # whether every output has the one input of its number (then `inner` and `groups` are 1)


def choose(kind: str, outer: int, count: tuple[Operand, Operand], fixed: bool) -> Choice:
    """The block for which the fewest cycles are estimated: two products and two loads at a time, four until a sum is there.

    Args:
      kind: of the numbers.
      outer: outputs of a group.
      count: rows and columns of places.
      fixed: whether rows of the source are a known number apart.
    """
    lanes, room = lanes_of(kind), registers()
    height, width = count
    best, least = Choice(1, 1, 1), float("inf")
    for vectors in (1, 2, 3, 4):
        if vectors > 1 and (vectors - 1) * lanes >= outer:
            break
        blocks = -(-outer // (vectors * lanes))
        for rows in range(1, min(height, 8) + 1 if isinstance(height, int) and fixed else 2):
            for wide in range(1, min(width, room) + 1) if isinstance(width, int) else (0,):
                parts = -(-width // wide) if isinstance(width, int) else 0
                columns = -(-width // parts) if isinstance(width, int) else WIDTHS[0]
                held = rows * columns * vectors + (vectors + 2 if vectors > 1 else 2)
                if held > room:
                    continue
                whole = max(parts, 1) * blocks
                places = rows * columns
                cycles = max(places * vectors / 2, (places + vectors) / 2, 4) + 1
                if isinstance(height, int):
                    rest = height % rows * columns
                    cycles *= height // rows
                    cycles += (max(rest * vectors / 2, (rest + vectors) / 2, 4) + 1) * KINDS if rest else 0
                    total = cycles * whole
                else:
                    total = cycles * whole / (1 if isinstance(width, int) else places)
                if total < least:
                    best, least = Choice(vectors, rows, columns), total
    return best


def grain_of(products: Operand) -> Operand:
    """How many tasks of so many multiplications a thread takes at least."""
    return max(PER_THREAD // max(products, 1), 1) if isinstance(products, int) else 1


def rows_to_share(frame: Frame, products: Operand) -> int:
    """The most rows of a band with which a few pictures are enough tasks for some threads; products are a picture's."""
    height, pictures = frame.count[0], frame.source.sizes[0]
    if not (isinstance(height, int) and isinstance(pictures, int) and isinstance(products, int)) or not pictures:
        return 1 << 30
    tasks = min(TASKS, pictures * products // PER_THREAD)
    return max(-(-height // max(tasks // pictures, 1)), 1)


def split(outer: int, width: int) -> list[tuple[int, int]]:
    """(first, end) of blocks of outputs that are full, then of the one that is not."""
    full = outer // width
    return [(0, full)] * (full > 0) + [(full, full + 1)] * (outer % width > 0)


class Bands:
    """The rows of places that are done together, and the source under them, with its border filled with zeros.

    Args:
      kernel: the function that reads.
      frame: how the windows lie.
      multiple: rows of a block.
      slots: how many pictures are in work together.
      most: rows of a band at most; None for what a second-level cache holds.
      extra: numbers of memory for the caller's own use, at `spare`.
    """

    def __init__(
        self, kernel: Kernel, frame: Frame, multiple: int, slots: int = 1, most: int | None = None, extra: Operand = 0
    ) -> None:
        self.kernel = kernel
        self.frame = frame
        outside = kernel.ctx.code
        height, width = frame.count
        reach, wide = frame.source.sizes[2], frame.span(1, width, outside)
        row = outside.mul(reach if frame.inside else wide, frame.channels)
        self.each: int = 8 * multiple  # rows of a band
        if isinstance(row, int) and isinstance(height, int):
            fits = (BAND // max(row, 1) - (frame.taps[0] - 1) * frame.step[0] - 1) // frame.stride[0] + 1
            self.each = min(height, max(min(fits, most or fits) // multiple, 1) * multiple)
        elif most is not None:
            self.each = min(most, self.each)
        self.count: Operand = outside.parts(height, self.each) if height != 0 else 0
        self.row: Operand = kernel.take(row)  # from row to row of what is read
        self.source = kernel.pointer(frame.source.ptr, frame.source.offset)
        picture = outside.product(frame.source.sizes[1:])
        self.border = self.spare = ""
        size: Operand = 0
        if not frame.inside:
            picture = outside.mul(frame.span(0, self.each, outside), row)
            size = outside.mul(picture, slots)
        if not frame.inside or extra != 0:
            self.border = kernel.scratch(kernel.take(outside.add(size, extra)))
            self.spare = kernel.at(self.border, kernel.take(size)) if extra != 0 else ""
        self.picture: Operand = kernel.take(picture)  # from picture to picture of what is read

    def rows(self, band: Operand) -> tuple[Operand, Operand]:
        """(first row of places, number of rows) of a band."""
        code, height = self.kernel.code, self.kernel.take(self.frame.count[0])
        if self.count == 1:
            return 0, height
        top = code.mul(band, self.each)
        return top, code.at_most(code.sub(height, top), self.each)

    def enter(self, picture: Operand, top: Operand, rows: Operand, slot: Operand = 0) -> str:
        """Where the first window of some rows of a picture begins."""
        kernel, frame, code = self.kernel, self.frame, self.kernel.code
        sizes = [kernel.take(n) for n in frame.source.sizes]
        at = code.add(code.mul(top, frame.stride[0]), kernel.take(frame.origin[0]))
        start = kernel.at(self.source, code.mul(picture, code.product(tuple(sizes[1:]))))
        if frame.inside:
            skip = code.add(code.mul(at, self.row), code.mul(kernel.take(frame.origin[1]), frame.channels))
            return kernel.at(start, skip)
        border = kernel.at(self.border, code.mul(slot, self.picture))
        self._fill(border, start, at, frame.span(0, rows, code), sizes)
        return border

    def enter_all(self, first: Operand, some: Operand, top: Operand, rows: Operand) -> str:
        """The same of several pictures."""
        if self.frame.inside:
            return self.enter(first, top, rows)
        with self.kernel.loop(0, some) as slot:
            self.enter(self.kernel.code.add(first, slot), top, rows, slot)
        return self.border

    def _fill(self, border: str, picture: str, first: Operand, rows: Operand, sizes: list[Operand]) -> None:
        """Copy rows of a picture into the border."""
        kernel, frame, code = self.kernel, self.frame, self.kernel.code
        channels = frame.channels
        wide = frame.span(1, kernel.take(frame.count[1]), code)
        origin = kernel.take(frame.origin[1])
        left = code.at_most(code.at_least(code.sub(0, origin), 0), wide)
        end = code.sub(sizes[2], origin)
        end = code.at_least(code.at_most(end, wide), 0)
        middle = code.at_least(code.sub(end, left), 0)
        right = code.sub(wide, code.add(left, middle))
        top = code.at_least(first, 0)
        above = code.at_most(code.at_least(code.sub(0, first), 0), rows)
        some = code.at_least(code.sub(code.at_most(code.add(first, rows), sizes[1]), top), 0)
        below = code.sub(code.sub(rows, above), some)
        line = code.mul(sizes[2], channels)
        source = kernel.at(picture, code.add(code.mul(top, line), code.mul(code.add(left, origin), channels)))
        row = (code.mul(left, channels), code.mul(middle, channels), code.mul(right, channels))
        bordered.call(kernel.module, code, kernel.kind, (border, self.row), (source, line), (above, some, below), row)


def sweep(ctx: FunctionLowering, job: Sweep) -> None:
    """Emit a sweep."""
    if job.frame.places(ctx.code) == 0:
        return
    frame, choice = job.frame, job.choice
    kernel = Kernel(ctx, job.out.code)
    code = kernel.code
    ctx.big = True
    buffers = frame.source.buffers | job.weights.buffers | job.out.buffers
    if job.bias is not None:
        buffers |= job.bias.buffers
    ctx.memory.touch(buffers)
    slots = _slots(job)
    work = ctx.code.product((*frame.count, *frame.taps, job.inner, job.outer, job.groups))
    bands = Bands(kernel, frame, choice.rows, slots, rows_to_share(frame, work) if slots == 1 else None)
    weights = kernel.pointer(job.weights.ptr, job.weights.offset)
    out = kernel.pointer(job.out.ptr, ctx.code.add(job.out.offset, job.base))
    bias = kernel.pointer(job.bias.ptr, job.bias.offset) if job.bias is not None else ""
    pitch = [kernel.take(p) for p in job.pitch]
    pictures = kernel.take(frame.source.sizes[0])
    words = _job(kernel, job, bands.row)
    block = choice.vectors * kernel.lanes
    length = frame.taps[0] * frame.taps[1] * job.inner
    blocks = -(-job.outer // block)
    with kernel.loop("%lo", "%hi") as task:
        bands_of = kernel.take(bands.count)
        picture: Operand = code.mul(task, slots)
        band: Operand = 0
        if bands_of != 1:
            picture, band = code.op(f"udiv i64 {task}, {bands_of}"), code.op(f"urem i64 {task}, {bands_of}")
        top, rows = bands.rows(band)
        some = code.at_most(code.sub(pictures, picture), slots) if slots > 1 else 1
        source = bands.enter_all(picture, some, top, rows)
        target = kernel.at(out, code.add(code.mul(picture, pitch[0]), code.mul(top, pitch[1])))
        with kernel.loop(0, job.groups) as group:
            inputs = kernel.at(source, code.mul(group, job.inner))
            results = kernel.at(target, code.mul(group, job.outer))
            for first, end in split(job.outer, block):
                with kernel.loop(first, end) as b:
                    w = kernel.at(weights, code.mul(code.add(code.mul(group, blocks), b), length * block))
                    goal = kernel.at(results, code.mul(b, block))
                    left = min(job.outer - first * block, block)
                    mine = kernel.at(inputs, code.mul(b, block)) if job.own else inputs
                    own = kernel.at(bias, code.add(code.mul(group, job.outer), code.mul(b, block))) if bias else ""
                    with kernel.loop(0, some) as slot:
                        seen = kernel.at(mine, code.mul(slot, bands.picture))
                        to = kernel.at(goal, code.mul(slot, pitch[0]))
                        _places(kernel, job, bands, words, (seen, w, to, own), rows, left)
    products = ctx.code.mul(
        ctx.code.mul(bands.each, frame.count[1]), slots * length * job.groups * blocks * block
    )
    kernel.launch(ctx.code.parts(ctx.code.mul(frame.source.sizes[0], bands.count), slots), grain_of(products))
    ctx.memory.touch(buffers)


def _slots(job: Sweep) -> int:
    """How many pictures are done together: several small ones where weights come from far away."""
    frame, block = job.frame, job.choice.vectors * lanes_of(job.out.code)
    weights = job.groups * -(-job.outer // block) * block * frame.taps[0] * frame.taps[1] * job.inner
    size = Code().product((frame.span(0, frame.count[0], Code()), frame.span(1, frame.count[1], Code()), frame.channels))
    if weights < FAR or not isinstance(size, int):
        return 1
    most = 2 * BAND // max(size, 1)
    if most <= 1:
        return 1
    pictures = frame.source.sizes[0]
    if not isinstance(pictures, int):
        return most
    return max(-(-pictures // max(-(-pictures // most), min(pictures, 2))), 1)


def _places(
    kernel: Kernel, job: Sweep, bands: Bands, words: swept.Job, at: tuple[str, str, str, str], rows: Operand, outputs: int
) -> None:
    """All blocks of places in a band, for a block of outputs."""
    code, frame, (_, tall, columns) = kernel.code, job.frame, job.choice
    source, weights, out, bias = at
    height, width = frame.count[0], kernel.take(frame.count[1])
    how = "b" * bool(bias) + "r" * job.positive + "o" * job.own
    rest = height % tall if isinstance(height, int) else 0
    whole: Operand = rows
    if rest:
        last = rest if isinstance(rows, int) else code.op(f"urem i64 {rows}, {tall}")
        whole = code.sub(rows, last)
    for row, many, high in [(0, whole, tall), *([(whole, code.sub(rows, whole), rest)] if rest else [])]:
        if many == 0:
            continue
        line = kernel.at(source, code.mul(row, code.mul(bands.row, frame.stride[0])))
        goal = kernel.at(out, code.mul(row, kernel.take(job.pitch[1])))
        for first, some, wide in _columns(kernel, width, columns):
            seen = kernel.at(line, code.mul(first, frame.stride[1] * frame.channels))
            to = kernel.at(goal, code.mul(first, kernel.take(job.pitch[2])))
            swept.call(kernel, words, (seen, weights, to, bias), (high, wide, outputs), how, (many, some))


def _columns(kernel: Kernel, width: Operand, most: int) -> list[tuple[Operand, Operand, int]]:
    """(first, how many, of a block) of places along a row."""
    if isinstance(width, int):
        return [(0, width, most)]
    out: list[tuple[Operand, Operand, int]] = []
    start: Operand = 0
    for wide in WIDTHS:
        rest = kernel.code.sub(width, start)
        whole = kernel.code.op(f"sub i64 {rest}, {kernel.code.op(f'urem i64 {rest}, {wide}')}")
        out.append((start, whole, wide))
        start = kernel.code.add(start, whole)
    return out


def _job(kernel: Kernel, job: Sweep, row: Operand) -> swept.Job:
    """What blocks are told."""
    code, frame, size = kernel.code, job.frame, SIZE[kernel.kind]
    joined = frame.step[1] == 1 and job.inner == frame.channels and not job.own  # taps of a row lie one after another
    across, length = (1, frame.taps[1] * job.inner) if joined else (frame.taps[1], job.inner)
    row = code.mul(row, size)
    place = frame.channels * size
    return swept.Job(kernel, (
        frame.taps[0], code.mul(row, frame.step[0]), across, frame.step[1] * place, length,
        code.mul(row, frame.stride[0]), frame.stride[1] * place,
        code.mul(kernel.take(job.pitch[1]), size), code.mul(kernel.take(job.pitch[2]), size),
        job.choice.vectors * kernel.lanes * size,
    ))  # fmt: skip
