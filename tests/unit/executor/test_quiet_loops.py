"""Kernels that keep warnings away do so once around a loop, not at every call."""

import warnings

import numpy as np
import pytest

import autograph as ag


def cell(xs, w, h):
    """A gated recurrent step in a loop."""
    for x in xs:
        gate, new = ag.split(ag.concat([x, h], 1) @ w, 2, axis=1)
        gate = ag.sigmoid(gate)
        h = gate * h + (1 - gate) * ag.tanh(new)
    return h


def by_hand(xs, w, h):
    with np.errstate(over="ignore"):
        for x in xs:
            gate, new = np.split(np.concatenate([x, h], 1) @ w, 2, axis=1)
            gate = 1 / (1 + np.exp(-gate))
            h = gate * h + (1 - gate) * np.tanh(new)
    return h


def arguments(scale):
    random = np.random.default_rng(0)
    return [(random.standard_normal(s) * scale).astype("float32") for s in ((6, 3, 4), (9, 10), (3, 5))]


@pytest.mark.parametrize("scale", [0.3, 30.0])
def test_sigmoid_in_a_loop_does_not_warn(scale):
    plan = ag.function(cell, jit_compile=False)
    given = arguments(scale)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = plan(*given)
    np.testing.assert_allclose(made, by_hand(*given), rtol=1e-5, atol=1e-6)
    source = plan.get_concrete_function(*given).executable.source
    assert source.count("with errstate(over='ignore'):") == 1
    assert "op_sigmoid(" not in source


def test_loops_in_loops_that_end_early_and_values_that_come_from_outside():
    def f(x, n):
        y = ag.sigmoid(x)
        k = 0
        while ag.reduce_sum(y) > 0.01 and k < n:
            for i in ag.range(3):
                y = y * ag.sigmoid(x * 100.0 - ag.cast(i, ag.float32))
                if ag.reduce_max(y) < 1e-3:
                    break
            k += 1
        return ag.sigmoid(y), k

    x = np.linspace(-20, 20, 9).astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made, turns = ag.function(f, jit_compile=False)(x, ag.constant(4))
        want, count = f(ag.constant(x), ag.constant(4))
    np.testing.assert_allclose(made, want, rtol=1e-6)
    assert int(turns) == int(count)


def test_warnings_are_back_after_a_loop():
    def f(x):
        for _ in ag.range(3):
            x = ag.sigmoid(x)
        return ag.exp(x * 1000.0)

    with pytest.warns(RuntimeWarning, match="overflow"):
        ag.function(f, jit_compile=False)(np.ones(4, "float32"))


def test_many_outside_of_loops_do_so_once_around_all():
    def layers(x):
        for _ in range(5):
            x = ag.sigmoid(x * 40.0)
        return x

    x = np.linspace(-20, 20, 9).astype("float32")
    plan = ag.function(layers, jit_compile=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = plan(x)
    wanted = x
    with np.errstate(over="ignore"):
        for _ in range(5):
            wanted = 1 / (1 + np.exp(-(wanted * np.float32(40))))
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    source = plan.get_concrete_function(x).executable.source
    assert source.count("errstate(over='ignore'):") == 1
    assert "op_sigmoid(" not in source
