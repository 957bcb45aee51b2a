"""demand(x * v[5])  ->  demand(v[5])

Of a value that nobody uses (a statement `v[5]`, a name that is not read again, a list that is changed) only what may raise
is worked out. What is needed in any case is not demanded.
"""

from __future__ import annotations

from runtime.ir.build import emit
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import may_fail, may_raise
from runtime.ir.walk import reachable_functions
from runtime.ops.registry import get
from runtime.passes.dce import effectful_functions, has_effect, loop_inputs, needed_by

__all__ = ["settle_demands"]


def settle_demands(graph: Graph) -> Graph:
    """Move the demands of `graph` and the functions it calls to the operations that may raise, in place."""
    parts = {name: graph.functions[name] for name in reachable_functions(graph)}
    demanding = [part for part in (graph, *parts.values()) if any(node.op.name == "demand" for node in part.walk())]
    for part in demanding:
        _settle(part)
    if demanding:
        _drop(graph, parts)
    return graph


def _drop(graph: Graph, functions: dict[str, Graph]) -> None:
    """Take away the demands for what runs in any case."""
    effects = effectful_functions(graph, list(functions), without_demands=True)
    needed = {name: set(range(len(part.outputs))) for name, part in functions.items()}  # of results, by all calls
    while True:
        before = {name: len(used) for name, used in needed.items()}
        for name, part in functions.items():
            _Needed(effects, needed).look(part, {part.outputs[k] for k in needed[name]})
        _Needed(effects, needed).look(graph, set(graph.outputs))
        if before == {name: len(used) for name, used in needed.items()}:
            break
    for name, part in functions.items():
        _Needed(effects, needed, drops=True).look(part, {part.outputs[k] for k in needed[name]})
    _Needed(effects, needed, drops=True).look(graph, set(graph.outputs))


class _Needed:
    """What is needed of graphs although nobody demands it."""

    def __init__(self, effects: set[str], results: dict[str, set[int]], drops: bool = False) -> None:
        self.effects = effects
        self.results = results
        self.drops = drops

    def look(self, graph: Graph, wanted: set[Value]) -> None:
        """From the end of a graph of which some values are wanted to its beginning."""
        kept: list[Node] = []
        for node in reversed(graph.nodes):
            if node.op.name == "demand":
                if not _is_made(node.inputs[0], wanted):
                    kept.append(node)
                continue
            kept.append(node)
            used = {k for k, v in enumerate(node.outputs) if v in wanted}
            runs = bool(used) or has_effect(node, self.effects)
            if node.op.name == "call":
                self.results[node.attrs["function"]] &= used
            self._look_inside(node, used, runs)
            if runs:
                wanted.update(needed_by(node, used, self.effects))
        if self.drops:
            graph.nodes = kept[::-1]

    def _look_inside(self, node: Node, used: set[int], runs: bool) -> None:
        if node.op.name in ("while_loop", "for_loop"):
            *tests, body = node.regions
            lead = 0 if tests else 1
            needed = loop_inputs(node, lead, used, self.effects) if runs else set()
            for test in tests:
                self.look(test, set(test.outputs) if runs else set())
            self.look(body, {body.outputs[j - lead] for j in needed if 0 <= j - lead < node.carried})
            return
        for region in node.regions:
            self.look(region, {region.outputs[k] for k in used})


def _is_made(value: Value, wanted: set[Value]) -> bool:
    """Whether what makes a value runs in any case."""
    node = value.node
    if value in wanted or node is None:
        return value in wanted
    together = not node.regions and node.op.name != "call"  # these make all or nothing
    return together and any(v in wanted for v in node.outputs)


def _settle(graph: Graph) -> set[Value]:
    """The inputs of the graph that are demanded: who made them raises."""
    wanted: set[Value] = set()
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if node.op.name == "demand":
            wanted.update(node.inputs)
            continue
        made = next((value for value in node.outputs if value in wanted), None)
        if made is not None:
            if _fails(node, graph):
                kept.append(emit(Graph(), get("demand"), [made], {}, (), (), node.location))
            elif node.op.effect is None:
                wanted.update(node.inputs)
        for region in node.regions:
            inputs = _settle(region)
            given = node.inputs[len(node.inputs) - len(region.inputs) :]
            wanted.update(given[value.index] for value in inputs if 0 <= value.index < len(given))
        kept.append(node)
    graph.nodes = kept[::-1]
    return wanted.intersection(graph.inputs)


def _fails(node: Node, graph: Graph) -> bool:
    """Whether running a node may raise what no node with an effect raises."""
    if node.op.name == "call":
        name = node.attrs["function"]
        called = {name, *reachable_functions(graph.functions[name])}
        return any(_raises(inner) for other in called for inner in graph.functions[other].walk())
    return _raises(node) or any(_fails(inner, region) for region in node.regions for inner in region.nodes)


def _raises(node: Node) -> bool:
    if node.op.effect is not None or node.op.name == "call" or node.regions:
        return False
    return may_fail(node.op, node.inputs) and may_raise(node) and not _is_in_range(node)


def _is_in_range(node: Node) -> bool:
    """Whether an item is asked for at known places of a known shape."""
    if node.op.name != "index" or len(node.inputs) > 1:
        return False
    shape, spec = node.inputs[0].tensor_type.shape, node.attrs["spec"]
    if shape is None or len(spec) > len(shape) or not all(type(i) is int for i in spec):
        return False
    return all(type(size) is int and -size <= i < size for i, size in zip(spec, shape, strict=False))
