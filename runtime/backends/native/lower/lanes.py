"""Loops whose turns go element by element, as graphs over the elements of one block (see rules/blocks.py)."""

from __future__ import annotations

from runtime.backends.native.lower.breaks import Break, find_break, some_element
from runtime.backends.native.lower.settling import VARYING, above_zero, alike, live_mask, settles
from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import copy_nodes
from runtime.ops.kinds import Elementwise
from runtime.ops.registry import get
from runtime.typesys.shapes import Shape
from runtime.typesys.spec import TensorType

__all__ = ["Turns", "turns_of"]

_SAME = frozenset(("cast", "identity", "stop_gradient", "fence", "where"))
_UNIFORM = frozenset(("zeros", "ones"))
_MOST_DEEP = 50  # expressions inside each other: longer ones would be kept in memory on the way


class _Refused(Exception):
    """Something is not made element by element, or not of the numbers of a turn."""


class Turns:
    """What a loop does in a turn: with numbers, and with the elements of a block.

    shape    of all states that are arrays
    arrays   which of the carried values those are; the others are numbers
    body     as the loop's, with arrays of one axis, the block's; its last output is the mask, if there is one
    test     whether a turn follows, as far as numbers say; None of loops that are counted
    live     what the mask says of elements that may change yet; None where there is no mask
    first    whether the mask counts in the first turn
    ends     whether the loop ends when no element of all is live
    broken   whether it is a `break` that ends it then: what numbers come to is not known
    """

    def __init__(self, shape: Shape, arrays: list[int], body: Graph, test: Graph | None) -> None:
        self.shape = shape
        self.arrays = arrays
        self.body = body
        self.test = test
        self.live: bool | None = None
        self.first = True
        self.ends = False
        self.broken = False


def turns_of(node: Node, width: int) -> Turns | None:
    """A loop as turns over blocks of so many elements; None where it is none."""
    try:
        return _turns(node, width)
    except _Refused:
        return None


def _turns(node: Node, width: int) -> Turns:
    start = 1 if node.op.name == "for_loop" else 0
    body = node.regions[-1]
    if any(type(v.type) is not TensorType or v.type.shape is None for v in (*body.inputs, *body.outputs)):
        raise _Refused
    if any(n.op.effect is not None or "function" in n.attrs for region in node.regions for n in region.walk()):
        raise _Refused
    carried = body.inputs[start : start + node.carried]
    arrays = [k for k, v in enumerate(carried) if v.tensor_type.shape != ()]
    shapes = {x[k].tensor_type.shape for x in (carried, body.outputs) for k in arrays}
    if len(shapes) != 1 or any(_dtype(carried[k]) != _dtype(body.outputs[k]) for k in arrays):
        raise _Refused
    (shape,) = shapes
    flat = _Flat(Graph("turn", body.functions), shape, width)
    whole, numbers, masks = (None, [], []) if start else _conditions(node.regions[0])
    way_out = find_break(node, numbers)
    varying = {*body.inputs[:start], *(v for v in carried if v.tensor_type.shape == ())}
    given = [flat.input(v, VARYING if v in varying else None) for v in body.inputs]
    if way_out is not None:
        _go_on(flat, way_out)
    flat.target.outputs = [flat.value(v) for v in body.outputs]
    states = [(given[start + k], flat.target.outputs[k]) for k in arrays]
    zeros = above_zero(states, [node.inputs[start + k] for k in arrays])
    turns = Turns(shape, arrays, flat.target, None)
    if whole is None:
        found = live_mask(flat.target, states, zeros)
        if found is not None:
            mask, gone, turns.first = found
            turns.live = not gone
            flat.target.outputs.append(mask)
        return turns
    turns.test = _test(whole, numbers, shape, width)
    if len(masks) + (way_out is not None) > 1:
        raise _Refused
    if way_out is not None:
        masks_before = [k for k in arrays if _dtype(carried[k]) == "bool"]
        full = [given[k] for k in masks_before if _is_full(node.inputs[k], way_out.live)]
        _leave(turns, flat, way_out, states, zeros, full)
    for value, turns.live in masks:
        seen = _Flat(flat.target, shape, width)
        seen.table = dict(zip(whole.inputs, given, strict=True))
        mask = seen.value(value)
        if mask.tensor_type.shape == ():
            raise _Refused
        certain = mask in given and _is_full(node.inputs[given.index(mask)], turns.live)
        if not settles(states, mask, not turns.live, zeros, first=not certain):
            raise _Refused
        turns.ends = True
        flat.target.outputs.append(mask)
    return turns


def _go_on(flat: _Flat, way_out: Break) -> None:
    """Take what a turn gives that does not end the loop."""
    node = way_out.node
    for inner, outer in zip(way_out.on.inputs, node.inputs[1:], strict=True):
        if outer is not node.inputs[0]:
            flat.later[inner] = outer
    for out, inner in zip(node.outputs, way_out.on.outputs, strict=True):
        flat.later[out] = inner


def _leave(
    turns: Turns,
    flat: _Flat,
    way_out: Break,
    states: list[tuple[Value, Value]],
    zeros: set[Value],
    full: list[Value],
) -> None:
    """Find that a block may end after a turn that finds none of its elements live.

    Others may still go on then: so that turn must have left the block as the `break` does, and later ones as it is. The
    mask says so of this turn, or, made of the states after it, of the next. `full` are masks that are
    live everywhere before the loop.
    """
    node, body = way_out.node, turns.body
    mask = flat.value(way_out.mask)
    if mask.tensor_type.shape == ():
        raise _Refused
    leaves = _Flat(body, flat.shape, flat.width)
    leaves.table, leaves.later, leaves.depth = flat.table, dict(flat.later), flat.depth
    for inner, outer in zip(way_out.off.inputs, node.inputs[1:], strict=True):
        leaves.later[inner] = outer
    pairs = []
    for out, last in zip(node.outputs, way_out.off.outputs, strict=True):
        if out.tensor_type.shape != ():
            pairs.append((flat.value(out), leaves.value(last)))
    if not alike(pairs, mask, not way_out.live, zeros):
        raise _Refused
    before = _before(body, mask, {after: first for first, after in states}, {first for first, _ in states})
    if not settles(states, mask, not way_out.live, zeros, first=mask not in full) and (
        before is None or not settles(states, before, not way_out.live, zeros, first=False)
    ):
        raise _Refused
    turns.live, turns.ends, turns.broken = way_out.live, True, True
    body.outputs.append(mask)


def _before(graph: Graph, mask: Value, known: dict[Value, Value | None], states: set[Value]) -> Value | None:
    """What a mask of the states after a turn says of those before it; None where it is made of others.

    `known` has the states before for those after it, and keeps what was found; `states` are those before.
    """
    if mask in known:
        return known[mask]
    node = mask.node
    if node is None:
        return mask if mask.name != VARYING and mask not in states else None
    inputs = [before for v in node.inputs if (before := _before(graph, v, known, states)) is not None]
    known[mask] = None
    if len(inputs) == len(node.inputs):
        types = tuple(v.type for v in node.outputs)
        known[mask] = graph.add_node(node.op, inputs, dict(node.attrs), types).outputs[mask.index]
    return known[mask]


def _test(whole: Graph, numbers: list[Value], shape: Shape, width: int) -> Graph:
    """The part of a loop's test that is about numbers."""
    flat = _Flat(Graph("test", whole.functions), shape, width)
    for value in whole.inputs:
        flat.input(value, None)
    parts = [flat.value(v) for v in numbers]
    if not parts:
        truth = flat.target.add_node(get("constant"), [], {"value": True}, (TensorType("bool", (), True),))
        parts = truth.outputs
    total = parts[0]
    for part in parts[1:]:
        both = flat.target.add_node(get("logical_and"), [total, part], {}, (TensorType("bool", ()),))
        total = both.outputs[0]
    flat.target.outputs = [total]
    return flat.target


def _conditions(region: Graph) -> tuple[Graph, list[Value], list[tuple[Value, bool]]]:
    """What must hold for a turn to follow: numbers, and masks of which some element must be so; values of one graph."""
    whole = Graph(region.name, region.functions)
    numbers: list[Value] = []
    masks: list[tuple[Value, bool]] = []
    table = {v: whole.add_input(v.type, v.name) for v in region.inputs}
    todo = _inlined(region, whole, table)
    while todo:
        value = todo.pop()
        node = value.node
        if node is not None and node.op.name == "logical_and":
            todo += node.inputs
            continue
        mask = some_element(value)
        if mask is not None:
            masks.append(mask)
        else:
            numbers.append(value)
    return whole, numbers, masks


def _inlined(region: Graph, target: Graph, table: dict[Value, Value]) -> list[Value]:
    """Copy a test to a graph, with what it looks at only if something else holds; all of the result must hold."""
    last = region.outputs[0].node
    chained = last is not None and last.op.name == "cond" and region.nodes[-1] is last
    part = Graph(region.name, region.functions)
    part.nodes = region.nodes[:-1] if chained else region.nodes
    copy_nodes(part, target, table)
    if not chained:
        return [table[region.outputs[0]]]
    assert last is not None
    then, other = last.regions
    if not _is_false(other, last):
        raise _Refused
    inner = dict(zip(then.inputs, (table[v] for v in last.inputs[1:]), strict=True))
    return [table[last.inputs[0]], *_inlined(then, target, inner)]


def _is_false(other: Graph, node: Node) -> bool:
    """Whether the second region of a `cond` gives false."""
    (value,) = other.outputs
    if value.node is not None:
        return value.node.op.name == "constant" and not value.node.attrs["value"]
    return node.inputs[1 + value.index] is node.inputs[0]


def _is_full(init: Value, truth: bool) -> bool:
    """Whether all elements of the first value of a mask are known to be so."""
    node = init.node
    if node is None:
        return False
    if node.op.name in _UNIFORM:
        return (node.op.name == "ones") is truth
    return node.op.name == "constant" and bool((node.attrs["value"] == truth).all())


def _dtype(value: Value) -> str:
    return value.tensor_type.dtype.name


class _Flat:
    """Copies what is asked for of a graph into another, with arrays of a shape as arrays of one axis."""

    def __init__(self, target: Graph, shape: Shape, width: int) -> None:
        self.target = target
        self.shape = shape
        self.width = width
        self.table: dict[Value, Value] = {}
        self.later: dict[Value, Value] = {}  # values that others stand for
        self.depth: dict[Value, int] = {}

    def type(self, t: TensorType) -> TensorType:
        """The type of a block; what is not of the shape is looked at as if it were."""
        return TensorType(t.dtype, () if t.shape == () else (self.width,), t.weak)

    def input(self, value: Value, name: str | None) -> Value:
        """One more input, for one of the other graph."""
        made = self.table[value] = self.target.add_input(self.type(value.tensor_type), name)
        return made

    def value(self, value: Value) -> Value:
        """What stands for a value."""
        while value in self.later:
            value = self.later[value]
        found = self.table.get(value)
        if found is None:
            if value.node is None:
                raise _Refused
            self._copy(value.node)
            found = self.table[value]
        return found

    def _copy(self, node: Node) -> None:
        if node.regions or any(type(v.type) is not TensorType for v in (*node.inputs, *node.outputs)):
            raise _Refused
        shapes = {v.tensor_type.shape for v in node.outputs}
        name, inputs, attrs = node.op.name, node.inputs, dict(node.attrs)
        if shapes == {()}:
            if any(v.tensor_type.shape != () for v in inputs):
                raise _Refused
        elif shapes != {self.shape}:
            raise _Refused
        elif name == "index_update" and attrs["spec"] == ("?",) and inputs[2].tensor_type.shape == self.shape:
            x, new, mask = inputs  # x[mask] = new
            if new.tensor_type.shape != ():
                raise _Refused
            name, inputs, attrs = "where", [mask, new, x], {}
        elif name in _UNIFORM and not inputs:
            attrs["shape"] = (self.width,)
        elif name not in _SAME and not isinstance(node.op, Elementwise):
            raise _Refused
        given = [self.value(v) for v in inputs]
        depth = 1 + max((self.depth.get(v, 0) for v in given), default=0)
        if depth > _MOST_DEEP:
            raise _Refused
        types = tuple(self.type(v.tensor_type) for v in node.outputs)
        made = self.target.add_node(get(name), given, attrs, types, (), node.location)
        for old, new in zip(node.outputs, made.outputs, strict=True):
            self.table[old] = new
            self.depth[new] = depth
