"""Code that all functions share, compiled beside the first of them.

What calls native code from Python and makes tensors of its results is compiled once on a machine and kept on disk. The first
result there does not wait for it: until it is made, calls take the general way (executable.py).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable

from runtime.backends.native import toolchain
from runtime.backends.native.errors import NoCompilerError

__all__ = ["AHEAD", "Ahead"]


class Ahead:
    """One thread that compiles texts which are not on disk.

    beside  whether it does; if not, whoever loads them compiles them first
    """

    def __init__(self) -> None:
        self.beside = True
        self._lock = threading.Lock()
        self._done: set[Callable[[], Iterable[str]]] = set()
        self._waiting: deque[Callable[[], Iterable[str]]] = deque()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._ended = False

    def ready(self, texts: Callable[[], Iterable[str]]) -> bool:
        """Whether loading some texts takes no compiling; if not, that begins, or goes on.

        Args:
          texts: gives them, the same ones each time.
        """
        if texts in self._done or not self.beside:
            return True
        with self._lock:
            if self._process != os.getpid():  # a forked child has no thread
                self._process, self._thread = os.getpid(), None
                self._waiting.clear()
            if texts in self._waiting:
                return False
            if self._thread is None and all(map(toolchain.on_hand, texts())):
                self._done.add(texts)
                return True
            if not self._ended:
                self._waiting.append(texts)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="autograph-ahead", daemon=True)
                    self._thread.start()
        return False

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                texts = self._waiting[0]
            with contextlib.suppress(RuntimeError, NoCompilerError):  # raised again, and reported, where it is loaded
                for text in texts():
                    toolchain.make(text)
            with self._lock:
                self._done.add(texts)
                self._waiting.popleft()

    def wait(self) -> None:
        """Until all is made."""
        thread = self._thread
        if thread is not None and self._process == os.getpid():
            thread.join()

    def end(self) -> None:
        """End what has begun, for the next process to find, and take no more: LLVM must not run while Python ends."""
        self._ended = True
        self.wait()


AHEAD = Ahead()
atexit.register(AHEAD.end)
