"""The graph: static single assignment, closed regions, named functions.

    Graph(inputs, nodes, outputs)      a function body or a region
    Node(op, inputs, attrs, regions, outputs, location)
    Value                              defined once: a graph's input or a node's output

Nodes stand in program order, which is an execution order. A region is closed: it sees only its own inputs, so what it
uses from outside is passed by its node. Layout of the nodes with regions:

    cond        inputs = (pred, *invariant)            regions = [then(*invariant), else(*invariant)], same output types
    while_loop  inputs = (*carried, *invariant)        regions = [cond(*carried, *invariant) -> bool,
                                                                  body(*carried, *invariant) -> carried]
    for_loop    inputs = (count, *carried, *invariant) regions = [body(i, *carried, *invariant) -> carried]
    call        inputs = arguments                     attrs["function"] names a graph of the table `Graph.functions`

`attrs["carried"]` is the number of carried values; outputs are the final carried values.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import CodeType
from typing import Any

from runtime.ops.registry import Op
from runtime.typesys.spec import TensorType, ValueType

__all__ = ["Calling", "Graph", "Location", "Node", "Value", "next_id"]

_node_ids = itertools.count()


def next_id() -> int:
    """A moment in the order in which nodes are made: earlier nodes have smaller ids, later ones larger."""
    return next(_node_ids)


class Calling:
    """A function of the user's that is calling: its code, where in it, and who called it; without code nobody calls.

    Callable because frames keep it where debuggers put a function to be called at each line.
    """

    __slots__ = ("code", "lasti", "outer")

    def __init__(self, code: CodeType | None = None, lasti: int = -1, outer: Calling | None = None) -> None:
        self.code = code
        self.lasti = lasti
        self.outer = outer

    def __call__(self, *event: Any) -> None:
        """Nothing is done at a line."""


class Location:
    """Where in the user's source a node came from, and by which calls. Columns are found only when asked for.

    """

    __slots__ = ("_lasti", "callers", "code", "file", "function", "line")

    def __init__(
        self,
        file: str,
        line: int,
        function: str = "",
        code: CodeType | None = None,
        lasti: int = -1,
        callers: Calling | None = None,
    ) -> None:
        self.file = file
        self.line = line
        self.function = function
        self.code = code
        self._lasti = lasti
        self.callers = callers

    @property
    def calls(self) -> list[Location]:
        """The places of the calls that led here, outermost first, and this one."""
        found = [self]
        call = self.callers
        while call is not None and call.code is not None:
            line = next(itertools.islice(call.code.co_positions(), call.lasti // 2, None), (None,))[0]
            if line is not None:
                found.append(Location(call.code.co_filename, line, call.code.co_name, call.code, call.lasti))
            call = call.outer
        return found[::-1]

    @property
    def column(self) -> int | None:
        """0-based column, if the interpreter kept it."""
        if self.code is None or self._lasti < 0:
            return None
        position = next(itertools.islice(self.code.co_positions(), self._lasti // 2, None), None)
        return None if position is None else position[2]

    @property
    def columns(self) -> tuple[int, int] | None:
        """0-based first column, and the one after the last, in bytes; None where it goes over several lines."""
        if self.code is None or self._lasti < 0:
            return None
        position = next(itertools.islice(self.code.co_positions(), self._lasti // 2, None), (None,) * 4)
        first, last, start, end = position
        return None if start is None or end is None or first != last or first != self.line else (start, end)

    def __repr__(self) -> str:
        return f"{self.file}:{self.line}"


class Value:
    """A typed value, defined once. `graph` is the graph (or region) that owns it; `node` is None for inputs."""

    __slots__ = ("graph", "index", "name", "node", "type", "__weakref__")
    type: ValueType

    def __init__(
        self, type: ValueType, graph: Graph, node: Node | None = None, index: int = 0, name: str | None = None
    ) -> None:
        self.type = type
        self.graph = graph
        self.node = node
        self.index = index
        self.name = name

    @property
    def tensor_type(self) -> TensorType:
        """The type, known to be a tensor's."""
        assert type(self.type) is TensorType, self.type
        return self.type

    def __repr__(self) -> str:
        return f"%{self.name or format(id(self) & 0xFFFFF, 'x')}:{self.type}"


class Node:
    """One application of an operation. `id` grows with creation order."""

    __slots__ = ("attrs", "id", "inputs", "location", "op", "outputs", "regions")

    def __init__(
        self,
        op: Op,
        inputs: list[Value],
        attrs: dict[str, Any],
        output_types: tuple[ValueType, ...],
        graph: Graph,
        regions: tuple[Graph, ...] = (),
        location: Location | None = None,
    ) -> None:
        self.id = next(_node_ids)
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.regions = list(regions)
        self.location = location
        self.outputs = [Value(t, graph, self, i) for i, t in enumerate(output_types)]

    def add_output(self, type: ValueType) -> Value:
        """One more output (used when a region starts to return what its gradient needs)."""
        value = Value(type, self.outputs[0].graph if self.outputs else self.regions[0], self, len(self.outputs))
        self.outputs.append(value)
        return value

    @property
    def carried(self) -> int:
        """Number of values a loop carries."""
        return int(self.attrs["carried"])

    def __repr__(self) -> str:
        return f"<{self.op.name} node {self.id}>"


class Graph:
    """A function body or a region: inputs, nodes in program order, outputs.

    `functions` is the module's table of named functions, shared by all its graphs.
    """

    __slots__ = ("functions", "inputs", "name", "nodes", "outputs", "__weakref__")

    def __init__(self, name: str = "", functions: dict[str, Graph] | None = None) -> None:
        self.name = name
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self.outputs: list[Value] = []
        self.functions: dict[str, Graph] = {} if functions is None else functions

    def add_input(self, type: ValueType, name: str | None = None) -> Value:
        value = Value(type, self, None, len(self.inputs), name)
        self.inputs.append(value)
        return value

    def add_node(
        self,
        op: Op,
        inputs: list[Value],
        attrs: dict[str, Any],
        output_types: tuple[ValueType, ...],
        regions: tuple[Graph, ...] = (),
        location: Location | None = None,
    ) -> Node:
        node = Node(op, inputs, attrs, output_types, self, regions, location)
        self.nodes.append(node)
        return node

    def walk(self) -> Iterator[Node]:
        """Every node, those of regions included, in program order."""
        for node in self.nodes:
            yield node
            for region in node.regions:
                yield from region.walk()

    def __repr__(self) -> str:
        sizes = f"{len(self.inputs)} inputs, {len(self.nodes)} nodes, {len(self.outputs)} outputs"
        return f"<graph {self.name or 'region'}: {sizes}>"
