"""Memory of compiled code: buffers of known size share one frame, laid out by lifetime; others grow when needed.

A buffer lives from the first moment it is touched to the last; what lives through part of a loop and was there
before it lives through all of it. The memory of a large output holds other buffers until the output is made.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

from runtime.backends.native.lower.code import Code, Operand

__all__ = ["MANY", "Array", "Buffer", "Memory"]

ALIGNMENT = 64
_MOST_COMPARED = 1000
"""Buffers up to which each is compared with all others."""
_HOLDS, _HELD = 1 << 16, 1 << 14
"""Bytes of outputs from which on they hold others, and of those."""
MANY = 8
"""Deferred arrays in one buffer that are remembered without asking whether they are used again."""


class Buffer:
    """A piece of memory; `size` in bytes is None where only the run tells. `held` are the deferred arrays in it.

    One that is `carried` is another piece in each turn of a loop, which a turn's next value goes to or has been in.
    """

    __slots__ = ("carried", "external", "first", "held", "last", "many", "name", "offset", "size")

    def __init__(self, name: str, size: int | None, carried: bool = False) -> None:
        self.name = name
        self.size = size
        self.first = -1
        self.last = -1
        self.offset = -1
        self.external: str | None = None  # an output's memory, where it turned out to be made for it
        self.carried = carried
        self.held: list[Any] = []
        self.many = MANY  # of these from which on those that are not used again are forgotten


class Array:
    """Elements in memory: pointer + offset + sum of index * stride. `buffers` are those it may lie in."""

    __slots__ = ("buffers", "code", "offset", "ptr", "sizes", "strides")

    def __init__(
        self,
        ptr: str,
        code: str,
        sizes: tuple[Operand, ...],
        strides: tuple[Operand, ...],
        buffers: frozenset[Buffer],
        offset: Operand = 0,
    ) -> None:
        self.ptr = ptr
        self.code = code
        self.sizes = sizes
        self.strides = strides
        self.buffers = buffers
        self.offset = offset


class Memory:
    """The buffers of one function."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.buffers: list[Buffer] = []
        self.loops: list[tuple[int, int]] = []
        self.lent: list[tuple[Buffer, str, int]] = []  # outputs made in place: where they lie, and their bytes
        self.frame = 0  # bytes, after `lay_out`

    def reserve(self, size: int) -> Buffer:
        """A buffer of a known size; its register is defined in the entry block."""
        buffer = Buffer(self.code.fresh("buf"), size)
        self.buffers.append(buffer)
        return buffer

    def touch(self, buffers: frozenset[Buffer]) -> None:
        """Memory is read or written now."""
        self.code.moment += 1
        for buffer in buffers:
            if buffer.first < 0:
                buffer.first = self.code.moment
            buffer.last = self.code.moment

    def lay_out(self) -> None:
        """Offsets in the frame: largest first, each at the lowest place that is free while it lives."""
        for start, end in sorted(self.loops, key=lambda loop: loop[0] - loop[1]):
            for buffer in self.buffers:
                if buffer.first < start <= buffer.last <= end:
                    buffer.last = end
        mine = [b for b in self.buffers if b.size is not None and b.external is None and b.first >= 0]
        self._into_outputs(mine)
        mine = [b for b in mine if b.external is None]
        self.frame = (_best_places if len(mine) <= _MOST_COMPARED else _first_places)(mine)

    def _into_outputs(self, buffers: list[Buffer]) -> None:
        """Put large buffers into outputs that are made when they are over."""
        found = [(b, b.external, b.size) for b in self.buffers if b.external is not None and b.size is not None]
        outputs = [
            (output.first, ptr, size, list[Buffer]())
            for output, ptr, size in (*found, *self.lent)
            if size >= _HOLDS and output.first >= 0 and not any(s <= output.first <= e for s, e in self.loops)
        ]
        if not outputs:
            return
        for buffer in sorted(buffers, key=lambda b: -(b.size or 0)):
            if (buffer.size or 0) < _HELD:
                break
            for made, ptr, size, placed in outputs:
                offset = _free_place(buffer, placed) if buffer.last < made else size
                if offset + _rounded(buffer.size) <= size:
                    buffer.external, buffer.offset = ptr, offset
                    placed.append(buffer)
                    break

    def definitions(self) -> list[str]:
        """Instructions of the entry block that define the buffers' registers."""
        out = []
        for b in self.buffers:
            if b.external is not None:
                out.append(f"  {b.name} = getelementptr i8, ptr {b.external}, i64 {max(b.offset, 0)}")
            elif b.size is not None:
                out.append(f"  {b.name} = getelementptr i8, ptr %frame, i64 {max(b.offset, 0)}")
        return out


def _best_places(buffers: list[Buffer]) -> int:
    """Largest first, each at the lowest place that is free while it lives: compares all with all."""
    frame = 0
    placed: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: -(b.size or 0)):
        buffer.offset = _free_place(buffer, placed)
        placed.append(buffer)
        frame = max(frame, buffer.offset + _rounded(buffer.size))
    return frame


def _free_place(buffer: Buffer, placed: list[Buffer]) -> int:
    """The lowest place that is free of others while a buffer lives."""
    rivals = sorted((b for b in placed if b.first <= buffer.last and buffer.first <= b.last), key=lambda b: b.offset)
    offset = 0
    for other in rivals:
        if offset + _rounded(buffer.size) <= other.offset:
            break
        offset = max(offset, other.offset + _rounded(other.size))
    return offset


def _first_places(buffers: list[Buffer]) -> int:
    """In the order in which they begin to live, each where one of its size was that is over, or behind all others."""
    frame = 0
    free: dict[int, list[int]] = {}  # offsets by size
    living: list[tuple[int, int, int]] = []  # (last moment, offset, size)
    for buffer in sorted(buffers, key=lambda b: b.first):
        while living and living[0][0] < buffer.first:
            _, offset, size = heappop(living)
            free.setdefault(size, []).append(offset)
        size = _rounded(buffer.size)
        places = free.get(size)
        if places:
            buffer.offset = places.pop()
        else:
            buffer.offset, frame = frame, frame + size
        heappush(living, (buffer.last, buffer.offset, size))
    return frame


def _rounded(size: int | None) -> int:
    return -(-(size or 0) // ALIGNMENT) * ALIGNMENT
