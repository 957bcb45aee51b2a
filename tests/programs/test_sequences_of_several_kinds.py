"""A name that holds a tensor at first and a list later, or one of several sequences: enumerated, zipped, mapped."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
CASES = [(np.array([1.1, 2.2, 3.3]), 2), (np.array([1.2, 2.1, 1.4]), 3)]


@PROGRAMS.add(*CASES)
def products(u, k):
    def row(i, w):
        total = 0
        for j, x in enumerate(w):
            total += x / (i + j + 1)
        return total

    for _ in range(k):
        u = [row(i, u) for i in range(len(list(u)))]
    return u


@PROGRAMS.add(*CASES)
def numbered(u, k):
    for _ in range(k):
        v = [x + 1 for x in u]
        total = 0
        for j, x in enumerate(u):
            total += x * j
        u = v + [total]
    return u


@PROGRAMS.add(*CASES)
def gone_on_with(u, k):
    for _ in range(k):
        it = iter(u)
        first = next(it)
        total = first
        for x in it:
            if x > 2:
                total += x
        u = [total, first, k]
    return u


@PROGRAMS.add(*CASES)
def side_by_side(u, k):
    for _ in range(k):
        v = [x * y for x, y in zip(u, reversed(u))]  # noqa: B905
        v.append(sum(map(lambda p: p + 1, u)))
        u = v
    return u


@PROGRAMS.add(*CASES)
def left_early(u, k):
    out = []
    for _ in range(k):
        for i, x in enumerate(u, start=k):
            if x > 2:
                break
            out.append(x + i)
        u = [x * 2 for x in u if x < 5]
    return out, u


@PROGRAMS.add(*CASES)
def neighbours(u, k):
    for _ in range(k):
        best = None
        for i, (x, y) in enumerate(zip(u, u[1:])):  # noqa: B905
            if best is None or x * y > best[1]:
                best = i, x * y
        u = [best[1], best[0] * 1.0, k * 1.0]
    return u


@PROGRAMS.add(*CASES)
def chosen(u, k):
    u = list(u) if k > 2 else u
    total = 0
    for i, x in enumerate(u):
        total += i * x
    it = iter(u)
    first = next(it)
    return total, first, sum(it), list(filter(lambda x: x > 1, u))


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
test_at_open_sizes = PROGRAMS.at_open_sizes()
