"""custom_gradient, gradients, hessians, jvp."""

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.grad.functional import custom_gradient, gradients, hessians, jvp
from runtime.grad.recompute import recompute_grad
from runtime.grad.tape import GradientTape
from runtime.ir.walk import clone
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from tests.unit.grad.checks import check
from tests.unit.grad.interpret import build, cond, for_loop, run

X, Y = np.float64(0.7), np.float64(-1.3)


@custom_gradient
def cubed(x):
    y = x * x * x

    def grad(dy):
        return dy * 3.0 * x * x

    return y, grad


@custom_gradient
def wrong_on_purpose(x, y):
    both = x * y

    def grad(da, db):
        return da * 10.0 + db * y, None

    return (both, x + y), grad


def values(fn, *arguments):
    graph = build(fn, *arguments)
    got = run(graph, list(arguments))
    for a, b in zip(compile_graph(clone(graph))(*arguments), got):
        np.testing.assert_allclose(a, b)
    return got


def test_eager_and_nested():
    x = Tensor(X)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = cubed(x) * 2.0
        g = inner.gradient(y, x)
    np.testing.assert_allclose(g.numpy(), 6 * X * X)
    np.testing.assert_allclose(outer.gradient(g, x).numpy(), 12 * X)


def test_own_gradient_wins():
    x, y = Tensor(X), Tensor(Y)
    with GradientTape() as tape:
        tape.watch([x, y])
        a, b = wrong_on_purpose(x, y)
        z = a + b * 2.0
    dx, dy = tape.gradient(z, [x, y])
    np.testing.assert_allclose(dx.numpy(), 10.0 + 2 * Y)
    assert dy is None


def test_staged():
    def f(x, y):
        with GradientTape() as tape:
            tape.watch([x, y])
            a, b = wrong_on_purpose(x * 2.0, y)
            z = a + b * 2.0
        dx, dy = tape.gradient(z, [x, y])
        assert dy is None
        return dx

    np.testing.assert_allclose(values(f, X, Y), [2 * (10.0 + 2 * Y)])


def test_staged_in_control_flow_to_second_order():
    def f(x, y, n):
        def body(i, s):
            return cond(op.less(s, 1.0), lambda: (cubed(s * x) + y,), lambda: (cubed(s) * 0.5,))[0]

        return for_loop(n, body, x)[0]

    check(f, X, Y, 3)


def test_identity_is_not_confused():
    @custom_gradient
    def halve(x):
        return x, lambda dy: dy * 0.5

    x = Tensor(np.array([1.0]))
    with GradientTape() as tape:
        tape.watch(x)
        y = halve(x) + x
    assert tape.gradient(y, x).tolist() == [1.5]


class Variable(Tensor):
    __slots__ = ("trainable",)

    def __init__(self, value):
        super().__init__(value)
        self.trainable = True


def test_variables():
    v = Variable(np.array(2.0))

    @custom_gradient
    def scaled(x):
        def grad(dy, variables):
            return dy * v, [dy * x * 100.0 for _ in variables]

        return x * v, grad

    x = Tensor(X)
    with GradientTape() as tape:
        tape.watch(x)
        y = scaled(x)
    dx, dv = tape.gradient(y, [x, v])
    np.testing.assert_allclose([dx.item(), dv.item()], [2.0, 70.0])

    @custom_gradient
    def careless(x):
        return x * v, lambda dy: dy

    with GradientTape(), pytest.raises(TypeError, match="variables"):
        careless(x)


def test_gradients_and_hessians():
    def f(v):
        y = op.sum(v * v * v)
        (g,) = gradients(y, v)
        (h,) = hessians(y, v)
        cut = v * 2.0
        (none,) = gradients(op.sum(cut * cut), v, stop_gradients=cut)
        assert none is None
        return g, h

    v = np.array([1.0, 2.0])
    g, h = values(f, v)
    np.testing.assert_allclose(g, 3 * v * v)
    np.testing.assert_allclose(h, np.diag(6 * v))
    with pytest.raises(RuntimeError, match="GradientTape instead"):
        gradients(Tensor(X), Tensor(Y))


def test_jvp():
    def f(x, y):
        return {"a": x * y * x, "b": y}

    result, tangent = jvp(f, [Tensor(X), Tensor(Y)], [Tensor(np.float64(2.0)), None])
    np.testing.assert_allclose(result["a"].numpy(), X * X * Y)
    np.testing.assert_allclose(tangent["a"].numpy(), 2 * X * Y * 2.0)
    assert tangent["b"].item() == 0.0

    def g(x, y, n):
        out, moved = jvp(lambda x, y: for_loop(n, lambda i, s: s * x + y, x)[0], [x, y], [y, x])
        return moved

    def direct(x, y, n):
        d, e, s = y, 0.0 * y, x
        for _ in range(n):
            d, s = d * x + s * y + x, s * x + y
        return d

    np.testing.assert_allclose(values(g, X, Y, 3), [direct(X, Y, 3)])
    check(g, X, Y, 2, orders=1)


def test_recompute():
    v = Variable(np.array(2.0))
    f = recompute_grad(lambda x, y: op.tanh(x * y) * x * v)
    x, y = Tensor(X), Tensor(Y)
    with GradientTape() as tape:
        tape.watch(x)
        z = f(x, y)
    dx, dv, dy = tape.gradient(z, [x, v, y])
    t = np.tanh(X * Y)
    np.testing.assert_allclose([dx.item(), dv.item()], [2 * (t + X * Y * (1 - t * t)), t * X])
    assert dy is None

    g = recompute_grad(lambda x, y: op.tanh(x * y) * x)
    check(lambda x, y, n: for_loop(n, lambda i, s: g(s, y) + x, x)[0], X, Y, 3)
