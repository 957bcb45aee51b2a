"""Calling operations on tensors: eagerly over NumPy kernels, or as nodes of the active trace.

`op` is the namespace that rules and functions are written in: `op.mul(x, y)`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.ops.catalogue import METHODS
from runtime.ops.registry import FUNCTIONS, OPS, Op, load_family_of, tensor_of
from runtime.tensor.known import dim_of, static_value
from runtime.tensor.tensor import Tensor, type_of
from runtime.tensor.trace import STATE, current, open_tapes
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import (
    DTypeError,
    InvalidArgumentError,
    OpError,
    OutOfRangeError,
    ShapeError,
    leaked_tensor,
    outward,
)
from runtime.typesys.spec import TensorType, type_of_payload

__all__ = ["apply", "convert", "distinct", "harden", "op", "payload_of"]

_NUMBERS = (int, float, bool, complex)
_WEAK = frozenset(_NUMBERS)
_OBJECT = np.dtype(object)


def payload_of(x: Any) -> Any:
    """What an eager kernel gets for an operand: bare numbers and NumPy scalars are weak, sequences become arrays."""
    if type(x) in _WEAK:
        return x
    if isinstance(x, Tensor):
        if STATE.tapes and getattr(x, "trainable", False):
            for tape in STATE.tapes:
                tape.variable_read(x, x._value)
        if type(x._value) is Value:
            raise leaked_tensor(x._value.type)
        return x._value
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, np.generic):
        return x.item()
    return convert(x)._value


def apply(operation: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Call an operation: a Tensor, or a tuple of them."""
    trace = current()
    if trace is not None:
        operand = trace.operand
        values = [operand(x if type(x) is not list and type(x) is not tuple else convert(x)) for x in inputs]
        node = trace.builder.emit(operation, values, attrs)
        if operation.outputs == 1:
            return Tensor(node.outputs[0])
        return tuple(Tensor(v) for v in node.outputs)
    payloads = [x._value if type(x) is Tensor else payload_of(x) for x in inputs]
    # The cheap question first: an array is no bare number.
    weak = bool(payloads) and type(payloads[0]) in _WEAK and all(type(p) in _WEAK for p in payloads)
    try:
        out = operation.run_weak(*payloads, **attrs) if weak else operation.run(*payloads, **attrs)
    except (ValueError, TypeError, IndexError) as error:
        raise _explain(operation, payloads, attrs, error) from None
    if operation.outputs == 1:
        if weak and isinstance(out, np.generic):
            out = out.item()
        elif (type(out) is np.ndarray and out.dtype is _OBJECT) or type(out) is str:
            operation.infer(*map(type_of_payload, payloads), **attrs)  # says whether it is meant for strings
        if open_tapes():
            if not operation.is_ufunc:
                out = distinct(out, payloads)
            for tape in open_tapes():
                tape.record(operation, attrs, payloads, (out,))
        return Tensor(out)
    if open_tapes():
        out = tuple(distinct(o, payloads) for o in out)
        for tape in open_tapes():
            tape.record(operation, attrs, payloads, out)
    return tuple(Tensor(o) for o in out)


def distinct(out: Any, payloads: list[Any]) -> Any:
    """A result as an object of its own where it is one of the operands: tapes tell values apart by identity."""
    for payload in payloads:
        if payload is out:
            if isinstance(out, np.ndarray):
                return out.view()
            if isinstance(out, (np.inexact, float, complex)):
                return -(-out)  # noqa: B002
    return out


def _explain(operation: Op, payloads: list[Any], attrs: dict[str, Any], error: Exception) -> Exception:
    """The operation's own error for operands its kernel refused: its type rule words it, if it sees anything wrong."""
    for payload in payloads:
        if type(payload) is Value:
            return leaked_tensor(payload.type)
        if isinstance(payload, np.ndarray) and payload.dtype == _OBJECT and not _all_text(payload):
            what = payload.tolist()
            return InvalidArgumentError(f"cannot make a tensor of {what!r} ({type(what).__name__}): expected numbers")
    if not isinstance(error, OpError) or isinstance(error, ShapeError):
        try:
            operation.infer(*map(type_of_payload, payloads), **attrs)
        except (OpError, NotImplementedError) as typed:
            return typed
        if isinstance(error, TypeError) and type(error).__module__.startswith("numpy"):
            kinds = " and ".join(type_of_payload(p).dtype.name for p in payloads)
            return DTypeError(f"{operation.name} is not defined for {kinds}: cast first", op=operation.name)
        if isinstance(error, IndexError) and "is out of bounds" in str(error):
            return OutOfRangeError(str(error), op=operation.name)
    return error


def convert(x: Any, dtype: Any = None) -> Tensor:
    """A tensor of `x` under TensorFlow's rules for literals: bare floats are float32, bare ints int32 (they must fit).

    Arrays keep their dtype and are copied. A nested sequence that holds tensors is stacked.

    Raises:
      InvalidArgumentError: a ragged sequence, a number that does not fit, or another dtype than `dtype`.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(x, Tensor):
        if wanted is not None and x.dtype.name == "string" != wanted.name:
            raise DTypeError(f"a tensor of dtype string is given where one of dtype {wanted.name} is needed")
        return harden(x) if wanted is None or (x.dtype == wanted and not x.type.weak) else op.cast(x, dtype=wanted)
    if isinstance(x, (list, tuple)) and _holds_tensor(x):
        return _stacked(x, dtype, wanted)
    if hasattr(x, "__tensor__"):
        return convert(x.__tensor__(), dtype)
    try:
        made = literal(x, wanted)
    except InvalidArgumentError:
        if isinstance(x, (list, tuple)) and _holds_what_makes_one(x):
            return _stacked(x, dtype, wanted)
        raise
    return _new(made)


def _stacked(x: Any, dtype: Any, wanted: Any) -> Tensor:
    stacked = op.stack([convert(e, dtype) if not isinstance(e, _NUMBERS) else e for e in x], axis=0)
    return stacked if wanted is None or stacked.dtype == wanted else op.cast(stacked, dtype=wanted)  # type: ignore[no-any-return]


def _new(payload: Any) -> Tensor:
    trace = current()
    return Tensor(payload if trace is None else trace.constant(payload))


def literal(x: Any, wanted: Any = None) -> Any:
    """The array (or NumPy scalar) of a literal under TensorFlow's rules."""
    if isinstance(x, (np.ndarray, np.generic)):
        if wanted is None or x.dtype == wanted.dtype:
            return x.copy() if isinstance(x, np.ndarray) else x
        return _checked_cast(x, wanted)
    try:
        array = np.asarray(x)
    except ValueError:
        raise InvalidArgumentError(f"cannot make a tensor of {x!r}: its rows differ in length") from None
    if array.dtype.kind in "SU":
        array = np.asarray(x, dtype=object)
        if array.ndim and not _all_text(array):  # NumPy would write the numbers as texts
            raise InvalidArgumentError(f"cannot make a tensor of {x!r}: it mixes texts with numbers")
    elif array.dtype.kind == "O" and not _all_text(array):
        raise InvalidArgumentError(
            f"cannot make a tensor of {x!r} ({type(x).__name__}): expected numbers, arrays or sequences of them"
        )
    if wanted is None:
        kind = array.dtype.kind
        typed = _holds_typed(x)
        if kind == "f" and not typed:
            wanted = as_dtype("float32")
        elif kind == "i" and not typed:
            wanted = as_dtype("int32")
        else:
            return array[()]
    if array.size == 0 and array.dtype.kind == "f" and isinstance(x, (list, tuple)):
        return array.astype(wanted.dtype)
    return _checked_cast(array, wanted)[()]


def _checked_cast(array: Any, wanted: Any) -> Any:
    if array.dtype.kind in "fc" and wanted.is_integer:
        raise InvalidArgumentError(f"cannot make {wanted.name} of {array.tolist()!r}: it would lose its fraction; use cast")
    out = array.astype(wanted.dtype)
    if array.dtype.kind in "iu" and wanted.is_integer and not np.array_equal(out, array):
        raise InvalidArgumentError(
            f"{array.tolist()!r} does not fit {wanted.name} (from {wanted.min} to {wanted.max}); ask for dtype='int64'"
        )
    return out


def _holds_tensor(x: Any) -> bool:
    return any(isinstance(e, Tensor) or (isinstance(e, (list, tuple)) and _holds_tensor(e)) for e in x)


def _holds_what_makes_one(x: Any) -> bool:
    return any(_holds_what_makes_one(e) if isinstance(e, (list, tuple)) else hasattr(type(e), "__tensor__") for e in x)


def _holds_typed(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_holds_typed, x)) or hasattr(x, "__array__")
    return hasattr(x, "__array__")


def _all_text(array: Any) -> bool:
    return all(isinstance(e, (str, bytes)) for e in array.ravel())


_DEFAULT = {"i": "int32", "f": "float32", "c": "complex128", "b": "bool"}


def harden(x: Any) -> Any:
    """A weak tensor as the dtype its literal would get; anything else unchanged."""
    if isinstance(x, Tensor):
        kind = x.type
        if kind.weak:
            return op.cast(x, dtype=as_dtype(_DEFAULT[kind.dtype.kind]))
    return x


class Namespace:
    """`op.<name>` calls the operation or function of that name on tensors."""

    @staticmethod
    def type_of(x: Any) -> TensorType:
        """The type an operand has (bare numbers are weak)."""
        if isinstance(x, Tensor):
            return type_of(x._value)
        return type_of_payload(x.item() if isinstance(x, np.generic) else x)

    convert = staticmethod(convert)
    static_value = staticmethod(static_value)
    dim_of = staticmethod(dim_of)

    @staticmethod
    def strong(x: Any) -> Any:
        """An operand that is an array or a tensor which is no bare number; eager arrays are copied."""
        if isinstance(x, Tensor):
            value = x._value
            if isinstance(value, (np.ndarray, np.generic)) or (type(value) is Value and not value.tensor_type.weak):
                return x
            return harden(x)
        if isinstance(x, np.ndarray) and STATE.trace is not None:
            return x
        return convert(x)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OPS and name not in FUNCTIONS:
            if name.startswith("__"):  # what protocols probe for is no operation
                raise AttributeError(name)
            load_family_of(name)
        if name in OPS:
            caller = _caller(OPS[name])
        elif name in FUNCTIONS:
            caller = _bound(FUNCTIONS[name].fn)
        else:
            raise AttributeError(f"no operation or function {name!r}")
        setattr(self, name, caller)
        return caller

    def __reduce__(self) -> str:
        return "op"


def _caller(operation: Op) -> Callable[..., Any]:
    def call(*inputs: Any, **attrs: Any) -> Any:
        return apply(operation, inputs, attrs)

    call.__name__ = call.__qualname__ = operation.name
    call.__doc__ = operation.__doc__
    return call


def _bound(fn: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return fn(op, *args, **kwargs)

    call.__name__ = call.__qualname__ = fn.__name__
    call.__doc__ = fn.__doc__
    return call


op = Namespace()
tensor_of[0] = Tensor


def attach_methods() -> None:
    """Give Tensor the operators and methods that operations and functions declare.

    The catalogue names them; the file behind a method is imported when it is first called.
    """
    for name, key in METHODS.items():
        if name not in Tensor.__dict__:
            setattr(Tensor, name, _late(name, key))


def _late(name: str, key: str) -> Callable[..., Any]:
    """A method that puts the real one in its place when it is first called."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        real = _real(name, key)
        setattr(Tensor, name, real)
        try:
            return real(self, *args, **kwargs)
        except BaseException as error:
            outward[0](error)
            raise

    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"The operation `{key}` on this tensor."
    return method


def _real(name: str, key: str) -> Callable[..., Any]:
    function = key.removesuffix("()")
    load_family_of(function)
    if function != key:
        return _method(_bound(FUNCTIONS[function].fn), name)
    operation = OPS[key]
    if operation.is_ufunc and getattr(operation, "arity", 0) == 2:
        if name in _BINARY_DUNDERS:
            return _binary(operation, name)
        if name.startswith("__r") and name.replace("__r", "__", 1) in _BINARY_DUNDERS:
            return _binary(operation, name, reflected=True)
    return _method(_caller(operation), name)


_OPERANDS = (Tensor, np.ndarray, np.generic, int, float, bool, complex, list, tuple)


# What NumPy's scalars do at a tenth of the price of its functions; integers would warn where they wrap around.
_OF_SCALARS: dict[Any, Callable[[Any, Any], Any]] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.true_divide: operator.truediv,
    np.less: operator.lt, np.less_equal: operator.le, np.greater: operator.gt, np.greater_equal: operator.ge,
}
_FLOATS = frozenset((np.float16, np.float32, np.float64))
_FLOATS_OR_BARE = _FLOATS | {float, int}
_STRONG = _FLOATS.union(np.dtype(code).type for code in "?bhilqBHILQ")
_STRONG_OR_BARE = _STRONG | {float, int, np.ndarray}


def _binary(operation: Op, name: str, reflected: bool = False) -> Callable[..., Any]:
    """An operator of two ufunc operands; eager tensors of arrays and of floating numbers take the short way."""
    run = operation.run
    of_scalars = _OF_SCALARS.get(run, run)
    multiplies = name in ("__mul__", "__rmul__")
    compares = name in ("__eq__", "__ne__")  # strings with strings; what adds a text to a tensor is Python's error

    def method(self: Any, other: Any) -> Any:
        try:
            if current() is None and not open_tapes() and type(self) is Tensor:
                kind = type(other)
                if kind is float or kind is int or kind is Tensor:
                    x, y = self._value, other._value if kind is Tensor else other
                    left, right = type(x), type(y)
                    try:
                        if left in _FLOATS and right in _FLOATS_OR_BARE:
                            return Tensor(of_scalars(y, x) if reflected else of_scalars(x, y))
                        if (left is np.ndarray and right is not Value) or (left in _STRONG and right in _STRONG_OR_BARE):
                            return Tensor(run(y, x) if reflected else run(x, y))
                    except (ValueError, TypeError) as error:
                        raise _explain(operation, [y, x] if reflected else [x, y], {}, error) from None
            if multiplies and type(other) in repeated and _is_count(self):
                return _repeat(other, self)
            if isinstance(other, _OPERANDS):
                return apply(operation, (other, self) if reflected else (self, other), {})
            if compares and isinstance(other, str) and self.dtype.name == "string":
                return apply(operation, (self, convert(other)), {})
            if multiplies and isinstance(other, str) and not self.dtype.is_integer:  # Python would repeat the text
                raise TypeError(f"unsupported operand type(s) for *: a {self.dtype.name} tensor and 'str'")
            return NotImplemented
        except RecursionError as error:
            error.__traceback__ = None  # there is no room left to call what drops our frames
            raise
        except BaseException as error:
            outward[0](error)
            raise

    return _named(method, name, operation.rules)


def _is_count(x: Any) -> bool:
    """Whether a tensor is one integer: as with Python's and NumPy's integers, `[x] * n` is a list then."""
    return x.type.dtype.is_integer and x.type.shape == ()  # type: ignore[no-any-return]


_REPEATED = (list, tuple, str)


def _repeat(items: Any, count: Any) -> Any:
    if type(count._value) is not Value:
        return items * int(count._value)
    return repeated[type(items)](items, count)


def _none_here(items: Any, count: Any) -> Any:
    raise TypeError(f"can't multiply a {type(items).__name__} by a staged number here")


repeated: dict[type, Callable[[Any, Any], Any]] = dict.fromkeys(_REPEATED, _none_here)
"""What `[x] * n` and `"x" * n` are for a staged integer: as long as only the run knows; the front end puts it here."""


def _method(caller: Callable[..., Any], name: str) -> Callable[..., Any]:
    method: Callable[..., Any]
    if name.startswith("__r") and name.endswith("__") and name not in ("__round__", "__repr__", "__rshift__"):

        def method(self: Any, other: Any) -> Any:
            try:
                if name == "__rmul__" and type(other) in repeated and _is_count(self):
                    return _repeat(other, self)
                return caller(other, self) if isinstance(other, _OPERANDS) else NotImplemented
            except BaseException as error:
                outward[0](error)
                raise

    elif name == "__pow__":

        def method(self: Any, other: Any, mod: Any = None) -> Any:
            if mod is not None:
                return op.pow_modular(self, other, mod)
            return caller(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    elif name in _BINARY_DUNDERS:

        def method(self: Any, other: Any) -> Any:
            try:
                return caller(self, other) if isinstance(other, _OPERANDS) else NotImplemented
            except BaseException as error:
                outward[0](error)
                raise

    else:

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return caller(self, *args, **kwargs)
            except BaseException as error:
                outward[0](error)
                raise

    return _named(method, name, caller)


def _named(method: Callable[..., Any], name: str, source: Any) -> Callable[..., Any]:
    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = source.__doc__
    return method


_BINARY_DUNDERS = frozenset(
    f"__{n}__"
    for n in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift lt le gt ge eq ne divmod".split()
)
