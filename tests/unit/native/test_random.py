"""Random numbers drawn natively: the plan's words, and its numbers to a few units in the last place."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import native, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")
SHAPES = [(), (1,), (2,), (3,), (4, 5), (7, 1, 3), (0, 4), (1001,)]


def both(f, *args, exact=True):
    """Drawn natively, without islands, and by the plan, from the same seed."""
    results = []
    for jit in (True, False):
        ag.random.set_seed(-7)
        made = ag.function(f, jit_compile=jit)
        results.append([made(*args), made(*args)])
    assert not native(f, *args)[1].lowered.islands
    for a, b in zip(*results, strict=True):
        same(a, b, 0 if exact else 4e-6)
    return results[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_uniform(shape, dtype):
    both(lambda: ag.random.uniform(shape, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_normal(shape, dtype):
    both(lambda: ag.random.normal(shape, 1.0, 2.0, dtype=dtype), exact=False)


@pytest.mark.parametrize(("low", "high"), [(0, 6), (-3, 2**20), (-(2**31), 2**31 - 1), (-5, 2**62), (7, 8)])
@pytest.mark.parametrize("shape", [(), (5,), (0,), (33, 3)])
def test_integers(shape, low, high):
    dtype = "int32" if high < 2**31 else "int64"
    for drawn in both(lambda: ag.random.uniform(shape, low, high, dtype=dtype)):
        assert np.all((drawn.numpy() >= low) & (drawn.numpy() < high))


def test_sizes_that_the_run_knows():
    f = ag.function(lambda n: ag.random.normal([n, 3]), jit_compile=True)
    g = ag.function(lambda n: ag.random.normal([n, 3]))
    for n in (0, 1, 2, 5):
        ag.random.set_seed(3)
        a = f(ag.constant(n))
        ag.random.set_seed(3)
        same(a, g(ag.constant(n)), 4e-6)


def test_loops_and_gradients_draw_the_same_numbers():
    def dropped(x, n):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in ag.range(n):
                if ag.random.uniform([]) < 0.7:
                    y = y * ag.cast(ag.random.uniform(x.shape) < 0.5, y.dtype) + 0.1 * y
                else:
                    y = y + ag.random.normal(x.shape)
            s = ag.reduce_sum(y)
        return s, tape.gradient(s, x)

    both(dropped, ag.constant(np.linspace(1, 2, 7, dtype="float32")), ag.constant(20), exact=False)


def test_a_walk_is_the_sum_of_its_steps():
    def walk(n):
        x, steps = ag.constant(0.0), []
        for _ in ag.range(n):
            step = ag.random.normal([])
            x += step
            steps.append(step)
        return x, ag.stack(steps)

    x, steps = both(walk, ag.constant(1000), exact=False)[0]
    np.testing.assert_allclose(x, np.cumsum(steps, dtype="float32")[-1], rtol=1e-5)
    assert abs(float(np.mean(steps))) < 0.1
    assert 0.9 < float(np.std(steps)) < 1.1


def test_draws_of_a_generator_given_as_an_argument():
    def f(x):
        g = ag.random.Generator.from_seed(12)
        return g.uniform([3]) + x, g.normal([3])

    both(f, ag.constant(1.0), exact=False)


@pytest.mark.parametrize("n", [0, 1, 2, 30, 41, 4096])
def test_orders(n):
    order = both(lambda: ag.random.shuffle(ag.range(n)))[0].numpy()
    assert sorted(order) == list(range(n))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "classes", "count"), [(1, 1, 3), (3, 5, 0), (0, 4, 2), (4, 1000, 50), (2, 3, 2000)])
def test_classes(rows, classes, count, dtype):
    logits = np.random.default_rng(5).normal(size=(rows, classes)).astype(dtype) * 3
    drawn = both(lambda x: ag.random.categorical(x, count), ag.constant(logits))[0].numpy()
    assert drawn.shape == (rows, count)
    if count == 2000:
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        found = [[np.mean(row == k) for k in range(classes)] for row in drawn]
        np.testing.assert_allclose(found, p, atol=0.04)


def test_impossible_classes_are_never_drawn():
    logits = np.array([[-np.inf, 0.0, -np.inf, 1.0]], "float32")
    assert set(both(lambda x: ag.random.categorical(x, 300), ag.constant(logits))[0].numpy().ravel()) == {1, 3}


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_numbers_of_a_seed(dtype):
    def f(seed):
        return ag.random.stateless_uniform([5], seed=seed), ag.random.stateless_normal([], seed=[seed[0], 3])

    both(f, ag.constant(np.array([-3, 2**31 - 1], dtype)), exact=False)


def test_text_is_sampled_in_a_loop():
    def sample(table, first, n):
        token, tokens = first, []
        for _ in ag.range(n):
            token = ag.random.categorical(table[token][None], 1)[0, 0]
            tokens.append(token)
        return ag.stack(tokens)

    table = ag.constant(np.random.default_rng(2).normal(size=(20, 20)))
    both(sample, table, ag.constant(np.int64(3)), ag.constant(50))
