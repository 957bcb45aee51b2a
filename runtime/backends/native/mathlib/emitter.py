"""LLVM IR text from arithmetic on Python objects: `a * b + 1.0` on `Value`s appends instructions to their function.

Everything a `Value` offers maps to an instruction or an intrinsic that LLVM's loop vectoriser can widen: there are
no branches, no calls of libraries, no loads. Floats come in three kinds, of which the last two are LLVM's double:

    f32    single precision
    f64    double precision
    wide   double arithmetic that computes a single-precision function: shorter polynomials are enough
"""

import struct
from collections.abc import Callable, Sequence

from runtime.backends.native import scaling

LLVM_TYPES = {"f32": "float", "f64": "double", "wide": "double", "i1": "i1", "i32": "i32", "i64": "i64"}
FLOATS = ("f32", "f64", "wide")
# Bits of a float's fraction, and its exponent's bias.
FRACTION = {"f32": 23, "f64": 52, "wide": 52}
BIAS = {"f32": 127, "f64": 1023, "wide": 1023}


def round_to(kind: str, number: float) -> float:
    """The float of that kind nearest to a number."""
    return struct.unpack("f", struct.pack("f", number))[0] if kind == "f32" else float(number)


def constant(kind: str, number: float) -> str:
    """A constant as LLVM writes it: floats as the bits of the double of the same value."""
    if kind in FLOATS:
        return f"0x{struct.unpack('Q', struct.pack('d', round_to(kind, number)))[0]:016X}"
    if kind == "i1":
        return "true" if number else "false"
    return str(int(number))


class Function:
    """The function under construction: its lines and the intrinsics it needs, for one element or for several lanes."""

    def __init__(self, lanes: int = 1) -> None:
        """Start without lines."""
        self.lanes = lanes
        self.lines: list[str] = []
        self.declarations: dict[str, None] = {}

    def type(self, kind: str) -> str:
        """LLVM's type of a value of that kind."""
        return LLVM_TYPES[kind] if self.lanes == 1 else f"<{self.lanes} x {LLVM_TYPES[kind]}>"

    def constant(self, kind: str, number: float) -> str:
        """A constant in all lanes."""
        one = constant(kind, number)
        return one if self.lanes == 1 else f"<{', '.join([f'{LLVM_TYPES[kind]} {one}'] * self.lanes)}>"

    def emit(self, kind: str, instruction: str) -> "Value":
        """Append an instruction; its result."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return Value(self, name, kind)

    def call(self, kind: str, intrinsic: str, *arguments: "Value") -> "Value":
        """Append a call of `llvm.<intrinsic>` whose result and arguments have one type."""
        suffix = {"float": "f32", "double": "f64"}.get(LLVM_TYPES[kind], kind)
        symbol = f"@llvm.{intrinsic}.{suffix if self.lanes == 1 else f'v{self.lanes}{suffix}'}"
        result, types = self.type(kind), ", ".join(a.type for a in arguments)
        self.declarations[f"declare {result} {symbol}({types})"] = None
        return self.emit(kind, f"call {result} {symbol}({', '.join(map(str, arguments))})")


class Value:
    """A number in the function under construction."""

    __slots__ = ("function", "kind", "text")

    def __init__(self, function: Function, text: str, kind: str) -> None:
        """Name a parameter, a constant or an instruction's result."""
        self.function, self.text, self.kind = function, text, kind

    def __str__(self) -> str:
        return f"{self.type} {self.text}"

    @property
    def type(self) -> str:
        """LLVM's type."""
        return self.function.type(self.kind)

    @property
    def integer(self) -> str:
        """The integer type of the same width."""
        return "i32" if self.kind == "f32" else "i64"

    def like(self, number: float) -> "Value":
        """A constant of this value's kind."""
        return Value(self.function, self.function.constant(self.kind, number), self.kind)

    def lift(self, other: "Value | float") -> "Value":
        """The other operand, made a constant of this kind where it is a number."""
        return other if isinstance(other, Value) else self.like(other)

    def binary(self, names: tuple[str, str], other: "Value | float", swapped: bool = False) -> "Value":
        """A float instruction or its integer counterpart."""
        left, right = self, self.lift(other)
        if swapped:
            left, right = right, left
        name = names[0] if self.kind in FLOATS else names[1]
        return self.function.emit(self.kind, f"{name} {left}, {right.text}")

    def __add__(self, other: "Value | float") -> "Value":
        return self.binary(("fadd", "add"), other)

    def __radd__(self, other: float) -> "Value":
        return self.binary(("fadd", "add"), other, swapped=True)

    def __sub__(self, other: "Value | float") -> "Value":
        return self.binary(("fsub", "sub"), other)

    def __rsub__(self, other: float) -> "Value":
        return self.binary(("fsub", "sub"), other, swapped=True)

    def __mul__(self, other: "Value | float") -> "Value":
        return self.binary(("fmul", "mul"), other)

    def __rmul__(self, other: float) -> "Value":
        return self.binary(("fmul", "mul"), other, swapped=True)

    def __truediv__(self, other: "Value | float") -> "Value":
        return self.binary(("fdiv", "sdiv"), other)

    def __rtruediv__(self, other: float) -> "Value":
        return self.binary(("fdiv", "sdiv"), other, swapped=True)

    def __neg__(self) -> "Value":
        if self.kind in FLOATS:
            return self.function.emit(self.kind, f"fneg {self}")
        return 0 - self

    def __and__(self, other: "Value | float") -> "Value":
        return self.binary(("and", "and"), other)

    def __or__(self, other: "Value | float") -> "Value":
        return self.binary(("or", "or"), other)

    def __xor__(self, other: "Value | float") -> "Value":
        return self.binary(("xor", "xor"), other)

    def __invert__(self) -> "Value":
        return self ^ (1 if self.kind == "i1" else -1)

    def __lshift__(self, count: "Value | float") -> "Value":
        return self.binary(("shl", "shl"), count)

    def __rshift__(self, count: "Value | float") -> "Value":
        """Arithmetic: copies of the sign come in."""
        return self.binary(("ashr", "ashr"), count)

    def shifted_down(self, count: int) -> "Value":
        """Logical: zeros come in."""
        return self.function.emit(self.kind, f"lshr {self}, {self.function.constant(self.kind, count)}")

    def compare(self, ordered: str, signed: str, other: "Value | float") -> "Value":
        """A comparison of floats (false with a NaN unless the predicate is unordered) or of signed integers."""
        right = self.lift(other)
        name = f"fcmp {ordered}" if self.kind in FLOATS else f"icmp {signed}"
        return self.function.emit("i1", f"{name} {self}, {right.text}")

    def __lt__(self, other: "Value | float") -> "Value":
        return self.compare("olt", "slt", other)

    def __le__(self, other: "Value | float") -> "Value":
        return self.compare("ole", "sle", other)

    def __gt__(self, other: "Value | float") -> "Value":
        return self.compare("ogt", "sgt", other)

    def __ge__(self, other: "Value | float") -> "Value":
        return self.compare("oge", "sge", other)

    def equals(self, other: "Value | float") -> "Value":
        """Equality; false with a NaN."""
        return self.compare("oeq", "eq", other)

    def differs(self, other: "Value | float") -> "Value":
        """Inequality; true with a NaN."""
        return self.compare("une", "ne", other)

    def is_nan(self) -> "Value":
        """Whether this is not a number."""
        return self.compare("uno", "ne", self)

    def is_negative(self) -> "Value":
        """Whether the float's sign bit is set, as for -0.0."""
        return self.bits() < 0

    def flipped(self, condition: "Value") -> "Value":
        """The float with its sign changed where a condition holds."""
        return select(condition, -self, self)

    def bits(self) -> "Value":
        """The float's bits as an integer."""
        to = self.integer
        return self.function.emit(to, f"bitcast {self} to {self.function.type(to)}")

    def as_float(self, kind: str) -> "Value":
        """The float that has these bits."""
        return self.function.emit(kind, f"bitcast {self} to {self.function.type(kind)}")

    def to_float(self, kind: str) -> "Value":
        """The float of the integer's value."""
        return self.function.emit(kind, f"sitofp {self} to {self.function.type(kind)}")

    def widen(self) -> "Value":
        """A single as a double, computed with as a single's accuracy needs."""
        return self.function.emit("wide", f"fpext {self} to {self.function.type('wide')}")

    def narrow(self) -> "Value":
        """A double rounded to single."""
        return self.function.emit("f32", f"fptrunc {self} to {self.function.type('f32')}")


def library_call(name: str, *arguments: Value) -> Value:
    """libm's function of doubles; singles are widened, which leaves one rounding."""
    first = arguments[0]
    if first.kind == "f32":
        return library_call(name, *(a.widen() for a in arguments)).narrow()
    function = first.function
    # As it is declared it sets no errno that anything reads.
    types = ", ".join(["double"] * len(arguments))
    function.declarations[f"declare double @{name}({types}) nounwind willreturn memory(none)"] = None
    return function.emit(first.kind, f"call double @{name}({', '.join(map(str, arguments))})")


def fma(a: Value, b: "Value | float", c: "Value | float") -> Value:
    """a * b + c, rounded once."""
    return a.function.call(a.kind, "fma", a, a.lift(b), a.lift(c))


def select(condition: Value, then: "Value | float", other: "Value | float") -> Value:
    """`then` where the condition holds, else `other`; at least one of them is a Value."""
    typed = then if isinstance(then, Value) else other
    assert isinstance(typed, Value)
    left, right = typed.lift(then), typed.lift(other)
    return typed.function.emit(typed.kind, f"select {condition}, {left}, {right}")


def scale_by_power(a: Value, k: Value) -> Value:
    """a * 2^k of a single and an integer k, rounded once: what does it is chosen when it is compiled (scaling.py)."""
    return a.function.emit(a.kind, f"call {a.type} {scaling.symbol(a.function.lanes)}({a}, {k})")


def absolute(a: Value) -> Value:
    """|a| of a float."""
    return a.function.call(a.kind, "fabs", a)


def square_root(a: Value) -> Value:
    """The root, correctly rounded."""
    return a.function.call(a.kind, "sqrt", a)


def floor(a: Value) -> Value:
    """The next integer downwards, as a float."""
    return a.function.call(a.kind, "floor", a)


def truncate(a: Value) -> Value:
    """The next integer towards zero, as a float."""
    return a.function.call(a.kind, "trunc", a)


def copy_sign(magnitude: Value, sign: "Value | float") -> Value:
    """|magnitude| with the other operand's sign."""
    return magnitude.function.call(magnitude.kind, "copysign", magnitude, magnitude.lift(sign))


def at_most(a: Value, bound: "Value | float") -> Value:
    """min(a, bound); NaN stays (the form that x86's `min` has)."""
    return select(a.lift(bound) < a, bound, a)


def at_least(a: Value, bound: "Value | float") -> Value:
    """max(a, bound); NaN stays."""
    return select(a.lift(bound) > a, bound, a)


def polynomial(x: Value, coefficients: Sequence[float], in_turn: int = 0) -> Value:
    """sum c[i] x^i, lowest power first, by Estrin's scheme (1960).

    Horner's rule takes as many multiplications one after the other as there are coefficients. A processor's scheduler
    holds some hundred instructions that wait, few elements' worth: only short chains keep its units busy. Horner's rounds
    the largest terms last and once, so the lowest `in_turn` coefficients may be left to it.
    """
    terms: list[Value | float] = list(coefficients[in_turn:])
    power = x
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        paired: list[Value | float] = [fma(power, high, low) for low, high in pairs]
        terms = paired + terms[len(terms) - len(terms) % 2 :]
        power = power * power
    total = x.lift(terms[0])
    for low in reversed(coefficients[:in_turn]):
        total = fma(total, x, low)
    return total


def definition(
    symbol: str, kinds: Sequence[str], body: Callable[..., Value], result: str = "", pure: bool = True
) -> tuple[str, tuple[str, ...]]:
    """The text of a function and what it declares; a `pure` one is always inlined, others call libraries."""
    function = Function()
    arguments = [Value(function, name, kind) for name, kind in zip(("%x", "%y"), kinds, strict=False)]
    value = body(*arguments)
    llvm = function.type(result or kinds[0])
    attributes = "alwaysinline nounwind memory(none)" if pure else "noinline nounwind willreturn memory(none)"
    head = f"define internal {llvm} {symbol}({', '.join(map(str, arguments))}) {attributes} {{"
    text = "\n".join([head, *function.lines, f"  ret {value}", "}", ""])
    return text, tuple(function.declarations)
