"""`any` and `all` stop where they are decided: what comes after is not evaluated, and binds no names."""

from __future__ import annotations

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
XS = np.array([1.0, 4.0, 2.0, 6.0])


@PROGRAMS.add((XS, 3.0), (XS, 0.0), (XS, 9.0))
def a_witness(xs, limit):
    if any((seen := x) > limit for x in xs):
        return seen
    return -1.0


@PROGRAMS.add((3,), (5,), (9,))
def a_witness_among_numbers(n):
    found = any((seen := k) > n for k in (5, 6, 7))
    return found, seen


@PROGRAMS.add((3,), (1,), (9,))
def a_counterexample(n):
    if not all((seen := k) < 2 for k in range(n)):
        return seen
    return -1


@PROGRAMS.add((3,), (9,))
def first_in_a_tuple(n):
    return any((seen := k) > n for k in (2, 4, 7) if k != 2), seen


@PROGRAMS.add((2, 7), (-9, 7))
def under_while(n, end):
    out = []
    while n < end and any((step := k) + n > 0 for k in (1, 2, 3)):
        n += step
        out.append(n)
    return out


@PROGRAMS.add((3,), (5,), (9,))
def counted_calls(n):
    calls = 0
    asked = []

    def above(k):
        nonlocal calls
        calls += 1
        return k > n

    first = any(above(k) for k in (5, 6, 7))
    second = all(above(k) for k in (5, 6, 7))
    third = any(asked.append(k) or k > n for k in (5, 6, 7))
    return first, second, third, calls, asked


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_a_binding_that_cannot_be_followed_is_refused() -> None:
    @ag.function
    def inside(n):
        return 1 + any((seen := k) > n for k in (5, 6, 7)), seen

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="generator-items"):
        inside(ag.constant(5))


def test_a_function_called_any_is_the_users() -> None:
    def any(items):  # noqa: A001
        return sum(items)

    @ag.function
    def called(n):
        return any((seen := k) * n for k in (5, 6, 7))

    assert int(called(ag.constant(2))) == 36
