"""Whether two graphs are equal, and where they differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Value
from runtime.ir.walk import reachable_functions
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType

__all__ = ["difference", "same_body"]


def difference(a: Graph, b: Graph) -> str | None:
    """What differs first between two graphs and the functions they call, or None if they are equal.

    Names of values count, names of unknown sizes do not (which of them are equal does), locations do not.
    """
    matcher = _Matcher()
    if a.name != b.name:
        return f"names {a.name!r} and {b.name!r}"
    names = reachable_functions(a)
    if names != reachable_functions(b):
        return f"functions {names} and {reachable_functions(b)}"
    found = matcher.graphs(a, b, a.name or "the graph")
    for name in names:
        found = found or matcher.graphs(a.functions[name], b.functions[name], f"function {name}")
    return found


def same_body(a: Graph, b: Graph) -> bool:
    """Whether two graphs are equal, their own names and the functions they call aside (the names of these count)."""
    return _Matcher().graphs(a, b, "") is None


class _Matcher:
    def __init__(self) -> None:
        self.sizes: dict[Dim, Dim] = {}

    def graphs(self, a: Graph, b: Graph, where: str) -> str | None:
        table: dict[Value, Value] = {}
        found = self.values(a.inputs, b.inputs, table, f"inputs of {where}")
        if len(a.nodes) != len(b.nodes):
            return found or f"{where} has {len(a.nodes)} and {len(b.nodes)} nodes"
        for k, (m, n) in enumerate(zip(a.nodes, b.nodes, strict=True)):
            place = f"node {k} ({m.op.name}) of {where}"
            if m.op is not n.op:
                return found or f"{place} is {n.op.name}"
            if [table.get(v) for v in m.inputs] != n.inputs:
                return found or f"{place} has other operands"
            if m.attrs.keys() != n.attrs.keys() or not all(self.same(m.attrs[key], n.attrs[key]) for key in m.attrs):
                return found or f"{place} has attributes {m.attrs} and {n.attrs}"
            if len(m.regions) != len(n.regions):
                return found or f"{place} has {len(m.regions)} and {len(n.regions)} regions"
            found = found or self.values(m.outputs, n.outputs, table, f"outputs of {place}")
            for i, (r, s) in enumerate(zip(m.regions, n.regions, strict=True)):
                found = found or self.graphs(r, s, f"region {i} of {place}")
        if [table.get(v) for v in a.outputs] != b.outputs:
            return found or f"{where} returns other values"
        return found

    def values(self, a: list[Value], b: list[Value], table: dict[Value, Value], where: str) -> str | None:
        if len(a) != len(b):
            return f"{len(a)} and {len(b)} {where}"
        for v, w in zip(a, b, strict=True):
            table[v] = w
            if not self.same(v.type, w.type):
                return f"types {v.type} and {w.type} among {where}"
            if (v.name or None) != (w.name or None):
                return f"names {v.name} and {w.name} among {where}"
        return None

    def same(self, a: Any, b: Any) -> bool:
        """Whether two attributes, or two types, are interchangeable."""
        if isinstance(a, (np.ndarray, np.generic)):
            if not isinstance(b, (np.ndarray, np.generic)):
                return False
            if a.dtype != b.dtype or a.shape != b.shape:
                return False
            return a.tolist() == b.tolist() if a.dtype == object else a.tobytes() == b.tobytes()
        if type(a) is not type(b):
            return False
        if isinstance(a, Dim):
            return self.sizes.setdefault(a, b) is b
        if isinstance(a, TensorType):
            return a.dtype == b.dtype and a.weak == b.weak and self.same(a.shape, b.shape)
        if isinstance(a, ListType):
            return self.same(a.element, b.element)
        if isinstance(a, (tuple, list)):
            return len(a) == len(b) and all(map(self.same, a, b))
        if isinstance(a, dict):
            return list(a) == list(b) and all(self.same(a[k], b[k]) for k in a)
        if isinstance(a, slice):
            return self.same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
        if isinstance(a, (float, complex)):
            return np.asarray(a).tobytes() == np.asarray(b).tobytes()
        return bool(a == b)
