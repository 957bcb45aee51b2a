"""Loops: `carried k never changes` -> `k is an invariant`; `for: y = f(x), x invariant` -> `y = f(x)` before the loop.

A node moves out only if the loop surely runs, or if it is cheap and can't raise, so that a loop that runs zero times
raises nothing. What may raise moves only from before the first effect, so that prints and errors keep their order.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import is_cheap, may_raise
from runtime.ir.walk import reachable_functions, renewed, substitute
from runtime.passes.dce import effectful_functions, has_effect
from runtime.passes.rewrite import constant_node, constant_of, graphs

__all__ = ["move_invariants"]


def move_invariants(graph: Graph) -> Graph:
    """`while: y = f(x)` -> `y = f(x)` before the loop, for what the loop does not change."""
    effects = effectful_functions(graph, reachable_functions(graph))
    for each in graphs(graph):
        _move(each, effects)
    return graph


def _move(graph: Graph, effects: set[str]) -> None:
    for node, table in renewed(graph):
        for region in node.regions:
            _move(region, effects)
        if node.op.name in ("while_loop", "for_loop"):
            table.update(_unchanged(node))
            for region in node.regions:
                graph.nodes += _hoist(node, region, graph, effects)
        graph.nodes.append(node)


def _unchanged(node: Node) -> dict[Value, Value]:
    """Make invariants of the carried values that the body returns as they came: {loop's output: initial value}."""
    lead = 1 if node.op.name == "for_loop" else 0
    body = node.regions[-1]
    fixed = [k for k in range(node.carried) if body.outputs[k] is body.inputs[lead + k]]
    if not fixed:
        return {}
    results = {node.outputs[k]: node.inputs[lead + k] for k in fixed}
    moved = {lead + k for k in fixed}
    node.inputs = _at_end(node.inputs, moved)
    for region in node.regions:
        region.inputs = _at_end(region.inputs, moved)
        for index, value in enumerate(region.inputs):
            value.index = index
            if index >= len(region.inputs) - len(fixed):
                value.type = node.inputs[index].type
    gone = set(fixed)
    body.outputs = [v for k, v in enumerate(body.outputs) if k not in gone]
    node.outputs = [v for k, v in enumerate(node.outputs) if k not in gone]
    for index, value in enumerate(node.outputs):
        value.index = index
    node.attrs = {**node.attrs, "carried": len(node.outputs)}
    return results


def _at_end(values: list[Value], moved: set[int]) -> list[Value]:
    return [v for k, v in enumerate(values) if k not in moved] + [values[k] for k in sorted(moved)]


def _hoist(node: Node, region: Graph, graph: Graph, effects: set[str]) -> list[Node]:
    """Take what depends on invariants only out of one region of a loop: the nodes, now `graph`'s."""
    first = (1 if node.op.name == "for_loop" else 0) + node.carried
    outside = dict(zip(region.inputs[first:], node.inputs[first:], strict=True))
    runs = _surely_runs(node, region)
    acted = False
    moved: list[Node] = []
    kept: list[Node] = []
    for inner in region.nodes:
        acts = has_effect(inner, effects)
        acted = acted or acts
        moves = _is_table(inner) or _may_move(inner, outside, runs, acted)
        if inner.op.name == "constant" or acts or not moves:
            acted = acted or (inner.op.name != "constant" and may_raise(inner))
            kept.append(inner)
            continue
        for value in inner.inputs:
            if value not in outside:
                copy = constant_node(graph, constant_of(value), value.tensor_type, inner.location)
                moved.append(copy)
                outside[value] = copy.outputs[0]
        inner.inputs = [outside[v] for v in inner.inputs]
        moved.append(inner)
        outside |= {v: v for v in inner.outputs}
    region.nodes = kept
    _pass_in(node, region, graph, moved)
    return moved


def _surely_runs(node: Node, region: Graph) -> bool:
    if node.op.name == "while_loop":
        return region is node.regions[0]
    count = constant_of(node.inputs[0])
    return isinstance(count, int) and count > 0


def _may_move(node: Node, outside: dict[Value, Value], runs: bool, acted: bool) -> bool:
    if node.regions or node.op.name in ("call", "placeholder") or not node.inputs:
        return False
    fixed = [v in outside for v in node.inputs]
    if not any(fixed):
        return False
    if not all(known or _is_constant(v) for known, v in zip(fixed, node.inputs, strict=True)):
        return False
    if may_raise(node):
        return runs and not acted
    return runs or is_cheap(node)


def _is_table(node: Node) -> bool:
    """Whether a node makes a list of constants that its region, and those inside, only look at."""
    return node.op.name == "list_from" and all(map(_is_constant, node.inputs)) and _is_looked_at(node.outputs[0])


def _is_looked_at(value: Value) -> bool:
    if value in value.graph.outputs:
        return False
    for node in value.graph.nodes:
        for k, given in enumerate(node.inputs):
            if given is not value or node.op.name in ("list_get", "list_length"):
                continue
            if node.op.name == "cond":
                inside = [region.inputs[k - 1] for region in node.regions]
            elif node.op.name in ("for_loop", "while_loop") and k >= node.carried + (node.op.name == "for_loop"):
                inside = [region.inputs[k] for region in node.regions]
            else:
                return False
            if not all(map(_is_looked_at, inside)):
                return False
    return True


def _is_constant(value: Value) -> bool:
    return value.node is not None and value.node.op.name == "constant"


def _pass_in(node: Node, region: Graph, graph: Graph, moved: list[Node]) -> None:
    """Give the region, and its siblings, the values of moved nodes that it still uses as inputs."""
    used = {v for inner in region.nodes for v in inner.inputs} | set(region.outputs)
    table: dict[Value, Value] = {}
    for inner in moved:
        for value in inner.outputs:
            if value in used:
                node.inputs.append(value)
                for each in node.regions:
                    made = each.add_input(value.type, value.name)
                    if each is region:
                        table[value] = made
            value.graph = graph
    if table:
        substitute(region, table)
