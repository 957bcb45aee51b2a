"""Views, creation and joining of arrays."""

from __future__ import annotations

from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.elements import load, store
from runtime.backends.native.lower.exprs import Affine, Const, Deferred, Expr, IndexMap, Map
from runtime.backends.native.lower.flow import Flow
from runtime.backends.native.lower.function import FunctionLowering, constant, rule
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import MEMORY, SIZE, code_of, is_float
from runtime.ir.graph import Node, Value
from runtime.ops.kinds import normalize_axes, normalize_axis
from runtime.typesys.spec import TensorType

__all__: list[str] = []


def view(ctx: FunctionLowering, node: Node, index: IndexMap, sizes: tuple[Operand, ...]) -> None:
    """The output as another look at the first input."""
    x = node.inputs[0]
    ctx.defer(node.outputs[0], ctx.viewed(x, index), sizes, [x])


def sizes_of(ctx: FunctionLowering, entries: Any, inputs: list[Value]) -> tuple[Operand, ...]:
    """Sizes given by an attribute and inputs (see `runtime.ops.sizes`)."""
    if entries is None:
        raise Unsupported([("a shape that is a tensor", None)])
    rest = iter(inputs)
    if not inputs:
        return tuple(e if type(e) is int else ctx.dims[e] for e in entries)
    return tuple(e if type(e) is int else ctx.number(next(rest)) for e in entries)


@rule("transpose", fused=True)
def transpose(ctx: FunctionLowering, node: Node) -> None:
    """Axes in another order."""
    sizes = ctx.sizes(node.inputs[0])
    perm = node.attrs["perm"]
    perm = tuple(range(len(sizes)))[::-1] if perm is None else tuple(p % len(sizes) for p in perm)
    index: IndexMap = tuple((0, perm.index(i), 1) for i in range(len(sizes)))
    view(ctx, node, index, tuple(sizes[p] for p in perm))


@rule("expand_dims", fused=True)
def expand_dims(ctx: FunctionLowering, node: Node) -> None:
    """A new axis of size 1."""
    sizes = ctx.sizes(node.inputs[0])
    axis = normalize_axis(node.attrs["axis"], len(sizes) + 1)
    if not sizes:
        ctx.define(node.outputs[0], _full(ctx, node.outputs[0], Const(ctx.scalar(node.inputs[0])), (1,)))
        return
    index: IndexMap = tuple((0, i + (i >= axis), 1) for i in range(len(sizes)))
    view(ctx, node, index, (*sizes[:axis], 1, *sizes[axis:]))


@rule("squeeze", fused=True)
def squeeze(ctx: FunctionLowering, node: Node) -> None:
    """Without axes of size 1."""
    sizes = ctx.sizes(node.inputs[0])
    axes = normalize_axes(node.attrs["axis"], len(sizes))
    if node.attrs["axis"] is None or any(sizes[a] != 1 for a in axes):
        raise Unsupported([("an axis whose size only the run knows", None)])
    _drop(ctx, node, axes)


def _drop(ctx: FunctionLowering, node: Node, axes: tuple[int, ...]) -> None:
    sizes = ctx.sizes(node.inputs[0])
    left = [i for i in range(len(sizes)) if i not in axes]
    if not left:
        array = ctx.array(node.inputs[0])
        ctx.memory.touch(array.buffers)
        ctx.define(node.outputs[0], load(ctx.code, array.ptr, array.code, array.offset))
        return
    index: IndexMap = tuple((0, left.index(i), 1) if i in left else (0, None, 0) for i in range(len(sizes)))
    view(ctx, node, index, tuple(sizes[i] for i in left))


@rule("reshape", "reshape_like", fused=True)
def reshape(ctx: FunctionLowering, node: Node) -> None:
    """The elements in row-major order in another shape."""
    x = node.inputs[0]
    have = ctx.sizes(x)
    if node.op.name == "reshape_like":
        want = ctx.sizes(node.inputs[1])
    else:
        want = sizes_of(ctx, node.attrs["shape"], node.inputs[1:])
    want = _filled(ctx, have, want)
    out = node.outputs[0]
    if not want:
        _drop(ctx, node, tuple(range(len(have))))
        return
    if not have:
        ctx.define(out, _full(ctx, out, Const(ctx.scalar(x)), want))
        return
    if have == want:
        ctx.define(out, ctx.env[x])
        return
    ones_apart = [n for n in have if n != 1] == [n for n in want if n != 1]
    if ones_apart and not all(n == 1 for n in have):
        places = iter([i for i, n in enumerate(want) if n != 1])
        index: IndexMap = tuple((0, None, 0) if n == 1 else (0, next(places), 1) for n in have)
        view(ctx, node, index, want)
        return
    rep = ctx.env[x]
    assert isinstance(rep, Deferred)
    if isinstance(rep.expr, Const) and rep.reduce is None:
        ctx.define(out, _full(ctx, out, rep.expr, want))
        return
    array = ctx.contiguous(x)
    ctx.define(
        out,
        ctx.dense(Array(array.ptr, array.code, want, ctx.code.strides(want), array.buffers, array.offset)),
    )


def _filled(
    ctx: FunctionLowering, have: tuple[Operand, ...], want: tuple[Operand, ...]
) -> tuple[Operand, ...]:
    """With -1 replaced by what is left; checked."""
    code = ctx.code
    total = code.product(have)
    known = code.product(tuple(n for n in want if n != -1))
    if -1 not in want:
        if total != known:
            if isinstance(total, int) and isinstance(known, int):
                raise Unsupported([("a shape that does not fit", None)])
            code.require(code.op(f"icmp eq i64 {total}, {known}"), ctx.failure)
        return want
    if isinstance(total, int) and isinstance(known, int):
        if known == 0 or total % known:
            raise Unsupported([("a shape that does not fit", None)])
        rest: Operand = total // known
    else:
        code.require(code.op(f"icmp ne i64 {known}, 0"), ctx.failure)
        shared = [n for n in have if n in want and not isinstance(n, int)]
        if len(shared) == 1 and code.product(tuple(n for n in want if n not in (-1, shared[0]))) == 1:
            rest = code.product(tuple(n for n in have if n != shared[0]))
        else:
            rest = code.op(f"sdiv i64 {total}, {known}")
            code.require(code.op(f"icmp eq i64 {code.mul(rest, known)}, {total}"), ctx.failure)
    return tuple(rest if n == -1 else n for n in want)


def _full(ctx: FunctionLowering, out: Value, expr: Expr, sizes: tuple[Operand, ...]) -> Deferred:
    d = Deferred(expr, code_of(ctx.type(out).dtype), sizes)
    ctx.children[d] = []
    return d


@rule("broadcast_to", "broadcast_like", "spread_to_place", fused=True)
def broadcast_to(ctx: FunctionLowering, node: Node) -> None:
    """The elements repeated along axes of size 1 and new ones."""
    x = node.inputs[0]
    if node.op.name == "broadcast_to":
        want = sizes_of(ctx, node.attrs["shape"], node.inputs[1:])
    else:
        want = ctx.sizes(node.inputs[1])
    have = ctx.sizes(x)
    if node.op.name == "spread_to_place" and len(have) > len(want):
        raise Unsupported([("leading axes", None)])
    if not want:
        ctx.define(node.outputs[0], ctx.scalar(x))
        return
    if not have:
        ctx.define(node.outputs[0], _full(ctx, node.outputs[0], Const(ctx.scalar(x)), want))
        return
    lead = len(want) - len(have)
    index: list[tuple[Operand, int | None, Operand]] = []
    for i, n in enumerate(have):
        whole = want[lead + i]
        if n == whole:
            index.append((0, lead + i, 1))
        elif n == 1:
            index.append((0, None, 0))
        elif isinstance(n, int) and isinstance(whole, int):
            raise Unsupported([("shapes that do not fit", None)])
        else:
            one = ctx.code.op(f"icmp eq i64 {n}, 1")
            same = ctx.code.op(f"icmp eq i64 {n}, {whole}")
            ctx.code.require(ctx.code.op(f"or i1 {one}, {same}"), ctx.failure)
            index.append((0, lead + i, ctx.code.choose(one, 0, 1)))
    view(ctx, node, tuple(index), want)


@rule("ensure_shape", fused=True)
def ensure_shape(ctx: FunctionLowering, node: Node) -> None:
    """The same array, whose sizes are known from here on."""
    x = node.inputs[0]
    have = ctx.sizes(x)
    wanted = [n if m is None else m for n, m in zip(have, node.attrs["shape"] or [None] * len(have), strict=True)]
    if wanted == list(have):
        ctx.define(node.outputs[0], ctx.env[x])
        return
    sizes: list[Operand] = []
    for n, m in zip(have, wanted, strict=True):
        if n != m:
            ctx.code.require(ctx.code.op(f"icmp eq i64 {n}, {m}"), ctx.failure)
        sizes.append(m)
    view(ctx, node, tuple((0, i, 1) for i in range(len(sizes))), tuple(sizes))


@rule("reverse", fused=True)
def reverse(ctx: FunctionLowering, node: Node) -> None:
    """Axes backwards."""
    sizes = ctx.sizes(node.inputs[0])
    axes = normalize_axes(node.attrs["axis"], len(sizes))
    index: IndexMap = tuple(
        (ctx.code.sub(n, 1), i, -1) if i in axes else (0, i, 1) for i, n in enumerate(sizes)
    )
    view(ctx, node, index, sizes)


@rule("zeros", "ones", "fill", "full_like", fused=True)
def filled(ctx: FunctionLowering, node: Node) -> None:
    """One number everywhere."""
    out = node.outputs[0]
    t = ctx.type(out)
    name, code = node.op.name, code_of(t.dtype)
    if name == "fill":
        weak = ctx.type(node.inputs[0]).weak
        number = ctx.narrowed(ctx.scalar(node.inputs[0]), code, weak)
        sizes = sizes_of(ctx, node.attrs["shape"], node.inputs[1:])
    else:
        value = node.attrs["value"] if name == "full_like" else int(name == "ones")
        number = constant(value, TensorType(t.dtype))
        if name == "full_like":
            sizes = ctx.sizes(node.inputs[0])
        else:
            sizes = sizes_of(ctx, node.attrs["shape"], list(node.inputs))
    if not sizes:
        ctx.define(out, number)
        return
    for n in sizes:
        if not isinstance(n, int):
            ctx.code.require(ctx.code.op(f"icmp sge i64 {n}, 0"), ctx.failure)
    ctx.define(out, _full(ctx, out, Const(number), sizes))


@rule("placeholder")
def placeholder(ctx: FunctionLowering, node: Node) -> None:
    """Zeros that nobody looks at."""
    t = ctx.type(node.outputs[0])
    zero = constant(0, TensorType(t.dtype))
    sizes = tuple(d if isinstance(d, int) else 0 for d in t.shape or ())
    ctx.define(node.outputs[0], _full(ctx, node.outputs[0], Const(zero), sizes) if sizes else zero)


@rule("arange", fused=True)
def arange(ctx: FunctionLowering, node: Node) -> None:
    """start + i * step."""
    b, code = ctx.ops, ctx.code
    out = node.outputs[0]
    t = ctx.type(out)
    kind = code_of(t.dtype)
    start, limit, step = (ctx.scalar(v) for v in node.inputs)
    if is_float(kind) or any(is_float(s.code) for s in (start, limit, step)):
        raise Unsupported([("of floats", None)])
    first, last, pace = (b.cast(s, "i64").reg for s in (start, limit, step))
    length = node.attrs.get("length")
    size: Operand
    if isinstance(length, int):
        size = length
    elif _number(pace) == 1:
        span = b.subtract(Scalar(last, "i64"), Scalar(first, "i64")).reg if _number(first) != 0 else last
        size = code.op(f"call i64 @llvm.smax.i64(i64 {span}, i64 0)")
        known = code.range_of(span)
        if known is not None:
            code.ranges[size] = max(known[0], 0), max(known[1], 0)
    else:
        span = code.op(f"sub i64 {last}, {first}")
        code.require(code.op(f"icmp ne i64 {pace}, 0"), ctx.failure)
        down = code.op(f"icmp slt i64 {pace}, 0")
        nudge = code.choose(down, 1, -1)
        reach = code.op(f"add i64 {code.op(f'add i64 {span}, {pace}')}, {nudge}")
        count = code.op(f"sdiv i64 {reach}, {pace}")
        size = code.op(f"call i64 @llvm.smax.i64(i64 {count}, i64 0)")
    at = Affine(_number(first), (_number(pace),))
    ctx.defer(out, Map(lambda i: b.cast(i, kind), kind, (at,), 1), (size,), (), 1)


def _number(x: Operand) -> Operand:
    return int(x) if isinstance(x, str) and x.lstrip("-").isdigit() else x


@rule("linspace", fused=True)
def linspace(ctx: FunctionLowering, node: Node) -> None:
    """Evenly spaced numbers; the last one is the end itself."""
    b = ctx.ops
    out = node.outputs[0]
    kind, num = code_of(ctx.type(out).dtype), int(node.attrs["num"])
    kinds = [ctx.type(v) for v in node.inputs]
    if any(t.shape != () for t in kinds) or kind not in ("f32", "f64") or num < 1:
        raise Unsupported([("of arrays", None)])
    # NumPy computes in the type of the operands, Python's numbers being 64 bits wide
    wide = "f64" if any(t.weak or t.dtype.kind != "f" or t.dtype.size == 8 for t in kinds) else "f32"
    start, stop = (b.cast(ctx.scalar(v), wide) for v in node.inputs)
    last = Scalar(num - 1, "i64")
    span = b.subtract(stop, start)
    step = b.divide(span, b.cast(Scalar(max(num - 1, 1), "i64"), wide))
    exact = b.not_equal(step, b.const(0.0, step))  # where it is too small, NumPy divides first

    def fn(i: Scalar) -> Scalar:
        at = b.cast(i, wide)
        divided = b.multiply(b.divide(at, b.cast(Scalar(max(num - 1, 1), "i64"), wide)), span)
        x = b.add(b.select(exact, b.multiply(at, step), divided), start)
        return b.cast(b.select(b.equal(i, last), stop, x) if num > 1 else x, kind)

    ctx.defer(out, Map(fn, kind, (Affine(0, (1,)),), 8), (num,), (), 8)


@rule("eye_matrix", fused=True)
def eye_matrix(ctx: FunctionLowering, node: Node) -> None:
    """Ones on the diagonal."""
    b = ctx.ops
    code = code_of(ctx.type(node.outputs[0]).dtype)
    sizes = sizes_of(ctx, node.attrs["shape"], list(node.inputs))
    row, column = Affine(0, (1, 0)), Affine(0, (0, 1))
    ctx.defer(
        node.outputs[0], Map(lambda i, j: b.cast(b.equal(i, j), code), code, (row, column), 1), sizes, (), 1
    )


@rule("one_hot", fused=True)
def one_hot(ctx: FunctionLowering, node: Node) -> None:
    """A new axis along which one value stands where the index says, another elsewhere."""
    b, code = ctx.ops, ctx.code
    indices, on, off, *depth = node.inputs
    out = node.outputs[0]
    kind = code_of(ctx.type(out).dtype)
    t = ctx.type(indices)
    if t.dtype.kind not in "iub" or any(ctx.sizes(v) for v in (on, off)):
        raise Unsupported([("values that are no numbers", None)])
    have = ctx.sizes(indices)
    axis = node.attrs["axis"]
    axis = len(have) if axis == -1 else axis
    size: Operand = ctx.number(depth[0]) if depth else int(node.attrs["size"])
    if not isinstance(size, int):
        code.require(code.op(f"icmp sge i64 {size}, 0"), ctx.failure)
    sizes = (*have[:axis], size, *have[axis:])
    hit, miss = (b.cast(ctx.scalar(v), kind) for v in (on, off))
    place = Affine(0, tuple(int(i == axis) for i in range(len(sizes))))
    own: IndexMap = tuple((0, i + (i >= axis), 1) for i in range(len(have)))

    def fn(i: Scalar, k: Scalar) -> Scalar:
        return b.select(b.equal(b.cast(i, "i64"), k), hit, miss)

    ctx.defer(out, Map(fn, kind, (ctx.viewed(indices, own), place), 2), sizes, [indices], 2)


@rule("int_value", fused=True)
def int_value(ctx: FunctionLowering, node: Node) -> None:
    """An integer as a bare number."""
    ctx.define(node.outputs[0], Scalar(ctx.number(node.inputs[0]), "i64"))


@rule("dim_size", "num_elements", fused=True)
def dim_size(ctx: FunctionLowering, node: Node) -> None:
    """A size as a number."""
    sizes = ctx.sizes(node.inputs[0])
    n = ctx.code.product(sizes) if node.op.name == "num_elements" else sizes[node.attrs["axis"]]
    ctx.define(node.outputs[0], ctx.ops.cast(Scalar(n, "i64"), code_of(ctx.type(node.outputs[0]).dtype)))


@rule("shape_vector", fused=True)
def shape_vector(ctx: FunctionLowering, node: Node) -> None:
    """The sizes as a vector."""
    code = code_of(ctx.type(node.outputs[0]).dtype)
    sizes = ctx.sizes(node.inputs[0])
    target = ctx.allocate(code, (len(sizes),))
    ctx.memory.touch(target.buffers)
    for i, n in enumerate(sizes):
        store(ctx.code, target.ptr, i, ctx.ops.cast(Scalar(n, "i64"), code))
    ctx.define(node.outputs[0], ctx.dense(target))


_MANY = 8  # pieces that are moved by a loop
_LARGE = 4096  # bytes of a piece from which on it is a loop of its own


def _in_turn(ctx: FunctionLowering, node: Node, out: Array) -> bool:
    """Put many small arrays of the same size one after another, if they are such: by a loop over their addresses."""
    code = ctx.code
    count = code.product(ctx.sizes(node.inputs[0]))
    if len(node.inputs) < _MANY or not isinstance(count, int) or not 0 < count * SIZE[out.code] <= _LARGE:
        return False
    for value in node.inputs:
        rep = ctx.env[value]
        if not isinstance(rep, Deferred) or not rep.done or code.product(ctx.sizes(value)) != count:
            return False
        if rep.array is None or rep.array.code != out.code or not ctx.is_contiguous(rep.array):
            return False
    pieces = [ctx.array(value) for value in node.inputs]
    used = out.buffers.union(*(p.buffers for p in pieces))
    ctx.memory.touch(used)
    table = code.alloca(f"[{len(pieces)} x ptr]", "pieces")
    for k, piece in enumerate(pieces):
        source = piece.ptr
        if piece.offset != 0:
            source = code.op(f"getelementptr {MEMORY[out.code]}, ptr {source}, i64 {piece.offset}", "p")
        place = code.op(f"getelementptr ptr, ptr {table}, i64 {k}", "p") if k else table
        code.do(f"store ptr {source}, ptr {place}")
    size, align = count * SIZE[out.code], SIZE[out.code]
    with Flow(ctx, finished=True).loop(len(pieces)) as i:
        source = code.op(f"load ptr, ptr {code.op(f'getelementptr ptr, ptr {table}, i64 {i}', 'p')}")
        at = code.add(code.mul(i, count), out.offset)
        to = code.op(f"getelementptr {MEMORY[out.code]}, ptr {out.ptr}, i64 {at}", "p")
        given = f"ptr align {align} {to}, ptr align {align} {source}, i64 {size}"
        code.do(f"call void @llvm.memcpy.p0.p0.i64({given}, i1 false)")
    ctx.memory.touch(used)
    return True


@rule("concatenate", "stack_arrays")
def concatenate(ctx: FunctionLowering, node: Node) -> None:
    """Arrays one after another along an axis, or along a new one."""
    code = code_of(ctx.type(node.outputs[0]).dtype)
    stacked = node.op.name == "stack_arrays"
    shapes = [ctx.sizes(v) for v in node.inputs]
    rank = len(shapes[0]) + stacked
    axis = normalize_axis(node.attrs["axis"], rank)
    if stacked:
        shapes = [(*s[:axis], 1, *s[axis:]) for s in shapes]
    total: Operand = 0
    for s in shapes:
        total = ctx.code.add(total, s[axis])
        for i, (n, m) in enumerate(zip(s, shapes[0], strict=True)):
            if i != axis and n != m:
                if isinstance(n, int) and isinstance(m, int):
                    raise Unsupported([("shapes that do not fit", None)])
                ctx.code.require(ctx.code.op(f"icmp eq i64 {n}, {m}"), ctx.failure)
    out = ctx.allocate(code, (*shapes[0][:axis], total, *shapes[0][axis + 1 :]))
    if all(n == 1 for n in shapes[0][:axis]) and _in_turn(ctx, node, out):
        ctx.define(node.outputs[0], ctx.dense(out))
        return
    at: Operand = 0
    for value, s in zip(node.inputs, shapes, strict=True):
        weak = ctx.type(value).weak
        expr = Const(ctx.narrowed(ctx.scalar(value), code, weak)) if not ctx.sizes(value) else ctx.expr(value)
        part = Array(out.ptr, code, s, out.strides, out.buffers, ctx.code.mul(at, out.strides[axis]))
        if stacked and ctx.sizes(value):
            expr = ctx.viewed(value, tuple((0, i + (i >= axis), 1) for i in range(rank - 1)))
        ctx.fill(part, expr)
        at = ctx.code.add(at, s[axis])
    ctx.define(node.outputs[0], ctx.dense(out))


@rule("contiguous")
def contiguous(ctx: FunctionLowering, node: Node) -> None:
    """The elements row by row in memory."""
    ctx.define(node.outputs[0], ctx.dense(ctx.contiguous(node.inputs[0])))
