"""Activations of neural networks, elementwise; dtypes and shapes unchanged (integers become floats)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from runtime.ops.kinds import Unary
from runtime.ops.registry import function
from runtime.typesys.dtypes import resolve_ufunc
from runtime.typesys.spec import TensorType


class _Activation(Unary, abstract=True):
    """Floats stay, integers become the floats that NumPy's `exp` makes of them."""

    parameters = ("features",)

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        return resolve_ufunc("exp", ((types[0].dtype, types[0].weak),))[0]


def _sigmoid(x: Any) -> Any:
    """1 / (1 + e**-x): e**-x overflows to inf for large negative x, and 1 / inf is the right 0."""
    out = np.negative(x)
    one = _ONES.get(out.dtype.char) if isinstance(out, np.ndarray) else None
    if one is None:
        return 1 / (1 + np.exp(out))
    np.exp(out, out)
    np.add(out, one, out)
    return np.reciprocal(out, out)


_ONES = {code: np.array(1, code) for code in "efd"}  # NumPy takes them in half the time of Python's


class Sigmoid(_Activation):
    """1 / (1 + e**-x), elementwise. As TensorFlow's `sigmoid`.

    >>> import autograph as ag
    >>> ag.sigmoid([0.0, 100.0]).numpy()
    array([0.5, 1. ], dtype=float32)
    """

    public = "sigmoid", "math.sigmoid", "nn.sigmoid"
    parameters = ("x",)

    @staticmethod
    def kernel(x: Any) -> Any:
        with np.errstate(over="ignore"):  # no warning for what comes out right
            return _sigmoid(x)

    scalar = lambda b, x: b.sigmoid(x)
    vjp = lambda op, dy, y, x: (op.mul(dy, op.mul(y, op.sub(1, y))),)


Sigmoid.kernel.quiet = _sigmoid  # type: ignore[attr-defined]  # for those who see to the warnings


class LogSigmoid(_Activation):
    """log(sigmoid(x)) without overflow, elementwise. As TensorFlow's `log_sigmoid`.

    >>> import autograph as ag
    >>> ag.math.log_sigmoid([0.0, -100.0]).numpy().round(3)
    array([  -0.693, -100.   ], dtype=float32)
    """

    public = "math.log_sigmoid"
    parameters = ("x",)
    numpy = "-np.logaddexp(-{0}, 0)"
    scalar = lambda b, x: b.negative(b.softplus(b.negative(x)))
    vjp = lambda op, dy, y, x: (op.mul(dy, op.sigmoid(op.neg(x))),)


class Softplus(_Activation):
    """log(1 + e**x) without overflow, elementwise. As TensorFlow's `softplus`.

    >>> import autograph as ag
    >>> ag.math.softplus([0.0, 100.0]).numpy().round(3)
    array([  0.693, 100.   ], dtype=float32)
    """

    public = "math.softplus", "nn.softplus"
    numpy = "np.logaddexp({0}, 0)"
    scalar = lambda b, x: b.softplus(x)
    vjp = lambda op, dy, y, x: (op.mul(dy, op.sigmoid(x)),)


class Relu(Unary):
    """max(x, 0), elementwise; its gradient at 0 is 0. As TensorFlow's `relu`.

    >>> import autograph as ag
    >>> ag.nn.relu([-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """

    public = "nn.relu"
    parameters = ("features",)
    dtypes = "fdi"
    numpy = "np.maximum({0}, 0)"
    scalar = lambda b, x: b.maximum(x, b.const(0, x))
    vjp = lambda op, dy, y, x: (op.mul(dy, op.greater(y, 0)),)


class Relu6(Unary):
    """min(max(x, 0), 6), elementwise. As TensorFlow's `relu6`.

    >>> import autograph as ag
    >>> ag.nn.relu6([-1.0, 2.0, 8.0]).numpy()
    array([0., 2., 6.], dtype=float32)
    """

    public = "nn.relu6"
    parameters = ("features",)
    dtypes = "fdi"
    domain = (-3.0, 9.0)
    numpy = "np.minimum(np.maximum({0}, 0), 6)"
    scalar = lambda b, x: b.minimum(b.maximum(x, b.const(0, x)), b.const(6, x))
    vjp = lambda op, dy, y, x: (op.mul(dy, op.logical_and(op.greater(x, 0), op.less(x, 6))),)


class Elu(_Activation):
    """x where x > 0, else e**x - 1, elementwise. As TensorFlow's `elu`.

    >>> import autograph as ag
    >>> ag.nn.elu([-1.0, 2.0]).numpy().round(3)
    array([-0.632,  2.   ], dtype=float32)
    """

    public = "nn.elu"
    numpy = "(np.maximum({0}, 0) + np.expm1(np.minimum({0}, 0)))"
    scalar = lambda b, x: b.add(b.maximum(x, b.const(0, x)), b.expm1(b.minimum(x, b.const(0, x))))
    vjp = lambda op, dy, y, x: (op.mul(dy, op.exp(op.minimum(x, 0))),)


_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


@function("nn.selu", tensors=1)
def selu(op: Any, features: Any, name: str | None = None) -> Any:
    """The scaled exponential linear unit, elementwise. As TensorFlow's `selu`.

    >>> import autograph as ag
    >>> ag.nn.selu([-1.0, 2.0]).numpy().round(3)
    array([-1.111,  2.101], dtype=float32)
    """
    below = op.expm1(op.minimum(features, 0))
    return op.mul(op.add(op.maximum(features, 0), op.mul(below, _SELU_ALPHA)), _SELU_SCALE)


@function("nn.leaky_relu", tensors=1)
def leaky_relu(op: Any, features: Any, alpha: Any = 0.2, name: str | None = None) -> Any:
    """x where x > 0, else alpha * x, elementwise. As TensorFlow's `leaky_relu`.

    >>> import autograph as ag
    >>> ag.nn.leaky_relu([-1.0, 2.0]).numpy()
    array([-0.2,  2. ], dtype=float32)
    """
    scaled = op.mul(features, alpha)
    if isinstance(alpha, (int, float)) and 0 <= alpha <= 1:
        return op.maximum(
            scaled, features
        )  # the first operand has the gradient at 0: alpha, as in TensorFlow
    return op.where(op.greater(features, 0), features, scaled)


@function("nn.silu", tensors=1)
def silu(op: Any, features: Any, beta: Any = 1.0, name: str | None = None) -> Any:
    """x * sigmoid(beta * x), elementwise. As TensorFlow's `silu`.

    >>> import autograph as ag
    >>> ag.nn.silu([0.0, 2.0]).numpy().round(3)
    array([0.   , 1.762], dtype=float32)
    """
    plain = isinstance(beta, (int, float)) and beta == 1
    return op.mul(features, op.sigmoid(features if plain else op.mul(features, beta)))


@function("nn.swish", tensors=1)
def swish(op: Any, features: Any, beta: Any = 1.0, name: str | None = None) -> Any:
    """x * sigmoid(beta * x), elementwise. As TensorFlow's `swish`.

    >>> import autograph as ag
    >>> ag.nn.swish([0.0, 2.0]).numpy().round(3)
    array([0.   , 1.762], dtype=float32)
    """
    return op.silu(features, beta)


@function("nn.gelu", tensors=1)
def gelu(op: Any, features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """x times the normal distribution's probability of being below x, elementwise; by tanh if `approximate`.

    As TensorFlow's `gelu`.

    >>> import autograph as ag
    >>> ag.nn.gelu([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.841], dtype=float32)
    """
    if approximate:
        inner = op.mul(
            op.add(features, op.mul(op.mul(op.square(features), features), 0.044715)), math.sqrt(2 / math.pi)
        )
        return op.mul(op.mul(features, 0.5), op.add(op.tanh(inner), 1))
    return op.mul(op.mul(features, 0.5), op.add(op.erf(op.mul(features, math.sqrt(0.5))), 1))


@function("math.softsign", "nn.softsign", tensors=1)
def softsign(op: Any, features: Any, name: str | None = None) -> Any:
    """x / (1 + |x|), elementwise. As TensorFlow's `softsign`.

    >>> import autograph as ag
    >>> ag.nn.softsign([-1.0, 3.0]).numpy()
    array([-0.5 ,  0.75], dtype=float32)
    """
    return op.div(features, op.add(op.abs(features), 1))


@function("nn.crelu", tensors=1)
def crelu(op: Any, features: Any, axis: int = -1, name: str | None = None) -> Any:
    """relu(x) and relu(-x), concatenated along `axis`. As TensorFlow's `crelu`.

    >>> import autograph as ag
    >>> ag.nn.crelu([-1.0, 2.0]).numpy()
    array([0., 2., 1., 0.], dtype=float32)
    """
    return op.relu(op.concat([features, op.neg(features)], axis=axis))
