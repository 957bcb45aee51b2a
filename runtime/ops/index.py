"""Indexing: reading, functional writing and adding at every NumPy index form.

An index is the attribute `spec`, a tuple of entries with a slot "?" for every part that is a value of the graph:

    3                  an integer             None     a new axis
    (start, stop, step) a slice; each an integer, None or "?"
    "..."              the axes not named     "?"      an integer, an integer array or a boolean mask
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from runtime.ops.broadcasting import sum_to_shape
from runtime.ops.registry import Op, function
from runtime.typesys.errors import DTypeError, OutOfRangeError, ShapeError
from runtime.typesys.shapes import Dim, Shape, Size, broadcast, broadcast_many, is_static
from runtime.typesys.spec import TensorType

Spec = tuple[Any, ...]


def index_text(spec: Spec, parts: Iterable[str]) -> str:
    """NumPy source of an index: `1:n, None, i`."""
    rest = iter(parts)
    out = []
    for entry in spec:
        if entry == "?":
            out.append(next(rest))
        elif isinstance(entry, tuple):
            start, stop, step = ("" if b is None else next(rest) if b == "?" else str(b) for b in entry)
            out.append(f"{start}:{stop}:{step}" if step else f"{start}:{stop}")
        else:
            out.append(str(entry))
    return ", ".join(out) if out else "()"


@lru_cache(maxsize=1024)
def _compiled(kind: str, spec: Spec) -> Callable[..., Any]:
    """A function (x, *parts) that reads, or (x, v, *parts) that writes, at an index."""
    parts = [f"p{i}" for i in range(count_slots(spec))]
    where = index_text(spec, parts)
    arguments = ", ".join(["x", *(["v"] if kind else []), *parts])
    body = f"    x[{where}] = v\n" if kind else f"    return x[{where}]\n"
    namespace: dict[str, Any] = {}
    exec(compile(f"def at({arguments}):\n{body}", __file__, "exec"), namespace)  # an internal frame
    return namespace["at"]


def count_slots(spec: Spec) -> int:
    """How many values a spec takes."""
    return sum(e == "?" if not isinstance(e, tuple) else e.count("?") for e in spec)


def _slots(spec: Spec, parts: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """(entry, its value if it is a "?") pairs; the bounds of slices are skipped over."""
    rest = iter(parts)
    for entry in spec:
        if entry == "?":
            yield entry, next(rest)
        else:
            if isinstance(entry, tuple):
                for bound in entry:
                    if bound == "?":
                        next(rest)
            yield entry, None


def indexed_shape(shape: Shape, parts: tuple[TensorType, ...], spec: Spec) -> Shape:
    """The shape of `x[index]`, as NumPy defines it.

    Raises:
      OutOfRangeError: more indices than axes.
      DTypeError: an index that is neither integer nor boolean.
    """
    if shape is None:
        return None
    pairs = list(_slots(spec, parts))
    named = 0
    if spec.count("...") > 1:
        raise OutOfRangeError("an index can only have a single ellipsis ('...')", op="index")
    for entry, kind in pairs:
        if kind is not None:
            if kind.shape is None:
                return None
            if not (kind.dtype.is_integer or kind.dtype.is_bool):
                way = "a tensor has no names" if kind.dtype.kind == "O" else "cast it: cast(i, 'int32')"
                raise DTypeError(f"an index must be integer or boolean, not {kind.dtype}; {way}", op="index")
            named += len(kind.shape) if kind.dtype.is_bool else 1
        elif entry is not None and entry != "...":
            named += 1
    if named > len(shape):
        raise OutOfRangeError(f"too many indices: {named} for a tensor of shape {shape}", op="index")
    fill = len(shape) - named
    advanced = any(k is not None and (k.dtype.is_bool or k.shape != ()) for _, k in pairs)
    out: list[Size] = []
    joint: list[Shape] = []  # shapes of the advanced indices
    places: list[tuple[int, int]] = []  # (number of entry, where in `out`) for each of them
    axis = 0
    seen_ellipsis = False
    for number, (entry, kind) in enumerate(pairs):
        if kind is not None or isinstance(entry, int):
            if kind is not None and kind.dtype.is_bool:
                joint.append((Dim(),))
                axis += len(kind.shape)
            else:
                axis += 1
                if not advanced:
                    continue
                joint.append(() if kind is None else kind.shape)
            places.append((number, len(out)))
        elif entry is None:
            out.append(1)
        elif entry == "...":
            seen_ellipsis = True
            out += shape[axis : axis + fill]
            axis += fill
        else:
            out.append(_sliced(shape[axis], entry))
            axis += 1
    if not seen_ellipsis:
        out += shape[axis:]
    if advanced:
        together = all(b[0] - a[0] == 1 for a, b in itertools.pairwise(places))
        at = places[0][1] if together else 0
        out[at:at] = broadcast_many(joint) or ()
    return tuple(out)


def _sliced(size: Size, entry: tuple[Any, Any, Any]) -> Size:
    start, stop, step = entry
    if entry.count("?"):
        return Dim()
    if isinstance(size, int):
        return len(range(*slice(start, stop, step).indices(size)))
    whole_start = start in (None, 0) if step is None or step > 0 else start in (None, -1)
    return size if stop is None and whole_start and step in (None, 1, -1) else Dim()


class Index(Op):
    """`x[index]`: a copy, in meaning, of the elements there."""

    view = True

    def infer(self, x: TensorType, *parts: TensorType, spec: Spec) -> TensorType:
        return TensorType(x.dtype, indexed_shape(x.shape, parts, spec))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"{args[0]}[{index_text(attrs['spec'], args[1:])}]"

    @staticmethod
    def kernel(x: Any, *parts: Any, spec: Spec) -> Any:
        try:
            return _compiled("", spec)(x, *parts)
        except TypeError:
            return _compiled("", spec)(np.asarray(x), *parts)  # a bare number

    vjp = lambda op, dy, y, x, *parts, spec: (op.index_grad(dy, x, *parts, spec=spec), *[None] * len(parts))

    def samples(self) -> Iterable[Any]:
        x = _sample()
        yield (x,), {"spec": (1,)}
        yield (x,), {"spec": (-1, (None, None, 2))}
        yield (x,), {"spec": ("...", None, (3, 0, -1))}
        yield (x, np.int64(1), np.int64(3)), {"spec": ((None, None, None), ("?", "?", None))}
        yield (x, np.array([0, 1, 0]), np.array([2, 2, 2])), {"spec": ("?", (None, 2, None), "?")}
        yield (x, np.array([[0, 1], [1, 0]])), {"spec": ((None, None, None), "?")}
        yield (x, x[:, :, 0] > 0), {"spec": ("?",)}


def _sample() -> Any:
    return np.random.default_rng(5).uniform(-2, 2, (2, 4, 3))


class IndexGrad(Op):
    """Zeros like `x` with `dy` added at an index: the cotangent of `x[index]`."""

    def infer(self, dy: TensorType, x: TensorType, *parts: TensorType, spec: Spec) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, *parts: Any, spec: Spec) -> Any:
        out = np.zeros(np.shape(x), _dtype_of(dy))
        if _repeats(parts):
            add_at(out, dy, parts, spec)
        else:
            _compiled("=", spec)(out, dy, *parts)
        return out

    def vjp(op: Any, ddx: Any, dx: Any, dy: Any, x: Any, *parts: Any, spec: Spec) -> Any:
        return op.index(ddx, *parts, spec=spec), None, *[None] * len(parts)

    def samples(self) -> Iterable[Any]:
        x = _sample()
        for inputs, attrs in Index().samples():
            yield (Index.kernel(*inputs, **attrs) * 0.5, *inputs), attrs
        yield (x[np.array([0, 0, 1])], x, np.array([0, 0, 1])), {"spec": ("?",)}


def _dtype_of(v: Any) -> Any:
    return v.dtype if isinstance(v, (np.ndarray, np.generic)) else np.asarray(v).dtype


def _repeats(parts: tuple[Any, ...]) -> bool:
    """Whether an index may name a place twice: one that holds an array of integers."""
    return any(isinstance(p, np.ndarray) and p.ndim and p.dtype.kind != "b" for p in parts)


def add_at(x: Any, v: Any, parts: tuple[Any, ...], spec: Spec) -> None:
    """`x[index] += v` in place, repeated places adding up."""
    if not _repeats(parts):
        _compiled("=", spec)(x, _compiled("", spec)(x, *parts) + v, *parts)
    elif spec == ("?",) and x.ndim > 1 and x.flags.c_contiguous:
        add_rows(x, parts[0], v)
    else:
        np.add.at(x, _compiled("", spec)(_Echo(), *parts), v)


class _Echo:
    def __getitem__(self, index: Any) -> Any:
        return index


def add_rows(x: Any, rows: Any, v: Any, known: bool = False) -> None:
    """`x[rows] += v` in place for C-contiguous `x`, by NumPy's fast path for flat indices; `known` to be from 0 on."""
    width = x[0].size if len(x) else 0
    if np.shape(v) != (shape := (*rows.shape, *x.shape[1:])):
        v = np.broadcast_to(v, shape)
    rows = rows.reshape(-1).astype(np.intp, copy=False)
    if rows.size and not known:
        if np.minimum.reduce(rows) < -len(x) or np.maximum.reduce(rows) >= len(x):
            raise OutOfRangeError(f"an index is out of bounds for an axis of size {len(x)}", op="index")
        rows = rows % len(x)
    flat = rows[:, None] * width + np.arange(width)
    np.add.at(x.reshape(-1), flat.reshape(-1), v.reshape(-1).astype(x.dtype, copy=False))


def put_misfit(value: Any, part: Any, whole: Any) -> ShapeError:
    """What is said where a value of one shape is put into a part of another."""
    return ShapeError(
        f"cannot put a value of shape {value} into a part of shape {part} of a tensor of shape {whole}", op="index_update"
    )


class _Write(Op, abstract=True):
    """x with something put at an index; `in_place_source` writes into x itself, for a plan that owns it."""

    consumes = (0,)

    def infer(self, x: TensorType, v: TensorType, *parts: TensorType, spec: Spec) -> TensorType:
        target = indexed_shape(x.shape, parts, spec)
        if is_static(target) and is_static(v.shape):
            extra = max(len(v.shape or ()) - len(target or ()), 0)
            lead, rest = (v.shape or ())[:extra], (v.shape or ())[extra:]
            try:
                fits = all(d == 1 for d in lead) and broadcast(target, rest) == target
            except ShapeError:  # in words of operands, which it has none of
                fits = False
            if not fits:
                raise put_misfit(v.shape, target, x.shape)
        return TensorType(x.dtype, x.shape)


def _changed(x: Any) -> Any:
    """A writable array with the elements of x."""
    return np.array(x, copy=True)


class IndexUpdate(_Write):
    """`x` with `x[index] = v`; v is broadcast and cast to x's dtype. Where an index repeats, the last one stays."""

    def source(self, args: list[str], attrs: Any) -> str:
        parts = "".join(f", {a}" for a in args[2:])
        return f"K({args[0]}, {args[1]}{parts}, spec={attrs['spec']!r})"

    def in_place_source(self, args: list[str], attrs: Any) -> str:
        return f"{args[0]}[{index_text(attrs['spec'], args[2:])}] = {args[1]}"

    @staticmethod
    def kernel(x: Any, v: Any, *parts: Any, spec: Spec) -> Any:
        out = _changed(x)
        _compiled("=", spec)(out, v, *parts)
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, v: Any, *parts: Any, spec: Spec) -> Any:
        dv = op.index(dy, *parts, spec=spec)
        if any(not op.type_of(p).dtype.is_bool and op.type_of(p).shape != () for p in parts):
            dv = op.mul(dv, op.cast(op.index_winners(x, *parts, spec=spec), dtype=op.type_of(dy).dtype))
        dv = op.value_cotangent(dv, v)
        return op.index_update(dy, 0, *parts, spec=spec), dv, *[None] * len(parts)

    def samples(self) -> Iterable[Any]:
        x = _sample()
        for inputs, attrs in Index().samples():
            yield (x, Index.kernel(*inputs, **attrs) * 0.5, *inputs[1:]), attrs
        yield (x, np.float64(3.5)), {"spec": (1,)}
        yield (x, x[:, :2], np.array([1, 1])), {"spec": ((None, None, None), "?")}


class IndexWinners(Op):
    """For every place that an index names: whether it is the last to name it, so that a write there stays."""

    def infer(self, x: TensorType, *parts: TensorType, spec: Spec) -> TensorType:
        return TensorType("bool", indexed_shape(x.shape, parts, spec))

    @staticmethod
    def kernel(x: Any, *parts: Any, spec: Spec) -> Any:
        marks = np.zeros(np.shape(x), np.intp)
        shape = np.shape(_compiled("", spec)(marks, *parts))
        order = np.arange(int(np.prod(shape))).reshape(shape)
        _compiled("=", spec)(marks, order, *parts)
        return _compiled("", spec)(marks, *parts) == order

    vjp = lambda op, dy, y, x, *parts, spec: (None,) * (1 + len(parts))


class SumToPlace(Op):
    """As `sum_to_like` for a value that was put into a place: `like` may have extra leading axes of size 1."""

    def infer(self, dy: TensorType, like: TensorType) -> TensorType:
        return TensorType(dy.dtype, like.shape)

    @staticmethod
    def kernel(dy: Any, like: Any) -> Any:
        shape = np.shape(like)
        extra = max(len(shape) - np.ndim(dy), 0)
        return np.reshape(sum_to_shape(dy, shape[extra:]), shape)

    vjp = lambda op, ddx, dx, dy, like: (op.spread_to_place(ddx, dy), None)

    def samples(self) -> Iterable[Any]:
        yield (_sample(), _sample()[:1]), {}
        yield (_sample()[0], _sample()[:1, :1]), {}


class SpreadToPlace(Op):
    """A value of possibly extra leading axes of size 1, broadcast to the place `like`."""

    view = True

    def infer(self, v: TensorType, like: TensorType) -> TensorType:
        return TensorType(v.dtype, like.shape)

    @staticmethod
    def kernel(v: Any, like: Any) -> Any:
        shape = np.shape(like)
        return np.broadcast_to(np.reshape(v, np.shape(v)[max(np.ndim(v) - len(shape), 0) :]), shape)

    vjp = lambda op, dy, y, v, like: (op.sum_to_place(dy, v), None)

    def samples(self) -> Iterable[Any]:
        yield (_sample()[:1], _sample()), {}


@function()
def value_cotangent(op: Any, dv: Any, v: Any) -> Any:
    """The cotangent of a value that was broadcast (and cast) into a place."""
    have, want = op.type_of(dv), op.type_of(v)
    if not want.dtype.is_inexact:
        return None
    if have.dtype != want.dtype:
        dv = op.cast(dv, dtype=want.dtype)
    if have.shape is not None and want.shape is not None and len(want.shape) <= len(have.shape):
        return op.sum_to(dv, v)
    return op.sum_to_place(dv, v)


class IndexAdd(_Write):
    """`x` with v added at an index; where the index repeats, all add up."""

    def source(self, args: list[str], attrs: Any) -> str:
        parts = "".join(f", {a}" for a in args[2:])
        return f"K({args[0]}, {args[1]}{parts}, spec={attrs['spec']!r})"

    def in_place_source(self, args: list[str], attrs: Any) -> str:
        if "?" in attrs["spec"]:
            parts = "".join(f"{a}, " for a in args[2:])
            return f"K.into({args[0]}, {args[1]}, ({parts}), {attrs['spec']!r})"
        return f"{args[0]}[{index_text(attrs['spec'], args[2:])}] += {args[1]}"

    @staticmethod
    def kernel(x: Any, v: Any, *parts: Any, spec: Spec) -> Any:
        out = _changed(x)
        add_at(out, np.asarray(v).astype(out.dtype, copy=False), parts, spec)
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, v: Any, *parts: Any, spec: Spec) -> Any:
        return dy, op.value_cotangent(op.index(dy, *parts, spec=spec), v), *[None] * len(parts)

    samples = IndexUpdate.samples


IndexAdd.kernel.into = add_at  # type: ignore[attr-defined]  # printed source calls it as K.into  # type: ignore[attr-defined]  # printed source calls it as K.into
