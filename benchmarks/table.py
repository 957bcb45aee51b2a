"""Show a run: a table (in colours where rich is installed and a person watches), and bars in a picture."""

import importlib.util
import math
import sys
from pathlib import Path

from benchmarks.results import Row
from benchmarks.workload import SIDES


def seconds(value: float) -> str:
    """Three digits and a unit: 0.00123 is "1.23 ms"."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if value >= 0.9995 * scale or unit == "ns":
            number = value / scale
            return f"{number:.{max(0, 2 - math.floor(math.log10(max(number, 1))))}f} {unit}"
    return ""


def ratio(value: float) -> str:
    """Two or three digits; nothing for NaN."""
    if math.isnan(value):
        return ""
    return f"{value:.2f}" if 0.1 <= value < 10 else f"{value:.3g}"


def header_and_lines(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """The table as text: medians of all sides, then our ratios."""
    used = [side.name for side in SIDES if any(side.name in row.cells for row in rows)]
    header = ["workload", *used, "eager / staged", "staged / numpy", "staged / best peer"]
    lines = []
    for row in rows:
        best = row.best_peer()
        lines.append([
            row.name,
            *(median(row, name) for name in used),
            ratio(row.ratio("eager", "staged")),
            ratio(row.ratio("staged", "numpy")),
            f"{ratio(row.ratio('staged', best))} ({best})" if best and row.median("staged") > 0 else "",
        ])
    return header, lines


def line(row: Row, took: float) -> str:
    """What is said of a workload when it is done, before the table: medians of its sides."""
    cells = "  ".join(f"{name} {median(row, name)}" for name in row.cells)
    return f"{row.name:16} {took:5.1f} s   {cells}"


def median(row: Row, side: str) -> str:
    """One cell: the median, "failed", or nothing where the side has no version."""
    cell = row.cells.get(side)
    if cell is None:
        return ""
    if not cell.samples:
        return "failed"
    return seconds(cell.median) if row.unit == "s" else f"{cell.median:.0f} {row.unit}"


def problems(rows: list[Row]) -> list[str]:
    """A line for everything that failed or disagreed."""
    return [
        f"{row.name}, {name}: {cell.problem}"
        for row in rows for name, cell in row.cells.items() if cell.problem
    ]


def show(rows: list[Row]) -> None:
    """Print the table: for a person with rich, or else as Markdown that reads as plain text."""
    header, lines = header_and_lines(rows)
    if sys.stdout.isatty() and importlib.util.find_spec("rich"):
        from rich.console import Console
        from rich.table import Table

        table = Table()
        for i, name in enumerate(header):
            table.add_column(name, justify="right" if i else "left", style="bold" if name == "staged" else "")
        for line in lines:
            table.add_row(*line)
        Console().print(table)
    else:
        print(markdown(header, lines))


def markdown(header: list[str], lines: list[list[str]]) -> str:
    """An aligned Markdown table."""
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]

    def row(cells: list[str]) -> str:
        padded = [cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * w if not i else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([row(header), row(rule), *map(row, lines)])


def plot(rows: list[Row], path: Path) -> None:
    """A picture: how many times as long as staged every other side takes, on a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    rows = [row for row in rows if row.median("staged") > 0 and row.unit == "s"]
    names = [side.name for side in SIDES if side.name != "staged"]
    names = [name for name in names if any(row.median(name) > 0 for row in rows)]
    figure, axes = plt.subplots(figsize=(9, 1.8 + 0.4 * len(rows)), layout="constrained")
    axes.axvline(1, color="black", linewidth=1)
    for name in names:
        axes.plot([row.ratio(name, "staged") for row in rows], range(len(rows)), "o", label=name, alpha=0.8)
    axes.set_yticks(range(len(rows)), [f"{row.name}  {seconds(row.median('staged'))}" for row in rows])
    axes.set_xscale("log")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(alpha=0.3)
    axes.set(xlabel="time, in times of staged (right of the line: staged is faster)")
    figure.suptitle("python -m benchmarks")
    figure.legend(loc="outside lower center", ncols=len(names))
    figure.savefig(path, dpi=120)
    plt.close(figure)
