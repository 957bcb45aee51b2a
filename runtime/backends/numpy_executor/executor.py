"""Compiling a graph to one Python function over NumPy, and calling it."""

from __future__ import annotations

import itertools
import linecache
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from runtime.backends.numpy_executor import control
from runtime.backends.numpy_executor.buffers import lists_as_arrays
from runtime.backends.numpy_executor.memory import keep_freed_pages
from runtime.backends.numpy_executor.names import Globals
from runtime.backends.numpy_executor.planes import has_sums, sums_by_planes
from runtime.backends.numpy_executor.said import said_by_types
from runtime.backends.numpy_executor.spelled import has_spelled, spelled
from runtime.backends.numpy_executor.text import Expr
from runtime.backends.numpy_executor.writer import FunctionWriter
from runtime.backends.product_threads import FEW, needs
from runtime.ir.graph import Graph, Location, Node
from runtime.ir.walk import clone, reachable_functions
from runtime.passes.rewrite import graphs
from runtime.plan.plan import make_plan

__all__ = ["Executable", "compile_graph", "place_in_plan"]

RECURSION_LIMIT = 200_000
_serial = itertools.count()
assert control  # imported so that its statements are known


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


def compile_graph(graph: Graph, donated: frozenset[int] = frozenset()) -> Executable:
    """Compile a graph, and the functions it calls, to Python source over NumPy.

    The plan may overwrite the arrays passed for the inputs in `donated`, and no others.

    Raises:
      UnimplementedError: an operation without a NumPy meaning; it is named.
    """
    keep_freed_pages()
    graph = lists_as_arrays(graph)
    if has_sums(graph) or has_spelled(graph):
        graph = spelled(sums_by_planes(clone(graph)))
    names = Globals()
    functions = {name: f"f_{_identifier(name)}" for name in reachable_functions(graph)}
    if len(set(functions.values())) < len(functions):
        functions = {name: f"{text}_{k}" for k, (name, text) in enumerate(functions.items())}
    plan = make_plan(graph, donated)
    main = _main_name(graph)
    handed = _handed(graph)
    blocks = []
    for name, text in functions.items():
        function = graph.functions[name]
        first = len(function.inputs) - handed.get(name, 0)
        own = frozenset(range(first, len(function.inputs)))
        blocks.append(FunctionWriter(make_plan(function, own), names, functions).write(function, text, False))
    blocks.append(FunctionWriter(plan, names, functions).write(graph, main, True))
    source, lines = _layout(names.header(), [*names.parts, *blocks])
    file = _file_name(graph, lines)
    exec(compile(source, file, "exec"), names.namespace)
    out = Executable(main, source, lines, names.namespace[main], file)
    _PLANS[file] = out
    # Where NumPy's warnings show the line of the plan: with the user's below it. Gone with the executable.
    owner = weakref.ref(out, lambda _: linecache.cache.pop(file, None))
    linecache.cache[file] = (partial(_shown, owner),)  # type: ignore[assignment]
    out.fresh = plan.fresh
    out.recursive = bool(functions)
    out.few = needs(graph)
    out.functions = {name: names.namespace[text] for name, text in functions.items()}
    return out


def _handed(graph: Graph) -> dict[str, int]:
    """How many lists, its last arguments, each function may change."""
    calls = [n for each in graphs(graph) for n in each.walk() if n.op.name == "call"] if graph.functions else []
    return {n.attrs["function"]: n.attrs["handed"] for n in calls if "handed" in n.attrs}


_PLANS: weakref.WeakValueDictionary[str, Executable] = weakref.WeakValueDictionary()


def place_in_plan(frame: FrameType) -> Location | None:
    """Where in the user's source a frame is that runs a plan; None of other frames."""
    executable = _PLANS.get(frame.f_code.co_filename)
    return None if executable is None else executable.location_in(frame)


def _file_name(graph: Graph, lines: dict[int, list[Any]]) -> str:
    """What stands for a file in the code of a plan: warnings show it, and the number of the line as that of a step."""
    places = (span[2].location for spans in lines.values() for span in spans)
    file = next((f" ({place.file})" for place in places if place is not None), "")
    return f"<plan {next(_serial)} of {graph.name or 'a graph'}{file}> step"


def _shown(owner: Callable[[], Executable | None]) -> str:
    """The source of a plan, each line with the user's that it comes from."""
    executable = owner()
    lines = [] if executable is None else executable.source.splitlines()
    return "\n".join(executable.commented(k, text) for k, text in enumerate(lines, 1))  # type: ignore[union-attr]


def _main_name(graph: Graph) -> str:
    return f"run_{_identifier(graph.name)}" if graph.name else "run"


def _identifier(name: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name)


def _layout(header: list[str], blocks: list[list[tuple[int, Expr]]]) -> tuple[str, dict[int, list[Any]]]:
    """The source text, and for each line the (start, end, node) spans of its calls."""
    text = list(header)
    spans: dict[int, list[Any]] = {}
    for block in blocks:
        if text:
            text += [""]
        for depth, expr in block:
            pad = 4 * depth
            text.append(" " * pad + expr.text)
            if expr.spans:
                spans[len(text)] = [(pad + a, pad + b, node) for a, b, node in expr.spans]
    return "\n".join(text) + "\n", spans
