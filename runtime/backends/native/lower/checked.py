"""Python's own numbers: what Python would answer with an error, or with more than 64 bits, leaves native code."""

from __future__ import annotations

from collections.abc import Callable

from runtime.backends.native.lower.code import Code
from runtime.backends.native.lower.scalars import Ops, Scalar
from runtime.backends.native.lower.types import number

__all__ = ["MOST_KEPT", "CheckedOps", "WrappingOps"]

_SPARE = 2**32  # by which a product by a constant stays below 64 bits, so that small numbers can be added without a test
MOST_KEPT = 2  # numbers of a loop's turn that it asks about at its end
_ALL = 2**60  # up to which Python's integers are asked to be, where it costs more to find out whether they need to


class CheckedOps(Ops):
    """Numbers of Python's own: 64 bits, and `failure` where they do not do or Python raises."""

    alone = True

    def __init__(self, code: Code, needs: Callable[[str], None], failure: str) -> None:
        super().__init__(code, needs)
        self.failure = failure

    def _overflowing(self, name: str, x: Scalar, y: Scalar) -> Scalar:
        pair = self.code.op(f"call {{i64, i1}} @llvm.{name}.with.overflow.i64({x}, {y})")
        over = self.code.op(f"extractvalue {{i64, i1}} {pair}, 1")
        fine = self.code.op(f"xor i1 {over}, true")
        self.code.require(fine, self.failure)
        result = Scalar(self.code.op(f"extractvalue {{i64, i1}} {pair}, 0"), "i64")
        ends = self._ends(name[1:], x, y)
        if ends is None and name == "smul" and x.reg == y.reg:
            ends = 0, 2**63 - 1
        if ends is not None:  # and within 64 bits, or it were not computed
            self.code.ranges[result.reg] = max(ends[0], -(2**63)), min(ends[1], 2**63 - 1)
        return result

    def add(self, x: Scalar, y: Scalar) -> Scalar:
        if x.code != "i64":
            return super().add(x, y)
        return self._without_wrapping("add", x, y) or self._overflowing("sadd", x, y)

    def subtract(self, x: Scalar, y: Scalar) -> Scalar:
        if x.code != "i64":
            return super().subtract(x, y)
        return self._without_wrapping("sub", x, y) or self._overflowing("ssub", x, y)

    def multiply(self, x: Scalar, y: Scalar) -> Scalar:
        if x.code != "i64":
            return super().multiply(x, y)
        if str(x.reg).isdigit():
            x, y = y, x
        fitting = self._without_wrapping("mul", x, y)
        if fitting is None and str(y.reg).isdigit() and int(y.reg) > 1:
            self._below(x, (2**63 - _SPARE) // int(y.reg))
            fitting = self._without_wrapping("mul", x, y)
        return fitting or self._overflowing("smul", x, y)

    def _below(self, x: Scalar, most: int) -> None:
        """Go on only with an integer of at most this size: nothing waits for the test, as it would for an overflow."""
        code = self.code
        known = code.range_of(x.reg) if code.required is None else code.ranges.get(x.reg)  # whether it is needed or not
        if known is not None and known[0] >= 0:
            moved, limit = str(x.reg), most
        else:
            moved, limit = code.op(f"add i64 {x.reg}, {most}"), 2 * most
        if code.late is not None and len(code.late) < MOST_KEPT and most >= _ALL:
            code.late.append((moved, limit))
        else:
            code.require(code.op(f"icmp ule i64 {moved}, {limit}"), self.failure, always=most >= _ALL)
        self.code.narrow(x.reg, -most, most)

    def divide(self, x: Scalar, y: Scalar) -> Scalar:
        self._not_zero(y)
        return super().divide(x, y)

    def floor_divide(self, x: Scalar, y: Scalar) -> Scalar:
        self._not_zero(y)
        return super().floor_divide(x, y)

    def remainder(self, x: Scalar, y: Scalar) -> Scalar:
        self._not_zero(y)
        return super().remainder(x, y)

    def power(self, x: Scalar, y: Scalar) -> Scalar:
        base = number(x.reg, x.code)
        if x.code == "i64" and isinstance(base, int) and base > 1 and base.bit_count() == 1:
            return self.left_shift(self.const(1, x), self.multiply(y, self.const(base.bit_length() - 1, y)))
        if x.code == "i64" and number(y.reg, "i64") not in range(9):
            pair = self.code.op(f"call {{i64, i1}} @ag_power({x}, {y})")
            self.code.require(self.code.op(f"extractvalue {{i64, i1}} {pair}, 1"), self.failure)
            return Scalar(self.code.op(f"extractvalue {{i64, i1}} {pair}, 0"), "i64")
        result = super().power(x, y)
        fine = self.isfinite(result)
        self.code.require(str(fine.reg), self.failure)
        return result

    def left_shift(self, x: Scalar, y: Scalar) -> Scalar:
        by = number(y.reg, "i64")
        if by is not None and 0 <= by <= 62:
            return self.multiply(x, self.const(1 << int(by), x))
        shift, known = self._bounds(y), self._bounds(x)
        if shift is not None and known is not None and 0 <= shift[0] <= shift[1] <= 62:
            ends = min(known[0], known[0] << shift[1]), max(known[1], known[1] << shift[1])
            if -(2**63) <= ends[0] <= ends[1] < 2**63:
                return self._within(self._new(f"shl nsw {x}, {y.reg}", x.code), ends)
        fits = self._new(f"icmp ult {y}, 63", "b1")
        moved = self._new(f"shl {x}, {self.select(fits, y, self.const(0, y)).reg}", x.code)
        back = self._new(f"ashr {moved}, {self.select(fits, y, self.const(0, y)).reg}", x.code)
        fine = self.logical_and(fits, self.equal(back, x))
        self.code.require(str(fine.reg), self.failure)
        return moved

    def right_shift(self, x: Scalar, y: Scalar) -> Scalar:
        known = self._bounds(y)
        if known is None or known[0] < 0:
            self.code.require(str(self.greater_equal(y, self.const(0, y)).reg), self.failure)
        return super().right_shift(x, y)

    def gcd(self, x: Scalar, y: Scalar) -> Scalar:
        result = super().gcd(x, y)
        self.code.require(str(self.greater_equal(result, self.const(0, x)).reg), self.failure)  # 2**63 does not fit
        return self._within(result, (0, 2**63 - 1))

    def _not_zero(self, y: Scalar) -> None:
        known = self._bounds(y)
        if known is not None and (known[0] > 0 or known[1] < 0):
            return
        self.code.require(str(self.not_equal(y, self.const(0, y)).reg), self.failure)


class WrappingOps(Ops):
    """Numbers of Python's own of which only the low bits are asked for (see `low_bits.py`)."""

    alone = True

    def left_shift(self, x: Scalar, y: Scalar) -> Scalar:
        by = number(y.reg, "i64")
        return super().left_shift(x, y) if by is None else self.multiply(x, self.const(1 << int(by), x))
