"""What generated code does at once, without a hook: with values of these types, while nothing stands in for them.

A list may have content that only the run knows, and a dictionary keys that are there on some paths only. As long as a trace
lives in which that came up, generated code asks the hooks (in all threads: what it reads is one for all).
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter, OrderedDict, defaultdict, deque
from types import BuiltinFunctionType, FunctionType
from typing import Any

from autograph.operators.state.births import births_of
from autograph.operators.state.plain import CERTAIN, NUMBERS, PLAIN, TRUTHS
from autograph.operators.values.choice import CHOICES
from autograph.operators.values.listvalue import RunTuple
from runtime.tensor import trace as trace_module
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Journal, Trace, current

__all__ = [
    "ALTERNATIVES", "FRESH", "HOLDERS", "INDEXED", "INDICES", "KEYS", "METHODS", "NUMBERS", "OWN_NAMES", "POSING", "READ",
    "ROWS", "SIMPLE", "STANDING_IN", "TRUTHS", "is_object", "meet_key", "meet_simple",
    "meet_tuple",
]  # fmt: skip

INDICES = NUMBERS
"""Exact types of indices by which Python finds an item."""
_DICTS = frozenset((dict, OrderedDict, defaultdict, Counter))
INDEXED: set[Any] = {list, tuple, str, bytes, range, deque, *_DICTS} - {defaultdict}
"""Exact types whose items and length are Python's; `meet_tuple` enters named tuples."""
KEYS: set[Any] = {*NUMBERS, type, BuiltinFunctionType, FunctionType}
"""Exact types of what is looked for in sets and dictionaries as Python does; `meet_key` enters classes of such."""
METHODS: frozenset[Any] = NUMBERS | {tuple, frozenset}
"""Exact types whose methods are called as they are."""
READ: frozenset[Any] = METHODS | _DICTS
"""Exact types whose methods that change nothing are called as they are."""
FRESH: frozenset[Any] = frozenset((list, dict, set, deque))
"""Exact types of containers that are changed without a note by the function that made them."""
HOLDERS: frozenset[Any] = frozenset((str, bytes, set, frozenset, range, *_DICTS))
"""Exact types that tell themselves what is in them."""
OWN_NAMES = tuple(
    "abs bool chr dict divmod float hex id int isinstance iter len list max min ord range repr round slice str type".split()
)
"""Built-in functions that generated code calls, or asks whether a name still means them."""
ALTERNATIVES = frozenset((*CHOICES, Tensor))
"""Types of values that are one or another, or stand for a number."""
POSING: set[Any] = {*ALTERNATIVES, RunTuple}
"""The same, and classes of which `type` and `id` do not tell what their instances stand for."""
STANDING_IN = {*ALTERNATIVES, list, dict}
"""The same with what may be one with another of its type."""
ROWS = PLAIN - {range}
"""Exact types over which loops go round in place."""

SIMPLE: set[type] = set()
"""Classes of whose instances attributes are read without any code of the user's."""

namespace: dict[str, Any] = {}  # what generated code reads
_TABLES = {
    "FRESH": FRESH, "HOLDERS": HOLDERS, "INDEXED": INDEXED, "KEYS": KEYS, "METHODS": METHODS, "NUMBERS": NUMBERS,
    "READ": READ, "ROWS": ROWS, "SIMPLE": SIMPLE, "TRUTHS": TRUTHS,
}  # fmt: skip
_unusual: set[int] = set()  # ids of traces
_lock = threading.RLock()  # a finalizer may come in between
_tracing: set[int] = set()  # threads that trace
_NOTHING: dict[str, Any] = {
    "noted": frozenset(), "born": frozenset(), "at_once": {}, "watched": {}, "outright": frozenset(), "calm": False,
}  # fmt: skip


OUTRIGHT: set[type] = set()  # classes in C whose methods are called as they are outside all branches and loops of the graph

# What `callee` sees at once
at_once: dict[int, Any] = _NOTHING["at_once"]
met: set[type] = set()  # the classes for whose instances that is called, too
watched: dict[int, Any] = _NOTHING["watched"]  # functions that are called as they are
outright: set[type] = set()
calm = False  # whether the trace relies on it that it meets no tensor: if one comes, all is traced again
early: set[int] = set()  # ids of the instances that it has made so far


def show() -> None:
    """Let generated code see what is known in the open region of this thread's trace.

    `noted` and `born` are those of the journal: what is in them is changed without a note. `at_once` has by id what is
    called for a function, where that is always the same, `outright` the classes whose methods are called as they are.
    `tracing` says whether any thread traces.
    All threads see the same: nothing while several trace. One that does not trace may see what is another's: it does as
    Python does then, or calls the converted form of a function.
    """
    global at_once, met, watched, outright, calm, early
    trace = current()
    with _lock:
        if trace is None:
            _tracing.discard(threading.get_ident())
        else:
            _tracing.add(threading.get_ident())
        namespace["tracing"] = bool(_tracing)
        if trace is None or len(_tracing) > 1 or _unusual:
            namespace.update(_NOTHING)
            at_once, watched, outright, calm = _NOTHING["at_once"], _NOTHING["watched"], set(), False
            return
        journal = trace.journal
        namespace["noted"], namespace["born"] = journal.noted, journal.born
        if trace.builder.region.parent is None and "rolling" not in trace.notes:
            at_once, met, watched, outright = trace.calls.at_once, trace.met, journal.watched, OUTRIGHT
            calm = "tensorless" in trace.notes and not trace.builder.emitted and not trace.graph.inputs
            early = births_of(trace).early
        else:
            at_once, watched, outright, calm = _NOTHING["at_once"], _NOTHING["watched"], set(), False
        namespace.update(at_once=at_once, met=met, watched=watched, outright=outright, calm=calm)


def show_notes(before: set[int], journal: Journal) -> None:
    """Let generated code see the tables of the journal, where it saw those with the set `before`: in the same region."""
    global watched
    with _lock:
        if namespace["noted"] is before:
            namespace["noted"], namespace["born"] = journal.noted, journal.born
            if at_once is not _NOTHING["at_once"]:
                watched = namespace["watched"] = journal.watched


def method_of(kind: type, name: str) -> Any:
    """What is always called for a special method of a user's class; None where that is not known."""
    method = getattr(kind, name, None)
    if type(method) is not FunctionType:
        return None
    return at_once.get(id(method)) or watched.get(id(method))


def meet_simple(kind: type) -> None:
    """Enter a class of which reading attributes runs no code, if it is one that stays."""
    if "<locals>" in kind.__qualname__ or kind in _not_simple:
        return
    found: Any = kind.__getattribute__
    if found is object.__getattribute__ and not hasattr(kind, "__getattr__"):
        values = (value for base in kind.__mro__ for value in vars(base).values())
        if all(type(value) in _WITHOUT_CODE or not hasattr(type(value), "__get__") for value in values):
            SIMPLE.add(kind)
            return
    _not_simple.add(kind)


def meet_tuple(kind: type) -> bool:
    """Whether a class is one of tuples whose items and length are Python's: such a one is entered, if it stays."""
    if not issubclass(kind, tuple) or any(getattr(kind, n) is not getattr(tuple, n) for n in _OF_TUPLES):
        return False
    if "<locals>" not in kind.__qualname__:
        INDEXED.add(kind)
    return True


def meet_indexed(kind: type) -> None:
    """Enter a class whose special methods are left to Python, if it is one that stays and has both items and a length."""
    if is_object(kind) and "<locals>" not in kind.__qualname__ and hasattr(kind, "__len__"):
        INDEXED.add(kind)


def meet_key(kind: type) -> bool:
    """Whether instances of a class are numbers or texts that sets and dictionaries find: it is entered, if it stays."""
    if kind in KEYS:
        return True
    known = _not_keys.get(id(kind))
    if known is not None and known() is kind:
        return False
    found: tuple[Any, Any] = kind.__eq__, kind.__hash__
    if found in _FINDING and all(base in NUMBERS or _is_python(base) for base in kind.__mro__[:-1]):
        if "<locals>" not in kind.__qualname__:
            KEYS.add(kind)
        return True
    key = id(kind)
    _not_keys[key] = weakref.ref(kind, lambda _: _not_keys.pop(key, None))
    return False


_FINDING: frozenset[Any] = frozenset((kind.__eq__, kind.__hash__) for kind in (int, str, bytes, float))
_not_keys: dict[int, Any] = {}  # by id; no WeakSet, whose code may be what is converted
_OF_TUPLES = ("__iter__", "__len__", "__getitem__", "__getattribute__")
_not_simple: weakref.WeakSet[type] = weakref.WeakSet()
_WITHOUT_CODE = frozenset((
    type(lambda: 0), staticmethod, classmethod, type(str.join), type(dict.fromkeys), type(dict.__dict__["fromkeys"]),
    type(int.__add__), type(int.real), type(slice.start),
))  # fmt: skip
"""Types of what a class may hold that gives itself as an attribute, by code in C."""


def is_object(kind: type) -> bool:
    """Whether instances of a class are the user's or the standard library's, of Python code only: nothing is staged about
    them but what their methods do."""
    known = _objects.get(id(kind))
    if known is not None and known() is kind:
        return True
    if not all(map(_is_python, kind.__mro__[:-1])):
        return False
    key = id(kind)
    _objects[key] = weakref.ref(kind, lambda _: _objects.pop(key, None))
    return True


def _is_python(base: type) -> bool:
    """Whether a class was made by a `class` statement that is nothing of ours or NumPy's."""
    module = base.__module__
    return base.__flags__ & _MADE_BY == _PYTHON and type(module) is str and module.partition(".")[0] not in _STAGING


_objects: dict[int, Any] = {}  # by their id
_PYTHON = 1 << 9  # the flag of a class that is made while Python runs, by a `class` statement,
_MADE_BY = _PYTHON | 1 << 8  # or in C: then it cannot be changed
_STAGING = frozenset(("autograph", "runtime", "numpy"))  # whose classes may stand for what only the run knows


def ask_hooks(trace: Trace) -> None:
    """While a trace lives, generated code leaves it all to the hooks."""
    key = id(trace)
    if key not in _unusual:
        _unusual.add(key)
        weakref.finalize(trace, _gone, key)
        namespace.update(dict.fromkeys(_TABLES, frozenset()), TRUTHS=CERTAIN)
        show()


def _gone(key: int) -> None:
    _unusual.discard(key)
    if not _unusual:
        namespace.update(_TABLES)


trace_module.unusual = ask_hooks
trace_module.changed = show
trace_module.renoted = show_notes
