"""Every error a user can meet, with its text; and the runtime's, under TensorFlow's names."""

import importlib as _importlib

from runtime.typesys.errors import (
    DTypeError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OperatorNotAllowedInGraphError,
    OpError,
    OutOfRangeError,
    ShapeError,
    UnimplementedError,
)

__all__ = [
    "DTypeError",
    "FailedPreconditionError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "ShapeError",
    "UnimplementedError",
]

for _name in __all__:  # a traceback names the place that an `except` clause can name, too
    globals()[_name].__module__ = __name__


_TRANSPILER = ("AmbiguousLambdaError", "AutographError", "NotAFunctionError", "PassError", "SourceUnavailableError")


def __getattr__(name: str) -> type:
    if name in _TRANSPILER:  # the words are loaded when something went wrong
        found: type = getattr(_importlib.import_module("autograph.errors.catalogue"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
