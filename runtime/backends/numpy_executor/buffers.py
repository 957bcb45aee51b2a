"""Lists that a loop fills only to be stacked become arrays whose rows it writes.

    L = []; for i in range(n): L.append(v_i);  stack(L)      ->   b = zeros(n, ...); for i in range(n): b[i] = v_i

The memory of a step's value is then used again in the next step, and nothing is copied at the end. In the graph they
stay lists: other backends keep those as growing arrays anyway. Lists that are also taken apart again stay lists.
"""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import clone, reachable_functions, substitute, users
from runtime.passes.loops import Loop, at_least_0, steps_of_lists
from runtime.passes.rewrite import constant_of, put
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import ListType, TensorType

__all__ = ["lists_as_arrays"]


def lists_as_arrays(graph: Graph) -> Graph:
    """The graph, or, where there are such lists, a copy with arrays in their place."""
    everything = [graph, *(graph.functions[name] for name in reachable_functions(graph))]
    if not any(_candidates(each) for part in everything for each in _regions(part)):
        return graph
    graph = clone(graph)
    for part in (graph, *graph.functions.values()):
        for each in _regions(part):
            for node, k, stacks in _candidates(each):
                _rewrite(each, node, k, stacks)
    return graph


def _regions(graph: Graph) -> list[Graph]:
    found = [graph]
    for node in graph.walk():
        found += node.regions
    return found


def _candidates(graph: Graph) -> list[tuple[Node, int, list[Node]]]:
    """(loop, which carried list, the nodes that stack it)"""
    loops = [node for node in graph.nodes if node.op.name == "for_loop"]
    if not loops:
        return []
    uses, found = users(graph), []
    for node in loops:
        for k in steps_of_lists(node):
            stacks = _stacks(graph, node.outputs[k], uses)
            if stacks and _only_filled(node, k):
                found.append((node, k, stacks))
    return found


def _stacks(graph: Graph, filled: Value, uses: dict[Value, list[Node]]) -> list[Node]:
    """The nodes that stack a list, all as it is or all reversed; none if something else is done with it."""
    direct = uses.get(filled, [])
    if filled in graph.outputs or not direct:
        return []
    if all(node.op.name == "list_reverse" for node in direct):
        turned = [node.outputs[0] for node in direct]
        if any(v in graph.outputs for v in turned):
            return []
        direct = [user for v in turned for user in uses.get(v, [])]
    return direct if all(node.op.name == "list_stack" for node in direct) else []


def _only_filled(node: Node, k: int) -> bool:
    """Whether the body does nothing else with a list, and appends arrays of one known shape."""
    body = node.regions[0]
    before, append = body.inputs[1 + k], body.outputs[k].node
    assert append is not None
    kind = append.inputs[1].type
    if not isinstance(kind, TensorType) or kind.weak or not kind.shape or not is_static(kind.shape):
        return False
    if append.outputs[0].type != ListType(kind) or body.outputs.count(append.outputs[0]) != 1:
        return False
    readers = [n for n in body.nodes for v in n.inputs if v is before or v is append.outputs[0]]
    return readers == [append]


def _rewrite(graph: Graph, node: Node, k: int, stacks: list[Node]) -> None:
    body = node.regions[0]
    append = body.outputs[k].node
    assert append is not None
    row = append.inputs[1].tensor_type
    backwards = stacks[0].inputs[0] is not node.outputs[k]

    kind = stacks[0].outputs[0].tensor_type
    read = _read_out(graph, node, kind, backwards)
    nodes, graph.nodes = graph.nodes, []
    at = nodes.index(node)
    count, size = constant_of(node.inputs[0]), (kind.shape or ())[0]
    if read is not None:
        start = _taken_over(graph, nodes, node, read, kind, body.inputs[1 + k])
    elif type(count) is int:
        start = put(graph, "zeros", shape=(max(count, 0), *row.shape), dtype=row.dtype)  # type: ignore[misc]
    else:
        many = at_least_0(graph, node.inputs[0])
        start = put(graph, "zeros", many, shape=(size, *row.shape), dtype=row.dtype)  # type: ignore[misc]
    graph.nodes = [*nodes[:at], *graph.nodes, *nodes[at:]]

    empty = node.inputs[1 + k]
    node.inputs[1 + k] = start
    body.inputs[1 + k].type = node.outputs[k].type = start.type
    place = body.nodes.index(append)
    behind = body.nodes[place + 1 :]
    body.nodes = body.nodes[:place]
    position = Loop(node, graph, {}).position(backwards, body.nodes)
    written = put(body, "index_update", body.inputs[1 + k], append.inputs[1], position, spec=("?",))
    body.nodes += behind
    body.outputs[k] = written

    gone: set[Node | None] = {*stacks}
    gone.update(n for n in graph.nodes if n.op.name == "list_reverse" and n.inputs[0] is node.outputs[k])
    if empty not in graph.outputs and not any(v is empty for n in graph.nodes for v in n.inputs):
        gone.add(empty.node)
    graph.nodes = [n for n in graph.nodes if n not in gone]
    substitute(graph, {stack.outputs[0]: node.outputs[k] for stack in stacks})


# An array that the loop reads row by row and that nobody needs afterwards is written over


def _read_out(graph: Graph, node: Node, kind: TensorType, backwards: bool) -> int | None:
    """The operand that is an array of the wanted type, of which every step reads the row it writes, and only that."""
    uses = users(graph)
    loop = Loop(node, graph, {})
    body = node.regions[0]
    for j in range(1 + node.carried, len(node.inputs)):
        outer, inner = node.inputs[j], body.inputs[j]
        have = outer.type
        if not isinstance(have, TensorType) or have.dtype != kind.dtype or have.weak or not have.shape or not kind.shape:
            continue
        if have.shape[1:] != kind.shape[1:] or len(uses[outer]) != 1 or outer in graph.outputs:
            continue
        readers = [n for n in body.nodes if inner in n.inputs]
        if inner in body.outputs or not all(_reads_row(loop, n, inner, backwards) for n in readers):
            continue
        if _is_made_here(outer, node, uses):
            return j
    return None


def _reads_row(loop: Loop, node: Node, array: Value, backwards: bool) -> bool:
    if node.op.name != "index" or node.attrs["spec"] != ("?",) or node.inputs[0] is not array:
        return False
    row = node.outputs[0]
    if loop.direction(node.inputs[1]) is not backwards or row in loop.body.outputs:
        return False
    # What may keep the row, a view, must not see it written over.
    return not any(n.regions or n.op.view or n.op.aliases or n.op.name == "call" for n in loop.body.nodes if row in n.inputs)


def _is_made_here(value: Value, loop: Node, uses: dict[Value, list[Node]]) -> bool:
    """Whether an array is the result of a product (and sums, in new memory) of exactly as many rows as there are steps."""
    fresh = False
    while value.node is not None and (fresh or len(uses[value]) == 1):
        node = value.node
        if node.op.name in ("add", "matmul"):
            fresh = True
        elif node.op.name == "index":
            return fresh and node.attrs["spec"] == ((None, "?", None),) and node.inputs[1] is loop.inputs[0]
        elif node.op.name != "reshape":
            return False
        value = node.inputs[0]
    rows, count = (value.tensor_type.shape or (None,))[0], constant_of(loop.inputs[0])
    return fresh and type(count) is int and rows == count


def _taken_over(graph: Graph, nodes: list[Node], node: Node, j: int, kind: TensorType, carried: Value) -> Value:
    """Carry operand j instead of passing it; sizes that are the number of steps get the name they have in `kind`."""
    body, array = node.regions[0], node.inputs[j]
    substitute(body, {body.inputs[j]: carried})
    del node.inputs[j], body.inputs[j]
    for index, value in enumerate(body.inputs):
        value.index = index
    old, new = (array.tensor_type.shape or ())[0], (kind.shape or ())[0]
    if isinstance(old, int):
        old, new, kind = new, old, array.tensor_type
    if old is not new and not isinstance(old, int):
        for made in nodes:
            for value in made.outputs:
                have = value.type
                if isinstance(have, TensorType) and have.shape and old in have.shape:
                    value.type = TensorType(have.dtype, tuple(new if d is old else d for d in have.shape), have.weak)
    array.type = kind
    return array
