"""Products of few rows or columns, of vectors, and batches of small ones: each has kernels of its own."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

PLAIN = [
    ((1000,), (1000, 1000)),
    ((4096,), (4096, 256)),
    ((1, 600), (600, 512)),
    ((2, 1024), (1024, 1024)),
    ((7, 300), (300, 500)),
    ((8, 200), (200, 1000)),
    ((8, 768), (768, 3072)),
    ((500, 500), (500, 7)),
    ((512, 2), (2, 512)),
]
BY_COLUMNS = [((4, 512), (512, 512)), ((2, 300), (700, 300)), ((13, 257), (200, 257)), ((1, 600), (600, 600))]
BATCHES = [
    ((256, 8, 8), (256, 8, 8)),
    ((33, 5, 7), (33, 7, 6)),
    ((16, 32, 32), (16, 32, 32)),
    ((2, 3, 11, 20), (3, 20, 13)),
    ((300, 20, 24), (300, 24, 24)),
    ((4, 1, 9, 16), (1, 5, 16, 10)),
]


def numbers(*shape, dtype):
    return np.random.default_rng(len(shape) + sum(shape)).standard_normal(shape).astype(dtype)


def check(fn, *arrays):
    """Native code's result is that of NumPy in more digits."""
    made = ag.function(fn, jit_compile=True)(*(ag.constant(a) for a in arrays)).numpy()
    wide = [a.astype("float64") for a in arrays]
    expected = fn(*wide)
    assert made.shape == expected.shape
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(made, expected, rtol=0, atol=scale * (1e-5 if made.dtype == np.float32 else 1e-13))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("a", "b"), PLAIN, ids=str)
def test_few_rows_or_columns(a, b, dtype):
    check(lambda x, y: x @ y, numbers(*a, dtype=dtype), numbers(*b, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("a", "b"), BY_COLUMNS, ids=str)
@pytest.mark.parametrize("read", [False, True], ids=["given", "read"])
def test_few_rows_by_a_transpose(a, b, dtype, read):
    """The result is made column by column, and lies row by row."""
    x, y = numbers(*a, dtype=dtype), numbers(*b, dtype=dtype)
    check((lambda x, y: np.tanh(x @ y.T) + 1) if read else (lambda x, y: x @ y.T), x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("a", "b"), BATCHES, ids=str)
@pytest.mark.parametrize("turned", ["", "a", "b", "out"])
def test_batches_of_small_ones(a, b, dtype, turned):
    """Operands and results in any order of their last axes."""
    x, y = numbers(*a, dtype=dtype), numbers(*b, dtype=dtype)
    if turned == "a":
        check(lambda x, y: np.swapaxes(x, -1, -2) @ y, np.ascontiguousarray(np.swapaxes(x, -1, -2)), y)
    elif turned == "b":
        check(lambda x, y: x @ np.swapaxes(y, -1, -2), x, np.ascontiguousarray(np.swapaxes(y, -1, -2)))
    elif turned == "out":
        check(lambda x, y: np.swapaxes(x @ y, -1, -2) * 2, x, y)
    else:
        check(lambda x, y: x @ y, x, y)


def test_a_batch_shared_by_threads():
    """Every pair is done once, whatever the number of threads."""
    x, y = numbers(3000, 8, 12, dtype="float32"), numbers(3000, 12, 16, dtype="float32")
    check(lambda x, y: x @ y, x, y)


def test_a_batch_of_any_length():
    product = ag.function(
        lambda x, y: x @ y, jit_compile=True,
        input_signature=[ag.TensorSpec([None, 6, 9], ag.float32), ag.TensorSpec([None, 9, 5], ag.float32)],
    )
    for count in (0, 1, 7):
        x, y = numbers(count, 6, 9, dtype="float32"), numbers(count, 9, 5, dtype="float32")
        np.testing.assert_allclose(product(x, y).numpy(), x @ y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("inner", [2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32])
def test_terms_that_a_loop_takes_several_at_a_time(inner):
    a, b = numbers(6, 9, inner, dtype="float32"), numbers(6, inner, 12, dtype="float32")
    check(ag.matmul, a, b)


def test_longer_sums_are_not_longer_programs():
    def length(inner):
        a, b = ag.constant(numbers(60, 8, inner, dtype="float32")), ag.constant(numbers(60, inner, 8, dtype="float32"))
        return ag.function(lambda x, y: x @ y, jit_compile=True).inspect(a, b).llvm.count("\n")

    assert length(32) < 1.1 * length(16)
