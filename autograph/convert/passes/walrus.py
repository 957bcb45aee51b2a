"""Conditions that bind names: in a lambda, `a and (n := f(a))` would lose `n`, so it becomes statements."""

import gast

from autograph.convert.converter import Converter, Example, holds
from autograph.convert.template import load
from autograph.source.parse import Node


class Walrus(Converter):
    """if a and (n := f(a)): ...   ->   test = a; if test: test = (n := f(a)); if test: ...

    Only where the expression is the whole test or value of a statement, so that nothing is
    evaluated earlier than it was. Elsewhere such an expression stays Python.
    """

    begins = (gast.NamedExpr,)
    examples = (
        Example(
            "if a and (n := f(a)):\n    return n",
            "test = a\nif test:\n    test = (n := f(a))\nif test:\n    return n",
        ),
        Example(
            "x = (n := 1) if c else not (a or (n := 2))",
            "if c:\n    value = (n := 1)\nelse:\n    test = a\n    if not test:\n        test = (n := 2)\n"
            "    value = not test\nx = value",
        ),
        Example(
            "while a and (n := f(a)):\n    g(n)",
            "while True:\n    test = a\n    if test:\n        test = (n := f(a))\n"
            "    if not test:\n        break\n    g(n)",
        ),
        Example(
            "while a and (n := f(a)):\n    g(n)\nelse:\n    h()",
            "while True:\n    test = a\n    if test:\n        test = (n := f(a))\n"
            "    if not test:\n        h()\n        break\n    g(n)",
        ),
        Example("while (n := f()) and n < 3:\n    g(n)", "while (n := f()) and n < 3:\n    g(n)"),
    )

    def visit_If(self, node: Node) -> list[Node]:
        """Lower the test."""
        self.generic_visit(node)
        before, node.test = self._lower(node.test, "test")
        return [*before, node]

    def visit_While(self, node: Node) -> Node:
        """Lower the test into the loop, and the `else` to where it fails. One that leaves an outer loop stays."""
        self.generic_visit(node)
        if not _binds_late(node.test) or holds(node.orelse, gast.Break, gast.Continue):
            return node
        before, test = self._lower(node.test, "test")
        leave = self.quote("if not test:\n    otherwise\n    break", node.test, test=test, otherwise=node.orelse)
        return self.quote("while True:\n    body", node, body=[*before, *leave, *node.body])[0]

    def visit_Assign(self, node: Node) -> list[Node]:
        """Lower the value."""
        self.generic_visit(node)
        before, node.value = self._lower(node.value, "value")
        return [*before, node]

    def visit_Expr(self, node: Node) -> list[Node]:
        """Lower the expression."""
        self.generic_visit(node)
        before, node.value = self._lower(node.value, "value")
        return [*before, node]

    def visit_Return(self, node: Node) -> list[Node]:
        """Lower the value."""
        self.generic_visit(node)
        if node.value is None:
            return [node]
        before, node.value = self._lower(node.value, "value")
        return [*before, node]

    def _lower(self, node: Node, base: str) -> tuple[list[Node], Node]:
        """Statements to run first, and the expression that then has the value."""
        if isinstance(node, gast.UnaryOp) and isinstance(node.op, gast.Not):
            before, node.operand = self._lower(node.operand, "test")
            return before, node
        if not _binds_late(node):
            return [], node
        name = self.names.fresh(base)
        return self._assign(name, node), load(name, node)

    def _assign(self, name: str, node: Node) -> list[Node]:
        """`name = node`, as statements."""
        if not _binds_late(node):
            before, node = self._lower(node, "test")
            return [*before, *self.quote("name = value", node, name=name, value=node)]
        if isinstance(node, gast.IfExp):
            before, test = self._lower(node.test, "test")
            text = "if test:\n    yes\nelse:\n    no"
            yes, no = self._assign(name, node.body), self._assign(name, node.orelse)
            return [*before, *self.quote(text, node, test=test, yes=yes, no=no)]
        head, *rest = node.values
        text = "if name:\n    rest" if isinstance(node.op, gast.And) else "if not name:\n    rest"
        made: list[Node] = []
        for value in reversed(rest):
            made = [*self._assign(name, value), *self._guarded(text, value, name, made)]
        return [*self._assign(name, head), *self._guarded(text, node, name, made)]

    def _guarded(self, text: str, origin: Node, name: str, rest: list[Node]) -> list[Node]:
        return self.quote(text, origin, name=name, rest=rest) if rest else []


def _binds_late(node: Node) -> bool:
    """Whether an operand that is not always evaluated binds a name."""
    if isinstance(node, gast.BoolOp):
        return holds(node.values[1:], gast.NamedExpr) or _binds_late(node.values[0])
    if isinstance(node, gast.IfExp):
        return holds([node.body, node.orelse], gast.NamedExpr) or _binds_late(node.test)
    return False
