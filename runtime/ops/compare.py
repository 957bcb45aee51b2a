"""Comparisons and logic, elementwise, with bool results; none has a gradient."""

from __future__ import annotations

from typing import Any

from runtime.ops.kinds import Compare, Unary, no_gradient
from runtime.ops.registry import function


class Equal(Compare):
    """x == y, elementwise; shapes broadcast. `t == None` is plain False. As TensorFlow's and NumPy's `equal`.

    >>> import autograph as ag
    >>> ag.equal([1, 2], 2).numpy()
    array([False,  True])
    """

    public = "equal", "math.equal"
    method = "__eq__"
    numpy = "equal"
    python = "{0} == {1}"


class NotEqual(Compare):
    """x != y, elementwise; shapes broadcast. As TensorFlow's and NumPy's `not_equal`.

    >>> import autograph as ag
    >>> ag.not_equal([1, 2], 2).numpy()
    array([ True, False])
    """

    public = "not_equal", "math.not_equal"
    method = "__ne__"
    numpy = "not_equal"
    python = "{0} != {1}"


class Less(Compare):
    """x < y, elementwise; shapes broadcast. As TensorFlow's and NumPy's `less`.

    >>> import autograph as ag
    >>> ag.less([1, 2], 2).numpy()
    array([ True, False])
    """

    public = "less", "math.less"
    method = "__lt__"
    numpy = "less"
    python = "{0} < {1}"


class LessEqual(Compare):
    """x <= y, elementwise; shapes broadcast. As TensorFlow's and NumPy's `less_equal`.

    >>> import autograph as ag
    >>> ag.less_equal([1, 3], 2).numpy()
    array([ True, False])
    """

    public = "less_equal", "math.less_equal"
    method = "__le__"
    numpy = "less_equal"
    python = "{0} <= {1}"


class Greater(Compare):
    """x > y, elementwise; shapes broadcast. As TensorFlow's and NumPy's `greater`.

    >>> import autograph as ag
    >>> ag.greater([1, 3], 2).numpy()
    array([False,  True])
    """

    public = "greater", "math.greater"
    method = "__gt__"
    numpy = "greater"
    python = "{0} > {1}"


class GreaterEqual(Compare):
    """x >= y, elementwise; shapes broadcast. As TensorFlow's and NumPy's `greater_equal`.

    >>> import autograph as ag
    >>> ag.greater_equal([1, 2], 2).numpy()
    array([False,  True])
    """

    public = "greater_equal", "math.greater_equal"
    method = "__ge__"
    numpy = "greater_equal"
    python = "{0} >= {1}"


class LogicalAnd(Compare):
    """Both are true (not zero), elementwise; shapes broadcast. As TensorFlow's and NumPy's `logical_and`.

    >>> import autograph as ag
    >>> ag.logical_and([True, False], True).numpy()
    array([ True, False])
    """

    public = "logical_and", "math.logical_and"
    numpy = "logical_and"
    python = "bool({0} and {1})"
    dtypes = "?d"


class LogicalOr(Compare):
    """Either is true (not zero), elementwise; shapes broadcast. As TensorFlow's and NumPy's `logical_or`.

    >>> import autograph as ag
    >>> ag.logical_or([True, False], False).numpy()
    array([ True, False])
    """

    public = "logical_or", "math.logical_or"
    numpy = "logical_or"
    python = "bool({0} or {1})"
    dtypes = "?d"


class LogicalXor(Compare):
    """Exactly one is true (not zero), elementwise; shapes broadcast. As TensorFlow's and NumPy's `logical_xor`.

    >>> import autograph as ag
    >>> ag.math.logical_xor([True, False], True).numpy()
    array([False,  True])
    """

    public = "math.logical_xor"
    numpy = "logical_xor"
    python = "bool({0}) != bool({1})"
    dtypes = "?d"


class _Test(Unary, abstract=True):
    """f(x) -> bool."""

    vjp = no_gradient

    def result_dtype(self, *types: Any, **attrs: Any) -> Any:
        super().result_dtype(*types, **attrs)  # the dtype must be one that the test is defined for
        return "bool"


class LogicalNot(_Test):
    """Whether x is false (zero), elementwise. As TensorFlow's and NumPy's `logical_not`.

    >>> import autograph as ag
    >>> ag.logical_not([True, False]).numpy()
    array([False,  True])
    """

    public = "logical_not", "math.logical_not"
    numpy = "logical_not"
    python = "not {0}"
    dtypes = "?d"


class IsNan(_Test):
    """Whether x is not a number, elementwise. As TensorFlow's `is_nan` and NumPy's `isnan`.

    >>> import autograph as ag
    >>> ag.math.is_nan([1.0, float("nan")]).numpy()
    array([False,  True])
    """

    public = "math.is_nan"
    numpy = "isnan"


class IsInf(_Test):
    """Whether x is infinite, elementwise. As TensorFlow's `is_inf` and NumPy's `isinf`.

    >>> import autograph as ag
    >>> ag.math.is_inf([1.0, float("-inf")]).numpy()
    array([False,  True])
    """

    public = "math.is_inf"
    numpy = "isinf"


class IsFinite(_Test):
    """Whether x is neither infinite nor nan, elementwise. As TensorFlow's `is_finite` and NumPy's `isfinite`.

    >>> import autograph as ag
    >>> ag.math.is_finite([1.0, float("inf")]).numpy()
    array([ True, False])
    """

    public = "math.is_finite"
    numpy = "isfinite"


class Signbit(_Test):
    """Whether the sign bit is set (x < 0, or x is -0.0). As NumPy's `signbit`."""

    numpy = "signbit"


@function("math.approximate_equal", tensors=2)
def approximate_equal(op: Any, x: Any, y: Any, tolerance: float = 1e-5, name: str | None = None) -> Any:
    """|x - y| < tolerance, elementwise; shapes broadcast. As TensorFlow's `approximate_equal`.

    >>> import autograph as ag
    >>> ag.math.approximate_equal([1.0, 1.1], 1.0).numpy()
    array([ True, False])
    """
    return op.less(op.abs(op.sub(x, y)), tolerance)
