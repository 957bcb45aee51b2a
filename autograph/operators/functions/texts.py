"""Calls of what is not converted with texts of which only the run knows all: a log is told so, all others refuse them."""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

from autograph.operators.state.plain import NUMBERS
from autograph.operators.statements.staged_texts import TOKEN, StagedText, refuse_text
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.late import pattern

__all__ = ["description", "reads_texts", "textless"]

_LOGS = frozenset("debug info warning warn error critical exception log".split())
_READERS = frozenset("io _io posix nt os posixpath ntpath genericpath re json shutil subprocess logging".split())
_LOOKS_AT_NOTHING = frozenset((callable, hash, id, isinstance, issubclass, repr))


def reads_texts(f: Any) -> bool:
    """Whether a function is one that texts are made for: a file's name, a pattern, a line of a log.

    It is asked for before its arguments are made, which may be the first texts of the trace.
    """
    return type(getattr(f, "__self__", None)) is TextIOWrapper or getattr(f, "__module__", None) in _READERS


def textless(f: Any, made: Any) -> Any:
    """What is called for `f`, which runs as it is, by `made`, where texts may be among its arguments."""
    if type(f) is type or f in _LOOKS_AT_NOTHING or _is_ours(f):
        return made
    name = getattr(f, "__name__", type(f).__name__)
    if name in _LOGS and f.__module__ == "logging":
        return _described(f, made)

    def call(*args: Any, **kwargs: Any) -> Any:
        for given in () if not kwargs and NUMBERS.issuperset(map(type, args)) else (*args, *kwargs.values()):
            if type(given) is StagedText or (type(given) in (list, tuple) and any(type(p) is StagedText for p in given)):
                refuse_text(f"by {name}()")
        return made(*args, **kwargs)

    call.__qualname__ = getattr(f, "__qualname__", name)  # refusals of `made` say it
    return call


def _is_ours(f: Any) -> bool:
    return (getattr(f, "__module__", None) or "").partition(".")[0] in ("autograph", "runtime")


def _described(f: Any, made: Any) -> Callable[..., Any]:
    """A function that logs while the function is traced: it gets the types of staged tensors."""
    ours = 1 + (made is not f)  # frames between the user's and the log

    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + ours
        given = list(map(description, args))
        if any(isinstance(x, Tensor) for x in given):
            given = [_CONVERSION.sub("%s", x) if isinstance(x, str) else x for x in given]  # types have no digits
        return made(*given, **kwargs)

    return call


_CONVERSION = pattern(r"%[-0# +]*\d*(\.\d+)?[dioxXeEfFgGc]")


def description(x: Any) -> Any:
    """A text as a log or a warning gets it while tracing: with the types of the staged tensors in it."""
    trace = STATE.trace
    if type(x) is not StagedText or trace is None:
        return x
    slots = trace.notes["texts"]
    return TOKEN.sub(lambda found: repr(Tensor(slots[int(found[1])][0])), str.__str__(x))
