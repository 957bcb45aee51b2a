"""Lists joined, cut and searched, diagonals and evenly spaced numbers, natively."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check, check_gradient, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
X = np.arange(12.0).reshape(3, 4) - 5


def made(n):
    xs = []
    for i in ag.range(n):
        xs.append(i * i % 5)
    return xs


def joined(n):
    xs, ys = made(n), made(n + 1)
    zs = xs + ys + xs
    xs.append(7)
    return ag.stack(zs), ag.stack(xs), ag.stack(ys * 2)


def joined_in_a_loop(n):
    xs = [ag.constant(1)]
    for i in ag.range(n):
        xs = xs + [ag.cast(i, "int32")]
        ys = xs
        ys = ys + xs
    return ag.stack(xs), len(ys)


@pytest.mark.parametrize("f", [joined, joined_in_a_loop])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_lists_joined(f, n, monkeypatch):
    check(f, np.int64(n), monkeypatch=monkeypatch)


def cut(n, a, b):
    xs = made(n)
    return [len(xs[a:b]), ag.reduce_sum(ag.stack(xs[a:b] + [1])), ag.stack(xs[::-1]), ag.stack(xs[b:] + xs[:a] + [3])]


CUT = ag.function(cut, jit_compile=True)


@quick
@given(n=st.integers(1, 6), a=st.integers(-8, 8), b=st.integers(-8, 8))
def test_parts_of_lists(n, a, b):
    xs = [i * i % 5 for i in range(n)]
    got = CUT(*(ag.constant(np.int64(k)) for k in (n, a, b)))
    want = [len(xs[a:b]), sum(xs[a:b]) + 1, xs[::-1], xs[b:] + xs[:a] + [3]]
    assert [np.asarray(g).tolist() for g in got] == want


def put_in(n, i):
    xs = made(n)
    xs.insert(i, 9)
    return ag.stack(xs), len(xs)


PUT = ag.function(put_in, jit_compile=True)


@quick
@given(n=st.integers(0, 6), i=st.integers(-9, 9))
def test_insertion(n, i):
    xs = [k * k % 5 for k in range(n)]
    xs.insert(i, 9)
    got, size = PUT(ag.constant(np.int64(n)), ag.constant(np.int64(i)))
    assert np.asarray(got).tolist() == xs
    assert int(size) == len(xs)


def found(n, v):
    xs = made(n)
    return v in xs


@pytest.mark.parametrize(("n", "v"), [(0, 0), (1, 0), (5, 4), (5, 3)])
def test_membership(n, v, monkeypatch):
    check(found, np.int64(n), np.int64(v), monkeypatch=monkeypatch)


def rows(x, n):
    parts = []
    for i in ag.range(n):
        parts.append(x * ag.cast(i, "float64"))
    parts.insert(1, x)
    return ag.concat(parts, axis=0) if isinstance(parts, list) and len(parts) < 0 else ag.stack(parts[1:] + parts[:1])


def test_lists_of_arrays(monkeypatch):
    check(rows, X, np.int64(3), monkeypatch=monkeypatch)


def diagonals(x):
    square = x[:, :3]
    return [
        ag.tril(x), ag.triu(x, 1), ag.tril(x, -1), ag.linalg.band_part(x, 1, 0), ag.linalg.band_part(x, -1, 1),
        ag.diag(x[0], 1),
        ag.linalg.diag(x), ag.linalg.diag_part(x), ag.linalg.diag_part(x, k=-1), ag.linalg.set_diag(square, x[0, 1:] * 2.0),
        ag.linalg.diag_part(x, k=9) if x.shape[1] > 20 else x[0], ag.linalg.trace(square),
    ]


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool"])
def test_diagonals(dtype, monkeypatch):
    f = diagonals if dtype != "bool" else lambda x: [ag.tril(x), ag.linalg.diag_part(x), ag.linalg.diag(x[0])]
    if dtype == "int32":
        f = lambda x: [ag.tril(x), ag.triu(x), ag.linalg.diag(x), ag.linalg.diag_part(x)]
    check(f, X.astype(dtype), monkeypatch=monkeypatch)


@pytest.mark.parametrize("f", [
    lambda x: ag.tril(x) ** 2.0, lambda x: ag.linalg.diag(x) ** 2.0, lambda x: ag.linalg.diag_part(x) ** 2.0,
    lambda x: ag.linalg.set_diag(x * x, x[:, 0]) ** 2.0,
])
def test_gradients(f):
    check_gradient(f, X)


@quick
@given(a=st.floats(-1e3, 1e3), b=st.floats(-1e3, 1e3))
@pytest.mark.parametrize("num", [1, 2, 7])
def test_evenly_spaced_numbers(num, a, b):
    f = SPACED[num]
    got = np.asarray(f(ag.constant(np.float64(a)), ag.constant(np.float64(b))))
    np.testing.assert_array_equal(got, np.linspace(a, b, num))


SPACED = {
    n: ag.function(lambda a, b, n=n: ag.linspace(a, b, n), jit_compile=True,
                   input_signature=[ag.TensorSpec((), "float64")] * 2)
    for n in (1, 2, 7)
}


def test_evenly_spaced_small_floats():
    f = lambda a, b: ag.linspace(a, b, 11)
    for a, b in ((0.0, 1.0), (-3.0, 7.5), (1.0, 1.0), (0.0, 5e-324)):
        given_values = ag.constant(np.float32(a)), ag.constant(np.float32(b))
        same(ag.function(f, jit_compile=True)(*given_values), np.linspace(np.float32(a), np.float32(b), 11))


def powers(x, y):
    return x**2, x**y, x**9, ag.math.floormod(x, y + 1), ag.nn.softmax_cross_entropy_with_logits(y * 0.5, x * 0.25)


def test_powers_of_integers_and_losses_of_a_vector(monkeypatch):
    check(powers, np.array([1, 2, -3]), np.array([3, 0, 5]), monkeypatch=monkeypatch)
    check(lambda x, y: np.fmod(x, y), np.array([5, -7]), np.array([3, -2]), monkeypatch=monkeypatch)
    loss = lambda x, k: ag.nn.sparse_softmax_cross_entropy_with_logits(k, x)
    check(loss, np.array([1.0, 2.0, -3.0]), np.int64(1), monkeypatch=monkeypatch)
