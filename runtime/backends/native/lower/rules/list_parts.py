"""Lists joined, cut, searched: elements of one known shape, one after another in memory."""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.held_lists import (
    ListRep,
    copied,
    data_of,
    element_at,
    is_mine,
    length_of,
    mine,
    new_list,
    put,
    reserve,
)
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.indexing import slice_of
from runtime.backends.native.lower.rules.reductions import place_of
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import SIZE, code_of
from runtime.ir.graph import Node
from runtime.typesys.spec import ListType

__all__ = ["insert_place"]


def _list(ctx: FunctionLowering, node: Node, k: int = 0) -> ListRep:
    """An input that is a list with elements of a known type."""
    rep = ctx.env[node.inputs[k]]
    if not isinstance(rep, ListRep) or rep.element is None:
        raise Unsupported([("a list that is known to be empty", None)])
    return rep


def _move(ctx: FunctionLowering, to: str, source: str, count: Operand, size: int) -> None:
    total = ctx.code.op(f"mul i64 {count}, {size}")
    ctx.code.do(f"call void @llvm.memmove.p0.p0.i64(ptr {to}, ptr {source}, i64 {total}, i1 false)")


def _place(ctx: FunctionLowering, ptr: str, i: Operand, size: int) -> str:
    return ctx.code.op(f"getelementptr i8, ptr {ptr}, i64 {ctx.code.op(f'mul i64 {i}, {size}')}", "p")


@rule("list_concat")
def list_concat(ctx: FunctionLowering, node: Node) -> None:
    """All elements of one list, then all of another."""
    x, y = _list(ctx, node), _list(ctx, node, 1)
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    element = kind.element
    if x.code != y.code or x.sizes != y.sizes or getattr(element, "dtype", None) != x.element.dtype:  # type: ignore[union-attr]
        raise Unsupported([("lists of different elements", None)])
    size = SIZE[x.code] * max(x.count, 1)
    out = x if x is not y and is_mine(ctx, node.inputs[0], node) else copied(ctx, x)
    out.element = element  # type: ignore[assignment]
    n, m = length_of(ctx, out), length_of(ctx, y)
    total = ctx.code.op(f"add i64 {n}, {m}")
    ptr = reserve(ctx, out, total)
    _move(ctx, _place(ctx, ptr, n, size), data_of(ctx, y), m, size)
    ctx.code.do(f"store i64 {total}, ptr {out.length}")
    ctx.define(node.outputs[0], out)


@rule("list_repeat")
def list_repeat(ctx: FunctionLowering, node: Node) -> None:
    """The elements again and again."""
    rep = _list(ctx, node)
    n = length_of(ctx, rep)
    times = ctx.code.at_least(ctx.number(node.inputs[1]), 0)
    total = ctx.code.op(f"mul i64 {n}, {times}")
    size = SIZE[rep.code] * max(rep.count, 1)
    out = new_list(ctx, rep.element)
    ptr = reserve(ctx, out, total)
    source = data_of(ctx, rep)
    with Flow(ctx).loop(times) as i:
        _move(ctx, _place(ctx, ptr, ctx.code.op(f"mul i64 {i}, {n}"), size), source, n, size)
    ctx.code.do(f"store i64 {total}, ptr {out.length}")
    ctx.define(node.outputs[0], out)


@rule("list_slice")
def list_slice(ctx: FunctionLowering, node: Node) -> None:
    """A part of a list."""
    rep = _list(ctx, node)
    rest = iter(node.inputs[1:])
    entry: list[Operand | None] = [ctx.number(next(rest)) if has else None for has in node.attrs["spec"]]
    n = length_of(ctx, rep)
    start, count, step = slice_of(ctx, n, entry)
    out = new_list(ctx, rep.element)
    ptr = reserve(ctx, out, count)
    sizes = (count, *rep.sizes)
    strides = ctx.code.strides(sizes)
    whole = Array(data_of(ctx, rep), rep.code, (n, *rep.sizes), strides, rep.buffers)
    maps = ((start, 0, step), *((0, i + 1, 1) for i in range(len(rep.sizes))))
    ctx.fill(Array(ptr, rep.code, sizes, strides, out.buffers), ctx.dense(whole).as_expr(maps))
    ctx.code.do(f"store i64 {count}, ptr {out.length}")
    ctx.define(node.outputs[0], out)


@rule("list_insert")
def list_insert(ctx: FunctionLowering, node: Node) -> None:
    """One more element, before an index."""
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    value = node.inputs[2]
    if isinstance(ctx.env[value], ListRep):
        raise Unsupported([("a list in a list", None)])
    if ctx.sizes(value):
        ctx.array(value)
    rep = mine(ctx, node, kind.element)
    n = length_of(ctx, rep)
    i = insert_place(ctx, ctx.number(node.inputs[1]), n)
    more = ctx.code.op(f"add i64 {n}, 1")
    ptr = reserve(ctx, rep, more)
    size = SIZE[rep.code] * max(rep.count, 1)
    at = _place(ctx, ptr, i, size)
    _move(ctx, _place(ctx, at, 1, size), at, ctx.code.op(f"sub i64 {n}, {i}"), size)
    put(ctx, rep, element_at(ctx, rep, ptr, i), value)
    ctx.code.do(f"store i64 {more}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)


def insert_place(ctx: FunctionLowering, i: Operand, n: str) -> Operand:
    """Where `insert` puts an element: an index beyond an end is that end."""
    code = ctx.code
    negative = code.op(f"icmp slt i64 {i}, 0")
    there = code.op(f"select i1 {negative}, i64 {code.op(f'add i64 {i}, {n}')}, i64 {i}")
    return code.at_most(code.at_least(there, 0), n)


@rule("list_insert_place")
def list_insert_place(ctx: FunctionLowering, node: Node) -> None:
    """Where `insert` puts an element."""
    n = length_of(ctx, _list(ctx, node))
    ctx.define(node.outputs[0], Scalar(insert_place(ctx, ctx.number(node.inputs[1]), n), "i64"))


@rule("list_place")
def list_place(ctx: FunctionLowering, node: Node) -> None:
    """An index, counted from the start."""
    n = length_of(ctx, _list(ctx, node))
    ctx.define(node.outputs[0], Scalar(place_of(ctx, ctx.number(node.inputs[1]), n), "i64"))


@rule("list_contains", "list_count", "list_index")
def list_search(ctx: FunctionLowering, node: Node) -> None:
    """Whether, how often, or where first a number is in a list."""
    rep, value, b, code = _list(ctx, node), node.inputs[1], ctx.ops, ctx.code
    if rep.sizes or isinstance(ctx.env[value], ListRep) or ctx.sizes(value):
        raise Unsupported([("elements that are no numbers", None)])
    wanted = ctx.scalar(value)
    if {wanted.code[0], rep.code[0]} == {"i", "u"} or ("f" in {wanted.code[0], rep.code[0]} and wanted.code != rep.code):
        raise Unsupported([("numbers of different types", None)])
    joint = max(wanted.code, rep.code, key=lambda c: SIZE[c])
    flow = Flow(ctx)
    n, ptr = length_of(ctx, rep), data_of(ctx, rep)
    found, first = flow.variable("i64", 0), flow.variable("i64", n)
    whole = Array(ptr, rep.code, (n,), (1,), rep.buffers)
    with flow.loop(n) as k:
        i = code.op(f"sub i64 {code.op(f'sub i64 {n}, 1')}, {k}")  # from the end, so that the first one is met last
        same = b.equal(b.cast(flow.read(whole, i), joint), b.cast(wanted, joint)).reg
        found.add(code.op(f"zext i1 {same} to i64"))
        first.set(code.op(f"select i1 {same}, i64 {i}, i64 {first.get()}"))
    ctx.memory.touch(rep.buffers)
    if node.op.name == "list_count":
        ctx.define(node.outputs[0], Scalar(found.get(), "i64"))
        return
    some = code.op(f"icmp ne i64 {found.get()}, 0")
    if node.op.name == "list_contains":
        ctx.define(node.outputs[0], Scalar(some, "b1"))
        return
    code.require(some, ctx.failure)
    ctx.define(node.outputs[0], Scalar(first.get(), "i64"))


@rule("list_concat_tensors")
def list_concat_tensors(ctx: FunctionLowering, node: Node) -> None:
    """The elements joined along an axis."""
    rep = _list(ctx, node)
    axis = int(node.attrs.get("axis", 0))
    if not rep.sizes or code_of(ctx.type(node.outputs[0]).dtype) != rep.code:
        raise Unsupported([("elements of another type", None)])
    axis %= len(rep.sizes)
    n = length_of(ctx, rep)
    ctx.code.require(ctx.code.op(f"icmp sgt i64 {n}, 0"), ctx.failure)
    sizes: tuple[Operand, ...] = tuple(ctx.code.mul(n, d) if i == axis else d for i, d in enumerate(rep.sizes))
    out = ctx.allocate(rep.code, sizes, node.outputs[0])
    whole: tuple[Operand, ...] = (n, *rep.sizes)
    source = Array(data_of(ctx, rep), rep.code, whole, ctx.code.strides(whole), rep.buffers)
    strides = (ctx.code.mul(rep.sizes[axis], out.strides[axis]), *out.strides)
    target = Array(out.ptr, out.code, whole, strides, out.buffers, out.offset)
    ctx.fill(target, Map(lambda v: v, rep.code, (ctx.dense(source).as_expr(),), 0))
    ctx.define(node.outputs[0], ctx.dense(out))
