"""Types of which nothing staged hides behind a truth, a length or an identity: hooks do at once as Python does."""

__all__ = ["NUMBERS", "PLAIN"]

PLAIN = frozenset((
    bool, int, float, complex, str, bytes, bytearray, type(None), type, tuple, dict, set, frozenset, range, slice,
    type(Ellipsis), type(NotImplemented), type(lambda: 0), type(len), type({}.keys()), type({}.values()), type({}.items()),
))  # fmt: skip
"""Exact types that are what they are. A tuple or dictionary may hold staged values, but its own size is Python's."""

NUMBERS = frozenset((bool, int, float, complex, str, bytes, type(None)))
"""Exact types that hold nothing."""
