"""What `itertools` does, as generator functions: where tensors decide, these are converted as the user's are.

    sum(takewhile(lambda x: x > 0, xs))    ->    a loop with a `break` over xs

`itertools` is in C: it tests and compares by itself, and takes items one at a time. It is called as ever where nothing
staged is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__: list[str] = []

__name__ = "python_forms.itertools"  # functions of this package's own modules are called as they are


def takewhile(predicate: Any, iterable: Any) -> Iterator[Any]:
    for x in iterable:
        if not predicate(x):
            break
        yield x


def dropwhile(predicate: Any, iterable: Any) -> Iterator[Any]:
    dropping = True
    for x in iterable:
        if dropping and predicate(x):
            continue
        dropping = False
        yield x


def filterfalse(predicate: Any, iterable: Any) -> Iterator[Any]:
    for x in iterable:
        if not (x if predicate is None else predicate(x)):
            yield x


def compress(data: Any, selectors: Any) -> Iterator[Any]:
    for x, selected in zip(data, selectors):  # noqa: B905 (the shorter ends it)
        if selected:
            yield x


def groupby(iterable: Any, key: Any = None) -> Iterator[Any]:
    items = list(iterable)
    count = len(items)
    start = 0
    while start < count:
        rank = items[start] if key is None else key(items[start])
        end = start + 1
        while end < count and (items[end] if key is None else key(items[end])) == rank:
            end += 1
        yield rank, items[start:end]
        start = end


def accumulate(iterable: Any, func: Any = None, *, initial: Any = None) -> Iterator[Any]:
    total = initial
    if initial is not None:
        yield initial
    for x in iterable:
        total = x if total is None else total + x if func is None else func(total, x)
        yield total


def chain(*iterables: Any) -> Iterator[Any]:
    for iterable in iterables:
        for x in iterable:  # noqa: UP028 (`yield from` is not turned inside out)
            yield x


def pairwise(iterable: Any) -> Iterator[Any]:
    before = None
    for i, x in enumerate(iterable):
        if i > 0:
            yield before, x
        before = x


def starmap(function: Any, iterable: Any) -> Iterator[Any]:
    for arguments in iterable:
        yield function(*arguments)


def islice(iterable: Any, *bounds: Any) -> Iterator[Any]:
    span = slice(*bounds)
    start = 0 if span.start is None else span.start
    step = 1 if span.step is None else span.step
    for i, x in enumerate(iterable):
        if span.stop is not None and i >= span.stop:
            break
        if i >= start and (i - start) % step == 0:
            yield x
        if span.stop is not None and i + 1 >= span.stop:
            break
