"""Building graphs by hand: `F` is a graph under construction whose methods add nodes and return values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.ir.build import Builder
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.typesys.spec import ListType, TensorType, ValueType, type_of_payload

INT = TensorType("int64", (), weak=True)
FLOAT = TensorType("float64", (), weak=True)
BOOL = TensorType("bool", (), weak=True)


def array(*shape: Any, dtype: str = "float32") -> TensorType:
    return TensorType(dtype, shape)


class F:
    """`f.add(x, y)` adds a node; bare numbers become constants. Values of outer regions are captured."""

    def __init__(self, name: str = "", functions: dict[str, Graph] | None = None) -> None:
        self.graph = Graph(name, functions)
        self.builder = Builder(self.graph)

    def input(self, type: ValueType, name: str | None = None) -> Value:
        return self.graph.add_input(type, name)

    def value(self, x: Any) -> Value:
        if isinstance(x, Value):
            return x
        return self.builder.emit(get("constant"), [], {"value": x, "type": type_of_payload(x)}).outputs[0]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = get(name)

        def call(*inputs: Any, named: str | None = None, **attrs: Any) -> Any:
            node = self.builder.emit(op, [self.value(x) for x in inputs], attrs)
            if named:
                node.outputs[0].name = named
            return node.outputs[0] if op.outputs == 1 else tuple(node.outputs)

        return call

    def call(self, function: str, inputs: list[Any], types: list[ValueType]) -> list[Value]:
        return self.builder.emit(
            get("call"), [self.value(x) for x in inputs], {"function": function}, tuple(types)
        ).outputs

    def returns(self, *values: Any) -> Graph:
        self.graph.outputs = [self.value(v) for v in values]
        return self.graph

    def region(self, types: list[tuple[ValueType, str | None]], fill: Callable[..., Any]) -> tuple[Any, list[Value]]:
        """A region with the inputs `types`, filled by `fill(*inputs)`; its graph and the outer values it captured."""
        region = self.builder.push()
        inputs = [region.graph.add_input(t, n) for t, n in types]
        out = fill(*inputs)
        out = out if isinstance(out, (list, tuple)) else [out]
        region.graph.outputs = [region.resolve(self.value(v)) for v in out]
        self.builder.pop()
        return region, [outer for outer, _ in region.captured()]

    def _close(self, regions: list[Any]) -> list[Value]:
        """Give all regions the same captured inputs, in the same order; the outer values."""
        outer: list[Value] = []
        for region in regions:
            outer += [o for o, _ in region.captured() if o not in outer]
        for region in regions:
            mine = dict(region.captured())
            lead = [v for v in region.graph.inputs if v not in mine.values()]
            region.graph.inputs = lead
            for o in outer:
                if o in mine:
                    mine[o].index = len(region.graph.inputs)
                    region.graph.inputs.append(mine[o])
                else:
                    region.graph.add_input(o.type, o.name)
        return outer

    def cond(self, pred: Any, then: Callable[[], Any], orelse: Callable[[], Any]) -> list[Value]:
        regions = [self.region([], then)[0], self.region([], orelse)[0]]
        outer = self._close(regions)
        types = tuple(v.type for v in regions[0].graph.outputs)
        graphs = tuple(r.graph for r in regions)
        return self.builder.emit(get("cond"), [self.value(pred), *outer], {}, types, graphs).outputs

    def while_loop(
        self, inits: list[Any], test: Callable[..., Any], body: Callable[..., Any], names: str = ""
    ) -> list[Value]:
        values = [self.value(v) for v in inits]
        types = list(zip([v.type for v in values], names.split() or [None] * len(values), strict=True))
        regions = [self.region(types, test)[0], self.region(types, body)[0]]
        outer = self._close(regions)
        out = self._loop("while_loop", [*values, *outer], regions, len(values))
        return out

    def for_loop(self, count: Any, inits: list[Any], body: Callable[..., Any], names: str = "") -> list[Value]:
        values = [self.value(v) for v in inits]
        types = [(INT, "i"), *zip([v.type for v in values], names.split() or [None] * len(values), strict=True)]
        regions = [self.region(types, body)[0]]
        outer = self._close(regions)
        return self._loop("for_loop", [self.value(count), *values, *outer], regions, len(values))

    def _loop(self, op: str, inputs: list[Value], regions: list[Any], carried: int) -> list[Value]:
        body = regions[-1].graph
        types = tuple(v.type for v in body.outputs)
        node = self.builder.emit(get(op), inputs, {"carried": carried}, types, tuple(r.graph for r in regions))
        return node.outputs


def list_of(element: ValueType | None) -> ListType:
    return ListType(element)
