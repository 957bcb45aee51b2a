"""The binomial schedule: where checkpoints stand, and how often steps run."""

import math

import numpy as np
import pytest

from runtime.grad.checkpoint import split
from tests.unit.grad.interpret import build, run


def _split(graph, blocks, places):
    return int(run(graph, [np.int64(blocks), np.int64(places)])[0])


def _runs(graph, blocks, places, known):
    """Blocks run forwards to take all of them back, the last run of each, which saves, not counted."""
    if blocks == 1:
        return 0
    key = blocks, places
    if key not in known:
        ahead = _split(graph, blocks, places)
        assert 1 <= ahead < blocks
        behind = _runs(graph, blocks - ahead, places - 1, known) if places > 1 else 0
        assert places > 1 or blocks - ahead == 1
        known[key] = ahead + behind + _runs(graph, ahead, places, known)
    return known[key]


def _fewest(blocks, places):
    """Griewank and Walther: r * blocks - C(places + r, r - 1), for the smallest r with C(places + r, places) >= blocks."""
    r = 0
    while math.comb(places + r, places) < blocks:
        r += 1
    return r * blocks - math.comb(places + r, r - 1) if r else 0


@pytest.mark.parametrize("places", [1, 2, 3, 5, 8, 40])
def test_no_schedule_runs_fewer_steps(places):
    graph = build(split, np.int64(1), np.int64(1))
    known = {}
    for blocks in (1, 2, 3, 4, 5, 7, 10, 16, 33, 60):
        assert _runs(graph, blocks, places, known) == _fewest(blocks, places)
