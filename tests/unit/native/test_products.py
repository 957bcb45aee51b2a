"""Products that are batches, transposes, heads of attention: results equal the plan's, and nothing is copied on the way."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograph as ag
from runtime.backends.native import toolchain
from runtime.backends.native.lower import little
from runtime.backends.native.lower.kept import kept
from runtime.backends.native.lower.processor import vector_bytes
from tests.unit.native.both import check, forbid_plan, native, same

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def numbers(*shape, dtype="float32"):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(dtype)


@settings(max_examples=60, deadline=None)
@given(
    lead=st.lists(st.sampled_from([1, 2, 3]), max_size=2),
    shared=st.sampled_from(["none", "right", "left", "broadcast"]),
    sizes=st.tuples(*[st.sampled_from([1, 2, 7, 16, 40])] * 3),
    turned=st.tuples(st.booleans(), st.booleans()),
    after=st.permutations(range(4)),
    dtype=st.sampled_from(["float32", "float64"]),
    flat=st.booleans(),
)
def test_transposed_batches(lead, shared, sizes, turned, after, dtype, flat):
    m, k, n = sizes
    a = numbers(*(() if shared == "left" else lead), *((k, m) if turned[0] else (m, k)), dtype=dtype)
    other = [1 if i else size for i, size in enumerate(lead)] if shared == "broadcast" else lead
    b = numbers(*(() if shared == "right" else other), *((n, k) if turned[1] else (k, n)), dtype=dtype)
    rank = max(a.ndim, b.ndim)
    perm = [p for p in after if p < rank]

    def product(a, b):
        y = ag.transpose(ag.matmul(a, b, transpose_a=turned[0], transpose_b=turned[1]), perm)
        return ag.reshape(y, [-1]) if flat else y

    compiled, executable = native(product, ag.constant(a), ag.constant(b))
    with pytest.MonkeyPatch.context() as patch:
        forbid_plan(executable, patch)
        for _ in range(2):
            same(compiled(ag.constant(a), ag.constant(b)), ag.function(product, jit_compile=False)(a, b), 1e-4)


@pytest.mark.parametrize("perm", [(0, 1, 3, 2), (0, 2, 1, 3), (2, 0, 1, 3), (1, 3, 0, 2), (0, 3, 1, 2)], ids=str)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True)], ids=str)
def test_large_transposed_batches(perm, turned, monkeypatch):
    def product(a, b):
        y = ag.matmul(a, b, transpose_a=turned[0], transpose_b=turned[1])
        return ag.reshape(ag.transpose(y, perm), [-1]), ag.transpose(ag.matmul(a[0, 0], b[0, 0]))

    check(product, numbers(2, 3, 130, 130) / 11, numbers(2, 3, 130, 130), monkeypatch=monkeypatch)


def test_panels_too_large_for_a_stack(monkeypatch):
    check(lambda a, b: a @ b, numbers(3, 40, 300) / 17, numbers(3, 300, 200), monkeypatch=monkeypatch)
    a, b = numbers(3, 300, 300) / 17, numbers(3, 300, 40)
    check(lambda a, b: ag.transpose(a @ b, (0, 2, 1)), a, b, monkeypatch=monkeypatch)


def attention(x, wq, wk, wv, wo, heads):
    def split(y):
        return ag.transpose(ag.reshape(y, (ag.shape(x)[0], ag.shape(x)[1], heads, wq.shape[1] // heads)), (0, 2, 1, 3))

    q, k, v = split(x @ wq), split(x @ wk), split(x @ wv)
    weights = ag.nn.softmax(q @ ag.transpose(k, (0, 1, 3, 2)) * 0.3)
    mixed = ag.reshape(ag.transpose(weights @ v, (0, 2, 1, 3)), ag.shape(x))
    return mixed @ wo


def gradients(x, *weights):
    with ag.GradientTape() as tape:
        tape.watch((x, weights))
        loss = ag.reduce_sum(attention(x, *weights, 4) ** 2)
    return tape.gradient(loss, (x, weights))


@pytest.mark.parametrize("shape", [(1, 5, 8), (2, 16, 32), (3, 40, 64), (8, 128, 64)], ids=str)
def test_attention(shape, monkeypatch):
    x = numbers(*shape)
    weights = [numbers(shape[-1], shape[-1]) / shape[-1] ** 0.5 for _ in range(4)]
    check(lambda *a: attention(*a, 4), x, *weights, monkeypatch=monkeypatch)
    compiled, executable = native(gradients, *map(ag.constant, (x, *weights)))
    forbid_plan(executable, monkeypatch)
    same(compiled(x, *weights), ag.function(gradients, jit_compile=False)(x, *weights), 1e-4)


def test_attention_of_any_length():
    weights = [ag.constant(numbers(32, 32) / 6) for _ in range(4)]
    signature = [ag.TensorSpec([None, None, 32], "float32")] + [ag.TensorSpec([32, 32], "float32")] * 4
    compiled = ag.function(gradients, jit_compile=True, input_signature=signature)
    for shape in [(1, 1, 32), (2, 7, 32), (3, 64, 32), (0, 4, 32)]:
        x = ag.constant(numbers(*shape))
        want = ag.function(gradients, jit_compile=False)(x, *weights)
        same(compiled(x, *weights), want, 1e-4)


def test_heads_are_not_copied():
    """What is split into heads and joined again: memory for the products themselves only."""
    def split(x, w):
        y = ag.reshape(x @ w, (4, 64, 8, 32))
        scores = ag.matmul(ag.transpose(y, (0, 2, 1, 3)), ag.transpose(y, (0, 2, 1, 3)), transpose_b=True)
        mixed = ag.transpose(scores @ ag.transpose(y, (0, 2, 1, 3)), (0, 2, 1, 3))
        return ag.reshape(mixed, (4, 64, 256)) @ w

    x, w = ag.constant(numbers(4, 64, 256)), ag.constant(numbers(256, 256))
    _, executable = native(split, x, w)
    assert executable.lowered.frame <= 4 * (2 * x.numpy().size + 4 * 8 * 64 * 64) + 1024


@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("width", [16, 32, 64])
def test_small_products_of_any_sizes_are_made_by_one_function(kind, width, monkeypatch):
    monkeypatch.setattr(little, "vector_bytes", lambda: min(width, vector_bytes()))
    compiled = kept(little.text)  # holds the code
    word = np.float32 if kind == "f32" else np.float64
    step, place = ctypes.c_int64, ctypes.c_void_p
    product = ctypes.CFUNCTYPE(None, step, step, step, place, step, step, place, step, step, place, step)(
        compiled(f"ag_little_{kind}")
    )
    random = np.random.default_rng(3)
    for m, n, k in [(1, 1, 1), (8, 16, 3), (9, 17, 32), (4, 3, 5), (5, 31, 2), (23, 8, 7), (3, 32, 32)]:
        for a_order in "CF":
            for b_order in "CF":
                a = np.asarray(random.standard_normal((m, k)), word, order=a_order)
                b = np.asarray(random.standard_normal((k, n)), word, order=b_order)
                out = np.full((m, n + 3), 7, word)
                ra, ca, rb, cb = (s // word().itemsize for s in (*a.strides, *b.strides))
                product(m, n, k, a.ctypes.data, ra, ca, b.ctypes.data, rb, cb, out.ctypes.data, n + 3)
                assert np.allclose(out[:, :n], a @ b, rtol=1e-5, atol=1e-6)
                assert (out[:, n:] == 7).all()  # nothing beyond the result is written


def test_few_small_products_are_called_for_and_many_written_out():
    @ag.function(jit_compile=True)
    def product(a, b):
        return a @ b

    def called(*shapes):
        given = [ag.constant(np.ones(shape)) for shape in shapes]
        assert np.array_equal(product(*given), given[0].numpy() @ given[1].numpy())
        return "call void @ag_little_f64" in product.inspect(*given).llvm

    assert called((4, 5, 6), (4, 6, 7))
    assert called((5, 6), (6, 7))
    assert not called((90, 8, 8), (90, 8, 8))
