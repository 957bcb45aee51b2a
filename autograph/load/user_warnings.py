"""Warnings of NumPy at the user's lines: it warns at the line of ours, or of the plan, that called it."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any, TextIO

from autograph.load.user_traceback import is_internal, verbosity
from runtime.backends.numpy_executor.executable import place_in_plan

__all__ = ["show_at_users_line"]

_NUMPY = f"{os.sep}numpy{os.sep}"


def show_at_users_line(
    before: Any,
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """As `warnings.showwarning`, which was `before`: with the place in the user's code where the warning's is ours."""
    place = _users_place(filename) if verbosity() == 0 else None
    if place is not None:
        filename, lineno = place
        line = None
    before(message, category, filename, lineno, file, line)


def _users_place(filename: str) -> tuple[str, int] | None:
    """File and line of the user's for a warning that is being shown, if it was raised in ours at `filename`."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename != filename:
        frame = frame.f_back
    ours = False
    while frame is not None:
        name = frame.f_code.co_filename
        planned = place_in_plan(frame)
        if planned is not None:
            return planned.file, planned.line
        if is_internal(name):
            ours = True
        elif _NUMPY not in name:
            return (name, frame.f_lineno) if ours else None
        frame = frame.f_back
    return None
