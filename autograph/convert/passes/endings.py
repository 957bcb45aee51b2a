"""`finally` where `try` statements are staged: an exception that only the run raises passes it, too."""

from collections.abc import Sequence

import gast

from autograph.convert.converter import HOOKS, Converter, Example, holds
from autograph.convert.jumps import SUSPENDING, has_jump
from autograph.convert.template import copy_tree, load
from autograph.source.parse import Node


class Endings(Converter):
    """try: body, finally: end  ->  try: body, except ag__.EVERYTHING: end, raise; end

    After the jumps have become flags, so that `end` is reached on every path. Only in the form of a function that has
    `try` statements as calls of hooks; elsewhere `finally` is Python's.
    """

    begins = (gast.Try,)
    examples = (
        Example("try:\n    y = f()\nfinally:\n    g()\n", "try:\n    y = f()\nfinally:\n    g()\n"),
    )

    def visit_Try(self, node: Node) -> Node | list[Node]:
        """A `finally` whose statement may become functions."""
        self.generic_visit(node)
        if not self.context.stage_tries or not node.finalbody or not _may_be_functions(node):
            return node
        end = node.finalbody
        inner: Sequence[Node] = node.body
        if node.handlers:
            caught = gast.Try(node.body, node.handlers, node.orelse, [])
            inner = [gast.copy_location(caught, node)]
        again = gast.Raise(None, None)
        everything = gast.Attribute(load(HOOKS, node), "EVERYTHING", gast.Load())
        handler = gast.ExceptHandler(everything, None, [*(copy_tree(part) for part in end), again])
        made = gast.Try([*inner], [handler], [], [])
        for part in (again, everything, handler, made):
            gast.copy_location(part, node)
        return [made, *end]


def _may_be_functions(node: Node) -> bool:
    blocks = [node.body, node.orelse, node.finalbody, *(handler.body for handler in node.handlers)]
    jump = any(has_jump(block, gast.Return, gast.Break, gast.Continue) for block in blocks)
    return not jump and not holds(node, *SUSPENDING)
