"""Dictionaries and sets as classes over lists: of those that tensors are keys of, methods are converted as the user's are.

    counts[x] = counts.get(x, 0) + 1    ->    a list of keys that is searched, and one of values

A dictionary of Python's needs the hash of a key, which only the run knows. Which dictionaries are made so is found by
`keyed`. The order is Python's for dictionaries; sets keep the order in which their items came.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

from autograph.operators.functions.calls import callee
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.statements.printing import keys_text, pairs_text, text_of
from autograph.operators.statements.staged_texts import text
from autograph.operators.values.choice import alternatives_of, is_mixed

__all__ = ["Counts", "Defaulting", "FrozenKeyedSet", "Keyed", "KeyedSet", "Ordered"]

__name__ = "python_forms.collections"  # methods of this package's own modules are called as they are


def _known(key: Any) -> Any:
    """A key; of one of several texts, the text that the run puts there."""
    if is_mixed(key) and all(type(k) is str for k in alternatives_of(key)):
        return text(text_of(key))
    return key


class _Searched:
    """What has a list of keys."""

    names: Any

    def _place(self, key: Any) -> Any:
        key = _known(key)
        place = -1
        for i, k in enumerate(self.names):
            if k == key:
                place = i
                break
        return place

    def __contains__(self, key: Any) -> Any:
        return self._place(key) >= 0

    def __len__(self) -> Any:
        return len(self.names)

    def __iter__(self) -> Iterator[Any]:
        yield from self.names


class Keyed(_Searched):
    """A dictionary; `isinstance` and `type` of converted code take it for one."""

    __hash__ = None  # type: ignore[assignment]
    __python_class__: type = dict

    def __init__(self, *others: Any, **more: Any) -> None:
        self.names: Any = []
        self.held: Any = []
        self.update(*others, **more)

    def _missing(self, key: Any) -> Any:
        raise KeyError(key)

    def __getitem__(self, key: Any) -> Any:
        key = _known(key)
        place = self._place(key)
        if place < 0:
            found = self._missing(key)
        else:
            found = self.held[place]
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        key = _known(key)
        place = self._place(key)
        if place < 0:
            self.names.append(key)
            self.held.append(value)
        else:
            self.held[place] = value

    def __delitem__(self, key: Any) -> None:
        place = self._place(key)
        if place < 0:
            raise KeyError(key)
        self.names.pop(place)
        self.held.pop(place)

    def __reversed__(self) -> Any:
        return reversed(self.names)

    def get(self, key: Any, default: Any = None) -> Any:
        place = self._place(key)
        if place < 0:
            found = default
        else:
            found = self.held[place]
        return found

    def setdefault(self, key: Any, default: Any = None) -> Any:
        key = _known(key)
        if self._place(key) < 0:
            self.names.append(key)
            self.held.append(default)
        return self.held[self._place(key)]

    def pop(self, key: Any, *default: Any) -> Any:
        place = self._place(key)
        if place < 0:
            if len(default) == 0:
                raise KeyError(key)
            found = default[0]
        else:
            self.names.pop(place)
            found = self.held.pop(place)
        return found

    def popitem(self) -> Any:
        if len(self.names) == 0:
            raise KeyError("popitem(): dictionary is empty")
        return self.names.pop(), self.held.pop()

    def update(self, *others: Any, **more: Any) -> None:
        for other in others:
            for k, v in other.items() if isinstance(other, dict) else other:
                self[k] = v
        for k, v in more.items():
            self[k] = v

    def keys(self) -> Any:
        return self.names[:]

    def values(self) -> Any:
        return self.held[:]

    def items(self) -> Any:
        return list(zip(self.names, self.held))  # noqa: B905 (they are as long)

    def clear(self) -> None:
        self.names.clear()
        self.held.clear()

    def copy(self) -> Any:
        made = self._empty()
        made.names = self.names[:]
        made.held = self.held[:]
        return made

    __copy__ = copy

    def _empty(self) -> Any:
        return Keyed()

    def __or__(self, other: Any) -> Any:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: Any) -> Any:
        made = Keyed(other)
        made.update(self)
        return made

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, dict):
            return NotImplemented
        same = len(self) == len(other)
        for k, v in other.items():
            if same:
                place = self._place(k)
                same = place >= 0 and self.held[place] == v
        return same

    def __as_python__(self) -> Any:
        return dict(zip(self.names, self.held))  # noqa: B905 (they are as long)

    def __repr__(self) -> str:
        return pairs_text(self.names, self.held, *self._ends())

    def _ends(self) -> tuple[str, str]:
        return "{", "}"

    def __staged_iterable__(self) -> Any:
        return staged_iterable(self.names)


class Ordered(Keyed):
    """An `OrderedDict`."""

    __python_class__ = collections.OrderedDict

    def popitem(self, last: Any = True) -> Any:
        if len(self.names) == 0:
            raise KeyError("dictionary is empty")
        place = -1 if last else 0
        return self.names.pop(place), self.held.pop(place)

    def move_to_end(self, key: Any, last: Any = True) -> None:
        place = self._place(key)
        if place < 0:
            raise KeyError(key)
        name, value = self.names.pop(place), self.held.pop(place)
        if last:
            self.names.append(name)
            self.held.append(value)
        else:
            self.names.insert(0, name)
            self.held.insert(0, value)

    def _empty(self) -> Any:
        return Ordered()

    def _ends(self) -> tuple[str, str]:
        return "OrderedDict({", "})"

    def __as_python__(self) -> Any:
        return collections.OrderedDict(zip(self.names, self.held))  # noqa: B905 (they are as long)


class Defaulting(Keyed):
    """A `defaultdict`."""

    __python_class__ = collections.defaultdict

    def __init__(self, default_factory: Any = None, *others: Any, **more: Any) -> None:
        self.default_factory = default_factory
        super().__init__(*others, **more)

    def _missing(self, key: Any) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        self.names.append(key)
        self.held.append(self.default_factory())
        return self.held[-1]

    def _empty(self) -> Any:
        return Defaulting(self.default_factory)

    def _ends(self) -> tuple[str, str]:
        return f"defaultdict({self.default_factory!r}, {{", "})"

    def __as_python__(self) -> Any:
        return collections.defaultdict(self.default_factory, zip(self.names, self.held))  # noqa: B905 (they are as long)


class Counts(Keyed):
    """A `Counter`."""

    __python_class__ = collections.Counter

    def _missing(self, key: Any) -> Any:
        return 0

    def _empty(self) -> Any:
        return Counts()

    def __repr__(self) -> str:
        names, counts = callee(Counts._ranked)(self)
        return pairs_text(names, counts, "Counter({", "})")

    def _ranked(self) -> Any:
        ranked = self.most_common()
        return [k for k, _ in ranked], [n for _, n in ranked]

    def update(self, *others: Any, **more: Any) -> None:
        self._add(1, *others, **more)

    def subtract(self, *others: Any, **more: Any) -> None:
        self._add(-1, *others, **more)

    def _add(self, sign: int, *others: Any, **more: Any) -> None:
        for other in others:
            if isinstance(other, dict):
                for k, n in other.items():
                    self[k] += sign * n
            elif other is not None:
                for k in other:
                    self[k] += sign
        for k, n in more.items():
            self[k] += sign * n

    def __delitem__(self, key: Any) -> None:
        if key in self:
            super().__delitem__(key)

    def most_common(self, n: Any = None) -> Any:
        ranked = sorted(self.items(), key=lambda item: item[1], reverse=True)
        return ranked if n is None else ranked[:n]

    def elements(self) -> Any:
        found = []
        for k, n in self.items():
            for _ in range(n):
                found.append(k)
        return found

    def total(self) -> Any:
        return sum(self.held)

    def __add__(self, other: Any) -> Any:
        return self._joined(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> Any:
        return self._joined(other, lambda a, b: a - b)

    def __or__(self, other: Any) -> Any:
        return self._joined(other, max)

    def __and__(self, other: Any) -> Any:
        return self._joined(other, min)

    def _joined(self, other: Any, join: Any) -> Any:
        made = Counts()
        for k, n in self.items():
            both = join(n, other[k])
            if both > 0:
                made[k] = both
        for k, n in other.items():
            both = join(0, n)
            if k not in self and both > 0:
                made[k] = both
        return made

    def __as_python__(self) -> Any:
        return collections.Counter(dict(zip(self.names, self.held)))  # noqa: B905 (they are as long)


class KeyedSet(_Searched):
    """A set."""

    __hash__ = None  # type: ignore[assignment]
    __python_class__: type = set

    def __init__(self, *others: Any) -> None:
        self.names: Any = []
        self._take(*others)

    def add(self, x: Any) -> None:
        if x not in self:
            self.names.append(x)

    def discard(self, x: Any) -> None:
        place = self._place(x)
        if place >= 0:
            self.names.pop(place)

    def remove(self, x: Any) -> None:
        place = self._place(x)
        if place < 0:
            raise KeyError(x)
        self.names.pop(place)

    def pop(self) -> Any:
        if len(self.names) == 0:
            raise KeyError("pop from an empty set")
        return self.names.pop(0)

    def _take(self, *others: Any) -> None:
        for other in others:
            for x in other:
                if x not in self:
                    self.names.append(x)

    update = _take

    def clear(self) -> None:
        self.names.clear()

    def copy(self) -> Any:
        made = self._empty()
        made.names = self.names[:]
        return made

    __copy__ = copy

    def _empty(self) -> Any:
        return KeyedSet()

    def union(self, *others: Any) -> Any:
        made = self.copy()
        made._take(*others)
        return made

    def intersection(self, *others: Any) -> Any:
        made = self
        for other in others:
            made = made._kept(other, True)
        return made.copy()

    def difference(self, *others: Any) -> Any:
        made = self
        for other in others:
            made = made._kept(other, False)
        return made.copy()

    def symmetric_difference(self, other: Any) -> Any:
        made = self._kept(other, False)
        for x in other:
            if x not in self:
                made.names.append(x)
        return made

    def _kept(self, other: Any, kept: bool) -> Any:
        made = self._empty()
        for x in self.names:
            if (x in other) == kept:
                made.names.append(x)
        return made

    def difference_update(self, *others: Any) -> None:
        self.names = self.difference(*others).names

    def intersection_update(self, *others: Any) -> None:
        self.names = self.intersection(*others).names

    def symmetric_difference_update(self, other: Any) -> None:
        self.names = self.symmetric_difference(other).names

    def issubset(self, other: Any) -> Any:
        return all(x in other for x in self.names)

    def issuperset(self, other: Any) -> Any:
        return all(x in self for x in other)

    def isdisjoint(self, other: Any) -> Any:
        return not any(x in self for x in other)

    def __or__(self, other: Any) -> Any:
        return self.union(other)

    __ror__ = __or__

    def __and__(self, other: Any) -> Any:
        return self.intersection(other)

    __rand__ = __and__

    def __sub__(self, other: Any) -> Any:
        return self.difference(other)

    def __rsub__(self, other: Any) -> Any:
        return KeyedSet(other).difference(self)

    def __xor__(self, other: Any) -> Any:
        return self.symmetric_difference(other)

    __rxor__ = __xor__

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def __iand__(self, other: Any) -> Any:
        self.intersection_update(other)
        return self

    def __isub__(self, other: Any) -> Any:
        self.difference_update(other)
        return self

    def __ixor__(self, other: Any) -> Any:
        self.symmetric_difference_update(other)
        return self

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, (set, frozenset)):
            return NotImplemented
        return len(self) == len(other) and self.issubset(other)

    def __le__(self, other: Any) -> Any:
        return self.issubset(other)

    def __lt__(self, other: Any) -> Any:
        return len(self) < len(other) and self.issubset(other)

    def __ge__(self, other: Any) -> Any:
        return self.issuperset(other)

    def __gt__(self, other: Any) -> Any:
        return len(self) > len(other) and self.issuperset(other)

    def __as_python__(self) -> Any:
        return set(self.names)

    def __repr__(self) -> str:
        return keys_text(self.names, "{", "}")

    def __staged_iterable__(self) -> Any:
        return staged_iterable(self.names)


class FrozenKeyedSet(KeyedSet):
    """A frozenset."""

    __python_class__ = frozenset

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.names))  # which only the run knows: whoever asks is told so

    def _refuse(self, *_: Any) -> Any:
        raise AttributeError("'frozenset' object has no such attribute: it cannot be changed")

    add = discard = remove = pop = clear = update = _refuse  # type: ignore[assignment]
    difference_update = intersection_update = symmetric_difference_update = _refuse  # type: ignore[assignment]

    def __ior__(self, other: Any) -> Any:
        return self.union(other)

    def __iand__(self, other: Any) -> Any:
        return self.intersection(other)

    def __isub__(self, other: Any) -> Any:
        return self.difference(other)

    def __ixor__(self, other: Any) -> Any:
        return self.symmetric_difference(other)

    def _empty(self) -> Any:
        return FrozenKeyedSet()

    def __as_python__(self) -> Any:
        return frozenset(self.names)

    def __repr__(self) -> str:
        return keys_text(self.names, "frozenset({", "})")
