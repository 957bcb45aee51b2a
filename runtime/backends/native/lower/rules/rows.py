"""Rules of lists of lists: `list_get.rows` is that of `list_get` where the list, or what it gives, has lists in it."""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import leaf_of
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.held_lists import (
    ROW,
    ListRep,
    assign,
    data_of,
    is_mine,
    length_of,
    mine,
    new_list,
    put_rows,
    reserve,
    row_at,
)
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.row_lists import lend
from runtime.backends.native.lower.rules.indexing import slice_of
from runtime.backends.native.lower.rules.list_parts import insert_place
from runtime.backends.native.lower.rules.reductions import place_of
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import code_of
from runtime.ir.graph import Node, Value
from runtime.typesys.spec import ListType

__all__: list[str] = []


def _element(node: Node) -> ListType:
    """The type of the rows of a node's first output."""
    kind = node.outputs[0].type
    assert isinstance(kind, ListType)
    assert isinstance(kind.element, ListType)
    return kind.element


def _own(ctx: FunctionLowering, node: Node) -> ListRep:
    """The list of a node's first input, to be changed; a new one for one that was known to be empty."""
    return new_list(ctx, _element(node)) if ctx.env[node.inputs[0]].element is None else mine(ctx, node)


def _put(ctx: FunctionLowering, rep: ListRep, i: Operand, value: Value, new: bool) -> None:
    """A copy of a list as a row: a new one, or in place of what is there."""
    row, source = row_at(ctx, rep, i), ctx.env[value]
    if new:
        ctx.code.do(f"store {{ptr, i64, i64}} zeroinitializer, ptr {row.slot}")
    if source.element is not None:
        put_rows(ctx, row.slot, source)
    elif not new:
        done = ctx.code.op(f"call i1 @ag_row_put(ptr {row.slot}, ptr null, i64 0, i64 {row.item}, i64 {row.depth})")
        ctx.code.require(done, ctx.failure)


@rule("list_new.rows")
def rows_new(ctx: FunctionLowering, node: Node) -> None:
    """[]"""
    ctx.define(node.outputs[0], new_list(ctx, _element(node)))


@rule("list_from.rows")
def rows_from(ctx: FunctionLowering, node: Node) -> None:
    """[a, b, ...]"""
    rep = new_list(ctx, _element(node))
    if node.inputs:
        reserve(ctx, rep, len(node.inputs))
    for i, value in enumerate(node.inputs):
        _put(ctx, rep, i, value, new=True)
        ctx.code.do(f"store i64 {i + 1}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)


@rule("list_append.rows")
def rows_append(ctx: FunctionLowering, node: Node) -> None:
    """One more row."""
    rep = _own(ctx, node)
    n = length_of(ctx, rep)
    more = ctx.code.op(f"add i64 {n}, 1")
    reserve(ctx, rep, more)
    _put(ctx, rep, n, node.inputs[1], new=True)
    ctx.code.do(f"store i64 {more}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)


@rule("list_len.rows")
def rows_len(ctx: FunctionLowering, node: Node) -> None:
    """How many rows."""
    ctx.define(node.outputs[0], Scalar(length_of(ctx, ctx.env[node.inputs[0]]), "i64"))


@rule("list_get.rows")
def rows_get(ctx: FunctionLowering, node: Node) -> None:
    """The row at an index: where it is, if that can be."""
    table, index = node.inputs
    rep = ctx.env[table]
    i = place_of(ctx, ctx.number(index), length_of(ctx, rep))
    ctx.define(node.outputs[0], lend(ctx, node.outputs[0], row_at(ctx, rep, i), table, index, node))


@rule("list_set.rows")
def rows_set(ctx: FunctionLowering, node: Node) -> None:
    """Another row at an index: one that was changed where it is, is there."""
    _, index, value = node.inputs
    rep = mine(ctx, node)
    i = place_of(ctx, ctx.number(index), length_of(ctx, rep))
    changed = ctx.put_back.pop(node, None)
    ctx.define(node.outputs[0], rep)
    if changed is None or changed is not ctx.env[value]:
        _put(ctx, rep, i, value, new=False)
        return
    same = ctx.code.op(f"icmp eq ptr {row_at(ctx, rep, i).slot}, {changed.slot}")
    ctx.code.require(same, ctx.failure)  # how the index was told apart from others is a guess
    ctx.env[value] = lend(ctx, value, changed, node.outputs[0], index, node)


@rule("list_pop.rows")
def rows_pop(ctx: FunctionLowering, node: Node) -> None:
    """A row, and the list without it."""
    rep = mine(ctx, node)
    n = length_of(ctx, rep)
    i = place_of(ctx, ctx.number(node.inputs[1]), n)
    row = row_at(ctx, rep, i)
    rest = ctx.code.op(f"sub i64 {n}, 1")
    out = new_list(ctx, row.element)
    assign(ctx, out, row, moved=True)
    ctx.lists.discard(row)
    if row.depth:
        ctx.code.do(f"call void @ag_rows_drop(ptr {row.slot}, i64 {row.depth - 1})")
    else:
        ctx.code.do(f"call void @ag_drop(ptr {row.slot})")
    _move(ctx, rep, i, ctx.code.op(f"add i64 {i}, 1"), ctx.code.op(f"sub i64 {rest}, {i}"))
    ctx.code.do(f"store i64 {rest}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)
    ctx.define(node.outputs[1], out)


def _move(ctx: FunctionLowering, rep: ListRep, to: Operand, source: Operand, count: Operand) -> None:
    """Move rows within a list."""
    places = [row_at(ctx, rep, i).slot for i in (to, source)]
    size = ctx.code.op(f"mul i64 {count}, {ROW}")
    ctx.code.do(f"call void @llvm.memmove.p0.p0.i64(ptr {places[0]}, ptr {places[1]}, i64 {size}, i1 false)")


@rule("list_insert.rows")
def rows_insert(ctx: FunctionLowering, node: Node) -> None:
    """One more row, before an index: put behind the last, then moved."""
    code = ctx.code
    rep = _own(ctx, node)
    n = length_of(ctx, rep)
    i = insert_place(ctx, ctx.number(node.inputs[1]), n)
    more = code.op(f"add i64 {n}, 1")
    reserve(ctx, rep, more)
    _put(ctx, rep, n, node.inputs[2], new=True)
    last = code.op(f"load {{ptr, i64, i64}}, ptr {row_at(ctx, rep, n).slot}")
    _move(ctx, rep, code.op(f"add i64 {i}, 1"), i, code.op(f"sub i64 {n}, {i}"))
    code.do(f"store {{ptr, i64, i64}} {last}, ptr {row_at(ctx, rep, i).slot}")
    code.do(f"store i64 {more}, ptr {rep.length}")
    ctx.define(node.outputs[0], rep)


def _copy(ctx: FunctionLowering, out: ListRep, to: Operand, source: str, count: Operand) -> None:
    """Copies of some rows behind the last one of a list that has room for them."""
    place = row_at(ctx, out, to).slot
    below = out.depth - 1
    done = ctx.code.op(f"call i1 @ag_rows_copy(ptr {place}, ptr {source}, i64 {count}, i64 {out.item}, i64 {below})")
    ctx.code.require(done, ctx.failure)
    ctx.code.do(f"store i64 {ctx.code.op(f'add i64 {to}, {count}')}, ptr {out.length}")


@rule("list_concat.rows")
def rows_concat(ctx: FunctionLowering, node: Node) -> None:
    """All rows of one list, then all of another."""
    x, y = (ctx.env[v] for v in node.inputs)
    if x.element is None or y.element is None:
        out = new_list(ctx, _element(node))
        if x.element is not None or y.element is not None:
            assign(ctx, out, y if x.element is None else x)
        ctx.define(node.outputs[0], out)
        return
    if x is not y and is_mine(ctx, node.inputs[0], node):
        out, n = x, length_of(ctx, x)
    else:
        out = new_list(ctx, _element(node))
        assign(ctx, out, x)
        n = length_of(ctx, out)
    m = length_of(ctx, y)
    reserve(ctx, out, ctx.code.op(f"add i64 {n}, {m}"))
    _copy(ctx, out, n, data_of(ctx, y), m)
    ctx.define(node.outputs[0], out)


@rule("list_repeat.rows")
def rows_repeat(ctx: FunctionLowering, node: Node) -> None:
    """The rows again and again."""
    rep = ctx.env[node.inputs[0]]
    n = length_of(ctx, rep)
    times = ctx.code.at_least(ctx.number(node.inputs[1]), 0)
    out = new_list(ctx, _element(node))
    reserve(ctx, out, ctx.code.op(f"mul i64 {n}, {times}"))
    source = data_of(ctx, rep)
    with Flow(ctx).loop(times) as i:
        _copy(ctx, out, ctx.code.op(f"mul i64 {i}, {n}"), source, n)
    ctx.define(node.outputs[0], out)


@rule("list_slice.rows")
def rows_slice(ctx: FunctionLowering, node: Node) -> None:
    """A part of a list."""
    rep, code = ctx.env[node.inputs[0]], ctx.code
    rest = iter(node.inputs[1:])
    entry: list[Operand | None] = [ctx.number(next(rest)) if has else None for has in node.attrs["spec"]]
    start, count, step = slice_of(ctx, length_of(ctx, rep), entry)
    out = new_list(ctx, _element(node))
    reserve(ctx, out, count)
    with Flow(ctx).loop(count) as i:
        k = code.add(start, code.mul(i, step))
        _copy(ctx, out, i, row_at(ctx, rep, k).slot, 1)
    ctx.define(node.outputs[0], out)


@rule("list_reverse.rows")
def rows_reverse(ctx: FunctionLowering, node: Node) -> None:
    """The rows from last to first."""
    code, out = ctx.code, mine(ctx, node)
    n = length_of(ctx, out)
    with Flow(ctx).loop(code.op(f"lshr i64 {n}, 1")) as i:
        k = code.op(f"sub i64 {code.op(f'sub i64 {n}, 1')}, {i}")
        places = [row_at(ctx, out, j).slot for j in (i, k)]
        rows = [code.op(f"load {{ptr, i64, i64}}, ptr {p}") for p in places]
        for row, place in zip(rows, places[::-1], strict=True):
            code.do(f"store {{ptr, i64, i64}} {row}, ptr {place}")
    ctx.define(node.outputs[0], out)


@rule("list_cast.rows")
def rows_cast(ctx: FunctionLowering, node: Node) -> None:
    """The numbers in another type."""
    rep, element = ctx.env[node.inputs[0]], _element(node)
    have, want = leaf_of(rep.element), leaf_of(element)
    assert want is not None
    if have is None:
        ctx.define(node.outputs[0], new_list(ctx, element))
        return
    if code_of(have.dtype) == code_of(want.dtype):
        out = mine(ctx, node)
        out.element = element
        ctx.define(node.outputs[0], out)
        return
    if rep.depth > 1 or (have.weak and code_of(want.dtype) not in ("f64", "i64")):
        raise Unsupported([("rows that change type", None)])
    n = length_of(ctx, rep)
    out, kind = new_list(ctx, element), code_of(want.dtype)
    reserve(ctx, out, n)
    with Flow(ctx).loop(n) as i:
        source, row = row_at(ctx, rep, i), row_at(ctx, out, i)
        ctx.code.do(f"store {{ptr, i64, i64}} zeroinitializer, ptr {row.slot}")
        m = length_of(ctx, source)
        sizes: tuple[Operand, ...] = (m,)
        ptr = reserve(ctx, row, m)
        ctx.code.do(f"store i64 {m}, ptr {row.length}")
        ctx.code.do(f"store i64 {ctx.code.op(f'add i64 {i}, 1')}, ptr {out.length}")
        numbers = Array(data_of(ctx, source), source.code, sizes, (1,), source.buffers)
        target = Array(ptr, kind, sizes, (1,), row.buffers)
        ctx.fill(target, Map(lambda x: ctx.ops.cast(x, kind), kind, (ctx.dense(numbers).as_expr(),), 1))
    ctx.define(node.outputs[0], out)


@rule("list_place.rows")
def rows_place(ctx: FunctionLowering, node: Node) -> None:
    """An index, counted from the start."""
    n = length_of(ctx, ctx.env[node.inputs[0]])
    ctx.define(node.outputs[0], Scalar(place_of(ctx, ctx.number(node.inputs[1]), n), "i64"))


@rule("list_insert_place.rows")
def rows_insert_place(ctx: FunctionLowering, node: Node) -> None:
    """Where `insert` puts a row."""
    n = length_of(ctx, ctx.env[node.inputs[0]])
    ctx.define(node.outputs[0], Scalar(insert_place(ctx, ctx.number(node.inputs[1]), n), "i64"))
