"""Gradients of recursion cost as much as some calls of it, at any depth, and any order of them."""

import sys

import numpy as np
import pytest

import autograph as ag


@ag.function
def chain(x, n):
    if n <= 0:
        return x
    return ag.sin(chain(x * 1.01, n - 1)) + x


def by_forward_mode(x, n):
    value, slope = x * 1.01**n, 1.01**n
    for k in range(n - 1, -1, -1):
        value, slope = np.sin(value) + x * 1.01**k, np.cos(value) * slope + 1.01**k
    return value, slope


def gradient(x, n):
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = chain(x, n)
    return y, tape.gradient(y, x)


def test_ten_thousand_calls_deep():
    y, dx = gradient(ag.constant(1e-6, ag.float64), ag.constant(10_000))
    value, slope = by_forward_mode(1e-6, 10_000)
    np.testing.assert_allclose([y.numpy(), dx.numpy()], [value, slope], rtol=1e-10)


def calls_of_gradient(n):
    x, n = ag.constant(0.25, ag.float64), ag.constant(n)
    gradient(x, n)
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith("<plan")

    sys.setprofile(profile)
    try:
        gradient(x, n)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.skipif("config.getoption('native')", reason="it counts calls of the NumPy plan")
def test_the_cost_is_linear_in_the_depth():
    assert 400 < calls_of_gradient(400) < 2.2 * calls_of_gradient(200)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_second_derivative(n):
    x, h = ag.constant(0.3, ag.float64), 1e-5
    with ag.GradientTape() as tape:
        tape.watch(x)
        dx = gradient(x, ag.constant(n))[1]
    ddx = tape.gradient(dx, x, unconnected_gradients="zero")
    want = (by_forward_mode(0.3 + h, n)[1] - by_forward_mode(0.3 - h, n)[1]) / (2 * h)
    np.testing.assert_allclose(ddx.numpy(), want, rtol=1e-6, atol=1e-8)


def test_inside_a_staged_loop_and_branch():
    @ag.function
    def f(xs, n):
        total = 0.0
        for x in xs:
            if x > 0:
                total = total + chain(x, n) ** 2
        return total

    @ag.function
    def slopes(xs, n):
        with ag.GradientTape() as tape:
            tape.watch(xs)
            y = f(xs, n)
        return tape.gradient(y, xs)

    xs = ag.constant([0.1, -0.2, 0.3], ag.float64)
    want = [2 * v * d if x > 0 else 0.0 for x in (0.1, -0.2, 0.3) for v, d in [by_forward_mode(x, 5)]]
    np.testing.assert_allclose(slopes(xs, ag.constant(5)).numpy(), want, rtol=1e-10)
