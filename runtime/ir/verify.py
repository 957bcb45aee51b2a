"""The checker of graphs: what every graph obeys, and every pass must keep.

* a value is defined once, before it is used, and used only in the graph or region that owns it
* inputs and outputs know their place; names of called functions are in the table, with arguments that fit
* the layout of control nodes (see `runtime.ir.graph`), predicates are boolean scalars, counts integer scalars
* what is passed fits the type where it arrives: same dtype and weakness, and no known size that is not known before
* the outputs of other nodes are what the operation's type rule says
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import reachable_functions
from runtime.typesys.errors import GraphError, OpError
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["fits", "verify"]


def verify(graph: Graph) -> Graph:
    """Check a graph and the functions it calls; returns it.

    Raises:
      GraphError: a rule is broken; the message names the node and the rule.
    """
    for node in graph.walk():
        _known_function(node, graph)
    for name in reachable_functions(graph):
        for node in graph.functions[name].walk():
            _known_function(node, graph)
    _Verifier(graph, graph.name or "graph").graph_()
    for name in reachable_functions(graph):
        _Verifier(graph.functions[name], name).graph_()
    return graph


def fits(have: Any, want: Any) -> bool:
    """Whether a value of type `have` may arrive where `want` is announced, which may know less of the shape."""
    if isinstance(have, ListType) and isinstance(want, ListType):
        return have.element is None or (want.element is not None and fits(have.element, want.element))
    if not (isinstance(have, TensorType) and isinstance(want, TensorType)):
        return False
    if have.dtype != want.dtype or have.weak != want.weak:
        return False
    if want.shape is None:
        return True
    if have.shape is None or len(have.shape) != len(want.shape):
        return False
    return all(not isinstance(w, int) or h == w for h, w in zip(have.shape, want.shape, strict=True))


def _known_function(node: Node, graph: Graph) -> None:
    if node.op.name in ("call", "attempt") and node.attrs.get("function") not in graph.functions:
        raise GraphError(f"call of {node.attrs.get('function')!r}, which is not in the table of functions", node=node)


class _Verifier:
    """Checks one graph, or one region and the regions in it."""

    def __init__(self, graph: Graph, path: str) -> None:
        self.graph = graph
        self.path = path
        self.defined: set[Value] = set()

    def fail(self, message: str, node: Node | None = None) -> NoReturn:
        where = self.path if node is None else f"{self.path}, node {self.graph.nodes.index(node)} ({node.op.name})"
        place = "" if node is None or node.location is None else f" [{node.location}]"
        raise GraphError(f"{where}: {message}{place}", node=node, graph=self.graph)

    def graph_(self) -> None:
        self.define(self.graph.inputs, None)
        seen: set[int] = set()
        for k, node in enumerate(self.graph.nodes):
            if id(node) in seen:
                self.fail("the node stands in the graph twice", node)
            seen.add(id(node))
            self.use(node.inputs, "operand", node)
            for i, region in enumerate(node.regions):
                _Verifier(region, f"{self.path}/{node.op.name}[{k}].{i}").graph_()
            self.node(node)
            self.define(node.outputs, node)
        self.use(self.graph.outputs, "output", None)

    def define(self, values: Sequence[Value], node: Node | None) -> None:
        for k, value in enumerate(values):
            what = f"{'input' if node is None else 'output'} {k}"
            if value in self.defined:
                self.fail(f"{what} is defined twice", node)
            if value.node is not node or value.graph is not self.graph:
                self.fail(f"{what} belongs to another {'graph' if value.node is node else 'node'}", node)
            if value.index != k:
                self.fail(f"{what} says that it is number {value.index}", node)
            self.defined.add(value)

    def use(self, values: Sequence[Value], word: str, node: Node | None) -> None:
        for k, value in enumerate(values):
            if value not in self.defined:
                problem = "is used before it is defined" if value.graph is self.graph else "belongs to another region"
                self.fail(f"{word} {k} ({value!r}) {problem}", node)

    def node(self, node: Node) -> None:
        check = getattr(self, f"check_{node.op.name}", None)
        if check is not None:
            check(node)
        elif not node.regions:
            self.check_by_rule(node)

    # Control

    def layout(self, node: Node, regions: int, lead: int) -> int:
        """The number of carried values of a loop, with all counts checked."""
        if len(node.regions) != regions:
            self.fail(f"has {len(node.regions)} regions instead of {regions}", node)
        carried = node.attrs.get("carried")
        if type(carried) is not int or not 0 <= carried <= len(node.inputs) - lead:
            self.fail(f"carried={carried!r} with {len(node.inputs)} operands", node)
        if len(node.outputs) != carried:
            self.fail(f"carries {carried} values but has {len(node.outputs)} outputs", node)
        return carried

    def arrives(self, have: Sequence[ValueType], want: Sequence[ValueType], what: str, node: Node) -> None:
        """Check that values fit where they go, one by one."""
        if len(have) != len(want):
            self.fail(f"{what}: {len(have)} values where {len(want)} are expected", node)
        for k, (h, w) in enumerate(zip(have, want, strict=True)):
            if not fits(h, w):
                self.fail(f"{what}: {h} is passed as number {k}, which is {w}", node)

    def scalar(self, value: Value, kinds: str, what: str, node: Node) -> None:
        kind = value.type
        if not isinstance(kind, TensorType) or kind.dtype.kind not in kinds or kind.shape not in ((), None):
            self.fail(f"the {what} is {kind}", node)

    def check_cond(self, node: Node) -> None:
        if len(node.regions) != 2 or not node.inputs:
            self.fail("needs a predicate and two regions", node)
        self.scalar(node.inputs[0], "b", "predicate", node)
        for region, side in zip(node.regions, ("then", "else"), strict=True):
            self.arrives(_types(node.inputs[1:]), _types(region.inputs), f"inputs of '{side}'", node)
            self.arrives(_types(region.outputs), _types(node.outputs), f"outputs of '{side}'", node)

    def check_while_loop(self, node: Node) -> None:
        carried = self.layout(node, 2, 0)
        test, body = node.regions
        for region, word in ((test, "test"), (body, "body")):
            self.arrives(_types(node.inputs), _types(region.inputs), f"inputs of '{word}'", node)
        if len(test.outputs) != 1:
            self.fail(f"the test returns {len(test.outputs)} values", node)
        self.scalar(test.outputs[0], "b", "result of the test", node)
        self.loop(node, body, 0, carried)
        self.arrives(_types(body.outputs), _types(test.inputs[:carried]), "what the body carries to the test", node)

    def check_for_loop(self, node: Node) -> None:
        if not node.inputs:
            self.fail("needs a count", node)
        carried = self.layout(node, 1, 1)
        body = node.regions[0]
        self.scalar(node.inputs[0], "iu", "count", node)
        if not body.inputs:
            self.fail("the body needs an index", node)
        self.scalar(body.inputs[0], "iu", "index", node)
        self.arrives(_types(node.inputs[1:]), _types(body.inputs[1:]), "inputs of 'body'", node)
        self.loop(node, body, 1, carried)

    def loop(self, node: Node, body: Graph, lead: int, carried: int) -> None:
        state = _types(body.inputs[lead : lead + carried])
        self.arrives(_types(body.outputs), state, "what the body carries on", node)
        self.arrives(_types(body.outputs), _types(node.outputs), "what the body carries out", node)
        self.arrives(_types(node.inputs[lead : lead + carried]), _types(node.outputs), "what is carried past", node)

    def check_call(self, node: Node) -> None:
        callee = self.graph.functions.get(node.attrs.get("function", ""))
        if callee is None:
            self.fail("the region does not share its function's table of functions", node)
        self.arrives(_types(node.inputs), _types(callee.inputs), "arguments", node)
        self.arrives(_types(callee.outputs), _types(node.outputs), "results", node)

    # Other nodes

    def check_constant(self, node: Node) -> None:
        value, kind = node.attrs.get("value"), node.attrs.get("type")
        if node.inputs or len(node.outputs) != 1 or not isinstance(kind, TensorType):
            self.fail("needs a tensor type, no operands and one output", node)
        if kind != node.outputs[0].type:
            self.fail(f"is announced as {kind} and defines {node.outputs[0].type}", node)
        if isinstance(value, (np.ndarray, np.generic)) is kind.weak:
            self.fail(f"a {type(value).__name__} is not the payload of {kind}", node)
        if not kind.weak and (value.dtype != kind.dtype.dtype or not fits(TensorType(value.dtype, value.shape), kind)):  # type: ignore[union-attr]
            self.fail(f"{value.dtype}{list(value.shape)} is not the payload of {kind}", node)  # type: ignore[union-attr]

    def check_by_rule(self, node: Node) -> None:
        if node.op.outputs is not None and len(node.outputs) != node.op.outputs:
            self.fail(f"has {len(node.outputs)} outputs instead of {node.op.outputs}", node)
        try:
            types = node.op.infer(*_types(node.inputs), **node.attrs)
        except (OpError, TypeError, ValueError) as error:
            self.fail(f"its operands {_types(node.inputs)} do not fit: {error}", node)
        except NotImplementedError:
            return  # typed by who builds it
        expected = types if isinstance(types, tuple) else (types,)
        if len(expected) != len(node.outputs):
            self.fail(f"has {len(node.outputs)} outputs where the rule says {len(expected)}", node)
        for k, (have, want) in enumerate(zip(_types(node.outputs), expected, strict=True)):
            if not _agree(have, want, node.op.name):
                self.fail(f"output {k} is {have}, the rule says {want}", node)


def _types(values: Sequence[Value]) -> list[ValueType]:
    return [v.type for v in values]


def _agree(have: Any, want: Any, op: str) -> bool:
    """Whether a type may stand where the rule gives `want`: sizes may be known better or worse, but do not contradict.

    Casts may be made weak by the builder, and elements of a list wider.
    """
    if isinstance(have, ListType) or isinstance(want, ListType):
        return isinstance(have, ListType) and isinstance(want, ListType)
    if have.dtype != want.dtype or (have.weak != want.weak and op not in ("cast", "list_get", "list_pop")):
        return False
    if have.shape is None or want.shape is None:
        return True
    sizes = zip(have.shape, want.shape, strict=False)
    return len(have.shape) == len(want.shape) and all(
        not (isinstance(h, int) and isinstance(w, int)) or h == w for h, w in sizes
    )
