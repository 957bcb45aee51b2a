"""Random programs over shared containers, staged, do what they do in plain Python, or are refused: never something else."""

import linecache

import pytest

import autograph as ag
from autograph.operators.state.aliases import HEAP
from autograph.staging import tracing
from tests.programs.random_containers import Box, Generator
from tests.programs.test_shared_containers import plain

CASES = (1, 2, 3)


def compiled(seed):
    source, name = Generator(seed).program(), f"<containers {seed}>"
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    namespace = {"Box": Box}
    exec(compile(source, name, "exec"), namespace)
    return namespace["f"]


@pytest.mark.parametrize("seed", range(12))
def test_random_program(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(12, 300), 325])
def test_more_random_programs(seed):
    check(seed)


@pytest.mark.parametrize("seed", range(12))
def test_lists_as_references_from_the_start(seed, monkeypatch):
    attempt = tracing._attempt

    def with_references(function, args, kwargs, name, names, notes, state, hints):
        hints.add(HEAP)
        return attempt(function, args, kwargs, name, names, notes, state, hints)

    monkeypatch.setattr(tracing, "_attempt", with_references)
    check(seed)


def check(seed):
    f = compiled(seed)
    try:
        want = [plain(f(n)) for n in CASES]
    except IndexError:
        return
    staged = ag.function(f)
    for n, one in zip(CASES, want, strict=True):
        try:
            got = plain(staged(ag.constant(n)))
        except ag.errors.OpError as error:
            assert "-" in str(error).partition("[")[2].partition("]")[0], error  # noqa: PT017
            return
        assert got == one
