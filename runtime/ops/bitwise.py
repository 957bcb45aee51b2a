"""Operations on the bits of integers (the logical ones on bools too), and divisors. None has a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.kinds import Binary, Elementwise, Unary, no_gradient
from runtime.ops.registry import function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.spec import TensorType


class _Bits(Elementwise, abstract=True):
    """Integers only; floats are refused as NumPy refuses them."""

    dtypes = "iq"
    domain = (0, 7)
    vjp = no_gradient


class _Shift(_Bits, Binary, abstract=True):
    """Bare Python bools count as Python's do: 0 and 1."""

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        if all(t.weak and t.dtype.is_bool for t in types):
            return as_dtype("int64")
        return super().result_dtype(*types, **attrs)


class BitwiseAnd(_Bits, Binary):
    """Bits set in both operands; of bools, the logical and. As TensorFlow's and NumPy's `bitwise_and`.

    >>> import autograph as ag
    >>> ag.bitwise.bitwise_and([6, 3], 2).numpy()
    array([2, 2], dtype=int32)
    """

    public = "bitwise.bitwise_and"
    method = "__and__", "__rand__"
    numpy = "bitwise_and"
    python = "{0} & {1}"


class BitwiseOr(_Bits, Binary):
    """Bits set in either operand; of bools, the logical or. As TensorFlow's and NumPy's `bitwise_or`.

    >>> import autograph as ag
    >>> ag.bitwise.bitwise_or([6, 3], 1).numpy()
    array([7, 3], dtype=int32)
    """

    public = "bitwise.bitwise_or"
    method = "__or__", "__ror__"
    numpy = "bitwise_or"
    python = "{0} | {1}"


class BitwiseXor(_Bits, Binary):
    """Bits set in one of the operands; of bools, the exclusive or. As TensorFlow's and NumPy's `bitwise_xor`.

    >>> import autograph as ag
    >>> ag.bitwise.bitwise_xor([6, 3], 1).numpy()
    array([7, 2], dtype=int32)
    """

    public = "bitwise.bitwise_xor"
    method = "__xor__", "__rxor__"
    numpy = "bitwise_xor"
    python = "{0} ^ {1}"


class Invert(_Bits, Unary):
    """All bits flipped; of bools, the logical not. As TensorFlow's and NumPy's `invert`.

    >>> import autograph as ag
    >>> ag.bitwise.invert([0, 5]).numpy()
    array([-1, -6], dtype=int32)
    """

    public = "bitwise.invert"
    method = "__invert__"
    numpy = "invert"


class LeftShift(_Shift):
    """Bits shifted to the left; 0 past the width. As TensorFlow's and NumPy's `left_shift`.

    >>> import autograph as ag
    >>> ag.bitwise.left_shift([1, 3], 2).numpy()
    array([ 4, 12], dtype=int32)
    """

    public = "bitwise.left_shift"
    method = "__lshift__", "__rlshift__"
    numpy = "left_shift"
    python = "{0} << {1}"


class RightShift(_Shift):
    """Bits shifted to the right, the sign kept. As TensorFlow's and NumPy's `right_shift`.

    >>> import autograph as ag
    >>> ag.bitwise.right_shift([5, -8], 2).numpy()
    array([ 1, -2], dtype=int32)
    """

    public = "bitwise.right_shift"
    method = "__rshift__", "__rrshift__"
    numpy = "right_shift"
    python = "{0} >> {1}"


class Gcd(_Bits, Binary):
    """The greatest common divisor. As NumPy's `gcd`."""

    numpy = "gcd"


class Lcm(_Bits, Binary):
    """The least common multiple. As NumPy's `lcm`."""

    numpy = "lcm"


class BitwiseCount(_Bits, Unary):
    """How many bits of |x| are set, as uint8. As NumPy's `bitwise_count`."""

    numpy = "bitwise_count"


@function(method="bit_count", tensors=1)
def bit_count(op: Any, x: Any) -> Any:
    """How many bits of |x| are set; as Python's `int.bit_count`."""
    return op.cast(op.bitwise_count(x), dtype=as_dtype("int64"))


@function(method="bit_length", tensors=1)
def bit_length(op: Any, x: Any) -> Any:
    """How many bits |x| needs; as Python's `int.bit_length`."""
    wide = op.expand_dims(op.abs(op.cast(x, dtype=as_dtype("int64"))), axis=-1)
    reached = op.greater_equal(wide, np.int64(1) << np.arange(63))
    return op.sum(op.cast(reached, dtype=as_dtype("int64")), axis=-1)
