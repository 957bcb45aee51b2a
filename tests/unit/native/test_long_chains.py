"""Long chains of elementwise operations: depth of expressions, and functions that are needed in many places."""

import ctypes

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import math_calls, mathlib, toolchain

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="no compiler")


@pytest.mark.parametrize("size", [1, 3, 8, 37, 1000])
def test_a_chain_of_functions_gives_what_they_give_one_by_one(size: int) -> None:
    """No result depends on how many functions a program has, nor on how it is cut into loops."""

    @ag.function(jit_compile=True)
    def one(x):
        return ag.tanh(ag.sin(x) * 1.5) + ag.exp(-x)

    @ag.function(jit_compile=True)
    def many(x):
        for _ in range(60):
            x = ag.tanh(ag.sin(x) * 1.5) + ag.exp(-x)
        return x

    x = ag.constant(np.linspace(-2, 2, size).astype(np.float32))
    want = x
    for _ in range(60):
        want = one(want)
    np.testing.assert_array_equal(many(x), want)


def test_functions_out_of_their_range_are_right_in_many_places() -> None:
    """Where libm takes over for some lanes."""

    @ag.function(jit_compile=True)
    def many(x):
        total = x * 0.0
        for k in range(8):
            total = total + ag.sin(x * 2.0**k)
        return total

    x = np.array([0.5, 1e9, -3.0, 1e300, 7.0, 2.0**40, 0.0, -1e15, 1.0], np.float64)
    want = sum(np.sin(x * 2.0**k) for k in range(8))
    np.testing.assert_allclose(many(ag.constant(x)), want, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("kind", mathlib.TYPES)
@pytest.mark.parametrize("name", sorted(mathlib.NAMES | mathlib.BINARY))
def test_called_functions_give_the_same_bits_as_inlined_ones(name: str, kind: str) -> None:
    """The vector variants that are called, against the code that loops are made of."""
    dtype, llvm = {"f32": (np.float32, "float"), "f64": (np.float64, "double")}[kind]
    random = np.random.default_rng(3)
    x, y = (random.normal(0, 3, 45).astype(dtype) for _ in range(2))
    x[:6] = 0.0, -0.0, np.inf, -np.inf, np.nan, 1e6
    given = ", ".join(f"{llvm} {v}" for v in (("%a", "%b") if name in mathlib.BINARY else ("%a",)))
    results = []
    for often in (False, True):
        outside = mathlib.outside(name, kind) if often else {}
        symbols = {symbol[1:]: math_calls.symbol(symbol[1:]) for symbol in outside}
        known = mathlib.declared_outside(outside) if often else mathlib.definition(name, kind)
        text = "\n".join([*(() if often else mathlib.declarations(name, kind)), known, f"""
define i64 @loop(ptr noalias %out, ptr noalias %x, ptr noalias %y, i64 %n) {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %xp = getelementptr {llvm}, ptr %x, i64 %i
  %yp = getelementptr {llvm}, ptr %y, i64 %i
  %op = getelementptr {llvm}, ptr %out, i64 %i
  %a = load {llvm}, ptr %xp
  %b = load {llvm}, ptr %yp
  %r = call {llvm} {mathlib.symbol(name, kind)}({given})
  store {llvm} %r, ptr %op
  %j = add nuw i64 %i, 1
  %more = icmp ult i64 %j, %n
  br i1 %more, label %body, label %end
end:
  ret i64 0
}}
"""])
        loaded = toolchain.compile_text(text, symbols, ("loop",))
        run = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 3, ctypes.c_int64)(loaded.address("loop"))
        out = np.empty_like(x)
        run(out.ctypes.data, x.ctypes.data, y.ctypes.data, x.size)
        results.append(out)
    np.testing.assert_array_equal(*results)


def test_powers_of_numbers_that_stand_alone_are_those_of_numpy() -> None:
    """Rank 0 in float64, inside a loop; arrays have vector code of their own."""

    @ag.function(jit_compile=True)
    def powers(x, y):
        last = x
        for _ in ag.range(3):
            last = last ** y
        return x**y, last

    for x in (0.3, 1.0, 7.5, -2.0, 0.0, float("inf")):
        for y in (-0.1, 0.0, 3.7, float("nan"), -1.0, 2.0):
            with np.errstate(all="ignore"):
                one = np.power(x, y)
                want = one, np.power(np.power(one, y), y)
            got = powers(ag.constant(x, ag.float64), ag.constant(y, ag.float64))
            np.testing.assert_array_equal([np.asarray(g) for g in got], want)
