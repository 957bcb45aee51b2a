"""Classes whose instances have a place for the C function that calls them.

Nothing is compiled here: a class takes the place as its base, and while it is empty Python calls `__call__` as ever.
vectorcall.py puts a function there.
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

__all__ = ["PLACE", "NativelyCallable", "callable_as_method", "calls_by_place"]

PLACE = object.__basicsize__
"""Where an instance of `NativelyCallable` keeps the address."""
_OFFSET, _FLAGS = 56, 168  # tp_vectorcall_offset and tp_flags, the same in every CPython since 3.8
_BASETYPE, _HAVE_VECTORCALL, _METHOD_DESCRIPTOR = 1 << 10, 1 << 11, 1 << 17
_TP_MEMBERS, _T_PYSSIZET, _READONLY = 72, 19, 1


class _Member(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("type", ctypes.c_int), ("offset", ctypes.c_ssize_t), ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("function", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("basicsize", ctypes.c_int), ("itemsize", ctypes.c_int), ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]


_members = (_Member * 2)(_Member(b"__vectorcalloffset__", _T_PYSSIZET, PLACE, _READONLY, None))
_slots = (_Slot * 2)(_Slot(_TP_MEMBERS, ctypes.addressof(_members)))
_spec = _Spec(b"runtime.NativelyCallable", PLACE + 8, 0, _BASETYPE, _slots)


def _made() -> Any:
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != 8 or PLACE != 16:
        return type("NativelyCallable", (), {"__slots__": (), "__module__": "runtime"})
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Spec))(("PyType_FromSpec", ctypes.pythonapi))
    return make(ctypes.byref(_spec))


if TYPE_CHECKING:

    class NativelyCallable:
        """The base of such classes."""

        __slots__ = ()
else:
    NativelyCallable = _made()


def _sets(cls: type, flag: int) -> bool:
    """Set a flag of a class where it lies where it is expected."""
    place = ctypes.c_ulong.from_address(id(cls) + _FLAGS)
    if not hasattr(NativelyCallable, "__vectorcalloffset__") or place.value != cls.__flags__:
        return False
    place.value |= flag
    return True


def callable_as_method(cls: type) -> None:
    """Say of a class that `x.f(a)`, with an instance of it as `f`, is `f(x, a)`: then no bound object is made for it."""
    _sets(cls, _METHOD_DESCRIPTOR)


def calls_by_place(cls: type) -> bool:
    """Make Python look into the place of an instance of exactly this class first; False where that cannot be."""
    if not issubclass(cls, NativelyCallable) or ctypes.c_ssize_t.from_address(id(cls) + _OFFSET).value != PLACE:
        return False
    return _sets(cls, _HAVE_VECTORCALL)
