"""Algebraic rules that are exact for the dtype at hand, bit for bit; no sum or product is reassociated. (But BLAS may round
a part of a matrix product otherwise than the whole.)

    add(x, 0) -> x              integers; of floats only add(x, -0.0) and sub(x, 0.0), which keep the sign of zero
    mul(x, 1), div(x, 1) -> x   not of complex numbers
    mul(x, 0) -> 0              integers
    neg(neg(x)) -> x            pow(x, 2) -> square(x)
    logical_not(equal(a, b)) -> not_equal(a, b)     orders (less ...) only where no NaN can be
    sum_to_like(dy, x) -> reduce_sum(dy, axis), broadcast_like(x, y) -> broadcast_to(x, shape)     of known shapes
    where(c, a, 0) + where(c, b, 0) -> where(c, a + b, 0)       x * broadcast(s) -> x * s, for scalars s
    where(c, x, zeros(shape)) -> where(c, x, 0)             where x has the result's shape
    x + index_grad(dy, y, i) -> index_add(x, dy, i)             transpose(a) @ b -> matmul(a, b, transpose_a=True)
    count_along(x) -> the number of elements               of known shapes
    list_pop(list_append(x, y), -1) -> x, y
    matmul(a, b)[i:j, k:l] -> matmul(a[i:j], b[:, k:l]), where nothing else uses the product
    transpose(transpose(x)), reshape(reshape(x)), cast to the same dtype, broadcasts and sums to the same shape

A rule is a function of the node: the value that takes its place, or None. It applies where the result has the very type
of what it replaces.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import surely_broadcast
from runtime.ops.kinds import normalize_axes
from runtime.ops.registry import get
from runtime.passes.rewrite import UNKNOWN, constant_node, constant_of, graphs, is_scalar, may_stand_for
from runtime.typesys.shapes import is_static, same_size
from runtime.typesys.spec import TensorType

__all__ = ["simplify"]


def simplify(graph: Graph) -> Graph:
    """`mul(x, 1)` -> `x`, `neg(neg(x))` -> `x`, `logical_not(equal(a, b))` -> `not_equal(a, b)`."""
    for each in graphs(graph):
        _simplify(each)
    return graph


def _simplify(graph: Graph) -> None:
    table: dict[Value, Value] = {}
    nodes: list[Node] = []
    rewriter = Rewriter(graph, nodes, Counter(v for n in graph.nodes for v in n.inputs))
    for node in graph.nodes:
        node.inputs = [table.get(v, v) for v in node.inputs]
        for region in node.regions:
            _simplify(region)
        put = _put_before(node)
        if put is not None:
            table.update(zip(node.outputs, put, strict=True))
            continue
        value = rewriter.simpler(node)
        if value is None:
            nodes.append(node)
            continue
        old = node.outputs[0]
        if value.node is not None and value.name is None:
            value.name = old.name
        table[old] = value
    graph.nodes = nodes
    graph.outputs = [table.get(v, v) for v in graph.outputs]


def _put_before(node: Node) -> list[Value] | None:
    """The list and the element that an append put behind it, where this node takes it off again."""
    append = node.inputs[0].node if node.op.name == "list_pop" else None
    if append is None or append.op.name != "list_append" or constant_of(node.inputs[1]) != -1:
        return None
    return append.inputs if all(map(may_stand_for, append.inputs, node.outputs)) else None


Rule: TypeAlias = Callable[["Rewriter", Node], Value | None]


class Rewriter:
    """Applies rules; new nodes go before the one being replaced."""

    def __init__(self, graph: Graph, nodes: list[Node], uses: Counter[Value]) -> None:
        self.graph = graph
        self.nodes = nodes
        self.uses = uses

    def simpler(self, node: Node) -> Value | None:
        """What may take the place of a node's one output, after as many rules as apply."""
        for rule in RULES.get(node.op.name, ()):
            mark = len(self.nodes)
            value = rule(self, node)
            if value is None:
                continue
            if may_stand_for(value, node.outputs[0]):
                return value
            del self.nodes[mark:]
        return None

    def emit(self, name: str, inputs: list[Value], node: Node, **attrs: Any) -> Value:
        """A new node that computes what `node` does, simplified itself, at its place."""
        made = Node(get(name), inputs, attrs, (node.outputs[0].type,), self.graph, (), node.location)
        value = self.simpler(made)
        if value is not None:
            return value
        self.nodes.append(made)
        return made.outputs[0]

    def constant(self, payload: Any, type: TensorType, node: Node) -> Value:
        made = constant_node(self.graph, payload, type, node.location)
        self.nodes.append(made)
        return made.outputs[0]


def _number(value: Value) -> Any:
    """The number of a scalar constant, as Python's, else UNKNOWN."""
    payload = constant_of(value)
    if payload is UNKNOWN or np.ndim(payload):
        return UNKNOWN
    return payload.item() if isinstance(payload, (np.ndarray, np.generic)) else payload


def _is(value: Value, number: Any) -> bool:
    """Whether a value is this number; the sign of zero counts."""
    found = _number(value)
    if not isinstance(found, (bool, int, float)):
        return False
    return found == number and (number != 0 or np.signbit(found) == np.signbit(number))


def _kind(value: Value) -> str:
    return value.type.dtype.kind if isinstance(value.type, TensorType) else "O"


def _made_by(value: Value, name: str) -> Node | None:
    return value.node if value.node is not None and value.node.op.name == name else None


def _same_shape(a: Value, b: Value) -> bool:
    s, t = a.tensor_type.shape, b.tensor_type.shape
    return s is not None and t is not None and len(s) == len(t) and all(map(same_size, s, t))


def _add_zero(_: Rewriter, node: Node) -> Value | None:
    for x, zero in (node.inputs, node.inputs[::-1]):
        if _kind(x) in "iu" and _kind(zero) in "biu" and _number(zero) is not UNKNOWN and _number(zero) == 0:
            return x
        if _kind(x) == "f" and _is(zero, -0.0):
            return x
    return None


def _sub_zero(_: Rewriter, node: Node) -> Value | None:
    x, zero = node.inputs
    if _kind(x) in "iu" and _kind(zero) in "biu" and _number(zero) is not UNKNOWN and _number(zero) == 0:
        return x
    return x if _kind(x) == "f" and (_is(zero, 0.0) or _is(zero, 0)) else None


def _mul_one(_: Rewriter, node: Node) -> Value | None:
    for x, one in (node.inputs, node.inputs[::-1]):
        if _kind(x) in "iuf" and _is(one, 1):
            return x
    return None


def _mul_zero(r: Rewriter, node: Node) -> Value | None:
    kind = node.outputs[0].tensor_type
    if kind.dtype.kind not in "iu" or not is_static(kind.shape):
        return None
    for value in node.inputs:
        if _is(value, 0) and kind.shape == ():
            return r.constant(0 if kind.weak else kind.dtype.dtype.type(0), kind, node)
    return None


def _div_one(_: Rewriter, node: Node) -> Value | None:
    return node.inputs[0] if _kind(node.inputs[0]) == "f" and _is(node.inputs[1], 1) else None


def _floordiv_one(_: Rewriter, node: Node) -> Value | None:
    return node.inputs[0] if _kind(node.inputs[0]) in "iu" and _is(node.inputs[1], 1) else None


def _power(r: Rewriter, node: Node) -> Value | None:
    x, exponent = node.inputs
    if _kind(x) in "iuf" and _is(exponent, 1):
        return x
    if _is(exponent, 2) and (_kind(x) in "iu" or (_kind(x) == "f" and not x.tensor_type.weak)):
        return r.emit("square", [x], node)
    return None


def _twice(name: str) -> Rule:
    """f(f(x)) -> x"""

    def rule(_: Rewriter, node: Node) -> Value | None:
        inner = _made_by(node.inputs[0], name)
        return None if inner is None else inner.inputs[0]

    return rule


def _again(name: str) -> Rule:
    """f(f(x)) -> f(x)"""
    return lambda r, node: node.inputs[0] if _made_by(node.inputs[0], name) is not None else None


def _both_same(_: Rewriter, node: Node) -> Value | None:
    """maximum(x, x) -> x"""
    return node.inputs[0] if node.inputs[0] is node.inputs[1] else None


def _sub_self(r: Rewriter, node: Node) -> Value | None:
    kind = node.outputs[0].tensor_type
    if node.inputs[0] is node.inputs[1] and kind.dtype.kind in "iu" and kind.shape == ():
        return r.constant(0 if kind.weak else kind.dtype.dtype.type(0), kind, node)
    return None


_OPPOSITE = {
    "equal": "not_equal", "not_equal": "equal",
    "less": "greater_equal", "greater_equal": "less", "greater": "less_equal", "less_equal": "greater",
}  # fmt: skip


def _not_compare(r: Rewriter, node: Node) -> Value | None:
    inner = node.inputs[0].node
    if inner is None or inner.op.name not in _OPPOSITE or r.uses[node.inputs[0]] > 1:
        return None  # where the comparison is needed as well, its negation is the cheaper of two
    ordered = inner.op.name not in ("equal", "not_equal")
    if ordered and any(_kind(v) not in "biu" for v in inner.inputs):
        return None
    return r.emit(_OPPOSITE[inner.op.name], inner.inputs, node)


def _and_true(_: Rewriter, node: Node) -> Value | None:
    return _logical(node, True)


def _or_false(_: Rewriter, node: Node) -> Value | None:
    return _logical(node, False)


def _logical(node: Node, neutral: bool) -> Value | None:
    for x, other in (node.inputs, node.inputs[::-1]):
        number = _number(other)
        if _kind(x) == "b" and isinstance(number, bool) and number is neutral:
            return x
        if isinstance(number, bool) and number is not neutral and is_scalar(x) and _kind(x) == "b":
            return other
    return node.inputs[0] if node.inputs[0] is node.inputs[1] and _kind(node.inputs[0]) == "b" else None


def _add_chosen(r: Rewriter, node: Node) -> Value | None:
    """where(c, a, 0) + where(c, b, 0) -> where(c, a + b, 0): where c is false both give 0, and 0 + 0 is 0"""
    chosen = [_made_by(v, "where") for v in node.inputs]
    a, b = chosen
    if a is None or b is None or a.inputs[0] is not b.inputs[0] or any(r.uses[v] > 1 for v in node.inputs):
        return None
    for each in (a, b):
        if not _is(each.inputs[2], 0.0) and not _is(each.inputs[2], 0):
            return None
        if not _same_shape(each.inputs[1], node.outputs[0]) or each.inputs[1].tensor_type.weak:
            return None
    if a.inputs[1].type != b.inputs[1].type or a.inputs[1].tensor_type.dtype != node.outputs[0].tensor_type.dtype:
        return None
    total = r.emit("add", [a.inputs[1], b.inputs[1]], node)
    return r.emit("where", [a.inputs[0], total, a.inputs[2]], node)


def _add_at(r: Rewriter, node: Node) -> Value | None:
    """x + index_grad(dy, like, i) -> index_add(x, dy, i), which writes one place of x instead of making zeros"""
    for value, x in (node.inputs, node.inputs[::-1]):
        made = _made_by(value, "index_grad") or _made_by(value, "gather_grad")
        if made is None or r.uses[value] > 1 or x.type != node.outputs[0].type or not _same_shape(x, value):
            continue
        if made.inputs[0].tensor_type.weak or made.inputs[0].tensor_type.dtype != x.tensor_type.dtype:
            continue
        dy, _, *parts = made.inputs
        if made.op.name == "gather_grad" and made.attrs["axis"] != 0:
            continue
        spec = made.attrs.get("spec", ("?",))
        return r.emit("index_add", [x, dy, *parts], node, spec=spec)
    return None


def _turned_operand(r: Rewriter, node: Node) -> Value | None:
    """transpose(a) @ b -> matmul(a, b, transpose_a=True)"""
    for k, (value, flag) in enumerate(zip(node.inputs, ("transpose_a", "transpose_b"), strict=True)):
        made = _made_by(value, "transpose")
        perm = None if made is None else _permutation(made)
        if made is None or perm is None or len(perm) < 2:
            continue
        n = len(perm)
        if perm != (*range(n - 2), n - 1, n - 2):
            continue
        inputs = list(node.inputs)
        inputs[k] = made.inputs[0]
        attrs = {name: v for name, v in node.attrs.items() if name != flag}
        if not node.attrs.get(flag):
            attrs[flag] = True
        return r.emit("matmul", inputs, node, **attrs)
    return None


_ALL = (None, None, None)  # of an index: a whole axis


def _part_of_product(r: Rewriter, node: Node) -> Value | None:
    """matmul(a, b)[i:j, k:l] -> matmul(a[i:j], b[:, k:l]): what is cut off is not multiplied"""
    made, spec = _made_by(node.inputs[0], "matmul"), node.attrs["spec"]
    if made is None or len(node.inputs) != 1 or r.uses[node.inputs[0]] > 1 or len(spec) > 2:
        return None
    if not all(isinstance(e, tuple) and e[2] in (None, 1) and "?" not in e for e in spec) or all(e == _ALL for e in spec):
        return None
    if not all(v.tensor_type.rank == 2 and is_static(v.tensor_type.shape) for v in (*made.inputs, *node.outputs)):
        return None
    inputs = []
    for k, (value, flag) in enumerate(zip(made.inputs, ("transpose_a", "transpose_b"), strict=True)):
        part = spec[k] if k < len(spec) else _ALL
        axis = 1 - k if made.attrs.get(flag) else k
        inputs.append(value if part == _ALL else r.emit("index", [value], node, spec=(_ALL,) * axis + (part,)))
    return r.emit("matmul", inputs, node, **made.attrs)


def _bare_operand(r: Rewriter, node: Node) -> Value | None:
    """x * broadcast(s) -> x * s, for a scalar s and an x of the result's shape"""
    for k, value in enumerate(node.inputs):
        made = _made_by(value, "broadcast_like") or _made_by(value, "broadcast_to")
        other = node.inputs[1 - k]
        if made is None or not is_scalar(made.inputs[0]) or made.inputs[0].tensor_type.weak:
            continue
        if made.inputs[0].tensor_type.dtype != value.tensor_type.dtype or not _same_shape(other, node.outputs[0]):
            continue
        if not surely_broadcast(value.tensor_type.shape, other.tensor_type.shape):
            continue
        inputs = list(node.inputs)
        inputs[k] = made.inputs[0]
        return r.emit(node.op.name, inputs, node, **node.attrs)
    return None


def _same_cast(_: Rewriter, node: Node) -> Value | None:
    return node.inputs[0] if node.inputs[0].type == node.outputs[0].type else None


def _first(_: Rewriter, node: Node) -> Value | None:
    return node.inputs[0]


def _to_same_shape(_: Rewriter, node: Node) -> Value | None:
    """Broadcast to, or sum to, the shape it has."""
    x, y = node.inputs[0], node.outputs[0]
    tensors = isinstance(x.type, TensorType) and isinstance(y.type, TensorType)
    return x if tensors and _same_shape(x, y) else None


def _sum_axes(r: Rewriter, node: Node) -> Value | None:
    """sum_to_like(dy, x) -> reduce_sum(dy, axis): where the shapes say which axes."""
    have, want = node.inputs[0].tensor_type, node.inputs[1].tensor_type.shape
    if not have.dtype.is_inexact or have.shape is None or want is None or not is_static(have.shape) or not is_static(want):
        return None
    lead = len(have.shape) - len(want)
    inner = tuple(lead + i for i, size in enumerate(want) if size == 1 and have.shape[lead + i] != 1)
    if lead and inner:
        return None
    axes = inner or tuple(range(lead))
    axis = axes[0] if len(axes) == 1 else axes
    return r.emit("reduce_sum", [node.inputs[0]], node, axis=axis, keepdims=not lead)


def _broadcast_shape(r: Rewriter, node: Node) -> Value | None:
    """broadcast_like(x, y) -> broadcast_to(x, shape): where the shape is known, so that y need not be kept."""
    shape = node.inputs[1].tensor_type.shape
    return r.emit("broadcast_to", [node.inputs[0]], node, shape=shape) if shape is not None and is_static(shape) else None


def _counted(r: Rewriter, node: Node) -> Value | None:
    """count_along(x, axis) -> a number, where the sizes are known."""
    shape, axis = node.inputs[0].tensor_type.shape, node.attrs["axis"]
    if shape is None:
        return None
    sizes = [shape[a] for a in normalize_axes(axis, len(shape))]
    if not is_static(tuple(sizes)):
        return None
    return r.constant(math.prod(sizes), node.outputs[0].tensor_type, node)  # type: ignore[arg-type]


def _reshape(r: Rewriter, node: Node) -> Value | None:
    same = _to_same_shape(r, node)
    if same is not None:
        return same
    inner = _made_by(node.inputs[0], node.op.name) or _made_by(node.inputs[0], "reshape_like")
    if inner is None or len(node.inputs) != 1 or node.op.name != "reshape" or inner.inputs[0].tensor_type.weak:
        return None
    return r.emit("reshape", [inner.inputs[0]], node, **node.attrs)


def _transpose(r: Rewriter, node: Node) -> Value | None:
    perm = _permutation(node)
    if perm is None:
        return None
    if perm == tuple(range(len(perm))):
        return node.inputs[0]
    inner = _made_by(node.inputs[0], "transpose")
    first = None if inner is None else _permutation(inner)
    if inner is None or first is None:
        return None
    return r.emit("transpose", [inner.inputs[0]], node, perm=tuple(first[p] for p in perm))


def _permutation(node: Node) -> tuple[int, ...] | None:
    perm, rank = node.attrs.get("perm"), node.inputs[0].tensor_type.rank
    if perm is not None:
        return tuple(perm)
    return None if rank is None else tuple(range(rank))[::-1]


def _where(_: Rewriter, node: Node) -> Value | None:
    """where(c, x, x) -> x; where(True, x, y) -> x"""
    condition, x, y = node.inputs
    number = _number(condition)
    if isinstance(number, bool):
        chosen = x if number else y
        return chosen if _same_shape(chosen, node.outputs[0]) else None
    return x if x is y and _same_shape(x, node.outputs[0]) else None


FOLDED = 4096  # elements of a constant that somebody may have folded
_BARE = {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}


def _bare_choice(r: Rewriter, node: Node) -> Value | None:
    """where(c, x, zeros(shape)) -> where(c, x, 0), for an x of the result's shape: nobody makes the zeros"""
    out = node.outputs[0].tensor_type
    for k, other in ((1, node.inputs[2]), (2, node.inputs[1])):
        filled = _filled_with(node.inputs[k])
        if filled is None or node.inputs[k].tensor_type.dtype != out.dtype or out.dtype.kind not in _BARE:
            continue
        if other.tensor_type.weak or other.tensor_type.dtype != out.dtype or not _same_shape(other, node.outputs[0]):
            continue
        if not surely_broadcast(node.inputs[k].tensor_type.shape, out.shape):
            continue
        payload = {"b": bool, "f": float}.get(out.dtype.kind, int)(filled)
        inputs = list(node.inputs)
        inputs[k] = r.constant(payload, TensorType(_BARE[out.dtype.kind], (), weak=True), node)
        return r.emit("where", inputs, node)
    return None


def _filled_with(value: Value) -> Any:
    """The number that all elements of an array are made to be; None where it is not known."""
    node = value.node
    if node is None:
        return None
    if node.op.name in ("zeros", "ones"):
        return int(node.op.name == "ones")
    if node.op.name == "full_like":
        return node.attrs["value"]
    known = _number(node.inputs[0]) if node.op.name == "fill" else UNKNOWN
    payload = constant_of(value)
    if isinstance(payload, np.ndarray) and 0 < payload.size <= FOLDED and payload.dtype.kind in "biuf":
        first = payload.flat[0]
        known = first.item() if payload.tobytes() == first.tobytes() * payload.size else UNKNOWN
    return None if known is UNKNOWN or isinstance(known, complex) else known


RULES: dict[str, tuple[Rule, ...]] = {
    "abs": (_again("abs"),),
    "add": (_add_zero, _add_chosen, _add_at, _bare_operand),
    "broadcast_like": (_to_same_shape, _broadcast_shape),
    "broadcast_to": (_to_same_shape,),
    "cast": (_same_cast,),
    "conj": (_twice("conj"),),
    "count_along": (_counted,),
    "div": (_div_one, _bare_operand),
    "floordiv": (_floordiv_one,),
    "identity": (_first,),
    "index": (_part_of_product,),
    "list_cast": (_same_cast,),
    "logical_and": (_and_true,),
    "logical_not": (_twice("logical_not"), _not_compare),
    "logical_or": (_or_false,),
    "matmul": (_turned_operand,),
    "maximum": (_both_same,),
    "minimum": (_both_same,),
    "mul": (_mul_one, _mul_zero, _bare_operand),
    "neg": (_twice("neg"),),
    "pow": (_power,),
    "relu": (_again("relu"),),
    "reshape": (_reshape,),
    "reshape_like": (_reshape,),
    "sub": (_sub_zero, _sub_self, _bare_operand),
    "sum_to_like": (_to_same_shape, _sum_axes),
    "transpose": (_transpose,),
    "where": (_where, _bare_choice),
}
