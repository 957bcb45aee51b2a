"""A list that is a result more than once, as where a gradient keeps it: one takes its memory, the others are copies."""

import numpy as np
import pytest

import autograph as ag


def kept_and_scaled(xs):
    kept = [x * 2 for x in xs if x > 0]
    return kept, [x * 3 for x in kept]


def twice(xs):
    kept = []
    if xs[0] > 0:
        kept.append(xs[0] * 2)
    return kept, xs[0] > 0, kept


@pytest.mark.parametrize("xs", [[3.0], [-1.0], [3.0, -2.0], [3.0, 2.0, 1.0]])
def test_results_and_gradients(xs):
    x = ag.constant(np.array(xs))
    compiled = ag.function(kept_and_scaled, jit_compile=True)
    with ag.GradientTape() as tape:
        tape.watch(x)
        kept, scaled = compiled(x)
        total = sum([*kept, *scaled], ag.constant(0.0, ag.float64))
    assert [float(v) for v in kept] == [2 * v for v in xs if v > 0]
    gradient = tape.gradient(total, x, unconnected_gradients="zero")
    np.testing.assert_array_equal(gradient, [8.0 if v > 0 else 0.0 for v in xs])


@pytest.mark.parametrize("xs", [[3.0], [-1.0]])
def test_twice(xs):
    first, positive, second = ag.function(twice, jit_compile=True)(ag.constant(np.array(xs)))
    want = [6.0] if xs[0] > 0 else []
    assert [float(v) for v in first] == want
    assert [float(v) for v in second] == want
    assert bool(positive) == bool(want)
