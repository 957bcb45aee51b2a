"""Stand-ins for `zip` and `map` of several iterables."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from functools import partial
from types import BuiltinMethodType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.advances import by_place, note_gone_over, note_spent
from autograph.operators.containers.lists import length
from autograph.operators.expressions.py_builtins import collect, emitted_map, gathered, iter_, watched
from autograph.operators.functions.calls import callee
from autograph.operators.functions.generator_forms import Together
from autograph.operators.functions.generators import Emitting, asked, emitting
from autograph.operators.functions.own_iterators import has_own_next
from autograph.operators.functions.zip_form import columns
from autograph.operators.items.iterators import mapped, once, zipped
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.plain import PLAIN_OR_LISTS
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import and_, if_exp, if_stmt, not_, or_
from autograph.operators.statements.endless_iterators import by_index
from autograph.operators.statements.iterables import StagedIterable, StagedZip, staged_iterable
from autograph.operators.values import quick
from autograph.operators.values.descriptors import Struct
from autograph.operators.values.listvalue import ListValue, Splice, new_list
from autograph.operators.values.specials import leads_to_tensor
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE

__all__: list[str] = []


@stand_in(builtins.zip)
def zip_(*iterables: Any, strict: bool = False) -> Any:
    """`zip`."""
    if quick.calm and PLAIN_OR_LISTS.issuperset(map(type, iterables)) and not by_place(STATE.trace):
        return builtins.zip(*iterables, strict=strict)
    if len(iterables) == 1 and type(iterables[0]) is Splice:
        return iter_(_columns(iterables[0].value))
    iterables = tuple(map(asked, iterables))
    if not strict and _go_on(iterables):
        return callee(Together)([_following(i) for i in iterables])
    iterables = tuple(emitting(i) or i for i in iterables)
    for k, i in builtins.enumerate(iterables):
        if type(i) is Emitting:
            take = gathered if strict else _taken
            return _zipped(k, i, [None if j == k else take(x) for j, x in builtins.enumerate(iterables)], strict)
    if not any(staged_iterable(i) is not None for i in iterables) and not by_place(STATE.trace):
        note_gone_over(*iterables)
        return builtins.zip(*iterables, strict=strict)
    return zipped(iterables, StrictZip if strict else StagedZip)


def _go_on(iterables: tuple[Any, ...]) -> bool:
    """Whether iterators of Python code are among what tensors decide: somebody may go on with them after a `zip`."""
    if STATE.trace is None or tensorless(STATE.trace) or not any(map(has_own_next, iterables)):
        return False
    return leads_to_tensor(list(iterables))


def _following(x: Any) -> Any:
    """The iterator over an iterable; where that gives items to a body only, over a list of them."""
    emitted = None if has_own_next(x) else emitting(x)
    return iter_(x) if emitted is None else once(_taken(emitted))


def _taken(x: Any) -> Any:
    """The items of what is gone over with a generator, either of which may end first: nobody may go on with it."""
    emitted, trace = emitting(x), STATE.trace
    if emitted is not None:
        given = emitted
        return gathered(Emitting(lambda body, test: given.run(body, test or (lambda: True)), once=False))
    items = gathered(x)
    if hasattr(type(x), "__next__") and trace is not None:
        note_spent(trace, x)
    return items


def _columns(rows: ListValue) -> list[Any]:
    """The lists of `zip(*rows)`, of which there are as many as a row has items."""
    d = rows.element
    if not isinstance(d, Struct) or d.kind not in (tuple, list):
        return callee(columns)(new_list(rows))  # type: ignore[no-any-return]

    def empty() -> None:
        raise raised(ValueError(f"not enough values to unpack (expected {len(d.children)}, got 0)"))

    if_stmt(op.equal(length(rows), 0), empty, None, ())
    return [collect(rows, lambda row, k=k: row[k], None) for k in builtins.range(len(d.children))]  # type: ignore[misc]


_TAKEN_FROM = "a strict zip() of what the loop takes items from, too"


class StrictZip(StagedZip):
    """`zip(strict=True)`: has one more item where lengths differ, and taking that one fails."""

    def __init__(self, inners: list[StagedIterable]) -> None:
        super().__init__(inners)
        self.counts = [i.count() for i in inners]
        self.shortest = super().count()
        self.differs: Any = False
        first = self.counts[0]
        for c in self.counts[1:]:
            self.differs = or_(self.differs, lambda c=c: first != c)  # type: ignore[misc]

    def count(self) -> Any:
        """The shortest length, and one for the error."""
        return if_exp(self.differs, lambda: self.shortest + 1, lambda: self.shortest)

    def more(self, index: Any) -> Any:
        """By the lengths that there were at the start."""
        if any(left.is_live for left in self.lefts()):
            raise refusal("unknown-length", what=_TAKEN_FROM)
        return StagedIterable.more(self, index)

    def _live(self) -> Iterator[Any]:
        iterators = [left.iterator for left in self.lefts()]
        for i in builtins.range(self.count()):
            item = self.item(i)
            self.moved(i + 1, False)
            places = [one.place for one in iterators]
            yield item
            if any(one.place is not place for one, place in zip(iterators, places, strict=True)):
                raise refusal("unknown-length", what=_TAKEN_FROM)
        self.moved(self.count(), True)

    def moved(self, taken: Any, ended: Any) -> None:
        """All end together."""
        for inner in self.inners:
            inner.moved(taken, ended)

    def item(self, index: Any) -> Any:
        """The items at an index; past the shortest length, Python's error."""
        if self.differs is not False:
            if_stmt(index >= self.shortest, partial(self._fail, index), None, ())
        return super().item(index)

    def _fail(self, index: Any) -> None:
        """The first argument that ends before the first does, or goes on after it."""
        ended = self.counts[0] <= index
        for k, count in builtins.enumerate(self.counts[1:], 1):
            for wrong, what in ((not_(ended), "shorter"), (ended, "longer")):
                other = count <= index if what == "shorter" else count > index
                if_stmt(and_(wrong, lambda other=other: other), _failing(k, what), None, ())  # type: ignore[misc]


def _failing(k: int, what: str) -> Callable[[], None]:
    """Raises the error of a `zip` whose argument `k` (from 0) is of another length."""

    def fail() -> None:
        before = "argument 1" if k == 1 else f"arguments 1-{k}"
        raise raised(ValueError(f"zip() argument {k + 1} is {what} than {before}"))

    return fail


@stand_in(builtins.map)
def map_(fn: Any, *iterables: Any) -> Any:
    """`map`."""
    iterables = tuple(map(asked, iterables))
    if type(fn) is BuiltinMethodType and type(fn.__self__) in CONTAINERS:
        fn = partial(_at_each_call, fn)
    if len(iterables) > 1 and _go_on(iterables):
        together, called = emitting(zip_(*iterables)), callee(fn)
        assert together is not None
        return emitted_map(together, lambda items: called(*items), None)
    emitted = emitting(iterables[0]) if len(iterables) == 1 else None
    if emitted is not None:
        return emitted_map(emitted, callee(fn), None)
    iterables = tuple(i if (emitted := emitting(i)) is None else _taken(emitted) for i in iterables)
    if not any(staged_iterable(i) is not None for i in iterables) and not by_place(STATE.trace):
        note_gone_over(*iterables)
        return builtins.map(callee(fn), *iterables)
    return mapped(callee(fn), iterables)


CONTAINERS = (list, dict, set)


def _at_each_call(method: Any, *args: Any) -> Any:
    """A method of a container: what stands for it is another one where the graph changes the container."""
    return callee(method)(*args)


def _zipped(position: int, inner: Emitting, others: list[Any], strict: bool) -> Emitting:
    """`zip` of one generator and iterables of known items."""
    if len(others) == 1:
        return emitted_map(inner, lambda item: (item,), None)
    rest = (StrictZip if strict else StagedZip)(by_index([x for x in others if x is not None]))
    second = max(position, 1)

    def run(body: Any, test: Any) -> None:
        number = 0
        count = rest.count()

        def step(item: Any) -> None:
            nonlocal number
            if strict:
                if_stmt(number >= count, _failing(second, "longer" if position else "shorter"), None, ())
            parts = list(rest.item(number))
            parts.insert(position, item)
            number = number + 1
            watched(body)(tuple(parts))

        def go_on() -> Any:
            more = number < count
            return more if test is None else and_(more, test)

        if strict:
            inner.run(step, test)
            if_stmt(go_on(), _failing(second, "shorter" if position else "longer"), None, ())
        else:
            if_stmt(count != 0, lambda: inner.run(step, go_on), None, ())

    return Emitting(run)
