"""`with contextlib.suppress(E): body` as the `try` that it is, where a `try` is to be staged."""

import contextlib
from collections.abc import Mapping
from typing import Any

import gast

from autograph.convert.naming import bound_names
from autograph.source.parse import Node, walk

__all__ = ["holds_suppress", "suppress_as_try"]


def holds_suppress(function: Node, namespace: Mapping[str, Any]) -> bool:
    """Whether a function says `with contextlib.suppress(...)`, by any name of it."""
    withs = [node for node in walk(function) if isinstance(node, gast.With)]
    bound = bound_names(function) if withs else set()
    return any(_is_suppress(node, namespace, bound) for node in withs)


def suppress_as_try(function: Node, namespace: Mapping[str, Any]) -> None:
    """Put `try: body, except E: pass` in the place of each, within the tree."""
    bound = bound_names(function)
    for node in walk(function):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                block[:] = [_as_try(s) if _is_suppress(s, namespace, bound) else s for s in block]


def _is_suppress(node: Node, namespace: Mapping[str, Any], bound: set[str]) -> bool:
    if not isinstance(node, gast.With) or len(node.items) != 1 or node.items[0].optional_vars is not None:
        return False
    call = node.items[0].context_expr
    if not isinstance(call, gast.Call) or not call.args or call.keywords:
        return False
    if any(isinstance(a, gast.Starred) for a in call.args):
        return False
    path = call.func
    if isinstance(path, gast.Attribute) and path.attr == "suppress":
        owner = path.value
        return isinstance(owner, gast.Name) and owner.id not in bound and namespace.get(owner.id) is contextlib
    return isinstance(path, gast.Name) and path.id not in bound and namespace.get(path.id) is contextlib.suppress


def _as_try(node: Node) -> Node:
    kinds = node.items[0].context_expr.args
    kind = kinds[0] if len(kinds) == 1 else gast.Tuple(kinds, gast.Load())
    handler = gast.ExceptHandler(kind, None, [gast.Pass()])
    made = gast.Try(node.body, [handler], [], [])
    for part in (made, handler, handler.body[0], kind):
        gast.copy_location(part, node)
    return made
