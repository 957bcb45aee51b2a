"""Calls in converted code: `ag__.callee(f)(args)` gives what to call in the place of `f`.

Functions of the user (and of the packages they use) are converted; the standard library, NumPy and this package are
called as they are; built-in functions that know nothing of staged tensors have stand-ins.
"""

from __future__ import annotations

import builtins
import operator
import re
import sys
import weakref
from abc import ABCMeta
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from functools import lru_cache, partial
from io import TextIOWrapper
from types import (
    BuiltinMethodType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from numpy import ufunc

from autograph.errors.catalogue import SourceUnavailableError
from autograph.load.at_once import JOINING, OF_TEXTS
from autograph.load.cache import has_tries, is_converted
from autograph.load.entries import converted_form
from autograph.operators.containers.contents import note_within, noting, noting_method
from autograph.operators.containers.list_methods import MUTATING, ListMethod
from autograph.operators.containers.lists import note_list
from autograph.operators.functions.alternatives import by_alternatives
from autograph.operators.functions.array_functions import is_of_numpy, on_arrays
from autograph.operators.functions.constructors import (
    NEW,
    NEW_CONTAINERS,
    constructor,
    new_container,
    new_instance,
)
from autograph.operators.functions.decorators import CACHED, cached, unwrapped
from autograph.operators.functions.generators import GENERATOR, generator_maker, refuse_spent
from autograph.operators.functions.noted_methods import (
    DICT_READS,
    DICT_WRITES,
    by_python,
    dict_method,
    next_plainly,
    on_heap,
    plainly,
)
from autograph.operators.functions.python_forms import ACCELERATED, python_form
from autograph.operators.functions.recursion import recursive
from autograph.operators.functions.try_forms import choosing_tries, with_tries
from autograph.operators.functions.unconverted import (
    as_python,
    call_as_it_is,
    is_plainly_hashed,
    is_unconverted_module,
    refusing,
    runs_as_it_is,
    was_generated,
    without_lists,
)
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.places import rebinds, watch
from autograph.operators.state.plain import ITERATORS, NUMBERS
from autograph.operators.state.plain_arrays import at_of_ufunc, method_of_array
from autograph.operators.state.regions import current_trace
from autograph.operators.state.stand_ins import FRAME_READERS, STAND_INS, stand_in_of
from autograph.operators.statements import truth
from autograph.operators.statements.rolling import CannotRoll, check_call
from autograph.operators.statements.staged_texts import check_text, method_of_text
from autograph.operators.statements.world import (
    GENERATORS,
    RANDOM_MODULES,
    WORLDLY,
    asks_world,
    runs_again,
    world_stand_in,
)
from autograph.operators.values import quick, specials
from autograph.operators.values.choice import choice_of, select
from autograph.operators.values.listvalue import RunTuple, list_of
from autograph.operators.values.maybe import is_maybe
from autograph.operators.values.specials import meet_class, meet_function, undispatched
from runtime.tensor import trace as trace_module
from runtime.tensor.trace import STATE, Trace, current

__all__ = ["callee", "converted", "special", "with_tries"]


def callee(f: Any) -> Any:
    """What converted code calls where the user's code calls `f`."""
    kind = type(f)
    if kind is MethodType:
        function = f.__func__
        made = quick.at_once.get(id(function)) or quick.watched.get(id(function))
        if made is not None and ((owned := type(f.__self__)) in quick.met or (owned is type and f.__self__ in quick.met)):
            return f if made is function else MethodType(made, f.__self__)
    elif kind in _BOUND and (
        (owned := type(f.__self__)) in quick.outright
        or (owned is list and quick.calm and id(f.__self__) in quick.namespace["noted"] and f.__name__ in _ALL_PYTHONS)
    ):
        return f if owned not in _LOOKED_AT else _outright(f, owned)
    else:
        made = quick.at_once.get(id(f))
        if made is None and kind is FunctionType:
            made = quick.watched.get(id(f))
        if made is not None:
            return made
        if kind in _ASKED and quick.outright:
            return f
    trace = current()
    if trace is None:
        return FRAME_READERS.get(f, f) if kind is BuiltinMethodType else f
    if ("keyed" in trace.notes or "mixed" in trace.notes) and (made := _where_staged(trace, f)) is not None:
        return made
    if kind is MethodType:
        made = trace.calls.get(function) if type(function) is FunctionType else None
        if made is not None and type(f.__self__) in trace.met:
            if trace.builder.region.parent is not None and type(made) is FunctionType:
                made = recursive(trace, made)
            return MethodType(made, f.__self__)
    elif kind is BuiltinMethodType and (owned := type(f.__self__)) is not ModuleType:
        if owned is list or owned is dict:
            name = f.__name__
            if id(f.__self__) in trace.journal.noted and name in (_WRITES if owned is list else _WRITES_ALL):
                return f if owned is dict or name in _ALL_PYTHONS else partial(plainly, f)
            if owned is list and name in _ALL_PYTHONS and "lists" not in trace.notes:
                note_list(trace, f.__self__)
                return f
            if owned is dict and name in DICT_READS and "choices" not in trace.notes:
                return f
        elif f is NEW:
            return new_instance
        elif owned is str:
            name = f.__name__
            if "texts" in trace.notes and name not in _OF_ANY_TEXT:
                check_text(trace, f.__self__, name)
            if name in OF_TEXTS:
                return f if quick.calm else partial(method_of_text, f)
    elif kind in _KEPT:
        made = trace.calls.get(f)
        if made is not None:
            if trace.builder.region.parent is not None and kind is type(made) is FunctionType:
                return recursive(trace, made)
            return made
        if kind is FunctionType and id(f.__code__) in trace.simple and "rolling" not in trace.notes:
            watch(trace, f)
            return recursive(trace, f) if trace.builder.region.parent is not None else _ask_no_more(trace, f, f)
    return _rolling(trace, f) if "rolling" in trace.notes else _found(trace, f, kind)


def _outright(f: Any, owned: type) -> Any:
    """A method of a text, set, deque or an object that is a list while nothing is staged."""
    if owned is str:
        return partial(method_of_text, f) if f.__name__ in OF_TEXTS and not quick.calm else f
    trace = current()  # None in a thread beside the one that traces
    return f if trace is None or id(f.__self__) in quick.namespace["noted"] else noting_method(trace, f)


def _found(trace: Trace, f: Any, kind: type) -> Any:
    """`callee` of what was not called in the trace yet, or is looked at each time."""
    bound = None
    if kind is MethodType:
        owned = type(f.__self__)
        if owned not in trace.met:
            owned = f.__self__ if owned is type else owned
            meet_class(trace, owned)
            trace.met.add(owned)
        bound, f = f, f.__func__
        kind = type(f)
    if kind is FunctionType:
        own = trace.closures.get(id(f))
        if own is not None and own[1] is f.__code__ and own[3] is f.__defaults__ and own[4] is f.__kwdefaults__:
            made = own[2] if own[5] else _called(trace, own[2])
            return made if bound is None else MethodType(made, bound.__self__)
        known = _known.get(id(f))
        if known is not None and known[1] is f.__code__:  # it goes with its function: the number is nobody else's
            _, _, made, defaults, keywords, plain = known
            if made is not None and f.__defaults__ is defaults and f.__kwdefaults__ is keywords:
                if not plain or plain not in trace.called:
                    _remember(trace, f, made)
                    made = _called(trace, made)
                elif trace.builder.region.parent is not None:
                    made = recursive(trace, made)
                return made if bound is None else MethodType(made, bound.__self__)
        if bound is None:
            return _function(trace, f)
    if bound is not None:
        if type(bound.__self__) in _DICTIONARIES and f.__name__ in _PYTHONS_WRITES:
            return partial(by_python, bound)
        if is_unconverted_module(f.__module__) and note_within(trace, bound.__self__):
            return bound
        if type(bound.__self__).__name__ in GENERATORS and runs_again(trace, 3) and (how := asks_world(bound)):
            return world_stand_in(bound, how)
        inner = _function(trace, f) if kind is FunctionType else callee(f)
        return bound if inner is f else MethodType(inner, bound.__self__)
    if kind is BuiltinMethodType or kind is _METHOD_IN_C:
        return _builtin(trace, f)
    if kind is type and f in _BUILTIN_TYPES:
        return _keep(trace, f, STAND_INS.get(f, f))
    if kind is CACHED and "<locals>" in f.__qualname__ and not is_unconverted_module(f.__module__):
        return cached(f, callee)  # whoever kept that would keep the function
    return _other(trace, f, kind)


def _remember(trace: Trace, f: FunctionType, made: FunctionType) -> None:
    """What is called for a function in the rest of the trace, if there is nothing more to it and the function stays."""
    is_held = "<locals>" not in f.__qualname__ or (f.__closure__ is f.__defaults__ is None and len(trace.calls) < _MANY)
    if not is_held or rebinds(made):
        return
    if not made.__code__.co_flags & GENERATOR:
        _keep(trace, f, choosing_tries(trace, made, _chosen) if has_tries(made.__code__) else made)
    elif tensorless(trace):
        _keep(trace, f, made)


def _ask_no_more(trace: Trace, f: FunctionType, made: Any) -> Any:
    """Keep what is called for a function outside all branches and loops of the graph, as long as its cells are noted."""
    watched = trace.journal.watched
    if quick.watched is watched and (not f.__code__.co_flags & GENERATOR or tensorless(trace)):
        watched.follow(f, made)
    return made


def _keep(trace: Trace, f: Any, made: Any) -> Any:
    """Keep what is called for `f`."""
    calls = trace.calls
    calls[f] = made
    if f in calls:  # which keeps its id
        calls.at_once[id(f)] = made
    return made


def _hold(trace: Trace, f: Any, made: Any) -> Any:
    """Keep what is called for `f`, which is not converted, outside all branches and loops of the graph."""
    if quick.at_once is trace.calls.at_once and "texts" not in trace.notes and "<locals>" not in f.__qualname__:
        trace.calls.hold(f, made)
    return made


def _builtin(trace: Trace, f: Any) -> Any:
    """`callee` of a built-in function or method."""
    owner, name = type(f.__self__), f.__name__
    if "seeded" in trace.notes and id(f.__self__) in trace.notes["seeded"] and tensorless(trace):
        return f  # what is in C writes to nothing else
    if owner is type and f in NEW_CONTAINERS:
        return _keep(trace, f, partial(new_container, f))
    if owner is list:
        if name in _COMPARING or name in _SUBSCRIPTS:
            return partial(STAND_INS[getattr(list, name)], f.__self__)
        return ListMethod(f.__self__, name) if name in MUTATING or "lists" in trace.notes else f
    if owner is RunTuple and name in _SEARCHING:
        return partial(STAND_INS[getattr(list, name)], list_of(f.__self__))
    if owner.__name__ == "ndarray":
        return method_of_array(f)
    if owner is ufunc and name == "at":
        return at_of_ufunc(f)
    if owner is TextIOWrapper and name in _READS_FILES and tensorless(trace):
        return f
    if name in DICT_WRITES and issubclass(owner, dict):
        return partial(dict_method, f, name) if trace.journal else f
    if owner is dict:
        if name in _SUBSCRIPTS:
            return partial(STAND_INS[getattr(dict, name)], f.__self__)
        if "choices" in trace.notes and name in DICT_READS and any(map(is_maybe, f.__self__.values())):
            return partial(dict_reads, name, f.__self__)
        return f
    if owner is GeneratorType and name == "send":
        refuse_spent(f.__self__)
        return f
    if owner in _CHANGING and owner not in _standing_in():
        quick.OUTRIGHT.add(owner)  # at the top
    if owner in _CHANGING or (owner is not ModuleType and issubclass(owner, _CHANGING_BASES)):
        noting_method(trace, f)
    if owner in _HELPLESS or _is_inert(owner):
        return as_python(trace, f, f)
    if owner is ModuleType and (f is next or f.__module__ == "_heapq") and tensorless(trace):
        return _hold(trace, f, next_plainly if f is next else partial(on_heap, f))
    if owner is ModuleType and f in _UNWORLDLY:
        return _keep(trace, f, STAND_INS.get(f) or as_python(trace, f, noting(f)))
    if owner is ModuleType and f.__module__ in ACCELERATED:
        return _keep(trace, f, python_form(f, callee))
    if owner is ModuleType or owner is type or owner.__name__ in GENERATORS:
        how = asks_world(f)
        if how:
            return world_stand_in(f, how) if runs_again(trace, 4) else f
        if owner is ModuleType:
            _UNWORLDLY.add(f)
    elif is_unconverted_module(owner.__module__) and "<locals>" not in owner.__qualname__ and not _is_followed(owner):
        if issubclass(owner, _CHANGING_BASES) and not issubclass(owner, dict):
            _LOOKED_AT.add(owner)
        quick.OUTRIGHT.add(owner)
    return _other(trace, f, BuiltinMethodType)


def _is_followed(owner: type) -> bool:
    """Whether some methods of a class in C have stand-ins, or are given others each time."""
    return owner is TextIOWrapper or owner in _DICTIONARIES or owner in _standing_in()


@lru_cache
def _standing_in() -> frozenset[type]:
    """Classes of objects some methods of which have stand-ins."""
    return frozenset(type(f.__self__) for f in STAND_INS if type(f) in _BOUND)


def _is_inert(owner: type) -> bool:
    """Whether instances of a class in C change nothing and have no methods with stand-ins."""
    inert = owner in _HOLDS_NOTHING or (type(owner) is type and owner.__module__ in _IMMUTABLE)
    if inert:
        quick.OUTRIGHT.add(owner)
    return inert


_HOLDS_NOTHING = NUMBERS | {tuple, frozenset}
_IMMUTABLE = frozenset(("re", "datetime", "decimal"))  # modules of classes in C


def _where_staged(trace: Trace, f: Any) -> Any:
    """`callee` where keys are tensors, or some values are one of several alternatives; None where that does not matter."""
    if "keyed" in trace.notes and (made := keyed_method(f)) is not None:
        return made
    if "mixed" not in trace.notes:
        return None
    mixed = trace.notes.pop("mixed")
    try:
        made = callee(f)
    finally:
        trace.notes["mixed"] = mixed
    return by_alternatives(f, made)


def _rolling(trace: Trace, f: Any) -> Any:
    """`callee` while a long loop is tried as a graph loop: what may give something else at each call is refused."""
    rolling = trace.notes.pop("rolling")
    try:
        made = callee(f)
    finally:
        trace.notes["rolling"] = rolling
    if made is f and not (type(f) is FunctionType and is_converted(f.__code__)):  # nothing stands in for it
        check_call(f)
    elif f is next:
        raise CannotRoll
    return made


def _other(trace: Trace, f: Any, kind: type) -> Any:
    """`callee` of what is neither a Python function nor a method."""
    try:
        stand_in = STAND_INS.get(f) if kind in _KEPT or kind in _HELD or is_plainly_hashed(kind) else None
    except TypeError:  # not hashable
        stand_in = None
    if stand_in is not None:
        return _hold(trace, f, stand_in) if kind in _HELD else stand_in
    if kind is BuiltinMethodType:
        return as_python(trace, f, noting(f))
    if getattr(f, "__module__", None) in RANDOM_MODULES and runs_again(trace, 4) and (how := asks_world(f)):
        return world_stand_in(f, how)
    if choice_of(f) is not None:
        return _choice_call(f)
    if is_of_numpy(kind) and not tensorless(trace):
        return on_arrays(f, "lists" in trace.notes)
    if isinstance(f, type):
        if "lists" in trace.notes and is_unconverted_module(f.__module__):
            return refusing(f)
        made = constructor(trace, f)
        if kind not in _KEPT:  # it may have an equality of its own
            return _hold(trace, f, made)
        return _keep(trace, f, made) if "<locals>" not in f.__qualname__ else made
    if kind is MethodWrapperType and type(f.__self__) in ITERATORS:
        quick.OUTRIGHT.add(type(f.__self__))
    elif kind is MethodWrapperType and f.__objclass__ in _WITH_SLOTS and (form := _slot(f)) is not None:
        return partial(form, f.__self__)  # `super().__setattr__`, `xs.__len__`
    if kind is CACHED and not is_unconverted_module(f.__module__):
        made = cached(f, callee)
        return _hold(trace, f, made) if type(getattr(f, "__qualname__", None)) is str else made
    if kind is partial:
        inner = callee(f.func)
        return f if inner is f.func else partial(inner, *f.args, **f.keywords)
    call = getattr(kind, "__call__", None)  # noqa: B004 (the function itself, not whether there is one)
    if type(call) is FunctionType and not is_unconverted_module(kind.__module__):
        inner = callee(call)
        if inner is not call:
            return MethodType(inner, f)
    if "lists" in trace.notes and not hasattr(kind, "__takes_anything__"):
        return without_lists(f)
    return _hold(trace, f, f) if kind in _HELD and type(getattr(f, "__qualname__", None)) is str else f


def _slot(f: Any) -> Any:
    """What stands in for a special method of one of Python's classes, if anything does."""
    return STAND_INS.get(getattr(f.__objclass__, f.__name__))


_OF_ANY_TEXT = JOINING | {"strip", "lstrip", "rstrip"}
_READS_FILES = frozenset(("read", "readline", "readlines"))
_BUILTIN_TYPES = frozenset(t for t in vars(builtins).values() if type(t) is type)
_HELPLESS = NUMBERS | {tuple, set, frozenset, bytearray}  # of their methods none has a stand-in
_CHANGING = frozenset((set, bytearray, deque, array))
_PYTHONS_WRITES = frozenset(("update", "subtract"))
_LOOKED_AT: set[type] = {*_CHANGING, str}  # classes in C of whose methods some are no more than called
_DICTIONARIES = frozenset((OrderedDict, defaultdict, Counter))
_CHANGING_BASES = (list, dict, set, bytearray, deque, array)
_UNWORLDLY: set[Any] = set()  # functions of modules that were found to ask the world nothing
_known: dict[int, tuple[Any, ...]] = {}
"""By id of a function without closure: it, its code, what is called for it, its defaults, and the id of the code of what
is called if there is nothing more to it than being called."""


def _function(trace: Trace, f: FunctionType) -> Any:
    form = converted_form(f)
    if form is not None:
        return callee(form)
    original = undispatched(f)
    if original is not f:
        made = callee(original)
        if quick.watched.get(id(original)) is made:
            return _ask_no_more(trace, f, made)
        return _keep(trace, f, made) if quick.at_once.get(id(original)) is made else made
    known = _known.get(id(f))
    if known is not None and known[1] is f.__code__ and known[2] is None:
        return _hold(trace, f, as_python(trace, f, noting(f)))
    if id(f.__code__) in trace.simple:
        watch(trace, f)
        return recursive(trace, f) if trace.builder.region.parent is not None else _ask_no_more(trace, f, f)
    if is_converted(f.__code__):
        if not f.__code__.co_flags & GENERATOR and not has_tries(f.__code__):
            trace.simple.add(id(f.__code__))  # the trace holds the code of what it called
        _remember(trace, f, f)
        return _ask_no_more(trace, f, _called(trace, f))
    stand_in = stand_in_of(f)
    if stand_in is not None:
        return _hold(trace, f, stand_in)
    if f.__module__ in WORLDLY and asks_world(f):
        return world_stand_in(f, "frozen") if runs_again(trace) else f
    stays = runs_as_it_is(f)
    if stays and (remade := unwrapped(f, callee)) is not None:
        return remade
    if not stays and was_generated(f.__code__):
        call = partial(call_as_it_is, f)
        _keep_closure(trace, f, call, as_it_is=True)
        return call
    try:
        made = None if stays else converted(f)
    except SourceUnavailableError:
        if not f.__code__.co_filename.startswith("<"):
            raise
        return partial(call_as_it_is, f)  # made of a text that nobody kept
    if made is not None:
        meet_function(trace, f)
    if f.__closure__ is None:  # what has one may be held by it, and would never go
        key = id(f)
        kept = weakref.ref(f, lambda _: _known.pop(key, None))
        plain = made is not None and _is_plain(made) and id(made.__code__)
        _known[key] = kept, f.__code__, made, f.__defaults__, f.__kwdefaults__, plain
    if made is None:
        return as_python(trace, f, noting(f))
    _remember(trace, f, made)
    if f.__closure__ is not None:
        _keep_closure(trace, f, made)
    return _called(trace, made)


def _keep_closure(trace: Trace, f: FunctionType, made: Any, as_it_is: bool = False) -> None:
    """Keep what is called for a function that has a closure, for the rest of the trace; `as_it_is` where that is all."""
    closures = trace.closures
    if len(closures) >= _MANY:
        closures.clear()
    key = id(f)
    kept = weakref.ref(f, lambda _: closures.pop(key, None))
    closures[key] = kept, f.__code__, made, f.__defaults__, f.__kwdefaults__, as_it_is


def _is_plain(made: FunctionType) -> bool:
    """Whether calling a converted function is all there is to it."""
    code = made.__code__
    return not (rebinds(made) or code.co_flags & GENERATOR or has_tries(code))


def _called(trace: Trace, made: FunctionType) -> Any:
    """What is called for a converted function."""
    watch(trace, made)
    if has_tries(made.__code__):
        return choosing_tries(trace, made, _chosen)
    return _chosen(trace, made)


def _chosen(trace: Trace | None, made: FunctionType) -> Any:
    if trace is None:
        return made
    if made.__code__.co_flags & GENERATOR:
        return made if tensorless(trace) else generator_maker(made)
    return recursive(trace, made)


def special(x: Any, name: str) -> Any:
    """The converted special method of an object of a user's class, bound; None where the class leaves it to Python."""
    if current() is None:
        return None
    kind = type(x)
    method = getattr(kind, name, None)
    if type(method) is not FunctionType:
        return None
    made: Any = quick.at_once.get(id(method)) or quick.watched.get(id(method))
    if made is None:
        dispatcher, method = method, undispatched(method)
        made = quick.at_once.get(id(method)) or quick.watched.get(id(method))
        if made is None:
            if is_unconverted_module(kind.__module__):
                if name == "__getitem__":
                    quick.meet_indexed(kind)
                return None
            made = callee(method)
        if method is not dispatcher and (quick.at_once.get(id(method)) or quick.watched.get(id(method))) is made:
            if "<locals>" not in dispatcher.__qualname__:
                current_trace().calls.hold(dispatcher, made)  # what is always called for one is called for the other
            elif quick.watched is current_trace().journal.watched:
                quick.watched.follow(dispatcher, made)
    return None if made is method and not is_converted(method.__code__) else MethodType(made, x)


truth.special_hook = special
trace_module.converted = callee
specials.callee, specials.is_foreign = callee, is_unconverted_module
specials.stays = lambda f: runs_as_it_is(f) or was_generated(f.__code__)


def converted(f: FunctionType) -> FunctionType:
    """The converted form of a function (made once per code object)."""
    from autograph.load.conversion import convert_function  # loads gast

    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        return convert_function(f, sys.modules["autograph.operators"])
    finally:
        STATE.trace = trace


dict_reads: Any = None  # these of a dictionary with keys that were set on some paths only; put here by the module that can
keyed_method: Any = None  # a method of a dictionary or set where keys are known only to the run; from `keyed`


_MANY = 500  # functions: one without a closure, made by another, is kept only while there are fewer
_METHOD_IN_C: Any = type(re.compile("").match)  # another type than that of a list's methods
_BOUND = frozenset((BuiltinMethodType, MethodWrapperType, _METHOD_IN_C))
_KEPT = frozenset((FunctionType, BuiltinMethodType, type, ABCMeta))  # types of what may be remembered by its identity
_HELD = frozenset((CACHED, WrapperDescriptorType, MethodDescriptorType))  # of what lives as long as the trace
_ASKED = frozenset((weakref.ref, weakref.KeyedRef, operator.itemgetter, operator.attrgetter))
"""Types of what is called as it is while nothing is staged."""
_WRITES = frozenset(("append", "clear", "reverse", "pop", "insert", "extend"))
_WRITES_ALL = frozenset(("clear",))  # of dictionaries: a key may be there on some paths only
_SEARCHING = frozenset(("count", "index"))
_SUBSCRIPTS = frozenset(("__getitem__", "__contains__", "__reversed__"))
_WITH_SLOTS = frozenset((object, list, dict))  # classes some special methods of which have stand-ins
_COMPARING = frozenset(("sort", "index", "count", "remove"))  # which have stand-ins
_ALL_PYTHONS = frozenset(("append", "clear", "reverse"))  # of lists, whatever their arguments are


def _choice_call(f: Any) -> Any:
    """A function chosen by a tensor: each alternative is called on its own path."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return select(f, lambda taken: callee(taken)(*args, **kwargs))

    return call
