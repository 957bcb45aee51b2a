"""Iterators of Python code zipped and mapped together: each is asked for items as often as Python asks."""

import itertools

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs
from tests.programs.iterating import Countdown, fibonacci, up_to

PROGRAMS = Programs()


@PROGRAMS.add((4,), (0,), (7,))
def endless_and_not(n):
    total = 0
    for x, y in zip(fibonacci(), up_to(n)):  # noqa: B905
        total += x * y
    return total


@PROGRAMS.add((4,), (0,), (7,))
def endless_and_gone_on_with(n):
    numbers, total = fibonacci(), 0
    for x, y in zip(numbers, up_to(n)):  # noqa: B905
        total += x * y
    return total * 100 + next(numbers)


@PROGRAMS.add((4,), (0,), (2,))
def own_before_a_list(n):
    own, total = Countdown(n), 0
    for x, y in zip(own, [1, 2, 3]):  # noqa: B905
        total += x * y
    return total * 100 + next(own, 77)


@PROGRAMS.add((4,), (0,), (2,))
def own_after_a_list(n):
    own, total = Countdown(n), 0
    for y, x in zip([1, 2, 3], own):  # noqa: B905
        total += x * y
    return total * 100 + next(own, 77)


@PROGRAMS.add((4,), (0,), (2,))
def mapped_over_two(n):
    shorter, longer = Countdown(n), Countdown(n + 2)
    total = sum(map(lambda x, y: x * y, shorter, longer))
    return total * 100 + next(longer, 77)


@PROGRAMS.add((4,), (0,), (7,))
def three_kinds(n):
    total = 0
    for x, y, z in zip(Countdown(n), itertools.count(), (v * 2 for v in range(5))):  # noqa: B905
        total += x * y + z
    return total


@PROGRAMS.add((4,), (0,), (2,))
def counted_and_left(n):
    total = 0
    for i, (x, y) in enumerate(zip(Countdown(n), range(3))):  # noqa: B905
        if x < 2:
            break
        total += i + x * y
    return total


@PROGRAMS.add((4,), (0,), (2,))
def made_into_containers(n):
    return dict(zip("abc", Countdown(3)))["b"] + len(list(zip(Countdown(n), Countdown(n))))  # noqa: B905


@PROGRAMS.add((4,), (0,), (2,))
def generator_and_a_longer_own(n):
    longer, total = Countdown(n + 5), 0
    for x, y in zip((v * v for v in up_to(n)), longer):  # noqa: B905
        total += x * y
    return total * 100 + next(longer)


@PROGRAMS.add((4,), (1,), (2,))
def two_generators(n):
    squares, cubes, total = (v * v for v in up_to(n)), (v**3 for v in up_to(n + 3)), 0
    for x, y in zip(squares, cubes):  # noqa: B905
        total += x * y
    return total * 1000 + next(cubes)


@PROGRAMS.add((5,), (0,), (1,))
def until_a_sentinel(n):
    left = n

    def less():
        nonlocal left
        left -= 1
        return left

    return sum(iter(less, -1)), left


@PROGRAMS.add((np.arange(5.0),), (np.arange(2.0),), gradients=False, traces=2)
def in_twos_until_empty(xs):
    items = iter(xs)
    return [sum(part) for part in iter(lambda: [*itertools.islice(items, 2)], [])]


def there_and_back(n):
    for i in up_to(n):
        yield i
    for i in up_to(n):
        yield -i


@PROGRAMS.add((4,), (1,), (2,))
def of_two_loops(n):
    numbers, total = there_and_back(n), 0
    for x, y in zip(up_to(n), numbers):  # noqa: B905
        total += x * y
    return total


@PROGRAMS.add((4,), (1,), (2,))
def of_two_loops_and_a_list(n):
    items, total = iter([5, 6, 7, 8, 9]), 0
    for x, y in zip(up_to(n), items):  # noqa: B905
        total += x * y
    return total * 100 + next(items, 0)


@PROGRAMS.add((3,), (1,))
def mapped_generator_first(n):
    items = (v + 1 for v in up_to(n + 2))
    total = sum(map(lambda x, y: x * y, up_to(n), items))
    return total * 100 + next(items)


def joined(*xs):
    return sum(xs) + 100 * len(xs)


@PROGRAMS.add((3,), (0,), (1,))
def spread_in_lists(n):
    return [*Countdown(n), 7, *map(abs, Countdown(n))]


@PROGRAMS.add((3,), (0,), (1,))
def spread_in_calls(n):
    return joined(*Countdown(n)), joined(*up_to(n)), max(*Countdown(n), 3, 1, *up_to(n))


@PROGRAMS.add((3,), (0,), (1,))
def put_in_slices(n):
    xs, ys = [1, 2], [3, 4]
    xs[1:1] = up_to(n)
    xs[:1] = Countdown(n)
    ys += Countdown(n)
    ys += up_to(n)
    return xs, ys


test_eager, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


MADE = {
    "sequence": lambda n, w: iter([5, 6, 7, 8]),
    "vector": lambda n, w: iter(w),
    "range": lambda n, w: iter(range(n + 1)),
    "generator": lambda n, w: up_to(n),
    "expression": lambda n, w: (v * v for v in range(n + 2)),
    "own": lambda n, w: Countdown(n + 1),
    "map": lambda n, w: map(lambda v: v * 3, range(n)),
    "filter": lambda n, w: filter(lambda v: v % 2 == 0, range(n + 3)),
    "count": lambda n, w: itertools.count(3),
}


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations_with_replacement(MADE, 2)])
def test_going_on_with_both(first, second):
    if first == second == "count":
        pytest.skip("has no end")

    def zipped(n, w):
        a, b = MADE[first](n, w), MADE[second](n, w)
        total = 0
        for x, y in zip(a, b):  # noqa: B905
            total = total * 3 + x + 2 * y
        return total, next(a, -5), next(b, -6)

    def mapped(n, w):
        a, b = MADE[first](n, w), MADE[second](n, w)
        total = sum(map(lambda x, y: x + 7 * y, b, a))
        return total, next(a, -5), next(b, -6)

    w = np.array([3, 1, 2])
    for f in (zipped, mapped):
        staged = ag.function(f)
        for n in (2, 0, 4):
            assert [int(x) for x in staged(ag.constant(n), ag.constant(w))] == [int(x) for x in f(n, w)]


def test_a_generator_of_two_loops_that_is_gone_on_with_is_refused():
    @ag.function
    def f(n):
        items = there_and_back(n)
        total = sum(x * y for x, y in zip(items, up_to(n)))  # noqa: B905
        return total + next(items)

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="generator-items"):
        f(ag.constant(3))
