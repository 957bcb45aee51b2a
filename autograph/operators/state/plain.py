"""Types of which nothing staged hides behind a truth, a length or an identity: hooks do at once as Python does."""

from typing import Any

__all__ = ["CERTAIN", "ITERATORS", "NUMBERS", "PLAIN", "PLAIN_OR_LISTS", "TRUTHS"]

PLAIN = frozenset((
    bool, int, float, complex, str, bytes, bytearray, type(None), type, tuple, dict, set, frozenset, range, slice,
    type(Ellipsis), type(NotImplemented), type(lambda: 0), type(len), type({}.keys()), type({}.values()), type({}.items()),
))  # fmt: skip
"""Exact types that are what they are. A tuple or dictionary may hold staged values, but its own size is Python's."""

PLAIN_OR_LISTS = PLAIN | {list}
"""The same with lists, which hold nothing but what Python sees while a trace meets no tensor."""

CERTAIN = PLAIN - {dict}
"""Those whose truth, length and items are Python's: keys of a dictionary may be there on some paths only."""

NUMBERS = frozenset((bool, int, float, complex, str, bytes, type(None)))
"""Exact types that hold nothing."""

_ITERABLES: tuple[Any, ...] = ([], (), {}, set(), "", b"", range(1))
ITERATORS = frozenset((enumerate, zip, reversed, *(type(iter(x)) for x in _ITERABLES)))
"""Exact types of iterators that Python made: converted code has others over what is staged."""

TRUTHS: set[Any] = {*PLAIN, list}
"""Exact types whose truth is Python's, and no code of the user's is asked for it, while no list has staged content."""
