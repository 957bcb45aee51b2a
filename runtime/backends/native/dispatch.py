"""Calls of native code at the cost of a C function: tables for the entry point of dispatch.ll (inputs.ll, outputs.ll)."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from runtime.backends.native import boxes, interrupts, objects, pool
from runtime.backends.native.layout import Input, Layout, Output
from runtime.backends.native.once import once
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text

__all__ = ["ARGUMENT", "BARE", "Source", "entry", "entry_point", "payload_entry", "texts"]

PAYLOADS, TENSOR, TENSORS = 0, 1, 2
KEPT, RELEASED, ASKED_FOR = 0, 1, 2
_WEAK = {"f": 2, "i": 3, "b": 4}
_HEADER = 15
_MOST_SLOTS = 4096  # they are on the stack
_METH_FASTCALL = 0x80
ARGUMENT = None
BARE: dict[Any, int] = {np.dtype(c).type: k for k, c in enumerate("f8 f4 i1 i2 i4 i8 u1 u2 u4 u8".split())} | {np.bool_: 6}
"""Classes of NumPy scalars that an entry takes for bare numbers."""


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("method", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    ]


class Source:
    """Where an input, or a Python argument that is no input, comes from.

    thing     ARGUMENT: the next argument of the call; else this object (a box or an array from outside)
    boxed     it is a tensor, whose content is meant
    constant  an argument that must be `thing` itself
    kept      `thing` stays alive; if not, whoever has the entry drops it before the thing dies
    bare      the class of NumPy scalars, one of `BARE`, that the argument has; it is passed as a bare number
    """

    __slots__ = ("bare", "boxed", "constant", "kept", "thing")

    def __init__(
        self, thing: Any = ARGUMENT, boxed: bool = True, constant: bool = False, kept: bool = True, bare: Any = None
    ) -> None:
        self.thing = thing
        self.boxed = boxed
        self.constant = constant
        self.kept = kept
        self.bare = bare


@lru_cache(maxsize=1)
def texts() -> tuple[str, ...]:
    """The LLVM IR of the entry point and of what it calls; nothing where objects are not laid out as expected."""
    text = _text()
    return () if text is None else (text, interrupts.text(), pool.text())


@lru_cache(maxsize=1)
def _text() -> str | None:
    found = objects.offsets()
    if found is None:
        return None
    text = text_of("dispatch", "inputs", "outputs")
    for name, offset in (found | {"LARGE": pool.LARGE}).items():
        text = text.replace(f"${name}\n", f"{offset}\n").replace(f"${name})", f"{offset})")
    return text


@once
def _method() -> tuple[_MethodDef, Loaded] | None:
    """The entry point as Python's C functions are described; None where objects are not laid out as expected."""
    text = _text()
    if text is None:
        return None
    symbols = objects.symbols() | interrupts.addresses() | pool.addresses() | {"ag_handler": id(pool.handler())}
    loaded = compile_text(text, symbols, ("ag_call",))
    return _MethodDef(b"native", loaded.address("ag_call"), _METH_FASTCALL, None), loaded


def entry_point() -> dict[str, int] | None:
    """Where `ag_call` begins and where its description for Python is, by the names by which vectorcall.ll knows them."""
    method = _method()
    if method is None:
        return None
    return {"ag_call": method[1].address("ag_call"), "ag_method": ctypes.addressof(method[0])}


def payload_entry(
    layout: Layout, loaded: Loaded, gil: int, constants: Sequence[np.ndarray[Any, Any]] = ()
) -> Callable[..., Any] | None:
    """A function of payloads that gives the list of outputs; None: an argument does not fit; False: the code refused."""
    return entry(layout, loaded, gil, PAYLOADS, [Source(boxed=False)] * len(layout.inputs), None, constants)


def entry(
    layout: Layout,
    loaded: Loaded,
    gil: int,
    mode: int,
    sources: Sequence[Source],
    box: type | None = None,
    constants: Sequence[np.ndarray[Any, Any]] = (),
) -> Callable[..., Any] | None:
    """A C function that runs native code, or None where there can be none.

    Args:
      layout: the slots of the code.
      loaded: the code; `ag_run` is called.
      gil: KEPT, RELEASED meanwhile, or ASKED_FOR: kept, but the code lets signals' handlers run.
      mode: PAYLOADS; TENSOR (a tensor results) or TENSORS (a tuple), where the result is None if it was not done.
      sources: where the inputs come from, in order, with constant arguments between them.
      box: the class of tensors, whose slot `_value` holds the payload.
      constants: arrays whose addresses follow the inputs.
    """
    if any(i.element for i in layout.inputs) or any(o.element for o in layout.outputs):  # lists: see executable.py
        return None
    method = _method()
    offset = objects.slot_offset(box, "_value") if box is not None else 0
    slots = layout.in_slots + layout.out_slots + len(sources) + len(constants)
    if method is None or offset is None or slots > _MOST_SLOTS:
        return None
    facts = [loaded.address("ag_run"), int(gil), mode, id(box) if box else 0, offset, boxes.maker(box) if box else 0]
    table, keep = _table(layout, facts, sources, constants)
    made: Callable[..., Any] = _new()(ctypes.addressof(method[0]), table, (loaded, method, keep, box))
    return made


@lru_cache(maxsize=1)
def _new() -> Callable[..., Any]:
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
    return kind(("PyCFunction_NewEx", ctypes.pythonapi))


def _table(
    layout: Layout, facts: list[int], sources: Sequence[Source], constants: Sequence[np.ndarray[Any, Any]]
) -> tuple[bytes, list[Any]]:
    """The table, and the objects whose addresses are in it."""
    run, gil, mode, box, offset, maker = facts
    keep: list[Any] = [*constants]
    records: list[list[int]] = []
    lists: list[list[int]] = []  # of sizes; their place is known when all records are
    inputs = iter(layout.inputs)
    for source in sources:
        keep.append(source.thing if source.kept else None)
        if source.constant:
            records.append([5, 0, 0, 0, 0, 0, 0, id(source.thing)])
            lists.append([])
            continue
        record, sizes = _input(next(inputs), keep)
        if source.bare is not None:
            record[:3] = [6, BARE[source.bare], id(source.bare)]
        record[0] += 16 * source.boxed
        record[7] = 0 if source.thing is ARGUMENT else id(source.thing)
        records.append(record)
        lists.append(sizes)
    for o in layout.outputs:
        record, sizes = _output(o, keep)
        records.append(record)
        lists.append(sizes)
    place = 8 * (_HEADER + 8 * len(records))
    for record, sizes in zip(records, lists, strict=True):
        record[5] = place
        place += 8 * len(sizes)
    expected = sum(s.constant or s.thing is ARGUMENT for s in sources)
    header = [run, expected, len(sources), len(layout.outputs), mode, gil, layout.in_slots, layout.out_slots,
              8 * _HEADER, 8 * (_HEADER + 8 * len(sources)), box, offset, len(constants), place, maker]
    words = [*header, *(w for r in records for w in r), *(w for sizes in lists for w in sizes)]
    words += [c.ctypes.data for c in constants]
    return struct.pack(f"{len(words)}q", *words), keep


def _input(given: Input, keep: list[Any]) -> tuple[list[int], list[int]]:
    dtype, kind = _described(given.dtype, given.weak, given.rank, keep)
    return [kind, id(dtype), id(dtype.type), given.rank, dtype.itemsize, 0, given.slot, 0], list(given.dims)


def _output(o: Output, keep: list[Any]) -> tuple[list[int], list[int]]:
    dtype, kind = _described(o.dtype, o.weak, o.rank, keep)
    sizes: list[int] = []
    if kind == 0 and o.sizes is None:
        kind = 5
    for size, at in o.sizes or ():
        sizes += [size, 0] if size is not None else [-1, at or 0]
    # An object of a header and eight bytes is made here; NumPy has only two of type bool.
    scalar = dtype.type if dtype.kind != "b" and dtype.type.__basicsize__ == object.__basicsize__ + 8 else None
    return [kind, id(dtype), 0 if scalar is None else id(scalar), o.rank, dtype.itemsize, 0, o.slot, 0], sizes


def _described(dtype: np.dtype[Any], weak: bool, rank: int, keep: list[Any]) -> tuple[np.dtype[Any], int]:
    """The one descriptor object that arrays of a dtype have, and the kind of a record."""
    dtype = np.empty(0, dtype).dtype
    keep.append(dtype)
    return dtype, _WEAK[dtype.kind] if weak else 0 if rank else 1
