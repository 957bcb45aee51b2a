"""New arrays of a tensor's form, comparisons, parts of numbers, signals, interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.tensor.numpy_functions.table import NO_VALUE, axes_of, counterpart, ours, public, rank_of, refuse
from runtime.tensor.tensor import Tensor

__all__: list[str] = []

counterpart(np.zeros_like, np.empty_like)(lambda a, dtype=None: public.zeros_like(a, dtype))
counterpart(np.ones_like)(lambda a, dtype=None: public.ones_like(a, dtype))
counterpart(np.real)(lambda val: public.real(ours(val)))
counterpart(np.imag)(lambda val: public.imag(ours(val)) if _is_complex(val) else public.zeros_like(val))
counterpart(np.isreal)(
    lambda x: public.equal(public.imag(x), 0) if _is_complex(x) else public.ones_like(x, "bool")
)
counterpart(np.iscomplex)(
    lambda x: public.not_equal(public.imag(x), 0) if _is_complex(x) else public.zeros_like(x, "bool")
)
counterpart(np.isrealobj)(lambda x: not _is_complex(x))
counterpart(np.iscomplexobj)(lambda x: _is_complex(x))
counterpart(np.result_type)(lambda *args: np.result_type(*(_kind_of(x) for x in args)))
counterpart(np.fix)(lambda x: public.trunc(ours(x)))
counterpart(np.isposinf)(lambda x: public.equal(x, np.inf))
counterpart(np.isneginf)(lambda x: public.equal(x, -np.inf))
counterpart(np.array_equiv)(lambda a1, a2: public.all(public.equal(a1, a2)))
counterpart(np.ediff1d)(lambda ary: difference(public.reshape(ours(ary), (-1,))))
counterpart(np.polyval)(lambda p, x: _polynomial(p, ours(x)))


def _kind_of(x: Any) -> Any:
    """What NumPy's promotion is given of a value: a bare number is one to it, too."""
    if not isinstance(x, Tensor):
        return x
    return x.type.dtype.dtype.type(0).item() if x.type.weak else x.type.dtype.dtype


def _is_complex(x: Any) -> bool:
    return ours(x).type.dtype.kind == "c"


@counterpart(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Any:
    value = public.cast_to(fill_value, dtype or ours(a).type.dtype)
    return public.where(public.ones_like(a, "bool"), value, public.zeros_like(a, dtype))


@counterpart(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    z = ours(z)
    found = (
        public.atan2(public.imag(z), public.real(z))
        if _is_complex(z)
        else public.atan2(public.zeros_like(z), z)
    )
    return public.rad2deg(found) if deg else found


@counterpart(np.round, np.around)
def round_(a: Any, decimals: int = 0, out: None = None) -> Any:
    if out is not None:
        refuse("np.round", "out=")
    return public.rounded(ours(a), decimals)


@counterpart(np.sinc)
def sinc(x: Any) -> Any:
    y = public.mul(np.pi, public.where(public.equal(x, 0), 1.0e-20, x))
    return public.div(public.sin(y), y)


@counterpart(np.i0)
def i0(x: Any) -> Any:
    return public.bessel_i0(ours(x))


# Comparisons of whole arrays


@counterpart(np.isclose)
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    near = public.less_equal(public.abs(public.sub(a, b)), public.add(atol, public.mul(rtol, public.abs(b))))
    if any(isinstance(x, Tensor) and x.type.dtype.is_inexact for x in (a, b)):
        near = public.logical_or(public.logical_and(near, public.is_finite(b)), public.equal(a, b))
    if equal_nan:
        near = public.logical_or(near, public.logical_and(public.not_equal(a, a), public.not_equal(b, b)))
    return near


@counterpart(np.allclose)
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    return public.all(isclose(a, b, rtol, atol, equal_nan))


@counterpart(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    shapes = [x.type.shape if isinstance(x, Tensor) else np.shape(x) for x in (a1, a2)]
    known = [s for s in shapes if s is not None and all(isinstance(d, int) for d in s)]
    if len(known) == 2 and known[0] != known[1]:
        return False
    same = public.equal(a1, a2)
    if equal_nan:
        same = public.logical_or(same, public.logical_and(public.not_equal(a1, a1), public.not_equal(a2, a2)))
    return public.all(same)


# Sequences


def _floating(x: Any) -> Any:
    x = ours(x)
    return public.cast_to(x, "float64") if x.type.dtype.kind in "biu" else x


@counterpart(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    start, stop = _floating(start), _floating(stop)
    if isinstance(num, Tensor):
        found, step = _spaced(start, stop, num, endpoint)
        found = public.moveaxis(found, 0, axis)
        found = found if dtype is None else public.cast_to(found, dtype)
        return (found, step) if retstep else found
    parts = num - 1 if endpoint else num
    step = public.div(public.sub(stop, start), parts) if parts > 0 else np.nan
    if endpoint:
        found = public.linspace(start, stop, num, axis=axis)
    else:
        found = public.linspace(start, stop, num + 1, axis=axis)
        found = found[(slice(None),) * (axis % rank_of(found)) + (slice(None, -1),)]
    found = found if dtype is None else public.cast_to(found, dtype)
    return (found, step) if retstep else found


def _spaced(start: Any, stop: Any, num: Tensor, endpoint: bool) -> tuple[Any, Any]:
    """(numbers along the first axis, the step between them), as many as only the run knows."""
    width = public.sub(stop, start)
    parts = public.sub(num, 1) if endpoint else num
    step = public.div(width, public.cast_to(public.maximum(parts, 1), "float64"))
    turns = public.cast_to(public.np_arange(num), "float64")
    turns = turns[(slice(None), *[None] * rank_of(width))]
    found = public.add(start, public.mul(turns, step))
    if endpoint:
        found = public.where(public.logical_and(public.equal(turns, parts), public.greater(parts, 0)), stop, found)
    return found, public.where(public.greater(parts, 0), step, np.nan)


@counterpart(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    found = public.pow(base, linspace(start, stop, num, endpoint, False, None, axis))
    return found if dtype is None else public.cast_to(found, dtype)


@counterpart(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    first, last = public.log(_floating(start)), public.log(_floating(stop))
    found = public.exp(linspace(first, last, num, endpoint, False, None, axis))
    return found if dtype is None else public.cast_to(found, dtype)


def _end(x: Any, a: Any, axis: int) -> Any:
    """What is put before or behind an array along an axis; a number counts once in each row."""
    x = ours(x)
    lead = (slice(None),) * (axis % rank_of(a))
    return x if rank_of(x) else public.broadcast_like(x, a[(*lead, slice(None, 1))])


@counterpart(np.diff)
def difference(a: Any, n: int = 1, axis: int = -1, prepend: Any = NO_VALUE, append: Any = NO_VALUE) -> Any:
    a = ours(a)
    first, last = ([] if e is NO_VALUE else [_end(e, a, axis)] for e in (prepend, append))
    a = public.np_concatenate([*first, a, *last], axis) if first or last else a
    unlike = public.logical_xor if a.type.dtype.kind == "b" else public.sub
    for _ in range(n):
        lead = (slice(None),) * (axis % rank_of(a))
        a = unlike(a[(*lead, slice(1, None))], a[(*lead, slice(None, -1))])
    return a


@counterpart(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences, one-sided at the ends."""
    f = ours(f)
    if edge_order != 1:
        refuse("np.gradient", "edge_order=2")
    axes = axes_of(axis, rank_of(f))
    steps = list(varargs) * (len(axes) if len(varargs) == 1 else 1) or [1.0] * len(axes)
    found = [_slope(f, step, k) for step, k in zip(steps, axes, strict=True)]
    return found[0] if len(axes) == 1 else tuple(found)


def _slope(f: Any, step: Any, axis: int) -> Any:
    rows = public.moveaxis(f, axis, -1)
    if rank_of(step):
        x = ours(step)
        left, right = x[1:-1] - x[:-2], x[2:] - x[1:-1]
        a, b, c = (
            -right / (left * (left + right)),
            (right - left) / (left * right),
            left / (right * (left + right)),
        )
        middle = a * rows[..., :-2] + b * rows[..., 1:-1] + c * rows[..., 2:]
        first, last = x[1] - x[0], x[-1] - x[-2]
    else:
        middle = (rows[..., 2:] - rows[..., :-2]) / (2.0 * step)
        first = last = step
    ends = (rows[..., 1:2] - rows[..., :1]) / first, (rows[..., -1:] - rows[..., -2:-1]) / last
    return public.moveaxis(public.concat([ends[0], middle, ends[1]], -1), -1, axis)


@counterpart(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = ours(a), ours(v)
    sizes = a.type.shape[0], v.type.shape[0]
    if all(isinstance(s, int) for s in sizes) and sizes[1] > sizes[0]:
        a, v = v, a
    count = v.shape[0]
    if not isinstance(count, int) or not isinstance(sizes[0], int):
        return _convolved_by_run(a, v, mode)
    ends = {
        "full": (count - 1, count - 1),
        "same": ((count - 1) // 2 + (count - 1) % 2, (count - 1) // 2),
        "valid": (0, 0),
    }
    before, after = ends[mode]
    padded = public.pad_with(a, [[before, after]], "CONSTANT", 0)
    total = public.shape(padded, "int64")[0] - (count - 1)
    return sum(
        (padded[k : total + k] * v[count - 1 - k] for k in range(1, count)), padded[:total] * v[count - 1]
    )


def _convolved_by_run(a: Any, v: Any, mode: str) -> Any:
    """The same of lengths that only the run knows: each element of the result is a row of products."""
    many, few = public.shape(a, "int64")[0], public.shape(v, "int64")[0]
    many, few = public.maximum(many, few), public.minimum(many, few)
    last = public.shape(a, "int64")[0] - 1
    places = public.np_arange(many + few - 1)[:, None] - public.np_arange(public.shape(v, "int64")[0])[None]
    there = public.logical_and(public.greater_equal(places, 0), public.less_equal(places, last))
    taken = public.where(there, public.gather(a, public.clip_by_value(places, 0, last)), 0)
    full = public.sum(public.mul(taken, v), 1)
    if mode == "full":
        return full
    first = (few - 1) // 2 if mode == "same" else few - 1
    return full[first : first + (many if mode == "same" else many - few + 1)]


@counterpart(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = ours(a), ours(v)
    sizes = a.type.shape[0], v.type.shape[0]
    v = public.conj(v) if _is_complex(v) else v
    if all(isinstance(s, int) for s in sizes) and sizes[1] > sizes[0]:
        return public.reverse(convolve(v, public.reverse(a, [0]), mode), [0])
    return convolve(a, public.reverse(v, [0]), mode)


@counterpart(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Linearly between points whose places ascend; the ends go on beyond them."""
    if period is not None:
        refuse("np.interp", "period=")
    x, xp, fp = ours(x), ours(xp), ours(fp)
    rows = public.reshape(x, (-1,))
    last = public.shape(xp, "int64")[0] - 1
    high = public.clip_by_value(public.searchsorted(xp, rows, "right", "int64"), 1, last)
    low = high - 1
    x0, x1, y0, y1 = (public.gather(t, k) for t, k in ((xp, low), (xp, high), (fp, low), (fp, high)))
    found = y0 + (y1 - y0) / (x1 - x0) * (rows - x0)
    found = public.where(rows < xp[0], fp[0] if left is None else left, found)
    found = public.where(rows > xp[-1], fp[-1] if right is None else right, found)
    return public.reshape(found, public.shape(x))


def _polynomial(p: Any, x: Any) -> Any:
    found: Any = public.zeros_like(x)
    for k in range(len(p)):
        found = found * x + p[k]
    return found


@counterpart(np.cov)
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    m = ours(m)
    rows = public.expand_dims(m, axis=0) if rank_of(m) == 1 else m if rowvar else public.transpose(m)
    if y is not None:
        y = ours(y)
        other = public.expand_dims(y, axis=0) if rank_of(y) == 1 else y if rowvar else public.transpose(y)
        rows = public.concat([rows, other], 0)
    off = rows - public.mean(rows, 1, True)
    ddof = ddof if ddof is not None else 0 if bias else 1
    count = public.cast_to(public.shape(rows, "int64")[1] - ddof, off.type.dtype)
    found = public.matmul(off, public.transpose(off)) / count
    return public.reshape(found, ()) if rank_of(m) == 1 and y is None else found


@counterpart(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    c = cov(x, y, rowvar)
    if rank_of(c) == 0:
        return c / c
    spread = public.sqrt(public.diag_part(c))
    return c / public.expand_dims(spread, axis=1) / public.expand_dims(spread, axis=0)
