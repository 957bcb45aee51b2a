"""The library's errors against more digits; docs/native_math.md states the bounds and is checked here."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")

from runtime.backends.native import mathlib  # noqa: E402
from tests.unit.native_math.harness import DTYPES, compiled, ulps  # noqa: E402
from tests.unit.native_math.oracle import BY_MPMATH, exact  # noqa: E402
from tests.unit.native_math.points import binary, reduced_up_to, unary  # noqa: E402

ROW = re.compile(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", re.MULTILINE)
PAGE = Path(__file__).parents[3] / "docs" / "native_math.md"
ERRORS, COSTS = PAGE.read_text("utf-8").split("## What they cost")
STATED = {name: {"f32": float(f32), "f64": float(f64)} for name, f32, f64 in ROW.findall(ERRORS)}
LONG_IS_LONGER = np.finfo(np.longdouble).nmant >= 63


def test_every_function_has_a_stated_bound_within_the_limits() -> None:
    assert set(STATED) == mathlib.NAMES | mathlib.BINARY
    assert all(bound["f32"] <= 2 and bound["f64"] <= 4 for bound in STATED.values())


def assert_same_bits(got: np.ndarray, wanted: np.ndarray) -> None:
    """Equal, zeros with their signs; any NaN equals any other."""
    np.testing.assert_array_equal(got, wanted)
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(wanted[number]))


def test_every_function_has_a_measured_cost() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", COSTS, re.MULTILINE)) == mathlib.NAMES | mathlib.BINARY


def worst(name: str, kind: str, *arguments: np.ndarray) -> tuple[float, tuple]:
    """The largest error, and the arguments where it is."""
    got = compiled(name, kind)(*arguments)
    errors = ulps(got, exact(name, *arguments))
    i = int(np.argmax(errors))
    return float(errors[i]), (*(a[i] for a in arguments), got[i])


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES))
def test_errors_stay_below_the_stated_bound(name: str, kind: str) -> None:
    if kind == "f64" and not LONG_IS_LONGER and name not in BY_MPMATH:
        pytest.skip("long double is double here")
    count = 1_000 if name in BY_MPMATH else 40_000
    error, where = worst(name, kind, unary(name, DTYPES[kind], count))
    assert error <= STATED[name][kind], where


@pytest.mark.parametrize("name", ["exp", "exp2", "sigmoid", "softplus", "sinh", "cosh"])
def test_processors_with_and_without_ldexp_agree(name: str) -> None:
    x = unary(name, np.float32, 40_000)
    plain = compiled(name, "f32", True)(x)
    assert ulps(plain, exact(name, x)).max() <= STATED[name]["f32"]
    with np.errstate(all="ignore"):
        np.testing.assert_array_max_ulp(*(r[~np.isnan(plain)] for r in (plain, compiled(name, "f32")(x))), 2)


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["atan2", "hypot", "pow"])
def test_errors_of_two_arguments(name: str, kind: str) -> None:
    if kind == "f64" and not LONG_IS_LONGER:
        pytest.skip("long double is double here")
    x, y = binary(DTYPES[kind], 30_000)
    error, where = worst(name, kind, x, y)
    assert error <= STATED[name][kind], where


@pytest.mark.parametrize("kind", mathlib.TYPES)
def test_errors_of_logaddexp_in_units_of_its_terms(kind: str) -> None:
    if kind == "f64" and not LONG_IS_LONGER:
        pytest.skip("long double is double here")
    x, y = binary(DTYPES[kind], 30_000)
    got, wanted = compiled("logaddexp", kind)(x, y), exact("logaddexp", x, y)
    finite = np.isfinite(got) & np.isfinite(x) & np.isfinite(y)
    np.testing.assert_array_equal(got[~finite], wanted[~finite].astype(got.dtype))
    largest = np.maximum(x, y)[finite].astype(wanted.dtype)
    rest = np.log1p(np.exp(-np.abs(x[finite].astype(wanted.dtype) - y[finite])))
    unit = np.spacing(np.maximum(np.maximum(np.abs(largest), rest), wanted[finite]).astype(got.dtype)).astype(wanted.dtype)
    errors = np.abs(got[finite] - wanted[finite]) / unit
    assert errors.max() <= STATED["logaddexp"][kind]


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", ["fmod", "remainder", "floor_divide"])
def test_division_is_numpys_to_the_bit(name: str, kind: str) -> None:
    x, y = binary(DTYPES[kind], 30_000)
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x, y)
        inside = ~(np.abs(x.astype(np.float64) / y.astype(np.float64)) >= 2.0**53)
    assert not inside.all()
    assert_same_bits(compiled(name, kind)(x[inside], y[inside]), wanted[inside])
    assert_same_bits(compiled(name, kind)(x, y), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(mathlib.NAMES))
def test_singles_of_all_bits(name: str) -> None:
    """Every 61st of all 2^32 singles (61 is prime: all exponents, all residues of fractions)."""
    for start in range(0, 2**32, 2**28):
        x = np.arange(start, start + 2**28, 61, dtype=np.uint32).view(np.float32)
        if name in {"sin", "cos", "tan"}:
            x = x[~(np.abs(x) > reduced_up_to(name, np.float32))]
        if name in BY_MPMATH:
            x = x[::4001]
        if x.size:
            error, where = worst(name, "f32", x)
            assert error <= STATED[name]["f32"], where
