"""Targets that are tuples, and what is taken apart into them."""

import gast

from autograph.convert.template import constant
from autograph.source.parse import Node

__all__ = ["may_be_longer", "sizes_of"]


def sizes_of(target: Node, origin: Node) -> list[Node] | None:
    """What `ag__.unpack` is told of a target that is a tuple: how many names stand before and after a starred one."""
    if not isinstance(target, (gast.Tuple, gast.List)) or not target.elts:
        return None
    starred = [i for i, element in enumerate(target.elts) if isinstance(element, gast.Starred)]
    counts = [len(target.elts)] if not starred else [starred[0], len(target.elts) - starred[0] - 1]
    return [constant(count, origin) for count in counts]


def may_be_longer(iterable: Node) -> bool:
    """Whether the items of an iterable may be other than the tuples of `enumerate`, `zip` and `items()`."""
    if not isinstance(iterable, gast.Call):
        return not isinstance(iterable, (gast.Tuple, gast.List))
    name = getattr(iterable.func, "id", getattr(iterable.func, "attr", ""))
    return name not in ("enumerate", "zip", "items")
