"""Lists that a staged loop exchanges for one another, while others hold them: a change of one is seen by all who hold it."""

import pytest

import autograph as ag
from autograph.operators.state.aliases import HEAP
from autograph.staging import tracing
from tests.programs.test_shared_containers import plain

CASES = (0, 1, 2, 3, 4)


def rows_or_one_of_them(n):
    rows, more = [[1], [2]], [3, 4]
    for i in range(n):
        first = rows[0][0] if rows and rows[0] else 0
        if i > first:
            rows.append(more[:])
            rows[-1].append(first)
            rows[i % 2] = rows[-1]
    rows[0].append(n)
    return rows, more


class Pair:
    def __init__(self):
        self.x, self.y = [1], [2]

    def swap(self):
        self.x, self.y = self.y, self.x


def held_by_dictionary(n):
    xs, ys = [1, 2], [3]
    d = {"b": xs}
    for _ in range(n):
        xs, ys = ys, xs
    xs.append(n)
    return xs, ys, d


def changed_where_held(n):
    xs, ys = [1, 2], [3]
    d = {"b": xs}
    i = 0
    while i < n:
        xs, ys = ys, xs
        d["b"].append(i)
        i += 1
    return xs, ys, d


def two_names_one_exchanged(n):
    xs = ys = [1]
    for i in range(n):
        xs = [i]
    xs.append(5)
    return xs, ys


def two_names_both_exchanged(n):
    xs = ys = [1]
    for i in range(n):
        xs = [i]
        ys = [i, i]
    xs.append(5)
    return xs, ys


def held_by_list(n):
    xs, ys = [1, 2], [3]
    rows = [xs, ys]
    for _ in range(n):
        xs, ys = ys, xs
    xs.append(n)
    return xs, ys, rows


def held_by_name(n):
    xs, ys = [1, 2], [3]
    zs = xs
    for _ in range(n):
        xs, ys = ys, xs
    zs.append(n)
    return xs, ys, zs


def held_by_object(n):
    xs, ys = [1, 2], [3]
    o = Pair()
    o.x = xs
    for i in range(n):
        xs, ys = ys, xs
        xs.append(i)
    return xs, ys, o.x


def held_by_caller(n):
    def swapped(a, b):
        for _ in range(n):
            a, b = b, a
        a.append(n)

    xs, ys = [1, 2], [3]
    swapped(xs, ys)
    return xs, ys


def parts_held(n):
    xs, ys = [[1], [2]], [[3]]
    first = xs[0]
    for _ in range(n):
        xs, ys = ys, xs
    xs[0].append(n)
    return xs, ys, first


def attributes(n):
    q = Pair()
    z = q.x
    for _ in range(n):
        q.swap()
    z.append(n)
    return q.x, q.y, z


def items(n):
    d = {"a": [1], "b": [2]}
    x = d["a"]
    for _ in range(n):
        d["a"], d["b"] = d["b"], d["a"]
    d["a"].append(n)
    return d, x


def by_a_branch(n):
    xs, ys = [1, 2], [3]
    d = {"b": xs}
    if n > 1:
        xs, ys = ys, xs
    xs.append(n)
    return xs, ys, d


def by_a_branch_in_a_loop(n):
    xs, ys = [1, 2], [3]
    d = {"b": xs}
    for i in range(n):
        if i > 1:
            xs, ys = ys, xs
        xs.append(n)
    return xs, ys, d


def by_a_closure(n):
    xs, ys = [1, 2], [3]
    d = {"b": xs}

    def swap():
        nonlocal xs, ys
        xs, ys = ys, xs

    for _ in range(n):
        swap()
    d["b"].append(n)
    return xs, ys, d


def nested_loops(n):
    xs, ys = [1, 2], [3]
    zs = ys
    for _ in range(n):
        for _ in range(n - 1):
            xs, ys = ys, xs
    xs.append(n)
    return xs, ys, zs


def dictionaries(n):
    a, b = {"v": 1}, {"v": 2}
    d = {"x": a}
    for _ in range(n):
        a, b = b, a
    a["v"] = 7 + n
    return a, b, d


def rows_of_dictionaries(n):
    a, b = [{"v": 1}], [{"v": 2}]
    d = a[0]
    for _ in range(n):
        a, b = b, a
    d["v"] = 7 + n
    return a, b, d


def previous_and_current(n):
    prev, cur = [1], [1, 2]
    for i in range(n):
        prev, cur = cur, [*prev, i]
        cur.append(i)
    cur.append(3)
    prev.append(4)
    return prev, cur


def swapped(n):
    xs, ys = [1, 2], [3]
    for i in range(n):
        xs, ys = ys, xs
        xs.append(i)
    ys.append(3)
    return xs, ys


def swapped_attributes(n):
    q = Pair()
    for i in range(n):
        q.swap()
        q.x.append(i)
    return q.x, q.y


def swapped_items(n):
    d = {"a": [1], "b": [2]}
    for i in range(n):
        d["a"], d["b"] = d["b"], d["a"]
        d["a"].append(i)
    d["b"].append(n)
    return d


def only_read(n):
    xs, ys = [1, 2], [3]
    d = {"b": xs}
    for _ in range(n):
        xs, ys = ys, xs
    return xs, ys, d


def alternatives_of_two_kinds(n):
    xs, y = [1], [2]
    d = {"b": xs}
    z = xs if n > 1 else (xs, y)
    for _ in range(n):
        xs, y = y, xs
    xs.append(n)
    return xs, y, d, z


def alternatives_beside_dictionaries(n):
    xs, z = [1], None
    if n > 0:  # noqa: SIM102
        if n > 1:
            z = xs
    rows = []
    for i in range(n + 2):
        rows.append({"v": i})
    r = rows[0]
    r["v"] = 7
    xs.append(n)
    return xs, z, rows


def bound_by_an_inner_loop(n):
    y = [1, 2]
    for _ in range(n + 1):
        for k in (1, 2, 3):
            z = [y[1] + k, y[0]]
        if z[0] < 20:
            y = z
    return y[0] + y[1], z[0]


def bound_by_an_inner_while(n):
    y = [1, 2]
    for i in range(n):
        t = 0
        while t <= i:
            z = [y[1] + t, y[0]]
            t += 1
        y = z
    return y[0], y[1]


def changed_before_an_inner_loop_binds(n):
    y, i = [1, 2], 0
    while i < n:
        if i > 0:
            z[0] = z[0] + 3  # noqa: F821 (the turn before has bound it)
        y[1] = y[1] + 1
        for k in (1, 2):
            z = [y[1] + k, y[0]]
        y = z
        y[0] = y[0] * 2
        i += 1
    return y


def changed_after_an_inner_loop_bound(n):
    y = [1, 2]
    for _ in range(n + 1):
        for k in (1, 2):
            z = [y[1] + k, y[0]]
        y = z
    z.append(n)
    return y, z


HELD = (
    dictionaries,
    rows_or_one_of_them,
    changed_before_an_inner_loop_binds,
    changed_after_an_inner_loop_bound,
    held_by_dictionary,
    changed_where_held,
    two_names_one_exchanged,
    two_names_both_exchanged,
    held_by_list,
    held_by_name,
    held_by_object,
    held_by_caller,
    parts_held,
    attributes,
    items,
    by_a_branch,
    by_a_branch_in_a_loop,
    by_a_closure,
    nested_loops,
    alternatives_of_two_kinds,
    rows_of_dictionaries,
    alternatives_beside_dictionaries,
)
ALONE = (
    bound_by_an_inner_loop,
    bound_by_an_inner_while,
    previous_and_current,
    swapped,
    swapped_attributes,
    swapped_items,
    only_read,
)


@pytest.mark.parametrize("f", HELD, ids=lambda f: f.__name__)
def test_as_python(f):
    staged = ag.function(f)
    for n in CASES:
        assert plain(staged(ag.constant(n))) == plain(f(n)), n


@pytest.mark.parametrize("f", ALONE, ids=lambda f: f.__name__)
def test_held_by_nobody_else_costs_nothing(f, monkeypatch):
    seen, attempt = set(), tracing._attempt

    def noted(*args):
        seen.update(args[-1])
        return attempt(*args)

    monkeypatch.setattr(tracing, "_attempt", noted)
    staged = ag.function(f)
    for n in CASES:
        assert plain(staged(ag.constant(n))) == plain(f(n)), n
    assert HEAP not in seen
