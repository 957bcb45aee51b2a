"""Gradients through branches, loops and recursion, against central differences to second order."""

import numpy as np
import pytest

from runtime.tensor.dispatch import op
from runtime.typesys.spec import TensorType
from tests.unit.grad.checks import check
from tests.unit.grad.interpret import build, call, cond, for_loop, while_loop

X = np.float64(0.7)
Y = np.float64(-1.3)


def less(a, b):
    return op.less(a, b)


def test_straight_line():
    check(lambda x, y: x * y * x + y, X, Y)


def test_broadcast():
    check(lambda x, v: op.sum(x * v * v + v), X, np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("x", [0.7, 2.5])
def test_cond(x):
    def f(x, y):
        return cond(less(x, 1.0), lambda: x * x * y, lambda: (y * y + x * 3.0) * x)[0]

    check(f, np.float64(x), Y)


def test_cond_with_one_sided_use_and_integer():
    def f(x, y):
        a, n, b = cond(less(x, 1.0), lambda: (x * y, 2, y), lambda: (x, 3, x))
        return a * b + a

    check(f, X, Y)
    check(f, np.float64(1.7), Y)


def test_nested_cond():
    def f(x, y):
        def inner():
            t = x * y
            return cond(less(y, 0.0), lambda: t * t * x, lambda: t + x)

        return cond(less(x, 1.0), inner, lambda: (x * y * y,))[0]

    for x in (0.7, 1.7):
        for y in (-1.3, 1.3):
            check(f, np.float64(x), np.float64(y))


@pytest.mark.parametrize("trips", [0, 1, 5])
def test_for(trips):
    def f(x, y, n):
        return for_loop(n, lambda i, s: s * x + y * s, x)[0]

    check(f, X, Y, trips)


@pytest.mark.parametrize("trips", [0, 1, 4])
def test_for_uses_index_invariants_and_drops_unused(trips):
    def f(x, y, n):
        def body(i, s, unused, k, t):
            return s + x * op.cast(i, dtype=s.dtype) * y, unused * 2.0, k + 1, t * y

        s, unused, k, t = for_loop(n, body, x, y, 0, y)
        return s * y + t

    check(f, X, Y, trips)


def test_for_swaps():
    def f(x, y, n):
        a, b = for_loop(n, lambda i, a, b: (b, a * b), x, y)
        return a * 2.0 + b

    for n in (0, 1, 2, 5):
        check(f, X, Y, n)


@pytest.mark.parametrize("limit", [0.0, 2.0, 40.0])
def test_while(limit):
    def f(x, y, limit):
        s, n = while_loop(lambda s, n: less(s, limit), lambda s, n: (s * 1.5 + x * y * y, n + 1), x * x + 0.1, 0)
        return s * s

    graph_arguments = (X, Y)
    check(lambda x, y: f(x, y, limit), *graph_arguments)


def test_weak_carried():
    def f(x, n):
        w, s = for_loop(n, lambda i, w, s: (w * 1.5 + 1.0, s + x * w * x), 1.0, x)
        return s * w

    check(f, X, 3)


def test_loop_in_loop():
    def f(x, y, n):
        def outer(i, s):
            inner = for_loop(i, lambda j, t: t * x + s * y, s)[0]
            return inner * 0.5 + s

        return for_loop(n, outer, x)[0]

    for n in (0, 1, 3):
        check(f, X, Y, n)


def test_cond_in_while_in_cond_in_for():
    def f(x, y, n):
        def body(i, s, t):
            def deep():
                def step(u, k):
                    return cond(less(u, 1.0), lambda: (u * u + x * t, k + 1), lambda: (u * 1.2 + y * s * s, k + 2))

                u, k = while_loop(lambda u, k: less(k, 5), step, s, 0)
                return u * t, t

            a, b = cond(less(s, 1.5), deep, lambda: (s * 0.4, t * s + x))
            return a, b * 0.7

        s, t = for_loop(n, body, x, y)
        return s * t + s

    for n in (0, 1, 4):
        check(f, X, Y, n, tolerance=2e-6)


def test_vectors_in_loop():
    def f(x, v, n):
        def body(i, s):
            return s * v + x

        return op.sum(for_loop(n, body, v)[0] * v)

    check(f, X, np.array([0.5, -0.2, 1.1]), 3)


def test_stop_gradient_and_integers_cut():
    def f(x, n):
        def body(i, s):
            return s + op.stop_gradient(s) * x * 0.0 + x * s

        return for_loop(n, body, x)[0]

    check(f, X, 2, orders=1)


def test_recursion():
    kind = TensorType("float64", ())
    functions = {}

    def power(x, y, n):
        def more():
            return (call("power", [kind], x, y * x, n + -1)[0] * x + y,)

        return cond(less(0, n), more, lambda: (x * y,))

    functions["power"] = build(power, kind, kind, TensorType("int64", (), weak=True), name="power", functions=functions)
    for n in (0, 1, 3):
        check_in(functions, lambda x, y, n: call("power", [kind], x, y, n)[0], X, Y, n)


def test_recursion_in_loop():
    kind = TensorType("float64", ())
    functions = {}

    def tree(x, n):
        def more():
            return (call("tree", [kind], x * 0.5, n + -1)[0] * call("tree", [kind], x + 0.1, n + -1)[0] + x,)

        return cond(less(0, n), more, lambda: (x * x,))

    functions["tree"] = build(tree, kind, TensorType("int64", (), weak=True), name="tree", functions=functions)

    def f(x, y, n):
        return for_loop(n, lambda i, s: s * y + call("tree", [kind], s, 2)[0], x)[0]

    check_in(functions, f, X, Y, 3)


def check_in(functions, fn, *arguments):
    import tests.unit.grad.checks as checks

    before = checks.build
    checks.build = lambda f, *examples: build(f, *examples, functions=functions)
    try:
        check(fn, *arguments)
    finally:
        checks.build = before
