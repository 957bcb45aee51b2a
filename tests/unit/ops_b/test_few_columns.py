"""Softmax and its like of matrices with few columns, worked out on the transpose, are those of batches of matrices."""

import numpy as np
import pytest

import autograph as ag
from runtime.ops.cross_entropy import SoftmaxCrossEntropy
from runtime.ops.registry import get
from runtime.ops.softmax import LogSoftmax, LogSoftmaxGrad, Softmax, SoftmaxGrad


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2000, 5), (32, 32), (100, 10), (40, 1), (31, 4)], ids=str)
def test_the_same_as_of_a_batch(shape, dtype):
    random = np.random.default_rng(shape[0])
    x, y = (random.normal(0, 5, shape).astype(dtype) for _ in range(2))
    x[0] = 800
    for op, arguments in ((Softmax, (x,)), (SoftmaxGrad, (x, y)), (LogSoftmax, (x,)), (LogSoftmaxGrad, (x, y))):
        if op is LogSoftmaxGrad:
            arguments = x, LogSoftmax.kernel(y, axis=-1)
        found = op.kernel(*arguments, axis=-1)
        wanted = op.kernel(*(a[None] for a in arguments), axis=-1)[0]
        assert found.dtype == dtype
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-3)
    labels = Softmax.kernel(y, axis=-1)
    for found, wanted in zip(
        SoftmaxCrossEntropy.kernel(x, labels), SoftmaxCrossEntropy.kernel(x[None], labels[None]), strict=True
    ):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted[0], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 3), (40, 5), (8, 100)])
def test_cross_entropy_leaves_logits_of_any_order_as_they_are(shape):
    run = get("sparse_softmax_cross_entropy").run
    logits = np.asfortranarray(np.random.default_rng(0).standard_normal(shape).astype("f"))
    labels = np.arange(shape[0]) % shape[1]
    before = logits.copy()
    loss, probabilities = run(logits, labels)
    np.testing.assert_array_equal(logits, before)
    powers = np.exp(before.astype("d"))
    expected = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
    np.testing.assert_allclose(loss, -np.log(expected[np.arange(shape[0]), labels]), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(run.alone[1](logits, labels), probabilities)
    np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64", ">i4", ">i8"])
@pytest.mark.parametrize("wrong", [-1, 3, 100])
def test_labels_outside_the_classes_are_named(dtype, wrong):
    if np.dtype(dtype).kind == "u" and wrong < 0:
        return
    run = get("sparse_softmax_cross_entropy").run
    labels = np.array([0, 2, wrong, 1], dtype)
    for kernel in (run, run.alone[1]):
        with pytest.raises(ag.errors.OutOfRangeError, match=f"label {wrong} is outside the 3 classes"):
            kernel(np.zeros((4, 3), "f"), labels)


@pytest.mark.parametrize("rows", [3, 499, 500, 700])
def test_the_gradient_of_cross_entropy(rows):
    random = np.random.default_rng(1)
    probabilities, weights = random.random((rows, 4)), random.random(rows)
    labels = random.integers(0, 4, rows)
    expected = weights[:, None] * (probabilities - np.eye(4)[labels])
    got = get("sparse_softmax_cross_entropy_grad").run(weights, probabilities, labels)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_a_plan_leaves_out_losses_that_nobody_reads():
    @ag.function(jit_compile=False)
    def gradient(logits, labels):
        with ag.GradientTape() as tape:
            tape.watch(logits)
            loss = ag.reduce_mean(ag.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        return tape.gradient(loss, logits)

    logits = np.random.default_rng(0).standard_normal((6, 3)).astype("f")
    labels = np.array([0, 1, 2, 2, 1, 0])
    got = gradient(ag.constant(logits), ag.constant(labels)).numpy()
    powers = np.exp(logits)
    np.testing.assert_allclose(got, (powers / powers.sum(1, keepdims=True) - np.eye(3)[labels]) / 6, rtol=1e-5, atol=1e-7)
    assert "one result" in gradient.inspect(ag.constant(logits), ag.constant(labels)).plan
    with pytest.raises(ag.errors.OutOfRangeError):
        gradient(ag.constant(logits), ag.constant(labels + 1))
