"""`collections.deque` as a class over a list: where tensors are about, its methods are converted as the user's are.

    for x in xs: window.append(x); window.popleft()    ->    a list of the graph that grows and shrinks

The class in C changes by itself, which no graph sees. What is made where nothing is staged stays a deque of Python's.
"""

from __future__ import annotations

import collections
from typing import Any

from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.statements.printing import keys_text

__all__ = ["Deque"]

__name__ = "python_forms.collections"  # methods of this package's own modules are called as they are


class Deque:
    """A deque; `isinstance` takes it for one."""

    __hash__ = None  # type: ignore[assignment]
    __class__ = property(lambda _: collections.deque)  # type: ignore[assignment]

    def __init__(self, iterable: Any = (), maxlen: Any = None) -> None:
        self.items = list(iterable)
        self.maxlen = maxlen
        if maxlen is not None:
            range(maxlen)  # refuses what is no integer
            if maxlen < 0:
                raise ValueError("maxlen must be non-negative")
            self._shorten_left()

    def _shorten_left(self) -> None:
        while len(self.items) > self.maxlen:
            self.items.pop(0)

    def append(self, x: Any) -> None:
        self.items.append(x)
        if self.maxlen is not None and len(self.items) > self.maxlen:
            self.items.pop(0)

    def appendleft(self, x: Any) -> None:
        self.items.insert(0, x)
        if self.maxlen is not None and len(self.items) > self.maxlen:
            self.items.pop()

    def pop(self) -> Any:
        if len(self.items) == 0:
            raise IndexError("pop from an empty deque")
        return self.items.pop()

    def popleft(self) -> Any:
        if len(self.items) == 0:
            raise IndexError("pop from an empty deque")
        return self.items.pop(0)

    def extend(self, iterable: Any) -> None:
        if self.maxlen is None:
            self.items.extend(iterable)
        else:
            for x in iterable:
                self.append(x)

    def extendleft(self, iterable: Any) -> None:
        for x in iterable:
            self.appendleft(x)

    def clear(self) -> None:
        self.items.clear()

    def rotate(self, n: Any = 1) -> None:
        if len(self.items) > 0:
            first = -n % len(self.items)
            self.items = self.items[first:] + self.items[:first]

    def reverse(self) -> None:
        self.items.reverse()

    def insert(self, i: Any, x: Any) -> None:
        if self.maxlen is not None and len(self.items) >= self.maxlen:
            raise IndexError("deque already at its maximum size")
        self.items.insert(i, x)

    def remove(self, x: Any) -> None:
        if x not in self.items:
            raise ValueError("deque.remove(x): x not in deque")
        self.items.remove(x)

    def index(self, x: Any, *bounds: Any) -> Any:
        return self.items.index(x, *bounds)

    def count(self, x: Any) -> Any:
        return self.items.count(x)

    def copy(self) -> Any:
        return Deque(self.items, self.maxlen)

    __copy__ = copy

    def __len__(self) -> Any:
        return len(self.items)

    def __iter__(self) -> Any:
        for x in self.items:  # noqa: UP028 (`yield from` is not turned inside out)
            yield x

    def __getitem__(self, i: Any) -> Any:
        return self.items[i]

    def __setitem__(self, i: Any, x: Any) -> None:
        self.items[i] = x

    def __delitem__(self, i: Any) -> None:
        self.items.pop(i)

    def __contains__(self, x: Any) -> Any:
        return x in self.items

    def __add__(self, other: Any) -> Any:
        return Deque([*self.items, *other], self.maxlen)

    def __iadd__(self, other: Any) -> Any:
        self.extend(other)
        return self

    def __eq__(self, other: object) -> Any:
        return self.items == list(other) if isinstance(other, collections.deque) else NotImplemented

    def __repr__(self) -> str:
        after = "])" if self.maxlen is None else f"], maxlen={self.maxlen})"
        return keys_text(self.items, "deque([", after)

    def __as_python__(self) -> Any:
        return collections.deque(self.items, self.maxlen)

    def __staged_iterable__(self) -> Any:
        return staged_iterable(self.items)
