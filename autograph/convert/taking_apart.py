"""Targets that are tuples, and what is taken apart into them."""

import gast

from autograph.convert.template import constant
from autograph.source.parse import Node

__all__ = ["sizes_of", "sizes_of_item"]


def sizes_of(target: Node, origin: Node) -> list[Node] | None:
    """What `ag__.unpack` is told of a target that is a tuple: how many names stand before and after a starred one.

    Of one that has tuples in it, a tuple: for each its own size, 0 for names.
    """
    if not isinstance(target, (gast.Tuple, gast.List)) or not target.elts:
        return None
    starred = [i for i, element in enumerate(target.elts) if isinstance(element, gast.Starred)]
    if starred:
        return [constant(count, origin) for count in (starred[0], len(target.elts) - starred[0] - 1)]
    return [_size(target, origin)]


def sizes_of_item(target: Node, iterable: Node) -> list[Node] | None:
    """As `sizes_of`, of the target of a loop; None where items are tuples of the right size for sure."""
    if isinstance(target, (gast.Tuple, gast.List)) and any(map(_is_nest, target.elts)):
        return sizes_of(target, target)
    return sizes_of(target, target) if _may_be_longer(iterable) else None


def _is_nest(target: Node) -> bool:
    """Whether a target is a tuple, without a starred name."""
    if not isinstance(target, (gast.Tuple, gast.List)):
        return False
    return bool(target.elts) and not any(isinstance(element, gast.Starred) for element in target.elts)


def _size(target: Node, origin: Node) -> Node:
    if not any(map(_is_nest, target.elts)):
        return constant(len(target.elts), origin)
    inner = [_size(element, origin) if _is_nest(element) else constant(0, origin) for element in target.elts]
    return gast.Tuple(inner, gast.Load())


def _may_be_longer(iterable: Node) -> bool:
    """Whether the items of an iterable may be other than the tuples of `enumerate`, `zip` and `items()`."""
    if not isinstance(iterable, gast.Call):
        return not isinstance(iterable, (gast.Tuple, gast.List))
    name = getattr(iterable.func, "id", getattr(iterable.func, "attr", ""))
    return name not in ("enumerate", "zip", "items")
