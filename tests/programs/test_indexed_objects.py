"""Objects that are gone over by `__getitem__` alone: the IndexError that ends it may depend on a tensor."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V, W = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 2.5, 1.0, 3.0])


class Rows:
    def __init__(self, xs, n):
        self.xs, self.n = xs, n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError(i)
        return self.xs[i]


@PROGRAMS.add((V, 2), (V, 0), (W, 4))
def gone_over(xs, n):
    total = 0.0
    for v in Rows(xs, n):
        total += v
    return total


@PROGRAMS.add((V, 4), (W, 4), (W, 1))
def left(xs, n):
    total = 0.0
    for i, v in enumerate(Rows(xs, n)):
        if v > 2.25:
            break
        total += i * v
    return total


@PROGRAMS.add((V, 2), (V, 1), (W, 4))
def given_to_others(xs, n):
    rows = Rows(xs, n)
    return sum(rows), len(list(rows)), [v * 2 for v in rows], 1.0 in rows


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
