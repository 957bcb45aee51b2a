"""Thread-local state: the trace that operations go to (if any) and the tapes that record them.

While a trace is active every operation becomes a node. Boxes from outside are captured by reference, as inputs read
again at each call; what is written to them is kept in `overrides` (other threads still see their value) and becomes
an output. Writes inside an open region are journalled, so that a region can be traced again.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol

import numpy as np

from runtime.ir.build import Builder
from runtime.ir.graph import Graph, Value
from runtime.ops.registry import get
from runtime.tensor import tensor as tensor_module
from runtime.tensor.tensor import Tensor
from runtime.typesys.spec import TensorType, type_of_payload

__all__ = [
    "BUSY", "STATE", "BoxPlace", "Place", "Trace", "Watched", "active", "current", "init_scope", "note_write", "open_tapes",
    "tracing", "writes_noted",
]  # fmt: skip


BUSY: list[None] = []
"""Not empty while a thread traces or records, or functions run eagerly: then no call takes a short cut."""


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)  # a thread begins without; reading takes 15 ns
_TAPES: ContextVar[tuple[Any, ...]] = ContextVar("tapes", default=())
current, open_tapes = _TRACE.get, _TAPES.get  # the short ways to what STATE says


class _State:
    __slots__ = ()

    @property
    def trace(self) -> Trace | None:
        """The trace that operations go to."""
        return current()

    @trace.setter
    def trace(self, trace: Trace | None) -> None:
        _TRACE.set(trace)
        changed()

    @property
    def tapes(self) -> tuple[Any, ...]:
        """The tapes that record them, outermost first."""
        return open_tapes()

    @tapes.setter
    def tapes(self, tapes: tuple[Any, ...]) -> None:
        _TAPES.set(tapes)

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.trace is not None or bool(self.tapes)
        super().__setattr__(name, value)
        after = self.trace is not None or bool(self.tapes)
        if after and not before:
            BUSY.append(None)
        elif before and not after:
            BUSY.pop()


STATE = _State()
tensor_module.in_trace = lambda: current() is not None
converted: Callable[[Any], Any] = lambda f: f
changed: Callable[[], None] = lambda: None  # is told when another trace begins or goes on in this thread, or another region
renoted: Callable[[set[int], Any], None] = lambda before, journal: None  # and when what was `noted` is another set
unusual: Callable[[Any], None] = lambda trace: None  # is told of traces in which lists or values come to stand for others
FRAMES = 4
"""How many frames converted code may have where the user's has one."""


_WRITES: ContextVar[dict[int, tuple[Tensor, Any]] | None] = ContextVar("writes", default=None)


def note_write(box: Tensor) -> None:
    """A box is about to be written eagerly, with tapes on."""
    writes = _WRITES.get()
    if writes is not None:
        writes.setdefault(id(box), (box, box._value))


@contextmanager
def writes_noted() -> Iterator[dict[int, tuple[Tensor, Any]]]:
    """What boxes held before they were written to, by id."""
    writes: dict[int, tuple[Tensor, Any]] = {}
    before = _WRITES.set(writes)
    try:
        yield writes
    finally:
        _WRITES.reset(before)
        outer = _WRITES.get()
        if outer is not None:
            for key, entry in writes.items():
                outer.setdefault(key, entry)


class Place(Protocol):
    """Somewhere a value can be put: a local name's cell, an attribute, a list's content, a tensor's box."""

    @property
    def key(self) -> Any: ...
    def read(self) -> Any: ...
    def write(self, value: Any) -> None: ...


class BoxPlace:
    """The place in a tensor's box, as a trace sees it."""

    __slots__ = ("box", "trace")

    def __init__(self, trace: Trace, box: Tensor) -> None:
        self.trace = trace
        self.box = box

    @property
    def key(self) -> Any:
        return ("box", id(self.box))

    def read(self) -> Any:
        """The graph value now in the box (captured if it came from outside)."""
        return self.trace.value_of(self.box)

    def write(self, value: Any) -> None:
        self.trace.put(self.box, value._value if isinstance(value, Tensor) else value)

    def __repr__(self) -> str:
        return "a tensor's items"


class Watched(dict[int, Any]):
    """By id of a function: what is called for it, as long as it lives."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[int, Any] = {}

    def follow(self, f: Any, made: Any) -> None:
        """Enter what is called for `f`, until it dies."""
        key = id(f)
        self[key] = made
        self._kept[key] = weakref.ref(f, partial(self.pop, key))

    def clear(self) -> None:
        """Forget them."""
        super().clear()
        self._kept.clear()


class Journal(list[dict[Any, tuple[Place, Any]]]):
    """One table for each open region: key -> (place, value before).

    `noted` are the ids of lists, dictionaries and cells that need no more notes in the innermost, being in it; `born` those
    of instances that were made in its region. The ids go when what they stand for does, or before. `watched` has by id
    converted functions whose cells are noted.
    """

    __slots__ = ("_outer", "born", "noted", "watched")

    def __init__(self) -> None:
        super().__init__()
        self.noted: set[int] = set()
        self.born: set[int] = set()
        self.watched = Watched()
        self._outer: list[tuple[set[int], set[int], Watched]] = []

    def append(self, table: dict[Any, tuple[Place, Any]]) -> None:
        """Open a region."""
        super().append(table)
        self._outer.append((self.noted, self.born, self.watched))
        self.noted, self.born, self.watched = set(), set(), Watched()
        changed()

    def pop(self, _: Any = -1) -> dict[Any, tuple[Place, Any]]:
        """Close the innermost."""
        self.noted, self.born, self.watched = self._outer.pop()
        changed()
        return super().pop()

    def died(self, key: int) -> None:
        """An instance is gone: forget its id."""
        self.born.discard(key)
        for _, born, _ in self._outer:
            born.discard(key)

    def try_out(self, table: dict[Any, tuple[Place, Any]]) -> None:
        """Write to a table of its own what may be undone; the region stays the same."""
        list.append(self, table)
        outer = self.noted, self.born, self.watched
        self._outer.append(outer)
        self.noted, self.born, self.watched = set(), set(), Watched()
        renoted(outer[0], self)

    def tried(self) -> None:
        """The end of `try_out`."""
        inner = self.noted
        self.noted, self.born, self.watched = self._outer.pop()
        renoted(inner, self)
        list.pop(self)

    def forget(self) -> None:
        """Look up again what is noted: tables were changed, or objects are gone."""
        for tables in ((self.noted, self.born, self.watched), *self._outer):
            for table in tables:
                table.clear()


class Calls(dict[Any, Any]):
    """What is called for functions and classes; `at_once` has, by id, those that generated code calls without asking."""

    __slots__ = ("_held", "at_once")

    def __init__(self) -> None:
        super().__init__()
        self.at_once: dict[int, Any] = {}
        self._held: list[Any] = []  # what `at_once` has more: nobody else gets its id

    def hold(self, f: Any, made: Any) -> None:
        """Enter what is called for `f` where generated code does not ask."""
        self._held.append(f)
        self.at_once[id(f)] = made

    def clear(self) -> None:
        """Forget them."""
        super().clear()
        self.at_once.clear()
        self._held.clear()


_NUMBERS = (bool, int, float, np.float64)


class Trace:
    """One function being traced: its builder, what it captured, what it wrote."""

    def __init__(self, name: str = "", functions: dict[str, Graph] | None = None) -> None:
        self.graph = Graph(name, functions)
        self.builder = Builder(self.graph)
        self.captured: dict[int, tuple[Any, Value]] = {}  # id(box or array) -> (it, graph input)
        self.arrays: dict[int, Tensor] = {}  # id(array from outside that is written) -> the tensor that it is here
        self.overrides: dict[int, Value] = {}  # id(outside box) -> what the trace wrote to it
        self.written: dict[int, Tensor] = {}
        self.journal = Journal()
        self.calls = Calls()  # functions and classes, and what converted code calls for them in this trace
        self.closures: dict[int, tuple[Any, ...]] = {}  # by id of a function with a closure: it, and what is called for it
        self.simple: set[int] = set()  # ids of code that was made for the trace, of which calls are all there is to it
        self.met: set[type] = set()  # classes whose methods were called
        self.notes: dict[str, Any] = {}  # room for the front end
        self.noted = 0  # how many of Python's objects it has noted
        self.called: dict[int, tuple[Any, dict[str, Any]]] = {}  # id(code) -> the code and globals of functions called
        self.streams = sys.stdout, sys.stderr  # to which a graph's prints will go

    def capture(self, thing: Any, type: TensorType) -> Value:
        """The function-level input that stands for a box or array from outside (read again at each call)."""
        known = self.captured.get(id(thing))
        if known is None:
            known = self.captured[id(thing)] = (thing, self.graph.add_input(type))
        return known[1]

    def value_of(self, box: Tensor) -> Value:
        """The graph value now in a box."""
        payload = box._value
        if type(payload) is Value:
            return payload
        value = self.overrides.get(id(box))
        return self.capture(box, type_of_payload(payload)) if value is None else value

    def put(self, box: Tensor, value: Value) -> None:
        """Put a graph value into a box, without journalling."""
        if type(box._value) is Value:
            box._value = value
        else:
            self.overrides[id(box)] = value
            self.written[id(box)] = box

    def write(self, box: Tensor, value: Value) -> None:
        """Put a graph value into a box and journal the write."""
        self.record(BoxPlace(self, box))
        self.put(box, value)

    def record(self, place: Place) -> None:
        """Note that `place` is about to be written in the open region."""
        if self.journal:
            table = self.journal[-1]
            key = place.key
            if key not in table:
                table[key] = (place, place.read())

    def constant(self, payload: Any) -> Value:
        """A constant node for an array, a NumPy scalar or a bare number."""
        kind = type_of_payload(payload)
        if isinstance(payload, (int, float)) and type(payload) not in _NUMBERS:  # a member of an IntEnum, say
            payload = int(payload) if isinstance(payload, int) else float(payload)
        return self.builder.emit(get("constant"), [], {"value": payload, "type": kind}).outputs[0]

    def operand(self, x: Any) -> Value:
        """Anything an operation accepts, as a graph value: tensor, array (by reference), NumPy scalar, number."""
        if isinstance(x, Tensor):
            payload = x._value
            value = payload if type(payload) is Value else self.value_of(x)
            if x.__class__ is not Tensor and STATE.tapes and getattr(x, "trainable", False):
                for tape in STATE.tapes:
                    tape.variable_read(x, value)
            return value
        if isinstance(x, np.ndarray):
            box = self.arrays.get(id(x)) if self.arrays else None
            return self.capture(x, type_of_payload(x)) if box is None else box._value
        if isinstance(x, np.generic):
            return self.constant(x.item())
        if type(x) is Value:
            return x
        return self.constant(x)


def active() -> Trace | None:
    """The trace of this thread, if one is active."""
    return STATE.trace


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Send the operations of this thread to `trace`. Outer tapes do not see them: they see the call of the result."""
    before = STATE.trace, STATE.tapes
    STATE.trace, STATE.tapes = trace, ()
    try:
        with _deeper() if before[0] is None else nullcontext():
            yield trace
    finally:
        STATE.trace, STATE.tapes = before


_tracing: list[int] = []  # the recursion limit before, once for each thread that traces
_limits = threading.Lock()


@contextmanager
def _deeper() -> Iterator[None]:
    """Each branch and loop of converted code has frames of its own: what Python can recurse to stays in reach.

    All threads have one limit.
    """
    with _limits:
        limit = _tracing[0] if _tracing else sys.getrecursionlimit()
        deeper = limit * FRAMES
        if not _tracing:
            sys.setrecursionlimit(deeper)
        _tracing.append(limit)
    try:
        yield
    finally:
        with _limits:
            _tracing.pop()
            if not _tracing and sys.getrecursionlimit() == deeper:
                sys.setrecursionlimit(limit)


@contextmanager
def init_scope() -> Iterator[None]:
    """Run operations eagerly although a trace is active, as TensorFlow's `init_scope`.

    >>> with ag.init_scope():
    ...     print(ag.executing_eagerly())
    True
    """
    before = STATE.trace, STATE.tapes
    STATE.trace, STATE.tapes = None, ()
    try:
        yield
    finally:
        STATE.trace, STATE.tapes = before
