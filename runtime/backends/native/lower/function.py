"""Lowering one graph to one LLVM function: nodes, by rules, in regions."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import is_held, is_rows
from runtime.backends.native.lower.catalogue import HOMES
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Const, Deferred, Expr, IndexMap, Map
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import SIZE, code_of, literal
from runtime.backends.native.lower.uses import Uses
from runtime.backends.native.lower.values import DEEPEST, Values
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.kinds import Elementwise
from runtime.typesys.spec import TensorType, ValueType

__all__ = ["RULES", "FunctionLowering", "constant", "rule", "rule_of"]

Rule: TypeAlias = Callable[["FunctionLowering", Node], None]
RULES: dict[str, Rule] = {}
FUSED: set[str] = set()  # operations whose rules take their inputs as expressions


def rule(*names: str, fused: bool = False) -> Callable[[Rule], Rule]:
    """Register the rule of some operations."""

    def register(fn: Rule) -> Rule:
        for name in names:
            RULES[name] = fn
            if fused:
                FUSED.add(name)
        return fn

    return register


def rule_of(name: str) -> Rule | None:
    """The rule of an operation, if it has one of its own; the file that has it is loaded when it is first asked for."""
    if name not in RULES and name in HOMES:
        import_module(HOMES[name])
    return RULES.get(name)


def named_rule(name: str) -> Rule:
    """A rule that is there: "elementwise", for operations that say what they do to an element, or "island"."""
    found = rule_of(name)
    assert found is not None
    return found


class FunctionLowering(Values):
    """Lowers the nodes of a graph; one per LLVM function."""

    # Elementwise

    def broadcast(self, shapes: list[tuple[Operand, ...]]) -> tuple[tuple[Operand, ...], list[IndexMap]]:
        """The common shape of several, and how each is looked at in it."""
        rank = max(map(len, shapes))
        out: list[Operand] = []
        for axis in range(rank):
            sizes = {s[axis - rank + len(s)] for s in shapes if axis - rank + len(s) >= 0} - {1}
            out.append(self._common(sizes))
        maps: list[IndexMap] = []
        for s in shapes:
            lead = rank - len(s)
            maps.append(tuple((0, *self._pace(n, out[lead + i], lead + i)) for i, n in enumerate(s)))
        return tuple(out), maps

    def onto(self, have: tuple[Operand, ...], want: tuple[Operand, ...]) -> IndexMap:
        """How a shape is looked at in another of as many axes or more, which it is broadcast to and does not change."""
        lead = len(want) - len(have)
        for n, whole in zip(have, want[lead:], strict=True):
            if n in (1, whole):
                continue
            if isinstance(n, int) and isinstance(whole, int):
                raise Unsupported([("shapes that do not fit", None)])
            fits = self.code.op(f"icmp eq i64 {n}, {whole}")
            if not isinstance(n, int):
                one = self.code.op(f"icmp eq i64 {n}, 1")
                fits = self.code.op(f"or i1 {fits}, {one}")
            self.code.require(fits, self.failure)
        return tuple((0, *self._pace(n, want[lead + i], lead + i)) for i, n in enumerate(have))

    def _common(self, sizes: set[Operand]) -> Operand:
        if not sizes:
            return 1
        known = [s for s in sizes if isinstance(s, int)]
        if len(known) > 1:
            raise Unsupported([("shapes that do not fit", None)])
        out: Operand = known[0] if known else min(map(str, sizes))
        for other in sizes - {out}:
            same = self.code.op(f"icmp eq i64 {out}, {other}")
            one = self.code.op(f"icmp eq i64 {other}, 1")
            self.code.require(self.code.op(f"or i1 {same}, {one}"), self.failure)
        return out

    def _pace(self, size: Operand, whole: Operand, axis: int) -> tuple[int | None, Operand]:
        if size == whole and size != 1:
            return axis, 1
        if size == 1:
            return None, 0
        one = self.code.op(f"icmp eq i64 {size}, 1")
        return axis, self.code.choose(one, 0, 1)

    def elementwise(self, node: Node, fn: Callable[..., Scalar], cost: int = 1, result: int = 0) -> None:
        """An output whose elements are a function of the inputs' elements."""
        out = node.outputs[result]
        if not any(self.sizes(v) for v in node.inputs) and self.type(out).shape == ():
            self.define(out, fn(*(self.scalar(v) for v in node.inputs)))
            return
        sizes, maps = self.broadcast([self.sizes(v) for v in node.inputs])
        parts = tuple(self.viewed(v, m) for v, m in zip(node.inputs, maps, strict=True))
        self.defer(out, Map(fn, code_of(self.type(out).dtype), parts, cost), sizes, node.inputs, cost)

    def viewed(self, value: Value, index: IndexMap) -> Expr:
        """The elements of a value through a map."""
        rep = self.env[value]
        return self.expr(value) if isinstance(rep, Scalar) or not rep.sizes else rep.as_expr(index)

    def narrowed(self, x: Scalar, to: str, weak: bool) -> Scalar:
        """A scalar operand in the type that a loop works in; a Python number must fit."""
        if weak and x.code == "i64" and to not in ("i64", "b1", "f32", "f64"):
            low = 0 if to[0] == "u" else -(2 ** (8 * SIZE[to] - 1))
            high = 2 ** (8 * SIZE[to] - (to[0] == "i")) - 1
            try:
                inside = low <= int(x.reg) <= high
            except ValueError:
                inside = True
                known = self.code.range_of(x.reg)
                if (known is None or not low <= known[0] <= known[1] <= high) and (SIZE[to] < 8 or low == 0):
                    above = self.code.op(f"icmp sge i64 {x.reg}, {low}")
                    below = self.code.op(f"icmp sle i64 {x.reg}, {min(high, 2**63 - 1)}")
                    self.code.require(self.code.op(f"and i1 {above}, {below}"), self.failure)
                    self.code.narrow(x.reg, low, min(high, 2**63 - 1))
            if not inside:
                raise Unsupported([(f"the number {x.reg} as {to}", None)])
        return self.ops.cast(x, to)

    def is_held(self, t: ValueType) -> bool:
        """Whether Python holds values of a type."""
        return is_held(t) and not (self.module.rows and is_rows(t))

    # Regions

    def _note_outer(self, node: Node) -> None:
        """Which values of a node's regions are the same as outside; calls and attempts have none."""
        if not node.regions:
            return
        lead = {"cond": 1, "for_loop": 1}.get(node.op.name, 0)
        first = 0 if node.op.name == "cond" else lead + node.carried
        for region in node.regions:
            for inner in region.inputs[first:]:
                self.outer[inner] = node.inputs[inner.index + (1 if node.op.name == "cond" else 0)]

    def region(self, graph: Graph, inputs: list[Any]) -> None:
        """Lower the nodes of a graph; its outputs are then in `env`, not all in memory."""
        self.uses = Uses(graph, self.is_fused)
        self._children = {}
        self.pending = []
        for value, rep in zip(graph.inputs, inputs, strict=True):
            if isinstance(rep, Deferred) and not rep.done and rep.reduce is None and isinstance(rep.expr, Const):
                rep = Deferred(rep.expr, rep.code, rep.sizes)  # what is stored here is not there outside
                self.children[rep] = []
            self.define(value, rep)
        for node in graph.nodes:
            self.node(node)
        self.current = None

    def inside(self, work: Callable[[], Any]) -> Any:
        """Do something in a region of its own: what is pending outside stays so."""
        kept = self.uses, self._children, self.pending, self.writable, self.lists, self.current
        self.writable, self.lists = set(), set()
        with self.code.scope():
            try:
                return work()
            finally:
                (
                    self.uses,
                    self._children,
                    self.pending,
                    self.writable,
                    self.lists,
                    self.current,
                ) = kept

    def only_user(self, value: Value) -> Node | None:
        """The one node of the region that uses a value that nobody else sees."""
        return self.uses.last[value] if self.uses.count.get(value) == 1 else None

    def is_fused(self, node: Node) -> bool:
        """Whether a node takes its inputs as expressions."""
        found = rule_of(node.op.name)
        return node.op.name in FUSED or (found is None and isinstance(node.op, Elementwise))

    def node(self, node: Node) -> None:
        """Lower one node."""
        if node in self.absorbed:
            return
        found = rule_of(node.op.name) or named_rule("elementwise")
        control = bool(node.regions) or isinstance(node.attrs.get("function"), str)  # a named graph
        self.current = node
        try:
            values = *node.inputs, *node.outputs
            if control and self.module.rows:
                self._note_outer(node)
            elif not control and any(self.is_held(v.type) for v in values):
                found = named_rule("island")
            elif not control and self.module.rows and any(is_rows(v.type) for v in values):
                found = named_rule(f"{node.op.name}.rows")
            found(self, node)
        except Unsupported as error:
            if error.missing[0][1] is not None:
                raise
            missing = Unsupported([(f"{node.op.name}: {error.missing[0][0]}", node.location)])
            if control or self.strict:
                raise missing from None
            try:
                named_rule("island")(self, node)
            except Unsupported:
                raise missing from None
        for value in node.outputs:
            rep = self.env.get(value)
            if isinstance(rep, Deferred) and rep.depth >= DEEPEST and rep.sizes and rep.reduce is None:
                self.materialize(rep)
        for value in dict.fromkeys(node.inputs):
            rep = self.env[value]
            if isinstance(rep, Deferred):
                self.release(rep)


def constant(value: Any, t: TensorType) -> Scalar:
    """A number as a scalar."""
    code = code_of(t.dtype)
    return Scalar(literal(np.asarray(value).item(), code), code)
