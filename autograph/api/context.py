"""Questions and scopes: what is being run, what is known of a tensor, and TensorFlow's scopes that order or place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any

from autograph.api.declare import public
from autograph.api.effects import py_function
from runtime.tensor.dispatch import convert, op
from runtime.tensor.known import static_value
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.spec import TensorSpec

__all__: list[str] = []


@public("executing_eagerly", raises=False)
def executing_eagerly() -> bool:
    """Whether operations run at once: False while a function is traced.

    >>> import autograph as ag
    >>> ag.executing_eagerly()
    True

    Source of the semantics: TensorFlow's `tf.executing_eagerly`.
    """
    return STATE.trace is None


@public("inside_function", raises=False)
def inside_function() -> bool:
    """Whether a function is being traced.

    >>> import autograph as ag
    >>> ag.inside_function()
    False

    Source of the semantics: TensorFlow's `tf.inside_function`.
    """
    return STATE.trace is not None


@public("is_tensor", raises=False)
def is_tensor(x: Any) -> bool:
    """Whether it is a tensor or a variable, eager or staged.

    >>> import autograph as ag
    >>> ag.is_tensor(ag.constant(1)), ag.is_tensor(1), ag.is_tensor([ag.constant(1)])
    (True, False, False)

    Source of the semantics: TensorFlow's `tf.is_tensor`.
    """
    return isinstance(x, Tensor)


@public("timestamp")
def timestamp(name: Any = None) -> Tensor:
    """Seconds since the epoch (float64), when the graph runs.

    >>> float(ag.timestamp()) > 1e9
    True

    Source of the semantics: TensorFlow's `tf.timestamp`.
    """
    return py_function(time.time, [], TensorSpec((), "float64"))  # type: ignore[no-any-return]


@public("get_static_value")
def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor as an array, or None if only the run of the graph will tell.

    >>> import autograph as ag
    >>> ag.get_static_value(ag.constant([1, 2]))
    array([1, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.get_static_value`.
    """
    known = static_value(convert(tensor))
    return known.copy() if hasattr(known, "copy") else known


@public("type_spec_from_value")
def type_spec_from_value(value: Any) -> TensorSpec:
    """The `TensorSpec` of a value.

    >>> import autograph as ag
    >>> ag.type_spec_from_value(ag.constant([1.0, 2.0]))
    TensorSpec(shape=(2,), dtype=float32, name=None)

    Source of the semantics: TensorFlow's `tf.type_spec_from_value`.
    """
    return TensorSpec.from_tensor(convert(value))


@public("identity_n")
def identity_n(input: Any, name: Any = None) -> list[Any]:
    """A list of tensors like the given ones.

    >>> import autograph as ag
    >>> [t.numpy() for t in ag.identity_n([ag.constant(1), ag.constant(2.0)])]
    [np.int32(1), np.float32(2.0)]

    Source of the semantics: TensorFlow's `tf.identity_n`.
    """
    return [op.identity(convert(x)) for x in input]


@public("shape_n")
def shape_n(input: Any, out_type: Any = "int32", name: Any = None) -> list[Any]:
    """The shapes of several tensors, each as an integer tensor of one axis.

    >>> import autograph as ag
    >>> [t.numpy().tolist() for t in ag.shape_n([ag.zeros((2, 3)), ag.zeros(4)])]
    [[2, 3], [4]]

    Source of the semantics: TensorFlow's `tf.shape_n`.
    """
    return [op.shape(convert(x), out_type) for x in input]


@public("no_op")
def no_op(name: Any = None) -> None:
    """Does nothing.

    >>> import autograph as ag
    >>> ag.no_op()

    Source of the semantics: TensorFlow's `tf.no_op`.
    """


@public("group")
def group(*inputs: Any, name: Any = None) -> None:
    """Does nothing: what `inputs` were made by has run, or is in the graph in the order of the program.

    >>> import autograph as ag
    >>> v = ag.Variable(1)
    >>> ag.group(v.assign_add(1), v.assign_add(2)); int(v)
    4

    Source of the semantics: TensorFlow's `tf.group`.
    """


@public("control_dependencies")
@contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A scope whose operations run after `control_inputs`: they always do, as effects keep the order of the program.

    >>> import autograph as ag
    >>> v = ag.Variable(1)
    >>> with ag.control_dependencies([v.assign(5)]):
    ...     print((v + 1).numpy())
    6

    Source of the semantics: TensorFlow's `tf.control_dependencies`.
    """
    if callable(control_inputs):
        control_inputs()
    yield


@public("device")
def device(device_name: Any) -> AbstractContextManager[None]:
    """A scope for operations of one device, which must be the processor, as it is the only one there is.

    Raises:
      InvalidArgumentError: another device is asked for.

    >>> import autograph as ag
    >>> with ag.device("/cpu:0"):
    ...     print(ag.constant(1).numpy())
    1

    Source of the semantics: TensorFlow's `tf.device`.
    """
    from runtime.typesys.errors import InvalidArgumentError

    kind = str(device_name or "cpu").lower()
    if "cpu" not in kind:
        raise InvalidArgumentError(
            f"there is no device {device_name!r}: this machine's processor is the only one (/cpu:0)"
        )
    return nullcontext()


@public("grad_pass_through")
def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the values of `f` whose gradient with respect to its first argument is the identity's.

    >>> import autograph as ag
    >>> x = ag.Variable(2.0)
    >>> with ag.GradientTape() as tape:
    ...     y = ag.grad_pass_through(ag.round)(x * 1.3)
    >>> y.numpy(), tape.gradient(y, x).numpy().round(3)
    (np.float32(3.0), np.float32(1.3))

    Source of the semantics: TensorFlow's `tf.grad_pass_through`.
    """

    @wraps(f)
    def passing(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = convert(x)
        value = op.stop_gradient(f(x, *args, **kwargs))
        return op.add(value, op.sub(x, op.stop_gradient(x)))

    return passing
