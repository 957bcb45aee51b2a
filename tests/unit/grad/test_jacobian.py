"""Jacobians, eagerly and in graphs."""

import numpy as np
import pytest

from runtime.grad.tape import GradientTape
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType
from tests.unit.grad.interpret import build, run

A = np.arange(6.0).reshape(2, 3) + 1


def f(x):
    return x * x * op.sum(x)


def expected(x):
    n = x.size
    d = np.diag(2 * x.ravel() * x.sum()) + np.outer(x.ravel() ** 2, np.ones(n))
    return d.reshape(*x.shape, *x.shape)


def jacobian(x):
    with GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.jacobian(y, {"x": x})["x"]


def rows(x):
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x * op.reshape(op.sum(x, axis=1), shape=(2, 1)) if x.type.shape[0] == 2 else x * x
    return tape.batch_jacobian(y, x)


def test_eager():
    np.testing.assert_allclose(jacobian(Tensor(A)).numpy(), expected(A))
    got = rows(Tensor(A)).numpy()
    for g, a in zip(got, A):
        np.testing.assert_allclose(g, expected(a))


@pytest.mark.parametrize("shape", [(2, 3), (Dim(), 3), (Dim(), Dim())])
def test_staged(shape):
    kind = TensorType("float64", shape)
    np.testing.assert_allclose(run(build(jacobian, kind), [A])[0], expected(A))
    got = run(build(rows, kind), [A])[0]
    for g, a in zip(got, A):
        np.testing.assert_allclose(g, expected(a) if kind.shape[0] == 2 else np.diag(2 * a))


def test_unconnected_and_errors():
    x, z = Tensor(A), Tensor(A + 1)
    with GradientTape(persistent=True) as tape:
        tape.watch([x, z])
        y = op.sum(x, axis=0)
    first, second = tape.jacobian(y, [x, z])
    assert first.numpy().shape == (3, 2, 3)
    assert second is None
    with pytest.raises(ValueError, match="Need first dimension"):
        tape.batch_jacobian(y, x)


def test_hessian_by_nested_tapes():
    x = Tensor(A)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = op.sum(x * x * x)
        g = inner.gradient(y, x)
    h = outer.jacobian(g, x).numpy().reshape(6, 6)
    np.testing.assert_allclose(h, np.diag(6 * A.ravel()))
