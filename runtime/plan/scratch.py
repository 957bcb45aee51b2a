"""Memory that a loop's turns use again, and results that shall begin at a line of the cache.

What a turn makes and nobody sees after it is written into the same buffer in every turn: allocating large arrays again and
again gives pages back to the system and takes them from it. A carried value that is made anew in each turn, while the
old one is still read, has two buffers, which take turns.
"""

from __future__ import annotations

from collections.abc import Iterator

from runtime.ir.graph import Graph, Node, Value
from runtime.plan.storage import Storage, StorageMap
from runtime.typesys.shapes import num_elements
from runtime.typesys.spec import ListType, TensorType

__all__ = ["Scratch", "find_scratch", "of_a_turn"]

LEAST = 8_192  # bytes of an array from which on a buffer outside of the loop is worth its line
LARGE = 32_768  # from which on an address that suits vectors gains more than it costs
_TURNED = frozenset(("transpose", "matrix_transpose", "adjoint"))


class Scratch:
    """
    buffers  loop -> the types of the arrays to be made before it
    into     node of a loop's body -> which of them it writes its result to
    swaps    loop -> pairs of them that change places after each turn
    aligned  nodes whose results, in new memory, are large, and stay within the call
    """

    def __init__(self) -> None:
        self.buffers: dict[Node, list[TensorType]] = {}
        self.into: dict[Node, int] = {}
        self.swaps: dict[Node, list[tuple[int, int]]] = {}
        self.aligned: set[Node] = set()


def find_scratch(graph: Graph, storages: StorageMap, reuse: dict[Node, int]) -> Scratch:
    """The buffers of all loops of a function whose classes of memory, and nodes that write in place, are known."""
    return _Finder(graph, storages, reuse).out


class _Finder:
    def __init__(self, graph: Graph, storages: StorageMap, reuse: dict[Node, int]) -> None:
        self.storages = storages
        self.reuse = reuse
        self.out = Scratch()
        self.parents: dict[Storage, Storage] = {}
        nodes = list(graph.walk())
        for node, index in reuse.items():
            mine, other = self.memory(node.outputs[0]), self.memory(node.inputs[index])
            if mine is not None and other is not None and mine is not other:
                self.parents[mine] = other
        everything = [v for node in nodes for v in node.outputs] + graph.inputs
        everything += [v for node in nodes for region in node.regions for v in region.inputs]
        self.shared = set(self._shared(everything))
        for node in nodes:
            if node.op.name in ("while_loop", "for_loop"):
                self.loop(node, node.regions[-1])
        returned = {self.memory(v) for v in graph.outputs}
        for node in nodes:
            if node not in self.out.into and node not in reuse and (kind := _fits(node)) is not None:
                memory = self.memory(node.outputs[0])
                if memory not in returned and memory not in self.shared and _bytes(kind) >= LARGE:
                    self.out.aligned.add(node)

    def memory(self, value: Value) -> Storage | None:
        """The class of all that may lie in the same memory, by another's buffer taken over or under another name."""
        found = self.storages.of(value)
        while found is not None and found in self.parents:
            found = self.parents[found].root()
        return found

    def _shared(self, values: list[Value]) -> Iterator[Storage | None]:
        """Classes that are not only the plan's, or held by lists."""
        for value in values:
            own = self.memory(value)
            if own is None:
                continue
            if type(value.type) is ListType:
                for storage in self.storages.reach(value):
                    yield self._up(storage)
            else:
                for storage in self.storages.reach(value):
                    if not storage.owned:
                        yield self._up(storage)

    def _up(self, storage: Storage) -> Storage:
        while storage in self.parents:
            storage = self.parents[storage].root()
        return storage

    def loop(self, loop: Node, body: Graph) -> None:
        kinds: list[TensorType] = []
        made: dict[Storage, list[tuple[int, Node, TensorType]]] = {}
        for position, node in of_a_turn(body):
            if node in self.reuse or (kind := _fits(node)) is None or _bytes(kind) < LEAST:
                continue
            memory = self.memory(node.outputs[0])
            if memory is not None and memory not in self.shared:
                made.setdefault(memory, []).append((position, node, kind))
        if not made:
            return
        leaving = [self.memory(v) for v in body.outputs]
        last = self._last_uses(body)
        waiting: list[tuple[int, int]] = []  # (last use of what is in a buffer, buffer)
        for position, memory, node, kind in sorted(
            ((p, m, n, k) for m, group in made.items() for p, n, k in group), key=lambda entry: entry[0]
        ):
            slots = leaving.count(memory)
            if slots == 1 and len(made[memory]) == 1 and self._origin(body.outputs[leaving.index(memory)]) is node:
                self.out.into[node] = len(kinds)
                self.out.swaps.setdefault(loop, []).append((len(kinds), len(kinds) + 1))
                kinds += [kind, kind]
            elif slots == 0:
                free = [b for end, b in waiting if end < position and _alike(kinds[b], kind)]
                place = free[0] if free else len(kinds)
                if not free:
                    kinds.append(kind)
                waiting = [w for w in waiting if w[1] != place] + [(last.get(memory, position), place)]
                self.out.into[node] = place
        if kinds:
            self.out.buffers[loop] = kinds

    def _origin(self, value: Value) -> Node | None:
        """The node whose new memory a value lies in, if all on the way wrote in place."""
        node = value.node
        while node is not None and node in self.reuse:
            node = node.inputs[self.reuse[node]].node
        return node

    def _last_uses(self, body: Graph) -> dict[Storage, int]:
        last: dict[Storage, int] = {}
        for position, node in enumerate(body.nodes):
            for value in (*node.inputs, *node.outputs):
                memory = self.memory(value)
                if memory is not None:
                    last[memory] = position
        return last


def of_a_turn(body: Graph) -> Iterator[tuple[int, Node]]:
    """The nodes of a loop's body and of its conditionals, each with the place of the body's node that it is part of."""
    for position, node in enumerate(body.nodes):
        yield position, node
        if node.op.name == "cond":
            yield from ((position, inner) for region in node.regions for _, inner in of_a_turn(region))


def _fits(node: Node) -> TensorType | None:
    """The type of a node's result if it can be written into memory that is given, and has a size known beforehand."""
    op, name = node.op, node.op.name
    if not (op.is_ufunc or name in ("cast", "matmul", "where")) or len(node.outputs) != 1 or op.view or op.aliases:
        return None
    kind = node.outputs[0].tensor_type
    if kind.weak or not kind.shape or num_elements(kind.shape) is None:
        return None
    if kind.dtype.kind not in "biufc" or not kind.dtype.dtype.isnative:
        return None
    if name == "cast" and (node.inputs[0].tensor_type.weak or node.inputs[0].tensor_type.dtype.kind not in "biuf"):
        return None
    # A result in the order of a transposed operand's axes is made faster, and read faster by what is alike.
    turned = any(v.node is not None and v.node.op.name in _TURNED for v in node.inputs)
    if (name != "matmul" and turned) or (name == "where" and _bytes(kind) < LARGE):
        return None
    return kind


def _bytes(kind: TensorType) -> int:
    return (num_elements(kind.shape) or 0) * kind.dtype.size


def _alike(a: TensorType, b: TensorType) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape
