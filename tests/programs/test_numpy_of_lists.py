"""NumPy's functions and types of Python's lists with tensors in them, and methods of arrays that are given tensors."""

import numpy as np
import pytest

import autograph as ag

V = np.array([1.0, 2.0, 3.0])
FUNCTIONS = {
    "sum": lambda x: np.sum([x, 1.0]),
    "mean": lambda x: np.mean((x, 1.0)),
    "max_of_rows": lambda x: np.max([[x, 1.0], [2.0, 3.0]], axis=1),
    "sqrt": lambda x: np.sqrt([x, 4.0]),
    "add": lambda x: np.add([x, 1], [1, 2]),
    "hypot": lambda x: np.hypot([x], 3.0),
    "abs": lambda x: np.abs([x, -1]),
    "outer": lambda x: np.outer([1, 2], [x, 3]),
    "dot": lambda x: np.dot([x, 1.0], [1.0, 2.0]),
    "matmul": lambda x: np.matmul([[x, 1.0], [0, 1]], [1.0, 2.0]),
    "solve": lambda x: np.linalg.solve([[x, 1.0], [0.0, 1.0]], [1.0, x]),
    "norm": lambda x: np.linalg.norm([x, 1.0]),
    "einsum": lambda x: np.einsum("i,i->", [x, 1.0], [2.0, 3.0]),
    "argmax": lambda x: np.argmax([x, 1.0]),
    "std": lambda x: np.std([x, 1.0]),
    "median": lambda x: np.median([x, 1.0, 5.0]),
    "average": lambda x: np.average([x, 1.0], weights=[1.0, 3.0]),
    "cumsum": lambda x: np.cumsum([x, 1.0]),
    "sort": lambda x: np.sort([3.0, x]),
    "clip": lambda x: np.clip([x, 9.0], 0, 3),
    "diff": lambda x: np.diff([x, 7.0]),
    "polyval": lambda x: np.polyval([1.0, x], 3.0),
    "cross": lambda x: np.cross([x, 0, 0], [0, 1.0, 0]),
    "where": lambda x: np.where(x > 1, [x, 2.0], [0.0, 1.0]),
    "stack": lambda x: np.stack([[x, 1], [2, 3]]),
    "stack_of_scalars": lambda x: np.stack([x, x + 1]),
    "vstack": lambda x: np.vstack([[x, 1], [2, 3]]),
    "concatenate": lambda x: np.concatenate([[x, 1], [2]]),
    "zeros_like": lambda x: np.zeros_like([x, 1]),
    "reshape": lambda x: np.reshape([x, 1, 2, 3], (2, 2)),
    "tile": lambda x: np.tile([x, 1], 2),
    "all": lambda x: np.all([x > 1, True]),
    "isclose": lambda x: np.isclose([x, 1.0], [2.0, 1.0]),
    "size": lambda x: np.size([x, 1]),
    "float64": lambda x: np.float64(x) + 1,
    "int64": lambda x: np.int64(x * 1.4) + 1,
    "float32_of_a_list": lambda x: np.float32([x, 1.0]),
    "bool_": lambda x: np.bool_(x > 1),
    "array.dot": lambda x: V.dot([x, 1.0, 1.0]) + V.dot(V * x),
    "array.clip": lambda x: V.clip(0, x),
    "array.take": lambda x: V.take([int(x), 0]),
    "array.repeat": lambda x: V.repeat(int(x) + 1),
    "array.searchsorted": lambda x: V.searchsorted(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("jit", [False, True])
def test_as_numpy(name, jit):
    staged = ag.function(FUNCTIONS[name], jit_compile=jit)
    for x in (2.0, 0.5):
        np.testing.assert_allclose(staged(ag.constant(x, dtype=ag.float64)), FUNCTIONS[name](x), rtol=1e-12)


def test_gradient():
    x = ag.constant(2.0, dtype=ag.float64)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.function(lambda x: np.mean(np.sqrt([x, 4.0 * x])))(x)
    np.testing.assert_allclose(tape.gradient(y, x), 0.75 / np.sqrt(2.0))


def test_under_a_condition():
    @ag.function
    def chosen(x):
        best = 0.0
        if x > 1:
            best = np.max([x, 3.0]) + np.sum([x, best])
        return best

    assert float(chosen(ag.constant(4.0))) == 8.0
    assert float(chosen(ag.constant(0.5))) == 0.0
