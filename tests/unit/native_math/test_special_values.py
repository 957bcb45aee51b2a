"""Infinities, NaN, signed zeros and subnormals as NumPy gives them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")

from runtime.backends.native import mathlib  # noqa: E402
from tests.unit.native_math.harness import DTYPES, compiled  # noqa: E402
from tests.unit.native_math.oracle import exact  # noqa: E402

SETTINGS = settings(max_examples=400, deadline=None, derandomize=True)
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
@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "erf", "sin", "tan", "sinh", "expm1", "log1p"])
def test_remainders_of_the_loop_agree_with_its_vectors(name: str, kind: str) -> None:
    """An element's result does not depend on its place in the array."""
    x = np.random.default_rng(4).uniform(0.1, 3, 200).astype(DTYPES[kind])
    run = compiled(name, kind)
    np.testing.assert_array_equal(run(x), np.array([run(x[i : i + 1])[0] for i in range(x.size)]))


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_arguments_beyond_the_vector_code_s_range(name: str, kind: str) -> None:
    """Alone, and among others whose results they must not change."""
    far = np.array([2.0**21, 2.0**37, 1e15, 1e22, 3e38, -1e30, 1e300 if kind == "f64" else 1e38], DTYPES[kind])
    with np.errstate(all="ignore"):
        wanted = rounded(getattr(np, name)(far.astype(np.float64)), far.dtype.type)
    run = compiled(name, kind)
    np.testing.assert_allclose(run(far), wanted, rtol=2 * np.finfo(far.dtype).eps)
    near = np.random.default_rng(5).normal(0, 100, 300).astype(far.dtype)
    mixed = near.copy()
    mixed[17::37] = np.resize(far, mixed[17::37].shape)
    results = run(near)
    results[17::37] = np.resize(run(far), mixed[17::37].shape)
    np.testing.assert_array_equal(run(mixed), results)


def rounded(wide: np.ndarray, dtype: type) -> np.ndarray:
    """The nearest of a narrower type; too large becomes infinite."""
    with np.errstate(all="ignore"):
        return wide.astype(dtype)


def agree(name: str, kind: str, *numbers: float) -> None:
    """The library's result is NumPy's: same NaN, infinity, sign; numbers to a few units in the last place."""
    dtype = DTYPES[kind]
    arguments = [np.array([number], dtype) for number in numbers]
    got, wanted = compiled(name, kind)(*arguments)[0], rounded(exact(name, *arguments), dtype)[0]
    if np.isnan(wanted):
        assert np.isnan(got), (name, numbers)
        return
    assert np.signbit(got) == np.signbit(wanted), (name, numbers, got, wanted)
    assert got == wanted or abs(got - wanted) <= 4 * np.spacing(abs(wanted)), (name, numbers, got, wanted)


@pytest.mark.parametrize("name", sorted(mathlib.NAMES - {"sin", "cos", "tan", "erf", "erfc", "softplus"}))
@SETTINGS
@given(st.floats(), st.floats(width=32))
def test_any_float_gives_what_numpy_gives(name: str, double: float, single: float) -> None:
    agree(name, "f64", double)
    agree(name, "f32", single)


@pytest.mark.parametrize("name", ["pow", "atan2", "hypot"])
@SETTINGS
@given(st.floats(), st.floats(), st.floats(width=32), st.floats(width=32) | st.integers(-9, 9))
@example(-0.0, -3.0, -0.0, 3.0)
@example(-1.0, float("inf"), 1.0, float("nan"))
@example(float("nan"), 0.0, float("-inf"), -3.0)
@example(-8.0, 1 / 3, -0.0, 0.5)
def test_any_two_floats_give_what_numpy_gives(name: str, x: float, y: float, single_x: float, single_y: float) -> None:
    agree(name, "f64", x, y)
    agree(name, "f32", single_x, single_y)


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["pow", "atan2", "hypot", "logaddexp"])
def test_all_pairs_of_special_values(name: str, kind: str) -> None:
    dtype = DTYPES[kind]
    numbers = [*SPECIAL, 0.5, 3.0, -3.0, 2.0**60]
    x, y = np.array(np.meshgrid(numbers, numbers), dtype).reshape(2, -1)
    got, wanted = compiled(name, kind)(x, y), rounded(exact(name, x, y), dtype)
    np.testing.assert_allclose(got, wanted, rtol=4 * np.finfo(dtype).eps)
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(wanted[number]))


@pytest.mark.parametrize("kind", mathlib.TYPES)
def test_whole_cubes_are_exact(kind: str) -> None:
    cubes = np.arange(-200, 201).astype(DTYPES[kind])
    np.testing.assert_array_equal(compiled("cbrt", kind)(cubes**3), cubes)
