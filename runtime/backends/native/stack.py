"""Deep recursion: native code that has used up the stack it may use starts again on a thread with a large one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["DEEP", "SHALLOW", "on_large_stack"]

SHALLOW = 192 * 1024  # bytes of stack that native code takes in the caller's thread, whatever thread that is
DEEP = 512 * 2**20  # in a thread made for it; memory is taken only where it is touched
_RESERVE = 2**20  # for what native code calls
_lock = threading.Lock()

T = TypeVar("T")


def on_large_stack(work: Callable[[], T]) -> T | None:
    """work() in a thread with DEEP bytes of stack; None where the system has none."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 (raised in the caller's thread)
            errors.append(error)

    thread = threading.Thread(target=run, name="autograph-deep", daemon=True)
    with _lock:  # the size is the process's
        before = threading.stack_size()
        try:
            threading.stack_size(DEEP + _RESERVE)
            thread.start()
        except (ValueError, RuntimeError):
            return None
        finally:
            threading.stack_size(before)
    while thread.is_alive():
        try:
            thread.join()
        except BaseException as error:  # noqa: BLE001 (Ctrl-C: the thread uses the caller's memory, so it ends first)
            errors.append(error)
    if errors:
        raise errors[-1]
    return results[0]
