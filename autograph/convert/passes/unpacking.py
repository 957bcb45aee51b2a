"""Taking apart a sequence whose length may depend on tensors."""

import gast

from autograph.convert.converter import Converter, Example
from autograph.convert.taking_apart import sizes_of
from autograph.source.parse import Node


class Unpacking(Converter):
    """a, b = x  ->  a, b = ag__.unpack(x, 2);   a, *b, c = x  ->  a, *b, c = ag__.unpack(x, 1, 1)
    (a, b), c = x  ->  (a, b), c = ag__.unpack(x, (2, 0))

    A tuple that is written out has the length that it shows; its items may not.
    """

    begins = (gast.Tuple, gast.List)
    examples = (
        Example("a, b = x", "a, b = ag__.unpack(x, 2)"),
        Example("a, *b = x[1:]", "a, *b = ag__.unpack(x[1:], 1, 0)"),
        Example("(a, b), c = x", "(a, b), c = ag__.unpack(x, (2, 0))"),
        Example("(a, b), c = y = x", "(a, b), c = y = x"),
        Example("a, b = b, a", "a, b = b, a"),
    )

    def visit_Assign(self, node: Node) -> Node:
        """One target that is a tuple or list."""
        self.generic_visit(node)
        target = node.targets[0]
        sizes = sizes_of(target, node) if len(node.targets) == 1 else None
        if sizes is not None and isinstance(sizes[0], gast.Constant) and _is_written_out(node.value):
            return node
        if sizes is None:
            return node
        node.value = self.quote_expression("ag__.unpack(x, sizes)", node.value, x=node.value, sizes=sizes)
        return node


def _is_written_out(value: Node) -> bool:
    if isinstance(value, (gast.Tuple, gast.List)):
        return not any(isinstance(element, gast.Starred) for element in value.elts)
    return isinstance(value, (gast.Constant, gast.JoinedStr, gast.Yield, gast.YieldFrom, gast.Await))
