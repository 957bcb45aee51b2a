"""with a as x, b as y: body  ->  with a as x: with b as y: body"""

import gast

from autograph.source.parse import Node, walk

__all__ = ["nest_managers"]


def nest_managers(function: Node) -> None:
    """One `with` for each manager, within the tree.

    >>> from autograph.source.parse import parse
    >>> from autograph.source.printing import unparse
    >>> tree = parse("with a as x, b: f(x)")
    >>> nest_managers(tree)
    >>> print(unparse(tree).strip())
    with a as x:
        with b:
            f(x)
    """
    for node in walk(function):
        if isinstance(node, gast.With):
            for item in node.items[:0:-1]:
                node.body = [gast.copy_location(gast.With([item], node.body), node)]
            del node.items[1:]
