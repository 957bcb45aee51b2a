"""Tests that guard what they read: `while stack and stack[-1] < x`."""

import gast

from autograph.convert.template import copy_tree, located
from autograph.source.parse import Node, walk

__all__ = ["only_asked"]


def only_asked(test: Node) -> Node:
    """A test in which a container that guards its own items is asked for its truth alone.

    The value of `stack and ...` may be the list itself: what follows would have to tell it from the others that there are.
    """
    if not isinstance(test, gast.BoolOp) or not isinstance(test.op, gast.And):
        return test
    read = {n.value.id for n in walk(test) if isinstance(n, gast.Subscript) and isinstance(n.value, gast.Name)}
    values = [_asked(v) if isinstance(v, gast.Name) and v.id in read else v for v in test.values[:-1]]
    return located(gast.BoolOp(test.op, [*values, test.values[-1]]), test)


def _asked(value: Node) -> Node:
    return located(gast.UnaryOp(gast.Not(), located(gast.UnaryOp(gast.Not(), copy_tree(value)), value)), value)
