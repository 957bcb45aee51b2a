"""`finally` blocks that jump, where `try` statements are staged: they take back what was raised, returned or left before."""

from collections.abc import Sequence

import gast

from autograph.convert.converter import HOOKS, Converter, Example, holds
from autograph.convert.jumps import FUNCTIONS, SUSPENDING, JumpConverter, ReturnLowering, has_jump
from autograph.convert.template import copy_tree, load
from autograph.source.parse import Node

JUMPS = (gast.Return, gast.Break, gast.Continue)


class Finals(Converter):
    """try: body, finally: end  ->  try: body, except ag__.EVERYTHING: end, raise; end, and then how the body was left

    Only where `end` jumps: the jumps of the body become flags first, so that `end` decides whether they happen. Before
    the other jumps are lowered, which then meet no `finally` that takes one back.
    """

    begins = (gast.Try,)
    examples = (
        Example("try:\n    y = f()\nfinally:\n    return 1\n", "try:\n    y = f()\nfinally:\n    return 1\n"),
    )

    def visit_FunctionDef(self, node: Node) -> Node:
        """Where nothing is suspended, and only in the form that stages `try` statements."""
        if self.context.stage_tries and not _suspends(node):
            self.generic_visit(node)
        return node

    def visit_Try(self, node: Node) -> Node | list[Node]:
        """The statements within first."""
        self.generic_visit(node)
        if not has_jump(node.finalbody, *JUMPS):
            return node
        end, node.finalbody = node.finalbody, []
        inner: list[Node] = [node] if node.handlers else list(node.body)
        before: list[Node] = []
        after: list[Node] = []
        for lowering in (_Continues(self.context), _Returned(self.context), _Breaks(self.context)):
            if has_jump(inner, lowering.jump):
                flag = self.names.fresh(lowering.name)
                inner = lowering.lower(inner, flag)
                before += lowering.start(node, flag)
                after += self.quote("if flag: left", node, flag=flag, left=lowering.again(node))
        raised = gast.Raise(None, None)
        everything = gast.Attribute(load(HOOKS, node), "EVERYTHING", gast.Load())
        handler = gast.ExceptHandler(everything, None, [*(copy_tree(part) for part in end), raised])
        made = gast.Try([*inner], [handler], [], [])
        for part in (raised, everything, handler, made):
            gast.copy_location(part, node)
        return [*before, made, *end, *after]


class _Lowering(JumpConverter):
    name = ""

    def start(self, at: Node, flag: str) -> list[Node]:
        """Nothing has jumped yet."""
        return self.quote("flag = False", at, flag=flag)

    def again(self, at: Node) -> list[Node]:
        """The jump itself, after all."""
        return [gast.copy_location(self.jump(), at)]


class _Continues(_Lowering):
    jump, name = gast.Continue, "continued"


class _Breaks(_Lowering):
    jump, name = gast.Break, "broke"


class _Returned(_Lowering, ReturnLowering):
    """Returns with their values; out of a loop by a `break`."""

    jump, name = gast.Return, "returned"
    value = ""

    def lower(self, block: Sequence[Node], flag: str) -> list[Node]:
        """The value is a variable of its own."""
        self.value = self.value or self.names.fresh("returned_value")
        return super().lower(block, flag)

    def replacement(self, jump: Node, flag: str) -> list[Node]:
        """Store the value, set the flag."""
        value = jump.value if jump.value is not None else gast.copy_location(gast.Constant(None, None), jump)
        stored = self.quote("value = returned", jump, value=self.value, returned=value)
        return stored + super().replacement(jump, flag)

    def start(self, at: Node, flag: str) -> list[Node]:
        """Nothing has returned yet."""
        return super().start(at, flag) + self.quote("value = ag__.undefined", at, value=self.value)

    def again(self, at: Node) -> list[Node]:
        """Return it."""
        return self.quote("return value", at, value=self.value)


def _suspends(function: Node) -> bool:
    return not isinstance(function, FUNCTIONS) or holds(function.body, *SUSPENDING)
