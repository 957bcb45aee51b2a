"""Operations that act: print, assert, raise, and calling Python. They keep program order and are never dropped.

A text is a template: a tuple of strings and (slot number, format spec) pairs; slots are the operation's inputs. Of a
record, the spec is a form (see `shown`).
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from runtime.ops.registry import Op, tensor_of
from runtime.ops.shown import shown
from runtime.typesys.errors import FailedAssertionError, InvalidArgumentError
from runtime.typesys.spec import TensorType, ValueType

Template = tuple[Any, ...]
Outcome = tuple[Any, BaseException | None]


def fill(template: Template, values: tuple[Any, ...]) -> str:
    """The text of a template, numbers and arrays formatted as NumPy and Python do.

    >>> fill(("x = ", (0, ".2f")), (np.float32(0.5),))
    'x = 0.50'
    """
    return "".join(part if isinstance(part, str) else _text(values[part[0]], part[1]) for part in template)


def _text(value: Any, spec: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if type(spec) is tuple:
        return shown(spec, iter(value), _text)
    if isinstance(value, list):
        return f"[{', '.join(_text(v, spec) for v in value)}]"
    return format(value, spec)


class _Effects(threading.local):
    """What acting operations gave in a run that was given up: the run that takes its place is given the same again.

    record  what they gave in the run at hand, which may be given up
    done    what they gave in the run before, still to be given again
    noting  whether what they give is recorded one by one (else who calls them records it)
    """

    def __init__(self) -> None:
        self.record: list[Outcome] = []
        self.done: list[Outcome] = []
        self.noting = False

    def perform(self, run: Callable[..., Any], *values: Any) -> Any:
        """run(*values), or what it gave in the run before."""
        if self.noting:
            self.noting = False
            try:
                return self.once(self.perform, (run, *values))
            finally:
                self.noting = True
        return self.next_done() if self.done else run(*values)

    def noted(self, run: Callable[..., Any], values: Any) -> Any:
        """run(*values), in which operations may act, each recorded."""
        outer, self.noting = self.noting, True
        try:
            return run(*values)
        finally:
            self.noting = outer

    def once(self, run: Callable[..., Any], values: Any) -> Any:
        """run(*values), recorded."""
        try:
            result = run(*values)
        except Exception as error:
            self.record.append((None, error))
            raise
        self.record.append((result, None))
        return result

    def next_done(self) -> Any:
        """What the next operation gave in the run before; an error that it raised is raised again."""
        result, error = self.done.pop(0)
        if error is not None:
            raise error
        return result

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A run that may be given up."""
        outer, self.record = self.record, []
        try:
            yield
        finally:
            self.record = outer

    @contextmanager
    def again(self) -> Iterator[None]:
        """The run that takes its place, within the attempt."""
        outer, self.done = self.done, self.record
        self.record = []
        try:
            yield
        finally:
            self.done = outer


EFFECTS = _Effects()


class Print(Op):
    """Write a text (its end included) to `stream`, stdout or stderr as they are when the graph runs."""

    name = "print_"
    effect = "print"
    outputs = 0

    def infer(self, *values: ValueType, template: Template, stream: str = "stdout") -> tuple[()]:
        return ()

    @staticmethod
    def kernel(*values: Any, template: Template, stream: str = "stdout") -> tuple[()]:
        EFFECTS.perform(_write, stream, template, values)
        return ()


def _write(stream: str, template: Template, values: tuple[Any, ...]) -> None:
    getattr(sys, stream).write(fill(template, values))


class Assert(Op):
    """An `exception`, with a text unless `bare`, if the condition is false."""

    name = "assert_"
    effect = "assert"
    outputs = 0

    def infer(
        self,
        condition: TensorType,
        *values: ValueType,
        template: Template = (),
        bare: bool = False,
        exception: Any = FailedAssertionError,
    ) -> tuple[()]:
        return ()

    @staticmethod
    def kernel(
        condition: Any, *values: Any, template: Template = (), bare: bool = False, exception: Any = FailedAssertionError
    ) -> tuple[()]:
        if not condition:
            raise exception(*([] if bare else [fill(template, values)]))
        return ()


class Demand(Op):
    """Nothing, of a value that nobody uses: its operand is computed for what that raises."""

    name = "demand"
    effect = "check"
    outputs = 0

    def infer(self, value: ValueType) -> tuple[()]:
        return ()

    @staticmethod
    def kernel(value: Any) -> tuple[()]:
        return ()


@dataclasses.dataclass(frozen=True, repr=False)
class Slot:
    """An argument of an exception that is an input."""

    number: int

    def __repr__(self) -> str:
        return f"input {self.number}"


@dataclasses.dataclass(frozen=True, repr=False)
class Text:
    """An argument of an exception that is a text with inputs in it."""

    template: Template

    def __repr__(self) -> str:
        return repr("".join(p if isinstance(p, str) else f"{{{p[0]}}}" for p in self.template))


class Holder(str):
    """A value of the graph that is an exception."""

    __slots__ = ("error",)

    error: BaseException | None

    def __new__(cls, error: BaseException | None) -> Holder:
        """The text is nobody's."""
        made = super().__new__(cls, type(error).__name__)
        made.error = error
        return made


_BARE = (bool, int, float, complex, Holder)


def _argument(argument: Any, values: tuple[Any, ...]) -> Any:
    if isinstance(argument, Slot):
        value = values[argument.number]
        return value if type(value) in _BARE else tensor_of[0](value)
    if type(argument) in (tuple, list):
        return type(argument)(_argument(part, values) for part in argument)
    return fill(argument.template, values) if isinstance(argument, Text) else argument


@dataclasses.dataclass(frozen=True)
class Cause:
    """What an exception is raised `from`: as the attributes of `Raise` say of an exception."""

    exception: Any
    arguments: tuple[Any, ...] = ()
    state: tuple[tuple[str, Any], ...] | None = None
    cause: Cause | None = None

    def made(self, values: tuple[Any, ...]) -> BaseException:
        """The exception."""
        made = exception_of(values, self.exception, self.arguments, (), self.state)
        if self.cause is not None:
            made.__cause__ = self.cause.made(values)
        return made


class Raise(Op):
    """Raise `exception(*arguments)`, or `exception(text)` where `arguments` is None.

    In `arguments`, a `Slot` stands for an input, and a `Text` for a text with inputs in it. What has an `__init__` or
    attributes of its own is not initialised again: `state` holds the attributes. Where an attempt waits for it, `site`
    tells it from others: see `raised_at`. `caught_by` names the function of the attempt that caught what is raised again,
    `cause` what it is raised `from`.
    """

    name = "raise_"
    effect = "raise"
    outputs = 0

    def infer(
        self,
        *values: ValueType,
        exception: Any,
        arguments: tuple[Any, ...] | None = None,
        template: Template = (),
        state: tuple[tuple[str, Any], ...] | None = None,
        site: Any = 0,
        caught_by: str = "",
        cause: Cause | None = None,
    ) -> tuple[()]:
        return ()

    @staticmethod
    def kernel(
        *values: Any,
        exception: Any,
        arguments: tuple[Any, ...] | None = None,
        template: Template = (),
        state: tuple[tuple[str, Any], ...] | None = None,
        site: Any = 0,
        caught_by: str = "",
        cause: Cause | None = None,
    ) -> tuple[()]:
        made = exception_of(values, exception, arguments, template, state)
        if cause is not None:
            made.__cause__ = cause.made(values)
        if site:
            _RAISED.last = made, site
        raise made


class _Raised(threading.local):
    """What an attempt waits for that was raised last, and its site."""

    last: tuple[BaseException | None, Any] = None, 0


_RAISED = _Raised()


def raised_at(error: BaseException) -> Any:
    """Which `raise_` has raised an exception: its site; 0 if none that has one."""
    last, site = _RAISED.last
    return site if last is error else 0


def exception_of(
    values: tuple[Any, ...],
    exception: Any,
    arguments: tuple[Any, ...] | None,
    template: Template,
    state: tuple[tuple[str, Any], ...] | None,
) -> BaseException:
    """What a `raise_` raises, made of its inputs."""
    given = [fill(template, values)] if arguments is None else [_argument(a, values) for a in arguments]
    if state is None:
        return exception(*given)  # type: ignore[no-any-return]
    made: BaseException = exception.__new__(exception, *given)
    made.args = tuple(given)
    made.__dict__.update({name: _argument(a, values) for name, a in state})
    return made


class PyFunction(Op):
    """Call a Python function on arrays (read-only) when the graph runs; `types` are those of its results.

    Raises:
      InvalidArgumentError: another number of results, or a result of another rank or size.
    """

    effect = "py"
    outputs = None

    def infer(self, *values: ValueType, function: Any, types: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        return tuple(types)

    @staticmethod
    def kernel(*values: Any, function: Any, types: tuple[TensorType, ...]) -> tuple[Any, ...]:
        return EFFECTS.perform(_called, function, types, values)  # type: ignore[no-any-return]


def _called(function: Any, types: tuple[TensorType, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a Python function gives, as was declared."""
    result = function(*map(_read_only, values))
    results = () if not types and result is None else result if isinstance(result, (tuple, list)) else (result,)
    if len(results) != len(types):
        message = f"a Python function gave {len(results)} results; {len(types)} were declared"
        raise InvalidArgumentError(message, op="py_function")
    return tuple(_as_declared(r, t) for r, t in zip(results, types, strict=True))


def _read_only(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def _as_declared(result: Any, want: TensorType) -> Any:
    try:
        if result is None:
            raise TypeError
        array = np.asarray(result, want.dtype.dtype)
    except (TypeError, ValueError):
        message = f"a Python function gave {result!r}; {want} was declared"
        raise InvalidArgumentError(message, op="py_function") from None
    if want.weak:
        return array.item()
    if want.shape is not None:
        sizes = len(want.shape) == array.ndim and all(
            not isinstance(d, int) or d == n for d, n in zip(want.shape, array.shape, strict=True)
        )
        if not sizes:
            message = f"a Python function gave shape {array.shape}; {want} was declared"
            raise InvalidArgumentError(message, op="py_function")
    return array[()]
