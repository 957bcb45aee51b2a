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
from time import perf_counter
from typing import TYPE_CHECKING, Any

from autograph.errors.refusals import refusal
from runtime.backends.numpy_executor.executable import Executable
from runtime.ir.graph import Graph

if TYPE_CHECKING:
    from runtime.backends.native.executable import NativeExecutable

__all__ = ["BACKGROUND", "NATIVE_BY_DEFAULT", "Compiled", "LazyPlan", "make_native", "overwrites"]

NATIVE_BY_DEFAULT = True
"""Whether `jit_compile=None` makes native code in the background."""
DEFAULT_CHOICE: bool | None = None
"""What `jit_compile=None` stands for: `pytest --native` asks for native code everywhere."""
TRIED_CALLS = 100  # calls of a plan after which native code is made, ...
TRIED_SECONDS = 0.02  # ... or seconds that they have taken
CONTEST = 5  # calls by which native code has to show that it is faster

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
            from runtime.backends.numpy_executor.executor import compile_graph

            self._made = compile_graph(self._graph)
        return self._made

    @property
    def source(self) -> str:
        """Its Python source."""
        return self.executable.source

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """The functions of the graph's table, compiled."""
        return self.executable.functions

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


class _Trial:
    """The plan of a graph while it is new: timed, until its calls have taken so long that native code may pay."""

    __slots__ = ("best", "calls", "owner", "plan", "spent")

    def __init__(self, owner: Compiled, plan: Executable) -> None:
        self.owner = weakref.ref(owner)
        self.plan = plan
        self.calls = 0
        self.spent = 0.0
        self.best = float("inf")  # seconds of its fastest call

    def __call__(self, *arrays: Any) -> list[Any]:
        start = perf_counter()
        made = self.plan(*arrays)
        taken = perf_counter() - start
        self.best = min(self.best, taken)
        self.spent += taken
        self.calls += 1
        if self.calls == TRIED_CALLS or (self.spent > TRIED_SECONDS and self.calls > 1 and self.calls < TRIED_CALLS):
            self.calls = TRIED_CALLS  # once
            owner = self.owner()
            if owner is not None:
                BACKGROUND.put(owner, Compiled._replace)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plan, name)


class _Contest:
    """New native code: its first calls are timed against those of the plan, and the faster one stays."""

    __slots__ = ("_best", "_calls", "_native", "_owner", "_trial")

    def __init__(self, owner: Compiled, native: NativeExecutable, trial: _Trial) -> None:
        self._owner = weakref.ref(owner)
        self._native = native
        self._trial = trial
        self._best = float("inf")
        self._calls = 0

    def __call__(self, *arrays: Any) -> list[Any]:
        start = perf_counter()
        made = self._native(*arrays)
        self._best = min(self._best, perf_counter() - start)
        self._calls += 1
        owner = self._owner()
        if self._calls == CONTEST and owner is not None:
            if self._best <= self._trial.best:
                owner.run, owner.is_native = self._native, True
            else:
                owner.run = self._trial.plan
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._native, name)


def overwrites(run: Any) -> bool:
    """Whether what runs a graph may write into what is passed for its donated inputs: a plan."""
    return type(run) is Executable or type(run) is _Trial


class Compiled:
    """An optimised graph with its executor: the plan, until native code takes its place.

    run       what runs now: callers ask again at each call
    is_native whether that is native code
    """

    __slots__ = ("__weakref__", "graph", "is_native", "run")

    def __init__(self, graph: Graph, choice: bool | None, donated: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        choice = DEFAULT_CHOICE if choice is None else choice
        native = make_native(graph, graph.name) if choice else None
        self.run: Any = native
        self.is_native = native is not None
        if native is None:
            from runtime.backends.numpy_executor.executor import compile_graph

            plan = compile_graph(graph, donated)
            self.run = _Trial(self, plan) if choice is None and NATIVE_BY_DEFAULT else plan

    def _replace(self) -> None:
        """Native code for the plan, where there is a compiler, a rule for every operation, and it is faster."""
        from runtime.backends.native.compile import compile_native
        from runtime.backends.native.errors import NoCompilerError, Unsupported

        trial = self.run
        try:
            native = compile_native(self.graph, LazyPlan(self.graph), if_it_pays=True)
        except (NoCompilerError, Unsupported):
            self.run = trial.plan
            return
        self.run = _Contest(self, native, trial)

    def __call__(self, *arrays: Any) -> list[Any]:
        made: list[Any] = self.run(*arrays)
        return made
