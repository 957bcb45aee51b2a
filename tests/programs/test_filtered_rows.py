"""Comprehensions over lists of dictionaries and over long tensors: what they keep is the same object, and one graph loop."""

import contextlib
import io

import numpy as np
import pytest

import autograph as ag


def kept(n):
    rows = []
    for i in range(n):
        rows.append({"n": i})
    return [row["n"] for row in [row for row in rows if row["n"] > 2]]


def kept_and_changed(n):
    rows = []
    for i in range(n):
        rows.append({"n": i})
    rows = [row for row in rows if row["n"] % 2 == 0]
    for row in rows:
        row["n"] += 1
    return len(rows), sum(row["n"] for row in rows)


def pairs(n):
    rows = []
    for i in range(n):
        rows.append((i, {"n": i * i}))
    big = [row for i, row in rows if row["n"] > i]
    return len(big), sum([row["n"] for row in big])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", [kept, kept_and_changed, pairs])
def test_rows(f, jit):
    staged = ag.function(f, jit_compile=jit)
    for n in (0, 3, 6):
        assert ag.nest.map_structure(int, staged(ag.constant(n))) == f(n)


def test_rows_outside():
    class Tasks:
        pending = [{"due": 3}, {"due": 7}, {"due": 9}]

    @ag.function
    def drop(today):
        Tasks.pending = [task for task in Tasks.pending if task["due"] > today]
        return len(Tasks.pending)

    assert [int(drop(ag.constant(day))) for day in (1, 3, 8, 9)] == [3, 2, 1, 0]


def test_a_long_comprehension_is_one_loop():
    x = np.linspace(-1, 1, 3000)
    f = ag.function(lambda xs: ag.stack([v * v + 1 for v in xs]))
    np.testing.assert_array_equal(f(ag.constant(x)), x * x + 1)
    assert "for_loop" in [node.op.name for node in f.get_concrete_function(ag.constant(x)).graph.nodes]


def test_the_condition_is_asked_once_for_each_item():
    def program(x):
        def passes(v):
            print(v)
            return v > x

        return len([v for v in [1, 2, 3] if passes(v)])

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert int(ag.function(program)(ag.constant(1))) == 2
    assert printed.getvalue() == "1\n2\n3\n"
