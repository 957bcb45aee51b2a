"""Arithmetic on one element: what the meanings of elementwise operations are made of.

`Ops` has a method for every ufunc that native code knows, by NumPy's name; an operation that is no ufunc has a rule
`scalar(b, *xs, **attributes)` over the same methods. Nothing here branches, so that loops over it vectorise.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import isnan
from typing import Any

from runtime.backends.native import mathlib
from runtime.backends.native.errors import Unsupported
from runtime.backends.native.lower.code import Code, Operand
from runtime.backends.native.lower.types import LLVM, SIZE, is_float, is_signed, literal, number

__all__ = ["LoneOps", "Ops", "Scalar"]


class Scalar:
    """A value in a register: its name (or an LLVM constant) and the code of its type."""

    __slots__ = ("code", "reg")

    def __init__(self, reg: Operand, code: str) -> None:
        self.reg = reg
        self.code = code

    @property
    def type(self) -> str:
        """The LLVM type."""
        return LLVM[self.code]

    def __repr__(self) -> str:
        return f"{self.type} {self.reg}"


_ARITHMETIC: dict[str, Callable[[int, int], int]] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_COMPARE = {
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}


class Ops:
    """Instructions on scalars of one type each; operands of other types are cast by who calls."""

    alone = False  # whether these are numbers by themselves, which may be told apart by branches

    def __init__(self, code: Code, needs: Callable[[str], None]) -> None:
        self.code = code
        self.needs = needs  # tells the module which functions are called

    # What rules use beside the ufuncs

    def const(self, value: Any, like: Scalar) -> Scalar:
        """A number of the type of another."""
        return Scalar(literal(value, like.code), like.code)

    def select(self, condition: Scalar, x: Scalar, y: Scalar) -> Scalar:
        """x if condition else y"""
        return self._new(f"select i1 {condition.reg}, {x}, {y}", x.code)

    def cast(self, x: Scalar, to: str) -> Scalar:
        """C's conversion, as NumPy's `astype`; floats that fit no integer give NumPy's result on this processor."""
        have = x.code
        if have == to:
            return x
        if to == "b1":
            return self.not_equal(x, self.const(0, x))
        known = number(x.reg, have)
        if known is not None and is_float(to) and abs(known) < 2**53:
            return Scalar(literal(known, to), to)
        target = LLVM[to]
        if isinstance(known, int) and to[0] == "i" and -(2 ** (8 * SIZE[to] - 1)) <= known < 2 ** (8 * SIZE[to] - 1):
            return Scalar(literal(known, to), to)
        if have == "b1":
            return self._new(f"{'uitofp' if is_float(to) else 'zext'} {x} to {target}", to)
        if is_float(have):
            if is_float(to):
                return self._new(f"{'fpext' if SIZE[to] > SIZE[have] else 'fptrunc'} {x} to {target}", to)
            return self._float_to_int(x, to)
        if is_float(to):
            return self._new(f"{'sitofp' if is_signed(have) else 'uitofp'} {x} to {target}", to)
        if SIZE[have] == SIZE[to]:
            return Scalar(x.reg, to)
        if to == "i64" and is_signed(have):
            known_as = self._in_64_bits(x.reg)
            if known_as is not None:
                return Scalar(known_as, "i64")
        word = "trunc" if SIZE[to] < SIZE[have] else "sext" if is_signed(have) else "zext"
        bounds = self._bounds(x)
        if bounds is None and word != "trunc":
            bits = 8 * SIZE[have]
            bounds = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed(have) else (0, 2**bits - 1)
        result = self._within(self._new(f"{word} {x} to {target}", to), bounds)
        if have == "i64" and is_signed(to) and result.reg in self.code.ranges:
            self.code.wider[result.reg] = str(x.reg)
        return result

    def _in_64_bits(self, x: Operand) -> Operand | None:
        """An integer of fewer bits as 64, from what it was computed from: LLVM does not see that nothing was cut off."""
        if isinstance(x, int) or x.lstrip("-").isdigit():
            return x
        of = self.code.wider.get(x)
        if of is None or isinstance(of, str):
            return of
        word, *parts = of
        one, other = (self._in_64_bits(part) for part in parts)
        if one is None or other is None:
            return None
        result = self._without_wrapping(word, Scalar(one, "i64"), Scalar(other, "i64"))
        return None if result is None else result.reg

    def _float_to_int(self, x: Scalar, to: str) -> Scalar:
        word = "fptosi" if is_signed(to) else "fptoui"
        saturated = self._intrinsic(f"{word}.sat", to, x, suffix=f"{LLVM[to]}.{x.code}")
        if to not in ("i32", "i64"):
            return saturated
        # x86 gives the smallest integer for what does not fit
        low = literal(-(2.0 ** (8 * SIZE[to] - 1)), x.code)
        high = literal(2.0 ** (8 * SIZE[to] - 1), x.code)
        above = self._new(f"fcmp oge {x}, {low}", "b1")
        below = self._new(f"fcmp olt {x}, {high}", "b1")
        fits = self.logical_and(above, below)
        return self.select(fits, saturated, Scalar(str(-(2 ** (8 * SIZE[to] - 1))), to))

    def whole(self, x: Scalar) -> tuple[Scalar, Scalar]:
        """A floating-point number without its fraction, in 64 bits; and whether it is one that fits."""
        fits = self._new(f"fcmp olt {self.fabs(x)}, {literal(2.0**63, x.code)}", "b1")
        return self._new(f"fptosi {x} to i64", "i64"), fits

    # Arithmetic

    def add(self, x: Scalar, y: Scalar) -> Scalar:
        return self._without_wrapping("add", x, y) or self._binary("fadd", "add", "or", x, y)

    def subtract(self, x: Scalar, y: Scalar) -> Scalar:
        return self._without_wrapping("sub", x, y) or self._binary("fsub", "sub", "xor", x, y)

    def multiply(self, x: Scalar, y: Scalar) -> Scalar:
        return self._without_wrapping("mul", x, y) or self._binary("fmul", "mul", "and", x, y)

    def _without_wrapping(self, word: str, x: Scalar, y: Scalar) -> Scalar | None:
        """Arithmetic on integers whose result is known to fit their type, and between what."""
        if not is_signed(x.code) or is_float(x.code):
            return None
        ends = self._ends(word, x, y)
        most = 2 ** (8 * SIZE[x.code] - 1)
        if ends is None or not -most <= ends[0] <= ends[1] < most:
            return None
        fits = " nsw" if self.code.late is None else ""  # else what a turn should have left may come here
        result = self._within(self._new(f"{word}{fits} {x}, {y.reg}", x.code), ends)
        if x.code != "i64" and (x.reg in self.code.wider or y.reg in self.code.wider):
            self.code.wider[result.reg] = word, x.reg, y.reg
        return result

    def _ends(self, word: str, x: Scalar, y: Scalar) -> tuple[int, int] | None:
        """Between what a result lies, as whole numbers."""
        one, other = self._bounds(x), self._bounds(y)
        if one is None or other is None:
            return None
        ends = [_ARITHMETIC[word](a, b) for a in one for b in other]
        return min(ends), max(ends)

    def _bounds(self, x: Scalar) -> tuple[int, int] | None:
        """Between what an integer is known to be; nothing where its register was another type's and meant others."""
        bounds = self.code.range_of(x.reg)
        if bounds is None or is_float(x.code) or x.code == "b1":
            return None
        bits = 8 * SIZE[x.code]
        least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if is_signed(x.code) else (0, 2**bits)
        return bounds if least <= bounds[0] <= bounds[1] < most else None

    def _within(self, x: Scalar, bounds: tuple[int, int] | None) -> Scalar:
        """Note between what an integer is, where its type holds all of that."""
        if bounds is not None:
            bits = 8 * SIZE[x.code]
            least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if is_signed(x.code) else (0, 2**bits)
            if least <= bounds[0] <= bounds[1] < min(most, 2**63):
                self.code.ranges[x.reg] = bounds
        return x

    def divide(self, x: Scalar, y: Scalar) -> Scalar:
        return self._new(f"fdiv {x}, {y.reg}", x.code)

    def floor_divide(self, x: Scalar, y: Scalar) -> Scalar:
        if is_float(x.code):
            return self.math("floor_divide", x, y)
        return self._integer_division(x, y, divides=True)

    def remainder(self, x: Scalar, y: Scalar) -> Scalar:
        if is_float(x.code):
            return self.math("remainder", x, y)
        return self._integer_division(x, y, divides=False)

    def _integer_division(self, x: Scalar, y: Scalar, divides: bool) -> Scalar:
        """Floor division, or its remainder; both 0 where y is 0, and the smallest number over -1 is itself."""
        code, zero = x.code, self.const(0, x)
        above, below = self._bounds(x), self._bounds(y)
        if self.code.required is not None and below is not None and number(y.reg, code) is None:
            below = self.code.ranges.get(y.reg)  # whether it is needed or not: what a test has said may not hold
        constant = int(y.reg) if str(y.reg).isdigit() else 0
        if is_signed(code) and constant.bit_count() == 1:  # a power of two rounds down by itself
            if not divides:
                mask = self.const(constant - 1, x)
                return self._within(self._new(f"and {x}, {mask.reg}", code), (0, constant - 1))
            shift = self.const(constant.bit_length() - 1, x)
            bounds = None if above is None else (above[0] // constant, above[1] // constant)
            return self._within(self._new(f"ashr {x}, {shift.reg}", code), bounds)
        if is_signed(code) and above is not None and below is not None and above[0] >= 0 < below[0]:
            if divides:
                return self._within(self._new(f"udiv {x}, {y.reg}", code), (above[0] // below[1], above[1] // below[0]))
            return self._within(self._new(f"urem {x}, {y.reg}", code), (0, below[1] - 1))
        none = self.equal(y, zero)
        if not is_signed(code):
            by = self.select(none, self.const(1, x), y)
            return self.select(none, zero, self._new(f"{'udiv' if divides else 'urem'} {x}, {by.reg}", code))
        if self.alone and self.code.required is None and self.code.varies(y.reg):
            return self._division_by_another(x, y, divides)
        minus = self.equal(y, self.const(-1, x))
        by = self.select(self.logical_or(none, minus), self.const(1, x), y)
        rest, quotient = self._rounded_down(x, by, divides)
        if not divides:  # 0 where it was divided by 1
            return self._within(rest, (0, constant - 1) if constant > 0 else None)
        return self.select(none, zero, self.select(minus, self.subtract(zero, x), quotient))

    def _division_by_another(self, x: Scalar, y: Scalar, divides: bool) -> Scalar:
        """The same where each turn of a loop divides by another number, which waits for no choice."""
        code, zero = self.code, self.const(0, x)
        odd, usual, after = code.label("odd"), code.label("usual"), code.label("divided")
        code.branch(code.op(f"icmp ult {x.type} {code.op(f'add {y}, 1')}, 2"), odd, usual, rarely=True)
        code.begin(odd)
        other = self.select(self.equal(y, zero), zero, self._new(f"sub {zero}, {x.reg}", x.code)) if divides else zero
        code.jump(after)
        code.begin(usual)
        result = self._rounded_down(x, y, divides)[divides]
        code.jump(after)
        code.begin(after)
        return self._new(f"phi {x.type} [ {other.reg}, %{odd} ], [ {result.reg}, %{usual} ]", x.code)

    def _rounded_down(self, x: Scalar, y: Scalar, divides: bool) -> tuple[Scalar, Scalar]:
        """Remainder, and quotient if asked for, of a division that is possible. What it takes beside the division waits for
        the remainder as little as can be: the divisor is often known long before."""
        zero, above = self.const(0, x), self._bounds(x)
        rest = self._new(f"srem {x}, {y.reg}", x.code)
        sign = self._new(f"ashr {y}, {8 * SIZE[x.code] - 1}", x.code)
        if above is not None and above[0] >= 0:
            down = self._new(f"and {sign}, {y.reg}", x.code)
            whole = self.equal(rest, zero)
            if not divides:
                return self.select(whole, rest, self._new(f"add {rest}, {down.reg}", x.code)), rest
            quotient = self._new(f"sdiv {x}, {y.reg}", x.code)
            return rest, self.select(whole, quotient, self._new(f"add {quotient}, {sign.reg}", x.code))
        turned = self._new(f"xor {rest}, {sign.reg}", x.code)
        differ = self.less(self._new(f"sub {turned}, {sign.reg}", x.code), zero)
        if not divides:
            return self.select(differ, self._new(f"add {rest}, {y.reg}", x.code), rest), rest
        quotient = self._new(f"sdiv {x}, {y.reg}", x.code)
        return rest, self.select(differ, self._new(f"sub {quotient}, 1", x.code), quotient)

    def negative(self, x: Scalar) -> Scalar:
        return self._new(f"fneg {x}", x.code) if is_float(x.code) else self.subtract(self.const(0, x), x)

    def positive(self, x: Scalar) -> Scalar:
        return x

    def absolute(self, x: Scalar) -> Scalar:
        if is_float(x.code):
            return self._intrinsic("fabs", x.code, x)
        if not is_signed(x.code):
            return x
        return self._new(f"call {x.type} @llvm.abs.{x.type}({x}, i1 false)", x.code)

    fabs = absolute

    def sign(self, x: Scalar) -> Scalar:
        zero = self.const(0, x)
        up = self.select(self.greater(x, zero), self.const(1, x), zero)
        if x.code[0] in "ub":
            return up
        signed = self.select(self.less(x, zero), self.const(-1, x), up)
        return self.select(self.isnan(x), x, signed) if is_float(x.code) else signed

    def square(self, x: Scalar) -> Scalar:
        return self.multiply(x, x)

    def reciprocal(self, x: Scalar) -> Scalar:
        return self.divide(self.const(1, x), x)

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        return self._extremum("greater", x, y)

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        return self._extremum("less", x, y)

    def _extremum(self, better: str, x: Scalar, y: Scalar) -> Scalar:
        """x unless y is better, or NaN: one instruction, and a test where y may be NaN."""
        if not is_float(x.code):
            return self.select(self._compare(better, x, y), x, y)
        one, other = number(x.reg, x.code), number(y.reg, y.code)
        if one and not isnan(one) and other is None:  # no zero, which may be told from another zero
            x, y, other = y, x, one
        best = self.select(self._compare(better, y, x), y, x)
        return best if other is not None and not isnan(other) else self.select(self.isnan(y), y, best)

    def fmax(self, x: Scalar, y: Scalar) -> Scalar:
        return self._number_or("greater", x, y)

    def fmin(self, x: Scalar, y: Scalar) -> Scalar:
        return self._number_or("less", x, y)

    def _number_or(self, better: str, x: Scalar, y: Scalar) -> Scalar:
        """x unless y is better, or x is NaN."""
        if not is_float(x.code):
            return self._extremum(better, x, y)
        return self.select(self.isnan(x), y, self.select(self._compare(better, y, x), y, x))

    def sqrt(self, x: Scalar) -> Scalar:
        return self._intrinsic("sqrt", x.code, x)

    def floor(self, x: Scalar) -> Scalar:
        return self._round("floor", x)

    def ceil(self, x: Scalar) -> Scalar:
        return self._round("ceil", x)

    def rint(self, x: Scalar) -> Scalar:
        return self._round("rint", x)

    def trunc(self, x: Scalar) -> Scalar:
        return self._round("trunc", x)

    def copysign(self, x: Scalar, y: Scalar) -> Scalar:
        return self._new(f"call {x.type} @llvm.copysign.{x.code}({x}, {y})", x.code)

    def power(self, x: Scalar, y: Scalar) -> Scalar:
        known = {literal(n, x.code): n for n in range(9)}.get(str(y.reg))
        if known is not None and (known <= 2 or not is_float(x.code)):
            result = self.const(1, x) if known == 0 else x
            for _ in range(known - 1):
                result = self.multiply(result, x)
            return result
        if is_float(x.code):
            # A third power by `pow` costs five times as much, and is no nearer.
            named = {literal(3, x.code): "cube", literal(4, x.code): "fourth"}.get(str(y.reg))
            if named is not None:
                return self.math(named, x)
            if str(y.reg) == literal(-1, x.code):
                return self.divide(self.const(1, x), x)
            return self.math("pow", x, y)
        raise Unsupported([("a power of integers", None)])

    def float_power(self, x: Scalar, y: Scalar) -> Scalar:
        return self.math("pow", x, y)

    # Comparisons and logic

    def equal(self, x: Scalar, y: Scalar) -> Scalar:
        return self._compare("equal", x, y)

    def not_equal(self, x: Scalar, y: Scalar) -> Scalar:
        return self._compare("not_equal", x, y)

    def less(self, x: Scalar, y: Scalar) -> Scalar:
        return self._compare("less", x, y)

    def less_equal(self, x: Scalar, y: Scalar) -> Scalar:
        return self._compare("less_equal", x, y)

    def greater(self, x: Scalar, y: Scalar) -> Scalar:
        return self._compare("greater", x, y)

    def greater_equal(self, x: Scalar, y: Scalar) -> Scalar:
        return self._compare("greater_equal", x, y)

    def _compare(self, name: str, x: Scalar, y: Scalar) -> Scalar:
        word = _COMPARE[name]
        if is_float(x.code):
            return self._new(f"fcmp {'une' if word == 'ne' else 'o' + word} {x}, {y.reg}", "b1")
        if word not in ("eq", "ne"):
            word = ("s" if is_signed(x.code) else "u") + word
        return self._new(f"icmp {word} {x}, {y.reg}", "b1")

    def logical_and(self, x: Scalar, y: Scalar) -> Scalar:
        return self._new(f"and i1 {self._truth(x).reg}, {self._truth(y).reg}", "b1")

    def logical_or(self, x: Scalar, y: Scalar) -> Scalar:
        return self._new(f"or i1 {self._truth(x).reg}, {self._truth(y).reg}", "b1")

    def logical_xor(self, x: Scalar, y: Scalar) -> Scalar:
        return self._new(f"xor i1 {self._truth(x).reg}, {self._truth(y).reg}", "b1")

    def logical_not(self, x: Scalar) -> Scalar:
        return self._new(f"xor i1 {self._truth(x).reg}, true", "b1")

    def _truth(self, x: Scalar) -> Scalar:
        return self.cast(x, "b1")

    def isnan(self, x: Scalar) -> Scalar:
        return self._new(f"fcmp uno {x}, {x.reg}", "b1") if is_float(x.code) else Scalar("false", "b1")

    def isfinite(self, x: Scalar) -> Scalar:
        return (
            self.less(self.absolute(x), self.const(float("inf"), x))
            if is_float(x.code)
            else Scalar("true", "b1")
        )

    def isinf(self, x: Scalar) -> Scalar:
        return (
            self.equal(self.absolute(x), self.const(float("inf"), x))
            if is_float(x.code)
            else Scalar("false", "b1")
        )

    def signbit(self, x: Scalar) -> Scalar:
        bits = f"i{8 * SIZE[x.code]}"
        number = self._new(f"bitcast {x} to {bits}", bits) if is_float(x.code) else x
        return Scalar("false", "b1") if x.code[0] in "ub" else self.less(number, self.const(0, number))

    # Bits

    def bitwise_and(self, x: Scalar, y: Scalar) -> Scalar:
        least = [b[1] for b in (self._bounds(x), self._bounds(y)) if b is not None and b[0] >= 0]
        return self._within(self._new(f"and {x}, {y.reg}", x.code), (0, min(least)) if least else None)

    def bitwise_or(self, x: Scalar, y: Scalar) -> Scalar:
        return self._within(self._new(f"or {x}, {y.reg}", x.code), self._no_more_bits(x, y))

    def bitwise_xor(self, x: Scalar, y: Scalar) -> Scalar:
        return self._within(self._new(f"xor {x}, {y.reg}", x.code), self._no_more_bits(x, y))

    def _no_more_bits(self, x: Scalar, y: Scalar) -> tuple[int, int] | None:
        """What holds all integers of the bits that two have which are not negative."""
        one, other = self._bounds(x), self._bounds(y)
        if one is None or other is None or one[0] < 0 or other[0] < 0:
            return None
        return 0, (1 << max(one[1].bit_length(), other[1].bit_length())) - 1

    def bitwise_count(self, x: Scalar) -> Scalar:
        size = self.absolute(x)
        return self._within(self._new(f"call {x.type} @llvm.ctpop.{x.type}({size})", x.code), (0, 8 * SIZE[x.code]))

    def gcd(self, x: Scalar, y: Scalar) -> Scalar:
        if x.code != "i64":
            raise Unsupported([("a greatest common divisor of this type", None)])
        return self._new(f"call i64 @ag_gcd({x}, {y})", "i64")

    def invert(self, x: Scalar) -> Scalar:
        return self._new(f"xor {x}, {'true' if x.code == 'b1' else -1}", x.code)

    def left_shift(self, x: Scalar, y: Scalar) -> Scalar:
        return self._shift("shl", x, y, self.const(0, x))

    def right_shift(self, x: Scalar, y: Scalar) -> Scalar:
        if not is_signed(x.code):
            return self._shift("lshr", x, y, self.const(0, x))
        known, by = self._bounds(x), self._bounds(y)
        if by is not None and 0 <= by[0] <= by[1] < 8 * SIZE[x.code]:
            result = self._new(f"ashr {x}, {y.reg}", x.code)
            return result if known is None else self._within(result, (known[0] >> by[0], known[1] >> by[0]))
        sign = self._new(f"ashr {x}, {8 * SIZE[x.code] - 1}", x.code)
        return self._shift("ashr", x, y, sign)

    def _shift(self, word: str, x: Scalar, y: Scalar, beyond: Scalar) -> Scalar:
        width = self.const(8 * SIZE[x.code], x)
        inside = self._new(f"icmp ult {y}, {width.reg}", "b1")
        by = self.select(inside, y, self.const(0, y))
        return self.select(inside, self._new(f"{word} {x}, {by.reg}", x.code), beyond)

    # Functions

    def math(self, name: str, *xs: Scalar) -> Scalar:
        """A function of the mathematical library."""
        code = xs[0].code
        if (name not in mathlib.NAMES and name not in mathlib.BINARY) or not is_float(code):
            raise Unsupported([(f"the function {name}", None)])
        self.needs(f"{name}.{code}")
        return self._new(f"call {xs[0].type} {mathlib.symbol(name, code)}({', '.join(map(str, xs))})", code)

    def __getattr__(self, name: str) -> Callable[..., Scalar]:
        """A ufunc by its name in the mathematical library."""
        known = MATH.get(name, name)
        if name.startswith("__") or (known not in mathlib.NAMES and known not in mathlib.BINARY):
            raise AttributeError(name)
        return lambda *xs: self.math(known, *xs)

    def _new(self, text: str, code: str) -> Scalar:
        return Scalar(self.code.op(text), code)

    def _binary(self, floating: str, integer: str, boolean: str, x: Scalar, y: Scalar) -> Scalar:
        word = floating if is_float(x.code) else boolean if x.code == "b1" else integer
        return self._new(f"{word} {x}, {y.reg}", x.code)

    def _round(self, name: str, x: Scalar) -> Scalar:
        return self._intrinsic(name, x.code, x) if is_float(x.code) else x

    def _intrinsic(self, name: str, result: str, x: Scalar, suffix: str = "") -> Scalar:
        return self._new(f"call {LLVM[result]} @llvm.{name}.{suffix or x.code}({x})", result)


MATH = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}
MATH |= {"arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"}


class LoneOps(Ops):
    """Numbers that stand alone: no vectors are made of what is done to them, and what counts is how soon it is there."""

    alone = True

    def __init__(self, code: Code, needs: Callable[[str], None], declare: Callable[[str], None]) -> None:
        super().__init__(code, needs)
        self.declare = declare

    def math(self, name: str, *xs: Scalar) -> Scalar:
        """A function of the mathematical library; a power by libm, whose tables take a third of the time of polynomials."""
        if name != "pow" or xs[0].code != "f64":
            return super().math(name, *xs)
        self.declare("declare double @pow(double, double) nounwind willreturn memory(none)")
        return self._new(f"call double @pow({xs[0]}, {xs[1]})", "f64")
