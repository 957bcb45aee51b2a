"""Sorting, selection, searches, scans, repetition and segments natively: NumPy's results, edges included."""


import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check, check_gradient, compiled, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DTYPES = ["float32", "float64", "int8", "uint16", "int32", "int64", "uint64", "bool"]
X = np.array([[1.5, -2.0, 0.0, 3.0], [2.0, 2.0, -1.0, 0.5], [0.0, 4.0, -0.5, 1.0]])


def vectors(dtype, most=300):
    return hnp.arrays(dtype, st.integers(0, most))


def orders(x):
    return ag.sort(x), ag.argsort(x), ag.argsort(x, direction="DESCENDING")


@pytest.mark.parametrize("dtype", DTYPES)
@quick
@given(data=st.data())
def test_sorting_vectors_of_any_length(dtype, data):
    x = data.draw(vectors(dtype))
    got = compiled(orders, ((None,), dtype))(ag.constant(x))
    last = len(x) - 1
    down = last - np.argsort(x[::-1], kind="stable")[::-1]
    want = np.sort(x), np.argsort(x, kind="stable").astype(np.int32), down.astype(np.int32)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 41), (41, 2), (2, 3, 4)])
@pytest.mark.parametrize("axis", [0, -1])
def test_sorting_along_axes(shape, axis, monkeypatch):
    x = np.random.default_rng(1).integers(-5, 5, shape) * 0.5
    check(lambda x: (ag.sort(x, axis), ag.argsort(x, axis)), x, monkeypatch=monkeypatch, islands=())


def largest(x):
    return ag.math.top_k(x, 3)


def many_of_the_largest(x):
    return ag.math.top_k(x, 100)


@pytest.mark.parametrize("f", [largest, many_of_the_largest])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
@quick
@given(data=st.data())
def test_selecting_the_largest(f, dtype, data):
    k = 3 if f is largest else 100
    x = data.draw(vectors(dtype, 600))
    if len(x) < k:
        x = np.concatenate([x, np.arange(k).astype(dtype)])
    values, places = compiled(f, ((None,), dtype))(ag.constant(x))
    want = (len(x) - 1 - np.argsort(x[::-1], kind="stable")[::-1])[:k]
    np.testing.assert_array_equal(np.asarray(places), want)
    np.testing.assert_array_equal(np.asarray(values), x[want])


@pytest.mark.parametrize("n", [5, 300, 5000])
def test_selecting_from_rows(n, monkeypatch):
    x = np.random.default_rng(n).integers(0, n, (3, n)).astype(np.float32)
    x[1, n // 2 :] = np.nan
    check(lambda x: ag.math.top_k(x, 4), x, monkeypatch=monkeypatch, islands=())


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_that_lie_apart(dtype, monkeypatch):
    x = np.random.default_rng(3).integers(0, 99, (150, 3)).astype(dtype)
    check(lambda x: ag.math.top_k(ag.transpose(x), 4), x, monkeypatch=monkeypatch, islands=())
    check(lambda x: (ag.sort(x, 0), ag.argsort(x, 0, "DESCENDING")), x, monkeypatch=monkeypatch, islands=())


def test_programs_call_sorting_and_do_not_contain_it():
    f = compiled(lambda x: (ag.sort(x), ag.argsort(x), ag.math.top_k(x, 4)), ((200,), "float32"))
    lowered = f.get_concrete_function().executable.lowered
    assert {"ag_sort_f32", "ag_order_up_f32", "ag_top_f32"} <= lowered.symbols
    assert "lshr" not in lowered.text  # of digits


def search(x, v):
    return ag.searchsorted(x, v), ag.searchsorted(x, v, side="right")


@pytest.mark.parametrize("dtype", ["float64", "int32"])
@quick
@given(data=st.data())
def test_searches(dtype, data):
    x, v = np.sort(data.draw(vectors(dtype))), data.draw(vectors(dtype, 20))
    got = compiled(search, ((None,), dtype), ((None,), dtype))(ag.constant(x), ag.constant(v))
    for a, side in zip(got, ("left", "right"), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.searchsorted(x, v, side))


def test_searches_in_rows(monkeypatch):
    check(search, np.sort(X), X[:, :2] * 0.9, monkeypatch=monkeypatch, islands=())


def distinct(x):
    return ag.unique_with_counts(x)


@pytest.mark.parametrize("dtype", ["float64", "int8", "int64"])
@quick
@given(data=st.data())
def test_distinct_elements(dtype, data):
    x = data.draw(vectors(dtype))
    y, where, counts = (np.asarray(a) for a in compiled(distinct, ((None,), dtype))(ag.constant(x)))
    _, first, many = np.unique(x, return_index=True, return_counts=True)
    order = np.argsort(first)
    np.testing.assert_array_equal(y, x[first[order]])
    np.testing.assert_array_equal(y[where], x)
    np.testing.assert_array_equal(counts, many[order])


def places(x):
    return ag.where(x), ag.boolean_mask(x, x)


@quick
@given(x=hnp.arrays(bool, st.integers(0, 100)))
def test_places_of_truth(x):
    found, kept = compiled(places, ((None,), "bool"))(ag.constant(x))
    np.testing.assert_array_equal(np.asarray(found), np.argwhere(x))
    assert np.asarray(kept).tolist() == [True] * int(x.sum())


def running(x):
    sums = ag.cumsum(x, 0), ag.cumsum(x, -1, reverse=True, exclusive=True)
    return [*sums, ag.math.cumprod(x, 1), ag.math.cumprod(x, 0, exclusive=True)]


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool"])
@quick
@given(data=st.data())
def test_running_sums_and_products(dtype, data):
    shape = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    x = (data.draw(hnp.arrays("int8", shape)) % 7 - 3).astype(dtype)
    got = compiled(running, ((None, None), dtype))(ag.constant(x))
    same(got, ag.function(running, jit_compile=False)(ag.constant(x)))
    np.testing.assert_array_equal(np.asarray(got[0]), np.cumsum(x, 0))


def test_a_running_sum_keeps_the_first_element(monkeypatch):
    got = ag.function(lambda x: ag.cumsum(x), jit_compile=True)(ag.constant(np.array([-0.0, -0.0])))
    assert np.signbit(np.asarray(got)).tolist() == np.signbit(np.cumsum([-0.0, -0.0])).tolist()


def moved(x, n):
    padded = ag.pad(x, [[1, 0], [0, 2]], constant_values=7)
    return ag.roll(x, n, 0), ag.roll(x, -n, None), ag.repeat(x, 2, 1), ag.tile(x, [2, 3]), padded


@quick
@given(data=st.data())
def test_parts_put_together(data):
    shape = data.draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    x = data.draw(hnp.arrays("int16", shape))
    n = data.draw(st.integers(-9, 9))
    got = compiled(moved, ((None, None), "int16"), ((), "int64"))(ag.constant(x), ag.constant(np.int64(n)))
    padded = np.pad(x, [[1, 0], [0, 2]], constant_values=7)
    want = np.roll(x, n, 0), np.roll(x, -n), np.repeat(x, 2, 1), np.tile(x, (2, 3)), padded
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


def by_counts(x, counts):
    return ag.repeat(x, counts, 0)


@quick
@given(counts=st.lists(st.integers(0, 4), min_size=2, max_size=9))
def test_repetition_by_counts(counts):
    x = np.arange(3.0 * len(counts)).reshape(-1, 3)
    got = compiled(by_counts, ((None, 3), "float64"), ((None,), "int64"))(ag.constant(x), ag.constant(np.array(counts)))
    np.testing.assert_array_equal(np.asarray(got), np.repeat(x, counts, 0))


def test_wrong_counts_are_the_plans_error():
    f = ag.function(by_counts, jit_compile=True)
    for counts in ([1, -1, 1], [1, 2]):
        with pytest.raises(ValueError, match=r"negative|broadcast|shape"):
            f(ag.constant(X), ag.constant(np.array(counts)))


@pytest.mark.parametrize("mode", ["REFLECT", "SYMMETRIC"])
@pytest.mark.parametrize("widths", [[[0, 0], [1, 2]], [[2, 1], [3, 0]]])
def test_padding_by_what_is_inside(mode, widths, monkeypatch):
    check(lambda x: ag.pad(x, widths, mode), X, monkeypatch=monkeypatch, islands=())
    check_gradient(lambda x: ag.pad(x, widths, mode) ** 2.0, X)


def segments(x, ids):
    ways = ag.math.unsorted_segment_sum, ag.math.unsorted_segment_prod, ag.math.unsorted_segment_max
    return [way(x, ids, 4) for way in (*ways, ag.math.unsorted_segment_min)]


@quick
@given(ids=st.lists(st.integers(-2, 3), max_size=12))
def test_segments(ids):
    x = np.arange(2.0 * len(ids)).reshape(-1, 2) - 3
    given_ids = ag.constant(np.array(ids, np.int32))
    got = compiled(segments, ((None, 2), "float64"), ((None,), "int32"))(ag.constant(x), given_ids)
    want = np.zeros((4, 2))
    for row, k in zip(x, ids, strict=True):
        want[k] += row * (k >= 0)
    np.testing.assert_array_equal(np.asarray(got[0]), want)
    same(got, ag.function(segments, jit_compile=False)(ag.constant(x), given_ids))


def test_a_segment_too_many_is_the_plans_error():
    with pytest.raises(ag.errors.InvalidArgumentError):
        ag.function(segments, jit_compile=True)(ag.constant(X), ag.constant(np.array([0, 4, 1])))


def hot(i):
    return ag.one_hot(i, 4), ag.one_hot(i, 3, 2.5, -1.0, axis=0), ag.one_hot(i, 2, True, False)


@quick
@given(i=hnp.arrays("int32", hnp.array_shapes(min_dims=1, max_dims=1, min_side=0, max_side=9)))
def test_one_hot(i):
    got = compiled(hot, ((None,), "int32"))(ag.constant(i))
    same(got, ag.function(hot, jit_compile=False)(ag.constant(i)))
    np.testing.assert_array_equal(np.asarray(got[0]), (i[:, None] == np.arange(4)).astype(np.float32))


@pytest.mark.parametrize("f", [
    lambda x: ag.cumsum(x, 1) ** 2.0, lambda x: ag.math.cumprod(x, 0, exclusive=True), lambda x: ag.tile(x, [2, 2]) ** 2.0,
    lambda x: ag.repeat(x, 3, 0) ** 2.0, lambda x: ag.repeat(x, ag.constant([2, 0, 1]), 0) ** 2.0,
    lambda x: ag.roll(x, 2, 1) ** 3.0,
    lambda x: ag.pad(x, [[1, 1], [0, 2]]) ** 2.0, lambda x: ag.sort(x, 0) * ag.cast(ag.range(4), "float64"),
    lambda x: ag.math.top_k(x, 2)[0] ** 2.0,
    lambda x: ag.math.unsorted_segment_sum(x, ag.constant([1, 0, 1]), 2) ** 2.0,
    lambda x: ag.unique(ag.reshape(x, (-1,)))[0] ** 2.0,
])
def test_gradients(f):
    check_gradient(f, X)
