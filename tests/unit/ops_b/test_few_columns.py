"""Softmax and its like of matrices with few columns, worked out on the transpose, are those of batches of matrices."""

import numpy as np
import pytest

from runtime.ops.nn import LogSoftmax, LogSoftmaxGrad, Softmax, SoftmaxCrossEntropy, SoftmaxGrad


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
