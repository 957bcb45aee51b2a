"""Sums over a short last axis of what was broadcast, plane by plane: distances between all pairs of points.

    reduce_sum(square(x[:, None, :] - c[None, :, :]), axis=2)  ->  sum_planes(x, c): for each j, (x[:, j] - c[:, j]) ** 2

NumPy's loops go along the last axis and begin anew for every few elements, and each operation writes and reads the whole.
Plane by plane they are long, over arrays that stay in the cache. The sum is in NumPy's order (pairwise), to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ir.graph import Graph, Node, Value
from runtime.ir.walk import reachable_functions, users
from runtime.ops.registry import OPS, Op
from runtime.typesys.shapes import is_static, num_elements
from runtime.typesys.spec import TensorType

__all__ = ["has_sums", "sums_by_planes"]

LONGEST = 128  # elements that NumPy adds up without halving the row first
LEAST = 8192  # elements of what is summed from which on planes take less time
BLOCK = 65536  # elements of a part of a plane
_ELEMENTWISE = frozenset(("absolute", "add", "maximum", "minimum", "multiply", "negative", "square", "subtract"))
Steps = tuple[tuple[Any, ...], ...]


class SumPlanes(Op):
    """The sum over the last axis of what `steps` compute: (ufunc, number of an operand or of an earlier step, ...)."""

    def infer(self, *leaves: TensorType, steps: Steps, keepdims: bool) -> TensorType:
        raise NotImplementedError  # typed by who builds it

    @staticmethod
    def kernel(*leaves: Any, steps: Steps, keepdims: bool) -> Any:
        full = np.broadcast_shapes(*map(np.shape, leaves))
        lead, depth, rank = full[:-1], full[-1], len(full)
        far = max(range(rank - 1), key=lead.__getitem__)  # the longest axis is the innermost of a plane
        order = [*(a for a in range(rank - 1) if a != far), far]
        turned = [_turned(np.asarray(leaf), rank, order) for leaf in leaves]
        dtype = np.result_type(*leaves)
        out = np.empty([lead[a] for a in order], dtype)
        length = lead[far]
        width = min(max(BLOCK * length // (out.size or 1), 1), length)
        planes = _Planes(steps, [np.empty((*out.shape[:-1], width), dtype) for _ in range(9 if depth >= 8 else 1)])
        for start in range(0, length, width):
            part = slice(start, start + width)
            planes.leaves = [x if x.shape[-1] == 1 else x[..., part] for x in turned]
            planes.sum(depth, out[..., part])
        made = out.transpose(np.argsort(order))
        return made[..., None] if keepdims else made


def _turned(leaf: Any, rank: int, order: list[int]) -> Any:
    """A leaf with the summed axis first, then the others in order."""
    leaf = leaf.reshape((1,) * (rank - leaf.ndim) + leaf.shape)
    return np.ascontiguousarray(leaf.transpose(rank - 1, *order))


class _Planes:
    """Computes parts of planes and adds them up, in memory that is used for all of them."""

    def __init__(self, steps: Steps, memory: list[Any]) -> None:
        self.leaves: list[Any] = []
        self.memory = memory
        self.steps = [(getattr(np, step[0]), step[1:]) for step in steps]
        self.made: list[Any] = [None] * (len(steps) - 1)

    def put(self, j: int, into: Any) -> Any:
        """Plane j, written into an array."""
        values = [x[j if len(x) > 1 else 0] for x in self.leaves]
        for k, (ufunc, operands) in enumerate(self.steps[:-1]):
            self.made[k] = ufunc(*(values[o] for o in operands), out=self.made[k])
            values.append(self.made[k])
        ufunc, operands = self.steps[-1]
        return ufunc(*(values[o] for o in operands), out=into)

    def sum(self, depth: int, out: Any) -> None:
        """Add up planes in the order in which NumPy adds up a row."""
        if out.shape != self.memory[0].shape:  # the last part is shorter
            self.memory = [x[..., : out.shape[-1]] for x in self.memory]
            self.made = [None] * len(self.made)
        plane, *sums = self.memory
        if depth < 8:
            self.put(0, out)
            for j in range(1, depth):
                out += self.put(j, plane)
            return
        for j in range(8):
            self.put(j, sums[j])
        for j in range(8, depth - depth % 8):
            sums[j % 8] += self.put(j, plane)
        for step in (1, 2):
            for k in range(0, 8, 2 * step):
                sums[k] += sums[k + step]
        np.add(sums[0], sums[4], out)
        for j in range(depth - depth % 8, depth):
            out += self.put(j, plane)


def sums_by_planes(graph: Graph) -> Graph:
    """Put `sum_planes` in the place of such sums, in a graph that is the executor's own."""
    for part in (graph, *(graph.functions[name] for name in reachable_functions(graph))):
        _visit(part)
    return graph


def has_sums(graph: Graph) -> bool:
    """Whether there may be any."""
    parts = (graph, *(graph.functions[name] for name in reachable_functions(graph)))
    return any(node.op.name == "reduce_sum" and _fits(node) for part in parts for node in part.walk())


def _visit(graph: Graph) -> None:
    for node in graph.nodes:
        for region in node.regions:
            _visit(region)
    sums = [node for node in graph.nodes if node.op.name == "reduce_sum" and _fits(node)]
    if sums:
        uses = users(graph)
        for node in sums:
            _rewrite(graph, node, uses)


def _fits(node: Node) -> bool:
    """Whether a node sums a large array of floats along a short last axis."""
    x, axis = node.inputs[0].type, node.attrs["axis"]
    if not isinstance(x, TensorType) or not is_static(x.shape) or x.dtype.name not in ("float32", "float64"):
        return False
    shape: Any = x.shape
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    if len(shape) < 2 or axis not in (-1, len(shape) - 1) or not 2 <= shape[-1] <= LONGEST:
        return False
    return (num_elements(shape) or 0) >= LEAST and shape[-1] * 4 <= max(shape[:-1])


def _rewrite(graph: Graph, total: Node, uses: dict[Value, list[Node]]) -> None:
    kind = total.inputs[0].tensor_type
    inside: list[Node] = []
    taken: set[Node] = {total}
    for node in reversed(graph.nodes[: graph.nodes.index(total)]):
        if node.op.numpy not in _ELEMENTWISE or node.outputs[0].type != kind or node.outputs[0] in graph.outputs:
            continue
        mine = uses.get(node.outputs[0], [])
        if mine and taken.issuperset(mine):
            taken.add(node)
            inside.append(node)
    inside.reverse()
    if not inside or inside[-1].outputs[0] is not total.inputs[0]:
        return
    made = {node.outputs[0] for node in inside}
    leaves = list(dict.fromkeys(v for node in inside for v in node.inputs if v not in made))
    sizes = [num_elements(v.tensor_type.shape) for v in leaves]
    alike = all(v.tensor_type.dtype == kind.dtype and not v.tensor_type.weak and v.tensor_type.shape for v in leaves)
    if not alike or None in sizes or sum(sizes) * 2 > (num_elements(kind.shape) or 0):  # type: ignore[arg-type]
        return
    numbers: dict[Value, int] = {v: k for k, v in enumerate([*leaves, *(node.outputs[0] for node in inside)])}
    steps = tuple((node.op.numpy, *(numbers[v] for v in node.inputs)) for node in inside)
    attrs = {"steps": steps, "keepdims": bool(total.attrs["keepdims"])}
    node = Node(OPS["sum_planes"], leaves, attrs, (total.outputs[0].type,), graph, (), total.location)
    node.outputs[0].name = total.outputs[0].name
    graph.nodes[graph.nodes.index(total)] = node
    graph.nodes = [n for n in graph.nodes if n not in taken]
    for other in graph.nodes:
        other.inputs = [node.outputs[0] if v is total.outputs[0] else v for v in other.inputs]
    graph.outputs = [node.outputs[0] if v is total.outputs[0] else v for v in graph.outputs]
