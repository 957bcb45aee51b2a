"""Tracebacks that show the user's code: internal frames dropped, frames made where there are none."""

import ast
import linecache
import os
import types
from collections.abc import Iterator

from autograph.errors import refusals as _words_of_errors  # noqa: F401 (eager errors have them, too)
from autograph.load.cache import CodeCache
from autograph.source.parse import walk
from runtime.ir.graph import Location
from runtime.tensor.trace import STATE

_ROOT = __file__.replace("\\", "/").rsplit("/", 3)[0]
_PLAN = "<plan "
_NUMPY = f"{os.sep}numpy{os.sep}"
_CONTEXTS = f"{os.sep}contextlib.py"
_SHOWN = 20
_INTERNAL = (f"{_ROOT}/autograph/", f"{_ROOT}/runtime/")


HELPERS: CodeCache[bool] = CodeCache()
"""The code objects of helper functions of generated code."""


def is_internal(file: str) -> bool:
    """Whether a file belongs to this project's own two packages, or is a plan that they have written."""
    return file.startswith(_PLAN) or file.replace("\\", "/").startswith(_INTERNAL)


def verbosity() -> int:
    """The value of AUTOGRAPH_VERBOSITY, 0 where it is not a number: from 1 on nothing is hidden."""
    text = os.environ.get("AUTOGRAPH_VERBOSITY", "")
    return int(text) if text.isdigit() else 0


def hide_internal_frames(error: BaseException, level: int | None = None) -> BaseException:
    """Drop the frames of our own packages from an exception, its causes, contexts and parts.

    `level` stands in for AUTOGRAPH_VERBOSITY; from 1 on everything stays. Returns the exception.

    A bare `raise` adds no frame, so a wrapper disappears, too, if it says

        except BaseException as error:
            hide_internal_frames(error)
            raise
    """
    if (verbosity() if level is None else level) >= 1:
        return error
    for one in _related(error):
        one.__traceback__ = _without_internal(one.__traceback__)
        if isinstance(one, RecursionError):
            one.__traceback__ = _ends(one.__traceback__)
    return error


def leave_eager_code(error: BaseException) -> None:
    """Drop the internal frames of an exception that leaves an eager call; what leaves a trace, `function` looks after."""
    if STATE.trace is None:
        hide_internal_frames(error)


def synthetic_frames(place: Location, error: BaseException) -> BaseException:
    """Add real entries for a place of the user's and the calls that led there to an exception's traceback: the innermost
    but for functions called back.

    For errors of executed graphs, whose nodes know their place in the user's source but run
    without a frame there. Returns the exception.
    """
    calls: list[Location] = []
    for call in place.calls:
        if is_internal(call.file) or _NUMPY in call.file:
            continue
        if calls and call.code is not None and call.code in HELPERS:
            calls.pop()  # as in tracebacks below
        calls.append(call)
    shown = calls if len(calls) <= 2 * _SHOWN else calls[:_SHOWN] + calls[-_SHOWN:]
    made = [_made_entry(call.file, call.line, call.function, call.columns) for call in shown]
    entries = list(_entries(error.__traceback__))
    at = _called_back(entries)
    error.__traceback__ = _chain([*entries[:at], *made, *entries[at:]])
    return error


def _made_entry(file: str, line: int, function_name: str, columns: tuple[int, int] | None) -> types.TracebackType:
    """An entry of a traceback; `columns` are what a caret points at (first, and one after the last; they count bytes)."""
    start, end = columns or _whole_line(file, line)
    statement = ast.parse("raise error").body[0]
    for node in walk(statement):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.col_offset, node.end_col_offset = start, end
    code = compile(ast.Module([statement], []), file, "exec", dont_inherit=True)
    code = code.replace(co_firstlineno=line, co_name=function_name, co_qualname=function_name)
    carrier = RuntimeError()
    try:
        exec(code, {"error": carrier, "__name__": "__graph__"})
    except RuntimeError as raised:
        made = raised.__traceback__
    return list(_entries(made))[1]  # the first is this function


def _called_back(entries: list[types.TracebackType]) -> int:
    """Where the frames begin of what a plan called back, such as a `py_function`; the end if there are none."""
    files = [entry.tb_frame.f_code.co_filename for entry in entries]
    plans = [i for i, file in enumerate(files) if file.startswith(_PLAN)]
    start = plans[-1] if plans else len(files)
    return next((i for i in range(start, len(files)) if not is_internal(files[i]) and _NUMPY not in files[i]), len(files))


def _whole_line(file: str, line: int) -> tuple[int, int]:
    """The columns of a line's text: Python puts no caret below all of it."""
    text = linecache.getline(file, line).rstrip()
    return len(text) - len(text.lstrip()), len(text.encode())


def _related(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it shows when printed, each once."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions


def _entries(traceback: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _without_internal(traceback: types.TracebackType | None) -> types.TracebackType | None:
    kept: list[types.TracebackType] = []
    ours = False
    for entry in _entries(traceback):
        code = entry.tb_frame.f_code
        file = code.co_filename
        # What our code calls of NumPy is ours, too, and so are the frames of our decorators that contextlib made.
        ours = is_internal(file) or (ours and (_NUMPY in file or file.endswith(_CONTEXTS)))
        if ours:
            continue
        if kept and code in HELPERS:
            kept.pop()  # part of the function above it: the innermost entry says where in it
        kept.append(entry)
    return _chain(kept)


def _ends(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """The first and last entries: a trace goes thousands of calls deep, and functions that call each other fill a screen."""
    entries = list(_entries(traceback))
    return traceback if len(entries) <= 2 * _SHOWN else _chain(entries[:_SHOWN] + entries[-_SHOWN:])


def _chain(entries: list[types.TracebackType]) -> types.TracebackType | None:
    """The entries, outermost first, as one new traceback."""
    chained: types.TracebackType | None = None
    for entry in reversed(entries):
        chained = types.TracebackType(chained, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return chained
