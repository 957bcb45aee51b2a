"""NumPy's functions on tensors are NumPy's on arrays, eager and staged."""

import numpy as np
import pytest

import autograph as ag

X = np.arange(6, dtype="float32").reshape(2, 3) + 1
SQUARE = np.array([[2.0, 1.0], [1.0, 3.0]], "float32")

CALLS = {
    "sum": lambda a: np.sum(a, axis=1),
    "mean": lambda a: np.mean(a),
    "prod": lambda a: np.prod(a, axis=0, keepdims=True),
    "max": lambda a: np.max(a, axis=1),
    "min": lambda a: np.min(a),
    "var": lambda a: np.var(a, axis=0),
    "std": lambda a: np.std(a),
    "argmax": lambda a: np.argmax(a),
    "argmin": lambda a: np.argmin(a, axis=1),
    "cumsum": lambda a: np.cumsum(a),
    "cumprod": lambda a: np.cumprod(a, axis=1),
    "dot": lambda a: np.dot(a, a.T),
    "tensordot": lambda a: np.tensordot(a, a, 2),
    "einsum": lambda a: np.einsum("ij,ij->i", a, a),
    "outer": lambda a: np.outer(a, a),
    "reshape": lambda a: np.reshape(a, (3, 2)),
    "ravel": lambda a: np.ravel(a),
    "transpose": lambda a: np.transpose(a),
    "transpose_axes": lambda a: np.transpose(a, (1, 0)),
    "expand_dims": lambda a: np.expand_dims(a, 1),
    "squeeze": lambda a: np.squeeze(np.expand_dims(a, 0)),
    "squeeze_axis": lambda a: np.squeeze(np.expand_dims(a, 0), axis=0),
    "broadcast_to": lambda a: np.broadcast_to(a, (2, 2, 3)),
    "concatenate": lambda a: np.concatenate([a, a], axis=1),
    "stack": lambda a: np.stack([a, a], axis=1),
    "vstack": lambda a: np.vstack([a, a]),
    "hstack": lambda a: np.hstack([a, a]),
    "where": lambda a: np.where(a > 2, a, 0.0),
    "clip": lambda a: np.clip(a, 2, 4),
    "zeros_like": lambda a: np.zeros_like(a),
    "ones_like": lambda a: np.ones_like(a),
    "full_like": lambda a: np.full_like(a, 3),
    "take": lambda a: np.take(a, [0, 1], axis=1),
    "tile": lambda a: np.tile(a, (1, 2)),
    "repeat": lambda a: np.repeat(a, 2, axis=0),
    "flip": lambda a: np.flip(a),
    "flip_axis": lambda a: np.flip(a, 0),
    "roll": lambda a: np.roll(a, 1),
    "roll_axis": lambda a: np.roll(a, 1, axis=1),
    "sort": lambda a: np.sort(-a),
    "argsort": lambda a: np.argsort(-a),
    "norm": lambda a: np.linalg.norm(a),
    "round": lambda a: np.round(a * 1.26, 1),
    "copy": lambda a: np.copy(a),
    "swapaxes": lambda a: np.swapaxes(a, 0, 1),
    "moveaxis": lambda a: np.moveaxis(a, 0, 1),
    "add.reduce": lambda a: np.add.reduce(a),
    "matmul": lambda a: np.matmul(a, a.T),
    "power": lambda a: np.power(a, 2),
    "divmod": lambda a: np.divmod(a, 2)[0],
    "tanh": lambda a: np.tanh(a),
    "maximum": lambda a: np.maximum(a, 2),
}
SQUARE_CALLS = {
    "diag": lambda a: np.diag(a),
    "inv": lambda a: np.linalg.inv(a),
    "det": lambda a: np.linalg.det(a),
    "solve": lambda a: np.linalg.solve(a, a),
    "cholesky": lambda a: np.linalg.cholesky(a),
    "trace": lambda a: np.trace(a),
}
ALL = [pytest.param(f, X, id=k) for k, f in CALLS.items()]
ALL += [pytest.param(f, SQUARE, id=k) for k, f in SQUARE_CALLS.items()]


@pytest.mark.parametrize(("f", "x"), ALL)
@pytest.mark.parametrize("staged", [False, True], ids=["eager", "staged"])
def test_as_on_arrays(f, x, staged):
    got = (ag.function(f) if staged else f)(ag.constant(x))
    assert ag.is_tensor(got)
    np.testing.assert_allclose(got.numpy(), f(x), atol=1e-5)
    assert got.shape == np.shape(f(x))
