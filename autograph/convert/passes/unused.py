"""Values that nobody reads, which Python works out all the same: an index out of range raises there."""

import gast

from autograph.analysis.facts import Facts
from autograph.analysis.liveness import Liveness
from autograph.convert.converter import Context, Converter, Example, holds
from autograph.source.parse import Node, walk

_DIVISIONS = (gast.Div, gast.FloorDiv, gast.Mod)


class Unused(Converter):
    """xs[i]  ->  ag__.unused(xs[i]);   v = xs[i]  ->  v = ag__.unused(xs[i]), where v is not read later

    Of names, items, divisions and calls: the rest raises while it is traced, if at all. A call that is a statement of its
    own acts, or raises in the function that it calls.
    """

    begins = (gast.Expr, gast.Assign)
    examples = (
        Example("xs[i]", "ag__.unused(xs[i])"),
        Example("found", "ag__.unused(found)"),
        Example("f(x)", "f(x)"),
        Example("def f(xs, i):\n    v = xs[i] + 1", "def f(xs, i):\n    v = ag__.unused(xs[i] + 1)"),
        Example("def f(xs, i):\n    v = xs[i]\n    return v", "def f(xs, i):\n    v = xs[i]\n    return v"),
        Example("def f(x):\n    y = x + 1", "def f(x):\n    y = x + 1"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._facts = context.facts or Facts()
        self._liveness: Liveness | None = None

    def visit_FunctionDef(self, node: Node) -> Node:
        """What is read later is known of each function."""
        outer, self._liveness = self._liveness, self._facts.get(Liveness, node)
        self.generic_visit(node)
        self._liveness = outer
        return node

    def visit_AsyncFunctionDef(self, node: Node) -> Node:
        """Not staged."""
        return node

    def visit_Expr(self, node: Node) -> Node:
        """A statement that is a value."""
        if not isinstance(node.value, gast.Call) and _may_raise(node.value):
            node.value = self.quote_expression("ag__.unused(value)", node.value, value=node.value)
        return node

    def visit_Assign(self, node: Node) -> Node:
        """A value under a name."""
        target = node.targets[0]
        if self._liveness is None or len(node.targets) > 1 or not isinstance(target, gast.Name):
            return node
        if target.id not in self._liveness.after(node) and _may_raise(node.value):
            node.value = self.quote_expression("ag__.unused(value)", node.value, value=node.value)
        return node


def _may_raise(value: Node) -> bool:
    if isinstance(value, (gast.Name, gast.Subscript)):
        return True
    if isinstance(value, gast.Lambda) or holds(value, gast.Yield, gast.YieldFrom, gast.Await, gast.NamedExpr):
        return False
    return any(
        isinstance(part, (gast.Subscript, gast.Call)) or (isinstance(part, gast.BinOp) and isinstance(part.op, _DIVISIONS))
        for part in walk(value)
    )
