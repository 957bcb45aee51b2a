"""Element types in LLVM's words. A code such as "f32", "i64", "u8" or "b1" stands for a dtype."""

from __future__ import annotations

import struct
from typing import Any

from runtime.backends.native.errors import Unsupported
from runtime.typesys.dtypes import DType

__all__ = ["LLVM", "MEMORY", "SIZE", "code_of", "is_float", "is_signed", "literal", "number"]

LLVM = {"b1": "i1", "f32": "float", "f64": "double"}
LLVM |= {f"{sign}{bits}": f"i{bits}" for sign in "iu" for bits in (8, 16, 32, 64)}
MEMORY = {**LLVM, "b1": "i8"}  # a bool takes a byte of memory
SIZE = {code: 1 if code == "b1" else int(code[1:]) // 8 for code in LLVM}

_KINDS = {"f": "f", "i": "i", "u": "u"}


def code_of(dtype: DType) -> str:
    """The code of an element type.

    Raises:
      Unsupported: half precision, complex numbers, objects.
    """
    if dtype.kind == "b":
        return "b1"
    code = f"{_KINDS.get(dtype.kind, '?')}{8 * dtype.size}"
    if code not in LLVM:
        raise Unsupported([(f"values of {dtype.name}", None)])
    return code


def is_float(code: str) -> bool:
    """Whether it is a floating type."""
    return code[0] == "f"


def is_signed(code: str) -> bool:
    """Whether it is a signed integer type."""
    return code[0] == "i"


def literal(value: Any, code: str) -> str:
    """A number as an LLVM constant of a type."""
    if is_float(code):
        value = float(value)
        if code == "f32":
            try:
                value = struct.unpack("f", struct.pack("f", value))[0]
            except OverflowError:
                value = float("inf") if value > 0 else float("-inf")
        return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    if code == "b1":
        return "true" if value else "false"
    return str(int(value))


def number(text: object, code: str) -> float | int | None:
    """What a constant of a type says; None for a register."""
    word = str(text)
    if is_float(code):
        return float(struct.unpack("<d", struct.pack("<Q", int(word, 16)))[0]) if word.startswith("0x") else None
    return int(word) if word.lstrip("-").isdigit() else None
