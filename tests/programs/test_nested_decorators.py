"""Decorators of functions in a staged function: they run as the rest of it, with what they make."""

import functools

from tests.programs.harness import Programs

PROGRAMS = Programs()


def remembering(f):
    cache = {}

    @functools.wraps(f)
    def g(*args):
        if args not in cache:
            cache[args] = f(*args)
        return cache[args]

    return g


def counting(log):
    def decorate(f):
        def g(x):
            log.append(x)
            return f(x)

        return g

    return decorate


def clipped(low, high=10):
    def decorate(f):
        if low > high:
            raise ValueError(f"{low} > {high}")
        return lambda x: min(max(f(x), low), high)

    return decorate


@PROGRAMS.add((7,), (1,), (0,))
def remembers(n):
    @remembering
    def ways(k):
        if k < 2:
            return 1
        return ways(k - 1) + ways(k - 2)

    return ways(n), ways.__name__


@PROGRAMS.add((3,), (-3,))
def stacked(x):
    log = []

    @counting(log)
    @remembering
    def square(v):
        return v * v

    total = square(x) + square(x + 1)
    if x > 0:
        total += square(x)
    return total, len(log), log[-1]


@PROGRAMS.add((3,), (-3,), (40,))
def with_a_tensor(x):
    try:

        @clipped(x - 1)
        def double(v):
            return 2 * v

        return double(x)
    except ValueError:
        return -1


@PROGRAMS.add((3,), (-3,))
def of_methods(x):
    class Counter:
        made = 0

        @property
        def twice(self):
            return 2 * x

        @staticmethod
        def plus(a):
            return a + x

        @classmethod
        def name(cls):
            return cls.__name__

    c = Counter()
    return c.twice, c.plus(1), c.name()


test_eager, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()

