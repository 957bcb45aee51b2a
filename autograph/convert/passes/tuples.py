"""Tuples joined with ones that are written out: `hist + (x,)`, which a loop may make as long as only the run knows."""

import gast

from autograph.convert.converter import Context, Converter, Example
from autograph.convert.naming import bindings
from autograph.source.parse import Node


class Tuples(Converter):
    """hist + (x,)  ->  ag__.add_tuple(hist, (x,));   hist += (x,)  ->  hist = ag__.add_tuple(hist, (x,))

    A tuple of a length that only the run knows is a list, to which the hook adds a list of what is written out. The
    second where the name is bound to nothing but tuples: a list would be another one after it.
    """

    begins = (gast.BinOp, gast.AugAssign)
    examples = (
        Example("y = x[1:] + (a,)", "y = ag__.add_tuple(x[1:], (a,))"),
        Example("y = (a,) + x", "y = ag__.add_tuple((a,), x)"),
        Example("y = (a,) + (b,)", "y = (a,) + (b,)"),
        Example("y = ()\ny += (a,)", "y = ()\ny = ag__.add_tuple(y, (a,))"),
        Example("y += (a,)", "y += (a,)"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._tuples: set[str] = set()

    def convert(self, tree: Node) -> Node:
        """First find the names that hold tuples only."""
        bound = list(bindings(tree))
        others = {name for name, value in bound if not isinstance(value, gast.Name) and not _may_be_tuple(value)}
        self._tuples = {name for name, value in bound if _is_tuple(value)}
        renamed = [(name, value.id) for name, value in bound if isinstance(value, gast.Name)]
        while new := {name for name, of in renamed if of in self._tuples} - self._tuples:
            self._tuples |= new
        others |= {name for name, of in renamed if of not in self._tuples}
        while new := {name for name, of in renamed if of in others} - others:
            others |= new
        self._tuples -= others
        return self.visit(tree)

    def visit_BinOp(self, node: Node) -> Node:
        """One side is written out."""
        self.generic_visit(node)
        if not isinstance(node.op, gast.Add) or isinstance(node.left, gast.Tuple) == isinstance(node.right, gast.Tuple):
            return node
        return self.quote_expression("ag__.add_tuple(x, y)", node, x=node.left, y=node.right)

    def visit_AugAssign(self, node: Node) -> Node | list[Node]:
        """The same of names."""
        self.generic_visit(node)
        target = node.target
        if not isinstance(node.op, gast.Add) or not isinstance(node.value, gast.Tuple):
            return node
        if not isinstance(target, gast.Name) or target.id not in self._tuples:
            return node
        return self.quote("x = ag__.add_tuple(x, v)", node, x=target.id, v=node.value)


def _is_tuple(value: Node | None) -> bool:
    if isinstance(value, gast.Call):
        return isinstance(value.func, gast.Name) and value.func.id == "tuple"
    return isinstance(value, gast.Tuple)


def _may_be_tuple(value: Node | None) -> bool:
    """Whether an expression gives a tuple where it gives a tuple or a list."""
    if isinstance(value, gast.BinOp) and isinstance(value.op, gast.Add):
        return _is_tuple(value.left) or _is_tuple(value.right)
    return _is_tuple(value) or isinstance(value, gast.Constant)
