"""Seeded random graphs over small arrays and Python numbers, with nested control flow, and inputs to run them on."""

import numpy as np

from runtime.ir.build import Builder
from runtime.ir.graph import Graph
from runtime.ops.registry import get
from runtime.typesys.errors import OpError
from runtime.typesys.spec import TensorType, type_of_payload

ARRAYS = [("float32", (3,)), ("float64", (2, 3)), ("int64", (3,)), ("float64", ()), ("int32", ()), ("bool", ())]
UNARY = ["neg", "abs", "square", "identity", "sin", "exp", "logical_not", "floor", "stop_gradient"]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "less", "equal", "not_equal", "logical_and", "div", "pow"]
NUMBERS = [0, 1, 2, -1, 0.0, 1.0, -0.0, 2.5, True, False]


class Maker:
    """One random graph."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.builder = Builder(Graph(f"g{seed}"))
        self.pool = [self.builder.graph.add_input(TensorType(d, s), f"x{k}") for k, (d, s) in enumerate(ARRAYS)]

    def arrays(self):
        rng = self.rng
        values = [np.asarray(rng.integers(-3, 4, s) * (0.75 if d[0] == "f" else 1)).astype(d) for d, s in ARRAYS]
        return [v[()] for v in values]

    def pick(self, pool, where=lambda t: True):
        found = [v for v in pool if where(v.type)]
        return found[self.rng.integers(len(found))] if found else None

    def emit(self, name, inputs, types=None, regions=(), **attrs):
        return self.builder.emit(get(name), inputs, attrs, types, regions).outputs

    def constant(self, payload):
        return self.emit("constant", [], value=payload, type=type_of_payload(payload))[0]

    def grow(self, pool, count, depth):
        for _ in range(count):
            try:
                pool += self.step(pool, depth)
            except OpError:
                continue  # operands that the operation does not take

    def step(self, pool, depth):
        kind = self.rng.integers(12 if depth else 8)
        if kind == 0:
            return [self.constant(NUMBERS[self.rng.integers(len(NUMBERS))])]
        if kind == 1:
            return [self.constant(np.float32(self.rng.integers(-2, 3)) if self.rng.integers(2) else np.arange(3.0))]
        if kind <= 3:
            return self.emit(UNARY[self.rng.integers(len(UNARY))], [self.pick(pool)])
        if kind <= 6:
            return self.emit(BINARY[self.rng.integers(len(BINARY))], [self.pick(pool), self.pick(pool)])
        if kind == 7:
            x = self.pick(pool, lambda t: t.rank)
            return self.emit("reduce_sum", [x], axis=None, keepdims=False) if x is not None else []
        if kind <= 9:
            return self.cond(pool, depth)
        return self.for_loop(pool, depth) if kind == 10 else self.while_loop(pool, depth)

    def cond(self, pool, depth):
        predicate = self.pick(pool, lambda t: t.dtype.kind == "b" and t.shape == ())
        if predicate is None:
            return []
        passed = [self.pick(pool) for _ in range(3)]
        want = passed[0].type
        regions = []
        for _ in range(2):
            graph = Graph(functions=self.builder.graph.functions)
            inner = [graph.add_input(v.type, v.name) for v in passed]
            self.inside(graph, inner, 4, depth - 1)
            others = self.pick(inner[1:], lambda t: t == want)
            graph.outputs = [self.pick(inner, lambda t: t == want), others or inner[0]]
            regions.append(graph)
        return self.emit("cond", [predicate, *passed], (want, want), tuple(regions))

    def loop_body(self, passed, carried, index, depth):
        graph = Graph(functions=self.builder.graph.functions)
        lead = [graph.add_input(index, "i")] if index is not None else []
        inner = [graph.add_input(v.type, v.name) for v in passed]
        self.inside(graph, [*lead, *inner], 5, depth - 1, keep=inner)
        graph.outputs = [self.pick(inner, lambda t, w=v.type: t == w) for v in passed[:carried]]
        return graph

    def inside(self, graph, values, count, depth, keep=None):
        region = self.builder.push(graph)
        assert region.graph is graph
        pool = list(values)
        self.grow(pool, count, depth)
        self.builder.pop()
        (values if keep is None else keep)[:] = pool

    def for_loop(self, pool, depth):
        count = self.constant(int(self.rng.integers(0, 4)))
        passed = [self.pick(pool) for _ in range(4)]
        body = self.loop_body(passed, 2, TensorType("int64", (), True), depth)
        return self.emit("for_loop", [count, *passed], tuple(v.type for v in passed[:2]), (body,), carried=2)

    def while_loop(self, pool, depth):
        start, limit = self.constant(0), self.constant(int(self.rng.integers(0, 4)))
        passed = [start, *(self.pick(pool) for _ in range(3)), limit]
        functions = self.builder.graph.functions
        test = Graph(functions=functions)
        values = [test.add_input(v.type) for v in passed]
        self.builder.push(test)
        test.outputs = self.emit("less", [values[0], values[-1]])
        self.builder.pop()
        body = self.loop_body(passed, 3, None, depth)
        self.builder.push(body)
        one = self.constant(1)
        body.outputs[0] = self.emit("add", [body.inputs[0], one])[0]
        self.builder.pop()
        types = tuple(v.type for v in passed[:3])
        return self.emit("while_loop", passed, types, (test, body), carried=3)


def random_graph(seed, size=14):
    """(graph, inputs)"""
    maker = Maker(seed)
    maker.grow(maker.pool, size, 2)
    graph = maker.builder.graph
    graph.outputs = [maker.pool[k] for k in range(6, len(maker.pool))][-6:] or maker.pool[:1]
    return graph, maker.arrays()
