"""Functions made in staged loops and branches, and called after them."""

import functools

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()

V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((V,), (W,))
def last_of_a_loop(xs):
    g = lambda v: v
    for x in xs:
        g = lambda v: v * x
    return g(2.0)


@PROGRAMS.add((5.1,), (9.2,), (1.0,))
def last_of_a_while(x):
    h = lambda v: v + 1
    while x > 2:
        h = lambda v: v * x
        x = x - 1.5
    return h(3.0)


@PROGRAMS.add((V,), (W,))
def defined_in_a_branch(xs):
    h = None
    for x in xs:
        if x > 1:

            def h(v):
                return v * x

    if h is None:
        return 0.0
    return h(2.0)


@PROGRAMS.add((V,), (W,))
def with_a_default(xs):
    h = lambda v: v
    for x in xs:
        h = lambda v, k=x: v * k
    return h(2.0)


@PROGRAMS.add((V,), (W,))
def in_a_list(xs):
    fs = []
    for x in xs[:3]:
        fs.append(lambda v, k=x: v * k)
    return [f(1.5) for f in fs]


@PROGRAMS.add((V, 3), (W, 2))
def made_and_called(xs, n):
    acc = functools.partial(lambda a, b: a + b, 1.0)
    s = 0.0
    for i in range(n):
        step = lambda v: acc(v) * xs[i]
        s = step(s)
    return s


@PROGRAMS.add((V,), (W,))
def composed(xs):
    def compose(f, g):
        return lambda v: f(g(v))

    h = lambda v: v
    for k in range(3):
        h = compose(h, lambda v, k=k: v * xs[k])
    return h(1.0)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
