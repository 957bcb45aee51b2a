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
