"""What is called as it is: which functions those are, and what staged content does not get into."""

from __future__ import annotations

import dataclasses
import linecache
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from types import CodeType, FunctionType, SimpleNamespace, WrapperDescriptorType
from typing import Any

from autograph.errors.catalogue import SourceUnavailableError
from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import dynamic_of, stacked
from autograph.operators.functions.texts import reads_texts, textless
from runtime.tensor.trace import Trace
from runtime.typesys.errors import OperatorNotAllowedInGraphError

__all__ = [
    "as_python",
    "call_as_it_is",
    "is_plainly_hashed",
    "is_unconverted_module",
    "refusing",
    "runs_as_it_is",
    "was_generated",
    "without_lists",
]

_OURS = ("autograph", "runtime")
_THEIRS = "numpy scipy gast astunparse optree llvmlite rich matplotlib _pytest pytest hypothesis".split()
_NOT_CONVERTED = frozenset({*sys.stdlib_module_names, *_OURS, *_THEIRS}) - {"__main__"}
_ORDERINGS = ("__lt__", "__le__", "__gt__", "__ge__")  # what `total_ordering` puts into a class


def is_unconverted_module(module: str | None) -> bool:
    """Whether functions of a module are called as they are."""
    return type(module) is str and _is_not_converted(module)  # a class may say anything


@lru_cache(maxsize=4096)
def _is_not_converted(module: str) -> bool:
    return module.partition(".")[0] in _NOT_CONVERTED


def runs_as_it_is(f: FunctionType) -> bool:
    """Whether a function is called as it is."""
    if f.__module__ == "functools" and f.__name__ in _ORDERINGS:
        return False
    return (
        is_unconverted_module(f.__module__)
        or is_unconverted_module(f.__globals__.get("__name__"))
        or getattr(f, "__autograph_do_not_convert__", False)
    )


def is_plainly_hashed(kind: type) -> bool:
    """Whether the instances of a class may be asked for their hash without anybody's noticing."""
    return type(next(vars(c)["__hash__"] for c in kind.__mro__ if "__hash__" in vars(c))) is WrapperDescriptorType


def was_generated(code: CodeType) -> bool:
    """Whether code was made by `exec` of a text nobody kept: dataclasses and namedtuples write their methods so.

    The text of `python -c` is kept under the same name, by newer Pythons: it has to be the function's.
    """
    if code.co_filename != "<string>":
        return False
    first = linecache.getline("<string>", code.co_firstlineno) if "<string>" in linecache.cache else ""
    return not (f"def {code.co_name}" in first or "lambda" in first or first.lstrip().startswith("@"))


def call_as_it_is(f: FunctionType, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function without source; if it turns out that it had to be converted, say why it was not."""
    try:
        return f(*args, **kwargs)
    except OperatorNotAllowedInGraphError as error:
        code = f.__code__
        place = code.co_filename, code.co_firstlineno
        raise SourceUnavailableError.no_text(f.__qualname__, *place, asked=True) from error.__cause__


def refusing(cls: type) -> Callable[..., Any]:
    """A class of the standard library, while some list has staged content: most cannot hold such content."""
    if cls in _HOLDERS:
        return cls

    def construct(*args: Any, **kwargs: Any) -> Any:
        if any(dynamic_of(x) is not None for x in (*args, *kwargs.values())):
            raise refusal("list-argument", name=cls.__qualname__)
        return cls(*args, **kwargs)

    return construct


def as_python(trace: Trace, f: Any, made: Any) -> Any:
    """What is called for `f`, which runs as it is, by `made`: staged lists and texts must not get there."""
    if "texts" in trace.notes or reads_texts(f):
        made = textless(f, made)
    return without_lists(made) if "lists" in trace.notes and not _only_holds(f) else made


def _only_holds(f: Any) -> bool:
    """Whether a function of the standard library puts its arguments into what it makes, and does not look into them."""
    if type(f) is not FunctionType:
        return False
    return f is dataclasses.replace or (f.__name__ == "_replace" and f.__module__ == "collections")


_HOLDERS = (SimpleNamespace, partial)


def without_lists(f: Any) -> Callable[..., Any]:
    """A function that is not converted, while some list has staged content: its arguments must not be such lists."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return f(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})

    def _plain(x: Any) -> Any:
        dynamic = dynamic_of(x)
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
