"""Calls in converted code: `ag__.callee(f)(args)` gives what to call in the place of `f`.

Functions of the user (and of the packages they use) are converted; the standard library, NumPy and this package are
called as they are; built-in functions that know nothing of staged tensors have stand-ins.
"""

from __future__ import annotations

import linecache
import sys
import weakref
from collections.abc import Callable
from functools import partial
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

from autograph.errors.catalogue import SourceUnavailableError
from autograph.errors.refusals import refusal
from autograph.load.cache import has_tries, is_converted
from autograph.operators import specials, truth
from autograph.operators.births import births_of
from autograph.operators.choice import CHOICES, choice_of, select
from autograph.operators.decorators import CACHED, cached, unwrapped
from autograph.operators.generators import GENERATOR, generator_maker
from autograph.operators.lists import MUTATING, ListMethod, append_to, dynamic_of, stacked
from autograph.operators.places import UNBOUND, note_item, read_by_name, watch
from autograph.operators.plain import NUMBERS
from autograph.operators.python_forms import ACCELERATED, python_form
from autograph.operators.recursion import recursive
from autograph.operators.rolling import CannotRoll, check_call
from autograph.operators.specials import leads_to_tensor, meet_class, meet_function, named_by, undispatched
from autograph.operators.stand_ins import FRAME_READERS, STAND_INS, stand_in_of
from autograph.operators.world import (
    GENERATORS,
    RANDOM_MODULES,
    WORLDLY,
    asks_world,
    runs_again,
    world_stand_in,
)
from runtime.tensor import trace as trace_module
from runtime.tensor.trace import STATE, Trace
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = ["callee", "converted", "is_unconverted_module", "special"]

_OURS = ("autograph", "runtime")
_THEIRS = "numpy scipy gast astunparse optree llvmlite rich matplotlib _pytest pytest hypothesis".split()
_NOT_CONVERTED = frozenset({*sys.stdlib_module_names, *_OURS, *_THEIRS}) - {"__main__"}


def is_unconverted_module(module: str | None) -> bool:
    """Whether functions of a module are called as they are."""
    return module is not None and module.partition(".")[0] in _NOT_CONVERTED


def callee(f: Any) -> Any:
    """What converted code calls where the user's code calls `f`."""
    trace = STATE.trace
    if trace is None:
        return FRAME_READERS.get(f, f) if type(f) is BuiltinMethodType else f
    if "rolling" not in trace.notes:
        return _callee(trace, f)
    made = _callee(trace, f)
    if made is f:  # it is not converted, and nothing stands in for it
        check_call(f)
    elif f is next:
        raise CannotRoll
    return made


def _callee(trace: Trace, f: Any) -> Any:
    kind = type(f)
    if kind is FunctionType:
        return _function(trace, f)
    if kind is MethodType:
        if type(f.__self__).__name__ in GENERATORS and runs_again(trace) and (how := asks_world(f)):
            return world_stand_in(f, how)
        function = f.__func__
        met = trace.notes.get("classes")
        if met is not None and (owned := type(f.__self__)) not in met:
            meet_class(trace, f.__self__ if owned is type else owned)
        inner = _function(trace, function) if type(function) is FunctionType else callee(function)
        return f if inner is function else MethodType(inner, f.__self__)
    if kind is BuiltinMethodType:
        owner = type(f.__self__)
        if owner is list:
            if f.__name__ == "append":
                return partial(append_to, f.__self__)
            if f.__name__ == "sort":
                return partial(STAND_INS[list.sort], f.__self__)
            return ListMethod(f.__self__, f.__name__) if f.__name__ in MUTATING or "lists" in trace.notes else f
        if owner is dict:
            return _dict_method(trace, f.__self__, f)
        if owner in _HELPLESS:
            return _checked(f) if "lists" in trace.notes else f
        if f is getattr and "runs_again" in trace.notes:
            return partial(read_by_name, trace)
        if owner is ModuleType and f.__module__ in ACCELERATED:
            return python_form(f, callee)
        if (owner is ModuleType or owner is type or owner.__name__ in GENERATORS) and (how := asks_world(f)):
            return world_stand_in(f, how) if runs_again(trace) else f
    try:
        stand_in = STAND_INS.get(f)
    except TypeError:  # not hashable
        stand_in = None
    if stand_in is not None:
        return stand_in
    if kind is BuiltinMethodType:
        return _checked(f) if "lists" in trace.notes else f
    if getattr(f, "__module__", None) in RANDOM_MODULES and runs_again(trace) and (how := asks_world(f)):
        return world_stand_in(f, how)
    if choice_of(f) is not None:
        return _choice_call(f)
    if isinstance(f, type):
        meet_class(trace, f)
        return _refusing(f) if "lists" in trace.notes and is_unconverted_module(f.__module__) else _constructor(f)
    if kind is CACHED and not is_unconverted_module(f.__module__):
        return cached(f, callee)
    if kind is partial:
        inner = callee(f.func)
        return f if inner is f.func else partial(inner, *f.args, **f.keywords)
    call = getattr(kind, "__call__", None)  # noqa: B004 (the function itself, not whether there is one)
    if type(call) is FunctionType and not is_unconverted_module(kind.__module__):
        inner = callee(call)
        if inner is not call:
            return MethodType(inner, f)
    return _checked(f) if "lists" in trace.notes and not hasattr(kind, "__takes_anything__") else f


_HELPLESS = NUMBERS | {tuple, set, frozenset, bytearray}  # of their methods none has a stand-in
_known: dict[int, tuple[Any, Any, Any]] = {}  # id of a function without closure -> (it, its code, what is called for it)


def _function(trace: Trace, f: FunctionType) -> Any:
    known = _known.get(id(f))
    if known is not None and known[0]() is f and known[1] is f.__code__:
        made = known[2]
        if made is None:
            return _checked(f) if "lists" in trace.notes else f
        if made.__defaults__ is f.__defaults__ and made.__kwdefaults__ is f.__kwdefaults__:
            return _called(trace, made)
    f = undispatched(f)
    if is_converted(f.__code__):
        return _called(trace, f)
    stand_in = stand_in_of(f)
    if stand_in is not None:
        return stand_in
    if f.__module__ in WORLDLY and asks_world(f):
        return world_stand_in(f, "frozen") if runs_again(trace) else f
    stays = _stays(f)
    if stays and (remade := unwrapped(f, callee)) is not None:
        return remade
    if not stays and _was_generated(f.__code__.co_filename):
        return partial(_as_it_is, f)
    made = None if stays else converted(f)
    if made is not None:
        meet_function(trace, f)
    if f.__closure__ is None:  # what has one may be held by it, and would never go
        key = id(f)
        _known[key] = weakref.ref(f, lambda _: _known.pop(key, None)), f.__code__, made
    if made is None:
        return _checked(f) if "lists" in trace.notes else f
    return _called(trace, made)


def _called(trace: Trace, made: FunctionType) -> Any:
    """What is called for a converted function."""
    watch(trace, made)
    if has_tries(made.__code__):
        return _choosing_tries(made)
    return _chosen(trace, made)


def _choosing_tries(made: FunctionType) -> Any:
    """A function with `try` statements: where tensors are about, its form in which they are staged."""

    def call(*args: Any, **kwargs: Any) -> Any:
        function = with_tries(made) if leads_to_tensor([*named_by(made), args, kwargs]) else made
        return _chosen(STATE.trace, function)(*args, **kwargs)

    return call


def with_tries(made: FunctionType) -> FunctionType:
    """A converted function with its `try` statements staged; itself if it has none."""
    from autograph.load.conversion import convert_with_tries  # loads gast

    if not has_tries(made.__code__):
        return made
    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        return convert_with_tries(made, sys.modules["autograph.operators"])
    finally:
        STATE.trace = trace


def _chosen(trace: Trace | None, made: FunctionType) -> Any:
    if trace is None:
        return made
    return generator_maker(made) if made.__code__.co_flags & GENERATOR else recursive(trace, made)


def _stays(f: FunctionType) -> bool:
    """Whether a function is called as it is."""
    if f.__module__ == "functools" and f.__name__ in _ORDERINGS:
        return False
    return (
        is_unconverted_module(f.__module__)
        or is_unconverted_module(f.__globals__.get("__name__"))
        or getattr(f, "__autograph_do_not_convert__", False)
    )


_ORDERINGS = ("__lt__", "__le__", "__gt__", "__ge__")  # what `total_ordering` puts into a class


def _was_generated(file: str) -> bool:
    """Whether code was made by `exec` of a text nobody kept: dataclasses and namedtuples write their methods so."""
    return file == "<string>" and file not in linecache.cache


def _as_it_is(f: FunctionType, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function without source; if it turns out that it had to be converted, say why it was not."""
    try:
        return f(*args, **kwargs)
    except OperatorNotAllowedInGraphError as error:
        code = f.__code__
        raise SourceUnavailableError.no_text(f.__qualname__, code.co_filename, code.co_firstlineno) from error


def special(x: Any, name: str) -> Any:
    """The converted special method of an object of a user's class, bound; None where the class leaves it to Python."""
    if STATE.trace is None:
        return None
    method = getattr(type(x), name, None)
    if type(method) is not FunctionType or is_unconverted_module(type(x).__module__):
        return None
    method = undispatched(method)
    made = callee(method)
    return None if made is method else MethodType(made, x)


truth.special_hook = special
trace_module.converted = callee
specials.callee, specials.is_foreign = callee, is_unconverted_module
specials.stays = lambda f: _stays(f) or _was_generated(f.__code__.co_filename)


def converted(f: FunctionType) -> FunctionType:
    """The converted form of a function (made once per code object)."""
    from autograph.load.conversion import convert_function  # loads gast

    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        return convert_function(f, sys.modules["autograph.operators"])
    finally:
        STATE.trace = trace


def _constructor(cls: type) -> Any:
    """A class whose `__init__` is the user's: made by Python, initialised by converted code."""
    init = cls.__init__  # type: ignore[misc]
    if (
        type(init) is not FunctionType
        or cls.__new__ is not object.__new__  # type: ignore[comparison-overlap]
        or type(cls).__call__ is not type.__call__
        or issubclass(cls, BaseException)
        or is_unconverted_module(cls.__module__)
    ):
        return cls
    initialise = callee(init)
    if initialise is init:
        return cls

    def construct(*args: Any, **kwargs: Any) -> Any:
        made = cls.__new__(cls)
        trace = STATE.trace
        if trace is not None:
            births_of(trace).add(made, trace.builder.region.graph)
        result = initialise(made, *args, **kwargs)
        if result is not None:
            raise TypeError(f"__init__() should return None, not '{type(result).__name__}'")
        return made

    return construct


_DICT_READS = frozenset(("get", "keys", "values", "items"))
dict_reads: Any = None  # these of a dictionary with keys that were set on some paths only; put here by the module that can


def _is_absent_somewhere(x: Any) -> bool:
    return type(x) in CHOICES and UNBOUND in choice_of(x)._alternatives  # type: ignore[union-attr]


_DICT_WRITES = frozenset(("update", "setdefault", "pop", "popitem", "clear"))


def _dict_method(trace: Trace, owner: dict[Any, Any], f: Any) -> Any:
    """A dictionary's method; what it may write is noted in the journal."""
    name = f.__name__
    if "choices" in trace.notes and name in _DICT_READS and any(map(_is_absent_somewhere, owner.values())):
        return lambda *args: dict_reads(name, owner, *args)
    if name not in _DICT_WRITES or not trace.journal:
        return f

    def method(*args: Any, **kwargs: Any) -> Any:
        if name == "update":
            # The argument may be an iterator, which can be read once.
            args, kwargs = (dict(*args, **kwargs),), {}
        keys = args[:1] if name in ("setdefault", "pop") else args[0] if name == "update" else owner
        for key in keys:
            note_item(trace, owner, key)
        return f(*args, **kwargs)

    return method


def _choice_call(f: Any) -> Any:
    """A function chosen by a tensor: each alternative is called on its own path."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return select(f, lambda taken: callee(taken)(*args, **kwargs))

    return call


def _refusing(cls: type) -> Callable[..., Any]:
    """A class of the standard library, while some list has staged content: it cannot hold such content."""

    def construct(*args: Any, **kwargs: Any) -> Any:
        if any(type(x) is list and dynamic_of(x) is not None for x in (*args, *kwargs.values())):
            raise refusal("list-argument", name=cls.__qualname__)
        return cls(*args, **kwargs)

    return construct


def _checked(f: Any) -> Callable[..., Any]:
    """A function that is not converted, while some list has staged content: its arguments must not be such lists."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return f(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})

    def _plain(x: Any) -> Any:
        dynamic = dynamic_of(x) if type(x) is list else None
        if dynamic is None:
            return x
        if getattr(f, "__accepts_lists__", False):
            return dynamic
        try:
            return stacked(dynamic)
        except OperatorNotAllowedInGraphError:
            name = getattr(f, "__qualname__", repr(f))
            raise refusal("list-argument", name=name) from None

    return call

