"""Windows that slide over pictures: sizes, padding, and views of all windows at once, for convolution and pooling.

Pictures are (batch, height, width, channels). A padding is "SAME", "VALID", or ((top, bottom), (left, right)).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from runtime.typesys.errors import InvalidArgumentError, ShapeError
from runtime.typesys.shapes import Dim, Size

__all__: list[str] = []

Pair = tuple[int, int]


def pair(value: Any, what: str, channels_first: bool = False) -> Pair:
    """The two sizes of height and width, of a number, two numbers, or four with 1 for batch and channels.

    Raises:
      InvalidArgumentError: something else.
    """
    values = (value,) if isinstance(value, int) else tuple(int(v) for v in value)
    if len(values) == 4:
        batch, *space, channels = (values[0], *values[2:], values[1]) if channels_first else values
        if (batch, channels) != (1, 1):
            raise InvalidArgumentError(f"{what} over the batch or the channels must be 1: {list(values)}")
        values = tuple(space)
    if len(values) == 1:
        values = values * 2
    if len(values) != 2 or min(values) < 1:
        raise InvalidArgumentError(f"{what} must be 1, 2 or 4 positive numbers, not {value!r}")
    return values[0], values[1]


def padding_of(value: Any, channels_first: bool = False) -> Any:
    """A padding argument as the attribute.

    Raises:
      InvalidArgumentError: neither a name nor four pairs.
    """
    if isinstance(value, str):
        if value.upper() not in ("SAME", "VALID"):
            raise InvalidArgumentError(f"padding must be 'SAME', 'VALID' or four pairs, not {value!r}")
        return value.upper()
    pairs = tuple(tuple(int(n) for n in p) for p in value)
    if len(pairs) != 4 or any(len(p) != 2 or min(p) < 0 for p in pairs):
        raise InvalidArgumentError(f"explicit padding is four pairs of numbers that are not negative, not {value!r}")
    space, others = (pairs[2:], pairs[:2]) if channels_first else (pairs[1:3], (pairs[0], pairs[3]))
    if any(p != (0, 0) for p in others):
        raise InvalidArgumentError("batch and channels can't be padded")
    return space


def out_size(size: Size, window: Size, stride: int, dilation: int, padding: Any, axis: int) -> Size:
    """How many windows there are along an axis."""
    if not isinstance(size, int):
        return size if padding == "SAME" and stride == 1 else Dim()
    if padding == "SAME":
        return -(-size // stride)
    if not isinstance(window, int):
        return Dim()
    whole = size if padding == "VALID" else size + sum(padding[axis])
    count = (whole - (window - 1) * dilation - 1) // stride + 1
    if count < 1 and whole:
        raise ShapeError(f"a window of {(window - 1) * dilation + 1} does not fit into {whole}")
    return max(count, 0)


def pads(size: int, window: int, stride: int, dilation: int, padding: Any, axis: int) -> Pair:
    """What is added before and after an axis."""
    if padding == "VALID":
        return 0, 0
    if padding != "SAME":
        return padding[axis]
    missing = max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return missing // 2, missing - missing // 2


class Frame:
    """Where the windows of one picture lie: padding, number and slices."""

    def __init__(self, space: Pair, window: Pair, strides: Pair, dilations: Pair, padding: Any) -> None:
        self.space, self.window, self.strides, self.dilations = space, window, strides, dilations
        self.pads = [pads(space[k], window[k], strides[k], dilations[k], padding, k) for k in (0, 1)]
        self.padded = [space[k] + sum(self.pads[k]) for k in (0, 1)]
        self.count = [(self.padded[k] - (window[k] - 1) * dilations[k] - 1) // strides[k] + 1 for k in (0, 1)]
        if any(n < 1 and size for n, size in zip(self.count, self.padded, strict=True)):
            raise ShapeError(f"a window of {self._span()} does not fit into a picture of {tuple(self.padded)}")
        self.count = [max(n, 0) for n in self.count]

    def _span(self) -> Pair:
        (height, width), (below, beside) = self.window, self.dilations
        return (height - 1) * below + 1, (width - 1) * beside + 1

    def pad(self, x: Any, value: Any = 0) -> Any:
        """x with its border."""
        if not any(map(sum, self.pads)):
            return x
        out = np.full((x.shape[0], *self.padded, x.shape[3]), value, x.dtype)
        self.inner(out)[...] = x
        return out

    def inner(self, x: Any) -> Any:
        """A padded array without its border, a view."""
        (top, _), (left, _) = self.pads
        return x[:, top : top + self.space[0], left : left + self.space[1]]

    def places(self) -> Iterator[tuple[int, int, Any]]:
        """(row, column, index of a padded array) of each place in the windows: the index takes that place of all."""
        for i in range(self.window[0]):
            for j in range(self.window[1]):
                yield i, j, (slice(None), self._slice(0, i), self._slice(1, j))

    def _slice(self, axis: int, place: int) -> slice:
        start, step = place * self.dilations[axis], self.strides[axis]
        return slice(start, start + step * (self.count[axis] - 1) + 1 if self.count[axis] else start, step)

    def columns(self, x: Any) -> Any:
        """All windows of a padded array: (batch, rows, columns, window height, window width, channels), a view."""
        batch, height, width, channel = x.strides
        (down, right), (below, beside) = self.strides, self.dilations
        return np.lib.stride_tricks.as_strided(
            x, (x.shape[0], *self.count, *self.window, x.shape[3]),
            (batch, height * down, width * right, height * below, width * beside, channel), writeable=False,
        )  # fmt: skip
