"""Tuples of which only the run knows how long they are: they are tuples, in all that Python does with one."""

import copy
import functools
import itertools

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
XS = np.array([1, 2, 3])
SOME = [(XS, 2), (XS, 3), (XS, 1)]


@PROGRAMS.add(*SOME, (XS, 0))
def as_they_are(xs, n):
    t = tuple(xs[:n])
    kinds = isinstance(t, tuple), isinstance(t, list)
    return t, len(t), bool(t), sum(t), list(t), tuple(t), t[1:], t[:1], t[::-1], kinds, [t]


@PROGRAMS.add(*SOME)
def looked_into(xs, n):
    t = tuple(x * 2 for x in xs if x <= n)
    found = t.index(2), t.count(2), 4 in t, max(t), min(t), sorted(t, reverse=True), t[0], t[-1], t[n - 1]
    return found, [x + 1 for x in t], list(enumerate(t)), tuple(zip(t, t)), list(reversed(t))  # noqa: B905


@PROGRAMS.add(*SOME, (XS, 0))
def joined(xs, n):
    t = (*xs[:n],)
    return t + (9,), (9,) + t, t + t, () + t, t * 2, 2 * t, t * n, (*t, 5), [*t, 5], list(itertools.chain(t, t))


@PROGRAMS.add(*SOME)
def compared(xs, n):
    t = tuple(xs[:n])
    equal = t == (1, 2), (1, 2) == t, t == (1, 2, 3), t == [1, 2], t != (1, 2), t == t, [1, 2] == t  # noqa: PLR0124
    ordered = t < (1, 3), t <= (1, 2), (1, 3) > t, t > (0,), t >= t, max(t, (1, 9)), min([t, (0,)]), sorted([t, (0, 5)])
    return equal, ordered, t in [(1, 2), (3,)], (1, 2) in [t, (5,)]


@PROGRAMS.add(*SOME)
def as_keys(xs, n):
    t = tuple(xs[:n])
    d, seen, again = {}, set(), 0
    for i in range(n):
        d[t[: i + 1]] = i
    for i in range(4):
        part = t[i % 2 :]
        if part in seen:
            again += 1
        seen.add(part)
    return len(d), d[t[:1]], d.get((1, 2), -1), (1, 2, 3) in d, again, len(seen)


@PROGRAMS.add(*SOME)
def taken_apart(xs, n):
    t = tuple(xs[:n])
    first, *rest = t
    match t:
        case (a,):
            shape = a
        case (a, b):
            shape = a * 10 + b
        case (a, *others):
            shape = a + sum(others)
    return first, rest, shape


@PROGRAMS.add(*SOME, (XS, 0))
def grown_and_held(xs, n):
    t = u = tuple(xs[:n])
    for i in range(n):
        t += (i,)
    best = ()
    for _ in range(n + 2):
        if len(t) > len(best):
            best = t
        t = t[1:]
    return t, u, best, best == u + tuple(range(n))


@PROGRAMS.add(*SOME)
def turned(xs, n):
    t, states = tuple(xs[:n]), []
    for _ in range(n):
        t = t[1:] + (t[0],)
        states.append(t)
    return states, states[-1] == tuple(xs[:n]), states[0]


@PROGRAMS.add(*SOME, (XS, 0))
def by_recursion(xs, n):
    def total(t):
        return 0 if not t else t[0] + total(t[1:])

    return total(tuple(xs[:n]))


@PROGRAMS.add(*SOME, (XS, 0))
def on_paths(xs, n):
    if n > 1:
        t = tuple(xs[:n])
    else:
        t = (7, 8)
    u = t if n > 2 else None
    return t, u is None, t == (7, 8), {"t": (t, [t])}


@PROGRAMS.add(*SOME)
def given(xs, n):
    def told(*args):
        return len(args), sum(args), isinstance(args, tuple), args

    t = tuple(xs[:n])
    return told(*t), functools.reduce(lambda a, b: a + b, t), copy.copy(t), copy.deepcopy(t), type(t) is tuple


@PROGRAMS.add(*SOME)
def never_changed(xs, n):
    t, said = tuple(xs[:n]), []
    try:
        t[0] = 5
    except TypeError:
        said.append(1)
    try:
        t.append(5)
    except AttributeError:
        said.append(2)
    return said, t


@PROGRAMS.add((np.array([1.0, -2.0, 3.0]), 2), (np.array([1.0, 2.0, 0.5]), 3))
def smooth(xs, n):
    t = tuple(x * x for x in xs[:n] if x > 0)
    u = t + (xs[0] * 3,)
    return sum(u) * u[0], u


class Cell:
    def __init__(self, value):
        self.value = value


ROWS = [(np.array([3, 1, 4, 1, 5]), 2), (np.array([5, 4, 3, 2, 1]), 3)]


@PROGRAMS.add(*ROWS)
def of_rows_that_change(xs, n):
    t = tuple([x] for x in xs if x > n)
    t[0].append(9)
    for r in t:
        r.append(1)
    u = t[1:]
    u[0].append(8)
    return t, u, hasattr(t, "items")


@PROGRAMS.add(*ROWS)
def of_the_rows_of_a_list(xs, n):
    rows = [[x] for x in xs if x > n]
    t = tuple(rows)
    t[0].append(5)
    rows[-1].append(6)
    u = t + ([0],)
    u[0].append(7)
    return t, rows, u


@PROGRAMS.add(*ROWS)
def of_dictionaries(xs, n):
    t = tuple({"v": x} for x in xs if x > n)
    for r in t:
        r["v"] += 1
    t[0]["v"] = 7
    return [r["v"] for r in t]


@PROGRAMS.add(*ROWS)
def of_objects(xs, n):
    t = tuple(Cell(x) for x in xs if x > n)
    for cell in t:
        cell.value += 1
    t[-1].value = 100
    return [cell.value for cell in t]


@PROGRAMS.add(*ROWS)
def grown_by_rows(xs, n):
    t = ()
    for x in xs:
        if x > n:
            t += ([x],)
    for r in t:
        r[0] = r[0] * 2
    return t, len(t)


@PROGRAMS.add(*ROWS)
def the_longest(xs, n):
    best = ()
    for i in range(n):
        found = tuple(x + i for x in xs if x > i)
        if len(found) > len(best):
            best = found
    return best, sum(best)


@PROGRAMS.add(*ROWS)
def sorted_beside_others(xs, n):
    t = tuple(x for x in xs if x > n)
    return sorted([t, (4, 5)]), sorted([t, (5,)], key=len)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize("chosen", [True, False])
def test_tuples_of_two_lengths_are_told_apart(chosen: bool) -> None:
    """One of two tuples: their items were compared by Python, or never found equal."""

    @ag.function
    def f(x, y):
        t = (x,) if y > 0 else (x, x + 1)
        seen = {t}
        return (x,) == t, t == (x, x + 1), t in [(x, x + 1)], (x,) in seen, t < (x, 0)

    got = [bool(v) for v in f(ag.constant(2), ag.constant(1 if chosen else -1))]
    t = (2,) if chosen else (2, 3)
    assert got == [(2,) == t, t == (2, 3), t in [(2, 3)], (2,) in {t}, t < (2, 0)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_its_text_is_a_tuples(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    @ag.function
    def f(xs, n):
        t = tuple(xs[:n])
        print(t, [t], (t, 1))
        return f"{t}", str(t), repr(t) + "!"

    texts = list(f(ag.constant([1, 2]), ag.constant(count)))
    t = (1, 2)[:count]
    assert texts == [f"{t}", str(t), repr(t) + "!"]
    assert capsys.readouterr().out == f"{t} {[t]} {(t, 1)}\n"
