"""Products of many pairs of matrices: a loop over them, which threads share where there is much to do."""

from __future__ import annotations

from collections.abc import Callable

from runtime.backends.native.gemm import GRAIN, SHARED, pack_of_steps, packed_of_sizes, tile
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import IndexMap
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.parts import apart, share
from runtime.backends.native.lower.rules.kernels import Plane, pointer
from runtime.backends.native.lower.rules.little import by_call, is_little, little
from runtime.backends.native.lower.types import LLVM, SIZE
from runtime.backends.native.lower.widen import OURS

__all__ = ["Batch"]

FEWEST = 4  # rows from which on it pays to put the other matrix into panels
CALLED = 12_000  # multiplications up to which, once, products are worth no code of their own
CALL = 300  # that take as long as a call
ON_STACK = 32 * 1024  # bytes of panels on the stack of a thread, which may be the caller's (stack.py)

Offsets = tuple[Operand, Operand, Operand]


class Batch:
    """out = a @ b for every index of `lead`; `maps` say how the leading axes of a and b are looked at over it.

    sizes   rows of a, columns of a, columns of b
    steps   strides of the last two axes of out, one of which is 1
    """

    def __init__(
        self,
        a: Plane,
        b: Plane,
        out: Array,
        lead: tuple[Operand, ...],
        maps: list[IndexMap],
        sizes: tuple[Operand, Operand, Operand],
        steps: tuple[Operand, Operand],
    ) -> None:
        self.a = a
        self.b = b
        self.out = out
        self.lead = lead
        self.maps = maps
        self.sizes = sizes
        self.steps = steps

    def is_shared(self, ctx: FunctionLowering) -> bool:
        """Whether there is work for several threads, and kernels that they may call."""
        rows = self.sizes[0] if self.steps[1] == 1 else self.sizes[2]
        if tile(self.out.code) is None or (isinstance(rows, int) and rows < FEWEST):
            return False
        work = ctx.code.product((*self.lead, *self.sizes))
        return work >= SHARED if isinstance(work, int) else ctx.code.depth == 0

    def offsets(self, ctx: FunctionLowering, i: Operand) -> Offsets:
        """Where the matrices of a pair lie, from those of the first."""
        code = ctx.code
        at: list[Operand] = [0, 0, 0]
        rest: Operand = i
        for axis in reversed(range(len(self.lead))):
            where: Operand = rest
            if axis:
                where = code.op(f"urem i64 {rest}, {self.lead[axis]}")
                rest = code.op(f"udiv i64 {rest}, {self.lead[axis]}")
            for k, array in ((0, self.a[4]), (1, self.b[4])):
                own = axis - len(self.lead) + len(array.sizes) - 2
                if own >= 0:
                    _, to, step = self.maps[k][own]
                    if to is not None:
                        at[k] = code.add(at[k], code.mul(code.mul(where, step), array.strides[own]))
            at[2] = code.add(at[2], code.mul(where, self.out.strides[axis]))
        return at[0], at[1], at[2]

    def loop(
        self, ctx: FunctionLowering, first: Operand, end: Operand, product: Callable[[Operand, Offsets], None]
    ) -> None:
        """One pair after the other: LLVM's passes have nothing to do about it."""
        code = ctx.code
        code.moment += 1
        start = code.moment
        with code.counted(first, end, lambda: ctx.module.as_written() + OURS) as i:
            product(i, self.offsets(ctx, i))
        ctx.memory.touch(self.out.buffers)
        ctx.memory.loops.append((start, code.moment))

    def by_threads(self, ctx: FunctionLowering) -> None:
        """Each pair by a kernel: its second matrix goes into panels first."""
        code, kind = ctx.code, self.out.code
        ctx.big = True
        found = tile(kind)
        assert found is not None
        used = self.a[4].buffers | self.b[4].buffers | self.out.buffers
        a, b, (rows, inner, columns), pitch, swapped = self._plain()
        wide = (
            -(-columns // found.columns) * found.columns
            if isinstance(columns, int)
            else code.mul(code.op(f"sdiv i64 {code.add(columns, found.columns - 1)}, {found.columns}"), found.columns)
        )
        size = code.mul(wide, inner)
        count = code.product(self.lead)
        on_stack = isinstance(size, int) and size * SIZE[kind] <= ON_STACK
        panels = None if on_stack else ctx.allocate(kind, (count, size))
        if panels is not None:
            used |= panels.buffers
        ctx.memory.touch(used)
        head = "i64, i64, i64, ptr, i64, i64, ptr, ptr, i64, i64"
        gemm, pack = packed_of_sizes(kind, rows, columns, inner), pack_of_steps(kind, b[3][1])
        ctx.module.declare(f"declare void @{gemm}({head})", gemm)
        ctx.module.declare(f"declare void @{pack}(i64, i64, ptr, i64, i64, ptr)", pack)

        def write() -> None:
            own = code.alloca(f"[{size} x {LLVM[kind]}]", "panels", 64) if panels is None else ""

            def product(i: Operand, at: Offsets) -> None:
                of_a, of_b = (at[1], at[0]) if swapped else (at[0], at[1])
                place = own if panels is None else pointer(ctx, panels.ptr, kind, code.mul(i, size))
                pa = pointer(ctx, a[0], kind, code.add(a[1], of_a))
                pb = pointer(ctx, b[0], kind, code.add(b[1], of_b))
                pc = pointer(ctx, self.out.ptr, kind, code.add(self.out.offset, at[2]))
                code.do(
                    f"call void @{pack}(i64 {inner}, i64 {columns}, ptr {pb}, i64 {b[3][0]}, i64 {b[3][1]}, "
                    f"ptr {place})"
                )
                code.do(
                    f"call void @{gemm}(i64 {rows}, i64 {columns}, i64 {inner}, ptr {pa}, "
                    f"i64 {a[3][0]}, i64 {a[3][1]}, ptr {place}, ptr {pc}, i64 {pitch}, i64 0)"
                )

            self.loop(ctx, "%lo", "%hi", product)

        self._share(ctx, write)
        ctx.memory.touch(used)

    def by_vectors(self, ctx: FunctionLowering) -> None:
        """Small pairs, a row of the result in a vector (see little.py)."""
        used = self.a[4].buffers | self.b[4].buffers | self.out.buffers
        a, b, sizes, pitch, swapped = self._plain()
        count = ctx.code.product(self.lead)
        ctx.memory.touch(used)
        work = ctx.code.product((count, *self.sizes))
        cost = ctx.code.add(work, ctx.code.mul(count, CALL))
        rare = ctx.code.once and not ctx.code.depth and b[3][1] == 1
        few = rare and isinstance(cost, int) and cost <= CALLED

        def product(_: Operand, at: Offsets) -> None:
            write = by_call if few else little
            write(ctx, a, b, self.out, sizes, pitch, (at[1], at[0], at[2]) if swapped else at)

        if isinstance(work, int) and work < SHARED:
            self.loop(ctx, 0, count, product)
        else:
            self._share(ctx, lambda: self.loop(ctx, "%lo", "%hi", product))
        ctx.memory.touch(used)

    def is_small(self) -> bool:
        """Whether pairs are for `by_vectors`."""
        return is_little(self._plain()[2])

    def _plain(self) -> tuple[Plane, Plane, tuple[Operand, Operand, Operand], Operand, bool]:
        """The operands, sizes and the step from row to row of products whose rows are contiguous: of the transposed ones,
        where results lie column by column (the last item says so)."""
        (rows, inner, columns), (pitch, unit) = self.sizes, self.steps
        if unit != 1 and columns != 1:
            return _turned(self.b), _turned(self.a), (columns, inner, rows), rows if columns == 1 else unit, True
        return self.a, self.b, self.sizes, columns if rows == 1 else pitch, False

    def _share(self, ctx: FunctionLowering, write: Callable[[], None]) -> None:
        """Let threads do the pairs; `write` writes those from %lo to before %hi."""
        code, work = ctx.code, ctx.code.product(self.sizes)
        grain: Operand = (
            max(GRAIN // max(work, 1), 1)
            if isinstance(work, int)
            else code.at_least(code.op(f"udiv i64 {GRAIN}, {code.at_least(work, 1)}"), 1)
        )
        with code.scope():
            part = apart(code, write)
        share(code, ctx.module, part, code.product(self.lead), grain)


def _turned(plane: Plane) -> Plane:
    ptr, offset, sizes, strides, array = plane
    return ptr, offset, sizes[::-1], strides[::-1], array
