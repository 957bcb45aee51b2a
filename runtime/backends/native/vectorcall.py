"""Calls of objects that have entries (dispatch.py), from Python's interpreter straight to the entry: see vectorcall.ll."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from functools import lru_cache
from types import CellType
from typing import Any

from runtime.backends.native import boxes, dispatch, objects
from runtime.backends.native.ahead import AHEAD
from runtime.backends.native.callables import PLACE, calls_by_place
from runtime.backends.native.once import once
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text
from runtime.tensor.trace import BUSY

__all__ = ["ready", "take_over"]


def take_over(instance: Any, calls: str, named: str, nothing: object) -> None:
    """Have an object called through its entries, where that can be.

    Args:
      instance: of a subclass of `NativelyCallable`.
      calls: the slot in which it keeps what has the entries, in slots `entries` and `order`.
      named: the slot of that of the entries that take all arguments.
      nothing: what an entry gives for None, and what stands for a default that there is not.
    """
    cls: Any = type(instance)
    holder: Any = type(getattr(instance, calls))
    code = _code(cls, calls, named, holder, nothing)
    if code is not None:
        ctypes.c_void_p.from_address(id(instance) + PLACE).value = code.address("ag_vectorcall")


def ready(instance: Any, calls: str, named: str, box: Any) -> bool:
    """Whether entries can be made, and `take_over` called, without compiling; if not, that begins beside.

    Args:
      instance: of a subclass of `NativelyCallable`.
      calls: as of `take_over`.
      named: as of `take_over`.
      box: the class of tensors.
    """
    cls: Any = type(instance)
    holder: Any = type(getattr(instance, calls))
    return AHEAD.ready(_texts(cls, calls, named, holder, box))


@lru_cache
def _texts(cls: Any, calls: str, named: str, holder: Any, box: Any) -> Callable[[], list[str]]:
    def texts() -> list[str]:
        return [x for x in (*dispatch.texts(), boxes.text(box), _text(cls, calls, named, holder)) if x is not None]

    return texts


@lru_cache
def _text(cls: Any, calls: str, named: str, holder: Any) -> str | None:
    """The LLVM IR of the function for the instances of a class; None where there can be none."""
    found = _offsets()
    if found is None:
        return None
    places = {
        "CALLS": objects.slot_offset(cls, calls), "NAMED": objects.slot_offset(cls, named),
        "ENTRIES": objects.slot_offset(holder, "entries"), "ORDER": objects.slot_offset(holder, "order"),
    }
    if None in places.values() or not calls_by_place(cls):
        return None
    text = text_of("vectorcall")
    for name, offset in (found | places).items():
        text = text.replace(f"${name})", f"{offset})").replace(f"${name}\n", f"{offset}\n")
    return text


@once
def _code(cls: Any, calls: str, named: str, holder: Any, nothing: object) -> Loaded | None:
    """The function for the instances of a class, which is kept as long as the process; None where there can be none."""
    text, entry = _text(cls, calls, named, holder), dispatch.entry_point()
    if text is None or entry is None:
        return None
    symbols = objects.symbols() | entry | {
        "PyCFunction_Type": id(type(len)), "ag_busy": id(BUSY), "ag_general": id(cls.__call__), "ag_nothing": id(nothing),
        "ag_exception": id(Exception), "ag_weakref": id(weakref.ref), "PyDict_Type": id(dict), "PyCell_Type": id(CellType),
        "PyList_Type": id(list),
    }
    loaded = compile_text(text, symbols, ("ag_vectorcall",))
    for used in (loaded, BUSY, cls.__call__, nothing):  # it may be called until the process ends
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(used))
    return loaded


def _offsets() -> dict[str, int] | None:
    """Where tuples, C functions, cells and weak references keep what is read; None where that is not as expected."""
    header = object.__basicsize__
    found = {
        "TYPE": header - 8, "SIZE": header, "ITEMS": header + 8, "METHOD": header, "SELF": header + 8, "CONTENT": header,
        "REFERENT": header,
    }
    pair, text = (object(), object()), "text"
    referent = {text}
    reference, gone = weakref.ref(referent), weakref.ref({text})
    right = (
        _word(pair, found["SIZE"]) == 2
        and [_word(pair, found["ITEMS"] + 8 * k) for k in range(2)] == list(map(id, pair))
        and _word([1, 2, 3], found["SIZE"]) == 3
        and _word(text.join, found["SELF"]) == id(text)
        and _word(CellType(text), found["CONTENT"]) == id(text)
        and _word(reference, found["REFERENT"]) == id(referent)
        and _word(gone, found["REFERENT"]) == id(None)
        and _word("other".join, found["METHOD"]) == _word(text.join, found["METHOD"])
    )
    return found if right else None


def _word(x: Any, offset: int) -> int:
    return int(ctypes.c_uint64.from_address(id(x) + offset).value)
