"""How fast converted Python without tensors runs: python -m benchmarks.transparency --speed.

Each program runs as plain Python, converted where nothing is traced, and converted inside an active trace, each in a
process of its own. Programs are those of `programs.py`, and modules of the standard library over real inputs.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.table import markdown

MODES = ("plain", "converted", "traced")
LIMIT = 10.0  # what a trace may cost, times plain Python
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 0.3  # for each program and mode
LEAST = 1e-3  # seconds a measured call takes as plain Python


def library() -> dict[str, Callable[[], Any]]:
    """Work for pure-Python modules of the standard library; their functions are converted in place."""
    import colorsys
    import configparser
    import difflib
    import fractions
    import heapq
    import html.parser
    import json.decoder
    import json.encoder
    import json.scanner
    import shlex
    import statistics
    import textwrap
    import tomllib

    prose = (ROOT / "README.md").read_text()
    lines = prose.splitlines()
    numbers = [((i * 7919) % 1009) / 7 for i in range(80)]
    rows = [{"id": i, "name": f"n{i}", "values": [i, i / 3, None, True]} for i in range(12)]
    document = {"title": prose[:60], "rows": rows}
    document_text = json.dumps(document)
    settings = "[a]\nx = 1\ny = %(x)s2\n[b]\nlong = one\n  two\n" + "\n".join(f"[s{i}]\nk{i} = {i}" for i in range(12))
    toml = 'title = "x"\n[owner]\nname = "y"\nlist = [1, 2.5, "a"]\n'
    toml += "\n".join(f"[t{i}]\nk = {{a = {i}}}" for i in range(8))

    def decode() -> Any:
        decoder = json.decoder.JSONDecoder()
        decoder.parse_string = json.decoder.py_scanstring  # type: ignore[attr-defined]
        decoder.scan_once = json.scanner.py_make_scanner(decoder)  # type: ignore[attr-defined]
        return decoder.decode(document_text)

    def parse_html() -> int:
        parser = html.parser.HTMLParser()
        parser.feed("<html><body class='x'>text &amp; more<p>line<br/>" * 8)
        return parser.getpos()[1]

    def parse_settings() -> str:
        parser = configparser.ConfigParser()
        parser.read_string(settings)
        return parser.get("a", "y")

    def sums() -> fractions.Fraction:
        return sum((fractions.Fraction(1, n) for n in range(1, 40)), fractions.Fraction(0))

    return {
        "statistics": lambda: (
            statistics.mean(numbers), statistics.stdev(numbers), statistics.quantiles(numbers),
            statistics.linear_regression(numbers, numbers[::-1]),
        ),
        "difflib": lambda: list(difflib.unified_diff(lines[:30], lines[3:33])),
        "heapq": lambda: (heapq.nsmallest(9, numbers, key=lambda x: -x), list(heapq.merge(numbers, numbers[::-1]))),
        "json encoder": lambda: json.dumps(document, indent=2),
        "json decoder": decode,
        "textwrap": lambda: textwrap.fill(prose[:1500], 60),
        "shlex": lambda: shlex.split("run --option='a b' \"c d\" e\\ f | more " * 4),
        "html.parser": parse_html,
        "configparser": parse_settings,
        "fractions": sums,
        "tomllib": lambda: tomllib.loads(toml),
        "colorsys": lambda: [colorsys.hsv_to_rgb(*colorsys.rgb_to_hsv(i / 60, 0.3, 1 - i / 60)) for i in range(60)],
    }  # fmt: skip


LIBRARY = (
    "statistics", "difflib", "heapq", "json encoder", "json decoder", "textwrap", "shlex", "html.parser", "configparser",
    "fractions", "tomllib", "colorsys",
)  # fmt: skip
CONVERTED = (
    "statistics difflib heapq json json.decoder json.encoder json.scanner textwrap shlex html.parser _markupbase"
    " configparser fractions tomllib tomllib._parser tomllib._re colorsys"
).split()


def timed(run: Callable[[], Any]) -> float:
    """The processor time of a call in seconds, after warming up: the least, as all else that goes on only adds to it."""
    run()
    run()
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < 5 or time.perf_counter() < end:
        started = time.thread_time()
        run()
        times.append(time.thread_time() - started)
    return min(times)


def worker(mode: str, counts: dict[str, int]) -> None:
    """Print name -> [seconds, result, how many times a program runs in one measured call] as JSON."""
    import autograph as ag
    from autograph.staging.tracing import trace_function
    from benchmarks.transparency.programs import PROGRAMS
    from benchmarks.transparency.replace import Replacer
    from runtime.tensor.trace import Trace, tracing

    if mode != "plain":
        Replacer(CONVERTED).install()
    found: dict[str, tuple[float, str, int]] = {}
    for name, work in {**PROGRAMS, **library()}.items():
        if name not in counts:
            continue
        count = counts[name] or max(1, round(LEAST / timed(work)))

        def several(work: Callable[[], Any] = work, count: int = count) -> Any:
            result = None
            for _ in range(count):
                result = work()
            return result

        if mode == "plain":
            found[name] = timed(several) / count, repr(several()), count
            continue
        made = ag.autograph.to_graph(several)
        if mode == "converted":
            found[name] = timed(made) / count, repr(made()), count
            continue
        with tracing(Trace(name)) as trace:
            trace.journal.append({})
            result = repr(made())

        def traced(made: Callable[[], Any] = made) -> None:
            trace_function(made, (), {}, "traced", [], False)

        found[name] = timed(traced) / count, result, count
    print(json.dumps(found))


def measure(names: list[str]) -> tuple[str, list[str]]:
    """The table, and the names of programs that are slower inside a trace than the limit, or give something else."""
    from benchmarks.transparency.programs import PROGRAMS

    results: dict[str, dict[str, tuple[float, str, int]]] = {}
    counts = dict.fromkeys(names or [*PROGRAMS, *LIBRARY], 0)
    for mode in MODES:
        arguments = [mode, json.dumps(counts)]
        command = [sys.executable, "-X", "frozen_modules=off", "-m", "benchmarks.transparency.speed", *arguments]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        results[mode] = json.loads(done.stdout.splitlines()[-1])
        counts = {name: count for name, (_, _, count) in results[mode].items()}
    rows, bad, ratios = [], [], []
    for name, (plain, expected, _) in results["plain"].items():
        converted, traced = results["converted"][name], results["traced"][name]
        ratios.append(traced[0] / plain)
        rows.append([name, f"{plain * 1e3:.2f} ms", f"{converted[0] / plain:.1f}x", f"{traced[0] / plain:.1f}x"])
        if ratios[-1] > LIMIT or {converted[1], traced[1]} != {expected}:
            bad.append(name)
    rows.append([f"median of {len(rows)}", "", "", f"{statistics.median(ratios):.1f}x"])
    return markdown(["program", "Python", "converted", "inside a trace"], rows), bad


if __name__ == "__main__":
    worker(sys.argv[1], json.loads(sys.argv[2]))
