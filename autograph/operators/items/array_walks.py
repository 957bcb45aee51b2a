"""Stand-ins for NumPy's functions that go over the places of an array: to fill a diagonal, to give indices."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograph.operators.functions.calls import callee
from autograph.operators.items.items import set_item
from autograph.operators.state.plain_arrays import check_change
from autograph.operators.state.stand_ins import stand_in
from runtime.tensor.dispatch import op
from runtime.tensor.numpy_functions.table import public
from runtime.tensor.tensor import Tensor, is_staged
from runtime.tensor.trace import current

__all__: list[str] = []


@stand_in(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """`np.fill_diagonal`; of a staged tensor, with one number and without `wrap`."""
    trace = current()
    if trace is not None and type(a) is np.ndarray and a.ndim > 1:
        a = check_change(trace, a, is_staged(val), can_be_tensor=not wrap and np.ndim(val) == 0)
    rank = len(a.type.shape or ()) if isinstance(a, Tensor) else 0
    if rank < 2 or wrap or np.ndim(val) != 0:
        np.fill_diagonal(a, val, wrap)
        return
    first, *others = sizes = tuple(a.shape)
    if rank > 2 and all(isinstance(size, int) for size in sizes) and len(set(sizes)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    for size in others:
        first = min(first, size) if isinstance(first, int) and isinstance(size, int) else op.minimum(first, size)
    places = public.np_arange(first)
    set_item(a, (places,) * rank, val)


@stand_in(np.ndindex)
def _ndindex(*shape: Any) -> Any:
    """`np.ndindex`: of sizes known when the graph runs, as `itertools.product` of ranges."""
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], (int, Tensor)) else shape
    if not any(isinstance(size, Tensor) for size in sizes):
        return np.ndindex(*sizes)
    return callee(itertools.product)(*(callee(range)(size) for size in sizes))
