"""`[3, 5, 7, ...][i]` -> `3 + 2 * i`, where i counts the turns of a loop, or those that are left: what a loop over a range
of known numbers reads, and what its gradient does.

Arithmetic keeps the number in a register and lets native code see that it is within bounds; an array hides both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import renewed
from runtime.passes.rewrite import UNKNOWN, constant_of, graphs, number, put

__all__ = ["count_progressions"]


def count_progressions(graph: Graph) -> Graph:
    """`%1 = constant([2, 3, 4]); %2 = index(%1, i)` -> `%2 = add(cast(i), 2)` in a loop of at most three turns.

    So where `%1 = arange(2, 5, 1)`, which was too long to be made a constant.
    """
    for each in graphs(graph):
        _visit(each)
    return graph


def _visit(graph: Graph) -> None:
    for node in graph.nodes:
        for region in node.regions:
            _visit(region)
        if node.op.name == "for_loop":
            turns = constant_of(node.inputs[0])
            if turns is not UNKNOWN and turns > 0:
                _rewrite(node, int(turns))


def _rewrite(loop: Node, turns: int) -> None:
    body = loop.regions[0]
    if not any(_is_read(node, body, turns) for node in body.nodes):
        return
    for node, table in renewed(body):
        found = None
        if _is_read(node, body, turns):
            found = _of_range(node.inputs[0], loop, turns) or _progression(constant_of(node.inputs[0]), turns)
        if found is None:
            body.nodes.append(node)
            continue
        start, step = found
        value = put(body, "cast", node.inputs[1], dtype=node.outputs[0].tensor_type.dtype)
        if step != 1:
            value = put(body, "mul", value, number(body, step))
        if start != 0:
            value = put(body, "add", value, number(body, start))
        value.name = value.name or node.outputs[0].name
        for made in body.nodes:
            made.location = made.location or node.location
        table[node.outputs[0]] = value


def _is_read(node: Node, body: Graph, turns: int) -> bool:
    """Whether a node is an element of something, by the number of the turn, or of the turns that are left."""
    if node.op.name != "index" or node.attrs["spec"] != ("?",):
        return False
    place = node.inputs[1]
    if place is body.inputs[0]:
        return True
    made = place.node
    if made is None or made.op.name != "sub" or made.inputs[1] is not body.inputs[0]:
        return False
    last = constant_of(made.inputs[0])
    return type(last) is int and last == turns - 1


def _of_range(read: Value, loop: Node, turns: int) -> tuple[int, int] | None:
    """Start and step of a range of known bounds that was made before the loop."""
    if read.node is not None or read.index <= loop.carried:
        return None
    made = loop.inputs[read.index].node
    if made is None or made.op.name != "arange" or made.outputs[0].tensor_type.dtype.kind not in "iu":
        return None
    bounds = [constant_of(v) for v in made.inputs]
    if not all(isinstance(b, (int, np.integer)) for b in bounds):
        return None
    start, limit, step = map(int, bounds)
    numbers = range(start, limit, step) if step else range(0)
    if len(numbers) < turns:
        return None
    limits = np.iinfo(made.outputs[0].tensor_type.dtype.dtype)
    on_the_way = (start, step, numbers[-1], step * (len(numbers) - 1), len(numbers) - 1)
    return (start, step) if all(limits.min <= x <= limits.max for x in on_the_way) else None


def _progression(payload: Any, turns: int) -> tuple[int, int] | None:
    """Start and step of an array of equally spaced integers; no step on the way to one leaves the dtype."""
    if not isinstance(payload, np.ndarray) or payload.ndim != 1 or payload.dtype.kind not in "iu":
        return None
    if payload.size < max(turns, 2):
        return None
    start, step = int(payload[0]), int(payload[1]) - int(payload[0])
    limits = np.iinfo(payload.dtype)
    if not all(limits.min <= x <= limits.max for x in (step, step * (payload.size - 1))) or payload.size - 1 > limits.max:
        return None
    if not (payload == start + step * np.arange(payload.size, dtype=payload.dtype)).all():
        return None
    return start, step
