"""`Tensor`: a box with one place in it, which holds an array (eager) or a graph value (staged).

Operators and methods are attached from the operation registry by `runtime.tensor.dispatch`; here is what a tensor is.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.typesys.dtypes import DType
from runtime.typesys.errors import (
    InvalidArgumentError,
    OperatorNotAllowedInGraphError,
    leaked_tensor,
    outward,
)
from runtime.typesys.spec import TensorType, type_of_payload

__all__ = ["Tensor", "is_staged", "of_many_elements", "type_of"]


def of_many_elements(what: str, shape: Any) -> str:
    """What is said where `what()` of a tensor that is no single number is asked for."""
    return f"only tensors of one element can be converted by {what}(); this one has shape {shape}: index or reduce it first"


class Tensor:
    """A value with dtype and shape, eager or staged.

    `x[i] = v` puts a new value into the box, so every alias of the box sees it; arithmetic makes new boxes.

    >>> x = ag.constant([1.0, 2.0])
    >>> y = x
    >>> y[0] = 5
    >>> x.dtype, x.shape, (x * 2).numpy()
    (dtype('float32'), TensorShape([2]), array([10.,  4.], dtype=float32))
    """

    __slots__ = ("_parent", "_value", "__weakref__")
    __array_priority__ = 1000
    _value: Any
    _parent: Any
    shape: Any  # and items: attached with the operators

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def type(self) -> TensorType:
        """dtype, shape and weak flag."""
        return type_of(self._value)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return type_of(self._value).dtype

    @property
    def name(self) -> str:
        value = self._value
        return value.name or "" if type(value) is Value else ""

    def numpy(self) -> Any:
        """The value as an array of its own (a NumPy scalar if it has no axes).

        Raises:
          OperatorNotAllowedInGraphError: the tensor is staged.
        """
        try:
            value = self._concrete("numpy()")
        except BaseException as error:
            outward[0](error)
            raise
        if isinstance(value, np.ndarray):
            return value.copy()
        return np.asarray(value)[()]

    def _concrete(self, what: str, id: str = "tensor-value") -> Any:
        value = self._value
        if type(value) is Value:
            if not in_trace():
                raise leaked_tensor(value.type)
            raise OperatorNotAllowedInGraphError(
                f"{what} needs the value of a staged tensor ({value.type}), which exists only when the graph runs",
                id=id,
                what=what,
                type=value.type,
            )
        return value

    def item(self, *index: Any) -> Any:
        """The value as a Python number."""
        try:
            return np.asarray(self._concrete("item()")).item(*index)
        except BaseException as error:
            outward[0](error)
            raise

    def tolist(self) -> Any:
        """The value as nested Python lists."""
        return np.asarray(self._concrete("tolist()")).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = np.array(self._concrete("conversion to a NumPy array"), copy=True)
        return array if dtype is None else array.astype(dtype)

    def __bool__(self) -> bool:
        try:
            value = self._concrete("a Python truth test", id="truth-in-python")
            if type(value) is np.ndarray and value.size > 1:
                message = f"the truth value of a tensor of shape {value.shape} is ambiguous: it has more than one element"
                raise InvalidArgumentError(message, op="bool", id="truth-of-many", shape=value.shape)
            return bool(value)
        except BaseException as error:
            outward[0](error)
            raise

    def _name_elements(self, error: BaseException, what: str) -> None:
        """Say in our words that a tensor is no number, where NumPy's speak of arrays without axes."""
        if type(error) is TypeError and np.size(self._value) != 1:
            error.args = (of_many_elements(what, np.shape(self._value)),)

    def __int__(self) -> int:
        try:
            return int(self._concrete("int()"))
        except BaseException as error:
            self._name_elements(error, "int")
            outward[0](error)
            raise

    def __float__(self) -> float:
        try:
            return float(self._concrete("float()"))
        except BaseException as error:
            self._name_elements(error, "float")
            outward[0](error)
            raise

    def __complex__(self) -> complex:
        try:
            return complex(self._concrete("complex()"))
        except BaseException as error:
            outward[0](error)
            raise

    def __index__(self) -> int:
        try:
            value = self._concrete("use as a Python index")
            try:
                return operator.index(value)
            except TypeError:
                raise self._no_integer() from None
        except BaseException as error:
            outward[0](error)
            raise

    def _no_integer(self) -> TypeError:
        """What Python says of this tensor where an index, a size or a count belongs."""
        kind = self.type
        if kind.dtype.is_integer:
            return TypeError(f"one integer belongs here, not a tensor of shape {kind.shape}: index or reduce it first")
        return TypeError(f"'{kind.dtype.name}' tensor cannot be interpreted as an integer; say int(x)")

    def __hash__(self) -> int:
        value = self._value
        if type(value) is Value and getattr(value.type, "shape", None) == ():  # a number's hash is its value's
            hash_hook()
            raise OperatorNotAllowedInGraphError(
                f"hash() needs the value of a staged number ({value.type}), which exists only when the graph runs",
                id="number-as-key",
            )
        if isinstance(value, np.ndarray) and value.ndim:
            return id(self)
        return hash(value if not isinstance(value, np.ndarray) else value[()])  # as NumPy's numbers: found by its value

    def ref(self) -> Reference:
        """A hashable reference to this box, as TensorFlow's `Tensor.ref`."""
        return Reference(self)

    def __copy__(self) -> Tensor:
        return Tensor(self._value)

    def __deepcopy__(self, memo: Any) -> Tensor:
        value = self._value
        return Tensor(value.copy() if isinstance(value, np.ndarray) else value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, (self._concrete("pickling"),)

    def __repr__(self) -> str:
        value = self._value
        if type(value) is Value:
            return repr_hook(self)  # type: ignore[no-any-return]
        kind = type_of_payload(value)
        shape = "()" if not kind.shape else str(kind.shape)
        return f"<Tensor: shape={shape}, dtype={kind.dtype.name}, numpy={np.asarray(value)[()]!r}>"

    def __str__(self) -> str:
        value = self._value
        if type(value) is Value:
            return text_hook(self, "")
        return str(value)

    def __format__(self, spec: str) -> str:
        value = self._value
        if type(value) is Value:
            return text_hook(self, spec)
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        try:
            return format(value, spec)
        except BaseException as error:
            outward[0](error)
            raise


class Reference:
    """Hashable by the identity of a tensor's box."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def deref(self) -> Tensor:
        """The tensor."""
        return self._tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other._tensor is self._tensor

    def __hash__(self) -> int:
        return id(self._tensor)


def type_of(payload: Any) -> TensorType:
    """The type of a box's content."""
    return payload.type if type(payload) is Value else type_of_payload(payload)  # type: ignore[return-value]


def is_staged(x: Any) -> bool:
    """Whether `x` is a tensor whose value exists only when the graph runs."""
    return isinstance(x, Tensor) and type(x._value) is Value


def _describe(tensor: Tensor, spec: str) -> str:
    return f"<Tensor staged {tensor.type}>"


in_trace: Any = bool  # whether a trace is active: runtime.tensor.trace, which imports this, puts its answer there
hash_hook: Any = bool  # called where the hash of a staged number is asked for; the front end may end the trace there
repr_hook: Any = lambda tensor: f"<Tensor staged {tensor.type}>"  # the same of what `repr` gives
text_hook: Any = _describe  # the text of a staged tensor; the front end puts tokens there that its print understands
