"""Augmented assignments to names: `xs += ys` changes a list itself."""

import gast

from autograph.convert.converter import Context, Converter, Example
from autograph.convert.naming import bindings
from autograph.convert.targets import CHANGING
from autograph.source.parse import Node

_NEVER_CONTAINERS = (gast.Div, gast.FloorDiv, gast.Pow, gast.MatMult, gast.LShift, gast.RShift)


class InPlace(Converter):
    """xs += v  ->  xs += ag__.in_place(xs, v), where xs may be a list, set, dictionary or array from outside"""

    begins = (gast.AugAssign,)
    examples = (
        Example("xs += ys", "xs += ag__.in_place(xs, ys)"),
        Example("total = 0\ntotal += x", "total = 0\ntotal += x"),
        Example("x += 1", "x += ag__.in_place(x, 1)"),
        Example("x = buffer\nx /= y", "x = buffer\nx /= ag__.in_place(x, y)"),
        Example("x = y + z\nx += 1", "x = y + z\nx += 1"),
        Example("x = -y\nx *= a / b", "x = -y\nx *= a / b"),
        Example("x = y * z\nx /= y", "x = y * z\nx /= y"),
        Example("x.y += z", "x.y += z"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._numbers: set[str] = set()
        self._made: set[str] = set()

    def convert(self, tree: Node) -> Node:
        """First find the names that are never anything but numbers."""
        bound = list(bindings(tree))
        self._made = _made_here(bound)
        others = {name for name, value in bound if value is None}
        self._numbers = {name for name, _ in bound} - others
        while True:
            wrong = {name for name, value in bound if name in self._numbers and not self._is_number(value)}
            if not wrong:
                return self.visit(tree)
            self._numbers -= wrong

    def visit_AugAssign(self, node: Node) -> Node:
        """What `op=` may change is told to the hook, before it does."""
        self.generic_visit(node)
        target = node.target
        if not isinstance(target, gast.Name) or target.id in self._numbers:
            return node
        if target.id in self._made:  # no array that is there before the function is called
            if not isinstance(node.op, CHANGING):
                return node
            if self._is_number(node.value) and (not isinstance(node.op, gast.Mult) or _is_fraction(node.value)):
                return node
        node.value = self.quote_expression("ag__.in_place(x, v)", node, x=target.id, v=node.value)
        return node

    def _is_number(self, value: Node | None) -> bool:
        """Whether a value is surely no container."""
        if isinstance(value, (gast.Constant, gast.Compare)):
            return not isinstance(value, gast.Constant) or type(value.value) in (bool, int, float, complex)
        if isinstance(value, gast.UnaryOp):
            return self._is_number(value.operand)
        if isinstance(value, gast.Name):
            return value.id in self._numbers
        if isinstance(value, gast.BinOp):
            if isinstance(value.op, _NEVER_CONTAINERS):
                return True
            both = self._is_number(value.left), self._is_number(value.right)
            return all(both) or (any(both) and not isinstance(value.op, (gast.Mult, gast.Mod)))
        return False


def _made_here(bound: list[tuple[str, Node | None]]) -> set[str]:
    """Names that hold nothing but what this function has made: results of operators, displays."""
    others = {name for name, value in bound if not isinstance(value, _MADE)}
    return {name for name, _ in bound} - others


_MADE = (gast.BinOp, gast.UnaryOp, gast.Compare, gast.Constant, gast.List, gast.Tuple, gast.Dict, gast.Set, gast.ListComp)


def _is_fraction(value: Node) -> bool:
    return (isinstance(value, gast.Constant) and type(value.value) is float) or (
        isinstance(value, gast.BinOp) and isinstance(value.op, _NEVER_CONTAINERS)
    )
