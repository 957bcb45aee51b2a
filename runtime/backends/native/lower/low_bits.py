"""Python's integers of which only the low bits are asked for: `(x << 13) & MASK` may wrap around on its way.

The low bits of a sum, difference, product, shift to the left and of what is made bit by bit depend on the low bits of the
operands alone. So 64 bits do for all that a mask, or the rest of a division by a power of two, then cuts off.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.backends.native.lower.signs import constant_of
from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType

__all__ = ["wrapping"]

_WRAPPING = frozenset(("add", "sub", "mul", "neg", "left_shift"))  # those that need a test otherwise
_PASSING = _WRAPPING | {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "where"}


def wrapping(graph: Graph) -> set[Value]:
    """Results of Python's integer arithmetic of which no more than the low 63 bits are asked for."""
    found: set[Value] = set()
    if any(_cut(node) is not None for node in graph.walk()):
        _walk(graph, graph.outputs, found)
    return found


def _cut(node: Node) -> Value | None:
    """The operand of which a node takes only the low bits, by a mask or as the rest."""
    name = node.op.name
    if name not in ("bitwise_and", "mod") or not _is_pythons(node):
        return None
    one, other = node.inputs
    if name == "mod":
        by = constant_of(other)
        return one if by is not None and by > 0 and by.bit_count() == 1 else None
    for x, y in ((one, other), (other, one)):
        mask = constant_of(y)
        if mask is not None and mask >= 0:
            return x
    return None


def _walk(graph: Graph, outputs: Sequence[Value], found: set[Value]) -> set[Value]:
    """What is asked for wholly of a region some outputs of which are; results of which only low bits are go to `found`."""
    whole = set(outputs)
    for node in reversed(graph.nodes):
        name = node.op.name
        if name == "cond":
            whole.add(node.inputs[0])
            for region in node.regions:
                asked = [v for v, out in zip(region.outputs, node.outputs, strict=True) if out in whole]
                inside = _walk(region, asked, found)
                whole.update(v for v, inner in zip(node.inputs[1:], region.inputs, strict=True) if inner in inside)
            continue
        for region in node.regions:
            _walk(region, region.outputs, found)
        cut = _cut(node)
        if cut is not None:
            whole.update(v for v in node.inputs if v is not cut)
        elif name not in _PASSING or node.outputs[0] in whole or not _is_pythons(node):
            whole.update(node.inputs)
        elif name == "left_shift":
            whole.add(node.inputs[1])
            if _is_little(constant_of(node.inputs[1])):
                found.add(node.outputs[0])
            else:
                whole.add(node.inputs[0])
        elif name == "where":
            whole.add(node.inputs[0])
        elif name in _WRAPPING:
            found.add(node.outputs[0])
    return whole


def _is_little(shift: int | None) -> bool:
    return shift is not None and 0 <= shift < 63


def _is_pythons(node: Node) -> bool:
    """Whether an operation on numbers gives an integer of Python's."""
    kind = node.outputs[0].type
    return isinstance(kind, TensorType) and kind.weak and kind.shape == () and kind.dtype.name == "int64"
