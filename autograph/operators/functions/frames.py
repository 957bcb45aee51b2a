"""Functions that look at their caller's frame or count frames: converted code has more frames than the user wrote."""

from __future__ import annotations
import __future__

import builtins
import sys
import warnings
from collections.abc import Callable
from itertools import islice
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeVar

from autograph.load.helpers import is_helper, logical_frames, users_names
from autograph.load.user_traceback import is_internal
from autograph.operators.functions.texts import description
from autograph.operators.state.stand_ins import FRAME_READERS, STAND_INS

__all__ = ["f_back"]

_FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
Function = TypeVar("Function", bound=Callable[..., Any])


def _reads_frames(original: Any) -> Callable[[Function], Function]:
    """Register a stand-in that is needed even where nothing is traced."""

    def register(fn: Function) -> Function:
        STAND_INS[original] = FRAME_READERS[original] = fn
        return fn

    return register


def _caller(depth: int) -> list[FrameType]:
    """The frames that run the function `depth` calls above the one that called a stand-in."""
    return next(islice(logical_frames(sys._getframe(2)), depth, None), [])


@_reads_frames(sys._getframe)
def getframe(depth: int = 0, /) -> FrameType:
    """`sys._getframe`."""
    found = _caller(depth)
    if not found:
        raise ValueError("call stack is not deep enough")
    return found[0]


def f_back(x: Any) -> Any:
    """`x.f_back`: of a frame the one that called its function, where that is in the call."""
    if type(x) is not FrameType:
        return x.f_back
    frame: FrameType | None = x
    while frame is not None and (is_helper(frame.f_code) or is_internal(frame.f_code.co_filename)):
        frame = frame.f_back  # the parts of the function that called this part
    frame = frame and frame.f_back
    while frame is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


if hasattr(sys, "_getframemodulename"):

    @_reads_frames(sys._getframemodulename)
    def getframemodulename(depth: int = 0) -> Any:
        """`sys._getframemodulename`."""
        found = _caller(depth)
        return found[0].f_globals.get("__name__") if found else None


@_reads_frames(warnings.warn)
def warn(message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **others: Any) -> None:
    """`warnings.warn`: `stacklevel` counts the user's functions."""
    found = _caller(stacklevel - 1) if stacklevel > 0 else []
    if found:
        stacklevel, frame = 1, sys._getframe()
        while frame is not found[0]:
            frame = frame.f_back  # type: ignore[assignment]
            stacklevel += "importlib" not in frame.f_code.co_filename or "_bootstrap" not in frame.f_code.co_filename
    warnings.warn(description(message), category, stacklevel, source, **others)


def _is_helper(x: Any) -> bool:
    return type(x) is FunctionType and is_helper(x.__code__)


def _locals(frames: list[FrameType]) -> dict[str, Any]:
    """The local variables of a function, from all the frames that run it."""
    found: dict[str, Any] = {}
    for frame in reversed(frames):
        names = users_names(frame.f_code)
        found.update((n, v) for n, v in frame.f_locals.items() if names is None or (n in names and not _is_helper(v)))
    return found


@_reads_frames(builtins.locals)
def locals_() -> dict[str, Any]:
    """`locals()`."""
    return _locals(_caller(0))


@_reads_frames(builtins.vars)
def vars_(*args: Any) -> Any:
    """`vars()`."""
    return builtins.vars(*args) if args else _locals(_caller(0))


@_reads_frames(builtins.dir)
def dir_(*args: Any) -> Any:
    """`dir()`."""
    return builtins.dir(*args) if args else sorted(_locals(_caller(0)))


@_reads_frames(builtins.eval)
def eval_(source: Any, globals: Any = None, locals: Any = None, /) -> Any:
    """`eval`."""
    frames = _caller(0)
    source = source.lstrip(" \t") if isinstance(source, str) else source
    return builtins.eval(_compiled(source, "eval", frames), *_namespaces(frames, globals, locals))


@_reads_frames(builtins.exec)
def exec_(source: Any, globals: Any = None, locals: Any = None, /, **closure: Any) -> None:
    """`exec`."""
    frames = _caller(0)
    builtins.exec(_compiled(source, "exec", frames), *_namespaces(frames, globals, locals), **closure)


def _compiled(source: Any, mode: str, frames: list[FrameType]) -> Any:
    """Source text as code, under the `__future__` features of the code that calls `eval`."""
    if isinstance(source, CodeType):
        return source
    flags = frames[0].f_code.co_flags & _FUTURES
    return compile(source, "<string>", mode, flags=flags, dont_inherit=True)


def _namespaces(frames: list[FrameType], globals: Any, locals: Any) -> tuple[Any, Any]:
    if globals is not None:
        return globals, globals if locals is None else locals
    return frames[0].f_globals, _locals(frames) if locals is None else locals
