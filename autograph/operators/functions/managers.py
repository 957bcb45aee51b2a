"""with statements where `try` statements are staged: managers see what fails when the graph runs, and may take it back.

An object's `__exit__` is a handler and an `else`. A generator under `contextlib.contextmanager` is turned inside out: the
body of the `with` runs in the place of its `yield`, within its own `try` statements.
"""

from __future__ import annotations

import contextlib
import dis
from collections.abc import Callable
from functools import lru_cache, partial
from inspect import GEN_CREATED, getgeneratorstate
from types import CodeType, FunctionType
from typing import Any

from autograph.operators.functions.calls import callee, special
from autograph.operators.functions.generators import managing_form
from autograph.operators.state.aliases import tensorless
from autograph.operators.state.places import watch
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.branches import if_stmt, not_
from autograph.operators.statements.raised_kinds import class_of
from autograph.operators.statements.tries import EVERYTHING, try_stmt
from autograph.operators.values.specials import undispatched
from runtime.tensor.trace import STATE, Trace

__all__ = ["with_stmt"]

Entering = Callable[[Any], None] | None
Body = Callable[[], None]
_GENERATED: Any = contextlib._GeneratorContextManager


def with_stmt(manager: Any, entering: Entering, body: Body, names: tuple[str, ...]) -> None:
    """`with manager as entered: entering(entered); body()`."""
    trace = STATE.trace
    kind = type(manager)
    if trace is not None and not tensorless(trace):
        if kind is contextlib.suppress:
            caught = tuple(manager._exceptions)
            _enter(entering, None)
            try_stmt(body, ((lambda: caught, _suppressed),), None, names, entering)
            return
        if kind is _GENERATED and getgeneratorstate(manager.gen) == GEN_CREATED:
            run = managing_form(manager.gen, not _is_seen(trace, manager.gen.gi_code))
            if run is not None:
                run(partial(_body_of, entering, body))
                return
        method = getattr(kind, "__exit__", None)
        if type(method) is FunctionType and hasattr(kind, "__enter__"):
            code = undispatched(method).__code__
            leave = special(manager, "__exit__") if _is_seen(trace, code) or _may_swallow(code) else None
            if leave is not None:
                _enter(entering, (special(manager, "__enter__") or manager.__enter__)())
                _managed(leave, entering, body, names)
                return
    with manager as entered:
        _body_of(entering, body, entered)


def _enter(entering: Entering, entered: Any) -> None:
    if entering is not None:
        trace = STATE.trace
        if trace is not None:
            watch(trace, entering)
        entering(entered)


def _body_of(entering: Entering, body: Body, entered: Any) -> None:
    _enter(entering, entered)
    trace = STATE.trace
    if trace is not None:
        watch(trace, body)
    body()


def _managed(leave: Any, entering: Entering, body: Body, names: tuple[str, ...]) -> None:
    def failed(error: Any) -> None:
        def again() -> None:
            raise  # noqa: PLE0704 (a handler calls this)

        traced = "__raised_again__" in dir(error)  # it stands for one of the run, of which there is no traceback yet
        if_stmt(not_(leave(class_of(error), error, None if traced else error.__traceback__)), again, None, ())

    def left() -> None:
        leave(None, None, None)

    try_stmt(body, ((lambda: EVERYTHING, failed),), left, names, entering)


@stand_in(contextlib.ExitStack.callback)
def callback_(stack: Any, f: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`ExitStack.callback`: the stack calls the function, converted."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return callee(f)(*args, **kwargs)

    contextlib.ExitStack.callback(stack, call, *args, **kwargs)
    return f


def _suppressed(_: Any) -> None:
    pass


def _is_seen(trace: Trace, code: CodeType) -> bool:
    """Whether anybody sees that an `__exit__` ran after what failed: a `try` around it, or who reads what it prints.

    What else it does is undone: a call that raises changes nothing.
    """
    return bool(trace.notes.get("tries")) or "print" in code.co_names


@lru_cache(1000)
def _may_swallow(code: CodeType) -> bool:
    """Whether an `__exit__` may return anything but a constant that is false."""
    before = None
    for each in dis.get_instructions(code):
        if each.opname == "RETURN_CONST":
            if each.argval:
                return True
        elif each.opname == "RETURN_VALUE" and (before is None or before.opname != "LOAD_CONST" or before.argval):
            return True
        before = each
    return False
