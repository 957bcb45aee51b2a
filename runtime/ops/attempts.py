"""Functions that may fail: `attempt` calls one and tells which exception it raised, and how far it had come by then."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np

from runtime.ops.effects import Holder, raised_at
from runtime.ops.registry import Op
from runtime.typesys.errors import InvalidArgumentError, OpError
from runtime.typesys.numpy_texts import as_eager
from runtime.typesys.spec import TensorType, ValueType


class _Open(threading.local):
    """The attempts under way, innermost last, and what was caught last: by any, and by each."""

    def __init__(self) -> None:
        self.slots: list[tuple[str, list[Any]]] = []  # name of the function, values
        self.caught: BaseException | None = None
        self.caught_by: dict[str, BaseException] = {}  # by the names of functions


_OPEN = _Open()


@dataclasses.dataclass(frozen=True)
class Known:
    """Among the classes of an attempt: an exception of which all is known, as `raise` has made it."""

    exception: type[BaseException]
    arguments: tuple[Any, ...]
    state: tuple[tuple[str, Any], ...] = ()

    def fits(self, error: BaseException) -> bool:
        """Whether it is this exception."""
        same = type(error) is self.exception and error.args == self.arguments
        return same and all(name in error.__dict__ and error.__dict__[name] == value for name, value in self.state)


@dataclasses.dataclass(frozen=True)
class Sited:
    """Among the classes of an attempt: what the `raise_` of a site raises, whose values the attempt has noted."""

    exception: type[BaseException]
    site: int

    def fits(self, error: BaseException) -> bool:
        """Whether it is this exception."""
        return raised_at(error) == self.site


Kind = type[BaseException] | Known | Sited


class Attempt(Op):
    """(which, *results) of the function named `function`, applied to the inputs after the first `slots`.

    which is 0 if it returned; otherwise the number, from 1, of the first of `exceptions` that fits what it raised, and
    the results are the first inputs, as `note` has changed them.
    """

    effect = "check"
    outputs = None

    @staticmethod
    def run_function(
        function: Any, name: str, slots: int, exceptions: tuple[Kind, ...], *inputs: Any
    ) -> tuple[Any, ...]:
        """What the plan calls; `function` is the compiled one, `name` its name in the table."""
        state = list(inputs[:slots])
        _OPEN.slots.append((name, state))
        try:
            results = function(*inputs[slots:])
        except BaseException as error:
            said = as_eager(error) if isinstance(error, Exception) else error
            which = next((k for k, kind in enumerate(exceptions, 1) if _catches(kind, error, said)), 0)
            if not which:
                raise
            _OPEN.caught = _OPEN.caught_by[name] = said if isinstance(exceptions[which - 1], type) else error
            return (which, *state)
        finally:
            _OPEN.slots.pop()
        return (0,) if slots == 0 else (0, results) if slots == 1 else (0, *results)


def _catches(kind: Kind, error: BaseException, said: BaseException) -> bool:
    """Whether `except kind` is meant for an error, `said` as it is eagerly: Python's AssertionError is no ValueError, ours
    is one, too."""
    if isinstance(kind, (Known, Sited)):
        return kind.fits(error)
    if isinstance(said, InvalidArgumentError) and said.python is not None and not issubclass(kind, OpError):
        return issubclass(said.python, kind)
    return isinstance(said, kind)


class Note(Op):
    """Remember a value in a slot of the innermost attempt under way at the function `of`; without one (a backward pass
    computes forward values again) nothing."""

    effect = "check"
    outputs = 0

    def infer(self, value: ValueType, *, slot: int, of: str) -> tuple[()]:
        return ()

    @staticmethod
    def kernel(value: Any, *, slot: int, of: str) -> tuple[()]:
        state = next((values for name, values in reversed(_OPEN.slots) if name == of), None)
        if state is not None:
            kept = value.copy() if isinstance(value, np.ndarray) else list(value) if isinstance(value, list) else value
            state[slot] = kept
        return ()


class CaughtText(Op):
    """The text of the exception that an attempt caught last; `quoted` as `repr` gives it."""

    effect = "check"

    def infer(self, *, quoted: bool) -> TensorType:
        return TensorType("string", ())

    @staticmethod
    def kernel(*, quoted: bool) -> str:
        return repr(_OPEN.caught) if quoted else str(_OPEN.caught)


class Caught(Op):
    """The exception that an attempt caught last: a text that holds it, for `held`. Others are caught until it is raised
    again."""

    effect = "check"

    def infer(self) -> TensorType:
        return TensorType("string", ())

    @staticmethod
    def kernel() -> str:
        return Holder(_OPEN.caught)


def held(holder: Any) -> BaseException:
    """The exception that a value made by `caught` holds, to be raised again."""
    assert holder.error is not None
    return holder.error  # type: ignore[no-any-return]


@dataclasses.dataclass(frozen=True)
class LastOf:
    """Gives the exception that attempts at a function caught last, to be raised after its handler."""

    function: str

    def __call__(self) -> BaseException:
        """The exception."""
        return _OPEN.caught_by[self.function]
