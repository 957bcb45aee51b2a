"""`enumerate` of a generator over tensors that has a name: another generator's argument, or one somebody goes on with."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


def even(xs):
    for x in xs:
        if x % 2 == 0:
            yield x


def weighted(items):
    for i, x in enumerate(items):
        yield x * i


def first(items, n):
    for i, x in enumerate(items):
        if i >= n:
            return
        yield x


@PROGRAMS.add(np.array([1, 2, 4, 6]), np.array([1, 3, 5, 7]))
def in_a_pipeline(xs):
    return [x for x in weighted(even(xs))], sum(first(even(xs), 2)), max(first(even(xs), 1), default=-1)


@PROGRAMS.add((np.array([0.5, 2.0, 4.0, 6.0]), 2), (np.array([2.0, 0.5, 8.0, 3.0]), 5))
def of_which_a_loop_takes_few(xs, n):
    s = 0.0
    for x in first((x for x in xs if x > 1), n):
        s += x * x
    return s


@PROGRAMS.add(np.array([1, 2, 4, 6]), np.array([2, 2, 2, 3]), np.array([5, 7, 1, 3]))
def gone_on_with(xs):
    items = even(xs)
    taken = []
    for i, x in enumerate(items):
        taken.append(x * i)
        if x > 2:
            break
    return taken, [x for x in items]


@PROGRAMS.add(np.array([1, 2, 4, 6]), np.array([2, 8, 6, 3]))
def asked_for_the_next(xs):
    items = even(xs)
    s = 0
    for i, x in enumerate(items):
        if i == 1:
            break
        s += x
    return s, next(items, -1), sum(items)


@PROGRAMS.add((np.array([1, 2, 4, 6]), 3), (np.array([8, 2, 6, 2]), 3))
def looked_through_again(xs, limit):
    def place(items):
        for i, x in enumerate(items):
            if x > limit:
                return i
        return -1

    items = even(xs)
    return place(items), place(items), place(items)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
