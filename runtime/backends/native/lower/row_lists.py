"""Lists of lists in native memory (row_lists.ll), and rows that are read and changed where they are.

In a graph `rows[i].append(x)` takes a row out, makes another one of it and puts that back. Here the row that is taken out is
the one in the list's block: it is changed there, and putting it back does nothing, as long as nobody looks at the list or at
another row of it meanwhile. A row that somebody looks at when the list may have changed is a copy.
"""

from __future__ import annotations

from runtime.backends.native.forms import is_rows, leaf_of
from runtime.backends.native.lower.catalogue import HOMES
from runtime.backends.native.lower.function import FunctionLowering
from runtime.backends.native.lower.held_lists import ListRep, copied
from runtime.backends.native.lower.signs import constant_of
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import clone, substitute
from runtime.typesys.spec import ListType

__all__ = ["lend", "rows_are_native", "taken_inside"]

_CHANGING = frozenset(
    ("list_append", "list_set", "list_insert", "list_accumulate_at", "list_concat", "list_reverse")
)
_HANDING_ON = _CHANGING | {"list_pop", "list_cast"}
_CONTROL = frozenset(("cond", "for_loop", "while_loop"))


def rows_are_native(graph: Graph) -> bool:
    """Whether lists of lists of a graph are in native memory: every operation on them has a rule."""
    if not any(_has_rows(node) for node in graph.walk()):
        return False
    if any(_has_rows(node) for g in graph.functions.values() for node in g.walk()):
        return False
    return all(_fits(node) for node in graph.walk() if _has_rows(node))


def taken_inside(graph: Graph) -> Graph:
    """A copy of a graph whose branches take rows out of lists that they have themselves.

    row = rows[i]; cond(c; rows, row)   ->   cond(c; rows, i), with row = rows[i] in its regions
    """
    out = clone(graph)
    _take_inside(out)
    return out


def _take_inside(graph: Graph) -> None:
    for node in graph.nodes:
        if node.op.name == "cond":
            for k in range(len(node.inputs) - 1, 0, -1):
                made = node.inputs[k].node
                if made is not None and made.op.name == "list_get" and made.inputs[0] in node.inputs[1:]:
                    _take_in_branches(node, k, made)
        for region in node.regions:
            _take_inside(region)


def _take_in_branches(node: Node, k: int, made: Node) -> None:
    """Take input `k` of a `cond`, which `made` gives, in its regions."""
    if not isinstance(made.outputs[0].type, ListType):
        return
    for value in made.inputs:
        if value not in node.inputs[1:]:
            node.inputs.append(value)
            for region in node.regions:
                region.add_input(value.type)
    places = [node.inputs.index(value, 1) - 1 for value in made.inputs]
    for region in node.regions:
        row = region.inputs[k - 1]
        if row in region.outputs or any(row in n.inputs for n in region.nodes):
            own = [region.inputs[j] for j in places]
            taken = Node(made.op, own, dict(made.attrs), (row.type,), region, (), made.location)
            substitute(region, {row: taken.outputs[0]})
            region.nodes.insert(0, taken)
        region.inputs.remove(row)
        for index, value in enumerate(region.inputs):
            value.index = index
    del node.inputs[k]


def _has_rows(node: Node) -> bool:
    values = *node.inputs, *node.outputs
    return any(isinstance(v.type, ListType) and isinstance(v.type.element, ListType) for v in values)


def _fits(node: Node) -> bool:
    values = *node.inputs, *node.outputs
    nested = [v.type for v in values if isinstance(v.type, ListType) and isinstance(v.type.element, ListType)]
    if not all(map(is_rows, nested)):
        return False
    if node.op.name in _CONTROL:
        return True
    leaves = [leaf_of(v.type) for v in values if isinstance(v.type, ListType)]
    same = len({leaf.dtype for leaf in leaves if leaf is not None}) == 1
    return f"{node.op.name}.rows" in HOMES and (same or node.op.name == "list_cast")


def _writes(node: Node, value: Value) -> bool:
    """Whether a node, or one of those in its regions, writes to a list that it takes, or holds another one there."""
    name = node.op.name
    if name in _HANDING_ON:
        return value is node.inputs[0]
    lead = 1 if name in ("cond", "for_loop") else 0
    if name in ("for_loop", "while_loop") and value in node.inputs[lead : lead + node.carried]:
        return True
    for region in node.regions:
        for inner in region.inputs:
            if node.inputs[inner.index + (name == "cond")] is not value:
                continue
            if name == "cond" and any(_origin(region, out) == inner.index for out in region.outputs):
                return True
            if any(_writes(user, inner) for user in region.nodes if inner in user.inputs):
                return True
    return False


def lend(ctx: FunctionLowering, row: Value, rep: ListRep, table: Value, index: Value, now: Node) -> ListRep:
    """What a row is that node `now` takes out of a list, or has put back into it: `rep`, where it is, or a copy.

    It may be changed where it is if a later node, the last that looks at the list, puts it back at its index.
    """
    ctx.lists.discard(rep)
    last = ctx.uses.last.get(row, now)
    if last is None:
        return copied(ctx, rep)
    order = ctx.uses.order
    back = _back(ctx, row, table, index)
    if back is not None:
        ctx.put_back[back] = rep
        ctx.lists.add(rep)
        return rep
    if order[last] < _first_change(ctx, table, order[now]):
        return rep
    return copied(ctx, rep)


def _back(ctx: FunctionLowering, row: Value, table: Value, index: Value) -> Node | None:
    """The node that puts a row back, changed, at its index, if nobody looks at the list or the row as it was meanwhile."""
    node, order, last = ctx.uses.last.get(table), ctx.uses.order, ctx.uses.last
    if node is None or node.op.name != "list_set" or node.inputs.count(table) != 1 or node.inputs[0] is not table:
        return None
    if ctx.env[table] not in ctx.lists or _place(ctx, node.inputs[1]) != _place(ctx, index):
        return None
    chain = _chain(node.inputs[2], table)
    if not chain or chain[-1][1] is not row:
        return None
    first, back = order[chain[-1][0]], order[node]
    looks = any(first <= order[n] < back for n in _users(ctx, table))
    later = any(last[value] is None or order[last[value]] >= back for _, value in chain)
    return None if looks or later else node


def _first_change(ctx: FunctionLowering, table: Value, after: int) -> int:
    """When the memory of a list may first be another, by what is known of the graph: a place in the order."""
    order, end = ctx.uses.order, len(ctx.uses.order)
    for node in _users(ctx, table):
        here = order[node]
        if here <= after or here > end:
            continue
        if node.op.name == "list_set" and node.inputs[0] is table:
            chain = _chain(node.inputs[2], table)
            end = min(end, here, *(order[n] for n, _ in chain or () if order[n] > after))
        elif _writes(node, table):
            end = min(end, here)
    return end


def _chain(value: Value, table: Value) -> list[tuple[Node, Value]] | None:
    """The nodes that make a list of a row of `table`, from the last to the first, each with the list that it is given;
    None where it is made of another list."""
    chain = []
    while not _is_row(value, table):
        node = value.node
        if node is None:
            return None
        given = _given(node, value)
        if given is None:
            return None
        chain.append((node, given))
        value = given
    return chain


def _is_row(value: Value, table: Value) -> bool:
    node, made = value.node, table.node
    if node is not None and node.op.name == "list_get" and node.inputs[0] is table:
        return True
    return made is not None and made.op.name == "list_set" and made.inputs[2] is value


def _given(node: Node, value: Value) -> Value | None:
    """The list that a node makes another one of, in its memory."""
    if node.op.name in _HANDING_ON:
        return node.inputs[0] if value.index == 0 else None
    if node.op.name in ("for_loop", "while_loop"):
        return node.inputs[value.index + (node.op.name == "for_loop")]
    if node.op.name == "cond":
        found = {_origin(g, g.outputs[value.index]) for g in node.regions}
        source = found.pop() if len(found) == 1 else None
        return None if source is None else node.inputs[1 + source]
    return None


def _origin(graph: Graph, value: Value | None) -> int | None:
    """The input of a region that a list of it is made of."""
    while value is not None and value.node is not None:
        value = _given(value.node, value)
    return value.index if value is not None and value.graph is graph else None


def _place(ctx: FunctionLowering, index: Value) -> object:
    """What tells whether two indices are one: from the end or from the start (that is tested when a row is put back)."""
    while True:
        while index in ctx.outer:
            index = ctx.outer[index]
        node = index.node
        if node is None:
            return index
        if node.op.name == "where":  # index + len(rows) if index < 0 else index
            index = node.inputs[2]
        elif node.op.name in ("cast", "int_value"):
            index = node.inputs[0]
        else:
            known = constant_of(index)
            return index if known is None else ("constant", known)


def _users(ctx: FunctionLowering, value: Value) -> list[Node]:
    """The nodes of the region that take a value, in order."""
    found = ctx.uses.users
    if found is None:
        found = ctx.uses.users = {}
        for node in ctx.uses.order:
            for given in dict.fromkeys(() if node is None else node.inputs):
                found.setdefault(given, []).append(node)
    return found.get(value, [])
