"""Writing at an index array: one element after another, as later writes win and additions add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import load, store
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Scalar
from runtime.ir.graph import Value

__all__ = ["Combine", "Source", "scatter", "source_of"]

Combine: TypeAlias = Callable[[Scalar, Scalar], Scalar]
Source = Scalar | tuple[Array, tuple[Operand, ...]]  # one number, or memory with its strides over the index


def source_of(ctx: FunctionLowering, value: Value, sizes: tuple[Operand, ...], code: str) -> Source:
    """The elements of a value as they are broadcast to a shape."""
    if ctx.type(value).weak:
        return ctx.narrowed(ctx.scalar(value), code, True)
    have = ctx.sizes(value)
    if not have:
        return ctx.ops.cast(ctx.scalar(value), code)
    extra = max(len(have) - len(sizes), 0)
    if any(n != 1 for n in have[:extra]):
        raise Unsupported([("a value of more axes", None)])
    array = ctx.array(value)
    lead = len(sizes) - (len(have) - extra)
    strides: list[Operand] = [0] * len(sizes)
    for axis, (n, stride) in enumerate(zip(have[extra:], array.strides[extra:], strict=True)):
        want = sizes[lead + axis]
        if n == 1 and want != 1:
            continue
        if n != want:
            if isinstance(n, int) and isinstance(want, int):
                raise Unsupported([("shapes that do not fit", None)])
            ctx.code.require(ctx.code.op(f"icmp eq i64 {n}, {want}"), ctx.failure)
        strides[lead + axis] = stride
    return array, tuple(strides)


def scatter(
    ctx: FunctionLowering,
    target: Array,
    sizes: tuple[Operand, ...],
    strides: tuple[Operand, ...],
    offset: Operand,
    indices: tuple[Array, int, Operand],
    source: Source,
    combine: Combine | None,
) -> None:
    """Put the elements of a source into a target, one after another.

    Args:
      target: what is written to.
      sizes: the shape of what is written.
      strides: the target's strides along it, 0 along the index array's axes.
      offset: of the element at 0 in the target.
      indices: the index array, its first axis in the shape, and the target's stride along the axis it points into.
      source: what is written.
      combine: what becomes of the old element and the new one; the new one if there is none.
    """
    code, b = ctx.code, ctx.ops
    at, first, pace = indices
    if not isinstance(source, Scalar) and source[0].buffers & target.buffers:
        raise Unsupported([("a value that overlaps its target", None)])
    buffers = target.buffers
    if not isinstance(source, Scalar):
        buffers |= source[0].buffers
    buffers |= at.buffers
    ctx.memory.touch(buffers)

    def linear(start: Operand, index: list[str], steps: tuple[Operand, ...]) -> Operand:
        for i, step in zip(index, steps, strict=True):
            start = code.add(start, code.mul(i, step))
        return start

    def body(index: list[str]) -> None:
        mine = index[first : first + len(at.sizes)]
        where = load(code, at.ptr, "i64", linear(at.offset, mine, at.strides)).reg
        place = code.add(linear(offset, index, strides), code.mul(where, pace))
        if isinstance(source, Scalar):
            x = source
        else:
            x = b.cast(load(code, source[0].ptr, source[0].code, linear(source[0].offset, index, source[1])), target.code)
        if combine is not None:
            x = combine(load(code, target.ptr, target.code, place), b.cast(x, target.code))
        store(code, target.ptr, place, x)

    _loops(ctx, sizes, [], body)
    ctx.memory.touch(buffers)


def _loops(
    ctx: FunctionLowering, sizes: tuple[Operand, ...], index: list[str], body: Callable[[list[str]], None]
) -> None:
    if not sizes:
        body(index)
        return
    with ctx.code.counted(0, sizes[0]) as i:
        _loops(ctx, sizes[1:], [*index, i], body)
