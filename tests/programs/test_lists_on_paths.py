"""Lists and dictionaries that some paths of a function make, change, exchange or return, and others do not."""

import gc

import pytest

import autograph as ag
from autograph.operators.containers import held
from tests.programs.harness import Programs

PROGRAMS = Programs()
BOTH = ((-0.5, 2), (0.75, 3))


@PROGRAMS.add(*BOTH, gradients=False)
def rows_returned_on_one_path(x, n):
    rows = [{"x": x, "n": n}]
    if x > 0:
        return x
    return rows


@PROGRAMS.add(*BOTH)
def rows_beside_a_list_on_the_other_path(x, n):
    rows = [{"x": x, "n": n}]
    if x > 0:
        return [0.0, x]
    rows.append({"x": x * 2, "n": n + 1})
    rows[0]["n"] += 3
    return rows, n


@PROGRAMS.add(*BOTH, gradients=False)
def rows_changed_after_a_return(x, n):
    rows = [{"x": x, "n": n}]
    if x > 0:
        return x
    if x > -0.4:
        rows.append({"x": x, "n": n})
    rows[0]["n"] += 3
    rows[-1]["x"] *= x
    return rows


@PROGRAMS.add(*BOTH)
def rows_put_into_a_list_at_each_turn(x, n):
    rows = [{"x": x, "n": n}]
    held = [rows]
    for i in range(n):
        held.append(rows)
        held[i][0]["n"] += 3
        held[0].append({"x": x * i, "n": i})
    held[-1][-1]["x"] = x * x
    return rows, held


@PROGRAMS.add(*BOTH)
def rows_exchanged_in_a_loop(x, n):
    rows, others = [{"x": x}], [{"x": x * 2}]
    held = [rows]
    for _ in range(n):
        rows, others = others, rows
    rows.append({"x": x})
    rows[0]["x"] += 3.0
    return rows, others, held


def filled(x, n):
    rows, others = [], []
    for i in range(n):
        rows.append({"x": x * i})
        others.append({"x": x + i})
    return rows, others


@PROGRAMS.add(*BOTH)
def changed_through_the_chosen_one(x, n):
    rows, others = filled(x, n)
    pick = rows if x > 0 else others
    pick[-1]["x"] += 30.0
    return rows[-1]["x"], others[-1]["x"]


@PROGRAMS.add(*BOTH)
def chosen_and_changed_by_its_own_name(x, n):
    rows, others = filled(x, n)
    pick = rows if x > 0 else others
    held = pick[-1]
    others[-1]["x"] += 30.0
    return pick[-1]["x"], held["x"]


@PROGRAMS.add(*BOTH)
def held_and_changed_through_the_chosen_one(x, n):
    rows, others = filled(x, n)
    held = others[-1]
    pick = rows if x > 0 else others
    pick[-1]["x"] += 30.0
    return held["x"]


@PROGRAMS.add(*BOTH)
def lists_in_the_chosen_one(x, n):
    rows, others = [], []
    for i in range(n):
        rows.append([x * i])
        others.append([x + i])
    held = others[-1]
    pick = rows if x > 0 else others
    pick[-1].append(3.0)
    return held, rows, others


@PROGRAMS.add(*BOTH)
def all_of_the_chosen_ones_rows(x, n):
    a, b = {"rows": []}, {"rows": []}
    for i in range(n):
        a["rows"].append({"x": x * i})
        b["rows"].append({"x": x + i})
    pick = a if x > 0 else b
    for row in pick["rows"]:
        row["x"] *= 5.0
    return a, b


@PROGRAMS.add(*BOTH, gradients=False)
def one_list_returned_twice(x, n):
    def made():
        ys = [x]
        if x > 0:
            return x, ys
        return ys, ys

    a, b = made()
    b.append(x * n)
    return a, b


@PROGRAMS.add(*BOTH)
def extended_by_what_changes(x, n):
    rows, _ = filled(x, n)
    first, last = {"x": x}, {"x": x * 3}
    rows.extend([first, last])
    last["x"] += 3.0
    rows[-2]["x"] += 1.0
    return rows, first


@PROGRAMS.add((0.5, 2, [1.0, 2.0, 3.0]), (0.25, 1, [4.0, 5.0, 6.0]), (0.5, 7, [4.0, 5.0, 6.0]))
def exchanged_in_a_handler(x, n, xs):
    for i in (1, n, 2):
        try:
            xs[0] = x
        except IndexError:
            xs = [x, x * 2]
        else:
            if i == n:
                break
        xs.pop()
    return xs


@PROGRAMS.add((0.5, 2.0), (0.5, -2.0), (-0.5, 2.0))
def sorted_after_a_handler_made_it(x, y):
    made = [y, x]
    try:
        if x > 0:
            raise ValueError
    except ValueError:
        made = [y for _ in range(1)]
    finally:
        made.sort()
    return made


@PROGRAMS.add((0.5, 0.75), (0.5, 0.25))
def sorted_where_an_exception_is_passed_over(y, k):
    grid = [[y], [y]]
    for row in grid:
        while row:
            e = row.pop()
            if k < e:
                return None
        try:
            row.sort()
            row[:1] = [y]
        except Exception:
            return grid
    return grid


@PROGRAMS.add((0.5, 2), (-0.5, 1), (2.0, 3))
def sorted_by_a_key_that_notes_what_it_sees(x, n):
    xs, ys = [x], [x * 2]
    if n > 1:
        xs, ys = ys, xs
    for i in range(n):
        xs.append(x - i)
    seen = []
    xs.sort(key=lambda e: seen.append(e) or -e)
    return xs, seen, ys


LOOPS = ((0.5, 0.75, 1), (0.5, 0.75, 5), (0.5, 0.25, 4), (0.5, 0.75, 0))


@PROGRAMS.add(*LOOPS)
def grown_by_a_loop_that_exchanges_it(x, y, n):
    c = n
    xs = ys = [x]
    while (c := c - 1) > 0:
        xs.append(x)
        if y < x:
            xs = [y]
    return xs, ys


@PROGRAMS.add(*LOOPS)
def chosen_before_a_loop_that_exchanges_it(x, y, n):
    xs, ys = [x], [y]
    chosen = xs if y < x else ys
    c = 0
    while c < n:
        c += 1
        chosen[0] += 1.0
        if c > 2:
            chosen = [y]
    return xs, ys, chosen


@PROGRAMS.add(*LOOPS)
def an_element_that_a_loop_exchanges(x, y, n):
    rows = [[x]]
    for _ in range(n):
        rows.append([y])
    row = rows[n]
    for c in range(n):
        row.append(x)
        if c > 1:
            row = [y]
    return rows, row


@PROGRAMS.add((0.5, [1.0, 2.0, 3.0]), (0.25, [1.0, 2.0, 4.0]), gradients=False)
def asked_in_the_test_of_a_loop_that_grows_it(x, xs):
    ys = xs[:5]
    for _ in range(3):
        k = 0
        while ys and k < 5:
            k += 1
            if x > 0.3:
                ys.insert(0, x)
    return ys


@PROGRAMS.add(*BOTH, (0.5, 5), (-0.5, 0))
def a_dictionary_chosen_before_a_loop_that_exchanges_it(x, n):
    a, b = {"x": x}, {"x": x * 2}
    chosen = a if x > 0 else b
    for c in range(n):
        chosen["x"] += 1.0
        if c > 1:
            chosen = {"x": x}
    return a, b


@PROGRAMS.add(*BOTH)
def sorted_while_one_is_held(x, n):
    rows, _ = filled(x, n)
    held = rows[0]
    rows.sort(key=lambda row: -row["x"])
    rows[-1]["x"] += 5.0
    return held["x"], rows


@PROGRAMS.add(*BOTH)
def put_in_by_a_slice(x, n):
    rows, _ = filled(x, n)
    row = {"x": x}
    rows[1:] = [row]
    row["x"] += 3.0
    return rows


@PROGRAMS.add(*BOTH)
def an_item_that_a_loop_exchanges(x, n):
    rows, _ = filled(x, n)
    row = rows[n - 1]
    for c in range(n):
        row["x"] += 1.0
        if c > 1:
            row = {"x": x}
    return rows


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def put_into_two_that_are_exchanged(x, n):
    row = ag.stack([x, x * 2])
    xs, ys = [row * 2, row + 1], [row * 3]
    for _ in range(2):
        if n > 1:
            ys.append(row)
            xs[0] = row
        else:
            xs, ys = ys, xs
    del row
    xs[0][0] = 9.0
    return ys


REFUSED = [put_into_two_that_are_exchanged]


@pytest.mark.parametrize("f", REFUSED, ids=lambda f: f.__name__)
def test_what_only_the_run_knows_is_refused(f):
    with pytest.raises(ag.errors.OpError, match="shared-list"):
        ag.function(f)(ag.constant(0.5), ag.constant(2))


def test_what_is_still_being_made_is_looked_through():
    def items():
        yield 1
        found = [x for x in gc.get_objects(generation=0) if type(x) is tuple]
        assert sum(held._times(x, frozenset([id(gc)])) for x in found) >= 0
        yield 2

    gc.collect()
    assert tuple(items()) == (1, 2)
