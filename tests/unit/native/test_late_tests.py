"""Sums and products of Python's integers that loops test before themselves, or after: Python's results, and its numbers
where 64 bits do not do, however the wrapped ones would have gone on."""

import re

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import forbid_plan, native

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def collatz(n, most):
    k = n
    steps = 0
    while k != 1:
        if k % 2 == 0:
            k = k // 2
        else:
            k = 3 * k + 1
        steps += 1
    return steps + 0 * most


def fives(n, most):
    k = n
    steps = 0
    while k != 1 and steps < most:
        if k % 2 == 0:
            k //= 2
        else:
            k = 5 * k + 1
        steps += 1
    return steps, k % 1000


def until_it_is_below(n, most):
    k = n
    s = 0
    while k >= n:
        k = 3 * k + 1 if k % 4 else k // 4
        s += 1
        if s > most:
            break
    return s, k % 7


def of_loops(n, most):
    best = 0
    for i in range(1, n):
        k = i
        s = 0
        while k > 1 and s < most:
            k = k // 2 if k % 2 == 0 else 7 * k + 5
            s += 1
        if s > best:
            best = s
    return best


def plain(f, *args):
    """Python's result, or the kind of its error."""
    try:
        return f(*(int(a) for a in args))
    except ZeroDivisionError as error:
        return type(error)


@pytest.mark.parametrize("n", [1, 2, 3, 27, 97, 2**40 + 1, 2**60 - 1])
@pytest.mark.parametrize("f", [collatz, fives, until_it_is_below])
def test_numbers_that_grow(f, n):
    fast = ag.function(f, jit_compile=True)
    for most in (0, 5, 40):
        want = plain(f, n, most)
        got = fast(np.int64(n), np.int64(most))
        assert np.array_equal(np.asarray(got), np.asarray(want)), (n, most)


def outcome(f, *args):
    """A result, or the kind of error."""
    try:
        return [int(x) for x in np.atleast_1d(np.asarray(f(*args)))]
    except OverflowError:
        return OverflowError


@pytest.mark.parametrize("f", [fives, until_it_is_below])
def test_numbers_that_outgrow_64_bits(f):
    fast, planned = (ag.function(f, jit_compile=way) for way in (True, False))
    for n, most in ((7, 300), (2**61 + 1, 3), (2**62 + 3, 9), (2**63 - 1, 1)):
        args = np.int64(n), np.int64(most)
        got, want = outcome(fast, *args), [int(x) for x in f(n, most)]
        assert got == want or got is OverflowError is outcome(planned, *args), (n, most)


def test_loops_in_loops_that_outgrow_64_bits():
    fast, planned = (ag.function(of_loops, jit_compile=way) for way in (True, False))
    for most in (3, 20, 100):
        args = np.int64(40), np.int64(most)
        assert outcome(fast, *args) in ([of_loops(40, most)], outcome(planned, *args))


def test_the_loop_itself_leaves_at_one_place(monkeypatch):
    """The largest is kept in a register, and compared after the loop and where signals are asked for."""
    f, executable = native(collatz, np.int64(27), np.int64(0))
    text = f.inspect(np.int64(27), np.int64(0)).llvm
    assert text.count("call i64 @llvm.umax.i64") == 1
    forbid_plan(executable, monkeypatch)
    assert f(np.int64(97), np.int64(0)) == 118


def counted(u, n):
    count = 0
    while count < n:
        before = count
        for e in range(len(u)):
            if u[e] > 3:
                count += 1
        if count == before:
            break
    return count


def counted_by_number(u, n, m):
    count = n
    for i in range(3):
        for e in range(m):
            if u[(e + i) % 5] > 3:
                count += 1
            else:
                count -= 2
    return count


def test_sums_of_inner_loops_are_tested_before_them():
    f = ag.function(counted, jit_compile=True)
    u = np.arange(9)
    assert f(u, np.int64(20)) == counted(u, 20)
    text = f.inspect(u, np.int64(20)).llvm
    assert f", {2**62}\n" not in text  # which a turn would ask about


@pytest.mark.parametrize("n", [0, 5, -5, 2**61 - 1, 2**61 + 1, 2**62, 2**63 - 3, -(2**63) + 1, -(2**62) - 1])
def test_sums_that_begin_large(n):
    u = np.array([1, 9, 4, 2, 7])
    fast, planned = (ag.function(counted_by_number, jit_compile=way) for way in (True, False))
    for m in (0, 1, 4):
        args = u, np.int64(n), np.int64(m)
        want = counted_by_number(u, n, m)
        got = outcome(fast, *args)
        assert got == [want] or got is OverflowError is outcome(planned, *args)


def strides(n):
    marks = np.zeros(n + 1, dtype=np.int64)
    for p in range(2, n + 1):
        if marks[p] == 0:
            for m in range(p, n + 1, p):
                if m > p:
                    marks[m] += p
    return marks


def test_loops_with_steps_of_their_own_are_not_unrolled(monkeypatch):
    f, executable = native(strides, np.int64(50))
    forbid_plan(executable, monkeypatch)
    assert np.array_equal(f(np.int64(50)), strides(50))
    assert re.search(r"br label %loop\d+, !llvm.loop", f.inspect(np.int64(50)).llvm)
