"""What loop nests make: elements stored, or reduced; how reductions begin and go on."""

from __future__ import annotations

from runtime.backends.native.lower.code import Operand
from runtime.backends.native.lower.exprs import Expr
from runtime.backends.native.lower.memory import Array
from runtime.backends.native.lower.scalars import Ops, Scalar
from runtime.backends.native.lower.types import LLVM, SIZE, is_float, is_signed, literal

__all__ = ["LEAST", "MOST", "Root", "combine", "neutral"]

LEAST = {
    code: literal(
        float("-inf") if is_float(code) else 0 if code[0] in "ub" else -(2 ** (8 * SIZE[code] - 1)), code
    )
    for code in LLVM
}
MOST = {
    code: literal(
        float("inf")
        if is_float(code)
        else 1
        if code == "b1"
        else 2 ** (8 * SIZE[code] - is_signed(code)) - 1,
        code,
    )
    for code in LLVM
}


class Root:
    """What a nest makes: `kind` is "store" or a reduction; the target's strides are 0 along reduced axes."""

    __slots__ = ("best", "expr", "kind", "level", "partial", "row", "slot", "strides", "target")

    def __init__(self, expr: Expr, target: Array, strides: tuple[Operand, ...], kind: str = "store") -> None:
        self.expr = expr
        self.target = target
        self.strides = strides
        self.kind = kind
        self.level = -1  # of the loops, from which on it accumulates in a register
        self.slot = ""
        self.best = ""  # of argmax and argmin: the register's memory of the value
        self.partial = False  # what a register holds is combined into memory
        self.row = False  # of one value for each index of the loops outside the fence (see rows.py)


def neutral(root: Root) -> str:
    """What a reduction begins with."""
    code = root.target.code
    return {
        "sum": lambda: literal(0, code),
        "prod": lambda: literal(1, code),
        "max": lambda: LEAST[code],
        "min": lambda: MOST[code],
        "any": lambda: "false",
        "all": lambda: "true",
        "argmax": lambda: "0",
        "argmin": lambda: "0",
    }[root.kind]()


def combine(b: Ops, root: Root, so_far: Scalar, x: Scalar) -> Scalar:
    """What a reduction has come to with one more element."""
    code, kind = root.target.code, root.kind
    x = b.cast(x, code)
    if kind in ("sum", "prod"):
        word = {"sum": "add", "prod": "mul"}[kind]
        if is_float(code):
            return Scalar(b.code.op(f"f{word} reassoc nsz contract {so_far}, {x.reg}"), code)
        return Scalar(b.code.op(f"{word} {so_far}, {x.reg}"), code)
    if kind in ("max", "min"):
        if is_float(code):
            return Scalar(b.code.op(f"call {x.type} @llvm.{kind}imum.{code}({so_far}, {x})"), code)
        sign = "s" if is_signed(code) else "u"
        return Scalar(b.code.op(f"call {x.type} @llvm.{sign}{kind}.{x.type}({so_far}, {x})"), code)
    return b.logical_or(so_far, x) if kind == "any" else b.logical_and(so_far, x)
