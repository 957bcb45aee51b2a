"""Reductions that a condition's sides are given: they are computed before, whatever becomes of the sides."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")


def cosine(a, b):
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    if na == 0 or nb == 0:
        return 0.0
    return np.dot(a, b) / (na * nb)


def between(a, b):
    low, high = np.sum(a), np.max(b)
    return low if low < 1 and high > 2 else high


@pytest.mark.parametrize("f", [cosine, between])
def test_of_unknown_length(f):
    """A loop that a side asked for first was dropped with the side."""
    spec = ag.TensorSpec([None], ag.float64)
    native = ag.function(f, input_signature=[spec, spec], jit_compile=True)
    plan = ag.function(f, input_signature=[spec, spec], jit_compile=False)
    for a, b in [([1.0, 2.0], [3.0, 4.0]), ([0.0, 0.0], [1.0, 1.0]), ([1.0, 0.0], [0.0, 0.0])]:
        a, b = np.array(a), np.array(b)
        np.testing.assert_allclose(native(a, b).numpy(), plan(a, b).numpy(), rtol=1e-12)
