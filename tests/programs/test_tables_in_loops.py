"""Loops of known length, inside each other, that fill lists of Python's numbers: written out they were too much code."""

import numpy as np
import optree
import pytest

import autograph as ag


def longest_increasing(a):
    n = len(a)
    best = [1] * n
    for i in range(n):
        for j in range(i):
            if a[j] < a[i] and best[j] + 1 > best[i]:
                best[i] = best[j] + 1
    return max(best)


def edit_distance(a, b=(0, 2, 1, 1, 3) * 9):
    before = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        now = [i] + [0] * len(b)
        for j in range(1, len(b) + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            now[j] = min(before[j] + 1, now[j - 1] + 1, before[j - 1] + cost)
        before = now
    return before[-1]


def knapsack(weights):
    best = [0] * 51
    for i in range(len(weights)):
        for c in range(50, 0, -1):
            if weights[i] <= c:
                best[c] = max(best[c], best[c - weights[i]] + i + 1)
    return best[50], sum(best)


def counts_beside(a):
    counts, total = [0] * 4, 0
    for i in range(120):
        for k in range(9):
            total += a[i % len(a)] * k
            counts[i % 4] += k
    return total, counts


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("f", [longest_increasing, edit_distance, knapsack, counts_beside])
def test_tables_are_filled_in_loops_of_the_graph(f, native):
    a = np.random.default_rng(3).integers(0, 20, 70)
    staged = ag.function(f, jit_compile=native)
    for got, wanted in zip(optree.tree_leaves(staged(ag.constant(a))), optree.tree_leaves(f(a)), strict=True):
        np.testing.assert_array_equal(got, wanted)
    nodes = staged.get_concrete_function(ag.constant(a)).graph.nodes
    assert len(nodes) < 2000  # of which two turns of a loop, written out, are the most


def shortest_paths(w):
    n = len(w)
    d = [[w[i][j] for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i][k] + d[k][j] < d[i][j]:
                    d[i][j] = d[i][k] + d[k][j]
    return d


def test_rows_are_filled_in_loops_of_the_graph():
    w = np.random.default_rng(4).integers(1, 50, (10, 10))
    staged = ag.function(shortest_paths)
    np.testing.assert_array_equal(np.stack([np.stack(row) for row in staged(ag.constant(w))]), shortest_paths(w))
    loops = [n for n in staged.get_concrete_function(ag.constant(w)).graph.walk() if n.op.name == "for_loop"]
    assert any(inner.op.name == "for_loop" for loop in loops for region in loop.regions for inner in region.nodes)
