"""Running steps of a loop again: the same values, and nothing that anybody sees.

Prints and assertions are left out: the loop has been through them. What Python functions returned is saved by the loop
itself and read again. Random numbers are functions of a state that the loop carries, so they come out the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.grad.loops import COUNT, ForwardLoop
from runtime.grad.regions import copy_graph, current_trace, emit_here, prune, renumber
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import CALLS, reachable_functions
from runtime.ops.registry import get
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.spec import TensorType

__all__ = ["Replay", "check_calls", "silent"]

_SEEN = frozenset(("print", "py"))
"""Effects that must not come twice."""


class Replay:
    """A loop's body made so that a part of its steps can run anywhere.

    Its inputs are (step, *carried, *invariants, begin, *lists of what Python functions returned): step counts from begin.
    """

    def __init__(self, loop: ForwardLoop, body: Graph) -> None:
        self.loop = loop
        self.invariants = list(loop.node.inputs[loop.lead + loop.carried :])
        asking = any(n.op.effect == "py" and n.outputs for n in body.nodes)
        primal, of_primal = copy_graph(body) if asking or not loop.lead else (body, {})
        loop.node.regions[-1] = primal
        self.lists: list[Value] = []  # outputs of the forward loop

        self.template, _ = copy_graph(body)
        graph = self.template
        step, begin = Value(COUNT, graph, None, 0, "step"), Value(COUNT, graph, None, 0, "begin")
        nodes, graph.nodes = graph.nodes, []
        at = emit_here(graph, "add", [begin, step])
        if loop.lead:
            index = graph.inputs.pop(0)
            if at.type != index.type:
                assert isinstance(index.type, TensorType)
                at = emit_here(graph, "cast", [at], dtype=index.type.dtype)
            _define(index, at.node)
            at = index
        given = []
        for old, node in zip(body.nodes, nodes, strict=True):
            if node.op.effect == "py" and node.outputs:
                for value, result in zip(node.outputs, old.outputs, strict=True):
                    collected = loop.collect(of_primal[result])
                    self.lists.append(collected)
                    given.append(Value(collected.type, graph))
                    _define(value, graph.add_node(get("list_get"), [given[-1], at], {}, (value.type,)))
            elif node.op.effect not in _SEEN:
                check_calls(node, graph)
                node.regions = [silent(region) for region in node.regions]
                graph.nodes.append(node)
        graph.inputs = [step, *graph.inputs, begin, *given]
        renumber(graph)

    def emit(self, steps: Value, begin: Value, state: Sequence[Value], kept: Sequence[int]) -> Node:
        """Run `steps` steps from step `begin`, for the carried values `kept`; `state` holds all of them."""
        builder = current_trace().builder
        graph, _ = copy_graph(self.template)
        count = self.loop.carried
        graph.outputs = [graph.outputs[k] for k in kept]
        prune(graph, effects=True)
        carried = [graph.inputs[1 + k] for k in kept]
        graph.inputs = [graph.inputs[0], *carried, *graph.inputs[1 + count :]]
        renumber(graph)
        inputs = [steps, *(state[k] for k in kept), *self.invariants, begin, *self.lists]
        types = tuple(v.type for v in carried)
        return builder.emit(
            get("for_loop"), inputs, {"carried": len(types)}, types, (graph,), self.loop.node.location
        )

    def narrow(self, leaf: Node) -> list[int]:
        """Leave in a replay, which carried all and now saves besides, what the saved values depend on: which these are."""
        count, body = self.loop.carried, leaf.regions[-1]
        kept: set[int] = set()
        while True:
            wanted = {*body.outputs[count:], *(body.outputs[k] for k in kept)}
            for node in reversed(body.nodes):
                if not wanted.isdisjoint(node.outputs):
                    wanted.update(node.inputs)
            more = {k for k in range(count) if body.inputs[1 + k] in wanted}
            if more <= kept:
                break
            kept |= more
        gone = [k for k in range(count) if k not in kept]
        body.outputs = [v for k, v in enumerate(body.outputs) if k not in gone]
        prune(body, effects=True)
        body.inputs = [v for k, v in enumerate(body.inputs) if k - 1 not in gone]
        renumber(body)
        leaf.inputs = [v for k, v in enumerate(leaf.inputs) if k - 1 not in gone]
        leaf.outputs = [v for k, v in enumerate(leaf.outputs) if k not in gone]
        for index, value in enumerate(leaf.outputs):
            value.index = index
        leaf.attrs = {**leaf.attrs, "carried": len(leaf.outputs)}
        return sorted(kept)


def _define(value: Value, node: Node | None) -> None:
    """Make a value the (one) result of a node."""
    assert node is not None
    node.outputs[0], value.node, value.index = value, node, 0


def silent(graph: Graph) -> Graph:
    """A region without what must not come twice."""
    if not any(node.op.effect in _SEEN or node.op.name in CALLS for node in graph.walk()):
        return graph
    copy, _ = copy_graph(graph)
    nodes = []
    for node in copy.nodes:
        if node.op.effect == "py" and node.outputs:
            raise _refused(node, "Python is called inside a branch or a loop")
        if node.op.effect not in _SEEN:
            check_calls(node, copy)
            node.regions = [silent(region) for region in node.regions]
            nodes.append(node)
    copy.nodes = nodes
    return copy


def check_calls(node: Node, graph: Graph) -> None:
    """Refuse calls of functions that do what must not come twice."""
    if node.op.name not in CALLS:
        return
    alone = Graph("", graph.functions)
    alone.nodes = [node]
    for name in reachable_functions(alone):
        if any(inner.op.effect in _SEEN for inner in graph.functions[name].walk()):
            raise _refused(node, f"{name!r} is called, which prints or calls Python")


def _refused(node: Node, why: str) -> UnimplementedError:
    where = "" if node.location is None else f" ({node.location})"
    return UnimplementedError(
        f"what runs again for its gradient (the steps of a loop with a memory budget, a function of recompute_grad), where "
        f"{why}{where}: take the budget or recompute_grad away, or do that outside",
        op=node.op.name,
    )
