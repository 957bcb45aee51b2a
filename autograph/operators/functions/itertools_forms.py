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
        yield rank, iter(items[start:end])
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
    if span.stop is not None and span.stop <= 0:
        iterable = ()
    for i, x in enumerate(iterable):
        if span.stop is not None and i >= span.stop:
            break
        if i >= start and (i - start) % step == 0:
            yield x
        if span.stop is not None and i + 1 >= span.stop:
            break


def product(*iterables: Any, repeat: int = 1) -> Iterator[Any]:
    pools = [list(iterable) for iterable in iterables]
    for items in _one_of_each(pools * repeat):  # noqa: UP028 (as in `chain`)
        yield items


def _one_of_each(pools: list[Any]) -> Iterator[Any]:
    if not pools:
        yield ()
    else:
        for x in pools[0]:
            for others in _one_of_each(pools[1:]):
                yield x, *others


def combinations(iterable: Any, r: int) -> Iterator[Any]:
    for items in _chosen(list(iterable), 0, r, 1):  # noqa: UP028 (as in `chain`)
        yield items


def combinations_with_replacement(iterable: Any, r: int) -> Iterator[Any]:
    for items in _chosen(list(iterable), 0, r, 0):  # noqa: UP028 (as in `chain`)
        yield items


def _chosen(items: list[Any], start: Any, r: int, step: int) -> Iterator[Any]:
    if r == 0:
        yield ()
    else:
        for i in range(start, len(items)):
            for others in _chosen(items, i + step, r - 1, step):
                yield items[i], *others


def permutations(iterable: Any, r: int) -> Iterator[Any]:
    for items in _arranged(list(iterable), r, ()):  # noqa: UP028 (as in `chain`)
        yield items


def _arranged(items: list[Any], r: int, taken: tuple[Any, ...]) -> Iterator[Any]:
    if r == 0:
        yield ()
    else:
        for i in range(len(items)):
            if i not in taken:
                for others in _arranged(items, r - 1, (*taken, i)):
                    yield items[i], *others


def zip_longest(*iterables: Any, fillvalue: Any = None) -> Iterator[Any]:
    pools = [list(iterable) for iterable in iterables]
    for i in range(max([len(pool) for pool in pools])):
        yield tuple([pool[i] if i < len(pool) else fillvalue for pool in pools])


def from_iterable(iterables: Any) -> Iterator[Any]:
    for iterable in iterables:
        for x in iterable:  # noqa: UP028 (as in `chain`)
            yield x


def repeat(object: Any, times: Any) -> Iterator[Any]:
    for _ in range(times):
        yield object
