"""Products by kernels of our own (gemm.py), and the weights that loops put into panels for them."""

from __future__ import annotations

from typing import TypeAlias

from runtime.backends.native import dots
from runtime.backends.native.gemm import of_sizes, pack_of_steps, packed_of_sizes, packed_size, room, tile
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.types import LLVM, SIZE, code_of, is_float
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import TensorType

__all__ = ["Plane", "by_kernel", "is_better_by_columns", "is_better_turned", "pack_weights", "pointer", "transposed"]

Plane: TypeAlias = tuple[str, Operand, tuple[Operand, Operand], tuple[Operand, Operand], Array]

# Multiplications from which on the kernels do a product: OpenBLAS would wake its threads, which keep the processors
# from ours for a tenth of a second. With panels made before they are faster from fewer on.
LEAST, LEAST_PACKED = 250_000, 65_536
FEW = 24  # columns that the kernels are made for; fewer leave registers empty
SOME = 128  # what an unknown size is taken for
MOST_PACKED = 4_000_000  # numbers of a matrix in panels for a loop


def transposed(ctx: FunctionLowering, value: Value) -> tuple[int, ...] | None:
    """The order in which a transpose, if nobody else reads a product, has its axes; None where rows or columns of the
    product would not lie in one piece then."""
    user = ctx.only_user(value)
    if user is None or user.op.name != "transpose":
        return None
    rank = len(value.tensor_type.shape or ())
    perm = user.attrs["perm"]
    perm = tuple(range(rank))[::-1] if perm is None else tuple(p % rank for p in perm)
    return perm if perm[-1] >= rank - 2 and perm != tuple(range(rank)) else None


def pointer(ctx: FunctionLowering, ptr: str, kind: str, offset: Operand) -> str:
    """The address of an element."""
    return ptr if offset == 0 else ctx.code.op(f"getelementptr {LLVM[kind]}, ptr {ptr}, i64 {offset}", "p")


def by_kernel(
    ctx: FunctionLowering,
    a: Plane,
    b: Plane,
    out: Array,
    rows: Operand,
    inner: Operand,
    columns: Operand,
    pitch: Operand,
    add: bool,
    at: tuple[Operand, Operand, Operand],
) -> bool:
    """A product by our own kernels (gemm.py), where they are there and likely to be faster; `pitch` is the step of out."""
    code, kind = ctx.code, out.code
    if _has_few_columns(kind, a[3][1], rows, inner, columns):
        _by_dots(ctx, a, b, out, rows, inner, columns, pitch, add, at)
        return True
    packed = b[4] in ctx.packed.values()
    if not packed and not _suits(kind, rows, inner, columns):
        return False
    a_steps, b_steps = a[3], b[3]
    own, bytes_ = (None, 0) if packed else _room(ctx, kind, (rows, columns, inner), a_steps, b_steps)
    places = _places(ctx, a, b, out, at)
    if packed:
        name = packed_of_sizes(kind, rows, columns, inner)
    else:
        name = of_sizes(kind, (rows, columns, inner), a_steps, b_steps)
    head, tail = "i64, i64, i64, ptr, i64, i64, ptr", "ptr, i64, i64"
    more = f"declare i64 @{name}({head}, i64, i64, {tail}, ptr, i64)"
    ctx.module.declare(f"declare void @{name}({head}, {tail})" if packed else more, name)
    given = f"i64 {rows}, i64 {columns}, i64 {inner}, ptr {places[0]}, i64 {a_steps[0]}, i64 {a_steps[1]}, ptr {places[1]}"
    rest = f"ptr {places[2]}, i64 {pitch}, i64 {int(add)}"
    if packed:
        code.do(f"call void @{name}({given}, {rest})")
    else:
        for_order = f"ptr {own.ptr if own is not None else 'null'}, i64 {bytes_}"
        done = code.op(f"call i64 @{name}({given}, i64 {b_steps[0]}, i64 {b_steps[1]}, {rest}, {for_order})")
        code.require(code.op(f"icmp ne i64 {done}, 0"), ctx.failure)
    ctx.memory.touch(out.buffers | a[4].buffers | b[4].buffers | (own.buffers if own is not None else frozenset()))
    return True


def _room(
    ctx: FunctionLowering, kind: str, sizes: tuple[Operand, ...], a: tuple[Operand, ...], b: tuple[Operand, ...]
) -> tuple[Array | None, int]:
    """Memory for what a product puts in order, planned with everything else, where its size is known; how many bytes."""
    known = [n for n in (*sizes, *a, *b) if isinstance(n, int)]
    if len(known) < 7:
        return None, 0
    m, n, k, *steps = known
    size = room(kind, (m, n, k), (steps[0], steps[1]), (steps[2], steps[3]))
    if not size:
        return None, 0
    own = ctx.allocate(kind, (size // SIZE[kind],))
    ctx.memory.touch(own.buffers)
    return own, size


def _places(ctx: FunctionLowering, a: Plane, b: Plane, out: Array, at: tuple[Operand, Operand, Operand]) -> list[str]:
    """Where the operands and the result of a product begin, which is about to be called for."""
    ctx.big = True
    for buffers in (a[4].buffers, b[4].buffers, out.buffers):
        ctx.memory.touch(buffers)
    begins = (a[0], a[1], at[0]), (b[0], b[1], at[1]), (out.ptr, out.offset, at[2])
    return [pointer(ctx, ptr, out.code, ctx.code.add(offset, extra)) for ptr, offset, extra in begins]


def _multiplications(*sizes: Operand) -> int:
    """How many there are, where sizes that are not known are taken for some dozens."""
    total = 1
    for size in sizes:
        total *= size if isinstance(size, int) else SOME
    return total


def _has_few_columns(kind: str, step: Operand, rows: Operand, inner: Operand, columns: Operand) -> bool:
    """Whether a product is for the kernels of few columns (dots.py)."""
    if step != 1 or not isinstance(columns, int) or not 1 <= columns <= dots.most(kind):
        return False
    return not (isinstance(inner, int) and inner < 64) and _multiplications(rows, inner, columns) >= LEAST


def _by_dots(
    ctx: FunctionLowering,
    a: Plane,
    b: Plane,
    out: Array,
    rows: Operand,
    inner: Operand,
    columns: Operand,
    pitch: Operand,
    add: bool,
    at: tuple[Operand, Operand, Operand],
) -> None:
    code, kind = ctx.code, out.code
    name = f"ag_dots_{kind}_{columns}"
    ctx.module.declare(f"declare i64 @{name}(i64, i64, ptr, i64, ptr, i64, i64, ptr, i64, i64)", name)
    places = _places(ctx, a, b, out, at)
    done = code.op(
        f"call i64 @{name}(i64 {rows}, i64 {inner}, ptr {places[0]}, i64 {a[3][0]}, ptr {places[1]}, i64 {b[3][0]}, "
        f"i64 {b[3][1]}, ptr {places[2]}, i64 {pitch}, i64 {int(add)})"
    )
    code.require(code.op(f"icmp ne i64 {done}, 0"), ctx.failure)
    ctx.memory.touch(out.buffers | a[4].buffers | b[4].buffers)


def is_better_turned(kind: str, left: Array, rows: Operand, inner: Operand, columns: Operand) -> bool:
    """Whether a product of few columns, whose first operand lies column by column, is better made as its transpose."""
    if len(left.sizes) != 2 or left.strides[-1] != 1 or not isinstance(rows, int) or rows < 64:
        return False
    few = isinstance(columns, int) and 2 <= columns <= dots.most(kind)
    return few and _multiplications(rows, inner, columns) >= LEAST


def is_better_by_columns(kind: str, right: Array, rows: Operand, inner: Operand, columns: Operand) -> bool:
    """Whether a product of few rows, whose second operand lies column by column, is better made as its transpose."""
    if len(right.sizes) != 2 or right.strides[-1] != 1 or not isinstance(columns, int) or columns < 64:
        return False
    few = isinstance(rows, int) and 2 <= rows <= dots.most(kind)
    return few and _multiplications(rows, inner, columns) >= LEAST


def _suits(kind: str, rows: Operand, inner: Operand, columns: Operand) -> bool:
    """Whether a product whose second operand is not packed is for our own kernels."""
    if tile(kind) is None or not isinstance(columns, int) or columns < 2:
        return False
    if rows == 1 or (columns < FEW and not (isinstance(rows, int) and isinstance(inner, int))):
        return False
    return _multiplications(rows, inner, columns) >= LEAST


def pack_weights(ctx: FunctionLowering, outer: list[Value], inner: list[Value], body: Graph) -> None:
    """Before a loop: matrices that it does not change, which products in it multiply by, are put into panels."""
    for value, inside in zip(outer, inner, strict=True):
        for turned in sorted(_multiplied_by(inside, body)):
            known = ctx.packed.get((value, turned))
            ctx.packed[inside, turned] = known if known is not None else _pack(ctx, value, turned)
    _pass_on(ctx, body)


def _pass_on(ctx: FunctionLowering, body: Graph) -> None:
    """Regions of conditions see the panels, too; those of loops when it is their turn."""
    for node in body.nodes:
        if node.op.name == "cond":
            for region in node.regions:
                for given, seen in zip(node.inputs[len(node.inputs) - len(region.inputs) :], region.inputs, strict=True):
                    for turned in (False, True):
                        if (given, turned) in ctx.packed:
                            ctx.packed[seen, turned] = ctx.packed[given, turned]
                _pass_on(ctx, region)


def _pack(ctx: FunctionLowering, value: Value, turned: bool) -> Array:
    kind = code_of(ctx.type(value).dtype)
    matrix = ctx.array(value)
    (rows, columns), steps = matrix.sizes, matrix.strides
    assert isinstance(rows, int)
    assert isinstance(columns, int)
    if turned:
        rows, columns, steps = columns, rows, steps[::-1]
    at = pointer(ctx, matrix.ptr, kind, matrix.offset)
    return _put_into_panels(ctx, kind, at, (rows, columns), steps, matrix.buffers)


def _put_into_panels(
    ctx: FunctionLowering,
    kind: str,
    at: str,
    sizes: tuple[int, int],
    steps: tuple[Operand, ...],
    buffers: frozenset[Buffer],
) -> Array:
    """The panels of a matrix that lies at `at`."""
    out = ctx.allocate(kind, (packed_size(kind, *sizes),))
    name = pack_of_steps(kind, steps[1])
    ctx.module.declare(f"declare void @{name}(i64, i64, ptr, i64, i64, ptr)", name)
    ctx.memory.touch(buffers)
    ctx.memory.touch(out.buffers)
    ctx.code.do(
        f"call void @{name}(i64 {sizes[0]}, i64 {sizes[1]}, ptr {at}, i64 {steps[0]}, i64 {steps[1]}, ptr {out.ptr})"
    )
    ctx.memory.touch(out.buffers | buffers)
    return Array(out.ptr, kind, sizes, (sizes[1], 1), out.buffers)


def _multiplied_by(value: Value, region: Graph) -> set[bool]:
    """Whether products in a region are by a matrix, or its transpose, or both, and large enough."""
    found: set[bool] = set()
    for node in region.nodes:
        if value not in node.inputs:
            continue
        if node.op.name == "matmul" and node.inputs[1] is value and _packs(node):
            found.add(bool(node.attrs.get("transpose_b")))
        if node.op.name not in ("cond", "for_loop", "while_loop"):
            continue
        for inner in node.regions if node.op.name == "cond" else node.regions[-1:]:
            first = 1 if node.op.name == "cond" else node.carried + (node.op.name == "for_loop")
            for given, seen in zip(reversed(node.inputs[first:]), reversed(inner.inputs), strict=False):
                if given is value:
                    found |= _multiplied_by(seen, inner)
    return found


def _packs(node: Node) -> bool:
    """Whether a product that a loop does with an operand that stays is faster by panels."""
    a, b, c = (v.type for v in (*node.inputs, *node.outputs))
    if not isinstance(a, TensorType) or not isinstance(b, TensorType) or not isinstance(c, TensorType):
        return False
    if a.dtype != c.dtype or b.dtype != c.dtype or not is_float(code_of(c.dtype)) or tile(code_of(c.dtype)) is None:
        return False
    if len(a.shape or ()) < 2 or len(b.shape or ()) != 2 or not is_static(b.shape):
        return False
    inner, columns = (n for n in (b.shape or ())[:: -1 if node.attrs.get("transpose_b") else 1] if isinstance(n, int))
    some = (a.shape or ())[-1 if node.attrs.get("transpose_a") else -2]
    rows = some if isinstance(some, int) else 16
    small = rows < 4 or columns < 16 or rows * inner * columns < LEAST_PACKED
    return not small and inner * columns <= MOST_PACKED
