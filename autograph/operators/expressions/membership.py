"""`is` and `in` in converted code, and their opposites."""

from __future__ import annotations

import functools
from collections import Counter, OrderedDict, defaultdict
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import dynamic_of
from autograph.operators.containers.relations import SameIf
from autograph.operators.expressions.comparisons import eq, holds_staged, same
from autograph.operators.expressions.py_builtins import gathered
from autograph.operators.expressions.quantifiers import any_
from autograph.operators.functions import keyed
from autograph.operators.functions.calls import special
from autograph.operators.functions.generators import Emitting, may_be_shared
from autograph.operators.functions.own_iterators import has_own_next
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.items.iterators import StagedIterator, mapped
from autograph.operators.items.linked import are_one_object
from autograph.operators.state.aliases import followed_no_further, tensorless
from autograph.operators.state.plain import NUMBERS, PLAIN
from autograph.operators.statements.branches import and_, not_, or_
from autograph.operators.statements.iterables import StagedRange
from autograph.operators.statements.staged_texts import StagedText, call_of_text
from autograph.operators.statements.truth import as_truth, truth_of
from autograph.operators.values import quick
from autograph.operators.values.choice import CHOICES, choice_of, is_alternative, is_mixed, resolve, select
from autograph.operators.values.descriptors import is_mutable
from autograph.operators.values.links import Linked
from autograph.operators.values.listvalue import ListValue, new_list
from autograph.operators.values.maybe import has_maybe_keys, is_set
from autograph.operators.values.quick import KEYS, is_object, meet_key
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, current
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = ["in_", "is_", "is_not", "not_in"]


def is_(a: Any, b: Any) -> Any:
    """`a is b`; staged where `a` may be None (or another Python object) on some paths, or stands for True or False."""
    if type(a) is Tensor and (b is True or b is False):
        return _is_truth(a, b)
    if type(b) is Tensor and (a is True or a is False):
        return _is_truth(b, a)
    if type(a) not in CHOICES and type(b) not in CHOICES:
        if type(a) is type(b) and type(a) in _FOLLOWED and a is not b and (trace := current()) is not None:
            notes = trace.notes
            return _are_one_list(notes, a, b) if type(a) is list else _are_one(notes, a, b)
        if isinstance(a, Linked) and isinstance(b, Linked):
            return are_one_object(a, b)
        if a is not b and type(a) is type(b) and (trace := current()) is not None and "sharing" in trace.notes:
            return is_mutable(a) and is_mutable(b) and _are_one(trace.notes, a, b)
        return a is b
    for x, y in ((a, b), (b, a)):
        choice = choice_of(x)
        if choice is not None:
            return is_alternative(choice, lambda alternative, y=y: is_(alternative, y))  # type: ignore[misc]
    return a is b


def _is_truth(x: Tensor, value: bool) -> Any:
    """`x is True` or `x is False`: Python's comparisons give these two, which a tensor stands for while there is a trace."""
    if current() is None or not x.dtype.is_bool or x.shape.rank != 0:
        return False
    return x if value else op.logical_not(x)


def _are_one_list(notes: dict[str, Any], a: list[Any], b: list[Any]) -> Any:
    """`a is b` of two lists, which may stand for one."""
    if "heap" in notes:
        return notes["heap"].are_one(a, b)
    if "sharing" in notes and any(x is a or x is b for r in notes["sharing"].relations for x in (r.near, r.far)):
        raise followed_no_further()
    return False


def _are_one(notes: dict[str, Any], a: Any, b: Any) -> Any:
    """`a is b` of two dictionaries or objects, which may stand for one."""
    if "sharing" not in notes:
        return False
    relations = notes["sharing"].relations
    if any(type(r) is not SameIf and r.near is x for r in relations for x in (a, b)):
        raise followed_no_further()
    both = [
        op.logical_and(p, q)
        for x, p in _may_be(relations, a, True)
        for y, q in _may_be(relations, b, True)
        if x is y
    ]
    return functools.reduce(op.logical_or, both) if both else False


def _may_be(relations: list[Any], x: Any, test: Any) -> list[tuple[Any, Any]]:
    """What a dictionary or object stands for, with the tests: itself, where it is none of the others."""
    known = [r for r in relations if type(r) is SameIf and r.near is x]
    own = op.logical_and(test, op.logical_not(functools.reduce(op.logical_or, (r.test for r in known)))) if known else test
    return [(x, own), *(each for r in known for each in _may_be(relations, r.far, op.logical_and(test, r.test)))]


_FOLLOWED = frozenset((list, dict))


def is_not(a: Any, b: Any) -> Any:
    """`a is not b`."""
    found = is_(a, b)
    return not found if found is True or found is False else not_(found)


def _by_python(x: Any, container: Any) -> bool:
    """Whether `x in container` is sure to depend on nothing staged."""
    kind, what = type(container), type(x)
    if kind is tuple or (kind not in PLAIN and kind not in _DICTS and not _asks_dict(kind)):
        return False
    if what not in _ANYWHERE and not (
        kind in _HASHED and (meet_key(what) or (what is tuple and NUMBERS.issuperset(map(type, x))))
    ):
        return False
    return kind in _SETS or type(dict.get(container, x)) not in CHOICES  # a key may be there on some paths only


def _asks_dict(kind: type) -> bool:
    """Whether a class is one of dictionaries that says of itself what they say."""
    return issubclass(kind, dict) and kind.__contains__ is _DICT_HAS


_ANYWHERE = frozenset(KEYS)  # as yet: other classes have an equality that asks the items of a list
_DICT_HAS = dict.__contains__
_ROWS = frozenset((tuple, list))
_DICTS = frozenset((OrderedDict, defaultdict, Counter))
_HASHED = frozenset((dict, set, frozenset, *_DICTS))
_SETS = PLAIN - {dict}
_BUILT_IN = PLAIN | _DICTS | {list}


def _truth(found: Any) -> Any:
    return found if found is True or found is False else as_truth(truth_of(found))


def in_(x: Any, container: Any) -> Any:
    """`x in container`; staged where either is."""
    kind = type(container)
    if kind not in _BUILT_IN and type(x) in NUMBERS and (method := quick.method_of(kind, "__contains__")) is not None:
        return _truth(method(container, x))
    if kind in _ROWS and type(x) in NUMBERS:
        try:
            return x in container
        except OperatorNotAllowedInGraphError:  # a staged tensor does not tell Python whether it is equal
            pass
    elif _by_python(x, container):
        return x in container
    return as_truth(_is_in(x, container))


def _is_in(x: Any, container: Any) -> Any:
    """`x in container` where Python cannot tell at once."""
    if has_own_next(container) and not hasattr(type(container), "__contains__"):
        return _found(x, container)
    if is_object(type(container)):
        items = container if hasattr(type(container), "__contains__") else gathered(container)
        if items is container:
            return _asked(x, container)
        container = items
    if type(container) is StagedText:
        return call_of_text("contains", container, x)
    if is_mixed(container):
        return select(container, lambda taken: in_(x, taken))
    if is_mixed(x) and type(container) is str:
        return select(x, lambda taken: in_(taken, container))
    container = resolve(container)
    if isinstance(container, StagedIterator):
        if container.__staged_iterable__() is None:  # Python's items: it takes them one by one
            return _found(x, container)
        return any_(mapped(lambda e: same(e, x), (container,)))  # it stops at what it finds
    if type(container) is Emitting or may_be_shared(container):
        return _found(x, container)
    if type(container) is not dict:
        container = gathered(container)
    if isinstance(container, Tensor):
        return op.any(op.equal(container, x))
    if isinstance(container, StagedRange):
        return _in_range(x, container)
    if type(container) in (list, tuple, range, set, frozenset, dict) or dynamic_of(container) is not None:
        dynamic = dynamic_of(container)
        if dynamic is not None:
            return _any_equal(dynamic, x)
        if isinstance(x, (Tensor, StagedText)) or choice_of(x) is not None or _compares_items(x, container):
            if isinstance(container, range):
                return _in_range(x, StagedRange(container.start, container.stop, container.step))
            return _among(x, container)
        if type(container) in (list, tuple) and any(issubclass(kind, Tensor) for kind in set(map(type, container))):
            return or_(*_equalities(x, list(container)))
        container = keyed.readable(container, x)
        if type(container) is dict and x in container:
            return is_set(container[x])
    if type(container) is str and type(x) is StagedText:
        return call_of_text("contains", container, x)
    if hasattr(type(container), "__next__") and not hasattr(type(container), "__contains__"):
        trace = STATE.trace
        if trace is not None and not tensorless(trace):
            return _found(x, container)
    return _asked(x, container)


def _found(x: Any, items: Any) -> Any:
    """Whether `x` is among the items of a generator, which somebody may go on with."""
    found: Any = False

    def body(e: Any) -> None:
        nonlocal found
        found = truth_of(same(e, x))

    for_stmt(items, body, ("found",), lambda: not_(found))
    return found


def _asked(x: Any, container: Any) -> Any:
    """`x in container` as the container's class tells it."""
    container = keyed.readable(container, x)
    method = special(container, "__contains__")
    return x in container if method is None else truth_of(method(x))


def _compares_items(x: Any, container: Any) -> bool:
    """Whether a tuple is looked for in a list or tuple and the items of either are staged."""
    return isinstance(x, tuple) and type(container) in _ROWS and (holds_staged(x) or holds_staged(container))


def _among(x: Any, container: Any) -> Any:
    """Whether `x` is among items, or keys, of which some may have been set on some paths only."""
    if type(container) is not dict or not has_maybe_keys(container):
        return or_(*_equalities(x, list(container)))
    tests = [functools.partial(and_, is_set(value), functools.partial(same, key, x)) for key, value in container.items()]
    return or_(tests[0](), *tests[1:])


def _equalities(x: Any, items: list[Any]) -> list[Any]:
    if not items:
        return [False]

    def test(e: Any) -> Any:
        if e is x:
            return True
        found = eq(x, e)
        return found if isinstance(found, bool) else op.all(found) if isinstance(found, Tensor) else found

    return [test(items[0]), *(functools.partial(test, e) for e in items[1:])]


def _in_range(x: Any, r: StagedRange) -> Any:
    if isinstance(r.step, int) and r.step > 0:
        inside = op.logical_and(op.greater_equal(x, r.start), op.less(x, r.stop))
    elif isinstance(r.step, int):
        inside = op.logical_and(op.less_equal(x, r.start), op.greater(x, r.stop))
    else:
        raise refusal("range-membership", what="step")
    return inside if r.step in (1, -1) else op.logical_and(inside, op.equal(op.mod(op.sub(x, r.start), r.step), 0))


def _any_equal(value: ListValue, x: Any) -> Any:
    found: Any = False

    def body(item: Any) -> None:
        nonlocal found
        if isinstance(x, (tuple, list)):
            found = or_(found, lambda: same(item, x))
        else:
            found = op.logical_or(found, op.all(op.equal(item, x)))

    for_stmt(new_list(value), body, ("found",))
    return found


def not_in(x: Any, container: Any) -> Any:
    """`x not in container`."""
    found = in_(x, container)
    return not found if found is True or found is False else not_(found)
