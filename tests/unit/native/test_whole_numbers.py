"""Shifts, powers, divisors and bits of Python's integers in native code: Python's results, or its errors."""

import math

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import forbid_plan, native

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
EDGES = [0, 1, -1, 2, -2, 3, 7, 62, 63, 64, 100, 2**31, 2**61, 2**62 - 1, 2**62, 2**63 - 1, -(2**62), -(2**63), 12345, -999]


def left(x, y):
    return x << y


def right(x, y):
    return x >> y


def one_moved(x, y):
    return (1 << y) + 0 * x


def moved_13(x, y):
    return (x << 13) + 0 * y


def moved_62(x, y):
    return (x << 62) + 0 * y


def small_moved(x, y):
    return (x % 8) << (y % 60)


def power(x, y):
    return x ** abs(y)


def power_of_two(x, y):
    return 2 ** abs(y) + 0 * x


def power_of_minus_three(x, y):
    return (-3) ** abs(y) + 0 * x


def divisor(x, y):
    return math.gcd(x, y)


def bits(x, y):
    return x.bit_count() + 0 * y


def mixed(x, y):
    return (x & 255) | ((y & 15) << 4), (x & 255) ^ (y & 1023), x | y, x ^ y


def answer(f, x, y):
    """What Python says, if it fits: its numbers, or the error's type."""
    if f in (power, power_of_two, power_of_minus_three) and abs(y) > 10000:
        return None
    if f in (left, one_moved) and y > 10000:
        return None
    try:
        got = f(x, y)
    except Exception as error:
        return type(error)
    return got if all(-(2**63) <= v < 2**63 for v in (got if isinstance(got, tuple) else (got,))) else None


@pytest.mark.parametrize(
    "f",
    [
        left, right, one_moved, moved_13, moved_62, small_moved, power, power_of_two, power_of_minus_three, divisor, bits,
        mixed,
    ],
)
def test_as_python(f):
    made, executable = native(f, np.int64(3), np.int64(2))
    assert not executable.lowered.islands
    tried = 0
    for x in EDGES:
        for y in EDGES:
            want = answer(f, x, y)
            if want is None:
                continue
            tried += 1
            if isinstance(want, type):
                with pytest.raises(want):
                    made(np.int64(x), np.int64(y))
            elif isinstance(want, tuple):
                assert tuple(map(int, made(np.int64(x), np.int64(y)))) == want, (x, y)
            else:
                assert int(made(np.int64(x), np.int64(y))) == want, (x, y)
    assert tried > 60


@pytest.mark.parametrize("f", [left, right, one_moved, moved_13, power, power_of_two, divisor, mixed])
def test_what_fits_stays_native(f, monkeypatch):
    made, executable = native(f, np.int64(3), np.int64(2))
    forbid_plan(executable, monkeypatch)
    for x, y in ((5, 3), (1, 0), (2**20, 2), (7, 20), (0, 62)):
        assert int(np.asarray(made(np.int64(x), np.int64(y))).flat[0]) == np.asarray(f(x, y)).flat[0]


def test_divisors_and_bits_of_arrays():
    x = np.array([0, 12, -18, 2**63 - 1, -(2**63), 35], np.int64)
    y = np.array([0, 18, 12, 49, 6, -10], np.int64)
    made, executable = native(lambda x, y: (np.gcd(x, y), np.bitwise_count(x)), x, y)
    assert not executable.lowered.islands
    got = made(x, y)
    assert np.array_equal(got[0], np.gcd(x, y))
    assert np.array_equal(got[1], np.bitwise_count(x)) and np.asarray(got[1]).dtype == np.uint8


def test_smaller_integers():
    for kind in (np.int8, np.int16, np.int32, np.uint8, np.uint64):
        ends = np.iinfo(kind)
        x, y = np.array([0, 12, ends.min, ends.max, 35], kind), np.array([9, 18, 6, 14, 0], kind)
        made = ag.function(lambda x, y: (np.gcd(x, y), np.bitwise_count(x)), jit_compile=True)
        for got, want in zip(made(x, y), (np.gcd(x, y), np.bitwise_count(x)), strict=True):
            assert np.array_equal(got, want) and np.asarray(got).dtype == want.dtype


def shifted_register(seed, n):
    x, total = seed, 0
    for _ in range(n):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        total += x % 100
    return x, total


def test_a_loop_of_shifts_stays_native(monkeypatch):
    made, executable = native(shifted_register, np.int64(1), np.int64(1))
    forbid_plan(executable, monkeypatch)
    assert tuple(map(int, made(np.int64(98765), np.int64(500)))) == shifted_register(98765, 500)


def capped(y):
    return min(10**20, y) * 2**40, max(y, 10**20)


def grown(y):
    k = y
    while k < 10**25:
        k = max(3 * k, 10**19)
    return k


@pytest.mark.parametrize("way", [True, False])
@pytest.mark.parametrize("f", [capped, grown])
def test_the_lesser_of_numbers_beyond_64_bits(f, way):
    got = ag.function(f, jit_compile=way)(np.int64(5))
    want = f(5)
    assert [int(x) for x in np.atleast_1d(np.array(got, object))] == [int(x) for x in np.atleast_1d(np.array(want, object))]


@pytest.mark.parametrize("way", [True, False])
def test_the_lesser_of_numbers_and_none(way):
    nan = float("nan")
    for x, y in ((nan, 1.0), (1.0, nan), (1.0, 2.0), (2.0, 1.0), (-0.0, 0.0)):
        got = ag.function(lambda x, y: (np.minimum(x, y), np.maximum(x, y)), jit_compile=way)(np.float64(x), np.float64(y))
        np.testing.assert_array_equal(np.asarray(got), [np.minimum(x, y), np.maximum(x, y)])
