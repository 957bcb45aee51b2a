"""Conditional expressions."""

import gast

from autograph.convert.converter import Converter, Example
from autograph.convert.moving import may_become_lambda
from autograph.source.parse import Node


class Ternary(Converter):
    """a if c else b  ->  ag__.if_exp(c, lambda: a, lambda: b)"""

    begins = (gast.IfExp,)
    eliminates = (gast.IfExp,)
    examples = (
        Example("y = a if c else b", "y = ag__.if_exp(c, lambda: a, lambda: b)"),
        Example(
            "y = a if c else b if d else e",
            "y = ag__.if_exp(c, lambda: a, lambda: ag__.if_exp(d, lambda: b, lambda: e))",
        ),
        Example("f((n := 1) if c else b)", "f((n := 1) if c else b)"),
        Example("y = (yield) if c else b", "y = (yield) if c else b"),
    )

    def visit_IfExp(self, node: Node) -> Node:
        """Both values become functions."""
        self.generic_visit(node)
        if self.keeps(node):
            return node
        return self.quote_expression(
            "ag__.if_exp(c, lambda: a, lambda: b)", node, c=node.test, a=node.body, b=node.orelse
        )

    def keeps(self, node: Node) -> bool:
        """A value that binds a name, yields or awaits belongs to this function."""
        return not all(may_become_lambda(value, self.context) for value in (node.body, node.orelse))
