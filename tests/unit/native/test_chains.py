"""Batches of products with what follows them, pair by pair (rules/chains.py): the results are the plan's."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograph as ag  # noqa: E402
from runtime.backends.native import gemm  # noqa: E402

pytestmark = pytest.mark.skipif(gemm.tile("f32") is None, reason="a BLAS does products here")
LEAD, LENGTH, WIDTH = (2, 4), 192, 32


def arrays(*shapes, dtype=np.float32, seed=0):
    random = np.random.default_rng(seed)
    return [ag.constant(random.standard_normal(shape).astype(dtype)) for shape in shapes]


def heads(count=3, dtype=np.float32, width=WIDTH):
    return arrays(*[(*LEAD, LENGTH, width)] * count, dtype=dtype)


def attention(q, k, v):
    return ag.matmul(ag.nn.softmax(ag.matmul(q, k, transpose_b=True) / 8.0), v)


def masked(q, k, v, mask):
    scores = ag.where(mask, ag.matmul(q, k, transpose_b=True) * 0.2, -1e9)
    return ag.matmul(ag.nn.softmax(scores), v)


def gradients(q, k, v):
    with ag.GradientTape() as tape:
        tape.watch([q, k, v])
        loss = ag.reduce_sum(attention(q, k, v) ** 2)
    return (loss, *tape.gradient(loss, [q, k, v]))


def from_rows(x, y, w):
    """Values are projected after the scores, and the heads joined again."""
    split = lambda t: ag.transpose(ag.reshape(t, (2, LENGTH, 4, WIDTH)), (0, 2, 1, 3))
    scores = ag.matmul(split(x), split(y), transpose_b=True)
    weights = ag.exp(scores - ag.reduce_max(scores, axis=-1, keepdims=True))
    weights = weights / ag.reduce_sum(weights, axis=-1, keepdims=True)
    mixed = ag.matmul(weights, split(ag.matmul(x, w)))
    return ag.reshape(ag.transpose(mixed, (0, 2, 1, 3)), (2, LENGTH, 4 * WIDTH))


def several_seen(q, k, v):
    """Others read what is in the middle, once element by element and once as a sum."""
    scores = ag.matmul(q, k, transpose_b=True)
    weights = ag.nn.softmax(scores)
    mixed = ag.matmul(weights, v)
    return mixed, weights * 2.0, ag.reduce_sum(scores)


def columns(q, k, v):
    """A softmax down the columns, and the transpose of the left operand."""
    scores = ag.nn.softmax(ag.matmul(q, k, transpose_b=True), axis=-2)
    return ag.matmul(scores, v, transpose_a=True)


def of_another_batch(q, k, v, scale, bias):
    """Operands with fewer axes, and with axes of one element."""
    scores = ag.matmul(q, k, transpose_b=True) * scale + bias
    return ag.matmul(ag.nn.relu(scores), v)


def assert_same(f, *args, rtol=2e-5, fused=True):
    native, plan = ag.function(f, jit_compile=True), ag.function(f, jit_compile=False)
    got, want = native(*args), plan(*args)
    for one, other in zip(ag.nest.flatten(got), ag.nest.flatten(want), strict=True):
        other = np.asarray(other)
        np.testing.assert_allclose(np.asarray(one), other, rtol=rtol, atol=rtol * max(float(np.abs(other).max()), 1e-30))
    assert ("@pairs" in native.inspect(*args).llvm) == fused


@pytest.mark.parametrize("f", [attention, several_seen, columns, gradients])
def test_heads(f):
    assert_same(f, *heads())


def test_doubles():
    assert_same(attention, *heads(dtype=np.float64), rtol=1e-12)


def test_a_mask_of_one_matrix_and_one_for_each_batch():
    mask = np.tril(np.ones((LENGTH, LENGTH), bool))
    assert_same(masked, *heads(), ag.constant(mask))
    each = np.random.default_rng(1).random((2, 1, LENGTH, LENGTH)) < 0.7
    assert_same(masked, *heads(), ag.constant(each))


def test_values_that_are_made_after_the_scores():
    rows, weights = (2, LENGTH, 4 * WIDTH), (4 * WIDTH, 4 * WIDTH)
    assert_same(from_rows, *arrays(rows, rows, weights, seed=3), rtol=1e-4)


@pytest.mark.parametrize("scale", [(4, 1, 1), (), (2, 1, 1, 1), (LENGTH,), (LENGTH, 1)])
def test_operands_of_fewer_axes(scale):
    assert_same(of_another_batch, *heads(), *arrays(scale, (1, 4, 1, LENGTH), seed=2))


def test_three_axes():
    assert_same(attention, *arrays((7, 200, 48), (7, 200, 48), (7, 200, 40)))


def test_the_same_with_one_and_with_several_threads():
    f = ag.function(attention, jit_compile=True)
    args = heads()
    before = ag.config.threading.get_intra_op_parallelism_threads()
    try:
        ag.config.threading.set_intra_op_parallelism_threads(1)
        one = np.asarray(f(*args))
        ag.config.threading.set_intra_op_parallelism_threads(3)
        np.testing.assert_array_equal(np.asarray(f(*args)), one)
    finally:
        ag.config.threading.set_intra_op_parallelism_threads(before)


def test_what_stays_in_the_cache_anyway_is_left_alone():
    assert_same(attention, *arrays((4, 64, 80), (4, 64, 80), (4, 64, 80)), fused=False)


def test_one_matrix_for_all_stays_one_product():
    f = lambda x, w: ag.nn.relu(ag.matmul(x, w)) * 2.0
    assert_same(f, *arrays((8, 256, 256), (256, 256)), fused=False)


def test_what_would_have_to_be_brought_into_memory_is_not_waited_for():
    f = lambda q, k, noise: ag.matmul(q, k, transpose_b=True) * ag.cast(noise > 0.0, ag.float32)
    q, k = heads(2)
    assert_same(f, q, k, *arrays((*LEAD, LENGTH, LENGTH)), fused=False)


def test_inside_a_loop():
    def f(q, k, v, n):
        for _ in ag.range(n):
            v = attention(q, k, v)
        return v

    assert_same(f, *heads(), ag.constant(3))
