"""Reverse mode as a graph transformation: gradients of values under construction, of whole graphs, of staged calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from runtime.grad.activity import Activity, differentiable, everything
from runtime.grad.calls import adjoint_graph, pull_back
from runtime.grad.control import RULES
from runtime.grad.regions import AdjointRegion, conform, copy_graph, cotangent_type, renumber
from runtime.grad.sweep import Sums, Sweep
from runtime.ir.graph import Graph, Node, Value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace

__all__ = ["Vjp", "gradient_graph", "same_values", "staged_gradient", "vjp_graph"]


def same_values(trace: Trace) -> Callable[[Value], Value]:
    """In the open regions, an input that stands for an outer value is that value."""
    outer_of: dict[Value, Value] = {}
    region = trace.builder.region
    while region.parent is not None:
        outer_of.update((inner, outer) for outer, inner in region.captured())
        region = region.parent

    def same(value: Value) -> Value:
        while value in outer_of:
            value = outer_of[value]
        return value

    return same


def staged_gradient(
    trace: Trace,
    seeds: Iterable[tuple[Value, Tensor]],
    sources: Sequence[Value],
    recorded: Callable[[Node], bool] = everything,
    watched: dict[Value, int] | None = None,
) -> list[Tensor | None]:
    """Cotangents of `sources`, by nodes added to the region that is open now.

    Walks the open regions from the innermost to the function, so target, sources and tape may be of different ones.

    Args:
      trace: the active trace.
      seeds: (target, its cotangent) pairs.
      sources: values of the open regions.
      recorded: the nodes that count.
      watched: the values watched, each with the `next_id` at that time; None if everything is.
    """
    same = same_values(trace)
    nodes: list[Node] = []
    region = trace.builder.region
    while True:
        nodes[:0] = region.graph.nodes
        if region.parent is None:
            break
        region = region.parent
    activity = Activity(recorded)
    since = {same(v): -1 for v in sources if differentiable(v.type)}
    if watched is not None:
        stamps: dict[Value, int] = {}
        for v, stamp in watched.items():
            stamps[same(v)] = min(stamp, stamps.get(same(v), stamp))
        tracked = _varied(activity, nodes, same, stamps)
        since = {v: tracked[v] for v in since if v in tracked}
    varied = _varied(activity, nodes, same, since)

    def needs(node: Node, value: Value) -> bool:
        stamp = varied.get(same(value))
        return stamp is not None and node.id > stamp

    sums = Sums(same)
    for value, dy in seeds:
        if same(value) in varied:
            sums.add(value, dy)
    Sweep(activity, RULES).run(nodes, sums, needs)
    results: list[Tensor | None] = []
    for source in sources:
        dx = sums.get(source) if same(source) in since else None
        results.append(None if dx is None else Tensor(conform(dx, cotangent_type(source.type))))
    return results


def _varied(
    activity: Activity, nodes: list[Node], same: Callable[[Value], Value], since: dict[Value, int]
) -> dict[Value, int]:
    """Values that depend on those in `since`, each with the moment from which on its uses count."""
    varied = dict(since)
    for node in nodes:
        mask = [(stamp := varied.get(same(v))) is not None and node.id > stamp for v in node.inputs]
        for value, reached in zip(node.outputs, activity.forward(node, mask), strict=True):
            if reached:
                varied[value] = -1
    return varied


class Vjp(NamedTuple):
    """A graph's forward half that saves, and the backward half that uses what was saved.

    forward     the graph with `saved` more outputs
    backward    (inputs[i] for i in kept, saved..., cotangents of the outputs `given`) -> cotangents of inputs `wrt`
    wrt         indices of the inputs that have a cotangent: those asked for, without structural zeros
    """

    forward: Graph
    backward: Graph
    kept: tuple[int, ...]
    saved: int
    wrt: tuple[int, ...]
    given: tuple[int, ...]


def vjp_graph(graph: Graph, wrt: Sequence[int], output_indices: Sequence[int]) -> Vjp:
    """Split the gradient of a function graph, so that forward runs once.

    Args:
      graph: a function's graph; it is not changed.
      wrt: indices of inputs.
      output_indices: indices of the outputs that get cotangents; those that are not floating are left out.
    """
    primal, where = copy_graph(graph)
    given = tuple(k for k in output_indices if differentiable(primal.outputs[k].type))
    activity = Activity()
    mask = [k in set(wrt) for k in range(len(graph.inputs))]
    varied = activity.varied(graph, mask)
    useful = activity.useful(graph, [k in given for k in range(len(graph.outputs))])
    used = tuple(k for k in wrt if graph.inputs[k] in varied and graph.inputs[k] in useful)
    inside = {where[v] for v in varied}

    trace = Trace(f"{graph.name}_backward" if graph.name else "", graph.functions)
    region = AdjointRegion(trace.graph, None, primal, {})
    trace.builder.region = region
    seeds = [trace.graph.add_input(cotangent_type(primal.outputs[k].type)) for k in given]
    pull_back(trace, Sweep(activity, RULES), primal, zip(given, seeds, strict=True), used, inside)
    kept, inputs, saved = [], [], []
    for value, wanted in region.settle():
        if value.node is None:
            kept.append(value.index)
            inputs.append(wanted)
        else:
            primal.outputs.append(value)
            saved.append(wanted)
    trace.graph.inputs = [*inputs, *saved, *seeds]
    renumber(trace.graph)
    return Vjp(primal, trace.graph, tuple(kept), len(saved), used, given)


def gradient_graph(graph: Graph, wrt: Sequence[int], output_indices: Sequence[int]) -> Graph:
    """(inputs..., cotangents of outputs at `output_indices`...) -> cotangents of inputs `wrt`; forward is included."""
    return adjoint_graph(graph, wrt, output_indices, RULES, f"{graph.name}_gradient" if graph.name else "")
