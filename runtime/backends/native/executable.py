"""Calling compiled graphs: payloads into slots, one native call, slots into payloads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from runtime.backends.native import dispatch, pool
from runtime.backends.native.ahead import AHEAD
from runtime.backends.native.dispatch import Source
from runtime.backends.native.interrupts import raise_pending
from runtime.backends.native.islands import Islands
from runtime.backends.native.layout import ANY, Input, Layout, Lowered, Output
from runtime.backends.native.stack import DEEP, SHALLOW, on_large_stack
from runtime.backends.native.toolchain import Loaded
from runtime.ops.effects import EFFECTS

__all__ = ["NativeExecutable"]

_NO_STACK = 3  # the status of code that would need more
_WORDS = (ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
_RELEASING, _KEEPING = ctypes.CFUNCTYPE(*_WORDS), ctypes.PYFUNCTYPE(*_WORDS)  # what they do with the GIL


class _DoesNotFitError(Exception):
    """An argument that the native code was not made for: the plan takes it."""


class NativeExecutable:
    """A graph's machine code: `executable(*arrays)` gives the list of its outputs, all of them new.

    The NumPy plan of the same graph stands behind it: it runs where native code returns a reason (an error that it
    then raises at the user's line, an integer that outgrew 64 bits) and where an argument is not of the type that the
    code was made for.
    """

    is_native = True
    __slots__ = (
        "_constants", "_entry", "_inputs", "_islands", "_large", "_layout", "_loaded", "_outputs", "_run", "fresh",
        "lowered", "name", "plan", "recursive", "_waits",
    )

    def __init__(self, lowered: Lowered, loaded: Loaded, plan: Callable[..., list[Any]], waits: bool = True) -> None:
        self.lowered = lowered
        self.plan = plan
        self.name: str = getattr(plan, "name", "")
        self.recursive = False
        self._loaded = loaded
        self._constants = list(lowered.constants)
        self._layout = Layout(lowered)
        self._inputs = self._layout.inputs
        self._outputs = self._layout.outputs
        self.fresh: frozenset[int] = frozenset(k for k, o in enumerate(self._outputs) if not o.held)
        self._entry: Callable[..., Any] | None = None
        self._islands: Islands | None = None
        if lowered.islands or any(i.held for i in self._inputs) or any(o.held for o in self._outputs):
            self._islands = Islands(lowered.islands, plan)
        if lowered.needs_environment:
            callback = 0 if self._islands is None else self._islands.address
            self._constants.append(np.array([callback, SHALLOW], np.int64))
            self._large = np.array([callback, DEEP], np.int64)
        self._waits = self._is_plain()
        if waits:
            self._make_entry()
        self._run = (_RELEASING if lowered.big else _KEEPING)(loaded.address("ag_run"))

    @property
    def source(self) -> str:
        """The Python source of the plan."""
        return str(self.plan.source)  # type: ignore[attr-defined]

    @property
    def layout(self) -> Layout:
        """Where inputs and outputs stand in the arrays that native code is called with."""
        return self._layout

    def entry(self, mode: int, sources: Sequence[Source], box: type) -> Callable[..., Any] | None:
        """A C function of arguments that need not be payloads (see dispatch.py)."""
        if not self._is_plain():
            return None
        return dispatch.entry(
            self._layout, self._loaded, self._gil(), mode, sources, box, self._constants
        )

    def _make_entry(self) -> None:
        if self._waits:
            self._waits = False
            self._entry = dispatch.payload_entry(self._layout, self._loaded, self._gil(), self._constants)

    def _is_plain(self) -> bool:
        """Whether a call needs nothing but its slots: no island acts or leaves a value in Python's hands."""
        held = any(i.held for i in self._inputs) or any(o.held for o in self._outputs)
        return not held and all(island.is_plain for island in self.lowered.islands)

    def _gil(self) -> int:
        if self.lowered.big:
            return dispatch.RELEASED
        return dispatch.ASKED_FOR if "ag_poll" in self.lowered.symbols else dispatch.KEPT

    def __call__(self, *arrays: Any) -> list[Any]:
        if self._waits and AHEAD.ready(dispatch.texts):
            self._make_entry()
        if self._entry is not None:
            made: list[Any] | bool | None = self._entry(*arrays)
            if made is False and not self.lowered.calls:
                return self.plan(*arrays)
            if type(made) is list:
                return made
        return self.call_by_ctypes(*arrays)

    def call_by_ctypes(self, *arrays: Any) -> list[Any]:
        """The same for arguments of every kind: strided, unaligned, of another byte order."""
        slots = np.zeros(self._layout.in_slots + len(self._constants) + 1, np.int64)
        for k, constant in enumerate(self._constants, self._layout.in_slots):
            slots[k] = constant.ctypes.data
        out = np.zeros(self._layout.out_slots + 1, np.int64)
        try:
            if len(arrays) != len(self._inputs):
                raise _DoesNotFitError
            keep = [
                None if given.held else _put(slots, given, x) for given, x in zip(self._inputs, arrays, strict=True)
            ]
        except _DoesNotFitError:
            return self.plan(*arrays)
        made = [_prepare(slots, out, o) for o in self._outputs]
        held = [x for given, x in zip(self._inputs, arrays, strict=True) if given.held]
        with EFFECTS.attempt():
            status, registers = self._attempt(slots, out, held)
            if status == _NO_STACK:
                slots[self._layout.in_slots + len(self._constants) - 1] = self._large.ctypes.data
                status, registers = self._attempt_deep(slots, out, held)
            del keep
            if status:
                raise_pending()
                with EFFECTS.again():
                    return self.plan(*arrays)
        return [
            registers[int(out[o.slot])] if o.held else _take(out, o, m)
            for o, m in zip(self._outputs, made, strict=True)
        ]

    def _attempt(self, slots: Any, out: Any, held: list[Any]) -> tuple[int, dict[int, Any]]:
        """The status of a run, and what Python held in it."""
        if self._islands is None:
            return self._run(slots.ctypes.data, out.ctypes.data), {}
        state = self._islands.state
        outer = state.registers
        registers = state.registers = dict(enumerate(held))
        try:
            return self._run(slots.ctypes.data, out.ctypes.data), registers
        finally:
            state.registers = outer

    def _attempt_deep(self, slots: Any, out: Any, held: list[Any]) -> tuple[int, dict[int, Any]]:
        """The same on a thread with a large stack; what printing and calls of Python gave is not done again."""
        before = EFFECTS.record

        def work() -> tuple[tuple[int, dict[int, Any]], list[Any]]:
            EFFECTS.done, EFFECTS.record = before, []
            return self._attempt(slots, out, held), EFFECTS.record

        made = on_large_stack(work)
        if made is None:
            return _NO_STACK, {}
        EFFECTS.record = made[1]
        return made[0]

    def __repr__(self) -> str:
        return f"<native executable {self.name}>"


def _put(slots: np.ndarray[Any, Any], given: Input, x: Any) -> Any:
    """Write an argument's slots; what must live during the call."""
    k = given.slot
    if given.element:
        return _put_list(slots, given, x)
    if given.weak:
        _put_weak(slots, given, x)
        return None
    if not isinstance(x, (np.ndarray, np.generic)) or x.dtype != given.dtype or x.ndim != given.rank:
        raise _DoesNotFitError
    if given.rank == 0:
        slots[k : k + 1].view(np.uint8)[: given.dtype.itemsize] = np.asarray(x)[None].view(np.uint8)
        return None
    array = np.require(x, given.dtype, ["C_CONTIGUOUS", "ALIGNED"])
    for axis, (size, d) in enumerate(zip(array.shape, given.dims, strict=True)):
        if d != ANY and size != (d if d >= 0 else slots[-2 - d]):
            raise _DoesNotFitError
        slots[k + 1 + axis] = size
    slots[k] = array.ctypes.data
    return array


def _put_list(slots: np.ndarray[Any, Any], given: Input, x: Any) -> Any:
    """Write a list's elements one after another."""
    if type(x) is not list:
        raise _DoesNotFitError
    joined = np.empty((len(x), *given.dims), given.dtype)
    numbers = {"b": bool, "i": int, "f": float}.get(given.dtype.kind)
    for place, one in enumerate(x):
        kind = numbers if given.weak else getattr(one, "dtype", None)
        if (type(one) is not kind if given.weak else kind != given.dtype) or np.shape(one) != given.dims:
            raise _DoesNotFitError
        try:
            joined[place] = one
        except OverflowError:
            raise _DoesNotFitError from None
    slots[given.slot] = joined.ctypes.data
    slots[given.slot + 1] = len(x)
    return joined


def _put_weak(slots: np.ndarray[Any, Any], given: Input, x: Any) -> None:
    k, kind = given.slot, given.dtype.kind
    if kind == "i" and type(x) is int and -(1 << 63) <= x < 1 << 63:
        slots[k] = x
    elif kind == "f" and type(x) is float:
        slots[k : k + 1].view(np.float64)[0] = x
    elif kind == "b" and type(x) is bool:
        slots[k] = x
    else:
        raise _DoesNotFitError


def _prepare(slots: np.ndarray[Any, Any], out: np.ndarray[Any, Any], o: Output) -> Any:
    """The array for an output whose sizes are known before the call."""
    if o.sizes is None or o.element or o.held:
        return None
    array = np.empty([size if at is None else int(slots[at]) for size, at in o.sizes], o.dtype)  # type: ignore[misc]
    out[o.slot] = array.ctypes.data
    return array


def _take(out: np.ndarray[Any, Any], o: Output, made: Any) -> Any:
    """An output's payload."""
    if made is not None:
        return made
    k = o.slot
    if o.element:
        shape = (int(out[k + 1]), *(int(size or 0) for size, _ in o.sizes or ()))
        elements = _owning(int(out[k]), shape, o.dtype)
        return elements.tolist() if o.weak else list(elements)
    if o.rank == 0:
        scalar = out[k : k + 1].view(np.uint8)[: o.dtype.itemsize].view(o.dtype)[0]
        return scalar.item() if o.weak else scalar
    shape = tuple(int(n) for n in out[k + 1 : k + 1 + o.rank])
    return _owning(int(out[k]), shape, o.dtype)


class _Block:
    """Memory that native code took (pool.ll); given back with this object."""

    __slots__ = ("__array_interface__", "_address", "_give")

    def __init__(self, address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._address = address
        self._give = pool.giver()
        self.__array_interface__ = {"shape": shape, "typestr": dtype.str, "data": (address, False), "version": 3}

    def __del__(self) -> None:
        self._give(self._address)


def _owning(address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """The array over memory that native code took, given back with the array."""
    if not address:
        return np.empty(shape, dtype)
    return np.asarray(_Block(address, shape, dtype))
