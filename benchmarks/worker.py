"""The process one side runs in, and our end of the pipe to it.

Every library has a process of its own, and every side of one: imported together they fight over threads, allocators and
signal handlers, and a crash of one would be everybody's. The processes take turns: at any moment one
of them works and the others wait on their pipes.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.workload import SIDES, Thunk, find_workload


class WorkerError(Exception):
    """What went wrong in the other process, in one line."""


class Worker:
    """A process that builds and times versions of workloads for one package."""

    def __init__(self, package: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.log = tempfile.NamedTemporaryFile(suffix=".log")  # noqa: SIM115 - lives as long as the worker
        self.process = context.Process(target=serve, args=(theirs, package, self.log.name, bytecode().name), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, command: str, *arguments: object, limit: float | None = None) -> Any:
        """Run a command there (a method of `Desk`) and return what it returns, or raise WorkerError.

        What takes longer than `limit` seconds is an error too, and the end of the process.
        """
        try:
            self.pipe.send((command, arguments))
            if not self.pipe.poll(limit):
                self.process.kill()
                self.process.join(timeout=5)
                raise WorkerError(f"{command} took longer than {limit:g} s")
            done, answer = self.pipe.recv()
        except (EOFError, OSError) as error:
            self.process.join(timeout=5)
            last = Path(self.log.name).read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise WorkerError(f"its process died: {[self.process.exitcode, *last]}") from error
        if not done:
            raise WorkerError(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self.process.join(timeout=5)
        if self.process.is_alive():
            self.process.kill()
        self.log.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@cache
def bytecode() -> "tempfile.TemporaryDirectory[str]":
    """Where this package's bytecode files are meanwhile: what is installed has some, and so have the peers."""
    return tempfile.TemporaryDirectory(prefix="bytecode-")


def serve(pipe: Connection, package: str, log: str, bytecode: str) -> None:
    """The other process: answer commands until told to stop. What libraries say on stderr goes to a log."""
    if package == "autograph":
        sys.dont_write_bytecode, sys.pycache_prefix = False, bytecode
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(log, "wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    desk = Desk(package)
    while (message := pipe.recv()) is not None:
        command, arguments = message
        try:
            answer = True, getattr(desk, command)(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, the table says so
            answer = False, f"{type(error).__name__}: {in_one_line(str(error))}"
        pipe.send(answer)


def in_one_line(message: str) -> str:
    """The first line of a message, or, where that announces the others, the last."""
    lines = message.strip().splitlines() or ["-"]
    return lines[-1].strip() if lines[0].endswith(":") else lines[0]


REST = 0.15  # seconds


class Desk:
    """What a worker can be asked to do."""

    def __init__(self, package: str) -> None:
        importlib.import_module(package)
        self.thunks: dict[str, Thunk] = {}

    def build(self, workload: str, side: str) -> tuple[float, Any]:
        """Build a version and call it; return how long that took, and the result to compare."""
        work = find_workload(workload)
        version = next(s for s in SIDES if s.name == side)
        start = time.perf_counter()
        thunk = self.thunks[side] = work.build(version)
        result = thunk()
        seconds = time.perf_counter() - start
        for _ in range(work.compared_call - 1):
            result = thunk()
        return seconds, as_arrays(work.compared(as_arrays(result)))

    def warm_up(self, side: str, seconds: float) -> int:
        """Call for a while; return how many calls make a sample long enough to time."""
        return warm_up(self.thunks[side], seconds)

    def sample(self, side: str, calls: int) -> float:
        """Seconds a call, over so many, when the threads of whoever was measured before have gone to sleep.

        OpenBLAS's wait in a loop for a tenth of a second: two of them and we are three on two cores.
        """
        time.sleep(REST)
        self.thunks[side]()  # wakes our own
        return sample(self.thunks[side], calls)

    def drop(self, side: str) -> None:
        """Forget a version and what it holds."""
        self.thunks.pop(side, None)
        gc.collect()


def warm_up(thunk: Thunk, seconds: float, clock: Callable[[], float] = time.perf_counter) -> int:
    """Call for `seconds` and, unless one call takes longer, at least twice; return how many calls take a quarter of
    that, at least 1.

    The number comes from the last, longest run of calls: the first may compile, fill caches, or wake threads.
    """
    calls, runs, end = 1, 0, clock() + seconds
    while True:
        start = clock()
        for _ in range(calls):
            thunk()
        now = clock()
        elapsed, runs = now - start, runs + 1
        if elapsed >= seconds or (now >= end and runs > 1):
            return max(1, round(calls * seconds / 4 / elapsed))
        if elapsed < seconds / 4:
            calls *= 2


def sample(thunk: Thunk, calls: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds a call, over so many, without the garbage collector."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for _ in range(calls):
            thunk()
        return (clock() - start) / calls
    finally:
        if collecting:
            gc.enable()


def as_arrays(result: object) -> Any:
    """A result as nested tuples of NumPy arrays, whatever library made it."""
    import numpy as np

    if isinstance(result, tuple | list):
        return tuple(as_arrays(part) for part in result)
    return np.asarray(result.numpy() if hasattr(result, "numpy") else result)
