"""`*xs` of lists and tensors of which only the run knows how long they are: in calls, lists and tuples."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.array([1.5, 2.5, -3.0, 4.0, 5.25])
Y = np.array([-0.5, 3.5, 2.0, 1.25, 6.0])
BOTH = ((X, 3), (Y, 2), (X, 5))


def total_of(*numbers):
    total = 0.0
    for x in numbers:
        total += x
    return total, len(numbers)


def head_and_rest(scale, head, *rest, by=1.0):
    return scale * head * by, [x * by for x in rest], len(rest)


class Sums:
    def __init__(self, *parts):
        self.parts = parts

    def add(self, first, *more):
        return first + sum(self.parts) + sum(more)


@PROGRAMS.add(*BOTH)
def any_number_of_arguments(x, n):
    xs = [x[i] for i in range(n)]
    return total_of(*xs), total_of(1.0, *xs), head_and_rest(2.0, *xs), head_and_rest(2.0, *xs, by=3.0), total_of(*x[:n])


@PROGRAMS.add((X, 3), (Y, 3))
def as_many_as_there_are_parameters(x, n):
    def linear(a, b, c):
        return a * b + c

    xs = [x[i] for i in range(n)]
    return linear(*xs), linear(2.0, *xs[1:]), linear(*x[:n])


@PROGRAMS.add(*BOTH)
def classes_and_methods(x, n):
    xs = [v for v in x if v > n - 5]
    sums = Sums(*xs)
    return sums.add(*xs), sums.add(1.0, *xs)


@PROGRAMS.add(*BOTH)
def built_in_functions(x, n):
    xs = [x[i] for i in range(n)]
    pairs = [(x[i], i) for i in range(n)]
    first, second = zip(*pairs)  # noqa: B905
    return max(*xs), min(1.5, *xs), sum(first), sum(second), [a * b for a, b in zip(*(xs, xs))]  # noqa: B905


@PROGRAMS.add(*BOTH)
def lists_written_out(x, n):
    xs = [x[i] for i in range(n)]
    ys = [*xs, 7.0]
    zs = [*(v * 2 for v in x if v > 1)]
    return ys, [0.0, *xs, *ys], len([*ys, 1.0]), [*x[:n], 1.0], zs, sum((*xs, 7.0)), len((*xs, *ys))


@PROGRAMS.add(*BOTH)
def known_lengths(x, n):
    def linear(a, b, c=1.0):
        return a * b + c + n

    xs = [x[0], x[1]]
    return linear(*xs), linear(*(x[0], x[1], x[2])), total_of(*x), (*xs, 1.0), max(*xs)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_arguments(count: int) -> None:
    def product(a, b):
        return a * b

    def of_first(x, n):
        return product(*[x[i] for i in range(n)])

    with pytest.raises(TypeError, match=r"product\(\)"):
        of_first(X, count)
    with pytest.raises(TypeError, match=r"product\(\)"):
        ag.function(of_first)(ag.constant(X), ag.constant(count))


def test_defaults_are_refused() -> None:
    def product(a, b=2.0):
        return a * b

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="default values"):
        ag.function(lambda x, n: product(*x[:n]))(ag.constant(X), ag.constant(1))


def test_slices_are_refused() -> None:
    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match=r"slice\(\*xs\) needs a length"):
        ag.function(lambda x, n: x[slice(*range(n))])(ag.constant(X), ag.constant(2))
    assert np.array_equal(ag.function(lambda x, n: x[slice(*[n, n + 2])])(ag.constant(X), ag.constant(1)), X[1:3])
