"""Arithmetic, elementwise: add, subtract, multiply, divide, power ..."""

from __future__ import annotations

from runtime.ops.kinds import Binary, Unary


class Add(Binary):
    """x + y, elementwise."""

    public = "add", "math.add"
    method = "__add__", "__radd__"
    numpy = "add"
    python = "{0} + {1}"
    vjp = lambda op, dy, z, x, y: (op.sum_to(dy, x), op.sum_to(dy, y))


class Sub(Binary):
    """x - y, elementwise."""

    public = "subtract", "math.subtract"
    method = "__sub__", "__rsub__"
    numpy = "subtract"
    python = "{0} - {1}"
    vjp = lambda op, dy, z, x, y: (op.sum_to(dy, x), op.sum_to(op.neg(dy), y))


class Mul(Binary):
    """x * y, elementwise."""

    public = "multiply", "math.multiply"
    method = "__mul__", "__rmul__"
    numpy = "multiply"
    python = "{0} * {1}"
    vjp = lambda op, dy, z, x, y: (op.sum_to(op.mul(dy, y), x), op.sum_to(op.mul(dy, x), y))


class Neg(Unary):
    """-x, elementwise."""

    public = "negative", "math.negative"
    method = "__neg__"
    numpy = "negative"
    python = "-{0}"
    vjp = lambda op, dy, y, x: (op.neg(dy),)
