"""Stand-ins for the functions of `math`: operations on Python floats where a tensor is staged.

Where `math` raises (a root of -1), these give NaN or infinity, as arrays do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograph.operators.expressions.py_builtins import float_, int_
from autograph.operators.functions.python_forms import holds_staged
from autograph.operators.state.stand_ins import stand_in
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor

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


@stand_in(math.isclose)
def isclose_(a: Any, b: Any, **tolerances: float) -> Any:
    """`math.isclose`."""
    return (_isclose if holds_staged(a) or holds_staged(b) else math.isclose)(a, b, **tolerances)


@stand_in(math.fsum)
def fsum_(items: Any) -> Any:
    """`math.fsum`: a plain sum, in order, where something is staged."""
    listed: Any = items if isinstance(items, Tensor) else list(items)
    return _fsum(listed) if holds_staged(listed) else math.fsum(listed)
