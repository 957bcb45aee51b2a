"""What stands for generators: of one that goes over itself, a list that a recursive function returns; of one that branches
and loops go on with, an iterator whose next item a function gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__: list[str] = []

__name__ = "python_forms.generators"  # functions of this package's own modules are called as they are


def items_of(generator: Any, args: Any, kwargs: Any) -> list[Any]:
    """The items of a generator, called so."""
    items = []
    for item in generator(*args, **kwargs):
        items.append(item)  # noqa: PERF402 (this is what is converted)
    return items


class Indexed:
    """An iterator over what only has `__getitem__`, which raises IndexError at its end."""

    def __init__(self, items: Any) -> None:
        self.items, self.place = items, 0

    def __iter__(self) -> Indexed:
        return self

    def __next__(self) -> Any:
        try:
            item = self.items[self.place]
        except IndexError:
            raise StopIteration from None
        self.place += 1
        return item


class Together:
    """What `zip` makes: where one has ended, those before it have given an item more."""

    def __init__(self, iterators: list[Any]) -> None:
        self.iterators = iterators

    def __iter__(self) -> Together:
        return self

    def __next__(self) -> Any:
        return tuple([next(iterator) for iterator in self.iterators])


class Until:
    """What `iter(function, sentinel)` makes."""

    def __init__(self, function: Callable[[], Any], sentinel: Any) -> None:
        self.function, self.sentinel = function, sentinel

    def __iter__(self) -> Until:
        return self

    def __next__(self) -> Any:
        item = self.function()
        if item == self.sentinel:
            raise StopIteration
        return item


class Each:
    """What `map`, `filter` and generator expressions make."""

    def __init__(self, element: Callable[[Any], Any], iterator: Any, condition: Callable[[Any], Any] | None) -> None:
        self.element, self.iterator, self.condition = element, iterator, condition

    def __iter__(self) -> Each:
        return self

    def __next__(self) -> Any:
        if self.condition is None:
            return self.element(next(self.iterator))
        while True:
            item = next(self.iterator)
            if self.condition(item):
                return self.element(item)


class Counted:
    """What `enumerate` makes."""

    def __init__(self, iterator: Any, start: Any) -> None:
        self.iterator, self.number = iterator, start

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> Any:
        item = next(self.iterator)
        self.number += 1
        return self.number - 1, item


class Asked:
    """What the `__iter__` of an iterator gave, where that acts: a loop asks once."""

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator

    def __iter__(self) -> Asked:
        return self

    def __next__(self) -> Any:
        return next(self.iterator)


class Resumed:
    """An iterator: a function gives its items."""

    def __init__(self, following: Callable[[], Any]) -> None:
        self.following = following

    def __staged_bool__(self) -> bool:
        return True  # as of all iterators

    def __iter__(self) -> Resumed:
        return self

    def __next__(self) -> Any:
        return self.following()

    def send(self, value: Any) -> Any:
        """As of a generator that makes nothing of it."""
        return self.following()

    def close(self) -> None:
        """As of a generator."""
        self.following = _over

    def throw(self, error: Any) -> Any:
        """As of a generator that catches nothing."""
        self.close()
        raise error


def _over() -> Any:
    raise StopIteration
