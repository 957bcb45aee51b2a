"""Sums over short last axes by planes, and reductions of few columns: NumPy's results, the sums to the last bit."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.numpy_executor.narrow import arg_least, arg_most, sum_columns


def both(fn, *arrays):
    """What NumPy gives, what the plan gives, and the plan."""
    staged = ag.function(jit_compile=False)(fn)
    tensors = [ag.constant(a) for a in arrays]
    got = staged(*tensors)
    return fn(*arrays), got.numpy(), staged.inspect(*tensors).plan


def points(dtype, *shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("depth", [2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 128])
def test_distances_between_all_pairs(depth, dtype):
    x, c = points(dtype, 700, depth), points(dtype, 9, depth)
    expected, got, plan = both(lambda x, c: ((x[:, None, :] - c[None, :, :]) ** 2).sum(2), x, c)
    assert "sum_planes" in plan
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


FORMS = {
    "the longest axis is the second": lambda x, c: ((c[:, None, :] - x) ** 2).sum(-1),
    "absolute": lambda x, c: np.abs(x[:, None] - c).sum(axis=-1, keepdims=True),
    "weighted": lambda x, c: ((x[:, None] - c) * (x[:, None] - c) * c[0]).sum(axis=-1),
    "products": lambda x, c: (x[:, None] * c).sum(-1),
    "of planes that do not change": lambda x, c: (x[:, None] * c * x[:, None, :1]).sum(-1),
    "a third axis": lambda x, c: np.maximum(x[:, None, None] - c[:, None], c[None]).sum(-1),
    "then a root": lambda x, c: np.sqrt(np.square(x[:, None] - c).sum(-1)),
    "used twice": lambda x, c: np.square(x[:, None] - c).sum(-1) * (x[:, None] - c)[:, :, 0],
    "a number within": lambda x, c: np.square((x[:, None] - c) * 2.0).sum(-1),
    "in parts": lambda x, c: np.square(np.tile(x, (40, 1))[:, None] - c).sum(-1),
}


@pytest.mark.parametrize("fn", FORMS.values(), ids=FORMS)
def test_other_forms(fn):
    x, c = points("float32", 1500, 5), points("float32", 6, 5)
    x[3], x[7, 2], c[1, 1] = np.inf, np.nan, -0.0
    with np.errstate(invalid="ignore"):
        expected, got, _ = both(fn, x, c)
    np.testing.assert_array_equal(got, expected)


def test_k_means():
    def means(x, c):
        near = ag.zeros([x.shape[0]], "int64")
        for _ in ag.range(5):
            near = ag.argmin(ag.reduce_sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2), axis=1)
            mine = ag.one_hot(near, c.shape[0])
            count = ag.reduce_sum(mine, axis=0)
            c = (ag.transpose(mine) @ x) / ag.maximum(count, 1.0)[:, None]
        return near, c

    x = points("float32", 3000, 4)
    near, c = ag.function(jit_compile=False)(means)(ag.constant(x), ag.constant(x[:7]))
    expected, centres = None, x[:7]
    for _ in range(5):
        expected = ((x[:, None] - centres) ** 2).sum(2).argmin(1)
        mine = np.eye(7, dtype="float32")[expected]
        centres = (mine.T @ x) / np.maximum(mine.sum(0), 1)[:, None]
    np.testing.assert_array_equal(near.numpy(), expected)
    np.testing.assert_allclose(c.numpy(), centres, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("shape", [(2000, 3), (500, 64), (1, 1), (300, 2)], ids=str)
def test_extrema_of_rows(shape, order):
    random = np.random.default_rng(0)
    ties = np.asarray(random.integers(-2, 3, shape), "float32", order=order) * np.float32(-1)
    other = np.asarray(random.standard_normal(shape), order=order)
    broken = other.copy(order)
    broken[shape[0] // 2 :: 7] = np.nan
    infinite = np.full(shape, np.inf)
    infinite[: shape[0] // 2] = -np.inf
    for x in (ties, other, broken, infinite):
        for mine, numpys in ((arg_least, np.argmin), (arg_most, np.argmax)):
            np.testing.assert_array_equal(mine(x), numpys(x, axis=1))
            assert mine(x).dtype == np.int64


def test_narrow_reductions_stand_in_the_plan():
    x = points("float32", 1000, 8)
    expected, got, plan = both(lambda x: np.argmax(x, axis=1), x)
    assert "arg_most" in plan
    np.testing.assert_array_equal(got, expected)
    expected, got, plan = both(lambda x: x.sum(0), x)
    assert "sum_columns" in plan
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(sum_columns(np.ones((5, 3), "float32")), [5, 5, 5])


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint64"])
def test_one_hot_of_indices_inside_and_outside(dtype):
    indices = np.array([0, 3, 2, 9, 100, 1], dtype)
    if indices.dtype.kind == "i":
        indices[1] = -1
    expected = (indices[:, None] == np.arange(4)).astype("float32")
    for size in (4, ag.constant(4)):
        np.testing.assert_array_equal(ag.one_hot(ag.constant(indices), size).numpy(), expected)
    assert ag.one_hot(ag.constant(indices), 0).shape == [6, 0]
    assert ag.one_hot(ag.constant(indices[:0]), 3).shape == [0, 3]
