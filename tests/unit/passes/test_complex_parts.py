"""Complex numbers as pairs of real ones: native results are NumPy's, and no complex number is left inside."""

import numpy as np
import pytest

import autograph as ag
from runtime.passes.complex_parts import split_complex
from tests.unit.native.both import same

A = np.array([[1 + 2j, -0.5 + 0.25j, 3 - 4j, 0, 1e-3j, -2], [2 - 1j, 1j, -3, 4, 0.5 + 0.5j, 1 + 1j]], np.complex64)
PARTS = (0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan)
SPECIAL = np.array([complex(a, b) for a in PARTS for b in PARTS])


def looped(z, w):
    for k in ag.range(5):
        if ag.reduce_sum(ag.abs(z)) < 100.0:
            z = z * w + 0.5
        else:
            z = ag.math.conj(z) / (w + 2.0)
    return z


def views(z, w):
    both = ag.stack([z, w])
    return ag.transpose(both)[1:], ag.reshape(ag.concat([z, w], 0), (2, -1)), both[0, ::2], ag.reduce_sum(both, axis=1)


FUNCTIONS = [
    lambda z, w: z * w,
    lambda z, w: z / w,
    lambda z, w: (z + w, z - w, -z, z + 1.0, 2.0 - z, 2j * z, z * 3),
    lambda z, w: ag.where(ag.abs(z) > 1.0, z, w),
    lambda z, w: (ag.math.real(z), ag.math.imag(w), ag.abs(z), ag.math.conj(z), ag.math.angle(w)),
    lambda z, w: (ag.equal(z, w), ag.not_equal(z, z)),
    lambda z, w: ag.square(z) + ag.cast(ag.math.real(w), ag.complex64) * ag.zeros_like(z),
    lambda z, w: ag.complex(ag.math.imag(z), ag.math.real(w)) + ag.ones_like(w),
    lambda z, w: ag.matmul(ag.reshape(z, (2, 3)), ag.reshape(w, (3, 2))),
    lambda z, w: ag.exp(z) * w,
    lambda z, w: z[:, None] * w,
    looped,
    views,
]


@pytest.mark.parametrize("k", range(len(FUNCTIONS)))
def test_results_are_the_plan_s(k):
    f = FUNCTIONS[k]
    for dtype in (np.complex64, np.complex128):
        z, w = (ag.constant(x.astype(dtype)) for x in A)
        if dtype is np.complex128 and k == 6:
            continue
        same(ag.function(f, jit_compile=True)(z, w), ag.function(f, jit_compile=False)(z, w))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", [lambda z, w: z * w, lambda z, w: z / w, lambda z, w: ag.abs(z - w), lambda z, w: z - w])
def test_infinities_zeros_and_nan(f):
    z, w = (ag.constant(x.ravel()) for x in np.meshgrid(SPECIAL, SPECIAL))
    got = ag.function(f, jit_compile=True)(z, w).numpy()
    want = ag.function(f, jit_compile=False)(z, w).numpy()
    np.testing.assert_allclose(got.real, want.real, rtol=1e-12)
    np.testing.assert_allclose(got.imag, want.imag, rtol=1e-12)


def test_joining_does_not_multiply_by_infinity():
    z = ag.complex(ag.constant([1.0]), ag.constant([np.inf])).numpy()
    assert z.real[0] == 1.0
    assert np.isinf(z.imag[0])


def test_what_stays_inside_is_real():
    def escape(x, y):
        c = ag.complex(x, y)
        z = ag.zeros_like(c)
        for _ in ag.range(9):
            z = ag.where(ag.abs(z) < 2.0, z * z + c, z)
        return ag.abs(z)

    graph = ag.function(escape).get_concrete_function(ag.TensorSpec([4]), ag.TensorSpec([4])).optimized_graph
    split = split_complex(graph)
    assert split is not graph
    assert not [v for n in split.walk() for v in n.outputs if v.tensor_type.dtype.is_complex]
    assert split_complex(split) is split
