"""NumPy's functions on tensors: `np.tanh(t)`, `np.concatenate([t, u])`, eager and staged, by NumPy's own protocols.

ufuncs come from the operations that name them as their meaning; other functions from the small table below.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from runtime.ops.catalogue import UFUNCS
from runtime.ops.registry import FUNCTIONS, get, load_family_of
from runtime.tensor.dispatch import apply, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.errors import UnimplementedError, outward

__all__ = ["attach"]


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


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's ufunc protocol: the operation of that name.

    Raises:
      UnimplementedError: there is none, or `out=` was asked for: tensors are not written in place by NumPy.
    """
    try:
        out = kwargs.pop("out", None)
        if out is not None:
            raise UnimplementedError(
                f"np.{ufunc.__name__} cannot write into a tensor or from one into an array (out=); assign its result",
                id="numpy-out",
                what=f"np.{ufunc.__name__}",
            )
        if method == "__call__":
            dtype = kwargs.pop("dtype", None)
            if not kwargs:
                special = _SPECIAL.get(ufunc.__name__)
                operation = _operation(ufunc.__name__)
                if special is not None or operation is not None:
                    result = special(*inputs) if special is not None else apply(operation, inputs, {})
                    return result if dtype is None else op.cast(result, dtype=dtype)
        elif method == "reduce" and ufunc.__name__ in _REDUCERS:
            axis = kwargs.pop("axis", 0)
            return getattr(public, _REDUCERS[ufunc.__name__])(inputs[0], axis, bool(kwargs.pop("keepdims", False)))
        elif method == "outer":
            x, y = inputs
            for _ in range(np.ndim(y) if not isinstance(y, Tensor) else len(y.shape)):
                x = op.expand_dims(x, axis=-1)
            return array_ufunc(self, ufunc, "__call__", x, y)
        raise UnimplementedError(
            f"np.{ufunc.__name__} ({method}) has no operation for tensors; convert with .numpy() first",
            id="numpy-function",
            what=f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}"),
        )
    except BaseException as error:
        outward[0](error)
        raise


_SPECIAL: dict[str, Callable[..., Any]] = {
    "matmul": lambda a, b: op.matmul(a, b),
    "power": lambda a, b: op.pow(a, b),
    "divmod": lambda a, b: (op.floordiv(a, b), op.mod(a, b)),
}


def _axis(call: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
        if out is not None or rest:
            raise UnimplementedError("out=, where= and initial= are not supported for tensors", id="numpy-arguments")
        result = call(a, axis, bool(keepdims) if keepdims is not np._NoValue else False)  # type: ignore[attr-defined]
        return result if dtype is None else op.cast(result, dtype=dtype)

    return reduce


class _Public:
    """Operations as users call them: `op.reshape(x, shape)`, where rules write `op.reshape(x, shape=...)`."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):  # what protocols probe for is no operation
            raise AttributeError(name)
        load_family_of(name)
        entry = FUNCTIONS.get(name)
        call = entry.fn if entry is not None else get(name).rules.call
        caller = getattr(op, name) if call is None else partial(call, op)
        setattr(self, name, caller)
        return caller


public = _Public()

_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _axis(lambda a, axis, k: public.sum(a, axis, k)),
    np.mean: _axis(lambda a, axis, k: public.mean(a, axis, k)),
    np.prod: _axis(lambda a, axis, k: public.prod(a, axis, k)),
    np.max: lambda a, axis=None, **k: public.max(a, axis, k.get("keepdims", False)),
    np.min: lambda a, axis=None, **k: public.min(a, axis, k.get("keepdims", False)),
    np.all: lambda a, axis=None, **k: public.all(a, axis, k.get("keepdims", False)),
    np.any: lambda a, axis=None, **k: public.any(a, axis, k.get("keepdims", False)),
    np.var: lambda a, axis=None, **k: public.variance(a, axis, k.get("keepdims", False)),
    np.std: lambda a, axis=None, **k: public.standard_deviation(a, axis, k.get("keepdims", False)),
    np.argmax: lambda a, axis=None, **k: public.argmax(
        public.reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis
    ),
    np.argmin: lambda a, axis=None, **k: public.argmin(
        public.reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis
    ),
    np.cumsum: lambda a, axis=None: public.cumsum(
        public.reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis
    ),
    np.cumprod: lambda a, axis=None: public.cumprod(
        public.reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis
    ),
    np.dot: lambda a, b: public.tensordot(a, b, 1) if _rank(a) and _rank(b) else public.mul(a, b),
    np.tensordot: lambda a, b, axes=2: public.tensordot(a, b, axes),
    np.einsum: lambda *operands, **k: public.einsum(*operands),
    np.outer: lambda a, b: public.mul(public.reshape(a, (-1, 1)), public.reshape(b, (1, -1))),
    np.trace: lambda a: public.trace(a),
    np.reshape: lambda a, shape: public.reshape(a, shape),
    np.ravel: lambda a: public.reshape(a, (-1,)),
    np.transpose: lambda a, axes=None: public.transpose(a, axes),
    np.expand_dims: lambda a, axis: public.expand_dims(a, axis=axis),
    np.squeeze: lambda a, axis=None: public.squeeze(a, axis),
    np.broadcast_to: lambda array, shape: public.broadcast_to(array, shape),
    np.concatenate: lambda arrays, axis=0: public.concat(arrays, axis),
    np.stack: lambda arrays, axis=0: public.stack(arrays, axis=axis),
    np.vstack: lambda tup: public.concat([public.reshape(t, (1, -1)) if _rank(t) < 2 else t for t in tup], 0),
    np.hstack: lambda tup: public.concat(tup, 0 if _rank(tup[0]) == 1 else 1),
    np.where: lambda condition, x=None, y=None: public.where(condition, x, y),
    np.clip: lambda a, a_min=None, a_max=None, **k: public.clip_by_value(a, a_min, a_max),
    np.zeros_like: lambda a, dtype=None, **k: public.zeros_like(a, dtype),
    np.ones_like: lambda a, dtype=None, **k: public.ones_like(a, dtype),
    np.full_like: lambda a, value, dtype=None, **k: public.mul(public.ones_like(a, dtype), value),
    np.take: lambda a, indices, axis=None: public.gather(
        public.reshape(a, (-1,)) if axis is None else a, indices, axis=axis or 0
    ),
    np.tile: lambda a, reps: public.tile(a, reps if isinstance(reps, (list, tuple)) else [reps]),
    np.repeat: lambda a, repeats, axis=None: public.repeat(a, repeats, axis),
    np.flip: lambda m, axis=None: public.reverse(m, list(range(_rank(m))) if axis is None else [axis]),
    np.roll: lambda a, shift, axis=None: public.roll(a, shift, axis),
    np.sort: lambda a, axis=-1, **k: public.sort(a, axis),
    np.argsort: lambda a, axis=-1, **k: public.argsort(a, axis),
    np.linalg.norm: lambda x, ord=None, axis=None, keepdims=False: public.norm(
        x, "euclidean" if ord is None else ord, axis, keepdims
    ),
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: _rank(a),
    np.size: lambda a: a.size,
    np.round: lambda a, decimals=0, out=None: public.rounded(a, decimals),
    np.copy: lambda a, **k: public.identity(a),
    np.swapaxes: lambda a, axis1, axis2: public.swapaxes(a, axis1, axis2),
    np.moveaxis: lambda a, source, destination: public.moveaxis(a, source, destination),
    np.diag: lambda v, k=0: public.diag_part(v) if _rank(v) == 2 else public.diag(v),
    np.diff: lambda a, n=1, axis=-1: _difference(a, n, axis),
    np.inner: lambda a, b: public.tensordot(a, b, [[-1], [-1]]) if _rank(a) and _rank(b) else public.mul(a, b),
    np.cross: lambda a, b: public.cross(a, b),
    np.pad: lambda array, pad_width, mode="constant", constant_values=0: public.pad_with(
        array, _pad_widths(pad_width, _rank(array)), mode.upper(), constant_values
    ),
    np.split: lambda ary, indices_or_sections, axis=0: public.split(ary, indices_or_sections, axis),
    np.tril: lambda m, k=0: public.tril(m, k),
    np.meshgrid: lambda *xi, indexing="xy": public.meshgrid(*xi, indexing=indexing),
    np.average: lambda a, axis=None: public.mean(a, axis),
    np.ptp: lambda a, axis=None: public.sub(public.max(a, axis), public.min(a, axis)),
    np.count_nonzero: lambda a, axis=None: public.count_nonzero(a, axis, dtype="int64"),
    np.linspace: lambda start, stop, num=50, axis=0: public.linspace(start, stop, num, axis=axis),
    np.searchsorted: lambda a, v, side="left": public.searchsorted(a, v, side),
    np.linalg.inv: lambda a: public.inv(a),
    np.linalg.det: lambda a: public.det(a),
    np.linalg.solve: lambda a, b: _solve(a, b),
    np.linalg.cholesky: lambda a, **k: public.cholesky(a),
    np.median: lambda a, axis=None, keepdims=False, **k: _median(a, axis, keepdims),
    np.isclose: lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: _is_close(a, b, rtol, atol, equal_nan),
    np.allclose: lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: public.all(
        _is_close(a, b, rtol, atol, equal_nan)
    ),
    np.array_equal: lambda a1, a2: _array_equal(a1, a2),
    np.nonzero: lambda a: _nonzero(a),
    np.flatnonzero: lambda a: public.reshape(public.where(public.not_equal(public.reshape(a, (-1,)), 0)), (-1,)),
    np.argwhere: lambda a: public.where(public.not_equal(a, 0)),
    np.unique: lambda ar, **k: _unique(ar, **k),
}


def _median(a: Any, axis: Any, keepdims: bool) -> Any:
    """The middle of the sorted elements, NaN where there is one."""
    if axis is None:
        shape = (1,) * _rank(a)
        flat = _median(public.reshape(a, (-1,)), 0, False)
        return public.reshape(flat, shape) if keepdims else flat
    ordered = public.sort(a, axis)
    count = ordered.type.shape[axis]
    if not isinstance(count, int):
        count = op.dim_size(ordered, axis=axis % _rank(a))
    low, high, last = (public.floordiv(public.sub(count, 1), 2), public.floordiv(count, 2), public.sub(count, 1))
    parts = [public.gather(ordered, k, axis=axis % _rank(a)) for k in (low, high)]
    middle = public.div(public.add(*parts), 2)
    if ordered.type.dtype.is_floating:
        top = public.gather(ordered, last, axis=axis % _rank(a))
        middle = public.where(public.not_equal(top, top), top, middle)
    return public.expand_dims(middle, axis=axis) if keepdims else middle


def _is_close(a: Any, b: Any, rtol: Any, atol: Any, equal_nan: bool) -> Any:
    near = public.less_equal(public.abs(public.sub(a, b)), public.add(atol, public.mul(rtol, public.abs(b))))
    floating = [x for x in (a, b) if isinstance(x, Tensor) and x.type.dtype.is_inexact]
    if floating:
        near = public.logical_and(near, public.is_finite(b))
        near = public.logical_or(near, public.equal(a, b))
    if equal_nan:
        near = public.logical_or(near, public.logical_and(public.not_equal(a, a), public.not_equal(b, b)))
    return near


def _array_equal(a: Any, b: Any) -> Any:
    shapes = [x.type.shape if isinstance(x, Tensor) else np.shape(x) for x in (a, b)]
    known = [s for s in shapes if s is not None and all(isinstance(d, int) for d in s)]
    if len(known) == 2 and known[0] != known[1]:
        return False
    return public.all(public.equal(a, b))


def _nonzero(a: Any) -> tuple[Any, ...]:
    places = public.where(public.not_equal(a, 0))
    return tuple(public.get_item(places, (slice(None), k)) for k in range(_rank(a)))


def _unique(ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The distinct elements in order; their number is known when the graph runs."""
    if return_index:
        raise UnimplementedError("return_index= is not supported for tensors", id="numpy-arguments")
    values, where, counts = public.unique_with_counts(public.reshape(ar, (-1,)), "int64")
    order = public.argsort(values)
    found = [public.gather(values, order)]
    if return_inverse:
        found.append(public.gather(public.invert_permutation(order), where))
    if return_counts:
        found.append(public.gather(counts, order))
    return found[0] if len(found) == 1 else tuple(found)


def _difference(a: Any, n: int, axis: int) -> Any:
    for _ in range(n):
        index = axis % _rank(a)
        lead = (slice(None),) * index
        a = public.sub(public.get_item(a, (*lead, slice(1, None))), public.get_item(a, (*lead, slice(None, -1))))
    return a


def _pad_widths(width: Any, rank: int) -> list[list[int]]:
    return np.broadcast_to(np.asarray(width), (rank, 2)).tolist()  # type: ignore[no-any-return]


def _solve(a: Any, b: Any) -> Any:
    if _rank(b) == 1:
        return public.squeeze(public.solve(a, public.expand_dims(b, axis=-1)), [-1])
    return public.solve(a, b)


def _rank(x: Any) -> int:
    return len(x.type.shape or ()) if isinstance(x, Tensor) else np.ndim(x)


def array_function(self: Tensor, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's function protocol.

    Raises:
      UnimplementedError: the function has no counterpart for tensors, and this is a graph or under a tape; elsewhere
        NumPy's own runs on their arrays.
    """
    try:
        ours = _FUNCTIONS.get(func)
        if ours is not None:
            return ours(*args, **kwargs)
        if STATE.trace is not None or STATE.tapes:
            raise UnimplementedError(
                f"np.{func.__name__} has no counterpart for tensors in a graph or under a tape",
                id="numpy-function",
                what=f"np.{func.__name__}",
            )
        return func(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})
    except BaseException as error:
        outward[0](error)
        raise


def _plain(x: Any) -> Any:
    """An argument with eager tensors in it as arrays."""
    if isinstance(x, Tensor):
        return np.asarray(x._value)
    if type(x) in (list, tuple):
        return type(x)(map(_plain, x))
    return x


def attach() -> None:
    """Give Tensor NumPy's protocols."""
    Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
