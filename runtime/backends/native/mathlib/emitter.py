"""LLVM IR text from arithmetic on Python objects: `a * b + 1.0` on `Value`s appends instructions to their function.

Everything a `Value` offers maps to an instruction or an intrinsic that LLVM's loop vectoriser can widen: there are
no branches, no calls of libraries, no loads. Floats come in three kinds, of which the last two are LLVM's double:

    f32    single precision
    f64    double precision
    wide   double arithmetic that computes a single-precision function: shorter polynomials are enough
"""

import struct
from collections.abc import Callable, Iterable, Sequence

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
    """The function under construction: its lines and the intrinsics it needs."""

    def __init__(self) -> None:
        """Start without lines."""
        self.lines: list[str] = []
        self.declarations: dict[str, None] = {}

    def emit(self, kind: str, instruction: str) -> "Value":
        """Append an instruction; its result."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return Value(self, name, kind)

    def call(self, kind: str, intrinsic: str, *arguments: "Value") -> "Value":
        """Append a call of `llvm.<intrinsic>` whose result and arguments have one type."""
        suffix = {"float": "f32", "double": "f64"}.get(LLVM_TYPES[kind], kind)
        types = ", ".join(LLVM_TYPES[a.kind] for a in arguments)
        symbol = f"@llvm.{intrinsic}.{suffix}"
        self.declarations[f"declare {LLVM_TYPES[kind]} {symbol}({types})"] = None
        given = ", ".join(f"{LLVM_TYPES[a.kind]} {a.text}" for a in arguments)
        return self.emit(kind, f"call {LLVM_TYPES[kind]} {symbol}({given})")


class Value:
    """A number in the function under construction."""

    __slots__ = ("function", "kind", "text")

    def __init__(self, function: Function, text: str, kind: str) -> None:
        """Name a parameter, a constant or an instruction's result."""
        self.function, self.text, self.kind = function, text, kind

    @property
    def integer(self) -> str:
        """The integer type of the same width."""
        return "i32" if self.kind == "f32" else "i64"

    def like(self, number: float) -> "Value":
        """A constant of this value's kind."""
        return Value(self.function, constant(self.kind, number), self.kind)

    def lift(self, other: "Value | float") -> "Value":
        """The other operand, made a constant of this kind where it is a number."""
        return other if isinstance(other, Value) else self.like(other)

    def binary(self, names: tuple[str, str], other: "Value | float", swapped: bool = False) -> "Value":
        """A float instruction or its integer counterpart."""
        left, right = self, self.lift(other)
        if swapped:
            left, right = right, left
        name = names[0] if self.kind in FLOATS else names[1]
        return self.function.emit(self.kind, f"{name} {LLVM_TYPES[self.kind]} {left.text}, {right.text}")

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
            return self.function.emit(self.kind, f"fneg {LLVM_TYPES[self.kind]} {self.text}")
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
        return self.function.emit(self.kind, f"lshr {self.kind} {self.text}, {count}")

    def compare(self, ordered: str, signed: str, other: "Value | float") -> "Value":
        """A comparison of floats (false with a NaN unless the predicate is unordered) or of signed integers."""
        right = self.lift(other)
        name = f"fcmp {ordered}" if self.kind in FLOATS else f"icmp {signed}"
        return self.function.emit("i1", f"{name} {LLVM_TYPES[self.kind]} {self.text}, {right.text}")

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
        return self.function.emit(to, f"bitcast {LLVM_TYPES[self.kind]} {self.text} to {to}")

    def as_float(self, kind: str) -> "Value":
        """The float that has these bits."""
        return self.function.emit(kind, f"bitcast {self.kind} {self.text} to {LLVM_TYPES[kind]}")

    def to_float(self, kind: str) -> "Value":
        """The float of the integer's value."""
        return self.function.emit(kind, f"sitofp {self.kind} {self.text} to {LLVM_TYPES[kind]}")

    def truncated(self, kind: str) -> "Value":
        """The low bits of an integer."""
        return self.function.emit(kind, f"trunc {self.kind} {self.text} to {kind}")

    def widen(self) -> "Value":
        """A single as a double, computed with as a single's accuracy needs."""
        return self.function.emit("wide", f"fpext float {self.text} to double")

    def narrow(self) -> "Value":
        """A double rounded to single."""
        return self.function.emit("f32", f"fptrunc double {self.text} to float")


def library_call(name: str, *arguments: Value) -> Value:
    """libm's function of doubles; singles are widened, which leaves one rounding."""
    first = arguments[0]
    if first.kind == "f32":
        return library_call(name, *(a.widen() for a in arguments)).narrow()
    function = first.function
    function.declarations[f"declare double @{name}({', '.join(['double'] * len(arguments))})"] = None
    return function.emit(first.kind, f"call double @{name}({', '.join(f'double {a.text}' for a in arguments)})")


def fma(a: Value, b: "Value | float", c: "Value | float") -> Value:
    """a * b + c, rounded once."""
    return a.function.call(a.kind, "fma", a, a.lift(b), a.lift(c))


def select(condition: Value, then: "Value | float", other: "Value | float") -> Value:
    """`then` where the condition holds, else `other`; at least one of them is a Value."""
    typed = then if isinstance(then, Value) else other
    assert isinstance(typed, Value)
    left, right, llvm = typed.lift(then), typed.lift(other), LLVM_TYPES[typed.kind]
    return typed.function.emit(typed.kind, f"select i1 {condition.text}, {llvm} {left.text}, {llvm} {right.text}")


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
    names = ("%x", "%y")[: len(kinds)]
    value = body(*(Value(function, name, kind) for name, kind in zip(names, kinds, strict=True)))
    parameters: Iterable[str] = (f"{LLVM_TYPES[kind]} {name}" for name, kind in zip(names, kinds, strict=True))
    llvm = LLVM_TYPES[result or kinds[0]]
    attributes = "alwaysinline nounwind memory(none)" if pure else "noinline nounwind"
    head = f"define internal {llvm} {symbol}({', '.join(parameters)}) {attributes} {{"
    text = "\n".join([head, *function.lines, f"  ret {llvm} {value.text}", "}", ""])
    return text, tuple(function.declarations)
