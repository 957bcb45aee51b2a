"""Between what integers stay in loops: what native code leaves out because of it must not be missed."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from runtime.backends.native.lower import signs

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
X = np.arange(10) * 3


def wraps_around(x, n):
    """An index of eight bits that goes beyond them, and counts from the end then."""
    j = ag.cast(n, "int8")
    total = 0 * n
    i = 0
    while i < 40:
        total = total + x[j % 10]
        j = j + 7
        i += 1
    return total, j


def wraps_while_tested(x, n):
    j = ag.cast(n, "int8")
    turns = 0
    while j < 120 and turns < 1000:
        j = j + 30
        turns += 1
    return j, turns


def counts_down(x, n):
    i = 9
    total = 0
    while i >= -10:
        total = total * 2 + x[i]
        i -= 1
    return total, i


def halves(x, n):
    low, high = 0, 10
    while low < high:
        middle = (low + high) // 2
        if x[middle] < n:
            low = middle + 1
        else:
            high = middle
    return low


def steps_of_its_own(x, n):
    flags = ag.zeros([10], "bool")
    for i in ag.range(2, 10):
        if not flags[i]:
            j = i * i
            while j < 10:
                flags[j] = True
                j += i
    return flags


def changes_places(x, n):
    low, high = 0, 5
    for _ in ag.range(n):
        low, high = high, low - 1
    return low, high, x[low % 10]


def grows_by_what_it_is(x, n):
    k, total = 1, 0
    while k < 1000000:
        k = k + k
        total = total + x[k % 7]
    return k, total


def below_a_moving_bound(x, n):
    i, bound, total = 0, 5, 0
    while i < bound:
        total += x[i]
        i += 1
        bound = ag.where(x[i] > 9, bound, bound + 1) if i < 6 else bound
    return total, i, bound


def inner_changes_outer(x, n):
    i = 0
    total = 0
    while i < 9:
        j = 0
        while j < 3:
            i += 1
            j += 1
        total += x[i]
    return total, i


def remainders(x, n):
    a, b = n * 21, n * 9
    while b != 0:
        a, b = b, a % b
    return a, x[a % 10]


def long_range(x, n):
    total = 0
    for i in ag.range(3, 9003, 2):
        total = total + x[i % 10] * (i % 5)
    for i in ag.range(9000, 0, -3):
        total = total - x[i % 10] + i // 7
    return total


def ranges_from_anywhere(x, n):
    total = 0
    for a in ag.range(4):
        for b in ag.range(a, a + 5):
            for c in ag.range(b + 1, a - 3, -2):
                total = total * 3 + x[c % 10] + b - a
        for d in ag.range(a - n, n, 3):
            total = total + d * a
    for e in ag.range(ag.cast(n, "int64") - 2, n + 3):
        total = total + e
    return total


FUNCTIONS = [
    ranges_from_anywhere,
    wraps_around, wraps_while_tested, counts_down, halves, steps_of_its_own, changes_places, grows_by_what_it_is,
    below_a_moving_bound, inner_changes_outer, remainders, long_range,
]  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS)
def test_results_are_the_plans(f):
    made, plan = (ag.function(f, jit_compile=jit) for jit in (True, False))
    for n in (1, 5, 17, 100):
        x, k = ag.constant(X), ag.constant(n)
        got, want = ([*y] if isinstance(y, (tuple, list)) else [y] for y in (made(x, k), plan(x, k)))
        for g, w in zip(got, want, strict=True):
            np.testing.assert_array_equal(g, w)


def test_an_index_beyond_the_end_is_still_found():
    def beyond(x, n):
        i, total = 0, 0
        while i < n:
            total += x[i]
            i += 3
        return total

    made = ag.function(beyond, jit_compile=True)
    assert int(made(ag.constant(X), ag.constant(10))) == X[::3].sum()
    with pytest.raises(IndexError):
        made(ag.constant(X), ag.constant(13))


def test_nothing_is_tested_that_is_known():
    x, n = ag.constant(X), ag.constant(5)
    for f in (halves, steps_of_its_own, long_range):
        text = ag.function(f, jit_compile=True).get_concrete_function(x, n).executable.lowered.text
        assert "with.overflow" not in text or f is long_range
        if f is steps_of_its_own:
            assert "icmp ult i64" not in text


def test_sides_of_an_or_that_may_leave_native_code_are_looked_at_only_where_they_count():
    def queens(x, n):
        columns = ag.zeros([8], "int64")
        row, count = 0, 0
        columns[0] = -1
        while row >= 0:
            columns[row] += 1
            if columns[row] >= n:
                row -= 1
            else:
                free = True
                for i in ag.range(row):
                    d = columns[row] - columns[i]
                    if d == 0 or d == row - i or d == i - row:
                        free = False
                if free and row == n - 1:
                    count += 1
                elif free:
                    row += 1
                    columns[row] = -1
        return count

    def guarded(x, n):
        total = 0
        for i in ag.range(12):
            if i >= 10 or (x[i] % 2 == 0 and 30 // (i - 10) < -3):
                total += 1
        return total

    x = ag.constant(X)
    assert int(ag.function(queens, jit_compile=True)(x, ag.constant(6))) == 4
    assert int(ag.function(guarded, jit_compile=True)(x, ag.constant(0))) == sum(
        i >= 10 or (int(X[i]) % 2 == 0 and 30 // (i - 10) < -3) for i in range(12)
    )


def behind(x, k, lo):
    """Differences that a comparison says are not below zero; or so they are unless they leave 64 bits."""
    total = 0
    for i in range(len(x)):
        if i >= k[i % 3]:
            total = total * 3 % 1009 + x[i - k[i % 3]]
        if not (k[1] > i) and i > lo:
            total += 2 * x[i - k[1]]
        if k[0] > i or lo >= i:
            total += x[i - 2 * k[2]] + x[i - k[0]]
    return total


@pytest.mark.parametrize(
    "k", [(1, 2, 3), (0, 0, 0), (9, 9, 5), (5, 0, 1), (-1, 0, 0), (0, -1, 0), (-(2**63),) * 3, (-(2**62), 1, 1), (20, 3, 5)]
)
def test_differences_that_were_compared(k):
    k = np.array(k)
    made = ag.function(behind, jit_compile=True)
    try:
        want = behind(X, k, 2)
    except IndexError:
        with pytest.raises(IndexError):
            made(X, k, np.int64(2))
        return
    assert int(made(X, k, np.int64(2))) == want


def test_differences_that_were_compared_do_not_count_from_the_end():
    def f(table, w):
        total = 0
        for r in range(3):
            for i in range(len(table)):
                if w[r] <= i:
                    total += table[i - w[r]]
        return total

    w = np.array([2, 0, 20])
    made = ag.function(f, jit_compile=True)
    assert int(made(X, w)) == f(X, w)
    assert "= select i1" not in made.inspect(X, w).llvm.split("define")[-1]


def test_numbers_that_branches_change_in_a_row_are_gone_through_once(monkeypatch):
    """A number that n branches may change, each in a branch, was looked at on 2 ** n ways."""
    asked = []
    made = signs._Changes._made
    monkeypatch.setattr(signs._Changes, "_made", lambda self, *of: asked.append(1) or made(self, *of))

    def neighbours(x, n):
        total = 0
        while total < n:
            for j in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9):
                if x[j] > total:
                    if x[9 - j] < n:
                        total += 1
                    else:
                        total += 2
            total += 1
        return total

    made_native = ag.function(neighbours, jit_compile=True)
    assert int(made_native(ag.constant(X), ag.constant(40))) == neighbours(X, 40)
    assert 0 < len(asked) < 400
