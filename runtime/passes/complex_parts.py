"""Complex numbers as pairs of real ones, for backends that have no others.

`z * z + c` becomes products and sums of real and imaginary parts, through branches and loops. Where an operation has no
rule here, it takes and gives complex numbers as before, and `complex`, `real` and `imag` stand at the border.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from runtime.ir.build import emit
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.passes.rewrite import constant_node
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import TensorType, ValueType

__all__ = ["split_complex"]

Parts: TypeAlias = tuple[Value, Value]

_WITH_REGIONS = ("cond", "while_loop", "for_loop")
_EACH = frozenset(  # of the first input, and then of each part by itself
    """identity stop_gradient fence reshape transpose expand_dims squeeze broadcast_to index contiguous reverse reduce_sum
    reduce_mean""".split()
)


def split_complex(graph: Graph) -> Graph:
    """A copy of a graph without complex numbers, as far as that goes; the graph itself where it has none."""
    if not any(_is_complex(v.type) for n in graph.walk() for v in (*n.inputs, *n.outputs)):
        return graph
    out = Graph(graph.name, graph.functions)
    split = _Split(graph, out, whole=True)
    out.outputs = [split.value(v) for v in graph.outputs]
    return out


def _is_complex(kind: ValueType) -> bool:
    return isinstance(kind, TensorType) and kind.dtype.is_complex


def _part(kind: ValueType) -> TensorType:
    assert isinstance(kind, TensorType)
    return TensorType(kind.dtype.real_dtype, kind.shape, kind.weak)


class _Split:
    """A copy of a graph or region under construction."""

    def __init__(self, source: Graph, target: Graph, whole: bool) -> None:
        self.target = target
        self.pairs: dict[Value, Parts] = {}
        self.table: dict[Value, Value] = {}
        self.location: Any = None
        for value in source.inputs:
            if _is_complex(value.type) and not whole:
                kind = _part(value.type)
                self.pairs[value] = target.add_input(kind, value.name), target.add_input(kind)
            else:
                self.table[value] = target.add_input(value.type, value.name)
        for node in source.nodes:
            self.location = node.location
            self._copy(node)

    def put(self, name: str, *inputs: Value, **attrs: Any) -> Value:
        """One more node; its output."""
        return emit(self.target, get(name), list(inputs), attrs, location=self.location).outputs[0]

    def number(self, payload: float) -> Value:
        """A bare number."""
        node = constant_node(self.target, payload, TensorType("float64", (), weak=True), self.location)
        self.target.nodes.append(node)
        return node.outputs[0]

    def value(self, value: Value) -> Value:
        """What stands for a value."""
        found = self.table.get(value)
        if found is None:
            found = self.table[value] = self.put("complex", *self.pairs[value])
        return found

    def parts(self, value: Value) -> Parts:
        """The real and the imaginary part of a complex value; 0 is that of a real one."""
        if not _is_complex(value.type):
            return self.value(value), self.number(0.0)
        found = self.pairs.get(value)
        if found is None:
            whole = self.table[value]
            found = self.pairs[value] = self.put("real", whole), self.put("imag", whole)
        return found

    def flat(self, values: list[Value]) -> list[Value]:
        """Values, in whose place parts stand."""
        return [x for v in values for x in (self.parts(v) if _is_complex(v.type) else (self.value(v),))]

    def _copy(self, node: Node) -> None:
        if node.op.name in _WITH_REGIONS:
            self._regions(node)
            return
        rule = _RULES.get(node.op.name)
        if rule is None and node.op.name in _EACH:
            rule = _each
        if rule is not None and any(_is_complex(v.type) for v in (*node.inputs, *node.outputs)):
            found = rule(self, node)
            if found is not None and self._fits(node.outputs[0], found):
                return
        made = self.target.add_node(
            node.op, [self.value(v) for v in node.inputs], dict(node.attrs), tuple(v.type for v in node.outputs),
            tuple(node.regions), node.location,
        )  # fmt: skip
        for old, new in zip(node.outputs, made.outputs, strict=True):
            new.name = old.name
            self.table[old] = new

    def _fits(self, out: Value, found: Value | Parts) -> bool:
        """Note what was made for a value, as the type that it has."""
        if isinstance(found, Value):
            if not _is_complex(out.type):
                self.table[out] = found
            return not _is_complex(out.type)
        kind = _part(out.type)
        fitted = []
        for x in found:
            if not kind.weak and (x.tensor_type.dtype != kind.dtype or x.tensor_type.weak):
                x = self.put("cast", x, dtype=kind.dtype)
            if x.tensor_type.shape != kind.shape:
                if not is_static(kind.shape):
                    return False
                x = self.put("broadcast_to", x, shape=kind.shape)
            fitted.append(x)
        self.pairs[out] = fitted[0], fitted[1]
        return True

    def _regions(self, node: Node) -> None:
        lead = 0 if node.op.name == "while_loop" else 1
        attrs = dict(node.attrs)
        if node.op.name != "cond":
            attrs["carried"] = sum(1 + _is_complex(v.type) for v in node.inputs[lead : lead + node.carried])
        regions = []
        for region in node.regions:
            inner = Graph(region.name, self.target.functions)
            split = _Split(region, inner, whole=False)
            inner.outputs = split.flat(region.outputs)
            regions.append(inner)
        types: list[ValueType] = []
        for v in node.outputs:
            types += [_part(v.type)] * 2 if _is_complex(v.type) else [v.type]
        made = self.target.add_node(node.op, self.flat(node.inputs), attrs, tuple(types), tuple(regions), node.location)
        outputs = iter(made.outputs)
        for v in node.outputs:
            if _is_complex(v.type):
                self.pairs[v] = next(outputs), next(outputs)
            else:
                self.table[v] = next(outputs)
                self.table[v].name = v.name


Rule: TypeAlias = Callable[[_Split, Node], "Value | Parts | None"]


def _each(split: _Split, node: Node) -> Parts | None:
    if not _is_complex(node.inputs[0].type) or "dtype" in node.attrs:
        return None
    rest = [split.value(v) for v in node.inputs[1:]]
    re, im = (split.put(node.op.name, part, *rest, **node.attrs) for part in split.parts(node.inputs[0]))
    return re, im


def _joined(split: _Split, node: Node) -> Parts | None:
    if not all(_is_complex(v.type) for v in node.inputs):
        return None
    pairs = [split.parts(v) for v in node.inputs]
    re, im = (split.put(node.op.name, *(p[k] for p in pairs), **node.attrs) for k in (0, 1))
    return re, im


def _constant(split: _Split, node: Node) -> Parts:
    payload, kind = node.attrs["value"], _part(node.outputs[0].type)
    found = []
    for part in (np.real(payload), np.imag(payload)):
        part = float(part) if kind.weak else np.ascontiguousarray(part).reshape(np.shape(part))[()]
        made = constant_node(split.target, part, kind, node.location)
        split.target.nodes.append(made)
        found.append(made.outputs[0])
    return found[0], found[1]


def _made(split: _Split, node: Node) -> Parts:
    """`zeros` and `ones` of known or unknown sizes."""
    attrs = dict(node.attrs, dtype=_part(node.outputs[0].type).dtype)
    sizes = [split.value(v) for v in node.inputs]
    return split.put(node.op.name, *sizes, **attrs), split.put("zeros", *sizes, **attrs)


def _complex(split: _Split, node: Node) -> Parts:
    re, im = (split.value(v) for v in node.inputs)
    return re, im


def _cast(split: _Split, node: Node) -> Parts | None:
    if not _is_complex(node.outputs[0].type):
        return None
    dtype = _part(node.outputs[0].type).dtype
    re, im = split.parts(node.inputs[0])
    return split.put("cast", re, dtype=dtype), split.put("cast", im, dtype=dtype)


def _where(split: _Split, node: Node) -> Parts:
    test = split.value(node.inputs[0])
    (a, b), (c, d) = split.parts(node.inputs[1]), split.parts(node.inputs[2])
    return split.put("where", test, a, c), split.put("where", test, b, d)


def _sum(split: _Split, node: Node) -> Parts:
    (a, b), (c, d) = (split.parts(v) for v in node.inputs)
    return split.put(node.op.name, a, c), split.put(node.op.name, b, d)


def _mul(split: _Split, node: Node) -> Parts:
    (a, b), (c, d) = split.parts(node.inputs[0]), split.parts(node.inputs[-1])
    put = split.put
    name, attrs = ("matmul", node.attrs) if node.op.name == "matmul" else ("mul", {})
    re = put("sub", put(name, a, c, **attrs), put(name, b, d, **attrs))
    return re, put("add", put(name, a, d, **attrs), put(name, b, c, **attrs))


def _matmul(split: _Split, node: Node) -> Parts | None:
    return _mul(split, node) if all(_is_complex(v.type) for v in node.inputs) else None


def _div(split: _Split, node: Node) -> Parts:
    """Smith's way, as NumPy's."""
    (a, b), (c, d) = (split.parts(v) for v in node.inputs)
    put = split.put
    size = put("abs", c)
    wide = put("greater_equal", size, put("abs", d))
    large, small = put("where", wide, c, d), put("where", wide, d, c)
    ratio = put("div", small, large)
    scale = put("div", split.number(1.0), put("add", large, put("mul", small, ratio)))
    first, second = put("where", wide, a, b), put("where", wide, b, a)
    re = put("mul", put("add", first, put("mul", second, ratio)), scale)
    crossed = put("where", wide, put("sub", b, put("mul", a, ratio)), put("sub", put("mul", b, ratio), a))
    im = put("mul", crossed, scale)
    nothing = put("logical_and", wide, put("equal", size, split.number(0.0)))
    return put("where", nothing, put("div", a, size), re), put("where", nothing, put("div", b, size), im)


def _equal(split: _Split, node: Node) -> Value:
    (a, b), (c, d) = (split.parts(v) for v in node.inputs)
    both = "logical_and" if node.op.name == "equal" else "logical_or"
    return split.put(both, split.put(node.op.name, a, c), split.put(node.op.name, b, d))


def _of_parts(make: Callable[..., Any]) -> Rule:
    """A rule for the parts of one operand."""
    return lambda split, node: make(split.put, *split.parts(node.inputs[0]))


_RULES: dict[str, Rule] = {
    "constant": _constant,
    "zeros": _made,
    "ones": _made,
    "complex": _complex,
    "cast": _cast,
    "where": _where,
    "add": _sum,
    "sub": _sum,
    "mul": _mul,
    "square": _mul,
    "matmul": _matmul,
    "div": _div,
    "equal": _equal,
    "not_equal": _equal,
    "concatenate": _joined,
    "stack_arrays": _joined,
    "real": _of_parts(lambda put, re, im: re),
    "imag": _of_parts(lambda put, re, im: im),
    "conj": _of_parts(lambda put, re, im: (re, put("neg", im))),
    "neg": _of_parts(lambda put, re, im: (put("neg", re), put("neg", im))),
    "abs": _of_parts(lambda put, re, im: put("hypot", re, im)),
    "angle": _of_parts(lambda put, re, im: put("atan2", im, re)),
}
