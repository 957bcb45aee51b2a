"""Names of staged loops that are one tensor on some paths: items written through one are seen through the other."""

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((V, 3), (W, 2), (W, 0))
def alias1(w, n):
    w = w * 1.0
    u = w
    for i in range(n):
        u[0] += 1.0
        w = w * 2
    return u, w


@PROGRAMS.add((V, 3), (W, 2), (W, 0))
def alias2(w, n):
    w = w * 1.0
    u = w
    i = 0
    while i < n:
        w[1] = 5.0
        if i > 0:
            w = w * 2
        u[0] += w[0]
        i += 1
    return u, w


@PROGRAMS.add((V, 3), (W, 2), (W, 0))
def alias3(w, n):
    w = w * 1.0
    u = w
    for i in range(n):
        w = w + 0.5
    w[0] = 7.0
    return u, w


@PROGRAMS.add((V, 3), (W, 2), (W, 0))
def alias4(w, n):
    u = w * 1.0
    v = w * 2.0
    for i in range(n):
        u, v = v, u
        u[0] += 1.0
    return u, v


@PROGRAMS.add((V, 3), (W, 2), (W, 0))
def alias5(w, n):
    w = w * 1.0
    u = w * 3.0
    for i in range(n):
        u = w
        u[0] += 1.0
    u[1] = 9.0
    return u, w


@PROGRAMS.add((V, 3), (W, 2), (W, 0))
def argument(w, n):
    for i in range(n):
        w = w * 2
    w[0] = 7.0
    return w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def pair_in_loop(w, n):
    w = w * 1.0
    u = w + 1.0
    for i in range(n):
        u[1] += w[0]
        w = w * 2
        u = w
        w[2] = 0.5
    u[0] = -3.0
    return u, w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def nested(w, n):
    w = w * 1.0
    keep = [w]
    for i in range(n):
        for j in range(i):
            w[j] = w[j] + 1.0
            if w[0] > 2:
                w = w * 0.5
        w[4] = float(2)
    return keep[0], w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def swap_lists(w, n):
    u = w * 1.0
    v = w * 2.0
    both = [u, v]
    for i in range(n):
        u, v = v, u
        u[i] += 1.0
    v[0] = 0.25
    return both, u, v


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def breaks(w, n):
    w = w * 1.0
    u = w
    for x in w * 1.0:
        if x > 4:
            break
        w = w + x
    w[1] = n * 1.0
    return u, w


@PROGRAMS.add((V, 3.0), (W, 2.0))
def rec_best(xs, t):
    best = xs * 0.0
    cur = best
    for x in xs:
        if x > t:
            cur = best + x
        cur[0] = x
        best[1] += cur[0]
    return best, cur


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def tuple_state(w, n):
    a, b = w * 1.0, w * 2.0
    for i in range(n):
        a, b = b, a + b
    b[0] = 1.5
    return a, b


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def whiles(w, n):
    a = w * 1.0
    c = a
    while n > 0:
        a = a - 1.0
        n -= 1
    c[0] = 9.0
    a[1] = 8.0
    return a, c


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1), gradients=False)
def nested_1(w, n):
    w = w * 1.0
    keep = [w]
    for i in range(n):
        for j in range(i):
            w[j] = w[j] + 1.0
            if w[0] > 2:
                w = w * 0.5
    return keep[0], w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1), gradients=False)
def nested_2(w, n):
    w = w * 1.0
    keep = [w]
    for i in range(n):
        for j in range(i):
            w[j] = w[j] + 1.0
            w = w * 0.5
    return keep[0], w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1), gradients=False)
def nested_3(w, n):
    w = w * 1.0
    keep = [w]
    for i in range(n):
        for j in range(i):
            w[j] = w[j] + 1.0
    return keep[0], w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1), gradients=False)
def after_condition(w, n):
    w = w * 1.0
    keep = [w]
    for i in range(n):
        if w[0] > 2:
            w = w * 0.5
        w[1] += 1.0
    return keep[0], w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1), gradients=False)
def before_condition(w, n):
    w = w * 1.0
    keep = [w]
    for i in range(n):
        w[1] += 1.0
        if w[0] > 2:
            w = w * 0.5
    return keep[0], w


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def exchanged(w, n):
    u = w * 1.0
    v = w * 2.0
    for i in range(n):
        for j in range(1, 5):
            v[j] = u[j - 1] * 0.5 + v[j]
        u, v = v, u
    v[0] += 1.0
    return u, v


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def passed_on(w, n):
    a = w * 1.0
    b = w * 2.0
    c = w * 3.0
    for i in range(n):
        a[i] += b[0]
        fresh = c * 0.5
        a, b, c = b, fresh, a
        c[1] += 1.0
    a[2] = 0.25
    return a, b, c


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def exchanged_and_held(w, n):
    u = w * 1.0
    v = w * 2.0
    held = u
    for i in range(n):
        u[i] += held[1]
        u, v = v, u
    held[0] = 4.0
    return u, v, held


@PROGRAMS.add((V, 3), (W, 2), (W, 0), (W, 1))
def exchanged_and_taken(w, n):
    u = w * 1.0
    v = w * 2.0
    taken = w * 3.0
    for i in range(n):
        u[i] += taken[1]
        taken = u
        u, v = v, u
        taken[2] += 1.0
    taken[0] = 4.0
    return u, v, taken


@PROGRAMS.add((V,), (W,))
def rolled_and_exchanged(w):
    u = w * 1.0
    v = w * 2.0
    u[1] = 3.0
    for i in range(90):
        v[0] = 0.5 * u[0] + i
        u, v = v, u
        u[1] += 0.25
    v[2] = 4.0
    return u, v


@PROGRAMS.add((V,), (W,))
def rolled_exchanged_and_held(w):
    u = w * 1.0
    v = w * 2.0
    held, argument = u, w
    u[1] = 3.0
    for i in range(91):
        v[0] = 0.5 * u[0] + i
        u, v = v, u
        u[1] += 0.25
    held[0] = 4.0
    argument[2] = 5.0
    return u, v, held


def test_what_rolled_turns_exchange_is_not_compared():
    @ag.function
    def distance(a, b):
        above = np.arange(len(b) + 1)
        row = np.zeros(len(b) + 1, dtype=np.int64)
        for i in range(len(a)):
            row[0] = i + 1
            for j in range(len(b)):
                cost = 0 if a[i] == b[j] else 1
                row[j + 1] = min(above[j + 1] + 1, row[j] + 1, above[j] + cost)
            above, row = row, above
        return above[-1]

    a, b = np.arange(80) % 7, np.arange(90) % 5
    assert distance(a, b) == distance.python_function(a, b)
    graph = distance.get_concrete_function(ag.constant(a), ag.constant(b)).graph
    assert all(node.op.name != "where" for node in graph.walk())


def test_what_turns_exchange_is_not_compared():
    @ag.function
    def f(w, n):
        u = w * 1.0
        v = w * 2.0
        for i in range(n):
            u[i] += 1.0
            u, v = v, u
        return u, v

    graph = f.get_concrete_function(ag.constant(V), ag.constant(3)).graph
    assert all(node.op.name != "where" for node in graph.walk())


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_lists_that_turns_make_are_not_told_apart_for_long() -> None:
    """Each pass found the list that the one before had made to be another one that this may be: 40 passes, or no end."""
    traced: list[int] = []

    @ag.autograph.experimental.do_not_convert
    def note() -> None:
        traced.append(0)

    def program(v, x, n):
        xs = [x, x + 1]
        for e in v:
            for _ in (x, e):
                note()
                c = n % 6
                while (c := c - 1) > 0:
                    xs = list(xs)
        xs[0] = x * 2
        return xs

    got = ag.function(program)(ag.constant([1.0, 2.0]), ag.constant(3.0), ag.constant(4))
    assert [float(e) for e in got] == [6.0, 4.0]
    assert len(traced) < 100
