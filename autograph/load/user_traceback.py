"""Tracebacks that show the user's code: internal frames dropped, frames made where there are none."""

import os
import types
from collections.abc import Iterator

_ROOT = __file__.replace("\\", "/").rsplit("/", 3)[0]
_INTERNAL = (f"{_ROOT}/autograph/", f"{_ROOT}/runtime/")


def is_internal(file: str) -> bool:
    """Whether a file belongs to this project's own two packages."""
    return file.replace("\\", "/").startswith(_INTERNAL)


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
    return error


def synthetic_frame(file: str, line: int, function_name: str, error: BaseException) -> BaseException:
    """Add a real entry for a line of the user's as the innermost of an exception's traceback.

    For errors of executed graphs, whose nodes know their place in the user's source but run
    without a frame there. Returns the exception.
    """
    code = compile("raise error", file, "exec", dont_inherit=True)
    code = code.replace(co_firstlineno=line, co_name=function_name, co_qualname=function_name)
    carrier = RuntimeError()
    try:
        exec(code, {"error": carrier, "__name__": "__graph__"})
    except RuntimeError as raised:
        made = list(_entries(raised.__traceback__))[1:]  # the first is this function
    error.__traceback__ = _chain([*_entries(error.__traceback__), *made])
    return error


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
    entries = _entries(traceback)
    return _chain([entry for entry in entries if not is_internal(entry.tb_frame.f_code.co_filename)])


def _chain(entries: list[types.TracebackType]) -> types.TracebackType | None:
    """The entries, outermost first, as one new traceback."""
    chained: types.TracebackType | None = None
    for entry in reversed(entries):
        chained = types.TracebackType(chained, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return chained
