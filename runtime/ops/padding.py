"""Repeating and padding: tile, repeat, pad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number, normalize_axis
from runtime.ops.registry import Op, function
from runtime.ops.sizes import fill_sizes, split_sizes, text_of_sizes
from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


class Tile(Op):
    """`x` repeated `multiples[i]` times along each axis.

    >>> ag.tile([1, 2], [2]).numpy()
    array([1, 2, 1, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.tile`.
    """

    public = "tile"

    def call(op: Any, input: Any, multiples: Any, name: Any = None) -> Any:
        entries, inputs = split_sizes(op, multiples)
        if entries is None:
            raise ShapeError("tile needs multiples of known length", op="tile")
        x = op.strong(input)
        lead = len(entries) - op.type_of(x).rank
        if lead > 0:
            for _ in range(lead):
                x = op.expand_dims(x, axis=0)
        return op.tile(x, *inputs, multiples=(*[1] * -lead, *(e if type(e) is int else None for e in entries)))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"np.tile({args[0]}, {text_of_sizes(attrs['multiples'], args[1:])})"

    @staticmethod
    def kernel(x: Any, *counts: Any, multiples: Any) -> Any:
        return np.tile(x, fill_sizes(multiples, counts))

    def infer(self, x: TensorType, *counts: TensorType, multiples: Any) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, None)
        sizes = tuple(
            d if m == 1 else d * m if isinstance(d, int) and isinstance(m, int) else Dim()
            for d, m in zip(x.shape, multiples, strict=True)
        )
        return TensorType(x.dtype, sizes)

    def vjp(op: Any, dy: Any, y: Any, x: Any, *counts: Any, multiples: Any) -> Any:
        return op.tile_grad(dy, x), *[None] * len(counts)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3),), {"multiples": (2, 1)}
        yield (_x(2, 3),), {"multiples": (2, 3)}
        yield (_x(2, 3), np.int64(2)), {"multiples": (None, 1)}


class TileGrad(Op):
    """The copies of `x` in `dy`, added."""

    def infer(self, dy: TensorType, x: TensorType) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any) -> Any:
        split: list[int] = []
        for whole, part in zip(dy.shape, np.shape(x), strict=True):
            split += [whole // part if part else 1, part]
        return np.add.reduce(np.reshape(dy, split), axis=tuple(range(0, len(split), 2)))

    def vjp(op: Any, ddx: Any, dx: Any, dy: Any, x: Any) -> Any:
        return op.tile_like(ddx, dy), None

    def samples(self) -> Iterable[Any]:
        yield (_x(4, 9), _x(2, 3)), {}


class TileLike(Op):
    """`x` repeated to fill the shape of `like`, whose sizes are multiples of `x`'s."""

    def infer(self, x: TensorType, like: TensorType) -> TensorType:
        return TensorType(x.dtype, like.shape)

    @staticmethod
    def kernel(x: Any, like: Any) -> Any:
        return np.tile(x, [b // a if a else 1 for a, b in zip(np.shape(x), np.shape(like), strict=True)])

    vjp = lambda op, dy, y, x, like: (op.tile_grad(dy, x), None)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3), _x(4, 9)), {}


class Repeat(Op):
    """Every element along an axis repeated `repeats` times, in place; the second input is the counts, one or many."""

    def infer(self, x: TensorType, repeats: TensorType, *, axis: int, times: Any) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, None)
        size = x.shape[axis]
        known = isinstance(size, int) and times is not None
        out = size if times == 1 else size * times if known else Dim()
        return TensorType(x.dtype, (*x.shape[:axis], out, *x.shape[axis + 1 :]))

    numpy = "np.repeat({0}, {1}, {axis})"

    def vjp(op: Any, dy: Any, y: Any, x: Any, repeats: Any, *, axis: int, times: Any) -> Any:
        return op.repeat_grad(dy, x, repeats, axis=axis), None

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3), 2), {"axis": 1, "times": 2}
        yield (_x(2, 3), np.array([2, 0, 3])), {"axis": 1, "times": None}


class RepeatGrad(Op):
    """The copies of every element of `x` in `dy`, added."""

    def infer(self, dy: TensorType, x: TensorType, repeats: TensorType, *, axis: int) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, repeats: Any, *, axis: int) -> Any:
        shape = np.shape(x)
        if np.size(repeats) == 1:
            times = int(np.reshape(repeats, ()))
            return np.add.reduce(np.reshape(dy, (*shape[: axis + 1], times, *shape[axis + 1 :])), axis=axis + 1)
        out = np.zeros((shape[axis], *shape[:axis], *shape[axis + 1 :]), dy.dtype)
        np.add.at(out, np.repeat(np.arange(shape[axis]), repeats), np.moveaxis(dy, axis, 0))
        return np.moveaxis(out, 0, axis)

    vjp = lambda op, g, dx, dy, x, repeats, *, axis: (op.repeat_like(g, dy, repeats, axis=axis), None, None)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 6), _x(2, 3), 2), {"axis": 1}
        yield (_x(2, 5), _x(2, 3), np.array([2, 0, 3])), {"axis": 1}


class RepeatLike(Op):
    """As `repeat`, with the shape of `like`."""

    numpy = "np.repeat({0}, {2}, {axis})"

    def infer(self, x: TensorType, like: TensorType, repeats: TensorType, *, axis: int) -> TensorType:
        return TensorType(x.dtype, like.shape)

    vjp = lambda op, dy, y, x, like, repeats, *, axis: (op.repeat_grad(dy, x, repeats, axis=axis), None, None)

    def samples(self) -> Iterable[Any]:
        yield (_x(2, 3), _x(2, 5), np.array([2, 0, 3])), {"axis": 1}


@function("repeat", method="repeat")
def repeat_(op: Any, input: Any, repeats: Any, axis: Any = None, name: Any = None) -> Any:
    """Every element along an axis repeated in place; all elements, flattened, if no axis is given.

    >>> ag.repeat([1, 2], 2).numpy().tolist()
    [1, 1, 2, 2]
    """
    x = op.strong(input)
    if axis is None:
        x, axis = op.flatten(x), 0
    rank = op.type_of(x).rank
    if rank == 0:
        x, rank = op.reshape(x, shape=(1,)), 1
    axis = normalize_axis(axis_number(axis), rank, "repeat")
    known: Any = op.static_value(repeats) if not isinstance(repeats, (list, tuple)) else repeats
    times = None
    if known is not None and np.ndim(known) == 0:
        times = repeats = int(known)
        if times < 0:
            raise InvalidArgumentError("repeats may not be negative", op="repeat")
    elif isinstance(repeats, (list, tuple)):
        repeats = op.convert(repeats)
    return op.repeat(x, repeats, axis=axis, times=times)


_MODES = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}


def _widths(paddings: Any, counts: tuple[Any, ...]) -> list[tuple[int, int]]:
    flat = fill_sizes(tuple(w for pair in paddings for w in pair), counts)
    return [(int(a), int(b)) for a, b in zip(flat[::2], flat[1::2], strict=True)]


class Pad(Op):
    """`x` with elements put before and after along every axis: `paddings` holds a pair for each, None for an input."""

    def infer(self, x: TensorType, *counts: TensorType, paddings: Any, mode: str, value: Any) -> TensorType:
        if x.shape is None:
            return TensorType(x.dtype, tuple(Dim() for _ in paddings))
        if len(paddings) != len(x.shape):
            message = f"pad: {len(paddings)} [before, after] pairs for the {len(x.shape)} axes of shape {x.shape}"
            raise ShapeError(message, op="pad")
        out = []
        for size, (before, after) in zip(x.shape, paddings, strict=True):
            known = isinstance(before, int) and isinstance(after, int)
            if known and before == after == 0:
                out.append(size)
            else:
                out.append(size + before + after if known and isinstance(size, int) else Dim())
        return TensorType(x.dtype, tuple(out))

    @staticmethod
    def kernel(x: Any, *counts: Any, paddings: Any, mode: str, value: Any) -> Any:
        widths = _widths(paddings, counts)
        if mode != "constant":
            most = [n - (mode == "reflect") for n in np.shape(x)]
            if any(w > m for pair, m in zip(widths, most, strict=True) for w in pair):
                raise InvalidArgumentError(
                    f"{mode} padding {widths} is wider than the tensor of shape {np.shape(x)}", op="pad"
                )
            return np.pad(x, widths, mode=mode)  # type: ignore[call-overload]
        out = np.full([n + a + b for n, (a, b) in zip(np.shape(x), widths, strict=True)], value, x.dtype)
        out[tuple(slice(a, a + n) for n, (a, _) in zip(np.shape(x), widths, strict=True))] = x
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, *counts: Any, paddings: Any, mode: str, value: Any) -> Any:
        return op.pad_grad(dy, x, *counts, paddings=paddings, mode=mode), *[None] * len(counts)

    def samples(self) -> Iterable[Any]:
        for mode in ("constant", "reflect", "symmetric"):
            yield (_x(3, 4),), {"paddings": ((1, 2), (0, 3)), "mode": mode, "value": 0}
        yield (_x(3, 4), np.int64(2)), {"paddings": ((1, None), (0, 0)), "mode": "constant", "value": 1.5}


class PadGrad(Op):
    """The parts of `dy` that padding took from `x`, added."""

    def infer(self, dy: TensorType, x: TensorType, *counts: TensorType, paddings: Any, mode: str) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, *counts: Any, paddings: Any, mode: str) -> Any:
        shape = np.shape(x)
        widths = _widths(paddings, counts)
        if mode == "constant":
            return dy[tuple(slice(a, a + n) for n, (a, _) in zip(shape, widths, strict=True))]
        for axis, (size, pair) in enumerate(zip(shape, widths, strict=True)):
            if pair == (0, 0):
                continue
            sources = np.pad(np.arange(size), pair, mode=mode)  # type: ignore[call-overload]
            part = np.zeros((size, *dy.shape[:axis], *dy.shape[axis + 1 :]), dy.dtype)
            np.add.at(part, sources, np.moveaxis(dy, axis, 0))
            dy = np.moveaxis(part, 0, axis)
        return dy

    view = aliases = True

    def vjp(op: Any, g: Any, dx: Any, dy: Any, x: Any, *counts: Any, paddings: Any, mode: str) -> Any:
        return op.pad(g, *counts, paddings=paddings, mode=mode, value=0), None, *[None] * len(counts)

    def samples(self) -> Iterable[Any]:
        for mode in ("constant", "reflect", "symmetric"):
            yield (_x(6, 7), _x(3, 4)), {"paddings": ((1, 2), (0, 3)), "mode": mode}


@function("pad")
def pad_with(
    op: Any, tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: Any = None
) -> Any:
    """`tensor` with elements put before and after along every axis.

    Args:
      paddings: a (before, after) pair for each axis; numbers or scalar tensors.
      mode: "CONSTANT", "REFLECT" (the edge is not repeated) or "SYMMETRIC" (it is).
      constant_values: what "CONSTANT" puts.

    >>> ag.pad([1, 2], [[1, 0]]).numpy().tolist()
    [0, 1, 2]
    """
    if mode.upper() not in _MODES:
        raise InvalidArgumentError(f"pad: no mode {mode!r}; expected CONSTANT, REFLECT or SYMMETRIC", op="pad")
    x = op.strong(tensor)
    if hasattr(paddings, "shape") and op.static_value(paddings) is None:
        paddings = [op.get_item(paddings, i) for i in range(op.type_of(x).rank)]
    elif hasattr(paddings, "shape"):
        paddings = np.asarray(op.static_value(paddings)).tolist()
    pairs: list[tuple[Any, Any]] = []
    counts: list[Any] = []
    if not isinstance(paddings, (list, tuple)) or not all(
        len(pair) == 2 if isinstance(pair, (list, tuple)) else hasattr(pair, "shape") for pair in paddings
    ):
        raise InvalidArgumentError(f"pad: paddings holds a pair [before, after] for each axis, not {paddings!r}", op="pad")
    for pair in paddings:
        before_after, inputs = split_sizes(op, pair)
        pairs.append(tuple(e if type(e) is int else None for e in before_after))  # type: ignore[union-attr, arg-type]
        counts += inputs
    fill = op.static_value(constant_values)
    if fill is not None:
        fill = fill.item() if hasattr(fill, "item") else fill
        return op.pad(x, *counts, paddings=tuple(pairs), mode=_MODES[mode.upper()], value=fill)
    ones = op.pad(op.ones_like(x), *counts, paddings=tuple(pairs), mode="constant", value=0)
    padded = op.pad(x, *counts, paddings=tuple(pairs), mode="constant", value=0)
    return op.add(padded, op.mul(op.sub(1, ones), constant_values))
