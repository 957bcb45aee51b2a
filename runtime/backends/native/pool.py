"""Memory of native code that is kept from call to call, and of the arrays that it returns (pool.ll, row_lists.ll)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

from runtime.backends.native.once import once
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text, process_symbol

__all__ = ["BOUND", "LARGE", "addresses", "empty", "giver", "handler", "kept", "take", "text"]

LARGE = 1 << 16  # bytes from which on memory is kept
BOUND = 1 << 28  # bytes that are kept at most

FORGET = "ag_forget"
KEPT = "ag_frame_kept"  # the word of a program for its frame
PROGRAMS = (  # what these call
    "ag_take", "ag_give", "ag_reserve", "ag_grow", "ag_drop", "ag_frame", "ag_frame_back",
    "ag_grow_row", "ag_rows_clear", "ag_rows_drop", "ag_rows_copy", "ag_row_put",
)
_OTHERS = ("ag_empty", "ag_kept", FORGET)
_HANDLER = ("ag_numpy_malloc", "ag_numpy_calloc", "ag_numpy_realloc", "ag_numpy_free")
_NAME = b"mem_handler"  # of capsules that arrays have
_HUGE_PAGES = 14  # MADV_HUGEPAGE


class _Handler(ctypes.Structure):
    """NumPy's PyDataMem_Handler, version 1."""

    _fields_ = [
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in ("malloc", "calloc", "realloc", "free")),
    ]


@lru_cache(maxsize=1)
def text() -> str:
    """Its LLVM IR."""
    text = text_of("pool", "row_lists")
    advises = sys.platform == "linux" and process_symbol("madvise") is not None
    facts = {
        "$LARGE": str(LARGE), "$BOUND": str(BOUND),
        "$DECLARE": "declare i32 @madvise(ptr, i64, i32)" if advises else "",
        "$ADVISE": "%start = inttoptr i64 %first to ptr\n"
                   f"  %told = call i32 @madvise(ptr %start, i64 %inside, i32 {_HUGE_PAGES})" if advises else "",
    }
    for name, value in facts.items():
        text = text.replace(name, value)
    return text


@once
def _pool() -> Loaded:
    loaded = compile_text(text(), {}, (*PROGRAMS, *_OTHERS, *_HANDLER))
    # Arrays that outlive everything else are freed by it: the code stays until the process ends.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(loaded))
    return loaded


def addresses() -> dict[str, int]:
    """Where the functions begin that programs call."""
    return {name: _pool().address(name) for name in PROGRAMS}


def forgetter(program: Loaded) -> Callable[[], None]:
    """What gives back all that a program has kept, and what is kept here."""
    forget = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_pool().address(FORGET))
    return partial(forget, program.address(KEPT))


@once
def handler() -> Any:
    """The capsule that arrays have for whom they give their memory back to."""
    pool = _pool()
    held = _Handler(b"autograph", 1, None, *(pool.address(name) for name in _HANDLER))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))  # as long as there are arrays
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return kind(("PyCapsule_New", ctypes.pythonapi))(ctypes.addressof(held), _NAME, None)


@cache
def _function(name: str, result: Any, *arguments: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, *arguments)(_pool().address(name))


def take(size: int) -> int:
    """The address of at least so many bytes.

    Raises:
      MemoryError: there is no memory.
    """
    address = _function("ag_take", ctypes.c_void_p, ctypes.c_int64)(size)
    if not address:
        raise MemoryError(f"{size} bytes")
    return int(address)


def giver() -> Callable[[int], None]:
    """The function that gives back what `take`, or native code, took; it works while Python ends, too."""
    found: Callable[[int], None] = _function("ag_give", None, ctypes.c_void_p)
    return found


def empty() -> None:
    """Give all that is kept to the system."""
    _function("ag_empty", None)()


def kept() -> int:
    """How many bytes are kept."""
    return int(_function("ag_kept", ctypes.c_int64)())
