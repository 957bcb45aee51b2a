"""What `itertools` does, as generator functions: where tensors decide, these are converted as the user's are.

    sum(takewhile(lambda x: x > 0, xs))    ->    a loop with a `break` over xs

`itertools` is in C: it tests and compares by itself, and takes items one at a time. It is called as ever where nothing
staged is about.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from autograph.operators.containers.lists import dynamic_of
from autograph.operators.functions.calls import callee
from autograph.operators.functions.generators import made_of, may_be_shared
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.trace import STATE

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


def _unknown(x: Any) -> bool:
    """Whether only the run knows how many items an iterable has, or Python code that is not converted would make them."""
    if may_be_shared(x):
        return leads_to_tensor(made_of(x))
    if type(x) is list:
        return dynamic_of(x) is not None
    staged = staged_iterable(x)
    return staged is not None and not isinstance(staged.count(), int)


def _tests(form: Callable[..., Any]) -> None:
    """Use a form wherever tensors are about: it tests items."""
    original = getattr(itertools, form.__name__)

    def call(*args: Any, **kwargs: Any) -> Any:
        if STATE.trace is None or (not leads_to_tensor([args, kwargs]) and not any(map(_unknown, args))):
            return original(*args, **kwargs)
        return callee(form)(*args, **kwargs)

    stand_in(original)(call)


def _passes_on(form: Callable[..., Any], looked_at: slice = slice(1)) -> None:
    """Use a form where how many items its iterables have depends on the run."""
    original = getattr(itertools, form.__name__)

    def call(*args: Any, **kwargs: Any) -> Any:
        if STATE.trace is None or not any(map(_unknown, args[looked_at])):
            return original(*args, **kwargs)
        return callee(form)(*args, **kwargs)

    stand_in(original)(call)


_tests(takewhile)
_tests(dropwhile)
_tests(filterfalse)
_tests(compress)
_tests(groupby)
_passes_on(accumulate)
_passes_on(pairwise)
_passes_on(islice)
_passes_on(chain, slice(None))
_passes_on(starmap, slice(1, 2))
