"""Exceptions that a `try` waits for: raised by what nobody uses, in branches, loops and recursion; and what held then."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
T = np.array([1.0, 2.0, 3.0])


def halved(s):
    if abs(s) < 0.3:
        return abs(s + s)
    return s * 0.5 + halved(s * 0.5)


@PROGRAMS.add((np.float64(-0.67),), (np.float64(1.3),))
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


@PROGRAMS.add((T, 1, np.float64(0.5)), (T, 5, np.float64(0.5)), (T, 5, np.float64(-0.5)))
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


@PROGRAMS.add((T, 0, 0), (T, 3, 0), (T, 3, 5), (T, 0, 5))
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


@PROGRAMS.add((np.float64(0.5),), (np.float64(1.3),))
def caught_in_each_turn(x):
    s = x
    for _ in range(4):
        try:
            s = s * 1.5
            if s > 3:
                raise ValueError
            s = s + x * x
        except ValueError:
            s = s * 0.1
    return s


@PROGRAMS.add((np.float64(0.5),), (np.float64(1.3),))
def caught_after_some_turns(x):
    s = x
    try:
        while s < 100:
            s = s * 1.5 + 0.1
            if s * x > 3:
                raise ValueError
            s = s + x * x
    except ValueError:
        s = s * x
    return s


@PROGRAMS.add((np.float64(0.5),), (np.float64(1.3),), (np.float64(1.8),), (np.float64(-1.7),))
def handlers_that_fail(x):
    a = x
    b = x * x
    try:
        a = a * 2
        try:
            b = b * a
            if x > 1:
                raise KeyError
            a = a * b
            if x < -1:
                raise ValueError
            b = b + 1
        except KeyError:
            a = a * a
            if x > 1.5:
                raise ValueError from None
        a = a + b
    except ValueError:
        b = b * 3
    return a * b


class Sum:
    pass


def added(o, k, t):
    o.n = o.n * 1.5 + t
    if k <= 0:
        if t > 0:
            raise ValueError
        return t
    return added(o, k - 1, t) + t * o.n


@PROGRAMS.add((np.float64(0.5), 2), (np.float64(-0.6), 2))
def changed_by_recursion(x, k):
    o = Sum()
    o.n = x
    r = x
    try:
        r = added(o, k, x)
    except ValueError:
        r = r * o.n
    return o.n * r


@PROGRAMS.add((np.array([0.5, 0.25, 0.125]), np.float64(0.5)), (np.array([0.5, 0.25, 0.75]), np.float64(-0.5)))
def until_the_end_of_an_array(t, x):
    s = x
    i = 0
    try:
        while True:
            s = s * 1.1 + t[i]
            i += 1 if x > 0 else 2
    except IndexError:
        s = s * 2
    return s


@PROGRAMS.add((np.float64(0.5), 3), (np.float64(-0.5), 2))
def lists_that_grew(x, n):
    xs = [x]
    try:
        for _ in range(n):
            xs.append(xs[-1] * x)
            xs[0] = xs[0] * 2
        if x > 0:
            raise ValueError
        xs.append(x)
    except ValueError:
        pass
    return sum(xs)


@PROGRAMS.add((np.float64(0.6), np.float64(0.2)), (np.float64(-0.8), np.float64(-0.5)))
def loops_for_nothing(x, y):
    b = y
    xs = [x, y * 0.5]
    try:
        for q in [q for q in xs if q > 0.1]:
            q * b
        b = b * x
        if x < 5:
            raise ValueError
    except ValueError:
        b = b * 3
    return b + sum(xs)


def test_a_loop_that_an_exception_ends():
    @ag.function
    def f(x):
        while True:
            x = x * 1.5
            if x > 100:
                raise ValueError(f"too big: {x}")

    with pytest.raises(ValueError, match="too big: 115.330078125"):
        f(ag.constant(2.0))


test_eager, test_staged, test_gradients = PROGRAMS.tests()
