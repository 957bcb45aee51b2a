"""Texts put together of several parts: Python makes a plain `str` of them, whatever the parts are."""

import gast

from autograph.convert.converter import Converter, Example
from autograph.source.parse import Node


class Texts(Converter):
    """f"n = {n}"  ->  ag__.text(f"n = {n}");  "n = %s" % n  ->  ag__.percent("n = %s", n)

    A single part without text around it stays what its formatting gave.
    """

    begins = (gast.JoinedStr, gast.BinOp)
    examples = (
        Example("y = f'n = {n}'", "y = ag__.text(f'n = {n}')"),
        Example("y = f'{n:{width}}'", "y = f'{n:{width}}'"),
        Example("y = 'n = %s' % n", "y = ag__.percent('n = %s', n)"),
        Example("y = n % 2", "y = n % 2"),
    )

    def visit_JoinedStr(self, node: Node) -> Node:
        """The whole text is looked at once it is there."""
        self.generic_visit(node)
        if len(node.values) < 2 or not any(isinstance(part, gast.FormattedValue) for part in node.values):
            return node
        return self.quote_expression("ag__.text(a)", node, a=node)

    def visit_FormattedValue(self, node: Node) -> Node:
        """The format is an f-string to Python's grammar, and none to its reader."""
        node.value = self.visit(node.value)
        if node.format_spec is not None:
            node.format_spec.values = [self.visit(part) for part in node.format_spec.values]
        return node

    def visit_BinOp(self, node: Node) -> Node:
        """What is put into a text that stands here."""
        self.generic_visit(node)
        if not (isinstance(node.op, gast.Mod) and isinstance(node.left, gast.Constant) and isinstance(node.left.value, str)):
            return node
        return self.quote_expression("ag__.percent(a, b)", node, a=node.left, b=node.right)
