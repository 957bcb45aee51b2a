"""recompute_grad: the same gradients, with less kept, whatever the function does."""

import contextlib
import io

import numpy as np
import pytest

import autograph as ag

X = np.linspace(-1, 1, 5)
MODES = ["eager", "plan", "native"]


def staged(f, mode):
    return f if mode == "eager" else ag.function(f, jit_compile=mode == "native")


def both(program, mode, *args):
    """What a program gives with and without recompute_grad."""
    results = []
    for wrap in (lambda f: f, ag.recompute_grad):
        ag.random.set_seed(5)
        got = staged(lambda *a, wrap=wrap: program(wrap, *a), mode)(*args)
        results.append([None if g is None else np.asarray(g) for g in ag.nest.flatten(got)])
    return results


def same(program, mode, *args):
    for plain, again in zip(*both(program, mode, *args), strict=True):
        np.testing.assert_allclose(again, plain, rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_control_flow_variables_and_nesting(mode):
    v = ag.Variable(np.linspace(0.5, 1, 5))

    def program(wrap, x, n):
        @wrap
        def step(y):
            for _ in ag.range(n % 7):
                if ag.reduce_sum(y) > 0:
                    y = ag.tanh(y * v)
                else:
                    y = ag.sin(y + v)
            return y

        outer = wrap(lambda y, k: {"a": step(y) * v + step(y), "b": [y * k]})
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in ag.range(n):
                found = outer(y, 2.0)
                y = found["a"] * 0.5 + found["b"][0] * 0.1
            s = ag.reduce_sum(y * y)
        return tape.gradient(s, [x, v])

    same(program, mode, ag.constant(X), ag.constant(9))


@pytest.mark.parametrize("mode", MODES)
def test_second_derivatives(mode):
    def program(wrap, x):
        f = wrap(lambda x: ag.tanh(x) * x * x)
        with ag.GradientTape() as outer:
            outer.watch(x)
            with ag.GradientTape() as tape:
                tape.watch(x)
                y = f(f(x))
            dx = tape.gradient(y, x)
        return outer.gradient(dx, x)

    same(program, mode, ag.constant(X))


@pytest.mark.parametrize("mode", MODES)
def test_random_numbers_and_variables_are_as_they_were(mode):
    count = ag.Variable(0.0, trainable=False, dtype=ag.float64)
    own = ag.random.Generator.from_seed(7)

    def program(wrap, x):
        count.assign(0.0)
        own.reset_from_seed(7)

        @wrap
        def f(x):
            count.assign_add(1.0)
            return ag.tanh(x * ag.random.normal([5], dtype=ag.float64) * own.normal([5], dtype=ag.float64) * count)

        with ag.GradientTape() as tape:
            tape.watch(x)
            y = f(f(x))
        dx = tape.gradient(y, x)
        return y, dx, count.read_value(), ag.random.normal([2]), own.normal([2])

    same(program, mode, ag.constant(X))


@pytest.mark.parametrize("mode", ["plan", "native"])
def test_nothing_is_printed_or_asked_twice_in_a_graph(mode):
    calls = []

    def number():
        calls.append(None)
        return np.float64(len(calls))

    def program(x):
        @ag.recompute_grad
        def f(x):
            print("here", ag.reduce_sum(x) > 0)
            if ag.reduce_sum(x) > -1:
                print("branch")
                x = x * 2
            return ag.tanh(x * ag.py_function(number, [], ag.float64))

        with ag.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    with contextlib.redirect_stdout(io.StringIO()) as text:
        got = staged(program, mode)(ag.constant(X))
    assert text.getvalue() == "here False\nbranch\n"
    assert len(calls) == 1
    np.testing.assert_allclose(got, 2 / np.cosh(2 * X) ** 2)


def test_closure_tensors_get_their_cotangents_in_a_graph():
    @ag.function
    def program(x, a):
        with ag.GradientTape() as tape:
            tape.watch([x, a])
            y = ag.recompute_grad(lambda x: ag.sin(x * a))(x)
        return tape.gradient(y, [x, a])

    dx, da = program(ag.constant(X), ag.constant(2.0, ag.float64))
    np.testing.assert_allclose(dx, 2 * np.cos(2 * X))
    np.testing.assert_allclose(da, np.sum(X * np.cos(2 * X)))


def test_less_is_kept():
    """Ten layers of ten operations: what is live at once is one layer's, and one array for each other layer."""

    def bytes_of(wrap):
        @wrap
        def layer(x):
            for _ in range(10):
                x = ag.tanh(x) * ag.sin(x)
            return x

        @ag.function
        def program(x):
            with ag.GradientTape() as tape:
                tape.watch(x)
                y = x
                for _ in range(10):
                    y = layer(y)
            return tape.gradient(y, x)

        return program.inspect(ag.TensorSpec([1000], ag.float64)).peak.bytes

    assert bytes_of(ag.recompute_grad) < 0.45 * bytes_of(lambda f: f)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_no_tensor_passes_through(mode):
    def program(x):
        f = ag.recompute_grad(lambda x: (x, 3, None, ag.cast(x, ag.int32), x * x))
        with ag.GradientTape() as tape:
            tape.watch(x)
            same, three, nothing, whole, y = f(x)
            assert nothing is None
            z = y * three + same
        return tape.gradient(z, x), whole

    dx, whole = staged(program, mode)(ag.constant(X))
    np.testing.assert_allclose(dx, 6 * X + 1)
    np.testing.assert_array_equal(whole, X.astype(np.int32))


@pytest.mark.parametrize("mode", ["plan", "native"])
def test_own_gradients_reach_a_tape_around_the_function(mode):
    @ag.custom_gradient
    def tenfold(x):
        return x * 1.0, lambda dy: dy * 10.0

    f = staged(lambda x: tenfold(ag.recompute_grad(lambda x: ag.sin(x) * x)(x)), mode)
    x = ag.constant(X)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_allclose(y, np.sin(X) * X)
    np.testing.assert_allclose(tape.gradient(y, x), 10 * (np.cos(X) * X + np.sin(X)))


def test_functions_called_inside_write_their_variables_once():
    v = ag.Variable(np.float64(1.0), trainable=False)

    @ag.function
    def scaled(x):
        v.assign_add(1.0)
        return x * v * x

    x = ag.constant(X)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.recompute_grad(lambda x: scaled(x) + scaled(x))(x)
    dx = tape.gradient(y, x)
    assert float(v) == 3.0
    np.testing.assert_allclose(dx, 2 * X * 5)
