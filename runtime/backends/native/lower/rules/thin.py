"""Products of a few rows and a large matrix, which is read once: BLAS would copy all of it first."""

from __future__ import annotations

from runtime.backends.native.gemm import tile
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Const, Expr, Load, Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.roots import Root
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import LLVM, SIZE, literal

__all__ = ["is_thin", "thin"]

ROWS = 8  # the most
TERMS = 32  # multiplications in the body of the innermost loop
LEAST_OF_ONE = 250_000  # multiplications of one row from which on BLAS would wake its threads
BY_KERNEL, NEAR = 4, 1_500_000  # rows and bytes of a matrix in a near cache: kernels of more rows are faster there
LEAST = 1_000_000  # multiplications up to which BLAS has kernels that do not copy


def is_thin(
    ctx: FunctionLowering, right: Array, turned: bool, rows: Operand, inner: Operand, columns: Operand
) -> bool:
    """Whether a product is one of few rows and a large matrix whose rows are contiguous."""
    if not (isinstance(rows, int) and isinstance(inner, int) and isinstance(columns, int)):
        return False
    plain = not turned and right.strides[-1] == 1 and len(right.sizes) == 2
    if rows > BY_KERNEL and inner * columns * SIZE[right.code] <= NEAR and tile(right.code) is not None:
        return False
    least = LEAST if rows > 1 else LEAST_OF_ONE
    return plain and rows <= ROWS and columns >= 64 and rows * inner * columns > least


def thin(ctx: FunctionLowering, left: Array, turned: bool, right: Array, out: Array) -> None:
    """out = left @ right, several rows of `right` at a time added to all of `out`."""
    flow = Flow(ctx)
    rows = out.sizes[0]
    inner = right.sizes[0]
    assert isinstance(rows, int)
    assert isinstance(inner, int)
    each = min(max(TERMS // rows, 1), _most_terms(right))
    flow.touch(left, right, out)
    rest = inner % each or each  # the first terms; full portions follow
    _portion(flow, left, turned, right, out, 0, rest, True)
    with flow.loop((inner - rest) // each) as k:
        at = ctx.code.add(ctx.code.mul(k, each), rest)
        _portion(flow, left, turned, right, out, at, each, False)
    flow.touch(left, right, out)


def _most_terms(right: Array) -> int:
    """Rows of the matrix that are read side by side at most: those that share places of the cache have to stay in it."""
    step = right.strides[0]
    if not isinstance(step, int):
        return TERMS
    bytes_ = step * SIZE[right.code]
    return TERMS // 4 if bytes_ % 4096 == 0 else TERMS // 2 if bytes_ % 2048 == 0 else TERMS


def _portion(
    flow: Flow, left: Array, turned: bool, right: Array, out: Array, start: Operand, count: int, first: bool
) -> None:
    """The terms of some rows of the right matrix."""
    ctx, code = flow.ctx, flow.code
    rows, columns = out.sizes
    kind = out.code
    word = LLVM[kind]
    places = [code.add(start, k) for k in range(count)]
    parts: list[Expr] = [
        Load(right.ptr, kind, code.add(right.offset, code.mul(k, right.strides[0])), (1,), right.buffers) for k in places
    ]

    def fused(*xs: Scalar) -> Scalar:
        so_far, factors, others = xs[0], xs[1 : 1 + count], xs[1 + count :]
        for a, b in zip(factors, others, strict=True):
            so_far = Scalar(code.op(f"call {word} @llvm.fmuladd.{kind}({a}, {b}, {so_far})"), kind)
        return so_far

    roots = []
    for row in range(int(rows)):
        factors = [Const(flow.read(left, *((k, row) if turned else (row, k)))) for k in places]
        target = Array(out.ptr, kind, (columns,), (1,), out.buffers, code.add(out.offset, code.mul(row, out.strides[0])))
        before: Expr = Const(Scalar(literal(0, kind), kind))
        if not first:
            before = Load(target.ptr, kind, target.offset, (1,), out.buffers)
        roots.append(Root(Map(fused, kind, (before, *factors, *parts), count), target, (1,)))
    ctx.nest((columns,), roots)
