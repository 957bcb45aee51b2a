"""Products of few rows or columns, in parts: the same as in one."""

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from tests.unit.executor.build import F, array


def product(a, b, dtype="float32", **attrs):
    f = F("product")
    x, y = f.input(array(*a, dtype=dtype)), f.input(array(*b, dtype=dtype))
    return compile_graph(f.returns(f.matmul(x, y, **attrs)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("a", "b", "way"),
    [
        ((3, 400), (400, 5000), "by_columns("),
        ((8, 77), (77, 3331), "by_columns("),
        ((5000, 300), (300, 7), "by_rows("),
        ((3331, 128), (128, 16), "by_rows("),
        ((1, 20_000), (20_000, 300), "by_columns("),
        ((300, 20_000), (20_000, 2), "by_rows("),
        ((4, 10), (10, 20), "= np.dot"),
        ((128, 256), (256, 256), "= np.matmul"),
    ],
)
def test_known_sizes(a, b, way, dtype):
    random = np.random.default_rng(1)
    x, y = random.random(a).astype(dtype), random.random(b).astype(dtype)
    run = product(a, b, dtype)
    assert way in run.source
    np.testing.assert_allclose(run(x, y)[0], x @ y, rtol=1e-4)


@pytest.mark.parametrize("rows", [0, 1, 7, 3000])
def test_unknown_sizes(rows):
    random = np.random.default_rng(2)
    x, y = random.random((rows, 700)).astype("f"), random.random((700, 6)).astype("f")
    run = product((None, 700), (700, 6))
    assert "by_rows(" in run.source
    np.testing.assert_allclose(run(x, y)[0], x @ y, rtol=1e-4)


def test_transposed_operands():
    random = np.random.default_rng(3)
    x, y = random.random((700, 3000)).astype("f"), random.random((700, 6)).astype("f")
    run = product(x.shape, y.shape, transpose_a=True)
    assert "by_rows(" in run.source
    np.testing.assert_allclose(run(x, y)[0], x.T @ y, rtol=1e-4)
    assert "by_" not in product((4, 128), (5000, 128), transpose_b=True).source
    assert "by_" not in product((4, 500), (500, 5000), "int64").source
