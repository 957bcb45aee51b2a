"""index, count and remove of lists with tensors in them, and of lists whose length depends on tensors."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.array([3.0, 1.0, 2.0, 1.0])


@PROGRAMS.add((3,), (7,))
def places(n):
    xs = []
    for i in range(n):
        xs.append(i * i % 5)
    return xs.index(4), xs.index(4, -1 - n // 2), xs.count(4), xs.count(9)


@PROGRAMS.add((X, 1.0), (X, 2.0))
def places_of_tensors(x, v):
    xs = [x[0], x[1], x[2], x[3]]
    first = xs.index(v)
    return first, xs.count(v), xs.index(v, first), [1.0, 2.0, 3.0].index(v)


@PROGRAMS.add((X, 1.0), (X, 5.0))
def missing(x, v):
    xs = [x[0], x[1], x[2]]
    try:
        return xs.index(v)
    except ValueError:
        return -1


@PROGRAMS.add((X, 1.0), (X, 3.0), (X, 5.0), gradients=False)  # what is equal jumps
def removed(x, v):
    xs = [x[0], x[1], x[2], x[3]]
    try:
        xs.remove(v)
        xs.append(v * 2)
    except ValueError:
        xs.append(0.5)
    total = 0.0
    for k, e in enumerate(xs):
        total = total + e * (k + 1)
    return total, len(xs)


@PROGRAMS.add((6,), (9,))
def sieve_by_removing(n):
    xs = [i for i in range(2, n)]
    i = 2
    while i * i < n:
        for k in range(2 * i, n, i):
            if k in xs:
                xs.remove(k)
        i += 1
    return sum(xs), len(xs)


@PROGRAMS.add((X,))
def plain(x):
    words = ["a", "b", "a"]
    words.remove("a")
    return x[words.index("a")] + words.count("b")


test_eager, test_staged, test_gradients = PROGRAMS.tests()
