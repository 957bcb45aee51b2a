"""Initial values for variables, under TensorFlow's names: objects that are called with a shape."""

from __future__ import annotations

from typing import Any

from autograph.api.declare import public
from runtime.ops.registry import get
from runtime.tensor.dispatch import convert, op
from runtime.typesys.dtypes import as_dtype

__all__ = [
    "constant_initializer",
    "ones_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "zeros_initializer",
]


@public("zeros_initializer")
class zeros_initializer:  # noqa: N801 (TensorFlow's name)
    """Makes tensors of zeros.

    >>> import autograph as ag
    >>> ag.zeros_initializer()(shape=(2,)).numpy()
    array([0., 0.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.zeros_initializer`.
    """

    def __call__(self, shape: Any, dtype: Any = "float32", **kwargs: Any) -> Any:
        """A tensor of that shape and dtype."""
        return get("zeros").rules.call(op, shape, dtype)


@public("ones_initializer")
class ones_initializer:  # noqa: N801
    """Makes tensors of ones.

    >>> import autograph as ag
    >>> ag.ones_initializer()(shape=(2,)).numpy()
    array([1., 1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.ones_initializer`.
    """

    def __call__(self, shape: Any, dtype: Any = "float32", **kwargs: Any) -> Any:
        """A tensor of that shape and dtype."""
        return get("ones").rules.call(op, shape, dtype)


@public("constant_initializer")
class constant_initializer:  # noqa: N801
    """Makes tensors of one value, or of the values of a sequence in row-major order.

    >>> import autograph as ag
    >>> ag.constant_initializer(7)(shape=(2,)).numpy()
    array([7., 7.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.constant_initializer`.
    """

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = "float32", **kwargs: Any) -> Any:
        """A tensor of that shape and dtype."""
        value = op.cast(convert(self.value), dtype=as_dtype(dtype))
        if value.shape == ():
            return get("broadcast_to").rules.call(op, value, shape)
        return get("reshape").rules.call(op, value, shape)


@public("random_normal_initializer")
class random_normal_initializer:  # noqa: N801
    """Makes tensors of normally distributed numbers.

    >>> import autograph as ag
    >>> ag.random_normal_initializer(stddev=0.1)(shape=(2, 3)).shape
    TensorShape([2, 3])

    Source of the semantics: TensorFlow's `tf.random_normal_initializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = "float32", **kwargs: Any) -> Any:
        """A tensor of that shape and dtype."""
        return op.normal_numbers(shape, self.mean, self.stddev, dtype, self.seed)


@public("random_uniform_initializer")
class random_uniform_initializer:  # noqa: N801
    """Makes tensors of uniformly distributed numbers.

    >>> import autograph as ag
    >>> ag.random_uniform_initializer(0.0, 1.0)(shape=(2, 3)).shape
    TensorShape([2, 3])

    Source of the semantics: TensorFlow's `tf.random_uniform_initializer`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = "float32", **kwargs: Any) -> Any:
        """A tensor of that shape and dtype."""
        return op.uniform_numbers(shape, self.minval, self.maxval, dtype, self.seed)
