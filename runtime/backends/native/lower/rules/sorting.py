"""Sorting along an axis, by functions that are compiled once (sorters.py)."""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.kernels import pointer
from runtime.backends.native.lower.sorters import FEW, key_code
from runtime.backends.native.lower.types import SIZE
from runtime.ir.graph import Node, Value
from runtime.ops.kinds import normalize_axis

__all__ = ["sorted_row"]

LARGE_ROW = 2048  # elements from which on NumPy's sort, which uses vector instructions, wins over a crossing to Python
SELECTED = 64  # the most that are selected rather than sorted


class _Sorter:
    """Calls a function for rows of n elements; the memory it works in is used again for each row."""

    def __init__(self, ctx: FunctionLowering, name: str, code: str, n: Operand, places: bool) -> None:
        self.ctx = ctx
        self.name = f"{name}_{code}"
        key = key_code(code)
        self.work = [ctx.allocate(key, (2, n))]
        self.work += [ctx.allocate("i64", (2, n))] if places else []
        if not isinstance(n, int) or n > FEW:
            self.work += [ctx.allocate("i64", (256 * SIZE[key],))]
        pointers = [a.ptr for a in self.work]
        self.keys = pointers[0]
        self.places = pointers[1] if places else "null"
        self.counts = pointers[-1] if len(pointers) > 1 + places else "null"
        ctx.module.declare(f"declare void @{self.name}(ptr, i64, i64, ptr, ptr, ptr, ptr, i64, i64)", self.name)

    def sort(self, row: Array, out: Array, count: Operand) -> None:
        """Put a row's elements or their places into another row, in order."""
        ctx = self.ctx
        buffers = row.buffers.union(out.buffers, *(a.buffers for a in self.work))
        ctx.memory.touch(buffers)
        given = f"ptr {_start(ctx, row)}, i64 {row.strides[0]}, i64 {row.sizes[0]}"
        work = f"ptr {self.keys}, ptr {self.places}, ptr {self.counts}"
        into = f"ptr {_start(ctx, out)}, i64 {out.strides[0]}"
        ctx.code.do(f"call void @{self.name}({given}, {work}, {into}, i64 {count})")
        ctx.memory.touch(buffers)


def _start(ctx: FunctionLowering, row: Array) -> str:
    return pointer(ctx, row.ptr, row.code, row.offset)


def sorted_row(ctx: FunctionLowering, row: Array, value: Value | None = None) -> Array:
    """The places of a row's elements in order; for a value that is an output, in its memory."""
    n = row.sizes[0]
    out = ctx.allocate("i64", (n,), value)
    _Sorter(ctx, "ag_order_up", row.code, n, True).sort(row, out, n)
    return out


def _others(sizes: tuple[Operand, ...], axis: int) -> tuple[Operand, ...]:
    return (*sizes[:axis], *sizes[axis + 1 :])


def _sorted(ctx: FunctionLowering, node: Node, name: str, array: Array, axis: int, count: Operand) -> None:
    """What a function puts in order of each row along an axis: the first elements, or their places."""
    places = name != "ag_sort"
    sizes = (*array.sizes[:axis], count, *array.sizes[axis + 1 :])
    out = ctx.allocate("i64" if places else array.code, sizes, node.outputs[0])
    sorter = _Sorter(ctx, name, array.code, array.sizes[axis], places)
    flow = Flow(ctx, finished=True)
    flow.touch(array, out)
    with flow.loops(_others(array.sizes, axis)) as index:
        sorter.sort(flow.row(array, axis, index), flow.row(out, axis, index), count)
    flow.touch(array, out)
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("sort_order")
def sort_order(ctx: FunctionLowering, node: Node) -> None:
    """The indices that sort along an axis, stable."""
    array = ctx.array(node.inputs[0])
    axis = normalize_axis(node.attrs["axis"], len(array.sizes))
    _sorted(ctx, node, "ag_order_down" if node.attrs["descending"] else "ag_order_up", array, axis, array.sizes[axis])


@rule("sort_along")
def sort_along(ctx: FunctionLowering, node: Node) -> None:
    """The elements in order along an axis."""
    sizes = ctx.sizes(node.inputs[0])
    axis = normalize_axis(node.attrs["axis"], len(sizes))
    n = sizes[axis]
    if isinstance(n, int) and n >= LARGE_ROW:
        raise Unsupported([("of long rows", None)])
    _sorted(ctx, node, "ag_sort", ctx.array(node.inputs[0]), axis, n)


@rule("top_order")
def top_order(ctx: FunctionLowering, node: Node) -> None:
    """The indices of the k largest along the last axis, the largest first."""
    array = ctx.array(node.inputs[0])
    n, k = array.sizes[-1], int(node.attrs["k"])
    axis = len(array.sizes) - 1
    if not isinstance(n, int):
        ctx.code.require(ctx.code.op(f"icmp sge i64 {n}, {k}"), ctx.failure)
    if k == 0 or k > SELECTED:
        _sorted(ctx, node, "ag_order_down", array, axis, k)
        return
    name = f"ag_top_{array.code}"
    ctx.module.declare(f"declare void @{name}(ptr, i64, i64, i64, ptr, ptr, ptr, i64)", name)
    out = ctx.allocate("i64", (*array.sizes[:-1], k), node.outputs[0])
    best, where = ctx.allocate(key_code(array.code), (k,)), ctx.allocate("i64", (k,))
    flow = Flow(ctx, finished=True)
    flow.touch(array, out, best, where)
    with flow.loops(array.sizes[:-1]) as index:
        row, target = flow.row(array, axis, index), flow.row(out, axis, index)
        given = f"ptr {_start(ctx, row)}, i64 {row.strides[0]}, i64 {n}, i64 {k}"
        into = f"ptr {_start(ctx, target)}, i64 {target.strides[0]}"
        ctx.code.do(f"call void @{name}({given}, ptr {best.ptr}, ptr {where.ptr}, {into})")
    flow.touch(array, out, best, where)
    ctx.define(node.outputs[0], ctx.dense(out))
