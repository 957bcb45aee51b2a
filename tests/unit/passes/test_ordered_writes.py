"""Lists written in the order of a loop grow by appending; written otherwise they stay what they are."""

import numpy as np
import pytest

import autograph as ag

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


def in_order(x):
    out = ag.TensorArray(ag.float32, size=x.shape[0])
    for t in ag.range(x.shape[0]):
        out = out.write(t, ag.tanh(x[t]))
    return out.stack()


def counted_by_hand(x):
    count = ag.shape(x)[0]
    out = ag.TensorArray(ag.float32, size=count)
    t = 0
    while t < count:
        out = out.write(t, ag.tanh(x[t]))
        t += 1
    return out.stack()


def after_another(x):
    out = ag.TensorArray(ag.float32, size=x.shape[0])
    out = out.write(0, ag.tanh(x[0]))
    for t in ag.range(1, x.shape[0]):
        out = out.write(t, ag.tanh(x[t]))
    return out.stack()


def two_arrays(x):
    a, b = ag.TensorArray(ag.float32, 4), ag.TensorArray(ag.float32, 4)
    for t in ag.range(4):
        a, b = a.write(t, ag.sin(x[t])), b.write(t, ag.tanh(x[t]))
    return a.stack() * 0 + b.stack()


def backwards(x):
    out = ag.TensorArray(ag.float32, size=x.shape[0], element_shape=(3,))
    for t in ag.range(x.shape[0]):
        i = x.shape[0] - 1 - t
        out = out.write(i, ag.tanh(x[i]))
    return out.stack()


def by_twos(x):
    out = ag.TensorArray(ag.float32, size=4, element_shape=(3,))
    for t in ag.range(0, 4, 2):
        out = out.write(t, ag.tanh(x[t]))
        out = out.write(t + 1, ag.tanh(x[t + 1]))
    return out.stack()


def not_always(x):
    out = ag.TensorArray(ag.float32, size=4, element_shape=(3,))
    for t in ag.range(4):
        if x[t, 0] < 5:
            out = out.write(t, ag.tanh(x[t]))
    return out.stack()


def one_too_far(x):
    out = ag.TensorArray(ag.float32, size=0, dynamic_size=True, element_shape=(3,))
    for t in ag.range(x.shape[0]):
        out = out.write(t + 1, ag.tanh(x[t]))
    return out.stack()[1:]


def twice(x):
    out = ag.TensorArray(ag.float32, size=4)
    for t in ag.range(4):
        out = out.write(t, x[t])
        out = out.write(t, ag.tanh(x[t]))
    return out.stack()


ALL = [in_order, counted_by_hand, after_another, two_arrays, backwards, by_twos, not_always, one_too_far, twice]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", ALL)
def test_values_and_gradients(f, jit):
    def both(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
            total = ag.reduce_sum(y * y)
        return y, tape.gradient(total, x)

    y, slope = ag.function(both, jit_compile=jit)(ag.constant(X))
    want = np.tanh(X)
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-5)
    np.testing.assert_allclose(slope.numpy(), 2 * want * (1 - want**2), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("f", [in_order, counted_by_hand, after_another, two_arrays, twice])
def test_what_is_written_in_order_is_appended(f):
    graph = ag.function(f).get_concrete_function(ag.TensorSpec([4, 3])).graph
    assert [n.op.name for n in graph.walk() if n.op.name == "cond"] == []


@pytest.mark.parametrize("f", [backwards, not_always, one_too_far])
def test_other_orders_stay(f):
    graph = ag.function(f).get_concrete_function(ag.TensorSpec([4, 3])).graph
    assert "cond" in [n.op.name for n in graph.walk()]
