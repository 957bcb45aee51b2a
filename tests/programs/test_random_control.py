"""Random programs of control flow, staged, do what they do in plain Python, or are refused by name: never something else."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import values
from tests.programs.random_control import GLOBALS, Generator, compiled
from tests.programs.test_random_programs import same


def check(seed):
    f = compiled(Generator(seed).program(), str(seed))
    staged = ag.function(f)
    numbers = np.random.default_rng(seed)
    for _ in range(4):
        x, y = map(float, numbers.uniform(-1, 1, 2))
        n, k = int(numbers.integers(0, 5)), int(numbers.integers(-3, 6))
        f.__globals__.update(GLOBALS)
        try:
            want = f(x, y, n, k)
        except Exception as error:
            want = error
        after = [f.__globals__[name] for name in GLOBALS]
        f.__globals__.update(GLOBALS)
        try:
            got = staged(*map(ag.constant, (np.float64(x), np.float64(y), np.int64(n), np.int64(k))))
        except Exception as error:
            if isinstance(error, ag.errors.OpError) and "-" in error.id:
                return
            assert isinstance(error, type(want))  # noqa: PT017 (what Python raises, this does)
            continue
        assert not isinstance(want, Exception), want
        alike(values(got), want)
        alike([values(f.__globals__[name]) for name in GLOBALS], after)


def alike(got, want):
    if isinstance(want, dict):
        assert list(got) == list(want)
        got, want = list(got.values()), list(want.values())
    same(got, want, 1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_random_program(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 300))
def test_more_random_programs(seed):
    check(seed)
