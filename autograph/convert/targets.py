"""Targets of assignments that become hooks: subscripts and attributes, alone or inside tuples.

Python evaluates the value first, then each target's own parts, from left to right. Where that
order could be observed, values go through fresh names so that it stays.
"""

from collections.abc import Iterator

import gast

from autograph.convert.converter import Context, Converter
from autograph.convert.moving import is_simple, may_have_effects
from autograph.convert.naming import names_in
from autograph.convert.template import copy_tree, load, store
from autograph.source.parse import Node, walk

COMPLEX = (gast.Subscript, gast.Attribute)

INPLACE = {
    gast.Add: "+=", gast.Sub: "-=", gast.Mult: "*=", gast.Div: "/=", gast.FloorDiv: "//=", gast.Mod: "%=",
    gast.Pow: "**=", gast.MatMult: "@=", gast.BitAnd: "&=", gast.BitOr: "|=", gast.BitXor: "^=",
    gast.LShift: "<<=", gast.RShift: ">>=",
}  # fmt: skip

CHANGING = (gast.Add, gast.Mult, gast.Sub, gast.BitOr, gast.BitAnd, gast.BitXor)
"""Operators whose augmented assignment may change a container itself."""


class TargetConverter(Converter):
    """A converter of one kind of target (`kind`): assignment, augmented assignment, `del`, `for`, `with`.

    Subclasses say how one such target is written, updated and deleted; they also convert the
    expressions inside it. Targets of comprehensions, which have no statements, stay Python.
    """

    kind: type

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept: set[int] = set()

    def visit_comprehension(self, node: Node) -> Node:
        """A target here stays as it is."""
        self._kept.update(id(part) for part in walk(node.target))
        return self.generic_visit(node)

    def write(self, target: Node, value: Node, origin: Node) -> list[Node]:
        """Statements for `target = value`; `value` may be evaluated after the target's parts."""
        raise NotImplementedError

    def update(self, target: Node, op: str, value: Node, origin: Node) -> list[Node]:
        """Statements for an augmented assignment whose value has no effects."""
        raise NotImplementedError

    def delete(self, target: Node, origin: Node) -> list[Node]:
        """Statements for `del target`."""
        raise NotImplementedError

    def parts(self, target: Node) -> list[Node]:
        """The expressions that Python evaluates to find the place of a target."""
        raise NotImplementedError

    def fix_parts(self, target: Node) -> list[Node]:
        """Put names in the place of those parts of a target that can't be evaluated twice."""
        raise NotImplementedError

    def fixed(self, part: Node, base: str, before: list[Node]) -> Node:
        """A part that can be evaluated twice; `before` gets the statement that makes it so."""
        if is_simple(part) and not names_in(part) & self.names.distant:
            return part
        name = self.names.fresh(base)
        before += self.quote("name = part", part, name=name, part=self.visit(part))
        return load(name, part)

    def visit_Assign(self, node: Node) -> Node | list[Node]:
        """One target or several, each a name, a place, or a tuple of these."""
        if not any(self._is_ours(leaf) for target in node.targets for leaf in _leaves(target)):
            return self.generic_visit(node)
        value = self.visit(node.value)
        made: list[Node] = []
        if len(node.targets) > 1 and not is_simple(value):
            name = self.names.fresh("value")
            made += self.quote("name = value", node, name=name, value=value)
            value = load(name, node)
        for position, target in enumerate(node.targets):
            again = value if position == 0 else copy_tree(value)
            made += self._assign(target, again, node)
        return made

    def visit_AugAssign(self, node: Node) -> Node | list[Node]:
        """Through the hook; where the value may change the place: read, update, write, in Python's order."""
        if not isinstance(node.target, self.kind):
            return self.generic_visit(node)
        value = self.visit(node.value)
        if not may_have_effects(value, self.context):
            return self.update(node.target, INPLACE[type(node.op)], value, node)
        before = self.fix_parts(node.target)
        place = copy_tree(node.target)
        place.ctx = gast.Load()
        name = self.names.fresh("updated")
        old = self.visit(place)
        if isinstance(node.op, CHANGING):
            value = self.quote_expression("ag__.in_place(updated, v)", node, updated=name, v=value)
        change = gast.AugAssign(store(name, node), node.op, value)
        read = self.quote("name = old", node, name=name, old=old)
        written = self.write(node.target, load(name, node), node)
        return [*before, *read, *self.quote("change", node, change=[change]), *written]

    def visit_Delete(self, node: Node) -> Node | list[Node]:
        """Each target in its turn."""
        leaves = [leaf for target in node.targets for leaf in _leaves(target)]
        if not any(isinstance(leaf, self.kind) for leaf in leaves):
            return self.generic_visit(node)
        made: list[Node] = []
        for leaf in leaves:
            if isinstance(leaf, self.kind):
                made += self.delete(leaf, node)
            else:
                made += self.quote("statement", node, statement=[gast.Delete([self.visit(leaf)])])
        return made

    def visit_For(self, node: Node) -> Node:
        """A place as loop target is written at the beginning of the body."""
        node.target, written = self._through_name(node.target, node)
        self.generic_visit(node)
        node.body[:0] = written
        return node

    def visit_AsyncFor(self, node: Node) -> Node:
        """As `for`."""
        return self.visit_For(node)

    def visit_With(self, node: Node) -> Node:
        """`with a as x[0], b as y.z`: the items before one with a place, then the write, then the rest."""
        for position, item in enumerate(node.items):
            if item.optional_vars is None:
                continue
            item.optional_vars, written = self._through_name(item.optional_vars, node)
            if not written:
                continue
            later = node.items[position + 1 :]
            if later:
                inner = type(node)(later, node.body, None)
                node.items = node.items[: position + 1]
                node.body = self.quote("inner", node, inner=[inner])
            self.generic_visit(node)
            node.body[:0] = written
            return node
        return self.generic_visit(node)

    def visit_AsyncWith(self, node: Node) -> Node:
        """As `with`."""
        return self.visit_With(node)

    def _is_ours(self, node: Node) -> bool:
        return isinstance(node, self.kind)

    def _through_name(self, target: Node, origin: Node) -> tuple[Node, list[Node]]:
        """A target without places of our kind, and the statements that write these afterwards."""
        if not any(self._is_ours(leaf) for leaf in _leaves(target)):
            return target, []
        name = self.names.fresh("item")
        return store(name, origin), self._assign(target, load(name, origin), origin)

    def _assign(self, target: Node, value: Node, origin: Node) -> list[Node]:
        """`target = value` for one target, the value visited already."""
        if self._is_ours(target):
            return self._assign_place(target, value, origin)
        if not any(self._is_ours(leaf) for leaf in _leaves(target)):
            return self.quote("target = value", origin, target=self.visit(target), value=value)
        later: list[tuple[Node, str]] = []
        simple = self._replace_leaves(target, later)
        made = self.quote("target = value", origin, target=simple, value=value)
        for leaf, name in later:
            made += self._assign(leaf, load(name, origin), origin)
        return made

    def _replace_leaves(self, target: Node, later: list[tuple[Node, str]]) -> Node:
        """The target with names for places, and for names that a place to their left reads."""
        if isinstance(target, gast.Starred):
            target.value = self._replace_leaves(target.value, later)
            return target
        if isinstance(target, (gast.Tuple, gast.List)):
            target.elts = [self._replace_leaves(element, later) for element in target.elts]
            return target
        if not isinstance(target, COMPLEX) and not any(
            target.id in names_in(leaf) or may_have_effects(leaf, self.context) for leaf, _ in later
        ):
            return target
        name = self.names.fresh("item" if isinstance(target, COMPLEX) else target.id)
        later.append((target, name))
        return store(name, target)

    def _assign_place(self, target: Node, value: Node, origin: Node) -> list[Node]:
        before: list[Node] = []
        if not self._may_follow(target, value):
            name = self.names.fresh("value")
            before = self.quote("name = value", origin, name=name, value=value)
            value = load(name, origin)
        return [*before, *self.write(target, value, origin)]

    def _may_follow(self, target: Node, value: Node) -> bool:
        """Whether nobody can tell that the value is evaluated after the target's parts."""
        parts = self.parts(target)
        if isinstance(value, (gast.Name, gast.Constant)):
            changes = any(may_have_effects(part, self.context) for part in parts)
            return isinstance(value, gast.Constant) or not (changes and value.id in self._changeable(parts))
        if not may_have_effects(value, self.context):
            return not any(may_have_effects(part, self.context) for part in parts)
        read = set().union(*(names_in(part) for part in parts))
        return all(is_simple(part) for part in parts) and not read & self._changeable([value])

    def _changeable(self, parts: list[Node]) -> set[str]:
        """The names that evaluating these expressions may bind anew."""
        walruses = (n for part in parts for n in walk(part) if isinstance(n, gast.NamedExpr))
        return self.names.distant | {walrus.target.id for walrus in walruses}


def _leaves(target: Node) -> Iterator[Node]:
    """The names and places of a target, left to right."""
    if isinstance(target, gast.Starred):
        yield from _leaves(target.value)
    elif isinstance(target, (gast.Tuple, gast.List)):
        for element in target.elts:
            yield from _leaves(element)
    else:
        yield target
