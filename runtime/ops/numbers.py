"""Bare Python numbers of tensors: what `int(x)`, `float(x)` and `bool(x)` are in a graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.errors import ShapeError
from runtime.typesys.spec import TensorType

_DTYPES = {"int": "int64", "float": "float64", "bool": "bool", "complex": "complex128"}
_CLASSES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "complex": complex}


class ToPython(Op):
    """A scalar as the bare Python number that the class named `kind` makes of it.

    Raises (when run): what Python raises: ValueError for int(nan), OverflowError for int(inf).
    """

    def infer(self, x: TensorType, *, kind: str) -> TensorType:
        if x.shape not in ((), None):
            raise ShapeError(f"{kind}() needs a tensor without axes, not one of shape {x.shape}", op=self.name)
        return TensorType(_DTYPES[kind], (), weak=True)

    @staticmethod
    def kernel(x: Any, *, kind: str) -> Any:
        return _CLASSES[kind](x)

    def source(self, args: list[str], attrs: Any) -> str:
        """`float(x)`"""
        return f"{attrs['kind']}({args[0]})"

    def vjp(op: Any, dy: Any, y: Any, x: Any, *, kind: str) -> Any:
        dtype = op.type_of(x).dtype
        return (op.cast(dy, dtype=dtype) if kind in ("float", "complex") and dtype.is_inexact else None,)

    def samples(self) -> Iterable[Any]:
        for kind in ("int", "float", "bool"):
            yield (np.float32(2.5),), {"kind": kind}
            yield (np.float64(-2.5),), {"kind": kind}
