"""Gradients of loops: the forward loop appends what backward uses to lists that it carries, and a loop over as many
iterations in reverse takes it off again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from runtime.grad.regions import (
    AdjointRegion,
    add,
    conform,
    copy_graph,
    cotangent_type,
    current_trace,
    emit_here,
    empty_like,
    is_in,
    renumber,
    zeros,
)
from runtime.grad.sweep import Sums, Sweep
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.tensor.tensor import Tensor
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["COUNT", "ForwardLoop", "reverse_loop", "wanted"]

COUNT = TensorType("int64", (), weak=True)
"""The type of trip counts."""


def wanted(sweep: Sweep, node: Node, dys: list[Any], need: list[bool]) -> tuple[set[Value], list[int], list[int]]:
    """The body's values that depend on a source; the carried values and the invariants that get cotangents."""
    lead, count, body = int(node.op.name == "for_loop"), node.carried, node.regions[-1]
    varied = sweep.activity.loop_varied(node, need)
    useful = sweep.activity.loop_useful(node, [dy is not None for dy in dys])
    slots = [k for k in range(count) if body.inputs[lead + k] in varied and body.inputs[lead + k] in useful]
    invariants = [k for k in range(lead + count, len(node.inputs)) if need[k] and body.inputs[k] in useful]
    return varied, slots, invariants


def reverse_loop(
    sweep: Sweep, node: Node, dys: list[Any], need: list[bool], sums: Mapping[int, Value] | None = None
) -> list[Any]:
    """A for_loop over as many iterations, backwards.

    It carries the cotangents of the carried values, and a sum per invariant, which starts from zero or from `sums`, by
    the invariant's index. (Sums of products `outer(x[i], dy[i])` into a weight could be one product after the loop, over
    the stacked x and dy; a pass may do that.)
    """
    trace = current_trace()
    outside = trace.builder.region
    loop = ForwardLoop(node)
    lead, count = loop.lead, loop.carried
    varied, slots, invariants = wanted(sweep, node, dys, need)
    body = node.regions[-1]
    if not slots and not invariants:
        return [None] * len(need)

    primal, where = copy_graph(body)
    inside = {where[v] for v in varied}
    given = dict(zip(primal.inputs[lead + count :], node.inputs[lead + count :], strict=True))
    region = AdjointRegion(empty_like(node), outside, primal, given)
    index = region.graph.add_input(body.inputs[0].type if lead else COUNT)
    if lead:
        region.computed[primal.inputs[0]] = lambda: _reversed_index(region, node.inputs[0], index)
    types = [cotangent_type(primal.inputs[lead + k].type) for k in slots]
    d_in = [region.graph.add_input(t) for t in types]
    sum_types = [cotangent_type(primal.inputs[k].type) for k in invariants]
    sums_in = [region.graph.add_input(t) for t in sum_types]

    total = Sums()
    trace.builder.region = region
    try:
        for k, d in zip(slots, d_in, strict=True):
            total.add(primal.outputs[k], Tensor(d))
        sweep.run(primal.nodes, total, partial(is_in, inside))
        outputs = []
        for k, d, type in zip(slots, d_in, types, strict=True):
            found, dx = primal.inputs[lead + k], total.get(primal.inputs[lead + k])
            like = d if _is_as_large(found, primal.outputs[k]) else found
            outputs.append(conform(zeros(type, like) if dx is None else dx, type))
        for k, before, type in zip(invariants, sums_in, sum_types, strict=True):
            dx = total.get(primal.inputs[k])
            outputs.append(before if dx is None else conform(add(Tensor(before), dx), type))
        region.graph.outputs = [region.resolve(v) for v in outputs]
    finally:
        trace.builder.region = outside

    node.regions[-1] = primal
    lists = loop.save(region)
    trips = loop.trip_count()
    loop.finish()
    starts = []
    for k, type in zip(slots, types, strict=True):
        starts.append(conform(zeros(type, node.outputs[k]) if dys[k] is None else dys[k], type))
    for k, type in zip(invariants, sum_types, strict=True):
        begun = None if sums is None else sums.get(k)
        starts.append(conform(zeros(type, node.inputs[loop.now(k)]), type) if begun is None else begun)
    region.drop_unused()
    captured = region.captured()
    inner = {v for _, v in captured}
    region.graph.inputs = [v for v in region.graph.inputs if v not in inner] + [v for _, v in captured]
    renumber(region.graph)
    carried = [*starts, *lists]
    made = trace.builder.emit(
        get("for_loop"),
        [trips, *carried, *(outer for outer, _ in captured)],
        {"carried": len(carried)},
        tuple(v.type for v in region.graph.inputs[1 : 1 + len(carried)]),
        (region.graph,),
        node.location,
    )
    results: list[Any] = [None] * len(need)
    for k, value in zip([*(lead + k for k in slots), *invariants], made.outputs, strict=False):
        results[k] = Tensor(value)
    return results


def _is_as_large(found: Value, left: Value) -> bool:
    """Whether what a step leaves in a carried value is sure to have the shape of what it found there."""
    a, b = found.type, left.type
    return isinstance(a, TensorType) and isinstance(b, TensorType) and a.shape is not None and a.shape == b.shape


def _reversed_index(region: AdjointRegion, count: Value, index: Value) -> Value:
    """count - 1 - index, in the index's type."""
    graph = region.graph
    one = emit_here(graph, "constant", [], value=1, type=COUNT)
    last = emit_here(graph, "sub", [region.resolve(count), one])
    at = emit_here(graph, "sub", [last, index])
    if at.type == index.type or not isinstance(index.type, TensorType):
        return at
    return emit_here(graph, "cast", [at], dtype=index.type.dtype)


class ForwardLoop:
    """A forward loop and what is added to it: lists of saved values, the trip count of a while_loop."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.lead = 1 if node.op.name == "for_loop" else 0
        self.carried = node.carried
        self.starts: list[Value] = []  # entry values of the new carried slots,
        self.inner: list[Value] = []  # the body's inputs for them,
        self.after: list[Value] = []  # and what it returns for them

    @property
    def primal(self) -> Graph:
        """The body, a copy that may be changed."""
        return self.node.regions[-1]

    def now(self, index: int) -> int:
        """Where an input of the node stands after `finish`."""
        return index if index < self.lead + self.carried else index + len(self.starts)

    def save(self, region: AdjointRegion) -> list[Value]:
        """Save what the backward body uses; it takes the values off lists that it carries. Returns what these start as.

        What a step leaves in a carried value is what the next one finds there: where both are used, only what is found is
        saved, and the backward loop keeps it for one step more.
        """
        top: list[Node] = []
        outers = []
        saved = region.settle()
        wanted_by = dict(saved)
        for value, wanted in saved:
            kind = ListType(value.type)
            slot = self._slot_left(value, wanted_by)
            if slot is not None:
                outers.append(self.node.outputs[slot])
                region.graph.inputs.append(wanted)
                region.graph.outputs.append(wanted_by[self.primal.inputs[self.lead + slot]])
                continue
            outers.append(self.collect(value))
            carried = Value(kind, region.graph)
            region.graph.inputs.append(carried)
            scratch = Graph()
            last = scratch.add_node(get("constant"), [], {"value": -1, "type": COUNT}, (COUNT,))
            pop = scratch.add_node(
                get("list_pop"), [carried, last.outputs[0]], {}, (kind, value.type), (), self.node.location
            )
            last.outputs[0].graph = pop.outputs[0].graph = region.graph
            pop.outputs[1], wanted.node, wanted.index = wanted, pop, 1
            top += [last, pop]
            region.graph.outputs.append(pop.outputs[0])
        region.graph.nodes[:0] = top
        own = set(region.captures.values())
        region.graph.inputs.sort(key=lambda v: v in own)
        renumber(region.graph)
        resolve = current_trace().builder.region.resolve
        return [resolve(v) for v in outers]

    def _slot_left(self, value: Value, wanted: Mapping[Value, Value]) -> int | None:
        """A carried value that a step leaves as `value`, and whose value at the step's start is saved as well."""
        for k, after in enumerate(self.primal.outputs[: self.carried]):
            before = self.primal.inputs[self.lead + k]
            types = {value.type, before.type, self.node.outputs[k].type}
            if after is value and value is not before and before in wanted and len(types) == 1:
                return k
        return None

    def collect(self, value: Value) -> Value:
        """The list of what a value of the body was at each step: an output of the node."""
        kind = ListType(value.type)
        slot = self._slot_of_list(value)
        if slot is not None:
            return self.node.outputs[slot]
        before = Value(kind, self.primal)
        append = self.primal.add_node(get("list_append"), [before, value], {}, (kind,), (), self.node.location)
        return self.carry_list(value.type, before, append.outputs[0])

    def trip_count(self) -> Value:
        """How often the body ran: known before a for_loop, counted by a while_loop."""
        if self.lead:
            return self.node.inputs[0]
        slot = self._slot_of_count()
        if slot is not None:
            return self.node.outputs[slot]
        before = Value(COUNT, self.primal, None, 0, "trips")
        one = emit_here(self.primal, "constant", [], value=1, type=COUNT)
        return self.carry_number(0, before, emit_here(self.primal, "add", [before, one]))

    def at_start(self, output: Value) -> Value:
        """What a carried value, given as an output of the node, is when a step starts."""
        k = output.index
        return self.primal.inputs[self.lead + k] if k < self.carried else self.inner[k - self.carried]

    def carry_list(self, element: ValueType, before: Value, after: Value) -> Value:
        """`carry` a list that is empty at first."""
        return self.carry(self._before("list_new", [], {"element": element}, before.type), before, after)

    def carry_number(self, start: int, before: Value, after: Value) -> Value:
        """`carry` a number that is known now."""
        return self.carry(self._before("constant", [], {"value": start, "type": COUNT}, COUNT), before, after)

    def carry(self, start: Value, before: Value, after: Value) -> Value:
        """One more carried value: what it is before the loop, for a step, and after it. Returns the node's output."""
        self.starts.append(start)
        self.inner.append(before)
        self.after.append(after)
        return self.node.add_output(start.type)

    def _before(self, name: str, inputs: list[Value], attrs: dict[str, Any], type: Any) -> Value:
        """A node in front of the loop."""
        graph = self.node.outputs[0].graph
        made = graph.add_node(get(name), inputs, attrs, (type,), (), self.node.location)
        graph.nodes.pop()
        graph.nodes.insert(graph.nodes.index(self.node), made)
        return made.outputs[0]

    def _slots(self) -> Any:
        """(index, entry value, body's input, what the body returns) of the slots there were before."""
        primal, lead = self.primal, self.lead
        for k in range(self.carried):
            yield k, self.node.inputs[lead + k], primal.inputs[lead + k], primal.outputs[k]

    def _slot_of_list(self, value: Value) -> int | None:
        """A slot that already collects `value` (another gradient through this loop saved it)."""
        for k, start, before, after in self._slots():
            append = after.node
            collects = (
                append is not None and append.op.name == "list_append" and append.inputs == [before, value]
            )
            if collects and start.node is not None and start.node.op.name == "list_new":
                return int(k)
        return None

    def _slot_of_count(self) -> int | None:
        for k, start, before, after in self._slots():
            step = after.node
            if step is None or step.op.name != "add" or step.inputs[0] is not before or before.type != COUNT:
                continue
            if _constant(step.inputs[1]) == 1 and _constant(start) == 0:
                return int(k)
        return None

    def finish(self) -> None:
        """Put the new slots behind those there were."""
        node, at = self.node, self.lead + self.carried
        if not self.starts:
            return
        node.inputs[at:at] = self.starts
        node.attrs = {**node.attrs, "carried": self.carried + len(self.starts)}
        self.primal.inputs[at:at] = self.inner
        self.primal.outputs += self.after
        renumber(self.primal)
        if not self.lead:
            test, _ = copy_graph(node.regions[0])
            test.inputs[at:at] = [Value(v.type, test) for v in self.inner]
            renumber(test)
            node.regions[0] = test


def _constant(value: Value) -> Any:
    """The bare number that a value is, if it is a constant."""
    node = value.node
    number = node.attrs["value"] if node is not None and node.op.name == "constant" else None
    return number if type(number) is int else None
