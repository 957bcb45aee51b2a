"""Infinities, NaN, signed zeros and subnormals as NumPy gives them."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")

from runtime.backends.native import mathlib  # noqa: E402
from tests.unit.native_math.harness import DTYPES, compiled  # noqa: E402
from tests.unit.native_math.oracle import exact  # noqa: E402

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0]


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES - {"tan", "rsqrt"}))
def test_special_values(name: str, kind: str) -> None:
    dtype = DTYPES[kind]
    x = np.array([*SPECIAL, np.finfo(dtype).smallest_subnormal, -np.finfo(dtype).smallest_subnormal], dtype)
    got, wanted = compiled(name, kind)(x), exact(name, x).astype(dtype)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    np.testing.assert_array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(wanted[~np.isnan(got)]))
    np.testing.assert_allclose(got, wanted, rtol=4 * np.finfo(dtype).eps)
    exactly = np.isin(wanted, [0, 1, np.inf, -np.inf])
    np.testing.assert_array_equal(got[exactly], wanted[exactly])


@pytest.mark.parametrize("kind", mathlib.TYPES)
def test_powers_are_exact(kind: str) -> None:
    dtype = DTYPES[kind]
    lowest, highest = (-149, 127) if kind == "f32" else (-1074, 1023)
    k = np.arange(lowest, highest + 1)
    np.testing.assert_array_equal(compiled("log2", kind)(np.ldexp(dtype(1), k)), k)
    np.testing.assert_array_equal(compiled("exp2", kind)(k.astype(dtype)), np.ldexp(dtype(1), k))
    tens = np.arange(0, 11 if kind == "f32" else 23)
    np.testing.assert_array_equal(compiled("log10", kind)(dtype(10) ** tens.astype(dtype)), tens)


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "erf", "tanh", "sigmoid"])
def test_bounded_functions_stay_in_their_bounds(name: str, kind: str) -> None:
    x = np.random.default_rng(3).normal(0, 5, 200_000).astype(DTYPES[kind])
    halves = (np.arange(-2000, 2000) * (np.pi / 2)).astype(DTYPES[kind])
    assert np.abs(compiled(name, kind)(np.concatenate([x, halves]))).max() <= 1


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "erf", "sin", "sinh", "expm1", "log1p"])
def test_remainders_of_the_loop_agree_with_its_vectors(name: str, kind: str) -> None:
    """An element's result does not depend on its place in the array."""
    x = np.random.default_rng(4).uniform(0.1, 3, 200).astype(DTYPES[kind])
    run = compiled(name, kind)
    np.testing.assert_array_equal(run(x), np.array([run(x[i : i + 1])[0] for i in range(x.size)]))


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_the_slow_path_is_right_beyond_the_range(name: str, kind: str) -> None:
    slow = mathlib.slow_path(name, kind)
    assert slow is not None
    x = np.array([2.0**37, 1e15, 1e22, 3e38, -1e30, 1e300 if kind == "f64" else 1e38], DTYPES[kind])
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x.astype(np.float64)).astype(x.dtype)
    np.testing.assert_allclose(compiled(name, kind, "exact")(x), wanted, rtol=2 * np.finfo(x.dtype).eps)
