"""Dictionaries and objects that a staged loop's names exchange: which name is which object, only the run knows, and what is
changed by one name is seen by the others that are it."""

import numpy as np
import pytest

import autograph as ag


class Cell:
    def __init__(self, n):
        self.n = n


def bound_anew_before_a_break(n, y):
    d = {"n": y}
    for j in range(n):
        if j == 0:
            if y > 100:
                break
            d = {"n": 2 * y}
        else:
            d["n"] += 6
    return d["n"]


def another_name_for_the_first(n, y):
    d = {"n": y}
    e = d
    for j in range(n):
        if j == 1:
            d = {"n": 2 * y}
        else:
            d["n"] += 6
    return d["n"], e["n"]


def swapped_at_some_turns(n, y):
    d = {"n": y}
    e = {"n": y}
    for j in range(n):
        if j % 2 == 1:
            d, e = e, d
        d["n"] += 6
        e["n"] *= 3
    return d["n"], e["n"]


def swapped_and_named(n, y):
    d, e = {"n": y}, {"n": -y}
    first = d
    for j in range(n):
        if j % 3 == 0:
            d, e = e, d
        first["n"] += j
        d["n"] += 6
    return d["n"], e["n"], first["n"]


def swapped_at_each_turn(n, y):
    d, e = {"n": y}, {"n": -y}
    first, second = d, e
    for j in range(n):
        d, e = e, d
        d["n"] += j
    return d["n"], e["n"], first["n"], second["n"]


def best_of_a_few(n, y):
    rows = [{"n": y}, {"n": y + 1}]
    best = rows[0]
    for j in range(n):
        if rows[j % 2]["n"] >= best["n"]:
            best = rows[j % 2]
        best["n"] += y - 3 * j
    return rows[0]["n"], rows[1]["n"], best["n"]


def none_at_first(n, y):
    one, other = {"n": y}, {"n": 0}
    found = None
    for j in range(n):
        if j == 1:
            found = one
        elif j == 3:
            found = other
        if found is not None:
            found["n"] += j
        one["n"] *= 2
    return one["n"], other["n"], -1 if found is None else found["n"]


def left_for_a_new_one(n, y):
    a = {"v": y}
    b = a
    for i in range(n):
        b["v"] += 1
        if i == 1:
            a = {"v": 0 * y}
        a["v"] += 2
    return a["v"], b["v"]


def in_nested_loops(n, y):
    d = {"n": y}
    e = d
    for i in range(n):
        for j in range(i):
            if j == 1:
                d = e
            d["n"] += i
        if i == 2:
            d = {"n": 0 * y}
    return d["n"], e["n"]


def after_the_loop(n, y):
    d, e = {"n": y}, {"n": 2 * y}
    now = d
    for i in range(n):
        now = e if i % 2 == 0 else d
    now["n"] += 100
    return d["n"], e["n"], now["n"]


def while_a_test_holds(n, y):
    d, e = {"n": y, "k": 0}, {"n": y + 2, "k": 0}
    while d["n"] + e["n"] < 30 + n:
        d["k"] += 1
        if d["n"] > e["n"]:
            d, e = e, d
        d["n"] += 5
    return d["n"], d["k"], e["n"], e["k"]


def objects_too(n, y):
    a, b = Cell(y), Cell(2 * y)
    first = a
    for i in range(n):
        if i % 2 == 1:
            a, b = b, a
        a.n += 1
        first.n *= 2
    return a.n, b.n, first.n, [a, b][n % 2].n


def rows_put_in_order(n, y):
    rows = []
    for i in range(n):
        rows.append({"v": y + i * 2 % 3})
    rows.sort(key=lambda r: -r["v"])
    for r in rows:
        r["v"] += 1
    if n > 2:
        rows[0]["v"] *= 2
    return [r["v"] for r in rows]


def the_largest_row(n, y):
    rows = [{"v": y}]
    for i in range(n):
        rows.append({"v": y + i * 2 % 3})
    best = max(rows, key=lambda r: r["v"])
    least = min(rows, key=lambda r: r["v"])
    best["v"] += 10
    least["v"] -= 5
    return [r["v"] for r in rows], best["v"]


def rows_of_a_copy(n, y):
    rows = []
    for i in range(n):
        rows.append({"v": y + i})
    again = rows.copy()
    for r in again:
        r["v"] += 1
    return [r["v"] for r in rows], [r["v"] for r in again]


def by_handlers(n, y):
    table = {"a": {"v": y}, "b": {"v": 1}}
    cur = table["a"]
    for i in range(n):
        try:
            if cur["v"] > 9:
                raise KeyError
            cur["v"] += 2
        except KeyError:
            cur = table["b"] if i % 2 else {"v": i}
            table["a"] = cur
        cur["v"] += 1
    return table["a"]["v"], table["b"]["v"], cur["v"]


def before_and_in_a_try(n, y):
    d = {"v": y}
    e = d
    for i in range(n):
        try:
            d["v"] += 1
            if y + i > 8:
                raise ValueError
            d["v"] += 10
        except ValueError:
            e["v"] *= 2
        if i == 2:
            d = {"v": 0}
    return d["v"], e["v"]


PROGRAMS = [
    bound_anew_before_a_break, another_name_for_the_first, swapped_at_some_turns, swapped_and_named, swapped_at_each_turn,
    best_of_a_few, none_at_first, left_for_a_new_one, in_nested_loops, after_the_loop, while_a_test_holds, objects_too,
    rows_put_in_order, the_largest_row, rows_of_a_copy, by_handlers, before_and_in_a_try,
]  # fmt: skip


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_as_python(program, jit):
    staged = ag.function(program, jit_compile=jit)
    for n in range(6):
        for y in (3, 200):
            made = staged(ag.constant(np.int64(n)), ag.constant(np.int64(y)))
            assert ag.nest.map_structure(int, made) == program(n, y), (n, y)
    assert staged.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("jit", [False, True])
def test_gradients(jit):
    def program(x, n):
        d, e = {"v": x}, {"v": x * x}
        for i in range(n):
            if d["v"] < e["v"]:
                d, e = e, d
            d["v"] = d["v"] * 0.5 + e["v"]
        return d["v"] + 2 * e["v"]

    staged = ag.function(program, jit_compile=jit)
    for n in range(5):
        x = ag.constant(1.5, ag.float64)
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = staged(x, ag.constant(n))
        slope = (program(1.5 + 1e-6, n) - program(1.5 - 1e-6, n)) / 2e-6
        assert float(y) == program(1.5, n)
        assert abs(float(tape.gradient(y, x)) - slope) < 1e-5


def test_an_element_that_a_loop_has_kept_changes_in_its_list():
    def program(n, y):
        rows = []
        best = None
        for i in range(n):
            r = {"v": y + i * 2 % 3}
            rows.append(r)
            if best is None or r["v"] > best["v"]:
                best = r
        best["v"] += 10
        return [r["v"] for r in rows]

    staged = ag.function(program)
    for n in (1, 2, 3, 5):
        assert [int(v) for v in staged(ag.constant(n), ag.constant(7))] == program(n, 7)
