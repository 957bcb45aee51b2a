"""Iterators over tensors give their items once: `map`, `zip`, `enumerate`, `reversed`, `filter`, generator expressions."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, Py

PROGRAMS = Programs()
V = np.array([1.25, 2.1, 3.2, 4.15, 5.55])
W = np.array([4.1, -1.2, 2.65, 0.6, 3.3])
BOTH = ((V,), (W,))


@PROGRAMS.add(*BOTH)
def listed_twice(x):
    doubled = map(lambda v: v * 2, x)
    return list(doubled), list(doubled), tuple(doubled), sum(doubled)


@PROGRAMS.add(*BOTH)
def two_loops(x):
    pairs = zip(x, x + 1, strict=True)
    total = 0.0
    for a, b in pairs:
        total += a * b
    for a, b in pairs:
        total += 100.0 * a * b
    return total, list(pairs), next(pairs, None)


@PROGRAMS.add(*BOTH)
def after_a_break(x):
    numbered = enumerate(x)
    first = second = 0.0
    for i, v in numbered:
        first += i * v
        if v > 2:
            break
    for i, v in numbered:
        second += i * v
    return first, second, list(numbered)


@PROGRAMS.add(*BOTH)
def begun_by_next(x):
    doubled, turned, larger = map(lambda v: v * 2, x), reversed(x), (v + 1 for v in x)
    first = next(doubled), next(turned), next(larger)
    return first, sum(doubled), sum(doubled), next(doubled, -1.0), list(turned), list(turned), max(larger), list(larger)


@PROGRAMS.add(*BOTH)
def with_conditions(x):
    above, kept = (v * 2 for v in x if v > 2), filter(lambda v: v > 1, x)
    return sum(above), sum(above), list(above), next(kept), sorted(kept), list(kept)


@PROGRAMS.add(*BOTH)
def conditions_item_by_item(x):
    above = (v for v in x if v > 0.75)
    total = next(above) * next(above)
    for v in above:
        total += v
        if v > 2.75:
            break
    return total, list(above)


@PROGRAMS.add(*BOTH)
def taken_by_the_body(x):
    items, total = iter(x), 0.0
    for a in items:
        b = next(items, 0.0)
        total += 10 * a + b
    moved = map(lambda v: v + 1, x)
    for a in moved:
        total += 10 * a
        if a > 3:
            total += next(moved, 100.0)
        if a > 5:
            break
    return total, [a - next(moved, 0.0) for a in moved]


@PROGRAMS.add(*BOTH)
def in_groups(x):
    items, more = iter(x), iter(x)
    total = 0.0
    for a, b in zip(more, more):  # noqa: B905
        total += a * b
        if a > 3:
            break
    return [a * b for a, b in zip(items, items)], list(items), total, list(more)  # noqa: B905


@PROGRAMS.add(*BOTH)
def stopped_early(x):
    items, tests, more = iter(x), (v > 1.5 for v in x), iter(x)
    return any(v > 2 for v in items), list(items), any(tests), len(list(tests)), all(v > 0 for v in more), list(more)


@PROGRAMS.add((V, 3.2), (W, 2.65), (V, 7.0))
def looked_for(x, wanted):
    items = iter(x)
    return wanted in items, list(items)


@PROGRAMS.add(*BOTH)
def zip_takes_one_too_many(x):
    items, more = iter(x), iter(x)
    first = [a + b for a, b in zip(items, [1.0, 2.0])]  # noqa: B905
    second = [a + b for b, a in zip([1.0, 2.0], more)]  # noqa: B905
    total = 0.0
    for a, _ in zip(items, [1.0]):  # noqa: B905
        if a > 0:
            break
    for v in items:
        total += v
    return first, second, list(more), total


@PROGRAMS.add(*BOTH)
def one_upon_the_other(x):
    items = iter(x)
    numbered = enumerate(items, 5)
    first = next(items)
    i, second = next(numbered)
    return first, i, second, [k * v for k, v in numbered], list(items), list(numbered)


@PROGRAMS.add((V, 3), (W, 4))
def across_turns(x, n):
    doubled, above = map(lambda v: v * 2, x), (v for v in x if v > 1)
    total = kept = 0.0
    for k in range(n):
        for v in doubled:
            total += v * (k + 1)
            if v > 4:
                break
        for v in above:
            kept += v
    return total, kept


@PROGRAMS.add(*BOTH)
def in_a_branch(x):
    pairs, above = zip(x, x, strict=True), (v for v in x if v > 1)
    total = 0.0
    if x[0] > 2:
        for a, b in pairs:
            total += a * b
        total += sum(above)
    return total, len(list(pairs)), list(above)


@PROGRAMS.add(*BOTH)
def over_grown_lists(x):
    kept = [v for v in x if v > 1]
    pairs, larger = zip(kept, x), (v + 1 for v in kept)  # noqa: B905
    first = next(pairs)
    total = 0.0
    for a, b in pairs:
        total += a * b
    return first, total, list(pairs), next(larger), sorted(larger), list(larger)


@PROGRAMS.add(*BOTH)
def taken_apart(x):
    moved = map(lambda v: v + 1, x)
    a, b, *rest = moved
    again = map(lambda v: v - 1, x)
    return a, b, rest, list(moved), max(*again), list(again)


@PROGRAMS.add(*BOTH)
def maps_of_maps(x):
    moved = map(lambda v: v + 1, map(lambda v: v * 2, x))
    return next(moved), list(moved), list(moved)


@PROGRAMS.add(*BOTH)
def returned_out_of(x):
    numbered = enumerate(x)
    for i, v in numbered:
        if v > 2:
            return i, list(numbered)
    return -1, []


@PROGRAMS.add((V, 2.0), (W, 3.5), (V, 1.5))
def shared_by_functions(x, bound):
    def head(items):
        for v in items:
            if v >= bound:
                return v
        return -1.0

    items = iter(x)
    first = head(items)
    return first, head(items), head(items), sum(items, 0.0)


@PROGRAMS.add((V, Py(2)), (W, Py(2)))
def python_counts(x, n):
    items = (v * 2 for v in x)
    return [next(items) for _ in range(n)], [next(items, 0.0) for _ in range(n)], len(list(items))


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_no_length() -> None:
    with pytest.raises(TypeError, match=r"has no len\(\)"):
        ag.function(lambda x: len(map(lambda v: v, x)))(ag.constant(V))


def test_ended() -> None:
    def third(x):
        items = map(lambda v: v * 2, x)
        for _ in items:
            pass
        return next(items)

    with pytest.raises(StopIteration):
        third(ag.constant(V))
    with pytest.raises((StopIteration, RuntimeError)):
        ag.function(third)(ag.constant(V))
