"""Native code gives NumPy's result or a typed error: edges of integers and floats, indices, sizes, memory."""

import functools
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import compiled

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WIDTHS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


def edges(dtype):
    """Integers of a type, its ends and what is near zero among them often."""
    info = np.iinfo(dtype)
    special = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64]
    special += [-1, -2, -7] if info.min < 0 else []
    return st.one_of(st.sampled_from([n for n in special if info.min <= n <= info.max]), st.integers(info.min, info.max))


def arithmetic(x, y):
    return x // y, x % y, x + y, x - y, x * y, ag.abs(x), -x


def by_numpy(x, y):
    with np.errstate(all="ignore"):
        return x // y, x % y, x + y, x - y, x * y, np.abs(x), -x


def shifts(x, y):
    return ag.bitwise.left_shift(x, y), ag.bitwise.right_shift(x, y)


@pytest.mark.parametrize("dtype", WIDTHS)
@quick
@given(data=st.data())
def test_integer_arithmetic_at_its_edges(dtype, data):
    pairs = data.draw(st.lists(st.tuples(edges(dtype), edges(dtype)), min_size=1, max_size=40))
    x, y = (np.array(v, dtype) for v in zip(*pairs, strict=True))
    f = compiled(arithmetic, ((None,), dtype), ((None,), dtype))
    for got, want in zip(f(ag.constant(x), ag.constant(y)), by_numpy(x, y), strict=True):
        assert np.asarray(got).dtype == want.dtype
        np.testing.assert_array_equal(np.asarray(got), want)


@pytest.mark.parametrize("dtype", WIDTHS)
@quick
@given(data=st.data())
def test_shifts_by_any_distance(dtype, data):
    pairs = data.draw(st.lists(st.tuples(edges(dtype), edges(dtype)), min_size=1, max_size=40))
    x, y = (np.array(v, dtype) for v in zip(*pairs, strict=True))
    f = compiled(shifts, ((None,), dtype), ((None,), dtype))
    for got, want in zip(f(ag.constant(x), ag.constant(y)), (np.left_shift(x, y), np.right_shift(x, y)), strict=True):
        np.testing.assert_array_equal(np.asarray(got), want)


SCALARS = {d: ((), d) for d in WIDTHS}


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@quick
@given(data=st.data())
def test_scalars_divide_as_arrays_do(dtype, data):
    x, y = (np.array(data.draw(edges(dtype)), dtype)[()] for _ in range(2))
    f = compiled(arithmetic, SCALARS[dtype], SCALARS[dtype])
    for got, want in zip(f(ag.constant(x), ag.constant(y)), by_numpy(x, y), strict=True):
        assert np.asarray(got) == want


FLOATS = {"float32": 32, "float64": 64}


def to_integers(x):
    return ag.cast(x, "int32"), ag.cast(x, "int64"), ag.cast(x, "bool")


@pytest.mark.parametrize("dtype", FLOATS)
@quick
@given(data=st.data())
def test_floats_become_integers_as_numpys_do(dtype, data):
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 2.0**31, -(2.0**31), 2.0**63, -(2.0**63), 1e30, 0.99, -0.99, 2.5]
    one = st.one_of(st.sampled_from(special), st.floats(width=FLOATS[dtype]))
    x = np.array(data.draw(st.lists(one, min_size=1, max_size=40)), dtype)
    f = compiled(to_integers, ((None,), dtype))
    with np.errstate(all="ignore"):
        want = ag.function(to_integers, jit_compile=False)(ag.constant(x))
    for got, w in zip(f(ag.constant(x)), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(w))


def specials(x, y):
    return ag.maximum(x, y), ag.minimum(x, y), ag.sign(x), x // y, x % y, ag.reduce_max(x), x < y, x == y


@pytest.mark.parametrize("dtype", FLOATS)
@quick
@given(data=st.data())
def test_nan_and_infinities(dtype, data):
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 3.0, -2.5]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(special), st.sampled_from(special)), min_size=1, max_size=40))
    x, y = (ag.constant(np.array(v, dtype)) for v in zip(*pairs, strict=True))
    f = compiled(specials, ((None,), dtype), ((None,), dtype))
    with np.errstate(all="ignore"):
        want = ag.function(specials, jit_compile=False)(x, y)
    for got, w in zip(f(x, y), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(w))


def taken(x, i):
    return ag.gather(x, i) * 2.0


@quick
@given(
    x=hnp.arrays(np.float64, st.integers(0, 6), elements=st.floats(-10, 10)),
    i=hnp.arrays(np.int64, st.integers(0, 5), elements=st.integers(-9, 9)),
)
def test_indices_out_of_range_are_errors(x, i):
    native, plan = (_taken(jit) for jit in (True, False))
    try:
        want = np.asarray(plan(ag.constant(x), ag.constant(i)))
    except Exception as error:  # noqa: BLE001 (compared below)
        with pytest.raises(type(error)):
            native(ag.constant(x), ag.constant(i))
    else:
        np.testing.assert_array_equal(np.asarray(native(ag.constant(x), ag.constant(i))), want)


@functools.lru_cache(maxsize=None)
def _taken(jit):
    signature = [ag.TensorSpec([None], "float64"), ag.TensorSpec([None], "int64")]
    return ag.function(taken, jit_compile=jit, input_signature=signature)


def of_any_size(x, n):
    total = x * 0.0
    for i in range(n):
        total = total + x * ag.cast(i, "float64")
    return total, ag.reduce_sum(x), ag.reduce_mean(x * 2.0, axis=1), ag.transpose(x) + 1.0, x @ ag.transpose(x)


@quick
@given(rows=st.integers(0, 3), columns=st.integers(1, 3), n=st.integers(-1, 3))
def test_empty_arrays_and_loops_that_do_not_turn(rows, columns, n):
    x = np.arange(rows * columns, dtype=np.float64).reshape(rows, columns)
    f = compiled(of_any_size, ((None, None), "float64"), ((), "int64"))
    want = ag.function(of_any_size, jit_compile=False)(ag.constant(x), ag.constant(n))
    for got, w in zip(f(ag.constant(x), ag.constant(np.int64(n))), want, strict=True):
        assert np.asarray(got).shape == np.asarray(w).shape
        np.testing.assert_allclose(np.asarray(got), np.asarray(w))


def _unaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    out = raw[1:].view(x.dtype).reshape(x.shape)
    out[...] = x
    return out


def _read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "unaligned": _unaligned,
    "read-only": _read_only,
    "backwards": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "columns first": np.asfortranarray,
    "every second": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "other bytes": lambda x: x.astype(x.dtype.newbyteorder()),
}


def changed(x, n):
    y = x + 1.0
    for i in range(n):
        y[i, 0] = x[i, 1] * 2.0
    return y, ag.reduce_sum(x * x, axis=0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_inputs_of_every_layout(layout, dtype):
    x = LAYOUTS[layout](np.arange(12, dtype=dtype).reshape(4, 3))
    before = x.copy()
    native = ag.function(changed, jit_compile=True)
    want = ag.function(changed, jit_compile=False)(ag.constant(np.ascontiguousarray(x, dtype)), ag.constant(3))
    for y in (x, ag.constant(x)):
        for g, w in zip(native(y, ag.constant(3)), want, strict=True):
            np.testing.assert_allclose(np.asarray(g), np.asarray(w))
    np.testing.assert_array_equal(x, before)


def work(x, n):
    rows = []
    for i in range(n):
        x = ag.tanh(x @ x) + ag.cast(i, "float64")
        rows.append(ag.reduce_sum(x))
    return ag.stack(rows), x


def test_several_threads_call_one_function():
    f = ag.function(work, jit_compile=True)
    inputs = [ag.constant(np.full((5, 5), 0.1 * k)) for k in range(6)]
    n = ag.constant(12)
    want = [[np.asarray(r) for r in f(x, n)] for x in inputs]
    wrong = []

    def run(k):
        for _ in range(100):
            got = f(inputs[k], n)
            if not all(np.array_equal(np.asarray(g), w) for g, w in zip(got, want[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def python_numbers(n):
    total = 1
    for i in range(n):
        total = total * 3 + i
    return total


@pytest.mark.parametrize("n", [0, 10, 39, 60])
def test_python_integers_that_outgrow_64_bits(n):
    results = []
    for jit in (True, False):
        try:
            results.append(int(ag.function(python_numbers, jit_compile=jit)(ag.constant(np.int64(n)))))
        except Exception as error:  # noqa: BLE001 (compared below)
            results.append(type(error))
    assert results[0] == results[1]


def both_reductions(x):
    return ag.reduce_sum(x), ag.reduce_sum(x, axis=1), ag.argmax(x, axis=1)


@pytest.mark.parametrize("shape", [(3, 1), (3, 2), (0, 2), (700, 900)])
def test_a_sum_and_sums_of_rows_in_the_same_loops(shape):
    x = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    total, rows, places = compiled(both_reductions, ((None, None), "float64"))(ag.constant(x))
    assert float(total) == x.sum()
    np.testing.assert_array_equal(np.asarray(rows), x.sum(1))
    np.testing.assert_array_equal(np.asarray(places), x.argmax(1))


def test_numbers_that_grow_by_constants_are_checked_where_their_beginning_is_large():
    def grown(n, start):
        k, j = start, 0
        while n > 0:
            k += 5
            j = j + 3 if n % 2 == 0 else j - 1
            n -= 1
        return k * 1, j

    made = ag.function(grown, jit_compile=True)
    for start in (7, 2**63 - 16, -(2**63)):
        with np.errstate(all="ignore"):
            want = ag.function(grown, jit_compile=False)(ag.constant(3), start)
        assert [int(x) for x in made(ag.constant(3), start)] == [int(x) for x in want]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["minimum", "maximum"])
def test_extrema_of_nan_and_of_constants(name, dtype):
    values = np.array([np.nan, -1.0, 2.0, 3.0, np.inf, -np.inf], dtype)
    f = getattr(ag, name)

    def extrema(x, y):
        return f(x, y), f(x, 2.0), f(2.0, x), f(x, float("nan")), f(float("nan"), x), f(f(x, -1.0), 2.5)

    made, plan = (ag.function(extrema, jit_compile=jit) for jit in (True, False))
    for x in values:
        for y in values:
            for got, want in zip(made(*map(ag.constant, (x, y))), plan(*map(ag.constant, (x, y))), strict=True):
                np.testing.assert_array_equal(got, want)
    for got, want in zip(made(values, values[::-1].copy()), plan(values, values[::-1].copy()), strict=True):
        np.testing.assert_array_equal(got, want)
