"""Quoting: new syntax is written as Python text with holes, not as constructor calls.

    quote("def loop_test():\\n    return test\\n", origin=node, loop_test="go_on", test=node.test)

Each keyword argument is a hole; the places where the text has its name are filled with

    a string            an identifier: variables, functions, parameters, `nonlocal`, attributes
    a node              an expression (its own position stays)
    a list of nodes     statements where the hole stands alone on a line; expressions spliced in
                        among arguments or elements
    a tuple of strings  the names of a `nonlocal`; elsewhere a tuple of string constants

What the text itself brings takes its position from `origin`, the user's node it stands for, so
that tracebacks, debuggers and coverage show the user's lines. Templates are text, not Python
functions, because text needs no source file at run time and may use names that exist only in
generated code.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import gast

from autograph.source.parse import Node, parse

Filling: TypeAlias = Any
"""str | node | list of nodes | tuple of strings."""

POSITION = ("lineno", "col_offset", "end_lineno", "end_col_offset")


def quote(text: str, origin: Node, **holes: Filling) -> list[Node]:
    """The statements of `text`, its holes filled, located at `origin`.

    >>> from autograph.source.parse import parse
    >>> from autograph.source.printing import unparse
    >>> user = parse("while a < b: a += 1").body[0]
    >>> made = quote("def body():\\n    nonlocal names\\n    body_", user,
    ...              body="loop_body", names=("a",), body_=user.body)
    >>> print(unparse(made[0]))
    def loop_body():
        nonlocal a
        a += 1
    """
    statements: list[Node] = _Filler(holes, origin).block(copy_tree(_parsed(text)).body)
    return statements


def quote_expression(text: str, origin: Node, **holes: Filling) -> Node:
    """The expression of `text`, its holes filled, located at `origin`.

    >>> from autograph.source.parse import parse
    >>> from autograph.source.printing import unparse
    >>> user = parse("a if c else b").body[0].value
    >>> unparse(quote_expression("ag__.if_exp(c, lambda: a, lambda: b)", user,
    ...                          c=user.test, a=user.body, b=user.orelse))
    'ag__.if_exp(c, lambda: a, lambda: b)'
    """
    return _Filler(holes, origin).visit(copy_tree(_parsed(text)).body[0].value)


def copy_tree(node: Node) -> Node:
    """A deep copy of a tree; contexts and operators, which have no content, are shared."""
    if isinstance(node, list):
        return [copy_tree(item) for item in node]
    if not isinstance(node, gast.AST):
        return node
    if not node._fields:
        return node
    kind: Any = type(node)
    made: Node = kind.__new__(kind)
    parts = made.__dict__
    parts.update(node.__dict__)
    for field in node._fields:
        value = parts.get(field)
        parts[field] = copy_tree(value) if isinstance(value, (gast.AST, list)) else value
    return made


def load(name: str, origin: Node) -> Node:
    """A read of variable `name`."""
    return located(gast.Name(name, gast.Load(), None, None), origin)


def store(name: str, origin: Node) -> Node:
    """A variable as the target of an assignment."""
    return located(gast.Name(name, gast.Store(), None, None), origin)


def constant(value: object, origin: Node) -> Node:
    """A literal."""
    return located(gast.Constant(value, None), origin)


def located(node: Node, origin: Node) -> Node:
    """`node` itself, at the position of `origin`: of its first line only.

    CPython places a method call at the last line of what it is looked up on, so that a call of a hook that spanned a
    statement would be reported at the statement's end.
    """
    for name in POSITION:
        value = getattr(origin, name, None)
        if value is not None:
            setattr(node, name, value)
    if getattr(node, "end_lineno", None) != getattr(node, "lineno", None):
        node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    return node


def as_load(node: Node) -> Node:
    """A copy of a target (name, attribute, subscript, tuple) as an expression that reads it."""
    made = copy_tree(node)
    _set_context(made, gast.Load())
    return made


@functools.cache
def _parsed(text: str) -> Node:
    return parse(text)


def _set_context(node: Node, context: Node) -> None:
    if isinstance(node, (gast.Name, gast.Attribute, gast.Subscript, gast.Starred, gast.Tuple, gast.List)):
        node.ctx = context
    if isinstance(node, gast.Starred):
        _set_context(node.value, context)
    if isinstance(node, (gast.Tuple, gast.List)):
        for element in node.elts:
            _set_context(element, context)


class _Filler(gast.NodeTransformer):
    """Fill the holes of one parsed template."""

    def __init__(self, holes: Mapping[str, Filling], origin: Node) -> None:
        self.holes = holes
        self.origin = origin
        self._placed: set[int] = set()

    def block(self, statements: Sequence[Node]) -> list[Node]:
        """Statements with their holes filled; a line that is a hole becomes the statements given for it."""
        made: list[Node] = []
        for statement in statements:
            name = _lone_name(statement)
            filling = self.holes.get(name) if name else None
            if isinstance(filling, list):
                made.extend(self._once(node) for node in filling)
                continue
            filled = self.visit(statement)
            if filled is not None:
                made.append(filled)
        return made

    def generic_visit(self, node: Node) -> Node:
        """Locate the node, fill identifiers, then its children."""
        if "lineno" in node._attributes:
            located(node, self.origin)
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                setattr(node, field, self._list(field, value))
            elif isinstance(value, gast.AST):
                setattr(node, field, self.visit(value))
            elif isinstance(value, str) and field in {"name", "attr", "arg", "asname"}:
                filling = self.holes.get(value)
                setattr(node, field, filling if isinstance(filling, str) else value)
        return node

    def visit_Name(self, node: Node) -> Node:
        """A variable: the most common hole."""
        located(node, self.origin)
        if node.annotation is not None:
            node.annotation = self.visit(node.annotation)
        if node.id not in self.holes:
            return node
        filling = self.holes[node.id]
        if isinstance(filling, str):
            node.id = filling
            return node
        if isinstance(filling, tuple):
            elements = [constant(name, self.origin) for name in filling]
            return located(gast.Tuple(elements, gast.Load()), self.origin)
        if isinstance(filling, list):
            raise TypeError(f"template hole {node.id!r} has a list where one expression fits")
        if filling is None:
            return constant(None, self.origin)
        made = self._once(filling)
        _set_context(made, node.ctx)
        return made

    def visit_Nonlocal(self, node: Node) -> Node | None:
        """`nonlocal names` of a tuple; none at all where the tuple is empty."""
        located(node, self.origin)
        names: list[str] = []
        for name in node.names:
            filling = self.holes.get(name, name)
            names.extend([filling] if isinstance(filling, str) else filling)
        node.names = names
        return node if names else None

    def visit_Global(self, node: Node) -> Node | None:
        """As `nonlocal`."""
        return self.visit_Nonlocal(node)

    def _list(self, field: str, values: list[Node]) -> list[Node]:
        if field in {"body", "orelse", "finalbody"}:
            return self.block(values)
        made: list[Node] = []
        for value in values:
            if isinstance(value, gast.Name) and isinstance(self.holes.get(value.id), list):
                made.extend(self._once(node) for node in self.holes[value.id])
            else:
                made.append(self.visit(value) if isinstance(value, gast.AST) else value)
        return made

    def _once(self, node: Node) -> Node:
        """A node may stand in a tree once: the second place gets a copy."""
        if id(node) in self._placed:
            return copy_tree(node)
        self._placed.add(id(node))
        return node


def _lone_name(statement: Node) -> str | None:
    if isinstance(statement, gast.Expr) and isinstance(statement.value, gast.Name):
        return str(statement.value.id)
    return None
