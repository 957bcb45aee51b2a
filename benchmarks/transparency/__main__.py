"""python -m benchmarks.transparency: convert modules of the standard library and run CPython's own tests over them."""

import argparse
import json
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.table import markdown
from benchmarks.transparency.modules import BY_NAME, KNOWN, SUBJECTS
from benchmarks.transparency.speed import LIMIT, measure
from benchmarks.transparency.worker import MODES

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 1200  # seconds a module's tests may take


class Row(NamedTuple):
    """What the three runs of a module's tests gave.

    tests:      how many pass as they are
    different:  mode -> {test: error} of those that pass as they are and not so
    converted:  number of functions
    refused:    (name, error) of functions that were not converted
    ratio:      median time of a test inside a trace over its time as it is
    problem:    what kept the tests from running at all
    """

    name: str
    tests: int = 0
    different: dict[str, dict[str, str]] = {}
    converted: int = 0
    refused: tuple[tuple[str, str], ...] = ()
    ratio: float = float("nan")
    problem: str = ""

    def failures(self, mode: str) -> dict[str, str]:
        """The differences nobody has explained."""
        return {test: error for test, error in self.different.get(mode, {}).items() if test not in KNOWN}


def run(name: str) -> Row:
    """The three runs, each in a process of its own."""
    results: dict[str, Any] = {}
    for mode in MODES:
        command = [sys.executable, "-X", "frozen_modules=off", "-m", "benchmarks.transparency.worker", mode, name]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired:
            return Row(name, problem=f"{mode}: longer than {LONGEST} s")
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            return Row(name, problem=f"{mode}: {done.stderr[-3000:]}")
        results[mode] = json.loads(lines[-1])
    plain = results["plain"]
    passing = [test for test, error in plain["outcomes"].items() if not error]
    different = {
        mode: {test: error for test in passing if (error := results[mode]["outcomes"].get(test, "did not run"))}
        for mode in MODES[1:]
    }
    ratios = [
        results["traced"]["times"][test] / plain["times"][test]
        for test in passing if plain["times"].get(test, 0) > 1e-4 and test in results["traced"]["times"]
    ]
    refused = {tuple(refusal) for mode in MODES for refusal in results[mode]["refused"]}
    converted = max(results[mode]["converted"] for mode in MODES)
    ratio = statistics.median(ratios) if ratios else float("nan")
    return Row(name, len(passing), different, converted, tuple(sorted(refused)), ratio)


def table(rows: list[Row]) -> str:
    """A line for each module, and the totals."""
    header = ["module", "functions", "refused", "tests", "differ converted", "differ traced", "known", "time"]

    def line(name: str, of: list[Row], ratio: float) -> list[str]:
        known = {test for row in of for found in row.different.values() for test in found if test in KNOWN}
        return [
            name,
            str(sum(row.converted for row in of)),
            str(sum(len(row.refused) for row in of)),
            str(sum(row.tests for row in of)),
            str(sum(len(row.failures("converted")) for row in of)),
            str(sum(len(row.failures("traced")) for row in of)),
            str(len(known)),
            f"{ratio:.1f}x",
        ]

    known_ratios = [row.ratio for row in rows if row.ratio == row.ratio]
    total = line(f"{len(rows)} modules", rows, statistics.median(known_ratios or [float("nan")]))
    return markdown(header, [*(line(row.name, [row], row.ratio) for row in rows), total])


def main(arguments: list[str] | None = None) -> int:
    """Run, print; 1 where something differs that is not known to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transparency", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="which modules (default: all)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many at a time (default: 2)")
    parser.add_argument("--lines", type=int, default=12, metavar="N", help="lines shown of each difference")
    parser.add_argument("--speed", action="store_true", help="time programs without tensors instead")
    options = parser.parse_args(arguments)
    if options.speed:
        text, slow = measure(options.modules)
        print(text)
        if slow:
            print(f"\nSlower than {LIMIT:.0f} times Python inside a trace, or another result: {', '.join(slow)}")
        return int(bool(slow))
    if unknown := [name for name in options.modules if name not in BY_NAME]:
        parser.error(f"no such module here: {', '.join(unknown)}")
    if find_spec("test.support") is None:
        print("this Python comes without CPython's tests (the package `test`)")
        return 2
    names = options.modules or [subject.name for subject in SUBJECTS]
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(run, names))
    show_problems(rows, options.lines)
    print(table(rows))
    if found := {test for row in rows for tests in row.different.values() for test in tests if test in KNOWN}:
        print("\nKnown to differ:\n")
        for test in sorted(found):
            print(f"- {test}: {KNOWN[test]}")
    return int(any(row.problem or row.refused or any(row.failures(mode) for mode in MODES) for row in rows))


def show_problems(rows: list[Row], lines: int) -> None:
    """Every refusal and every difference, with the end of its traceback."""
    for row in rows:
        if row.problem:
            print(f"== {row.name}: {row.problem}")
        for name, error in row.refused:
            print(f"== {row.name}: refused {name}: {error}")
        for mode in MODES:
            for test, error in row.failures(mode).items():
                print(f"== {row.name}, {mode}: {test}", *error.strip().splitlines()[-lines:], sep="\n     ")


if __name__ == "__main__":
    sys.exit(main())
