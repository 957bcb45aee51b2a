"""Innermost loops over elements, written with explicit vectors instead of left to LLVM's vectoriser.

A body that is one straight line of arithmetic on elements that lie next to each other needs no analysis: each instruction
becomes the same one of vectors, and what is left over at the end is done with a mask. LLVM's own way to the same code, by
plans for every width and a pipeline that cleans up after it, takes several times as long as all else about a small program.
Whatever is not plain (`None` of `widened`) stays for LLVM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from runtime.backends.native.lower.processor import masks_bytes
from runtime.backends.native.lower.types import is_float, is_signed
from runtime.typesys.late import pattern

__all__ = ["ONE_BY_ONE", "OURS", "Sum", "Wide", "parse"]

OURS = " ; of a nest"  # ends the branch back of a loop for which LLVM needs no passes
ONE_BY_ONE = " ; one by one"  # likewise of one whose turns cannot be vectors, but whose instructions LLVM may better
HEAVY = 40  # instructions of a body from which on it stands there once, always with a mask
_FARTHEST = 1 << 24  # elements from one that is gathered to the next
_WHOLE = 8  # elements up to which rows are read whole, and their elements picked out of vectors
_CALLED = 25  # instructions that a call of the mathematical library counts for
_T = r"(float|double|i\d+)"
_BITS = {"float": 32, "double": 64}
_FORMS = {
    "binary": pattern(rf"  (%\S+) = (\w+(?: [a-z]+)*) {_T} ([^,]+), (\S+)$"),
    "address": pattern(r"  (%\S+) = getelementptr inbounds (\w+), ptr (\S+), i64 (\S+)$"),
    "load": pattern(rf"  (%\S+) = load {_T}, ptr (%[\w.]+)(?:, !.*)?$"),
    "store": pattern(rf"  store {_T} ([^,]+), ptr (%[\w.]+)(?:, !.*)?$"),
    "call": pattern(rf"  (%\S+) = call((?: [a-z]+)*?) {_T} @([\w.]+)\((.*)\)$"),
    "select": pattern(rf"  (%\S+) = select i1 ([^,]+), {_T} ([^,]+), \S+ (\S+)$"),
    "cast": pattern(rf"  (%\S+) = (\w+) {_T} (\S+) to {_T}$"),
    "negation": pattern(rf"  (%\S+) = (fneg(?: [a-z]+)*) {_T} (\S+)$"),
}
# By instruction. Those that trap are not among them: masked elements are zeros.
_FORM_OF = {
    **dict.fromkeys("fadd fsub fmul fdiv add sub mul and or xor shl lshr ashr icmp fcmp".split(), "binary"),
    **dict.fromkeys("sitofp uitofp fptosi fptoui zext sext trunc fpext fptrunc bitcast".split(), "cast"),
    "getelementptr": "address", "load": "load", "call": "call", "select": "select", "fneg": "negation",
}
# Intrinsics of one type, whose name ends with it.
_PLAIN = frozenset(
    "fabs sqrt fma fmuladd floor ceil trunc rint nearbyint roundeven copysign maximum minimum maxnum minnum "
    "smax smin umax umin".split()
)


class Sum(NamedTuple):
    """What a loop accumulates in memory of its own: the kind of reduction, the code of its numbers, where it starts."""

    kind: str
    code: str
    start: str


class _Step(NamedTuple):
    """One instruction, taken apart."""

    form: str
    parts: tuple[str, ...]
    vector: bool  # whether it differs from element to element, otherwise than by one


class Wide(NamedTuple):
    """A body that can be made one of vectors.

    steps     its instructions
    first     those that are the same for all elements
    paces     registers that grow evenly from element to element, and by how much
    varied    registers that hold something else for each element
    lanes     elements of a vector
    weight    rough number of instructions
    rows      places, by register, of elements of short rows that are read whole: the row's array, the register and the
              number that tell where the first row begins, and which of a row's elements it is
    """

    steps: list[_Step]
    first: list[str]
    paces: dict[str, int]
    varied: frozenset[str]
    lanes: int
    weight: int
    rows: dict[str, tuple[str, str, int, int]]

    @property
    def gathers(self) -> bool:
        """Whether elements are read that lie apart, other than those of short rows."""
        loads = (s.parts[2] for s in self.steps if s.form == "load" and s.vector)
        return any(self.paces.get(at, 1) != 1 and at not in self.rows for at in loads)


def bits_of(kind: str) -> int:
    """Bits of a number of LLVM's."""
    return _BITS.get(kind) or int(kind[1:])


def parse(lines: Sequence[str], index: str, slots: frozenset[str], size: int) -> Wide | None:
    """Take the body of a loop apart; None where vectors of it are not plainly written.

    Args:
      lines: the body.
      index: the register that counts.
      slots: registers that point at what is accumulated.
      size: bytes of a vector.
    """
    steps: list[_Step] = []
    first: list[str] = []
    paces = {index: 1}
    origins = {index: (index, 0)}  # what a number that grows evenly is more than, and by how much
    spots: dict[str, tuple[str, str, str, int]] = {}  # places: the type, the array, and the number's origin
    varied: set[str] = set()
    hoisted: set[str] = set()
    own: set[str] = set()
    scattered: set[str] = set()  # places of gathered elements
    weight, widest = 0, 32
    for line in lines:
        form, found = _form(line)
        if found is None:
            return None
        parts = found.groups()
        used = [x for x in _operands(form, parts) if x.startswith("%")]
        into = "" if form == "store" else parts[0]
        if form == "load" and parts[2] in slots:
            kind, vector = parts[1], True
        elif form == "store" and parts[2] in slots:
            kind, vector = parts[0], True
        elif form == "address":
            if parts[2] in own:
                return None
            kind, vector = "", parts[3] in varied
            if parts[3] in paces:
                paces[into] = paces[parts[3]]
                spots[into] = (parts[1], parts[2], *origins[parts[3]])
            elif vector:
                scattered.add(into)
        elif form == "load":
            vector = parts[2] in paces or parts[2] in scattered
            kind = parts[1] if vector else ""
            if vector and paces.get(parts[2]) != 1 and bits_of(kind) < 32:
                return None
        elif form == "store":
            if paces.get(parts[2]) != 1:
                return None
            kind, vector = parts[0], True
        elif form == "binary" and (pace := _pace_of(parts, paces, varied)):
            paces[into] = pace
            origins[into] = _origin_of(parts, origins) or (into, 0)
            kind, vector = "", False
        else:
            vector = any(x in varied or x in paces for x in used)
            kind = _widest_of(form, parts)
            if form == "call" and not _widens(parts):
                return None
            if not vector and form == "call" and "@ag_" in line:
                return None
        if into:
            own.add(into)
        if vector:
            if into:
                varied.add(into)
            widest = max(widest, 64 if form == "address" else bits_of(kind))
            if form in ("load", "store") and kind in ("i8", "i16") and not masks_bytes():
                return None
            far = form in ("load", "store") and paces.get(parts[2], 1) != 1
            weight += 4 if form == "address" or far else _CALLED if form == "call" and "@ag_" in line else 1
        elif into not in paces and form != "load" and all(x not in own or x in hoisted for x in used):
            hoisted.add(into)
            first.append(line)
            continue
        steps.append(_Step(form, parts, vector))
    if not any(step.vector for step in steps) or 8 * size // widest < 4:
        return None
    return Wide(steps, first, paces, frozenset(varied), 8 * size // widest, weight, _rows(steps, paces, spots))


def _origin_of(parts: tuple[str, ...], origins: dict[str, tuple[str, int]]) -> tuple[str, int] | None:
    """What a sum with a number is more than, and by how much."""
    _, name, _, a, b = parts
    known, more = (a, b) if a in origins else (b, a)
    if name.split()[0] != "add" or known not in origins or not more.lstrip("-").isdigit():
        return None
    origin, before = origins[known]
    return origin, before + int(more)


def _rows(
    steps: list[_Step], paces: dict[str, int], spots: dict[str, tuple[str, str, str, int]]
) -> dict[str, tuple[str, str, int, int]]:
    """Places whose loads are, together, all of short rows that lie one after another."""
    found: dict[tuple[str, str, str, int], dict[str, int]] = {}
    for step in steps:
        at = step.parts[2] if step.form == "load" else ""
        if 2 <= paces.get(at, 1) <= _WHOLE and at in spots and spots[at][0] == step.parts[1]:
            kind, array, origin, number = spots[at]
            found.setdefault((kind, array, origin, paces[at]), {})[at] = number
    rows: dict[str, tuple[str, str, int, int]] = {}
    for (_, array, origin, pace), places in found.items():
        begin = min(places.values())
        if set(places.values()) == set(range(begin, begin + pace)):
            rows.update({at: (array, origin, begin, number - begin) for at, number in places.items()})
    return rows


def _form(line: str) -> tuple[str, re.Match[str] | None]:
    words = line.split(None, 3)
    form = "store" if words[0] == "store" else _FORM_OF.get(words[2], "") if len(words) > 3 else ""
    return form, _FORMS[form].match(line) if form else None


def _operands(form: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    if form == "call":
        return tuple(a.split()[-1] for a in parts[4].split(", ")) if parts[4] else ()
    if form == "store":
        return parts[1:]
    return tuple(x for x in parts[1:] if x.startswith("%"))


def _widest_of(form: str, parts: tuple[str, ...]) -> str:
    return max(parts[2], parts[4], key=bits_of) if form == "cast" else parts[2]


def _pace_of(parts: tuple[str, ...], paces: dict[str, int], varied: set[str]) -> int:
    """By how much a number grows evenly from element to element; 0 where it does not, or nobody knows."""
    _, name, kind, a, b = parts
    if kind != "i64" or a in varied or b in varied:
        return 0
    name, mine, other = name.split()[0], paces.get(a, 0), paces.get(b, 0)
    if name == "mul":
        factor = a if other else b
        return (mine or other) * int(factor) if factor.lstrip("-").isdigit() and abs(int(factor)) < _FARTHEST else 0
    return mine + other if name == "add" else mine - other if name == "sub" and mine > other else 0


def _widens(parts: tuple[str, ...]) -> bool:
    """Whether a call has a form for vectors: of the mathematical library, or an intrinsic of one type."""
    _, _, kind, name, arguments = parts
    if any(a.split()[0] != kind for a in arguments.split(", ")):
        return False
    if name.startswith("ag_"):
        return re.fullmatch(r"ag_\w+_f(32|64)", name) is not None
    family, _, suffix = name.removeprefix("llvm.").partition(".")
    return family in _PLAIN and suffix in ("f32", "f64", kind)


def _taken(step: _Step) -> list[tuple[str, str]]:
    """The operands that an instruction takes as vectors, with types."""
    form, parts = step.form, step.parts
    if not step.vector or form in ("load", "address"):
        return []
    if form in ("binary", "select"):
        return [(parts[2], parts[3]), (parts[2], parts[4])]
    if form == "call":
        return [(parts[2], a.split()[-1]) for a in parts[4].split(", ")]
    return [(parts[0], parts[1])] if form == "store" else [(parts[2], parts[3])]


class Writer:
    """Writes copies of a body in vectors.

    Args:
      wide: the body.
      index: its register that counts.
      sums: what it accumulates, by the register that points at it.
      fresh: gives names that nobody has.
      declare: what to say of an intrinsic.
      vectors: what to say of a function of the mathematical library (name without lanes, lanes).
    """

    def __init__(
        self, wide: Wide, index: str, sums: dict[str, Sum], fresh: Callable[[str], str], declare: Callable[[str], None],
        vectors: Callable[[str, int], None],
    ) -> None:  # fmt: skip
        self.wide, self.index, self.sums = wide, index, sums
        self.fresh, self.declare, self.vectors = fresh, declare, vectors
        self.lines: list[str] = []
        self._names: dict[str, str] = {}
        self._wide: dict[tuple[str, str], str] = {}
        self._before: dict[tuple[str, str], str] = {}  # of numbers from before the loop
        self._read: dict[tuple[str, str, str, int], list[str]] = {}  # vectors of rows
        # How many elements masks leave where the register (or, without one, always) does not say that all are there.
        self.rest: tuple[str, int] | None = None

    def spread(self) -> None:
        """Before the loop: numbers that all its elements take, in all lanes."""
        made = {step.parts[0] for step in self.wide.steps if step.form != "store"} | {self.index}
        for step in self.wide.steps:
            for kind, x in _taken(step):
                if x.startswith("%") and x not in made and x not in self.wide.paces and (kind, x) not in self._before:
                    self._before[kind, x] = self.splat(kind, x)

    def narrowed(self, lanes: int) -> Writer:
        """One that writes shorter vectors to the same lines."""
        made = Writer(self.wide._replace(lanes=lanes), self.index, self.sums, self.fresh, self.declare, self.vectors)
        made.lines = self.lines
        return made

    def type(self, kind: str) -> str:
        """The type of a vector."""
        return f"<{self.wide.lanes} x {kind}>"

    def op(self, text: str, hint: str = "w") -> str:
        """An instruction with a result."""
        name = self.fresh(hint)
        self.lines.append(f"  {name} = {text}")
        return name

    def splat(self, kind: str, x: str) -> str:
        """One number in all lanes."""
        v = self.type(kind)
        if x.startswith("0x") and self.wide.lanes > 8:  # the text of them all is several times as long, and read slowly
            first = f"insertelement ({v} poison, {kind} {x}, i32 0)"
            return f"shufflevector ({v} {first}, {v} poison, <{self.wide.lanes} x i32> zeroinitializer)"
        if not x.startswith("%"):
            return f"<{', '.join([f'{kind} {x}'] * self.wide.lanes)}>"
        one = self.op(f"insertelement {v} poison, {kind} {x}, i32 0")
        return self.op(f"shufflevector {v} {one}, {v} poison, <{self.wide.lanes} x i32> zeroinitializer")

    def copy(self, index: str, mask: str, places: dict[str, str]) -> None:
        """The body for the elements from one on.

        Args:
          index: the first element.
          mask: which of them there are; "" where all are.
          places: where the copy accumulates.
        """
        self._names, self._wide, self._read = {self.index: index}, {}, {}
        for step in self.wide.steps:
            self._write(step, mask, places)

    def _scalar(self, x: str) -> str:
        return self._names.get(x, x)

    def _vector(self, kind: str, x: str) -> str:
        """An operand as a vector."""
        if x in self.wide.varied:
            return self._names[x]
        key = kind, x
        if key in self._before:
            return self._before[key]
        if key not in self._wide:
            v = self.splat(kind, self._scalar(x))
            if x in self.wide.paces:
                counts = ", ".join(f"{kind} {k * self.wide.paces[x]}" for k in range(self.wide.lanes))
                v = self.op(f"add {self.type(kind)} {v}, <{counts}>")
            self._wide[key] = v
        return self._wide[key]

    def _write(self, step: _Step, mask: str, places: dict[str, str]) -> None:
        form, parts = step.form, step.parts
        if form == "store":
            self._store(parts, mask, places)
            return
        self._names[parts[0]] = getattr(self, f"_{form}")(step, mask, places)

    def _store(self, parts: tuple[str, ...], mask: str, places: dict[str, str]) -> None:
        kind, x, to = parts
        v = self.type(kind)
        if to in places:
            value = self._vector(kind, x)
            if mask:
                before = self.op(f"load {v}, ptr {places[to]}")
                value = self.op(f"select <{self.wide.lanes} x i1> {mask}, {v} {value}, {v} {before}")
            self.lines.append(f"  store {v} {value}, ptr {places[to]}")
            return
        value, to, align = self._vector(kind, x), self._scalar(to), bits_of(kind) // 8
        if not mask:
            self.lines.append(f"  store {v} {value}, ptr {to}, align {align}")
            return
        name, masks = f"@llvm.masked.store.v{self.wide.lanes}{_letter(kind)}.p0", f"<{self.wide.lanes} x i1>"
        self.declare(f"declare void {name}({v}, ptr, i32, {masks})")
        self.lines.append(f"  call void {name}({v} {value}, ptr {to}, i32 {align}, {masks} {mask})")

    def _load(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, kind, at = step.parts
        v = self.type(kind)
        if at in places:
            return self.op(f"load {v}, ptr {places[at]}")
        if at in self.wide.varied:
            return self._gather(kind, self._names[at], mask)
        pace = self.wide.paces.get(at, 1)
        if at in self.wide.rows and not (mask and self.rest is None):
            return self._picked(kind, pace, self.wide.rows[at], mask)
        at = self._scalar(at)
        if not step.vector:
            return self.op(f"load {kind}, ptr {at}")
        if pace != 1:
            return self._gather(kind, self._apart(kind, at, pace), mask)
        return self._side_by_side(kind, at, mask)

    def _side_by_side(self, kind: str, at: str, mask: str) -> str:
        """Elements from a place on."""
        v, align = self.type(kind), bits_of(kind) // 8
        if not mask:
            return self.op(f"load {v}, ptr {at}, align {align}")
        name, masks = f"@llvm.masked.load.v{self.wide.lanes}{_letter(kind)}.p0", f"<{self.wide.lanes} x i1>"
        self.declare(f"declare {v} {name}(ptr, i32, {masks}, {v})")
        return self.op(f"call {v} {name}(ptr {at}, i32 {align}, {masks} {mask}, {v} zeroinitializer)")

    def _picked(self, kind: str, pace: int, row: tuple[str, str, int, int], mask: str) -> str:
        """An element of each of some short rows, which are read whole."""
        array, origin, begin, k = row
        v, lanes = self.type(kind), self.wide.lanes
        key = kind, array, origin, begin
        if key not in self._read:
            first = self.op(f"getelementptr inbounds {kind}, ptr {self._scalar(array)}, i64 {self._scalar(origin)}", "p")
            self._read[key] = [
                self._side_by_side(
                    kind,
                    self.op(f"getelementptr {kind}, ptr {first}, i64 {begin + j * lanes}", "p"),
                    self._mask_of(pace, j) if mask else "",
                )
                for j in range(pace)
            ]
        out = ""
        for j, part in enumerate(self._read[key]):
            wanted = [divmod(lane * pace + k, lanes) for lane in range(lanes)]
            if any(which == j for which, _ in wanted):
                # Lanes of vectors before this are there already; those of later ones are not yet anything.
                chosen = [
                    f"i32 {lanes + at if which == j else lane}" if which <= j else "i32 poison"
                    for lane, (which, at) in enumerate(wanted)
                ]
                out = self.op(f"shufflevector {v} {out or 'poison'}, {v} {part}, <{lanes} x i32> <{', '.join(chosen)}>")
        return out

    def _mask_of(self, pace: int, j: int) -> str:
        """Which elements of the j-th vector belong to rows that there are."""
        assert self.rest is not None
        (full, left), lanes = self.rest, self.wide.lanes
        there = min(max(left * pace - j * lanes, 0), lanes)
        bits = -1 if there == lanes else (1 << there) - 1
        chosen = self.op(f"select i1 {full}, i{lanes} -1, i{lanes} {bits}") if full else str(bits)
        return self.op(f"bitcast i{lanes} {chosen} to <{lanes} x i1>")

    def _gather(self, kind: str, places: str, mask: str) -> str:
        """Elements from many places."""
        v, lanes, align = self.type(kind), self.wide.lanes, bits_of(kind) // 8
        name, pointers, masks = f"@llvm.masked.gather.v{lanes}{_letter(kind)}.v{lanes}p0", self.type("ptr"), self.type("i1")
        self.declare(f"declare {v} {name}({pointers}, i32, {masks}, {v})")
        chosen = mask or self.splat("i1", "true")
        return self.op(f"call {v} {name}({pointers} {places}, i32 {align}, {masks} {chosen}, {v} zeroinitializer)")

    def _apart(self, kind: str, first: str, pace: int) -> str:
        """The places of elements that are so far apart."""
        numbers = ", ".join(f"i32 {k * pace}" for k in range(self.wide.lanes))
        return self.op(f"getelementptr inbounds {kind}, ptr {first}, <{self.wide.lanes} x i32> <{numbers}>", "p")

    def _address(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, kind, at, by = step.parts
        if step.vector:
            indices = f"<{self.wide.lanes} x i64> {self._vector('i64', by)}"
            return self.op(f"getelementptr inbounds {kind}, ptr {self._scalar(at)}, {indices}", "p")
        return self.op(f"getelementptr inbounds {kind}, ptr {self._scalar(at)}, i64 {self._scalar(by)}", "p")

    def _binary(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, name, kind, a, b = step.parts
        if not step.vector:
            return self.op(f"{name} {kind} {self._scalar(a)}, {self._scalar(b)}")
        return self.op(f"{name} {self.type(kind)} {self._vector(kind, a)}, {self._vector(kind, b)}")

    def _negation(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, name, kind, a = step.parts
        if not step.vector:
            return self.op(f"{name} {kind} {self._scalar(a)}")
        return self.op(f"{name} {self.type(kind)} {self._vector(kind, a)}")

    def _select(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, c, kind, a, b = step.parts
        if not step.vector:
            return self.op(f"select i1 {self._scalar(c)}, {kind} {self._scalar(a)}, {kind} {self._scalar(b)}")
        v = self.type(kind)
        chosen = f"<{self.wide.lanes} x i1> {self._vector('i1', c)}" if c in self.wide.varied else f"i1 {self._scalar(c)}"
        return self.op(f"select {chosen}, {v} {self._vector(kind, a)}, {v} {self._vector(kind, b)}")

    def _cast(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, name, kind, a, to = step.parts
        if not step.vector:
            return self.op(f"{name} {kind} {self._scalar(a)} to {to}")
        return self.op(f"{name} {self.type(kind)} {self._vector(kind, a)} to {self.type(to)}")

    def _call(self, step: _Step, mask: str, places: dict[str, str]) -> str:
        _, flags, kind, name, arguments = step.parts
        given = [a.split()[-1] for a in arguments.split(", ")]
        if not step.vector:
            return self.op(f"call{flags} {kind} @{name}({', '.join(f'{kind} {self._scalar(x)}' for x in given)})")
        v, lanes = self.type(kind), self.wide.lanes
        if name.startswith("ag_"):
            self.vectors(name, lanes)
            name = f"{name}_x{lanes}"
        else:
            name = f"{name.rpartition('.')[0]}.v{lanes}{_letter(kind)}"
            self.declare(f"declare {v} @{name}({', '.join([v] * len(given))})")
        return self.op(f"call{flags} {v} @{name}({', '.join(f'{v} {self._vector(kind, x)}' for x in given)})")

    # What is accumulated

    def joined(self, total: Sum, a: str, b: str, kind: str, vectors: bool = True) -> str:
        """Two parts of a reduction as one."""
        v = self.type(kind) if vectors else kind
        word = {"sum": "add", "prod": "mul", "any": "or", "all": "and"}.get(total.kind)
        if word is not None:
            word = f"f{word} reassoc nsz contract" if is_float(total.code) else word
            return self.op(f"{word} {v} {a}, {b}")
        name = f"@llvm.{_extreme(total)}.{f'v{self.wide.lanes}' if vectors else ''}{_letter(kind)}"
        self.declare(f"declare {v} {name}({v}, {v})")
        return self.op(f"call {v} {name}({v} {a}, {v} {b})")

    def reduced(self, total: Sum, x: str, kind: str) -> str:
        """The lanes of a vector as one number."""
        word = {"sum": "add", "prod": "mul", "any": "or", "all": "and"}.get(total.kind)
        v = self.type(kind)
        if word is None:
            word = f"f{_extreme(total)}" if is_float(total.code) else _extreme(total)
        elif is_float(total.code):
            name = f"@llvm.vector.reduce.f{word}.v{self.wide.lanes}{_letter(kind)}"
            self.declare(f"declare {kind} {name}({kind}, {v})")
            return self.op(f"call reassoc nsz contract {kind} {name}({kind} {total.start}, {v} {x})")
        name = f"@llvm.vector.reduce.{word}.v{self.wide.lanes}{_letter(kind)}"
        self.declare(f"declare {kind} {name}({v})")
        return self.op(f"call {kind} {name}({v} {x})")


def _extreme(total: Sum) -> str:
    if is_float(total.code):
        return f"{total.kind}imum"
    return f"{'s' if is_signed(total.code) else 'u'}{total.kind}"


def _letter(kind: str) -> str:
    return {"float": "f32", "double": "f64"}.get(kind, kind)
