"""`*xs` of what may be of a length that only the run knows: in calls, lists and tuples that are written out."""

from collections.abc import Iterator

import gast

from autograph.convert.converter import Converter, Example
from autograph.source.parse import Node


class Stars(Converter):
    """f(a, *xs)  ->  f(a, *ag__.spread(xs, f, 1));   [*xs]  ->  [*ag__.spread(xs)];   (*xs, a)  ->  ag__.joined((*xs, a))

    The hook looks how many arguments a function takes. A parameter `*args` is joined where the function begins.
    """

    begins = (gast.Call, gast.List, gast.Tuple, gast.FunctionDef)
    examples = (
        Example("y = f(a, *b)", "y = f(a, *ag__.spread(b, f, 1))"),
        Example("y = f(a, *b, c)", "y = f(a, *ag__.spread([*ag__.spread(b), c], f, 1))"),
        Example("y = m.f(*b)", "y = m.f(*ag__.spread(b, m.f, 0))"),
        Example("y = f()(*b)", "y = f()(*b)"),
        Example("y = [*a, b]", "y = [*ag__.spread(a), b]"),
        Example("y = (*a, b)", "y = ag__.joined((*ag__.spread(a), b))"),
        Example("a, *b = c", "a, *b = c"),
    )

    def visit_Call(self, node: Node) -> Node:
        """In a call of something that has a name: what comes after the first star is a list."""
        self.generic_visit(node)
        stars = [i for i, a in enumerate(node.args) if isinstance(a, gast.Starred)]
        if not stars or not _is_named(node.func):
            return node
        first = node.args[stars[0]]
        if stars[0] < len(node.args) - 1:
            rest = gast.copy_location(gast.List(node.args[stars[0] :], gast.Load()), first)
            self._spread(rest)
            first = gast.copy_location(gast.Starred(rest, gast.Load()), first)
            node.args[stars[0] :] = [first]
        count = gast.Constant(len(node.args) - 1, None)
        first.value = self.quote_expression("ag__.spread(x, f, n)", first, x=first.value, f=node.func, n=count)
        return node

    def visit_List(self, node: Node) -> Node:
        """What is written out, no target."""
        self.generic_visit(node)
        if isinstance(node.ctx, gast.Load):
            self._spread(node)
        return node

    def visit_Tuple(self, node: Node) -> Node:
        """The same."""
        self.generic_visit(node)
        if not isinstance(node.ctx, gast.Load) or not any(True for _ in _stars(node)):
            return node
        self._spread(node)
        return self.quote_expression("ag__.joined(x)", node, x=node)

    def _spread(self, node: Node) -> None:
        for star in _stars(node):
            star.value = self.quote_expression("ag__.spread(x)", star, x=star.value)

    def visit_FunctionDef(self, node: Node) -> Node:
        """What is given to `*args`."""
        self.generic_visit(node)
        if node.args.vararg is not None:
            position = 1 if gast.get_docstring(node, clean=False) is not None else 0
            name = node.args.vararg.id
            node.body[position:position] = self.quote("x = ag__.joined(x)", node.body[position], x=name)
        return node


def _stars(node: Node) -> Iterator[Node]:
    return (e for e in node.elts if isinstance(e, gast.Starred))


def _is_named(node: Node) -> bool:
    while isinstance(node, gast.Attribute):
        node = node.value
    return isinstance(node, gast.Name)
