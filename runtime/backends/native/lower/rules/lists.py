"""Rules of lists of tensors of one known shape (held_lists.py)."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import load
from runtime.backends.native.lower.exprs import Const, Load, Map
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.held_lists import (
    ListRep,
    data_of,
    element_at,
    is_mine,
    known_element,
    length_of,
    mine,
    new_list,
    put,
    reserve,
)
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.rules.reductions import place_of
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.signs import constant_of
from runtime.backends.native.lower.types import MEMORY, SIZE, code_of, literal
from runtime.ir.graph import Node, Value
from runtime.typesys.spec import ListType, TensorType

_CHANGING = frozenset(
    ("list_append", "list_set", "list_insert", "list_accumulate_at", "list_concat", "list_reverse")
)


FEW_BYTES = 2048  # up to which to move them takes less time than a new block now and then
WORDS = 16  # bytes before a block: how large it is, and what was allocated for it
_HANDING_ON = _CHANGING | {"list_pop"}  # their first result is the list of the first operand


@rule("list_new")
def list_new(ctx: FunctionLowering, node: Node) -> None:
    """[]"""
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    ctx.define(node.outputs[0], new_list(ctx, kind.element))


@rule("list_from")
def list_from(ctx: FunctionLowering, node: Node) -> None:
    """[a, b, ...]"""
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    rep = new_list(ctx, kind.element)
    if node.inputs:
        ptr = reserve(ctx, rep, len(node.inputs))
        for i, value in enumerate(node.inputs):
            put(ctx, rep, element_at(ctx, rep, ptr, i), value)
        ctx.code.do(f"store i64 {len(node.inputs)}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)


@rule("list_append")
def list_append(ctx: FunctionLowering, node: Node) -> None:
    """One more element."""
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    rep = mine(ctx, node, kind.element)
    value = node.inputs[1]
    n = length_of(ctx, rep)
    more = ctx.code.op(f"add i64 {n}, 1")
    ptr = reserve(ctx, rep, more)
    put(ctx, rep, element_at(ctx, rep, ptr, n), value)
    ctx.code.do(f"store i64 {more}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)


def _taken(ctx: FunctionLowering, node: Node, rep: ListRep, ptr: str, i: Operand, copy: bool) -> Any:
    array = element_at(ctx, rep, ptr, i)
    if not rep.sizes:
        ctx.memory.touch(array.buffers)
        return load(ctx.code, array.ptr, array.code, array.offset)
    return ctx.dense(ctx.copy(array) if copy else array)


def _changes(ctx: FunctionLowering, rep: ListRep) -> bool:
    """Whether a list that may be this one is written to in the region: then what is read from it is copied."""
    for node in ctx.uses.order:
        for value in () if node is None else node.inputs:
            if isinstance(value.type, ListType) and _changed(node, value):
                while value.node is not None and value not in ctx.env and value.node.op.name in _HANDING_ON:
                    value = value.node.inputs[0]
                if ctx.env.get(value, rep) is rep:
                    return True
    return False


def _changed(node: Node, value: Value) -> bool:
    """Whether a node, or one of those in its regions, writes to a list that it takes."""
    name = node.op.name
    if name in _CHANGING or (name == "list_pop" and constant_of(node.inputs[1]) != -1):
        return value is node.inputs[0]
    if name in ("call", "attempt"):
        return value in node.inputs[len(node.inputs) - node.attrs.get("handed", 0) :]
    lead = 1 if name == "cond" else 0  # its condition is no input of its regions
    return any(
        _changed(user, inner)
        for region in node.regions
        for inner, outer in zip(region.inputs, node.inputs[lead:], strict=True)
        if outer is value
        for user in region.nodes
        if inner in user.inputs
    )


@rule("list_pop")
def list_pop(ctx: FunctionLowering, node: Node) -> None:
    """An element, and the list without it."""
    rep = mine(ctx, node)
    n = length_of(ctx, rep)
    i = place_of(ctx, ctx.number(node.inputs[1]), n)
    rest = ctx.code.op(f"sub i64 {n}, 1")
    at = str(ctx.scalar(node.inputs[1]).reg)
    ptr = data_of(ctx, rep)
    used = node.outputs[1] in ctx.uses.count
    value = _taken(ctx, node, rep, ptr, i, at != "-1" or _changes(ctx, rep)) if used else None
    if at == "0":
        _behind_the_first(ctx, rep, n)
    elif at != "-1":
        _moved_down(ctx, rep, reserve(ctx, rep, n), i, rest)
    ctx.code.do(f"store i64 {rest}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)
    if used:
        ctx.define(node.outputs[1], value)


def _moved_down(ctx: FunctionLowering, rep: ListRep, ptr: str, i: Operand, rest: Operand) -> None:
    """What comes behind an element takes its place."""
    size = SIZE[rep.code] * rep.count
    here = ctx.code.op(f"mul i64 {i}, {size}")
    to = ctx.code.op(f"getelementptr i8, ptr {ptr}, i64 {here}")
    source = ctx.code.op(f"getelementptr i8, ptr {to}, i64 {size}")
    behind = ctx.code.op(f"sub i64 {rest}, {i}")
    tail = ctx.code.op(f"mul i64 {behind}, {size}")
    ctx.code.do(f"call void @llvm.memmove.p0.p0.i64(ptr {to}, ptr {source}, i64 {tail}, i1 false)")


def _behind_the_first(ctx: FunctionLowering, rep: ListRep, n: Operand) -> None:
    """A list without its first element: its block begins behind that (pool.ll), and nothing is moved, where the block is
    its own, the two words that a block has before it find room in the element, and there is much to move."""
    code, size = ctx.code, SIZE[rep.code] * rep.count
    ptr = reserve(ctx, rep, n)
    if size < WORDS or size % 8:
        _moved_down(ctx, rep, ptr, 0, code.op(f"sub i64 {n}, 1"))
        return
    place = code.op(f"getelementptr i64, ptr {rep.slot}, i64 1")
    have = code.op(f"load i64, ptr {place}")
    own, move, on = code.label("own"), code.label("move"), code.label("on")
    long = code.op(f"icmp ugt i64 {n}, {FEW_BYTES // size}")
    mine_ = code.op(f"icmp ugt i64 {have}, {size}")
    code.do(f"br i1 {code.op(f'and i1 {long}, {mine_}')}, label %{own}, label %{move}")
    code.begin(own)
    base = code.op(f"load ptr, ptr {code.op(f'getelementptr ptr, ptr {ptr}, i64 -1')}")
    first = code.op(f"getelementptr i8, ptr {ptr}, i64 {size}", "p")
    left = code.op(f"sub i64 {have}, {size}")
    code.do(f"store i64 {left}, ptr {code.op(f'getelementptr i64, ptr {first}, i64 -2')}")
    code.do(f"store ptr {base}, ptr {code.op(f'getelementptr ptr, ptr {first}, i64 -1')}")
    code.do(f"store ptr {first}, ptr {rep.slot}")
    code.do(f"store i64 {left}, ptr {place}")
    code.jump(on)
    code.begin(move)
    _moved_down(ctx, rep, ptr, 0, code.op(f"sub i64 {n}, 1"))
    code.jump(on)
    code.begin(on)


@rule("list_get")
def list_get(ctx: FunctionLowering, node: Node) -> None:
    """The element at an index."""
    rep = ctx.env[node.inputs[0]]
    i = place_of(ctx, ctx.number(node.inputs[1]), length_of(ctx, rep))
    ctx.define(node.outputs[0], _taken(ctx, node, rep, data_of(ctx, rep), i, _changes(ctx, rep)))


@rule("list_set", "list_accumulate_at")
def list_set(ctx: FunctionLowering, node: Node) -> None:
    """Another element at an index, or something added to it."""
    rep = mine(ctx, node)
    value = node.inputs[2]
    if rep.sizes:
        ctx.array(value)
    n = length_of(ctx, rep)
    i = place_of(ctx, ctx.number(node.inputs[1]), n)
    target = element_at(ctx, rep, reserve(ctx, rep, n), i)
    if node.op.name == "list_set":
        put(ctx, rep, target, value)
    else:
        b, kind, rank = ctx.ops, rep.code, len(rep.sizes)
        if ctx.sizes(value) not in (rep.sizes, ()):
            raise Unsupported([("an element of another shape", None)])
        before = ctx.resolved(ctx.dense(target).as_expr(), rank)
        parts = before, ctx.resolved(ctx.expr(value), rank)
        added = Map(lambda x, y: b.add(x, b.cast(y, kind)), kind, parts, 1)
        ctx.nest(rep.sizes, [Root(added, target, target.strides)])
    ctx.define(node.outputs[0], rep)


@rule("list_len")
def list_len(ctx: FunctionLowering, node: Node) -> None:
    """How many elements."""
    ctx.define(node.outputs[0], Scalar(length_of(ctx, ctx.env[node.inputs[0]]), "i64"))


@rule("list_stack")
def list_stack(ctx: FunctionLowering, node: Node) -> None:
    """All elements as one array: where they lie, if the list is not needed again."""
    value = node.inputs[0]
    rep = ctx.env[value]
    t = ctx.type(node.outputs[0])
    kind = code_of(t.dtype)
    n: Operand = length_of(ctx, rep) if rep.known is None else rep.known
    if node.attrs.get("element") is None:
        ctx.code.require(ctx.code.op(f"icmp sgt i64 {n}, 0"), ctx.failure)
    sizes = (n, *rep.sizes)
    ptr = data_of(ctx, rep)
    array = Array(ptr, rep.code, sizes, ctx.code.strides(sizes), rep.buffers)
    if rep.code != kind:
        target = ctx.allocate(kind, sizes)
        weak = rep.element is not None and rep.element.weak
        if weak and rep.code == "i64" and SIZE[kind] < 8:
            raise Unsupported([("Python numbers that may not fit", None)])
        ctx.fill(target, Map(lambda x: ctx.ops.cast(x, kind), kind, (ctx.dense(array).as_expr(),), 1))
        array = target
    elif rep.within or not is_mine(ctx, value, node):
        array = ctx.copy(array)
    ctx.define(node.outputs[0], ctx.dense(array))


@rule("list_unstack")
def list_unstack(ctx: FunctionLowering, node: Node) -> None:
    """The slices along the first axis, where they lie."""
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    array = ctx.contiguous(node.inputs[0])
    ctx.writable -= array.buffers  # the list reads it as long as it is there: nobody writes over it after its last use
    rep = new_list(ctx, kind.element)
    place = ctx.code.op(f"getelementptr {MEMORY[array.code]}, ptr {array.ptr}, i64 {array.offset}", "p")
    ctx.code.do(f"call void @ag_drop(ptr {rep.slot})")
    ctx.code.do(f"store {{ptr, i64}} zeroinitializer, ptr {rep.slot}")
    ctx.code.do(f"store ptr {place}, ptr {rep.slot}")
    ctx.code.do(f"store i64 {array.sizes[0]}, ptr {rep.length}")
    rep.buffers |= array.buffers
    ctx.define(node.outputs[0], rep)


@rule("list_cast")
def list_cast(ctx: FunctionLowering, node: Node) -> None:
    """The elements in another type."""
    rep = ctx.env[node.inputs[0]]
    kind = known_element(node.attrs["type"])
    if rep.element is None or kind is None:
        ctx.define(node.outputs[0], new_list(ctx, kind))
        return
    assert isinstance(kind, TensorType)
    out = mine(ctx, node)
    if code_of(kind.dtype) != out.code:
        raise Unsupported([("elements that change type", None)])
    ctx.define(node.outputs[0], out)


@rule("list_zeros_like")
def list_zeros_like(ctx: FunctionLowering, node: Node) -> None:
    """As many zeros."""
    rep = ctx.env[node.inputs[0]]
    out = new_list(ctx, rep.element)
    if rep.element is not None:
        n = length_of(ctx, rep)
        ptr = reserve(ctx, out, n)
        sizes = (n, *rep.sizes)
        target = Array(ptr, rep.code, sizes, ctx.code.strides(sizes), frozenset())
        ctx.fill(target, Const(Scalar(literal(0, rep.code), rep.code)))
        ctx.code.do(f"store i64 {n}, ptr {out.length}")
    ctx.define(node.outputs[0], out)


@rule("list_add")
def list_add(ctx: FunctionLowering, node: Node) -> None:
    """Elementwise sum of two lists of one length."""
    x, y = (ctx.env[v] for v in node.inputs)
    if x.element is None or y.element is None or x.code != y.code or x.sizes != y.sizes:
        raise Unsupported([("lists of different elements", None)])
    n, m = length_of(ctx, x), length_of(ctx, y)
    ctx.code.require(ctx.code.op(f"icmp eq i64 {n}, {m}"), ctx.failure)
    out = new_list(ctx, x.element)
    sizes = (n, *x.sizes)
    strides = ctx.code.strides(sizes)
    target = Array(reserve(ctx, out, n), x.code, sizes, strides, frozenset())
    a, b = (ctx.dense(Array(data_of(ctx, r), r.code, sizes, strides, r.buffers)).as_expr() for r in (x, y))
    ctx.fill(target, Map(ctx.ops.add, x.code, (a, b), 1))
    ctx.code.do(f"store i64 {n}, ptr {out.length}")
    ctx.define(node.outputs[0], out)


@rule("list_reverse")
def list_reverse(ctx: FunctionLowering, node: Node) -> None:
    """The elements from last to first: the first and the last change places, and so on."""
    if ctx.env[node.inputs[0]].element is None:
        raise Unsupported([("an empty list", None)])
    known = ctx.env[node.inputs[0]].known
    out = mine(ctx, node)
    out.known = known
    n = length_of(ctx, out)
    ptr = reserve(ctx, out, n)
    half = ctx.code.op(f"lshr i64 {n}, 1")
    count, last = out.count, ctx.code.mul(ctx.code.sub(n, 1), out.count)
    inside = ctx.code.strides(out.sizes)
    forth: tuple[Operand, ...] = (count, *inside)
    back: tuple[Operand, ...] = (-count, *inside)
    sizes: tuple[Operand, ...] = (half, *out.sizes)
    first = Array(ptr, out.code, sizes, forth, out.buffers)
    second = Array(ptr, out.code, sizes, back, out.buffers, last)
    reads = [Load(ptr, out.code, x.offset, x.strides, out.buffers) for x in (second, first)]
    ctx.nest(sizes, [Root(read, x, x.strides) for read, x in zip(reads, (first, second), strict=True)])
    ctx.define(node.outputs[0], out)
