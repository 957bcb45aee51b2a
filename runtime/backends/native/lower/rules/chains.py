"""Products of many pairs of matrices, and what is done with their results, one pair after the other.

`softmax(q @ k) @ v` for every head: what one operation makes of a head is in the cache when the next one reads it, and what
nobody else reads is in memory for as many heads as there are threads. The operations of a pair are lowered as a graph of
their own, in which the leading axes have one element, and threads share the pairs.
"""

from __future__ import annotations

from itertools import islice
from math import prod
from typing import Any, NamedTuple

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.gemm import tile
from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Deferred, Load
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.memory import Array, Buffer
from runtime.backends.native.lower.rules.kernels import LEAST, pointer, transposed
from runtime.backends.native.lower.scalars import Scalar
from runtime.backends.native.lower.types import LLVM, SIZE, code_of
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.kinds import Elementwise, normalize_axes
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import TensorType

__all__ = ["by_pairs"]

FEWEST = 4  # pairs, which threads share
PAYS = 1 << 20  # bytes of what is made and read again, from which on it would leave the cache
AHEAD = 200  # nodes that are looked at

_PLAIN = {"where", "cast", "identity", "stop_gradient"}
_ROWS = {"softmax", "softmax_grad", "log_softmax", "log_softmax_grad"}
_REDUCED = {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_logsumexp", "reduce_euclidean_norm"}
_MOVED = {"constant", "transpose", "reshape", "expand_dims", "squeeze", "broadcast_to", "cast", "matmul"}


class _Chain(NamedTuple):
    """Operations on pairs: in order, and what of theirs others read."""

    lead: tuple[int, ...]
    nodes: list[Node]
    before: list[Node]  # what they need that stands behind the first
    made: list[Value]


def by_pairs(ctx: FunctionLowering, node: Node) -> bool:
    """Lower a batch of products with what follows it, pair by pair, where that is likely to be faster."""
    chain = _found(ctx, node)
    if chain is None:
        return False
    first = ctx.uses.order[node]
    for other in chain.before:
        ctx.uses.order[other] = first  # what stands between is still to come
        ctx.node(other)
        ctx.absorbed.add(other)
    ctx.current = node
    try:
        _Pairs(ctx, chain).write()
    except Unsupported:
        return False
    for other in chain.nodes[1:]:
        ctx.absorbed.add(other)
        for value in dict.fromkeys(other.inputs):
            rep = ctx.env.get(value)
            if isinstance(rep, Deferred):
                ctx.release(rep)
    return True


def _found(ctx: FunctionLowering, node: Node) -> _Chain | None:
    """The operations that follow a batch of products, pair by pair."""
    t = node.outputs[0].type
    if not isinstance(t, TensorType) or not is_static(t.shape) or len(t.shape or ()) < 3:
        return None
    lead: tuple[int, ...] = tuple(t.shape or ())[:-2]  # type: ignore[assignment]
    if prod(lead) < FEWEST or not _is_product(node, lead):
        return None
    nodes, inside = [node], set(node.outputs)
    later: dict[Value, Node] = {}  # what stands behind the first and does not depend on it
    for other in islice(ctx.uses.order, ctx.uses.order[node] + 1, ctx.uses.order[node] + AHEAD):
        if other is None or other in ctx.absorbed:
            continue
        known = all(v in inside or v in ctx.env or v in later for v in other.inputs)
        if known and inside.intersection(other.inputs):
            if _joins(ctx, other, lead, inside) and not _would_be_made(ctx, other, inside, later):
                nodes.append(other)
                inside.update(other.outputs)
        elif known and not other.regions and (other.op.name in _MOVED or _is_elementwise(ctx, other)):
            later.update(dict.fromkeys(other.outputs, other))
    among = set(nodes)
    made = [v for n in nodes for v in n.outputs if _is_seen(ctx, v, among)]
    again = [v for v in inside if any(v in n.inputs for n in nodes)]
    if sum(prod(_shape(v)) * SIZE[code_of(v.tensor_type.dtype)] for v in again) < PAYS:
        return None
    needed: dict[Node, None] = {}
    todo = [v for n in nodes for v in n.inputs]
    while todo:
        producer = later.get(todo.pop())
        if producer is not None:
            needed[producer] = None
            todo += producer.inputs
    return _Chain(lead, nodes, sorted(needed, key=ctx.uses.order.__getitem__), made)


def _is_seen(ctx: FunctionLowering, value: Value, among: set[Node]) -> bool:
    """Whether others than some nodes read a value."""
    return ctx.uses.count.get(value, 0) > sum(value in n.inputs for n in among)


def _shape(value: Value) -> tuple[int, ...]:
    return tuple(value.tensor_type.shape or ())  # type: ignore[arg-type]


def _is_elementwise(ctx: FunctionLowering, node: Node) -> bool:
    return (isinstance(node.op, Elementwise) and ctx.is_fused(node)) or node.op.name in _PLAIN


def _is_product(node: Node, lead: tuple[int, ...]) -> bool:
    """Whether a product is one of pairs, each large enough for our kernels."""
    types = [v.type for v in (*node.inputs, *node.outputs)]
    if node.op.name != "matmul" or not all(isinstance(t, TensorType) and is_static(t.shape) for t in types):
        return False
    a, b, c = (v.tensor_type for v in (*node.inputs, *node.outputs))
    if not (a.dtype == b.dtype == c.dtype) or c.dtype.kind != "f" or len(b.shape or ()) < 3 or len(a.shape or ()) < 3:
        return False
    if tile(code_of(c.dtype)) is None or prod(_shape(node.inputs[1])[:-2]) != prod(lead):
        return False  # one matrix for all: that is one product
    inner = _shape(node.inputs[0])[-2 if node.attrs.get("transpose_a") else -1]
    rows, columns = _shape(node.outputs[0])[-2:]
    return min(rows, columns) > 1 and rows * inner * columns >= LEAST


def _joins(ctx: FunctionLowering, node: Node, lead: tuple[int, ...], inside: set[Value]) -> bool:
    """Whether a node makes of matrices, pair by pair, matrices again."""
    if node.regions or len(node.outputs) != 1:
        return False
    rank = len(lead) + 2
    for value in (*node.inputs, *node.outputs):
        t = value.type
        if not isinstance(t, TensorType) or not is_static(t.shape) or t.dtype.kind not in "fiub":
            return False
        own = _shape(value)[:-2] if value in inside or value is node.outputs[0] else ()
        if (own and own != lead) or len(_shape(value)) > rank:
            return False
        if value is node.outputs[0] and _shape(value)[:-2] != lead:
            return False
        offset = rank - len(_shape(value))
        if any(n not in (1, lead[i + offset]) for i, n in enumerate(_shape(value)[: max(len(lead) - offset, 0)])):
            return False
    name = node.op.name
    if name == "matmul":
        return _is_product(node, lead)
    if _is_elementwise(ctx, node):
        return True
    if name not in _ROWS | _REDUCED or (name in _REDUCED and not node.attrs.get("keepdims")):
        return False
    axes = normalize_axes(node.attrs["axis"], rank)
    return all(axis >= len(lead) for axis in axes)


def _would_be_made(ctx: FunctionLowering, node: Node, inside: set[Value], later: dict[Value, Node]) -> bool:
    """Whether much would have to be brought into memory for a node that otherwise is made where it is read."""
    size = prod(_shape(node.outputs[0]))
    for value in node.inputs:
        if value in inside or 4 * prod(_shape(value)) <= size or node.op.name == "matmul":
            continue
        rep = ctx.env.get(value)
        if value in later or (isinstance(rep, Deferred) and ctx.view_of_memory(rep) is None):
            return True
    return False


class _Pairs:
    """Writes the function of the pairs, and the call."""

    def __init__(self, ctx: FunctionLowering, chain: _Chain) -> None:
        self.ctx = ctx
        self.chain = chain
        self.inner = FunctionLowering(ctx.module, ctx.functions)
        self.inner.strict = True
        self.given: list[tuple[Operand, str]] = []  # what the function takes: outside, and of which type
        self.used: frozenset[Buffer] = frozenset()

    def write(self) -> None:
        """All of it."""
        ctx, inner, chain = self.ctx, self.inner, self.chain
        graph, outside, outputs = self._graph()
        sources = [self._source(value) for value in outside]
        first = len(self.given)
        targets = [self._target(value) for value in chain.made]
        status = ctx.code.alloca("i64", "failed")
        given_status = self._take(status, "ptr")
        code = inner.code
        code.block = "start"
        with code.counted("%lo", "%hi") as i:
            reps = [self._seen(rep, value, i) for rep, value in zip(sources, graph.inputs, strict=True)]
            arrays = [self._seen(rep, value, i) for rep, value in zip(targets, outputs, strict=True)]
            for value, d in zip(outputs, arrays, strict=True):
                inner.outs[value] = lambda kind, sizes, made=d.array: made  # type: ignore[misc]
            inner.region(graph, reps)
            for value, d in zip(outputs, arrays, strict=True):
                self._deliver(value, d.array)
        name = self._function(given_status)
        for k, value in enumerate(chain.made, first):  # nothing may be refused from here on
            self.given[k] = self._memory(value), "ptr"
        self._call(status, name)

    def _take(self, operand: Operand, kind: str) -> str:
        """What something outside is called in the function."""
        name = f"%given{len(self.given)}"
        self.given.append((operand, kind))
        self.inner.code.promised[name] = kind
        return name

    def _graph(self) -> tuple[Graph, list[Value], list[Value]]:
        """The operations of one pair: a graph, what its inputs and its outputs are outside, and within."""
        graph = Graph("pair", self.ctx.functions)
        own: dict[Value, Value] = {}
        outside: list[Value] = []
        for node in self.chain.nodes:
            for value in node.inputs:
                if value not in own:
                    own[value] = graph.add_input(self._single(value))
                    outside.append(value)
            types = tuple(self._single(v) for v in node.outputs)
            made = graph.add_node(node.op, [own[v] for v in node.inputs], node.attrs, types, (), node.location)
            own.update(zip(node.outputs, made.outputs, strict=True))
        graph.outputs = [own[v] for v in self.chain.made]
        return graph, outside, graph.outputs

    def _single(self, value: Value) -> TensorType:
        """The type of a pair's part of a value."""
        t, shape = value.tensor_type, _shape(value)
        leading = max(len(shape) - 2, 0)
        return t.with_shape((1,) * leading + shape[leading:])

    def _source(self, value: Value) -> Scalar | Array:
        """What comes from outside: a number, or memory whose address the function takes."""
        rep = self.ctx.env[value]
        if isinstance(rep, Scalar) or not _shape(value):
            number = self.ctx.scalar(value)
            if not str(number.reg).startswith("%"):
                return number
            return Scalar(self._take(number.reg, LLVM[number.code]), number.code)
        return self._address(self.ctx.array(value))

    def _target(self, value: Value) -> Array:
        """What others read, whose memory is made later."""
        kind, shape, order = code_of(value.tensor_type.dtype), _shape(value), self._order(value)
        steps = self.ctx.code.strides(tuple(shape[axis] for axis in order))
        strides = tuple(steps[order.index(axis)] for axis in range(len(order)))
        name = self._take("", "ptr")
        return Array(name, kind, shape, strides, frozenset((Buffer(name, None),)))

    def _order(self, value: Value) -> tuple[int, ...]:
        """How the axes of what others read lie in memory."""
        read = transposed(self.ctx, value) if value.node is not None and value.node.op.name == "matmul" else None
        return read or tuple(range(len(_shape(value))))

    def _memory(self, value: Value) -> str:
        """The address of memory for what others read."""
        ctx, kind, shape, order = self.ctx, code_of(value.tensor_type.dtype), _shape(value), self._order(value)
        plain = order == tuple(range(len(order)))
        made = ctx.allocate(kind, tuple(shape[axis] for axis in order), value if plain else None)
        strides = tuple(made.strides[order.index(axis)] for axis in range(len(order)))
        ctx.define(value, ctx.dense(Array(made.ptr, kind, shape, strides, made.buffers, made.offset)))
        self.used |= made.buffers
        return pointer(ctx, made.ptr, kind, made.offset)

    def _address(self, array: Array) -> Array:
        if not all(isinstance(n, int) for n in (*array.sizes, *array.strides)):
            raise Unsupported([("sizes that only the run knows", None)])
        self.used |= array.buffers
        name = self._take(pointer(self.ctx, array.ptr, array.code, array.offset), "ptr")
        return Array(name, array.code, array.sizes, array.strides, frozenset((Buffer(name, None),)))

    def _seen(self, rep: Scalar | Array, value: Value, i: Operand) -> Any:
        """What a pair sees of a value."""
        if isinstance(rep, Scalar):
            return rep
        code, lead = self.inner.code, self.chain.lead
        offset, rest = rep.offset, i
        leading = max(len(rep.sizes) - 2, 0)
        for axis in reversed(range(len(lead))):
            where = code.op(f"urem i64 {rest}, {lead[axis]}") if axis else rest
            if axis:
                rest = code.op(f"udiv i64 {rest}, {lead[axis]}")
            own = axis - len(lead) + leading
            if own >= 0 and rep.sizes[own] != 1:
                offset = code.add(offset, code.mul(where, rep.strides[own]))
        ptr = pointer(self.inner, rep.ptr, rep.code, offset)
        sizes = _shape(value)
        return self.inner.dense(Array(ptr, rep.code, sizes, rep.strides, rep.buffers))

    def _deliver(self, value: Value, target: Array | None) -> None:
        """An output is where it belongs."""
        inner = self.inner
        assert target is not None
        made = inner.array(value)
        if made.ptr != target.ptr:
            inner.fill(target, Load(made.ptr, made.code, made.offset, made.strides, made.buffers))

    def _function(self, status: str) -> str:
        """The function of the pairs from %lo to before %hi; its name."""
        inner, module = self.inner, self.ctx.module
        code = inner.code
        code.jump("cleanup")
        code.begin(inner.failure)
        code.do(f"store i64 1, ptr {status}")
        code.jump("cleanup")
        code.begin("cleanup")
        for slot in inner.slots:
            code.do(f"call void @ag_drop(ptr {slot})")
        inner.memory.lay_out()
        frame = inner.memory.frame
        code.do("call void @ag_give(ptr %frame)")
        code.do("ret void")
        body = [*code.prologue, *inner.memory.definitions(), *code.lines]
        known = {f"%given{k}" for k in range(len(self.given))} | {"%frame"}
        if {register for register, _ in code.outlined(body)} - known:
            raise Unsupported([("what only the whole function has", None)])
        name = f"@pairs{len(module.functions)}"
        lines = [f"define internal void {name}(ptr %context, i64 %lo, i64 %hi) {{", "entry:"]
        for k, (_, kind) in enumerate(self.given):
            lines.append(f"  %context{k} = getelementptr i64, ptr %context, i64 {k}")
            lines.append(f"  %given{k} = load {kind}, ptr %context{k}")
        lines += [
            *code.prologue,
            f"  %frame = call ptr @ag_take(i64 {max(frame, 1)})",
            *inner.memory.definitions(),
            "  %none = icmp eq ptr %frame, null",
            f"  br i1 %none, label %{inner.failure}, label %start, !prof !1",
            "start:",
            *code.lines,
            "}",
        ]
        module.functions.append("\n".join(lines))
        return name

    def _call(self, status: str, name: str) -> None:
        """Call it for all pairs."""
        ctx, code = self.ctx, self.ctx.code
        ctx.big = True
        ctx.module.threads()
        ctx.memory.touch(self.used)
        code.do(f"store i64 0, ptr {status}")
        context = code.alloca(f"[{len(self.given)} x i64]", "context")
        for k, (operand, kind) in enumerate(self.given):
            place = code.op(f"getelementptr i64, ptr {context}, i64 {k}")
            code.do(f"store {kind} {operand}, ptr {place}")
        code.do(f"call void @ag_parallel(ptr {name}, ptr {context}, i64 {prod(self.chain.lead)}, i64 1)")
        ctx.memory.touch(self.used)
        failed = code.op(f"load i64, ptr {status}")
        code.require(code.op(f"icmp eq i64 {failed}, 0"), ctx.failure)
