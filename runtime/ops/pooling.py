"""Pooling of pictures: the largest, or the mean, of each window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.ops.windows import Frame, out_size, padding_of, pair
from runtime.typesys.errors import DTypeError, InvalidArgumentError, ShapeError
from runtime.typesys.spec import TensorType

_ONE = (1, 1)


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).permutation(np.arange(np.prod(shape)) / 7.0).reshape(shape)


def _cases() -> Iterable[tuple[Any, dict[str, Any]]]:
    yield _x(2, 4, 6, 2), {"window": (2, 2), "strides": (2, 2), "padding": "VALID"}
    yield _x(1, 5, 5, 2), {"window": (3, 2), "strides": (2, 1), "padding": "SAME"}
    yield _x(1, 5, 4, 1), {"window": (2, 3), "strides": (1, 1), "padding": ((1, 0), (1, 1))}


def _frame(x: Any, window: Any, strides: Any, padding: Any) -> Frame:
    return Frame(np.shape(x)[1:3], window, strides, _ONE, padding)


def _pooled(x: TensorType, window: Any, strides: Any, padding: Any, name: str) -> TensorType:
    if x.shape is None:
        return TensorType(x.dtype, None)
    if len(x.shape) != 4:
        raise ShapeError(f"{name} needs pictures of four axes, not shape {x.shape}", op=name)
    space = [out_size(x.shape[1 + k], window[k], strides[k], 1, padding, k) for k in (0, 1)]
    return TensorType(x.dtype, (x.shape[0], *space, x.shape[3]))


class MaxPool2d(Op):
    """The largest number of each window of pictures (NHWC), for every channel."""

    def infer(self, x: TensorType, *, window: Any, strides: Any, padding: Any) -> TensorType:
        return _pooled(x, window, strides, padding, "max_pool2d")

    @staticmethod
    def kernel(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
        frame = _frame(x, window, strides, padding)
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        padded = frame.pad(x, lowest)
        out = np.full((x.shape[0], *frame.count, x.shape[3]), lowest, x.dtype)
        for _, _, place in frame.places():
            np.maximum(out, padded[place], out=out)
        return out

    vjp = lambda op, dy, y, x, **attrs: (op.max_pool2d_grad(dy, x, y, **attrs),)

    def samples(self) -> Iterable[Any]:
        for x, attrs in _cases():
            yield (x,), attrs


def _firsts(frame: Frame, x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """(index of a padded array, where that place of a window is the first to hold the window's largest) of each place."""
    padded = frame.pad(x)
    inside = frame.pad(np.ones((1, *frame.space, 1), bool)) if padded is not x else None  # no cotangent for the border
    left = np.ones(y.shape, bool)
    for _, _, place in frame.places():
        here = padded[place] == y
        here &= left
        if inside is not None:
            here &= inside[place]
        left ^= here
        yield place, here


class MaxPool2dGrad(Op):
    """Every number of dy, added at the first place of its window of x that holds the window's largest, y."""

    def infer(self, dy: TensorType, x: TensorType, y: TensorType, **attrs: Any) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, y: Any, *, window: Any, strides: Any, padding: Any) -> Any:
        frame = _frame(x, window, strides, padding)
        out = np.zeros((x.shape[0], *frame.padded, x.shape[3]), dy.dtype)
        apart = strides[0] >= window[0] and strides[1] >= window[1]
        finite = np.isfinite(dy).all()  # then a product says the same, several times as fast
        for place, here in _firsts(frame, x, y):
            share = dy * here if finite else np.where(here, dy, dy.dtype.type(0))
            if apart:
                out[place] = share
            else:
                out[place] += share
        return np.ascontiguousarray(frame.inner(out))

    vjp = lambda op, ddx, dx, dy, x, y, **attrs: (op.max_pool2d_pick(ddx, x, y, **attrs), None, None)

    def samples(self) -> Iterable[Any]:
        for x, attrs in _cases():
            y = MaxPool2d.kernel(x, **attrs)
            yield (y * 0.5, x, y), attrs


class MaxPool2dPick(Op):
    """Of every window of v, what is at the first place where x's window holds its largest, y."""

    def infer(self, v: TensorType, x: TensorType, y: TensorType, **attrs: Any) -> TensorType:
        return TensorType(v.dtype, y.shape)

    @staticmethod
    def kernel(v: Any, x: Any, y: Any, *, window: Any, strides: Any, padding: Any) -> Any:
        frame = _frame(x, window, strides, padding)
        values = frame.pad(v)
        out = np.zeros(y.shape, v.dtype)
        for place, here in _firsts(frame, x, y):
            np.copyto(out, values[place], where=here)
        return out

    vjp = lambda op, dy, out, v, x, y, **attrs: (op.max_pool2d_grad(dy, x, y, **attrs), None, None)

    def samples(self) -> Iterable[Any]:
        for x, attrs in _cases():
            yield (x * 0.5, x, MaxPool2d.kernel(x, **attrs)), attrs


def _counts(frame: Frame, dtype: Any) -> Any:
    """How many places of each window lie inside the picture: (rows, columns, 1)."""
    inside = frame.pad(np.ones((1, *frame.space, 1), dtype))
    return sum(inside[place] for _, _, place in frame.places())[0]


class AvgPool2d(Op):
    """The mean of each window of pictures (NHWC), for every channel; what lies outside the picture does not count."""

    def infer(self, x: TensorType, *, window: Any, strides: Any, padding: Any) -> TensorType:
        if not x.dtype.is_inexact:
            raise DTypeError(f"avg_pool2d needs floating-point numbers, not {x.dtype}; cast them", op="avg_pool2d")
        return _pooled(x, window, strides, padding, "avg_pool2d")

    @staticmethod
    def kernel(x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
        frame = _frame(x, window, strides, padding)
        padded = frame.pad(x)
        out = np.zeros((x.shape[0], *frame.count, x.shape[3]), x.dtype)
        for _, _, place in frame.places():
            out += padded[place]
        out /= _counts(frame, x.dtype)
        return out

    vjp = lambda op, dy, y, x, **attrs: (op.avg_pool2d_grad(dy, x, **attrs),)

    def samples(self) -> Iterable[Any]:
        for x, attrs in _cases():
            yield (x,), attrs


class AvgPool2dGrad(Op):
    """Every number of dy, spread evenly over its window of a picture like x."""

    def infer(self, dy: TensorType, x: TensorType, **attrs: Any) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, *, window: Any, strides: Any, padding: Any) -> Any:
        frame = _frame(x, window, strides, padding)
        out = np.zeros((dy.shape[0], *frame.padded, dy.shape[3]), dy.dtype)
        share = dy / _counts(frame, dy.dtype)
        for _, _, place in frame.places():
            out[place] += share
        return np.ascontiguousarray(frame.inner(out))

    vjp = lambda op, ddx, dx, dy, x, **attrs: (op.avg_pool2d(ddx, **attrs), None)

    def samples(self) -> Iterable[Any]:
        for x, attrs in _cases():
            yield (AvgPool2d.kernel(x, **attrs) * 0.5, x), attrs


def _pool(op: Any, name: str, x: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None) -> Any:
    """A pooling of pictures, or of series as pictures of height 1."""
    x = op.strong(x)
    rank = op.type_of(x).rank
    if rank == 3:
        return _pool_series(op, name, x, ksize, strides, padding, data_format)
    if data_format not in (None, "NHWC", "NCHW"):
        raise InvalidArgumentError(f"data_format must be 'NHWC' or 'NCHW', not {data_format!r}", op=name)
    first = data_format == "NCHW"
    attrs = {
        "window": pair(ksize, "ksize", first),
        "strides": pair(ksize if strides is None else strides, "strides", first),
        "padding": padding_of(padding, first),
    }
    run = getattr(op, name)
    if not first:
        return run(x, **attrs)
    return op.transpose(run(op.transpose(x, perm=(0, 2, 3, 1)), **attrs), perm=(0, 3, 1, 2))


def _pool_series(op: Any, name: str, x: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None) -> Any:
    first = data_format == "NCW"
    x = op.transpose(x, perm=(0, 2, 1)) if first else x
    window, step = (v if isinstance(v, int) else max(v) for v in (ksize, ksize if strides is None else strides))
    out = getattr(op, name)(
        op.expand_dims(x, axis=1), window=(1, int(window)), strides=(1, int(step)), padding=padding_of(padding)
    )
    out = op.squeeze(out, axis=(1,))
    return op.transpose(out, perm=(0, 2, 1)) if first else out


@function("nn.max_pool2d", "nn.max_pool", "nn.max_pool1d")
def max_pool(
    op: Any, input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: Any = None
) -> Any:
    """The largest number of each window of pictures (batch, height, width, channels), or series (batch, width, channels).

    ksize and strides: a number, two, or four. padding: "SAME", "VALID", or a pair for each axis.

    >>> ag.nn.max_pool2d(ag.reshape(ag.range(16.0), [1, 4, 4, 1]), 2, 2, "VALID").numpy().ravel().tolist()
    [5.0, 7.0, 13.0, 15.0]

    As TensorFlow's `tf.nn.max_pool2d`.
    """
    return _pool(op, "max_pool2d", input, ksize, strides, padding, data_format)


@function("nn.avg_pool2d", "nn.avg_pool", "nn.avg_pool1d")
def avg_pool(
    op: Any, input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: Any = None
) -> Any:
    """The mean of each window of pictures (batch, height, width, channels), or series (batch, width, channels).

    Places outside the picture do not count. The arguments are those of `max_pool2d`.

    >>> ag.nn.avg_pool2d(ag.reshape(ag.range(16.0), [1, 4, 4, 1]), 2, 2, "VALID").numpy().ravel().tolist()
    [2.5, 4.5, 10.5, 12.5]

    As TensorFlow's `tf.nn.avg_pool2d`.
    """
    return _pool(op, "avg_pool2d", input, ksize, strides, padding, data_format)
