"""Convolutions of pictures and their gradients, as sweeps over windows."""

from __future__ import annotations

from math import gcd
from typing import Any, NamedTuple, TypeAlias

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower import bordered
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.correlations import Correlation, correlate
from runtime.backends.native.lower.exprs import Const, Load, Map
from runtime.backends.native.lower.function import FunctionLowering, rule
from runtime.backends.native.lower.kernels import lanes_of
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.rules.kernels import pointer
from runtime.backends.native.lower.rules.products import gemm, plane
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.sweeps import Frame, Sweep, choose, sweep
from runtime.backends.native.lower.types import SIZE, code_of, is_float, literal
from runtime.backends.native.lower.winograd import fits, pays, winograd
from runtime.backends.native.lower.winograd_slopes import winograd_slopes
from runtime.ir.graph import Node, Value
from runtime.ops.windows import pads
from runtime.typesys.spec import TensorType

__all__ = ["Windows", "same_sizes", "windows"]


FEW = 4  # blocks of weights up to which each has instructions of its own
PAGES = 2048  # bytes of a place's channels from which on blocks of slopes would read too many pages: BLAS copies them first
Steps: TypeAlias = tuple[Operand, ...]


class Windows(NamedTuple):
    """Windows on pictures: how many along (height, width), how far they reach out before them, whether none reaches out."""

    number: tuple[Operand, Operand]
    before: tuple[Operand, Operand]
    inside: bool


def windows(
    ctx: FunctionLowering, space: tuple[Operand, ...], taps: tuple[int, int], strides: Any, dilations: Any, padding: Any
) -> Windows:
    """Where the windows of some pictures lie; that one fits is checked."""
    counts: list[Operand] = []
    before: list[Operand] = []
    inside = True
    for axis in (0, 1):
        count, start, within = _along(ctx, space[axis], taps[axis], strides[axis], dilations[axis], padding, axis)
        counts.append(count)
        before.append(start)
        inside &= within
    return Windows((counts[0], counts[1]), (before[0], before[1]), inside)


def _along(
    ctx: FunctionLowering, size: Operand, taps: int, stride: int, dilation: int, padding: Any, axis: int
) -> tuple[Operand, Operand, bool]:
    """(how many, how far the first begins before the edge, whether all lie inside) along an axis."""
    code, reach = ctx.code, (taps - 1) * dilation + 1
    if isinstance(size, int):
        first, last = pads(size, taps, stride, dilation, padding, axis)
        whole = size + first + last
        count = max((whole - reach) // stride + 1, 0)
        if count < 1 and whole:
            raise Unsupported([("a window that does not fit", None)])
        return count, first, first == 0 and (count - 1) * stride + reach <= size
    if padding == "SAME":
        if stride == 1:
            return size, (reach - 1) // 2, reach == 1
        some = code.parts(size, stride)
        seen = code.add(code.mul(code.sub(some, 1), stride), reach)
        missing = code.at_least(code.sub(seen, size), 0)
        return some, code.op(f"sdiv i64 {missing}, 2"), False
    first, last = (0, 0) if padding == "VALID" else padding[axis]
    room = code.sub(code.add(size, first + last), reach)
    code.require(code.op(f"icmp sge i64 {room}, 0"), ctx.failure)
    return code.add(code.op(f"sdiv i64 {room}, {stride}"), 1), first, first == 0 and last == 0


def _known(ctx: FunctionLowering, value: Value) -> tuple[int, ...]:
    """Sizes that must be known."""
    sizes = ctx.sizes(value)
    if not all(isinstance(n, int) for n in sizes):
        raise Unsupported([("filters of a size that only the run knows", None)])
    return sizes  # type: ignore[return-value]


def _dense(ctx: FunctionLowering, value: Value, code: str) -> Array:
    """A value of a type in memory, in C order."""
    array = ctx.array(value)
    if array.code == code:
        return array if ctx.is_contiguous(array) else ctx.copy(array)
    target = ctx.allocate(code, array.sizes)
    ctx.fill(target, Map(lambda x: ctx.ops.cast(x, code), code, (ctx.expr(value),), 1))
    return target


class _Shape(NamedTuple):
    """What is known of a convolution: batch and picture, filters, groups."""

    picture: tuple[Operand, ...]  # batch, height, width
    taps: tuple[int, int]
    channels: int
    outputs: int
    groups: int
    code: str

    @property
    def own(self) -> bool:
        """Whether every output has one input, that of its number."""
        return self.groups == self.channels == self.outputs

    @property
    def parts(self) -> tuple[int, int, int]:
        """(groups, inputs of each, outputs of each), as sweeps have them."""
        if self.own:
            return 1, 1, self.channels
        return self.groups, self.channels // self.groups, self.outputs // self.groups


def _shape(ctx: FunctionLowering, node: Node, pictures: Value, filters: Value) -> _Shape:
    code = code_of(ctx.type(node.outputs[0]).dtype)
    sizes = ctx.sizes(pictures)
    height, width, inner, outputs = _known(ctx, filters)
    channels = sizes[3]
    if not is_float(code) or not isinstance(channels, int):
        raise Unsupported([("channels whose number only the run knows", None)])
    if inner == 0 or channels % inner or outputs % (channels // inner):
        raise Unsupported([("channels that do not fit", None)])
    return _Shape(sizes[:3], (height, width), channels, outputs, channels // inner, code)


@rule("conv2d")
def conv2d(ctx: FunctionLowering, node: Node) -> None:
    """A sweep over the pictures."""
    x, filters = node.inputs
    known = _shape(ctx, node, x, filters)
    attrs = node.attrs
    strides, dilations = attrs["strides"], attrs["dilations"]
    lie = windows(ctx, known.picture[1:], known.taps, strides, dilations, attrs["padding"])
    source, weights = _dense(ctx, x, known.code), _dense(ctx, filters, known.code)
    sizes = (known.picture[0], *lie.number, known.outputs)
    after = _after(ctx, node, known.outputs)
    bias = _dense(ctx, after.bias, known.code) if after.bias is not None else None
    out = ctx.allocate(known.code, sizes, after.value)
    ctx.define(after.value, ctx.dense(out))
    origin = (ctx.code.sub(0, lie.before[0]), ctx.code.sub(0, lie.before[1]))
    frame = Frame(source, known.taps, dilations, strides, origin, lie.number, lie.inside)
    along = ctx.code.strides(weights.sizes)
    steps = (along[0], along[1], along[2], known.parts[2], 1)
    target = out, 0, ctx.code.strides(sizes)
    _swept(ctx, frame, known.parts, (weights, 0, steps), target, known.own, bias, after.positive)


class _After(NamedTuple):
    """What is done with every result before anybody sees it: a bias is added, what is negative becomes zero."""

    value: Value  # what it is then
    bias: Value | None
    positive: bool


def _after(ctx: FunctionLowering, node: Node, outputs: int) -> _After:
    """The nodes that follow a convolution and are done with it; they are absorbed."""
    value, bias, positive = node.outputs[0], None, False
    user = ctx.only_user(value)
    if user is not None and user.op.name == "add":
        (other,) = [v for v in user.inputs if v is not value] or [value]
        if other in ctx.env and _is_bias(ctx.type(other), outputs, ctx.type(value).dtype):
            bias, value = other, user.outputs[0]
            ctx.absorbed.add(user)
            user = ctx.only_user(value)
    if user is not None and user.op.name == "relu":
        positive, value = True, user.outputs[0]
        ctx.absorbed.add(user)
    return _After(value, bias, positive)


def _swept(
    ctx: FunctionLowering,
    frame: Frame,
    parts: tuple[int, int, int],
    weights: tuple[Array, Operand, tuple[Operand, ...]],
    out: tuple[Array, Operand, tuple[Operand, ...]],
    own: bool,
    bias: Array | None = None,
    positive: bool = False,
) -> None:
    """A sweep; weights with the offset of the first and steps of (tap down, tap right, input, group, output)."""
    target, base, pitch = out
    groups, inner, outer = parts
    choice = choose(target.code, outer, frame.count, isinstance(frame.source.sizes[2], int))
    packed = _packed(ctx, frame.taps, parts, choice.vectors * lanes_of(target.code), weights)
    steps = pitch[0], pitch[1], pitch[2]
    job = Sweep(frame, groups, inner, outer, packed, target, base, steps, choice, bias, positive, own)
    if not own and fits(frame, groups) and pays(frame, target.code, inner, outer):
        winograd(ctx, job)
    else:
        sweep(ctx, job)


def _packed(
    ctx: FunctionLowering,
    taps: tuple[int, int],
    parts: tuple[int, int, int],
    block: int,
    weights: tuple[Array, Operand, tuple[Operand, ...]],
) -> Array:
    """Weights as (groups, blocks of outputs, taps, inputs, outputs of a block), zeros after the last output."""
    groups, inner, outer = parts
    array, first, (down, right, of_input, of_group, of_output) = weights
    code = ctx.code
    start = code.add(array.offset, first)
    full, rest = outer // block, outer % block
    length = taps[0] * taps[1] * inner
    if groups == 1 and full == 1 and not rest:
        own = (taps[1] * inner * block, inner * block, block, 1)
        if (down, right, of_input, of_output) == own:
            return Array(array.ptr, array.code, (length * block,), (1,), array.buffers, start)
    blocks = full + (rest > 0)
    made = ctx.allocate(array.code, (groups * blocks * length * block,))
    if of_output == 1 and groups * blocks <= FEW and (down, right) == (taps[1] * inner * of_input, inner * of_input):
        used = made.buffers | array.buffers
        ctx.memory.touch(used)
        for k in range(groups * blocks):
            group, b = divmod(k, blocks)
            to = pointer(ctx, made.ptr, made.code, code.add(made.offset, k * length * block))
            source = pointer(ctx, array.ptr, array.code, code.add(start, code.add(code.mul(of_group, group), b * block)))
            some = min(outer - b * block, block)
            bordered.call(
                ctx.module, code, array.code, (to, block), (source, of_input), (0, length, 0), (0, some, block - some)
            )
        ctx.memory.touch(used)
        return made
    lines = (taps[1] * inner * block, inner * block, block, 1)

    def part(sizes: tuple[int, ...], strides: tuple[int, ...], offset: int, source: Steps, at: Operand) -> None:
        target = Array(made.ptr, made.code, sizes, strides, made.buffers, code.add(made.offset, offset))
        ctx.fill(target, Load(array.ptr, array.code, at, source, array.buffers))

    if full:
        part(
            (groups, full, *taps, inner, block),
            (blocks * length * block, length * block, *lines),
            0,
            (of_group, code.mul(of_output, block), down, right, of_input, of_output),
            start,
        )
    if rest:
        behind = full * length * block
        zero = Const(Scalar(literal(0, array.code), array.code))
        tail = (groups, length * block)
        strides = (blocks * length * block, 1)
        ctx.fill(Array(made.ptr, made.code, tail, strides, made.buffers, code.add(made.offset, behind)), zero)
        part(
            (groups, *taps, inner, rest),
            (blocks * length * block, *lines),
            behind,
            (of_group, down, right, of_input, of_output),
            code.add(start, code.mul(of_output, full * block)),
        )
    return made


class _Phase(NamedTuple):
    """The windows that see the places p, p + stride, ... along an axis: a tap of each, as a sweep over the results."""

    last: int  # the tap of the first window
    taps: int
    pace: int  # from tap to tap of the filter
    step: int  # of the results
    origin: int


def _phase(place: int, before: int, taps: int, stride: int, dilation: int) -> _Phase | None:
    """For one place modulo the stride; None where no window sees it."""
    seen = [k for k in range(taps) if (place + before - k * dilation) % stride == 0]
    if not seen:
        return None
    pace = stride // gcd(stride, dilation)
    return _Phase(seen[-1], len(seen), pace, dilation * pace // stride, (place + before - seen[-1] * dilation) // stride)


def _is_bias(t: TensorType, outputs: int, dtype: Any) -> bool:
    """Whether something is one number for each output."""
    shape = t.shape or ()
    return t.dtype == dtype and shape[-1:] == (outputs,) and len(shape) <= 4 and set(shape[:-1]) <= {1}


@rule("conv2d_input_grad")
def conv2d_input_grad(ctx: FunctionLowering, node: Node) -> None:
    """A sweep over the results, for every place modulo the strides."""
    dy, filters, like = node.inputs
    known = _shape(ctx, node, like, filters)
    attrs, code = node.attrs, ctx.code
    strides, dilations = attrs["strides"], attrs["dilations"]
    lie = windows(ctx, known.picture[1:], known.taps, strides, dilations, attrs["padding"])
    same_sizes(ctx, ctx.sizes(dy), (known.picture[0], *lie.number, known.outputs))
    if not all(isinstance(b, int) for b in lie.before):
        raise Unsupported([("a border that only the run knows", None)])
    source, weights = _dense(ctx, dy, known.code), _dense(ctx, filters, known.code)
    sizes = (*known.picture, known.channels)
    out = ctx.allocate(known.code, sizes, node.outputs[0])
    ctx.define(node.outputs[0], ctx.dense(out))
    groups, outer, inner = known.parts  # the other way round
    parts, group = (groups, inner, outer), inner
    if known.own:
        parts, group = (1, 1, known.channels), 1
    along, pitch = code.strides(weights.sizes), code.strides(sizes)
    for top in range(strides[0]):
        for left in range(strides[1]):
            place = top, left
            count = tuple(
                code.parts(code.sub(n, p), s)
                for n, p, s in zip(known.picture[1:], place, strides, strict=True)
            )
            base = code.add(code.mul(top, pitch[1]), code.mul(left, pitch[2]))
            places = (pitch[0], code.mul(pitch[1], strides[0]), code.mul(pitch[2], strides[1]))
            phases = [_phase(place[k], int(lie.before[k]), known.taps[k], strides[k], dilations[k]) for k in (0, 1)]
            down, right = phases
            if down is None or right is None:
                part = Array(
                    out.ptr, out.code, (known.picture[0], *count, known.channels), (*places, 1), out.buffers,
                    code.add(out.offset, base),
                )  # fmt: skip
                ctx.fill(part, Const(Scalar(literal(0, out.code), out.code)))
                continue
            have = source.sizes[1:3]
            inside = all(
                f.origin >= 0 and isinstance(n, int) and isinstance(h, int) and n - 1 + (f.taps - 1) * f.step + f.origin < h
                for f, n, h in zip((down, right), count, have, strict=True)
            )
            frame = Frame(
                source, (down.taps, right.taps), (down.step, right.step), (1, 1), (down.origin, right.origin),
                (count[0], count[1]), inside,
            )  # fmt: skip
            first = code.add(code.mul(along[0], down.last), code.mul(along[1], right.last))
            steps = (
                code.mul(along[0], -down.pace), code.mul(along[1], -right.pace), 1, group, 1 if known.own else along[2],
            )  # fmt: skip
            _swept(ctx, frame, parts, (weights, first, steps), (out, base, places), known.own)


def same_sizes(ctx: FunctionLowering, have: tuple[Operand, ...], want: tuple[Operand, ...]) -> None:
    """Let the plan do it, and say what is wrong, where sizes differ."""
    for a, b in zip(have, want, strict=True):
        if a == b:
            continue
        if isinstance(a, int) and isinstance(b, int):
            raise Unsupported([("sizes that do not fit", None)])
        ctx.code.require(ctx.code.op(f"icmp eq i64 {a}, {b}"), ctx.failure)


@rule("conv2d_filter_grad")
def conv2d_filter_grad(ctx: FunctionLowering, node: Node) -> None:
    """Products of what the windows see with the results' cotangents, summed over all windows."""
    dy, x, like = node.inputs
    known = _shape(ctx, node, x, like)
    attrs = node.attrs
    lie = windows(ctx, known.picture[1:], known.taps, attrs["strides"], attrs["dilations"], attrs["padding"])
    same_sizes(ctx, ctx.sizes(dy), (known.picture[0], *lie.number, known.outputs))
    source, slopes = _dense(ctx, x, known.code), _dense(ctx, dy, known.code)
    out = ctx.allocate(known.code, ctx.sizes(like), node.outputs[0])
    ctx.define(node.outputs[0], ctx.dense(out))
    points = known.taps == attrs["strides"] == (1, 1) and lie.inside and known.groups == 1
    if points and known.channels * SIZE[known.code] >= PAGES:
        places = ctx.code.product(slopes.sizes[:3])
        left = Array(source.ptr, source.code, (known.channels, places), (1, known.channels), source.buffers, source.offset)
        right = Array(slopes.ptr, slopes.code, (places, known.outputs), (known.outputs, 1), slopes.buffers, slopes.offset)
        whole = Array(out.ptr, out.code, (known.channels, known.outputs), (known.outputs, 1), out.buffers, out.offset)
        gemm(ctx, plane(left, False, True), plane(right, False, False), whole, known.channels, places, known.outputs)
        return
    origin = (ctx.code.sub(0, lie.before[0]), ctx.code.sub(0, lie.before[1]))
    frame = Frame(source, known.taps, attrs["dilations"], attrs["strides"], origin, lie.number, lie.inside)
    job = Correlation(frame, *known.parts, slopes, out, known.own)
    if not known.own and fits(frame, known.groups) and pays(frame, out.code, job.inner, job.outer):
        winograd_slopes(ctx, job)
    else:
        correlate(ctx, job)
