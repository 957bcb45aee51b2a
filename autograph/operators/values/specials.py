"""Methods that Python itself calls: operators, properties, iteration, `with`. Converted code does not see these calls.

While a trace is active, the classes of the user that it meets have dispatchers in the place of such methods: they run
the original in threads that trace nothing, and the converted form in a trace. When the last trace that met a class
ends, the class is as it was. Loads of attributes and operators themselves stay Python's, at Python's speed.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from types import (
    CodeType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any
from weakref import WeakKeyDictionary

from autograph.operators.state.places import CACHED, UNBOUND, note_attribute
from autograph.operators.state.plain import NUMBERS
from autograph.operators.values import quick
from autograph.operators.values.choice import Choice
from autograph.operators.values.listvalue import RunTuple, Splice, list_of
from autograph.operators.values.maybe import is_maybe, otherwise
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace, current

__all__ = ["leads_to_tensor", "meet_class", "meet_function", "named_by", "special_methods", "undispatched"]

_BINARY = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"
_OTHERS = (
    "lt le eq ne gt ge neg pos abs invert round floor ceil trunc "
    "len contains getitem setitem delitem missing iter next reversed enter exit bool get set delete setattr delattr "
    "post_init attrs_pre_init attrs_post_init"
)
_NAMES = frozenset(
    f"__{name}__"
    for name in (
        *_OTHERS.split(),
        *(prefix + name for name in _BINARY.split() for prefix in ("", "r", "i")),
    )
)
_SAYING = frozenset(("__str__", "__repr__", "__format__"))
_FORMS = "python_forms."
_LIMIT = 20_000  # objects looked at before a trace
_STAGED = (Tensor, Choice, Splice)


class _Changed:
    """A class with dispatchers: by name what it had, and how many traces need it so."""

    __slots__ = ("made", "users")

    def __init__(self, made: dict[str, tuple[Any, Any]]) -> None:
        self.made = made
        self.users = 0


_changed: dict[type, _Changed] = {}
_lock = threading.RLock()

stays: Callable[[Any], bool] = lambda f: True  # whether a function is called as it is
callee: Callable[[Any], Any] = lambda f: f  # what converted code calls for it; `calls` puts both here
is_foreign: Callable[[str | None], bool] = lambda module: True  # whether the classes of a module are left alone

negation: Callable[[Any], Any] = lambda x: not x
compared: Callable[[str, Any, Any], Any] = lambda name, a, b: getattr(a, name)(b)  # two tuples; `comparisons` puts its own


@contextmanager
def special_methods(trace: Trace, things: Iterable[Any]) -> Iterator[None]:
    """Within: the classes that `things` lead to, and those met on the way, run their special methods converted."""
    met: dict[type, None] = {}
    trace.notes["classes"] = met
    try:
        _walk(trace, things)
        yield
    finally:
        _release(met)


def meet_class(trace: Trace, cls: type) -> None:
    """A class is used in a trace."""
    met = trace.notes.get("classes")
    if met is None or cls in met:
        return
    for base in cls.__mro__:
        if base not in met and not is_foreign(base.__module__):
            met[base] = None
            _dispatch(base)
            for value in list(vars(base).values()):  # descriptors
                meet_class(trace, type(value))


def meet_function(trace: Trace, f: FunctionType) -> None:
    """A function is converted in a trace: what it names may be instances of classes yet unknown."""
    if trace.notes.get("classes") is not None:
        walked = trace.notes.setdefault("walked", {})
        key = id(f)
        if key not in walked:  # one that is made for each call is met often
            walked[key] = weakref.ref(f, lambda _: walked.pop(key, None))
            _walk(trace, [f])


def undispatched(f: Any) -> Any:
    """The function behind a dispatcher."""
    return f.__wrapped__ if getattr(f, "__code__", None) in _DISPATCHERS else f


def _dispatch(cls: type) -> None:
    with _lock:
        changed = _changed.get(cls)
        if changed is None:
            made = {}
            for name, value in list(vars(cls).items()):
                new = None if name == "__class__" else _dispatcher_for(name, value)  # what `isinstance` asks stays
                if new is None and name in _COMPARING and _is_written_by_dataclass(cls, value):
                    new = _of_fields(value)
                if new is not None:
                    made[name] = (value, new)
            if "__eq__" in made and "__ne__" not in vars(cls):
                made["__ne__"] = (None, _not_equal)  # Python's own asks `__eq__` and turns the answer round
            for name, (_, new) in made.items():
                type.__setattr__(cls, name, new)
            changed = _changed[cls] = _Changed(made)
        changed.users += 1


def _release(met: Iterable[type]) -> None:
    with _lock:
        for cls in met:
            changed = _changed[cls]
            changed.users -= 1
            if changed.users:
                continue
            del _changed[cls]
            for name, (original, new) in changed.made.items():
                if vars(cls).get(name) is new:  # else the user has put something else there
                    if original is None:
                        type.__delattr__(cls, name)
                    else:
                        type.__setattr__(cls, name, original)


def _dispatcher_for(name: str, value: Any) -> Any:
    """What takes the place of a class's attribute; None where it stays."""
    kind = type(value)
    if kind is FunctionType:
        if stays(value):
            return None
        if name in _NAMES:
            return _dispatcher(value)
        is_ours = (value.__module__ or "").startswith(_FORMS)  # they give the texts of what they stand for
        return _of_text(value) if name in _SAYING and not is_ours else None
    if kind is property:
        return property(_part(value.fget), _part(value.fset), _part(value.fdel), value.__doc__)
    if kind is functools.cached_property:
        return None if stays(value.func) else _Cached(value)
    return None


_COMPARING = ("__eq__", "__lt__", "__le__", "__gt__", "__ge__")


def _is_written_by_dataclass(cls: type, value: Any) -> bool:
    """Whether a method has no source because `dataclass` has made it."""
    made = "__dataclass_params__" in vars(cls) and type(value) is FunctionType
    return made and value.__code__.co_filename == "<string>"


def _of_fields(original: Any) -> Any:
    """A comparison of dataclasses: that of the tuples of their fields, which a trace can stage."""

    fields_of: WeakKeyDictionary[type, Callable[[Any], tuple[Any, ...]]] = WeakKeyDictionary()

    @functools.wraps(original)
    def method(self: Any, other: Any) -> Any:
        kind = self.__class__
        trace = current()
        if trace is None or other.__class__ is not kind:
            return original(self, other)
        fields = fields_of.get(kind)
        if fields is None:
            fields = fields_of[kind] = _all_of(*(f.name for f in dataclasses.fields(self) if f.compare))
        a, b = fields(self), fields(other)
        if NUMBERS.issuperset(map(type, a)) and NUMBERS.issuperset(map(type, b)) and "texts" not in trace.notes:
            return original(self, other)
        return compared(original.__name__, a, b)

    method.__autograph_do_not_convert__ = True  # type: ignore[attr-defined]
    return method


def _all_of(*names: str) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these attributes of an object."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda x: tuple([getattr(x, name) for name in names])


def _part(f: Any) -> Any:
    return _dispatcher(f) if type(f) is FunctionType and not stays(f) else f


def _dispatcher(original: Any) -> Any:
    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return original(*args, **kwargs)
        return (quick.at_once.get(id(original)) or callee(original))(*args, **kwargs)

    method.__autograph_do_not_convert__ = True  # type: ignore[attr-defined]
    return method


def _of_text(original: Any) -> Any:
    """A dispatcher of what gives a text: Python takes nothing else for one, so one of several becomes a text of the run."""

    @functools.wraps(original)
    def method(*args: Any) -> Any:
        if current() is None:
            return original(*args)
        said = callee(original)(*args)
        return str(said) if type(said) is Choice else said

    method.__autograph_do_not_convert__ = True  # type: ignore[attr-defined]
    return method


def _not_equal(self: Any, other: Any) -> Any:
    equal = self.__eq__(other)
    return equal if equal is NotImplemented else negation(equal)


_DISPATCHERS = frozenset((_dispatcher(len).__code__, _of_text(len).__code__))


class _Cached:
    """`functools.cached_property` whose value is noted in the journal, and computed where only other paths have."""

    keeps_in_instances = True

    def __init__(self, original: functools.cached_property[Any]) -> None:
        self.original = original
        self.__doc__ = original.__doc__
        CACHED.add(original.attrname)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self.original.__get__(instance, owner)
        name = self.original.attrname or ""
        kept = instance.__dict__
        known = kept.get(name, UNBOUND)
        if known is not UNBOUND and not is_maybe(known):
            return known
        trace = STATE.trace
        if trace is None:
            return self.original.__get__(instance, owner)
        made = callee(self.original.func)
        value = made(instance) if known is UNBOUND else otherwise(known, lambda: made(instance))
        note_attribute(trace, instance, name)
        kept[name] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.original.attrname or ""] = value

    def __delete__(self, instance: Any) -> None:
        name = self.original.attrname or ""
        if name not in instance.__dict__:
            raise AttributeError(name, name=name, obj=instance)
        del instance.__dict__[name]


def _walk(trace: Trace, things: Iterable[Any]) -> None:
    """Meet the classes of all that `things` lead to: arguments, closures and globals that functions name."""
    for x in _reached(things, named_by):
        if isinstance(x, type):
            meet_class(trace, x)
        elif not is_foreign(type(x).__module__):
            meet_class(trace, type(x))


def leads_to_tensor(things: Iterable[Any]) -> bool:
    """Whether a tensor, or a range by one, is among `things` or in what they hold; of functions, in their closures."""
    # By type: asking an object for its class may run code of the user's.
    kinds = map(type, _reached(things, _closed_over))
    return any(issubclass(kind, _STAGED) or hasattr(kind, "__staged_bool__") for kind in kinds)


def _reached(things: Iterable[Any], inside: Callable[[FunctionType], Iterable[Any]]) -> Iterator[Any]:
    """`things` and what they hold, `inside` telling what a function does."""
    pending = deque(things)
    seen: set[int] = set()
    while pending and len(seen) < _LIMIT:
        x = pending.popleft()
        kind = type(x)
        if kind in NUMBERS or id(x) in seen:
            continue
        seen.add(id(x))
        yield x
        if issubclass(kind, (type, ModuleType, CodeType, Tensor)):
            continue
        if kind is FunctionType:
            pending.extend(inside(undispatched(x)))
        elif kind is MethodType:
            pending += (x.__func__, x.__self__)
        elif kind is functools.partial:
            pending += (x.func, *x.args, *x.keywords.values())
        elif kind is GeneratorType:
            pending.extend(() if x.gi_frame is None else x.gi_frame.f_locals.values())
        elif issubclass(kind, dict):
            pending.extend(dict.values(x))
        elif kind is RunTuple:
            pending.append(list_of(x))
        elif kind is list or kind is tuple:
            if not NUMBERS.issuperset(map(type, x)):
                pending.extend(x)
        elif issubclass(kind, (list, tuple, set, frozenset, deque)):
            pending.extend(x)
        if not is_foreign(kind.__module__):
            pending.extend(_attributes(x).values())
            pending.extend(_in_slots(x))


def _attributes(x: Any) -> dict[str, Any]:
    """The attributes of an object, as Python keeps them: a class may have something else to say."""
    for base in _BASES(type(x)):
        found = _NAMESPACE(base).get("__dict__")
        if found is not None:
            held = found.__get__(x) if type(found) is GetSetDescriptorType else None
            return held if type(held) is dict else {}
    return {}


def _in_slots(x: Any) -> Iterator[Any]:
    """What an object holds in the slots of its classes."""
    for base in _BASES(type(x)):
        if "__slots__" in _NAMESPACE(base):
            for member in _NAMESPACE(base).values():
                if type(member) is MemberDescriptorType:
                    try:
                        yield member.__get__(x)
                    except AttributeError:  # an empty slot
                        continue


_BASES, _NAMESPACE = type.__dict__["__mro__"].__get__, type.__dict__["__dict__"].__get__


def _closed_over(f: FunctionType) -> Iterator[Any]:
    for cell in f.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # an empty cell
            continue


def named_by(f: FunctionType) -> Iterator[Any]:
    """What a function's closure, defaults and globals hold that it names."""
    if stays(f):
        if hasattr(f, "__wrapped__"):
            yield f.__wrapped__
        return
    yield from _closed_over(f)
    yield from f.__defaults__ or ()
    yield from (f.__kwdefaults__ or {}).values()
    pending = [f.__code__]
    while pending:
        code = pending.pop()
        for name in code.co_names:
            if name in f.__globals__:
                yield f.__globals__[name]
        pending += [c for c in code.co_consts if type(c) is CodeType]
