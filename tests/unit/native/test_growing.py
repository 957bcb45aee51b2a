"""Carried arrays whose shape changes from turn to turn, natively."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
X = np.arange(3, dtype=np.float32) + 1


def longer(x, n):
    y = x
    i = 0
    while i < n:
        y = ag.concat([y, x * ag.cast(i, "float32")], 0)
        i += 1
    return y


def swapped(x, n):
    y = x * 2.0
    for _ in ag.range(n):
        x, y = y, ag.concat([x, y[:1]], 0)
    return x, y


def pascal(x, n):
    row = x[:1]
    for _ in ag.range(n):
        row = ag.concat([x[:1], row[1:] + row[:-1], x[:1]], 0)
    return row


def columns(x, n):
    m = ag.zeros([3, 0])
    s = x
    for i in ag.range(n):
        m = ag.concat([m, ag.fill([3, 1], ag.cast(i, "float32"))], 1)
        s = s + ag.reduce_sum(m, 1)
        m = m * 2.0 - s[:, None]
    return m, s


def primes(x, n):
    found = ag.zeros([0], "int64")
    for k in ag.range(2, n + 2):
        if not ag.reduce_any(k % found == 0):
            found = ag.concat([found, ag.reshape(k, [1])], 0)
    return found, x


@pytest.mark.parametrize("f", [longer, swapped, pascal, columns, primes])
@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_arrays_that_grow(f, n, monkeypatch):
    check(f, X, np.int64(n), monkeypatch=monkeypatch, islands=())


def halved(x):
    while ag.size(x) > 1:
        if ag.size(x) % 2 == 1:
            x = ag.concat([x, [0.0]], 0)
        x = x[::2] + x[1::2]
    return x


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_arrays_that_shrink(n, monkeypatch):
    check(halved, np.arange(n, dtype=np.float32), monkeypatch=monkeypatch, islands=())


@pytest.mark.parametrize("f", [longer, pascal])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_gradients(f, n, monkeypatch):
    def gradient(x, n):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = ag.reduce_sum(f(x, n) ** 2.0)
        return tape.gradient(y, x)

    check(gradient, X, np.int64(n), monkeypatch=monkeypatch)


def lists_that_change_places(x, n):
    a, b = [x], [x * 2.0]
    for i in ag.range(n):
        a.append(x + ag.cast(i, "float32"))
        a, b = b, a
    return ag.stack(a), ag.stack(b)


def rows_of_pascal(x, n):
    row, before = [x[0]], [x[0]]
    for _ in ag.range(n):
        new = [x[0]]
        for k in ag.range(len(row) - 1):
            new.append(row[k] + row[k + 1])
        new.append(x[0])
        before, row = row, new
    return ag.stack(row), ag.stack(before)


@pytest.mark.parametrize("f", [lists_that_change_places, rows_of_pascal])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_lists_that_change_places(f, n, monkeypatch):
    check(f, X, np.int64(n), monkeypatch=monkeypatch)


def filled_in_one_branch(x, c):
    zeros = ag.zeros([3])
    at = ag.cast(x, "int32") % 3
    if c:
        y = ag.gather(zeros, at) + ag.sort(zeros)
    else:
        y = ag.gather(zeros, at) * 2.0 + x
    return y + ag.sort(zeros), ag.gather(zeros, at)


@pytest.mark.parametrize("c", [True, False])
def test_what_a_branch_brings_to_memory_is_not_there_outside(c, monkeypatch):
    check(filled_in_one_branch, X, np.bool_(c), monkeypatch=monkeypatch)
    before = [np.full(3, 7.0, np.float32)] * 50
    check(lambda x, c: [*filled_in_one_branch(x, c), x * before[0]], X, np.bool_(c), monkeypatch=monkeypatch)
