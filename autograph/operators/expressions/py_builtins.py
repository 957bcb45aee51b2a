"""Stand-ins for built-in functions that converted code calls: Python's own on Python values, or staged."""

from __future__ import annotations

import builtins
from builtins import len  # what another module makes of the name is nothing to the hooks
from collections.abc import Collection, Container, Iterable, Reversible, Sized
from sys import getrefcount
from typing import Any

from autograph.operators.containers import list_methods
from autograph.operators.containers.advances import by_place, note_advance, note_gone_over
from autograph.operators.containers.counterparts import copied
from autograph.operators.containers.list_methods import ListMethod
from autograph.operators.containers.lists import dynamic_of, length
from autograph.operators.functions import generator_forms, generators
from autograph.operators.functions.calls import callee, special
from autograph.operators.functions.generators import (
    Emitting,
    asked,
    asked_by_iter,
    emitting,
    may_be_shared,
    refuse_spent,
    stands_for,
    tried_by_python,
)
from autograph.operators.functions.own_iterators import has_own_next, next_or
from autograph.operators.items.for_loops import for_stmt, list_rest, staged_for
from autograph.operators.items.iterators import (
    StagedIterator,
    enumerated,
    iterator_of,
    once,
    one_of_sequences,
    over_sequence,
    placed,
    sequence_iterator,
    used_up,
)
from autograph.operators.items.rows import ListTurns
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.numbers import is_number, python_type
from autograph.operators.state.places import UNBOUND, UNDEFINED, watch
from autograph.operators.state.plain import CERTAIN, NUMBERS, PLAIN, PLAIN_OR_LISTS
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_stmt, not_
from autograph.operators.statements.endless_iterators import endless
from autograph.operators.statements.iterables import (
    StagedIterable,
    StagedRange,
    StagedReversed,
    StagedStream,
    any_iterable,
    filter_of,
    filtered,
    integer,
    staged_iterable,
)
from autograph.operators.statements.printing import print_
from autograph.operators.statements.staged_texts import StagedText, call_of_text, check_text
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values import maybe, quick
from autograph.operators.values.choice import (
    CHOICES,
    alternatives_of,
    choice_of,
    is_alternative,
    is_mixed,
    resolve,
    select,
    select_any,
    usable_of,
)
from autograph.operators.values.listvalue import RunTuple, list_of, new_list, run_tuple
from autograph.operators.values.maybe import has_maybe_keys
from autograph.operators.values.quick import is_object, meet_tuple
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, current

_INT = {builtins.int}

__all__: list[str] = []


stand_in(builtins.print)(print_)


@stand_in(builtins.len)
def len_(x: Any) -> Any:
    """`len(x)`: an int where it is known, else a staged integer."""
    kind = type(x)
    if kind is str and STATE.trace is not None:
        check_text(STATE.trace, x, "len")
    if kind in PLAIN:
        return _len(x)
    if kind is list:
        dynamic = dynamic_of(x)
        return len(x) if dynamic is None else length(dynamic)
    if (method := quick.method_of(kind, "__len__")) is not None:
        return method(x)
    if kind is StagedText:
        return call_of_text("len", x)
    if is_object(kind):
        method = special(x, "__len__")
        return _len(x) if method is None else method()
    if meet_tuple(kind):
        return len(x)
    x = resolve(x)
    if isinstance(x, Tensor):
        shape = x.type.shape
        if shape == ():
            raise TypeError("len() of unsized object: a tensor without axes")
        if shape is not None and isinstance(shape[0], int):
            return shape[0]
        return op.dim_size(x, axis=0)
    dynamic = dynamic_of(x)
    if dynamic is not None:
        return length(dynamic)
    if isinstance(x, StagedIterator):
        raise TypeError("object of type 'iterator' has no len()")
    staged = staged_iterable(x)
    if staged is not None:
        return staged.count()
    method = special(x, "__len__")
    return _len(x) if method is None else method()


def _len(x: Any) -> Any:
    return maybe.length(x) if isinstance(x, dict) and has_maybe_keys(x) else len(x)


@stand_in(builtins.range)
def range_(*args: Any) -> Any:
    """`range` with staged bounds."""
    if _INT.issuperset(map(type, args)):
        return builtins.range(*args)
    args = tuple(map(resolve, args))
    if not any(isinstance(a, Tensor) for a in args):
        return builtins.range(*args)
    if len(args) > 3:
        raise TypeError(f"range expected at most 3 arguments, got {len(args)}")
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    return StagedRange(start, stop, step)


@stand_in(builtins.enumerate)
def enumerate_(iterable: Any, start: Any = 0) -> Any:
    """`enumerate`."""
    if quick.calm and type(start) in NUMBERS and (type(iterable) in PLAIN_OR_LISTS or is_object(type(iterable))):
        return builtins.enumerate(iterable, start)
    one_by_one = by_place(STATE.trace)
    if type(iterable) in CERTAIN and type(start) in NUMBERS and not one_by_one:
        return builtins.enumerate(iterable, start)
    start = integer(resolve(start))
    iterable = asked(iterable)
    emitted = emitting(iterable, may_stop=True, alone=False)
    if emitted is not None:
        return _numbered(emitted, start)
    staged = staged_iterable(iterable)
    if staged is None and not isinstance(start, Tensor) and not one_by_one:
        note_gone_over(iterable)
        return builtins.enumerate(iterable, start)
    if isinstance(staged, StagedStream):
        return staged.enumerated(start)
    return enumerated(iterable, start)


@stand_in(builtins.filter)
def filter_(fn: Any, iterable: Any) -> Any:
    """`filter`; over a staged iterable an iterator over a list of the items that pass."""
    keep = callee(fn) if fn is not None else (lambda x: x)
    iterable = asked(iterable)
    emitted = emitting(iterable)
    if emitted is not None:
        return emitted_map(emitted, lambda x: x, keep)
    staged = staged_iterable(iterable)
    if by_place(STATE.trace) and goes_on(iterable) and leads_to_tensor([keep, iterable]):
        return one_by_one(lambda x: x, iterable, keep)
    if staged is None:
        if by_place(STATE.trace) and leads_to_tensor([keep, iterable]):
            return collected_once(iterable, lambda x: x, keep)
        note_gone_over(iterable)
        if type(keep) is type or by_place(STATE.trace):
            return placed(builtins.filter(keep, iterable))
        return filtered(lambda x: x, iterable, keep, collected_once)
    if goes_on(iterable):
        return emitted_map(emitted_from(iterable), lambda x: x, keep)
    return collected_once(iterable, lambda x: x, keep)


def goes_on(x: Any) -> bool:
    """Whether something is an iterator that somebody else may go on with, where its items were not all asked for.

    For what has it as a parameter only."""
    return hasattr(type(x), "__next__") and getrefcount(x) > _IN_PASSING


def one_by_one(element: Any, iterator: Any, condition: Any) -> Any:
    """(element(x) for x in iterator if condition(x)), which takes no item before it is asked for one."""
    return callee(generator_forms.Each)(element, iterator, condition)


def collected_once(iterable: Any, element: Any, condition: Any) -> Any:
    """An iterator over what `collect` makes."""
    return once(collect(iterable, element, condition))


def collect(iterable: Any, element: Any, condition: Any) -> list[Any]:
    """[element(x) for x in iterable if condition(x)], staged where the iterable or the condition is."""
    iterable = asked(iterable)
    staged: Any = emitting(iterable) or staged_iterable(iterable)
    if staged is not None:
        out: list[Any] = []

        def body(item: Any) -> None:
            _add_collected(out, item, element, condition)

        for_stmt(staged, body, ())
        return out
    result: list[Any] = []
    trace = current()
    turns = ListTurns(trace, iterable) if type(iterable) is list and trace is not None and not quick.calm else iterable
    iterator = iter(turns)
    for item in iterator:
        test = True if condition is None else condition(item)
        if type(test) is not bool:
            test = truth_of(test)
        if is_staged_condition(test):
            _add_if(test, result, item, element)
            for rest in iterator:
                _add_collected(result, rest, element, condition)
            break
        if test:
            result.append(element(item))
    if trace is not None and isinstance(turns, ListTurns) and turns:  # one has made the list as long as only the run knows
        list_rest(trace, iterable, turns.rest(), lambda e: _add_collected(result, e, element, condition), (), None)
    return result


def gathered(x: Any) -> Any:
    """A list of what a generator emits, and what a staged iterator has left, all of which is taken; others as they are."""
    x = asked(x)
    emitted = emitting(x)
    return used_up(x) if emitted is None else collect(emitted, lambda e: e, None)


def _listed(x: Any) -> Any:
    items = gathered(x)
    # `list += tensor` adds numbers; what gives a tensor's items one by one makes the list longer.
    return list_(items) if isinstance(items, StagedIterable) or (isinstance(items, Tensor) and items is not x) else items


generators.gather = gathered
list_methods.gathered = _listed


def emitted_map(inner: Emitting, element: Any, condition: Any) -> Any:
    """(element(x) for x in inner if condition(x)), one at a time."""
    if inner.own is not None:
        return callee(generator_forms.Each)(element, inner.own, condition)

    def run(body: Any, test: Any) -> None:
        def step(item: Any) -> None:
            if condition is None:
                watched(body)(element(item))
            else:
                if_stmt(condition(item), lambda: watched(body)(element(item)), None, ())

        inner.run(step, test)

    return Emitting(run, once=inner.again)


def emitted_from(iterable: Any) -> Emitting:
    """What is left of a staged iterable, by calls."""
    iterator = iterator_of(iterable)

    def run(body: Any, test: Any) -> None:
        items = any_iterable(iterable if iterator is None else iterator)
        staged_for(current_trace(), items, lambda item: watched(body)(item), [], test)

    return Emitting(run, once=iterator is None)


def _emitted(x: Any) -> Emitting | None:
    """What has a staged length, by calls; None of other iterables."""
    staged = staged_iterable(x)
    if staged is None or (not isinstance(staged, StagedStream) and isinstance(staged.count(), int)):
        return None
    return emitted_from(x)


generators.emitted = _emitted


def watched(body: Any) -> Any:
    """A loop's body, what it may rebind noted in the open region's journal."""
    watch(current_trace(), body)
    return body


def _numbered(inner: Emitting, start: Any) -> Any:
    if inner.own is not None:
        return callee(generator_forms.Counted)(inner.own, start)

    def run(body: Any, test: Any) -> None:
        number = start

        def step(item: Any) -> None:
            nonlocal number
            index, number = number, number + 1
            watched(body)((index, item))

        inner.run(step, test)

    return Emitting(run)


def _add_collected(out: list[Any], item: Any, element: Any, condition: Any) -> None:
    """Add an item to a list, if it passes."""
    _add_if(True if condition is None else condition(item), out, item, element)


def _add_if(test: Any, out: list[Any], item: Any, element: Any) -> None:
    if_stmt(test, lambda: ListMethod(out, "append")(element(item)), None, ())


@stand_in(builtins.iter)
def iter_(x: Any, *sentinel: Any) -> Any:
    """`iter`; of what has a staged length (and is no tensor or list) a generator's stand-in, which gives its items once."""
    if quick.calm and not sentinel and (type(x) in PLAIN_OR_LISTS or is_object(type(x))):
        return builtins.iter(x)
    if not sentinel and is_mixed(x) and all(isinstance(a, _LISTED) for _, a in usable_of(x)):
        x = one_of_sequences(x)
        x = select(x, list_) if is_mixed(x) else x
    known = None if sentinel else sequence_iterator(x)
    if known is not None:
        return known
    if sentinel and STATE.trace is not None and not tensorless(STATE.trace) and leads_to_tensor([x, *sentinel]):
        return callee(generator_forms.Until)(callee(x), *sentinel)
    if sentinel or type(x) in CERTAIN:
        return placed(builtins.iter(x, *sentinel))
    made = iterator_of(x)
    if made is not None:
        return made
    if hasattr(type(x), "__next__"):
        return builtins.iter(x)
    x = asked_by_iter(x)
    emitted = emitting(x) or _emitted(x)
    if emitted is None:
        return placed(builtins.iter(x))
    return emitted_map(emitted, lambda e: e, None) if emitted.again else emitted


_LISTED = (Tensor, builtins.tuple, builtins.list, builtins.dict, builtins.range, builtins.str)
"""What an iterator over several alternatives goes over as over lists."""


@stand_in(builtins.next)
def next_(iterator: Any, *default: Any) -> Any:
    """`next`."""
    if type(iterator) in CHOICES:
        return select(iterator, lambda taken: next_(taken, *default))
    trace = current()
    iterator = stands_for(iterator)
    refuse_spent(iterator)
    if default and trace is not None and has_own_next(iterator):
        return next_or(iterator, *default)
    if trace is not None and (searched := _searched(iterator)) is not None:
        iterator = searched
    if type(iterator) is not Emitting and (not may_be_shared(iterator) or (trace is not None and tensorless(trace))):
        if trace is not None:
            note_advance(trace, iterator, in_passing=3)
            known = endless(trace, iterator)
            if known is not None:
                known.taken += 1
        staged_next = getattr(type(iterator), "__staged_next__", None) if trace is not None else None
        return builtins.next(iterator, *default) if staged_next is None else staged_next(iterator, *default)
    if trace is not None and type(iterator) is not Emitting:
        note_advance(trace, iterator, in_passing=3)
    found: Any = False
    result: Any = default[0] if default else UNDEFINED

    def body(item: Any) -> None:
        nonlocal found, result
        found, result = True, item

    def missing() -> None:
        raise raised(StopIteration())

    emitted = iterator if type(iterator) is Emitting else tried_by_python(iterator, body, lambda: False)
    if emitted is not None:
        emitted.run(body, lambda: not_(found))
    if not default:
        if found is False:
            raise StopIteration
        if_stmt(not_(found), missing, None, ())
    return result


def _searched(x: Any) -> Emitting | None:
    """The items of a generator that nobody else has, by a loop that ends where one is found, if tensors say which it leaves
    out; None of others."""
    made = filter_of(x) if getrefcount(x) <= _IN_PASSING else None
    if made is None or not leads_to_tensor([made[2]]):
        return None
    element, iterable, condition = made

    def run(body: Any, test: Any) -> None:
        for_stmt(iterable, lambda item: watched(body)(item), (), test)

    return emitted_map(Emitting(run), element, condition)  # type: ignore[no-any-return]


_IN_PASSING = 3  # references to what a call has made for `next`: its parameter, ours, getrefcount's


@stand_in(builtins.reversed)
def reversed_(x: Any) -> Any:
    """`reversed`."""
    one_by_one = by_place(STATE.trace) and type(x) in (list, tuple, range)
    if type(x) in CERTAIN and not one_by_one:
        return builtins.reversed(x)
    if type(x) is dict and has_maybe_keys(x):
        x = list_(x)
    staged = over_sequence(x) if one_by_one else staged_iterable(x)
    note_gone_over(x)
    return builtins.reversed(x) if staged is None else iterator_of(StagedReversed(staged))


_OF_MANY = frozenset((Iterable, Sized, Container, Collection, Reversible))


def _are_of_many(classes: Any) -> bool:
    """Whether classes are those of what has items, as NumPy's arrays do and its numbers do not."""
    if type(classes) is tuple:
        return builtins.all(map(_are_of_many, classes))
    return getattr(classes, "__origin__", classes) in _OF_MANY


@stand_in(builtins.isinstance)
def isinstance_(x: Any, classes: Any) -> Any:
    """`isinstance`; staged where `x` may be of another class on some paths. A staged Python number is one."""
    if type(x) not in CHOICES:
        if builtins.isinstance(x, Tensor) and x.type.shape == () and _are_of_many(classes):
            return False
        if builtins.isinstance(x, classes) or (is_number(x) and builtins.isinstance(python_type(x)(), classes)):
            return True
        stands_for = getattr(builtins.type(x), "__python_class__", None)
        return stands_for is not None and builtins.issubclass(stands_for, classes)
    choice = choice_of(x)
    assert choice is not None

    def test(a: Any) -> bool:
        return a is not UNBOUND and builtins.bool(isinstance_(a, classes))

    return is_alternative(choice, test)


@stand_in(builtins.type)
def type_(x: Any, *more: Any, **keywords: Any) -> Any:
    """`type`; of a staged Python number that number's. Staged where `x` may be of another class on some paths."""
    if more or keywords:
        return builtins.type(x, *more, **keywords)
    if builtins.type(x) in CHOICES:
        classes = [type_(a) for a in alternatives_of(x) if a is not UNBOUND]
        return classes[0] if len(set(classes)) == 1 else select_any(x, type_)
    return python_type(x) if is_number(x) else getattr(builtins.type(x), "__python_class__", builtins.type(x))


@stand_in(builtins.list)
def list_(iterable: Any = ()) -> Any:
    """`list`."""
    if type(iterable) in CERTAIN or (type(iterable) is builtins.list and quick.calm):
        return builtins.list(iterable)
    iterable = gathered(resolve(iterable))
    if type(iterable) is RunTuple:
        iterable = list_of(iterable)
    dynamic = dynamic_of(iterable)
    if dynamic is not None:
        return copied(current_trace(), new_list(dynamic), iterable, count=length(dynamic), step=1)
    staged = staged_iterable(iterable)
    if staged is None or isinstance(staged.count(), builtins.int):
        return builtins.list(iterable if staged is None else iter(staged))
    return collect(iterable, lambda x: x, None)


@stand_in(builtins.tuple)
def tuple_(iterable: Any = ()) -> Any:
    """`tuple`."""
    if type(iterable) in CERTAIN or (type(iterable) is builtins.list and quick.calm):
        return builtins.tuple(iterable)
    if type(iterable) is RunTuple:
        return iterable
    made = list_(iterable)
    return builtins.tuple(made) if dynamic_of(made) is None else run_tuple(made)


@stand_in(builtins.callable)
def callable_(x: Any) -> Any:
    """`callable`."""
    options = [builtins.callable(a) for a in alternatives_of(x)]
    return all(options) if len(set(options)) == 1 else is_alternative(choice_of(x) or x, builtins.callable)
