"""NumPy's functions on tensors: `np.tanh(t)`, `np.concatenate([t, u])`, eager and staged, by NumPy's own protocols.

ufuncs come from the operations that name them as their meaning; other functions from `numpy_functions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.ops.catalogue import UFUNCS
from runtime.ops.registry import get
from runtime.tensor.dispatch import apply, op
from runtime.tensor.items import add_at, write_part
from runtime.tensor.numpy_functions import (
    applied,
    choosing,
    linear,
    numeric,
    reductions,
    shapes,
    signals,
    writers,
)
from runtime.tensor.numpy_functions.table import TABLE, as_array, public, without_counterpart
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.tensor.views import into_array, mark_array, written
from runtime.typesys.errors import UnimplementedError, outward

__all__ = ["FAMILIES", "attach"]

FAMILIES = (applied, choosing, linear, numeric, reductions, shapes, signals, writers)
"""The files whose functions are in the table."""


def _operation(name: str) -> Any:
    key = UFUNCS.get(name)
    return None if key is None else get(key)


_REDUCERS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}


_ASSOCIATIVE = {
    "add": "add",
    "multiply": "mul",
    "maximum": "maximum",
    "minimum": "minimum",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
}
"""The ufuncs with `accumulate`, and the operations that do them."""


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's ufunc protocol: the operation of that name.

    Raises:
      UnimplementedError: there is none, or `out=` is an array that a graph or a tape would have to write.
    """
    try:
        out = kwargs.pop("out", None)
        where = kwargs.pop("where", True) if method == "__call__" else True
        if out is None and where is True:
            return _computed(self, ufunc, method, inputs, kwargs)
        if out is not None and STATE.trace is not None:
            out = tuple([into_array[0](STATE.trace, x) if type(x) is np.ndarray else x for x in out])
        into = out if out is None or len(out) > 1 else out[0]
        if isinstance(into, Tensor) or into is None:
            if where is not True:  # what is left out is not worked out: there may be no result, nor a derivative
                inputs = tuple(op.where(where, x, op.ones_like(x)) for x in inputs)
            made = _computed(self, ufunc, method, inputs, kwargs)
            if where is not True:
                made = op.where(where, made, op.zeros_like(made) if into is None else into)
            return made if into is None else written(ufunc.__name__, into, made, write_part)
        if STATE.trace is not None or STATE.tapes or any(isinstance(x, Tensor) for x in out):
            raise UnimplementedError(
                f"np.{ufunc.__name__} cannot write from a tensor into an array (out=) under a tape",
                id="numpy-out",
                what=f"np.{ufunc.__name__}",
            )
        plain = {name: as_array(x) for name, x in kwargs.items()}
        if method == "__call__":
            plain["where"] = as_array(where)
        return getattr(ufunc, method)(*map(as_array, inputs), out=out, **plain)
    except BaseException as error:
        outward[0](error)
        raise


def _computed(self: Tensor, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a ufunc or a method of it gives."""
    if method == "at" and not isinstance(inputs[0], Tensor) and STATE.trace is None and not STATE.tapes:
        return ufunc.at(*map(as_array, inputs))  # NumPy's own array is written
    if method == "at" and ufunc.__name__ in ("add", "subtract") and isinstance(inputs[0], Tensor):
        add_at(inputs[0], inputs[1], inputs[2] if ufunc.__name__ == "add" else op.neg(inputs[2]))
        return None
    if method == "__call__":
        dtype = kwargs.pop("dtype", None)
        if not kwargs:
            special = _SPECIAL.get(ufunc.__name__)
            operation = _operation(ufunc.__name__)
            if special is not None or operation is not None:
                result = special(*inputs) if special is not None else apply(operation, inputs, {})
                return mark_array(result if dtype is None else op.cast(result, dtype=dtype))
    elif method == "reduce" and ufunc.__name__ in _REDUCERS:
        axis = kwargs.pop("axis", 0)
        return getattr(public, _REDUCERS[ufunc.__name__])(inputs[0], axis, bool(kwargs.pop("keepdims", False)))
    elif method == "accumulate" and ufunc.__name__ in _ASSOCIATIVE and kwargs.get("dtype") is None:
        return applied.accumulated(_ASSOCIATIVE[ufunc.__name__], inputs[0], kwargs.get("axis", 0))
    elif method == "outer":
        x, y = inputs
        for _ in range(np.ndim(y) if not isinstance(y, Tensor) else len(y.shape)):
            x = op.expand_dims(x, axis=-1)
        return _computed(self, ufunc, "__call__", (x, y), {})
    name = f"{'np' if hasattr(np, ufunc.__name__) else 'scipy.special'}.{ufunc.__name__}"
    raise UnimplementedError(
        f"{name} ({method}) has no operation for tensors; convert with .numpy() first",
        id="numpy-function",
        what=name if method == "__call__" else f"{name}.{method}",
    )


_SPECIAL: dict[str, Callable[..., Any]] = {
    "matmul": lambda a, b: op.matmul(a, b),
    "power": lambda a, b: op.pow(a, b),
    "divmod": lambda a, b: (op.floordiv(a, b), op.mod(a, b)),
}


def array_function(self: Tensor, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's function protocol.

    Raises:
      UnimplementedError: the function has no counterpart for tensors, and this is a graph or under a tape; elsewhere
        NumPy's own runs on their arrays.
    """
    try:
        ours = TABLE.get(func)
        if ours is not None:
            made = ours(*args, **kwargs)
            return made if any(made is x for x in args) else mark_array(made)
        if STATE.trace is not None or STATE.tapes:
            raise without_counterpart(func)
        return func(*map(as_array, args), **{k: as_array(v) for k, v in kwargs.items()})
    except BaseException as error:
        outward[0](error)
        raise


def attach() -> None:
    """Give Tensor NumPy's protocols."""
    Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
