"""`assert` and `raise`."""

import gast

from autograph.convert.converter import Converter, Example
from autograph.convert.moving import may_become_lambda
from autograph.source.parse import Node


class Asserts(Converter):
    """assert c, m  ->  ag__.assert_stmt(c, lambda: m);   raise E from e  ->  raise ag__.raised(E, e)

    A bare `raise` stays. Under `python -O` asserts vanish, as Python's do.
    """

    begins = (gast.Assert, gast.Raise)
    eliminates = (gast.Assert,)
    examples = (
        Example("assert x > 0, f(x)", "ag__.assert_stmt(x > 0, lambda: f(x))"),
        Example("assert x", "ag__.assert_stmt(x)"),
        Example("raise E(x) from e", "raise ag__.raised(E(x), e)"),
        Example("raise E(x) from None", "raise ag__.raised(E(x)) from None"),
        Example("raise", "raise"),
    )

    def visit_Assert(self, node: Node) -> Node | None:
        """The message is made only when it is needed."""
        self.generic_visit(node)
        if not __debug__:
            return None
        if self.keeps(node):
            return node
        if node.msg is None:
            return self.quote("ag__.assert_stmt(test)", node, test=node.test)[0]
        text = "ag__.assert_stmt(test, lambda: message)"
        return self.quote(text, node, test=node.test, message=node.msg)[0]

    def keeps(self, node: Node) -> bool:
        """A message that binds a name, or yields, is made where it stands."""
        return node.msg is not None and not may_become_lambda(node.msg, self.context)

    def visit_Raise(self, node: Node) -> Node:
        """Tell the hook what is raised, and from what: a cause may depend on a tensor."""
        self.generic_visit(node)
        if node.exc is None:
            return node
        if node.cause is None or (isinstance(node.cause, gast.Constant) and node.cause.value is None):
            node.exc = self.quote_expression("ag__.raised(error)", node.exc, error=node.exc)
            return node
        node.exc = self.quote_expression("ag__.raised(error, cause)", node.exc, error=node.exc, cause=node.cause)
        node.cause = None
        return node
