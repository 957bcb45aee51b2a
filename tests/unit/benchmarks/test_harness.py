"""The benchmarks' own logic, with clocks and workers that do what the test says: nothing here is timed."""

import json
import math

import numpy as np
import pytest

from benchmarks import table
from benchmarks.__main__ import chosen, main, parse, present
from benchmarks.harness import TIMING_LIMIT, Harness, disagreement, run_script
from benchmarks.results import Cell, Row, to_json
from benchmarks.worker import Desk, Worker, WorkerError, as_arrays, sample, warm_up
from benchmarks.workload import SIDES, Workload, all_workloads

STAGED, EAGER, NUMPY = (next(s for s in SIDES if s.name == name) for name in ("staged", "eager", "numpy"))


class Clock:
    """A clock that `work` moves on by a fixed time."""

    def __init__(self, cost, first=0.0):
        self.now, self.cost, self.first, self.calls = 0.0, cost, first, 0

    def __call__(self):
        return self.now

    def work(self):
        self.calls += 1
        self.now += self.cost + (self.first if self.calls == 1 else 0)


@pytest.mark.parametrize(("cost", "calls"), [(1e-6, 50_000), (1e-3, 50), (0.03, 2), (0.17, 1), (10.0, 1)])
def test_a_sample_takes_a_quarter_of_the_warm_up(cost, calls):
    clock = Clock(cost)
    assert warm_up(clock.work, 0.2, clock) == pytest.approx(calls, rel=0.01)


def test_warming_up_ends_where_a_call_takes_most_of_it():
    clock = Clock(0.17)
    warm_up(clock.work, 0.2, clock)
    assert clock.calls == 2


def test_a_slow_first_call_does_not_count():
    clock = Clock(1e-4, first=0.15)
    assert warm_up(clock.work, 0.2, clock) == pytest.approx(500, rel=0.01)


def test_a_sample_is_seconds_a_call():
    clock = Clock(0.25)
    assert sample(clock.work, 8, clock) == 0.25
    assert clock.calls == 8


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ((1.0, np.arange(3.0)), ""),
        ((1.0, np.array([0, 1, 2 + 1e-7])), ""),
        ((1.0, np.array([0, 1, 2.1])), "part 1: off by 0.1 of 2"),
        ((math.nan, np.arange(3.0)), "part 0: off by nan of 1"),
        ((1.0, np.arange(4.0)), "part 1: shape (4,), not (3,)"),
        ((1.0,), "1 parts, not 2"),
        (1.0, "one is a tuple, the other is not"),
    ],
)
def test_disagreement(result, said):
    assert disagreement(as_arrays(result), as_arrays((1.0, np.arange(3.0))), 1e-6) == said


class FakeWorker:
    """Answers as its table says; remembers what it was asked."""

    def __init__(self, log, results, broken=()):
        self.log, self.results, self.broken = log, results, broken

    def ask(self, command, *arguments, limit=None):
        side = arguments[1] if command == "build" else arguments[0]
        self.log.append((command, side))
        if (command, side) in self.broken:
            raise WorkerError("it fell over")
        return {"build": (0.5, self.results.get(side)), "warm_up": 3, "sample": 0.125, "drop": None}[command]


class Nothing(Workload):
    name, what = "nothing", "does nothing"

    def autograph(self, stage):
        return lambda: 1.0

    def numpy(self):
        return lambda: 1.0


def run_with(monkeypatch, results, broken=(), repeats=2):
    log = []
    harness = Harness(repeats)
    monkeypatch.setattr(harness, "worker", lambda side: FakeWorker(log, results, broken))
    return harness.run(Nothing(), (STAGED, EAGER, NUMPY)), log


ONES = {name: np.float64(1) for name in ("staged", "eager", "numpy")}


def test_sides_take_turns_within_a_repeat(monkeypatch):
    row, log = run_with(monkeypatch, ONES)
    assert [side for command, side in log if command == "sample"] == ["staged", "eager", "numpy"] * 2
    assert row.cells["staged"].samples == [0.125, 0.125]


def test_results_are_compared_before_anything_is_timed(monkeypatch):
    row, log = run_with(monkeypatch, ONES | {"staged": np.float64(2)})
    assert row.cells["staged"].problem == "not numpy's result: off by 1 of 1"
    assert ("warm_up", "staged") not in log
    assert row.cells["eager"].samples


@pytest.mark.parametrize("command", ["build", "warm_up", "sample"])
def test_one_side_failing_leaves_the_others(monkeypatch, command):
    row, _ = run_with(monkeypatch, ONES, broken={(command, "eager")})
    assert row.cells["eager"] == Cell([], "it fell over")
    assert len(row.cells["staged"].samples) == len(row.cells["numpy"].samples) == 2


def test_repeats_end_when_the_time_is_up(monkeypatch):
    clock = Clock(TIMING_LIMIT / 4)

    class Slow(FakeWorker):
        def ask(self, command, *arguments, limit=None):
            if command == "sample":
                clock.work()
            return super().ask(command, *arguments, limit=limit)

    harness = Harness(7, clock=clock)
    monkeypatch.setattr(harness, "worker", lambda side: Slow([], ONES))
    row = harness.run(Nothing(), (STAGED, NUMPY))
    assert [len(cell.samples) for cell in row.cells.values()] == [3, 3]


def test_what_is_not_time_is_measured_once_and_shown_with_its_unit():
    class Weight(Workload):
        name, what, kind = "weight", "a number", "megabytes"

        def numpy(self):
            return lambda: "print(12.4)"

    row = Harness(3).run(Weight(), (NUMPY,))
    assert row.cells["numpy"].samples == [12.4]
    assert table.median(row, "numpy") == "12 MB"


def test_what_takes_too_long_is_ended_and_said():
    with Worker("numpy") as worker:
        worker.ask("build", "call_scalar", "numpy", limit=60)
        with pytest.raises(WorkerError, match=r"^warm_up took longer than 0\.2 s$"):
            worker.ask("warm_up", "numpy", 30.0, limit=0.2)
        assert not worker.process.is_alive()


def test_a_desk_builds_calls_and_forgets():
    desk = Desk("numpy")
    _, result = desk.build("call_scalar", "numpy")
    assert result == np.float32(3.5)
    assert desk.warm_up("numpy", 1e-4) >= 1
    assert desk.sample("numpy", 10) > 0
    desk.drop("numpy")
    assert not desk.thunks


def test_scripts_print_seconds_or_say_why_not():
    assert run_script("print('hello'); print(0.5)") == 0.5
    with pytest.raises(WorkerError, match="ZeroDivisionError"):
        run_script("1 / 0")


def row(name, **cells):
    return Row(name, "", cells)


def rows():
    return [
        row("one", staged=Cell([1e-3, 3e-3, 2e-3]), eager=Cell([1e-2]), numpy=Cell([1e-3]), jax=Cell([5e-4])),
        row("two", staged=Cell([], "broke"), numpy=Cell([2e-6])),
    ]


def test_a_row_knows_its_ratios_and_best_peer():
    one, two = rows()
    assert one.median("staged") == 2e-3
    assert one.ratio("eager", "staged") == 5
    assert one.best_peer() == "jax"
    assert math.isnan(two.ratio("staged", "numpy"))


def test_the_table_reads_as_markdown():
    assert table.markdown(*table.header_and_lines(rows())).splitlines() == [
        "| workload |  staged |   eager |   numpy |    jax | eager / staged | staged / numpy | staged / best peer |",
        "| -------- | ------: | ------: | ------: | -----: | -------------: | -------------: | -----------------: |",
        "| one      | 2.00 ms | 10.0 ms | 1.00 ms | 500 us |           5.00 |           2.00 |         4.00 (jax) |",
        "| two      |  failed |         | 2.00 us |        |                |                |                    |",
    ]
    assert table.problems(rows()) == ["two, staged: broke"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.5e-8, "25.0 ns"), (0.99996e-3, "1.00 ms"), (1.234e-5, "12.3 us"), (0.5, "500 ms"), (61.0, "61.0 s")],
)
def test_seconds(value, text):
    assert table.seconds(value) == text


def test_json_has_every_sample_and_no_nan():
    run = json.loads(to_json(rows(), {"cores": 2}, ["torch"]), parse_constant=pytest.fail)
    assert run["skipped"] == ["torch"]
    one, two = run["workloads"]
    assert one["sides"]["staged"] == {"median": 2e-3, "samples": [1e-3, 3e-3, 2e-3], "problem": None}
    assert two["sides"]["staged"]["median"] is None


def test_a_picture_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    table.plot(rows(), tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


def test_workloads_have_names_of_their_own_and_our_side():
    names = [workload.name for workload in all_workloads()]
    assert len(set(names)) == len(names)
    for workload in all_workloads():
        sides = [side.name for side in workload.sides()]
        assert "staged" in sides
        assert len(sides) > 1
        assert workload.what


def test_workloads_are_chosen_by_patterns():
    assert [workload.name for workload in chosen("call_*,collatz_97")] == ["call_scalar", "call_3vec8", "collatz_97"]


def test_only_asked_and_installed_peers_run(monkeypatch):
    monkeypatch.setattr("benchmarks.__main__.installed", lambda package: package != "jax")
    sides = present(chosen("call_scalar")[0], ["jax", "torch"])
    assert [side.name for side in sides] == ["staged", "plan", "eager", "torch"]


@pytest.mark.parametrize("arguments", [["--peers", "abacus"], ["--only", "nosuch"], ["--repeats", "0"]])
def test_what_is_not_there_is_one_message(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_the_list(capsys):
    assert main(["--list", "--only", "call_*"]) == 0
    assert capsys.readouterr().out.split()[0] == "call_scalar"
