"""What a graph became as a Python function over NumPy, and calling it; what makes it so is beside (executor.py)."""

from __future__ import annotations

import itertools
import linecache
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

from runtime.backends.numpy_executor.said import said_by_types
from runtime.backends.product_threads import FEW
from runtime.ir.graph import Location, Node

__all__ = ["PLANS", "Executable", "place_in_plan"]

RECURSION_LIMIT = 200_000


class Executable:
    """A compiled graph: `executable(*arrays)` gives the list of its outputs. It may run in several threads at once.

    source    the Python source that runs (a plan to read)
    fresh     indices of outputs that alias no input, no constant and no other output
    few       whether it runs with BLAS on one thread
    recursive whether a function of the graph may call itself; Python's recursion limit is raised while it runs
    functions the functions of the graph's table, compiled, by name

    An exception leaves with `__autograph_location__`, the place in the user's source, where that is known.
    """

    __slots__ = ("_file", "_lines", "_run", "few", "fresh", "functions", "name", "recursive", "source", "__weakref__")

    def __init__(
        self, name: str, source: str, lines: dict[int, list[Any]], run: Callable[..., list[Any]], file: str
    ) -> None:
        self.name = name
        self.source = source
        self.fresh: frozenset[int] = frozenset()
        self.recursive = False
        self.few = False
        self.functions: dict[str, Callable[..., Any]] = {}
        self._lines = lines
        self._run = run
        self._file = file

    def __call__(self, *arrays: Any) -> list[Any]:
        try:
            if self.few:
                with FEW:
                    return self._deep(*arrays) if self.recursive else self._run(*arrays)
            if self.recursive:
                return self._deep(*arrays)
            return self._run(*arrays)
        except Exception as error:
            self._locate(error)
            raise

    def _deep(self, *arrays: Any) -> list[Any]:
        with _deep:
            return self._run(*arrays)

    def _locate(self, error: Exception) -> None:
        if getattr(error, "__autograph_location__", None) is None:
            found = self._node_of(error)
            if found is not None and found[0].location is not None:
                error.__autograph_location__ = found[0].location  # type: ignore[attr-defined]
                error.__autograph_said__ = said_by_types(*found, error)  # type: ignore[attr-defined]

    def location_of(self, error: BaseException) -> Location | None:
        """Where in the user's source the node that raised `error` came from."""
        found = self._node_of(error)
        return None if found is None else found[0].location

    def _node_of(self, error: BaseException) -> tuple[Node, str, FrameType] | None:
        """The node that raised `error`, its text in the plan, and the frame that ran it."""
        found = None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._file:
                found = trace
            trace = trace.tb_next
        return None if found is None else self._node_at(found.tb_frame, found.tb_lasti, found.tb_lineno)

    def _node_at(self, frame: FrameType, lasti: int, lineno: int) -> tuple[Node, str, FrameType] | None:
        """The node at a place in the plan, its text there, and the frame."""
        line, _, start, end = next(itertools.islice(frame.f_code.co_positions(), lasti // 2, None), (None,) * 4)
        spans = self._lines.get(line or lineno, [])
        inside = spans
        if start is not None and end is not None:
            inside = [s for s in spans if s[0] <= start and end <= s[1]] or spans
        if not inside:
            return None
        first, last, node = min(inside, key=lambda s: s[1] - s[0]) if start is not None else inside[0]
        text = self.source.splitlines()[(line or lineno) - 1]
        return node, text[first:last], frame

    def location_in(self, frame: FrameType) -> Location | None:
        """Where in the user's source the node came from that a frame of the plan runs now."""
        found = self._node_at(frame, frame.f_lasti, frame.f_lineno)
        return None if found is None else found[0].location

    def commented(self, number: int, text: str) -> str:
        """A line of the plan, and the lines of the user's that it comes from."""
        places = [span[2].location for span in self._lines.get(number, ())]
        known = dict.fromkeys((place.file, place.line) for place in places if place is not None)
        users = [f"line {line}: {linecache.getline(file, line).strip()}" for file, line in known]
        return f"{text.strip()}  # {'; '.join(users)}" if users else text

    def __repr__(self) -> str:
        return f"<executable {self.name}>"


class _DeepRecursion:
    """While any thread is inside, Python's recursion limit is at least RECURSION_LIMIT."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, RECURSION_LIMIT))
            self._inside += 1

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                sys.setrecursionlimit(self._before)


_deep = _DeepRecursion()


PLANS: weakref.WeakValueDictionary[str, Executable] = weakref.WeakValueDictionary()


def place_in_plan(frame: FrameType) -> Location | None:
    """Where in the user's source a frame is that runs a plan; None of other frames."""
    executable = PLANS.get(frame.f_code.co_filename)
    return None if executable is None else executable.location_in(frame)
