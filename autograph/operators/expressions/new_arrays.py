"""Stand-ins for NumPy's makers of arrays to be filled: in a trace they make tensors, which staged code can write."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograph.operators.functions.array_functions import on_arrays
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.state.plain import NUMBERS
from autograph.operators.state.plain_arrays import boxed, made, made_by
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.values.choice import resolve
from runtime.tensor.dispatch import op
from runtime.tensor.numpy_functions.table import public
from runtime.tensor.tensor import Tensor
from runtime.tensor.views import mark_array

__all__: list[str] = []


def _is_staged_shape(shape: Any) -> bool:
    return isinstance(shape, Tensor) or (isinstance(shape, (list, tuple)) and any(isinstance(s, Tensor) for s in shape))


def _filled(shape: Any, value: Any, dtype: Any) -> Any:
    """An array of a shape or with a value known when the graph runs."""
    if dtype is not None:
        value = op.cast_to(op.convert(value), np.dtype(dtype))
    elif not isinstance(value, Tensor):
        value = op.convert(np.asarray(value))  # of NumPy's own default type
    elif value.type.weak:
        value = op.cast_to(value, value.type.dtype.dtype)
    sizes = list(shape) if isinstance(shape, (list, tuple)) else [shape]
    return mark_array(op.broadcast_to_shape(value, shape if isinstance(shape, Tensor) and shape.type.shape != () else sizes))


def _maker(original: Callable[..., Any], value: float) -> Callable[..., Any]:
    def make(shape: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        shape = resolve(shape)
        if _is_staged_shape(shape):
            return _filled(shape, value, float if dtype is None else dtype)
        return boxed(original(shape, float if dtype is None else dtype, *args, **kwargs))

    return make


def _full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`np.full`."""
    shape, fill_value = resolve(shape), resolve(fill_value)
    if _is_staged_shape(shape) or isinstance(fill_value, Tensor):
        return _filled(shape, fill_value, dtype)
    return boxed(np.full(shape, fill_value, dtype, *args, **kwargs))


def _arange(*args: Any, **kwargs: Any) -> Any:
    """`np.arange`: of numbers known when the graph runs, a tensor."""
    args = tuple(map(resolve, args))
    kwargs = {name: resolve(x) for name, x in kwargs.items()}
    if not any(isinstance(x, Tensor) for x in (*args, *kwargs.values())):
        return made(np.arange(*args, **kwargs))
    return public.np_arange(*args, **kwargs)


def _eye(*args: Any, **kwargs: Any) -> Any:
    """`np.eye` and `np.identity`: of sizes known when the graph runs, a tensor."""
    args = tuple(map(resolve, args))
    kwargs = {name: resolve(x) for name, x in kwargs.items()}
    if any(isinstance(x, Tensor) for x in (*args, *kwargs.values())):
        return _staged_eye(*args, **kwargs)
    return made_by(np.eye, *args, **kwargs)


def _identity(n: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """`np.identity`, likewise."""
    return _eye(n, dtype=float if dtype is None else dtype, **kwargs)


def _staged_eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = float) -> Any:
    rows, columns = public.np_arange(N), public.np_arange(N if M is None else M)
    return op.cast_to(op.equal(rows[:, None] + k, columns[None]), np.dtype(dtype))


def _of_sizes(staged: Callable[..., Any]) -> Callable[[Any], Callable[..., Any]]:
    """One of NumPy's makers of arrays from sizes alone: of those that are known when the graph runs, tensors."""

    def before(original: Any) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> Any:
            args = tuple(map(resolve, args))
            kwargs = {name: resolve(x) for name, x in kwargs.items()}
            if any(map(_is_staged_shape, (*args, *kwargs.values()))):
                return staged(*args, **kwargs)
            return _made(original(*args, **kwargs))

        return make

    return before


def _made(result: Any) -> Any:
    return tuple(map(made, result)) if type(result) is tuple else made(result)


def _staged_tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = float) -> Any:
    rows, columns = public.np_arange(N), public.np_arange(N if M is None else M)
    return op.cast_to(op.greater_equal(rows[:, None] + k, columns[None]), np.dtype(dtype))


def _staged_indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    sizes: Any = public.unstack(dimensions) if isinstance(dimensions, Tensor) else dimensions
    counts = [op.cast_to(public.np_arange(n), np.dtype(dtype)) for n in sizes]
    if sparse:
        return tuple(c[tuple(slice(None) if k == j else None for j in range(len(counts)))] for k, c in enumerate(counts))
    return public.stack(public.meshgrid(*counts, indexing="ij"))


def _staged_tril_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    return np.nonzero(_staged_tri(n, m, k, bool))


def _staged_triu_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    return np.nonzero(op.logical_not(_staged_tri(n, m, k - 1, bool)))


def _staged_diag_indices(n: Any, ndim: int = 2) -> Any:
    return (public.np_arange(n),) * ndim


_BY_SIZES: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (np.diag_indices, _staged_diag_indices),
    (np.indices, _staged_indices),
    (np.tri, _staged_tri),
    (np.tril_indices, _staged_tril_indices),
    (np.triu_indices, _staged_triu_indices),
)
for _plain, _staged in _BY_SIZES:
    stand_in(_plain)(_of_sizes(_staged)(_plain))
for _original, _value in ((np.zeros, 0.0), (np.ones, 1.0), (np.empty, 0.0)):
    stand_in(_original)(_maker(_original, _value))
stand_in(np.full)(_full)
stand_in(np.arange)(_arange)
stand_in(np.eye)(_eye)
stand_in(np.identity)(_identity)
_LIKE: tuple[Any, ...] = np.zeros_like, np.ones_like, np.empty_like, np.full_like
for _known in (*_LIKE, np.copy, np.sort):
    stand_in(_known)(partial(made_by, on_arrays(_known, lists=False)))


def _spaced(original: Any) -> Callable[..., Any]:
    """`np.linspace` and its like: NumPy asks the ends alone whether they are tensors, not how many there are to be."""
    call = on_arrays(original, lists=False)

    def make(start: Any, *args: Any, **kwargs: Any) -> Any:
        args = tuple(map(resolve, args))
        kwargs = {name: resolve(x) for name, x in kwargs.items()}
        if any(isinstance(x, Tensor) for x in (*args, *kwargs.values())) and type(start) in NUMBERS:
            start = op.convert(np.asarray(start))
        return made_by(call, resolve(start), *args, **kwargs)

    return make


for _known in (np.linspace, np.logspace, np.geomspace):
    stand_in(_known)(_spaced(_known))


def _scalar(kind: Any) -> Callable[..., Any]:
    """One of NumPy's types of numbers: of what is known when the graph runs, a tensor of it."""

    def make(value: Any = 0, *args: Any) -> Any:
        value = resolve(value)
        if isinstance(value, Tensor) or holds_staged(value):
            return op.cast_to(op.convert(value), np.dtype(kind))
        return kind(value, *args)

    return make


for _kind in {np.dtype(code).type for code in "?bhilqBHILQefdFD"}:
    stand_in(_kind)(_scalar(_kind))
