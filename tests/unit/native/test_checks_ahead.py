"""Indices that are tested before a loop: NumPy's results, its errors where any turn has one, and loops without tests."""

import re

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import forbid_plan, native

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def total(x, n):
    s = 0
    for i in range(n):
        s += x[i]
    return s


def shifted(x, n):
    s = 0
    for i in range(n):
        s += x[i + 2] * x[2 * i + 1]
    return s


def backwards(x, n):
    s = 0
    for i in range(n):
        s = 2 * s + x[n - 1 - i] - x[4 - i]
    return s % 1000003


def one_place(x, n):
    y = x.copy()
    for i in range(n):
        y[n] += x[i]
    return y


def from_the_end(x, n):
    s = 0
    for i in range(n):
        s += x[i - 1] + x[-n]
    return s


def guarded(x, n):
    s = 0
    for i in range(n):
        if i < len(x):
            s += x[i]
        if i + 3 < 7:
            s -= x[i + 3]
    return s


def chosen(x, n):
    s = 0
    for i in range(n):
        if i % 3 == 0:
            s += x[i]
    return s


def places(x, n):
    y = np.zeros(9, dtype=np.int64)
    for i in range(n):
        y[i] = 3 * i
        if x[0] > 0:
            y[i + 1] += x[i]
    return y


def two_axes(x, n):
    y = np.zeros((4, 9), dtype=np.int64)
    for k in range(4):
        for i in range(n):
            y[k, i] = x[i] + y[3 - k, 0]
    return y


def inner(x, n):
    s = 0
    for i in range(n):
        for j in range(i):
            s += x[i] * x[j] - x[i - 1 - j]
    return s


PROGRAMS = [total, shifted, backwards, one_place, from_the_end, guarded, chosen, places, two_axes, inner]


@pytest.mark.parametrize("f", PROGRAMS)
def test_as_numpy(f):
    """Results, and IndexError wherever a turn has it: the counts go beyond the sizes of all arrays."""
    made = ag.function(f, jit_compile=True)
    for size in (7, 9, 1, 0):
        x = np.arange(3, 3 + size)
        for n in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, -1, -5):
            try:
                want = f(x, n)
            except IndexError:
                with pytest.raises(IndexError):
                    made(x, np.int64(n))
            else:
                assert np.array_equal(made(x, np.int64(n)), want), (size, n)


@pytest.mark.parametrize("n", [2**40, 2**57, 2**62, 2**63 - 1])
@pytest.mark.parametrize("f", [total, shifted, one_place, chosen])
def test_more_turns_than_any_array_has_elements(f, n):
    with pytest.raises(IndexError):
        ag.function(f, jit_compile=True)(np.arange(5), np.int64(n))


def blocks_of(executable):
    """The lines of the function, and those that leave it from within its innermost loops."""
    text = executable.lowered.text
    return text[text.index("define i64 @ag_run") :]


@pytest.mark.parametrize("f", [total, shifted, one_place])
def test_loops_without_tests(f, monkeypatch):
    x = np.arange(40)
    made, executable = native(f, x, np.int64(9))
    forbid_plan(executable, monkeypatch)
    assert np.array_equal(made(x, np.int64(9)), f(x, 9))
    body = re.search(r"^body\d+:\n(.*?)^after\d+:", blocks_of(executable), re.MULTILINE | re.DOTALL)
    assert body and "label %failed" not in body.group(1).split("end")[0]


@pytest.mark.parametrize("f", [guarded, from_the_end, chosen, backwards])
def test_what_never_fails_stays_native(f, monkeypatch):
    x = np.arange(7)
    made, executable = native(f, x, np.int64(5))
    forbid_plan(executable, monkeypatch)
    for n in (5, 0, 3) if f is not guarded else (5, 0, 3, 100):
        assert np.array_equal(made(x, np.int64(n)), f(x, n))


def subsets(w, n):
    best = 0
    for m in range(1 << n):
        s = 0
        for j in range(n):
            if m & (1 << j):
                s += w[j]
        best = max(best, s % 97)
    return best


def powers(n):
    s = 0
    for j in range(n):
        s ^= 5 << j
    return s


def test_shifts_by_the_turn(monkeypatch):
    w = np.array([3, 50, 7, 22, 91])
    made, executable = native(subsets, w, np.int64(5))
    forbid_plan(executable, monkeypatch)
    for n in range(6):
        assert int(made(w, np.int64(n))) == subsets(w, n)
    made, executable = native(powers, np.int64(5))
    with monkeypatch.context() as patch:
        forbid_plan(executable, patch)
        for n in (0, -3, 1, 40, 61):
            assert int(made(np.int64(n))) == powers(n)


def stepped(x, a, b, c):
    s = 0
    for i in range(a, b, c):
        s = s % 1000 + i % 7 + x[i]
    return s


def set_where(x, a, b, c):
    y = np.zeros(9, dtype=np.int64)
    for i in range(a, b, c):
        if i % 2 == 1 or x[0] < 0:
            y[i] = y[i] + i
    return y


def last_of(x, a, b, c):
    last = 0
    for i in range(a, b, c):
        last = i
    return last - x[0] + x[0]


@pytest.mark.parametrize("f", [stepped, set_where, last_of])
def test_ranges_of_steps_that_the_run_knows(f):
    made = ag.function(f, jit_compile=True)
    x = np.arange(3, 10)
    ends = [(0, 7, 1), (0, 7, 3), (1, 7, 2), (2, 8, 3), (0, 8, 1), (6, -1, -1), (5, 0, -2), (3, 3, 1), (7, 2, 1), (-3, 6, 4)]
    ends += [(-9, 3, 2), (0, 100, 7), (4, 2**62, 2**61), (0, 1, 0)]
    if f is last_of:
        ends += [(2**62, 2**63 - 1, 2**60), (-(2**62), -(2**63), -(2**60)), (-5, 2**63 - 10, 2**62)]
        ends += [(2**62, 2**63 - 1, 2**62)]
    for a, b, c in ends:
        given = x, np.int64(a), np.int64(b), np.int64(c)
        try:
            want = f(x, a, b, c)
        except (IndexError, ValueError) as error:
            with pytest.raises(type(error)):
                made(*given)
        else:
            assert np.array_equal(made(*given), want), (a, b, c)


def sieve(n):
    prime = np.ones(n, dtype=np.bool_)
    prime[:2] = False
    for i in range(2, n):
        if prime[i]:
            for j in range(i * i, n, i):
                prime[j] = False
    return prime


def test_steps_of_a_sieve_need_no_tests(monkeypatch):
    made, executable = native(sieve, np.int64(30))
    forbid_plan(executable, monkeypatch)
    for n in (30, 3, 2, 1000):
        assert np.array_equal(made(np.int64(n)), sieve(n))
    text = blocks_of(executable)
    inner = text[text.rindex("mul nsw i64 %turn") :]
    assert "label %failed" not in inner[: inner.index("label %loop")]


def moving(x, w):
    out = np.zeros(len(x) - w + 1)
    s = 0.0
    for i in range(len(x)):
        s += x[i]
        if i >= w:
            s -= x[i - w]
        if i >= w - 1:
            out[i - w + 1] = s / w
    return out


def counted_down(n, k):
    s = 0
    for i in range(n):
        s += (k - i) % 5 + (i - k) % 3
    return s


def test_parameters_that_turns_are_added_to():
    x = np.linspace(-1.0, 3.0, 20)
    made, executable = native(moving, x, np.int64(4))
    text = blocks_of(executable)
    assert "sub.with.overflow" not in text[text.index("%turn") :]
    for w in (1, 4, 19, 20):
        np.testing.assert_allclose(made(x, np.int64(w)), moving(x, w))
    made = ag.function(counted_down, jit_compile=True)
    for k in (0, 3, -(2**62), 2**60, 2**60 + 1, 2**63 - 1, -(2**60) - 1, -(2**63) + 200):
        assert int(made(np.int64(100), np.int64(k))) == counted_down(100, k), k


def vowels(s):
    c = 0
    for i in range(len(s)):
        ch = s[i]
        if ch == 97 or ch == 101 or ch == 105 or ch == 111 or (ch == 117 and c % 2 == 0):
            c += 1
        if not (ch < 100 and ch > 97 or ch == 120 or 102 < ch < 105):
            c += 2
    return c


def test_chains_of_comparisons():
    s = np.random.default_rng(0).integers(97, 123, 500).astype(np.uint8)
    for made in (ag.function(vowels, jit_compile=True), ag.function(vowels, jit_compile=False)):
        assert int(made(s)) == vowels(s)


def ways(coins, amount):
    """Indices that begin where a number of the array says."""
    dp = np.zeros(amount + 1, dtype=np.int64)
    dp[0] = 1
    for k in range(len(coins)):
        c = coins[k]
        for v in range(c, amount + 1):
            dp[v] += dp[v - c]
    return dp


def sums_reached(weights, total):
    """Indices that go down to where a number of the array says."""
    ok = np.zeros(total + 1, dtype=np.bool_)
    ok[0] = True
    for i in range(len(weights)):
        for s in range(total, weights[i] - 1, -1):
            if ok[s - weights[i]]:
                ok[s] = True
    return ok


def filled(weights, values, room):
    """Differences that a condition says not to be below zero."""
    best = np.zeros(room + 1, dtype=np.int64)
    for i in range(len(weights)):
        w = weights[i]
        after = np.zeros(room + 1, dtype=np.int64)
        for c in range(room + 1):
            after[c] = best[c]
            if c >= w and best[c - w] + values[i] > after[c]:
                after[c] = best[c - w] + values[i]
        best = after
    return best


def shifted(x, steps, n):
    """Places that may count from the end."""
    out = np.zeros(len(x))
    for j in range(len(steps)):
        k = steps[j]
        for i in range(n):
            out[i] += x[i - k] * 2.0
    return out


@pytest.mark.parametrize("numbers", [[1, 2, 5], [5, 40, 3], [7, 7, 7, 7, 7], [1], [50, 60]])
@pytest.mark.parametrize("end", [0, 1, 30, 45])
def test_indices_that_only_the_run_knows_the_beginning_of(numbers, end):
    numbers = np.array(numbers)
    for f, args in ((ways, ()), (sums_reached, ()), (filled, (numbers * 3 - 4,))):
        got = ag.function(f, jit_compile=True)(numbers, *args, np.int64(end))
        np.testing.assert_array_equal(np.asarray(got), f(numbers, *args, end))


@pytest.mark.parametrize("steps", [[0], [1, 2], [3, 8, 5, 1], [-1, 2, 0], [-2]])
@pytest.mark.parametrize("n", [0, 1, 5, 6])
def test_places_that_count_from_the_end_in_some_turns(steps, n):
    x = np.arange(8.0) + 1
    got = ag.function(shifted, jit_compile=True)(x, np.array(steps), np.int64(n))
    np.testing.assert_array_equal(np.asarray(got), shifted(x, np.array(steps), n))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (shifted, (np.arange(8.0), np.array([1, -4]), 6)),
        (shifted, (np.arange(8.0), np.array([9]), 1)),
        (shifted, (np.arange(8.0), np.array([-(2**63), 2**63 - 1]), 2)),
        (filled, (np.array([1, -3]), np.array([2, 2]), 5)),
        (filled, (np.array([-(2**62), -(2**63)]), np.array([2, 2]), 5)),
        (ways, (np.array([2, -40]), 5)),
    ],
)
def test_indices_that_are_not_within(f, args):
    with pytest.raises(IndexError), np.errstate(all="ignore"):
        f(*args)
    with pytest.raises(IndexError):
        ag.function(f, jit_compile=True)(*args[:-1], np.int64(args[-1]))
