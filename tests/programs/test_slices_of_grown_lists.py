"""Slices of lists of which only the run knows how long they are: assigned, also by steps, and deleted."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.array([1.5, 2.5, -3.0, 4.0, 5.25])
Y = np.array([-0.5, 3.5, 2.0, 1.25, 6.0])


@PROGRAMS.add((X, 3), (Y, 4))
def by_steps(x, n):
    xs = [x[i] for i in range(n)]
    xs[::2] = [7.0, x[0]]
    return xs


@PROGRAMS.add((X, 3), (Y, 1), (X, -1), (Y, 0))
def deleted_from_lists_of_known_lengths(x, n):
    xs, ys, zs, none = [1.0, 2.0, 3.0, x[0]], [x[0], x[1], 0.5], [(1, 2.0), (3, x[1])], []
    del xs[n:]
    del ys[:n]
    del zs[n : n + 1]
    del none[n:]
    return xs, ys, zs, none


@PROGRAMS.add((X, 3), (Y, 1), (X, 5))
def turned(x, n):
    xs = [x[i] for i in range(n)]
    ys = xs[::-1]
    xs[::-1] = xs
    zs = [x[i] * 2 for i in range(n)]
    zs[-1:0:-1] = ys[1:]
    return xs, ys, zs


@PROGRAMS.add((X, 3), (Y, 5), (Y, 1), (X, 0))
def deleted(x, n):
    xs = [x[i] for i in range(n)]
    ys, zs = list(xs), list(xs)
    del xs[1:]
    xs.append(4.0)
    del ys[-2:]
    del zs[1:3]
    return xs, ys, zs, len(zs)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_another_number_of_items():
    def wrong(n):
        xs = []
        for i in range(n):
            xs.append(i)
        xs[::2] = [0]
        return xs

    with pytest.raises(ValueError, match="extended slice"):
        wrong(4)
    with pytest.raises(ValueError, match="extended slice"):
        ag.function(wrong)(ag.constant(4))
