"""Matrix products: by BLAS where there are matrices, as loops where they are small or of integers."""

from __future__ import annotations

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import load
from runtime.backends.native.lower.exprs import IndexMap, Map
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.batches import Batch
from runtime.backends.native.lower.rules.chains import by_pairs
from runtime.backends.native.lower.rules.kernels import (
    Plane,
    by_kernel,
    is_better_by_columns,
    is_better_turned,
    pointer,
    transposed,
)
from runtime.backends.native.lower.rules.little import by_call, is_for_call, is_little
from runtime.backends.native.lower.rules.reductions import hidden
from runtime.backends.native.lower.rules.thin import is_thin, thin
from runtime.backends.native.lower.types import LLVM, code_of, is_float, literal
from runtime.ir.graph import Node, Value

__all__ = ["gemm", "plane"]

SMALL = 2048  # multiplications up to which a loop beats a call
TINY = 64  # and up to which it beats vectors
REPEATED = 400  # and up to which, in a loop, it beats a call for vectors
_ROW_MAJOR, _PLAIN, _TURNED = 101, 111, 112


@rule("matmul")
def matmul(ctx: FunctionLowering, node: Node) -> None:
    """a @ b over the last two axes."""
    if by_pairs(ctx, node):
        return
    a, b = node.inputs
    code = code_of(ctx.type(node.outputs[0]).dtype)
    sa, sb = ctx.sizes(a), ctx.sizes(b)
    ta, tb = bool(node.attrs.get("transpose_a")), bool(node.attrs.get("transpose_b"))
    ta, tb = ta and len(sa) > 1, tb and len(sb) > 1
    rows = (sa[-1] if ta else sa[-2]) if len(sa) > 1 else 1
    inner_a = sa[-2] if ta else sa[-1]
    inner_b = (sb[-1] if tb else sb[-2]) if len(sb) > 1 else sb[0]
    columns = (sb[-2] if tb else sb[-1]) if len(sb) > 1 else 1
    if inner_a != inner_b:
        if isinstance(inner_a, int) and isinstance(inner_b, int):
            raise Unsupported([("shapes that do not fit", None)])
        ctx.code.require(ctx.code.op(f"icmp eq i64 {inner_a}, {inner_b}"), ctx.failure)
    lead: tuple[Operand, ...] = ()
    maps: list[IndexMap] = [(), ()]
    if len(sa) > 2 or len(sb) > 2:
        lead, maps = ctx.broadcast([sa[:-2], sb[:-2]])
    sizes = (*lead, *((rows,) if len(sa) > 1 else ()), *((columns,) if len(sb) > 1 else ()))
    shared = len(sb) == 2 and not ta  # all products of the batch may be one
    work = ctx.code.product((*(lead if shared else ()), rows, inner_a, columns))
    each = rows, inner_a, columns
    by_vectors = is_little(each) if lead and not shared else len(sa) == len(sb) == 2 and is_for_call(each, not tb)
    most = SMALL if not by_vectors else REPEATED if ctx.code.depth and not lead else TINY
    if not is_float(code) or (isinstance(work, int) and work <= most):
        _as_loops(ctx, node, code, lead, maps, rows, inner_a, columns, ta, tb, sizes)
        return
    panels = ctx.packed.get((b, tb))
    left, right = _matrix(ctx, a, code), _matrix(ctx, b, code) if panels is None else panels
    few = not lead and panels is None and is_thin(ctx, right, tb, rows, inner_a, columns)
    matrices = len(sa) > 1 and len(sb) > 1 and not few and panels is None
    free = ta and matrices and not lead and node.outputs[0] not in ctx.outs
    if free and is_better_turned(code, left, rows, inner_a, columns):
        made = ctx.allocate(code, (columns, rows))
        out = Array(made.ptr, code, sizes, (1, rows), made.buffers, made.offset)
    else:
        out = (_laid_out if matrices else FunctionLowering.allocate)(ctx, code, sizes, node.outputs[0])
    ctx.define(node.outputs[0], ctx.dense(out))
    if tb and matrices and not lead and is_better_by_columns(code, right, rows, inner_a, columns):
        made = ctx.allocate(code, (columns, rows))
        aside = Array(made.ptr, code, sizes, (1, rows), made.buffers, made.offset)
        gemm(ctx, plane(left, ta, True), plane(right, tb, False), aside, rows, inner_a, columns, steps=(1, rows))
        ctx.copy(aside, out)
        return
    folded = _folded(ctx, left, right, out, ta) if lead else None
    if folded is not None:
        left, out, rows, lead = *folded, ()
    if few:
        thin(ctx, _rows(left), ta, right, _rows(out))
        return
    steps = (out.strides[-2], out.strides[-1]) if matrices else None
    if ctx.code.product(lead) == 1:
        planes = plane(left, ta, True), plane(right, tb, False)
        gemm(ctx, *planes, out, rows, inner_a, columns, steps=steps)
        return
    planes = plane(left, ta, True), plane(right, tb, False)
    batch = Batch(*planes, out, lead, maps, (rows, inner_a, columns), steps or (columns, 1))
    if panels is None and batch.is_small():
        batch.by_vectors(ctx)
    elif panels is None and batch.is_shared(ctx):
        batch.by_threads(ctx)
    else:
        one = lambda _, at: gemm(ctx, *planes, out, *batch.sizes, at=at, steps=steps)
        batch.loop(ctx, 0, ctx.code.product(lead), one)


def _laid_out(ctx: FunctionLowering, code: str, sizes: tuple[Operand, ...], value: Value) -> Array:
    """Memory for a product: where only a transpose reads it, such that the transpose lies in C order."""
    perm = transposed(ctx, value)
    if perm is None:
        return ctx.allocate(code, sizes, value)
    made = ctx.allocate(code, tuple(sizes[p] for p in perm))
    strides = tuple(made.strides[perm.index(axis)] for axis in range(len(sizes)))
    return Array(made.ptr, code, sizes, strides, made.buffers, made.offset)


def _folded(
    ctx: FunctionLowering, left: Array, right: Array, out: Array, turned: bool
) -> tuple[Array, Array, Operand] | None:
    """A batch of products with one matrix, as one product of more rows: left side, result and rows."""
    if turned or len(right.sizes) != 2 or left.sizes[:-1] != out.sizes[:-1]:
        return None
    flat = []
    for array in (left, out):
        rows = merged(ctx, array.sizes[:-1], array.strides[:-1])
        if rows is None:
            return None
        sizes, strides = (rows[0], array.sizes[-1]), (rows[1], array.strides[-1])
        flat.append(Array(array.ptr, array.code, sizes, strides, array.buffers, array.offset))
    return flat[0], flat[1], flat[0].sizes[0]


def merged(
    ctx: FunctionLowering, sizes: tuple[Operand, ...], strides: tuple[Operand, ...]
) -> tuple[Operand, Operand] | None:
    """Size and step of several axes taken as one; None where no step leads through all."""
    count: Operand = 1
    step: Operand | None = None
    for n, s in zip(reversed(sizes), reversed(strides), strict=True):
        if n == 1:
            continue
        if step is None:
            count, step = n, s
        elif s == ctx.code.mul(step, count):
            count = ctx.code.mul(n, count)
        else:
            return None
    return count, 1 if step is None else step


def _matrix(ctx: FunctionLowering, value: Value, code: str) -> Array:
    """An operand in memory, with steps that BLAS can take."""
    array = ctx.array(value)
    if array.code != code:
        target = ctx.allocate(code, array.sizes)
        ctx.fill(target, Map(lambda x: ctx.ops.cast(x, code), code, (ctx.expr(value),), 1))
        return target
    if len(array.sizes) == 1:
        return array if array.strides[0] == 1 else ctx.copy(array)
    last, before = array.strides[-1], array.strides[-2]
    if last == 1 and (before != 0 or array.sizes[-2] == 1):
        return array
    if before == 1 and last != 0:
        return array
    return ctx.copy(array)


def _rows(array: Array) -> Array:
    """A matrix; a vector as one of one row."""
    if len(array.sizes) == 2:
        return array
    sizes, strides = (1, *array.sizes), (array.sizes[0], *array.strides)
    return Array(array.ptr, array.code, sizes, strides, array.buffers, array.offset)


def plane(
    array: Array, turned: bool, left: bool
) -> Plane:
    """(pointer, offset, sizes, strides) of a matrix; vectors are rows on the left and columns on the right."""
    sizes, strides = array.sizes[-2:], array.strides[-2:]
    if len(sizes) == 1:
        sizes, strides = ((1, sizes[0]), (sizes[0], 1)) if left else ((sizes[0], 1), (1, 1))
    if turned:
        sizes, strides = sizes[::-1], strides[::-1]
    return array.ptr, array.offset, sizes, strides, array  # type: ignore[return-value]


def gemm(
    ctx: FunctionLowering,
    a: Plane,
    b: Plane,
    out: Array,
    rows: Operand,
    inner: Operand,
    columns: Operand,
    add: bool = False,
    at: tuple[Operand, Operand, Operand] = (0, 0, 0),
    steps: tuple[Operand, Operand] | None = None,
) -> None:
    """out = a @ b, or out += a @ b; `steps` are the strides of out, one of which is 1 (default: in C order)."""
    if steps is not None and steps[1] != 1 and columns != 1:  # column by column: the transposed product
        gemm(ctx, _turned(b), _turned(a), out, columns, inner, rows, add, (at[1], at[0], at[2]), steps[::-1])
        return
    pitch = columns if steps is None or rows == 1 else steps[0]
    code, kind = ctx.code, out.code
    work = code.product((rows, inner, columns))
    if not add and isinstance(work, int) and work <= SMALL and is_for_call((rows, inner, columns), b[3][1] == 1):
        used = a[4].buffers | b[4].buffers | out.buffers
        ctx.memory.touch(used)
        by_call(ctx, a, b, out, (rows, inner, columns), pitch, at)
        ctx.memory.touch(used)
        return
    if by_kernel(ctx, a, b, out, rows, inner, columns, pitch, add, at):
        return
    word, letter = LLVM[kind], "s" if kind == "f32" else "d"
    name = f"cblas_{letter}gemm"
    ctx.module.declare(
        f"declare void @{name}(i32, i32, i32, i64, i64, i64, {word}, ptr, i64, ptr, i64, {word}, ptr, i64)",
        name,
    )
    ctx.big = True
    pointers, words = [], []
    for (ptr, offset, sizes, strides, array), extra in ((a, at[0]), (b, at[1])):
        ctx.memory.touch(array.buffers)
        turned = not (strides[1] == 1 or sizes[1] == 1) or (
            sizes[1] == 1 and strides[0] == 1 and sizes[0] != 1
        )
        step = strides[1] if turned else strides[0]
        least = sizes[0] if turned else sizes[1]
        if (
            (sizes[1] if turned else sizes[0]) == 1
            or not isinstance(step, int)
            or not isinstance(least, int)
        ):
            step = _larger(ctx, step, least)
        words.append((_TURNED if turned else _PLAIN, code.at_least(step, 1)))
        pointers.append(pointer(ctx, ptr, kind, code.add(offset, extra)))
    ctx.memory.touch(out.buffers)
    target = pointer(ctx, out.ptr, kind, code.add(out.offset, at[2]))
    one, beta = literal(1, kind), literal(1 if add else 0, kind)
    pitch = code.at_least(pitch, 1)
    code.do(
        f"call void @{name}(i32 {_ROW_MAJOR}, i32 {words[0][0]}, i32 {words[1][0]}, i64 {rows}, i64 {columns}, "
        f"i64 {inner}, {word} {one}, ptr {pointers[0]}, i64 {words[0][1]}, ptr {pointers[1]}, i64 {words[1][1]}, "
        f"{word} {beta}, ptr {target}, i64 {pitch})"
    )
    ctx.memory.touch(out.buffers | a[4].buffers | b[4].buffers)


def _turned(plane: Plane) -> Plane:
    """The transpose of a matrix."""
    ptr, offset, sizes, strides, array = plane
    return ptr, offset, sizes[::-1], strides[::-1], array


def _larger(ctx: FunctionLowering, a: Operand, b: Operand) -> Operand:
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return a if a == b else ctx.code.op(f"call i64 @llvm.smax.i64(i64 {a}, i64 {b})", "n")


def _as_loops(
    ctx: FunctionLowering,
    node: Node,
    code: str,
    lead: tuple[Operand, ...],
    maps: list[IndexMap],
    rows: Operand,
    inner: Operand,
    columns: Operand,
    ta: bool,
    tb: bool,
    sizes: tuple[Operand, ...],
) -> None:
    """A sum over products, one more loop of the nest that uses it."""
    a, b = node.inputs
    rank = len(lead) + 3
    row, column, middle = len(lead), len(lead) + 1, len(lead) + 2
    left: IndexMap = (
        *maps[0],
        *(
            ((0, middle, 1),)
            if len(ctx.sizes(a)) == 1
            else ((0, middle, 1), (0, row, 1))
            if ta
            else ((0, row, 1), (0, middle, 1))
        ),
    )
    right: IndexMap = (
        *maps[1],
        *(
            ((0, middle, 1),)
            if len(ctx.sizes(b)) == 1
            else ((0, column, 1), (0, middle, 1))
            if tb
            else ((0, middle, 1), (0, column, 1))
        ),
    )
    ctx.array(a), ctx.array(b)
    ops = ctx.ops
    fn = lambda x, y: ops.multiply(ops.cast(x, code), ops.cast(y, code))
    product = Map(fn, code, (ctx.viewed(a, left), ctx.viewed(b, right)), 1)
    over = (*lead, rows, columns, inner)
    d = hidden(
        ctx,
        product,
        code,
        (*lead, rows, columns),
        [ctx.env[a], ctx.env[b]],
        ("sum", over, (rank - 1,), False),
    )
    drop: list[int] = ([row] if len(ctx.sizes(a)) == 1 else []) + ([column] if len(ctx.sizes(b)) == 1 else [])
    if not sizes:
        ctx.materialize(d)
        assert d.array is not None
        ctx.define(node.outputs[0], load(ctx.code, d.array.ptr, code, d.array.offset))
        return
    ctx.materialize(d)
    left_axes = [i for i in range(rank - 1) if i not in drop]
    array = d.array
    assert array is not None
    strides = tuple(array.strides[i] for i in left_axes)
    ctx.define(node.outputs[0], ctx.dense(Array(array.ptr, code, sizes, strides, array.buffers)))
