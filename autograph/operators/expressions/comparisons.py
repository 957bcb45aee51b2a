"""Comparisons of lists and tuples with staged items, and taking them apart: `a, b = xs`."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

from autograph.operators.containers.lists import as_list_value, dynamic_of, get_element, get_slice, length
from autograph.operators.expressions.py_builtins import collect, gathered
from autograph.operators.functions import row_forms
from autograph.operators.functions.calls import callee
from autograph.operators.items import records
from autograph.operators.items.for_loops import staged_for
from autograph.operators.state.places import UNBOUND, name_places
from autograph.operators.state.regions import current_trace
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import and_, if_exp, if_stmt, not_, or_
from autograph.operators.statements.iterables import (
    StagedMap,
    StagedRange,
    StagedZip,
    any_iterable,
    staged_iterable,
)
from autograph.operators.statements.truth import as_truth, truth_of
from autograph.operators.values import choice as choice_module
from autograph.operators.values import quick, specials
from autograph.operators.values.choice import CHOICES, choice_of, is_mixed, resolve, select, without_unbound
from autograph.operators.values.listvalue import new_list
from autograph.operators.values.maybe import has_maybe_keys, is_maybe, is_set
from autograph.operators.values.quick import NUMBERS, meet_tuple
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, current

__all__ = ["eq", "gt", "gt_e", "holds_staged", "lt", "lt_e", "not_eq", "same", "unpack"]


def eq(a: Any, b: Any) -> Any:
    """`a == b`."""
    kind = type(a)
    if kind not in _BUILT and not issubclass(kind, tuple):
        return a == b if kind is not Tensor or not _is_list_and_number(b, a) else False
    if current() is None or not _are_alike(kind, type(b)):
        return a == b if not _is_list_and_number(a, b) else False
    return as_truth(_equal(a, b)) if holds_staged(a) or holds_staged(b) else a == b


def not_eq(a: Any, b: Any) -> Any:
    """`a != b`."""
    kind = type(a)
    if kind not in _BUILT and not issubclass(kind, tuple):
        return a != b if kind is not Tensor or not _is_list_and_number(b, a) else True
    if current() is None or not _are_alike(kind, type(b)):
        return a != b if not _is_list_and_number(a, b) else True
    return not_(_equal(a, b)) if holds_staged(a) or holds_staged(b) else a != b


records.equal_hook, records.unequal_hook = eq, not_eq
_BUILT = frozenset((list, dict))


def _are_alike(a: type, b: type) -> bool:
    """Whether instances of two classes are compared by their items."""
    return a is b if a in _BUILT else _is_tuple(a) and (a is b or _is_tuple(b))


def _is_list_and_number(a: Any, b: Any) -> bool:
    """Whether one is a list, tuple or dictionary and the other a number of Python's: a tensor compares each item."""
    return type(b) is Tensor and b.type.weak and b.type.shape == () and (type(a) in _BUILT or _is_tuple(type(a)))


def _is_tuple(kind: type) -> bool:
    """Whether a class is `tuple`, or a named one that compares as such."""
    return kind is tuple or (issubclass(kind, tuple) and kind.__eq__ is tuple.__eq__ and kind.__ne__ is tuple.__ne__)


def lt(a: Any, b: Any) -> Any:
    """`a < b`, where one of them may be a tuple or list."""
    return _ordered(operator.lt, operator.lt, a, b)


def lt_e(a: Any, b: Any) -> Any:
    """`a <= b`, where one of them may be a tuple."""
    return _ordered(operator.le, operator.lt, a, b)


def gt(a: Any, b: Any) -> Any:
    """`a > b`, where one of them may be a tuple."""
    return _ordered(operator.gt, operator.gt, a, b)


def gt_e(a: Any, b: Any) -> Any:
    """`a >= b`, where one of them may be a tuple."""
    return _ordered(operator.ge, operator.gt, a, b)


def _ordered(compare: Any, strict: Any, a: Any, b: Any) -> Any:
    """`compare(a, b)`; of tuples with staged items the first items that differ decide, by `strict`."""
    kind = type(a)
    if kind in NUMBERS or STATE.trace is None or not (kind is list or kind in CHOICES or _is_row(kind, compare)):
        return compare(a, b)
    if is_mixed(a):
        return select(a, lambda taken: _ordered(compare, strict, taken, b))
    if is_mixed(b):
        return select(b, lambda taken: _ordered(compare, strict, a, taken))
    a, b = resolve(a), resolve(b)
    known = dynamic_of(a) is None and dynamic_of(b) is None
    if not known and _are_rows(type(a), type(b), compare):
        return as_truth(callee(row_forms.ordered)(_HOOKS[compare], _HOOKS[strict], a, b))
    if not known or not _are_rows(type(a), type(b), compare) or not (holds_staged(a) or holds_staged(b)):
        return compare(a, b)
    return as_truth(_by_items(compare, strict, a, b))


_HOOKS: dict[Any, Any] = {operator.lt: lt, operator.le: lt_e, operator.gt: gt, operator.ge: gt_e}


def _are_rows(a: type, b: type, compare: Any) -> bool:
    """Whether the first items that differ decide how instances of two classes compare."""
    if a is b:
        return a is list or _is_row(a, compare)
    return all(_is_row(kind, sign) for kind in (a, b) for sign in _ORDERS)


def _is_row(kind: type, compare: Any) -> bool:
    """Whether a class is `tuple`, or a named one that compares as such."""
    if kind is tuple or not issubclass(kind, tuple):
        return kind is tuple
    name = f"__{compare.__name__}__"
    return getattr(kind, name) is getattr(tuple, name)


_ORDERS = (operator.lt, operator.le, operator.gt, operator.ge)


def _by_items(compare: Any, strict: Any, a: Any, b: Any) -> Any:
    if not a or not b:
        return compare(len(a), len(b))
    rest = partial(_by_items, compare, strict, a[1:], b[1:])
    alike = same(a[0], b[0])
    if alike is True:  # there may be no order between them: `None` and `None`
        return rest()
    first = truth_of(_ordered(strict, strict, a[0], b[0]))
    return first if alike is False else or_(first, lambda: and_(alike, rest))


_METHODS = {f"__{name}__": hook for name, hook in zip(("eq", "lt", "le", "gt", "ge"), (eq, lt, lt_e, gt, gt_e), strict=True)}


def _compared(name: str, a: tuple[Any, ...], b: tuple[Any, ...]) -> Any:
    """The comparison `name` (a special method) of two tuples."""
    return _METHODS[name](a, b)


specials.compared = _compared


def holds_staged(x: Any) -> bool:
    """Whether a list, tuple or dictionary has staged items, or as many as only the run knows."""
    if dynamic_of(x) is not None:
        return True
    items = x.values() if type(x) is dict else x
    return not NUMBERS.issuperset(map(type, items)) and any(
        holds_staged(e) if type(e) in _HOLDING or isinstance(e, tuple) else isinstance(e, Tensor) or type(e) in CHOICES
        for e in items
    )


_HOLDING = frozenset((list, tuple, dict))


choice_module.equal_hook = eq


def _equal(a: Any, b: Any) -> Any:
    """Whether two sequences of one type, or two dictionaries, have equal items."""
    if type(a) is dict:
        if has_maybe_keys(a) or has_maybe_keys(b):
            return and_(True, *(partial(_equal_at, k, a, b) for k in {**a, **b}))
        return a.keys() == b.keys() and and_(True, *(partial(same, a[k], b[k]) for k in a))
    if dynamic_of(a) is None and dynamic_of(b) is None:
        if len(a) != len(b):
            return False
        return and_(True, *(partial(same, x, y) for x, y in zip(a, b, strict=True)))
    one, other = as_list_value(a), as_list_value(b)
    if one.element is None or other.element is None:
        return op.equal(length(one), length(other))
    return if_exp(op.equal(length(one), length(other)), lambda: _all_equal(one, other), lambda: False)


def _equal_at(key: Any, a: dict[Any, Any], b: dict[Any, Any]) -> Any:
    """Whether two dictionaries have equal values at a key, or both have none."""
    one, other = a.get(key, UNBOUND), b.get(key, UNBOUND)
    if one is UNBOUND or other is UNBOUND:
        return not_(is_set(other if one is UNBOUND else one))
    alike = op.equal(is_set(one), is_set(other))
    both = and_(alike, lambda: is_set(one))
    return if_exp(both, lambda: same(_bound(one), _bound(other)), lambda: alike)


def _bound(x: Any) -> Any:
    return without_unbound(x) if is_maybe(x) else x


def _all_equal(a: Any, b: Any) -> Any:
    found: Any = True

    def body(item: Any) -> None:
        nonlocal found
        found = same(*item)

    pairs = StagedZip([any_iterable(a), any_iterable(b)])
    staged_for(current_trace(), pairs, body, name_places(("found",), body), lambda: found)
    return found


def same(x: Any, y: Any) -> Any:
    """Whether two items are equal, as containers compare them."""
    return True if x is y else truth_of(eq(x, y))


def unpack(x: Any, before: int | tuple[Any, ...], after: int | None = None) -> Any:
    """The items for `a, b = x` (`before` of them) or, if `after` is given, for `a, *b, c = x`.

    For `(a, b), c = x` a tuple, `(2, 0)`, tells the size of what is taken apart in its turn.
    """
    kind, trace = type(x), current()
    if type(before) is tuple:
        if trace is None or (quick.calm and kind is tuple and _is_of_tuples(x, before)):
            return x
        items = tuple(unpack(x, len(before)))
        if len(items) != len(before):
            return items  # Python says so
        return tuple([unpack(item, size) if size else item for item, size in zip(items, before, strict=True)])
    assert type(before) is int
    if kind is tuple or trace is None:
        return x
    if kind is list and "lists" not in trace.notes:
        return x
    if meet_tuple(kind):
        return x
    if choice_of(x) is not None:
        x = callee(list)(x) if is_mixed(x) else resolve(x)  # each of several objects is gone over on its path
    x = gathered(x)
    dynamic = dynamic_of(x)
    if dynamic is not None:
        return _unpacked(length(dynamic), partial(get_element, dynamic), before, after, partial(_middle, dynamic))
    staged = staged_iterable(x)
    if staged is None:
        return x
    count = staged.count()
    if isinstance(count, int):
        return x
    return _unpacked(count, staged.item, before, after, lambda start, stop: _items(staged, start, stop))


def _is_of_tuples(x: tuple[Any, ...], sizes: tuple[int, ...]) -> bool:
    """Whether Python takes apart a tuple, and tuples in it."""
    for item, size in zip(x, sizes):  # noqa: B905, SIM110 (Python says where there are too many; `all` takes twice the time)
        if size and type(item) is not tuple:
            return False
    return True


def _unpacked(count: Any, item: Any, before: int, after: int | None, middle: Any) -> tuple[Any, ...]:
    """The items of a sequence whose length is known at run time; ValueError, then, if there are not as many."""
    wanted = before + (after or 0)

    def too_few() -> None:
        expected = f"{'at least ' if after is not None else ''}{wanted}"
        raise raised(ValueError(f"not enough values to unpack (expected {expected}, got {count})"))

    def too_many() -> None:
        raise raised(ValueError(f"too many values to unpack (expected {wanted})"))

    if_stmt(op.less(count, wanted), too_few, None, ())
    if after is None:
        if_stmt(op.greater(count, wanted), too_many, None, ())
        return tuple(map(item, range(before)))
    last = [item(op.sub(count, after - k)) for k in range(after)]
    rest = middle(before, op.sub(count, after))
    return (*map(item, range(before)), *rest, *last)  # the one splice in `rest` goes into the starred target's list


def _middle(dynamic: Any, start: int, stop: Any) -> list[Any]:
    return new_list(get_slice(dynamic, slice(start, stop)))


def _items(staged: Any, start: int, stop: Any) -> list[Any]:
    indices = StagedZip([StagedRange(start, stop)])
    return collect(StagedMap(staged.item, indices), lambda e: e, None)
