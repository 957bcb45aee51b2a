"""Tuples that loops make longer, as often as only the run knows."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((3, 2.0), (0, 1.0), (12, 1.0))
def by_a_while(n, x):
    hist = (x,)
    while n > 0:
        hist = hist + (hist[-1] * 2,)
        n = n - 1
    return hist[-1], len(hist), sum(hist)


@PROGRAMS.add(6, 3, 10)
def what_was_seen(n):
    seen = ()
    while n not in seen:
        seen += (n,)
        n = n // 2 if n % 2 == 0 else 3 * n + 1
    return len(seen), n, max(seen)


@PROGRAMS.add(6, 3, 10)
def of_pairs(n):
    log = ()
    i = 0
    while i < n:
        log = log + ((i, i * i),)
        i += 1
    t = 0
    for k, v in log:
        t += k * v
    return t, len(log)


@PROGRAMS.add((np.array([1.0, 2.0, 3.0, 4.0]), 2), (np.array([1.0, 2.0, 0.0, 3.0]), 3))
def in_front(xs, n):
    t = ()
    while n > 0:
        t = (xs[n],) + t
        n -= 1
    return t[0] * len(t)


@PROGRAMS.add(7, 2)
def as_long_as_three(n):
    t = ()
    for i in range(n):
        if len(t) < 3:
            t = t + (i,)
        else:
            t = t[1:] + (i,)
    return sum(t), len(t)


@PROGRAMS.add((3, np.array([0.5, -1.0, 0.25])), (9, np.array([-0.5, -0.25, 2.0])))
def inside_of_beams(n, row):
    beams = [((), 0.0)]
    while n > 0:
        found = []
        for seq, score in beams:
            for k in range(3):
                found.append((seq + (k,), score + row[k] * n))
        found.sort(key=lambda b: -b[1])
        beams = found[:2]
        n -= 1
    best, score = beams[0]
    return len(best), best[-1], sum(beams[1][0]), score


@PROGRAMS.add(3, 10)
def beside_a_number(n):
    best = ((), 0)
    for i in range(n):
        best = ((i, *best[0]), best[1] + len(best[0]))
    return best[0][-1], best[1]


@PROGRAMS.add(np.array([1.0, -2.0, 3.0]), np.array([-1.0, -2.0, -3.0]))
def another_one_than_before(xs):
    positive = tuple(x for x in xs if x > 0)
    more = positive
    more += (1.0, 2.0)
    return len(positive), len(more), sum(more), sum((0.5,) + positive)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
