"""Several index arrays, masks, numbers among them, index vectors: natively as NumPy has them."""

import functools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograph as ag
from runtime.backends.native import toolchain
from runtime.backends.native.executable import NativeExecutable
from tests.unit.native.both import check, check_gradient

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
X = np.arange(24.0).reshape(4, 3, 2) - 7
I, J = np.array([0, -1, 2, 2]), np.array([[1], [0]])
MASK = np.array([[True, False, True], [False] * 3, [True] * 3, [False, True, False]])


def pairs(x, i, j):
    return x[i, j], x[i, :, j], x[:, j, i[:1] * 0], x[0, :, i[:1] * 0], x[i, 1], x[..., j, 1]


def masks(x, m):
    return x[m], x[m, 0], x[:, m[0]], x[m[:, 0]], x[m[:, 0], 1:, None]


def mask_written(x, m):
    y = x + 0.0
    y[m] = 5.0
    z = x + 0.0
    z[m] += y[m] * 2.0
    w = x * 1.0
    w[:, m[0]] = x[:, :2] * 3.0
    return y, z, w


def pairs_written(x, i, j):
    y = x + 0.0
    y[i, j] = x[i, j] * 2.0
    z = x + 0.0
    z[i, :, 1] += 1.0
    return y, z


def vectors(x, at):
    u = ag.gather_nd(x, at) * 2.0
    several = [way(x, at, u) for way in (ag.tensor_scatter_nd_update, ag.tensor_scatter_nd_add, ag.tensor_scatter_nd_max)]
    return ag.gather_nd(x, at), ag.scatter_nd(at, u, [4, 3, 2]), *several, ag.tensor_scatter_nd_sub(x, at, u)


@pytest.mark.parametrize("f", [pairs, pairs_written])
def test_several_index_arrays(f, monkeypatch):
    check(f, X, I, J, monkeypatch=monkeypatch, islands=())


@pytest.mark.parametrize("f", [masks, mask_written])
def test_masks(f, monkeypatch):
    check(f, X, MASK, monkeypatch=monkeypatch, islands=())


@pytest.mark.parametrize("at", [[[0, 2], [3, 1], [0, 2]], [[1]], [[0, 0, 1]], [[[0, 1]], [[2, 2]]], np.zeros((0, 2), int)])
def test_index_vectors(at, monkeypatch):
    check(vectors, X, np.array(at), monkeypatch=monkeypatch, islands=())


def matched(x, i):
    rows = ag.gather(x, i[:, :, 0], batch_dims=1, axis=1)
    return ag.take_along_axis(x, i, 1), rows, ag.gather_nd(x, i[:, :1, :1], batch_dims=1)


def test_matched_axes(monkeypatch):
    check(matched, X, np.random.default_rng(0).integers(0, 3, (4, 2, 2)), monkeypatch=monkeypatch, islands=())


@functools.lru_cache(maxsize=None)
def compiled(f, *specs):
    made = ag.function(f, jit_compile=True, input_signature=[ag.TensorSpec(shape, dtype) for shape, dtype in specs])
    assert type(made.get_concrete_function().executable) is NativeExecutable
    return made


def read(x, i, m):
    return x[i, i], x[m], x[i[::-1], 0]


@quick
@given(i=hnp.arrays("int64", st.integers(0, 5), elements=st.integers(-6, 6)), rows=st.integers(0, 5), data=st.data())
def test_reads_of_any_sizes_are_numpys_or_an_index_error(i, rows, data):
    x, m = np.arange(4.0 * rows).reshape(rows, 4), data.draw(hnp.arrays(bool, rows))
    f = compiled(read, ((None, 4), "float64"), ((None,), "int64"), ((None,), "bool"))
    given_values = ag.constant(x), ag.constant(i), ag.constant(m)
    try:
        want = read(x, i, m)
    except IndexError:
        with pytest.raises(IndexError):
            f(*given_values)
        return
    for a, b in zip(f(*given_values), want, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


def put(x, i, m):
    y = x + 0.0
    y[i, i] = ag.cast(i, "float64") * 10.0
    y[m] += 0.5
    return y


@quick
@given(i=hnp.arrays("int64", st.integers(0, 5), elements=st.integers(-5, 5)), rows=st.integers(0, 5), data=st.data())
def test_writes_of_any_sizes_are_numpys_or_an_index_error(i, rows, data):
    x, m = np.arange(4.0 * rows).reshape(rows, 4), data.draw(hnp.arrays(bool, rows))
    f = compiled(put, ((None, 4), "float64"), ((None,), "int64"), ((None,), "bool"))
    want = x + 0.0
    try:
        want[i, i] = i * 10.0
    except IndexError:
        with pytest.raises(IndexError):
            f(ag.constant(x), ag.constant(i), ag.constant(m))
        return
    want[m] += 0.5
    np.testing.assert_array_equal(np.asarray(f(ag.constant(x), ag.constant(i), ag.constant(m))), want)


@pytest.mark.parametrize("f", [
    lambda x: x[ag.constant(I), ag.constant(J)] ** 2.0, lambda x: x[ag.constant(MASK)] ** 2.0,
    lambda x: ag.gather_nd(x, ag.constant([[0, 2], [3, 1], [0, 2]])) ** 2.0, lambda x: x[ag.constant(I), :, 1] ** 2.0,
    lambda x: mask_written(x * x, ag.constant(MASK))[1], lambda x: pairs_written(x * x, ag.constant(I), ag.constant(J))[0],
    lambda x: ag.tensor_scatter_nd_update(x * 2.0, ag.constant([[1], [1]]), x[:2] * x[:2]),
])
def test_gradients(f):
    check_gradient(f, X)


def backwards(x, a, b):
    return x[a:b:-1], x[a::-2], x[:b:-1], x[::-3]


@quick
@given(n=st.integers(0, 6), a=st.integers(-8, 8), b=st.integers(-8, 8))
def test_slices_that_go_backwards(n, a, b):
    x = np.arange(n) * 1.0
    f = compiled(backwards, ((None,), "float64"), ((), "int64"), ((), "int64"))
    got = f(ag.constant(x), ag.constant(np.int64(a)), ag.constant(np.int64(b)))
    for mine, want in zip(got, backwards(x, a, b), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), want)


@pytest.mark.parametrize("rows", [2, 4, 8])
@pytest.mark.parametrize("turned", [False, True])
def test_products_of_few_rows(rows, turned, monkeypatch):
    random = np.random.default_rng(rows)
    a, b = random.standard_normal((rows, 130)), random.standard_normal((130, 4001))
    check(lambda a, b: ag.matmul(a, b, transpose_a=turned), a.T if turned else a, b, monkeypatch=monkeypatch)
