"""Which executable runs a graph: the NumPy plan, native code, or the plan until native code is made.

`jit_compile` is True (wait for native code; what has none is an error), False (the plan) or None (the plan at once,
native code made in the background where the graph allows it).
"""

from __future__ import annotations

import atexit
import os
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograph.errors.refusals import refusal
from runtime.backends.numpy_executor.executor import Executable, compile_graph
from runtime.ir.graph import Graph

if TYPE_CHECKING:
    from runtime.backends.native.executable import NativeExecutable

__all__ = ["BACKGROUND", "NATIVE_BY_DEFAULT", "Compiled", "LazyPlan", "make_native"]

NATIVE_BY_DEFAULT = False
"""Whether `jit_compile=None` makes native code in the background."""

_warned = [False]


class LazyPlan:
    """A graph's NumPy plan, made when it is first called or looked at."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._made: Executable | None = None
        self.name = graph.name

    @property
    def executable(self) -> Executable:
        """The plan."""
        if self._made is None:
            self._made = compile_graph(self._graph)
        return self._made

    @property
    def source(self) -> str:
        """Its Python source."""
        return self.executable.source

    def __call__(self, *arrays: Any) -> list[Any]:
        return self.executable(*arrays)


def make_native(graph: Graph, name: str) -> NativeExecutable | None:
    """The native code of an optimised graph that was asked for; None, and one warning, where nothing can be compiled.

    Raises:
      UnimplementedError: operations of the graph have no native rule; they are listed by the user's lines.
    """
    from runtime.backends.native.compile import compile_native
    from runtime.backends.native.errors import NoCompilerError, Unsupported

    try:
        return compile_native(graph, LazyPlan(graph))
    except NoCompilerError as error:
        _warn(str(error))
        return None
    except Unsupported as error:
        raise refusal("no-native-code", name=name, missing=error.listing) from error


def _warn(reason: str) -> None:
    if not _warned[0]:
        _warned[0] = True
        warnings.warn(
            f"jit_compile=True has no effect: {reason}. Functions run on the NumPy plan with the same results; loops "
            "and numbers run at Python's speed, elementwise operations are not fused, and one core is used. "
            "`pip install 'autograph[native]'` installs the compiler.",
            RuntimeWarning,
            stacklevel=2,
        )


class _Background:
    """One thread that makes native code, for objects that are still alive when their turn comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[weakref.ref[Any], Callable[[Any], None]]] = deque()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._ended = False

    def put(self, owner: Any, work: Callable[[Any], None]) -> None:
        """Run `work(owner)` later unless the owner is gone by then."""
        with self._lock:
            if self._ended:
                return
            if self._process != os.getpid():  # a forked child has no thread
                self._process, self._thread = os.getpid(), None
                self._waiting.clear()
            self._waiting.append((weakref.ref(owner), work))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="autograph-native", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                owner, work = self._waiting.popleft()
            alive = owner()
            if alive is not None:
                try:
                    work(alive)
                except Exception as error:  # noqa: BLE001 (a fault of ours; the plan goes on)
                    warnings.warn(f"native code could not be made: {error!r}", RuntimeWarning, stacklevel=2)
            del alive

    def wait(self) -> None:
        """Until all that was put is done."""
        while True:
            thread = self._thread
            if thread is None or self._process != os.getpid():
                return
            thread.join()

    def end(self) -> None:
        """Let the work at hand end and take no more: LLVM must not run while the process is taken down."""
        with self._lock:
            self._ended = True
            self._waiting.clear()
        self.wait()


BACKGROUND = _Background()
atexit.register(BACKGROUND.end)


_LONG = frozenset(("while_loop", "for_loop", "call"))


class _Later:
    """The plan, for its first two calls: the second asks for native code. Many functions are called once."""

    def __init__(self, compiled: Compiled, plan: Executable) -> None:
        self._compiled = weakref.ref(compiled)
        self._plan = plan
        self._called = False

    def __call__(self, *arrays: Any) -> list[Any]:
        compiled = self._compiled()
        if self._called and compiled is not None:
            compiled.run = self._plan
            BACKGROUND.put(compiled, Compiled.replace)
        self._called = True
        return self._plan(*arrays)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)


class Compiled:
    """An optimised graph with its executor: the plan, until native code takes its place.

    run        what runs now: callers ask again at each call. The plan overwrites what is passed for the `donated` inputs
    is_native  whether that is native code, which never does
    """

    __slots__ = ("__weakref__", "graph", "is_native", "run")

    def __init__(self, graph: Graph, choice: bool | None, donated: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        native = make_native(graph, graph.name) if choice else None
        self.run: Any = native
        self.is_native = native is not None
        if native is None:
            self.run = plan = compile_graph(graph, donated)
            if choice is None and NATIVE_BY_DEFAULT:
                if any(node.op.name in _LONG for node in graph.walk()):
                    BACKGROUND.put(self, Compiled.replace)
                else:
                    self.run = _Later(self, plan)

    def replace(self) -> None:
        """Native code for the plan, where there is a compiler and a rule for every operation."""
        from runtime.backends.native.compile import compile_native
        from runtime.backends.native.errors import NoCompilerError, Unsupported

        try:
            self.run = compile_native(self.graph, LazyPlan(self.graph))
        except (NoCompilerError, Unsupported):
            return
        self.is_native = True

    def __call__(self, *arrays: Any) -> list[Any]:
        made: list[Any] = self.run(*arrays)
        return made
