"""What goes over the elements of arrays: `x.flat`, `np.ndenumerate`, `np.nditer`, `np.fromiter`, `np.vectorize`."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.array([1.5, 2.5, -3.0, 4.0, 5.25, 0.5]).reshape(2, 3)
Y = np.array([-0.5, 3.5, 2.1, 1.25, 6.0, -7.0]).reshape(2, 3)


@PROGRAMS.add(X, Y)
def flat(x):
    total = 0.0
    for v in x.flat:
        total = total * 0.5 + v
    y = x * 2
    y.flat[3] = 5.0
    return total, x.flat[2], y, sum(x.flat)


@PROGRAMS.add(X, Y, gradients=False)
def with_indices(x):
    total = 0.0
    best, where = x[0, 0], (0, 0)
    for (i, j), v in np.ndenumerate(x):
        total = total + v * (10 * i + j)
        if v > best:
            best, where = v, (i, j)
    return total, best, where, sum(k * v for (k,), v in np.ndenumerate(x[0]))


@PROGRAMS.add(X, Y, gradients=False)
def read_one_by_one(x):
    total = 0.0
    for v in np.nditer(x):
        total = total * 0.5 + v
    return total


@PROGRAMS.add(X[0], Y[0], gradients=False)
def from_iterators(x):
    return np.fromiter((v * 2 for v in x), dtype=float), np.fromiter((v for v in x), float, 2)


@PROGRAMS.add((X, 1.0), (Y, 2.0), gradients=False)
def vectorized(x, least):
    def clipped(v, low):
        return v * v if v > low else low

    return np.vectorize(clipped)(x, least), np.vectorize(lambda v: v + 1, otypes=[float])(x[0])


test_eager, test_staged, test_gradients = PROGRAMS.tests()
