"""Gradients of loops within a number of bytes: parts of the loop run again instead of saving what each step computed.

Backward starts from the state the loop began with. The steps from the last checkpoint to where backward has come to are
run again up to a multiple of `block`, where the next checkpoint is taken, until no more than `block` steps are left: these
run once more, saving what backward needs, and are taken back as any loop. Where the next checkpoint stands is the binomial
schedule of Griewank and Walther (Algorithm 799: Revolve, 2000) over blocks. Half of the budget is for what the steps of a
block save, a sixth for checkpoints: a list that grows takes up to three times what is in it.

A `for` leaves its trip count alone; a `while`, whose steps nobody can count before it ends, takes checkpoints on its way
(`online`). Nothing else is kept of the forward loop but what Python functions returned in it, which are not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from runtime.grad.loops import COUNT, ForwardLoop, reverse_loop, wanted
from runtime.grad.online import take_checkpoints
from runtime.grad.regions import close_regions, conform, cotangent_type, current_trace, emit_here, zeros
from runtime.grad.replay import Replay
from runtime.grad.sizes import Sizes, most_bytes, static_number
from runtime.grad.sweep import Sweep
from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.spec import ListType, ValueType

__all__ = ["loop_rule"]

BUDGET = "memory_budget"
"""The attribute of a loop that says how many bytes its gradient may keep."""


def loop_rule(sweep: Sweep, node: Node, dys: list[Any], need: list[bool]) -> list[Any]:
    """The gradient of a loop, within the budget that it has or that a loop around it left."""
    budgets = [b for b in (node.attrs.get(BUDGET), sweep.budget) if b is not None]
    if not budgets:
        return reverse_loop(sweep, node, dys, need)
    budget = min(budgets)
    share = budget // _levels(node)
    _, slots, invariants = wanted(sweep, node, dys, need)
    total = most_bytes(node)
    if (not slots and not invariants) or (total is not None and total <= share):
        sweep.saved += total or 0
        return reverse_loop(Sweep(sweep.activity, sweep.rules), node, dys, need)
    rest = Sweep(sweep.activity, sweep.rules, budget - share)
    parts = _Checkpointed(rest, node, share)
    results = parts.results(dys, need, slots, invariants)
    if results is None:
        sweep.saved += parts.whole
        results = reverse_loop(rest, node, dys, need)
    return results


def _levels(node: Node) -> int:
    """How deep loops stand in a loop, itself included: the budget is shared by the levels."""
    loops = [n for region in node.regions for n in region.walk() if n.op.name in ("for_loop", "while_loop")]
    return 1 + max(map(_levels, loops), default=0)


class _Checkpointed:
    """One loop taken back from checkpoints."""

    def __init__(self, sweep: Sweep, node: Node, budget: int) -> None:
        self.sweep = sweep
        self.node = node
        self.budget = budget
        self.lead = int(node.op.name == "for_loop")
        self.carried = node.carried
        self.block: Tensor | int = 1
        self.places: Tensor | int = 1
        self.whole = 0  # bytes that all its steps save, where that is within the budget

    def results(
        self, dys: list[Any], need: list[bool], slots: list[int], invariants: list[int]
    ) -> list[Any] | None:
        """The cotangents of the node's inputs; None where nothing has to be saved, or all there is to save fits."""
        trace, node = current_trace(), self.node
        builder = trace.builder
        sources = list(node.inputs[self.lead :])
        varied = self.sweep.activity.loop_varied(node, need)
        body = node.regions[-1]
        # Before the loop is changed: what backward begins with.
        starts = [_start(dys[k], node.outputs[k], body.inputs[self.lead + k]) for k in slots]
        sums = [_start(None, node.inputs[k], body.inputs[k]) for k in invariants]
        loop = ForwardLoop(node)
        replay = Replay(loop, body)

        region = builder.push(Graph(functions=builder.graph.functions))
        graph = region.graph
        current = graph.add_input(COUNT, "steps_left")
        d_in = [graph.add_input(v.type) for v in starts]
        sums_in = [graph.add_input(v.type) for v in sums]
        state = [Value(t.type, graph, None, 0, t.name) for t in body.inputs[self.lead : self.lead + self.carried]]
        begin = Value(COUNT, graph, None, 0, "begin")
        steps = trace.operand(op.sub(Tensor(current), Tensor(begin)))
        leaf = replay.emit(steps, begin, state, range(self.carried))
        begun = {1 + k - self.lead: v for k, v in zip(invariants, sums_in, strict=True)}
        of_leaf: list[Any] = [None] * self.carried
        for k, d in zip(slots, d_in, strict=True):
            of_leaf[k] = Tensor(d)
        mask = [
            False,
            *(body.inputs[self.lead + k] in varied for k in range(self.carried)),
            *need[self.lead + self.carried :],
        ]
        mask += [False] * (len(leaf.inputs) - len(mask))
        dxs = reverse_loop(self.sweep, leaf, of_leaf, mask, begun)
        saved = [v.type for v in leaf.outputs[self.carried :]]
        products = [t for n in graph.nodes if n.op.name == "for_loop" and n is not leaf for t in _rows_kept(n)]
        kept = replay.narrow(leaf)
        outputs = [begin]
        outputs += [_value(dxs[1 + k], d) for k, d in zip(slots, d_in, strict=True)]
        outputs += [_value(dxs[1 + k - self.lead], d) for k, d in zip(invariants, sums_in, strict=True)]
        last, graph.nodes = graph.nodes, []
        builder.pop()

        before = len(builder.region.graph.nodes)
        sizes = Sizes(sources)
        each_step = sizes.bytes([*(t.element for t in saved if isinstance(t, ListType)), *products])
        each_step = op.add(each_step, self.sweep.saved) if isinstance(each_step, Tensor) else each_step + self.sweep.saved
        trips = static_number(node.inputs[0]) if self.lead else None
        small = isinstance(each_step, int) and trips is not None and trips * each_step <= self.budget
        self.whole = trips * each_step if saved and small else 0  # type: ignore[assignment, operator]
        if (not saved or small) and not replay.lists:
            return None
        self.block = at_least_1(self.budget // 2, each_step)
        self.places = at_least_1(self.budget // 6, sizes.bytes([state[k].type for k in kept]))
        builder.region = region

        kinds = [ListType(COUNT), *(ListType(state[k].type) for k in kept)]
        stacks = [graph.add_input(t) for t in kinds]
        grown = self.advance(replay, current, stacks, kept)
        for stack, value in zip(grown, [begin, *(state[k] for k in kept)], strict=True):
            outputs.append(_pop(graph, stack, value))
        graph.nodes += last
        graph.outputs = [region.resolve(v) for v in outputs]
        builder.pop()

        count = loop.trip_count()
        online = None if self.lead else self.before_the_loop(before)
        if online is None:
            entry = [trace.constant(0), *(node.inputs[self.lead + k] for k in kept)]
            first = [_one(v, t) for v, t in zip(entry, kinds, strict=True)]
        else:
            first = take_checkpoints(loop, count, kept, *online)
        loop.finish()
        carried = [builder.region.resolve(v) for v in (count, *starts, *sums, *first)]
        made = _while(carried, lambda values: op.greater(Tensor(values[0]), 0), region, node)
        results: list[Any] = [None] * len(need)
        places = [*(self.lead + k for k in slots), *invariants]
        for k, value in zip(places, made[1:], strict=False):
            results[k] = Tensor(value)
        return results

    def before_the_loop(self, begin: int) -> tuple[Value, Value] | None:
        """`block` and half of the places for checkpoints, in front of the loop; nodes from `begin` on compute them.

        None where the loop stands in another region than its gradient, and they are not known now.
        """
        trace = current_trace()
        graph = trace.builder.region.graph
        if self.node.outputs[0].graph is not graph:
            return None
        places = max(self.places // 2, 1) if isinstance(self.places, int) else op.maximum(op.floordiv(self.places, 2), 1)
        values = trace.operand(self.block), trace.operand(places)
        made = graph.nodes[begin:]
        del graph.nodes[begin:]
        at = graph.nodes.index(self.node)
        graph.nodes[at:at] = made
        return values

    def advance(self, replay: Replay, current: Value, stacks: list[Value], kept: list[int]) -> list[Value]:
        """Run on from the last checkpoint and take more, until at most `block` steps are left behind the last."""
        trace = current_trace()
        builder = trace.builder
        region = builder.push(Graph(functions=builder.graph.functions))
        inner = [region.graph.add_input(v.type) for v in stacks]
        begin, *state = (trace.operand(op.list_get(Tensor(v), -1)) for v in inner)
        left = op.sub(Tensor(current), Tensor(begin))
        blocks = op.floordiv(op.sub(op.add(left, self.block), 1), self.block)
        free = op.add(op.sub(self.places, op.list_len(Tensor(inner[0]))), 1)
        behind = op.sub(blocks, split(blocks, op.maximum(free, 1)))
        steps = op.sub(left, op.mul(behind, self.block))  # the block that may be shorter is the first
        full: list[Value] = [begin] * self.carried
        for k, value in zip(kept, state, strict=True):
            full[k] = value
        run = replay.emit(trace.operand(steps), begin, full, kept)
        news = [trace.operand(op.add(Tensor(begin), steps)), *run.outputs]
        pushed = [op.list_append(Tensor(v), Tensor(new)) for v, new in zip(inner, news, strict=True)]
        region.graph.outputs = [region.resolve(trace.operand(v)) for v in pushed]
        builder.pop()
        more = lambda values: op.greater(
            op.sub(Tensor(current), op.list_get(Tensor(values[0]), -1)), self.block
        )
        return _while(stacks, more, region, self.node)


_PRODUCTS = frozenset(("matmul", "outer", "reduce_sum", "sum_to_like"))


def _rows_kept(node: Node) -> Iterator[ValueType]:
    """What a backward loop keeps beside what the forward loop saved, where sums of products are taken after it: a list of
    their operands, one in the other order and an array of them; of what was saved, an array."""
    for value in {v for n in node.regions[0].nodes if n.op.name in _PRODUCTS for v in n.inputs}:
        base = value
        while base.node is not None and base.node.op.view and base.node.inputs:
            base = base.node.inputs[0]
        if base.node is not None and base.node.op.name != "constant":
            yield from [base.type] * (1 if base.node.op.name == "list_pop" else 3)


def _start(dy: Tensor | None, like: Value, of: Value) -> Value:
    """The cotangent that backward begins with, as the loop carries it for a value of its body."""
    kind = cotangent_type(of.type)
    return conform(zeros(kind, like) if dy is None else dy, kind)


def split(blocks: Tensor, places: Tensor) -> Tensor:
    """How many of `blocks` (at least 2) to run on before the next checkpoint, with room for `places` of them: the first
    one counts. With C(places + r, places) >= blocks for the smallest r, no block is run more than r times again.

    The steps behind the new checkpoint have one place less and r repetitions, those before it as many places and r - 1.
    """
    trace = current_trace()
    builder = trace.builder
    zero, one = trace.constant(0), trace.constant(1)
    region = builder.push(Graph(functions=builder.graph.functions))
    r, reach, _ = (region.graph.add_input(COUNT) for _ in range(3))
    more = op.add(Tensor(r), 1)
    wider = op.floordiv(op.mul(Tensor(reach), op.add(places, more)), more)
    region.graph.outputs = [region.resolve(trace.operand(v)) for v in (more, wider, Tensor(reach))]
    builder.pop()
    made = _while([zero, one, one], lambda values: op.less(Tensor(values[1]), blocks), region, None)
    rounds, before = Tensor(made[0]), Tensor(made[2])
    behind = op.floordiv(op.mul(before, places), op.sub(op.add(places, rounds), 1))
    return op.maximum(op.minimum(before, op.sub(blocks, behind)), 1)


def at_least_1(budget: int, each: Tensor | int) -> Tensor | int:
    """How many things of a size a budget holds."""
    return max(budget // each, 1) if isinstance(each, int) else op.maximum(op.floordiv(budget, each), 1)


def _value(x: Tensor | None, otherwise: Value) -> Value:
    return otherwise if x is None else current_trace().operand(x)


def _pop(graph: Graph, stack: Value, value: Value) -> Value:
    """Define `value` as the last of a stack; returns the stack without it."""
    last = emit_here(graph, "constant", [], value=-1, type=COUNT)
    pop = graph.add_node(get("list_pop"), [stack, last], {}, (stack.type, value.type))
    pop.outputs[1], value.node, value.index = value, pop, 1
    return pop.outputs[0]


def _one(value: Value, kind: ListType) -> Value:
    """A list of one value."""
    trace = current_trace()
    empty = trace.builder.emit(get("list_new"), [], {"element": kind.element}, (kind,)).outputs[0]
    return trace.builder.emit(get("list_append"), [empty, value], {}, (kind,)).outputs[0]


def _while(
    starts: Sequence[Value], test: Callable[[list[Value]], Tensor], body: Any, node: Node | None
) -> list[Value]:
    """A while_loop whose body is built already."""
    trace = current_trace()
    builder = trace.builder
    region = builder.push(Graph(functions=builder.graph.functions))
    values = [region.graph.add_input(v.type) for v in starts]
    region.graph.outputs = [region.resolve(trace.operand(test(values)))]
    builder.pop()
    outers = close_regions([region, body])
    made = builder.emit(
        get("while_loop"),
        [*starts, *outers],
        {"carried": len(starts)},
        tuple(v.type for v in starts),
        (region.graph, body.graph),
        None if node is None else node.location,
    )
    return made.outputs
