"""Where CPython's and NumPy's objects keep what native code reads: computed for this interpreter, then checked.

Where a check fails (another implementation of Python, a build without the GIL, a changed structure) native code is
called through ctypes, which needs none of this.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["offsets", "slot_offset", "symbols"]

# places in NumPy's table, part of its ABI
_API = {"PyArray_NewFromDescr": 94, "PyArray_Scalar": 60, "PyArray_Type": 2, "PyDataMem_GetHandler": 305}
_FUNCTIONS = (
    "Py_IncRef Py_DecRef PyLong_AsLongLongAndOverflow PyFloat_FromDouble PyLong_FromLongLong PyBool_FromLong PyList_New "
    "PyList_SetItem PyTuple_New PyTuple_SetItem PyType_GenericAlloc PyEval_SaveThread PyEval_RestoreThread "
    "PyObject_CallNoArgs PyObject_Vectorcall _PyObject_New PyObject_GC_Track PyObject_GC_UnTrack PyObject_GC_Del "
    "PyObject_ClearWeakRefs PyObject_RichCompareBool PyErr_ExceptionMatches PyErr_Clear "
    "PyDict_GetItemWithError PyDict_Next PyDict_Size PyList_GetItem PyList_Size PyLong_AsSsize_t PyObject_GetAttr"
).split()
_SAMPLES = [np.dtype(c) for c in "?bhilBHILefdF"]


@lru_cache(maxsize=1)
def offsets() -> dict[str, int] | None:
    """Offsets in objects by name, or None where they are not as expected."""
    header = object.__basicsize__
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    if ctypes.sizeof(ctypes.c_void_p) != 8 or header != 16 or sys.byteorder != "little":
        return None
    found = {
        "TYPE": header - 8, "BYTES": bytes.__basicsize__ - 1, "FLOAT": float.__basicsize__ - 8, "SCALAR": header,
        "DATA": header, "ND": header + 8, "DIMS": header + 16, "DESCR": header + 40, "FLAGS": header + 48,
        "HANDLER": header + 72,
    }
    return found if _hold(found) else None


def _hold(at: dict[str, int]) -> bool:
    """Whether objects with known contents have them where `at` says. What is read lies inside the objects."""
    number, text = 1.25, b"\x01table\x00\xff"
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    if _word(number, at["TYPE"]) != id(float) or _word(array, at["TYPE"]) != id(np.ndarray):
        return False
    if ctypes.c_double.from_address(id(number) + at["FLOAT"]).value != number:
        return False
    if ctypes.string_at(id(text) + at["BYTES"], len(text)) != text:
        return False
    if _word(array, at["DATA"]) != array.ctypes.data or _word(array, at["DESCR"]) != id(array.dtype):
        return False
    nd = ctypes.c_int32.from_address(id(array) + at["ND"]).value
    flags = ctypes.c_int32.from_address(id(array) + at["FLAGS"]).value
    if nd != array.ndim or flags != array.flags.num:
        return False
    usual = ctypes.PYFUNCTYPE(ctypes.py_object)(symbols()["PyDataMem_GetHandler"])
    if np.ndarray.__basicsize__ < at["HANDLER"] + 8 or _word(np.empty(3), at["HANDLER"]) != id(usual()):
        return False
    sizes = (ctypes.c_int64 * 2).from_address(_word(array, at["DIMS"]))
    scalars = [np.array(1, dtype)[()] for dtype in _SAMPLES]
    return tuple(sizes) == array.shape and all(
        ctypes.string_at(id(s) + at["SCALAR"], s.dtype.itemsize) == s.tobytes() for s in scalars
    )


def _word(x: Any, offset: int) -> int:
    return ctypes.c_uint64.from_address(id(x) + offset).value


def slot_offset(cls: type, name: str) -> int | None:
    """Where instances of a class keep the content of one of its `__slots__`, found by looking for a known object there."""
    probe: Any = object.__new__(cls)
    mark = object()
    setattr(probe, name, mark)
    for offset in range(object.__basicsize__, cls.__basicsize__, 8):
        if _word(probe, offset) == id(mark):
            return offset
    return None


@lru_cache(maxsize=1)
def symbols() -> dict[str, int]:
    """Addresses of what the dispatcher calls, in CPython and NumPy."""
    api: Any = ctypes.pythonapi
    found = {name: _address(getattr(api, name)) for name in _FUNCTIONS}
    found |= {"_Py_TrueStruct": id(True), "_Py_FalseStruct": id(False), "_Py_NoneStruct": id(None)}
    found |= {"PyFloat_Type": id(float), "PyLong_Type": id(int), "PyUnicode_Type": id(str)}
    kind = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    table = (ctypes.c_void_p * 306).from_address(kind(("PyCapsule_GetPointer", api))(capsule, None))
    found |= {name: int(table[k] or 0) for name, k in _API.items()}
    assert found["PyArray_Type"] == id(np.ndarray)
    return found


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
