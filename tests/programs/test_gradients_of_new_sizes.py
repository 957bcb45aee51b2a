"""Names that each turn of a loop binds to arrays and lists of another size than before: a turn hands back zeros as large as
what it found."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([1.0, -2.0, 3.0])


@PROGRAMS.add((1.3, 4), (-0.4, 1), (2.0, 0))
def array_of_each_turn(x, n):
    total = 0.0
    v = np.ones(2) * x
    for i in range(n):
        v = np.ones(i + 1) * x
        total += v.sum() * x
    return total, v * x


@PROGRAMS.add((1.3, 4), (-0.4, 1))
def array_of_some_turns(x, n):
    total, i = 0.0, 0
    v = np.ones(3) * x
    while i < n:
        i += 1
        total += v.sum()
        v = np.ones(1) * x * i if i % 2 == 0 else np.ones(3) * x * i
    return total, v.sum()


@PROGRAMS.add((V,), (V[::-1],))
def slice_of_each_turn(xs):
    x = xs
    for a, b in zip(xs, xs[1:]):
        x = xs[:2] * a * b
    return x.sum()


@PROGRAMS.add((1.3, 4), (0.3, 2))
def list_of_each_turn(x, n):
    total = 0.0
    for i in range(n):
        row = []
        for j in range(i):
            row.append(x * j)
        total += sum(row)
    return total + sum(row)


@PROGRAMS.add((1.3, 4), (0.3, 2), (0.3, 0))
def list_that_a_break_ends(x, n):
    total, row = 0.0, [x]
    for i in range(n):
        row = []
        for j in range(5 - i):
            row.append(x * x * j)
            if x * j > 3:
                break
        total += sum(row)
    return total, row


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
