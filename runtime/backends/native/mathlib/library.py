"""The table of functions, and their texts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from runtime.backends.native.mathlib import (
    algebraic,
    emitter,
    error_function,
    exponential,
    logarithm,
    trigonometric,
)
from runtime.backends.native.mathlib.emitter import LLVM_TYPES, Value

TYPES = ("f32", "f64")

UNARY_BODIES: dict[str, Callable[[Value], Value]] = {
    function.__name__: function
    for function in (
        exponential.exp, exponential.exp2, exponential.expm1,
        exponential.sigmoid, exponential.tanh, exponential.sinh, exponential.cosh,
        logarithm.log, logarithm.log2, logarithm.log10, logarithm.log1p, logarithm.softplus,
        trigonometric.sin, trigonometric.cos, trigonometric.tan,
        error_function.erf, error_function.erfc,
        algebraic.rsqrt,
    )
}
BINARY_BODIES: dict[str, Callable[[Value, Value], Value]] = {
    function.__name__: function for function in (logarithm.logaddexp,)
}
NAMES = frozenset(UNARY_BODIES)
BINARY = frozenset(BINARY_BODIES)


@dataclass(frozen=True)
class SlowPath:
    """Where a function ends and what serves beyond.

    `test` is the symbol of an inlined, vectorisable predicate over the function's arguments (`i1`, true beyond the
    range); `exact` the symbol of a scalar function that is right everywhere and calls libm. `texts` defines both,
    `declarations` what they need, `reason` says what the test asks.
    """

    test: str
    exact: str
    texts: tuple[str, ...]
    declarations: tuple[str, ...]
    reason: str


# name -> (predicate, libm's function of doubles, what the predicate asks)
SLOW: dict[str, tuple[Callable[..., Value], str, str]] = {
    name: (trigonometric.beyond, name, "|x| > 2**36") for name in ("sin", "cos", "tan")
}


def symbol(name: str, kind: str) -> str:
    """The function's symbol, `@ag_exp_f32`.

    >>> symbol("exp", "f32")
    '@ag_exp_f32'
    """
    return f"@ag_{name}_{kind}"


@cache
def build(name: str, kind: str) -> tuple[str, tuple[str, ...]]:
    """The text of a function and its declarations."""
    if kind not in TYPES:
        raise KeyError(kind)
    if name in BINARY_BODIES:
        return emitter.definition(symbol(name, kind), (kind, kind), BINARY_BODIES[name])
    return emitter.definition(symbol(name, kind), (kind,), UNARY_BODIES[name])


def definition(name: str, kind: str) -> str:
    """The IR of one function. Raises KeyError where there is none."""
    return build(name, kind)[0]


def declarations(name: str, kind: str) -> tuple[str, ...]:
    """The `declare` lines of the intrinsics it calls."""
    return build(name, kind)[1]


def requires(name: str, kind: str) -> tuple[tuple[str, str], ...]:
    """Other functions of the library that it calls: none, each stands alone."""
    build(name, kind)
    return ()


@cache
def slow_path(name: str, kind: str) -> SlowPath | None:
    """What to do beyond the function's range; None where it holds everywhere.

    A loop over a block of elements keeps its vector form by computing the fast function and the disjunction of the
    tests, and by doing the block again with the exact functions where that is true.

    >>> slow_path("exp", "f64") is None
    True
    >>> print(slow_path("sin", "f32").texts[1])
    define internal float @ag_sin_f32_exact(float %x) nounwind {
      %wide0 = fpext float %x to double
      %value = call double @sin(double %wide0)
      %result = fptrunc double %value to float
      ret float %result
    }
    <BLANKLINE>
    """
    if name not in SLOW:
        build(name, kind)
        return None
    predicate, library, reason = SLOW[name]
    count = 2 if name in BINARY else 1
    test, exact = f"{symbol(name, kind)}_beyond", f"{symbol(name, kind)}_exact"
    text, needed = emitter.definition(test, (kind,) * count, predicate, result="i1")
    arguments = ", ".join(["double"] * count)
    library_line = f"declare double @{library}({arguments})"
    return SlowPath(test, exact, (text, exact_text(exact, kind, library, count)), (*needed, library_line), reason)


def exact_text(name: str, kind: str, library: str, count: int) -> str:
    """A function that calls libm's for doubles; singles are widened, which makes their results exact but for rounding."""
    llvm = LLVM_TYPES[kind]
    names = ("%x", "%y")[:count]
    lines = [f"define internal {llvm} {name}({', '.join(f'{llvm} {n}' for n in names)}) nounwind {{"]
    wide = list(names)
    if kind == "f32":
        wide = [f"%wide{i}" for i in range(count)]
        lines += [f"  {w} = fpext float {n} to double" for w, n in zip(wide, names, strict=True)]
    lines.append(f"  %value = call double @{library}({', '.join(f'double {w}' for w in wide)})")
    if kind == "f32":
        lines.append("  %result = fptrunc double %value to float")
    lines += [f"  ret {llvm} {'%result' if kind == 'f32' else '%value'}", "}", ""]
    return "\n".join(lines)
