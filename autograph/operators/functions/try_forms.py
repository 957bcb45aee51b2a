"""Functions with `try` statements have two converted forms: where tensors are about, their `try` statements are staged.

Whether tensors are about is looked up in all that the arguments lead to. What was found to lead to none is remembered for
the rest of the trace; where that turns out to have changed since, the function is traced again without relying on it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from autograph.load.cache import has_tries
from autograph.operators.functions.generators import GENERATOR
from autograph.operators.state.aliases import TraceAgain, hints_of, tensorless
from autograph.operators.state.plain import NUMBERS
from autograph.operators.values.specials import leads_to_tensor, named_by
from runtime.tensor.trace import STATE, Trace, current

__all__ = ["choosing_tries", "with_tries"]

Chosen = Callable[[Trace | None, FunctionType], Any]


def choosing_tries(trace: Trace, made: FunctionType, chosen: Chosen) -> Callable[..., Any]:
    """What is called for a function with `try` statements; `chosen` tells how one of its forms is called."""
    if trace.builder.region.parent is None and tensorless(trace):
        return chosen(trace, made)
    if trace.notes.get("restarts") and not made.__code__.co_flags & GENERATOR:
        tried = trace.notes.get("tried")
        if tried is None:
            tried = trace.notes["tried"] = _Tried(trace)
        return tried.chooser(made, chosen)
    return partial(_call, made, chosen)


def _call(made: FunctionType, chosen: Chosen, /, *args: Any, **kwargs: Any) -> Any:
    trace = current()
    known = trace is not None and tensorless(trace)
    function = with_tries(made) if not known and leads_to_tensor([*named_by(made), args, kwargs]) else made
    return chosen(trace, function)(*args, **kwargs)


class _Tried:
    """What was found to lead to no tensor in a trace."""

    def __init__(self, trace: Trace) -> None:
        self.builder, self.graph = trace.builder, trace.graph
        self.hints = hints_of(trace)
        self.functions: set[int] = set()  # ids of code objects: what their functions name does not
        self.things: dict[int, type] = {}  # by id (of what may be gone), with its type

    def chooser(self, made: FunctionType, chosen: Chosen) -> Callable[..., Any]:
        """What calls one of the forms."""
        builder, graph, functions, key = self.builder, self.graph, self.functions, id(made.__code__)

        def call(*args: Any, **kwargs: Any) -> Any:
            trace = current()
            if trace is None or trace.builder is not builder:  # another trace goes on
                return _call(made, chosen, *args, **kwargs)
            mark = builder.emitted
            # A trace that has met no tensor yet may meet its first one here: that is seen in the end.
            if key in functions and ((not mark and not graph.inputs) or self._all_known(made, args, kwargs)):
                try:
                    if builder.region.parent is None:
                        return made(*args, **kwargs)
                    return chosen(trace, made)(*args, **kwargs)
                finally:
                    if builder.emitted != mark:  # it met a tensor
                        raise TraceAgain(("tries", key))
            if leads_to_tensor([*named_by(made), args, kwargs]):
                return chosen(trace, with_tries(made))(*args, **kwargs)
            result = chosen(trace, made)(*args, **kwargs)
            if builder.emitted == mark and ("tries", key) not in self.hints:
                functions.add(key)
                self.things.update((id(x), type(x)) for x in (*args, *kwargs.values(), *_closed_over(made)))
            return result

        return call

    def _all_known(self, made: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        things = self.things
        for x in args:
            kind = type(x)
            if kind not in NUMBERS and things.get(id(x)) is not kind and not self._known(x):
                return False
        if kwargs and not all(map(self._known, kwargs.values())):
            return False
        closure = made.__closure__ or ()
        if len(closure) < 2:
            return True
        for cell in closure:
            try:
                x = cell.cell_contents
            except ValueError:  # an empty cell
                continue
            kind = type(x)
            if kind not in NUMBERS and kind is not ModuleType and things.get(id(x)) is not kind and not self._known(x):
                return False
        return True

    def _known(self, x: Any, depth: int = 2) -> bool:
        kind = type(x)
        if kind in NUMBERS or self.things.get(id(x)) is kind:
            return True
        if kind is tuple and depth:
            return all(self._known(e, depth - 1) for e in x)
        return kind is list and NUMBERS.issuperset(map(type, x))


def _closed_over(made: FunctionType) -> Iterator[Any]:
    """What the cells of a function hold, but for the hooks."""
    for name, cell in zip(made.__code__.co_freevars, made.__closure__ or (), strict=True):
        if name != "ag__":
            try:
                yield cell.cell_contents
            except ValueError:  # an empty cell
                continue


def with_tries(made: FunctionType) -> FunctionType:
    """A converted function with its `try` statements staged; itself if it has none."""
    from autograph.load.conversion import convert_with_tries  # loads gast

    if not has_tries(made.__code__):
        return made
    trace, STATE.trace = STATE.trace, None  # the conversion itself is nobody's to trace
    try:
        return convert_with_tries(made, sys.modules["autograph.operators"])
    finally:
        STATE.trace = trace
