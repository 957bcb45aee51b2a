"""Which values may share memory: classes of values, merged over views, lists, conditionals and loops.

Every array or list belongs to one class; values of different classes never share memory. A class is *owned* if all its
memory was allocated by the plan (or donated to it), and *solid* if none of its arrays repeats elements (as a broadcast
view does). A list has a class for its container and, in `element`, one for what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runtime.ir.graph import Graph, Node, Value
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["Storage", "StorageMap"]

# Views that show each element at most once.
_ONE_TO_ONE = frozenset(
    "reshape reshape_like transpose expand_dims squeeze index reverse list_unstack list_split_like".split()
)


class Storage:
    """A node of the union-find forest of classes."""

    __slots__ = ("element", "owned", "parent", "solid")

    def __init__(self, owned: bool, element: Storage | None = None) -> None:
        self.parent: Storage | None = None
        self.owned = owned
        self.solid = True
        self.element = element

    def root(self) -> Storage:
        """The representative of the class."""
        node = self
        while node.parent is not None:
            node = node.parent
        if node is not self:
            self.parent = node
        return node


class StorageMap:
    """The classes of all values of a function, its regions included.

    `copied(loop, k)` says whether the loop starts from a copy of its k-th initial value.
    """

    def __init__(self, graph: Graph, donated: frozenset[int], copied: Callable[[Node, int], bool]) -> None:
        self._of: dict[Value, Storage] = {}
        self._copied = copied
        for index, value in enumerate(graph.inputs):
            if index in donated and type(value.type) is ListType:
                self._define(value, _container(value.type))
            else:
                self._define(value, new(value.type, index in donated))
        self._visit(graph)

    def of(self, value: Value) -> Storage | None:
        """The class of a value; None for bare numbers, which have no memory."""
        found = self._of.get(value)
        return None if found is None else found.root()

    def reach(self, value: Value) -> Iterator[Storage]:
        """The class of a value and of all that it holds."""
        found = self.of(value)
        seen: set[Storage] = set()
        while found is not None and found not in seen:
            yield found
            seen.add(found)
            found = None if found.element is None else found.element.root()

    def _define(self, value: Value, storage: Storage | None) -> None:
        if storage is not None:
            self._of[value] = storage

    def _share(self, value: Value, other: Value) -> None:
        """`value` is `other` under another name."""
        self._define(value, self._of.get(other) or new(value.type, True))

    def _merge(self, a: Value, b: Value) -> None:
        x, y = self._of.get(a), self._of.get(b)
        if x is not None and y is not None:
            merge(x, y)

    def _visit(self, graph: Graph) -> None:
        for node in graph.nodes:
            name = node.op.name
            if name == "cond":
                self._cond(node)
            elif name in ("while_loop", "for_loop"):
                self._loop(node, 1 if name == "for_loop" else 0)
            else:
                for region in node.regions:
                    self._visit(region)
                self._plain(node)

    def _cond(self, node: Node) -> None:
        for region in node.regions:
            for inner, outer in zip(region.inputs, node.inputs[1:], strict=True):
                self._share(inner, outer)
            self._visit(region)
        for k, value in enumerate(node.outputs):
            self._define(value, new(value.type, True))
            for region in node.regions:
                self._merge(value, region.outputs[k])

    def _loop(self, node: Node, lead: int) -> None:
        body = node.regions[-1]
        for k, value in enumerate(node.outputs):
            self._define(value, new(value.type, True))
            for region in node.regions:
                self._share(region.inputs[lead + k], value)
        for region in node.regions:
            first = lead + node.carried
            for inner, outer in zip(region.inputs[first:], node.inputs[first:], strict=True):
                self._share(inner, outer)
            self._visit(region)
        for k, value in enumerate(node.outputs):
            self._merge(value, body.outputs[k])
            init = node.inputs[lead + k]
            if not self._copied(node, k):
                self._merge(value, init)
            elif type(value.type) is ListType:
                a, b = self._of[value].root(), self._of[init].root()
                _merge_elements(a, b)

    def _plain(self, node: Node) -> None:
        op = node.op
        fresh = op.name not in ("constant", "call", "attempt", "unpack_record") and op.effect != "py"
        for value in node.outputs:
            self._define(value, new(value.type, fresh))
        if op.name in ("call", "attempt", "note", "pack_record", "unpack_record") or op.effect == "py":
            # Whoever is called may keep its arguments, and return them.
            together, handed = Storage(False), node.attrs.get("handed", 0)
            for values in (node.inputs, node.outputs):
                for index, value in enumerate(values, handed - len(values)):
                    if index >= 0 and values is node.outputs:
                        self._define(value, _container(value.type))
                    for storage in list(self.reach(value))[index >= 0 :]:
                        merge(together, storage)
        elif op.name == "where" and node.outputs[0].tensor_type.shape == ():
            for value in node.inputs[1:]:  # one of both, as it is
                self._merge(node.outputs[0], value)
        elif op.view or op.aliases:
            depth = max((_depth(v.type) for v in (*node.inputs, *node.outputs)), default=0)
            if depth:
                self._hold(node, depth)
            elif node.inputs:
                for value in node.outputs:
                    self._merge(value, node.inputs[0])
            if op.view and op.name not in _ONE_TO_ONE:
                for value in node.outputs:
                    for storage in self.reach(value):
                        storage.solid = False

    def _hold(self, node: Node, depth: int) -> None:
        """Containers among inputs and outputs hold the same elements; everything one level lower is such an element."""
        element = Storage(True)
        for value in (*node.inputs, *node.outputs):
            storage = self._of.get(value)
            if storage is None:
                continue
            if _depth(value.type) == depth:
                root = storage.root()
                root.element = element if root.element is None else merge(root.element, element)
            else:
                merge(element, storage)


def new(kind: ValueType, owned: bool) -> Storage | None:
    """A class of its own for a value of a type."""
    if type(kind) is TensorType:
        return None if kind.weak else Storage(owned)
    assert type(kind) is ListType
    return Storage(owned, None if kind.element is None else new(kind.element, owned))


def _container(kind: ValueType) -> Storage:
    """The class of a list that is the function's own, with elements that may be anybody's."""
    assert type(kind) is ListType
    return Storage(True, None if kind.element is None else new(kind.element, False))


def merge(a: Storage, b: Storage) -> Storage:
    """One class of two."""
    a, b = a.root(), b.root()
    if a is not b:
        b.parent = a
        a.owned = a.owned and b.owned
        a.solid = a.solid and b.solid
        _merge_elements(a, b)
    return a


def _merge_elements(a: Storage, b: Storage) -> None:
    if a.element is None:
        a.element = b.element
    elif b.element is not None:
        merge(a.element, b.element)


def _depth(kind: ValueType) -> int:
    depth = 0
    inner: ValueType | None = kind
    while type(inner) is ListType:
        depth += 1
        inner = inner.element
    return depth
