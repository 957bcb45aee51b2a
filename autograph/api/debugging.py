"""`ag.debugging`: assertions about tensors, checked at once, or when the graph runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograph.api.declare import public
from autograph.operators.statements.asserts import raised
from autograph.operators.statements.branches import if_stmt
from autograph.operators.statements.printing import text_of
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError

__all__ = ["check"]


def check(condition: Any, text: Callable[[], str], error: type[Exception] = InvalidArgumentError) -> None:
    """Raise an error if a boolean scalar is false, when the graph runs if it is staged."""

    def failed() -> None:
        raise raised(error(text()))

    if_stmt(op.logical_not(condition) if isinstance(condition, Tensor) else not condition, failed, None, ())


def _words(message: str | None, what: str, **tensors: Any) -> str:
    head = f"{message}: " if message else ""
    return head + what + "".join(f"; {name} = {text_of(value)}" for name, value in tensors.items())


@public("debugging.Assert", "Assert")
def Assert(condition: Any, data: Any = (), summarize: int | None = None, name: Any = None) -> None:
    """Raise InvalidArgumentError with `data` in its message if the condition is false.

    Args:
      condition: a bool, or a boolean tensor without axes.
      data: tensors shown in the message.

    >>> import autograph as ag
    >>> ag.Assert(ag.constant(1) < 2, [])
    >>> ag.Assert(ag.constant(3) < 2, ["three", ag.constant(3)])
    Traceback (most recent call last):
        ...
    autograph.errors.InvalidArgumentError: assertion failed: three 3

    Source of the semantics: TensorFlow's `tf.debugging.Assert`.
    """
    check(condition, lambda: "assertion failed: " + " ".join(map(text_of, data)))


def _compared(kind: str, symbol: str, what: str) -> Callable[..., None]:
    def compare(
        x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: Any = None
    ) -> None:
        x, y = _pair(x, y)
        holds = op.all(getattr(op, kind)(x, y))
        check(holds, lambda: _words(message, f"x {symbol} y does not hold elementwise", x=x, y=y))

    fn_name = f"assert_{what}"
    compare.__name__ = compare.__qualname__ = fn_name
    compare.__doc__ = f"""Raise InvalidArgumentError unless x {symbol} y holds for each pair of elements.

    Args:
      x: tensor, any dtype that is compared.
      y: tensor of a shape that broadcasts with x's.
      message: put before the error's text.

    >>> import autograph as ag
    >>> ag.debugging.{fn_name}(ag.constant([2, 2]), {_EXAMPLES[kind]})

    Source of the semantics: TensorFlow's `tf.debugging.{fn_name}`.
    """
    short = (fn_name,) if what in ("equal", "less", "greater") else ()
    return public(f"debugging.{fn_name}", *short)(compare)


def _pair(x: Any, y: Any) -> tuple[Any, Any]:
    if isinstance(y, Tensor) and not isinstance(x, Tensor):
        return convert(x, y.dtype), y
    x = convert(x)
    return x, y if isinstance(y, Tensor) else convert(y, x.dtype)


_EXAMPLES = {"equal": 2, "not_equal": 3, "less": 3, "less_equal": 2, "greater": 1, "greater_equal": 2}

assert_equal = _compared("equal", "==", "equal")
assert_none_equal = _compared("not_equal", "!=", "none_equal")
assert_less = _compared("less", "<", "less")
assert_less_equal = _compared("less_equal", "<=", "less_equal")
assert_greater = _compared("greater", ">", "greater")
assert_greater_equal = _compared("greater_equal", ">=", "greater_equal")


def _signed(kind: str, symbol: str, what: str, example: int) -> Callable[..., None]:
    def signed(x: Any, message: str | None = None, summarize: int | None = None, name: Any = None) -> None:
        x = convert(x)
        holds = op.all(getattr(op, kind)(x, 0))
        check(holds, lambda: _words(message, f"x {symbol} 0 does not hold elementwise", x=x))

    fn_name = f"assert_{what}"
    signed.__name__ = signed.__qualname__ = fn_name
    signed.__doc__ = f"""Raise InvalidArgumentError unless each element is {symbol} 0.

    Args:
      x: tensor of a real dtype.
      message: put before the error's text.

    >>> import autograph as ag
    >>> ag.debugging.{fn_name}(ag.constant([{example}]))

    Source of the semantics: TensorFlow's `tf.debugging.{fn_name}`.
    """
    return public(f"debugging.{fn_name}")(signed)


assert_positive = _signed("greater", ">", "positive", 1)
assert_negative = _signed("less", "<", "negative", -1)
assert_non_negative = _signed("greater_equal", ">=", "non_negative", 0)
assert_non_positive = _signed("less_equal", "<=", "non_positive", 0)


@public("debugging.assert_near")
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: Any = None,
) -> None:
    """Raise InvalidArgumentError unless |x - y| <= atol + rtol |y| for each pair of elements.

    Args:
      x: tensor of a floating or complex dtype.
      y: tensor of the same dtype and a shape that broadcasts.
      rtol: relative tolerance; 10 times the dtype's resolution by default.
      atol: absolute tolerance; the same.

    >>> import autograph as ag
    >>> ag.debugging.assert_near(ag.constant(1.0), 1.0000001)

    Source of the semantics: TensorFlow's `tf.debugging.assert_near`.
    """
    x, y = _pair(x, y)
    resolution = 10 * float(np.finfo(x.dtype.dtype).eps)
    relative, absolute = resolution if rtol is None else rtol, resolution if atol is None else atol
    bound = op.add(absolute, op.mul(relative, op.abs(y)))
    near = op.all(op.less_equal(op.abs(op.sub(x, y)), bound))
    check(near, lambda: _words(message, "x and y are not near", x=x, y=y))


@public("debugging.assert_all_finite")
def assert_all_finite(x: Any, message: str | None = None, name: Any = None) -> Any:
    """The tensor; raises InvalidArgumentError if it holds an infinity or a NaN.

    >>> import autograph as ag
    >>> ag.debugging.assert_all_finite(ag.constant([1.0]), "loss").numpy()
    array([1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.debugging.assert_all_finite`.
    """
    return check_numerics(x, message or "")


@public("debugging.check_numerics")
def check_numerics(tensor: Any, message: str = "", name: Any = None) -> Any:
    """The tensor; raises InvalidArgumentError if it holds an infinity or a NaN.

    Args:
      tensor: floating dtype, any shape.
      message: put before the error's text.

    >>> import autograph as ag
    >>> ag.debugging.check_numerics(ag.constant([1.0, float("nan")]), "loss")
    Traceback (most recent call last):
        ...
    autograph.errors.InvalidArgumentError: loss: tensor has infinities or NaNs; tensor = [ 1. nan]

    Source of the semantics: TensorFlow's `tf.debugging.check_numerics`.
    """
    tensor = convert(tensor)
    finite = op.all(op.is_finite(tensor))
    check(finite, lambda: _words(message, "tensor has infinities or NaNs", tensor=tensor))
    return tensor


def _rank_of(x: Any) -> int:
    tensor: Any = convert(x)
    rank: int = tensor.ndim
    return rank


def _fails(message: str | None, what: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{message}: {what}" if message else what)


@public("debugging.assert_rank", "assert_rank")
def assert_rank(x: Any, rank: int, message: str | None = None, name: Any = None) -> None:
    """Raise ValueError unless the tensor has that number of axes.

    >>> import autograph as ag
    >>> ag.debugging.assert_rank(ag.constant([1, 2]), 1)

    Source of the semantics: TensorFlow's `tf.debugging.assert_rank`.
    """
    have = _rank_of(x)
    if have != int(rank):
        raise _fails(message, f"the tensor has rank {have}, not {int(rank)}")


@public("debugging.assert_rank_at_least")
def assert_rank_at_least(x: Any, rank: int, message: str | None = None, name: Any = None) -> None:
    """Raise ValueError unless the tensor has at least that number of axes.

    >>> import autograph as ag
    >>> ag.debugging.assert_rank_at_least(ag.constant([[1, 2]]), 1)

    Source of the semantics: TensorFlow's `tf.debugging.assert_rank_at_least`.
    """
    have = _rank_of(x)
    if have < int(rank):
        raise _fails(message, f"the tensor has rank {have}, less than {int(rank)}")


@public("debugging.assert_rank_in")
def assert_rank_in(x: Any, ranks: Any, message: str | None = None, name: Any = None) -> None:
    """Raise ValueError unless the tensor's number of axes is one of those.

    >>> import autograph as ag
    >>> ag.debugging.assert_rank_in(ag.constant([1, 2]), (1, 2))

    Source of the semantics: TensorFlow's `tf.debugging.assert_rank_in`.
    """
    have, wanted = _rank_of(x), tuple(int(r) for r in ranks)
    if have not in wanted:
        raise _fails(message, f"the tensor has rank {have}, none of {wanted}")


@public("debugging.assert_scalar")
def assert_scalar(tensor: Any, message: str | None = None, name: Any = None) -> Any:
    """The tensor; raises ValueError if it has axes.

    >>> import autograph as ag
    >>> ag.debugging.assert_scalar(ag.constant(1)).numpy()
    np.int32(1)

    Source of the semantics: TensorFlow's `tf.debugging.assert_scalar`.
    """
    tensor = convert(tensor)
    if tensor.ndim:
        raise _fails(message, f"expected a scalar, got a tensor of shape {tensor.shape}")
    return tensor


@public("debugging.assert_shapes")
def assert_shapes(
    shapes: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: Any = None
) -> None:
    """Raise ValueError unless tensors have the shapes given, in which equal symbols stand for equal sizes.

    Args:
      shapes: pairs of a tensor and a shape (a dictionary from tensor references is not needed): a tuple of ints, None
        or "." (any size) and symbols; "*" or ... as the first stands for any leading axes.

    >>> import autograph as ag
    >>> x, y = ag.zeros((3, 4)), ag.zeros((4,))
    >>> ag.debugging.assert_shapes([(x, ("N", "D")), (y, ("D",))])

    Source of the semantics: TensorFlow's `tf.debugging.assert_shapes`.
    """
    sizes: dict[Any, Any] = {}
    for tensor, shape in shapes.items() if isinstance(shapes, dict) else shapes:
        tensor = convert(tensor)
        wanted = tuple(shape) if isinstance(shape, (tuple, list, str)) else (shape,)
        have = tuple(tensor.shape)
        if wanted and wanted[0] in ("*", Ellipsis):
            wanted = wanted[1:]
            have = have[max(0, len(have) - len(wanted)) :]
        if len(wanted) != len(have):
            raise _fails(message, f"a tensor of shape {tensor.shape} does not fit {shape}")
        for want, size in zip(wanted, have, strict=True):
            if want in (None, "."):
                continue
            known = (
                int(want) if isinstance(want, int) or str(want).isdigit() else sizes.setdefault(want, size)
            )
            check(
                op.equal(size, known)
                if isinstance(size, Tensor) or isinstance(known, Tensor)
                else size == known,
                lambda want=want, known=known, size=size: _words(  # type: ignore[misc]
                    message,
                    f"size {want!r} of a tensor is not what it is elsewhere",
                    expected=known,
                    found=size,
                ),
            )


@public("debugging.assert_type")
def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: Any = None) -> None:
    """Raise TypeError unless the tensor has that dtype.

    >>> import autograph as ag
    >>> ag.debugging.assert_type(ag.constant(1.0), ag.float32)

    Source of the semantics: TensorFlow's `tf.debugging.assert_type`.
    """
    have = convert(tensor).dtype
    if have != as_dtype(tf_type):
        raise TypeError(
            f"{message + ': ' if message else ''}the tensor is {have.name}, not {as_dtype(tf_type).name}"
        )


@public("debugging.assert_integer")
def assert_integer(x: Any, message: str | None = None, name: Any = None) -> None:
    """Raise TypeError unless the tensor's dtype is an integer's.

    >>> import autograph as ag
    >>> ag.debugging.assert_integer(ag.constant(1))

    Source of the semantics: TensorFlow's `tf.debugging.assert_integer`.
    """
    have = convert(x).dtype
    if not have.is_integer:
        raise TypeError(f"{message + ': ' if message else ''}the tensor is {have.name}, not an integer")


@public("debugging.assert_same_float_dtype")
def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The floating dtype that all tensors share (float32 of none).

    Raises:
      ValueError: they differ, or it is no floating dtype.

    >>> import autograph as ag
    >>> ag.debugging.assert_same_float_dtype([ag.constant(1.0), ag.constant([2.0])]).name
    'float32'

    Source of the semantics: TensorFlow's `tf.debugging.assert_same_float_dtype`.
    """
    found = [] if dtype is None else [as_dtype(dtype)]
    found += [convert(t).dtype for t in tensors or ()]
    if not found:
        return as_dtype("float32")
    if any(d != found[0] for d in found) or not found[0].is_floating:
        raise ValueError(f"expected one floating dtype, got {', '.join(d.name for d in found)}")
    return found[0]


@public("debugging.assert_proper_iterable")
def assert_proper_iterable(values: Any) -> None:
    """Raise TypeError for what is one value rather than several: a tensor, an array, a text.

    >>> import autograph as ag
    >>> ag.debugging.assert_proper_iterable([ag.constant(1), ag.constant(2)])

    Source of the semantics: TensorFlow's `tf.debugging.assert_proper_iterable`.
    """
    if isinstance(values, (Tensor, np.ndarray, bytes, str)) or not hasattr(values, "__iter__"):
        raise TypeError(f"expected several values, got {type(values).__name__}")


@public("debugging.is_numeric_tensor")
def is_numeric_tensor(tensor: Any) -> bool:
    """Whether it is a tensor of numbers.

    >>> import autograph as ag
    >>> ag.debugging.is_numeric_tensor(ag.constant(1)), ag.debugging.is_numeric_tensor(1)
    (True, False)

    Source of the semantics: TensorFlow's `tf.debugging.is_numeric_tensor`.
    """
    return isinstance(tensor, Tensor) and tensor.dtype.kind in "iufc"
