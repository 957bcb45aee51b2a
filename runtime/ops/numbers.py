"""Bare Python numbers of tensors: what `int(x)`, `float(x)` and `bool(x)` are in a graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import DTypeError, ShapeError
from runtime.typesys.shapes import broadcast_many
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


class PowModular(Op):
    """pow(x, y, mod) of integers, elementwise, as Python computes it: no intermediate value is too large.

    Raises (when run): ValueError where mod is 0, or y is negative and x has no inverse.
    """

    def infer(self, x: TensorType, y: TensorType, mod: TensorType) -> TensorType:
        for operand in (x, y, mod):
            if operand.dtype.kind not in "iub":
                raise DTypeError(f"pow() with three arguments needs integers, not {operand.dtype.name}", op=self.name)
        dtype, weak = promote((x.dtype, x.weak), (mod.dtype, mod.weak))
        shape = broadcast_many((x.shape, y.shape, mod.shape))
        return TensorType(dtype, shape, weak and shape == ())

    @staticmethod
    def kernel(x: Any, y: Any, mod: Any) -> Any:
        if isinstance(x, int) and isinstance(mod, int):  # Python's numbers, whatever the exponent is
            if np.ndim(y) == 0:
                return pow(x, int(y), mod)
            x = np.int64(x)
        dtype = np.result_type(*(v for v in (x, mod) if not isinstance(v, int)))
        found = _pow(*(np.array(np.asarray(v).tolist(), object) for v in (x, y, mod)))
        return np.asarray(found).astype(dtype)[()]

    vjp = lambda op, dy, z, x, y, mod: (None, None, None)

    def samples(self) -> Iterable[Any]:
        yield (np.array([3, 5, 7]), np.array([4, 0, 9]), np.int64(11)), {}
        yield (np.int64(3), np.int64(200), np.int64(1_000_000_007)), {}


_pow = np.frompyfunc(pow, 3, 1)
