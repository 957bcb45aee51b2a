"""What passes over loops share: a for_loop with its body, and changing it."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.passes.rewrite import constant_of, number, put
from runtime.typesys.shapes import Dim

__all__ = ["Loop", "at_least_0", "is_natural", "lengths_before", "steps_of_lists"]


class Loop:
    """A for_loop of `graph`, whose nodes before the loop are those in `graph.nodes` now: new ones go behind them."""

    def __init__(self, node: Node, graph: Graph, lengths: dict[Dim, Value]) -> None:
        self.node = node
        self.graph = graph
        self.body = node.regions[0]
        self.index = self.body.inputs[0]
        self.lengths = lengths
        first = 1 + node.carried
        self.outside = dict(zip(self.body.inputs[first:], node.inputs[first:], strict=True))
        self.uses: dict[Value, int] = {}
        for inner in self.body.nodes:
            for value in inner.inputs:
                self.uses[value] = self.uses.get(value, 0) + 1
        for value in self.body.outputs:
            self.uses[value] = self.uses.get(value, 0) + 1
        self.acts = any(inner.op.effect is not None for inner in self.body.walk())
        self.series: dict[Value, Any] = {}  # what the body's values are as series, once that is known

    @property
    def count(self) -> Value:
        """How often the body runs."""
        return self.node.inputs[0]

    # What values are

    def is_fixed(self, value: Value) -> bool:
        """Whether a value of the body is an invariant or a constant."""
        return value in self.outside or (value.node is not None and value.node.op.name == "constant")

    def outer(self, value: Value) -> Value:
        """An invariant or constant of the body as the graph around has it."""
        if value in self.outside:
            return self.outside[value]
        node = value.node
        assert node is not None
        return put(self.graph, "constant", **node.attrs)

    def direction(self, value: Value) -> bool | None:
        """False: the value is the index. True: it is count - 1 - index. None: neither."""
        if value is self.index:
            return False
        node = value.node
        if node is None or node.op.name != "sub":
            return None
        last, index = node.inputs
        if index is not self.index:
            return None
        if last in self.outside:
            made = self.outside[last].node
            found = made is not None and made.op.name == "sub" and self.same_count(made.inputs[0])
            return True if found and made is not None and constant_of(made.inputs[1]) == 1 else self._last(last)
        made = last.node
        if made is None or made.op.name != "sub" or constant_of(made.inputs[1]) != 1:
            return self._last(last)
        whole = made.inputs[0]
        return True if whole in self.outside and self.same_count(self.outside[whole]) else None

    def offset(self, value: Value, axis: Dim | int | None) -> int | None:
        """What is added to the index, if that is a natural number, and the sums are indices of an axis of a known size."""
        node, count = value.node, constant_of(self.count)
        if node is None or node.op.name != "add" or type(count) is not int or not isinstance(axis, int):
            return None
        added = [constant_of(self.outside.get(v, v)) for v in node.inputs if v is not self.index]
        if len(added) != 1 or not is_natural(added[0]) or int(added[0]) + count > axis:
            return None
        return int(added[0])

    def _last(self, last: Value) -> bool | None:
        count, known = constant_of(self.count), constant_of(self.outside.get(last, last))
        return True if type(count) is int and type(known) is int and known == count - 1 else None

    def same_count(self, value: Value) -> bool:
        """Whether an outer value is the trip count."""
        if _whole(value) is _whole(self.count):
            return True
        mine, other = constant_of(self.count), constant_of(value)
        return type(mine) is int and type(other) is int and mine == other

    def has_steps(self, value: Value) -> bool:
        """Whether an outer array is known to have one row a step."""
        shape = value.tensor_type.shape
        if not shape:
            return False
        if isinstance(shape[0], int):
            count = constant_of(self.count)
            return type(count) is int and count == shape[0]
        known = self.lengths.get(shape[0])
        return known is not None and self.same_count(known)

    def rows(self, x: Value, first: int = 0) -> Value:
        """So many rows of an outer array as there are steps."""
        if not first and self.has_steps(x):
            return x
        count = constant_of(self.count)
        if type(count) is int:
            return put(self.graph, "index", x, spec=((first or None, first + max(count, 0), None),))
        return put(self.graph, "index", x, self.count, spec=((None, "?", None),))

    def popped(self, node: Node) -> Node | None:
        """The node that made the list, one element a step, off whose end `list_pop` takes the elements."""
        inner = node.inputs[0]
        k = inner.index - 1
        if inner.node is not None or inner.graph is not self.body or not 0 <= k < self.node.carried:
            return None
        if constant_of(node.inputs[1]) != -1 or self.body.outputs[k] is not node.outputs[0]:
            return None
        if self.uses[inner] != 1 or self.uses[node.outputs[0]] != 1:
            return None
        return self.node.inputs[1 + k].node

    # Changing the loop

    def pass_in(self, value: Value, name: str | None = None) -> Value:
        """An outer value as an invariant of the body."""
        for inner, outer in self.outside.items():
            if outer is value:
                return inner
        self.node.inputs.append(value)
        inner = self.body.add_input(value.type, name or value.name)
        self.outside[inner] = value
        return inner

    def position(self, backwards: bool, nodes: list[Node]) -> Value:
        """The index of the row that a step sees, as a value of the body; what is computed goes behind `nodes`."""
        if not backwards:
            return self.index
        for node in nodes:
            if node.outputs and self.direction(node.outputs[0]):
                return node.outputs[0]
        mine, self.body.nodes = self.body.nodes, nodes
        one = number(self.body, 1)
        last = put(self.body, "sub", self.pass_in(self.count), one)
        out = put(self.body, "sub", last, self.index)
        self.body.nodes = mine
        return out

    def carry(self, start: Value) -> Value:
        """One more carried value: the body's input for it. The caller appends what the body returns for it."""
        node, body = self.node, self.body
        at = 1 + node.carried
        inner = Value(start.type, body)
        node.inputs.insert(at, start)
        body.inputs.insert(at, inner)
        for index, value in enumerate(body.inputs):
            value.index = index
        node.attrs = {**node.attrs, "carried": node.carried + 1}
        node.add_output(start.type)
        return inner


def _whole(value: Value) -> Value:
    """What a value is that is the same whole number in a wider type."""
    while (node := value.node) is not None and node.op.name in ("cast", "int_value"):
        have, want = (v.tensor_type for v in (node.inputs[0], value))
        if have.dtype.kind != "i" or want.dtype.kind != "i" or have.shape != () or have.dtype.size > want.dtype.size:
            break
        value = node.inputs[0]
    return value


def steps_of_lists(node: Node) -> list[int]:
    """The carried lists of a for_loop that start empty and get one element a step."""
    body, found = node.regions[0], []
    for k in range(node.carried):
        start, append = node.inputs[1 + k].node, body.outputs[k].node
        if start is None or append is None or append.op.name != "list_append":
            continue
        empty = start.op.name == "list_new" or (start.op.name == "list_from" and not start.inputs)
        if empty and append.inputs[0] is body.inputs[1 + k]:
            found.append(k)
    return found


def lengths_before(node: Node, lengths: dict[Dim, Value]) -> None:
    """Note the unknown sizes that are a loop's trip count, or named by `dim_size`, once a node has run."""
    if node.op.name == "dim_size":
        kind = node.inputs[0].tensor_type
        if kind.shape:
            size = kind.shape[node.attrs["axis"]]
            if isinstance(size, Dim):
                lengths.setdefault(size, node.outputs[0])
    elif node.op.name == "list_stack":
        loop = node.inputs[0].node
        size = node.outputs[0].tensor_type.shape
        if loop is None or loop.op.name != "for_loop" or not size or not isinstance(size[0], Dim):
            return
        if node.inputs[0].index in steps_of_lists(loop):
            lengths.setdefault(size[0], loop.inputs[0])


def is_natural(known: Any) -> bool:
    """Whether what is known of a value is an integer that is not negative."""
    return isinstance(known, (int, np.integer)) and int(known) >= 0


def at_least_0(graph: Graph, count: Value) -> Value:
    """A trip count that surely is not negative."""
    node, known = count.node, constant_of(count)
    if node is not None and (node.op.name in ("dim_size", "list_len") or is_natural(known)):
        return count
    if node is not None and node.op.name == "maximum" and constant_of(node.inputs[1]) == 0:
        return count
    for made in graph.nodes:
        if made.op.name == "maximum" and made.inputs[0] is count and constant_of(made.inputs[1]) == 0:
            return made.outputs[0]
    return put(graph, "maximum", count, number(graph, 0))
