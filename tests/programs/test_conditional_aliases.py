"""A tensor rebound on one path only is the same box as before on the other: item assignments are seen through both."""

import numpy as np
import pytest

import autograph as ag


def rebound(x, c):
    y = x
    if c > 0:
        y = y * 2
    x[0] = 10.0
    return x, y


def rebound_then_written(x, c):
    u = x
    if c > 0:
        x = x * 2
    x[0] = 5.0
    x[1] += 1.0
    return u, x


def chosen(x, c):
    z = x * 3
    y = x if c > 0 else z
    y[0] = 7.0
    return x, y, z


def twice(x, c):
    y = x
    if c > 0:
        y = y + 1
    w = y
    if c > 1:
        w = w * 2
    x[1] = -1.0
    w[0] = 9.0
    return x, y, w


def in_a_loop(x, c):
    total = 0.0
    for _ in range(3):
        y = x
        if c > 0:
            y = y * 2
        y[0] = y[0] + 1
        total = total + x[0]
    return x, total


@pytest.mark.parametrize("c", [-1, 1, 2])
@pytest.mark.parametrize("program", [rebound, rebound_then_written, chosen, twice, in_a_loop])
def test_aliases(program, c):
    expected = program(np.array([1.0, 2.0]), np.array(c))
    for run in (program, ag.function(program)):
        result = run(ag.constant(np.array([1.0, 2.0])), ag.constant(c))
        for got, want in zip(result, expected, strict=True):
            np.testing.assert_array_equal(np.asarray(got), want)
