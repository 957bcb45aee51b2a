"""Loop nests over rows: reductions along the last axes and what is made of them, while a row is in the cache.

`x - max`, `exp`, `sum`, `divide`: a softmax is four passes over one row each, instead of over the whole. The outer loops
go over rows; inside, one loop after the other (*stages*) goes along the row. What a stage's loops reduce to are numbers
in registers for the next. What several stages need and costs much is kept in a *scratch* as large as a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Protocol

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.exprs import (
    HEAVY,
    Affine,
    Const,
    Deferred,
    Expr,
    Frame,
    Gather,
    IndexMap,
    Load,
    Map,
    Resolver,
    Row,
)
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.nests import Host, Nest
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import MEMORY, SIZE

__all__ = ["Rows", "kept_by", "plan", "reaches"]

LONGEST = 65_536  # elements of a row that is dealt with while it is in the cache
ALONE = 16_384  # of the only row, which threads could not share
LOADED = 2  # cost of an element from memory, beside HEAVY
DEAR = 6  # cost from which on what lies in the first cache is better kept than evaluated again
SHORT = 32  # below, functions of the row's elements are computed for many rows at once
ON_STACK = 32 * 1024  # bytes of scratch on the stack of a thread, which may be the caller's (stack.py)


class Rows:
    """What one nest over rows makes: `group` in memory, by `exprs`; `reduced` in registers for the row at hand."""

    def __init__(
        self,
        frame: Frame,
        group: list[Deferred],
        exprs: list[Expr],
        reduced: list[tuple[Row, Deferred, Expr]],
        resolver: Resolver,
    ) -> None:
        self.frame = frame
        self.group = group
        self.exprs = exprs
        self.reduced = reduced
        self.resolver = resolver

    def root(self, g: Deferred, expr: Expr, made: Array) -> Root:
        """What the nest does for one of the group."""
        frame, rank = self.frame, len(self.frame.sizes)
        found = next((row for row, d, _ in self.reduced if d is g), None)
        if found is not None:
            expr, kind, over, axes = found, "store", g.sizes, ()
        elif g.reduce is None:
            kind, over, axes = "store", g.sizes, ()
        else:
            kind, over, axes, keepdims = g.reduce
        if kind == "store":
            strides: list[Operand] = list(made.strides)
        else:
            rest = iter(made.strides)
            strides = []
            for axis in range(len(over)):
                step = next(rest) if keepdims or axis not in axes else 0
                strides.append(0 if axis in axes else step)
        row = frame.place(over) != frame.whole
        if row:
            strides = strides[: frame.width] + [0] * frame.inner
        root = Root(expr, made, (*strides, *(0,) * (rank - len(strides))), kind)
        root.row = row
        return root

    def emit(self, host: Host, roots: list[Root]) -> None:
        """Write the loops."""
        RowNest(host, self.frame, roots, self.reduced).emit()


class Waiting(Protocol):
    """The deferred arrays that a nest may join: what planning one looks at."""

    code: Code
    pending: list[Deferred]
    busy: list[Deferred]

    @property
    def children(self) -> dict[Deferred, list[Deferred]]:
        """The deferred arrays that an expression refers to."""
        ...

    def materialize(self, d: Deferred) -> None:
        """Bring one into memory."""
        ...

    def users_among(self, inside: set[Deferred]) -> Counter[Deferred]:
        """By how many of some arrays each is used."""
        ...


def plan(ctx: Waiting, d: Deferred) -> Rows | None:
    """A nest over rows that brings a deferred array into memory; None where it is made of no reductions of rows.

    What it needs beforehand is in memory then.
    """
    refused: set[Deferred] = set()
    more: list[Deferred] = []
    while True:
        below = _below(ctx, d)
        frame = _frame(d, below)
        if frame is None:
            return None
        apart = next((c for c in below if _rows_of(c) != frame), None)
        if apart is not None:
            ctx.materialize(apart)
            continue
        needed = dict.fromkeys(below)
        group = [d]
        for other in dict.fromkeys((*ctx.pending, *more)):
            if other.done or other in ctx.busy or other in refused or _place(frame, other) is None:
                continue
            deep = _below(ctx, other)
            if all(_rows_of(c) == frame for c in deep):
                group.append(other)
                needed |= dict.fromkeys(deep)
        needed |= dict.fromkeys(g for g in group if _rows_of(g) == frame)
        rows = {c: Row(c.code) for c in needed}
        resolver = Resolver(ctx.code, len(frame.sizes), frame, rows)
        reduced = [(rows[c], c, resolver(_of(c), frame.whole)) for c in needed]
        exprs: list[Expr] = []
        for g in group:
            place = _place(frame, g)
            assert place is not None
            exprs.append(rows[g] if g in rows else resolver(_of(g), place))
        kept: list[Deferred] = []
        misplaced = resolver.blocked
        if misplaced is None:
            misplaced, kept = kept_by(ctx, resolver, group, frame, [c for _, c, _ in reduced])
        if misplaced is not None:
            leaving = {g for g in group if g is not d and reaches(ctx, g, misplaced)}
            if leaving or len(group) > 1:  # it is perhaps not for `d` that it is needed
                refused |= leaving or set(group[1:])
            else:
                ctx.materialize(misplaced)
            continue
        kept = [m for m in kept if m not in refused and m not in more]
        if kept:
            more += kept
            continue
        if _short(frame) and any(_is_heavy(e) for e in (*exprs, *(e for _, _, e in reduced))):
            return None
        _number(reduced)
        return Rows(frame, group, exprs, reduced, resolver)


def _of(d: Deferred) -> Expr:
    assert d.expr is not None
    return d.expr


def _below(ctx: Waiting, d: Deferred) -> list[Deferred]:
    """The reductions that an array is made of and which are not in memory, inner ones first."""
    out: dict[Deferred, None] = {}
    seen: set[Deferred] = set()
    todo: list[tuple[Deferred, bool]] = [(d, False)]
    while todo:
        at, after = todo.pop()
        if after:
            if at.reduce is not None and at is not d:
                out[at] = None
        elif at not in seen:
            seen.add(at)
            todo.append((at, True))
            todo += [(child, False) for child in ctx.children.get(at, ()) if not child.done]
    return list(out)


def _rows_of(d: Deferred) -> Frame | None:
    """The rows that a reduction reduces, where they fit into the cache."""
    if d.reduce is None:
        return None
    kind, sizes, axes, _ = d.reduce
    width = len(sizes) - len(axes)
    if kind.startswith("arg") or tuple(axes) != tuple(range(width, len(sizes))):
        return None
    frame = Frame(sizes, width)
    length, count = 1, 1
    for i, n in enumerate(sizes):
        if not isinstance(n, int):
            if width == 0:
                return None
            continue
        if i < width:
            count *= n
        else:
            length *= n
    return frame if length <= (ALONE if width == 0 or count == 1 else LONGEST) else None


def _short(frame: Frame) -> bool:
    length = 1
    for n in frame.sizes[frame.width :]:
        if not isinstance(n, int):
            return False
        length *= n
    return length < SHORT and frame.width > 0


def _is_heavy(expr: Expr) -> bool:
    """Whether some operation of an expression pays for vectors above all."""
    todo, seen = [expr], set()
    while todo:
        at = todo.pop()
        if id(at) not in seen:
            seen.add(id(at))
            if isinstance(at, Map) and at.cost >= HEAVY:
                return True
            todo += _parts(at)
    return False


def _place(frame: Frame, d: Deferred) -> IndexMap | None:
    over = d.sizes if d.reduce is None else d.reduce[1]
    place = frame.place(over)
    if d.reduce is not None and d.reduce[0].startswith("arg") and place != frame.whole:
        return None
    return place


def _frame(d: Deferred, below: list[Deferred]) -> Frame | None:
    for c in reversed(below):
        frame = _rows_of(c)
        if frame is not None and _place(frame, d) is not None:
            return frame
    return None


def kept_by(
    ctx: Waiting, resolver: Resolver, group: list[Deferred], frame: Frame, reduced: Iterable[Deferred] = ()
) -> tuple[Deferred | None, list[Deferred]]:
    """What has to be in memory before the loops; where nothing has to, what they also store as it is needed again."""
    users = ctx.users_among({*resolver.members, *group, *reduced})
    out = []
    for member, maps in resolver.members.items():
        if member in group or (member.reduce is None and member.weight < HEAVY):
            continue
        placed = all(frame.fits(at, member.sizes) for at in maps)
        if not placed and (len(maps) > 1 or member.sizes != frame.sizes):
            return member, []
        if member.left > users[member] and placed:
            out.append(member)
    return None, out


def reaches(ctx: Waiting, d: Deferred, member: Deferred) -> bool:
    """Whether an array is made of another, or is that."""
    todo, seen = [d], set()
    while todo:
        at = todo.pop()
        if at is member:
            return True
        if at not in seen:
            seen.add(at)
            todo += [c for c in ctx.children.get(at, ()) if not c.done]
    return False


def _number(reduced: list[tuple[Row, Deferred, Expr]]) -> None:
    """Stages: each reduction's is one after those it needs."""
    known: dict[int, int] = {}
    for row, _, expr in reduced:
        row.stage = _stage(expr, known)


def _stage(expr: Expr, known: dict[int, int]) -> int:
    """The first stage in which an expression has a value."""
    if isinstance(expr, Row):
        return expr.stage + 1
    found = known.get(id(expr))
    if found is None:
        found = known[id(expr)] = max((_stage(part, known) for part in _parts(expr)), default=0)
    return found


def _parts(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Map):
        return expr.children
    return tuple(part for part, _ in expr.at) if isinstance(expr, Gather) else ()


class RowNest(Nest):
    """Loops over rows, and in them one loop along the row for each stage."""

    def __init__(
        self, host: Host, frame: Frame, roots: list[Root], reduced: list[tuple[Row, Deferred, Expr]]
    ) -> None:
        super().__init__(host, frame.sizes, roots)
        self.fence = frame.width
        self._rows: list[tuple[Row, Root]] = []
        for row, d, expr in reduced:
            assert d.reduce is not None
            nowhere = Array("null", d.code, (), (), frozenset())
            self._rows.append((row, Root(expr, nowhere, (0,) * len(frame.sizes), d.reduce[0])))
        self._last = max(row.stage for row, _ in self._rows)
        known: dict[int, int] = {}
        for root in roots:
            if not root.row:
                self._last = max(self._last, _stage(root.expr, known))
        for root in roots:
            reduces = not root.row and root.kind != "store" and not root.kind.startswith("arg")
            if reduces and not any(s != 0 for s in root.strides[self.fence :]):
                self._by_rows(root)
        self._stage = -1  # that is being written; -1 outside
        self._now: list[Root] = []
        self._hoisted: dict[int, Scalar] = {}  # of the row at hand
        self._constant: dict[int, bool] = {}
        self._scratch: dict[int, tuple[int, Expr]] = {}  # first stage, and what is kept for later ones
        self._near = False
        self._places: dict[int, tuple[Array, tuple[Operand, ...]]] = {}

    def _by_rows(self, root: Root) -> None:
        """Reduce over each row first, then over the rows: sums of many numbers are more exact that way."""
        row = Row(root.target.code)
        row.stage = self._last
        nowhere = Array("null", row.code, (), (), frozenset())
        self._rows.append((row, Root(root.expr, nowhere, (0,) * len(self.sizes), root.kind)))
        root.expr, root.row = row, True

    def _all(self) -> list[Root]:
        return [*self.roots, *(root for _, root in self._rows)]

    def _worth_threads(self) -> bool:
        return self.fence > 0 and super()._worth_threads()

    def _stage_roots(self, stage: int) -> list[Root]:
        mine = [root for row, root in self._rows if row.stage == stage]
        return mine + [r for r in self.roots if not r.row] if stage == self._last else mine

    # Scratch

    def _make_room(self, threads: bool) -> None:
        for _, root in self._rows:
            root.level = self.fence
        length = self.code.product(tuple(self.sizes[self.fence :]))
        self._near = isinstance(length, int) and SHORT <= length <= 4096
        first: dict[int, int] = {}
        for stage in range(self._last + 1):
            seen: set[int] = set()
            for root in self._stage_roots(stage):
                self._keep(root.expr, stage, first, seen)
        inner = tuple(self.sizes[self.fence :])
        count = self.code.product(inner)
        total = sum(SIZE[expr.code] for _, expr in self._scratch.values())
        on_stack = threads and isinstance(count, int) and count * total <= ON_STACK
        for key, (_, expr) in self._scratch.items():
            if on_stack:
                self._places[key] = Array("", expr.code, inner, (), frozenset()), self.code.strides(inner)
                continue
            outside = self.sizes[self._window is not None : self.fence]
            if not threads:
                outside = []
            array = self.host.allocate(expr.code, (*outside, *inner))
            steps = (*(0,) * (self.fence - len(outside)), *array.strides)
            self._places[key] = array, steps
            self.memory.touch(array.buffers)

    def _keep(self, expr: Expr, stage: int, first: dict[int, int], seen: set[int]) -> None:
        """Find what several stages evaluate and costs much."""
        if id(expr) in seen or self._is_constant(expr) or id(expr) in self._scratch:
            return
        seen.add(id(expr))
        if first.setdefault(id(expr), stage) < stage and self._is_dear(expr):
            self._scratch[id(expr)] = first[id(expr)], expr
            return
        for part in _parts(expr):
            self._keep(part, stage, first, seen)

    def _independent(self, depth: int) -> bool:
        return not self._scratch and super()._independent(depth)

    def _written(self) -> list[Root]:
        return self._now

    def _is_dear(self, expr: Expr) -> bool:
        """Whether it is better kept than evaluated again."""
        return self._cost(self._scratch, expr) >= (DEAR if self._near else HEAVY)

    def _inner_weight(self) -> int:
        kept = {key for key, (first, _) in self._scratch.items() if first < self._stage}
        return 4 * len(self._now) + self._cost(kept, *(root.expr for root in self._now))

    def _cost(self, kept: Collection[int], *exprs: Expr) -> int:
        """Rough cost of what is not the same along the row, nor kept."""
        total, seen = 0, set()
        todo = list(exprs)
        while todo:
            at = todo.pop()
            if id(at) in seen or id(at) in kept or self._is_constant(at):
                continue
            seen.add(id(at))
            total += at.cost if isinstance(at, Map) else LOADED
            todo += _parts(at)
        return total

    def _registers(self) -> None:
        super()._registers()
        if self._part:
            for array, _ in self._places.values():
                if not array.buffers:
                    count = self.code.product(array.sizes)
                    array.ptr = self.code.alloca(f"[{count} x {MEMORY[array.code]}]", "scratch", 64)

    def emit(self) -> None:
        super().emit()
        self.memory.touch(frozenset(b for array, _ in self._places.values() for b in array.buffers))

    # Loops

    def _level(self, depth: int, index: list[Operand]) -> None:
        if self._stage < 0:
            mine = [r for r in self.roots if r.level == depth and (r.row or depth < self.fence)]
            self._begin(mine)
            if depth < self.fence:
                self._loop_over(depth, index)
            else:
                self._row(index)
            self._end(mine, depth, index)
            return
        mine = [r for r in self._now if r.level == depth]
        self._begin(mine)
        if depth == len(self.sizes):
            self._body(index, self._now)
        else:
            self._loop_over(depth, index)
        reductions = {id(root): row for row, root in self._rows}
        self._end([r for r in mine if id(r) not in reductions], depth, index)
        for root in mine:
            if id(root) in reductions:
                reductions[id(root)].value = self._total(root)

    def _row(self, index: list[Operand]) -> None:
        """One stage after the other, and what there is one of for each row."""
        self._hoisted = {}
        for stage in range(self._last + 1):
            now = self._stage_roots(stage)
            seen: set[int] = set()
            for root in now:
                self._hoist(root.expr, index, seen)
            if now:
                self._stage, self._now = stage, now
                self._level(self.fence, index)
                self._stage = -1
        single = [r for r in self.roots if r.row]
        if single:
            self._body([*index, *[0] * (len(self.sizes) - self.fence)], single)

    def _hoist(self, expr: Expr, index: list[Operand], seen: set[int]) -> None:
        """Evaluate what is the same along the row before the loop along it."""
        if id(expr) in seen:
            return
        seen.add(id(expr))
        if not self._is_constant(expr):
            for part in _parts(expr):
                self._hoist(part, index, seen)
        elif not isinstance(expr, (Const, Row)) and id(expr) not in self._hoisted:
            self._values = self._hoisted
            self._hoisted[id(expr)] = super()._value(
                expr, [*index, *[0] * (len(self.sizes) - self.fence)]
            )
            self._values = {}

    def _is_constant(self, expr: Expr) -> bool:
        """Whether an expression has one value for each row."""
        found = self._constant.get(id(expr))
        if found is None:
            found = all(self._is_constant(part) for part in _parts(expr))
            if isinstance(expr, (Load, Gather, Affine)):
                found = found and not any(s != 0 for s in expr.strides[self.fence :])
            self._constant[id(expr)] = found
        return found

    def _value(self, expr: Expr, index: list[Operand]) -> Scalar:
        for known in (self._hoisted, self._values):
            if id(expr) in known:
                return known[id(expr)]
        if id(expr) not in self._scratch or self._stage < 0:
            return super()._value(expr, index)
        array, strides = self._places[id(expr)]
        own = index[len(index) - len(strides) :]
        if self._stage > self._scratch[id(expr)][0]:
            x = self._read(array.ptr, array.code, array.offset, strides, own)
        else:
            x = super()._value(expr, index)
            kept = Array(array.ptr, array.code, array.sizes, strides, array.buffers, array.offset)
            self._write(kept, strides, own, x)
        self._values[id(expr)] = x
        return x

    def _evaluate(self, expr: Expr, index: list[Operand]) -> Scalar:
        if isinstance(expr, Row):
            assert expr.value is not None
            return expr.value
        return super()._evaluate(expr, index)
