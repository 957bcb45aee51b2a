"""Tensors that are made and freed by native code: see boxes.ll."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache
from typing import Any

from runtime.backends.native import objects
from runtime.backends.native.once import once
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text

__all__ = ["maker", "text"]

KEPT = 64
"""Boxes that are kept at most."""
_DEEP = 40
_DEALLOC, _FLAGS = 48, 168  # tp_dealloc and tp_flags
_HAVE_GC = 1 << 14


def maker(box: Any) -> int:
    """The address of the function that makes objects of a class of boxes, as `PyType_GenericAlloc` does."""
    code = _code(box)
    return objects.symbols()["PyType_GenericAlloc"] if code is None else code.address("ag_new_box")


@lru_cache
def text(box: Any) -> str | None:
    """The LLVM IR of the functions for a class; None where it is not as expected."""
    content, parent = objects.slot_offset(box, "_value"), objects.slot_offset(box, "_parent")
    flags = ctypes.c_ulong.from_address(id(box) + _FLAGS).value
    expected = (
        content is not None and parent is not None and box.__weakrefoffset__ and not box.__dictoffset__
        and box.__mro__[1:] == (object,) and flags == box.__flags__ and flags & _HAVE_GC
        and not hasattr(box, "__del__") and not hasattr(sys, "gettotalrefcount") and objects.offsets() is not None
    )
    place = ctypes.c_void_p.from_address(id(box) + _DEALLOC)
    if not expected or place.value != ctypes.c_void_p.from_address(id(_Usual) + _DEALLOC).value:
        return None
    text = text_of("boxes")
    facts = {
        "CONTENT": content, "PARENT": parent, "WEAK": box.__weakrefoffset__, "TYPE": object.__basicsize__ - 8,
        "TYPE_FLAGS": _FLAGS, "DEEP": _DEEP, "MOST": KEPT,
    }
    for name, value in facts.items():
        for end in (")", ",", "\n"):
            text = text.replace(f"${name}{end}", f"{value}{end}")
    return text


@once
def _code(box: Any) -> Loaded | None:
    """The functions for a class, which from now on frees its objects by them; None where it is not as expected."""
    written = text(box)
    if written is None:
        return None
    place = ctypes.c_void_p.from_address(id(box) + _DEALLOC)
    loaded = compile_text(written, objects.symbols() | {"ag_box_type": id(box)}, ("ag_new_box", "ag_free_box"))
    # Boxes are freed until the process ends.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(loaded))
    place.value = loaded.address("ag_free_box")
    return loaded


class _Usual:
    __slots__ = ("__weakref__", "_value")
