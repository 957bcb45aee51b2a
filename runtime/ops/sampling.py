"""Random numbers by counter: Philox 4x32-10, the same on every executor.

A state is an int64 vector (key, draw number): every operation here is a pure function of it. Element i of draw n comes
from word i of the blocks whose 128-bit counters are (block number, rejection round, n).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op
from runtime.ops.sizes import fill_sizes, shape_of_sizes
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import DTypeError, InvalidArgumentError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_WEYL = np.array([[[r * w & 0xFFFFFFFF] for w in (0x9E3779B9, 0xBB67AE85)] for r in range(10)], np.uint64)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_HIGH_WORD = 1 if sys.byteorder == "little" else 0


def philox(state: Any, blocks: int, stage: int = 0) -> Any:
    """The random 32-bit words of a draw, four in each row: shape (blocks, 4), uint32."""
    key, draw = int(state[0]) & 0xFFFFFFFFFFFFFFFF, int(state[1]) & 0xFFFFFFFFFFFFFFFF
    keys = (_WEYL + np.array([[key & 0xFFFFFFFF], [key >> 32]], np.uint64)).astype(np.uint32)
    # Words 0 and 2 of the counters are multiplied in every round, words 1 and 3 are mixed in: two arrays of two rows.
    even = np.empty((2, blocks), np.uint32)
    even[0] = np.arange(blocks)
    even[1] = draw & 0xFFFFFFFF
    odd = np.empty((2, blocks), np.uint32)
    odd[0] = stage
    odd[1] = draw >> 32
    products = [np.empty((2, blocks), np.uint64), np.empty((2, blocks), np.uint64)]
    words = [p.view(np.uint32).reshape(2, blocks, 2)[::-1] for p in products]
    halves = [(w[:, :, _HIGH_WORD], w[:, :, 1 - _HIGH_WORD]) for w in words]
    for r in range(10):
        np.multiply(even, _MULTIPLIERS, out=products[r & 1])
        high, low = halves[r & 1]
        np.bitwise_xor(high, odd, out=even)
        np.bitwise_xor(even, keys[r], out=even)
        odd = low  # lives in this round's product until the next round has read it
    out = np.empty((blocks, 2, 2), np.uint32)
    out[:, :, 0] = even.T
    out[:, :, 1] = odd.T
    return out.reshape(blocks, 4)


def words32(state: Any, count: int, stage: int = 0) -> Any:
    """`count` random 32-bit words."""
    return philox(state, -(-count // 4), stage).reshape(-1)[:count]


def words64(state: Any, count: int, stage: int = 0) -> Any:
    """`count` random 64-bit words, of pairs of 32-bit ones, the low one first."""
    pairs = philox(state, -(-count // 2), stage).astype("<u4", copy=False)
    return pairs.reshape(-1).view("<u8")[:count].astype(np.uint64, copy=False)


def uniforms(state: Any, count: int, dtype: Any, stage: int = 0) -> Any:
    """Numbers in [0, 1): 24 random bits for float32 and 11 for float16, 53 for float64."""
    dtype = np.dtype(dtype)
    if dtype == np.float64:
        return (words64(state, count, stage) >> np.uint64(11)) * 2.0**-53
    if dtype == np.float16:
        return ((words32(state, count, stage) >> np.uint32(21)) * 2.0**-11).astype(dtype)
    return (words32(state, count, stage) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def normals(state: Any, count: int, dtype: Any, stage: int = 0) -> Any:
    """Standard normal numbers, by Box and Muller."""
    work = np.float64 if np.dtype(dtype) == np.float64 else np.float32
    half = -(-count // 2)
    both = uniforms(state, 2 * half, work, stage).reshape(2, half)
    radius = np.sqrt(work(-2) * np.log(work(1) - both[0]))
    angle = both[1] * work(2 * math.pi)
    out = np.empty((half, 2), work)
    np.multiply(radius, np.cos(angle), out=out[:, 0])
    np.multiply(radius, np.sin(angle), out=out[:, 1])
    return out.reshape(-1)[:count].astype(dtype, copy=False)


def truncated_normals(state: Any, count: int, dtype: Any) -> Any:
    """Standard normal numbers within two deviations: those outside are drawn again, in a stage of their own."""
    out = normals(state, count, dtype)
    stage = 0
    redo = np.flatnonzero(np.abs(out) > 2)
    while redo.size:
        stage += 1
        out[redo] = normals(state, redo.size, dtype, stage)
        redo = redo[np.abs(out[redo]) > 2]
    return out


def integers(state: Any, count: int, low: int, high: int) -> Any:
    """Integers in [low, high), uint64 arithmetic modulo 2**64; each as likely to within 2**-32 of its share."""
    span = high - low
    if span <= 0:
        raise InvalidArgumentError(f"random integers need minval < maxval, not {low} and {high}", op="random_integers")
    if span < 2**32:
        exact = span < 2**20
        drawn = (words32(state, count) * np.uint64(span)) >> _HALF if exact else words64(state, count) % np.uint64(span)
    elif span < 2**64:
        drawn = words64(state, count) % np.uint64(span)
    else:
        drawn = words64(state, count)
    return drawn + np.uint64(low & 0xFFFFFFFFFFFFFFFF)


def permutation(state: Any, count: int) -> Any:
    """A random order of range(count): sorted random keys with the index in the low bits, so no two are equal."""
    if count <= 4096:
        keys = words32(state, count).astype(np.uint64) << _HALF
        low = _LOW
    else:
        bits = count.bit_length()
        low = np.uint64((1 << bits) - 1)
        keys = words64(state, count) & ~low
    keys |= np.arange(count, dtype=np.uint64)
    keys.sort()
    keys &= low
    return keys.view(np.int64)


class _Draw(Op, abstract=True):
    """Numbers of a shape from a state."""

    def infer(self, state: TensorType, *sizes: TensorType, shape: Any, dtype: Any) -> TensorType:
        if not dtype.is_floating:
            raise DTypeError(f"{self.name} makes floating-point numbers, not {dtype}", op=self.name)
        return TensorType(dtype, shape_of_sizes(shape))

    vjp = lambda op, dy, y, state, *sizes, shape, dtype: (None,) * (1 + len(sizes))

    def samples(self) -> Iterable[Any]:
        state = np.array([12345, 6], np.int64)
        for name in ("float32", "float64"):
            yield (state,), {"shape": (3, 5), "dtype": as_dtype(name)}
        yield (state, np.int64(4)), {"shape": (None, 5), "dtype": as_dtype("float32")}
        yield (state,), {"shape": (), "dtype": as_dtype("float32")}


def _shaped(numbers: Any, state: Any, sizes: tuple[Any, ...], shape: Any, dtype: Any) -> Any:
    full = tuple(map(int, fill_sizes(shape, sizes)))
    return numbers(state, math.prod(full), dtype.dtype).reshape(full)[()]


class RandomUniform(_Draw):
    """Numbers in [0, 1)."""

    @staticmethod
    def kernel(state: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        return _shaped(uniforms, state, sizes, shape, dtype)


class RandomNormal(_Draw):
    """Standard normal numbers."""

    @staticmethod
    def kernel(state: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        return _shaped(normals, state, sizes, shape, dtype)


class RandomTruncatedNormal(_Draw):
    """Standard normal numbers within two standard deviations."""

    @staticmethod
    def kernel(state: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        return _shaped(truncated_normals, state, sizes, shape, dtype)


class RandomIntegers(Op):
    """Integers in [low, high)."""

    def infer(
        self, state: TensorType, low: TensorType, high: TensorType, *sizes: TensorType, shape: Any, dtype: Any
    ) -> TensorType:
        return TensorType(dtype, shape_of_sizes(shape))

    @staticmethod
    def kernel(state: Any, low: Any, high: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        full = tuple(map(int, fill_sizes(shape, sizes)))
        return integers(state, math.prod(full), int(low), int(high)).astype(dtype.dtype).reshape(full)[()]

    vjp = lambda op, dy, y, *inputs, **attrs: (None,) * len(inputs)

    def samples(self) -> Iterable[Any]:
        state = np.array([12345, 6], np.int64)
        yield (state, -3, 10), {"shape": (3, 5), "dtype": as_dtype("int32")}
        yield (state, -(2**62), 2**62 + 5), {"shape": (4,), "dtype": as_dtype("int64")}


class RandomPermutation(Op):
    """A random order of range(n)."""

    def infer(self, state: TensorType, *sizes: TensorType, shape: Any) -> TensorType:
        return TensorType("int64", shape_of_sizes(shape))

    @staticmethod
    def kernel(state: Any, *sizes: Any, shape: Any) -> Any:
        return permutation(state, int(fill_sizes(shape, sizes)[0]))

    vjp = lambda op, dy, y, *inputs, **attrs: (None,) * len(inputs)

    def samples(self) -> Iterable[Any]:
        state = np.array([12345, 6], np.int64)
        yield (state,), {"shape": (9,)}
        yield (state, 5000), {"shape": (None,)}


class RandomCategorical(Op):
    """Classes drawn with probabilities softmax(logits): logits [rows, classes] give [rows, count]."""

    def infer(self, state: TensorType, logits: TensorType, *sizes: TensorType, shape: Any, dtype: Any) -> TensorType:
        rows = Dim() if logits.shape is None else logits.shape[0]
        return TensorType(dtype, (rows, *(shape_of_sizes(shape) or ())))

    @staticmethod
    def kernel(state: Any, logits: Any, *sizes: Any, shape: Any, dtype: Any) -> Any:
        count = int(fill_sizes(shape, sizes)[0])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
        edges = np.cumsum(powers, axis=1)
        draws = uniforms(state, len(logits) * count, np.float64).reshape(len(logits), count) * edges[:, -1:]
        out = np.empty((len(logits), count), dtype.dtype)
        for row, (edge, draw) in enumerate(zip(edges, draws, strict=True)):
            out[row] = np.searchsorted(edge, draw, side="right")
        return out

    vjp = lambda op, dy, y, *inputs, **attrs: (None,) * len(inputs)

    def samples(self) -> Iterable[Any]:
        logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-9]]))
        yield (np.array([12345, 6], np.int64), logits), {"shape": (8,), "dtype": as_dtype("int64")}


class RandomNext(Op):
    """The state of the next draw, `count` draws on."""

    numpy = "{0} + np.array([0, {count}])"

    def infer(self, state: TensorType, *, count: int) -> TensorType:
        return TensorType("int64", (2,))

    vjp = lambda op, dy, y, state, *, count: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.array([12345, 6], np.int64),), {"count": 1}


def mix(*parts: int) -> int:
    """A 64-bit key from integers (SplitMix64 steps)."""
    z = 0
    for part in parts:
        z = (z + (part & 0xFFFFFFFFFFFFFFFF) + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        z ^= z >> 31
    return z


def state_of_key(key: int, draw: int = 0) -> Any:
    """The state vector of a key."""
    return np.array([key - 2**64 if key >= 2**63 else key, draw], np.int64)


class RandomState(Op):
    """The state that a seed (a vector of two integers) stands for."""

    def infer(self, seed: TensorType) -> TensorType:
        return TensorType("int64", (2,))

    @staticmethod
    def kernel(seed: Any) -> Any:
        return state_of_key(mix(*map(int, np.ravel(seed))))

    vjp = lambda op, dy, y, seed: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.array([1, 2], np.int32),), {}


class RandomSeeds(Op):
    """`count` new seeds from a state, as rows of two integers."""

    def infer(self, state: TensorType, *, count: int, dtype: Any) -> TensorType:
        return TensorType(dtype, (count, 2))

    @staticmethod
    def kernel(state: Any, *, count: int, dtype: Any) -> Any:
        return words32(state, 2 * count).copy().view(np.int32).reshape(count, 2).astype(dtype.dtype)

    vjp = lambda op, dy, y, state, *, count, dtype: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.array([12345, 6], np.int64),), {"count": 3, "dtype": as_dtype("int32")}
