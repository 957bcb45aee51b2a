"""Threads of native code: how many there are, and the function through which generated code uses them."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import threading
from functools import lru_cache
from typing import Any

from runtime.backends.native import blas
from runtime.backends.native.texts import text_of
from runtime.backends.native.toolchain import Loaded, compile_text, process_symbol

__all__ = ["chosen", "count", "default_count", "parallel_address", "set_count", "symbol"]

_SERIAL = """
define void @ag_parallel(ptr %fn, ptr %ctx, i64 %n, i64 %grain) {
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %whole, label %nothing
whole:
  call void %fn(ptr %ctx, i64 0, i64 %n)
  ret void
nothing:
  ret void
}
define void @ag_threads(i64 %count) {
  ret void
}
define void @ag_forked() {
  ret void
}
"""
_EXPORTS = ("ag_parallel", "ag_threads", "ag_forked")
_PAUSES = {"x86_64": "call void @llvm.x86.sse2.pause()", "aarch64": "call void @llvm.aarch64.hint(i32 1)"}
_CLOCKS = {"x86_64": "call i64 @llvm.readcyclecounter()"}  # elsewhere programs may not read it
_SOON = 200_000  # of its ticks: some 100 microseconds
_MUCH = 8  # of the least that a thread takes: from some 50 microseconds on
_TURNS = 5000  # looks for work before a worker sleeps: 200 to 400 microseconds; to wake it takes some 50
_PLACES = """
; Processors, where the system says on which a thread runs: bits of a mask of 1024.
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @sched_setaffinity(i32, i64, ptr)
define private i32 @here() alwaysinline {
  %place = call i32 @sched_getcpu()
  ret i32 %place
}
define private void @processors(ptr %mask) alwaysinline {
  %done = call i32 @sched_getaffinity(i32 0, i64 128, ptr %mask)
  ret void
}
; From now on this thread runs on others of its processors than one, if there are any.
define private void @avoid(ptr %mask, i32 %place) noinline {
entry:
  %copy = alloca [16 x i64], align 16
  %known = icmp ult i32 %place, 1024
  br i1 %known, label %take, label %done
take:
  call void @llvm.memcpy.p0.p0.i64(ptr %copy, ptr %mask, i64 128, i1 false)
  %wide = zext i32 %place to i64
  %at = lshr i64 %wide, 6
  %bit = and i64 %wide, 63
  %one = shl i64 1, %bit
  %others = xor i64 %one, -1
  %word.p = getelementptr i64, ptr %copy, i64 %at
  %word = load i64, ptr %word.p
  %less = and i64 %word, %others
  store i64 %less, ptr %word.p
  %set = call i32 @sched_setaffinity(i32 0, i64 128, ptr %copy)
  br label %done
done:
  ret void
}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""
_NO_PLACES = """
define private i32 @here() alwaysinline {
  ret i32 -1
}
define private void @processors(ptr %mask) alwaysinline {
  ret void
}
define private void @avoid(ptr %mask, i32 %place) alwaysinline {
  ret void
}
"""
_lock = threading.Lock()
_chosen = [0]
_blas_before: list[int] = []  # what BLAS chose for itself


def default_count() -> int:
    """As many as the processors this process may use; OMP_NUM_THREADS says otherwise."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told):
        return int(told)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count() -> int:
    """How many threads take part in a parallel loop."""
    return _chosen[0] or default_count()


def chosen() -> int:
    """What `set_count` was told, 0 for the default."""
    return _chosen[0]


def set_count(threads: int) -> None:
    """Let `threads` take part, in loops of native code and in BLAS; 0 for the default.

    Raises:
      ValueError: a negative number.
    """
    if threads < 0:
        raise ValueError(f"a number of threads must not be negative, but is {threads}")
    _chosen[0] = threads
    library = blas.find()
    if library is not None:
        if not _blas_before:
            _blas_before.append(library.threads)
        library.threads = threads or _blas_before[0]
    with _lock:
        if _pool.cache_info().currsize:
            _function(_pool(), "ag_threads", ctypes.c_int64)(count())


def symbol(name: str) -> int:
    """Where `ag_parallel` begins."""
    with _lock:
        return _pool().address(name)


def parallel_address() -> int:
    """The address of `ag_parallel(fn, ctx, n, grain)` (see parallel.ll)."""
    return symbol("ag_parallel")


@lru_cache(maxsize=1)
def _pool() -> Loaded:
    loaded = compile_text(_text(), {}, _EXPORTS)
    # Threads are inside until the process ends: the code must outlive Python's own end.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(loaded))
    _function(loaded, "ag_threads", ctypes.c_int64)(count())
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_function(loaded, "ag_forked"))
    return loaded


def _text() -> str:
    """The pool where there are threads of POSIX, else a loop."""
    machine = platform.machine().replace("arm64", "aarch64").replace("AMD64", "x86_64")
    pause = _PAUSES.get(machine)
    if sys.platform == "win32" or pause is None or process_symbol("pthread_create") is None:
        return _SERIAL
    text = text_of("parallel")
    tells = all(process_symbol(f"sched_{name}") is not None for name in ("getcpu", "getaffinity", "setaffinity"))
    facts = {
        "$PLACES": _PLACES if tells else _NO_PLACES,
        "$PAUSE": pause,
        "$NOW": _CLOCKS.get(machine, "add i64 0, 0"),
        "$SOON": str(_SOON),
        "$MUCH": str(_MUCH),
        "$SIG_BLOCK": str(int(signal.SIG_BLOCK)),
        "$TURNS": str(_TURNS),
    }
    for name, value in facts.items():
        text = text.replace(name, value)
    return text


def _function(loaded: Loaded, name: str, *arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(None, *arguments)(loaded.address(name))
