"""`ag.print`, `ag.py_function` and their kin: what acts on the world, in program order, eager and staged."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import Any

from autograph.api.declare import public
from autograph.operators.statements.printing import emit_print, text_of
from runtime.ops.registry import get
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.spec import TensorSpec, TensorType

__all__ = ["numpy_function", "print_", "py_function"]


@public("print")
def print_(
    *inputs: Any,
    output_stream: Any = None,
    end: str = "\n",
    sep: str = " ",
    summarize: int = 3,
    name: str | None = None,
) -> None:
    """Print tensors and text in program order, to stderr unless `output_stream` says otherwise.

    >>> import sys, autograph as ag
    >>> ag.print("x =", ag.constant([1, 2]), output_stream=sys.stdout)
    x = [1 2]

    Source of the semantics: TensorFlow's `tf.print`.
    """
    stream = (
        sys.stderr
        if output_stream is None or output_stream == "stderr"
        else sys.stdout
        if output_stream == "stdout"
        else output_stream
    )
    trace = STATE.trace
    if trace is None or stream not in (sys.stdout, sys.stderr):
        builtins.print(*inputs, sep=sep, end=end, file=stream)
        return
    emit_print(trace, sep.join(map(text_of, inputs)) + end, "stderr" if stream is sys.stderr else "stdout")


def _types(wanted: Any) -> tuple[list[TensorType], bool]:
    single = not isinstance(wanted, (list, tuple))
    kinds = [wanted] if single else list(wanted)
    return [
        k.to_type() if isinstance(k, TensorSpec) else TensorType(as_dtype(k), None) for k in kinds
    ], single


@public("py_function")
def py_function(func: Callable[..., Any], inp: Any = (), Tout: Any = (), name: str | None = None) -> Any:
    """Call a Python function with eager tensors when the graph runs.

    Args:
      func: called with one tensor for each of `inp`; returns what converts to `Tout`.
      inp: tensors.
      Tout: dtype (or `TensorSpec`) of the result, or a list of them; an empty list where there is none.

    Returns:
      A tensor, or a list of tensors; None for an empty `Tout`.

    >>> import autograph as ag
    >>> ag.py_function(lambda x: x + 1, [ag.constant(1)], ag.int32).numpy()
    np.int32(2)

    Source of the semantics: TensorFlow's `tf.py_function`.
    """

    def call(*arrays: Any) -> Any:
        result = func(*map(Tensor, arrays))
        many = isinstance(result, (list, tuple))
        return [_array(r) for r in result] if many else None if result is None else _array(result)

    return _call(call if callable(func) else func, inp, Tout)


@public("numpy_function")
def numpy_function(
    func: Callable[..., Any], inp: Any = (), Tout: Any = (), stateful: bool = True, name: str | None = None
) -> Any:
    """Call a Python function with NumPy arrays when the graph runs, as TensorFlow's `tf.numpy_function`.

    >>> ag.numpy_function(np.sin, [ag.constant(0.0)], ag.float32).numpy()
    np.float32(0.0)
    """
    return _call(func, inp, Tout)


def _array(x: Any) -> Any:
    return x._value if isinstance(x, Tensor) else x


def _call(function: Callable[..., Any], inp: Any, wanted: Any) -> Any:
    types, single = _types(wanted)
    if not callable(function):
        raise TypeError(f"py_function and numpy_function take a function first, not {function!r}")
    inputs = [x if isinstance(x, Tensor) else convert(x) for x in inp]
    if STATE.trace is None:
        kernel = get("py_function").rules.kernel
        results = [
            Tensor(r) for r in kernel(*(x._value for x in inputs), function=function, types=tuple(types))
        ]
    else:
        results = list(op.py_function(*inputs, function=function, types=tuple(types)))
    return results[0] if single else results or None
