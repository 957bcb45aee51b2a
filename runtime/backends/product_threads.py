"""How many threads BLAS takes for the products of a plan: one where a second would wake up too late to help.

OpenBLAS shares every product of more than a quarter of a million multiplications, and its threads meet by spinning: what
takes 40 microseconds on one thread can take 150 on two. A plan whose products are all of that
kind runs with BLAS on one thread. Other libraries than OpenBLAS are left to decide for themselves.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Any

from runtime.ir.graph import Graph, Node
from runtime.typesys.spec import TensorType

__all__ = ["FEW", "LARGE", "SMALL", "needs"]

SMALL = 250_000  # multiplications up to which OpenBLAS takes one thread by itself
LARGE = 2_000_000  # from which on a second thread is worth waking
_OPENBLAS = (
    ("scipy_openblas", "64_"), ("openblas", "64_"), ("openblas", "_64"), ("scipy_openblas", ""), ("openblas", ""),
)
_BY_BLAS = frozenset(f"runtime.ops.{name}" for name in ("convolution", "einsum", "linalg", "matmul"))


def _by_handle(handle: Any) -> tuple[Any, Any] | None:
    """What gives and what sets the number of threads of an OpenBLAS, by a ctypes library that leads to it."""
    import ctypes

    for prefix, suffix in _OPENBLAS:
        try:
            get = getattr(handle, f"{prefix}_get_num_threads{suffix}")
            put = getattr(handle, f"{prefix}_set_num_threads{suffix}")
        except AttributeError:
            continue
        # With the GIL held: they take less time than to let go of it.
        address = ctypes.cast(get, ctypes.c_void_p).value, ctypes.cast(put, ctypes.c_void_p).value
        return (
            ctypes.PYFUNCTYPE(ctypes.c_int)(address[0] or 0),
            ctypes.PYFUNCTYPE(None, ctypes.c_int)(address[1] or 0),
        )
    return None


@lru_cache(maxsize=1)
def _functions() -> tuple[Any, Any] | None:
    """Those of the library that NumPy loaded: its extension's handle leads to what it depends on."""
    import ctypes
    import importlib

    extension = importlib.import_module("numpy._core._multiarray_umath")
    try:
        return _by_handle(ctypes.CDLL(str(extension.__file__)))
    except (OSError, AttributeError):  # built into the interpreter, or a system whose handles lead nowhere
        return None


class Few:
    """While any thread is inside, BLAS takes one thread."""

    def __init__(self) -> None:
        self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0  # what the user chose, while it is not in force

    def _forked(self) -> None:
        """The threads that were inside are not in this process."""
        before = self._before
        self._start()
        if before:
            self._set(before)

    @staticmethod
    def _get() -> int:
        found = _functions()
        return 1 if found is None else int(found[0]())

    @staticmethod
    def _set(count: int) -> None:
        found = _functions()
        if found is not None:
            found[1](count)

    def _settle(self) -> None:
        """Let BLAS have the number of threads that fits what is going on."""
        if self._inside:
            if not self._before and (now := self._get()) > 1:
                self._before = now
                self._set(1)
        elif self._before:
            if self._get() == 1:  # else somebody else has set it since
                self._set(self._before)
            self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self._settle()

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._inside -= 1
            self._settle()

    def choose(self, count: int) -> bool:
        """Take note of the number of threads that the user wants, where another one is in force at the moment."""
        with self._lock:
            if self._before:
                self._before = count
            return bool(self._before)

    def chosen(self) -> int:
        """The number of threads that the user wants, where another one is in force, else 0."""
        return self._before


FEW = Few()


def needs(graph: Graph) -> bool:
    """Whether products of a graph, or of the functions it calls, are for one thread, and nothing else is for several."""
    nodes = [node for g in (graph, *graph.functions.values()) for node in g.walk()]
    if any(node.op.name != "matmul" and node.op.rules.__module__ in _BY_BLAS for node in nodes):
        return False
    sizes = [_multiplications(node) for node in nodes if node.op.name == "matmul"]
    known = [n for n in sizes if n is not None]
    return len(known) == len(sizes) and any(n > SMALL for n in known) and all(n < LARGE for n in known)


def _multiplications(node: Node) -> int | None:
    """How many one product of a node takes; None where the run decides."""
    a, b = (v.type for v in node.inputs)
    if not isinstance(a, TensorType) or not isinstance(b, TensorType) or a.shape is None or b.shape is None:
        return None
    columns = (b.shape[-2 if node.attrs.get("transpose_b") else -1],) if len(b.shape) > 1 else ()
    total = 1
    for size in (*a.shape[-2:], *columns):
        if not isinstance(size, int):
            return None
        total *= size
    return total
