"""Dictionaries and sets that are written out."""

import gast

from autograph.convert.converter import Converter, Example
from autograph.source.parse import Node


class Displays(Converter):
    """{}  ->  ag__.dict_of();  {k: v}  ->  ag__.dict_of((k, v));  {x, y}  ->  ag__.set_of(x, y)

    {**d, k: v}  ->  ag__.dict_of((d,), (k, v));  {*xs, x}  ->  ag__.set_of(*ag__.spread(xs), x)

    Left as it is: what is only asked for its items (`x in {1, 2}`). Dictionaries all of whose keys are texts that stand
    there may be nodes of chains and rows of lists: they are told to a hook, `row = ag__.node({'v': x})`. So are tuples and
    lists that may be nodes, with what the name stood for before, `head = ag__.node((x, head))`, or with None in a list,
    `root = ag__.node([x, None, None])`.
    """

    begins = (gast.Dict, gast.Set, gast.Assign, gast.List)
    examples = (
        Example("y = {}", "y = ag__.dict_of()"),
        Example("y = {a: b, 1: 2}", "y = ag__.dict_of((a, b), (1, 2))"),
        Example("y = {a, 1}", "y = ag__.set_of(a, 1)"),
        Example("y = {'a': b}", "y = ag__.node({'a': b})"),
        Example("y = (a, y)", "y = ag__.node((a, y))"),
        Example("y = [a, None]", "y = ag__.node([a, None])"),
        Example("y = {**a, b: 1}", "y = ag__.dict_of((a,), (b, 1))"),
        Example("y = {*a, b}", "y = ag__.set_of(*ag__.spread(a), b)"),
    )

    def visit_Assign(self, node: Node) -> Node:
        """What holds what its name stood for before may be a chain."""
        self.generic_visit(node)
        value = node.value
        if isinstance(value, (gast.Tuple, gast.List)) and _names(node.targets) & _names(value.elts):
            node.value = self._node(value)
        return node

    def _node(self, display: Node) -> Node:
        return self.quote_expression("ag__.node(x)", display, x=display)

    def visit_Dict(self, node: Node) -> Node:
        """Keys that stand there as texts are looked up by no tensor."""
        self.generic_visit(node)
        if _is_known(node):
            return self._node(node)
        parts = zip(node.keys, node.values, strict=True)
        pairs = [gast.Tuple([v] if k is None else [k, v], gast.Load()) for k, v in parts]
        for pair, key in zip(pairs, node.keys, strict=True):
            gast.copy_location(pair, key or pair.elts[0])
        return self.quote_expression("ag__.dict_of(pairs)", node, pairs=pairs)

    def visit_List(self, node: Node) -> Node:
        """One with None in it or in a list in it, and something else."""
        is_node = isinstance(node.ctx, gast.Load) and any(map(_holds_none, node.elts)) and not all(map(_is_none, node.elts))
        self.generic_visit(node)
        return self._node(node) if is_node else node

    def visit_Set(self, node: Node) -> Node:
        """What is unpacked into it may have any length."""
        self.generic_visit(node)
        for star in node.elts:
            if isinstance(star, gast.Starred):
                star.value = self.quote_expression("ag__.spread(x)", star, x=star.value)
        return self.quote_expression("ag__.set_of(items)", node, items=node.elts)

    def visit_Compare(self, node: Node) -> Node:
        """Of a set that stands after `in` only what is in it matters."""
        node.left = self.visit(node.left)
        operands = zip(node.ops, node.comparators, strict=True)
        node.comparators = [
            c if isinstance(o, (gast.In, gast.NotIn)) and _is_set_of_constants(c) else self.visit(c) for o, c in operands
        ]
        return node


def _is_set_of_constants(node: Node) -> bool:
    return isinstance(node, gast.Set) and all(isinstance(e, gast.Constant) for e in node.elts)


def _names(nodes: list[Node]) -> set[str]:
    """The names among some expressions."""
    return {node.id for node in nodes if isinstance(node, gast.Name)}


def _is_known(display: Node) -> bool:
    """Whether all keys of a dictionary are texts that stand there."""
    return bool(display.keys) and all(map(_is_text, display.keys))


def _is_none(node: Node) -> bool:
    return isinstance(node, gast.Constant) and node.value is None


def _holds_none(node: Node) -> bool:
    return _is_none(node) or (isinstance(node, gast.List) and any(map(_holds_none, node.elts)))


def _is_text(node: Node) -> bool:
    return isinstance(node, gast.Constant) and isinstance(node.value, str)
