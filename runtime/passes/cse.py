"""Common subexpressions: `a = exp(x); b = exp(x)` -> `a = exp(x)`, with a for b.

Pure nodes of the same operation, operands and attributes are one. What a region computes of its invariants only, and
its surroundings have computed already, is passed in as one more invariant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import renewed
from runtime.passes.rewrite import graphs, may_stand_for
from runtime.typesys.shapes import Dim

__all__ = ["share_common"]


def share_common(graph: Graph) -> Graph:
    """`a = exp(x); b = exp(x)` -> `a = exp(x)`, with a for b."""
    for each in graphs(graph):
        _Scope(each, None, None).run()
    return graph


class _Scope:
    """A graph or region, with what it computed so far; `outside` maps invariants to the enclosing scope's values."""

    def __init__(self, graph: Graph, parent: _Scope | None, owner: Node | None) -> None:
        self.graph = graph
        self.parent = parent
        self.owner = owner
        self.found: dict[Any, Node] = {}
        self.outside: dict[Value, Value] = {}
        self.imported: dict[Value, Value] = {}
        if owner is not None:
            self.outside = {v: owner.inputs[k] for k, v in _invariants(owner, graph)}

    def run(self) -> None:
        for node, table in renewed(self.graph):
            if node.regions:
                for region in node.regions:
                    _Scope(region, self, node).run()
            elif node.op.effect is None and node.op.name not in ("call", "placeholder") and node.outputs:
                same = self.find(node)
                if same is not None:
                    for old, new in zip(node.outputs, same, strict=True):
                        new.name = new.name or (old.name if new.node is not None else None)
                    table.update(zip(node.outputs, same, strict=True))
                    continue
            self.graph.nodes.append(node)

    def find(self, node: Node) -> list[Value] | None:
        """Values that are what the node computes, if there are any; else later nodes are compared with it."""
        key = _key(node, node.inputs)
        known = self.found.get(key)
        if known is None:
            values = self.find_outside(node)
            if values is None:
                self.found[key] = node
                return None
        else:
            values = known.outputs
        return values if all(map(may_stand_for, values, node.outputs)) else None

    def find_outside(self, node: Node) -> list[Value] | None:
        """The node's values from an enclosing scope, imported as invariants."""
        inputs, scope, path = node.inputs, self, [self]
        while inputs and scope.parent is not None and all(v in scope.outside for v in inputs):
            inputs = [scope.outside[v] for v in inputs]
            scope = scope.parent
            known = scope.found.get(_key(node, inputs))
            if known is not None:
                if not all(map(may_stand_for, known.outputs, node.outputs)):
                    return None
                values = known.outputs
                for inner in reversed(path):
                    values = [inner.import_(v) for v in values]
                return values
            path.append(scope)
        return None

    def import_(self, value: Value) -> Value:
        """A value of the enclosing scope as an input of this region (and of its siblings)."""
        if value not in self.imported:
            assert self.owner is not None
            known = [v for v, outer in self.outside.items() if outer is value]
            if not known:
                self.owner.inputs.append(value)
                for region in self.owner.regions:
                    made = region.add_input(value.type, value.name)
                    if region is self.graph:
                        known = [made]
                self.outside[known[0]] = value
            self.imported[value] = known[0]
        return self.imported[value]


def _invariants(node: Node, region: Graph) -> list[tuple[int, Value]]:
    """(operand number, region input) of the values that a region gets unchanged."""
    first = {"cond": 1, "while_loop": 0, "for_loop": 1}.get(node.op.name, len(node.inputs))
    first += node.attrs.get("carried", 0)
    return [(k, region.inputs[k - len(node.inputs)]) for k in range(first, len(node.inputs))]


def _key(node: Node, inputs: list[Value]) -> Any:
    if not node.attrs:
        return node.op.name, *map(id, inputs)
    return node.op.name, *map(id, inputs), *((k, _frozen(v)) for k, v in sorted(node.attrs.items()))


def _frozen(value: Any) -> Any:
    """A hashable form of an attribute: equal only for attributes that mean the same, bit for bit."""
    if isinstance(value, (np.ndarray, np.generic)):
        small = value.size <= 64 and value.dtype != object
        return (value.dtype.str, value.shape, value.tobytes()) if small else id(value)
    if isinstance(value, (tuple, list)):
        return type(value), *map(_frozen, value)
    if isinstance(value, dict):
        return dict, *((k, _frozen(v)) for k, v in value.items())
    if isinstance(value, slice):
        return slice, *map(_frozen, (value.start, value.stop, value.step))
    if isinstance(value, float):
        return float, value.hex()
    if isinstance(value, complex):
        return complex, value.real.hex(), value.imag.hex()
    if isinstance(value, Dim):
        return id(value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return type(value), value
