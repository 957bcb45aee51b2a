"""Calls of what looks into its arguments in Python or C: once for each alternative of an argument that is one of several.

    len(word)  ->  len("big") if the tag is 0 else len("small")
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable
from functools import partial
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

from autograph.load.cache import is_converted
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.functions.unconverted import is_unconverted_module
from autograph.operators.state.places import UNBOUND
from autograph.operators.statements.printing import text_of
from autograph.operators.statements.staged_texts import text
from autograph.operators.values import specials
from autograph.operators.values.choice import Choice, is_mixed, options_of, select, usable_of

__all__ = ["by_alternatives"]

_TAKING = frozenset(
    (isinstance, callable, print, type, id, iter, next, setattr, delattr, vars, bool, issubclass, object)
)
"""Built-in functions that take a choice as it is."""
_KEEPING = frozenset("append appendleft insert setdefault __setitem__ fill".split())
"""Methods that put arguments into what they belong to."""
_BY_KEY = frozenset(("setdefault", "__setitem__"))  # of these, at their first argument


def by_alternatives(f: Any, made: Any) -> Any:
    """What is called in the place of `made`, which is called for `f` otherwise, while some values are one of several."""
    if f is str or f is repr:
        return partial(_text, f, made)
    if _looks_into(f, made):
        return partial(_each, f, made)
    keyed = type(f) is BuiltinMethodType and f.__name__ in _BY_KEY and isinstance(f.__self__, dict)
    return partial(_at_each_key, f, made) if keyed else made


def _looks_into(f: Any, made: Any) -> bool:
    """Whether a function looks into its arguments without being converted."""
    kind = type(f)
    if kind is BuiltinMethodType:
        owner = type(f.__self__)
        if owner is ModuleType:
            return f not in _TAKING
        return owner is not deque and (owner is str or f.__name__ not in _KEEPING)
    if kind is type:
        return f in _BUILTIN_TYPES and f not in _TAKING
    if kind in (FunctionType, MethodType):
        function = getattr(made, "__func__", made)
        if type(function) is FunctionType and is_converted(function.__code__):
            return False
        return is_unconverted_module(f.__module__) and f.__module__ not in _STORING
    return kind.__module__.partition(".")[0] == "numpy"


_BUILTIN_TYPES = frozenset(t for t in vars(builtins).values() if type(t) is type and not issubclass(t, BaseException))
_GOING_OVER = frozenset((enumerate, filter, map, reversed, zip))
_STORING = frozenset(("copy", "dataclasses", "functools", "contextlib", "typing", "weakref"))


def _each(f: Any, made: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`made(*args, **kwargs)`, each alternative of its arguments on its own path, where it is asked again what is called
    for `f`: that notes there what is changed."""
    if type(f) is type and f in _GOING_OVER:
        args = tuple(map(one_of_sequences, args))
    at = next((k for k, x in enumerate(args) if is_mixed(x)), None)
    if at is not None:
        if at == 0:
            note_keys(getattr(f, "__self__", None), args[0])
        return select(args[at], lambda value: specials.callee(f)(*args[:at], value, *args[at + 1 :], **kwargs))
    name = next((name for name, x in kwargs.items() if is_mixed(x)), None)
    if name is not None:
        return select(kwargs[name], lambda value: specials.callee(f)(*args, **{**kwargs, name: value}))
    return made(*map(_left, args), **kwargs)


def _left(x: Any) -> Any:
    """The one alternative that the tests of the branches around leave, or `x` itself."""
    options = options_of(x) if type(x) is Choice else ()
    return options[0][1] if len(options) == 1 and options[0][1] is not UNBOUND else x


def _at_each_key(f: Any, made: Callable[..., Any], key: Any, /, *args: Any) -> Any:
    """`made(key, *args)`, each alternative of the key on its own path."""
    if not is_mixed(key):
        return made(key, *args)
    note_keys(f.__self__, key)
    return select(key, lambda value: specials.callee(f)(value, *args))


note_keys: Callable[[Any, Any], None] = lambda owner, key: None  # is told of one of several keys; `keyed` puts its own


one_of_sequences: Callable[[Any], Any] = lambda x: x  # one iterable for several lists or tensors; `iterators` puts its own


def _text(f: Any, made: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`str(x)` or `repr(x)`: one of several texts where the trace knows them all, else one that only the run knows."""
    if len(args) == 1 and not kwargs and is_mixed(args[0]):
        choice: Choice = args[0]
        if not any(holds_staged(a) for _, a in usable_of(choice)):
            return select(choice, lambda value: text(f(value)))
        return text_of(choice) if f is str else repr(choice)
    return made(*args, **kwargs)
