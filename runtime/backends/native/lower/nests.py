"""Loop nests: the elements of several expressions over one index, stored or reduced, in one pass.

The loops are scalar and say that their iterations are independent. Plain innermost ones are then written again in vectors
(wide_loops.py), the others LLVM makes vectors of.
"""

from __future__ import annotations

from typing import Any, Protocol

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.elements import load, store
from runtime.backends.native.lower.exprs import Affine, Const, Expr, Gather, Load, Map
from runtime.backends.native.lower.memory import Array, Memory
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.moves import moved
from runtime.backends.native.lower.parts import Apart, apart, call_shared, share
from runtime.backends.native.lower.roots import LEAST, MOST, Root, combine, neutral
from runtime.backends.native.lower.scalars import Ops, Scalar
from runtime.backends.native.lower.types import LLVM, is_float
from runtime.backends.native.lower.wide_loops import only_moves_apart, widen_loop
from runtime.backends.native.lower.widen import OURS, Sum

__all__ = ["Nest"]

class Host(Protocol):
    """What a nest is part of."""

    code: Code
    memory: Memory
    ops: Ops
    module: Module

    def allocate(self, code: str, sizes: tuple[Operand, ...]) -> Array:
        """Memory for an array."""
        ...


THREADED = 200_000  # cost of a nest from which on threads share it: about 7 microseconds
GRAIN = 60_000  # cost of the least that a thread takes
FEWEST = 16  # rows of which a thread makes a sum of rows

UNROLLED = 160  # cost of loops up to which LLVM may write them out
LIGHT, HEAVIER = 60, 200  # cost of an index up to which innermost loops take four, and two, vectors at a time
LITTLE = 16_000  # cost of loops that LLVM's passes do not pay for
# Elements of rows done side by side: from which on by gathering, at most, and from which on for places of extremes.
SHORT_ROWS = 9, 13, 7
SHORTEST = 3  # elements up to which rows are done so that are read whole
TINY, TINY_COST = 4, 400  # elements that are written one after the other in loops, and their cost: at most
TURNS = 512  # of light innermost loops, which LLVM may write out once it has made vectors of them


class Nest:
    """The loops over `sizes`, outermost first."""

    widens = True  # whether innermost loops may be written in vectors

    def __init__(self, host: Host, sizes: tuple[Operand, ...], roots: list[Root]) -> None:
        self.host = host
        self.code = host.code
        self.memory = host.memory
        self.ops = host.ops
        self.sizes = list(sizes)
        self.roots = roots
        self.leaves: list[Any] = []
        self._part = False  # the outermost loop goes from %lo to %hi
        self._window: tuple[int, Operand] | None = (
            None  # the second loop goes over so many of so many, by the first's index
        )
        self.alone = False  # not for threads
        self.fence = 0  # loops from this one on are not joined with those outside
        self._values: dict[int, Scalar] = {}
        self._widened = False  # whether the loop that was written last has vectors
        self._totals: dict[str, Scalar] | None = None  # what is accumulated, where inner loops are written out
        self._access = ""
        self._claim = ""

    def emit(self) -> None:
        """Write the loops."""
        seen: set[int] = set()
        for root in self._all():
            self._collect(root.expr, seen)
        self._collapse()
        buffers = frozenset(b for leaf in self.leaves for b in leaf.buffers)
        for root in self.roots:
            buffers |= root.target.buffers
        self.memory.touch(buffers)
        if len(self.roots) == 1 and self.roots[0].kind == "store":
            root = self.roots[0]
            if moved(self.code, self.sizes, root.expr, root.target, root.strides):
                return
        threads = self._worth_threads()
        partial = self._windowed() if threads and any(r.strides[0] == 0 for r in self.roots) else []
        rank = len(self.sizes)
        for root in self.roots:
            if root.kind != "store":
                self._prepare(root, self.fence if root.row else rank)
        self._make_room(threads)
        self._access, self._claim = self.host.module.parallel()
        with self.code.scope():
            if threads:
                self._outline()
            elif self._is_tiny():
                self._access, self._totals = "", {}
                self._registers()
                self._level(0, [])
            elif self.host.module.shares and rank:
                self._shared()
            else:
                self._registers()
                self._level(0, [])
        self.memory.touch(buffers)
        for root, whole, strides in partial:  # what the parts came to
            made = root.target
            expr = Load(made.ptr, made.code, made.offset, made.strides, made.buffers)
            steps = (0, *(s for s in strides if s != 0))
            combining = Nest(self.host, made.sizes, [Root(expr, whole, steps, root.kind)])
            combining.alone = True
            combining.emit()
            root.target = whole

    def _all(self) -> list[Root]:
        return self.roots

    def _is_tiny(self) -> bool:
        """Whether the elements are written one after the other: of a loop over pairs or triples, LLVM would write elements
        one by one that the next loop reads as a vector, for which processors wait."""
        count = self.code.product(tuple(self.sizes)) if all(isinstance(n, int) for n in self.sizes) else None
        if type(self) is not Nest or self._runs_once or not isinstance(count, int) or not 0 < count <= TINY:
            return False
        return count * self._weight() <= TINY_COST and not any(r.best for r in self.roots)

    def _make_room(self, threads: bool) -> None:
        """Reserve what the loops need for themselves."""

    def _apart(self) -> Apart:
        """The loops as lines of another function: its allocas, the rest, and what it uses from outside."""

        def write() -> None:
            self._registers()
            self._level(0, [])

        return apart(self.code, write)

    def _shared(self) -> None:
        """The loops as a function that all nests of the same text call: large programs compile in less time."""
        call_shared(self.code, self.host.module, self._apart())

    def _windowed(self) -> list[tuple[Root, Array, tuple[Operand, ...]]]:
        """One more loop outside, over parts of fixed size, so that sums do not depend on the number of threads."""
        code, whole = self.code, self.sizes[0]
        inner = code.product(tuple(self.sizes[1:]))
        least = FEWEST if any(r.strides[0] == 0 and any(r.strides) for r in self.roots) else 1
        each = max(GRAIN // (self._weight() * (inner if isinstance(inner, int) else 1)), least)
        parts = (
            -(-whole // each)
            if isinstance(whole, int)
            else code.op(f"sdiv i64 {code.add(whole, each - 1)}, {each}")
        )
        self._window = each, whole
        self.sizes.insert(0, parts)
        self.fence += self.fence > 0
        for leaf in self.leaves:
            leaf.strides = (0, *leaf.strides)
        out = []
        for root in self.roots:
            if root.strides[0] != 0:
                root.strides = (0, *root.strides)
                continue
            target = root.target
            kept = [n for n, s in zip(self.sizes[1:], root.strides, strict=True) if s != 0]
            root.target = self.host.allocate(target.code, (parts, *kept))
            self.memory.touch(root.target.buffers)
            whole_strides = root.strides
            own = iter(root.target.strides)
            root.strides = (next(own), *(next(own) if s != 0 else 0 for s in root.strides))
            out.append((root, target, whole_strides))
        return out

    def _registers(self) -> None:
        """Places for what is accumulated; LLVM makes registers of them."""
        for root in self._all():
            if root.level >= 0:
                root.slot = self.code.alloca(LLVM[root.target.code])
                if root.kind in ("argmax", "argmin"):
                    root.best = self.code.alloca(LLVM[root.expr.code])

    # Threads

    def _worth_threads(self) -> bool:
        """Whether the outermost loop is split over threads: it can be, and there is work for many microseconds."""
        if self.alone or not self.sizes or (len(self.sizes) == 1 and self.sizes[0] == 1):
            return False
        across = [r for r in self.roots if r.strides[0] == 0]  # each thread makes a part of these
        if any(r.kind == "store" or r.kind.startswith("arg") for r in across):
            return False
        partly = any(any(r.strides) for r in across)
        count = self.code.product(tuple(self.sizes))
        if not isinstance(count, int):
            return self.code.depth == 0 and not partly
        first = self.sizes[0]
        if partly and (not isinstance(first, int) or first < 4 * FEWEST):
            return False
        return first != 1 and count * self._weight() >= THREADED

    def _weight(self) -> int:
        """Rough cost of one index, in thirtieths of a nanosecond."""
        seen: set[int] = set()
        todo: list[Expr] = [r.expr for r in self._all()]
        total = 4 * (len(self.leaves) + len(todo))
        while todo:
            expr = todo.pop()
            if id(expr) not in seen:
                seen.add(id(expr))
                if isinstance(expr, Map):
                    total += expr.cost
                    todo += expr.children
        return total

    def _outline(self) -> None:
        """The loops as a function of a part of the outermost axis, which threads call."""
        code = self.code
        each = max(GRAIN // self._weight(), 1)
        inner = code.product(tuple(self.sizes[1:]))
        if isinstance(inner, int):
            grain: Operand = max(each // max(inner, 1), 1)
        else:
            grain = code.at_least(code.op(f"udiv i64 {each}, {code.at_least(inner, 1)}"), 1)
        if self._window is not None:
            grain = 1
        self._part = True
        share(self.code, self.host.module, self._apart(), self.sizes[0], grain)

    def _collect(self, expr: Expr, seen: set[int]) -> None:
        if id(expr) in seen:
            return
        seen.add(id(expr))
        if isinstance(expr, Map):
            for child in expr.children:
                self._collect(child, seen)
            return
        if isinstance(expr, Gather):
            for part, _ in expr.at:
                self._collect(part, seen)
        if isinstance(expr, (Load, Gather)):
            self.leaves.append(expr)
        elif isinstance(expr, Affine):
            self.leaves.append(_Shim(expr))

    def _collapse(self) -> None:
        """Fewer, longer loops: neighbouring axes become one where every access steps through both evenly."""
        everything = [*self.leaves, *self._all()]
        vectors = [list(x.strides) for x in everything]
        axis = 0
        while axis < len(self.sizes):
            if self.sizes[axis] == 1:
                self._drop(axis, vectors)
                continue
            if axis + 1 < len(self.sizes) and axis + 1 != self.fence:
                inner = self.sizes[axis + 1]
                if inner == 1:
                    self._drop(axis + 1, vectors)
                    continue
                if all(v[axis] == self.code.mul(v[axis + 1], inner) for v in vectors):
                    self.sizes[axis + 1] = self.code.mul(self.sizes[axis], inner)
                    self._drop(axis, vectors)
                    continue
            axis += 1
        for leaf, v in zip(everything, vectors, strict=True):
            leaf.strides = tuple(v)

    def _drop(self, axis: int, vectors: list[list[Operand]]) -> None:
        for v in [self.sizes, *vectors]:
            del v[axis]
        self.fence -= axis < self.fence

    # Reductions

    def _prepare(self, root: Root, rank: int) -> None:
        """Choose registers for the innermost reduced axes, and fill memory for the others."""
        suffix = rank
        while suffix > 0 and root.strides[suffix - 1] == 0:
            suffix -= 1
        root.partial = any(s == 0 for s in root.strides[:suffix])
        if suffix < rank or rank == 0:
            root.level = suffix
        if root.partial or root.level < 0:
            kept = [(n, s) for n, s in zip(self.sizes, root.strides, strict=True) if s != 0]
            start = Const(Scalar(neutral(root), root.target.code))
            fill = Root(start, root.target, tuple(s for _, s in kept))
            Nest(self.host, tuple(n for n, _ in kept), [fill]).emit()

    # Loops

    def _level(self, depth: int, index: list[Operand]) -> None:
        mine = [r for r in self.roots if r.level == depth]
        self._begin(mine)
        if depth == len(self.sizes):
            self._body(index, self.roots)
        else:
            self._loop_over(depth, index)
        self._end(mine, depth, index)

    def _begin(self, roots: list[Root]) -> None:
        """Start accumulating in registers."""
        for root in roots:
            self._accumulate(root.slot, Scalar(neutral(root), root.target.code))
            if root.best:
                start = (LEAST if root.kind == "argmax" else MOST)[root.expr.code]
                self._accumulate(root.best, Scalar(start, root.expr.code))

    def _accumulate(self, slot: str, x: Scalar) -> None:
        """Let a register hold something."""
        if self._totals is not None:
            self._totals[slot] = x
        else:
            self.code.do(f"store {x}, ptr {slot}")

    def _so_far(self, slot: str, code: str) -> Scalar:
        """What a register holds."""
        if self._totals is not None:
            return self._totals[slot]
        return Scalar(self.code.op(f"load {LLVM[code]}, ptr {slot}"), code)

    def _end(self, roots: list[Root], depth: int, index: list[Operand]) -> None:
        """Write what registers have accumulated."""
        for root in roots:
            total = self._total(root)
            strides = root.strides[:depth]
            if root.partial:
                before = self._read(root.target.ptr, root.target.code, root.target.offset, strides, index)
                total = combine(self.ops, root, before, total)
            self._write(root.target, strides, index, total)

    def _total(self, root: Root) -> Scalar:
        return self._so_far(root.slot, root.target.code)

    def _loop_over(self, depth: int, index: list[Operand]) -> None:
        if self._totals is not None:
            for k in range(int(self.sizes[depth])):
                self._level(depth + 1, [*index, k])
            return
        code = self.code
        start: Operand = 0
        end = self.sizes[depth]
        if self._part and depth == 0:
            start, end = "%lo", "%hi"
        elif self._window is not None and depth == 1:
            each, whole = self._window
            start = code.mul(index[0], each)
            end = code.at_most(code.add(start, each), whole)

        def claims() -> str:
            found = self._claims(depth)
            return self.host.module.loop(*found) if found else ""

        before, inmost, block = len(code.lines), depth + 1 == len(self.sizes), code.block
        with code.counted(start, end, claims) as i:
            self._level(depth + 1, [*index, i])
        if not inmost:
            code.lines[-2] += OURS
            if depth + 2 == len(self.sizes) and not self._widened and self._is_short(depth):
                self._widened = self._side_by_side_rows(depth, index, (start, end), (before, block))
        elif self.widens:
            self._widen(before, start, end)

    def _is_short(self, depth: int) -> bool:
        """Whether many rows are better done side by side."""
        length = self.sizes[-1]
        plain = type(self) is Nest and self.code.required is None
        if not plain or not isinstance(length, int) or length > SHORT_ROWS[1]:
            return False
        if not 2 <= length <= SHORTEST and length < self._gathered():
            return False
        return all(r.level == depth + 1 for r in self.roots)

    def _gathered(self) -> int:
        """How many elements rows have at least that are better gathered than done one after another. Between these and the
        shortest, LLVM makes vectors that it reads in one piece."""
        return SHORT_ROWS[2] if all(r.best for r in self.roots) else SHORT_ROWS[0]

    def _side_by_side_rows(
        self, depth: int, index: list[Operand], bounds: tuple[Operand, Operand], begin: tuple[int, str]
    ) -> bool:
        """Write the loop over short rows that begins at a line again: each row is written out, and rows are lanes."""
        code, (before, block) = self.code, begin
        kept, last = code.lines[before:], code.block
        del code.lines[before:]
        code.block, self._totals = block, {}
        with code.counted(*bounds) as i:
            self._begin(self.roots)
            for k in range(int(self.sizes[-1])):
                self._body([*index, i, k], self.roots)
            self._end(self.roots, depth + 1, [*index, i])
        self._totals = None
        if widen_loop(code, self.host.module, before, bounds, {}, 1, gathers=int(self.sizes[-1]) >= self._gathered()):
            return True
        code.lines[before:], code.block = kept, last
        return False

    def _widen(self, before: int, start: Operand, end: Operand) -> None:
        """Write the innermost loop, which begins at a line, in vectors, if that is plain."""
        written, widened = self._written(), False
        if not any(r.best for r in written):
            sums = {r.slot: Sum(r.kind, r.target.code, neutral(r)) for r in written if r.slot}
            most = self._side_by_side() if sums else 1
            widened = widen_loop(self.code, self.host.module, before, (start, end), sums, most)
        self._widened = widened
        if widened or any(r.kind != "store" for r in written):
            return
        if self._is_little() or only_moves_apart(self.code, before):
            self.code.lines[-2] += OURS

    def _is_little(self) -> bool:
        """Whether the loops run once a call, and not for long: as they are they cost less than LLVM's passes."""
        count = self.code.product(tuple(self.sizes)) if all(isinstance(n, int) for n in self.sizes) else None
        return self._runs_once and isinstance(count, int) and count * self._weight() <= LITTLE

    @property
    def _runs_once(self) -> bool:
        """Whether the nest stands in no loop."""
        return self.code.once and not self.code.depth

    def _claims(self, depth: int) -> list[str]:
        """What is said of a loop."""
        claims = [self._claim] if depth + 1 == len(self.sizes) or self._independent(depth) else []
        if not self._may_unroll(depth):
            claims.append(self.host.module.not_unrolled())
            if depth + 1 == len(self.sizes) and any(r.slot for r in self._written()):
                claims.append(self.host.module.interleaved(self._side_by_side()))
        return claims

    def _independent(self, depth: int) -> bool:
        """Whether the iterations of an outer loop don't depend on each other: once short inner ones are written out,
        LLVM makes vectors of several of them."""
        return all(r.strides[depth] != 0 for r in self.roots)

    def _side_by_side(self) -> int:
        """How many vectors the innermost loop takes at a time: results of one needn't wait for those of another."""
        weight = self._inner_weight()
        return 4 if weight < LIGHT else 2 if weight < HEAVIER else 1

    def _written(self) -> list[Root]:
        """What the loops that are being written make."""
        return self.roots

    def _inner_weight(self) -> int:
        """Rough cost of one index of the innermost loop that is being written."""
        return self._weight()

    def _may_unroll(self, depth: int) -> bool:
        """Whether the iterations of a loop may stand one after another: LLVM would go much further, at great length."""
        turns = 1
        for size in self.sizes[depth:]:
            if not isinstance(size, int):
                return False
            turns *= size
        if turns * self._weight() <= UNROLLED:
            return True
        written = self._written()
        if any(r.kind != "store" and not r.slot for r in written) or not any(r.slot for r in written):
            return False
        return depth + 1 == len(self.sizes) and turns <= TURNS and self._inner_weight() < LIGHT

    def _body(self, index: list[Operand], roots: list[Root]) -> None:
        self._values = {}
        values = [self._value(root.expr, index) for root in roots]
        for root, x in zip(roots, values, strict=True):
            if root.kind == "store":
                self._write(root.target, root.strides, index, self.ops.cast(x, root.target.code))
            elif root.best:
                self._extreme(root, x, index)
            elif root.slot:
                self._accumulate(root.slot, combine(self.ops, root, self._total(root), x))
            else:
                before = self._read(
                    root.target.ptr, root.target.code, root.target.offset, root.strides, index
                )
                self._write(root.target, root.strides, index, combine(self.ops, root, before, x))

    def _extreme(self, root: Root, x: Scalar, index: list[Operand]) -> None:
        """The first place of the largest or smallest element; NaN counts as more than everything."""
        code, b = self.code, self.ops
        best = self._so_far(root.best, x.code)
        better = b.greater(x, best) if root.kind == "argmax" else b.less(x, best)
        if is_float(x.code):
            better = b.logical_or(better, b.logical_and(b.isnan(x), b.logical_not(b.isnan(best))))
        at: Operand = 0
        for size, i in zip(self.sizes[root.level :], index[root.level :], strict=True):
            at = code.add(code.mul(at, size), i)
        place = self._so_far(root.slot, "i64")
        self._accumulate(root.best, b.select(better, x, best))
        self._accumulate(root.slot, b.select(better, Scalar(at, "i64"), place))

    # Elements

    def _value(self, expr: Expr, index: list[Operand]) -> Scalar:
        found = self._values.get(id(expr))
        if found is None:
            found = self._values[id(expr)] = self._evaluate(expr, index)
        return found

    def _evaluate(self, expr: Expr, index: list[Operand]) -> Scalar:
        if isinstance(expr, Const):
            return expr.scalar
        if isinstance(expr, Map):
            return expr.fn(*(self._value(c, index) for c in expr.children))
        if isinstance(expr, Load):
            return self._read(expr.ptr, expr.code, expr.offset, expr.strides, index)
        if isinstance(expr, Affine):
            return Scalar(self._linear(expr.offset, expr.strides, index), "i64")
        assert isinstance(expr, Gather)
        offset = self._linear(expr.offset, expr.strides, index)
        for part, stride in expr.at:
            offset = self.code.add(offset, self.code.mul(self._value(part, index).reg, stride))
        return load(self.code, expr.ptr, expr.code, offset, self._access)

    def _linear(self, offset: Operand, strides: tuple[Operand, ...], index: list[Operand]) -> Operand:
        for i, stride in zip(index, strides, strict=True):
            offset = self.code.add(self.code.mul(i, stride), offset)
        return offset

    def _read(
        self, ptr: str, code: str, offset: Operand, strides: tuple[Operand, ...], index: list[Operand]
    ) -> Scalar:
        return load(self.code, ptr, code, self._linear(offset, strides, index), self._access)

    def _write(self, target: Array, strides: tuple[Operand, ...], index: list[Operand], x: Scalar) -> None:
        store(
            self.code,
            target.ptr,
            self._linear(target.offset, strides, index[: len(strides)]),
            x,
            self._access,
        )


class _Shim:
    """An `Affine`, as something with strides and no memory."""

    buffers: frozenset[Any] = frozenset()

    def __init__(self, expr: Affine) -> None:
        self.expr = expr

    @property
    def strides(self) -> tuple[Operand, ...]:
        return self.expr.strides

    @strides.setter
    def strides(self, value: tuple[Operand, ...]) -> None:
        self.expr.strides = value
