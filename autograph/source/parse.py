"""Text to gast, and gast to what Python compiles: the only module that parses or converts syntax trees."""

import ast
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import gast

Node: TypeAlias = Any
"""A node of either tree: gast has no type stubs."""


def parse(text: str, filename: str = "<unknown>") -> Node:
    """The gast module of `text`; raises `SyntaxError` as Python does."""
    return to_gast(parse_ast(text, filename))


def parse_ast(text: str, filename: str = "<unknown>") -> ast.Module:
    """The standard library's tree of `text`: ten times faster, for looking only."""
    with _warned_before():
        return ast.parse(text, filename)


def expression(text: str) -> ast.expr | None:
    """The standard library's tree of an expression; None of any other text."""
    try:
        statements = parse_ast(text).body
    except SyntaxError:
        return None
    return statements[0].value if len(statements) == 1 and isinstance(statements[0], ast.Expr) else None


@contextmanager
def _warned_before() -> Iterator[None]:
    """For text that Python has compiled before: what it warns of in a text, it has warned of.

    `warnings.catch_warnings` would also forget which warnings of the program were shown once.
    """
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    added = [("ignore", None, category, None, 0) for category in (SyntaxWarning, DeprecationWarning)]
    filters[:0] = added
    try:
        yield
    finally:
        for each in added:
            filters.remove(each)


def to_gast(node: ast.AST) -> Node:
    """The gast form of a tree of the standard library; positions stay."""
    return gast.ast_to_gast(node)


def to_ast(node: Node) -> Node:
    """The standard library's form of a gast tree, every node with a position `compile` takes."""
    tree = gast.gast_to_ast(node)
    complete_positions(tree, 1, 0)
    return tree


def compile_quietly(module: ast.Module, file: str, flags: int) -> types.CodeType:
    """The code of a module made of a function's tree, without the warnings that Python gave when it compiled the file."""
    with _warned_before():
        return compile(module, file, "exec", flags=flags, dont_inherit=True)


def children(node: Node) -> list[Node]:
    """The nodes directly in a node of either tree, in the order of its fields; contexts, which say nothing, left out.

    >>> [type(child).__name__ for child in children(parse("x + 1").body[0].value)]
    ['Name', 'Add', 'Constant']
    """
    found: list[Node] = []
    parts = node.__dict__
    for field in node._fields:
        value = parts.get(field)
        if type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST) and field != "ctx":
            found.append(value)
    return found


def walk(node: Node) -> list[Node]:
    """A node and all nodes below it but contexts, parents first, level by level.

    `ast.walk` imports from `collections` each time, which may be what is being converted.
    """
    found = [node]
    for item in found:  # it grows meanwhile
        found += children(item)
    return found


def dump(node: Node) -> str:
    """A tree as text without positions: equal texts are equal trees."""
    return gast.dump(node)


def same(left: Node, right: Node) -> bool:
    """Whether two trees are equal but for positions (gast or ast, both of one kind)."""
    return _canonical(left) == _canonical(right)


def complete_positions(node: ast.AST, line: int, column: int) -> None:
    """Give a position to nodes without one (their parent's) and an end that is not before it."""
    if "lineno" in node._attributes:
        place = node.__dict__
        line = place.get("lineno") or line
        column_here = place.get("col_offset")
        column = column if column_here is None else column_here
        end = (place.get("end_lineno") or 0, place.get("end_col_offset") or 0)
        place["lineno"], place["col_offset"] = line, column
        place["end_lineno"], place["end_col_offset"] = max(end, (line, column))
    for child in children(node):
        complete_positions(child, line, column)


def _canonical(value: Node) -> Node:
    """A nested tuple that is equal for equal trees; adjacent string parts of an f-string are one."""
    if isinstance(value, list):
        return tuple(_canonical(item) for item in _joined(value))
    if not isinstance(value, ast.AST):
        return (type(value).__name__, repr(value))
    fields = ((name, getattr(value, name, None)) for name in value._fields if name not in _NO_MEANING)
    return (type(value).__name__, *(_canonical(field) for _, field in fields))


_NO_MEANING = frozenset({"kind", "type_comment", "type_ignores", "ctx"})


def _joined(items: list[Node]) -> Iterator[Node]:
    """The items of a list, where string constants that follow each other in an f-string are joined."""
    pending: str | None = None
    for item in items:
        if isinstance(item, ast.AST) and type(item).__name__ == "Constant" and len(items) > 1:
            literal = item.value  # type: ignore[attr-defined]
            if isinstance(literal, str) and any(type(i).__name__ == "FormattedValue" for i in items):
                pending = (pending or "") + literal
                continue
        if pending is not None:
            yield pending
            pending = None
        yield item
    if pending is not None:
        yield pending
