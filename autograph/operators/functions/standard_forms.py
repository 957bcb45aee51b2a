"""Stand-ins for `itertools` and `collections.deque`: where tensors are about, forms of theirs that are converted."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable
from typing import Any

from autograph.operators.containers.advances import by_place, gone_over
from autograph.operators.containers.lists import dynamic_of
from autograph.operators.functions import generators
from autograph.operators.functions import itertools_forms as forms
from autograph.operators.functions.calls import callee
from autograph.operators.functions.deque_form import Deque
from autograph.operators.functions.generators import Emitting, made_of, may_be_shared, stands_for
from autograph.operators.functions.own_iterators import has_own_next
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.stand_ins import STAND_INS, stand_in
from autograph.operators.statements.endless_iterators import repeated
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE

__all__ = ["unknown"]


@stand_in(collections.deque)
def deque_(*args: Any, **kwargs: Any) -> Any:
    """`collections.deque`."""
    trace = STATE.trace
    if trace is None or not (trace.graph.inputs or trace.builder.emitted):
        return collections.deque(*args, **kwargs)
    return callee(Deque)(*args, **kwargs)


def unknown(x: Any) -> bool:
    """Whether only the run knows how many items an iterable has, or Python code that is not converted would make them."""
    kind = type(x)
    if kind is Emitting or has_own_next(x):
        return True
    if may_be_shared(x):
        return leads_to_tensor(made_of(x))
    if kind is list:
        return dynamic_of(x) is not None
    staged = staged_iterable(x)
    return staged is not None and not isinstance(staged.count(), int)


def _tests(form: Callable[..., Any]) -> None:
    """Use a form wherever tensors are about: it tests items."""
    original = getattr(itertools, form.__name__)

    def call(*args: Any, **kwargs: Any) -> Any:
        if STATE.trace is None:
            return original(*args, **kwargs)
        args = tuple(map(stands_for, args))
        beneath = [x for iterable in args for x in gone_over(iterable)]
        if not (leads_to_tensor([args, kwargs, beneath]) or any(map(unknown, args)) or by_place(STATE.trace)):
            return original(*args, **kwargs)
        return callee(form)(*args, **kwargs)

    stand_in(original)(call)


def _passes_on(form: Callable[..., Any], looked_at: slice = slice(1)) -> None:
    """Use a form where how many items its iterables have depends on the run."""
    original = getattr(itertools, form.__name__)

    def call(*args: Any, **kwargs: Any) -> Any:
        if STATE.trace is None:
            return original(*args, **kwargs)
        args = tuple(map(stands_for, args))
        decided = any(map(unknown, args[looked_at])) or any(isinstance(x, Tensor) for x in args)
        if not (decided or by_place(STATE.trace)):
            return original(*args, **kwargs)
        return callee(form)(*args, **kwargs)

    stand_in(original)(call)


@stand_in(itertools.accumulate)
def accumulate_(iterable: Any, func: Any = None, *, initial: Any = None) -> Any:
    """`itertools.accumulate`."""
    iterable = stands_for(iterable)
    decided = unknown(iterable) or (func is not None and leads_to_tensor([iterable, initial]))
    if STATE.trace is None or not (decided or by_place(STATE.trace)):
        return itertools.accumulate(iterable, func, initial=initial)
    return callee(forms.accumulate)(iterable, func, initial=initial)


@stand_in(itertools.chain.from_iterable)
def from_iterable_(iterables: Any, /) -> Any:
    """`itertools.chain.from_iterable`."""
    listed = type(iterables) in (list, tuple)
    decided = unknown(iterables) or (listed and any(map(unknown, iterables)))
    if STATE.trace is None or not (decided or by_place(STATE.trace)):
        return itertools.chain.from_iterable(iterables)
    return callee(forms.from_iterable)(iterables)


@stand_in(itertools.tee)
def tee_(iterable: Any, n: int = 2, /) -> Any:
    """`itertools.tee`: where tensors are about, iterators that keep their items, which nobody else can go over."""
    iterable = stands_for(iterable)
    trace = STATE.trace
    if trace is None or tensorless(trace) or type(n) is not int or n < 1:
        return itertools.tee(iterable, n)
    if type(iterable) in (Tensor, list) and unknown(iterable):  # what may be gone over as often as one likes
        return tuple(STAND_INS[iter](iterable) for _ in range(n))
    first = generators.buffered(iter(iterable), ())
    return first, *(first.beside() for _ in range(n - 1))


@stand_in(itertools.repeat)
def repeat_(*args: Any, **kwargs: Any) -> Any:
    """`itertools.repeat`."""
    if len(args) == 1 and not kwargs:
        return repeated(*args)
    if STATE.trace is None or not any(isinstance(t, Tensor) for t in (*args[1:], *kwargs.values())):
        return itertools.repeat(*args, **kwargs)
    return callee(forms.repeat)(*args, **kwargs)


_tests(forms.takewhile)
_tests(forms.dropwhile)
_tests(forms.filterfalse)
_tests(forms.compress)
_tests(forms.groupby)
_passes_on(forms.pairwise)
_passes_on(forms.islice)
_passes_on(forms.chain, slice(None))
_passes_on(forms.product, slice(None))
_passes_on(forms.combinations)
_passes_on(forms.combinations_with_replacement)
_passes_on(forms.permutations)
_passes_on(forms.zip_longest, slice(None))
_passes_on(forms.starmap, slice(1, 2))
