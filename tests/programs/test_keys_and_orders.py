"""Keys that a tensor chooses, and tuples put in order by tensors."""

import collections

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([1.5, -0.5, 2.5, -2.0])
W = np.array([-1.0, 2.0, 0.25, 3.0])


@PROGRAMS.add((V,), (W,))
def counted_by_sign(xs):
    counts = collections.Counter()
    for x in xs:
        counts["positive" if x > 0 else "negative"] += 1
    return dict(counts)


@PROGRAMS.add((1.5,), (0.5,), (-1.0,))
def chosen_key(x):
    d = {"a": 1.0, "b": 2.0}
    key = "a" if x > 0 else "b"
    d[key] += x
    d["b" if x > 1 else "a"] = 7.0 * x
    return d[key], d


@PROGRAMS.add((V,), (W,))
def order_of_items(xs):
    return [i for i, _ in sorted(enumerate(xs), key=lambda pair: -pair[1])]


@PROGRAMS.add((V, 3), (W, 4))
def sorted_tuples(xs, n):
    pairs = []
    for i in range(n):
        pairs.append((i // 2, xs[i]))
    return sorted(pairs), sorted(pairs, key=lambda p: -p[1]), sorted(pairs, reverse=True)[0]


@PROGRAMS.add((V, 3), (W, 4))
def greatest_pair(xs, n):
    best = (-1e9, 0, -1)
    least = min((xs[i] * 0 + 1, xs[i]) for i in range(4))
    for i in range(n):
        best = max(best, (xs[i], 1, i))
    return best, least


test_eager, test_staged, test_gradients = PROGRAMS.tests()
