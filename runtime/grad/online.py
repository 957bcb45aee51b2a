"""Checkpoints that a loop takes while it runs, where nobody knows how long it will run.

    while c:           ->      while c:
        y = f(y)                   if step == due: kept.append(y); too many: every second one goes, the gap doubles
                                   y = f(y)

(The doubling of online checkpointing: Stumm and Walther, "New algorithms for optimal online checkpointing", SIAM J. Sci.
Comput. 32, 2010, whose first phase it is.) When the loop ends, between half of the places and all of them are taken, evenly
spaced, and backward has not to run the steps from the first to the last once more to take them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runtime.grad.loops import COUNT, ForwardLoop
from runtime.grad.regions import close_regions, current_trace
from runtime.ir.build import Region
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.spec import ListType

__all__ = ["take_checkpoints"]


def take_checkpoints(
    loop: ForwardLoop, trips: Value, kept: Sequence[int], spacing: Value, places: Value
) -> list[Value]:
    """Make a while_loop, which counts its steps in `trips`, keep the numbers of the steps and what its carried values `kept`
    were when they began, of `places` steps at most, the first among them and at first `spacing` from each other. Both are
    known before the loop.

    Returns the lists, outputs of the loop: of the steps, and of each value.
    """
    trace = current_trace()
    outside = trace.builder.region
    primal = loop.primal
    step = loop.at_start(trips)
    state = [step, *(primal.inputs[loop.lead + k] for k in kept)]
    lists = [Value(ListType(v.type), primal) for v in state]
    due, gap, most = (Value(COUNT, primal, None, 0, name) for name in ("due", "gap", "most"))
    trace.builder.region = Region(primal, outside)
    try:
        *grown, next_due, wider = _cond(
            op.equal(Tensor(step), Tensor(due)),
            lambda: _taken(lists, state, gap, most),
            lambda: [*lists, due, gap],
        )
    finally:
        trace.builder.region = outside
    outputs = [loop.carry_list(v.type, before, after) for v, before, after in zip(state, lists, grown, strict=True)]
    loop.carry_number(0, due, next_due)
    loop.carry(spacing, gap, wider)
    loop.carry(places, most, most)
    return outputs


def _taken(lists: Sequence[Value], state: Sequence[Value], gap: Value, most: Value) -> list[Value]:
    """The lists with one more checkpoint, the step where the next is due, and how far they stand from each other."""
    trace = current_trace()
    grown = [trace.operand(op.list_append(Tensor(v), Tensor(new))) for v, new in zip(lists, state, strict=True)]
    return _cond(
        op.greater(op.list_len(Tensor(grown[0])), Tensor(most)),
        lambda: _every_second(grown, gap),
        lambda: [*grown, trace.operand(op.add(Tensor(state[0]), Tensor(gap))), gap],
    )


def _every_second(lists: Sequence[Value], gap: Value) -> list[Value]:
    trace = current_trace()
    halved = [trace.operand(op.list_slice(Tensor(v), 2, spec=(False, False, True))) for v in lists]
    wider = op.mul(Tensor(gap), 2)
    last = op.list_get(Tensor(halved[0]), -1)
    return [*halved, trace.operand(op.add(last, wider)), trace.operand(wider)]


def _cond(test: Tensor, then: Callable[[], list[Value]], otherwise: Callable[[], list[Value]]) -> list[Value]:
    """A cond whose branches give values of the same types."""
    trace = current_trace()
    builder = trace.builder
    regions = []
    for branch in (then, otherwise):
        region = builder.push(Graph(functions=builder.graph.functions))
        region.graph.outputs = [region.resolve(v) for v in branch()]
        builder.pop()
        regions.append(region)
    types = tuple(v.type for v in regions[0].graph.outputs)
    inputs = [trace.operand(test), *close_regions(regions)]
    return builder.emit(get("cond"), inputs, {}, types, tuple(r.graph for r in regions)).outputs
