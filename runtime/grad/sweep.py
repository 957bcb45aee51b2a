"""The pass backwards over nodes: cotangents of outputs in, cotangents of inputs out, node by node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runtime.grad.activity import Activity, differentiable
from runtime.grad.regions import add, zeros
from runtime.ir.graph import Node, Value
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor

__all__ = ["Rule", "Sums", "Sweep"]


class Sums:
    """The cotangent of each value so far; values that are known to be the same are one (`same`)."""

    def __init__(self, same: Callable[[Value], Value] | None = None) -> None:
        self.values: dict[Value, Tensor] = {}
        self.same = same

    def add(self, value: Value, dx: Tensor) -> None:
        """Count in one more contribution."""
        if self.same is not None:
            value = self.same(value)
        have = self.values.get(value)
        self.values[value] = dx if have is None else add(have, dx)

    def get(self, value: Value) -> Tensor | None:
        """The sum, None for a structural zero."""
        return self.values.get(value if self.same is None else self.same(value))


class Sweep:
    """One gradient: which nodes count, the rules of nodes with regions (`Rule`s by operation name), the bytes that each
    loop met may save (None: as many as it likes), and those that loops saved which are not taken back in parts."""

    def __init__(self, activity: Activity, rules: Mapping[str, Rule], budget: int | None = None) -> None:
        self.activity = activity
        self.rules = rules
        self.budget = budget
        self.saved = 0

    def run(self, nodes: Sequence[Node], sums: Sums, varied: Callable[[Node, Value], bool]) -> None:
        """Take the cotangents in `sums` back through `nodes`, which stand in program order.

        `varied` tells whether a node's input depends on a source: only those get cotangents.
        """
        for node in reversed(nodes):
            dys = [sums.get(v) if differentiable(v.type) else None for v in node.outputs]
            if all(dy is None for dy in dys) or not self.activity.recorded(node):
                continue
            inputs = list(node.inputs)  # the rules of loops and branches extend their node
            need = [differentiable(v.type) and varied(node, v) for v in inputs]
            if not any(need):
                continue
            rule = self.rules.get(node.op.name)
            dxs = _ordinary(node, dys, need) if rule is None else rule(self, node, dys, need)
            for value, dx, needed in zip(inputs, dxs, need, strict=True):
                if needed and dx is not None:
                    sums.add(value, dx)


Rule = Callable[[Sweep, Node, list["Tensor | None"], list[bool]], Iterable["Tensor | None"]]


def _ordinary(node: Node, dys: list[Tensor | None], need: list[bool]) -> Iterable[Any]:
    rule = node.op.rules.vjp
    if rule is None:
        return [None] * len(node.inputs)
    boxes = [Tensor(v) for v in node.inputs]
    attrs = {**node.attrs, "needs": need} if node.op.choosy else node.attrs
    if node.op.outputs == 1:
        return rule(op, dys[0], Tensor(node.outputs[0]), *boxes, **attrs)
    if not node.op.sparse_cotangents:
        dys = [
            zeros(v.type, v) if dy is None and differentiable(v.type) else dy
            for dy, v in zip(dys, node.outputs, strict=True)
        ]
    return rule(op, tuple(dys), tuple(map(Tensor, node.outputs)), *boxes, **attrs)
