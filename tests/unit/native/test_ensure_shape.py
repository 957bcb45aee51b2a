"""Shapes that are checked in native code, and what is known from there on."""

import numpy as np
import pytest

import autograph as ag
from runtime.typesys.errors import ShapeError
from tests.unit.native.both import check

X = np.arange(12, dtype=np.float32).reshape(6, 2)


def batches(x, w):
    total = ag.zeros((2, 2))
    for i in ag.range(6):
        rows = x[(i % 3) * 2 : (i % 3) * 2 + 2]
        rows.set_shape((2, 2))
        total += rows @ w
    return total


def whole(x, k):
    part = ag.ensure_shape(x[k:], (None, 2))
    return part * 2, ag.ensure_shape(k, ()), ag.ensure_shape(x, (6, None)), ag.ensure_shape(x, None)


def test_shapes_that_fit(monkeypatch):
    check(batches, X, np.eye(2, dtype=np.float32), monkeypatch=monkeypatch, islands=())
    check(whole, X, np.int32(2), monkeypatch=monkeypatch, islands=())


def test_a_shape_that_does_not_fit():
    @ag.function(jit_compile=True)
    def f(x, k):
        return ag.ensure_shape(x[k : k + 3], (3, 2)) + 1

    x = ag.constant(X)
    np.testing.assert_array_equal(f(x, ag.constant(1)).numpy(), X[1:4] + 1)
    with pytest.raises(ShapeError, match="compatible"):
        f(x, ag.constant(4))


def test_gradients_of_an_array_written_until_a_break(monkeypatch):
    def f(x, limit):
        with ag.GradientTape() as tape:
            tape.watch(x)
            out = ag.TensorArray(ag.float32, size=6, element_shape=(2,))
            h = ag.zeros((2,))
            for t in ag.range(6):
                if ag.cast(t, ag.float32) > limit:
                    break
                h = ag.tanh(x[t] + h)
                out = out.write(t, h)
            total = ag.reduce_sum(out.stack() ** 2)
        return total, tape.gradient(total, x)

    for limit in (-1.0, 2.5, 9.0):
        check(f, X / 10, np.float32(limit), monkeypatch=monkeypatch, islands=())
