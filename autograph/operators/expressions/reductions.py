"""Stand-ins for built-in functions that go through all items: sum, min, max, sorted, functools.reduce."""

from __future__ import annotations

import builtins
import functools
import heapq
import math
from collections.abc import Iterator
from operator import is_not
from types import FunctionType
from typing import Any

import numpy as np

from autograph.errors.refusals import refusal
from autograph.operators.containers.counterparts import copied, taken
from autograph.operators.containers.held import may_change
from autograph.operators.containers.lists import (
    as_list_value,
    dynamic_of,
    get_element,
    length,
    note_list,
    put_content,
    stacked,
)
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.expressions.comparisons import gt, lt
from autograph.operators.expressions.orders import are_ordered_by_run, compares, order_by_pairs, order_of_rows
from autograph.operators.expressions.py_builtins import collect, gathered, list_
from autograph.operators.functions.calls import callee, special
from autograph.operators.functions.generators import asked, emitting
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.items.items import get_item
from autograph.operators.items.iterators import used_up
from autograph.operators.state.aliases import followed_no_further
from autograph.operators.state.plain import NUMBERS, PLAIN_OR_LISTS
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_exp
from autograph.operators.statements.iterables import StagedRange, staged_iterable
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values import quick
from autograph.operators.values.choice import CHOICES, choice_of, resolve
from autograph.operators.values.descriptors import Descriptor, Leaf, Struct, mutable_parts
from autograph.operators.values.listvalue import ListValue, RunTuple, Splice
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor

__all__: list[str] = []


def _items(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 and type(args[0]) is not Splice else list(args)


def _extreme(args: tuple[Any, ...], key: Any, default: Any, pick: Any, better: Any, original: Any) -> Any:
    items = gathered(resolve(_items(args)))
    staged = staged_iterable(items)
    has_default = default is not _MISSING
    if staged is None:
        listed = list(items)
        if not listed or (key is None and not _any_staged(listed) and special(listed[0], "__lt__") is None):
            return original(listed, key=key, default=default) if has_default else original(listed, key=key)
        if key is None:
            best = listed[0]
            for e in listed[1:]:
                best, _ = _better((best, best), (e, e), better, pick)
            return best
        ranks = [callee(key)(e) for e in listed]
        if not _any_staged(ranks):
            return listed[original(builtins.range(len(ranks)), key=ranks.__getitem__)]
        found = listed[0], ranks[0]
        for ranked in zip(listed[1:], ranks[1:], strict=True):
            found = _better(found, ranked, better, None)
        return found[0]
    if isinstance(items, Tensor) and key is None and _are_numbers(items):
        return _of_tensor(items, original)
    count = staged.count()
    rows = dynamic_of(items) if key is not None else None
    best_of = _best_row if rows is not None and rows.element is not None and may_change(rows.element) else _best
    if has_default:
        return if_exp(op.equal(count, 0), lambda: default, lambda: best_of(staged, key, pick, better))
    if_exp(op.equal(count, 0), lambda: _of_nothing(original), lambda: None)
    return best_of(staged, key, pick, better)


def _of_tensor(items: Tensor, original: Any) -> Any:
    """The most (or least) of a vector's numbers. One that is not a number stays where it is the first, and is passed over
    elsewhere: no comparison with it holds."""
    largest = original is builtins.max
    reduce = op.max if largest else op.min
    if items.type.dtype.kind != "f":
        return reduce(items, axis=0)
    least = -math.inf if largest else math.inf
    best = reduce(op.where(op.is_nan(items), least, items), axis=0)
    first = get_item(items, 0)
    return op.where(op.is_nan(first), first, best)


def _best(staged: Any, key: Any, pick: Any, better: Any) -> Any:
    """The first of the best items of a staged iterable that has some."""
    best = staged.item(0)
    if key is None:

        def body(item: Any) -> None:
            nonlocal best
            best, _ = _better((best, best), (item, item), better, pick)

        for_stmt(staged, body, ("best",))
        return best
    most = callee(key)(best)

    def ranked(place: Any) -> None:
        nonlocal best, most
        item = staged.item(place)
        best, most = _better((best, most), (item, callee(key)(item)), better, None)

    for_stmt(StagedRange(1, staged.count()), ranked, ("best", "most"))
    return best


def _best_row(staged: Any, key: Any, pick: Any, better: Any) -> Any:
    """The first of the best items of a staged list, taken from its place: what is changed in it is changed in the list."""
    place: Any = 0
    most = callee(key)(staged.item(0))

    def ranked(i: Any) -> None:
        nonlocal place, most
        place, most = _better((place, most), (i, callee(key)(staged.item(i))), better, None)

    for_stmt(StagedRange(1, staged.count()), ranked, ("place", "most"))
    return staged.item(place)


def _of_nothing(original: Any) -> None:
    """Raise what Python does for no items."""
    try:
        original([])
    except ValueError as error:
        raise raised(error) from None


def _better(best: tuple[Any, Any], e: tuple[Any, Any], better: Any, pick: Any) -> tuple[Any, Any]:
    """The better of two items, and its rank, given with theirs; `pick`, if given, picks one of two numbers."""
    (a, of_a), (b, of_b) = best, e
    if pick is not None and _is_number(a) and _is_number(b):
        kinds = {_kind_of(a), _kind_of(b)}
        if "f" not in kinds:
            return (pick(a, b),) * 2  # NumPy's: of integers, the same
        if len(kinds) > 1:  # the sides of a condition are of one type
            return (op.where(better(b, a), b, a),) * 2
    replaced = better(of_b, of_a)
    found = if_exp(replaced, lambda: b, lambda: a)
    return found, found if pick is not None else if_exp(replaced, lambda: of_b, lambda: of_a)


def _is_number(x: Any) -> bool:
    return type(x) in (builtins.int, builtins.float, builtins.bool) or (isinstance(x, Tensor) and x.type.shape == ())


def _kind_of(x: Any) -> str:
    """The kind of a number's type, as NumPy names it."""
    return x.type.dtype.kind if isinstance(x, Tensor) else np.result_type(type(x)).kind


def _is_staged(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return dynamic_of(x) is not None or any(map(_is_staged, x))
    return isinstance(x, Tensor) or choice_of(x) is not None


def _any_staged(items: list[Any]) -> bool:
    """Whether some item is staged: asked of their types first, of which there are few."""
    kinds = set(map(type, items))
    if kinds <= NUMBERS or not any(issubclass(kind, (Tensor, tuple, list)) or kind in CHOICES for kind in kinds):
        return False
    return any(map(_is_staged, items))


_MISSING = object()


@stand_in(builtins.max)
def max_(*args: Any, key: Any = None, default: Any = _MISSING) -> Any:
    """`max`."""
    if key is None and default is _MISSING and len(args) > 1 and NUMBERS.issuperset(map(type, args)):
        return builtins.max(*args)
    return _extreme(args, key, default, op.maximum, gt, builtins.max)


@stand_in(builtins.min)
def min_(*args: Any, key: Any = None, default: Any = _MISSING) -> Any:
    """`min`."""
    if key is None and default is _MISSING and len(args) > 1 and NUMBERS.issuperset(map(type, args)):
        return builtins.min(*args)
    return _extreme(args, key, default, op.minimum, lt, builtins.min)


@stand_in(builtins.sum)
def sum_(iterable: Any, /, start: Any = 0) -> Any:
    """`sum`."""
    if quick.calm and type(iterable) in PLAIN_OR_LISTS:
        return builtins.sum(iterable, start)
    iterable = asked(used_up(iterable))
    staged: Any = emitting(iterable) or staged_iterable(iterable)
    if staged is None:
        return builtins.sum(iterable, start)
    if isinstance(iterable, Tensor):
        return (
            op.add(op.sum(iterable, axis=0), start)
            if not (type(start) is builtins.int and start == 0)
            else op.sum(iterable, axis=0)
        )
    total = start

    def body(item: Any) -> None:
        nonlocal total
        total = total + item

    for_stmt(staged, body, ("total",))
    return total


@stand_in(builtins.sorted)
def sorted_(iterable: Any, *, key: Any = None, reverse: bool = False) -> Any:
    """`sorted`: a list of the scalars (or rows, by `key`) of a staged tensor or list."""
    if quick.calm and type(iterable) in PLAIN_OR_LISTS and (key is None or type(key) is FunctionType):
        return builtins.sorted(iterable, key=None if key is None else callee(key), reverse=reverse)
    iterable = gathered(iterable)
    if type(reverse) not in NUMBERS and is_staged_condition(backwards := truth_of(reverse)):
        items = list_(iterable)
        return if_exp(backwards, lambda: sorted_(items, key=key, reverse=True), lambda: sorted_(items, key=key))
    staged = staged_iterable(iterable)
    if staged is None:
        return _sorted_items(list(iterable), key, reverse)
    if isinstance(staged.count(), int) and staged.count() == 0:
        return []
    if isinstance(iterable, Tensor) and not compares(key):
        values = iterable
    else:
        count = staged.count()
        if isinstance(count, int) and count <= _UNROLLED:
            return _sorted_items(list(staged), key, reverse)
        dynamic = dynamic_of(iterable)
        rows = as_list_value(collect(iterable, lambda x: x, None)) if dynamic is None else dynamic
        if rows.element is None:
            return []
        if not isinstance(rows.element, Leaf) or compares(key):
            made = _sorted_rows(rows, key, reverse)
            return made if dynamic is None else copied(current_trace(), made, iterable)
        values = stacked(rows)
    if key is not None:
        ranks = as_list_value(collect(values, callee(key), None))
        if not _are_columns(ranks.element):
            return _sorted_rows(as_list_value(collect(values, lambda x: x, None)), key, reverse)
        return list_(op.gather(values, _order_of(_leaves(ranks), reverse), axis=0))
    if _numbers(values) is values:
        return list_(op.sort(values, direction="DESCENDING" if reverse else "ASCENDING"))
    return list_(op.sort(values, direction="DESCENDING" if reverse else "ASCENDING", axis=0))


def _are_numbers(x: Tensor) -> bool:
    """Whether each item of a tensor is one number, so that `a < b` of two of them is one answer."""
    return x.type.shape is not None and all(size == 1 for size in x.type.shape[1:])


def _numbers(x: Tensor) -> Tensor:
    """The items to be put in order, as a vector."""
    shape = x.type.shape
    if shape is None:
        raise refusal("unknown-rank")
    if not _are_numbers(x):
        raise refusal("truth-of-many", shape=shape[1:])
    return x if len(shape) == 1 else op.reshape(x, shape=(-1,))  # type: ignore[no-any-return]


_UNROLLED = 256  # items of a known number that are sorted as Python items


def _sorted_rows(rows: ListValue, key: Any, reverse: bool) -> Any:
    """Tuples, whose number only the run knows, by their key or in the order of tuples."""
    if compares(key):
        order = order_of_rows(lambda i: callee(key)(get_element(rows, i)), length(rows), reverse)
    else:
        ranks = rows if key is None else as_list_value(collect(rows, callee(key), None))
        if _are_columns(ranks.element):
            order = _order_of(_leaves(ranks), reverse)
        else:
            order = order_of_rows(lambda i: get_element(ranks, i), length(ranks), reverse)
    return collect(order, lambda i: get_element(rows, i), None)


def _leaves(ranks: ListValue) -> list[Any]:
    """Ranks, or tuples of them, as columns."""
    leaves = list(_scalars_of(ranks.element))
    return [stacked(ListValue(leaf, [v])) for leaf, v in zip(leaves, ranks.values, strict=True)]


def _are_columns(d: Descriptor | None) -> bool:
    """Whether ranks are scalars or tuples of them."""
    return isinstance(d, Leaf) or (isinstance(d, Struct) and d.kind is tuple and all(map(_are_columns, d.children)))


def _scalars_of(d: Descriptor | None) -> Iterator[Leaf]:
    if isinstance(d, Struct):
        for child in d.children:
            yield from _scalars_of(child)
    else:
        assert isinstance(d, Leaf)
        yield d


def _order_of(columns: list[Any], reverse: bool) -> Any:
    """The order of rows, given their columns, the first of which decides before the next."""
    order = None
    for values in map(_numbers, reversed(columns)):
        turned = values if order is None else op.gather(values, order, axis=0)
        places = op.argsort(turned, stable=True, direction="DESCENDING" if reverse else "ASCENDING")
        order = places if order is None else op.gather(order, places, axis=0)
    return order


def _sorted_items(items: list[Any], key: Any, reverse: bool) -> list[Any]:
    """Items of a Python list, which are tensors or whose keys are."""
    if key is None and type(reverse) in NUMBERS and not holds_staged(items) and not are_ordered_by_run(items):
        return builtins.sorted(items, reverse=reverse)
    rank = None if key is None else callee(key)
    ranks = items if rank is None else [rank(e) for e in items]
    if not holds_staged(ranks) and not are_ordered_by_run(ranks):
        return [items[i] for i in builtins.sorted(range(len(items)), key=ranks.__getitem__, reverse=reverse)]
    columns = _columns(ranks)
    if columns is None:
        order = order_by_pairs(ranks, reverse)
    else:
        order = _order_of([op.stack(column, axis=0) for column in columns], reverse)
    if type(order) is list:
        return [items[i] for i in order]
    if not all(map(_is_storable, items)):
        return [get_item(items, order[i]) for i in builtins.range(len(items))]  # type: ignore[index]
    value = as_list_value(items)
    made = [get_element(value, order[i]) for i in builtins.range(len(items))]  # type: ignore[index]
    if any(True for _ in mutable_parts(items[0])):
        for i, item in enumerate(made):
            taken(current_trace(), items, order[i], item)  # type: ignore[index]
    return made


def _columns(ranks: list[Any]) -> list[list[Any]] | None:
    """Ranks as lists of scalars, the first of which decides before the next; None for what has no such order."""
    if all(map(_is_scalar, ranks)):
        return [ranks]
    if all(type(r) is str for r in ranks):
        order = {text: i for i, text in enumerate(builtins.sorted({*ranks}))}
        return [[order[r] for r in ranks]]
    if any(type(r) not in (tuple, list) or dynamic_of(r) is not None or len(r) != len(ranks[0]) for r in ranks):
        return None
    inner = [_columns(list(column)) for column in zip(*ranks, strict=True)]
    return None if any(c is None for c in inner) else [column for columns in inner for column in columns or ()]


def _is_scalar(x: Any) -> bool:
    return type(x) in (bool, int, float) or (isinstance(x, Tensor) and x.type.shape == ())


def _is_storable(x: Any) -> bool:
    """Whether an item can be taken from a list at a staged index."""
    if type(x) is RunTuple:
        return False
    return isinstance(x, (bool, int, float, str, Tensor)) or (isinstance(x, (tuple, list)) and all(map(_is_storable, x)))


@stand_in(list.sort)
def sort_(items: list[Any], *, key: Any = None, reverse: bool = False) -> None:
    """`list.sort`."""
    trace = current_trace()
    if key is None and type(reverse) in NUMBERS and not holds_staged(items) and not are_ordered_by_run(items):
        note_list(trace, items)
        items.sort(reverse=reverse)
        return
    before = _held_now(items)
    made = sorted_(items, key=key, reverse=reverse)
    after = _held_now(items)
    if len(after) != len(before) or any(map(is_not, after, before)):
        if "heap" in trace.notes or any(type(e) is ListValue and e.element and may_change(e.element) for e in after):
            raise followed_no_further()  # another list of the store has changed, or an element of this one
        raise ValueError("list modified during sort")
    dynamic = dynamic_of(made)
    if dynamic is None:
        note_list(trace, items)
        items[:] = made
    else:
        # Not the content that the sorted list has itself: Python has put no part of that into another list.
        put_content(items, ListValue(dynamic.element, dynamic.values))
        sharing_of(trace).moved(items)


def _held_now(items: list[Any]) -> list[Any]:
    """What a list holds, to be compared: of what only the run knows the content, which other objects stand for in time."""
    if dynamic_of(items) is None:
        return list(items)
    heap = current_trace().notes.get("heap")
    if heap is not None and heap.of(items) is not None:
        heap.pin()
        return [heap.of(items).store.value()]
    return [e.value if type(e) is Splice else e for e in items]


def _of_sorted(count: Any, iterable: Any, key: Any, reverse: bool, original: Any) -> Any:
    iterable = gathered(iterable)
    listed = iterable if staged_iterable(iterable) is not None else list(iterable)
    known = type(listed) is list and dynamic_of(listed) is None and key is None
    if known and not holds_staged(listed) and not are_ordered_by_run(listed):
        return original(count, listed)
    return get_item(sorted_(listed, key=key, reverse=reverse), builtins.slice(None, count))


@stand_in(heapq.nsmallest)
def nsmallest_(n: Any, iterable: Any, key: Any = None) -> Any:
    """`heapq.nsmallest`, as the start of `sorted`."""
    return _of_sorted(n, iterable, key, False, heapq.nsmallest)


@stand_in(heapq.nlargest)
def nlargest_(n: Any, iterable: Any, key: Any = None) -> Any:
    """`heapq.nlargest`, as the start of `sorted` in reverse."""
    return _of_sorted(n, iterable, key, True, heapq.nlargest)


@stand_in(functools.reduce)
def reduce_(function: Any, iterable: Any, *initial: Any) -> Any:
    """`functools.reduce`."""
    fn = callee(function)
    iterable = gathered(iterable)
    staged = staged_iterable(iterable)
    if staged is None:
        return functools.reduce(fn, iterable, *initial)
    if not initial:
        count, empty = staged.count(), "reduce() of empty iterable with no initial value"
        if isinstance(count, Tensor):
            op.assert_(op.greater(count, 0), template=(empty,), exception=TypeError)
        elif count == 0:
            raise TypeError(empty)
    total = initial[0] if initial else staged.item(0)
    skip = not initial
    first = 0

    def body(item: Any) -> None:
        nonlocal total, first
        previous = total
        if skip:
            total = if_exp(op.equal(first, 0), lambda: previous, lambda: fn(previous, item))
            first = op.add(first, 1)
        else:
            total = fn(previous, item)

    for_stmt(staged, body, ("total", "first"))
    return total
