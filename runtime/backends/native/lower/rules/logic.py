"""`and` and `or` of a few comparisons, traced as branches, lowered as logic: a branch that is not foreseen costs more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.rules.elementwise import cost_of
from runtime.backends.native.lower.rules.turns import note_said
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import Range, around, flags_of
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.kinds import Elementwise
from runtime.typesys.spec import TensorType

__all__ = ["as_choice", "as_logic", "is_choice", "is_logic", "places_of_items"]

_MOST_LOGIC = 4  # operations that cost less than a branch that is not foreseen
_MOST_TOGETHER = 8  # of several


def is_logic(node: Node) -> bool:
    """Whether a `cond` is no more than an `and` or `or` of a few comparisons."""
    every = [n for region in node.regions for n in region.walk()]
    values = [v for n in every for v in (*n.inputs, *n.outputs)]
    inner = [n for n in every if n.op.name == "cond"]
    nodes = [n for n in every if n.op.name not in ("constant", "cond")]
    return (
        _is_few(nodes, _MOST_TOGETHER if inner else _MOST_LOGIC)
        and _are_numbers(node, values)
        and all(v.tensor_type.dtype.kind == "b" for n in (node, *inner) for v in n.outputs)
    )


def is_choice(node: Node) -> bool:
    """Whether a `cond` is a choice between a few sums and products of Python's integers.

    LLVM makes such choices itself where nothing leaves them; these leave where 64 bits do not do.
    """
    given: dict[Value, Value] = {}
    every = list(_inside(node, given))
    nodes = [n for n in every if n.op.name not in ("constant", "cond")]
    done = _divided_before(node) if any(n.op.name in _DIVIDING for n in nodes) else set()
    if not done and any(n.op.name == "cond" or n.op.name in _COMPARING for n in every):
        return False  # branches that do less than a division
    nodes = [n for n in nodes if n.op.name not in _DIVIDING or _origins(n, given) not in done]
    values = [v for n in nodes for v in (*n.inputs, *n.outputs)]
    return (
        0 < len(nodes) <= _MOST_LOGIC
        and all(n.op.name in _ALWAYS or (n.op.name in _BY and _is_above_zero(n.inputs[1])) for n in nodes)
        and all(_are_numbers(n, []) for n in every)
        and _are_numbers(node, values)
        and any(n.op.name in _LEAVING and n.outputs[0].tensor_type.weak for n in nodes)
        and all(v.tensor_type.dtype.kind == "i" or n.op.name in _COMPARING for n in (node, *nodes) for v in n.outputs)
    )


def _inside(node: Node, given: dict[Value, Value]) -> Iterator[Node]:
    """The nodes of a `cond`, and of those in it; what inputs of regions are given as is added to `given`."""
    for region in node.regions:
        given.update(zip(region.inputs, node.inputs[1:], strict=True))
        for inner in region.nodes:
            yield inner
            if inner.op.name == "cond":
                yield from _inside(inner, given)


def _origins(node: Node, given: dict[Value, Value]) -> tuple[Value, ...]:
    out = []
    for value in node.inputs:
        while value in given:
            value = given[value]
        out.append(value)
    return tuple(out)


def _divided_before(node: Node) -> set[tuple[Value, ...]]:
    """What is divided by what in the region of a `cond`, before it: the quotient and the rest come together."""
    nodes = node.inputs[0].graph.nodes
    return {tuple(n.inputs) for n in itertools.takewhile(lambda n: n is not node, nodes) if n.op.name in _DIVIDING}


_LEAVING = frozenset(("add", "sub", "mul", "left_shift"))
_COMPARING = frozenset(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"))
_ALWAYS = _LEAVING | _COMPARING | {"bitwise_and", "bitwise_or", "bitwise_xor", "minimum", "maximum"}
_DIVIDING = frozenset(("floordiv", "mod"))
_BY = _DIVIDING | {"right_shift"}  # if by a constant


def _is_above_zero(value: Value) -> bool:
    node = value.node
    return node is not None and node.op.name == "constant" and bool(node.attrs["value"] > 0)


def _are_numbers(node: Node, values: list[Value]) -> bool:
    return all(type(v.type) is TensorType and v.type.shape == () for v in (*values, *node.inputs, *node.outputs))


def _is_few(nodes: list[Node], most: int) -> bool:
    return (
        len(nodes) <= most
        and all(isinstance(n.op, Elementwise) and cost_of(n.op.numpy or n.op.name) == 1 for n in nodes)
    )


def as_logic(ctx: FunctionLowering, node: Node, test: Scalar) -> bool:
    """Compute both sides and choose, unless one of them may leave native code."""
    code = ctx.code
    given = [ctx.scalar(v) for v in node.inputs[1:]]  # which may be loops: they stay, whatever becomes of the sides
    lines, block, late = len(code.lines), code.block, len(code.late or ())

    def side(graph: Graph) -> list[Scalar]:
        ctx.region(graph, given)
        return [ctx.ops.cast(ctx.scalar(v), "b1") for v in graph.outputs]

    then, other = (ctx.inside(lambda graph=graph: side(graph)) for graph in node.regions)  # type: ignore[misc]
    if code.block != block:
        del code.lines[lines:]
        if code.late is not None:
            del code.late[late:]
        code.block = block
        return False
    for out, x, y in zip(node.outputs, then, other, strict=True):
        ctx.define(out, ctx.ops.select(test, x, y))
    return True


def as_choice(ctx: FunctionLowering, node: Node, test: Scalar) -> bool:
    """Compute both sides and choose; leave native code where the side that is chosen has to.

    No where neither has to, and items are read there: behind a branch that is foreseen, they are read before it is known.
    """
    code = ctx.code
    given = [ctx.scalar(v) for v in node.inputs[1:]]
    outer = code.required
    lines, late = len(code.lines), len(code.late or ())

    def side(graph: Graph, holds: bool) -> tuple[list[Scalar], list[str], list[Range | None]]:
        note_said(ctx, node, holds, given)
        needs: list[str] = []
        code.required = needs
        ctx.region(graph, given)
        results = [ctx.scalar(v) for v in graph.outputs]
        return results, needs, [code.range_of(r.reg) for r in results]

    try:
        then, other = (
            ctx.inside(lambda graph=graph, holds=holds: side(graph, holds))  # type: ignore[misc]
            for graph, holds in zip(node.regions, (True, False), strict=True)
        )
    finally:
        code.required = outer
    foreseen = outer is None and not ctx.places.isdisjoint(node.outputs)
    if foreseen and not then[1] and not other[1] and len(code.late or ()) == late:
        del code.lines[lines:]
        return False
    fine = [_all(ctx, needs) for _, needs, _ in (then, other)]
    if fine != ["true", "true"]:
        chosen = code.op(f"select i1 {test.reg}, i1 {fine[0]}, i1 {fine[1]}")
        code.require(chosen, ctx.failure, whole=ctx.module.unforeseen())
    for out, x, y, *ranges in zip(node.outputs, then[0], other[0], then[2], other[2], strict=True):
        result = ctx.ops.select(test, x, y)
        between = around(ranges)
        if between is not None:
            code.ranges[result.reg] = between
        ctx.define(out, result)
    return True


_READING = frozenset(("index", "list_get"))
_MOVING = frozenset(("add", "sub", "mul", "mod", "floordiv", "bitwise_and", "bitwise_xor", "right_shift", "where", "cast"))


def places_of_items(loop: Node) -> set[Value]:
    """The numbers of a loop's turn, and of the branches in it, that say which items this turn or the next one reads.

    None where a turn may break off: choices by what it breaks off for are not made in the turns that go on.
    """
    if loop.op.name == "while_loop" and flags_of(loop.regions[0]):
        return set()
    first, body = loop.op.name == "for_loop", loop.regions[-1]
    conds: dict[Graph, Node] = {}
    todo: list[Value] = []
    for inner in itertools.chain.from_iterable(region.walk() for region in loop.regions):
        if inner.op.name == "cond":
            conds.update(dict.fromkeys(inner.regions, inner))
        elif inner.op.name in _READING:
            todo += inner.inputs[1:]
    found: set[Value] = set()
    while todo:
        value = todo.pop()
        if value in found:
            continue
        found.add(value)
        node = value.node
        if node is None and value.graph in conds:
            todo.append(conds[value.graph].inputs[1 + value.index])
        elif node is None and value.graph in loop.regions:
            k = value.index - (first if value.graph is body else 0)
            todo += body.outputs[k : k + 1] if 0 <= k < loop.carried else []
        elif node is not None and node.op.name == "cond":
            todo += [region.outputs[value.index] for region in node.regions]
        elif node is not None and node.op.name in _MOVING:
            todo += node.inputs
    return found


def _all(ctx: FunctionLowering, conditions: list[str]) -> str:
    together = "true"
    for condition in conditions:
        together = condition if together == "true" else ctx.code.op(f"and i1 {together}, {condition}")
    return together
