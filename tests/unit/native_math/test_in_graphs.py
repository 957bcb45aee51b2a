"""The functions as graphs use them: against NumPy's plan, at arguments where vector code ends, and what constants save."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

DTYPES = ["float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_arguments(name, dtype, monkeypatch):
    x = np.concatenate([np.linspace(-30, 30, 101), [2.0**21, -1e15, 1e22, 3e38]]).astype(dtype)
    f = getattr(ag.math, name)
    check(lambda v: f(v), x, monkeypatch=monkeypatch)
    check(lambda v: ag.reduce_sum(f(f(v) * 1e20)) * 0, x, monkeypatch=monkeypatch)


@pytest.mark.parametrize("dtype", DTYPES)
def test_remainders_of_huge_quotients(dtype, monkeypatch):
    x = np.array([7, -7, 1e30, -1e30, 5e-30, 0, -0.0, 1e20], dtype)
    y = np.array([2, 2, 3, 3, -7, 5, 5, 1e-15], dtype)
    check(lambda a, b: (a % b, a // b, a % 0.7), x, y, monkeypatch=monkeypatch)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", [-1, 3, 4, 3.0])
def test_small_powers_take_no_logarithms(exponent, dtype, monkeypatch):
    x = np.array([1.1, -2.5, 0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e-30, 3e8], dtype)
    with np.errstate(all="ignore"):
        executable = check(lambda v: v**exponent, x, monkeypatch=monkeypatch)
        got, want = ag.function(lambda v: v**exponent, jit_compile=True)(ag.constant(x)).numpy(), x**exponent
    np.testing.assert_array_max_ulp(got[np.isfinite(want)], want[np.isfinite(want)], 2)
    np.testing.assert_array_equal(np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)]))
    assert "ag_pow" not in executable.lowered.text
