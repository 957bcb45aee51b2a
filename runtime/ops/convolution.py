"""Convolution of pictures, and what its gradients are made of: three operations, each linear in two of their inputs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.ops.sizes import split_sizes
from runtime.ops.windows import Frame, out_size, padding_of, pair
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import DTypeError, InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

_SETTINGS = {"strides": (1, 1), "padding": "SAME", "dilations": (1, 1)}


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-1, 1, shape)


def _dtype(a: TensorType, b: TensorType, name: str) -> Any:
    dtype = promote((a.dtype, a.weak), (b.dtype, b.weak))[0]
    if not dtype.is_inexact:
        raise DTypeError(f"{name} needs floating-point numbers, not {dtype}; cast them", op=name)
    return dtype


def _cases() -> Iterable[tuple[Any, Any, dict[str, Any]]]:
    yield _x(2, 5, 4, 3), _x(3, 3, 3, 4), _SETTINGS
    yield _x(1, 6, 5, 2), _x(2, 3, 2, 3), {**_SETTINGS, "strides": (2, 2)}
    yield _x(1, 6, 7, 2), _x(2, 2, 2, 1), {"strides": (1, 2), "padding": "VALID", "dilations": (2, 1)}
    yield _x(1, 4, 4, 2), _x(3, 3, 2, 2), {**_SETTINGS, "padding": ((2, 0), (1, 3))}
    yield _x(2, 4, 4, 4), _x(2, 2, 2, 6), _SETTINGS  # two groups


_UNFIT = (
    "conv2d of shapes {x} and {filters}: the {channels} channels of the last axis are no multiple of the {inner} that the "
    "filters' third axis takes"
)


def _frame(x: Any, filters: Any, strides: Any, padding: Any, dilations: Any) -> Frame:
    return Frame(np.shape(x)[1:3], np.shape(filters)[:2], strides, dilations, padding)


def _groups(channels: int, filters: Any) -> int:
    inner = np.shape(filters)[2]
    if inner == 0 or channels % inner:
        raise ShapeError(f"{channels} channels are no multiple of the filters' {inner}", op="conv2d")
    return channels // inner


def _rows(frame: Frame, x: Any, groups: int) -> Any:
    """The windows as matrices: (groups, windows, window's numbers of a group), without the first axis for one group."""
    columns = frame.columns(frame.pad(x))
    count, inner = math.prod(columns.shape[:3]), x.shape[3] // groups
    length = frame.window[0] * frame.window[1] * inner
    if groups == 1:
        return columns.reshape(count, length)
    split = columns.reshape(*columns.shape[:5], groups, inner)
    return np.moveaxis(split, 5, 0).reshape(groups, count, length)


def _by_group(rows: Any, groups: int) -> Any:
    """Results or their cotangents: (groups, windows, outputs of a group), without the first axis for one group."""
    rows = rows.reshape(math.prod(rows.shape[:3]), rows.shape[3])
    return rows if groups == 1 else np.moveaxis(rows.reshape(len(rows), groups, rows.shape[1] // groups), 1, 0)


def _turned(dy: Any, filters: Any, frame: Frame, groups: int) -> Any:
    """The pictures' cotangent as a convolution of the results' with turned filters; None where there are strides."""
    reach = [(frame.window[k] - 1) * frame.dilations[k] for k in (0, 1)]
    around = tuple((reach[k] - frame.pads[k][0], reach[k] - frame.pads[k][1]) for k in (0, 1))
    if frame.strides != (1, 1) or min(map(min, around)) < 0:
        return None
    height, width, inner, outputs = filters.shape
    turned = filters[::-1, ::-1].reshape(height, width, inner, groups, outputs // groups)
    turned = turned.transpose(0, 1, 4, 3, 2).reshape(height, width, outputs // groups, groups * inner)
    return Conv2d.kernel(dy, turned, strides=(1, 1), padding=around, dilations=frame.dilations)


def _grouped(filters: Any, groups: int) -> Any:
    """Filters as matrices: (window's numbers, outputs), or (groups, ..., outputs of a group)."""
    outputs = filters.shape[3]
    if groups == 1:
        return filters.reshape(-1, outputs)
    return np.moveaxis(filters.reshape(-1, groups, outputs // groups), 1, 0)


class Conv2d(Op):
    """Sums of products of filters (height, width, channels in, channels out) with the windows of pictures (NHWC).

    Pictures with a multiple of the filters' channels are convolved in that many groups.
    """

    choosy = True

    def infer(self, x: TensorType, filters: TensorType, *, strides: Any, padding: Any, dilations: Any) -> TensorType:
        dtype = _dtype(x, filters, "conv2d")
        if x.shape is None or filters.shape is None:
            return TensorType(dtype, None)
        if len(x.shape) != 4 or len(filters.shape) != 4:
            raise ShapeError(f"conv2d of shapes {x.shape} and {filters.shape}: both need four axes", op="conv2d")
        channels, inner, outputs = x.shape[3], filters.shape[2], filters.shape[3]
        if isinstance(channels, int) and isinstance(inner, int):
            if inner == 0 or channels % inner:
                message = _UNFIT.format(x=x.shape, filters=filters.shape, channels=channels, inner=inner)
                raise ShapeError(message, op="conv2d")
            if isinstance(outputs, int) and outputs % (channels // inner):
                raise ShapeError(f"{outputs} outputs can't be had of {channels // inner} groups", op="conv2d")
        space = [
            out_size(x.shape[1 + k], filters.shape[k], strides[k], dilations[k], padding, k) for k in (0, 1)
        ]
        return TensorType(dtype, (x.shape[0], *space, outputs))

    @staticmethod
    def kernel(x: Any, filters: Any, *, strides: Any, padding: Any, dilations: Any) -> Any:
        x, filters = np.asarray(x), np.asarray(filters)
        frame = _frame(x, filters, strides, padding, dilations)
        groups = _groups(x.shape[3], filters)
        out = np.matmul(_rows(frame, x, groups), _grouped(filters, groups))
        if groups > 1:
            out = np.moveaxis(out, 0, 1)
        return out.reshape(x.shape[0], *frame.count, filters.shape[3])

    def vjp(op: Any, dy: Any, y: Any, x: Any, filters: Any, *, needs: Any = (True, True), **attrs: Any) -> Any:
        dx = op.conv2d_input_grad(dy, filters, x, **attrs) if needs[0] else None
        return dx, op.conv2d_filter_grad(dy, x, filters, **attrs) if needs[1] else None

    def samples(self) -> Iterable[Any]:
        for x, filters, attrs in _cases():
            yield (x, filters), attrs
        yield (_x(2, 5, 4, 3).astype("f"), _x(3, 3, 3, 4).astype("f")), _SETTINGS


def _slope_samples(first: int, second: int) -> Iterable[Any]:
    """(dy, one of pictures and filters, the other as `like`) of each case."""
    for x, filters, attrs in _cases():
        both = x, filters
        yield (Conv2d.kernel(x, filters, **attrs), both[first], both[second]), attrs


class Conv2dInputGrad(Op):
    """The cotangent of a convolution's pictures, which are `like`; also the transposed convolution."""

    choosy = True

    def infer(self, dy: TensorType, filters: TensorType, like: TensorType, **attrs: Any) -> TensorType:
        return TensorType(_dtype(dy, filters, "conv2d_transpose"), like.shape)

    @staticmethod
    def kernel(dy: Any, filters: Any, like: Any, *, strides: Any, padding: Any, dilations: Any) -> Any:
        dy, filters, shape = np.asarray(dy), np.asarray(filters), np.shape(like)
        frame = _frame(like, filters, strides, padding, dilations)
        groups = _groups(shape[3], filters)
        if dy.shape != (shape[0], *frame.count, filters.shape[3]):
            raise ShapeError(f"conv2d_transpose of {dy.shape} to {shape} by filters {filters.shape}: sizes don't fit")
        turned = _turned(dy, filters, frame, groups)
        if turned is not None:
            return turned
        out = np.zeros((shape[0], *frame.padded, shape[3]), np.result_type(dy, filters))
        rows = _by_group(dy, groups)
        for i, j, place in frame.places():
            part = np.matmul(rows, _grouped(filters[i, j][None, None], groups).mT)
            part = np.moveaxis(part, 0, 1) if groups > 1 else part
            out[place] += part.reshape(shape[0], *frame.count, shape[3])
        return np.ascontiguousarray(frame.inner(out))

    def vjp(
        op: Any, ddx: Any, dx: Any, dy: Any, filters: Any, like: Any, *, needs: Any = (True, True, True), **attrs: Any
    ) -> Any:
        first = op.conv2d(ddx, filters, **attrs) if needs[0] else None
        return first, op.conv2d_filter_grad(dy, ddx, filters, **attrs) if needs[1] else None, None

    def samples(self) -> Iterable[Any]:
        return _slope_samples(1, 0)


class Conv2dFilterGrad(Op):
    """The cotangent of a convolution's filters, which are `like`."""

    choosy = True

    def infer(self, dy: TensorType, x: TensorType, like: TensorType, **attrs: Any) -> TensorType:
        return TensorType(_dtype(dy, x, "conv2d"), like.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, like: Any, *, strides: Any, padding: Any, dilations: Any) -> Any:
        dy, x, shape = np.asarray(dy), np.asarray(x), np.shape(like)
        frame = _frame(x, like, strides, padding, dilations)
        groups = _groups(x.shape[3], like)
        slopes = np.matmul(_rows(frame, x, groups).mT, _by_group(dy, groups))
        return (slopes if groups == 1 else np.moveaxis(slopes, 0, 1)).reshape(shape)

    def vjp(
        op: Any, ddf: Any, df: Any, dy: Any, x: Any, like: Any, *, needs: Any = (True, True, True), **attrs: Any
    ) -> Any:
        first = op.conv2d(x, ddf, **attrs) if needs[0] else None
        return first, op.conv2d_input_grad(dy, ddf, x, **attrs) if needs[1] else None, None

    def samples(self) -> Iterable[Any]:
        return _slope_samples(0, 1)


def _channels_first(data_format: str, name: str) -> bool:
    if data_format not in ("NHWC", "NCHW"):
        raise InvalidArgumentError(f"data_format must be 'NHWC' or 'NCHW', not {data_format!r}", op=name)
    return data_format == "NCHW"


@function("nn.conv2d")
def conv2d_(
    op: Any,
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: Any = None,
) -> Any:
    """Convolution of pictures (batch, height, width, channels) with filters (height, width, channels in, channels out).

    padding: "SAME" (as many windows as places, over the stride), "VALID" (windows inside only), or a pair for each axis.
    strides and dilations: a number, two, or four. data_format: "NHWC", or "NCHW" for pictures with channels first.
    Pictures with a multiple of the filters' channels are convolved in groups.

    Raises:
      ShapeError: not four axes, or channels that do not fit.
      DTypeError: integers.

    >>> ag.nn.conv2d(ag.ones([1, 3, 3, 1]), ag.ones([2, 2, 1, 1]), 1, "VALID").numpy().ravel().tolist()
    [4.0, 4.0, 4.0, 4.0]

    As TensorFlow's `tf.nn.conv2d`.
    """
    first = _channels_first(data_format, "conv2d")
    x, filters = op.strong(input), op.strong(filters)
    attrs = {
        "strides": pair(strides, "strides", first),
        "padding": padding_of(padding, first),
        "dilations": pair(1 if dilations is None else dilations, "dilations", first),
    }
    if not first:
        return op.conv2d(x, filters, **attrs)
    out = op.conv2d(op.transpose(x, perm=(0, 2, 3, 1)), filters, **attrs)
    return op.transpose(out, perm=(0, 3, 1, 2))


@function("nn.conv2d_transpose")
def conv2d_transpose(
    op: Any,
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Any = None,
    name: Any = None,
) -> Any:
    """The transpose (the gradient with respect to the pictures) of `conv2d`; filters (height, width, out, in).

    >>> ag.nn.conv2d_transpose(ag.ones([1, 1, 1, 1]), ag.ones([2, 2, 3, 1]), [1, 2, 2, 3], 2).shape
    TensorShape([1, 2, 2, 3])

    As TensorFlow's `tf.nn.conv2d_transpose`.
    """
    first = _channels_first(data_format, "conv2d_transpose")
    x, filters = op.strong(input), op.strong(filters)
    entries, sizes = split_sizes(op, output_shape)
    like = op.zeros(*sizes, shape=entries, dtype=op.type_of(x).dtype)
    if first:
        x, like = op.transpose(x, perm=(0, 2, 3, 1)), op.transpose(like, perm=(0, 2, 3, 1))
    out = op.conv2d_input_grad(
        x, filters, like,
        strides=pair(strides, "strides", first), padding=padding_of(padding, first),
        dilations=pair(1 if dilations is None else dilations, "dilations", first),
    )  # fmt: skip
    return op.transpose(out, perm=(0, 3, 1, 2)) if first else out


@function("nn.depthwise_conv2d")
def depthwise_conv2d(
    op: Any,
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: Any = None,
) -> Any:
    """Every channel convolved by filters of its own: filters (height, width, channels, multiplier).

    >>> ag.nn.depthwise_conv2d(ag.ones([1, 2, 2, 3]), ag.ones([2, 2, 3, 2]), 1, "VALID").shape
    TensorShape([1, 1, 1, 6])

    As TensorFlow's `tf.nn.depthwise_conv2d`.
    """
    filters = op.strong(filter)
    sizes = op.type_of(filters).shape
    if sizes is None or len(sizes) != 4 or any(isinstance(s, Dim) for s in sizes):
        raise ShapeError("depthwise_conv2d needs filters of a known shape of four axes", op="depthwise_conv2d")
    height, width, channels, times = sizes
    filters = op.reshape(filters, shape=(height, width, 1, channels * times))
    return conv2d_(op, input, filters, strides, padding, data_format, dilations)


@function("nn.separable_conv2d")
def separable_conv2d(
    op: Any,
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: Any = None,
) -> Any:
    """`depthwise_conv2d`, then a convolution by filters of one place.

    >>> filters = ag.ones([2, 2, 3, 1]), ag.ones([1, 1, 3, 4])
    >>> ag.nn.separable_conv2d(ag.ones([1, 2, 2, 3]), *filters, 1, "SAME").shape
    TensorShape([1, 2, 2, 4])

    As TensorFlow's `tf.nn.separable_conv2d`.
    """
    middle = depthwise_conv2d(op, input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d_(op, middle, pointwise_filter, 1, "VALID", data_format)


@function("nn.conv1d")
def conv1d(
    op: Any,
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str = "NWC",
    dilations: Any = None,
    name: Any = None,
) -> Any:
    """Convolution of series (batch, width, channels) with filters (width, channels in, channels out).

    >>> ag.nn.conv1d(ag.ones([1, 3, 1]), ag.ones([2, 1, 1]), 1, "VALID").numpy().ravel().tolist()
    [2.0, 2.0]

    As TensorFlow's `tf.nn.conv1d`.
    """
    if data_format not in ("NWC", "NCW"):
        raise InvalidArgumentError(f"data_format must be 'NWC' or 'NCW', not {data_format!r}", op="conv1d")
    x, filters = op.strong(input), op.strong(filters)
    if data_format == "NCW":
        x = op.transpose(x, perm=(0, 2, 1))
    step, dilation = (v if isinstance(v, int) else max(v) for v in (stride, 1 if dilations is None else dilations))
    if not isinstance(padding, str):
        before, at, after = padding if data_format == "NWC" else (padding[0], padding[2], padding[1])
        padding = [before, [0, 0], at, after]
    picture, wide = op.expand_dims(x, axis=1), op.expand_dims(filters, axis=0)
    out = conv2d_(op, picture, wide, (1, int(step)), padding, "NHWC", (1, int(dilation)))
    out = op.squeeze(out, axis=(1,))
    return op.transpose(out, perm=(0, 2, 1)) if data_format == "NCW" else out
