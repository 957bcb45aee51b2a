"""Iterators of `itertools` over tensors, those without end, pipelines of generators, and objects with slots as state."""

import collections
import functools
import itertools
import operator

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((np.float64(2.0),))
def over_what_python_knows(x):
    y = x * 2
    xs = [1]
    xs.extend(iter((2, 3)))
    xs += iter([4])
    xs[1:1] = iter((9,))
    ordered = collections.OrderedDict()
    ordered.update(iter([(1, 2)]))
    known = iter((5, 6))
    first = next(known)
    rest = [first]
    rest.extend(known)
    found = (3 in iter([3]), 4 in iter([3]), 2 not in iter((2,)), any(iter([0, 1])), max(iter([1, 2])), sum(iter((1, 2))))
    more = [*iter((1, 2))], dict(iter(((1, 2), (3, 4)))), sorted(iter([2, 1])), list(map(str, iter([1]))), set(iter([1]))
    others = collections.deque(iter([1, 2])), list(itertools.chain(iter([1]), iter((2,)))), frozenset(iter((1,)))
    return y, tuple(xs), dict(ordered), tuple(rest), found, more, list(others[0]), others[1], len(others[2])


@PROGRAMS.add((V,), (W,))
def takewhile_(xs):
    return sum(itertools.takewhile(lambda v: abs(v) < 4, xs), 0.0)


@PROGRAMS.add((V,), (W,))
def dropwhile_(xs):
    total = 0.0
    for v in itertools.dropwhile(lambda v: v < 4, xs):
        total = total * 2 + v
    return total


@PROGRAMS.add((V, np.array([1, 0, 1, 1, 0])), (W, np.array([0, 1, 0, 1, 1])))
def compress_and_filterfalse(xs, mask):
    return sum(itertools.compress(xs, mask), 0.0), list(itertools.filterfalse(lambda v: v < 1, xs))


@PROGRAMS.add((np.array([1, 1, 2, 2, 2, 3]),), (np.array([4, 4, 4, 4, 1, 4]),))
def groupby_(xs):
    return [(k, len(list(g))) for k, g in itertools.groupby(xs)], [sum(g) for _, g in itertools.groupby(xs, lambda x: x % 2)]


@PROGRAMS.add((V, 1.0), (W, 2.0))
def over_lists_of_staged_length(xs, least):
    kept = [x for x in xs if x > least]
    return (
        list(itertools.accumulate(kept)),
        list(itertools.accumulate(kept, operator.mul, initial=1.0)),
        [x * 2 for x in itertools.chain(kept, xs)],
        [b - a for a, b in itertools.pairwise(kept)],
        list(itertools.islice(kept, 1, None)),
        list(itertools.starmap(lambda i, x: i * x, enumerate(kept))),
    )


@PROGRAMS.add((10,), (0,), (50,))
def count_until(n):
    for i in itertools.count(1, 2):
        if i * i > n:
            break
    return i


@PROGRAMS.add((V, 30.0), (W, 8.0))
def cycle_until(xs, limit):
    total, turns = 0.0, 0
    for x in itertools.cycle(xs):
        total += abs(x)
        turns += 1
        if total > limit:
            break
    return total, turns


@PROGRAMS.add((5,), (1,))
def count_that_was_begun(n):
    numbers = itertools.count(10, 5)
    first = next(numbers)
    for i in numbers:
        if i > n * 9:
            break
    return first, i


@PROGRAMS.add((V, 1.0), (W, 2.0))
def zip_with_endless(xs, least):
    kept = [x for x in xs if x > least]
    total = 0.0
    for i, x in zip(itertools.count(1, 2), kept):  # noqa: B905
        total += i * x
    for x, y in zip(kept, itertools.cycle([1.0, -1.0])):  # noqa: B905
        total += x * y
    for i, x in zip(itertools.count(), xs):  # noqa: B905
        total += i * x
    return total + sum(x * y for x, y in zip(xs, itertools.repeat(0.5)))  # noqa: B905


@PROGRAMS.add((V,), (W,))
def pipeline_of_generators(xs):
    def source():
        yield from ()
        for x in xs:
            yield x

    def values():
        for x in xs:
            yield x

    def positive(items):
        for x in items:
            if x > 0:
                yield x

    def scaled(items, by):
        for x in items:
            yield x * by

    total = 0.0
    for v in scaled(positive(values()), 3.0):
        total += v
    return total, len([x for x in source()])


@PROGRAMS.add((V, 0.5), (W, 0.1))
def pipeline_that_a_break_ends(xs, b):
    def above(items, scale=1.0):
        for u in items:
            if u < b:
                continue
            yield u * scale

    for w in above(above(items=above(xs)), scale=2.0):
        b = np.tanh(b + w)
        if b > 0.9999:
            break
    return b


def smoothed(s, xs=(0.5, -0.5, 0.25)):
    def damped(items):
        for u in items:
            if u < s:
                u = u * 0.5
            yield u * 2

    for w in damped(damped(xs)):
        s = np.tanh(s + w)
        if len(xs) > 5:
            break
    return s


@PROGRAMS.add((0.45, 3), (0.1, 0))
def pipeline_made_in_a_branch(x, n):
    b = x
    for _ in range(n):
        if b > 0.1:
            b = b * 0.5 + smoothed(b)
    return b


@PROGRAMS.add((V, 0.5), (W, -2.0))
def keys_in_comprehensions(xs, a):
    best = [max(x, a, key=lambda v: v * v) for x in xs if x > 0]
    total = sum(w * 0.3 for w in xs if w > min(1.5, xs[0] if a > 0 else a, key=lambda w: w * w))
    return best, total, [sorted([x, a, 0.5], key=lambda v: -v)[0] for x in best], [(lambda u: u * x)(a) for x in xs if x > 1]


@PROGRAMS.add((V, 1.5), (W, 2.0))
def walrus_in_a_comprehension(xs, a):
    kept = [y for x in xs if (y := x * a) > 1]
    return kept, sum((z + x for x in xs if (z := x * 2) > 1 and z < 9), 0.0), {i: q for i in range(3) if (q := i * 2) > 1}


@PROGRAMS.add((V,), (W,))
def walrus_that_is_read_later(xs):
    kept = [last for x in [1, 2, 3] if (last := x) > 1]
    return kept, last, xs


@PROGRAMS.add((V,), (W,))
def walrus_in_a_loop_with_else(xs):
    i, total = 0, 0.0
    while i < len(xs) and (v := abs(xs[i])) < 8:
        total += v
        i += 1
        if total > 10.3:
            break
    else:
        total += 100
    return total, i


@PROGRAMS.add((V, 4.0), (W, 9.0))
def extremes_of_nothing(xs, least):
    best = min((x for x in xs if x > least), default=-1.0)
    return best, max([x for x in xs if x > 99], default=0.0), functools.reduce(max, xs)


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Point(self.x + other.x, self.y * other.y)


@PROGRAMS.add((1.5, 3), (0.5, 0))
def objects_with_slots(x, n):
    p, step = Point(x, 1.0), Point(0.5, 2.0)
    for _ in range(n):
        p = p + step
    return p.x, p.y


@PROGRAMS.add(3, 8, 1)
def parts_of_ranges(n):
    turned = range(n)[::-1]
    return range(n)[-1], range(n)[n - 1], range(10, n, -2)[-1], list(range(n)[1:n]), sum(turned), list(range(n)[-3:-1:2])


@PROGRAMS.add((3, 3), (3, -4), (0, 0), (3, -3), (2, 1))
def items_past_the_end_of_a_range(n, i):
    return range(n)[i]


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_endless_iterator_goes_on_after_a_staged_break():
    """How many items the loop took, only the run knows."""

    def f(n):
        numbers = itertools.count()
        for i in numbers:
            if i > n:
                break
        return next(numbers)

    assert [int(ag.function(f)(ag.constant(n))) for n in (0, 3)] == [2, 5]
