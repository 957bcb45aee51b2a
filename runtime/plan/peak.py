"""How much memory a plan has in use at most."""

from __future__ import annotations

from runtime.ir.graph import Graph, Node, Value
from runtime.plan.plan import make_plan
from runtime.plan.storage import Storage, StorageMap
from runtime.typesys.shapes import num_elements
from runtime.typesys.spec import TensorType

__all__ = ["Peak", "peak_bytes"]


class Peak:
    """Bytes of the arrays that a plan makes and has at one time, its inputs not counted.

    bytes     the largest sum
    node      where that is, None in a graph without nodes
    complete  whether all sizes were known; else arrays of unknown size, and lists, are left out of the sum
    """

    __slots__ = ("bytes", "complete", "node")

    def __init__(self) -> None:
        self.bytes = 0
        self.node: Node | None = None
        self.complete = True

    def __str__(self) -> str:
        least = "" if self.complete else "at least "
        return f"{least}{self.bytes} bytes" + ("" if self.node is None else f", at {self.node.op.name}")


def peak_bytes(graph: Graph, donated: frozenset[int] = frozenset()) -> Peak:
    """The memory that the NumPy plan of a graph needs besides its inputs; functions it calls are not looked into."""
    return _Walk(graph, donated).peak


class _Walk:
    def __init__(self, graph: Graph, donated: frozenset[int]) -> None:
        self.plan = plan = make_plan(graph, donated)
        self.storages = StorageMap(graph, donated, lambda loop, k: k in plan.copies.get(loop, ()))
        self.peak = Peak()
        self.sizes: dict[Storage, int] = {}
        self.taken: dict[Storage, Storage] = {}  # an output's class -> that of the input whose buffer it takes over
        for node, index in plan.reuse.items():
            mine, other = self.storages.of(node.outputs[0]), self.storages.of(node.inputs[index])
            if mine is not None and other is not None and mine is not other:
                self.taken[mine] = other
        self.given = {s for s in map(self._root, graph.inputs) if s is not None}
        for node in graph.walk():
            for value in node.outputs:
                self._measure(value)
        self._block(graph, set())

    def _root(self, value: Value) -> Storage | None:
        found = self.storages.of(value)
        seen: set[Storage] = set()
        while found is not None and found in self.taken and found not in seen:
            seen.add(found)
            found = self.taken[found].root()
        return found

    def _measure(self, value: Value) -> None:
        root = self._root(value)
        if root is None:
            return
        kind = value.type
        count = num_elements(kind.shape) if isinstance(kind, TensorType) else None
        if count is None or not isinstance(kind, TensorType):
            self.peak.complete = False
            return
        self.sizes[root] = max(self.sizes.get(root, 0), count * kind.dtype.size if kind.shape else 0)

    def _roots(self, values: list[Value] | set[Value]) -> set[Storage]:
        return {s for s in map(self._root, values) if s is not None}

    def _block(self, graph: Graph, around: set[Storage]) -> None:
        live = set(graph.outputs)
        after: list[set[Value]] = []
        for node in reversed(graph.nodes):
            after.append(set(live))
            live.difference_update(node.outputs)
            live.update(node.inputs)
        for node, later in zip(graph.nodes, reversed(after), strict=True):
            held = around | self._roots(later) | self._roots(node.inputs)
            for region in node.regions:
                self._block(region, held)
            self._note(held | self._roots(node.outputs), node)

    def _note(self, storages: set[Storage], node: Node) -> None:
        total = sum(self.sizes.get(s, 0) for s in storages - self.given)
        if total > self.peak.bytes:
            self.peak.bytes, self.peak.node = total, node
