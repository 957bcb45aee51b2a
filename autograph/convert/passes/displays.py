"""Dictionaries and sets that are written out."""

import gast

from autograph.convert.converter import Converter, Example
from autograph.source.parse import Node


class Displays(Converter):
    """{}  ->  ag__.dict_of();  {k: v}  ->  ag__.dict_of((k, v));  {x, y}  ->  ag__.set_of(x, y)

    {**d, k: v}  ->  ag__.dict_of((d,), (k, v));  {*xs, x}  ->  ag__.set_of(*ag__.spread(xs), x)

    Left as they are: dictionaries all of whose keys are texts that stand there, and what is only asked for its items
    (`x in {1, 2}`).
    """

    begins = (gast.Dict, gast.Set)
    examples = (
        Example("y = {}", "y = ag__.dict_of()"),
        Example("y = {a: b, 1: 2}", "y = ag__.dict_of((a, b), (1, 2))"),
        Example("y = {a, 1}", "y = ag__.set_of(a, 1)"),
        Example("y = {'a': b}", "y = {'a': b}"),
        Example("y = {**a, b: 1}", "y = ag__.dict_of((a,), (b, 1))"),
        Example("y = {*a, b}", "y = ag__.set_of(*ag__.spread(a), b)"),
    )

    def visit_Dict(self, node: Node) -> Node:
        """Keys that stand there as texts are looked up by no tensor."""
        self.generic_visit(node)
        if node.keys and all(map(_is_text, node.keys)):
            return node
        parts = zip(node.keys, node.values, strict=True)
        pairs = [gast.Tuple([v] if k is None else [k, v], gast.Load()) for k, v in parts]
        for pair, key in zip(pairs, node.keys, strict=True):
            gast.copy_location(pair, key or pair.elts[0])
        return self.quote_expression("ag__.dict_of(pairs)", node, pairs=pairs)

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


def _is_text(node: Node) -> bool:
    return isinstance(node, gast.Constant) and isinstance(node.value, str)
