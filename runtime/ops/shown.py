"""The texts of lists and structures of which the run knows the values: a form tells how values become one text.

    ("leaf", spec)                             a value, in a format
    ("repr",)                                  a string, in quotes
    ("static", text)                           what is known before
    ("struct", before, parts, names, after)    a structure: the texts of its parts, each after its name
    ("rows", before, row, columns, after)      a list, given as columns: a row's text for each
    ("tuple", row, columns)                    a tuple, given as columns
    ("each", before, row, columns, after)      the items of a list, each with the texts around it
    ("pairs", before, columns, key, columns, value, after)    a dictionary, given as a list of keys and one of values
    ("one of", alternatives)                   a tag, and the values of all alternatives
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Form", "shown"]

Form = tuple[Any, ...]


def shown(form: Form, values: Iterator[Any], leaf: Callable[[Any, str], str]) -> str:
    """The text of what `form` describes, its values taken from `values`.

    >>> row = ("struct", "(", (("leaf", ""), ("leaf", "")), ("", ""), ")")
    >>> shown(("rows", "[", row, 2, "]"), iter([[1, 2], [5, 6]]), format)
    '[(1, 5), (2, 6)]'
    """
    kind = form[0]
    if kind == "leaf":
        return leaf(next(values), form[1])
    if kind == "repr":
        return repr(leaf(next(values), ""))
    if kind == "static":
        return form[1]  # type: ignore[no-any-return]
    if kind == "struct":
        _, before, parts, names, after = form
        texts = [name + shown(part, values, leaf) for name, part in zip(names, parts, strict=True)]
        return before + ", ".join(texts) + after  # type: ignore[no-any-return]
    if kind == "rows":
        _, before, row, columns, after = form
        return before + ", ".join(_rows(row, columns, values, leaf)) + after  # type: ignore[no-any-return]
    if kind == "tuple":
        texts = _rows(form[1], form[2], values, leaf)
        return f"({', '.join(texts)}{',' * (len(texts) == 1)})"
    if kind == "each":
        _, before, row, columns, after = form
        return "".join(before + text + after for text in _rows(row, columns, values, leaf))
    if kind == "pairs":
        _, before, *sides, after = form
        keys = _rows(sides[1], sides[0], values, leaf)
        pairs = zip(keys, _rows(sides[3], sides[2], values, leaf), strict=True)
        return before + ", ".join(f"{k}: {v}" for k, v in pairs) + after  # type: ignore[no-any-return]
    tag = int(next(values))
    return [shown(alternative, values, leaf) for alternative in form[1]][tag]


def _rows(row: Form, columns: int, values: Iterator[Any], leaf: Callable[[Any, str], str]) -> list[str]:
    lists = [next(values) for _ in range(columns)]
    return [shown(row, iter(items), leaf) for items in zip(*lists, strict=True)]
