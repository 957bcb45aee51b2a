"""Lists that a turn of a loop over them makes as long as only the run knows: Python goes over what is there at each turn."""

from collections.abc import Iterable, Sized

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
XS = np.array([3, 1, 2])
CASES = [(XS, 2), (XS, 1), (np.array([5, 0, 4]), 0)]


def raised_up_to(xs, i):
    """One more for the items from the first to `i`, but for the first: how deep it goes depends on a tensor."""
    if i <= 0:
        return
    xs[i] = xs[i] + 1
    raised_up_to(xs, i - 1)


def flooded(grid, i, j):
    if i < 0 or i >= len(grid) or j < 0 or j >= len(grid[0]):
        return
    if grid[i][j] != 1:
        return
    grid[i][j] = 0
    for k, m in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
        flooded(grid, k, m)


@PROGRAMS.add(np.array([[0, 1, 1], [1, 0, 0], [0, 1, 0]]), np.array([[1, 1, 1], [0, 0, 1], [1, 0, 1]]))
def islands(field):
    grid, count = [list(row) for row in field], 0
    for i in range(len(grid)):
        for j, value in enumerate(grid[i]):
            if value == 1:
                flooded(grid, i, j)
                count += 1
    return count, grid


@PROGRAMS.add(*CASES)
def by_a_loop(xs, n):
    xs, turns = list(xs), 0
    for x in xs:
        raised_up_to(xs, n)
        turns += x
    return turns, xs


@PROGRAMS.add(*CASES)
def numbered(xs, n):
    xs, found = list(xs), []
    for i, x in enumerate(xs, 1):
        for k in range(n):
            xs[k] = xs[k] + i
        found.append(x)
    return found, xs


@PROGRAMS.add(*CASES)
def together(xs, n):
    xs, total = list(xs), 0
    for a, b in zip(xs, xs):  # noqa: B905
        raised_up_to(xs, n)
        total += a * b
    return total, xs


@PROGRAMS.add(*CASES)
def from_the_last(xs, n):
    xs, found = list(xs), []
    for x in reversed(xs):
        raised_up_to(xs, n)
        found.append(x)
    return found, xs


@PROGRAMS.add(*CASES)
def made_longer(xs, n):
    xs, total = list(xs), 0
    for i, x in enumerate(xs):
        if x > n and i < 4:
            xs.append(x - 1)
        total += x
    return total, xs


@PROGRAMS.add(*CASES)
def by_displays(xs, n):
    first, second = list(xs), list(xs)
    a = [(raised_up_to(first, n), x)[1] for x in first]
    b = [(raised_up_to(second, n), i * x)[1] for i, x in enumerate(second)]
    return a, first, b, second


@PROGRAMS.add(*CASES)
def by_generators(xs, n):
    first, second = list(xs), list(xs)
    a = sum((raised_up_to(first, n), x)[1] for _, x in enumerate(first))
    b = list(map(lambda x: (raised_up_to(second, n), x)[1], second))
    return a, first, b, second


@PROGRAMS.add(*CASES)
def one_by_one(xs, n):
    xs, total = list(xs), 0
    items = enumerate(xs)
    while True:
        pair = next(items, None)
        if pair is None:
            break
        raised_up_to(xs, n)
        total += pair[1]
    return total, xs


@PROGRAMS.add(*CASES)
def by_its_iterator(xs, n):
    xs, found = [*xs, *xs], []
    items = iter(xs)
    first = next(items)
    for x in items:
        if x > n:
            xs[3] = xs[3] + 1
            if len(xs) < 9:
                xs.insert(0, x)
        if first > 4 and len(found) > 3:
            break
        found.append(x)
    return xs, found, list(items)


@PROGRAMS.add(*CASES)
def from_both_ends(xs, n):
    xs, found = list(xs), []
    for a, b in zip(xs, reversed(xs)):  # noqa: B905
        if a > n:
            xs[0], xs[2] = 9, xs[2] + 1
        found.append(a * b)
        if b == 0:
            break
    return xs, found


test_eager, test_staged, _ = PROGRAMS.tests()


def test_numbers_are_not_gone_over():
    def flattened(items, out):
        for item in items:
            if not isinstance(item, str) and isinstance(item, Iterable):
                flattened(item, out)
            elif not isinstance(item, (Sized, Iterable)):
                out.append(item)
        return out

    nested = [ag.constant(1), [ag.constant([2, 3]), (ag.constant(4),)], "five"]
    assert [int(x) for x in ag.function(lambda n: flattened(n, []))(nested)] == [1, 2, 3, 4]
