"""Loops do not save values of which their gradients want nothing but the size."""

import numpy as np
import pytest

import autograph as ag
from runtime.ir.text import graph_text

X, W = np.random.default_rng(0).standard_normal((2, 4, 4))


def loss(x, w, steps):
    s = x
    for _ in steps:
        both = ag.concat([s @ w, s * 2.0], axis=1)
        a, b = both[:, :4], both[:, 4:]
        s = ag.tanh(a) * ag.sigmoid(b)
    return ag.reduce_sum(s * s)


def slopes(x, w, steps):
    with ag.GradientTape() as tape:
        tape.watch([x, w])
        y = loss(x, w, steps)
    return tape.gradient(y, [x, w])


@pytest.mark.parametrize("jit", [False, True])
def test_what_is_only_cut_is_not_saved(jit):
    staged = ag.function(lambda x, w: slopes(x, w, ag.range(5)), jit_compile=jit)
    x, w = ag.constant(X), ag.constant(W)
    for got, want in zip(staged(x, w), slopes(x, w, range(5)), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10)
    text = graph_text(staged.get_concrete_function(x, w).graph)
    assert "index_grad" in text or "index_add" in text
    assert "list<float64[4,8]>" not in text


def test_what_is_also_read_is_saved():
    def f(x, w):
        with ag.GradientTape() as tape:
            tape.watch(w)
            s = x
            for _ in ag.range(4):
                whole = ag.concat([s @ w, s], axis=1)
                s = whole[:, :4] * ag.reduce_sum(whole * whole) * 0.01
            y = ag.reduce_sum(s)
        return tape.gradient(y, w)

    x, w = ag.constant(X), ag.constant(W)
    point, step = W.copy(), 1e-6
    got = ag.function(f, jit_compile=False)(x, w).numpy()

    def value(w):
        s = X
        for _ in range(4):
            whole = np.concatenate([s @ w, s], 1)
            s = whole[:, :4] * (whole * whole).sum() * 0.01
        return s.sum()

    for place in ((0, 0), (1, 3), (3, 2)):
        up, down = point.copy(), point.copy()
        up[place] += step
        down[place] -= step
        np.testing.assert_allclose(got[place], (value(up) - value(down)) / (2 * step), rtol=1e-5)
