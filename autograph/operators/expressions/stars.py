"""`*xs` where only the run knows how many items there are: `f(*xs)`, `[*xs, y]`, `(*xs, y)`.

    def f(a, b): ...       f(*xs)    ->    its items 0 and 1, and a TypeError of the run if there are not two
    def f(a, *more): ...   f(*xs)    ->    item 0, and `more` is a list, as tuples of such a length are
"""

from __future__ import annotations

import inspect
from typing import Any

from autograph.errors.refusals import refusal
from autograph.operators.containers.lists import dynamic_of, get_element, get_slice, length
from autograph.operators.expressions.py_builtins import gathered, list_
from autograph.operators.functions.calls import callee
from autograph.operators.state.plain import CERTAIN, ITERATORS
from autograph.operators.state.stand_ins import STAND_INS
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_stmt
from autograph.operators.statements.iterables import staged_iterable
from autograph.operators.values.choice import is_mixed
from autograph.operators.values.listvalue import RunTuple, Splice, list_of, new_list, run_tuple
from runtime.tensor.dispatch import op
from runtime.tensor.trace import STATE

__all__ = ["joined", "spread"]


def spread(x: Any, function: Any = None, before: int = 0) -> Any:
    """What stands for `x` in `*x`, in a call of `function` after so many arguments, or in a list or tuple."""
    kind = type(x)
    if kind in CERTAIN or kind in ITERATORS or STATE.trace is None:
        return x
    if is_mixed(x):  # each of the objects is gone over on its path
        x = callee(list)(x)
    x = gathered(x)
    dynamic = dynamic_of(x)
    if dynamic is None:
        staged = None if type(x) is list else staged_iterable(x)
        if staged is None or isinstance(staged.count(), int):
            return x
        x = list_(x)
        dynamic = dynamic_of(x)
    if type(x) is RunTuple:
        x = list_of(x)
    if dynamic is None or function is None:
        return x
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # one in C that does not say
        if function is slice:  # it keeps what it is given, and looks at nothing: what stands for the items
            raise refusal("unknown-length", what="slice(*xs)") from None
        return x
    if function in STAND_INS or (not inspect.isroutine(function) and not inspect.isclass(function)):
        return x
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    wanted = max(len(places) - before, 0)
    many = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if any(p.default is not p.empty for p in places[before:]):
        raise refusal("unknown-length", what="a call of a function with default values")
    if many and getattr(function, "__name__", "") == "<lambda>":
        raise refusal("unknown-length", what="a call of a lambda with *args")
    count, name = length(dynamic), getattr(function, "__name__", "function")

    def fail(message: str) -> Any:
        def body() -> None:
            raise raised(TypeError(message))

        return body

    few = f"{name}() missing required positional arguments"
    if_stmt(op.less(count, wanted), fail(few), None, ())
    items = [get_element(dynamic, i) for i in range(wanted)]
    if many:
        return [*items, *new_list(get_slice(dynamic, slice(wanted, None)))] if wanted else x
    more = f"{name}() takes {len(places)} positional arguments but more were given"
    if_stmt(op.greater(count, wanted), fail(more), None, ())
    return items


def joined(x: tuple[Any, ...]) -> Any:
    """A tuple, of which only the run may know how many items it has."""
    trace = STATE.trace
    if trace is None or "lists" not in trace.notes or not any(type(e) is Splice for e in x):
        return x
    return run_tuple(list(x))
