"""Divisions of what is a number of Python's on some paths by one: there they raise where it is zero, as Python's do.

    ys = [x for x in xs if x > 0];  sum(ys) / len(ys)  ->  of no items 0 / 0, of one a tensor's division

Where a branch or loop joins a Python number and a tensor, the graph has a tensor. Which it is, is worked out here, when the
graph is complete, for the dividends that it matters for: a loop that may leave its number as it is carries a truth more.
A division in a branch of its own is left alone, as its test tells whether there is something to divide by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtime.ir.build import emit
from runtime.ir.graph import Graph, Location, Node, Value
from runtime.ops.registry import get
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.spec import TensorType

__all__ = ["check_divisions"]

_DIVISIONS = {  # what Python says of integers and of floats
    "div": ("division by zero", "float division by zero"),
    "floordiv": ("integer division or modulo by zero", "float floor division by zero"),
    "mod": ("integer modulo by zero", "float modulo"),
}
_OF_ONE = frozenset(("neg", "add", "sub", "mul"))
_DEEPEST = 100  # a chain of what an unrolled loop adds may be thousands of operations long
_BOOL = TensorType(as_dtype(bool), ())


def check_divisions(graph: Graph, joined: set[Value]) -> None:
    """Add checks before the divisions of `graph` that need one; `joined` are the tensors that joins made of numbers."""
    if not joined:
        return
    for part in (graph, *graph.functions.values()):
        numbers = _Numbers(joined)
        for region in _regions(part):
            for node in [n for n in region.nodes if n.op.name in _DIVISIONS and _is_by_number(n)]:
                numbers.check(node, region)


def _regions(graph: Graph) -> Iterator[Graph]:
    yield graph
    for node in graph.nodes:
        if node.op.name != "cond":
            for region in node.regions:
                yield from _regions(region)


def _is_by_number(node: Node) -> bool:
    dividend, divisor = (value.type for value in node.inputs)
    if not (isinstance(dividend, TensorType) and isinstance(divisor, TensorType)):
        return False
    if not divisor.weak or dividend.weak or dividend.shape != () or divisor.shape != ():
        return False
    by = node.inputs[1].node
    return by is None or by.op.name != "constant"


def _is_of_one(value: Value) -> bool:
    return value.node is not None and value.node.op.name in _OF_ONE


class _Numbers:
    """Which tensors are Python's numbers when the graph runs: True, False, or a truth of the graph."""

    def __init__(self, joined: set[Value]) -> None:
        self.joined = joined
        self.known: dict[Value, Value | bool] = {}
        self.deep = 0
        self.late: set[Value] = set()  # truths that stand behind the loops of their region

    def check(self, node: Node, region: Graph) -> None:
        """Raise before a division by zero if what it divides is a number."""
        number = self.of(node.inputs[0])
        if number is False:
            return
        at = len(region.nodes)
        location = node.location
        zero = self.add(region, "constant", [], location, value=0, type=TensorType(as_dtype("int64"), (), True))
        bad = self.add(region, "equal", [node.inputs[1], zero], location)
        if isinstance(number, Value):
            bad = self.add(region, "logical_and", [bad, number], location)
        good = self.add(region, "logical_not", [bad], location)
        floats = self.is_float(node.inputs[0]) or node.inputs[1].tensor_type.dtype.kind == "f"
        text = _DIVISIONS[node.op.name][floats]
        emit(region, get("assert_"), [good], {"template": (text,), "exception": ZeroDivisionError}, (), (), location)
        made = [n for n in region.nodes if n.outputs and n.outputs[0] in self.late and n.outputs[0] is number]
        made += region.nodes[at:]
        rest = [n for n in region.nodes if n not in made]
        place = rest.index(node)
        region.nodes = rest[:place] + made + rest[place:]

    def of(self, value: Value) -> Value | bool:
        """Whether a value is a number."""
        if value not in self.known:
            self.deep += 1
            self.known[value] = self._find(value) if self.deep < _DEEPEST else False
            self.deep -= 1
        return self.known[value]

    def _find(self, value: Value) -> Value | bool:
        if not isinstance(value.type, TensorType) or value.type.shape != ():
            return False
        if value.type.weak or value in self.joined:
            return True
        node = value.node
        if node is None:
            return False
        if node.op.name in _OF_ONE:
            number: Value | bool = True
            for part in sorted(node.inputs, key=_is_of_one):
                found = self.of(part)
                if found is False or (found is not True and number is not True):
                    return False
                number = number if found is True else found
            return number
        if node.op.name == "cond":
            return self._chosen(node, value.index)
        if node.op.name in ("for_loop", "while_loop") and value.index < node.carried:
            return self._carried(node, value.index)
        return False

    def _chosen(self, node: Node, k: int) -> Value | bool:
        """Of what a branch leaves."""
        for region in node.regions:
            for inner, outer in list(zip(region.inputs, node.inputs[1:], strict=True)):
                found = self.of(outer) if inner not in self.known else False
                if isinstance(found, bool):
                    self.known.setdefault(inner, found)
                else:
                    self._give(node, inner, found)
        sides = [self.of(region.outputs[k]) for region in node.regions]
        if isinstance(sides[0], bool) and sides[0] is sides[1]:
            return sides[0]
        for region, side in zip(node.regions, sides, strict=True):
            region.outputs.append(self.truth(region, side))
        return node.add_output(_BOOL)

    def _give(self, node: Node, inner: Value, truth: Value) -> None:
        """Let the regions of a branch see a truth from outside."""
        node.inputs.append(truth)
        for region in node.regions:
            self.known[region.inputs[inner.index]] = region.add_input(_BOOL)

    def _carried(self, node: Node, k: int) -> Value | bool:
        """Of what a loop leaves."""
        lead = 1 if node.op.name == "for_loop" else 0
        body, count = node.regions[-1], node.carried
        before = self.of(node.inputs[lead + k])
        if before is False or before in self.late:
            return False
        graph = node.outputs[0].graph
        if lead and self._never(body.outputs[k]) and before is True:
            zero = self.add(graph, "constant", [], node.location, value=0, type=TensorType(as_dtype("int64"), (), True))
            self._to_front(graph)
            empty = self.add(graph, "less_equal", [node.inputs[0], zero], node.location)
            self.late.add(empty)
            return empty
        for region in node.regions:
            start = lead if region is body else 0
            carried = Value(_BOOL, region)
            region.inputs.insert(start + count, carried)
            for index, value in enumerate(region.inputs):
                value.index = index
            self.known[region.inputs[start + k]] = carried
        node.inputs.insert(lead + count, self.truth(graph, before))
        node.attrs = {**node.attrs, "carried": count + 1}
        body.outputs.append(self.truth(body, self.of(body.outputs[k])))
        return node.add_output(_BOOL)

    def _never(self, value: Value, deep: int = 0) -> bool:
        """Whether a value is a tensor whatever was before."""
        node = value.node
        if node is None or value in self.joined or node.op.name in ("cond", "for_loop", "while_loop"):
            return False
        if node.op.name in _OF_ONE:
            parts = (p for p in sorted(node.inputs, key=_is_of_one) if not (isinstance(p.type, TensorType) and p.type.weak))
            return deep < _DEEPEST and any(self._never(p, deep + 1) for p in parts)
        return True

    def truth(self, graph: Graph, number: Value | bool) -> Value:
        """A truth as a value of the graph."""
        if isinstance(number, Value):
            return number
        made = self.add(graph, "constant", [], None, value=number, type=_BOOL)
        self._to_front(graph)
        return made

    def add(self, graph: Graph, name: str, inputs: list[Value], location: Location | None, **attrs: Any) -> Value:
        """One more node at the end."""
        return emit(graph, get(name), inputs, attrs, None, (), location).outputs[0]

    def _to_front(self, graph: Graph) -> None:
        graph.nodes.insert(0, graph.nodes.pop())

    def is_float(self, value: Value) -> bool:
        """Whether the number that a tensor may be is a float."""
        for _ in range(100):
            node = value.node
            if node is None:
                return True
            if value in self.joined:
                return bool(node.inputs[0].tensor_type.dtype.kind == "f")
            if node.op.name in ("for_loop", "while_loop"):
                value = node.inputs[(1 if node.op.name == "for_loop" else 0) + value.index]
            elif node.op.name in _OF_ONE:
                value = next((p for p in node.inputs if self.of(p) is not False), node.inputs[0])
            else:
                return True
        return True
