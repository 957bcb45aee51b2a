"""Integers in the place of records, which native code keeps in blocks and knows by their addresses (rules/records.py)."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.forms import is_held
from runtime.ir.graph import Graph, Value
from runtime.ir.walk import clone
from runtime.typesys.spec import ListType, TensorType

__all__ = ["addressed"]

ADDRESS = TensorType("int64")
_MOVING = frozenset(
    "pack_record unpack_record placeholder cond while_loop for_loop call list_new list_from list_append list_pop "
    "list_get list_set list_len list_reverse identity".split()
)


def addressed(graph: Graph) -> tuple[Graph, frozenset[Value]]:
    """The graph with integers for records, and which values those are; itself where Python has to see a record."""
    if not any(n.op.name in ("pack_record", "unpack_record") for g in _all(graph) for n in g.walk()):
        return graph, frozenset()
    if any(_has_record(v.type) for v in (*graph.inputs, *graph.outputs)):
        return graph, frozenset()
    for whole in _all(graph):
        for node in whole.walk():
            values = *node.inputs, *node.outputs
            fields = node.inputs if node.op.name == "pack_record" else node.outputs
            if any(_has_record(v.type) for v in values) and node.op.name not in _MOVING:
                return graph, frozenset()
            if node.op.name in ("pack_record", "unpack_record") and any(is_held(_plain(v.type)) for v in fields):
                return graph, frozenset()
    copy = clone(graph)
    found: set[Value] = set()
    for whole in _all(copy):
        _change(whole, found)
    return copy, frozenset(found)


def _all(graph: Graph) -> list[Graph]:
    return [graph, *graph.functions.values()]


def _has_record(t: Any) -> bool:
    return isinstance(t, ListType) and (t.record or _has_record(t.element))


def _plain(t: Any) -> Any:
    """A type, or anything with types in it, with integers for records."""
    if isinstance(t, ListType):
        return ADDRESS if t.record else ListType(_plain(t.element))
    return tuple(map(_plain, t)) if isinstance(t, tuple) else t


def _change(graph: Graph, found: set[Value]) -> None:
    for value in (*graph.inputs, *(v for node in graph.nodes for v in node.outputs)):
        if _has_record(value.type):
            found.add(value)
            value.type = _plain(value.type)
    for node in graph.nodes:
        node.attrs = {k: _plain(v) for k, v in node.attrs.items()}
        for region in node.regions:
            _change(region, found)
