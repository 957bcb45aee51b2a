"""Gradients of nodes with regions: cond and custom_gradient here, loops and calls in files of their own.

The backward region is built from a copy of the forward region. What it uses of forward values is saved by the forward
node, which is extended in place: a cond returns more values, with placeholders on the other side. Invariants and what
is cheap to compute again are not saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from runtime.grad.activity import differentiable
from runtime.grad.attempts import attempt_rule
from runtime.grad.calls import call_rule
from runtime.grad.checkpoint import loop_rule
from runtime.grad.regions import (
    AdjointRegion,
    close_regions,
    conform,
    copy_graph,
    cotangent_type,
    current_trace,
    emit_here,
    empty_like,
    is_in,
    zeros,
)
from runtime.grad.sweep import Rule, Sums, Sweep
from runtime.ir.graph import Node, Value
from runtime.ops.registry import get
from runtime.tensor.tensor import Tensor

__all__ = ["RULES"]


# Branches


def cond_rule(sweep: Sweep, node: Node, dys: list[Any], need: list[bool]) -> list[Any]:
    """A cond by the same predicate, whose branches are the forward branches' adjoints."""
    trace = current_trace()
    outside = trace.builder.region
    invariant = node.inputs[1:]
    mask = need[1:]
    regions, sums = [], []
    for k, forward in enumerate(node.regions):
        varied = sweep.activity.varied(forward, mask)
        primal, where = copy_graph(forward)
        region = AdjointRegion(
            empty_like(node), outside, primal, dict(zip(primal.inputs, invariant, strict=True))
        )
        inside = {where[v] for v in varied}
        total = Sums()
        trace.builder.region = region
        try:
            for out, dy in zip(primal.outputs, dys, strict=True):
                if dy is not None and out in inside:
                    total.add(out, dy)
            sweep.run(primal.nodes, total, partial(is_in, inside))
        finally:
            trace.builder.region = outside
        node.regions[k] = primal
        regions.append(region)
        sums.append(total)
    reached = [
        [total.get(v) is not None for v in r.primal.inputs] for total, r in zip(sums, regions, strict=True)
    ]
    active = [k for k, m in enumerate(mask) if m and any(branch[k] for branch in reached)]
    if not active:
        return [None] * len(need)
    types = tuple(cotangent_type(invariant[k].type) for k in active)
    for region, total in zip(regions, sums, strict=True):
        trace.builder.region = region
        try:
            for k, type in zip(active, types, strict=True):
                into = region.primal.inputs[k]
                dx = total.get(into)
                region.graph.outputs.append(
                    region.resolve(conform(zeros(type, into) if dx is None else dx, type))
                )
        finally:
            trace.builder.region = outside
    _save_in_branches(node, regions)
    outers = close_regions(list(regions))
    inputs = [node.inputs[0], *outers]
    made = trace.builder.emit(get("cond"), inputs, {}, types, tuple(r.graph for r in regions), node.location)
    results: list[Any] = [None] * len(need)
    for k, value in zip(active, made.outputs, strict=True):
        results[1 + k] = Tensor(value)
    return results


def _save_in_branches(node: Node, regions: list[AdjointRegion]) -> None:
    """Make the forward cond return what its adjoint uses of it; branches share an output where types agree."""
    outside = current_trace().builder.region
    spare: list[Value] = []  # outputs that only the first branch defines so far
    for k, region in enumerate(regions):
        primal, other = region.primal, regions[1 - k].primal
        for value, wanted in region.settle():
            index = next((i for i, v in enumerate(primal.outputs) if v is value), None)
            if index is None:
                shared = next((out for out in spare if out.type == value.type), None) if k else None
                if shared is not None:
                    spare.remove(shared)
                    index = shared.index
                    primal.outputs[index] = value
                else:
                    out = node.add_output(value.type)
                    index = out.index
                    primal.outputs.append(value)
                    other.outputs.append(emit_here(other, "placeholder", [], type=value.type))
                    if not k:
                        spare.append(out)
            outer = outside.resolve(node.outputs[index])
            region.captures[outer] = wanted
            region.graph.inputs.append(wanted)
        region.drop_unused()


# A user's own gradient


def custom_rule(_sweep: Sweep, node: Node, dys: list[Any], _need: list[bool]) -> list[Any]:
    """The node's region, which is its gradient, put in place. (custom_gradient: see runtime.grad.functional.)"""
    trace = current_trace()
    ys = len(node.outputs)
    full = [
        zeros(cotangent_type(v.type), v) if dy is None and differentiable(v.type) else dy
        for dy, v in zip(dys, node.outputs, strict=True)
    ]
    arguments = [trace.operand(d) for d, v in zip(full, node.outputs, strict=True) if differentiable(v.type)]
    region = node.regions[0]
    xs = int(node.attrs["count"])
    captured = node.inputs[ys + xs :]
    where = dict(zip(region.inputs, [*arguments, *captured], strict=True))
    for inner in region.nodes:
        types = tuple(v.type for v in inner.outputs)
        made = trace.builder.emit(
            inner.op, [where[v] for v in inner.inputs], dict(inner.attrs), types, tuple(inner.regions)
        )
        where.update(zip(inner.outputs, made.outputs, strict=True))
    connected = node.attrs["connected"]
    results = iter(region.outputs)
    dxs = [Tensor(where[next(results)]) if c else None for c in connected]
    return [*([None] * ys), *dxs, *([None] * len(captured))]


RULES: Mapping[str, Rule] = {
    "attempt": attempt_rule,
    "call": call_rule,
    "cond": cond_rule,
    "custom_gradient": custom_rule,
    "for_loop": loop_rule,
    "while_loop": loop_rule,
}
