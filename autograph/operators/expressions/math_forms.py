"""Stand-ins for the functions of `math`: operations on Python floats where a tensor is staged.

Where `math` raises (a root of -1), these give NaN or infinity, as arrays do.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from autograph.operators.expressions.number_functions import float_, int_
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.state.stand_ins import stand_in
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_stmt, not_
from autograph.operators.statements.truth import truth_of
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.typesys.dtypes import as_dtype

__all__: list[str] = []

_FLOATS = """
sqrt exp expm1 log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh fabs pow atan2 hypot erf erfc
lgamma degrees radians copysign fmod cbrt exp2
""".split()
_INTEGERS = "floor ceil trunc".split()
_TESTS = {"isnan": "is_nan", "isinf": "is_inf", "isfinite": "is_finite"}


def _register(name: str, made: Callable[..., Any]) -> None:
    original = getattr(math, name, None)
    if original is not None:  # some came with later Pythons
        stand_in(original)(lambda *args: made(*args) if any(map(holds_staged, args)) else original(*args))


def _of_floats(name: str) -> Callable[..., Any]:
    return lambda *args: getattr(op, name)(*map(float_, args))


def _integer(name: str) -> Callable[[Any], Any]:
    return lambda x: int_(getattr(op, name)(float_(x)))


def _log(x: Any, base: Any = None) -> Any:
    return op.log(float_(x)) if base is None else op.div(op.log(float_(x)), op.log(float_(base)))


def _isclose(a: Any, b: Any, *, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> Any:
    a, b = float_(a), float_(b)
    bound = op.maximum(op.mul(op.maximum(abs(a), abs(b)), rel_tol), abs_tol)
    return op.less_equal(abs(op.sub(a, b)), bound)


def _fsum(items: Any) -> Any:
    total: Any = 0.0
    for x in items:
        total = total + float_(x)
    return total


for _name in _FLOATS:
    _register(_name, _of_floats(_name))
for _name in _INTEGERS:
    _register(_name, _integer(_name))
for _name, _operation in _TESTS.items():
    _register(_name, _of_floats(_operation))
_register("log", _log)


@stand_in(operator.not_)
def operator_not(x: Any) -> Any:
    """`operator.not_`."""
    return not_(x)


@stand_in(operator.truth)
def operator_truth(x: Any) -> Any:
    """`operator.truth`."""
    return truth_of(x)


def _of_integers(name: str, nothing: int) -> Callable[..., Any]:
    """`gcd` and `lcm` of any number of integers."""

    def fold(*numbers: Any) -> Any:
        found: Any = nothing
        for x in numbers:
            found = getattr(op, name)(found, int_(x))
        return abs(found)

    return fold


def _isqrt(n: Any) -> Any:
    n = int_(n)
    if_stmt(n < 0, _no_isqrt, None, ())
    root = int_(op.sqrt(op.cast(n, dtype=as_dtype("float64"))))
    root = root - op.cast(op.greater(root * root, n), dtype=as_dtype("int64"))  # the square root was rounded
    return int_(root + op.cast(op.less_equal((root + 1) * (root + 1), n), dtype=as_dtype("int64")))


def _no_isqrt() -> None:
    raise raised(ValueError("isqrt() argument must be nonnegative"))


def _dist(p: Any, q: Any) -> Any:
    return op.sqrt(_fsum([(float_(a) - float_(b)) ** 2 for a, b in zip(p, q, strict=True)]))


@stand_in(math.isclose)
def isclose_(a: Any, b: Any, **tolerances: float) -> Any:
    """`math.isclose`."""
    return (_isclose if holds_staged(a) or holds_staged(b) else math.isclose)(a, b, **tolerances)


@stand_in(math.fsum)
def fsum_(items: Any) -> Any:
    """`math.fsum`: a plain sum, in order, where something is staged."""
    listed: Any = items if isinstance(items, Tensor) else list(items)
    return _fsum(listed) if holds_staged(listed) else math.fsum(listed)


_register("gcd", _of_integers("gcd", 0))
_register("lcm", _of_integers("lcm", 1))
_register("isqrt", _isqrt)
_register("dist", _dist)
