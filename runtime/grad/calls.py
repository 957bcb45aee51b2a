"""Gradients of calls: a named function has two halves, named functions again, recursive where it is.

The forward half gives its caller, besides its outputs, a record of what the backward half needs; a record holds those of
the calls inside. So the gradient of a recursion costs as much as some calls of it, at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runtime.grad.activity import Activity
from runtime.grad.regions import (
    AdjointRegion,
    conform,
    copy_graph,
    copy_node,
    cotangent_type,
    current_trace,
    prune,
    renumber,
    zeros,
)
from runtime.grad.sweep import Rule, Sums, Sweep
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import CALLS, reachable_functions
from runtime.ops.records import RECORD
from runtime.ops.registry import get
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, tracing
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.spec import type_of_payload

__all__ = ["adjoint_graph", "call_rule", "captured_to_constants", "halves"]


def call_rule(sweep: Sweep, node: Node, dys: list[Any], need: list[bool]) -> list[Any]:
    """A call of the function's backward half; the forward call becomes one of its forward half, which also records."""
    functions = node.outputs[0].graph.functions
    name = node.attrs["function"]
    graph = functions.get(name)
    if graph is None or len(graph.outputs) != len(node.outputs):
        raise UnimplementedError(
            f"the gradient of a call of {name!r} inside {name!r} itself: take it outside",
            op="call",
            id="gradient-in-recursion",
            name=name,
        )
    useful = sweep.activity.backward(node, [dy is not None for dy in dys])
    wrt = [k for k, n in enumerate(need) if n and useful[k]]
    given = [k for k, dy in enumerate(dys) if dy is not None]
    results: list[Any] = [None] * len(need)
    if not wrt:
        return results
    seeds = [conform(dys[k], cotangent_type(graph.outputs[k].type)) for k in given]
    types = tuple(cotangent_type(graph.inputs[k].type) for k in wrt)
    tape, pull = halves(graph, name, wrt, given, sweep.rules, functions)
    constant = [node.inputs[k] for k in _again(pull)]
    node.attrs = {**node.attrs, "function": tape}
    record = node.add_output(RECORD)
    trace = current_trace()
    made = trace.builder.emit(get("call"), [record, *seeds, *constant], {"function": pull}, types, (), node.location)
    for k, value in zip(wrt, made.outputs, strict=True):
        results[k] = Tensor(value)
    return results


def halves(
    graph: Graph,
    name: str,
    wrt: Sequence[int],
    given: Sequence[int],
    rules: Mapping[str, Rule],
    functions: dict[str, Graph],
) -> tuple[str, str]:
    """The names of a function's two halves, which are made on first need and may call themselves.

    forward     inputs -> (outputs, record)
    backward    (record, cotangents of the outputs `given`, inputs) -> cotangents of the inputs `wrt`

    The inputs that are given to the backward half again are those that it needs and that every call of the function
    by itself passes on: a record of each call would hold the same. Its name says which they are.
    """
    suffix = f"{'_'.join(map(str, wrt))}_by_{'_'.join(map(str, given))}"
    tape, pull = f"{name}_tape_{suffix}", f"{name}_grad_{suffix}"
    for known in functions:
        if known == pull or known.startswith(f"{pull}{_WITH}"):
            return tape, known
    passed_on = _passed_on(graph, name, functions)
    kept = _build(graph, tape, pull, wrt, given, rules, functions)
    again = [k for k in passed_on if k in kept]
    if again:
        del functions[tape], functions[pull]
        pull += _WITH + "_".join(map(str, again))
        _build(graph, tape, pull, wrt, given, rules, functions)
    return tape, pull


_WITH = "_with_"


def _again(pull: str) -> list[int]:
    """The inputs that a backward half is given again."""
    found = re.search(rf"{_WITH}([\d_]+)$", pull)
    return [int(k) for k in found.group(1).split("_")] if found else []


def _passed_on(graph: Graph, name: str, functions: dict[str, Graph]) -> list[int]:
    """The inputs that all calls of a function by itself pass on as they are; none if others call it, or nobody."""
    others = {n.attrs["function"] for n in graph.walk() if n.op.name in CALLS} - {name}
    if any(name in reachable_functions(functions[other]) for other in others):
        return []
    passed: set[int] | None = None

    def look(region: Graph, origin: dict[Value, int]) -> None:
        nonlocal passed
        for node in region.nodes:
            if node.op.name in CALLS and node.attrs["function"] == name:
                same = {k for k, v in enumerate(node.inputs) if origin.get(v) == k}
                passed = same if passed is None and node.op.name == "call" else same & (passed or set())
            for inner in node.regions:
                inputs = node.inputs[1:] if node.op.name == "cond" else []
                look(inner, {v: origin[w] for v, w in zip(inner.inputs, inputs, strict=False) if w in origin})

    look(graph, {v: k for k, v in enumerate(graph.inputs)})
    return sorted(passed or ())


def _build(
    graph: Graph,
    tape: str,
    pull: str,
    wrt: Sequence[int],
    given: Sequence[int],
    rules: Mapping[str, Rule],
    functions: dict[str, Graph],
) -> set[int]:
    """Make both halves; the inputs that the record holds."""
    primal, where = copy_graph(graph)
    primal.name = tape
    trace = Trace(pull, functions)
    functions[tape], functions[pull] = primal, trace.graph
    activity = Activity()
    inside = {where[v] for v in activity.varied(graph, [k in wrt for k in range(len(graph.inputs))])}
    constant = {primal.inputs[k]: trace.graph.add_input(primal.inputs[k].type) for k in _again(pull)}
    region = AdjointRegion(trace.graph, None, primal, dict(constant))
    trace.builder.region = region
    seeds = [trace.graph.add_input(cotangent_type(primal.outputs[k].type)) for k in given]
    pull_back(trace, Sweep(activity, rules), primal, zip(given, seeds, strict=True), wrt, inside)
    saved = region.settle()
    record = trace.graph.add_input(RECORD)
    if saved:
        types = tuple(wanted.type for _, wanted in saved)
        unpacked = trace.graph.add_node(get("unpack_record"), [record], {"types": types}, types)
        trace.graph.nodes.insert(0, trace.graph.nodes.pop())
        for index, (_, wanted) in enumerate(saved):
            wanted.node, wanted.index = unpacked, index
            unpacked.outputs[index] = wanted
    packed = primal.add_node(get("pack_record"), [value for value, _ in saved], {}, (RECORD,))
    primal.outputs.append(packed.outputs[0])
    trace.graph.inputs = [record, *seeds, *constant.values()]
    renumber(trace.graph)
    return {value.index for value, _ in saved if value.node is None}


def adjoint_graph(
    graph: Graph,
    wrt: Sequence[int],
    given: Sequence[int],
    rules: Mapping[str, Rule],
    name: str,
    functions: dict[str, Graph] | None = None,
) -> Graph:
    """(inputs..., cotangents of the outputs `given`...) -> cotangents of the inputs `wrt`, forward values recomputed.

    With `functions` it is entered there under `name` before it is built, so that it may call itself.
    """
    trace = Trace(name, graph.functions if functions is None else functions)
    result = trace.graph
    if functions is not None:
        functions[name] = result
    where: dict[Value, Value] = {v: result.add_input(v.type, v.name) for v in graph.inputs}
    seeds = [result.add_input(cotangent_type(graph.outputs[k].type)) for k in given]
    result.outputs = [
        Value(cotangent_type(graph.inputs[k].type), result) for k in wrt
    ]  # types for calls of itself
    for node in graph.nodes:
        copy = copy_node(node, [where[v] for v in node.inputs], result)
        where.update(zip(node.outputs, copy.outputs, strict=True))
    forward = list(result.nodes)
    activity = Activity()
    mask = [k in wrt for k in range(len(graph.inputs))]
    inside = {where[v] for v in activity.varied(graph, mask)}
    outputs = []
    with tracing(trace):
        sums = Sums()
        for k, seed in zip(given, seeds, strict=True):
            sums.add(where[graph.outputs[k]], Tensor(seed))
        Sweep(activity, rules).run(forward, sums, lambda _, v: v in inside)
        for k in wrt:
            source = result.inputs[k]
            type = cotangent_type(source.type)
            dx = sums.get(source)
            outputs.append(conform(zeros(type, source) if dx is None else dx, type))
    result.outputs = outputs
    captured_to_constants(trace)
    prune(result, effects=True)
    return result


def pull_back(
    trace: Trace,
    sweep: Sweep,
    primal: Graph,
    seeds: Iterable[tuple[int, Value]],
    wrt: Iterable[int],
    inside: set[Value],
) -> None:
    """Fill a trace's graph: of cotangents of outputs (by number), those of the inputs `wrt`, through the values `inside`."""
    outputs = []
    with tracing(trace):
        sums = Sums()
        for k, seed in seeds:
            if primal.outputs[k] in inside:
                sums.add(primal.outputs[k], Tensor(seed))
        sweep.run(primal.nodes, sums, lambda _, v: v in inside)
        for k in wrt:
            source = primal.inputs[k]
            type = cotangent_type(source.type)
            dx = sums.get(source)
            made = conform(zeros(type, source) if dx is None else dx, type)
            outputs.append(trace.builder.region.resolve(made))
    trace.graph.outputs = outputs
    captured_to_constants(trace)


def captured_to_constants(trace: Trace) -> None:
    """Arrays that rules brought in become constants of the graph instead of inputs."""
    graph = trace.graph
    for thing, value in trace.captured.values():
        payload = thing._value if isinstance(thing, Tensor) else thing
        kind = type_of_payload(payload)
        node = graph.add_node(get("constant"), [], {"value": payload, "type": kind}, (kind,))
        graph.nodes.insert(0, graph.nodes.pop())
        graph.inputs.remove(value)
        value.node, value.index = node, 0
        node.outputs[0] = value
    renumber(graph)
