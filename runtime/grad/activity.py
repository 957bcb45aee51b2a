"""Which values matter to a gradient: those that depend on a source (varied) and those a target depends on (useful).

Both are over-approximations found without building anything; through loops and recursive calls they are fixed points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from runtime.ir.graph import Graph, Node, Value
from runtime.ops.kinds import no_gradient
from runtime.typesys.spec import ListType, ValueType

__all__ = ["Activity", "differentiable", "everything"]

Mask = tuple[bool, ...]


def differentiable(type: ValueType | None) -> bool:
    """Whether values of a type have cotangents: floating and complex tensors, and lists of them.

    >>> from runtime.typesys.spec import TensorType
    >>> differentiable(TensorType("float32")), differentiable(ListType(TensorType("int32")))
    (True, False)
    """
    if type is None:
        return False
    if isinstance(type, ListType):
        return type.element is None or differentiable(type.element)  # of a record's items nothing is known
    return type.dtype.is_inexact


def everything(_node: Node) -> bool:
    """The predicate of a gradient that no tape limits: every node is recorded."""
    return True


class Activity:
    """Dependence through recorded nodes only; results are remembered for the time of one gradient."""

    def __init__(self, recorded: Callable[[Node], bool] = everything) -> None:
        self._recorded = recorded
        self._known: dict[int, tuple[Node, bool]] = {}
        self._varied: dict[tuple[Graph, Mask], set[Value]] = {}
        self._useful: dict[tuple[Graph, Mask], set[Value]] = {}
        self._calls = _Calls()

    def recorded(self, node: Node) -> bool:
        """Whether a node is on the tape: itself, or a node of one of its regions."""
        if not node.regions:
            return self._recorded(node)
        known = self._known.get(node.id)
        if known is None:
            found = self._recorded(node) or any(
                self.recorded(n) for region in node.regions for n in region.nodes
            )
            known = self._known[node.id] = (node, found)
        return known[1]

    # Forwards

    def forward(self, node: Node, mask: Sequence[bool]) -> Mask:
        """Which outputs depend on the inputs in `mask`."""
        if not any(mask) or not self.recorded(node):
            return (False,) * len(node.outputs)
        name = node.op.name
        if name == "cond":
            branches = [self._region_forward(region, tuple(mask[1:])) for region in node.regions]
            reached: Iterable[bool] = map(any, zip(*branches, strict=True))
        elif name in ("while_loop", "for_loop"):
            varied = self.loop_varied(node, mask)
            reached = [v in varied for v in _carried_inputs(node)]
        elif name == "call":
            reached = self._call(node, tuple(mask), forward=True)
        elif name == "attempt":
            reached = [False, *[True] * (len(node.outputs) - 1)]
        elif name == "custom_gradient":
            reached = [any(mask[len(node.outputs) :])] * len(node.outputs)
        else:
            reached = [has_rule(node)] * len(node.outputs)
        return tuple(r and differentiable(v.type) for r, v in zip(reached, node.outputs, strict=True))

    def varied(self, graph: Graph, mask: Sequence[bool]) -> set[Value]:
        """Values of a graph that depend on the inputs in `mask` (those included)."""
        key = (graph, tuple(mask))
        known = self._varied.get(key)
        if known is None:
            known = {v for v, m in zip(graph.inputs, mask, strict=True) if m and differentiable(v.type)}
            for node in graph.nodes:
                known.update(
                    v
                    for v, m in zip(
                        node.outputs, self.forward(node, [v in known for v in node.inputs]), strict=True
                    )
                    if m
                )
            self._varied[key] = known
        return known

    def _region_forward(self, region: Graph, mask: Mask) -> Mask:
        varied = self.varied(region, mask)
        return tuple(v in varied for v in region.outputs)

    def loop_varied(self, node: Node, mask: Sequence[bool]) -> set[Value]:
        """The body's values that depend, in any iteration, on the node's inputs in `mask`."""
        body, lead = node.regions[-1], _lead(node)
        now = [*([False] * lead), *mask[lead:]]
        while True:
            varied = self.varied(body, now)
            after = list(now)
            for k, out in enumerate(body.outputs):
                after[lead + k] = after[lead + k] or out in varied
            if after == now:
                return varied
            now = after

    # Backwards

    def backward(self, node: Node, mask: Sequence[bool]) -> Mask:
        """Which inputs the outputs in `mask` depend on."""
        if not any(mask) or not self.recorded(node):
            return (False,) * len(node.inputs)
        name = node.op.name
        if name == "cond":
            branches = [self._region_backward(region, tuple(mask)) for region in node.regions]
            reached: list[bool] = [False, *map(any, zip(*branches, strict=True))]
        elif name in ("while_loop", "for_loop"):
            useful = self.loop_useful(node, mask)
            reached = [
                *([False] * _lead(node)),
                *(v in useful for v in node.regions[-1].inputs[_lead(node) :]),
            ]
        elif name == "call":
            reached = list(self._call(node, tuple(mask), forward=False))
        elif name == "attempt":
            reached = [True] * len(node.inputs)
        elif name == "custom_gradient":
            reached = [k >= len(node.outputs) for k in range(len(node.inputs))]
        else:
            reached = [has_rule(node)] * len(node.inputs)
        return tuple(r and differentiable(v.type) for r, v in zip(reached, node.inputs, strict=True))

    def useful(self, graph: Graph, mask: Sequence[bool]) -> set[Value]:
        """Values of a graph that the outputs in `mask` depend on (those included)."""
        key = (graph, tuple(mask))
        known = self._useful.get(key)
        if known is None:
            known = {v for v, m in zip(graph.outputs, mask, strict=True) if m and differentiable(v.type)}
            for node in reversed(graph.nodes):
                reached = self.backward(node, [v in known for v in node.outputs])
                known.update(v for v, m in zip(node.inputs, reached, strict=True) if m)
            self._useful[key] = known
        return known

    def _region_backward(self, region: Graph, mask: Mask) -> Mask:
        useful = self.useful(region, mask)
        return tuple(v in useful for v in region.inputs)

    def loop_useful(self, node: Node, mask: Sequence[bool]) -> set[Value]:
        """The body's values that, in any iteration, the node's outputs in `mask` depend on; carried inputs included."""
        body, carried = node.regions[-1], _carried_inputs(node)
        now = list(mask)
        while True:
            useful = self.useful(body, now) | {v for v, m in zip(carried, now, strict=True) if m}
            after = [m or v in useful for v, m in zip(carried, now, strict=True)]
            if after == now:
                return useful
            now = after

    # Calls

    def _call(self, node: Node, mask: Mask, forward: bool) -> Mask:
        """Through a named function: from nothing upwards until its recursive calls agree with it."""
        functions = node.outputs[0].graph.functions if node.outputs else {}
        graph = functions.get(node.attrs["function"])
        if graph is None:
            return (True,) * len(node.outputs if forward else node.inputs)
        return self._calls.reach(graph, mask, forward)


class _Calls:
    """Dependence through named functions: rounds over all those reached, from nothing upwards, until they agree."""

    def __init__(self) -> None:
        self.found: dict[tuple[Graph, Mask, bool], Mask] = {}
        self.settled: set[tuple[Graph, Mask, bool]] = set()
        self.round: set[tuple[Graph, Mask, bool]] | None = None

    def reach(self, graph: Graph, mask: Mask, forward: bool) -> Mask:
        """Which outputs depend on the inputs in `mask`; or inputs that the outputs in `mask` depend on."""
        key = (graph, mask, forward)
        if key in self.settled:
            return self.found[key]
        if self.round is not None:
            return self._evaluate(key)
        while True:
            before = dict(self.found)
            self.round = set()
            try:
                result = self._evaluate(key)
            finally:
                self.settled |= self.round if self.found == before else set()
                self.round = None
            if self.found == before:
                return result

    def _evaluate(self, key: tuple[Graph, Mask, bool]) -> Mask:
        graph, mask, forward = key
        assert self.round is not None
        if key not in self.round:
            self.round.add(key)
            inside = Activity()  # a function is differentiated whole: tapes limit only the call
            inside._calls = self
            if forward:
                varied = inside.varied(graph, mask)
                self.found[key] = tuple(v in varied for v in graph.outputs)
            else:
                useful = inside.useful(graph, mask)
                self.found[key] = tuple(v in useful for v in graph.inputs)
        return self.found.get(key) or (False,) * len(graph.outputs if forward else graph.inputs)


def has_rule(node: Node) -> bool:
    """Whether an ordinary node passes cotangents back."""
    rule = node.op.rules.vjp
    return rule is not None and rule is not no_gradient


def _lead(node: Node) -> int:
    """Inputs of a loop before the carried ones: the trip count of a for_loop (the index of its body)."""
    return 1 if node.op.name == "for_loop" else 0


def _carried_inputs(node: Node) -> list[Value]:
    lead = _lead(node)
    return node.regions[-1].inputs[lead : lead + node.carried]
