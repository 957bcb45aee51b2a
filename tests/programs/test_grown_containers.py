"""Lists that grew in staged loops compared and taken apart; dictionaries with keys that are there on some paths only."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((V,), (W,))
def equality(xs):
    out = []
    for x in xs:
        if x > 0:
            out.append(x)
    return out == [3.1, 4.3, 1.4], out != [], out == []


@PROGRAMS.add((3,), (4,))
def two_of_slice(n):
    p = []
    for i in range(2 * n):
        p.append(i * 1.0)
    p = p[:2]
    a, b = p
    return a + b


@PROGRAMS.add((3,), (4,))
def too_many(n):
    p = []
    for i in range(2 * n):
        p.append(i * 1.0)
    a, b = p
    return a + b


@PROGRAMS.add((V, 3), (W, 2))
def rows_of_two(x, n):
    s = 0.0
    for i in range(n):
        a, b = x[i : i + 2]
        s = s + a * b
    return s


@PROGRAMS.add((V,), (W,))
def grid(xs):
    grid = [[0.0, 1.0], [2.0, 3.0]]
    for i, x in enumerate(xs):
        grid[i % 2][0] += x
    return grid


@PROGRAMS.add((V, 1.0), (W, -1.0))
def key_in_branch(xs, c):
    d = {"a": c}
    if c > 0:
        d["b"] = xs[0]
    return len(d), sum(d.values()), ("b" in d)


@PROGRAMS.add((V, 1.0), (W, -1.0))
def items_of_branch(xs, c):
    d = {"a": c}
    if c > 0:
        d["b"] = xs[0]
    s = 0.0
    for k, v in d.items():
        s = s + v
    return s, list(d.keys()) if c is None else 0


def grow(xs):
    out = []
    for x in xs:
        if x > 0:
            out.append(x)
    return out


@PROGRAMS.add((V,), (W,))
def two_lists(xs):
    a = grow(xs)
    b = [x for x in xs if x > 0]
    c = b + [1.0]
    return a == b, a == c, a != c, [xs[0], 2.0] == [xs[0], 2.0], (xs[0], 1) != (xs[1], 1), a == 3


@PROGRAMS.add((V,), (W,))
def starred(xs):
    first, *rest = grow(xs)
    *_, last = grow(xs)
    a, *middle, z = grow(xs) + [1.0]
    return first, rest, last, a, middle, z, len(middle)


@PROGRAMS.add((V,), (W,))
def count_differs(xs):
    a, b, c = grow(xs)
    return a * b + c


@PROGRAMS.add((V, 2), (W, 1))
def rows(x, n):
    first, *rest = x[n:]
    return first, rest


@PROGRAMS.add((V, 1.0), (W, -1.0))
def maybe_keys(xs, c):
    d = {"a": c}
    if c > 0:
        d["b"] = xs[0]
        d["c"] = xs[1]
    n = 0
    for k in d:
        n += 1
    return d.get("b", 0.5), d.get("a"), len(d), n, list(d.values()), max(d.values()), len(list(d))


@PROGRAMS.add((V, 1.0), (W, -1.0))
def missing_key(xs, c):
    d = {"a": c}
    if c > 0:
        d["b"] = xs[0]
    return d["b"] * 2


@PROGRAMS.add((V, 1.0), (W, -1.0))
def maybe_items(xs, c):
    d = {}
    for i in range(3):
        if xs[i] > 0:
            d[i] = xs[i]
    s = 0.0
    for k, v in d.items():
        if v > 4:
            break
        s = s + v * (k + 1)
    return s, sum(d.values())


@PROGRAMS.add((5,), (1,))
def tables_of_a_length(n):
    t = [0] * (n + 1)
    t[0] = 1
    for i in range(1, n + 1):
        t[i] = t[i - 1] * 2
    board = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            board[i][j] = i * j
    return t[n], board[n - 1][n - 1], len(t * 2), sum((n + 1) * [0.5])


test_eager, test_staged, test_gradients = PROGRAMS.tests()
