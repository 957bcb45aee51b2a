"""The gradient of an `attempt`: its function's where that returned; where it raised, that of what came in.

Where what a `note` kept on the way to the exception has a gradient, that of the attempt spelled out.
"""

from __future__ import annotations

from typing import Any

from runtime.grad.calls import adjoint_graph
from runtime.grad.outcomes import spelled_out
from runtime.grad.regions import close_regions, conform, cotangent_type, current_trace, zeros
from runtime.grad.sweep import Sweep
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor

__all__ = ["attempt_rule"]


def attempt_rule(sweep: Sweep, node: Node, dys: list[Any], need: list[bool]) -> list[Any]:
    """Cotangents of (first slots, arguments)."""
    slots, name = node.attrs["slots"], node.attrs["function"]
    functions = node.outputs[0].graph.functions
    results: list[Any] = [None] * len(need)
    given = [k for k in range(slots) if dys[1 + k] is not None]
    if not given:
        return results
    noted = {n.attrs["slot"] for n in functions[name].walk() if n.op.name == "note" and n.attrs["of"] == name}
    if not noted.isdisjoint(given):
        return _by_outcome(sweep, node, dys, need, given)
    entries = [k for k in given if need[k]]
    arguments = [k for k in range(slots, len(need)) if need[k]]
    if not entries and not arguments:
        return results
    trace = current_trace()
    wanted = [*entries, *arguments]
    types = tuple(cotangent_type(node.inputs[k].type) for k in wanted)
    inputs = [node.inputs[k] for k in wanted]
    regions = []
    for returned in (True, False):
        region = trace.builder.push(Graph(functions=functions))
        found = [zeros(t, v) if returned else dys[1 + k] for k, t, v in zip(entries, types, inputs, strict=False)]
        rest = list(zip(types, inputs, strict=True))[len(entries) :]
        if returned and arguments:
            found += _adjoint(sweep, node, dys, given, arguments)
        else:
            found += [zeros(t, v) for t, v in rest]
        region.graph.outputs = [region.resolve(conform(dx, t)) for dx, t in zip(found, types, strict=True)]
        trace.builder.pop()
        regions.append(region)
    outers = close_regions(regions)
    predicate = trace.operand(op.equal(Tensor(node.outputs[0]), 0))
    graphs = tuple(region.graph for region in regions)
    made = trace.builder.emit(get("cond"), [predicate, *outers], {}, types, graphs, node.location)
    for k, value in zip(wanted, made.outputs, strict=True):
        results[k] = Tensor(value)
    return results


def _by_outcome(sweep: Sweep, node: Node, dys: list[Any], need: list[bool], given: list[int]) -> list[Any]:
    """Cotangents where what was noted has some: those of the attempt spelled out."""
    functions = node.outputs[0].graph.functions
    spelled = spelled_out(node, functions)
    wrt = [k for k, needed in enumerate(need) if needed]
    results: list[Any] = [None] * len(need)
    for k, dx in zip(wrt, _called(sweep, node, spelled, dys, wrt, [1 + k for k in given], node.inputs), strict=True):
        results[k] = dx
    return results


def _adjoint(sweep: Sweep, node: Node, dys: list[Any], given: list[int], wrt: list[int]) -> list[Any]:
    """Cotangents of the arguments where the function returned."""
    slots = node.attrs["slots"]
    own = [k - slots for k in wrt]
    return _called(sweep, node, node.attrs["function"], dys, own, given, node.inputs[slots:])


def _called(
    sweep: Sweep, node: Node, name: str, dys: list[Any], wrt: list[int], given: list[int], inputs: list[Value]
) -> list[Tensor]:
    """Cotangents of a function's inputs `wrt`, from those of its outputs `given`; `dys` are those of the node's last."""
    functions = node.outputs[0].graph.functions
    graph = functions[name]
    adjoint = f"{name}_grad_{'_'.join(map(str, wrt))}_by_{'_'.join(map(str, given))}"
    if adjoint not in functions:
        adjoint_graph(graph, wrt, given, sweep.rules, adjoint, functions)
    types = tuple(cotangent_type(inputs[k].type) for k in wrt)
    last = dys[len(dys) - len(graph.outputs) :]
    seeds = [conform(last[k], cotangent_type(graph.outputs[k].type)) for k in given]
    made = current_trace().builder.emit(get("call"), [*inputs, *seeds], {"function": adjoint}, types, (), node.location)
    return list(map(Tensor, made.outputs))
