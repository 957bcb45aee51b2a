"""The loops around bodies of vectors (widen.py): full vectors, and what is left over with a mask."""

from __future__ import annotations

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.processor import vector_bytes
from runtime.backends.native.lower.types import LLVM
from runtime.backends.native.lower.widen import HEAVY, OURS, Sum, Wide, Writer, parse

__all__ = ["only_moves_apart", "widen_loop"]

FEWEST = 8  # turns of a loop that is made one of vectors
COSTLY = 20  # instructions of a body of which few lanes are not to be lost
SIDE_BY_SIDE = 24  # instructions of all vectors that a turn of a loop takes
SHORT = 40  # instructions of all vectors of a loop that is written out
_HEAD = 6  # lines of a loop before its body: the jump to it, label, number, test, branch, label


def widen_loop(
    code: Code,
    module: Module,
    before: int,
    bounds: tuple[Operand, Operand],
    sums: dict[str, Sum],
    most: int,
    gathers: bool = True,
) -> bool:
    """Write the innermost loop that `code.counted` has just written from a line on again, in vectors.

    Args:
      code: where it stands.
      module: for what it calls.
      before: the line where the loop begins.
      bounds: the first number, and the one after the last.
      sums: what it accumulates, by register.
      most: vectors at a time of what it accumulates.
      gathers: whether it may read elements that lie apart one by one.

    Returns:
      Whether it was. If not, nothing is changed.
    """
    size = vector_bytes()
    start, end = bounds
    known = isinstance(start, int) and isinstance(end, int)
    few = known and end - start < FEWEST  # type: ignore[operator]
    if size < 32 or (few and (sums or end - start < 2)):  # type: ignore[operator]
        return False
    lines = code.lines[before:]
    index = lines[2].split()[0]
    wide = parse(lines[_HEAD:-3], index, frozenset(sums), size)
    if wide is None or (wide.gathers and not (gathers and not few)) or (few and wide.weight > COSTLY):
        return False
    if known and sums and 2 * (end - start) <= wide.lanes and wide.gathers:  # type: ignore[operator]
        wide = wide._replace(lanes=wide.lanes // 2)  # half a vector is gathered in half the time
    costly = wide.weight > COSTLY
    if known and sums and end - start < (2 if costly else 1) * wide.lanes:  # type: ignore[operator]
        # Several such short rows are done at a time (nests.py), unless their elements are stored, which would be far apart.
        stored = any(step.form == "store" and step.parts[2] not in sums for step in wide.steps)
        if not (stored and costly and 2 * (end - start) > wide.lanes):  # type: ignore[operator]
            return False
    # After the body: the next number, the branch back, the label of what follows.
    writer = Writer(wide, index, sums, code.fresh, module.declare, module.vector)
    loop = _Loop(code, module, writer, lines[-1][:-1], bounds, most if sums else 1)
    loop.write(lines[2])
    code.lines[before:] = loop.lines
    return True


def only_moves_apart(code: Code, before: int) -> bool:
    """Whether the innermost loop that was written from a line on moves elements to places that are not side by side: as
    it stands it is as fast as others would be."""
    lines = code.lines[before:]
    side_by_side, apart = {lines[2].split()[0]}, set[str]()
    for line in lines[_HEAD:-3]:
        words = line.replace(",", "").split()
        if words[0] == "store":
            if words[4] not in apart:
                return False
            continue
        if words[2] not in ("mul", "add", "getelementptr", "load"):
            return False
        if any(x in apart for x in words[3:]) or (words[2] == "mul" and any(x in side_by_side for x in words[3:])):
            apart.add(words[0])
        elif any(x in side_by_side for x in words[3:]):
            side_by_side.add(words[0])
    return True


class _Loop:
    """Writes it."""

    def __init__(
        self, code: Code, module: Module, writer: Writer, after: str, bounds: tuple[Operand, Operand], most: int
    ) -> None:
        self.code, self.module, self.writer = code, module, writer
        self.wide: Wide = writer.wide
        self.after = after
        self.start, self.end = bounds
        self.most = most
        self.lines = writer.lines
        self.block = ""
        self.places: list[dict[str, str]] = []

    def write(self, phi: str) -> None:
        """All of it."""
        self.block = phi.rpartition("[ ")[0].rpartition("%")[2].split()[0]  # the block before
        lanes, heavy = self.wide.lanes, self.wide.weight >= HEAVY
        self.lines += self.wide.first
        self.writer.spread()
        count: Operand = (
            self.end - self.start  # type: ignore[operator]
            if isinstance(self.start, int) and isinstance(self.end, int)
            else self.op(f"call i64 @llvm.smax.i64(i64 {self.op(f'sub i64 {self.end}, {self.start}')}, i64 0)")
        )
        if isinstance(count, int) and count < FEWEST:
            self._pieces(count)
            return
        at_a_time = self._at_a_time(count)
        self._accumulate(at_a_time)
        step = at_a_time * lanes
        if isinstance(count, int):
            full = 0 if heavy and count % lanes and at_a_time == 1 else count // step * step
            middle: Operand = self.start + full  # type: ignore[operator]
        elif heavy and at_a_time == 1:
            full, middle = 0, self.start
        else:
            whole = self.op(f"and i64 {count}, {-step}")
            full, middle = -1, self.op(f"add i64 {self.start}, {whole}")
        if full:
            self._loop(self.start, middle, at_a_time, "")
        if not isinstance(count, int):
            self._rest(middle, self.op(f"and i64 {count}, {lanes - 1}"))
        elif count - full:
            self._rest(middle, (count - full) % lanes)
        self._total()
        self.lines += [f"  br label %{self.after}", f"{self.after}:"]

    def _pieces(self, count: int) -> None:
        """Less elements than a vector has, by shorter ones: what a mask has written is not read again at once."""
        start = int(self.start)
        while count:
            lanes = 1 << (count.bit_length() - 1)
            self.writer.narrowed(lanes).copy(str(start), "", {})
            start, count = start + lanes, count - lanes
        self.lines += [f"  br label %{self.after}", f"{self.after}:"]

    def op(self, text: str) -> str:
        """An instruction with a result."""
        return self.writer.op(text, "n")

    def _at_a_time(self, count: Operand) -> int:
        """How many vectors the first loop takes in a turn."""
        most, lanes = self.most, self.wide.lanes
        while most > 1 and most * self.wide.weight > SIDE_BY_SIDE:
            most //= 2
        if not isinstance(count, int):
            return most
        if lanes <= count < 5 * lanes and count // lanes * self.wide.weight <= SHORT:
            return count // lanes  # they stand one after another
        while most > 1 and count < 2 * most * lanes:
            most //= 2
        return most

    def _accumulate(self, copies: int) -> None:
        """Vectors to accumulate in, of each of the copies of the body."""
        self.places = [{} for _ in range(copies)]
        for slot, total in self.writer.sums.items():
            kind = LLVM[total.code]
            v, none = self.writer.type(kind), self.writer.splat(kind, total.start)
            for places in self.places:
                places[slot] = self.code.alloca(v, "sum", 64)
                self.lines.append(f"  store {v} {none}, ptr {places[slot]}")

    def _loop(self, start: Operand, end: Operand, copies: int, tail: str) -> None:
        """Vectors from one number to another; `tail` is the mask of the last, as a number's bits."""
        lanes, lines = self.wide.lanes, self.lines
        step = copies * lanes
        once = isinstance(start, int) and isinstance(end, int) and end - start <= step
        left = int(tail).bit_length() if tail.isdigit() else 0
        if once:
            self.writer.rest = ("", left) if left else None
            self._copies(str(start), copies, self.op(f"bitcast i{lanes} {tail} to <{lanes} x i1>") if tail else "")
            return
        head, each, done = (self.code.label(hint) for hint in ("head", "each", "done"))
        i, following = self.code.fresh("i"), self.code.fresh("next")
        lines += [
            f"  br label %{head}",
            f"{head}:",
            f"  {i} = phi i64 [ {start}, %{self.block} ], [ {following}, %{each} ]",
        ]
        more = self.op(f"icmp slt i64 {i}, {end}")
        lines += [f"  br i1 {more}, label %{each}, label %{done}", f"{each}:"]
        lines.append(f"  {following} = add nuw nsw i64 {i}, {step}")
        mask = ""
        if tail:
            full = self.op(f"icmp sle i64 {following}, {end}")
            bits = self.op(f"select i1 {full}, i{lanes} -1, i{lanes} {tail}")
            mask = self.op(f"bitcast i{lanes} {bits} to <{lanes} x i1>")
            self.writer.rest = (full, left) if left else None
        self._copies(i, copies, mask)
        lines += [f"  br label %{head}, !llvm.loop {self.module.as_written()}{OURS}", f"{done}:"]
        self.block = done

    def _copies(self, index: str, copies: int, mask: str) -> None:
        for k in range(copies):
            ahead = k * self.wide.lanes
            if not index.startswith("%"):
                at = str(int(index) + ahead)
            else:
                at = self.op(f"add nuw nsw i64 {index}, {ahead}") if ahead else index
            self.writer.copy(at, mask, self.places[k])

    def _rest(self, start: Operand, left: Operand) -> None:
        """What is left, with a mask: the last vector has so many elements, or is full where that is 0."""
        lanes = self.wide.lanes
        if left in (lanes // 2, lanes // 4) and not self.writer.sums and self.wide.weight < COSTLY:
            self.writer.narrowed(int(left)).copy(str(start), "", {})  # what is read again soon is better not masked
        elif isinstance(left, int):
            self._loop(start, self.end, 1, str((1 << left) - 1) if left else "")
        else:
            bits = self.op(f"shl i64 1, {left}")
            ones = self.op(f"sub i64 {bits}, 1")
            self._loop(start, self.end, 1, self.op(f"trunc i64 {ones} to i{lanes}"))

    def _total(self) -> None:
        """What was accumulated, joined with what was there before."""
        writer = self.writer
        for slot, total in writer.sums.items():
            kind = LLVM[total.code]
            parts = [self.op(f"load {writer.type(kind)}, ptr {places[slot]}") for places in self.places]
            while len(parts) > 1:
                odd = parts[len(parts) // 2 * 2 :]
                parts = [writer.joined(total, a, b, kind) for a, b in zip(parts[::2], parts[1::2], strict=False)] + odd
            before = self.op(f"load {kind}, ptr {slot}")
            made = writer.joined(total, before, writer.reduced(total, parts[0], kind), kind, vectors=False)
            self.lines.append(f"  store {kind} {made}, ptr {slot}")
