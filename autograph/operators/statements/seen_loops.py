"""What a trace knows of a loop from the times that it was traced before.

A loop inside another is traced again with each attempt at the outer one. What was found out about its form then would
cost an attempt each time, and so one inside that another two: a loop is known again by the lines of the user's that lead
to it, all calls around it among them.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import TypeAlias

from runtime.ir.build import internal_folders
from runtime.tensor.trace import Trace

__all__ = ["Seen", "seen_before"]

_Way: TypeAlias = tuple[tuple[CodeType, int], ...]


class Seen:
    """What is known of a loop."""

    __slots__ = ("by_tensor",)

    def __init__(self) -> None:
        self.by_tensor = False  # whether a tensor decides about its `break`


def seen_before(trace: Trace) -> Seen:
    """What is known of the loop that is being staged."""
    known: dict[_Way, Seen] = trace.notes.setdefault("loops seen", {})
    return known.setdefault(_way(), Seen())


def _way() -> _Way:
    """The places in the user's code that are being run."""
    found = []
    folders = tuple(internal_folders)
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(folders):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)
