"""The closed set of operations with regions, and named calls. Each backend handles them in a file of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.spec import TensorType

__all__: list[str] = []


class _Control(Op, abstract=True):
    """Typed by who builds it, from its regions."""

    outputs = None


class Cond(_Control):
    """then or else, by a boolean."""


class WhileLoop(_Control):
    """body while cond."""


class ForLoop(_Control):
    """body for i in 0 .. count-1."""


class Call(_Control):
    """A function of the module's table, by name."""


class CustomGradient(Op):
    """Values as they are, with a gradient that the user wrote: inputs (*values, *arguments, *captured).

    regions = [gradient(cotangents of the floating values, *captured) -> cotangents of the `connected` arguments];
    attributes: number of `values`, `count` of arguments, and which of these are `connected`.
    """

    outputs = None
    aliases = True

    @staticmethod
    def kernel(*inputs: Any, values: int, count: int, connected: tuple[bool, ...]) -> Any:
        first, *others = inputs[:values]
        return (first, *(x.copy() if isinstance(x, np.ndarray) else x for x in others))


class Constant(Op):
    """A value known when the graph was built; attribute `value` is an array, a NumPy scalar or a Python number."""

    def infer(self, *, value: Any, type: TensorType) -> TensorType:
        return type

    @staticmethod
    def kernel(*, value: Any, type: TensorType) -> Any:
        return value


class Placeholder(Op):
    """A value of a type that nobody will look at (the side of a choice that is not taken): zeros, unknown sizes 0."""

    def infer(self, *, type: Any) -> Any:
        return type

    @staticmethod
    def kernel(*, type: Any) -> Any:
        if not isinstance(type, TensorType):
            return []
        if type.weak:
            return {"b": False, "i": 0, "f": 0.0, "c": 0j}[type.dtype.kind]
        return np.zeros([d if isinstance(d, int) else 0 for d in type.shape or ()], type.dtype.dtype)[()]
