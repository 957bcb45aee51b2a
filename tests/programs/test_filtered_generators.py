"""Generator expressions over numbers of Python's whose conditions tensors decide, and over rows of which only the run knows
the length."""

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
CASES = 0.5, 2.5, -2.0, 9.0
COUNTS = 0, 2, 3


@PROGRAMS.add(*CASES)
def first_above(y):
    return next((q for q in [1.0, -1.0, 2.0, 3.0] if q > y), y), next((q for q in (1, 2, 3) if q > y), None)


@PROGRAMS.add(0.5, 2.5, -2.0)
def first_of_a_range(y):
    return next(q for q in range(5) if q > y), next(q * y for q in range(500) if q > 3 and q * q > y)


@PROGRAMS.add(*CASES)
def first_of_pairs(y):
    position = next((i for i, q in enumerate([1.0, 2.0, 3.0]) if q > y), -1)
    return position, next((k for k, q in {"a": 1.0, "b": 2.0, "c": 3.0}.items() if q > y), "none")


@PROGRAMS.add(*CASES)
def first_in_rows(y):
    return next((q for row in [[1.0, 2.0], [3.0]] for q in row if q > y), y), next(filter(lambda q: q > y, [1.0, 2.0]), y)


@PROGRAMS.add(*CASES)
def in_a_loop(y):
    for i in range(3):
        z = next((q for q in (1.0, 2.0, 3.0) if q > y + i), None)
        if z is None:
            return -1.0
        if z > 2.5:
            return z + i
    return y


@PROGRAMS.add(*CASES)
def some_are_known_to_be_left_out(y):
    items = [-1.0, 2.0, 3.0]
    total = sum((q for q in items if q > 0 and q > y), 0.0)
    return total, sorted(q for q in items if q > 0 and q > y), max((q for q in items if q > 0 and q > y), default=y)


@PROGRAMS.add(*CASES)
def some_are_known_to_pass(y):
    total = 0.0
    for q in (q for q in [1.0, -1.0, 2.0, 3.0] if q > 0 and (q == 1.0 or q > y)):
        total = total * 2 + q
        if total > 4 * y:
            break
    return total, list(q for q in [1.0, 2.0, 3.0] if q == 1.0 or q > y)


@PROGRAMS.add(*CASES)
def taken_one_by_one(y):
    items = (q for q in [1.0, -1.0, 2.0, 3.0] if q > y)
    return next(items, y), next(items, y), list(items)


@PROGRAMS.add(0.5, 2.5, -2.0)
def taken_by_a_branch(y):
    items = (q for q in [1.0, -1.0, 2.0, 3.0] if q > y)
    first = next(items) if y > 0 else y
    return first, sum(items, 0.0)


@PROGRAMS.add(*CASES)
def each_is_asked_once(y):
    asked = []

    def passes(q):
        asked.append(q)
        return q > y

    total = sum((q for q in [1.0, 2.0, 3.0] if passes(q)), 0.0)
    return total, asked


@PROGRAMS.add(*CASES)
def nobody_is_asked_after_the_first(y):
    asked = []

    def passes(q):
        asked.append(q)
        return q > y

    return next((q for q in [1.0, 2.0, 3.0] if passes(q)), y), asked


@PROGRAMS.add(*COUNTS)
def rows_of_numbers(n):
    rows = [[p + q for q in range(p)] for p in range(4)]
    return sum(q for r in rows for q in r if q != n), max((q for r in rows for q in r if q != n), default=0)


@PROGRAMS.add(*COUNTS)
def rows_of_tensors_in_a_loop(n):
    rows = [[n], [n, -1]]
    total = 0
    for _ in range(n):
        total -= sum(q for r in rows for q in r if q != n)
    return total


@PROGRAMS.add(*COUNTS)
def rows_that_grow(n):
    rows = [[1], [n, 2]]
    i = 0
    while i < n:
        rows[i % 2].append(i)
        i += 1
    return sum(q for r in rows for q in r if q != n), sum(q for r in rows for q in r)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


def test_laziness() -> None:
    """What comes after the first is not asked, as in Python: here it would be out of range."""
    v = np.array([0.5, 4.0, 1.0])

    def first(v, y):
        return next((i for i in range(10) if v[i] > y), -1)

    assert int(ag.function(first)(ag.constant(v), ag.constant(2.0))) == first(v, 2.0)
