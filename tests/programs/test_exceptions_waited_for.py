"""Exceptions that a `try` waits for: raised by what nobody uses, in branches, loops and recursion; and what held then."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
T = np.array([1.0, 2.0, 3.0])


def halved(s):
    if abs(s) < 0.3:
        return abs(s + s)
    return s * 0.5 + halved(s * 0.5)


@PROGRAMS.add((np.float64(-0.67),), (np.float64(1.3),), gradients=False)
def changed_before_recursion(a):
    d = {"p": a}
    try:
        d["p"] = d["p"] * 0.5 + a
        halved(d["p"])
        raise ValueError("no")
    except ValueError:
        a = a * 2
    return a + d["p"]


@PROGRAMS.add((T, 2), (T, 3))
def item_for_nothing(t, i):
    try:
        t[i]
        return 1
    except IndexError:
        return 0


@PROGRAMS.add((T, 0), (T, 1), (T, 2))
def item_for_nothing_in_a_loop(t, i):
    try:
        if i > 0:
            for k in range(3):
                t[i + k] * 2.0
        return 1
    except IndexError:
        return 0


def uses_nothing(t, i):
    t[i]
    return 3


@PROGRAMS.add((T, 2), (T, 3))
def item_for_nothing_in_a_function(t, i):
    try:
        return uses_nothing(t, i)
    except IndexError:
        return 0


@PROGRAMS.add((T, 1), (T, 2), (T, 3), traces=1)
def shapes_that_do_not_fit(t, i):
    a = t[:i]
    try:
        a + t[1:]
        return 1
    except ValueError:
        return 0


@PROGRAMS.add((T, 0), (T, 4))
def largest_of_none(t, i):
    xs = []
    for k in range(i):
        xs.append(k * 2)
    try:
        return max(xs)
    except ValueError:
        return -1


@PROGRAMS.add((T, 1, np.float64(0.5)), (T, 5, np.float64(0.5)), (T, 5, np.float64(-0.5)), gradients=False)
def changed_for_a_while(t, i, a):
    d = a
    try:
        if a > 0:
            d = a * 1.5
            t[i]
            d = a
        t[0]
    except IndexError:
        return d
    return d + 10


@PROGRAMS.add((T, 0, 0), (T, 3, 0), (T, 3, 5), (T, 0, 5), gradients=False)
def changed_before_a_loop_fails(t, i, j):
    d = t[0]
    for k in range(j):
        try:
            d = d * 1.5
            if k > 1:
                t[i + k]
            d = d + 1
            t[j]
        except IndexError:
            d = d - 0.25
    return d


test_eager, test_staged, test_gradients = PROGRAMS.tests()
