"""What dies where, and so which node may write into which buffer, and what can be freed.

A node may take over the buffer of an input if the plan owns all memory of the input's class, and no other value of
that class is needed afterwards: later in the block, after the blocks around it, or in the next turn of a loop.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.ir.graph import Graph, Node, Value
from runtime.plan.storage import Storage, StorageMap
from runtime.typesys.shapes import num_elements, same_size
from runtime.typesys.spec import ListType, TensorType

__all__ = ["Lifetimes"]

FREE_FROM = 16_384  # bytes from which a `del` at the last use pays


class Lifetimes:
    """One walk over a function, backwards, under the classes of a `StorageMap`.

    reuse      node -> index of the input it may overwrite
    handed     call -> indices of the lists it hands over to the function, which may change them
    frees      node -> values to forget after it
    consumed   loop -> classes overwritten inside it
    exclusive  (loop, k): the k-th initial value is the plan's own and nobody else needs it
    """

    def __init__(self, graph: Graph, storages: StorageMap) -> None:
        self.storages = storages
        self.reuse: dict[Node, int] = {}
        self.handed: dict[Node, frozenset[int]] = {}
        self.frees: dict[Node, list[Value]] = {}
        self.consumed: dict[Node, set[Storage]] = {}
        self.exclusive: set[tuple[Node, int]] = set()
        self._loops: list[Node] = []
        self._visit(graph, frozenset(), top=True)

    def _roots(self, values: list[Value]) -> set[Storage]:
        return {s for v in values for s in self.storages.reach(v)}

    def _visit(self, graph: Graph, context: frozenset[Storage], top: bool = False) -> None:
        live: set[Value] = set()
        count: dict[Storage, int] = {}

        def add(values: list[Value]) -> None:
            for value in values:
                if value not in live:
                    live.add(value)
                    for storage in self.storages.reach(value):
                        count[storage] = count.get(storage, 0) + 1

        add(graph.outputs)
        last = graph.nodes[-1] if graph.nodes and top else None
        for node in reversed(graph.nodes):
            for value in node.outputs:
                if value in live:
                    live.remove(value)
                    for storage in self.storages.reach(value):
                        count[storage] -= 1
            dying = [v for v in dict.fromkeys(node.inputs) if v not in live]
            if node.regions:
                around = context.union(s for s, n in count.items() if n > 0)
                self._control(node, around)
            else:

                def unneeded(storage: Storage) -> bool:
                    return storage not in context and count.get(storage, 0) == 0

                index = self._choose(node, dying, unneeded)
                taken = self._hand_over(node, dying, unneeded)
                if taken:
                    self.handed[node] = frozenset(taken)
                if index is not None:
                    self.reuse[node] = index
                    taken.append(index)
                for index in taken:
                    root = self.storages.of(node.inputs[index])
                    assert root is not None
                    for loop in self._loops:
                        self.consumed.setdefault(loop, set()).add(root)
            if node is not last:
                forget = [v for v in dying if v.node is not None and _large(v)]
                if forget:
                    self.frees[node] = forget
            add(node.inputs)

    def _control(self, node: Node, around: frozenset[Storage]) -> None:
        if node.op.name not in ("while_loop", "for_loop"):
            for region in node.regions:
                self._visit(region, around)
            return
        lead = 1 if node.op.name == "for_loop" else 0
        inits, invariants = node.inputs[lead : lead + node.carried], node.inputs[lead + node.carried :]
        around = around.union(self._roots(invariants))
        for k, init in enumerate(inits):
            root = self.storages.of(init)
            others = self._roots([v for j, v in enumerate(inits) if j != k])
            if root is not None and root.owned and root.solid and root not in around and root not in others:
                self.exclusive.add((node, k))
        self._loops.append(node)
        if lead == 0:
            self._visit(node.regions[0], around.union(self._roots(node.regions[0].inputs)))
        self._visit(node.regions[-1], around)
        self._loops.pop()

    def _choose(self, node: Node, dying: list[Value], unneeded: Callable[[Storage], bool]) -> int | None:
        """The input whose memory the node takes over; one made in this block rather than one carried into it."""
        op = node.op
        if op.consumes:
            for index in op.consumes:
                value = node.inputs[index]
                held = type(value.type) is ListType or same_buffer(value, node.outputs[0])
                if held and value in dying and self._writable(value, unneeded) and self._apart(node, index):
                    return index
            return None
        if not op.is_ufunc or len(node.outputs) != 1 or op.view or op.aliases:
            return None
        fitting = [
            k
            for k, v in enumerate(node.inputs)
            if v in dying and same_buffer(v, node.outputs[0]) and self._writable(v, unneeded)
        ]
        return min(fitting, key=lambda k: (node.inputs[k].node is None, k), default=None)

    def _hand_over(self, node: Node, dying: list[Value], unneeded: Callable[[Storage], bool]) -> list[int]:
        """Which of the lists that a call gives away are nobody else's; of the others it gives copies."""
        inputs = node.inputs
        return [
            k
            for k in range(len(inputs) - node.attrs.get("handed", 0), len(inputs))
            if inputs[k] in dying and self._writable(inputs[k], unneeded) and self._apart(node, k)
        ]

    def _writable(self, value: Value, unneeded: Callable[[Storage], bool]) -> bool:
        root = self.storages.of(value)
        if root is None or not (root.owned and root.solid and unneeded(root)):
            return False
        return type(value.type) is ListType or bool(value.tensor_type.rank)

    def _apart(self, node: Node, index: int) -> bool:
        """Whether the other operands share no memory with the input that is written to."""
        target = self.storages.of(node.inputs[index])
        return all(self.storages.of(v) is not target for k, v in enumerate(node.inputs) if k != index)


def same_buffer(a: Value, b: Value) -> bool:
    """Whether an array of a's type can hold b: same dtype, and all sizes known to be equal."""
    x, y = a.type, b.type
    if type(x) is not TensorType or type(y) is not TensorType or x.weak or y.weak or x.dtype != y.dtype:
        return False
    if x.shape is None or y.shape is None or len(x.shape) != len(y.shape):
        return False
    return all(map(same_size, x.shape, y.shape))


def _large(value: Value) -> bool:
    kind = value.type
    if type(kind) is not TensorType:
        return True
    if kind.weak or kind.shape == ():
        return False
    size = num_elements(kind.shape)
    return size is None or size * kind.dtype.size >= FREE_FROM
