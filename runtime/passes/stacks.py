"""What a loop inside a loop saves for its gradient goes to one list of all turns, instead of a list of lists.

    for i:                                  for i:
      a = []                                  for j: a.append(x)
      for j: a.append(x)             ->     for i backwards:
      all.append(a)                           for j backwards: x = a.pop()
    for i backwards:
      a = all.pop()
      for j backwards: x = a.pop()

The backward loops take off in the opposite order what the forward loops put on, as many at each turn: that is shown of
the inner loops' trip counts (where a loop of one turn was, of the appends that are left). Native code has lists of tensors,
none of lists. A list of which the backward loop makes zeros is its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from runtime.ir.graph import Graph, Node, Value
from runtime.ops.registry import get
from runtime.passes.loops import Loop
from runtime.passes.rewrite import INDEX, Uses, constant_of, graphs, put
from runtime.typesys.shapes import is_static
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["flatten_stacks"]

_LOOPS = ("for_loop", "while_loop")


def flatten_stacks(graph: Graph) -> Graph:
    """`for i: all.append([x for j])`, taken off again backwards -> `for i: for j: all.append(x)`."""
    for each in graphs(graph):
        _flatten(each)
    return graph


class _Slot(NamedTuple):
    """A carried value of a loop."""

    loop: Node
    number: int

    @property
    def body(self) -> Graph:
        return self.loop.regions[-1]

    @property
    def place(self) -> int:
        """Where it is among the inputs of the loop and of its body."""
        return self.number + (self.loop.op.name == "for_loop")

    @property
    def start(self) -> Value:
        return self.loop.inputs[self.place]

    @property
    def before(self) -> Value:
        """What a turn finds."""
        return self.body.inputs[self.place]

    @property
    def after(self) -> Value:
        """What a turn leaves."""
        return self.body.outputs[self.number]

    @property
    def result(self) -> Value:
        return self.loop.outputs[self.number]

    def retype(self, kind: ValueType) -> None:
        self.before.type = self.result.type = kind
        if self.loop.op.name == "while_loop":
            self.loop.regions[0].inputs[self.place].type = kind


class _Row(NamedTuple):
    """Appends, or takings off, one after the other, and what the last one leaves."""

    loop: Node  # the first one
    result: Value
    place: int = 0


class _Level(NamedTuple):
    """A list that a forward loop fills with lists, the backward loop that takes them off, and what is inside."""

    fills: _Slot
    empties: _Slot
    inner_fills: _Slot | _Row
    inner_empties: _Slot | _Row


def _flatten(graph: Graph) -> None:
    for node in graph.nodes:
        for region in node.regions:
            _flatten(region)
    found: list[list[_Level]] = []
    uses = Uses()
    for node in [n for n in graph.nodes if n.op.name in _LOOPS]:
        for fills in (_Slot(node, k) for k in range(node.carried)):
            kind = fills.result.type
            if not isinstance(kind, ListType) or not isinstance(kind.element, ListType) or uses(fills.result) != 1:
                continue
            if fills.start.node is None or fills.start.node.op.name != "list_new":
                continue
            empties = _taken_by(fills.result, graph)
            if empties is None or uses(empties.result):
                continue
            levels = _levels(_Pair(node, empties.loop, graph, graph, None), fills, empties, uses)
            if levels:
                found.append(levels)
            else:
                _save_length(graph, fills, empties, uses)
    for levels in found:
        _apply(graph, levels)


def _taken_by(value: Value, graph: Graph) -> _Slot | None:
    """The carried value of a loop that starts with `value`."""
    for node in graph.nodes:
        if value in node.inputs and node.op.name in _LOOPS:
            index = node.inputs.index(value) - (node.op.name == "for_loop")
            return _Slot(node, index) if 0 <= index < node.carried else None
    return None


def _appended(slot: _Slot, uses: Uses) -> Value | None:
    """What each turn appends to a list, once and at the end of its way."""
    node = slot.after.node
    if node is None or node.op.name != "list_append" or node.inputs[0] is not slot.before:
        return None
    return node.inputs[1] if uses(slot.before) == 1 and uses(slot.after) == 1 else None


def _popped(slot: _Slot, uses: Uses) -> Value | None:
    """What each turn takes off the end of a list, once."""
    node = slot.after.node
    if node is None or node.op.name != "list_pop" or node.inputs[0] is not slot.before or slot.after.index:
        return None
    if constant_of(node.inputs[1]) != -1 or uses(slot.before) != 1 or uses(slot.after) != 1:
        return None
    return node.outputs[1]


class _Pair:
    """A forward loop and one that goes through its turns backwards."""

    def __init__(self, forward: Node, backward: Node, before: Graph, after: Graph, outer: _Pair | None) -> None:
        self.forward = forward
        self.backward = backward
        self.graphs = before, after  # that the two loops are in
        self.outer = outer

    def same_outside(self, x: Value, y: Value) -> bool:
        """Whether values beside the two loops are equal."""
        known, other = constant_of(x), constant_of(y)
        if type(known) is int and type(other) is int:
            return known == other
        return x is y if self.outer is None else self.outer.same(x, y)

    def same(self, x: Value, y: Value) -> bool:
        """Whether a number of the forward body is one of the backward body at the turn that goes back over it."""
        known, other = constant_of(x), constant_of(y)
        if type(known) is int and type(other) is int:
            return known == other
        mine, theirs = _invariant(self.forward, x), _invariant(self.backward, y)
        if mine is not None and theirs is not None:
            return self.same_outside(mine, theirs)
        if self._is_index(x, y):
            return True
        if y.node is not None and y.node.op.name == "list_pop" and y.index == 1:
            return any(self._was_saved(x, y, fills) for fills in self._filled_with(x))
        return self._same_computation(x, y)

    def _is_index(self, x: Value, y: Value) -> bool:
        """Whether x is the forward loop's index, and y the backward loop's from its end."""
        if self.forward.op.name != "for_loop" or self.backward.op.name != "for_loop":
            return False
        if x is not self.forward.regions[0].inputs[0]:
            return False
        turned = Loop(self.backward, self.graphs[1], {}).direction(y)
        return bool(turned) and self.same_outside(self.forward.inputs[0], self.backward.inputs[0])

    def _filled_with(self, x: Value) -> Iterator[_Slot]:
        """The forward loop's lists to which each turn appends x."""
        for fills in (_Slot(self.forward, k) for k in range(self.forward.carried)):
            append = fills.after.node
            if append is not None and append.op.name == "list_append" and append.inputs == [fills.before, x]:
                yield fills

    def _was_saved(self, x: Value, y: Value, fills: _Slot) -> bool:
        """Whether the backward loop takes y off the list `fills`."""
        assert y.node is not None
        c = y.node.inputs[0]
        k = c.index - (self.backward.op.name == "for_loop")
        if c.node is not None or not 0 <= k < self.backward.carried or constant_of(y.node.inputs[1]) != -1:
            return False
        empties = _Slot(self.backward, k)
        return empties.after is y.node.outputs[0] and self.same_outside(fills.result, empties.start)

    def _same_computation(self, x: Value, y: Value) -> bool:
        a, b = x.node, y.node
        if a is None or b is None or a.op is not b.op or a.attrs != b.attrs or x.index != y.index or x.type != y.type:
            return False
        if a.op.effect is not None or a.regions or b.regions or len(a.inputs) != len(b.inputs) or not a.inputs:
            return False
        return all(map(self.same, a.inputs, b.inputs))

    def inside(self, forward: Node, backward: Node) -> _Pair | None:
        """Two loops in the bodies, if the backward one has as many turns as the forward one."""
        pair = _Pair(forward, backward, self.forward.regions[-1], self.backward.regions[-1], self)
        if backward.op.name != "for_loop":
            return None
        trips = [forward.inputs[0]] if forward.op.name == "for_loop" else list(_counts(forward))
        return pair if any(self.same(x, backward.inputs[0]) for x in trips) else None


def _invariant(loop: Node, value: Value) -> Value | None:
    """An invariant of a loop's body as the graph around has it."""
    body, first = loop.regions[-1], loop.carried + (loop.op.name == "for_loop")
    if value.node is not None or value.index < first or body.inputs[value.index] is not value:
        return None
    return loop.inputs[value.index]


def _counts(loop: Node) -> Iterator[Value]:
    """What a while_loop returns that counts its turns."""
    for slot in (_Slot(loop, k) for k in range(loop.carried)):
        step = slot.after.node
        if step is None or step.op.name != "add" or step.inputs[0] is not slot.before:
            continue
        if constant_of(step.inputs[1]) == 1 and constant_of(slot.start) == 0:
            yield slot.result


def _levels(pair: _Pair, fills: _Slot, empties: _Slot, uses: Uses) -> list[_Level] | None:
    """The lists of lists, from the outermost on; None if they are not only filled and emptied."""
    filled, taken = _appended(fills, uses), _popped(empties, uses)
    kind = fills.before.type
    if filled is None or taken is None or empties.before.type != kind or not isinstance(kind, ListType):
        return None
    if filled.type != kind.element or taken.type != kind.element:
        return None
    if not isinstance(filled.type, ListType):
        return []
    if filled.node is None or uses(filled) != 1 or uses(taken) != 1:
        return None
    if filled.node.op.name == "list_append":
        rows = _rows(filled, taken, empties.body, uses)
        return None if rows is None else [_Level(fills, empties, *rows)]
    if filled.node.op.name not in _LOOPS:
        return None
    inner_fills, inner_empties = _Slot(filled.node, filled.index), _taken_by(taken, empties.body)
    start = inner_fills.start.node
    if inner_empties is None or uses(inner_empties.result) or start is None or start.op.name != "list_new":
        return None
    inside = pair.inside(inner_fills.loop, inner_empties.loop)
    more = None if inside is None else _levels(inside, inner_fills, inner_empties, uses)
    return None if more is None else [_Level(fills, empties, inner_fills, inner_empties), *more]


def _save_length(graph: Graph, fills: _Slot, empties: _Slot, uses: Uses) -> None:
    """Save the lengths of lists of which the backward loop only makes zeros."""
    filled, taken = _appended(fills, uses), _popped(empties, uses)
    if filled is None or taken is None or not isinstance(filled.type, ListType) or filled.type != taken.type:
        return
    element = filled.type.element
    if not isinstance(element, TensorType) or element.weak or not is_static(element.shape):
        return
    seen = _seen_as_zeros(taken)
    append, pop, kind = fills.after.node, empties.after.node, ListType(INDEX)
    if seen is None or append is None or pop is None:
        return
    start = Node(get("list_new"), [], {"element": INDEX}, (kind,), graph, (), fills.loop.location)
    graph.nodes.insert(graph.nodes.index(fills.loop), start)
    fills.loop.inputs[fills.place] = start.outputs[0]
    length = Node(get("list_len"), [filled], {}, (INDEX,), fills.body, (), append.location)
    fills.body.nodes.insert(fills.body.nodes.index(append), length)
    append.inputs = [fills.before, length.outputs[0]]
    for slot in (fills, empties):
        slot.retype(kind)
        slot.after.type = kind
    for value, node in seen:
        value.type = INDEX
        if node is not None:
            _make_zeros(node, value, element)


def _seen_as_zeros(value: Value) -> list[tuple[Value, Node | None]] | None:
    """A list, as it is and in branches, with the nodes that make zeros of it; None if it is used for more than that."""
    found: list[tuple[Value, Node | None]] = [(value, None)]
    if value in value.graph.outputs:
        return None
    for node in value.graph.nodes:
        for place in [k for k, v in enumerate(node.inputs) if v is value]:
            if node.op.name == "list_zeros_like":
                found.append((value, node))
                continue
            inner = [_seen_as_zeros(r.inputs[place - 1]) for r in node.regions] if node.op.name == "cond" else [None]
            if any(each is None for each in inner):
                return None
            found += [pair for each in inner for pair in each or ()]
    return found


def _make_zeros(node: Node, length: Value, element: TensorType) -> None:
    """Put a list of so many zeros in the place of one like another list."""
    graph = length.graph
    at = graph.nodes.index(node)
    rest, graph.nodes = graph.nodes[at + 1 :], graph.nodes[:at]
    zero = put(graph, "zeros", shape=element.shape, dtype=element.dtype)
    one = Node(get("list_from"), [zero], {"element": element}, (node.outputs[0].type,), graph, (), node.location)
    many = Node(get("list_repeat"), [one.outputs[0], length], {}, (node.outputs[0].type,), graph, (), node.location)
    many.outputs[0], node.outputs[0].node = node.outputs[0], many
    graph.nodes += [one, many, *rest]


def _rows(filled: Value, taken: Value, graph: Graph, uses: Uses) -> tuple[_Row, _Row] | None:
    """As many elements appended to an empty list as are taken off it, if nothing else sees it."""
    first, last, value = filled.node, taken, filled
    while value.node is not None and value.node.op.name == "list_append":
        first, value = value.node, value.node.inputs[0]
        users = [n for n in graph.nodes if last in n.inputs]
        if uses(last) != 1 or not users or users[0].op.name != "list_pop" or constant_of(users[0].inputs[1]) != -1:
            return None
        if (value.node is None or value.node.op.name != "list_new") and uses(value) != 1:
            return None
        last = users[0].outputs[0]
    if value.node is None or value.node.op.name != "list_new" or uses(last) or first is None:
        return None
    kind = filled.type
    if not isinstance(kind, ListType) or isinstance(kind.element, ListType) or last.type != kind:
        return None
    return _Row(first, filled), _Row(next(n for n in graph.nodes if taken in n.inputs), last)


def _apply(graph: Graph, levels: list[_Level]) -> None:
    kind = levels[-1].inner_fills.result.type
    assert isinstance(kind, ListType)
    outermost = levels[0].fills
    start = Node(get("list_new"), [], {"element": kind.element}, (kind,), graph, (), outermost.loop.location)
    graph.nodes.insert(graph.nodes.index(outermost.loop), start)
    outermost.loop.inputs[outermost.place] = start.outputs[0]
    for fills, empties, inner_fills, inner_empties in levels:
        for slot, inner in ((fills, inner_fills), (empties, inner_empties)):
            done = slot.after.node
            assert done is not None
            slot.body.nodes.remove(done)
            slot.retype(kind)
            inner.loop.inputs[inner.place] = slot.before
            slot.body.outputs[slot.number] = inner.result
