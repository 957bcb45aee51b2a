"""How values cross into native code: slots of eight bytes, by the types of a graph's inputs and outputs.

    scalar      one slot: its raw bytes, low bytes first (weak numbers as int64, float64 or one byte)
    array       1 + rank slots: pointer to C-contiguous, aligned data, then its sizes
    output whose sizes the caller can tell: the first slot is the pointer to memory that the caller made
    list        two slots: pointer to its elements, one after another, and their number
    held        one slot: of an output, the number of the register in which Python keeps it (see islands.py); the inputs
                that Python keeps are in the first registers, in order
    constants   after the inputs, a pointer each
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from runtime.backends.native.errors import Unsupported
from runtime.backends.native.forms import is_held
from runtime.typesys.shapes import Dim, is_static
from runtime.typesys.spec import ListType, TensorType, ValueType

__all__ = ["Input", "Layout", "Lowered", "Output"]

ANY = -1  # a size that may be anything; -2 - s: the size in slot s


class Lowered(Protocol):
    """A graph as LLVM IR text: `define i64 @ag_run(ptr %in, ptr %out)`: 0, or nonzero where it has done nothing."""

    @property
    def text(self) -> str: ...
    @property
    def inputs(self) -> Sequence[ValueType]: ...
    @property
    def outputs(self) -> Sequence[ValueType]: ...
    @property
    def out_dims(self) -> Sequence[tuple[Any, ...] | None]: ...
    @property
    def constants(self) -> Sequence[Any]: ...
    @property
    def symbols(self) -> Collection[str]: ...
    @property
    def big(self) -> bool: ...
    @property
    def islands(self) -> Sequence[Any]: ...
    @property
    def needs_environment(self) -> bool: ...
    @property
    def calls(self) -> bool: ...
    @property
    def pays(self) -> bool: ...


class Input:
    """One input: its first slot, and for each axis a size, ANY, or the slot of the equal size."""

    __slots__ = ("dims", "dtype", "element", "held", "rank", "slot", "type", "weak")

    def __init__(
        self, type: TensorType, slot: int, dims: tuple[int, ...], element: bool = False, held: bool = False
    ) -> None:
        self.held = held  # the other facts mean nothing then
        self.type = type
        self.element = element  # `type` and `dims` are those of a list's elements
        self.dtype = type.dtype.dtype
        self.weak = type.weak
        self.rank = len(dims)
        self.slot = slot
        self.dims = dims


class Output:
    """One output; `sizes` are (size, None) or (None, slot of the input's size), None where the callee makes the array."""

    __slots__ = ("dtype", "element", "held", "rank", "sizes", "slot", "type", "weak")

    def __init__(
        self,
        type: TensorType,
        slot: int,
        rank: int,
        sizes: list[tuple[int | None, int | None]] | None,
        element: bool = False,
        held: bool = False,
    ) -> None:
        self.held = held
        self.type = type
        self.element = element  # `type` and `sizes` are those of a list's elements
        self.dtype = type.dtype.dtype
        self.weak = type.weak
        self.rank = rank
        self.slot = slot
        self.sizes = sizes


class Layout:
    """Slots of every input and output of a lowered graph."""

    __slots__ = ("in_slots", "inputs", "out_slots", "outputs")

    def __init__(self, lowered: Lowered) -> None:
        self.inputs: list[Input] = []
        self.outputs: list[Output] = []
        known: dict[Dim, int] = {}
        slot = 0
        held = lowered.needs_environment
        for t in lowered.inputs:
            if held and is_held(t):
                self.inputs.append(Input(_UNKNOWN, slot, (), held=True))
                slot += 1
                continue
            if isinstance(t, ListType):
                kind, shape = _element(t)
                self.inputs.append(Input(kind, slot, shape, True))
                slot += 2
                continue
            kind = _tensor(t)
            dims = []
            for axis, d in enumerate(kind.shape or ()):
                if isinstance(d, int):
                    dims.append(d)
                    continue
                dims.append(-2 - known[d] if d in known else ANY)
                known.setdefault(d, slot + 1 + axis)
            self.inputs.append(Input(kind, slot, tuple(dims)))
            slot += 1 + len(dims)
        self.in_slots, slot = slot, 0
        for t, given in zip(lowered.outputs, lowered.out_dims, strict=True):
            if held and is_held(t):
                self.outputs.append(Output(_UNKNOWN, slot, 0, None, held=True))
                slot += 1
                continue
            if isinstance(t, ListType):
                kind, shape = _element(t)
                self.outputs.append(Output(kind, slot, len(shape), [(d, None) for d in shape], True))
                slot += 2
                continue
            kind = _tensor(t)
            rank = len(kind.shape or ())
            sizes: list[tuple[int | None, int | None]] | None = None if given is None else [
                (None, self.inputs[d[0]].slot + 1 + d[1]) if isinstance(d, tuple) else (int(d), None) for d in given
            ]
            self.outputs.append(Output(kind, slot, rank, sizes if rank else None))
            slot += 1 + rank
        self.out_slots = slot


_UNKNOWN = TensorType("float32", ())


def _element(t: ListType) -> tuple[TensorType, tuple[int, ...]]:
    """The type and shape of a list's elements, which must be known; of a list that is known to be empty, any."""
    kind = TensorType("float32", ()) if t.element is None else t.element
    if not isinstance(kind, TensorType) or not is_static(kind.shape):
        raise Unsupported([(f"a value of type {t} that crosses into native code", None)])
    return _tensor(kind), kind.shape  # type: ignore[return-value]


def _tensor(t: ValueType) -> TensorType:
    fits = isinstance(t, TensorType) and t.shape is not None and (
        t.dtype.size <= (16 if t.dtype.is_complex and t.shape else 8) and t.dtype.kind in ("bif" if t.weak else "biufc")
    )
    if not fits:
        raise Unsupported([(f"a value of type {t} that crosses into native code", None)])
    return t  # type: ignore[return-value]
