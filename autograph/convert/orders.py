"""Which comparisons by order may be of tuples: Python compares their items itself, and asks staged ones for their truth."""

from __future__ import annotations

import gast

from autograph.source.parse import Node, walk

__all__ = ["Orders"]

NUMBER, ANYTHING, ITEM = range(3)  # never a tuple; unknown; something that tuples are often put into
_NUMBERS = frozenset(("abs", "float", "int", "len", "ord", "range", "round"))
_MAKING_NUMBERS = (gast.Constant, gast.UnaryOp, gast.Compare, gast.BoolOp, gast.JoinedStr)


class Orders:
    """What the names of a function may stand for, by how they are bound."""

    def __init__(self, tree: Node | None = None) -> None:
        self._kinds: dict[str, int] = {}
        if tree is not None:
            for _ in range(2):  # once more, for names that are bound to names
                for node in walk(tree):
                    self._look_at(node)

    def may_be_of_tuples(self, left: Node, right: Node) -> bool:
        """Whether operands look like tuples: one of them may be an item or a result, and none is known as a number."""
        kinds = self._kind(left), self._kind(right)
        return NUMBER not in kinds and ITEM in kinds

    def _kind(self, x: Node) -> int:
        if isinstance(x, gast.Name):
            return self._kinds.get(x.id, ANYTHING)
        if isinstance(x, _MAKING_NUMBERS):
            return NUMBER
        if isinstance(x, gast.BinOp):
            if not isinstance(x.op, gast.Add):
                return NUMBER
            kinds = self._kind(x.left), self._kind(x.right)
            return NUMBER if NUMBER in kinds else max(kinds)
        if isinstance(x, gast.Call):
            return NUMBER if isinstance(x.func, gast.Name) and x.func.id in _NUMBERS else ITEM
        return ITEM if isinstance(x, (gast.Subscript, gast.Tuple)) else ANYTHING

    def _look_at(self, node: Node) -> None:
        if isinstance(node, gast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, (gast.AnnAssign, gast.NamedExpr)) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, (gast.For, gast.comprehension)):
            is_range = isinstance(node.iter, gast.Call) and self._kind(node.iter) == NUMBER
            self._set(node.target, NUMBER if is_range else ITEM)
        elif isinstance(node, gast.arguments):
            for argument in (*node.posonlyargs, *node.args, *node.kwonlyargs):
                self._set(argument, ANYTHING)

    def _bind(self, target: Node, value: Node) -> None:
        if isinstance(target, (gast.Tuple, gast.List)):
            if isinstance(value, (gast.Tuple, gast.List)) and len(value.elts) == len(target.elts):
                for one, other in zip(target.elts, value.elts, strict=True):
                    self._bind(one, other)
            else:
                self._set(target, ITEM)
        elif not (isinstance(value, gast.Constant) and value.value is None):  # None is not compared
            self._set(target, self._kind(value))

    def _set(self, target: Node, kind: int) -> None:
        if isinstance(target, gast.Name):
            self._kinds[target.id] = max(kind, self._kinds.get(target.id, NUMBER))
        elif isinstance(target, gast.Starred):
            self._set(target.value, kind)
        elif isinstance(target, (gast.Tuple, gast.List)):
            for part in target.elts:
                self._set(part, kind)
