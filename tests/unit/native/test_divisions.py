"""Whole-number divisions in loops: Python's and NumPy's results at all signs and ends, and what stands in loops for them."""

import itertools
import re

import numpy as np
import pytest

from runtime.backends.native import toolchain
from tests.unit.native.both import native

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed"),
    pytest.mark.filterwarnings("ignore"),
]
FACTORS = (1, -1, 2, -2, 3, -3, 7, -7, 1000003, -1000003)


def each_by_each(a, b):
    quotients, rests = a * 0, a * 0
    for i in range(len(a)):
        quotients[i] = a[i] // b[i]
        rests[i] = a[i] % b[i]
    return quotients, rests


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_items_by_items(dtype):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    numbers = np.array([0, 1, -1, 2, -2, 7, -7, 100, -100, most // 2, most, -most, least], dtype)
    a, b = (np.array(side) for side in zip(*itertools.product(numbers, numbers), strict=True))
    made, executable = native(each_by_each, a, b)
    executable.plan = None
    quotients, rests = made(a, b)
    np.testing.assert_array_equal(np.asarray(quotients), a // b)
    np.testing.assert_array_equal(np.asarray(rests), a % b)


def by_one(a, n, m):
    total = 0
    for i in range(n):
        x = a - i
        total += x % m + x // m + (x * x) % m + (x * x) // m
    return total


def by_others(a, n, m):
    total = 0
    for i in range(n):
        x = a - i
        y = m + m * i * i
        total += x % y + x // y + (x * x) % y + (x * x) // y
    return total


@pytest.mark.parametrize("f", [by_one, by_others])
def test_whole_numbers_of_all_signs(f):
    made, executable = native(f, np.int64(5), np.int64(4), np.int64(3))
    plan, executable.plan = executable.plan, None
    for a, m in itertools.product((0, 5, -5, 3, 100, 2**29, -(2**29) + 17), FACTORS):
        assert int(made(np.int64(a), np.int64(9), np.int64(m))) == f(a, 9, m), (a, m)
    executable.plan = plan
    with pytest.raises(ZeroDivisionError):
        made(np.int64(5), np.int64(4), np.int64(0))
    assert int(made(np.int64(2**32), np.int64(4), np.int64(3))) == f(2**32, 4, 3)  # the square has more than 64 bits


def test_a_divisor_that_turns_change_waits_for_no_choice():
    def f(n, xs):
        total = 0
        for i in range(n):
            total += xs[i % 7] % xs[(i + 3) % 7]
        return total

    xs = np.array([5, -7, 11, 13, -17, 19, 23])
    made, _ = native(f, np.int64(20), xs)
    assert int(made(np.int64(20), xs)) == f(20, xs)
    text = made.inspect(np.int64(20), xs).llvm
    divisors = re.findall(r"= srem i64 %[\w.]+, (%[\w.]+)$", text, re.MULTILINE)
    assert divisors
    assert not any(f"{x} = select" in text for x in divisors)


def test_loops_whose_items_stand_in_branches_are_unrolled():
    def f(d, n):
        least = d * 0 + 1e9
        for k in range(3):
            for i in range(n):
                if i & (1 << k):
                    if d[i] + k < least[i]:
                        least[i] = d[i] + k
        for k in range(3):
            for i in range(n):
                if i & (2 << k):
                    if d[i] * k < least[i]:
                        least[i] = d[i] * k
        return least

    d = np.linspace(0.0, 1.0, 30)
    made, _ = native(f, d, np.int64(30))
    np.testing.assert_array_equal(np.asarray(made(d, np.int64(30))), f(d, 30))
    assert not made.inspect(d, np.int64(30)).llvm.startswith("; large")
