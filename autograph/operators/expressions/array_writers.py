"""Stand-ins for NumPy's functions that write into an array: where that has to be a tensor, they write a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograph.operators.state.plain_arrays import tensor_for
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.values.choice import resolve
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import is_staged

__all__: list[str] = []


@stand_in(np.copyto)
def copyto_(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """`np.copyto`."""
    src, where = resolve(src), resolve(where)
    into = tensor_for(dst, is_staged(src) or is_staged(where))
    if into is None:
        np.copyto(dst, src, casting=casting, where=where)  # type: ignore[arg-type]
    else:
        into[...] = src if where is True else op.where(where, src, into)


@stand_in(np.put)
def put_(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """`np.put`; into a tensor, as many values as indices, or one."""
    ind, v = resolve(ind), resolve(v)
    into = tensor_for(a, is_staged(ind) or is_staged(v), mode == "raise")
    if into is None:
        np.put(a, ind, v, mode=mode)  # type: ignore[arg-type]
    else:
        flat = op.reshape_method(into, [-1])
        flat[ind] = v
        into[...] = op.reshape_method(flat, op.shape(into))


@stand_in(np.putmask)
def putmask_(a: Any, mask: Any, values: Any) -> None:
    """`np.putmask`; into a tensor, one value, or as many as there are items."""
    mask, values = resolve(mask), resolve(values)
    into = tensor_for(a, is_staged(mask) or is_staged(values), np.ndim(values) == 0 or np.shape(values) == np.shape(a))
    if into is None:
        np.putmask(a, mask, values)
    else:
        into[...] = op.where(mask, values, into)


@stand_in(np.put_along_axis)
def put_along_axis_(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """`np.put_along_axis`."""
    indices, values = resolve(indices), resolve(values)
    into = tensor_for(arr, is_staged(indices) or is_staged(values))
    np.put_along_axis(arr if into is None else into, indices, values, axis)
