"""Gradients of the factors of a matrix where only some of them are used."""

import numpy as np
import pytest

import autograph as ag
from tests.unit.grad.checks import check

X = np.array([[3.0, 1.0, 0.5], [0.25, 2.0, -1.0], [1.0, 0.5, 4.0], [0.5, 2.5, 1.5]])
USES = {
    "singular values": lambda x: ag.reduce_sum(ag.linalg.svd(x, compute_uv=False) ** 2.0 / 3.0),
    "singular values beside the factors": lambda x: ag.reduce_sum(ag.linalg.svd(x)[0] ** 3.0),
    "q": lambda x: ag.reduce_sum(ag.linalg.qr(x)[0] ** 3.0),
    "r": lambda x: ag.reduce_sum(ag.linalg.qr(x)[1] ** 2.0),
}


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
@pytest.mark.parametrize("run", [lambda f: f, ag.function], ids=["eager", "staged"])
def test_some_factors(run, use) -> None:
    check(run(use), X, orders=1)


@pytest.mark.parametrize("run", [lambda f: f, ag.function], ids=["eager", "staged"])
def test_eigenvalues_that_are_equal_have_gradients_where_the_vectors_are_not_used(run) -> None:
    @run
    def slope(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            total = ag.reduce_sum(ag.linalg.eigvalsh(x))
        return tape.gradient(total, x)

    assert slope(ag.eye(2)).numpy().tolist() == [[1.0, 0.0], [0.0, 1.0]]
