"""Sorting by comparisons that tensors decide: by `__lt__` of objects, by `functools.cmp_to_key`, and by texts of the run.

    sorted(jobs)    ->    the place of a job is how many others come before it: each pair is compared once
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import as_list_value, stacked
from autograph.operators.expressions.comparisons import eq, gt, gt_e, lt, lt_e
from autograph.operators.expressions.py_builtins import collect
from autograph.operators.functions.calls import callee
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.branches import and_, if_exp, not_
from autograph.operators.statements.iterables import StagedRange
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE
from runtime.typesys.dtypes import as_dtype

__all__ = ["are_ordered_by_run", "compares", "order_by_pairs", "order_of_rows"]

_COMPARED = 64  # items of which each two are compared


class _Key:
    """What the function that `functools.cmp_to_key` makes gives for an item."""

    def __init__(self, compare: Callable[[Any, Any], Any], obj: Any) -> None:
        self.compare = compare
        self.obj = obj

    def __lt__(self, other: Any) -> Any:
        return lt(self._to(other), 0)

    def __le__(self, other: Any) -> Any:
        return lt_e(self._to(other), 0)

    def __gt__(self, other: Any) -> Any:
        return gt(self._to(other), 0)

    def __ge__(self, other: Any) -> Any:
        return gt_e(self._to(other), 0)

    def __eq__(self, other: object) -> Any:
        return eq(self._to(other), 0)

    __hash__ = None  # type: ignore[assignment]

    def _to(self, other: Any) -> Any:
        return callee(self.compare)(self.obj, other.obj)


@stand_in(functools.cmp_to_key)
def cmp_to_key_(mycmp: Any) -> Any:
    """`functools.cmp_to_key`."""
    return functools.cmp_to_key(mycmp) if STATE.trace is None else functools.partial(_Key, mycmp)


def compares(key: Any) -> bool:
    """Whether a key is one of `functools.cmp_to_key`."""
    return type(key) is functools.partial and key.func is _Key


def are_ordered_by_run(ranks: list[Any]) -> bool:
    """Whether objects of which the class says what `<` is hold tensors."""
    of_objects = [r for r in ranks if type(getattr(type(r), "__lt__", None)) is FunctionType]
    return bool(of_objects) and leads_to_tensor([x for r in of_objects for x in _held(r)])


def _held(x: Any) -> list[Any]:
    return [x.compare, x.obj] if type(x) is _Key else [x]


def order_of_rows(rank: Callable[[Any], Any], count: Any, reverse: bool) -> Any:
    """As `order_by_pairs`, of as many items as only the run knows: `rank(i)` is the rank of one."""

    def place(i: Any) -> Any:
        before: Any = 0

        def body(j: Any) -> None:
            nonlocal before
            one, other = rank(i), rank(j)
            moved = if_exp(
                op.greater(j, i),
                lambda: truth_of(lt(one, other) if reverse else lt(other, one)),
                lambda: and_(op.less(j, i), lambda: not_(lt(other, one) if reverse else lt(one, other))),
            )
            before = before + op.cast(moved, dtype=as_dtype("int64"))

        for_stmt(StagedRange(0, count, 1), body, ("before",))
        return before

    places = stacked(as_list_value(collect(StagedRange(0, count, 1), place, None)))
    return op.argsort(places, stable=True, direction="ASCENDING")


def order_by_pairs(ranks: list[Any], reverse: bool) -> Any:
    """The indices of items in the order of their ranks, a tensor where the run decides it: who is before whom is asked of
    each two, as Python asks, whether the later one comes first."""
    if len(ranks) > _COMPARED:
        raise refusal("sort-of-objects")
    places: list[Any] = [0] * len(ranks)
    for i, rank in enumerate(ranks):
        for j in range(i + 1, len(ranks)):
            later = truth_of(lt(rank, ranks[j]) if reverse else lt(ranks[j], rank))
            moved = op.cast(later, dtype=as_dtype("int64")) if is_staged_condition(later) else int(later)
            places[i] = places[i] + moved
            places[j] = places[j] + (1 - moved)
    if all(type(place) is int for place in places):
        return sorted(range(len(ranks)), key=places.__getitem__)
    return op.argsort(op.stack(places, axis=0), stable=True, direction="ASCENDING")
