"""Which dictionaries and sets have tensors as keys: those are made as forms over lists (see `keyed_forms`).

    d = {}; d[x] = 1    ->    the key needs a hash: the function is traced again, with a note of where dictionaries are made;
                              it is d's: the function is traced again, and what that place makes is a form

What is made outside of the trace stays Python's.
"""

from __future__ import annotations

import collections
import functools
import sys
from collections.abc import Callable
from typing import Any

from autograph.operators.containers import contents
from autograph.operators.containers.lists import dynamic_of
from autograph.operators.containers.sharing import sharing_of
from autograph.operators.functions import alternatives, calls
from autograph.operators.functions.calls import callee
from autograph.operators.functions.generators import may_be_shared
from autograph.operators.functions.keyed_forms import (
    Counts,
    Defaulting,
    FrozenKeyedSet,
    Keyed,
    KeyedSet,
    Ordered,
)
from autograph.operators.state import aliases, dict_places, places
from autograph.operators.state.aliases import KEYED, TraceAgain, hints_of
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.statements.staged_texts import StagedText
from autograph.operators.values import quick
from autograph.operators.values.choice import alternatives_of, is_mixed, select
from autograph.operators.values.listvalue import RunTuple, Splice
from autograph.operators.values.maybe import is_maybe, merged
from runtime.tensor import tensor as tensor_module
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import STATE, Trace

__all__ = ["OF_FORMS", "ask", "check", "dict_of", "form_of", "grouped", "is_key", "readable", "set_of"]

_FORMS: dict[type, Any] = {
    dict: Keyed, set: KeyedSet, collections.Counter: Counts, collections.defaultdict: Defaulting,
    collections.OrderedDict: Ordered, frozenset: FrozenKeyedSet,
}  # fmt: skip


def is_key(x: Any) -> bool:
    """Whether a key is known only to the run."""
    if type(x) is RunTuple or type(x) is FrozenKeyedSet:
        return True
    if type(x) is tuple:
        return not NUMBERS.issuperset(map(type, x)) and any(map(is_key, x))
    return is_staged(x) or type(x) is StagedText or is_mixed(x)


_MAY_BE = (tuple, RunTuple, FrozenKeyedSet, StagedText)


def check(container: Any, key: Any) -> None:
    """Python is about to look for a key: one that is known only to the run is asked for."""
    if (type(key) in _MAY_BE or isinstance(key, Tensor)) and type(container) in _FORMS and is_key(key):
        ask(container)


def readable(container: Any, key: Any) -> Any:
    """What is asked for a key in the place of a container: a form with its content, where only the run knows the key."""
    if (type(key) in _MAY_BE or isinstance(key, Tensor)) and type(container) in _FORMS and is_key(key):
        ask(container, writes=False)
        return form_of(container)
    return container


def form_of(container: Any) -> Any:
    """A form with the content of a container that was made outside."""
    kind = type(container)
    if kind is collections.defaultdict:
        kind = dict  # it does not get the keys that it lacks
    made = callee(_FORMS.get(kind, Keyed))()
    made.names = list(container)
    if kind not in _SETS:
        made.held = list(container.values())
    return made


def ask(container: Any, writes: bool = True) -> None:
    """A container is asked for a key that only the run knows: trace again, if that may make a form of it. What is there
    before the trace becomes one if it is written so."""
    trace = STATE.trace
    if trace is None or not trace.notes.get("restarts"):
        return
    hints = hints_of(trace)
    if KEYED not in hints and type(container) in _FORMS:
        raise TraceAgain(KEYED)
    made = trace.notes.get("made", {})
    # One of several alternatives was made for the branch: those that it may be were made by the function.
    alike = sharing_of(trace).may_be(container) if "sharing" in trace.notes and id(container) not in made else [container]
    sites = [made[id(x)] for x in alike if id(x) in made]
    for site in sites:
        if site not in hints:
            raise TraceAgain(site)
    if not sites and writes and "outside arrays" in trace.notes:
        trace.notes["outside arrays"].only_run_knows(trace, container)


def _hashed() -> None:
    """The hash of a staged number is asked for."""
    trace = STATE.trace
    if trace is not None and trace.notes.get("restarts") and KEYED not in hints_of(trace):
        raise TraceAgain(KEYED)


tensor_module.hash_hook = _hashed


def _made(kind: type, *args: Any, **kwargs: Any) -> Any:
    """A dictionary or set, or a form of it."""
    trace = STATE.trace
    if trace is None or (not args and "keyed" not in trace.notes):
        return kind(*args, **kwargs)
    if args and kind in (dict, set, collections.OrderedDict) and is_mixed(args[0]):
        made = _made(kind)
        callee(made.update)(*args)  # under a test for each that it may be
        made.update(**kwargs)
        return made
    site = None
    if KEYED in hints_of(trace):
        frame: Any = sys._getframe(1)
        while frame.f_globals.get("__name__", "").startswith("autograph."):
            frame = frame.f_back
        site = (KEYED, frame.f_code, frame.f_lasti)
    given = args[1:] if kind is collections.defaultdict else args
    if (site is not None and site in hints_of(trace)) or any(_has_keys(x, kind) for x in given):
        if kind in _SETS and "keyed" not in trace.notes and trace.notes.get("restarts"):
            raise TraceAgain(KEYED)  # the set that this one is given to may have to be one, too
        return callee(_FORMS[kind])(*args, **kwargs)
    made = kind(*args, **kwargs)
    if site is not None:
        trace.notes.setdefault("made", {})[id(made)] = site
    return made


def _has_keys(x: Any, kind: type) -> bool:
    """Whether what a dictionary or set is made of has keys that only the run knows."""
    if type(x) in OF_FORMS:
        return True
    if dynamic_of(x) is not None:
        return True
    of_pairs = kind not in _SETS and kind is not collections.Counter
    if type(x) in (list, tuple):
        return any(is_key(e[0] if of_pairs and type(e) in (list, tuple) and e else e) for e in x)
    if may_be_shared(x) or isinstance(x, Tensor):
        return True
    return staged_iterable(x) is not None


OF_FORMS = frozenset(_FORMS.values())
_SETS = (set, frozenset)


def dict_of(*pairs: Any) -> Any:
    """`{key: value, ...}`; a part of one item is a dictionary whose items go there."""
    trace = STATE.trace
    if any(len(part) == 1 for part in pairs):
        return _merged(pairs)
    if (trace is None or "keyed" not in trace.notes) and all(type(k) in NUMBERS for k, _ in pairs):
        return dict(pairs)
    return _made(dict, pairs) if pairs else _made(dict)


def set_of(*items: Any) -> Any:
    """`{item, ...}`."""
    trace = STATE.trace
    if (trace is None or "keyed" not in trace.notes) and NUMBERS.issuperset(map(type, items)):
        return set(items)
    return _made(set, list(items) if any(type(item) is Splice for item in items) else items)


def _merged(parts: tuple[Any, ...]) -> Any:
    """`{**d, key: value}`."""
    for i, part in enumerate(parts):
        if len(part) == 1 and is_mixed(part[0]):
            return select(part[0], lambda taken: _merged((*parts[:i], (taken,), *parts[i + 1 :])))
    others = [part[0] for part in parts if len(part) == 1]
    keys = [part[0] for part in parts if len(part) == 2]
    if not any(type(d) in OF_FORMS for d in others):
        if any(map(is_key, keys)):
            for d in others:
                if type(d) in _FORMS:
                    ask(d)
        items: dict[Any, Any] = {}
        for part in parts:
            items.update([part] if len(part) == 2 else merged(items, {**part[0]}))
        return _made(dict, list(items.items()))
    made = callee(Keyed)()
    for part in parts:
        callee(made.update)(part[0] if len(part) == 1 else [part])
    return made



for _kind in _FORMS:
    stand_in(_kind)(functools.partial(_made, _kind))


def _method(f: Any) -> Callable[..., Any] | None:
    """A method of a dictionary or set, where some have keys that only the run knows; None for anything else."""
    if type(getattr(f, "__self__", None)) not in _FORMS:
        return None

    return functools.partial(_method_called, f)


def _method_called(f: Any, *args: Any, **kwargs: Any) -> Any:
    """`f(*args, **kwargs)`. No closure that names itself: the cycle would hold the container, as somebody outside of the
    loop that has made it does."""
    owner = f.__self__
    if args and is_mixed(args[0]):
        grouped(owner, args[0])
        return select(args[0], lambda taken: _method_called(f, taken, *args[1:], **kwargs))
    if any(is_key(a) or type(a) in OF_FORMS or _has_keys(a, type(owner)) for a in args[:1]):
        ask(owner, writes=f.__name__ not in _READING)
        if f.__name__ in _READING:
            return callee(getattr(form_of(owner), f.__name__))(*args, **kwargs)
    return _plain(STATE.trace, f)(*args, **kwargs)


_READING = frozenset("get union intersection difference symmetric_difference issubset issuperset isdisjoint".split())


def _plain(trace: Trace | None, f: Any) -> Any:
    if trace is None:
        return f
    mode = trace.notes.pop("keyed", None)
    try:
        return callee(f)
    finally:
        if mode is not None:
            trace.notes["keyed"] = mode


calls.keyed_method = _method


def grouped(container: Any, key: Any) -> None:
    """Note that one of several keys is looked up, of which only the run knows which: what is there may be a list."""
    if STATE.trace is not None and type(container) in _GROUPING and all(type(k) is str for k in alternatives_of(key)):
        STATE.trace.notes.setdefault("grouping", set()).add(id(container))  # it is not held: who else does is counted


_GROUPING = (dict, collections.defaultdict)


def _group(trace: Trace) -> None:
    """Only the run knows which list is changed: if a dictionary may hold it at one of several keys, it becomes a form."""
    for container in trace.notes.get("grouping", ()):
        site = KEYED if KEYED not in hints_of(trace) else trace.notes.get("made", {}).get(container)
        if site is not None and site not in hints_of(trace):
            raise TraceAgain(site)


def _in_place(x: Any, value: Any) -> None:
    """`x op= value` of a set or dictionary, where `value` is a form."""
    if type(value) in OF_FORMS and type(x) in _FORMS:
        ask(x)


def _by_run(x: Any) -> None:
    """Only the run knows which keys a set or dictionary has, or what a deque holds: branches have changed it."""
    ask(x)


def _maybe_there(x: Any, value: Any) -> None:
    """A branch or loop of the graph may have set a key of a container: one with an order and a count of its own asks Python
    for them."""
    if type(x) in _FORMS and is_maybe(value):
        ask(x)


aliases.group, alternatives.note_keys = _group, grouped
contents.of_forms = _in_place
places.maybe_there = _maybe_there
dict_places.by_run = _by_run
quick.ALTERNATIVES |= OF_FORMS  # `isinstance` is asked what they stand for
quick.STANDING_IN |= OF_FORMS
quick.POSING |= OF_FORMS
