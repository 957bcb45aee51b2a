"""Python's integers that a mask or a rest cuts off may wrap around on the way; those that nothing cuts off may not."""

import numpy as np
import pytest

from runtime.backends.native import toolchain
from tests.unit.native.both import forbid_plan, native

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
MOST = 0x7FFFFFFFFFFFFFFF
EDGES = [0, 1, -1, 7, -5, 12345, 2**31, 2**40 + 3, 2**62 - 1, 2**62, 2**63 - 1, -(2**62), -(2**63)]


def xorshift(x, n):
    for _ in range(n):
        x ^= (x << 13) & MOST
        x ^= x >> 7
        x ^= (x << 17) & MOST
    return x


def linear(x, n):
    for i in range(n):
        x = (x * 6364136223846793005 + 1442695040888963407 - i) % 2**62
    return x


def murmur(x, n):
    for i in range(n):
        k = i * 0xCC9E2D51
        k = ((k << 15) | (k >> 17)) & 0xFFFFFFFF
        x = x ^ (k * 0x1B873593)
        x = ((x << 13) | (x & 0xFFFFFFFF) >> 19) & 0xFFFFFFFF
        x = (x * 5 + 0xE6546B64) & 0xFFFFFFFF
    return x


def by_branches(x, n):
    for i in range(n):
        if x & 1:
            t = -x * 3935559000370003845 - i
        else:
            t = ~(x * x * x) + ((i & 3) << 60)
        x = 0x3FFFFFFFFFFFFFFF & t
    return x


@pytest.mark.parametrize("f", [xorshift, linear, murmur, by_branches])
def test_what_is_cut_off_stays_native(f, monkeypatch):
    made, executable = native(f, np.int64(3), np.int64(2))
    assert not executable.lowered.islands
    forbid_plan(executable, monkeypatch)
    for x in EDGES:
        for n in (0, 1, 2, 70):
            assert int(made(np.int64(x), np.int64(n))) == f(x, n), (x, n)


def also_compared(x, n):
    count = 0
    for _ in range(n):
        t = x * x * 7 + 1
        x = t & MOST
        if t > MOST:
            count += 1
    return x, count


def also_returned(x, n):
    t = x * 65537 + n
    return t & 0xFFFF, t


def also_divided(x, n):
    t = (x + n) * 3
    return t % 8, t % 7, t >> 3


def in_one_branch(x, n):
    t = x * 3
    if n > 1:
        return (t + 1) & 255
    return t


def by_its_own_turns(x, n):
    for i in range(n):
        x = x * 31 + i
    return x & 255


def beyond_64_bits(x, n):
    for i in range(n):
        x = (x * 31 + i) & 0xFFFFFFFFFFFFFFFF
    return x % 1000


def least_of(x, n):
    best = 10**20
    for i in range(n):
        y = (x * (i + 3)) % 101
        if y < best:
            best = y
    return best


def below(x, n):
    return (x < 2**63) + 0 * n, (x > -(2**70)) + 0 * n


@pytest.mark.parametrize(
    "f",
    [also_compared, also_returned, also_divided, in_one_branch, by_its_own_turns, beyond_64_bits, least_of, below],
)
def test_what_is_asked_for_wholly_is_as_in_python(f):
    made, _ = native(f, np.int64(3), np.int64(2))
    for x in EDGES:
        for n in (0, 1, 2, 20):
            want, got = f(x, n), made(np.int64(x), np.int64(n))
            pairs = zip(want, got, strict=True) if isinstance(want, tuple) else [(want, got)]
            for a, b in pairs:
                assert int(a) == int(np.asarray(b, object)), (x, n)
