"""`Variable`: a named box that keeps its value between calls, and that tapes watch by themselves."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

from runtime.ir.graph import Value
from runtime.ops.registry import get
from runtime.tensor.dispatch import convert, op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import STATE, Trace, init_scope, note_write
from runtime.typesys.dtypes import DType, as_dtype
from runtime.typesys.errors import (
    DTypeError,
    FailedPreconditionError,
    InvalidArgumentError,
    boundary,
    outward,
)
from runtime.typesys.shapes import same_size

__all__ = ["Variable"]


class Variable(Tensor):
    """A tensor that keeps its value between calls and can be assigned.

    Args:
      initial_value: anything `convert_to_tensor` takes, or a function of no arguments that gives it.
      trainable: whether gradient tapes watch it by themselves.
      name: shown in messages and used by `Module`.
      dtype: cast the initial value to it.

    Raises:
      FailedPreconditionError: created in a traced function whose first call is over.
      InvalidArgumentError: an assigned value has another shape.
      DTypeError: an assigned value is of another kind: floats for integers.

    >>> import autograph as ag
    >>> v = ag.Variable([1.0, 2.0])
    >>> _ = v.assign_add([1.0, 1.0])
    >>> v.numpy()
    array([2., 3.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.Variable`.
    """

    __slots__ = ("_name", "constraint", "trainable")
    __hash__ = object.__hash__  # its value changes

    @boundary
    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        name: str | None = None,
        dtype: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        shape: Any = None,
    ) -> None:
        trace = STATE.trace
        if trace is not None:
            _check_creation(trace)
        if initial_value is None:
            raise InvalidArgumentError("a Variable needs an initial value")
        with init_scope():
            if callable(initial_value) and not isinstance(initial_value, Tensor):
                initial_value = initial_value()
            if isinstance(initial_value, Tensor) and type(initial_value._value) is Value:
                initial_value = Tensor(_evaluate(initial_value._value))
            payload = convert(initial_value, dtype)._value
        super().__init__(np.asarray(payload) if not isinstance(payload, np.ndarray) else payload)
        self.trainable = self.dtype.is_inexact if trainable is None else bool(trainable)
        self._name = _scoped(name or "Variable")
        self.constraint = constraint
        if trace is not None:
            trace.notes.setdefault("created", []).append(self)

    @property
    def name(self) -> str:
        """The name, with the scope it was created in."""
        return f"{self._name}:0"

    def value(self) -> Tensor:
        """The value now, as a tensor that later assignments do not change."""
        return op.identity(self)  # type: ignore[no-any-return]

    read_value = value

    @property
    def initial_value(self) -> Tensor:
        return self.value()

    def _set(self, new: Any) -> Variable:
        """Put a value of the variable's dtype and shape into the box."""
        trace = STATE.trace
        if trace is not None:
            have, want = new.type, trace.value_of(self).tensor_type
            _check_shape(self, have.shape, want.shape)
            if want.shape is not None and not _known_to_fit(have.shape, want.shape):  # else only the run can tell
                new = op.ensure_shape(new, shape=tuple(d if isinstance(d, int) else None for d in want.shape))
            if STATE.tapes:  # a tape takes what is assigned for a constant, as TensorFlow's
                new = op.stop_gradient(new)
            trace.write(self, trace.operand(new))
        else:
            payload = new._value
            if np.shape(payload) != self._value.shape:
                _check_shape(self, np.shape(payload), self._value.shape)
            payload = np.asarray(payload)
            note_write(self)
            # Updates in place must not reach another array; and a tape takes what is assigned for a constant.
            self._value = payload.copy() if payload.base is not None or STATE.tapes else payload
        return self

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Variable:
        """Replace the value; returns the variable."""
        try:
            state, have = STATE, self._value
            if state.trace is None and not state.tapes and type(value) is Tensor:
                new = value._value
                if type(new) is np.ndarray and new.base is None and new.dtype is have.dtype and new.shape == have.shape:
                    self._value = new
                    return self
            converted = value if isinstance(value, Tensor) and value.dtype.name != "string" else convert(value, self.dtype)
            if converted.dtype != self.dtype or converted.type.weak:
                _check_kind(self, converted.dtype)
                converted = op.cast(converted, dtype=self.dtype)
            if isinstance(converted, Variable):
                converted = converted.value()
            return self._set(converted)
        except BaseException as error:
            outward[0](error)
            raise

    def __getitem__(self, index: Any) -> Tensor:
        """A part of the value; `variable[index].assign(x)` writes it."""
        try:
            part = super().__getitem__(index)  # type: ignore[misc]
        except BaseException as error:
            outward[0](error)
            raise
        key = id(part)
        _parts[key] = weakref.ref(part, lambda _: _parts.pop(key, None)), self, index
        return part  # type: ignore[no-any-return]

    def _update(self, function: str, ufunc: Any, delta: Any) -> Variable:
        try:
            if STATE.trace is None and not STATE.tapes:
                raw = delta._value if isinstance(delta, Tensor) else convert(delta, self.dtype)._value
                have = self._value
                alone = sys.getrefcount(have) <= _EXCLUSIVE
                if alone and (type(raw) is not np.ndarray or raw.shape in ((), have.shape)):
                    try:
                        ufunc(have, raw, have, casting="same_kind")
                    except TypeError:  # NumPy has written nothing yet
                        _check_kind(self, as_dtype(np.asarray(raw).dtype))
                        raise
                    return self
            delta = delta if isinstance(delta, Tensor) else convert(delta, self.dtype)
            _check_kind(self, delta.dtype)
            return self.assign(getattr(op, function)(self, delta))
        except BaseException as error:
            outward[0](error)
            raise

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Variable:
        """Add to the value, in place where nobody else holds the array; returns the variable."""
        try:
            return self._update("add", np.add, delta)
        except BaseException as error:
            outward[0](error)
            raise

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Variable:
        """Subtract from the value, in place where nobody else holds the array; returns the variable."""
        try:
            return self._update("sub", np.subtract, delta)
        except BaseException as error:
            outward[0](error)
            raise

    @boundary
    def scatter_update(self, sparse_delta: Any = None, *, indices: Any = None, updates: Any = None) -> Variable:
        """Replace rows: `v[indices[i]] = updates[i]`."""
        return self._scatter("tensor_scatter_nd_update", sparse_delta, indices, updates)

    @boundary
    def scatter_add(self, sparse_delta: Any = None, *, indices: Any = None, updates: Any = None) -> Variable:
        """Add to rows: `v[indices[i]] += updates[i]`."""
        return self._scatter("tensor_scatter_nd_add", sparse_delta, indices, updates)

    @boundary
    def scatter_sub(self, sparse_delta: Any = None, *, indices: Any = None, updates: Any = None) -> Variable:
        """Subtract from rows: `v[indices[i]] -= updates[i]`."""
        return self._scatter("tensor_scatter_nd_sub", sparse_delta, indices, updates)

    def _scatter(self, function: str, sparse: Any, indices: Any, updates: Any) -> Variable:
        if sparse is not None:
            indices, updates = sparse.indices, sparse.values
        index = op.expand_dims(convert(indices), axis=-1)
        return self.assign(getattr(op, function)(self, index, convert(updates, self.dtype)))

    @boundary
    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Replace items or slices at index vectors."""
        return self.assign(op.tensor_scatter_nd_update(self, convert(indices), convert(updates, self.dtype)))

    @boundary
    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Add to items or slices at index vectors."""
        return self.assign(op.tensor_scatter_nd_add(self, convert(indices), convert(updates, self.dtype)))

    @boundary
    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Subtract from items or slices at index vectors."""
        return self.assign(op.tensor_scatter_nd_sub(self, convert(indices), convert(updates, self.dtype)))

    def __repr__(self) -> str:
        value = self._value
        return f"<Variable '{self.name}' shape={value.shape} dtype={self.dtype.name}, numpy={value!r}>"

    def __deepcopy__(self, memo: Any) -> Variable:
        return Variable(self._value.copy(), trainable=self.trainable, name=self._name, constraint=self.constraint)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._value, self.trainable, self._name)


_parts: dict[int, tuple[weakref.ref[Tensor], Variable, Any]] = {}  # by id: a tensor, the variable and index it is of


def _assign_of(part: Tensor) -> Callable[..., Variable]:
    """`variable[index].assign`: writes the variable where the tensor was taken from it."""
    known = _parts.get(id(part))
    if known is None or known[0]() is not part:
        raise AttributeError("'Tensor' object has no attribute 'assign': only a Variable and its items have one")
    _, variable, index = known

    def assign(value: Any, name: str | None = None) -> Variable:
        new = op.identity(variable)
        new[index] = value
        return variable.assign(new)

    return assign


Tensor.assign = property(_assign_of)  # type: ignore[attr-defined]


class _Probe:
    __slots__ = ("_value",)
    _value: Any


def _baseline() -> int:
    probe = _Probe()
    probe._value = np.zeros(1)
    held = probe._value
    return sys.getrefcount(held)


_EXCLUSIVE = _baseline()


def _rebuild(value: Any, trainable: bool, name: str) -> Variable:
    return Variable(value, trainable=trainable, name=name)


def _check_shape(variable: Variable, have: Any, want: Any) -> None:
    if have is None or want is None:
        return
    fits = len(have) == len(want) and all(
        not isinstance(a, int) or not isinstance(b, int) or a == b for a, b in zip(have, want, strict=True)
    )
    if not fits:
        raise InvalidArgumentError(
            f"cannot assign a value of shape {have} to variable '{variable.name}' of shape {want}"
        )


def _check_kind(variable: Variable, have: DType) -> None:
    """Refuse floats for a variable of integers: their fractions would be lost without a word."""
    want = variable.dtype
    if not np.can_cast(have.dtype, want.dtype, "same_kind"):
        raise DTypeError(
            f"cannot assign {have.name} values to variable '{variable.name}' of {want.name}: cast them, as in "
            f"v.assign(ag.cast(x, ag.{want.name})), or make the variable of {have.name}"
        )


def _known_to_fit(have: Any, want: Any) -> bool:
    return have is not None and all(same_size(a, b) or not isinstance(b, int) for a, b in zip(have, want, strict=True))


def _check_creation(trace: Trace) -> None:
    if not trace.notes.get("may_create_variables", True):
        raise FailedPreconditionError(
            "a Variable was created by a traced function after its first call; create variables once, outside the function "
            "or guarded by `if self.v is None:`",
            id="variable-created-again",
            when="by a traced function after its first call",
        )


def _evaluate(value: Value) -> Any:
    """The array of a graph value that depends on constants only."""
    node = value.node
    if node is None or node.regions or node.op.effect not in (None, "py"):
        raise FailedPreconditionError(
            "the initial value of a Variable depends on an argument of the function being traced; "
            "create the variable from a value that is known, or outside the function",
            id="variable-initial-value",
        )
    out = node.op.run(*(_evaluate(v) for v in node.inputs), **node.attrs)
    if node.op.effect is not None and len(node.outputs) == 1:  # asked now, and not when the graph runs
        node.op, node.inputs, node.attrs = get("constant"), [], {"value": out[0], "type": value.type}
        return out[0]
    return out if node.op.outputs == 1 else out[value.index]


_scopes: list[str] = []


def _scoped(name: str) -> str:
    return "/".join([*_scopes, name])


@contextmanager
def name_scope(name: str) -> Any:
    """Prefix the names of variables created inside, as TensorFlow's `name_scope`.

    >>> with ag.name_scope('layer'):
    ...     print(ag.Variable(1.0, name='w').name)
    layer/w:0
    """
    _scopes.append(name.rstrip("/"))
    try:
        yield "/".join(_scopes) + "/"
    finally:
        _scopes.pop()
