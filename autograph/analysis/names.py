"""Names: qualified ones, the text of an expression such as `x`, `self.total` or `a[0].b`; private ones as compiled."""

import gast

from autograph.source.parse import Node


def qualified_name(node: Node) -> str | None:
    """The dotted text of a name, attribute or constant subscript; None where the place is computed.

    >>> from autograph.source.parse import parse
    >>> [qualified_name(statement.value) for statement in parse("x; self.total; a[0].b; f().c").body]
    ['x', 'self.total', 'a[0].b', None]
    """
    if isinstance(node, gast.Name):
        return str(node.id)
    if isinstance(node, gast.Attribute):
        base = qualified_name(node.value)
        return None if base is None else f"{base}.{node.attr}"
    if isinstance(node, gast.Subscript) and isinstance(node.slice, gast.Constant):
        base = qualified_name(node.value)
        return None if base is None else f"{base}[{node.slice.value!r}]"
    return None


def root_name(node: Node) -> str | None:
    """The variable a place is reached through: `a` of `a[i].b`.

    >>> from autograph.source.parse import parse
    >>> [root_name(statement.value) for statement in parse("x; a[i].b; f().c").body]
    ['x', 'a', None]
    """
    while isinstance(node, (gast.Attribute, gast.Subscript, gast.Starred)):
        node = node.value
    return str(node.id) if isinstance(node, gast.Name) else None


def mangled(name: str, class_name: str | None) -> str:
    """A name as Python compiles it inside a class.

    >>> mangled("__x", "_Secret"), mangled("__x__", "C"), mangled("__x", "___"), mangled("__x", None)
    ('_Secret__x', '__x__', '__x', '__x')
    """
    owner = (class_name or "").lstrip("_")
    if not owner or not name.startswith("__") or name.endswith("__"):
        return name
    return f"_{owner}{name}"
