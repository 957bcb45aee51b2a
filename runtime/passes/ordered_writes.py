"""A list that a loop writes at the index of its turn, which always is the list's end, grows by appending.

`ta.write(t, x)` asks whether t is within what was written so far, sets the element then, and fills up to t and appends
otherwise. In a loop that writes t = 0, 1, 2, ... only the last ever happens, and the loop's gradient is that of a list
that grows: so this is done as soon as there is a loop, before anything differentiates it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import renewed
from runtime.passes.rewrite import splice
from runtime.tensor.known import static_value
from runtime.typesys.spec import ListType, TensorType

__all__ = ["append_in_order"]

Count = tuple[int, int]
"""a * i + b in the turn i, which counts from 0."""

_MOST_STEPS = 300  # of finding out how numbers are made, for a loop
_COMPARED = {"less": np.less, "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal}


def append_in_order(loop: Node) -> None:
    """Replace branches of a loop's body that ask for the end of a list by those that are taken, where that is certain."""
    body = loop.regions[-1]
    branches = [n for n in body.nodes if n.op.name == "cond" and any(isinstance(v.type, ListType) for v in n.outputs)]
    if not branches:
        return
    start = 1 if loop.op.name == "for_loop" else 0
    lists = range(start, start + loop.carried)
    lengths = {k: n for k in lists if (n := _known_length(loop.inputs[k])) is not None}
    while lengths:
        counts = _Counts(loop, start, lengths)
        wrong = [k for k, n in lengths.items() if counts.length(body.outputs[k - start]) != (1, n + 1)]
        if not wrong:
            _take(body, {n: truth for n in branches if (truth := counts.truth(n.inputs[0])) is not None}, counts)
            return
        for k in wrong:
            del lengths[k]


def _known_length(value: Value) -> int | None:
    """How many elements a list has before a loop."""
    node = value.node
    if node is None:
        return None
    if node.op.name == "list_cast":
        return _known_length(node.inputs[0])
    if node.op.name == "list_append":
        before = _known_length(node.inputs[0])
        return None if before is None else before + 1
    return len(node.inputs) if node.op.name in ("list_new", "list_from") else None


def _whole(x: object) -> int | None:
    return int(x) if isinstance(x, (int, np.integer)) and not isinstance(x, bool) else None


def _counts_far(value: Value) -> bool:
    """Whether a value is a whole number of a type that no list is too long for."""
    kind = value.type
    return isinstance(kind, TensorType) and kind.shape == () and kind.dtype.kind == "i" and kind.dtype.dtype.itemsize >= 4


class _Counts:
    """Whole numbers and lengths of lists in a turn, if some lists grow by one element a turn."""

    def __init__(self, loop: Node, start: int, lengths: dict[int, int]) -> None:
        self.loop = loop
        self.start = start
        self.lengths = lengths
        self.passed: dict[Value, Value] = {}  # of regions inside
        self.steps = 0

    def _above(self, value: Value) -> Value:
        """What a region's input is given."""
        while value in self.passed:
            value = self.passed[value]
        return value

    def number(self, value: Value) -> Count | None:
        """A whole number."""
        value = self._above(value)
        node = value.node
        self.steps += 1
        if self.steps > _MOST_STEPS or not _counts_far(value):
            return None
        if node is None:
            return self._given(value) if value.graph is self.loop.regions[-1] else None
        name = node.op.name
        if name == "constant":
            known = _whole(node.attrs["value"])
            return None if known is None else (0, known)
        if name == "cast":
            return self.number(node.inputs[0])
        if name == "list_len":
            return self.length(node.inputs[0])
        if name == "index":
            return self._read(node)
        if name in ("add", "sub", "maximum"):
            a, b = self.number(node.inputs[0]), self.number(node.inputs[1])
            if a is None or b is None:
                return None
            if name == "maximum":
                return (a[0], max(a[1], b[1])) if a[0] == b[0] else None
            sign = 1 if name == "add" else -1
            return a[0] + sign * b[0], a[1] + sign * b[1]
        return None

    def _given(self, value: Value) -> Count | None:
        """The number of the turn, a number that each turn counts up, or one that no turn changes."""
        k = value.index
        if k < self.start:
            return 1, 0
        known = _whole(static_value(self.loop.inputs[k]))
        if known is None or k >= self.start + self.loop.carried:
            return None if known is None else (0, known)
        after = self.loop.regions[-1].outputs[k - self.start]
        if after is value:
            return 0, known
        node = after.node
        if node is None or node.op.name != "add":
            return None
        steps = [_whole(static_value(v)) for v in node.inputs if v is not value]
        return (steps[0], known) if len(steps) == 1 and steps[0] is not None else None

    def _read(self, node: Node) -> Count | None:
        """An element of a range, at the number of the turn."""
        if node.attrs["spec"] != ("?",) or self.number(node.inputs[1]) != (1, 0):
            return None
        source = self._above(node.inputs[0])
        if source.node is None and source.graph is self.loop.regions[-1] and source.index >= self.start + self.loop.carried:
            source = self.loop.inputs[source.index]
        made = source.node
        if made is None or made.op.name != "arange":
            return None
        first, step = _whole(static_value(made.inputs[0])), _whole(static_value(made.inputs[2]))
        return None if first is None or step is None else (step, first)

    def length(self, value: Value) -> Count | None:
        """The length of a list."""
        value = self._above(value)
        node = value.node
        if node is None:
            known = self.lengths.get(value.index) if value.graph is self.loop.regions[-1] else None
            return None if known is None else (1, known)
        name = node.op.name
        if name in ("list_new", "list_from"):
            return 0, len(node.inputs)
        if name in ("list_append", "list_set", "list_cast"):
            before = self.length(node.inputs[0])
            return (before[0], before[1] + 1) if before is not None and name == "list_append" else before
        if name == "for_loop" and self.is_skipped(node):
            return self.length(node.inputs[1 + value.index])
        if name == "cond":
            truth = self.truth(node.inputs[0])
            return None if truth is None else self.length(self.taken(node, truth).outputs[value.index])
        return None

    def is_skipped(self, node: Node) -> bool:
        """Whether a loop has no turn."""
        count = self.number(node.inputs[0]) if node.op.name == "for_loop" else None
        return count is not None and count[0] == 0 and count[1] <= 0

    def taken(self, node: Node, truth: bool) -> Graph:
        """The region of a `cond` that runs."""
        region = node.regions[0 if truth else 1]
        self.passed.update(zip(region.inputs, node.inputs[1:], strict=True))
        return region

    def truth(self, value: Value) -> bool | None:
        """Whether a comparison holds in every turn."""
        node = self._above(value).node
        if node is None or node.op.name not in _COMPARED:
            return None
        a, b = self.number(node.inputs[0]), self.number(node.inputs[1])
        if a is None or b is None or a[0] != b[0]:
            return None
        return bool(_COMPARED[node.op.name](a[1], b[1]))


def _take(body: Graph, decided: dict[Node, bool], counts: _Counts) -> None:
    """Put the branches that are taken in the place of their nodes, without the loops of no turn in them."""
    skipped = {n for node, truth in decided.items() for n in counts.taken(node, truth).nodes if counts.is_skipped(n)}
    for node, table in renewed(body):
        if node not in decided:
            body.nodes.append(node)
            continue
        nodes, returned = splice(node.regions[0 if decided[node] else 1], node.inputs[1:], body)
        inner = dict(_kept(body, nodes, skipped))
        table.update(zip(node.outputs, (inner.get(v, v) for v in returned), strict=True))


def _kept(body: Graph, nodes: list[Node], skipped: set[Node]) -> Iterator[tuple[Value, Value]]:
    """Add nodes to a body, but for loops of no turn; what stands for what those give."""
    table: dict[Value, Value] = {}
    for node in nodes:
        node.inputs = [table.get(v, v) for v in node.inputs]
        if node in skipped:
            table.update(zip(node.outputs, node.inputs[1 : 1 + node.carried], strict=True))
        else:
            body.nodes.append(node)
    yield from table.items()
