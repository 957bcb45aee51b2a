"""Arrays that are not in memory yet: expressions over an index, which the loops that need them evaluate.

An expression of rank r has a value for every index of r numbers. Views re-map indices: an `IndexMap` gives, for every
axis of what is viewed, (offset, axis of the view or None, step).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.scalars import Scalar

__all__ = [
    "HEAVY",
    "Affine",
    "Const",
    "Deferred",
    "Expr",
    "Frame",
    "Gather",
    "IndexMap",
    "Load",
    "Map",
    "Ref",
    "Resolver",
    "Row",
    "identity",
    "parts_of",
    "reductions_in",
]

HEAVY = 12  # operations of an element from which on it is kept rather than computed twice

IndexMap: TypeAlias = tuple[tuple[Operand, int | None, Operand], ...]


@cache
def identity(rank: int) -> IndexMap:
    """The map of a view of the whole."""
    return tuple((0, axis, 1) for axis in range(rank))


class Expr:
    """`code` is the element type."""

    __slots__ = ("code",)
    code: str


class Const(Expr):
    """One scalar everywhere."""

    __slots__ = ("scalar",)

    def __init__(self, scalar: Scalar) -> None:
        self.scalar = scalar
        self.code = scalar.code


class Load(Expr):
    """Memory at offset + index . strides."""

    __slots__ = ("buffers", "offset", "ptr", "strides")

    def __init__(
        self, ptr: str, code: str, offset: Operand, strides: tuple[Operand, ...], buffers: frozenset[Buffer]
    ) -> None:
        self.ptr = ptr
        self.code = code
        self.offset = offset
        self.strides = strides
        self.buffers = buffers


class Affine(Expr):
    """The integer offset + index . strides itself."""

    __slots__ = ("offset", "strides")

    def __init__(self, offset: Operand, strides: tuple[Operand, ...]) -> None:
        self.offset = offset
        self.strides = strides
        self.code = "i64"


class Gather(Expr):
    """Memory at offset + index . strides + sum of (value of an expression) * (a stride)."""

    __slots__ = ("at", "buffers", "offset", "ptr", "strides")

    def __init__(
        self,
        ptr: str,
        code: str,
        offset: Operand,
        strides: tuple[Operand, ...],
        at: tuple[tuple[Expr, Operand], ...],
        buffers: frozenset[Buffer],
    ) -> None:
        self.ptr = ptr
        self.code = code
        self.offset = offset
        self.strides = strides
        self.at = at
        self.buffers = buffers


class Map(Expr):
    """A function of the elements of others."""

    __slots__ = ("children", "cost", "fn")

    def __init__(
        self, fn: Callable[..., Scalar], code: str, children: tuple[Expr, ...], cost: int = 1
    ) -> None:
        self.fn = fn
        self.code = code
        self.children = children
        self.cost = cost


class Row(Expr):
    """What a reduction over one row came to, in a register (see rows.py)."""

    __slots__ = ("stage", "value")

    def __init__(self, code: str) -> None:
        self.code = code
        self.stage = 0
        self.value: Scalar | None = None


class Ref(Expr):
    """Elements of a deferred array."""

    __slots__ = ("index", "of")

    def __init__(self, of: Deferred, index: IndexMap) -> None:
        self.of = of
        self.index = index
        self.code = of.code


class Deferred:
    """An array that is an expression, and perhaps already in memory.

    expr    over its own index; of a reduction, over the index of what is reduced
    reduce  None, or (kind, sizes of what is reduced, axes, keepdims)
    must    whether somebody needs it in memory
    left    users that were not generated yet
    values  the values of the graph that it is
    depth   of expressions that are not in memory, inside each other
    """

    __slots__ = (
        "_array", "code", "depth", "expr", "left", "must", "reduce", "scalar", "sizes", "users", "values", "weight",
    )  # fmt: skip

    def __init__(self, expr: Expr | None, code: str, sizes: tuple[Operand, ...], reduce: Any = None) -> None:
        self.expr = expr
        self.code = code
        self.sizes = sizes
        self.reduce = reduce
        self._array: Array | None = None
        self.values: list[Any] = []
        self.scalar: Scalar | None = None
        self.must = False
        self.left = 0
        self.users = 0
        self.weight = 0
        self.depth = 0

    @property
    def array(self) -> Array | None:
        """Where it is, if it is in memory."""
        return self._array

    @array.setter
    def array(self, array: Array) -> None:
        self._array = array
        for buffer in array.buffers:
            buffer.held.append(self)

    @property
    def done(self) -> bool:
        """Whether it is in memory."""
        return self._array is not None

    def as_expr(self, index: IndexMap | None = None) -> Ref:
        """Its elements, as part of another expression."""
        return Ref(self, identity(len(self.sizes)) if index is None else index)


class Frame:
    """Rows: the index of `sizes` is an index of rows, of `width` numbers, and one within a row."""

    def __init__(self, sizes: tuple[Operand, ...], width: int) -> None:
        self.sizes = sizes
        self.width = width
        self.inner = len(sizes) - width
        self.whole = identity(len(sizes))
        self.row = identity(width)
        self.flat: IndexMap = (*self.row, *((0, None, 0),) * self.inner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frame) and (self.sizes, self.width) == (other.sizes, other.width)

    def __hash__(self) -> int:
        return hash((self.sizes, self.width))

    def place(self, sizes: tuple[Operand, ...]) -> IndexMap | None:
        """How arrays of some shape are looked at: element by element, or one for each row; None where neither."""
        if sizes == self.sizes:
            return self.whole
        if sizes == self.sizes[: self.width]:
            return self.row
        return self.flat if sizes == (*self.sizes[: self.width], *(1,) * self.inner) else None

    def fits(self, index: IndexMap, sizes: tuple[Operand, ...]) -> bool:
        """Whether a map shows an array of some shape at its place; along axes of size 1 all maps are the same."""
        place = self.place(sizes)
        if place is None:
            return False
        return all(a == b or n == 1 for a, b, n in zip(index, place, sizes, strict=True))


def parts_of(*exprs: Expr, into_reductions: bool = False) -> Iterator[Expr]:
    """Expressions and all that they are made of, each part once: through what is not in memory, and reductions if asked."""
    seen: set[int] = set()
    pending = list(exprs)
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Map):
            pending += part.children
        elif isinstance(part, Gather):
            pending += [e for e, _ in part.at]
        elif isinstance(part, Ref) and part.of.array is None and (into_reductions or part.of.reduce is None):
            assert part.of.expr is not None
            pending.append(part.of.expr)


def reductions_in(expr: Expr) -> list[Deferred]:
    """The reductions that an expression reads and that nobody has made yet."""
    refs = (part.of for part in parts_of(expr) if isinstance(part, Ref))
    return [d for d in dict.fromkeys(refs) if d.array is None and d.reduce is not None]


class Resolver:
    """Expressions with every view worked into the leaves, over the index of one loop nest; shared parts stay shared."""

    def __init__(
        self, code: Code, rank: int, frame: Frame | None = None, rows: dict[Deferred, Row] | None = None
    ) -> None:
        self.code = code
        self.rank = rank
        self.frame = frame
        self.rows = rows or {}  # reductions that the same loops make
        self.blocked: Deferred | None = None  # has to be in memory before, for it is not looked at row by row
        self._path: list[tuple[Deferred, IndexMap]] = []
        self.members: dict[Deferred, set[IndexMap]] = {}  # deferred arrays whose expressions went in
        self.read: dict[Deferred, set[IndexMap]] = {}  # those whose memory is read, and how
        self._made: dict[Any, Expr] = {}
        self._keep: list[Any] = []

    def __call__(self, expr: Expr, index: IndexMap) -> Expr:
        key = id(expr), index
        if isinstance(expr, Ref):
            key = id(expr.of), self._composed(expr.index, index)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._resolve(expr, index)
            self._keep.append(expr)
        return found

    def _resolve(self, expr: Expr, index: IndexMap) -> Expr:
        if isinstance(expr, Const):
            return expr
        if isinstance(expr, Map):
            return Map(expr.fn, expr.code, tuple(self(c, index) for c in expr.children), expr.cost)
        if isinstance(expr, Ref):
            inner = self._composed(expr.index, index)
            array = expr.of.array
            if array is not None:
                self.read.setdefault(expr.of, set()).add(inner)
                offset, strides = self._affine(array.offset, array.strides, inner)
                return Load(array.ptr, array.code, offset, strides, array.buffers)
            assert expr.of.expr is not None
            self.members.setdefault(expr.of, set()).add(inner)
            self._path.append((expr.of, inner))
            out = self(expr.of.expr, inner) if expr.of.reduce is None else self._row(expr.of)
            self._path.pop()
            return out
        assert isinstance(expr, (Load, Affine, Gather))
        offset, strides = self._affine(expr.offset, expr.strides, index)
        if isinstance(expr, Load):
            return Load(expr.ptr, expr.code, offset, strides, expr.buffers)
        if isinstance(expr, Affine):
            return Affine(offset, strides)
        at = tuple((self(e, index), stride) for e, stride in expr.at)
        return Gather(expr.ptr, expr.code, offset, strides, at, expr.buffers)

    def _row(self, d: Deferred) -> Expr:
        """What a reduction of the row at hand gives."""
        assert self.frame is not None
        if not self.frame.fits(self._path[-1][1], d.sizes) and self.blocked is None:
            self.blocked = next(m for m, at in self._path if not self.frame.fits(at, m.sizes))
        return self.rows[d]

    def _composed(self, inner: IndexMap, outer: IndexMap) -> IndexMap:
        """The map of a view of a view."""
        if inner == identity(len(inner)) == outer:
            return outer
        code = self.code
        out: list[tuple[Operand, int | None, Operand]] = []
        for offset, axis, step in inner:
            if axis is None:
                out.append((offset, None, 0))
                continue
            start, to, pace = outer[axis]
            out.append((code.add(offset, code.mul(start, step)), to, code.mul(pace, step)))
        return tuple((o, None if s == 0 else a, 0 if a is None else s) for o, a, s in out)

    def _affine(
        self, offset: Operand, strides: tuple[Operand, ...], index: IndexMap
    ) -> tuple[Operand, tuple[Operand, ...]]:
        code = self.code
        out: list[Operand] = [0] * self.rank
        for stride, (start, axis, step) in zip(strides, index, strict=True):
            offset = code.add(offset, code.mul(start, stride))
            if axis is not None:
                out[axis] = code.add(out[axis], code.mul(step, stride))
        return offset, tuple(out)
