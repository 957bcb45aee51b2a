"""Carried arrays whose shape changes from turn to turn: memory that grows, and sizes that are carried along."""

from __future__ import annotations

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Deferred
from runtime.backends.native.lower.flow import Flow, Variable
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.types import SIZE
from runtime.ir.graph import Value

__all__ = ["Growing"]


class Growing:
    """Two pieces of memory: the present value is in the first; a new one is made in the second, and they change places.

    `sizes` has None where a size changes.
    """

    rep: Deferred

    def __init__(self, ctx: FunctionLowering, init: Value, code: str, sizes: list[Operand | None]) -> None:
        flow = Flow(ctx)
        self.code = code
        self.now, self.next = ctx.slot(), ctx.slot()
        self.buffers = frozenset((Buffer(self.now, None), Buffer(self.next, None)))
        have = ctx.sizes(init)
        self.sizes: list[Operand | Variable] = [
            flow.variable("i64", now) if n is None else n for n, now in zip(sizes, have, strict=True)
        ]
        source = ctx.array(init)
        ctx.copy(source, self._memory(ctx, self.now, have))

    def _memory(self, ctx: FunctionLowering, slot: str, sizes: tuple[Operand, ...]) -> Array:
        code = ctx.code
        size = code.mul(code.product(sizes), SIZE[self.code])
        ptr = code.op(f"call ptr @ag_reserve(ptr {slot}, i64 {size})")
        code.require(code.op(f"icmp ne ptr {ptr}, null"), ctx.failure)
        ctx.big = True
        return Array(ptr, self.code, sizes, code.strides(sizes), self.buffers)

    def open(self, ctx: FunctionLowering) -> None:
        """In the loop's first block: the value at the beginning of a turn, or when the loop has ended."""
        code = ctx.code
        sizes = tuple(n.get() if isinstance(n, Variable) else n for n in self.sizes)
        ptr = code.op(f"load ptr, ptr {self.now}")
        self.rep = ctx.dense(Array(ptr, self.code, sizes, code.strides(sizes), self.buffers))

    def fill(self, ctx: FunctionLowering, rep: Deferred) -> tuple[Operand, ...]:
        """Make the next value; its sizes."""
        for size, fixed in zip(rep.sizes, self.sizes, strict=True):
            if not isinstance(fixed, Variable) and size != fixed:
                ctx.code.require(ctx.code.op(f"icmp eq i64 {size}, {fixed}"), ctx.failure)
        array = ctx.view_of_memory(rep)
        target = self._memory(ctx, self.next, rep.sizes)
        if array is None and rep.code == self.code:
            ctx.materialize(rep, target)
            return rep.sizes
        if array is None:
            ctx.materialize(rep)
            array = rep.array
            assert array is not None
        ctx.copy(array, target)
        return rep.sizes

    def turn(self, ctx: FunctionLowering, sizes: tuple[Operand, ...]) -> None:
        """At the end of a turn: the next value is the present one."""
        code = ctx.code
        for size, place in zip(sizes, self.sizes, strict=True):
            if isinstance(place, Variable):
                place.set(size)
        first, second = (code.op(f"load {{ptr, i64}}, ptr {slot}") for slot in (self.now, self.next))
        code.do(f"store {{ptr, i64}} {second}, ptr {self.now}")
        code.do(f"store {{ptr, i64}} {first}, ptr {self.next}")
