"""The slow, obvious executor: walk the nodes, run each operation's NumPy meaning. What plans are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import TensorType


def interpret(graph: Graph, *arrays: Any) -> list[Any]:
    """The outputs of a graph. Inputs are never changed: every operation gets copies."""
    env: dict[Value, Any] = dict(zip(graph.inputs, arrays, strict=True))
    for node in graph.nodes:
        results = _run(graph, node, [env[v] for v in node.inputs])
        for value, result in zip(node.outputs, results, strict=True):
            env[value] = _typed(value, result)
    return [env[v] for v in graph.outputs]


def _run(graph: Graph, node: Node, inputs: list[Any]) -> list[Any]:
    name = node.op.name
    if name == "cond":
        return interpret(node.regions[0 if inputs[0] else 1], *inputs[1:])
    if name == "while_loop":
        test, body = node.regions
        carried, rest = inputs[: node.carried], inputs[node.carried :]
        while interpret(test, *carried, *rest)[0]:
            carried = interpret(body, *carried, *rest)
        return carried
    if name == "for_loop":
        carried, rest = inputs[1 : 1 + node.carried], inputs[1 + node.carried :]
        for i in range(inputs[0]):
            carried = interpret(node.regions[0], i, *carried, *rest)
        return carried
    if name == "call":
        return interpret(graph.functions[node.attrs["function"]], *inputs)
    weak = bool(inputs) and all(type(x) in (bool, int, float, complex) for x in inputs)
    run = node.op.run_weak if weak else node.op.run
    out = run(*map(duplicate, inputs), **node.attrs)
    return [out] if node.op.outputs == 1 else list(out)


def duplicate(x: Any) -> Any:
    """A copy, lists and their elements included."""
    if isinstance(x, np.ndarray):
        return x.copy()
    return [duplicate(e) for e in x] if isinstance(x, list) else x


def _typed(value: Value, result: Any) -> Any:
    weak = isinstance(value.type, TensorType) and value.type.weak
    return result.item() if weak and isinstance(result, (np.generic, np.ndarray)) else result


def same(a: Any, b: Any) -> None:
    """Assert that two results are equal, class and dtype included."""
    if isinstance(a, list):
        assert isinstance(b, list), (a, b)
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
        return
    if isinstance(a, (np.ndarray, np.generic)):
        assert isinstance(b, (np.ndarray, np.generic)), (a, b)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)
    else:
        assert type(a) is type(b), (a, b)
        assert a == b or (a != a and b != b), (a, b)
