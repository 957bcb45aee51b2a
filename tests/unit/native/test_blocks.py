"""Loops whose turns go element by element: natively taken block by block, the state in registers."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import compiled, forbid_plan, native

pytestmark = [
    pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


def carried_mask(a, b, most):
    x, y = ag.zeros_like(a), ag.zeros_like(b)
    inside = ag.ones_like(a, dtype=ag.bool)
    counts = ag.zeros_like(a, dtype=ag.int32)
    step = 0
    while step < most and ag.reduce_any(inside):
        x, y = ag.where(inside, x * x - y * y + a, x), ag.where(inside, 2 * x * y + b, y)
        inside = x * x + y * y < 4.0
        counts += ag.cast(inside, ag.int32)
        step += 1
    return counts, x, y, step


def narrowing_mask(a, b, most):
    x, y = a, b
    inside = np.ones(a.shape, bool)
    counts = ag.zeros_like(a, dtype=ag.int64)
    last = most * 2
    for step in ag.range(most):
        x, y = np.where(inside, x * x - y * y + a, x), np.where(inside, 2 * x * y + b, y)
        escaped = inside & (x * x + y * y > 4)
        counts = np.where(escaped, step, counts)
        inside = inside & ~escaped
        last = step * 3
    return counts, x, y, inside, last


def test_is_computed(a, b, most):
    x, y = a, b
    n = ag.zeros_like(a, dtype=ag.int32)
    i = 0
    while i < most and not ag.reduce_all(x * x + y * y > 4):
        ok = x * x + y * y <= 4
        x, y = ag.where(ok, x * x - y * y - 0.8, x), ag.where(ok, 2 * x * y + 0.156, y)
        n = ag.where(ok, i + 1, n)
        i += 1
    return n, i, x


test_is_computed.__test__ = False


def counted_in_floats(a, b, most):
    x, y = ag.zeros_like(a), ag.zeros_like(b)
    counts = ag.zeros_like(a)
    for _ in ag.range(most):
        x2, y2 = x * x, y * y
        live = x2 + y2 <= 4.0
        x, y = ag.where(live, x2 - y2 + a, x), ag.where(live, 2 * x * y + b, y)
        counts = counts + ag.cast(live, counts.dtype)
    return counts, x, y


def without_mask(a, b, most):
    x, y = a, b
    counts = ag.zeros_like(a, dtype=ag.int64)
    for step in ag.range(most):
        x, y = x * x - y * y + a, 2 * x * y + b
        counts += ag.cast(x * x + y * y < 4, ag.int64) * (step % 2 + 1)
    return counts, x, y


def items_set(a, b, most):
    x, y = ag.zeros_like(a), ag.zeros_like(b)
    done = ag.zeros_like(a, dtype=ag.bool)
    counts = ag.zeros_like(a, dtype=ag.int64)
    for step in ag.range(most):
        x, y = x * x - y * y + a, 2 * x * y + b
        escaped = (x * x + y * y > 4) & ~done
        counts[escaped] = step
        done = done | escaped
        x[done] = 0
        y[done] = 0
    return counts, x, done


def not_monotonous(a, b, most):
    """The mask comes back: the loop ends when all of it is false at a time."""
    x = a
    on = ag.ones_like(a, dtype=ag.bool)
    i = 0
    while i < most and ag.reduce_any(on):
        x = x + b
        on = ag.sin(x) > 0.0
        i += 1
    return x, on, i


def first_mask_is_stale(a, b, most):
    """The first mask says nothing of the state."""
    x, on = a, b > 0
    for _ in ag.range(most):
        x = ag.where(on, x * 0.5 + b, x)
        on = x < 1.5
    return x, on


def stale_while(a, b, most):
    x, on = a, b > 0
    i = 0
    while ag.reduce_any(on) and i < most:
        x = ag.where(on, x * 0.5 + b, x)
        on = x < 1.5
        i += 1
    return x, on, i


def negative_zeros(a, b, most):
    """Zero added to a negative zero is a zero."""
    total = -ag.zeros_like(a)
    on = ag.ones_like(a, dtype=ag.bool)
    for _ in ag.range(most):
        total = total + ag.cast(on & (b > 5), total.dtype)
        on = on & (b > 5)
    return 1 / total


def changing_places(a, b, most):
    x, y = a, b
    for _ in ag.range(most):
        x, y = y, x + 1
    return x, y


def to_convergence(a, b, most):
    x = a * a + 1.0
    old = ag.zeros_like(a)
    i = 0
    while i < most and ag.reduce_any(ag.abs(x - old) > 1e-3):
        old = x
        x = 0.5 * (x + (b * b + 1.0) / x)
        i += 1
    return x, i


def with_functions(a, b, most):
    x = a
    total = 0.0
    for i in ag.range(most):
        x = ag.exp(-x * x) + ag.tanh(b + x) * ag.cast(i, b.dtype)
        total = total + 0.5
    return x, total


def rows_and_columns(a, b, most):
    c, d = a[0] * 2, ag.reduce_max(b[..., :1], -1, keepdims=True)
    x = a
    for _ in ag.range(most):
        x = ag.where(x > 3, x * 0.25 + c, x + d)
    return x


FUNCTIONS = [
    carried_mask, narrowing_mask, test_is_computed, counted_in_floats, without_mask, items_set, not_monotonous,
    first_mask_is_stale, stale_while, negative_zeros, changing_places, to_convergence, with_functions, rows_and_columns,
]  # fmt: skip


TOGETHER = [not_monotonous, stale_while, to_convergence]
"""Those that end when no element of all is live, and whose elements change when they are not: all take a turn together."""


def points(shape, dtype, special=True):
    rng = np.random.default_rng(len(shape) + sum(shape))
    a, b = (rng.uniform(-2, 2, shape).astype(dtype) for _ in range(2))
    if special and a.size > 3:
        a.flat[1], a.flat[2], b.flat[3] = np.nan, np.inf, -0.0
    return a, b


def same_bits(f, got, want, dtype):
    got, want = ([*x] if isinstance(x, (list, tuple)) else [x] for x in (got, want))
    assert len(got) == len(want)
    for g, w in zip(map(np.asarray, got), map(np.asarray, want), strict=True):
        assert g.dtype == w.dtype
        assert g.shape == w.shape
        if f is with_functions:
            np.testing.assert_allclose(g, w, rtol=1e-4 if dtype == "float32" else 1e-12)
        else:
            np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (37,), (5, 7), (11, 64)])
def test_results_are_the_plans(f, dtype, shape, monkeypatch):
    a, b = map(ag.constant, points(shape, dtype))
    made, executable = native(f, a, b, ag.constant(30))

    forbid_plan(executable, monkeypatch)
    assert ("lanes" in executable.lowered.text) is (f not in TOGETHER)
    expected = ag.function(f, jit_compile=False)
    for most in (30, 1, 0):
        same_bits(f, made(a, b, ag.constant(most)), expected(a, b, ag.constant(most)), dtype)


@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f is not rows_and_columns])
def test_any_size(f):
    made = compiled(f, ((None,), "float32"), ((None,), "float32"), ((), "int32"))
    for n in (0, 1, 5, 63, 64, 65, 1000):
        a, b = points((n,), "float32")
        same_bits(f, made(a, b, np.int32(20)), ag.function(f, jit_compile=False)(a, b, np.int32(20)), "float32")


@pytest.mark.parametrize("f", FUNCTIONS)
def test_threads_share_blocks(f):
    a, b = map(ag.constant, points((101, 203), "float64"))
    before = ag.config.threading.get_intra_op_parallelism_threads()
    try:
        ag.config.threading.set_intra_op_parallelism_threads(3)
        same_bits(f, ag.function(f, jit_compile=True)(a, b, ag.constant(60)),
                  ag.function(f, jit_compile=False)(a, b, ag.constant(60)), "float64")
    finally:
        ag.config.threading.set_intra_op_parallelism_threads(before)


def test_state_stays_in_registers():
    a, b = map(ag.constant, points((1000,), "float32"))
    _, executable = native(counted_in_floats, a, b, ag.constant(30))
    assert "lanes" in executable.lowered.text
    assert executable.lowered.frame == 0  # nothing is kept between turns


def test_an_overflow_in_a_turn_gives_the_call_back():
    def grows(x, n):
        k = 1
        for _ in ag.range(n):
            x = x + 1.0
            k = k * 3
        return x, k * 1.0

    x = ag.constant(np.zeros(100))
    got = ag.function(grows, jit_compile=True)(x, ag.constant(60))
    same_bits(grows, got, ag.function(grows, jit_compile=False)(x, ag.constant(60)), "float64")


def test_gradients():
    def slope(a, b):
        with ag.GradientTape() as tape:
            tape.watch([a, b])
            x = a
            for _ in range(5):
                x = ag.where(x > 1, x * b, x + b)
            y = ag.reduce_sum(x)
        return tape.gradient(y, [a, b])

    a, b = map(ag.constant, points((40,), "float64", special=False))
    for g, w in zip(ag.function(slope, jit_compile=True)(a, b), ag.function(slope, jit_compile=False)(a, b), strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12)


def test_many_in_a_row_are_functions_of_their_own(monkeypatch):
    """So that LLVM's time grows with their number, and loops of the same text are compiled once."""

    def many(x):
        for k in range(24):
            for _ in ag.range(3 + k % 2):
                x = ag.tanh(x * 1.25) + 0.125
        return x

    x = ag.constant(np.linspace(-1, 1, 300, dtype=np.float32))
    made, executable = native(many, x)
    forbid_plan(executable, monkeypatch)
    assert "blocks" not in executable.lowered.text.partition("define i64 @ag_run(")[2]
    assert executable.lowered.text.count("define internal void @nest") < 24
    np.testing.assert_allclose(made(x), ag.function(many, jit_compile=False)(x), rtol=1e-5)
