"""Writing, updating and deleting attributes. Reading one stays Python, but for the frame that called another."""

import gast

from autograph.analysis.names import mangled
from autograph.convert.converter import Context, Example, Written
from autograph.convert.targets import TargetConverter
from autograph.convert.template import constant
from autograph.source.parse import Node


class Attributes(TargetConverter):
    """o.a = v  ->  ag__.set_attr(o, 'a', v);   o.a += v  ->  ag__.aug_attr(o, 'a', '+=', v)

    A private name is written out as the class has it. `o.f_back` becomes `ag__.f_back(o)`: the user's functions have
    more frames than they wrote.
    """

    begins = (Written,)
    kind = gast.Attribute
    eliminates = (gast.Attribute,)
    examples = (
        Example("o.a = v", "ag__.set_attr(o, 'a', v)"),
        Example("o.p.a = v + o.b", "ag__.set_attr(o.p, 'a', v + o.b)"),
        Example("o.a = f(v)", "value = f(v)\nag__.set_attr(o, 'a', value)"),
        Example("def g(o):\n    o.a = f(o)", "def g(o):\n    ag__.set_attr(o, 'a', f(o))"),
        Example("o.a += v", "ag__.aug_attr(o, 'a', '+=', v)"),
        Example(
            "def g(o):\n    o.a += f(o)",
            "def g(o):\n    updated = o.a\n    updated += ag__.in_place(updated, f(o))\n    ag__.set_attr(o, 'a', updated)",
        ),
        Example("del o.a, b", "ag__.del_attr(o, 'a')\ndel b"),
        Example("o.a, b = v", "item, b = v\nag__.set_attr(o, 'a', item)"),
        Example("for o.a in y:\n    pass", "for item in y:\n    ag__.set_attr(o, 'a', item)\n    pass"),
        Example(
            "class C:\n    def f(self):\n        self.__x = 1",
            "class C:\n    def f(self):\n        ag__.set_attr(self, '_C__x', 1)",
        ),
        Example("frame = frame.f_back.f_back", "frame = ag__.f_back(ag__.f_back(frame))"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._class_name = context.class_name

    def visit_ClassDef(self, node: Node) -> Node:
        """Private names inside belong to this class."""
        outside, self._class_name = self._class_name, node.name
        self.generic_visit(node)
        self._class_name = outside
        return node

    def visit_Attribute(self, node: Node) -> Node:
        """The frame before a frame."""
        self.generic_visit(node)
        if node.attr == "f_back" and isinstance(node.ctx, gast.Load):
            return self.quote_expression("ag__.f_back(o)", node, o=node.value)
        return node

    def keeps(self, node: Node) -> bool:
        """Attributes that are read stay, and targets of comprehensions."""
        return isinstance(node.ctx, gast.Load) or id(node) in self._kept

    def write(self, target: Node, value: Node, origin: Node) -> list[Node]:
        """o.a = v"""
        owner, name = self._owner(target), self._name(target)
        return self.quote("ag__.set_attr(o, a, v)", origin, o=owner, a=name, v=value)

    def update(self, target: Node, op: str, value: Node, origin: Node) -> list[Node]:
        """o.a += v"""
        owner, name = self._owner(target), self._name(target)
        text = "ag__.aug_attr(o, a, op, v)"
        return self.quote(text, origin, o=owner, a=name, op=constant(op, origin), v=value)

    def delete(self, target: Node, origin: Node) -> list[Node]:
        """del o.a"""
        return self.quote("ag__.del_attr(o, a)", origin, o=self._owner(target), a=self._name(target))

    def parts(self, target: Node) -> list[Node]:
        """The object."""
        return [target.value]

    def fix_parts(self, target: Node) -> list[Node]:
        """Name the object where it is not a plain name."""
        before: list[Node] = []
        target.value = self.fixed(target.value, "owner", before)
        return before

    def _owner(self, target: Node) -> Node:
        return self.visit(target.value)

    def _name(self, target: Node) -> Node:
        return constant(mangled(target.attr, self._class_name), target)
