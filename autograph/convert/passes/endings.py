"""`finally` and `except*` where `try` statements are staged: exceptions that only the run raises come by, too."""

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

    begins = (gast.Try, gast.TryStar)
    examples = (
        Example("try:\n    y = f()\nfinally:\n    g()\n", "try:\n    y = f()\nfinally:\n    g()\n"),
    )

    def visit_Try(self, node: Node) -> Node | list[Node]:
        """A `finally` whose statement may become functions."""
        self.generic_visit(node)
        return self._ended(node)

    def _ended(self, node: Node) -> Node | list[Node]:
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


    def visit_TryStar(self, node: Node) -> Node | list[Node]:
        """`except*` is asked by Python, of each exception that the body may raise."""
        self.generic_visit(node)
        if not self.context.stage_tries or not _may_be_functions(node):
            return node
        error = self.names.helper("error")
        again = gast.Raise(load(error, node), None)
        asked = gast.TryStar([again], node.handlers, [], [])
        everything = gast.Attribute(load(HOOKS, node), "EVERYTHING", gast.Load())
        handler = gast.ExceptHandler(everything, gast.Name(error, gast.Store(), None, None), [asked])
        made = gast.Try(node.body, [handler], node.orelse, node.finalbody)
        for part in (again, asked, everything, handler, handler.name, made):
            gast.copy_location(part, node)
        return self._ended(made)


def _may_be_functions(node: Node) -> bool:
    blocks = [node.body, node.orelse, node.finalbody, *(handler.body for handler in node.handlers)]
    jump = any(has_jump(block, gast.Return, gast.Break, gast.Continue) for block in blocks)
    return not jump and not holds(node, *SUSPENDING)
