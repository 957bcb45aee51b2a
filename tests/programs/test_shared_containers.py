"""Containers that several names, lists or dictionaries hold: what is written through one is seen through the others."""

import numpy as np
import pytest

import autograph as ag


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(e) for e in x]
    if isinstance(x, dict):
        return {k: plain(e) for k, e in x.items()}
    return np.asarray(x).tolist() if isinstance(x, (ag.Tensor, np.generic)) else x


def a_row_of_a_grown_list(n):
    rows = []
    for i in range(n):
        rows.append([i])
    rows[0].append(5)
    return rows


def an_item_of_a_row_of_what_was_sliced(n):
    rows = []
    for i in range(n):
        rows.append([i])
    rows = rows[:3]
    rows[-1][0] = 5
    return rows


def two_rows_in_a_turn(n):
    rows = [[0] * 3 for _ in range(3)]
    for i in range(n):
        r = rows[i % 3]
        r[i % 3] += i
        other = rows[(i + 1) % 3]
        other[0] = r[i % 3]
        r[1] -= other[0]
    return rows


def two_that_may_be_one(n):
    adjacent = [[] for _ in range(4)]
    for i in range(n):
        a, b = adjacent[i % 4], adjacent[i * 2 % 4]
        a.append(i)
        b.append(10 * i)
        a.append(len(b))
    return adjacent


def of_a_dictionary(n):
    groups = {0: [], 1: []}
    for i in range(n):
        a = groups[i % 2]
        a.append(i)
        b = groups[(i + 1) % 2]
        b.append(-i)
        a.append(len(b))
    return groups


def swapped_by_a_test(n):
    a, b = [1], [2]
    c = a
    if n > 2:
        a, b = b, a
    a.append(7)
    b[0] = 9
    c.append(8)
    return a, b, c


def chosen_of_what_was_chosen(n):
    x, y, z = [1], [2], [3]
    d = x if n > 2 else y
    d = d if n < 4 else z
    d.append(5)
    x.append(6)
    z[0] = 7
    y[0] = 8
    return x, y, z, d


def rows_of_a_chosen_one(n):
    x, y = [[1], [2]], [[3], [4]]
    d = x if n > 2 else y
    d[0].append(n)
    q = d[n % 2]
    q.append(7)
    x[0].append(8)
    y[1].append(9)
    return x, y, d, q


def pairs_of_lists(n):
    pairs = [([1], [2]), ([3], [4])]
    a, b = pairs[n % 2]
    a.append(n)
    b.append(n + 1)
    pairs[0][0].append(5)
    return pairs, a, b


def pivots(n):
    m = [[1, 2], [3, 4], [5, 6]]
    p = 0
    for r in range(1, 3):
        if m[r][0] > m[p][0] + n - 4:
            p = r
    m[0], m[p] = m[p], m[0]
    for r in range(1, 3):
        k = m[r][0]
        for c in range(2):
            m[r][c] -= k * m[0][c]
    return m


def one_or_another_in_a_loop(n):
    a = [0, 1, 2]
    b = a
    if n < 2:
        b = [1, 2]
    for i in range(n):
        b.append(i)
        a[0] = b[-1]
    while len(b) > 2:
        b.pop(0)
    return a, b


def merged(n):
    a, b, out = [], [], []
    for i in range(n):
        a.append(i * 2)
        b.append(i * 3)
    while a and b:
        out.append(a.pop(0) if a[0] < b[0] else b.pop(0))
    out += a
    out += b
    return out


PROGRAMS = [f for f in list(globals().values()) if getattr(f, "__module__", "") == __name__ and f is not plain]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [1, 3, 5])
def test_as_python(program, n):
    assert plain(ag.function(program)(ag.constant(n))) == plain(program(n))
