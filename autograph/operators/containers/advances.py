"""Iterators of Python's that branches and loops of the graph take items from.

    if c: total = sum(it)    ->    traced again, with iterators that keep their items: how many are taken, the run says
    if c: line = next(file)    ->    refused: nobody can put the line back

Python's own code takes items, too (`sum`, `list`, `2 in it`, `f(*it)`), and tells nobody. So where a region names an
iterator, or what holds one, it is noted where that stands, as far as Python shows it, and compared at the end.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from sys import getrefcount
from types import FunctionType, GeneratorType, ModuleType
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.state import places
from autograph.operators.state.aliases import TraceAgain, hints_of
from autograph.operators.state.nesting import in_region
from autograph.operators.state.plain import NUMBERS
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace

__all__ = [
    "BY_PLACE",
    "LIVE",
    "IteratorPlace",
    "by_place",
    "changed_meanwhile",
    "gone_over",
    "guarding",
    "is_guarding",
    "live",
    "note_advance",
    "note_gone_over",
    "note_spent",
    "refuse_gone_over",
    "refuse_spent",
    "taken_in_part",
]


BY_PLACE = "iterators by place"
LIVE = "iterators over lists as they are"


def by_place(trace: Trace | None) -> bool:
    """Whether Python's iterators over sequences, and those without end, are to be made so that the graph knows where they
    stand: one has given an item in a branch or loop."""
    return trace is not None and not {BY_PLACE, LIVE}.isdisjoint(hints_of(trace))


def live(trace: Trace | None) -> bool:
    """Whether lists are to be gone over as they are at each turn: one was made as long as only the run knows by a turn."""
    return trace is not None and LIVE in hints_of(trace)


def taken_in_part(otherwise: BaseException | None = None) -> BaseException:
    """What to raise where somebody goes on with an iterator of which only the run knows where it stands: the function is
    traced again with iterators that keep their items; where that was tried, a refusal."""
    trace = STATE.trace
    if trace is not None and trace.notes.get("restarts") and not by_place(trace):
        return TraceAgain(BY_PLACE)
    return refusal("generator-items") if otherwise is None else otherwise


class IteratorPlace:
    """Where an iterator stands."""

    __slots__ = ("_last", "_seen", "owner", "token")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self._last: Any = None  # where it really is, if it was to be put back
        self.token = object()
        self._seen = _progress(owner)

    @property
    def key(self) -> Any:
        return ("iterator", id(self.owner))

    def read(self) -> Any:
        """What is another object once the iterator has moved, whoever has moved it."""
        seen = _progress(self.owner)
        if seen != self._seen:
            self._seen, self.token = seen, object()
        return self.token

    def write(self, value: Any) -> None:
        """Nobody can put it back; that is refused where somebody outside sees it."""
        if type(value) is not object:
            raise taken_in_part(refusal("iterator-in-graph", what=type(self.owner).__name__))
        now = self.read()
        if now is not value and STATE.trace is not None:
            gone = STATE.trace.notes.setdefault("gone", {})  # items of which are
            if value is self._last:
                gone.pop(id(self.owner), None)
            else:
                self._last = now
                gone[id(self.owner)] = self.owner
                if "advanced" in STATE.trace.notes:
                    STATE.trace.notes["advanced"][0][id(self.owner)] = self.owner
        self.token = value

    def __repr__(self) -> str:
        return "an iterator"


def _progress(x: Any, depth: int = 0) -> Any:
    """What Python shows of where an iterator stands: how much is left, where a generator's code is, what both go over."""
    kind: Any = type(x)
    found: list[Any] = [kind]
    if kind is GeneratorType:
        if x.gi_frame is None:
            return None
        found.append(x.gi_frame.f_lasti)
    elif kind is itertools.count:
        found.append(repr(x))
    elif kind.__module__ == "_io" and not x.closed and x.seekable():
        try:
            found.append(x.tell())
        except OSError:  # of a text file that is gone over
            found.append(None)
    elif hasattr(kind, "__length_hint__") and type(kind.__length_hint__) is not FunctionType:
        try:
            found.append(kind.__length_hint__(x))
        except TypeError:  # of what has no end
            found.append(None)
    if depth < _DEEP:
        for held in gc.get_referents(x):
            going_over = _is_iterator(held) or (type(held) is tuple and any(map(_is_iterator, held)))  # the latter: of `zip`
            found.append(_progress(held, depth + 1) if going_over else held if type(held) in NUMBERS else id(held))
    return found


_DEEP = 8  # iterators over iterators


def _is_iterator(x: Any) -> bool:
    return hasattr(type(x), "__next__")


def _see(trace: Trace, x: Any, depth: int = 0) -> None:
    """A branch or loop names `x`: note where the iterators that are it, or in it, stand."""
    kind = type(x)
    if kind in _NONE:
        return
    if _is_iterator(x):
        _note(trace, x)
        return
    if kind is FunctionType:
        ours = x.__globals__.get("__name__", "").startswith("autograph.")  # what it goes over is its own
        for cell in (x.__closure__ or ()) if depth < _NESTED else ():
            try:
                named = cell.cell_contents
            except ValueError:  # it is empty
                continue
            if not ours or type(named) is FunctionType:
                _see(trace, named, depth + 1)
        return
    held: Any = ()
    if kind is list or kind is tuple:
        held = x[:_FEW]
    elif kind is dict:
        held = list(itertools.islice(x.values(), _FEW))
    elif kind.__dictoffset__ and kind.__getattribute__ is _PLAINLY and not issubclass(kind, type):
        held = list(itertools.islice(object.__getattribute__(x, "__dict__").values(), _FEW))
    for each in held:
        if _is_iterator(each):
            _note(trace, each)


_NONE = NUMBERS | {Tensor, range, type, ModuleType}
_FEW = 32
_PLAINLY: Any = object.__getattribute__
_NESTED = 4  # functions that name functions
places.seen_in_region = _see


def _note(trace: Trace, iterator: Any) -> None:
    if not hasattr(type(iterator), "__staged_next__") and not made_here(iterator, trace):
        trace.record(IteratorPlace(iterator))


made_here: Callable[[Any, Trace], bool] = lambda iterator, trace: False  # `generators` puts its own


def note_gone_over(*iterables: Any) -> None:
    """Note the lists that Python is about to go over by an iterator of its own: it does not see what they become when only
    the run knows their content."""
    trace = STATE.trace
    if trace is not None:
        for x in iterables:
            if type(x) is list:
                trace.notes.setdefault(_GONE_OVER, set()).add(id(x))  # the id of another list, later, is only looked up


def refuse_gone_over(trace: Trace, items: list[Any], but: Iterable[Any]) -> None:
    """The content of a list is about to be staged: refuse, or trace again, where an iterator of Python's is over it."""
    noted = trace.notes.get(_GONE_OVER, ())
    if id(items) not in noted or "closing" in trace.notes:
        return
    noted.remove(id(items))  # to look for who holds it takes as long as there are objects: once for each time it is noted
    known = set(map(id, but))
    for x in gc.get_referrers(items):
        if type(x) in _OVER_LISTS and id(x) not in known:
            raise changed_meanwhile(trace, type(x))


def changed_meanwhile(trace: Trace, kind: type) -> BaseException:
    """What to raise where a list has changed while an iterator of a class went over what it was: the function is traced
    again with iterators that look at it; where that was tried, a refusal."""
    if trace.notes.get("restarts") and not live(trace):
        return TraceAgain(LIVE)
    return refusal("iterator-in-graph", what=kind.__name__)


_GONE_OVER = "gone over"
_OVER_LISTS: tuple[type, ...] = (type(iter([])), type(reversed([])))


def note_spent(trace: Trace, iterator: Any) -> None:
    """Note that items of an iterator were taken that the run may leave: nobody may go on with it, nor with those beneath."""
    trace.notes.setdefault("spent", {})[id(iterator)] = iterator
    beneath = trace.notes.setdefault("spent beneath", {})
    for x in gone_over(iterator):
        if _is_iterator(x):
            beneath[id(x)] = x


def gone_over(iterator: Any, depth: int = 0) -> Iterator[Any]:
    """What an iterator takes its items from, and what these take theirs from; nothing of anything else."""
    if not _is_iterator(iterator):
        return
    ours = hasattr(type(iterator), "__staged_next__")
    for held in getattr(iterator, "inners", ()) if ours else gc.get_referents(iterator):
        for x in held if type(held) is tuple else (held,):  # a tuple: of `zip`
            yield x
            if depth < _DEEP:
                yield from gone_over(x, depth + 1)


def refuse_spent(trace: Trace, iterator: Any) -> None:
    """Refuse an iterator of Python's of which only the run knows where it stands."""
    if id(iterator) in trace.notes.get("spent", ()):
        raise taken_in_part()
    if id(iterator) in trace.notes.get("spent beneath", ()) and not is_guarding(trace):
        raise taken_in_part()
    if id(iterator) in trace.notes.get("gone", ()):
        raise taken_in_part(refusal("iterator-in-graph", what=type(iterator).__name__))


@contextmanager
def guarding(trace: Trace) -> Iterator[None]:
    """Within: items are taken that the run may leave."""
    before = is_guarding(trace)
    trace.notes["guarding"] = True
    try:
        yield
    finally:
        trace.notes["guarding"] = before


def is_guarding(trace: Trace) -> bool:
    """Whether items are being taken that the run may leave."""
    return bool(trace.notes.get("guarding"))


def note_advance(trace: Trace, iterator: Any, in_passing: int = 4) -> None:
    """Note that an iterator is about to give an item: Python's, not one whose place is a value of the graph.

    `in_passing` is how many references there are, counted here, to one that was made for this: nobody else goes on with it.
    """
    refuse_spent(trace, iterator)
    if not trace.journal or hasattr(type(iterator), "__staged_next__") or made_here(iterator, trace):
        return
    key = ("iterator", id(iterator))
    if key not in trace.journal[-1]:
        if getrefcount(iterator) <= in_passing:
            return
        trace.record(IteratorPlace(iterator))
        if not in_region(trace):  # there it is refused where anybody outside has it
            earlier, now = trace.notes.get("advanced", ({}, {}))
            if id(iterator) in earlier:  # an attempt to trace the function took items: they are gone
                raise refusal("iterator-from-outside", what=type(iterator).__name__)
            now[id(iterator)] = iterator
    place: Any = trace.journal[-1][key][0]
    place.token = object()
