"""Rows of tables that leave their function: each becomes the object that it stands for.

    return rows    ->    return [{"v": vs[i], "n": ns[i]} for i in rows]

Rows that lead to others of their table have no finite type: they stay what they are, which is refused (see `items.linked`).
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import is_
from typing import Any

from autograph.operators.containers.lists import ListPlace, as_list_value, put_content
from autograph.operators.values.choice import choice_of, select_any
from autograph.operators.values.descriptors import describe, is_mutable, rebuild, structure_of
from autograph.operators.values.forms import Descriptor, OneOf, Sequence, Struct
from autograph.operators.values.links import Linked, row_of
from autograph.operators.values.listvalue import (
    ListContents,
    ListValue,
    has_splices,
    new_list,
)
from autograph.operators.values.packing import mapped
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Place

__all__ = ["opened", "opened_in"]


def opened(x: Any, memo: dict[int, tuple[Any, Any]] | None = None) -> Any:
    """A value with objects in the place of its rows; itself where it has none, or where they lead to one another."""
    try:
        return _item(x, {} if memo is None else memo)
    except _EndlessError:
        return x


def opened_in(places: Iterable[Place]) -> None:
    """Open the rows that places hold."""
    memo: dict[int, tuple[Any, Any]] = {}
    for place in places:
        value = place.read()
        new = opened(value, memo)
        if new is value:
            continue
        if isinstance(place, ListPlace) and isinstance(new, ListValue):
            put_content(place.owner, new)
        else:
            place.write(new)


class _EndlessError(Exception):
    """A row leads to one of its own table."""


def _opened(d: Descriptor, around: tuple[Any, ...]) -> Descriptor:
    """The descriptor of what one describes with objects in the place of rows; `around` are the tables that led here."""
    if isinstance(d, Struct):
        if issubclass(d.kind, Linked):
            return _of_row(d, around)
        children = tuple(_opened(c, around) for c in d.children)
        return d if all(map(is_, children, d.children)) else Struct(d.kind, d.keys, children)
    if isinstance(d, Sequence) and d.element is not None:
        element = _opened(d.element, around)
        return d if element is d.element else Sequence(element)
    if isinstance(d, OneOf):
        alternatives = [_opened(a, around) for a in d.alternatives]
        return d if all(map(is_, alternatives, d.alternatives)) else OneOf(tuple(alternatives))
    return d


def _of_row(d: Struct, around: tuple[Any, ...]) -> Struct:
    table = d.children[1].value  # type: ignore[attr-defined]
    if table in around:
        raise _EndlessError
    columns = [as_list_value(column).element for column in table.columns.values()]
    names = tuple(table.columns)
    keys = names if type(names[0]) is str else ()
    return Struct(table.kind.__python_class__, keys, tuple(_opened(c, (*around, table)) for c in columns))


def _item(x: Any, memo: dict[int, tuple[Any, Any]]) -> Any:
    """What `x` becomes; `memo` is what was met, by id, and what it became."""
    if id(x) in memo:
        return memo[id(x)][1]
    memo[id(x)] = x, x  # where it leads to itself
    new = _new_item(x, memo)
    memo[id(x)] = x, new
    return new


def _new_item(x: Any, memo: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(x, Linked):
        row, table = row_of(x)
        d = describe(x)
        assert isinstance(d, Struct)
        made = _of_row(d, ())
        values = [_item(table.read(row, name), memo) for name in table.columns]
        return tuple(values) if made.kind is tuple else rebuild(made.kind, made.keys, values)
    choice = choice_of(x)
    if choice is not None:
        d = describe(choice)
        return x if _opened(d, ()) is d else select_any(choice, lambda one: _item(one, {}))
    if type(x) is ListValue or (type(x) is list and has_splices(x)):
        value = as_list_value(x)
        d = Sequence(value.element)
        new = _opened(d, ())
        if new is d:
            return x
        assert isinstance(new, Sequence)
        value = ListValue(new.element, mapped(value, new, lambda item: _item(item, {})))
        return value if type(x) is ListValue else new_list(value)
    parts = None if isinstance(x, Tensor) else structure_of(x, instances=is_mutable(x))
    if parts is None:
        return x
    items = [_item(part, memo) for part in parts[1]]
    if all(map(is_, items, parts[1])):
        return x
    return ListContents(tuple(items)) if type(x) is ListContents else rebuild(type(x), parts[0], items)
