"""Typed exceptions of the runtime.

    OpError
    |- InvalidArgumentError   (also ValueError)      a value or shape that an operation cannot take
    |  `- ShapeError                                 shapes that do not fit each other
    |- DTypeError             (also TypeError)       an element type that an operation cannot take
    |- OutOfRangeError        (also IndexError)      an index outside its axis
    |- UnimplementedError     (also NotImplementedError)   names the operation and what is missing
    |- NotFoundError          (also KeyError)
    |- FailedPreconditionError(also RuntimeError)
    `- OperatorNotAllowedInGraphError (also TypeError)     Python asked a staged tensor for its value

They carry plain fields; the front end adds the user's source line.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "DTypeError",
    "FailedPreconditionError",
    "GraphError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "ShapeError",
    "UnimplementedError",
]


class OpError(Exception):
    """Base of errors raised by operations; `op` names the operation."""

    def __init__(self, message: str = "", *, op: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.op = op

    def __str__(self) -> str:
        return self.message


class InvalidArgumentError(OpError, ValueError):
    """A value or shape that an operation cannot take."""


class ShapeError(InvalidArgumentError):
    """Shapes that do not fit each other."""


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
