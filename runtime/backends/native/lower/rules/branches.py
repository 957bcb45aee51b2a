"""cond as two blocks of one function, which put the same results at the same places: scalars, arrays, lists."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.crossings import Held, converted, hold, move
from runtime.backends.native.lower.exprs import (
    Const,
    Deferred,
)
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.held_lists import (
    ListRep,
    assign,
    copied,
    is_mine,
    new_list,
)
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.rules.logic import as_choice, as_logic, is_choice, is_logic
from runtime.backends.native.lower.rules.turns import (
    note_said,
)
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import Range, around
from runtime.backends.native.lower.types import LLVM, code_of
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import ListType, TensorType

__all__ = ["is_lent", "settled"]


def settled(ctx: FunctionLowering, value: Value) -> Any:
    """What a region is given for a value: nothing that is computed only when asked for."""
    rep = ctx.env[value]
    if not isinstance(rep, Deferred):
        return rep
    if not rep.sizes:
        return ctx.scalar(value)
    if isinstance(rep.expr, Const) and rep.reduce is None and not rep.done:
        return rep
    return ctx.dense(ctx.array(value))


# cond


@rule("cond")
def cond(ctx: FunctionLowering, node: Node) -> None:
    """One of two regions."""
    code = ctx.code
    pred, *inputs = node.inputs
    test = ctx.ops.cast(ctx.scalar(pred), "b1")
    if is_logic(node) and as_logic(ctx, node, test):
        return
    if (code.required is not None or (code.depth and is_choice(node))) and as_choice(ctx, node, test):
        return
    given = [settled(ctx, v) for v in inputs]
    kept = {_origin(g, g.outputs[v.index]) for v in node.outputs if isinstance(v.type, ListType) for g in node.regions}
    for k, (v, rep) in enumerate(zip(inputs, given, strict=True)):
        if isinstance(rep, ListRep) and k in kept and not is_mine(ctx, v, node):
            given = [copied(ctx, r) if r is rep else r for r in given]
    pairs = [(v, rep) for v, rep in zip(inputs, given, strict=True) if isinstance(rep, ListRep)]
    own = {rep for v, rep in pairs if rep is not ctx.env[v] or is_mine(ctx, v, node)}
    then, orelse, after = code.label("then"), code.label("else"), code.label("fi")
    targets = _list_targets(ctx, node, given)
    lent = {b for v, r in zip(inputs, given, strict=True) if is_lent(ctx, v, r, node) for b in r.array.buffers}
    made: set[Buffer] = set()
    code.branch(str(test.reg), then, orelse, rarely=bool(code.depth) and _keeps_the_best(node))
    late, code.late = code.late, None  # only one of them is gone through
    ends, results = [], []
    between: list[list[Range | None]] = []  # what is known of the results in each
    for label, graph, holds in zip((then, orelse), node.regions, (True, False), strict=True):
        code.begin(label)

        def branch(graph: Graph = graph, holds: bool = holds) -> list[Any]:
            note_said(ctx, node, holds, given)
            reps = _branch(ctx, graph, given, targets, lent, own, made)
            between.append([code.range_of(rep.reg) if isinstance(rep, Scalar) else None for rep in reps])
            return reps

        results.append(ctx.inside(branch))
        ends.append(code.block)
        code.jump(after)
    code.late = late
    code.begin(after)
    ctx.writable |= made
    joined = [
        target if target is not None else _joined(ctx, out, a, b, ends, around([one, other]))
        for out, a, b, target, one, other in zip(node.outputs, *results, targets, *between, strict=True)
    ]
    for out, rep in zip(node.outputs, joined, strict=True):  # sizes are computed from here on: after all phis
        ctx.define(out, _strided(ctx, rep) if isinstance(rep, Array) else rep)


def _keeps_the_best(node: Node) -> bool:
    """Whether a number takes another's place where that is less (or greater): the least so far, which few change.

    As a choice, each turn would wait for the comparison of the one before.
    """
    test = node.inputs[0].node
    if test is None or test.op.name not in ("less", "less_equal", "greater", "greater_equal"):
        return False
    if any(v.type.dtype.kind != "f" or v.type.shape != () for v in test.inputs if isinstance(v.type, TensorType)):
        return False
    for new, old in (test.inputs, test.inputs[::-1]):
        if old.node is None and new.node is not None and new in node.inputs and old in node.inputs:
            places = node.inputs.index(new) - 1, node.inputs.index(old) - 1
            one, other = (r.inputs[k] for r, k in zip(node.regions, places, strict=True))
            if (one, other) in zip(*(r.outputs for r in node.regions), strict=True):
                return True
    return False


_CHANGES_FIRST = frozenset(
    ("list_append", "list_set", "list_insert", "list_accumulate_at", "list_pop", "list_cast")
)


def _origin(graph: Graph, value: Value) -> int | None:
    """The input of a region whose memory a list of it lies in, as lists are changed in place."""
    while value.node is not None:
        node = value.node
        if node.op.name in _CHANGES_FIRST and value.index == 0:
            value = node.inputs[0]
            continue
        if node.op.name == "cond":
            inner = {_origin(g, g.outputs[value.index]) for g in node.regions}
            source = inner.pop() if len(inner) == 1 else None
            if source is None:
                return None
            value = node.inputs[1 + source]
        elif node.op.name in ("for_loop", "while_loop"):
            value = node.inputs[value.index + (node.op.name == "for_loop")]
        else:
            return None
    return value.index if value.graph is graph else None


def _list_targets(ctx: FunctionLowering, node: Node, given: list[Any]) -> list[Any]:
    """For outputs that are lists: the list that both regions change, or that one does and nothing else keeps (the other
    region's takes its place: a turn that leaves a list alone copies nothing), or a new one."""
    out: list[Any] = []
    origins = [{_origin(g, g.outputs[v.index]) for g in node.regions} for v in node.outputs]
    for value in node.outputs:
        if ctx.is_held(value.type):
            out.append(hold(ctx))
            continue
        if not isinstance(value.type, ListType):
            out.append(None)
            continue
        places = origins[value.index] - {None}
        place = places.pop() if len(places) == 1 else None
        shared = sum(place in each for each in origins) > 1
        if shared and None in origins[value.index]:
            place = None
        rep = None if place is None else given[place]
        fits = isinstance(rep, ListRep) and _takes(rep, value.type) and not any(rep is t for t in out)
        out.append(rep if fits else new_list(ctx, value.type.element))
    return out


def _takes(rep: ListRep, kind: ListType) -> bool:
    """Whether the elements of a list of this type can lie in the memory of `rep`: a region may have changed their type."""
    element = kind.element
    have = rep.element
    return have is not None and (not isinstance(element, TensorType) or element.dtype == have.dtype)  # type: ignore[union-attr]


def is_lent(ctx: FunctionLowering, value: Value, given: Any, node: Node) -> bool:
    """Whether the regions of a node may write into what they are given: nobody looks at the old elements again."""
    return (
        isinstance(given, Deferred)
        and given.array is not None
        and ctx.uses.last.get(value) is node
        and node.inputs.count(value) == 1
        and ctx.may_overwrite(given.array, node)
    )


def _branch(
    ctx: FunctionLowering,
    graph: Graph,
    given: list[Any],
    targets: list[Any],
    lent: set[Buffer],
    own: set[ListRep],
    made: set[Buffer],
) -> list[Any]:
    """Lower one of the regions of a `cond`, which may write into what it is lent and into lists of its own.

    What it allocates is added to `made`.
    """
    ctx.writable |= lent
    ctx.lists |= own
    ctx.region(graph, given)
    out: list[Any] = [None] * len(targets)
    for k, (value, target) in enumerate(zip(graph.outputs, targets, strict=True)):
        if target is None:  # before lists lose what they hold
            out[k] = ctx.scalar(value) if ctx.type(value).shape == () else ctx.contiguous(value)
    waiting = [ctx.env[value] for value, target in zip(graph.outputs, targets, strict=True) if target is not None]
    for value, target in zip(graph.outputs, targets, strict=True):
        if target is None:
            continue
        source = waiting.pop(0)
        if isinstance(target, Held):
            move(ctx, target, source, value.type)
            continue
        rep = converted(ctx, source, value.type, ListType(target.element))
        if rep is not target:
            kept = rep not in ctx.lists or any(rep is x for x in (*given, *waiting))
            assign(ctx, target, rep, moved=not kept)
    made |= ctx.writable - lent
    return out


def _joined(
    ctx: FunctionLowering, out: Value, a: Any, b: Any, ends: list[str], between: Range | None
) -> Any:
    code = ctx.code

    def phi(type: str, x: Operand, y: Operand) -> Operand:
        if x == y:
            return x
        return code.op(f"phi {type} [ {x}, %{ends[0]} ], [ {y}, %{ends[1]} ]")

    if isinstance(a, Scalar):
        kind = code_of(ctx.type(out).dtype)
        if a.code != kind or b.code != kind:
            raise Unsupported([("branches of different types", None)])
        joined = Scalar(phi(LLVM[kind], a.reg, b.reg), kind)
        if between is not None and a.reg != b.reg:
            code.ranges[joined.reg] = between
        return joined
    sizes = tuple(phi("i64", x, y) for x, y in zip(a.sizes, b.sizes, strict=True))
    ptr = str(phi("ptr", a.ptr, b.ptr))
    offset = phi("i64", a.offset, b.offset)
    return Array(ptr, a.code, sizes, (), a.buffers | b.buffers, offset)


def _strided(ctx: FunctionLowering, joined: Array) -> Deferred:
    """A joined array, in C order."""
    joined.strides = ctx.code.strides(joined.sizes)
    ctx.memory.touch(joined.buffers)
    return ctx.dense(joined)


# loops
