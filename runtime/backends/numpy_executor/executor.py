"""Compiling a graph to one Python function over NumPy."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from runtime.backends.numpy_executor import control
from runtime.backends.numpy_executor.buffers import lists_as_arrays
from runtime.backends.numpy_executor.executable import PLANS, Executable
from runtime.backends.numpy_executor.memory import keep_freed_pages
from runtime.backends.numpy_executor.names import Globals
from runtime.backends.numpy_executor.planes import has_sums, sums_by_planes
from runtime.backends.numpy_executor.spelled import has_spelled, spelled
from runtime.backends.numpy_executor.text import Expr
from runtime.backends.numpy_executor.writer import FunctionWriter
from runtime.backends.product_threads import needs
from runtime.ir.graph import Graph
from runtime.ir.walk import clone, reachable_functions
from runtime.passes.rewrite import graphs
from runtime.plan.plan import make_plan

__all__ = ["Executable", "compile_graph"]

_serial = itertools.count()
assert control  # imported so that its statements are known


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
    PLANS[file] = out
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
