"""Loops that count: while-loops with a known end become for_loops, and what counts with the index becomes the index.

    while t < n: ...; t = t + 1      ->   for i in range(max(n - t0, 0)): t = t0 + i; ...      (t afterwards: t0 + count)
    for i: k = k + 1; ...            ->   for i: k = k0 + i; ...
    arange(a, n)[i], with i < n - a  ->   a + i
    for i: xs.append(y); len(xs)     ->   count                                        (for xs that are empty before)

Counters are integers of one type that start from a constant that is not negative; the test is nothing but `t < n` for
an n that the loop does not change.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import renewed, substitute
from runtime.ops.registry import get
from runtime.passes.loops import Loop, at_least_0, is_natural, lengths_before, steps_of_lists
from runtime.passes.rewrite import INDEX, constant_of, graphs, number, put
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

__all__ = ["count_loops"]


def count_loops(graph: Graph) -> Graph:
    """`while t < n: ...; t = t + 1` -> `for i in range(n): t = i; ...`, for a t that starts at 0."""
    for each in graphs(graph):
        _count(each)
    return graph


def _count(graph: Graph) -> None:
    lengths: dict[Dim, Value] = {}
    for node, table in renewed(graph):
        for region in node.regions:
            _count(region)
        results: dict[Value, Value] = {}
        if node.op.name == "while_loop":
            node, results = _as_for(graph, node)
        if (length := _length(graph, node)) is not None:
            table[node.outputs[0]] = length
            continue
        graph.nodes.append(node)
        if node.op.name == "for_loop":
            graph.nodes.pop()
            loop = Loop(node, graph, lengths)
            counters = _counters(loop)
            _reads(loop)
            graph.nodes.append(node)
            for k, start in counters:
                table[node.outputs[k]] = _plus(graph, _as(graph, at_least_0(graph, node.inputs[0]), start.type), start)
        table.update((old, table.get(new, new)) for old, new in results.items())
        lengths_before(node, lengths)


def _length(graph: Graph, node: Node) -> Value | None:
    """The length of a list that a loop fills, one element a turn: how many turns there are."""
    loop = node.inputs[0].node if node.op.name == "list_len" else None
    if loop is None or loop.op.name != "for_loop" or node.inputs[0].index not in steps_of_lists(loop):
        return None
    return _as(graph, at_least_0(graph, loop.inputs[0]), INDEX)


# while -> for


def _as_for(graph: Graph, node: Node) -> tuple[Node, dict[Value, Value]]:
    """A while_loop as a for_loop where it counts; else as it is. Values that results have now."""
    found = _bounds(node)
    if found is None:
        return node, {}
    start, bound = found
    count = bound if constant_of(start) == 0 else put(graph, "sub", bound, start)
    count = at_least_0(graph, count)
    body = node.regions[1]
    index = Value(INDEX, body, None, 0, "i")
    body.inputs.insert(0, index)
    for k, value in enumerate(body.inputs):
        value.index = k
    types = tuple(v.type for v in node.outputs)
    made = Node(get("for_loop"), [count, *node.inputs], dict(node.attrs), types, graph, (body,), node.location)
    for old, new in zip(node.outputs, made.outputs, strict=True):
        new.name = old.name
    return made, dict(zip(node.outputs, made.outputs, strict=True))


def _bounds(node: Node) -> tuple[Value, Value] | None:
    """(initial value, bound) of the counter that a while_loop's test compares."""
    test, body = node.regions
    done = test.outputs[0].node
    if done is None or any(n is not done and n.op.name != "constant" for n in test.nodes):
        return None
    if done.op.name not in ("less", "greater"):
        return None
    counter, bound = done.inputs if done.op.name == "less" else done.inputs[::-1]
    if counter.node is not None or counter.index >= node.carried:
        return None
    k = counter.index
    if not _counts(body.inputs[k], body.outputs[k], node.inputs[k]):
        return None
    if bound.node is not None:  # a constant of the test
        known = bound.node.attrs["value"]
        graph = node.outputs[0].graph
        return (node.inputs[k], number(graph, int(known))) if _whole(bound) else None
    if bound.index < node.carried:
        return None
    return (node.inputs[k], node.inputs[bound.index]) if _whole(bound) else None


def _whole(value: Value) -> bool:
    """Whether a value is an integer scalar that neither wraps nor is unsigned."""
    kind = value.type
    return isinstance(kind, TensorType) and kind.shape == () and kind.dtype.kind == "i"


def _counts(before: Value, after: Value, start: Value) -> bool:
    """Whether a carried value starts from a constant and grows by one."""
    step = after.node
    if not _whole(before) or step is None or step.op.name != "add" or start.type != before.type:
        return False
    if after.type != before.type:
        return False
    one = next((v for v, w in zip(step.inputs, step.inputs[::-1], strict=True) if w is before), None)
    known = constant_of(start)
    return one is not None and constant_of(one) == 1 and _whole(one) and is_natural(known)


# Counters


def _counters(loop: Loop) -> list[tuple[int, Value]]:
    """Use the index for carried counters: (which, initial value) of those that are only carried on now."""
    body, found = loop.body, []
    for k in range(loop.node.carried):
        before, after, start = body.inputs[1 + k], body.outputs[k], loop.node.inputs[1 + k]
        if not _counts(before, after, start) or loop.index.type != INDEX:
            continue
        mine, body.nodes = body.nodes, []
        now = _as(body, loop.index, before.type)
        if constant_of(start) != 0:
            assert start.node is not None
            now = put(body, "add", now, put(body, "constant", **start.node.attrs))
        body.nodes += mine
        substitute(body, {before: now})
        body.outputs[k] = before  # nobody reads it: it goes with the dead code
        found.append((k, start))
    return found


def _as(graph: Graph, value: Value, kind: object) -> Value:
    """An integer in another integer type, a bare number where the type is weak."""
    if value.type == kind or not isinstance(kind, TensorType):
        return value
    if kind.weak:
        return put(graph, "int_value", value)
    return put(graph, "cast", value, dtype=kind.dtype)


def _plus(graph: Graph, value: Value, start: Value) -> Value:
    return value if constant_of(start) == 0 else put(graph, "add", value, start)


# Reads of ranges


def _reads(loop: Loop) -> None:
    """`arange(a, b, s)[i]` -> a + s * i as an integer of the range's type; `x[cast(i)]` -> `x[i]`."""
    body = loop.body
    for node, table in renewed(body):
        found = _reads_range(loop, node)
        if found is not None:
            table[node.outputs[0]] = now = _of_range(loop, node, *found)
            now.name = now.name or node.outputs[0].name
            continue
        if node.op.name == "index":
            node.inputs[1:] = [_uncast(loop, v) for v in node.inputs[1:]]
        body.nodes.append(node)


def _reads_range(loop: Loop, node: Node) -> tuple[Value, int] | None:
    """The start and the step of the range that a node takes what is at the index from; None where it does not."""
    if node.op.name != "index" or node.inputs[0] not in loop.outside or node.attrs["spec"] != ("?",):
        return None
    made = loop.outside[node.inputs[0]].node
    if made is None or made.op.name != "arange" or loop.direction(node.inputs[1]) is None:
        return None
    start, _, step = made.inputs
    by = constant_of(step)
    if type(by) is not int or by == 0 or not _whole(start) or not _whole(node.outputs[0]):
        return None
    return (start, by) if loop.has_steps(made.outputs[0]) else None


def _of_range(loop: Loop, node: Node, start: Value, step: int) -> Value:
    """What a range has at the index."""
    body, kind = loop.body, node.outputs[0].type
    now = _as(body, node.inputs[1], kind)
    if step != 1:
        now = put(body, "mul", now, number(body, step))
    known = constant_of(start)
    if known == 0:
        return now
    first = number(body, known) if type(known) is int else _as(body, loop.pass_in(start), kind)
    return put(body, "add", now, first)


def _uncast(loop: Loop, value: Value) -> Value:
    node = value.node
    if node is not None and node.op.name == "cast" and _whole(value) and loop.direction(node.inputs[0]) is not None:
        return node.inputs[0]
    return value
