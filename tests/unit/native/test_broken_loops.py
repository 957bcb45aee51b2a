"""Elementwise loops that a `break` ends when a mask is empty: block by block where that changes nothing."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native.lower.lanes import turns_of
from tests.unit.native.both import check

X, Y = np.meshgrid(np.linspace(-2, 0.7, 45, dtype=np.float32), np.linspace(-1.2, 1.2, 37, dtype=np.float32))
INSIDE = np.full((37, 45), 0.1, np.float32)  # of points that all go on to the last turn
OUTSIDE = np.full((37, 45), 3.0, np.float32)  # of points that all end in the first


def masked(x, y):
    re, im = ag.zeros_like(x), ag.zeros_like(x)
    count, live = ag.zeros_like(x, dtype=ag.int32), ag.ones_like(x, dtype=ag.bool)
    for _ in ag.range(40):
        re, im = ag.where(live, re * re - im * im + x, re), ag.where(live, 2 * re * im + y, im)
        live = live & (re * re + im * im <= 4.0)
        if not ag.reduce_any(live):
            break
        count = count + ag.cast(live, ag.int32)
    return count, re, im, live


def asked_before(x, y):
    re, im, count = ag.zeros_like(x), ag.zeros_like(x), ag.zeros_like(x, dtype=ag.int32)
    for _ in ag.range(40):
        live = re * re + im * im <= 4.0
        if ag.reduce_sum(ag.cast(live, ag.int32)) == 0:
            break
        new = re * re - im * im + x
        im = ag.where(live, 2 * re * im + y, im)
        re = ag.where(live, new, re)
        count += ag.cast(re * re + im * im <= 4.0, ag.int32)
    return count, re, im


def asked_after(x, y):
    re, im, count = ag.zeros_like(x), ag.zeros_like(x), ag.zeros_like(x)
    for _ in ag.range(40):
        inside = re * re + im * im <= 4.0
        re, im = ag.where(inside, re * re - im * im + x, re), ag.where(inside, 2 * re * im + y, im)
        inside = re * re + im * im <= 4.0
        count += ag.cast(inside, ag.float32)
        if 0 < ag.reduce_max(ag.cast(inside, ag.int32)):
            pass
        else:
            break
    return count, re, im


def all_escaped(x, y):
    re, im, count = x, y, ag.fill(ag.shape(x), 40)
    gone = ag.zeros_like(x, dtype=ag.bool)
    i = 0
    while i < 40:
        gone = gone | (re * re + im * im > 4.0)
        if ag.reduce_all(gone):
            break
        count = ag.where(gone, count, i)
        re, im = ag.where(gone, re, re * re - im * im + x), ag.where(gone, im, 2 * re * im + y)
        i += 1
    return count, re, im


def counts_the_dead(x, y):
    re, im, count = x, y, ag.zeros_like(x)
    for _ in ag.range(40):
        live = re * re + im * im <= 4.0
        if not ag.reduce_any(live):
            break
        count += 1.0
        re, im = ag.where(live, re * re - im * im + x, re), ag.where(live, 2 * re * im + y, im)
    return count, re, im


def revives(x, y):
    re, count = x, ag.zeros_like(x)
    for k in ag.range(40):
        live = re > ag.cast(k % 3, ag.float32)
        if not ag.reduce_any(live):
            break
        re = ag.where(live, re * 0.75, re)
        count += ag.cast(live, ag.float32)
    return re, count


def changes_on_the_way_out(x, y):
    re, mark = x, ag.zeros_like(x)
    for _ in ag.range(40):
        live = re < 4.0
        if not ag.reduce_any(live):
            mark = mark + 1.0
            break
        re = ag.where(live, re + ag.abs(y) + 0.1, re)
    return re, mark


def tells_the_turn(x, y):
    re = x
    i = 0
    while i < 40:
        live = re < 4.0
        if not ag.reduce_any(live):
            break
        re = ag.where(live, re + ag.abs(y) + 0.1, re)
        i += 1
    return re, i


def mask_false_at_first(x, y):
    live, re = ag.zeros_like(x, dtype=ag.bool), x
    for _ in ag.range(10):
        re = ag.where(live, re + 1.0, re)
        live = re < 2.0
        if not ag.reduce_any(live):
            break
    return re, live


def first_turn_only(x, y):
    live, re = ag.zeros_like(x, dtype=ag.bool), x
    for _ in ag.range(10):
        if not ag.reduce_any(live):
            break
        re = ag.where(live, re + 1.0, re)
        live = re < 2.0
    return re, live


BY_BLOCKS = [masked, asked_before, asked_after, all_escaped, mask_false_at_first]
OTHERS = [counts_the_dead, revives, changes_on_the_way_out, tells_the_turn, first_turn_only]


@pytest.mark.parametrize("f", BY_BLOCKS + OTHERS)
def test_results_are_the_plan_s(f, monkeypatch):
    for x, y in ((X, Y), (INSIDE, INSIDE), (OUTSIDE, OUTSIDE), (X[:1, :5], Y[:1, :5])):
        check(f, x.copy(), y.copy(), monkeypatch=monkeypatch)


def _is_by_blocks(f):
    graph = ag.function(f).get_concrete_function(ag.TensorSpec((37, 45)), ag.TensorSpec((37, 45))).optimized_graph
    (loop,) = [n for n in graph.nodes if n.op.name == "while_loop"]
    turns = turns_of(loop, 16)
    return turns is not None and turns.broken


@pytest.mark.parametrize("f", BY_BLOCKS)
def test_a_block_ends_by_itself(f):
    assert _is_by_blocks(f)


@pytest.mark.parametrize("f", [counts_the_dead, revives, changes_on_the_way_out, first_turn_only])
def test_a_block_goes_on_where_others_decide(f):
    assert not _is_by_blocks(f)
