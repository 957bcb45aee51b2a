"""assert and raise in converted code."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from autograph.operators.state import regions
from autograph.operators.state.plain_arrays import in_lists_staged
from autograph.operators.state.regions import LEAVING, current_trace, leaving, slotted
from autograph.operators.statements.printing import text_of
from autograph.operators.statements.staged_texts import StagedText, template_of
from autograph.operators.statements.truth import is_staged_condition, truth_of
from autograph.operators.values import choice as choice_module
from autograph.operators.values.choice import Choice, choice_of, is_mixed, require_bound
from runtime.ir.build import Region
from runtime.ir.graph import Value
from runtime.ops.attempts import LastOf, held
from runtime.ops.effects import Cause, Slot, Text
from runtime.ops.registry import get
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace

__all__ = ["assert_stmt", "raised"]

_MARKS = "__as_made__", "__raised_again__", LEAVING
"""Attributes by which an exception that stands for one of the run is known."""


def assert_stmt(test: Any, message: Callable[[], Any] | None = None) -> None:
    """`assert test, message()`; of a staged test, checked when the graph runs."""
    condition = truth_of(test)
    if not is_staged_condition(condition):
        if not condition:
            raise raised(AssertionError(*([] if message is None else [message()])))
        return
    trace = STATE.trace
    assert trace is not None
    template, values = template_of("" if message is None else text_of(message()))
    trace.builder.emit(
        get("assert_"),
        [trace.operand(condition), *values],
        {"template": template, "bare": message is None},
        (),
    )


def raised(error: Any, *cause: Any) -> Any:
    """What `raise error` raises: under a staged condition an exception that becomes a node where it leaves the region.

    So an `except` of Python's on the way catches it as ever; the node raises it when the graph runs. A cause, that of
    `raise error from cause`, is given to it.
    """
    trace = STATE.trace
    if trace is not None and (choice := choice_of(error)) is not None:
        return _one_of(choice, require_bound(choice), lambda option: raised(option, *cause))
    if cause:
        if trace is not None and (choice := choice_of(cause[0])) is not None:
            return _one_of(choice, require_bound(choice), lambda option: raised(error, option))
        error = _caused(error, *cause)
    if not isinstance(error, BaseException) and not (isinstance(error, type) and issubclass(error, BaseException)):
        return error  # Python says that this can't be raised
    if trace is None:
        return error
    if trace.builder.region.parent is None and not (_is_of_the_run(error) or _acts(trace)):
        return error  # no call comes further
    made = error() if isinstance(error, type) else error
    again = getattr(made, "__raised_again__", None)
    if again is not None:  # caught when the graph runs, and raised once more
        site, args, state = made.__dict__.get("__as_made__", (0, None, None))
        if state is None or (args is made.args and _same(state, made.__dict__)):
            known = {"site": site} if site else {"caught_by": getattr(made, "__caught_by__", "")}
            holders: list[Value] = []
            exception, arguments = again.made_of(current_trace(), holders)
            leaving(made, holders, {"exception": exception, "arguments": arguments, "template": (), **known})
            return made
        for name in _MARKS:
            made.__dict__.pop(name, None)
    if any(map(is_mixed, made.args)):
        made.args = tuple(str(x) if is_mixed(x) else x for x in made.args)
    text = str(made.args[0]) if len(made.args) == 1 and isinstance(made.args[0], str) else None
    template, values = template_of(text) if text is not None else ((), [])
    arguments = _arguments(trace, made.args, values) if text is None else None
    attrs: dict[str, Any] = {"exception": type(made), "arguments": arguments, "template": template}
    if type(type(made).__init__) is FunctionType or made.__dict__:
        attrs["state"] = tuple(zip(made.__dict__, _arguments(trace, tuple(made.__dict__.values()), values), strict=True))
    if made.__cause__ is not None:
        attrs["cause"] = _made_of(trace, made.__cause__, values)
    leaving(made, values, attrs)
    return made


class Again:
    """What is raised where an exception that the run has caught is raised once more: that one, also if others have been
    caught since. Made where its handler begins."""

    def __init__(self, attempt: str) -> None:
        trace = current_trace()
        self.attempt = attempt
        self._holder = trace.builder.emit(get("caught"), [], {}).outputs[0]
        self._region = trace.builder.region
        self._is_used = False

    def drop(self) -> None:
        """The handler has ended: take back what nobody asked for."""
        node = self._holder.node
        if not self._is_used and node is not None:
            self._region.graph.nodes.remove(node)

    def made_of(self, trace: Trace, values: list[Value]) -> tuple[Callable[..., BaseException], tuple[Any, ...]]:
        """What makes it, and of which arguments; the values that stand for these are added to `values`."""
        region: Region | None = trace.builder.region
        while region is not None and region is not self._region:
            region = region.parent
        if region is None:  # it has left its handler
            return LastOf(self.attempt), ()
        self._is_used = True
        values.append(trace.operand(Tensor(self._holder)))
        return held, (Slot(len(values) - 1),)


def _made_of(trace: Trace, cause: BaseException, values: list[Value]) -> Cause:
    """What a cause is made of when the graph runs."""
    if type(cause).__dict__.get("__stands_in__"):
        return Cause(*cause.__raised_again__.made_of(trace, values))  # type: ignore[attr-defined]
    own = {name: value for name, value in vars(cause).items() if name not in _MARKS}
    given = _arguments(trace, tuple(str(x) if is_mixed(x) else x for x in cause.args), values)
    state = None
    if type(type(cause).__init__) is FunctionType or own:
        state = tuple(zip(own, _arguments(trace, tuple(own.values()), values), strict=True))
    further = None if cause.__cause__ is None else _made_of(trace, cause.__cause__, values)
    return Cause(type(cause), given, state, further)


def _caused(error: Any, cause: Any) -> Any:
    """What `raise error from cause` raises."""
    made = error() if isinstance(error, type) and issubclass(error, BaseException) else error
    cause = cause() if isinstance(cause, type) and issubclass(cause, BaseException) else cause
    if cause is not None and not isinstance(cause, BaseException):
        return TypeError("exception causes must derive from BaseException")
    if isinstance(made, BaseException):
        made.__cause__ = cause
    return made


def _one_of(choice: Choice, options: list[tuple[int, Any]], made: Callable[[Any], Any]) -> Any:
    """What is raised for one of several values, on the path of each."""
    if len(options) > 1:
        half = len(options) // 2
        first, rest = options[:half], options[half:]
        test = op.equal(choice._tag, first[0][0]) if half == 1 else op.less(choice._tag, rest[0][0])
        sides = [lambda some=some: _leave(_one_of(choice, some, made)) for some in (first, rest)]  # type: ignore[misc]
        return choice_module.branch_hook(test, *sides)
    error = made(options[0][1])
    if not isinstance(error, BaseException) and not (isinstance(error, type) and issubclass(error, BaseException)):
        error = raised(TypeError("exceptions must derive from BaseException"))
    return error


def _leave(error: Any) -> None:
    raise error


def _same(state: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether a handler has left an exception's attributes as they were."""
    own = {name: value for name, value in now.items() if name not in _MARKS}
    return own.keys() == state.keys() and all(own[name] is state[name] for name in own)


choice_module.raised_hook = regions.raised = raised


def _is_of_the_run(error: Any) -> bool:
    """Whether only the run knows all that an exception says."""
    return isinstance(error, BaseException) and any(in_lists_staged(a) or type(a) is StagedText for a in error.args)


def _acts(trace: Trace) -> bool:
    """Whether the graph does something that comes first: it prints, or raises another exception on some paths."""
    return any(node.op.effect for node in trace.builder.region.graph.walk())


def _arguments(trace: Trace, args: tuple[Any, ...], values: list[Value]) -> tuple[Any, ...]:
    """The arguments of an exception, with slots for staged tensors; the tensors are added to `values`."""
    made: list[Any] = []
    for arg in args:
        if isinstance(arg, str):
            template, inside = template_of(arg)
            shifted = tuple(p if isinstance(p, str) else (p[0] + len(values), p[1]) for p in template)
            made.append(Text(shifted) if inside else arg)
            values += inside
        else:
            made.append(slotted(trace, arg, values))
    return tuple(made)
