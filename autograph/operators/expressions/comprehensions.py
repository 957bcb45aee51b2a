"""List, set and dictionary comprehensions and generator expressions in converted code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from sys import getrefcount
from types import GeneratorType
from typing import Any

from autograph.operators.containers.advances import by_place, note_gone_over, taken_in_part
from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.expressions.py_builtins import (
    collect,
    collected_once,
    emitted_from,
    emitted_map,
    goes_on,
    list_,
    one_by_one,
)
from autograph.operators.functions.generators import Emitting, asked, emitting
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.items.iterators import mapped, once, placed
from autograph.operators.state.aliases import count_note
from autograph.operators.state.plain import CERTAIN, ITERATORS
from autograph.operators.state.stand_ins import STAND_INS
from autograph.operators.statements.branches import if_stmt
from autograph.operators.statements.iterables import filtered, staged_iterable
from autograph.operators.values import quick
from autograph.operators.values.choice import is_mixed, select
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.trace import current

__all__ = ["dict_comp", "generator_exp", "inner", "list_comp", "passing", "set_comp"]

Test = Callable[[Any], Any] | None


def list_comp(element: Callable[[Any], Any], iterable: Any, condition: Test = None, flat: bool = False) -> Any:
    """`[element(x) for x in iterable if condition(x)]`; `flat` joins the lists that `element` returns."""
    trace = current()
    if trace is None:
        return _python(element, iterable, condition, flat)
    count_note(trace)
    if condition is None and not flat and type(iterable) in CERTAIN:
        return [element(x) for x in iterable]
    if quick.calm and passing(iterable):
        return _python(element, iterable, condition, flat)
    if is_mixed(iterable):
        return select(iterable, lambda taken: list_comp(element, taken, condition, flat))
    iterable = asked(iterable)
    iterable = emitting(iterable) or iterable
    if not flat:
        if type(iterable) is Emitting:
            return collect(iterable, element, condition)
        staged = staged_iterable(iterable)
        if staged is None and type(iterable) is list:  # which `element` may make as long as only the run knows
            return collect(iterable, element, condition)
        if condition is None and (staged is None or _is_short(staged.count())):
            return [element(x) for x in (iterable if staged is None else staged)]
        return collect(iterable, element, condition)
    out: list[Any] = []

    def extend(x: Any) -> None:
        items = element(x)
        ListMethod(out, "extend")(items if type(items) is list else list_(items))

    def body(x: Any) -> None:
        if condition is None:
            extend(x)
        else:
            if_stmt(condition(x), lambda: extend(x), None, ())

    for_stmt(iterable, body, ())
    return out


def passing(x: Any) -> bool:
    """Whether something is what Python goes over, or an iterator that it has made for a comprehension: nobody else goes on
    with that."""
    kind = type(x)
    return kind in _PYTHONS or (kind in ITERATORS and getrefcount(x) <= _REFERENCES)


def inner(x: Any) -> Any:
    """What an inner `for` of a comprehension goes over, where the outer ones are Python's."""
    if passing(x) or type(x) is GeneratorType or quick.is_object(type(x)):
        return x
    return list_comp(lambda item: item, x)


_REFERENCES = 3  # to one that was made for the call: the comprehension's parameter or name, ours, getrefcount's
_WRITTEN_OUT = 256


def _is_short(count: Any) -> bool:
    """Whether as many items are written out, so that Python has the list; more are a loop of the graph."""
    return isinstance(count, int) and count <= _WRITTEN_OUT


def _python(element: Callable[[Any], Any], iterable: Any, condition: Test, flat: bool) -> list[Any]:
    if flat:
        return [e for x in iterable if condition is None or condition(x) for e in element(x)]
    return [element(x) for x in iterable if condition is None or condition(x)]


def set_comp(element: Callable[[Any], Any], iterable: Any, condition: Test = None, flat: bool = False) -> set[Any]:
    """`{element(x) for x in iterable if condition(x)}`."""
    return STAND_INS[set](list_comp(element, iterable, condition, flat))  # type: ignore[no-any-return]


def dict_comp(
    element: Callable[[Any], Any], iterable: Any, condition: Test = None, flat: bool = False
) -> dict[Any, Any]:
    """`{k: v for x in iterable if condition(x)}`, where `element(x)` gives (k, v)."""
    return STAND_INS[dict](list_comp(element, iterable, condition, flat))  # type: ignore[no-any-return]


def generator_exp(element: Callable[[Any], Any], iterable: Any, condition: Test = None, flat: bool = False) -> Any:
    """`(element(x) for x in iterable if condition(x))`: lazy over Python iterables."""
    if quick.calm and passing(iterable) and not by_place(current()):
        return _generate(element, iter(iterable), condition, flat)
    if is_mixed(iterable):
        return list_comp(element, iterable, condition, flat)
    iterable = asked(iterable)
    emitted = emitting(iterable)
    if emitted is not None:
        return once(list_comp(element, emitted, condition, flat)) if flat else emitted_map(emitted, element, condition)
    trace = current()
    if trace is not None and staged_iterable(iterable) is not None:
        if condition is None and not flat:
            return mapped(element, (iterable,))
        if not flat:
            return emitted_map(emitted_from(iterable), element, condition)
        return once(list_comp(element, iterable, condition, flat))
    if by_place(trace):
        if leads_to_tensor([element, condition, iterable]):
            if not flat and goes_on(iterable):
                return one_by_one(element, iterable, condition)
            return once(list_comp(element, iterable, condition, flat))
        return placed(_generate(element, iter(iterable), condition, flat))
    note_gone_over(iterable)
    if trace is not None and condition is not None:
        if not flat:
            return filtered(element, iterable, condition, collected_once)
        if leads_to_tensor([condition, iterable]):
            return once(list_comp(element, iterable, condition, flat))
    return _generate(element, iter(iterable), condition, flat)


_VIEWS: tuple[type, ...] = type({}.keys()), type({}.values()), type({}.items())
_PYTHONS = frozenset((list, tuple, set, frozenset, dict, str, range, *_VIEWS))


def _generate(element: Callable[[Any], Any], iterable: Any, condition: Test, flat: bool) -> Iterator[Any]:
    if condition is None and not flat:
        for x in iterable:
            yield element(x)
        return
    for x in iterable:
        if condition is None or condition(x):
            if not flat:
                yield element(x)
                continue
            items = element(x)
            staged = staged_iterable(items)
            if type(items) is Emitting or (staged is not None and not isinstance(staged.count(), int)):
                raise taken_in_part()
            yield from items
