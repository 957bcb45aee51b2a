"""Signals while native code runs: loops ask now and then, so that Ctrl-C ends them.

`ag_poll` is called by generated code every 65536 turns of a loop, and does something every 20 milliseconds: it lets Python
run its handlers. If one raises, it keeps the exception and returns 1; the code then returns, and its caller raises it
(`ag_pending`), in the thread in which it was raised.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from runtime.backends.native.once import once
from runtime.backends.native.toolchain import Loaded, compile_text, process_symbol

__all__ = ["addresses", "raise_pending", "symbol", "text"]

_EXPORTS = ("ag_poll", "ag_pending")
_API = ("PyGILState_Ensure", "PyGILState_Release", "PyErr_CheckSignals", "PyErr_Fetch", "PyErr_Restore",
        "PyThread_get_thread_ident")
_CLOCK_MONOTONIC = {"Linux": 1, "Darwin": 6}

_TEXT = """; quick
declare i32 @clock_gettime(i32, ptr)
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare i32 @PyErr_CheckSignals()
declare void @PyErr_Fetch(ptr, ptr, ptr)
declare void @PyErr_Restore(ptr, ptr, ptr)
declare i64 @PyThread_get_thread_ident()

@last = internal global i64 0
@thread = internal global i64 0
@kept = internal global [3 x ptr] zeroinitializer
@second = internal alias ptr, getelementptr ([3 x ptr], ptr @kept, i64 0, i64 1)
@third = internal alias ptr, getelementptr ([3 x ptr], ptr @kept, i64 0, i64 2)

define i64 @ag_poll() {
entry:
  %time = alloca [2 x i64]
  %failed = call i32 @clock_gettime(i32 $CLOCK, ptr %time)
  %seconds = load i64, ptr %time
  %place = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %place
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  %last = load atomic i64, ptr @last monotonic, align 8
  %passed = sub i64 %now, %last
  %soon = icmp ult i64 %passed, 20000000
  br i1 %soon, label %quiet, label %ask
ask:
  store atomic i64 %now, ptr @last monotonic, align 8
  %state = call i32 @PyGILState_Ensure()
  %raised = call i32 @PyErr_CheckSignals()
  %none = icmp eq i32 %raised, 0
  br i1 %none, label %go, label %keep
go:
  call void @PyGILState_Release(i32 %state)
  br label %quiet
quiet:
  ret i64 0
keep:
  call void @PyErr_Fetch(ptr @kept, ptr @second, ptr @third)
  %me = call i64 @PyThread_get_thread_ident()
  store i64 %me, ptr @thread
  call void @PyGILState_Release(i32 %state)
  ret i64 1
}

define i32 @ag_pending() {
entry:
  %type = load ptr, ptr @kept
  %none = icmp eq ptr %type, null
  br i1 %none, label %no, label %whose
whose:
  %me = call i64 @PyThread_get_thread_ident()
  %thread = load i64, ptr @thread
  %mine = icmp eq i64 %me, %thread
  br i1 %mine, label %raise, label %no
raise:
  %value = load ptr, ptr @second
  %trace = load ptr, ptr @third
  store ptr null, ptr @kept
  call void @PyErr_Restore(ptr %type, ptr %value, ptr %trace)
  ret i32 1
no:
  ret i32 0
}
"""
_SILENT = """; quick
define i64 @ag_poll() {
  ret i64 0
}
define i32 @ag_pending() {
  ret i32 0
}
"""


@lru_cache(maxsize=1)
def text() -> str:
    """The LLVM IR of `ag_poll` and `ag_pending`."""
    clock = _CLOCK_MONOTONIC.get(os.uname().sysname) if hasattr(os, "uname") else None
    if clock is None or process_symbol("clock_gettime") is None:
        return _SILENT
    return _TEXT.replace("$CLOCK", str(clock))


@once
def _code() -> Loaded:
    api = {name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0 for name in _API}
    return compile_text(text(), api, _EXPORTS)


def symbol(name: str) -> int:
    """Where `ag_poll` or `ag_pending` begins."""
    return _code().address(name)


def addresses() -> dict[str, int]:
    """Where both begin."""
    return {name: symbol(name) for name in _EXPORTS}


@lru_cache(maxsize=1)
def _pending() -> Callable[[], Any]:
    return ctypes.PYFUNCTYPE(ctypes.c_int)(_code().address("ag_pending"))


def raise_pending() -> None:
    """Raise what a signal's handler raised while this thread was in native code, if one did."""
    _pending()()
