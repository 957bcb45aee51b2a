"""Returns out of loops whose values can wait until the loop has ended, so that it does not carry them.

A list or dictionary that a loop changes and returns would be two in its state: the one that it changes, and the one that
some turn has returned. After the loop its name still stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import gast

from autograph.convert.jumps import LOOPS, has_jump, jumps
from autograph.convert.naming import bound_names
from autograph.source.parse import Node, walk

__all__ = ["LateReturns"]

_MANY = 4  # values that one loop returns


class LateReturns:
    """Which returns of a loop wait: the values, and whether others of the loop are stored at once.

    >>> from autograph.source.parse import parse
    >>> waiting = LateReturns.of(parse("while c():\\n    d['n'] = 1\\n    if a(): return d\\n    if b(): return x").body[0])
    >>> [value.id for value in waiting.values], waiting.alone
    (['d'], False)
    """

    def __init__(self, values: dict[str, Node], alone: bool) -> None:
        self._numbers = {key: number for number, key in enumerate(values, 1)}
        self.values = list(values.values())
        self.alone = alone  # one value, and all returns of the loop give it

    @classmethod
    def of(cls, loop: Node) -> LateReturns | None:
        """What may wait of the returns of this loop, if anything does."""
        if not isinstance(loop, LOOPS):
            return None
        changed = _changed(loop) - _bound(loop)
        if not changed:
            return None
        values: dict[str, Node] = {}
        stored = has_jump(loop.orelse, gast.Return)
        for jump in jumps(loop.body, (gast.Return,)):
            if jump.value is not None and _is_of_names(jump.value, changed):
                values.setdefault(gast.dump(jump.value), jump.value)
            else:
                stored = True
        if not values or len(values) > _MANY:
            return None
        return cls(values, len(values) == 1 and not stored)

    def number(self, value: Node | None) -> int:
        """Which value it is, from 1 on; 0 if it does not wait."""
        return 0 if value is None else self._numbers.get(gast.dump(value), 0)


def _is_of_names(value: Node, changed: set[str]) -> bool:
    """Whether a value is a name, or a tuple of names and constants, of which one stands for what the loop changes."""
    parts = value.elts if isinstance(value, gast.Tuple) else [value]
    if not all(isinstance(part, (gast.Name, gast.Constant)) for part in parts):
        return False
    return any(isinstance(part, gast.Name) and part.id in changed for part in parts)


def _bound(loop: Node) -> set[str]:
    """The names that the loop binds: after it, they may stand for something else than where it was left."""
    nothing = gast.arguments([], [], None, [], [], None, [])
    return bound_names(gast.FunctionDef("", nothing, [loop], [], None, None, []))


def _changed(loop: Node) -> set[str]:
    """The names of what the loop may change: by an item, an attribute, a method, or a function that it gives it to."""
    return {name for node in walk(loop) for name in _changed_by(node)}


def _changed_by(node: Node) -> Iterator[str]:
    if isinstance(node, (gast.Subscript, gast.Attribute)) and isinstance(node.ctx, (gast.Store, gast.Del)):
        yield from _root(node)
    elif isinstance(node, gast.Call):
        if isinstance(node.func, gast.Attribute):
            yield from _root(node.func)
        for argument in node.args:
            yield from _root(argument)


def _root(node: Node) -> Iterator[str]:
    while isinstance(node, (gast.Subscript, gast.Attribute)):
        node = node.value
    if isinstance(node, gast.Name):
        yield node.id
