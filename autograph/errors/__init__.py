"""Every error a user can meet, with its text; and the runtime's, under TensorFlow's names."""

from runtime.typesys.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OperatorNotAllowedInGraphError,
    OpError,
    OutOfRangeError,
    UnimplementedError,
)

__all__ = [
    "FailedPreconditionError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "UnimplementedError",
]
