"""Records in native code: blocks of a call's own memory, which goes when the call ends, known by their addresses.

A record is made of what a call keeps for its gradient. Before lowering a copy of the graph gets integers in the place of
records, so that registers, loops, branches, calls and lists need to know nothing of them. A block has a slot of eight
bytes for each scalar; for an array a slot for its address, and one for each size that only the run knows; for a list
two, for address and length; the elements follow.
"""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import load, store
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.held_lists import ListRep, data_of, length_of, new_list
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import SIZE, code_of
from runtime.ir.graph import Node
from runtime.typesys.spec import ListType


def _take(ctx: FunctionLowering, size: Operand) -> str:
    ptr = ctx.code.op(f"call ptr @ag_arena(ptr {ctx.arena}, i64 {size})")
    ctx.code.require(ctx.code.op(f"icmp ne ptr {ptr}, null"), ctx.failure)
    return ptr


def _rounded(ctx: FunctionLowering, bytes_: Operand) -> Operand:
    if isinstance(bytes_, int):
        return -(-bytes_ // 64) * 64
    return ctx.code.op(f"and i64 {ctx.code.add(bytes_, 63)}, -64")


@rule("pack_record")
def pack_record(ctx: FunctionLowering, node: Node) -> None:
    """Values into a new block."""
    code = ctx.code
    ctx.big = True
    slots = 0
    places: list[int] = []
    parts: list[tuple[Any, Operand]] = []  # of each value: what it is, bytes of elements
    for value in node.inputs:
        places.append(slots)
        rep = ctx.env[value]
        if isinstance(rep, ListRep):
            n = length_of(ctx, rep)
            size = 0 if rep.element is None else code.mul(n, SIZE[rep.code] * rep.count)
            parts.append(((rep, n), size))
            slots += 2
        elif isinstance(rep, Scalar) or not rep.sizes:
            parts.append((ctx.scalar(value), 0))
            slots += 1
        else:
            array = ctx.array(value)
            parts.append((array, code.mul(code.product(array.sizes), SIZE[array.code])))
            slots += 1 + sum(not isinstance(d, int) for d in ctx.type(value).shape or ())
    total: Operand = _rounded(ctx, 8 * max(slots, 1))
    starts: list[Operand] = []
    for _, size in parts:
        starts.append(total)
        total = code.add(total, _rounded(ctx, size))
    block = _take(ctx, total)
    for value, k, (part, size), start in zip(node.inputs, places, parts, starts, strict=True):
        if isinstance(part, Scalar):
            store(code, _at(ctx, block, k), 0, part)
            continue
        target = code.op(f"getelementptr i8, ptr {block}, i64 {start}", "p")
        code.do(f"store ptr {target}, ptr {_at(ctx, block, k)}")
        if isinstance(part, Array):
            ctx.copy(part, Array(target, part.code, part.sizes, code.strides(part.sizes), _somewhere(target)))
            dynamic = [n for n, d in zip(part.sizes, ctx.type(value).shape or (), strict=True) if not isinstance(d, int)]
            for j, one in enumerate(dynamic):
                code.do(f"store i64 {one}, ptr {_at(ctx, block, k + 1 + j)}")
            continue
        listed, n = part
        code.do(f"store i64 {n}, ptr {_at(ctx, block, k + 1)}")
        if listed.element is not None:
            source = data_of(ctx, listed)
            code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {size}, i1 false)")
    address = code.op(f"ptrtoint ptr {block} to i64")
    ctx.define(node.outputs[0], Scalar(address, "i64"))


def _at(ctx: FunctionLowering, block: str, k: int) -> str:
    return ctx.code.op(f"getelementptr i64, ptr {block}, i64 {k}", "p") if k else block


def _somewhere(ptr: str) -> frozenset[Buffer]:
    return frozenset((Buffer(ptr, None),))


@rule("unpack_record")
def unpack_record(ctx: FunctionLowering, node: Node) -> None:
    """The values of a block, where they lie."""
    code = ctx.code
    block = code.op(f"inttoptr i64 {ctx.scalar(node.inputs[0]).reg} to ptr")
    k = 0
    for value in node.outputs:
        t = value.type
        if isinstance(t, ListType):
            rep = new_list(ctx, t.element)
            code.do(f"store ptr {code.op(f'load ptr, ptr {_at(ctx, block, k)}')}, ptr {rep.slot}")
            code.do(f"store i64 {code.op(f'load i64, ptr {_at(ctx, block, k + 1)}')}, ptr {rep.length}")
            ctx.define(value, rep)
            k += 2
            continue
        kind = code_of(t.dtype)
        if t.shape == ():
            ctx.define(value, load(code, _at(ctx, block, k), kind, 0))
            k += 1
            continue
        if t.shape is None:
            raise Unsupported([("a value of unknown rank", None)])
        ptr = code.op(f"load ptr, ptr {_at(ctx, block, k)}")
        k += 1
        sizes: list[Operand] = []
        for d in t.shape:
            if isinstance(d, int):
                sizes.append(d)
                continue
            sizes.append(code.op(f"load i64, ptr {_at(ctx, block, k)}", "n"))
            k += 1
        shape = tuple(sizes)
        array = Array(ptr, kind, shape, code.strides(shape), _somewhere(ptr))
        ctx.define(value, ctx.dense(array))


