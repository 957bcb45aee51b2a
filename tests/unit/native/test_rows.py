"""Rows reduced and built upon in one nest: results equal the plan's for any shape, rows of length one, and no rows."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check, forbid_plan, native, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def softmax(x):
    return ag.nn.softmax(x)


def shifted_softmax(x):
    powers = ag.exp(x - ag.reduce_max(x, -1, keepdims=True))
    return powers / ag.reduce_sum(powers, -1, keepdims=True)


def log_softmax(x):
    return ag.nn.log_softmax(x * 2)


def logsumexp(x):
    return ag.reduce_logsumexp(x, axis=-1)


def logsumexp_all(x):
    return ag.reduce_logsumexp(x) * 2, ag.reduce_logsumexp(x, keepdims=True)


def layer_norm(x):
    mean = ag.reduce_mean(x, -1, keepdims=True)
    variance = ag.reduce_mean((x - mean) ** 2, -1, keepdims=True)
    size = ag.cast(ag.shape(x)[-1], x.dtype)
    scale = ag.cast(ag.range(ag.shape(x)[-1]), x.dtype) / size
    return (x - mean) / ag.sqrt(variance + 1e-3) * scale + scale


def centred(x):
    return x - ag.reduce_mean(x, -1)[..., ag.newaxis]


def rms_norm(x):
    return x * ag.math.rsqrt(ag.reduce_mean(x * x, -1, keepdims=True) + 1e-3)


def norm(x):
    return ag.norm(x, axis=-1), x / (1 + ag.norm(x, axis=-1, keepdims=True))


def several(x):
    """Row results, a column's, the whole's, all of one row-wise value."""
    y = ag.exp(ag.tanh(x - ag.reduce_sum(x, -1, keepdims=True)))
    return ag.reduce_sum(y, 0), ag.reduce_sum(y, -1), ag.reduce_mean(y), y * 2, ag.reduce_max(y)


def both_ways(x):
    """Two row-wise values, of which one is looked at the other way round."""
    y = x - ag.reduce_sum(ag.exp(x * 0.1), -1, keepdims=True)
    return ag.transpose(y) * 2, ag.reduce_sum(y * y, -1), y[..., ::-1] + y


def nested(x):
    a = ag.reduce_sum(x, -1)
    b = ag.reduce_sum(x * a[..., ag.newaxis], -1)
    c = ag.reduce_sum(ag.exp(x / (1 + b[..., ag.newaxis] ** 2)), -1)
    return ag.reduce_sum(c * a, -1), c


def losses(x):
    wanted = ag.cast(x > 0, x.dtype)
    return ag.nn.softmax_cross_entropy_with_logits(wanted, x), ag.nn.softmax(x)


def sparse(x):
    labels = ag.zeros(ag.shape(x)[:-1], "int32")
    return ag.reduce_mean(ag.nn.sparse_softmax_cross_entropy_with_logits(labels, x))


def extremes(x):
    return x - ag.reduce_max(x, -1, keepdims=True), x * ag.reduce_min(x, -1, keepdims=True), ag.argmax(x, -1)


def logic(x):
    some = ag.reduce_any(x > 1, -1, keepdims=True)
    return ag.where(some, x, -x), ag.where(ag.reduce_all(x < 3, -1, keepdims=True), x, 0)


FUNCTIONS = [
    softmax, shifted_softmax, log_softmax, logsumexp, logsumexp_all, layer_norm, centred, rms_norm, norm, several,
    both_ways, nested, losses, sparse, extremes, logic,
]
SHAPES = [(1, 1), (1, 40), (40, 1), (3, 7), (5, 40), (2, 3, 33), (4, 1, 65), (70, 300)]


def numbers(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def near(a, b):
    """Equal to a hundred thousandth of the largest element: sums of many cancel."""
    for x, y in zip(ag.nest.flatten(a), ag.nest.flatten(b), strict=True):
        size = float(np.max(np.abs(np.asarray(y)), initial=1))
        x, y = np.asarray(x) / size, np.asarray(y) / size
        same(x, y.astype(x.dtype), 5e-5)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_every_shape(f, monkeypatch):
    for shape in SHAPES:
        check(f, numbers(shape), monkeypatch=monkeypatch)
    check(f, numbers((6, 50), "float64"), monkeypatch=monkeypatch)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_sizes_that_the_run_tells(f):
    compiled = ag.function(f, jit_compile=True, input_signature=[ag.TensorSpec([None, None], "float32")])
    plan = ag.function(f, jit_compile=False)
    for shape in [(1, 1), (3, 7), (40, 64), (2, 1), (1, 100), (700, 300)]:
        x = ag.constant(numbers(shape))
        near(compiled(x), plan(x))
    if f in (softmax, layer_norm, rms_norm, nested):
        x = ag.constant(numbers((0, 5)))
        same(compiled(x), plan(x))


@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f is not extremes], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(3, 7), (9, 48), (1, 33), (0, 40)], ids=str)
def test_gradients(f, shape):
    def gradient(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            total = ag.constant(0.0)
            for y in ag.nest.flatten(f(x)):
                if y.dtype == x.dtype:
                    total = total + ag.reduce_sum(y * ag.cast(ag.shape(y)[-1] if y.ndim else 1, x.dtype))
        return tape.gradient(total, x)

    x = ag.constant(numbers(shape))
    if shape[0] == 0 and f in (sparse, several):
        return  # means, and largest values, of nothing
    compiled = ag.function(gradient, jit_compile=True)
    near(compiled(x), ag.function(gradient, jit_compile=False)(x))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize("f", [*FUNCTIONS[:10], extremes, logic], ids=lambda f: f.__name__)
def test_numbers_that_are_none(f):
    x = numbers((9, 40))
    for i, value in enumerate((np.nan, np.inf, -np.inf)):
        x[i, 3 + i] = value
    x[4], x[5], x[6] = np.nan, np.inf, -np.inf
    compiled, _ = native(f, ag.constant(x))
    same(compiled(ag.constant(x)), ag.function(f, jit_compile=False)(ag.constant(x)))


@pytest.mark.parametrize("f", [softmax, layer_norm, several, losses], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(3000, 400), (9, 70_000)], ids=str)
def test_large_ones_on_threads(f, shape, monkeypatch):
    x = ag.constant(numbers(shape))
    compiled, executable = native(f, x)
    forbid_plan(executable, monkeypatch)
    near(compiled(x), ag.function(f, jit_compile=False)(x))


@pytest.mark.parametrize("shape", [(3000, 200), (90, 40_000), (70, 7, 900), (800, 2, 300)], ids=str)
def test_threads_make_parts_of_sums_over_rows(shape, monkeypatch):
    """Sums over the first axis, alone and beside others: threads share them, and agree with one."""
    def sums(x):
        y = ag.exp(x * 0.1)
        return (
            ag.reduce_sum(y, 0), ag.reduce_max(y, 0, keepdims=True), ag.reduce_sum(y), ag.reduce_sum(y, -1),
            y - ag.reduce_mean(y, -1, keepdims=True), ag.reduce_sum(y, (0, -1)),
        )

    x = ag.constant(numbers(shape))
    compiled, executable = native(sums, x)
    forbid_plan(executable, monkeypatch)
    assert "@ag_parallel" in executable.lowered.text
    got = compiled(x)
    near(got, ag.function(sums, jit_compile=False)(ag.cast(x, "float64")))
    before = ag.config.threading.get_intra_op_parallelism_threads()
    try:
        for count in (1, 3):
            ag.config.threading.set_intra_op_parallelism_threads(count)
            same(compiled(x), got, 0)
    finally:
        ag.config.threading.set_intra_op_parallelism_threads(before)


def test_strided_operands(monkeypatch):
    check(lambda x: ag.nn.softmax(ag.transpose(x)[:, ::2]), numbers((80, 9)), monkeypatch=monkeypatch)
    check(lambda x: ag.nn.softmax(ag.transpose(x, (1, 0, 2)) * 2), numbers((4, 5, 40)), monkeypatch=monkeypatch)
    check(lambda x: x / ag.reduce_sum(x, (-1, -2), keepdims=True), numbers((4, 5, 40)) + 9, monkeypatch=monkeypatch)
    check(lambda x: ag.nn.softmax(x, axis=0), numbers((40, 9)), monkeypatch=monkeypatch)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.sampled_from([1, 2, 5, 33, 70]), min_size=1, max_size=3),
    dtype=st.sampled_from(["float32", "float64", "int8", "int64", "uint32"]),
    place=st.sampled_from([0, -1, None]),
    seed=st.integers(0, 99),
)
def test_first_extremes(shape, dtype, place, seed):
    random = np.random.default_rng(seed)
    x = random.integers(0, 9, shape).astype(dtype)  # ties
    if dtype[0] == "f":
        x[random.random(shape) < 0.1 * (seed % 3)] = random.choice([np.nan, np.inf, -np.inf, -0.0])
        x = np.where(random.random(shape) < 0.02 * (seed % 2), np.nan, x).astype(dtype)

    def extremes(x):
        if place is None:
            flat = ag.reshape(x, [-1])
            return ag.argmax(flat, 0), ag.argmin(flat, 0), ag.reduce_max(x)
        return ag.argmax(x, place), ag.argmin(x, place), ag.reduce_max(x, place)

    compiled, _ = native(extremes, ag.constant(x))
    for y, want in zip(compiled(ag.constant(x)), (np.argmax, np.argmin, np.max), strict=True):
        np.testing.assert_array_equal(y, want(x, place))


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    steps=st.lists(
        st.tuples(st.sampled_from("mean sum max exp scale keep square".split()), st.integers(1, 3)),
        min_size=2,
        max_size=6,
    ),
    seed=st.integers(0, 99),
)
def test_random_chains(shape, steps, seed):
    def chain(x):
        out = []
        for step, axes in steps:
            along = tuple(range(-min(axes, x.ndim), 0))
            if step in ("mean", "sum", "max"):
                made = getattr(ag, f"reduce_{step}")(x, along, keepdims=True)
                out.append(made)
                x = x / (1 + ag.abs(made))
            elif step == "exp":
                x = ag.exp(-ag.abs(x))
            elif step == "scale":
                x = x * ag.math.rsqrt(1 + ag.reduce_sum(x * x, -1, keepdims=True))
            elif step == "square":
                x = x * x + ag.reduce_sum(x, 0)
            else:
                out.append(x)
        return [*out, x]

    x = ag.constant(numbers(tuple(shape), seed=seed))
    compiled, executable = native(chain, x)
    with pytest.MonkeyPatch.context() as patch:
        forbid_plan(executable, patch)
        near(compiled(x), ag.function(chain, jit_compile=False)(x))


def test_a_softmax_is_one_nest_without_another_array():
    text = native(softmax, ag.constant(numbers((64, 128))))[1].lowered
    assert text.frame <= 128 * 4  # one row
    assert len(re.findall(r"%i\d+ = phi i64", text.text)) == 4  # rows; largest, sum, quotient


def test_sums_of_columns_in_what_is_joined_padded_and_written():
    def joined(u, m):
        v = m.sum(axis=0) * u[-1]
        padded = ag.pad(m.sum(axis=0) + 1, [[1, 2]])
        written = ag.tensor_scatter_nd_update(u, [[1]], ag.reshape(ag.reduce_sum(m.sum(axis=0) * 2), [1]))
        return ag.concat([u, v], 0)[:6], padded, ag.repeat(m.sum(axis=0) * 3, 2), written, ag.stack([v, v + 1], 1)

    arguments = ag.constant(numbers((4,))), ag.constant(numbers((3, 3)))
    compiled, executable = native(joined, *arguments)
    with pytest.MonkeyPatch.context() as patch:
        forbid_plan(executable, patch)
        near(compiled(*arguments), ag.function(joined, jit_compile=False)(*arguments))


@pytest.mark.parametrize("length", [2, 3, 4, 8, 9, 12, 13, 14])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 16, 37])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
def test_short_rows_side_by_side(length, count, dtype, monkeypatch):
    random = np.random.default_rng(length)
    x = (random.standard_normal((count, length)) * 5).astype(dtype)
    if dtype.startswith("float") and count > 2:
        x[1, -1], x[2, 0], x[0, length // 2] = np.nan, np.inf, -np.inf

    def reduced(x):
        if x.dtype == ag.bool:
            return ag.reduce_any(x, 1), ag.reduce_all(x, axis=1)
        made = ag.reduce_sum(x, 1), ag.reduce_max(x, 1), ag.reduce_min(x, 1), ag.argmax(x, 1), ag.argmin(x, 1)
        return (*made, ag.reduce_logsumexp(x, 1), ag.norm(x, axis=1)) if x.dtype.is_floating else made

    check(reduced, x, monkeypatch=monkeypatch)


def test_short_rows_of_an_unknown_number():
    @ag.function(jit_compile=True, input_signature=[ag.TensorSpec([None, 10], ag.float32)])
    def largest(x):
        return ag.argmax(x, axis=1), ag.reduce_sum(ag.exp(x), axis=1)

    for count in (0, 1, 15, 16, 33):
        x = np.random.default_rng(count).standard_normal((count, 10)).astype(np.float32)
        where, total = largest(x)
        assert np.array_equal(where.numpy(), x.argmax(1))
        np.testing.assert_allclose(total.numpy(), np.exp(x).sum(1), rtol=1e-5)


def test_short_rows_are_left_to_nobody():
    x = ag.constant(np.ones((50, 10), np.float32))
    assert ag.function(lambda x: ag.argmax(x, axis=1), jit_compile=True).inspect(x).llvm.startswith("; written")


@pytest.mark.parametrize("length", [2, 3])
@pytest.mark.parametrize("count", [16, 37])
def test_the_shortest_rows_are_read_whole(length, count, monkeypatch):
    rows = np.random.default_rng(count).standard_normal((count, length)).astype(np.float32)

    def sums(x, y):
        return ag.reduce_logsumexp(x, axis=1), ag.reduce_sum(x * y, axis=1), ag.reduce_sum(x[:, ::-1], axis=1)

    check(sums, rows, rows + 1, monkeypatch=monkeypatch)
    text = ag.function(lambda x: ag.reduce_logsumexp(x, axis=1), jit_compile=True).inspect(ag.constant(rows)).llvm
    assert text.startswith("; written")
    assert "gather" not in text
