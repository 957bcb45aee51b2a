"""Regions of the backward graph, and what building them needs: copies of graphs, zeros, types of cotangents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.ir.build import Region, emit
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace
from runtime.typesys.shapes import is_static, num_elements
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = [
    "AdjointRegion",
    "add",
    "close_regions",
    "conform",
    "copy_graph",
    "copy_node",
    "cotangent_type",
    "current_trace",
    "emit_here",
    "empty_like",
    "is_in",
    "ones",
    "prune",
    "renumber",
    "zeros",
]

_LIKE = {"index_grad": 1, "zeros_like": 0, "ones_like": 0}  # operands that say how large the result is
_SMALL = 4096  # elements up to which zeros are a constant of the graph


def current_trace() -> Trace:
    """The trace that gradients are built in."""
    trace = STATE.trace
    assert trace is not None, "no trace is active"
    return trace


def cotangent_type(type: ValueType) -> ValueType:
    """The type of cotangents of a value: its own, never weak (a sum of typed products is typed)."""
    if isinstance(type, ListType):
        return type if type.element is None else ListType(cotangent_type(type.element))
    return type.strong()


def zeros(type: ValueType, like: Value) -> Tensor:
    """A zero cotangent for a value of a type; `like` has its shape (or length) at run time."""
    if isinstance(type, ListType):
        return op.list_zeros_like(Tensor(like))
    return op.zeros_like(Tensor(like)) if _is_large(type) else _constant(np.zeros, type)


def ones(type: TensorType, like: Value) -> Tensor:
    """The cotangent a target starts with."""
    return op.ones_like(Tensor(like)) if _is_large(type) else _constant(np.ones, type)


def _is_large(type: TensorType) -> bool:
    count = num_elements(type.shape)
    return count is None or count > _SMALL


def _constant(make: Callable[..., Any], type: TensorType) -> Tensor:
    sizes = [d for d in type.shape or () if isinstance(d, int)]
    return Tensor(current_trace().constant(make(sizes, type.dtype.dtype)[()]))


def add(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two cotangents."""
    kind: ValueType = a.type
    return op.list_add(a, b) if isinstance(kind, ListType) else op.add(a, b)


def conform(x: Tensor, type: ValueType) -> Value:
    """A cotangent as exactly the declared type: cast, made strong, or (sizes known under another name) restated."""
    trace = current_trace()
    value = trace.operand(x)
    have = value.type
    if have == type:
        return value
    if isinstance(type, ListType):
        return trace.builder.emit(get("list_cast"), [value], {"type": type.element}, (type,)).outputs[0]
    if isinstance(have, TensorType) and (have.dtype != type.dtype or have.weak):
        value = trace.builder.emit(get("cast"), [value], {"dtype": type.dtype}).outputs[0]
        if value.type == type:
            return value
    return trace.builder.emit(get("identity"), [value], {}, (type,)).outputs[0]


def copy_node(node: Node, inputs: list[Value], graph: Graph) -> Node:
    """A copy of a node on other inputs, added to a graph. It keeps the id: tapes know recorded nodes by it."""
    types = tuple(v.type for v in node.outputs)
    copy = graph.add_node(node.op, inputs, dict(node.attrs), types, tuple(node.regions), node.location)
    copy.id = node.id
    for old, new in zip(node.outputs, copy.outputs, strict=True):
        new.name = old.name
    return copy


def copy_graph(graph: Graph) -> tuple[Graph, dict[Value, Value]]:
    """A copy, and where each value went. Regions of its nodes are shared: replace them, never change them."""
    copy = Graph(graph.name, graph.functions)
    where = {v: copy.add_input(v.type, v.name) for v in graph.inputs}
    for node in graph.nodes:
        new = copy_node(node, [where[v] for v in node.inputs], copy)
        where.update(zip(node.outputs, new.outputs, strict=True))
    copy.outputs = [where[v] for v in graph.outputs]
    return copy, where


def renumber(graph: Graph) -> None:
    """Restore the inputs' indices after inputs came or went."""
    for index, value in enumerate(graph.inputs):
        value.index = index


def prune(graph: Graph, effects: bool = False) -> set[Value]:
    """Drop the nodes that no output needs (those with effects as well, if asked to); returns the values still used."""
    used = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        has_effect = node.op.effect is not None or any(
            n.op.effect for region in node.regions for n in region.walk()
        )
        if not used.isdisjoint(node.outputs) or (has_effect and not effects):
            used.update(node.inputs)
            kept.append(node)
    graph.nodes[:] = reversed(kept)
    return used


def close_regions(regions: list[Region]) -> list[Value]:
    """Give sibling regions the same captured inputs, in the same order; returns the values to pass for them."""
    outers: dict[Value, None] = {}
    for region in regions:
        outers.update((outer, None) for outer, _ in region.captured())
    for region in regions:
        inner = dict(region.captured())
        captured = set(inner.values())
        own = [v for v in region.graph.inputs if v not in captured]
        given = [inner.get(outer) or Value(outer.type, region.graph, None, 0, outer.name) for outer in outers]
        region.graph.inputs = own + given
        renumber(region.graph)
    return list(outers)


class AdjointRegion(Region):
    """A region of the backward graph that belongs to a region of the forward graph, whose values it may use.

    What it uses of them is found when rules ask for it. `given` forward values (invariants) come from outside;
    `computed` ones (a loop's index) are made where they are first asked for; all others are `pending`: values without a
    definition, until `settle` decides which of those still used are recomputed. The rest must be saved.
    """

    __slots__ = ("computed", "given", "pending", "primal")

    def __init__(self, graph: Graph, parent: Region | None, primal: Graph, given: dict[Value, Value]) -> None:
        super().__init__(graph, parent)
        self.primal = primal
        self.given = given
        self.computed: dict[Value, Callable[[], Value]] = {}
        self.pending: dict[Value, Value] = {}

    def resolve(self, value: Value) -> Value:
        """As seen from here: `Region.resolve`, and values of the forward region."""
        if value.graph is not self.primal:
            return super().resolve(value)
        known = self.pending.get(value)
        if known is not None:
            return known
        if value in self.given:
            return super().resolve(self.given[value])
        if value in self.computed:
            known = self.computed[value]()
        else:
            known = Value(value.type, self.graph, None, 0, value.name)
        self.pending[value] = known
        return known

    def settle(self) -> list[tuple[Value, Value]]:
        """Prune, put recomputed values in front; (forward value, value used here) of those that must be saved."""
        used = prune(self.graph)
        defined = {v for node in self.graph.nodes for v in node.outputs}
        still_open = {p: v for p, v in self.pending.items() if v in used and v not in defined}
        shapes = self._shapes(set(still_open.values()))
        body, self.graph.nodes = self.graph.nodes, []
        done: dict[Value, Value] = {}
        for primal in [p for p, v in still_open.items() if v in shapes and not self._is_free(p)]:
            value = still_open.pop(primal)
            kind = shapes[value]
            made = self.graph.add_node(get("zeros"), [], {"shape": kind.shape, "dtype": kind.dtype}, (kind,))
            made.outputs[0], value.node, value.index = value, made, 0
        for primal in still_open:
            if self._is_free(primal):
                self._recompute(primal, still_open, done)
        self.graph.nodes += body
        return [(p, v) for p, v in still_open.items() if p not in done]

    def _shapes(self, values: set[Value]) -> dict[Value, TensorType]:
        """Those of the values of which nothing but the shape is looked at here, and that is known; their types."""
        found = {
            v: v.type
            for v in values - set(self.graph.outputs)
            if isinstance(v.type, TensorType) and v.type.shape and is_static(v.type.shape)
        }
        for node in self.graph.nodes:
            for place, value in enumerate(node.inputs):
                if value in found and _LIKE.get(node.op.name) != place:
                    del found[value]
        return found

    def _is_free(self, value: Value) -> bool:
        """Whether a forward value is cheaper to compute again than to save."""
        if value in self.given or value in self.computed:
            return True
        node = value.node
        if node is None or node.regions or node.op.effect is not None:
            return False
        if node.op.name == "constant":
            return True
        scalars = all(
            isinstance(v.type, TensorType) and v.type.shape == () for v in (*node.inputs, *node.outputs)
        )
        return (node.op.view or scalars) and bool(node.inputs) and all(map(self._is_free, node.inputs))

    def _recompute(self, value: Value, still_open: dict[Value, Value], done: dict[Value, Value]) -> Value:
        """The node of a free forward value, copied to here."""
        known = done.get(value)
        if known is not None:
            return known
        if value in self.given:
            return super().resolve(self.given[value])
        if value in self.computed:
            known = done[value] = self.computed[value]()
            return known
        node = value.node
        assert node is not None
        copy = copy_node(node, [self._recompute(v, still_open, done) for v in node.inputs], self.graph)
        for index, old in enumerate(node.outputs):
            wanted = still_open.get(old)
            if wanted is not None:
                copy.outputs[index], wanted.node, wanted.index = wanted, copy, index
            done[old] = copy.outputs[index]
        return done[value]

    def drop_unused(self) -> None:
        """Forget captured inputs that nothing uses any more."""
        keep = {v for node in self.graph.nodes for v in node.inputs} | set(self.graph.outputs)
        captured = set(self.captures.values())
        self.graph.inputs = [v for v in self.graph.inputs if v in keep or v not in captured]
        self.captures = {outer: inner for outer, inner in self.captures.items() if inner in keep}
        renumber(self.graph)


def emit_here(graph: Graph, name: str, inputs: list[Value], **attrs: Any) -> Value:
    """One node at the end of a graph."""
    return emit(graph, get(name), inputs, attrs).outputs[0]


def empty_like(node: Node) -> Graph:
    """An empty graph for a region beside a node's, with the same table of functions."""
    return Graph(functions=node.outputs[0].graph.functions)


def is_in(inside: set[Value], _node: Node, value: Value) -> bool:
    """Whether a value is one of a set's: what a sweep asks of a node's inputs."""
    return value in inside
