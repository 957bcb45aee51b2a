"""Refusals as exceptions: made from the catalogue, shown with the user's line and a caret when they are printed."""

from __future__ import annotations

import linecache
import os
import re
from itertools import islice
from types import TracebackType
from typing import Any

from autograph.errors.catalogue import REFUSALS, WARNINGS, rendered
from runtime.ir.build import internal_folders, user_location
from runtime.typesys import errors as runtime_errors
from runtime.typesys.errors import OpError

__all__ = ["caution", "refusal"]

_STANDARD = os.path.dirname(os.__file__) + os.sep


def refusal(id: str, error: str | None = None, /, **fields: Any) -> OpError:
    """The exception of the refusal `id` of the catalogue; `fields` complete its sentence.

    `error` is its type where the catalogue's does not fit the case.

    >>> error = refusal("array-write")
    >>> type(error).__name__, error.id
    ('OperatorNotAllowedInGraphError', 'array-write')
    """
    entry = REFUSALS[id]
    made: OpError = getattr(runtime_errors, error or entry.error)(entry.sentence.format(**fields), id=id, hint=entry.hint)
    return made


def caution(id: str, **fields: Any) -> None:
    """Warn at the user's line; `fields` complete the sentence of the catalogue."""
    import warnings

    sentence, hint = WARNINGS[id]
    place = user_location()
    file, line = ("<unknown>", 1) if place is None else (place.file, place.line)
    text = f"{sentence.format(**fields)} [{id}]\nInstead: {hint.format(**fields)}"
    warnings.warn_explicit(text, UserWarning, file, line)


def _present(error: OpError) -> str:
    """The text of a refusal. The place is the innermost line of the user's on the way the exception has come."""
    entry = REFUSALS.get(error.id)
    sentence, hint = error.message, error.hint
    if entry is not None and not hint:  # from the runtime, which knows no words of ours
        sentence, hint = entry.sentence.format(**error.fields), entry.hint
    place = _users_entry(error.__traceback__)
    if place is None:
        return rendered(sentence, error.id, hint)
    if error.id == "tensor-value" and entry is not None and "what" in error.fields:
        sentence = entry.sentence.format(**{**error.fields, "what": _asking(place, error.fields["what"])})
    file, line = place.tb_frame.f_code.co_filename, place.tb_lineno
    positions = place.tb_frame.f_code.co_positions()
    first, last, start, end = next(islice(positions, place.tb_lasti // 2, None), (None,) * 4)
    text = linecache.getline(file, line, place.tb_frame.f_globals)
    if first != line or start is None:
        return rendered(sentence, error.id, hint, file, line, None, None, text)
    column = _column(text, start)
    return rendered(sentence, error.id, hint, file, line, column, _column(text, end) if last == line else len(text), text)


_CALL = re.compile(r"([A-Za-z_][\w.]*)\(")


def _asking(place: TracebackType, what: str) -> str:
    """What asks for a value: the function that the user's line calls there, as `chr(x)` asks for an index, or `what`."""
    code = place.tb_frame.f_code
    first, last, start, end = next(islice(code.co_positions(), place.tb_lasti // 2, None), (None,) * 4)
    if first is None or first != last or start is None:
        return what
    text = linecache.getline(code.co_filename, first, place.tb_frame.f_globals).encode()[start:end].decode(errors="replace")
    found = _CALL.match(text)
    if found is None or not _is_one_call(text, found.end()) or found[1].rpartition(".")[2] + "()" == what:
        return what
    return f"{found[1]}()"


def _is_one_call(text: str, at: int) -> bool:
    """Whether the parenthesis before `at` is closed by the last character."""
    depth = 1
    for i, c in enumerate(text[at:], at):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i == len(text) - 1
    return False


def _column(text: str, offset: int | None) -> int:
    """Positions count bytes of UTF-8; people count characters."""
    return len(text.encode()[:offset].decode(errors="replace"))


def _users_entry(traceback: TracebackType | None) -> TracebackType | None:
    """The innermost frame of the user's; of a library that is installed only where there is none other."""
    found = installed = None
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if _is_users(file):
            if "site-packages" in file:
                installed = traceback
            else:
                found = traceback
        traceback = traceback.tb_next
    return found or installed


def _is_users(file: str) -> bool:
    if file.startswith((*internal_folders, "<frozen")):
        return False
    standard = file.startswith(_STANDARD) and "site-packages" not in file
    return not standard and f"{os.sep}numpy{os.sep}" not in file


runtime_errors.present[0] = _present
