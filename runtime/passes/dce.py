"""Dead code elimination, regions included.

A node goes when nothing uses its outputs and it has no effect. Of a control node that stays, go the outputs that
nothing uses, the carried values that only feed themselves, and the invariants that no region reads.
A loop without effects whose results nobody needs goes, even if it would not end. In functions that an `attempt` calls
what may raise stays, as somebody waits for the exception: `try: xs[i]`.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.safety import may_fail, may_raise
from runtime.ir.walk import reachable_functions

_EXCEPTIONS = "(exceptions)"
"""Among the names of functions with effects: exceptions are effects, too."""
NO_DEMANDS = "(no demands)"
"""Among the names of functions with effects: what is demanded only is not needed."""

__all__ = [
    "NO_DEMANDS",
    "effectful_functions",
    "eliminate_dead_code",
    "has_effect",
    "loop_inputs",
    "needed_by",
]


def eliminate_dead_code(graph: Graph, without_demands: bool = False) -> Graph:
    """Remove dead nodes from `graph` and the functions it calls, in place; the same graph is returned.

    Inputs and outputs of the graph and of functions stay as they are. `without_demands`: what nobody uses need not raise.
    """
    names = reachable_functions(graph)
    effects = effectful_functions(graph, names, without_demands)
    watched = _watched_functions(graph, names)
    _clean(graph, effects)
    for name in names:
        _clean(graph.functions[name], effects | {_EXCEPTIONS} if name in watched else effects)
    return graph


def _watched_functions(graph: Graph, names: list[str]) -> set[str]:
    """Functions whose exceptions an attempt waits for: those that it calls, directly or through others."""
    watched: set[str] = set()
    for part in (graph, *(graph.functions[name] for name in names)):
        for name in (node.attrs["function"] for node in part.walk() if node.op.name == "attempt"):
            if name not in watched:
                watched.update((name, *reachable_functions(graph.functions[name])))
    return watched


def effectful_functions(graph: Graph, names: list[str], without_demands: bool = False) -> set[str]:
    """Functions that have an effect, themselves or through a call."""
    effects: set[str] = {NO_DEMANDS} if without_demands else set()
    changed = True
    while changed:
        changed = False
        for name in names:
            if name not in effects and any(_acts(node, effects) for node in graph.functions[name].walk()):
                effects.add(name)
                changed = True
    return effects


def _acts(node: Node, effects: set[str]) -> bool:
    """Whether this node itself (its regions aside) has an effect."""
    if node.op.name == "demand":
        return NO_DEMANDS not in effects
    if node.op.effect is not None or (node.op.name == "call" and node.attrs["function"] in effects):
        return True
    return _EXCEPTIONS in effects and may_fail(node.op, node.inputs) and may_raise(node)


def has_effect(node: Node, effects: set[str]) -> bool:
    """Whether running a node does more than define its outputs."""
    return _acts(node, effects) or any(has_effect(inner, effects) for region in node.regions for inner in region.nodes)


def _clean(graph: Graph, effects: set[str]) -> None:
    live = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if not any(v in live for v in node.outputs) and not has_effect(node, effects):
            continue
        if node.op.name == "cond":
            _clean_cond(node, live, effects)
        elif node.op.name in ("while_loop", "for_loop"):
            _clean_loop(node, live, effects)
        else:
            for region in node.regions:
                _clean(region, effects)
        live.update(node.inputs)
        kept.append(node)
    graph.nodes = kept[::-1]


def _clean_cond(node: Node, live: set[Value], effects: set[str]) -> None:
    used = [k for k, v in enumerate(node.outputs) if v in live]
    _keep_outputs(node, used)
    for region in node.regions:
        region.outputs = [region.outputs[k] for k in used]
        _clean(region, effects)
    _drop_invariants(node, first=1, per_region=(0, 0))


def _clean_loop(node: Node, live: set[Value], effects: set[str]) -> None:
    """Carried values stay if they are used after the loop, by its condition, by an effect, or by one that stays."""
    lead = 1 if node.op.name == "for_loop" else 0
    clean = False
    while True:
        used = _carried_needed(node, lead, live, effects)
        if len(used) < node.carried:
            _keep_carried(node, lead, used)
        elif clean:
            break
        for region in node.regions:
            _clean(region, effects)
        clean = True  # once more: what loops inside needed before may not be needed now
    _drop_invariants(node, first=lead + len(used), per_region=tuple(lead + len(used) for _ in node.regions))


def _carried_needed(node: Node, lead: int, live: set[Value], effects: set[str]) -> list[int]:
    """The carried values that stay."""
    needed = loop_inputs(node, lead, {k for k, v in enumerate(node.outputs) if v in live}, effects)
    return [k for k in range(node.carried) if lead + k in needed]


def loop_inputs(node: Node, lead: int, used: set[int], effects: set[str]) -> set[int]:
    """Indices of the inputs that some outputs of a loop, its condition and its effects depend on."""
    body, carried = node.regions[-1], range(node.carried)
    needed = {lead + k for k in used}
    if lead == 0:
        test = node.regions[0]
        needed |= _inputs_needed(test, set(test.outputs), effects)
    while True:
        wanted = {body.outputs[j - lead] for j in needed if j - lead in carried}
        more = needed | _inputs_needed(body, wanted, effects)
        if more == needed:
            return needed | set(range(lead))
        needed = more


def _keep_carried(node: Node, lead: int, used: list[int]) -> None:
    gone = {lead + k for k in range(node.carried)} - {lead + k for k in used}
    body = node.regions[-1]
    _keep_outputs(node, used)
    body.outputs = [body.outputs[k] for k in used]
    node.attrs = {**node.attrs, "carried": len(used)}
    node.inputs = _without(node.inputs, gone)
    for region in node.regions:
        region.inputs = _numbered(_without(region.inputs, gone))


def _inputs_needed(region: Graph, wanted: set[Value], effects: set[str]) -> set[int]:
    """Indices of the inputs that `wanted` values and effects of a region depend on."""
    needed = set(wanted)
    for node in reversed(region.nodes):
        used = {k for k, v in enumerate(node.outputs) if v in needed}
        if used or has_effect(node, effects):
            needed.update(needed_by(node, used, effects))
    return {v.index for v in region.inputs if v in needed}


def needed_by(node: Node, used: set[int], effects: set[str]) -> list[Value]:
    """The inputs that some outputs of a node, and its effects, depend on: what a list's copy in a loop feeds is not all
    that the loop is given."""
    if len(used) < len(node.outputs):
        if node.op.name == "cond":
            inner = (_inputs_needed(g, {g.outputs[k] for k in used}, effects) for g in node.regions)
            return [node.inputs[0], *(node.inputs[1 + j] for j in set().union(*inner))]
        if node.op.name in ("while_loop", "for_loop"):
            lead = 1 if node.op.name == "for_loop" else 0
            return [node.inputs[j] for j in loop_inputs(node, lead, used, effects)]
    return node.inputs


def _keep_outputs(node: Node, kept: list[int]) -> None:
    node.outputs = _numbered([node.outputs[k] for k in kept])


def _drop_invariants(node: Node, first: int, per_region: tuple[int, ...]) -> None:
    """Remove the invariants that no region reads; they start at `first` in the node, at `per_region` in its regions."""
    read = [set(region.outputs).union(*(n.inputs for n in region.nodes)) for region in node.regions]
    dead = {
        j
        for j in range(len(node.inputs) - first)
        if all(
            region.inputs[start + j] not in used
            for region, start, used in zip(node.regions, per_region, read, strict=True)
        )
    }
    if not dead:
        return
    node.inputs = _without(node.inputs, {first + j for j in dead})
    for region, start in zip(node.regions, per_region, strict=True):
        region.inputs = _numbered(_without(region.inputs, {start + j for j in dead}))


def _without(values: list[Value], gone: set[int]) -> list[Value]:
    return [v for k, v in enumerate(values) if k not in gone]


def _numbered(values: list[Value]) -> list[Value]:
    for index, value in enumerate(values):
        value.index = index
    return values
