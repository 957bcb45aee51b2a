"""Operations that NumPy runs in the midst of native code: arguments and results cross in slots, by one callback.

A slot of eight bytes holds a scalar's bytes; an array is a pointer and its sizes, a list a pointer and its length. For a
result that is an array or a list the first slot points to a {pointer, capacity} pair, which the callback makes large
enough with memory of pool.ll and native code gives back. Values that native code has no form for stay in Python, in
numbered registers of the call; a slot holds the register's number.

An island that raises makes native code give up, and the NumPy plan then raises the right error; what printing and calls
of Python gave until then is kept and given again to the plan, so that it happens once. (Random numbers are functions of
a state that is an input: the plan draws the same ones again.)
"""

from __future__ import annotations

import _thread
import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from runtime.backends.native import pool
from runtime.ops.effects import EFFECTS
from runtime.ops.registry import Op, template_fields
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["Call", "Island", "Islands"]

_WORDS = ctypes.POINTER(ctypes.c_int64)
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, _WORDS, _WORDS)
_PAIR = ctypes.c_int64 * 2
_BYTES: dict[int, Any] = {}  # types of so many bytes



class Form:
    """How a value crosses: `kind` is "scalar", "array", "list", "rows" (of a list of lists) or "held"; it takes so many
    `slots`; `depth` is how many lists are around a list of numbers."""

    __slots__ = ("depth", "dtype", "kind", "shape", "slots", "weak")

    def __init__(self, kind: str, t: ValueType) -> None:
        element: Any = t
        self.depth = -1
        while isinstance(element, ListType):
            element, self.depth = element.element, self.depth + 1
        if kind in ("list", "rows") and element is None:  # nothing was put in
            element = TensorType("float32")
        self.kind = kind
        known = kind != "held" and type(element) is TensorType
        self.dtype: np.dtype[Any] = element.dtype.dtype if known else np.dtype(object)  # type: ignore[union-attr]
        self.shape: tuple[Any, ...] = (element.shape or ()) if known else ()  # type: ignore[union-attr]
        self.weak = known and bool(element.weak)  # type: ignore[union-attr]
        self.slots = {"array": 1 + len(self.shape), "list": 2, "rows": 2}.get(kind, 1)


class Island:
    """An operation with its attributes, as NumPy runs it, and the forms of what it takes and gives.

    name  the operation's, for the reader
    node  the graph's node, or None of what only moves values between forms
    calls the function of the graph's table that `run` is given first, as the NumPy plan has it
    """

    __slots__ = ("calls", "copies", "effect", "inputs", "name", "node", "outputs", "run", "single")

    def __init__(
        self, name: str, run: Callable[..., Any], inputs: Sequence[Form], outputs: Sequence[Form], node: Any = None,
        effect: bool = False, single: bool = True, calls: str | None = None,
    ) -> None:
        self.calls = calls
        self.name = name
        self.run = run
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.node = node
        self.effect = effect  # it must not happen twice
        self.copies = effect or calls is not None or any(o.kind == "held" for o in outputs)  # what it is given may be kept
        self.single = single  # `run` gives the output itself, not a tuple of outputs

    @property
    def is_plain(self) -> bool:
        """Whether it does nothing but to make arrays and numbers of others."""
        held = any(form.kind == "held" for form in (*self.inputs, *self.outputs))
        return not held and not self.effect and self.calls is None

    def __repr__(self) -> str:
        return f"<island {self.name}>"


def meaning(op: Op, attrs: dict[str, Any], weak: bool, item: bool, in_place: bool) -> Callable[..., Any]:
    """The NumPy meaning of an operation; of weak operands Python's; changing its first operand if that is asked for."""
    if in_place:
        return _changing(op)
    run = op.run_weak if weak else op.run
    if op.is_ufunc or (weak and op.python is not None):
        attrs = {}
    if item:
        return lambda *xs: _item(run(*xs, **attrs))
    return (lambda *xs: run(*xs, **attrs)) if attrs else run


def _changing(op: Op) -> Callable[..., Any]:
    """The operation's template that changes its first operand: a statement, or an expression of the other outputs."""
    count = max(int(f) + 1 for f in template_fields(str(op.in_place)))
    names = [f"x{k}" for k in range(count)]
    text = str(op.in_place).format(*names)
    body = f"    {text}\n    return x0" if op.outputs == 1 else f"    return x0, {text}"
    namespace: dict[str, Any] = {"np": np}
    exec(f"def change({', '.join(names)}):\n{body}", namespace)
    changing: Callable[..., Any] = namespace["change"]
    return changing


def _item(x: Any) -> Any:
    return x.item() if hasattr(x, "dtype") else x


class Call(threading.local):
    """What one call of native code has in Python's hands: `registers`, and what its effects gave."""

    def __init__(self) -> None:
        self.registers: dict[int, Any] = {}


class Islands:
    """The islands of one executable, behind one callback."""

    def __init__(self, islands: Sequence[Island], plan: Any = None) -> None:
        self.islands = list(islands)
        self.plan = plan  # it has the functions that islands call
        self.state = Call()
        self._callback = CALLBACK(self._run)
        self.address: int = ctypes.cast(self._callback, ctypes.c_void_p).value or 0

    def _run(self, which: int, inputs: Any, outputs: Any) -> int:
        try:
            self._perform(self.islands[which], inputs, outputs)
        except Exception:  # noqa: BLE001 (the plan runs next and raises it at the user's line)
            return 1
        except BaseException:  # noqa: BLE001
            _thread.interrupt_main()  # Ctrl-C: again, for the plan
            return 1
        return 0

    def _perform(self, island: Island, given: Any, made: Any) -> None:
        registers = self.state.registers
        values, k = [], 0
        for form in island.inputs:
            values.append(take(form, given, k, registers, island.copies))
            k += form.slots
        if island.calls is not None:
            results = EFFECTS.noted(island.run, (self.plan.functions[island.calls], *values))
        else:
            results = EFFECTS.once(island.run, values) if island.effect else island.run(*values)
        if island.single:
            results = (results,)
        k = 0
        for form, x in zip(island.outputs, results, strict=True):
            give(form, made, k, x, registers)
            k += form.slots


def take(form: Form, words: Any, k: int, registers: dict[int, Any], copy: bool) -> Any:
    """A value out of slots."""
    if form.kind == "held":
        return registers[words[k]]
    if form.kind == "scalar":
        x = _view(ctypes.addressof(words.contents) + 8 * k, (), form.dtype)
        return x.item() if form.weak else x[()]
    if form.kind == "array":
        seen = _view(words[k], tuple(words[k + 1 : k + 1 + len(form.shape)]), form.dtype)
        return seen.copy() if copy else seen
    if form.kind == "rows":
        return _rows_at(form, words[k], words[k + 1], form.depth)
    elements = _view(words[k], (words[k + 1], *form.shape), form.dtype)
    return elements.tolist() if form.weak else list(elements.copy() if copy else elements)


def give(form: Form, words: Any, k: int, x: Any, registers: dict[int, Any]) -> None:
    """A value into slots.

    Raises:
      TypeError: it is not of the type that was inferred.
      OverflowError: an integer does not fit.
    """
    if form.kind == "held":
        registers[words[k]] = x
        return
    if form.kind == "list":
        array = _elements(form, x)
        words[k + 1] = len(x)
        _into_pair(words[k], array)
        return
    if form.kind == "rows":
        words[k + 1] = len(x)
        _give_rows(form, words[k], _arrays(form, x, form.depth))
        return
    array = np.asarray(x, form.dtype if form.weak else None)
    if array.dtype != form.dtype or array.ndim != len(form.shape):
        raise TypeError(f"{array.dtype}{list(array.shape)} for {form.dtype}{list(form.shape)}")
    if form.kind == "scalar":
        _view(ctypes.addressof(words.contents) + 8 * k, (), form.dtype)[()] = array
        return
    for axis, (size, want) in enumerate(zip(array.shape, form.shape, strict=True)):
        if isinstance(want, int) and want != size:
            raise TypeError(f"a shape {array.shape} for {form.shape}")
        words[k + 1 + axis] = size
    _into_pair(words[k], array)


def _elements(form: Form, x: list[Any]) -> np.ndarray[Any, Any]:
    """The elements of a list side by side."""
    array = np.empty((len(x), *form.shape), form.dtype)
    for place, one in enumerate(x):
        if np.shape(one) != form.shape or (np.result_type(one) != form.dtype and not form.weak):
            raise TypeError(f"an element {one!r} in a list of {form.dtype}{list(form.shape)}")
        array[place] = one
    return array


def _arrays(form: Form, x: list[Any], depth: int) -> Any:
    """Lists of lists with arrays for the innermost."""
    return [_arrays(form, row, depth - 1) for row in x] if depth else _elements(form, x)


def _give_rows(form: Form, address: int, rows: Any) -> None:
    """Rows into a {pointer, capacity, length} of row_lists.ll, which is empty."""
    if isinstance(rows, np.ndarray):
        _into_pair(address, rows)
        return
    block = np.zeros((len(rows), 3), np.int64)
    _into_pair(address, block)
    first = _PAIR.from_address(address)[0]
    for place, row in enumerate(rows):
        here = first + place * block.strides[0]
        _give_rows(form, here, row)
        ctypes.c_int64.from_address(here + 16).value = len(row)


def _rows_at(form: Form, address: int, count: int, depth: int) -> list[Any]:
    """A list of lists out of native memory."""
    if not depth:
        elements = _view(address, (count,), form.dtype)
        return elements.tolist() if form.weak else list(elements.copy())
    block = _view(address, (count, 3), np.dtype(np.int64)).tolist()
    return [_rows_at(form, data, length, depth - 1) for data, _, length in block]


def _into_pair(address: int, array: np.ndarray[Any, Any]) -> None:
    """The elements into the memory of a {pointer, capacity} pair."""
    pair = _PAIR.from_address(address)
    if pair[1] < max(array.nbytes, 1):
        if pair[1]:
            pool.giver()(pair[0])
        pair[0] = pair[1] = 0
        pair[0] = pool.take(max(array.nbytes, 1))
        pair[1] = max(array.nbytes, 1)
    _view(pair[0], array.shape, array.dtype)[...] = array


def _view(address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Native memory as an array."""
    size = dtype.itemsize
    for n in shape:
        size *= n
    if not size:
        return np.empty(shape, dtype)
    kind = _BYTES.get(size)
    if kind is None:
        if len(_BYTES) > 1000:
            _BYTES.clear()
        kind = _BYTES[size] = ctypes.c_char * size
    return np.ndarray(shape, dtype, kind.from_address(address))  # type: ignore[arg-type]

