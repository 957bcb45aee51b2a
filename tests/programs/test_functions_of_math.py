"""Functions of `math` and `operator` that tell integers and truths, and tuples times integers."""

import math
import operator

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((12, 18), (7, 5), (0, -4))
def of_integers(a, b):
    return math.gcd(a, b), math.lcm(a, b), math.gcd(a, b, 6), math.isqrt(a * a + 2 * abs(a)), math.isqrt(abs(b))


@PROGRAMS.add((9,), (10**15,), (10**15 - 1,), (2**52 + 1,), (-4,))
def root(n):
    return math.isqrt(n)


@PROGRAMS.add((np.array([3.0, 1.0, 2.0]),), (np.array([5.0, 6.0, 0.0]),), gradients=False)
def of_arrays(xs):
    return math.fsum(xs), math.prod(xs), math.dist(xs, xs + 1)


@PROGRAMS.add((3, np.array([1.0, 0.0])), (0, np.array([2.0, 0.5])))
def truths(n, xs):
    return operator.not_(n), operator.truth(n), [operator.not_(x) for x in xs]


test_eager, test_staged, _ = PROGRAMS.tests()


def test_tuples_are_repeated():
    def f(n):
        return (0,) * n

    assert f(ag.constant(3)) == (0, 0, 0)
    assert ag.constant(2) * (1, 2) == (1, 2, 1, 2)
    repeated = ag.function(f)
    assert repeated(ag.constant(3)) == (0, 0, 0)
    assert repeated(ag.constant(0)) == ()
