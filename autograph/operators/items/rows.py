"""Loops that go round in place while nothing is staged: what they go over, and what is left to the hooks."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import chain, islice
from operator import length_hint
from sys import getrefcount
from types import FunctionType, GeneratorType
from typing import Any

from autograph.operators.containers import lists
from autograph.operators.containers.advances import note_advance, refuse_gone_over
from autograph.operators.functions.calls import special
from autograph.operators.functions.generators import asked, emitting, may_be_shared
from autograph.operators.items.for_loops import for_stmt, list_rest, long_range, rest_guarded, rest_of_long
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.nesting import in_region
from autograph.operators.state.places import name_places
from autograph.operators.state.plain import ITERATORS, PLAIN
from autograph.operators.state.regions import current_trace
from autograph.operators.statements.endless_iterators import ENDLESS, endless
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.statements.rolling import COUNTING, FEW, Counted, Long, long_of
from autograph.operators.statements.truth import truth_of
from autograph.operators.values import quick
from autograph.operators.values.choice import is_mixed
from runtime.tensor.trace import Trace, current

__all__ = ["RESTS", "for_rest", "guarded", "row", "turns"]


class Turns:
    """A long range, gone over in pieces: where a piece has added to the graph, the rest is left to the hook."""

    __slots__ = ("_all", "_items", "_iterator")

    def __init__(self, trace: Trace, items: Long) -> None:
        self._all = items
        self._items: Iterator[int] = iter(items if type(items) is range else items.items)  # type: ignore[union-attr]
        self._iterator = chain.from_iterable(_pieces(items, self._items, trace.builder.region.graph.nodes))

    def __iter__(self) -> Iterator[Any]:
        return self._iterator

    def __bool__(self) -> bool:
        """Whether some of it has not been gone over."""
        return length_hint(self._items) > 0

    def rest(self) -> Long:
        """What has not been gone over."""
        return self._all[len(self._all) - length_hint(self._items) :]


def _pieces(items: Long, turns: Iterator[Any], nodes: list[Any]) -> Iterator[Iterator[Any]]:
    """Parts of an iterator over what `items` goes over, as long as turns add no nodes."""
    if type(items) is Counted:
        turns = enumerate(turns, items.start)
    seen = len(nodes)
    yield islice(turns, _FIRST)
    if len(nodes) != seen:
        return
    yield islice(turns, _SECOND)
    over = _FIRST + _SECOND
    while len(nodes) == seen and items[over:]:
        yield islice(turns, _LONGEST)
        over += _LONGEST


_FIRST, _SECOND, _LONGEST = 1, 3, 32  # turns in a piece: most bodies that add to the graph do so at once


class ListTurns:
    """A list gone over by Python, until a turn makes its length depend on the run."""

    __slots__ = ("__weakref__", "_iterator", "_staged_at", "items")

    def __init__(self, trace: Trace, items: list[Any]) -> None:
        self.items = items
        self._iterator = iter(items)
        self._staged_at = -1
        turns = trace.notes.setdefault("list turns", [])
        if len(turns) > _LONGEST:
            turns[:] = [r for r in turns if r() is not None]
        turns.append(weakref.ref(self))

    def __iter__(self) -> Iterator[Any]:
        return self._iterator

    def __bool__(self) -> bool:
        """Whether Python has not gone over all."""
        return self._staged_at >= 0

    def becomes_staged(self) -> None:
        """The content is about to be staged: Python goes no further."""
        if self._staged_at < 0:
            self._staged_at = self.position()

    def position(self) -> int:
        """The index of the next item."""
        state: Any = self._iterator.__reduce__()
        return state[2] if len(state) > 2 else len(self.items)  # type: ignore[no-any-return]

    def rest(self) -> int:
        """Where to go on."""
        return self._staged_at


def _before_staged(trace: Trace, items: list[Any]) -> None:
    ours = []
    for reference in trace.notes.get("list turns", ()):
        turns = reference()
        if turns is not None and turns.items is items:
            turns.becomes_staged()
            ours.append(turns._iterator)
    refuse_gone_over(trace, items, ours)


lists.before_staged_hooks.append(_before_staged)


class Rest:
    """What Python cannot go over, or what is left of it: nothing as far as Python knows."""

    __slots__ = ("items", "kind")

    def __init__(self, items: Any, kind: str = "all") -> None:
        self.items = items
        self.kind = kind  # 'all' of an iterable, or the rest of an iterator (or range) that a staged break has 'stopped'

    def __iter__(self) -> Iterator[Any]:
        return iter(())


RESTS = frozenset((Turns, ListTurns, Rest))


def row(x: Any, tested: bool = False) -> Any:
    """What a `for` statement goes over in the place of `x`; an iterator if it is `tested` whether to go on."""
    kind = type(x)
    if kind is list:
        trace = current()
        if quick.calm or trace is None or (tensorless(trace) and not _stand_for_others(trace)):
            return iter(x) if tested else x
    if kind in ITERATORS:
        if quick.calm and (kind is zip or kind is enumerate) and getrefcount(x) <= _REFERENCES:
            return x
        trace = current()
        if trace is not None:
            if kind in COUNTING and (items := long_of(x)) is not None:
                return Turns(trace, items)
            note_advance(trace, x)
    elif kind not in PLAIN or kind is dict or kind is range:
        trace = current()
        if trace is not None:
            if kind is range:
                if x[_CALMLY if quick.calm else FEW :]:
                    return Turns(trace, x)
            elif not kind.__flags__ & _HEAP and kind not in ENDLESS and not in_region(trace) and tensorless(trace):
                return iter(x) if tested else x
            elif (kind is not list and kind is not dict) or _stand_for_others(trace):
                x = _row(x, tested)
                if type(x) is Rest:
                    return x
            if type(x) is list and not tensorless(trace):
                return ListTurns(trace, x)
    return iter(x) if tested else x


def turns(x: Any, tested: bool = False) -> Any:
    """The same for what `range` was called for: Python goes over nothing but integers, and the hook over all else."""
    if type(x) is not range:
        return Rest(x)
    if x[_CALMLY if quick.calm else FEW :] and (trace := current()) is not None:
        return Turns(trace, x)
    return iter(x) if tested else x


_CALMLY = 32  # turns that are gone through where no tensor is expected: if one comes, all is traced again
_REFERENCES = 2  # to an iterator that was made for the loop: our parameter, getrefcount's
_HEAP = 1 << 9  # the flag of a class that is not built into Python


def _stand_for_others(trace: Trace) -> bool:
    """Whether lists or values stand for others in a trace."""
    return "lists" in trace.notes or "choices" in trace.notes


def _row(x: Any, tested: bool) -> Any:
    own = quick.method_of(type(x), "__iter__") if quick.calm else None
    if own is None:
        if is_mixed(x) or staged_iterable(x) is not None:
            return Rest(x)
        x = asked(x)
        emitted = emitting(x, may_stop=tested)
        if emitted is not None:
            return Rest(emitted)
        own = special(x, "__iter__")
        if own is None:
            return _left_to_python(x, tested)
        x = own()
    else:
        x = own(x)
    if tensorless(current_trace()):
        if type(x) is GeneratorType:  # nobody else has it
            return x
        if type(getattr(type(x), "__next__", None)) is FunctionType:
            return iter(x.__next__, _NEVER)  # the statement would ask for `__iter__` again
    emitted = emitting(x)
    return _left_to_python(x, tested) if emitted is None else Rest(emitted)


_NEVER = object()  # what no iterator gives


def _left_to_python(x: Any, tested: bool) -> Any:
    if tested and may_be_shared(x):
        return Rest(x)
    if hasattr(type(x), "__next__"):
        note_advance(current_trace(), x)
        return endless(current_trace(), x) or x
    return x


def guarded(items: Any) -> Rest:
    """What is left after a turn that ended with a staged break."""
    if type(items) is ListTurns:
        return Rest(items, "stopped")
    return Rest(items.rest() if type(items) is Turns else items, "stopped")


def for_rest(
    rest: Any, body: Callable[[Any], None], names: tuple[str, ...], test: Callable[[], Any] | None = None
) -> None:
    """Go on with a loop that Python has left: `rest` is true."""
    if type(rest) is Turns:
        long_range(current_trace(), rest.rest(), body, names, test)
    elif type(rest) is ListTurns:
        list_rest(current_trace(), rest.items, rest.rest(), body, names, test)
    elif rest.kind == "all":
        for_stmt(rest.items, body, names, test)
    elif type(rest.items) is ListTurns:
        assert test is not None
        turns = rest.items
        start = turns.rest() if turns.rest() >= 0 else turns.position()
        list_rest(current_trace(), turns.items, start, body, names, test, truth_of(test()))
    elif isinstance(rest.items, (range, Counted)):
        rest_of_long(current_trace(), rest.items, body, names, test)
    else:
        assert test is not None
        rest_guarded(current_trace(), rest.items, body, name_places(names, body), test)

