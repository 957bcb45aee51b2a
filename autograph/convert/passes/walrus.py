"""Conditions that bind names: in a lambda, `a and (n := f(a))` would lose `n`, so it becomes statements."""

from collections import Counter

import gast

from autograph.convert.converter import Converter, Example, holds
from autograph.convert.template import copy_tree, load, located, store
from autograph.source.parse import Node


class Walrus(Converter):
    """if a and (n := f(a)): ...   ->   test = a; if test: test = (n := f(a)); if test: ...

    Only where the expression is the whole test or value of a statement, so that nothing is
    evaluated earlier than it was. Elsewhere such an expression stays Python.
    """

    begins = (gast.NamedExpr,)
    examples = (
        Example(
            "if a and (n := f(a)):\n    return n",
            "test = a\nif test:\n    test = (n := f(a))\nif test:\n    return n",
        ),
        Example(
            "x = (n := 1) if c else not (a or (n := 2))",
            "if c:\n    value = (n := 1)\nelse:\n    test = a\n    if not test:\n        test = (n := 2)\n"
            "    value = not test\nx = value",
        ),
        Example(
            "while a and (n := f(a)):\n    g(n)",
            "while True:\n    test = a\n    if test:\n        test = (n := f(a))\n"
            "    if not test:\n        break\n    g(n)",
        ),
        Example(
            "while a and (n := f(a)):\n    g(n)\nelse:\n    h()",
            "while True:\n    test = a\n    if test:\n        test = (n := f(a))\n"
            "    if not test:\n        h()\n        break\n    g(n)",
        ),
        Example(
            "for k in b:\n    while a and (n := f(a)):\n        g(n)\n    else:\n        break",
            "for k in b:\n    failed = False\n    while True:\n        test = a\n        if test:\n"
            "            test = (n := f(a))\n        if not test:\n            failed = True\n            break\n"
            "        g(n)\n    if failed:\n        break",
        ),
        Example(
            "y = [n for x in a if (n := f(x)) > 1]",
            "y = [n for x, n in ((x, f(x)) for x in a) if n > 1]",
        ),
        Example(
            "if any((n := x) > 1 for x in a):\n    f(n)",
            "test = False\nfor x_1 in a:\n    if (n := x_1) > 1:\n        test = True\n        break\nif test:\n    f(n)",
        ),
        Example("while (n := f()) and n < 3:\n    g(n)", "while (n := f()) and n < 3:\n    g(n)"),
    )

    def convert(self, tree: Node) -> Node:
        """Convert a function, knowing how often it says each name."""
        nodes = list(gast.walk(tree))
        self._said = Counter(child.id for child in nodes if isinstance(child, gast.Name))
        # Others say names that are not of this function.
        self._said.update(n for child in nodes if isinstance(child, (gast.Global, gast.Nonlocal)) for n in child.names)
        return super().convert(tree)

    def visit_ListComp(self, node: Node) -> Node:
        """A condition that names what only the comprehension reads: the name becomes one of its targets."""
        self.generic_visit(node)
        loop = node.generators[0]
        bound = _first_bound(loop.ifs[0]) if len(node.generators) == 1 and loop.ifs and not loop.is_async else None
        if bound is None or not isinstance(loop.target, gast.Name):
            return node
        name, inside = bound.target.id, list(gast.walk(node))
        said = sum(isinstance(child, gast.Name) and child.id == name for child in inside)
        if said != self._said[name] or sum(isinstance(child, gast.NamedExpr) for child in inside) > 1:
            return node
        loop.ifs[0] = _Replaced(bound, load(name, bound)).visit(loop.ifs[0])
        text = "((x, value) for target in items)"
        target = copy_tree(loop.target)
        pairs = self.quote_expression(text, node, x=loop.target.id, value=bound.value, target=target, items=loop.iter)
        loop.target = located(gast.Tuple([loop.target, store(name, bound)], gast.Store()), loop.target)
        loop.iter = pairs
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_If(self, node: Node) -> list[Node]:
        """Lower the test."""
        self.generic_visit(node)
        before, node.test = self._lower(node.test, "test")
        return [*before, node]

    def visit_While(self, node: Node) -> list[Node]:
        """Lower the test into the loop, and the `else` to where it fails; behind the loop if it leaves an outer one."""
        self.generic_visit(node)
        if not self._binds_late(node.test):
            return [node]
        before, test = self._lower(node.test, "test")
        otherwise, ahead, behind = node.orelse, [], []
        if holds(node.orelse, gast.Break, gast.Continue):
            failed = self.names.fresh("failed")
            ahead = self.quote("failed = False", node, failed=failed)
            behind = self.quote("if failed:\n    otherwise", node, failed=load(failed, node), otherwise=otherwise)
            otherwise = self.quote("failed = True", node.test, failed=failed)
        leave = self.quote("if not test:\n    otherwise\n    break", node.test, test=test, otherwise=otherwise)
        return [*ahead, *self.quote("while True:\n    body", node, body=[*before, *leave, *node.body]), *behind]

    def visit_Assign(self, node: Node) -> list[Node]:
        """Lower the value."""
        self.generic_visit(node)
        before, node.value = self._lower(node.value, "value")
        return [*before, node]

    def visit_Expr(self, node: Node) -> list[Node]:
        """Lower the expression."""
        self.generic_visit(node)
        before, node.value = self._lower(node.value, "value")
        return [*before, node]

    def visit_Return(self, node: Node) -> list[Node]:
        """Lower the value."""
        self.generic_visit(node)
        if node.value is None:
            return [node]
        before, node.value = self._lower(node.value, "value")
        return [*before, node]

    def _lower(self, node: Node, base: str) -> tuple[list[Node], Node]:
        """Statements to run first, and the expression that then has the value."""
        if isinstance(node, gast.UnaryOp) and isinstance(node.op, gast.Not):
            before, node.operand = self._lower(node.operand, "test")
            return before, node
        if not self._binds_late(node):
            return self._lower_first(node, base), node
        name = self.names.fresh(base)
        return self._assign(name, node), load(name, node)

    def _lower_first(self, node: Node, base: str) -> list[Node]:
        """Lower the operand that an expression evaluates before all others."""
        if isinstance(node, (gast.Compare, gast.BinOp)):
            before, node.left = self._lower(node.left, base)
            return before
        parts = node.elts if isinstance(node, (gast.Tuple, gast.List)) else []
        if isinstance(node, gast.Call) and isinstance(node.func, gast.Name):
            parts = node.args
        if not parts:
            return []
        before, parts[0] = self._lower(parts[0], base)
        return before

    def _assign(self, name: str, node: Node) -> list[Node]:
        """`name = node`, as statements."""
        if not self._binds_late(node) or isinstance(node, gast.UnaryOp):
            before, node = self._lower(node, "test")
            return [*before, *self.quote("name = value", node, name=name, value=node)]
        if isinstance(node, gast.Call):
            return self._quantified(name, node)
        if isinstance(node, gast.IfExp):
            before, test = self._lower(node.test, "test")
            text = "if test:\n    yes\nelse:\n    no"
            yes, no = self._assign(name, node.body), self._assign(name, node.orelse)
            return [*before, *self.quote(text, node, test=test, yes=yes, no=no)]
        head, *rest = node.values
        text = "if name:\n    rest" if isinstance(node.op, gast.And) else "if not name:\n    rest"
        made: list[Node] = []
        for value in reversed(rest):
            made = [*self._assign(name, value), *self._guarded(text, value, name, made)]
        return [*self._assign(name, head), *self._guarded(text, node, name, made)]

    def _quantified(self, name: str, node: Node) -> list[Node]:
        """`name = any(...)` or `all(...)`: a loop that stops where it is decided, and leaves bound what was bound last."""
        items = node.args[0]
        loop = items.generators[0]
        renamed = {
            child.id: self.names.fresh(child.id)
            for child in gast.walk(loop.target)
            if isinstance(child, gast.Name)
        }
        test, conditions, target = (
            _Renamed(renamed).visit(part) for part in (items.elt, gast.Tuple(loop.ifs, gast.Load()), loop.target)
        )
        stops = node.func.id == "any"
        text = "if test:\n    name = True\n    break" if stops else "if not test:\n    name = False\n    break"
        body = self.quote(text, node, test=test, name=name)
        for condition in reversed(conditions.elts):
            body = self.quote("if condition:\n    body", node, condition=condition, body=body)
        text = f"name = {not stops}\nfor target in items:\n    body"
        return self.quote(text, node, name=name, target=target, items=loop.iter, body=body)

    def _binds_late(self, node: Node) -> bool:
        """Whether an operand that is not always evaluated binds a name."""
        if isinstance(node, gast.BoolOp):
            return holds(node.values[1:], gast.NamedExpr) or self._binds_late(node.values[0])
        if isinstance(node, gast.IfExp):
            return holds([node.body, node.orelse], gast.NamedExpr) or self._binds_late(node.test)
        if isinstance(node, gast.UnaryOp) and isinstance(node.op, gast.Not):
            return self._binds_late(node.operand)
        return _is_quantifier(node) and self.context.is_builtin(node.func.id)

    def _guarded(self, text: str, origin: Node, name: str, rest: list[Node]) -> list[Node]:
        return self.quote(text, origin, name=name, rest=rest) if rest else []


def _first_bound(node: Node) -> Node | None:
    """The walrus that a condition comes to whatever it is, if there is one."""
    while not isinstance(node, gast.NamedExpr):
        if isinstance(node, gast.Compare):
            node = node.left
        elif isinstance(node, gast.UnaryOp):
            node = node.operand
        elif isinstance(node, gast.BoolOp):
            node = node.values[0]
        else:
            return None
    return node


class _Renamed(gast.NodeTransformer):
    """Other names for what a comprehension binds: a loop would leave them bound."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: Node) -> Node:
        node.id = self.names.get(node.id, node.id)
        return node


def _is_quantifier(node: Node) -> bool:
    """Whether it is `any` or `all` of a generator expression that binds a name: what it leaves bound is where it stops."""
    if not (isinstance(node, gast.Call) and isinstance(node.func, gast.Name) and node.func.id in ("any", "all")):
        return False
    if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], gast.GeneratorExp):
        return False
    items = node.args[0]
    inside = [items.elt, *items.generators[0].ifs]
    plain = len(items.generators) == 1 and not items.generators[0].is_async
    nested = holds(inside, gast.Lambda, gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp)
    return plain and holds(inside, gast.NamedExpr) and not nested


class _Replaced(gast.NodeTransformer):
    """One node in the place of another."""

    def __init__(self, old: Node, new: Node) -> None:
        self.old, self.new = old, new

    def visit(self, node: Node) -> Node:
        return self.new if node is self.old else super().visit(node)
