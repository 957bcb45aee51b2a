"""Run workloads: build every side, compare the results, then time the sides in turns."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.results import Cell, Row
from benchmarks.worker import Worker, WorkerError
from benchmarks.workload import Side, Workload

Say = Callable[[str], None]
# Seconds.
WARM_UP = 0.2
BUILD_LIMIT = 60.0  # of building a version and its first call,
CALL_LIMIT = 30.0  # of warming it up, or of one sample,
TIMING_LIMIT = 12.0  # and of all samples of all sides: then the repeats end, be they as few as
FEWEST_REPEATS = 3  # (or one, where that takes twice as long)


class Harness:
    """Workers by side, started when first needed; each workload's repeats interleave its sides."""

    def __init__(
        self, repeats: int = 7, say: Say = lambda _: None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.repeats = repeats
        self.clock = clock
        self.say = say
        self.workers: dict[str, Worker] = {}

    def run(self, workload: Workload, sides: tuple[Side, ...]) -> Row:
        """Time the sides of a workload; what fails or disagrees is said in its cell and not timed."""
        unit = "MB" if workload.kind == "megabytes" else "s"
        row = Row(workload.name, workload.what, {side.name: Cell() for side in sides}, unit)
        ways = {"call": self.time_calls, "first": self.time_first_calls, "script": self.time_scripts}
        ways.get(workload.kind, self.measure_once)(workload, row, sides)
        return row

    def time_calls(self, workload: Workload, row: Row, sides: tuple[Side, ...]) -> None:
        """Build, compare, warm up, then time calls of every side in turns."""
        built = self.each(
            row, sides, "building", lambda s: self.worker(s).ask("build", row.name, s.name, limit=BUILD_LIMIT)
        )
        self.judge(workload, row, {name: result for name, (_, result) in built.items()})
        calls = self.each(
            row, sides, "warming up",
            lambda side: self.worker(side).ask("warm_up", side.name, WARM_UP, limit=CALL_LIMIT),
        )
        self.time(
            row, sides,
            lambda side: self.worker(side).ask("sample", side.name, calls[side.name], limit=CALL_LIMIT),
        )
        self.each(row, sides, "dropping", lambda side: self.worker(side).ask("drop", side.name))

    def time_first_calls(self, workload: Workload, row: Row, sides: tuple[Side, ...]) -> None:
        """Time building and the first call, in a fresh process for every repeat; the first reads the disk, uncounted."""
        results = {}

        def first(side: Side) -> float:
            with Worker(side.package) as worker:
                seconds, results[side.name] = worker.ask("build", workload.name, side.name, limit=BUILD_LIMIT)
            return float(seconds)

        self.each(row, sides, "warming up", first)
        self.time(row, sides, first)
        self.judge(workload, row, results)

    def time_scripts(self, workload: Workload, row: Row, sides: tuple[Side, ...]) -> None:
        """Let programs time themselves; the first run of each is not counted, it reads the disk."""
        scripts = {side.name: str(workload.build(side)()) for side in sides}
        self.each(row, sides, "warming up", lambda side: run_script(scripts[side.name]))
        self.time(row, sides, lambda side: run_script(scripts[side.name]))

    def measure_once(self, workload: Workload, row: Row, sides: tuple[Side, ...]) -> None:
        """Let programs measure something that is not time: once, it does not vary."""
        for name, found in self.each(
            row, sides, "measuring", lambda side: run_script(str(workload.build(side)()))
        ).items():
            row.cells[name].samples.append(found)

    def time(self, row: Row, sides: tuple[Side, ...], measure: Callable[[Side], float]) -> None:
        """Every repeat goes round all sides, so that a slow second of the machine hits them all."""
        end = self.clock() + TIMING_LIMIT
        for repeat in range(1, self.repeats + 1):
            late = self.clock() - end
            if late > 0 and (repeat > FEWEST_REPEATS or (repeat > 1 and late > TIMING_LIMIT)):
                return
            for name, seconds in self.each(row, sides, f"repeat {repeat}", measure).items():
                row.cells[name].samples.append(seconds)

    def each(
        self, row: Row, sides: tuple[Side, ...], what: str, do: Callable[[Side], Any]
    ) -> dict[str, Any]:
        """Do something for every side with which nothing is wrong yet; note what goes wrong."""
        answers = {}
        for side in sides:
            cell = row.cells[side.name]
            if cell.problem:
                continue
            self.say(f"{row.name}: {what} {side.name}")
            try:
                answers[side.name] = do(side)
            except WorkerError as error:
                cell.problem = str(error)
                cell.samples.clear()
        return answers

    def judge(self, workload: Workload, row: Row, results: dict[str, Any]) -> None:
        """Note in its cell whoever's result is not that of the NumPy version (or else of the first)."""
        reference = "numpy" if "numpy" in results else next(iter(results), "")
        for name, result in results.items():
            difference = disagreement(result, results[reference], workload.tolerance)
            if difference:
                row.cells[name].problem = f"not {reference}'s result: {difference}"
                row.cells[name].samples.clear()

    def worker(self, side: Side) -> Worker:
        """The process of a side: one that is ended for being slow takes no other with it."""
        worker = self.workers.get(side.name)
        if worker is None or not worker.process.is_alive():
            worker = self.workers[side.name] = Worker(side.package)
        return worker

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers.values():
            worker.close()
        self.workers.clear()


def disagreement(result: Any, reference: Any, tolerance: float) -> str:
    """How two results (nested tuples of arrays) differ by more than the tolerance, or "" if they don't."""
    import numpy as np

    if isinstance(result, tuple) != isinstance(reference, tuple):
        return "one is a tuple, the other is not"
    if isinstance(result, tuple):
        if len(result) != len(reference):
            return f"{len(result)} parts, not {len(reference)}"
        parts = (disagreement(*pair, tolerance) for pair in zip(result, reference, strict=True))
        return next((f"part {i}: {part}" for i, part in enumerate(parts) if part), "")
    if result.shape != reference.shape:
        return f"shape {result.shape}, not {reference.shape}"
    ours, theirs = result.astype(np.float64), reference.astype(np.float64)
    scale = np.max(np.abs(theirs), initial=0.0)
    off = np.max(np.abs(ours - theirs), initial=0.0)
    # Written so that a NaN on either side is a disagreement.
    return "" if off <= tolerance * scale else f"off by {off:.3g} of {scale:.3g}"


def run_script(source: str) -> float:
    """Run a program in a fresh interpreter; it prints seconds as its last line."""
    try:
        run = subprocess.run(
            [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=BUILD_LIMIT
        )
    except subprocess.TimeoutExpired:
        raise WorkerError(f"it took longer than {BUILD_LIMIT:g} s") from None
    lines = run.stdout.split() if run.returncode == 0 else []
    if not lines:
        raise WorkerError((run.stderr.strip().splitlines() or ["it printed nothing"])[-1])
    return float(lines[-1])
