"""`recompute_grad`: a function whose gradient runs it again instead of keeping what it computed.

In a trace the nodes that the call made are copied into its gradient, behind fences, so that no pass finds that they are
computed already. Eagerly the function is called again, with variables and generators as they were; what it writes to them
is taken back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runtime.grad.activity import Activity, differentiable
from runtime.grad.control import RULES
from runtime.grad.functional import custom_gradient
from runtime.grad.records import is_inexact
from runtime.grad.regions import conform, copy_node, cotangent_type, current_trace
from runtime.grad.replay import check_calls, silent
from runtime.grad.structure import flatten, pack
from runtime.grad.sweep import Sums, Sweep
from runtime.grad.tape import GradientTape
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.tensor import trace as trace_module
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, writes_noted

__all__ = ["recompute_grad"]


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose gradient runs it again instead of keeping its intermediate values: time for memory.

    Random numbers come out as they did, and variables are written once. In a trace nothing is printed twice, and Python
    functions are not asked again; eagerly the function's Python code does run twice.

    Args:
      f: a function of tensors that returns a tensor or a nested structure of them. Cotangents reach its positional
        arguments and the trainable variables that it reads; in a trace all that it uses.

    Raises:
      UnimplementedError: in a trace, the function calls Python inside a staged branch or loop.

    >>> x = Tensor(np.array([2.0]))
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = recompute_grad(lambda x: x * x * x)(x)
    >>> tape.gradient(y, x).tolist()
    [12.0]

    Source of the semantics: TensorFlow's `tf.recompute_grad`.
    """

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return _eager(f, args, kwargs) if STATE.trace is None else _staged(f, args, kwargs)

    return wrapped


def _eager(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    whole: list[Any] = []
    places: list[int] = []

    def noted(*inner: Any) -> Any:
        with writes_noted() as writes:
            result = f(*inner, **kwargs)
        held = list(writes.values())
        whole.append(result)
        results = flatten(result)
        places.extend(k for k, x in enumerate(results) if isinstance(x, Tensor) and is_inexact(x._value))

        def grad(*dys: Any, variables: Any = ()) -> Any:
            leaves = flatten(inner)
            tensors = [x for x in leaves if isinstance(x, Tensor)]
            with _as_before(held), GradientTape() as tape:
                tape.watch(tensors)
                again = flatten(f(*inner, **kwargs))
            outputs = [again[k] for k in places]
            dxs = tape.derivatives(outputs, [*tensors, *variables], list(dys))
            found = iter(dxs)
            per_argument = [next(found) if isinstance(x, Tensor) else None for x in leaves]
            return (per_argument, list(found)) if variables else per_argument

        return [results[k] for k in places], grad

    differentiated = custom_gradient(noted)(*args)
    leaves = flatten(whole[0])
    for k, leaf in zip(places, differentiated, strict=True):
        leaves[k] = leaf
    return pack(whole[0], leaves)


@contextmanager
def _as_before(held: list[tuple[Tensor, Any]]) -> Iterator[None]:
    """Boxes with what they held, and after it with what they hold now, whatever is written."""
    now = [(box, box._value) for box, _ in held]
    for box, before in held:
        box._value = before
    with writes_noted() as writes:
        try:
            yield
        finally:
            for box, before in [*writes.values(), *now]:
                box._value = before
            writes.clear()


def _staged(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    trace = current_trace()
    graph = trace.builder.region.graph
    start = len(graph.nodes)
    result = trace_module.converted(f)(*args, **kwargs)
    nodes = graph.nodes[start:]
    made = {v for node in nodes for v in node.outputs}
    leaves = flatten(result)
    places, ys = [], []
    for k, leaf in enumerate(leaves):
        value = trace.value_of(leaf) if isinstance(leaf, Tensor) else None
        if value in made and differentiable(value.type):
            places.append(k)
            ys.append(value)
    if not ys:
        return result
    needed, outside = _slice(nodes, ys, made)
    xs = [v for v in outside if differentiable(v.type)]
    for k, value in zip(places, _node(needed, ys, xs), strict=True):
        leaves[k] = Tensor(value)
    return pack(result, leaves)


def _slice(nodes: list[Node], ys: list[Value], made: set[Value]) -> tuple[list[Node], list[Value]]:
    """The nodes that the results need, and what these use from outside. What Python returned is from outside."""
    wanted, needed = set(ys), []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs) and node.op.effect != "py":
            wanted.update(node.inputs)
            needed.append(node)
    needed.reverse()
    inside = {v for node in needed for v in node.outputs}
    return needed, list(dict.fromkeys(v for node in needed for v in node.inputs if v not in inside))


def _node(needed: list[Node], ys: list[Value], xs: list[Value]) -> list[Value]:
    """A node that passes the results on; its gradient copies the nodes that made them and goes back through the copies."""
    trace = current_trace()
    builder, tapes = trace.builder, STATE.tapes
    region = builder.push(Graph(functions=trace.graph.functions))
    STATE.tapes = ()
    try:
        dys = [region.graph.add_input(cotangent_type(y.type)) for y in ys]
        where: dict[Value, Value] = {}
        copies = []
        for node in needed:
            for value in node.inputs:
                if value not in where:
                    where[value] = _fenced(region.resolve(value))
            check_calls(node, region.graph)
            copy = copy_node(node, [where[v] for v in node.inputs], region.graph)
            copy.regions = [silent(r) for r in copy.regions]
            where.update(zip(node.outputs, copy.outputs, strict=True))
            copies.append(copy)
        varied = {where[x] for x in xs}
        activity = Activity()
        for copy in copies:
            reached = activity.forward(copy, [v in varied for v in copy.inputs])
            varied.update(v for v, is_reached in zip(copy.outputs, reached, strict=True) if is_reached)
        sums = Sums()
        for y, dy in zip(ys, dys, strict=True):
            sums.add(where[y], Tensor(dy))
        Sweep(activity, RULES).run(copies, sums, lambda _, v: v in varied)
        found = [sums.get(where[x]) for x in xs]
        region.graph.outputs = [
            region.resolve(conform(dx, cotangent_type(x.type)))
            for dx, x in zip(found, xs, strict=True)
            if dx is not None
        ]
    finally:
        STATE.tapes = tapes
        builder.pop()
    connected = tuple(dx is not None for dx in found)
    attrs = {"values": len(ys), "count": len(xs), "connected": connected}
    inputs = [*ys, *xs, *(outer for outer, _ in region.captured())]
    made = builder.emit(get("custom_gradient"), inputs, attrs, tuple(y.type for y in ys), (region.graph,))
    return made.outputs


def _fenced(value: Value) -> Value:
    """A value that is not known to be the same as another."""
    trace = current_trace()
    number = trace.notes["fences"] = trace.notes.get("fences", 0) + 1
    return trace.operand(op.fence(Tensor(value), number=number))
