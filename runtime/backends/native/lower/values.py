"""Values of a function under way: in registers, in memory, or expressions that wait; and which share a loop nest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.checked import CheckedOps, WrappingOps
from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.elements import load
from runtime.backends.native.lower.exprs import (
    Const,
    Deferred,
    Expr,
    Frame,
    Gather,
    IndexMap,
    Load,
    Ref,
    Resolver,
    identity,
    parts_of,
    reductions_in,
)
from runtime.backends.native.lower.memory import MANY, Array, Buffer, Memory
from runtime.backends.native.lower.module import Module
from runtime.backends.native.lower.nests import Nest
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.rows import Rows, kept_by, plan, reaches
from runtime.backends.native.lower.scalars import LoneOps, Ops, Scalar
from runtime.backends.native.lower.types import SIZE, code_of
from runtime.backends.native.lower.uses import Uses
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

__all__ = ["Values", "reads"]

DEEPEST = 60  # expressions inside each other: longer loops take LLVM more than their share of time


class Values:
    """The state of lowering: one per LLVM function."""

    def __init__(self, module: Module, functions: dict[str, Graph]) -> None:
        self.module = module
        self.functions = functions
        self.code = Code()
        self.memory = Memory(self.code)
        self.failure = "failed"
        self.ops = Ops(self.code, module.needs)
        self.checked = CheckedOps(self.code, module.needs, self.failure)
        self.wrapping = WrappingOps(self.code, module.needs)
        self.lone = LoneOps(self.code, module.needs, module.declare)
        self.env: dict[Value, Any] = {}
        self.dims: dict[Dim, Operand] = {}
        self.arguments: set[str] = set()  # where arrays lie that the caller passed: nobody writes there
        self.exact: dict[Value, tuple[int, int]] = {}  # sums of Python's that fit 64 bits: between what
        self.low: set[Value] = set()  # integers of Python's of which only the low bits are asked for
        self.places: set[Value] = set()  # numbers that say which items a loop around reads
        self.proved: dict[tuple[Value, Operand], Any] = {}  # what is known of indices of axes of some size
        self.unsteady: set[Dim] = set()  # sizes that are others at each turn of a loop
        self.pending: list[Deferred] = []
        self.busy: list[Deferred] = []  # what is being brought into memory, or waits for that
        self.writable: set[Buffer] = set()  # memory that the region at hand made, or carries
        self.lists: set[Any] = set()  # lists, likewise
        self.uses: Uses
        self.slots: list[str] = []  # {pointer, capacity} pairs to free at the end
        self.rows: list[Any] = []  # lists of lists, likewise
        self.outer: dict[Value, Value] = {}  # what values of regions are outside, of those that no turn changes
        self.put_back: dict[Node, Any] = {}  # rows that were changed where they are, by what puts them back (row_lists.py)
        self.outs: dict[
            Value, Callable[[str, tuple[Operand, ...]], Array | None]
        ] = {}  # memory made for outputs
        self.anew: dict[Value, Callable[[str, tuple[Operand, ...]], Array | None]] = {}  # and where they may begin
        self.targets: dict[Deferred, Value] = {}
        self.bindable: set[Value] = set()  # outputs whose memory the caller makes
        self.packed: dict[tuple[Value, bool], Array] = {}  # matrices (or their transposes) that products find packed
        self.current: Node | None = None  # the node at hand
        self.absorbed: set[Node] = set()  # nodes that another one did with its own work
        self.strict = False  # no islands: what has no rule is refused
        self.big = False
        self.registers = 0  # of values that Python holds (see rules/islands.py)
        self.first_register: Operand | None = None  # in functions: the first one that is ours
        self.foreign: dict[int, Operand] = {}  # registers of the caller's
        self.next_register: Operand = "%held.next"  # the first one of functions that are called
        self.arena = "%arena"  # the memory of the call: {block, bytes of it in use}
        self.limit: Operand = "%limit"  # the lowest address that the stack may come to

    # Values

    def define(self, value: Value, rep: Any) -> None:
        """Say what a value is."""
        self.env[value] = rep
        if isinstance(rep, Deferred):
            rep.values.append(value)
            rep.left += self.uses.count.get(value, 0)
            shape = value.tensor_type.shape or ()
            for size, operand in zip(shape, rep.sizes, strict=True):
                if isinstance(size, Dim):
                    self.dims[size] = operand

    def type(self, value: Value) -> TensorType:
        """The type of a value that must be a tensor of known rank."""
        t = value.type
        if type(t) is not TensorType or t.shape is None:
            raise Unsupported(
                [("a value of unknown rank" if type(t) is TensorType else f"a value of type {t}", None)]
            )
        return t

    def scalar(self, value: Value) -> Scalar:
        """A value of rank 0, in a register."""
        rep = self.env[value]
        if isinstance(rep, Scalar):
            return rep
        assert isinstance(rep, Deferred), rep
        if rep.sizes:
            raise Unsupported([("a tensor with axes where one number belongs", None)])
        if rep.scalar is None:
            self.materialize(rep)
            if rep.scalar is None:
                array = rep.array
                assert array is not None
                self.memory.touch(array.buffers)
                rep.scalar = load(self.code, array.ptr, array.code, array.offset)
        return rep.scalar

    def number(self, value: Value) -> Operand:
        """An integer of rank 0, as 64 bits: an index or a size."""
        return (
            self.ops.cast(self.scalar(value), "i64").reg
            if self.type(value).dtype.kind in "iub"
            else self._no_index()
        )

    def _no_index(self) -> Operand:
        raise Unsupported([("an index that is no integer", None)])

    def expr(self, value: Value) -> Expr:
        """The elements of a value, over its own index."""
        rep = self.env[value]
        if isinstance(rep, Scalar):
            return Const(rep)
        assert isinstance(rep, Deferred), rep
        return Const(self.scalar(value)) if not rep.sizes else rep.as_expr()

    def sizes(self, value: Value) -> tuple[Operand, ...]:
        """The shape of a value."""
        rep = self.env[value]
        return rep.sizes if isinstance(rep, Deferred) else ()

    def array(self, value: Value) -> Array:
        """A value in memory (strided where it is a view)."""
        rep = self.env[value]
        if isinstance(rep, Scalar):
            target = self.allocate(rep.code, ())
            self.fill(target, Const(rep))
            return target
        seen = self.view_of_memory(rep)
        if seen is not None:
            return seen
        self.materialize(rep)
        assert rep.array is not None
        return rep.array

    def view_of_memory(self, d: Deferred) -> Array | None:
        """A deferred array that is nothing but memory looked at another way."""
        if d.array is not None:
            return d.array
        expr: Expr | None = d.expr
        if d.reduce is not None or expr is None:
            return None
        if isinstance(expr, Ref):
            inner = self.view_of_memory(expr.of)
            if inner is None:
                return None
            expr = Resolver(self.code, len(d.sizes))(_as_load(inner), expr.index)
        if not isinstance(expr, Load):
            return None
        return Array(expr.ptr, d.code, d.sizes, expr.strides, expr.buffers, expr.offset)

    def contiguous(self, value: Value) -> Array:
        """A value in memory, in C order."""
        array = self.array(value)
        return array if self.is_contiguous(array) else self.copy(array)

    def is_contiguous(self, a: Array) -> bool:
        """Whether it is certainly in C order."""
        want = self.code.strides(a.sizes)
        return all(s == w or n == 1 for n, s, w in zip(a.sizes, a.strides, want, strict=True))

    def copy(self, array: Array, target: Array | None = None) -> Array:
        """The elements in new memory, or in a target."""
        if target is None:
            target = self.allocate(array.code, array.sizes)
        self.fill(target, _as_load(array))
        return target

    def allocate(self, code: str, sizes: tuple[Operand, ...], value: Value | None = None) -> Array:
        """Memory for an array, in C order; for a value that is an output, the memory that the caller made for it."""
        if value is not None and value in self.outs:
            made = self.outs.pop(value)(code, sizes)
            if made is not None:
                return made
        count = self.code.product(sizes)
        strides = self.code.strides(sizes)
        if isinstance(count, int):
            buffer = self.memory.reserve(count * SIZE[code])
            self.writable.add(buffer)
            self.big |= count > 2000
            return Array(buffer.name, code, sizes, strides, frozenset((buffer,)))
        self.big = True
        slot = self.slot()
        size = self.code.mul(count, SIZE[code])
        ptr = self.code.op(f"call ptr @ag_reserve(ptr {slot}, i64 {size})")
        self.code.require(self.code.op(f"icmp ne ptr {ptr}, null"), self.failure)
        buffer = Buffer(slot, None)
        self.writable.add(buffer)
        return Array(ptr, code, sizes, strides, frozenset((buffer,)))

    def begin_anew(self, value: Value, code: str, sizes: tuple[Operand, ...]) -> Array:
        """Memory for an array that a value is to lie in, in the end: a loop around may have a place for it."""
        made = self.anew.pop(value, None)
        return (made(code, sizes) if made is not None else None) or self.allocate(code, sizes)

    def may_overwrite(self, array: Array, node: Node) -> bool:
        """Whether nobody reads an array after a node: no other value, no expression that waits."""
        if not array.buffers or not array.buffers <= self.writable or not self.is_contiguous(array):
            return False
        return self._unread_after(array, self.uses.order[node], set())

    def _unread_after(self, array: Array, now: int, but: set[Deferred]) -> bool:
        """Whether no node after a place in the order, and no expression that waits but some, reads an array."""
        last, order = self.uses.last, self.uses.order
        for buffer in array.buffers:
            if len(buffer.held) > buffer.many:
                here = order[self.current]
                buffer.held = [d for d in buffer.held if any(v not in last or order[last[v]] >= here for v in d.values)]
                buffer.many = max(MANY, 2 * len(buffer.held))
            if any(v in last and order[last[v]] > now for d in buffer.held for v in d.values):
                return False
        return not any(d not in but and not d.done and reads(d) & array.buffers for d in self.children)

    def slot(self) -> str:
        """A {pointer, capacity} pair, empty at first, freed at the end."""
        slot = self.code.alloca("{ptr, i64}")
        self.code.prologue.append(f"  store {{ptr, i64}} zeroinitializer, ptr {slot}")
        self.slots.append(slot)
        return slot

    def dense(self, array: Array) -> Deferred:
        """A deferred array that is in memory."""
        d = Deferred(None, array.code, array.sizes)
        d.array = array
        return d

    # Expressions

    def defer(
        self,
        value: Value,
        expr: Expr,
        sizes: tuple[Operand, ...],
        of: Iterable[Value] = (),
        cost: int = 0,
        reduce: Any = None,
    ) -> Deferred:
        """A value as an expression over the elements of other values."""
        d = Deferred(expr, code_of(self.type(value).dtype), sizes, reduce)
        d.must = value in self.uses.must
        if value in self.outs:
            self.targets[d] = value
        self.refer(d, [self.env[v] for v in dict.fromkeys(of)], cost)
        if reduce is not None or d.must:
            self.pending.append(d)
        self.define(value, d)
        return d

    def refer(self, d: Deferred, children: Iterable[Any], cost: int = 0) -> None:
        """Say which deferred arrays an expression refers to, and what it costs itself."""
        inner = [c for c in dict.fromkeys(children) if isinstance(c, Deferred) and c.sizes]
        self.children.setdefault(d, []).extend(inner)
        d.weight += cost + sum(0 if c.done else c.weight for c in inner)
        for child in inner:
            child.left += 1
            d.depth = max(d.depth, 1 + (0 if child.done else child.depth))

    @property
    def children(self) -> dict[Deferred, list[Deferred]]:
        """The deferred arrays that an expression refers to."""
        return self._children

    _children: dict[Deferred, list[Deferred]]

    def fill(self, target: Array, expr: Expr) -> None:
        """Store the elements of an expression."""
        self.nest(target.sizes, [Root(self.resolved(expr, len(target.sizes)), target, target.strides)])

    def resolved(self, expr: Expr, rank: int, index: IndexMap | None = None) -> Expr:
        """An expression over the index of a nest of its own; the reductions that it reads are made before."""
        for d in reductions_in(expr):
            self.materialize(d)
        return Resolver(self.code, rank)(expr, identity(rank) if index is None else index)

    def nest(self, sizes: tuple[Operand, ...], roots: list[Root]) -> None:
        """Emit a loop nest."""
        Nest(self, sizes, roots).emit()

    def materialize(self, d: Deferred, target: Array | None = None) -> None:
        """Bring a deferred array into memory, and with it what else the same loops can make."""
        if d.done:
            return
        self.busy.append(d)
        try:
            self._materialize(d, target)
        finally:
            self.busy.pop()

    def _materialize(self, d: Deferred, target: Array | None) -> None:
        rows = plan(self, d)
        if rows is not None:
            self._make(d, target, rows.group, rows.exprs, rows.resolver, rows.frame.sizes, rows)
            return
        self._prepare(d, set())
        over = self._iteration(d)
        frame = Frame(over, len(over))
        group = [d]
        for other in self.pending:
            if (
                not other.done
                and other not in self.busy
                and self._iteration(other) == over
                and self._ready(other, set())
            ):
                group.append(other)
        refused: set[Deferred] = set()
        while True:
            resolver = Resolver(self.code, len(over))
            exprs = [resolver(_expr_of(g), frame.whole) for g in group]
            misplaced, more = kept_by(self, resolver, group, frame)
            if misplaced is None:
                more = [m for m in more if m not in refused]
                if not more:
                    break
                group += more
            elif len(group) > 1:  # it is perhaps not for `d` that it is needed
                leaving = {g for g in group if g is not d and reaches(self, g, misplaced)}
                refused |= leaving
                group = [g for g in group if g not in leaving] if leaving else [d]
            else:
                self.materialize(misplaced)
        self._make(d, target, group, exprs, resolver, over)

    def _make(
        self,
        d: Deferred,
        target: Array | None,
        group: list[Deferred],
        exprs: list[Expr],
        resolver: Resolver,
        over: tuple[Operand, ...],
        rows: Rows | None = None,
    ) -> None:
        """Write the loops that bring a group into memory."""
        free = self._free_memory(resolver, group, over)
        roots = []
        for g, expr in zip(group, exprs, strict=True):
            made = target if g is d else None
            if made is None and g.reduce is None:
                made = self._taken_over(g, free)
            if made is None:
                made = self.allocate(g.code, g.sizes, self.targets.get(g))
            roots.append(rows.root(g, expr, made) if rows else self._root(g, expr, made, over))
        if rows:
            rows.emit(self, roots)
        else:
            self.nest(over, roots)
        for g, root in zip(group, roots, strict=True):
            g.array = root.target
            if not g.sizes:
                self.memory.touch(root.target.buffers)
                g.scalar = load(self.code, root.target.ptr, g.code, root.target.offset)
        self.pending = [p for p in self.pending if not p.done]
        for g in group:
            self._release_children(g)

    def _free_memory(
        self, resolver: Resolver, group: list[Deferred], over: tuple[Operand, ...]
    ) -> list[Deferred]:
        """What the loops are the last to read, element by element: they may write where it lies."""
        users = self.users_among({*resolver.members, *group})
        ended = {*group}
        ended |= {m for m in resolver.members if m.left <= users[m]}
        now = self.uses.order[self.current] - 1
        elsewhere = _gathered({*resolver.members, *group})  # they read it at other places, too: an element may be gone
        out = []
        for source, maps in resolver.read.items():
            array = source.array
            if array is None or maps != {identity(len(over))} or len(array.buffers) != 1 or array.offset != 0:
                continue
            (buffer,) = array.buffers
            own = buffer in self.writable and buffer.external is None and buffer not in elsewhere
            if own and not buffer.carried and self.is_contiguous(array) and self._unread_after(array, now, ended):
                out.append(source)
        return out

    def _taken_over(self, g: Deferred, free: list[Deferred]) -> Array | None:
        """Memory for a new value that held an old one; not where a place is waiting for the new one in a loop."""
        value = self.targets.get(g)
        if value is not None and value not in self.bindable:
            return None
        for source in free:
            array = source.array
            if array is not None and array.code == g.code and array.sizes == g.sizes:
                free.remove(source)
                return array
        return None

    def users_among(self, inside: set[Deferred]) -> Counter[Deferred]:
        """By how many of some arrays each is used."""
        return Counter(c for u in inside for c in set(self.children.get(u, ())))

    def _root(self, g: Deferred, expr: Expr, made: Array, over: tuple[Operand, ...]) -> Root:
        if g.reduce is None:
            return Root(expr, made, made.strides)
        kind, _, axes, keepdims = g.reduce
        rest = iter(made.strides)
        strides: list[Operand] = []
        for axis in range(len(over)):
            reduced = axis in axes
            stride = next(rest) if keepdims or not reduced else 0
            strides.append(0 if reduced else stride)
        return Root(expr, made, tuple(strides), kind)

    def _iteration(self, d: Deferred) -> tuple[Operand, ...]:
        return d.sizes if d.reduce is None else d.reduce[1]

    def _prepare(self, d: Deferred, seen: set[Deferred]) -> None:
        """Finish the reductions that an expression is made of."""
        for child in self.children.get(d, ()):
            if child.done or child in seen:
                continue
            seen.add(child)
            if child.reduce is not None:
                self.materialize(child)
            else:
                self._prepare(child, seen)

    def _ready(self, d: Deferred, seen: set[Deferred]) -> bool:
        for child in self.children.get(d, ()):
            if child.done or child in seen:
                continue
            seen.add(child)
            if child.reduce is not None or not self._ready(child, seen):
                return False
        return True

    def _release_children(self, d: Deferred) -> None:
        for child in self.children.pop(d, ()):
            self.release(child)

    def release(self, d: Deferred) -> None:
        """One user less."""
        d.left -= 1
        if d.left <= 0 and not d.done:
            self._release_children(d)


def reads(d: Deferred) -> set[Buffer]:
    """The memory that evaluating an expression reads."""
    out: set[Buffer] = set()
    if d.expr is not None:
        for part in parts_of(d.expr, into_reductions=True):
            if isinstance(part, (Load, Gather)):
                out |= part.buffers
            elif isinstance(part, Ref) and part.of.array is not None:
                out |= part.of.array.buffers
    return out


def _gathered(arrays: Iterable[Deferred]) -> set[Buffer]:
    """The memory that evaluating expressions reads at places that it works out."""
    exprs = (d.expr for d in arrays if d.expr is not None)
    return {b for part in parts_of(*exprs, into_reductions=True) if isinstance(part, Gather) for b in part.buffers}


def _as_load(array: Array) -> Load:
    return Load(array.ptr, array.code, array.offset, array.strides, array.buffers)


def _expr_of(d: Deferred) -> Expr:
    assert d.expr is not None
    return d.expr
