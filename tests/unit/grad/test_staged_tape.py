"""GradientTape while a graph is built: inside loops and branches, across them, with intervals and watch."""

import numpy as np
import pytest

from runtime.grad.staged_calls import TapedGraph
from runtime.grad.tape import GradientTape
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from tests.unit.grad.checks import check, differences
from tests.unit.grad.interpret import build, cond, for_loop, run, while_loop

X = np.float64(0.7)
Y = np.float64(-1.3)


def values(fn, *arguments):
    return run(build(fn, *arguments), list(arguments))


def test_tape_inside_a_loop_body():
    def descend(x, y, n):
        def step(i, x):
            with GradientTape() as tape:
                tape.watch(x)
                loss = (x - y) * (x - y) * x
            return x - tape.gradient(loss, x) * 0.05

        return for_loop(n, step, x)[0]

    x = X
    for _ in range(4):
        x = x - 0.05 * (2 * (x - Y) * x + (x - Y) ** 2)
    np.testing.assert_allclose(values(descend, X, Y, 4), [x])
    check(descend, X, Y, 3)  # and through it


def test_tape_inside_a_branch_of_outer_values():
    def f(x, y):
        def then():
            with GradientTape() as tape:
                tape.watch([x, y])
                z = x * x * y
            return tuple(tape.gradient(z, [x, y]))

        a, b = cond(op.less(x, 1.0), then, lambda: (x, y))
        return a * 3.0 + b

    np.testing.assert_allclose(values(f, X, Y), [6 * X * Y + X * X])
    check(f, X, Y)


def test_tape_opened_outside_asked_inside():
    def f(x, y, n):
        with GradientTape(persistent=True) as tape:
            tape.watch(x)
            z = for_loop(n, lambda i, s: s * x + y, x)[0]

        def step(i, s):
            return s + tape.gradient(z, x) * y * s

        return for_loop(n, step, y)[0]

    check(f, X, Y, 3)


def test_tape_opened_inside_asked_outside():
    def f(x, y):
        kept = []

        def then():
            tape = GradientTape(persistent=True)
            kept.append(tape)
            with tape:
                tape.watch(x)
                return (x * x * y,)

        z = cond(op.less(x, 1.0), then, lambda: (y,))[0]
        z = z * x  # not recorded: constant for the tape
        return kept[0].gradient(z, x)

    def g(x, y):
        kept = []

        def then():
            tape = GradientTape(persistent=True)
            kept.append(tape)
            with tape:
                tape.watch(x)
                return (x * x * y,)

        z = cond(op.less(x, 1.0), then, lambda: (y,))[0]
        return kept[0].gradient(z, x)

    np.testing.assert_allclose(values(g, X, Y), [2 * X * Y])
    with pytest.raises((AttributeError, TypeError, Exception)):
        values(f, X, Y)  # None: the product was not recorded


def test_recorded_intervals():
    def f(x):
        with GradientTape(persistent=True) as tape:
            before = x * x
            tape.watch(x)
            a = x * x
            with tape.stop_recording():
                b = x * x
            c = before + a + b
        return tape.gradient(c, x)

    np.testing.assert_allclose(values(f, X), [2 * X])


def test_stop_recording_inside_a_loop():
    def f(x, n):
        with GradientTape() as tape:
            tape.watch(x)

            def body(i, s):
                with tape.stop_recording():
                    k = x * x
                return s * k + x

            s = for_loop(n, body, x)[0]
        return tape.gradient(s, x)

    k = X * X
    np.testing.assert_allclose(values(f, X, 3), [k**3 + k**2 + k + 1])


def test_persistent_twice_saves_once():
    def f(x, n):
        with GradientTape(persistent=True) as tape:
            tape.watch(x)
            s = while_loop(lambda s, k: op.less(k, n), lambda s, k: (s * x * s, k + 1), x, 0)[0]
        return tape.gradient(s, x) + tape.gradient(s * 1.0, x, unconnected_gradients="zero") + tape.gradient(s, x)

    graph = build(f, X, 2)
    loop = next(n for n in graph.nodes if n.op.name == "while_loop")
    once = build(lambda x, n: _once(x, n), X, 2)
    assert loop.carried == next(n for n in once.nodes if n.op.name == "while_loop").carried
    np.testing.assert_allclose(run(graph, [X, 2]), [2 * 7 * X**6])


def _once(x, n):
    with GradientTape() as tape:
        tape.watch(x)
        s = while_loop(lambda s, k: op.less(k, n), lambda s, k: (s * x * s, k + 1), x, 0)[0]
    return tape.gradient(s, x)


def test_inner_loops_save_nothing_that_is_not_needed():
    def f(x, n):
        with GradientTape() as tape:
            tape.watch(x)
            s = for_loop(n, lambda i, s: s + x * 2.0, x)[0]
        return tape.gradient(s, x)

    graph = build(f, X, 2)
    loops = [n for n in graph.nodes if n.op.name == "for_loop"]
    assert loops[0].carried == 1
    np.testing.assert_allclose(run(graph, [X, 2]), [5.0])


def test_lists_carry_gradients():
    def f(x, n):
        empty = Tensor(_new_list(x))
        filled = for_loop(n, lambda i, s, items: (s * x, op.list_append(items, s * s)), x, empty)[1]

        def back(i, total, items):
            items, last = op.list_pop(items, -1)
            return total * x + last, items

        total, _ = for_loop(n, back, x, filled)
        return total

    check(f, X, 4)


def test_list_read_by_index():
    def f(x, n):
        filled = for_loop(n, lambda i, s, items: (s * x, op.list_append(items, s * s)), x, Tensor(_new_list(x)))[1]
        return for_loop(n, lambda i, t: t * x + op.list_get(filled, i), x)[0]

    check(f, X, 4)


def _new_list(x):
    return op.list_new(element=x.type)._value


def test_staged_calls_under_eager_tapes():
    def f(x, y, n):
        s, k = while_loop(lambda s, k: op.less(k, n), lambda s, k: (s * x * s + y, k + 1), x, 0)
        return [s * y, k, x]

    graph = build(f, X, Y, 3)
    calls = []

    def compile(g):
        def call(*arrays):
            calls.append(g)
            return run(g, list(arrays))

        return call

    taped = TapedGraph(graph, compile)
    value = lambda x, y: run(graph, [x, y, 3])[0]
    x, y = Tensor(X + 0), Tensor(Y + 0)
    with GradientTape(persistent=True) as outer:
        outer.watch([x, y])
        with GradientTape() as inner:
            inner.watch(x)
            z = Tensor(taped.run([x._value, y._value, 3])[0])
            z = z * z
        dx = inner.gradient(z, x)
    squared = lambda x, y: value(x, y) ** 2
    np.testing.assert_allclose(dx.numpy(), differences(squared, [X, Y], 0), rtol=1e-6)
    first = lambda x, y: differences(squared, [x, y], 0, 1e-5)
    np.testing.assert_allclose(outer.gradient(dx, y).numpy(), differences(first, [X, Y], 1, 1e-4), rtol=1e-4)
    np.testing.assert_allclose(outer.gradient(dx, x).numpy(), differences(first, [X, Y], 0, 1e-4), rtol=1e-4)
    with GradientTape() as tape:
        tape.watch([x, y])
        calls.clear()
        a, k, same = (Tensor(p) for p in taped.run([x._value, y._value, 3]))
        b = a * same
    g = tape.gradient(b, [x, y])
    assert len(calls) == 2  # forward once, backward once
    product = lambda x, y: value(x, y) * x
    np.testing.assert_allclose([g[0].item(), g[1].item()], [differences(product, [X, Y], k) for k in (0, 1)], rtol=1e-6)
