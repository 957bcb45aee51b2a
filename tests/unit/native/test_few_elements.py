"""Loops over less elements than a vector has, by shorter vectors; sums that need no loop; products of wide rows."""

import numpy as np
import pytest

import autograph as ag

pytest.importorskip("llvmlite")

SIZES = range(2, 9)


def text_of(f, *args):
    return ag.function(f, jit_compile=True).get_concrete_function(*args).executable.lowered.text


def mixed(xs, h):
    k = h
    for t in ag.range(xs.shape[0]):
        h = 0.5 * h + k * xs[t]
        k = k - 0.01 * abs(h)
    return h, k


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
def test_states_of_few_elements(size, dtype):
    random = np.random.default_rng(size)
    xs, h = random.standard_normal((20, size)).astype(dtype), random.standard_normal(size).astype(dtype)
    found = ag.function(mixed, jit_compile=True)(ag.constant(xs), ag.constant(h))
    wanted = mixed(xs, h)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "bool", "float32"])
@pytest.mark.parametrize("size", SIZES)
def test_rows_of_few_elements(size, dtype):
    random = np.random.default_rng(size)
    x, y = random.integers(0, 2, (5, size)).astype(dtype), random.integers(0, 2, size).astype(dtype)

    def f(x, y):
        same = x == y
        return ag.where(same, x, y), ag.cast(same, ag.int32) + 3, ag.transpose(x), x[:, ::-1]

    found = ag.function(f, jit_compile=True)(ag.constant(x), ag.constant(y))
    same = x == y
    for a, b in zip(found, (np.where(same, x, y), same.astype(np.int32) + 3, x.T, x[:, ::-1]), strict=True):
        np.testing.assert_array_equal(a.numpy(), b)


def test_few_elements_are_no_work_for_the_vectoriser():
    text = text_of(lambda x, y: x * y + 1.0, ag.TensorSpec([6], "float32"), ag.TensorSpec([6], "float32"))
    assert text.startswith("; written")


def triangles(n):
    total = 0
    while n > 0:
        m = n
        while m > 0:
            total = total + m
            m = m - 1
        n = n - 1
    return total


@pytest.mark.parametrize("n", [0, 1, 7, 300])
def test_sums_that_need_no_loop(n):
    assert text_of(triangles, ag.TensorSpec([], "int64")).startswith("; one by one")
    assert int(ag.function(triangles, jit_compile=True)(np.int64(n))) == triangles(n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(2, 8, 100), (3, 12, 40), (2, 9, 33), (3, 200, 3), (2, 100, 8), (12, 33, 5), (5, 7, 36)])
@pytest.mark.parametrize("turned", [False, True])
def test_products_of_few_multiplications(sizes, turned, dtype):
    rows, inner, columns = sizes
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, inner)).astype(dtype)
    y = random.standard_normal((columns, inner) if turned else (inner, columns)).astype(dtype)
    found = ag.function(lambda x, y: ag.matmul(x, y, transpose_b=turned), jit_compile=True)(ag.constant(x), ag.constant(y))
    wanted = x @ (y.T if turned else y)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=1e-4 if dtype == "float32" else 1e-12)
