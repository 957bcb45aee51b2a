"""The text of one LLVM function while it is being written.

An *operand* is a Python int or the name of a register or an LLVM constant; sizes, strides and indices are operands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from runtime.typesys.late import pattern

__all__ = ["Code", "Operand"]

Operand: TypeAlias = int | str
_FRAME = ("%buf", "%out", "%constant", "%slot", "%frame", "%in")  # what registers are called that hold addresses
_REGISTER = pattern(r"%[\w.]+")
_DEFINED = pattern(r"^ *(%[\w.]+) =")
_LABEL = pattern(r"label (%[\w.]+)|\[ [^,\]]+, (%[\w.]+) \]")
_FLAGS = r"(?: (?:nsw|nuw|reassoc|nsz|contract|exact|inbounds))*"
_TYPES = [
    (pattern(r"(?:getelementptr|alloca|inttoptr)\b"), "ptr"),
    (pattern(r"[if]cmp\b"), "i1"),
    (pattern(r"load ([^,]+),"), ""),
    (pattern(r"(?:notail )?call (?:[a-z]+ )*?(\{[^}]*\}|\S+) @"), ""),
    (pattern(r"select i1 [^,]+, (\S+) "), ""),
    (pattern(r"phi (\S+) "), ""),
    (pattern(r"\w+ .* to (\S+)$"), ""),
    (pattern(rf"\w+{_FLAGS} (\S+) "), ""),
]


def type_of(instruction: str) -> str:
    """The type of what an instruction gives (of `extractvalue`, of an overflowing operation: the number's)."""
    if instruction.startswith("extractvalue {i64, i1}"):
        return "i64" if instruction.endswith("0") else "i1"
    for form, known in _TYPES:
        found = form.match(instruction)
        if found:
            return known or found.group(1)
    raise AssertionError(instruction)


class Code:
    """Lines of instructions, the block that is open, and fresh names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.prologue: list[str] = []  # of the entry block: what every other block may use
        self.block = "entry"
        self.moment = 0  # grows with every instruction that may touch memory: the time of lifetimes
        self.depth = 0  # of loops around
        self.innermost: tuple[int, frozenset[str]] | None = None  # of them: its first line, and the registers it carries
        self.once = False  # whether it is run once a call
        self._names = 0
        self._types: dict[str, str] = {}
        self._scanned = 0, 0  # lines of the prologue and others whose registers are among them
        self.required: list[str] | None = None  # conditions of what is computed before it is known whether it is needed
        self.late: list[tuple[str, int]] | None = None  # numbers that a loop asks at its end to have been below others
        self.promised: dict[str, str] = {}  # types of registers that are defined later
        self.wider: dict[Operand, str | tuple[str, Operand, Operand]] = {}  # the same in 64 bits, or of what
        self.ranges: dict[Operand, tuple[int, int]] = {}  # what integers in registers are known to lie between
        self._narrowed: list[dict[Operand, tuple[int, int]]] = [{}]
        self._ordered: list[set[tuple[Operand, Operand]]] = [set()]
        self._known: list[dict[tuple[str, Operand, Operand], Operand]] = [{}]

    def fresh(self, hint: str = "v") -> str:
        """A name that nobody has."""
        self._names += 1
        return f"%{hint}{self._names}"

    def do(self, text: str) -> None:
        """An instruction without a result."""
        self.lines.append(f"  {text}")

    def op(self, text: str, hint: str = "v") -> str:
        """An instruction with a result; its register."""
        name = self.fresh(hint)
        self.lines.append(f"  {name} = {text}")
        return name

    def label(self, hint: str) -> str:
        """A name for a block."""
        self._names += 1
        return f"{hint}{self._names}"

    def begin(self, label: str) -> None:
        """Open a block; the one before must have ended."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        """Go to a block."""
        self.do(f"br label %{label}")

    def branch(self, condition: str, then: str, other: str, rarely: bool = False) -> None:
        """Go to one of two blocks; `rarely` to the first."""
        self.do(f"br i1 {condition}, label %{then}, label %{other}{', !prof !1' if rarely else ''}")

    def require(self, condition: str, failure: str, always: bool = False, whole: str = "") -> None:
        """Go on if a condition holds, else to a block. Of what may not be needed it is asked later, unless `always`.

        `whole` is a mark of the branch by which its condition stays in one piece: what it is made of is not foreseen.
        """
        if self.required is not None and not always:
            self.required.append(condition)
            return
        following = self.label("ok")
        self.do(f"br i1 {condition}, label %{following}, label %{failure}, !prof !0{whole}")
        self.begin(following)

    def alloca(self, type: str, hint: str = "slot", align: int = 8) -> str:
        """Memory of a call's own."""
        name = self.fresh(hint)
        self.prologue.append(f"  {name} = alloca {type}, align {align}")
        return name

    def outlined(self, lines: list[str]) -> list[tuple[str, str]]:
        """The registers (with types) that some lines use and others define."""
        text = "\n".join(lines)
        own = {m.group(1) for m in map(_DEFINED.match, lines) if m}
        known = {"%lo", "%hi"} | own | {x for pair in _LABEL.findall(text) for x in pair if x}
        free = dict.fromkeys(r for r in _REGISTER.findall(text) if r not in known)
        return [(r, self.type_of_register(r)) for r in free]

    def varies(self, x: Operand) -> bool:
        """Whether each turn of the innermost loop has another number in a register."""
        if self.innermost is None or isinstance(x, int):
            return False
        first, carried = self.innermost
        return x in carried or any(line.startswith(f"  {x} = ") for line in self.lines[first:])

    def type_of_register(self, name: str) -> str:
        """The type of a register that is defined somewhere before."""
        known = self._types
        if name not in known:
            first, second = self._scanned
            self._note_types((*self.prologue[first:], *self.lines[second:]))
            self._scanned = len(self.prologue), len(self.lines)
        if name not in known and name not in self.promised and not name.startswith(_FRAME):
            self._note_types((*self.prologue, *self.lines))  # it was written into a line that was left open
        return known.get(name) or self._typed_by_name(name)

    def _note_types(self, lines: Iterable[str]) -> None:
        for line in lines:
            found = _DEFINED.match(line)
            if found and found.group(1) not in self._types:
                self._types[found.group(1)] = type_of(line.split(" = ", 1)[1])

    def _typed_by_name(self, name: str) -> str:
        """Registers whose definition is written when the function is complete."""
        if name.startswith(_FRAME):
            return "ptr"
        if name.startswith("%turn"):
            return "i64"
        return self.promised[name]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Sizes computed inside are not known after it: the blocks inside may not have run."""
        self._known.append({})
        self._narrowed.append({})
        self._ordered.append(set())
        try:
            yield
        finally:
            self._known.pop()
            self._narrowed.pop()
            self._ordered.pop()

    @contextmanager
    def counted(self, first: Operand, end: Operand, claims: Callable[[], str] | None = None) -> Iterator[str]:
        """The block below, for each number from one that is not negative to below another, in a scope of its own.

        `claims` is asked after the block for the metadata of the loop.
        """
        head, inside, after = self.label("head"), self.label("each"), self.label("done")
        before = self.block
        self.jump(head)
        self.begin(head)
        i, following = self.fresh("i"), self.fresh("next")
        place = len(self.lines)
        self.lines.append("")
        self.branch(self.op(f"icmp slt i64 {i}, {end}"), inside, after)
        self.begin(inside)
        with self.scope():
            yield i
        self.do(f"{following} = add nuw nsw i64 {i}, 1")
        self.lines[place] = f"  {i} = phi i64 [ {first}, %{before} ], [ {following}, %{self.block} ]"
        said = claims() if claims is not None else ""
        self.do(f"br label %{head}" + (f", !llvm.loop {said}" if said else ""))
        self.begin(after)

    def range_of(self, x: Operand) -> tuple[int, int] | None:
        """The least and the most that an integer may be, if it is known."""
        if isinstance(x, int):
            return x, x
        for narrowed in reversed(self._narrowed):
            if x in narrowed:
                return narrowed[x]
        found = self.ranges.get(x)
        if found is None and x.lstrip("-").isdigit():
            return int(x), int(x)
        return found

    def narrow(self, x: Operand, least: int, most: int) -> None:
        """From here on, as long as the scope lasts, an integer in a register lies between two numbers: it was tested."""
        known = self.range_of(x)
        if not isinstance(x, int):
            self._narrowed[-1][x] = (least, most) if known is None else (max(known[0], least), min(known[1], most))

    def order(self, x: Operand, y: Operand) -> None:
        """From here on, as long as the scope lasts, one integer is at least another: they were compared."""
        self._ordered[-1].add((x, y))

    def is_ordered(self, x: Operand, y: Operand) -> bool:
        """Whether one integer is known to be at least another by having been compared."""
        return any((x, y) in known for known in self._ordered)

    # Arithmetic of sizes

    def _size(self, kind: str, a: Operand, b: Operand) -> Operand:
        key = kind, a, b
        for known in self._known:
            if key in known:
                return known[key]
        self._known[-1][key] = result = self.op(f"{kind} i64 {a}, {b}", "n")
        return result

    def add(self, a: Operand, b: Operand) -> Operand:
        """a + b"""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0 or b == 0:
            return b if a == 0 else a
        return self._size("add nsw", a, b)

    def sub(self, a: Operand, b: Operand) -> Operand:
        """a - b"""
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        return a if b == 0 else self._size("sub nsw", a, b)

    def mul(self, a: Operand, b: Operand) -> Operand:
        """a * b"""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a == 0 or b == 0:
            return 0
        if a == 1 or b == 1:
            return b if a == 1 else a
        return self._size("mul nsw", a, b)

    def product(self, sizes: tuple[Operand, ...]) -> Operand:
        """The product of sizes, rightmost first, so that products of suffixes are shared."""
        total: Operand = 1
        for size in reversed(sizes):
            total = self.mul(size, total)
        return total

    def parts(self, a: Operand, size: int) -> Operand:
        """How many parts of a size there are in a, the last one perhaps smaller."""
        if isinstance(a, int):
            return -(-a // size)
        return a if size == 1 else self.op(f"sdiv i64 {self.add(a, size - 1)}, {size}", "n")

    def at_least(self, a: Operand, low: int) -> Operand:
        """max(a, low)"""
        return (
            max(a, low)
            if isinstance(a, int)
            else self.op(f"call i64 @llvm.smax.i64(i64 {a}, i64 {low})", "n")
        )

    def at_most(self, a: Operand, high: Operand) -> Operand:
        """min(a, high)"""
        if isinstance(a, int) and isinstance(high, int):
            return min(a, high)
        return self.op(f"call i64 @llvm.smin.i64(i64 {a}, i64 {high})", "n")

    def choose(self, condition: str, a: Operand, b: Operand) -> Operand:
        """a if condition else b"""
        return a if a == b else self.op(f"select i1 {condition}, i64 {a}, i64 {b}", "n")

    def strides(self, sizes: tuple[Operand, ...]) -> tuple[Operand, ...]:
        """Strides, in elements, of a C-contiguous array."""
        out: list[Operand] = []
        total: Operand = 1
        for size in reversed(sizes):
            out.append(total)
            total = self.mul(size, total)
        return tuple(reversed(out))
