"""Typed exceptions of the runtime.

    OpError
    |- InvalidArgumentError   (also ValueError)      a value or shape that an operation cannot take
    |  |- ShapeError                                 shapes that do not fit each other
    |  |- MatrixError          (also np.linalg.LinAlgError)   a matrix that has no inverse or no factors
    |  |- UnboundVariableError (also UnboundLocalError)   a name that the path taken in a graph does not set
    |  `- FailedAssertionError (also AssertionError)       an `assert` that does not hold when the graph runs
    |- DTypeError             (also TypeError)       an element type that an operation cannot take
    |- OutOfRangeError        (also IndexError)      an index outside its axis
    |- UnimplementedError     (also NotImplementedError)   names the operation and what is missing
    |- NotFoundError          (also KeyError)
    |- FailedPreconditionError(also RuntimeError)
    `- OperatorNotAllowedInGraphError (also TypeError)     Python asked a staged tensor for its value

They carry plain fields. Where the `id` of a refusal is among them, the front end finds its words and the user's
source line when the error is printed: it puts a function into `present`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

import numpy as np

__all__ = [
    "DTypeError",
    "FailedAssertionError",
    "FailedPreconditionError",
    "GraphError",
    "InvalidArgumentError",
    "MatrixError",
    "NotFoundError",
    "OpError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "ShapeError",
    "UnboundVariableError",
    "UnimplementedError",
    "boundary",
    "leaked_tensor",
    "outward",
]


class OpError(Exception):
    """Base of errors raised by operations; `op` names the operation.

    `id` names a kind of refusal, `fields` are what its sentence tells of this one, and `hint` says what to do instead.
    """

    def __init__(self, message: str = "", *, op: str | None = None, id: str = "", hint: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.op = op
        self.id = id
        self.hint = hint
        self.fields = fields

    def __str__(self) -> str:
        return present[0](self) if self.id else self.message


class InvalidArgumentError(OpError, ValueError):
    """A value or shape that an operation cannot take."""

    python: type[Exception] | None = None  # the class of Python's own that it stands for in `except` clauses of a graph


class ShapeError(InvalidArgumentError):
    """Shapes that do not fit each other."""


class MatrixError(InvalidArgumentError, np.linalg.LinAlgError):
    """A matrix that has no inverse or no factors: NumPy's error, and for TensorFlow's programs theirs, too.

    It is shown under the name of NumPy's.
    """

    python = np.linalg.LinAlgError

    def __reduce__(self) -> Any:
        return _singular, (self.message, self.op)


def _singular(message: str, op: str | None) -> MatrixError:
    return MatrixError(message, op=op)


class UnboundVariableError(UnboundLocalError, InvalidArgumentError):
    """A name that was not set on the path that a graph took: Python's error, and for TensorFlow's programs theirs, too.

    It is shown under the name of Python's, and says `why` the name may be unset, which is also the way out.
    """

    python = UnboundLocalError

    def __init__(self, name: str, why: str = "") -> None:
        self.variable = name
        self.why = why
        message = f"cannot access local variable '{name}' where it is not associated with a value"
        InvalidArgumentError.__init__(self, f"{message}\n{why}" if why else message)
        self.name = name

    def __reduce__(self) -> Any:
        return _unbound, (self.variable, self.why)


def _unbound(name: str, why: str) -> UnboundVariableError:
    return UnboundVariableError(name, why)


class FailedAssertionError(AssertionError, InvalidArgumentError):
    """An `assert` that did not hold when a graph ran: Python's error, and for TensorFlow's programs theirs, too.

    It is shown under the name of Python's.
    """

    python = AssertionError

    def __init__(self, *args: Any) -> None:
        InvalidArgumentError.__init__(self, str(args[0]) if args else "")
        self.args = args

    def __reduce__(self) -> Any:
        return _failed, self.args


def _failed(*args: Any) -> FailedAssertionError:
    return FailedAssertionError(*args)


for _shown in (MatrixError, UnboundVariableError, FailedAssertionError):
    _shown.__name__ = _shown.__qualname__ = _shown.python.__name__
    _shown.__module__ = _shown.python.__module__


class DTypeError(OpError, TypeError):
    """An element type that an operation cannot take."""


class OutOfRangeError(OpError, IndexError):
    """An index outside its axis, or an iterator past its end."""


class UnimplementedError(OpError, NotImplementedError):
    """Something that this package does not do; the message names it and the way out."""


class NotFoundError(OpError, KeyError):
    """A name that is not there."""


class FailedPreconditionError(OpError, RuntimeError):
    """An object in a state that does not allow the operation."""


class OperatorNotAllowedInGraphError(OpError, TypeError):
    """Python asked a staged tensor for a value that exists only when the graph runs."""


class GraphError(AssertionError):
    """The verifier found a graph that breaks its own rules: a bug of this package, never of its user."""

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.fields = fields


def leaked_tensor(type: Any) -> InvalidArgumentError:
    """What to raise where a graph's value (of this type) is used outside the function, branch or loop that made it."""
    return InvalidArgumentError(
        f"a staged tensor ({type}) was used outside the function or staged branch or loop that made it",
        id="leaked-tensor",
        type=type,
    )


def _plain(error: OpError) -> str:
    return error.message


present: list[Callable[[OpError], str]] = [_plain]  # one entry: the text of an error that has an id


def _as_it_is(error: BaseException) -> object:
    return error


outward: list[Callable[[BaseException], object]] = [_as_it_is]
"""One entry: what is done to an exception where it leaves for the user's code. The front end drops internal frames.

Called in an `except` followed by a bare `raise`, which costs nothing where nothing is raised.
"""


def boundary(fn: Any) -> Any:
    """A function (or a class with methods) that the user calls: its exceptions leave through `outward`.

    Not for what is called often, as it adds a call: there, say `try` in the function itself.
    """
    if isinstance(fn, type):
        for name, method in list(vars(fn).items()):
            if isinstance(method, FunctionType) and (name in ("__init__", "__len__") or not name.startswith("_")):
                setattr(fn, name, boundary(method))
            elif isinstance(method, staticmethod) and not name.startswith("_"):
                setattr(fn, name, staticmethod(boundary(method.__func__)))
        return fn

    @wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        except BaseException as error:
            outward[0](error)
            raise

    return call
