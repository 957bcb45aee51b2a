"""What a run found: samples of every side of every workload, and the same as JSON."""

import datetime as dt
import json
import math
import os
import platform
import statistics
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

OURS = ("staged", "plan", "eager")  # the sides that are not peers'


@dataclass
class Cell:
    """One side of one workload: seconds a call in every repeat, or why there are none."""

    samples: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def median(self) -> float:
        """Median seconds, NaN where there are none."""
        return statistics.median(self.samples) if self.samples else math.nan


@dataclass
class Row:
    """One workload: its cells by the name of the side."""

    name: str
    what: str
    cells: dict[str, Cell] = field(default_factory=dict)
    unit: str = "s"

    def median(self, side: str) -> float:
        """Median seconds of a side, NaN where it has none."""
        return self.cells[side].median if side in self.cells else math.nan

    def ratio(self, side: str, other: str) -> float:
        """How many times as long as `other` a side takes."""
        return self.median(side) / self.median(other)

    def best_peer(self) -> str | None:
        """The fastest side that is not ours, or None where nobody else was timed."""
        timed = {n: c.median for n, c in self.cells.items() if n not in OURS and c.samples}
        return min(timed, key=timed.__getitem__) if timed else None


def machine(packages: list[str]) -> dict[str, object]:
    """Where and with which versions a run was made."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from its source tree
            versions[package] = "source"
    return {
        "date": dt.datetime.now().astimezone().date().isoformat(),
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
    }


def to_json(rows: list[Row], place: dict[str, object], skipped: list[str]) -> str:
    """The run as JSON: machine, skipped peers, and per workload and side median and samples in seconds."""
    return json.dumps(
        {
            "machine": place,
            "skipped": skipped,
            "workloads": [
                {
                    "name": row.name,
                    "what": row.what,
                    "unit": row.unit,
                    "best_peer": row.best_peer(),
                    "sides": {
                        name: {
                            "median": cell.median if cell.samples else None,
                            "samples": cell.samples,
                            "problem": cell.problem or None,
                        }
                        for name, cell in row.cells.items()
                    },
                }
                for row in rows
            ],
        },
        indent=1,
    )
