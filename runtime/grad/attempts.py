"""The gradient of an `attempt`: its function's where that returned; where it raised, that of what came in.

What a `note` kept of the way until the exception has no gradient: there the backward pass says so when it runs.
"""

from __future__ import annotations

from typing import Any

from runtime.grad.calls import adjoint_graph
from runtime.grad.regions import close_regions, conform, cotangent_type, current_trace, zeros
from runtime.grad.sweep import Sweep
from runtime.ir.graph import Graph, Node
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.spec import ListType

__all__ = ["attempt_rule"]


def attempt_rule(sweep: Sweep, node: Node, dys: list[Any], need: list[bool]) -> list[Any]:
    """Cotangents of (first slots, arguments)."""
    slots, name = node.attrs["slots"], node.attrs["function"]
    functions = node.outputs[0].graph.functions
    results: list[Any] = [None] * len(need)
    given = [k for k in range(slots) if dys[1 + k] is not None]
    if not given:
        return results
    tag = Tensor(node.outputs[0])
    noted = {n.attrs["slot"] for n in functions[name].walk() if n.op.name == "note" and n.attrs["of"] == name}
    for k in sorted(noted & set(given)):
        _refuse(tag, dys[1 + k], len(node.attrs["exceptions"]))
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
    predicate = trace.operand(op.equal(tag, 0))
    graphs = tuple(region.graph for region in regions)
    made = trace.builder.emit(get("cond"), [predicate, *outers], {}, types, graphs, node.location)
    for k, value in zip(wanted, made.outputs, strict=True):
        results[k] = Tensor(value)
    return results


def _refuse(tag: Tensor, dy: Any, exceptions: int) -> None:
    """Raise, when the backward pass runs, where a noted value has a gradient after an exception."""
    message = "the gradient of a value that a `try` had changed before it failed: move the change out of the `try`"
    errors = tuple((1 + k, UnimplementedError, message) for k in range(exceptions))
    matters = True if isinstance(dy.type, ListType) else op.any(op.not_equal(dy, 0))
    op.require_alternative(op.where(matters, tag, 0), index=0, errors=errors)


def _adjoint(sweep: Sweep, node: Node, dys: list[Any], given: list[int], wrt: list[int]) -> list[Any]:
    """Cotangents of the arguments where the function returned."""
    trace = current_trace()
    slots, name = node.attrs["slots"], node.attrs["function"]
    functions = node.outputs[0].graph.functions
    own = [k - slots for k in wrt]
    adjoint = f"{name}_grad_{'_'.join(map(str, own))}_by_{'_'.join(map(str, given))}"
    if adjoint not in functions:
        adjoint_graph(functions[name], own, given, sweep.rules, adjoint, functions)
    types = tuple(cotangent_type(node.inputs[k].type) for k in wrt)
    seeds = [conform(dys[1 + k], cotangent_type(node.outputs[1 + k].type)) for k in given]
    inputs = [*node.inputs[slots:], *seeds]
    made = trace.builder.emit(get("call"), inputs, {"function": adjoint}, types, (), node.location)
    return list(map(Tensor, made.outputs))

