"""python -m benchmarks: run the workloads and print a table of medians and ratios."""

import argparse
import fnmatch
import sys
import time
from pathlib import Path

from benchmarks import table
from benchmarks.harness import Harness
from benchmarks.results import OURS, machine, to_json
from benchmarks.workload import PEERS, Side, Workload, all_workloads, installed


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time the workloads.")
    parser.add_argument(
        "--peers", default="numpy", metavar="LIST",
        help=f"whom to run beside us: any of {','.join(PEERS)}, or all (default: numpy)",
    )
    parser.add_argument("--only", default="*", metavar="NAMES", help="workloads, with commas and wildcards")
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="samples of each (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the ratios there")
    parser.add_argument("--list", action="store_true", help="name the workloads and stop")
    options = parser.parse_args(arguments)
    options.peers = list(PEERS) if options.peers == "all" else [p for p in options.peers.split(",") if p]
    if unknown := [peer for peer in options.peers if peer not in PEERS]:
        parser.error(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    options.workloads = chosen(options.only)
    if not options.workloads:
        names = ", ".join(workload.name for workload in all_workloads())
        parser.error(f"no workload is called {options.only}; there are {names}")
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    return options


def chosen(only: str) -> list[Workload]:
    """The workloads whose name fits one of the patterns."""
    patterns = only.split(",")
    return [w for w in all_workloads() if any(fnmatch.fnmatchcase(w.name, p) for p in patterns)]


def present(workload: Workload, peers: list[str]) -> tuple[Side, ...]:
    """The sides of a workload that are to run and can."""
    return tuple(s for s in workload.sides() if s.package in ("autograph", *peers) and installed(s.package))


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; 1 where something of ours failed, else 0."""
    options = parse(arguments)
    if options.list:
        for workload in options.workloads:
            print(f"{workload.name:20} {workload.what}")
        return 0
    skipped = [peer for peer in options.peers if not installed(peer)]
    if skipped:
        print(f"not installed, skipped: {', '.join(skipped)}")

    def say(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    harness, rows = Harness(options.repeats, say), []
    try:
        for workload in options.workloads:
            start = time.perf_counter()
            rows.append(harness.run(workload, present(workload, options.peers)))
            say("")
            print(table.line(rows[-1], time.perf_counter() - start), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("\nstopped; this is what was done:")
    finally:
        harness.close()
    say("")

    table.show(rows)
    for problem in table.problems(rows):
        print(problem)
    place = machine(["autograph", *(peer for peer in options.peers if installed(peer))])
    if options.json:
        options.json.write_text(to_json(rows, place, skipped) + "\n", encoding="utf-8")
    if options.plot:
        table.plot(rows, options.plot)
    return int(any(row.cells[side].problem for row in rows for side in OURS if side in row.cells))


if __name__ == "__main__":
    sys.exit(main())
