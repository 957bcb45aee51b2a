"""Functions with `try` statements have two converted forms: where tensors are about, their `try` statements are staged.

Whether tensors are about is looked up in all that the arguments lead to. What was found to lead to none is remembered for
the rest of the trace; where that turns out to have changed since, the function is traced again without relying on it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from autograph.load.cache import has_tries
from autograph.operators.aliases import TraceAgain, hints_of
from autograph.operators.generators import GENERATOR
from autograph.operators.plain import NUMBERS
from autograph.operators.specials import leads_to_tensor, named_by
from runtime.tensor.trace import STATE, Trace, current

__all__ = ["choosing_tries", "with_tries"]

Chosen = Callable[[Trace | None, FunctionType], Any]


def choosing_tries(made: FunctionType, chosen: Chosen) -> Callable[..., Any]:
    """What is called for a function with `try` statements; `chosen` tells how one of its forms is called."""

    def call(*args: Any, **kwargs: Any) -> Any:
        trace = current()
        if trace is None or not trace.notes.get("restarts") or made.__code__.co_flags & GENERATOR:
            function = with_tries(made) if leads_to_tensor([*named_by(made), args, kwargs]) else made
            return chosen(trace, function)(*args, **kwargs)
        tried = trace.notes.get("tried")
        if tried is None:
            tried = trace.notes["tried"] = _Tried(trace)
        return tried.call(made, chosen, args, kwargs)

    return call


class _Tried:
    """What was found to lead to no tensor in a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.functions: set[int] = set()  # ids of code objects: what their functions name does not
        self.things: dict[int, type] = {}  # by id (of what may be gone), with its type

    def call(self, made: FunctionType, chosen: Chosen, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call one of the forms."""
        trace, code, builder = self.trace, made.__code__, self.trace.builder
        things = [*args, *kwargs.values()]
        for cell in made.__closure__ or ():
            try:
                things.append(cell.cell_contents)
            except ValueError:  # an empty cell
                continue
        known = id(code) in self.functions
        mark = builder.emitted
        if known and all(self._known(x) for x in things):
            try:
                return chosen(trace, made)(*args, **kwargs)
            finally:
                if builder.emitted != mark:  # it met a tensor
                    raise TraceAgain(("tries", id(code)))
        if leads_to_tensor([*named_by(made), args, kwargs]):
            return chosen(trace, with_tries(made))(*args, **kwargs)
        result = chosen(trace, made)(*args, **kwargs)
        if builder.emitted == mark and ("tries", id(code)) not in hints_of(trace):
            self.functions.add(id(code))
            self.things.update((id(x), type(x)) for x in things)
        return result

    def _known(self, x: Any, depth: int = 2) -> bool:
        kind = type(x)
        if kind in NUMBERS or self.things.get(id(x)) is kind:
            return True
        if kind is tuple and depth:
            return all(self._known(e, depth - 1) for e in x)
        return kind is list and NUMBERS.issuperset(map(type, x))


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
