"""Generators that go over themselves where the run says so: trees, digits, sequences."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()

TREE = np.array([1, 3, -1, -1]), np.array([2, -1, -1, -1]), np.array([4.0, 2.0, 5.0, 1.0])


def walk(left, right, values, i):
    if i >= 0:
        yield from walk(left, right, values, left[i])
        yield values[i]
        yield from walk(left, right, values, right[i])


@PROGRAMS.add(TREE, (np.array([-1]), np.array([-1]), np.array([3.0])), traces=2)
def in_order(left, right, values):
    out = []
    for v in walk(left, right, values, 0):
        out.append(v * v)
    return sum(out), out, max(walk(left, right, values, 0))


@PROGRAMS.add(2, 1, 4)
def towers(n):
    def moves(n, a, b, c):
        if n > 0:
            for move in moves(n - 1, a, c, b):
                yield move  # noqa: UP028 (a loop, not `yield from`)
            yield a * 10 + c
            for move in moves(n - 1, b, a, c):
                yield move  # noqa: UP028
    made = list(moves(n, 1, 2, 3))
    return len(made), sum(made), made[0], made[-1]


def digits(n):
    if n >= 10:
        yield from digits(n // 10)
    yield n % 10


def factors(n, k):
    if k <= n:
        if n % k == 0:
            yield k
            yield from factors(n // k, k)
        else:
            yield from factors(n, k + 1)


@PROGRAMS.add(1234, 7, 60)
def of_numbers(n):
    weighted = 0
    for i, digit in enumerate(digits(n)):
        weighted += i * digit
    return weighted, list(factors(n, 2)), [d * d for d in digits(n)]


def count(n, step):
    yield n
    if n < 20:
        yield from count(n + step, step)


@PROGRAMS.add(2, 1, 14)
def left_early(n):
    total = 0
    for v in count(n, 2):
        if v > 12:
            break
        total += v
    return total


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_what_it_prints_would_come_too_early():
    def told(n):
        if n > 0:
            print(n)
            yield n
            yield from told(n - 1)

    @ag.function
    def f(n):
        total = 0
        for v in told(n):
            total += v
        return total

    with pytest.raises(ag.errors.OpError, match=r"told\(\) calls itself .* in the body of the loop"):
        f(ag.constant(3))
