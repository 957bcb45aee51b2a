"""What a name held before a `try` that binds it anew is the same object where the body fails: a change of the one is seen
in the other."""

import contextlib

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
CASES = (0.7, 1, [0.5, 0.6, 0.7]), (6.0, 0, [0.5, 0.6, 0.7]), (0.7, 5, [0.5, 0.6, 0.7])


@PROGRAMS.add(*CASES)
def handler_changes_it(x, i, xs):
    ys = [x, 1.0]
    log = ys
    try:
        if x > 5:
            raise KeyError("k")
        ys = [x]
    except KeyError:
        log.append(-x)
    return ys, x


@contextlib.contextmanager
def marked(log, value):
    log.append(value)
    try:
        yield value * 0.5
    finally:
        log.append(-value)


@PROGRAMS.add(*CASES)
def manager_changes_it(x, i, xs):
    ys = [x, 1.0]
    try:
        with marked(ys, x):
            if x > 5:
                raise KeyError("k")
            ys = [xs[i]]
    except (KeyError, IndexError):
        ys.append(7.0)
    return ys, x


@PROGRAMS.add(*CASES)
def dictionary(x, i, xs):
    d = {"a": x}
    e = d
    try:
        if x > 5:
            raise KeyError("k")
        d = {"a": x * 2}
    except KeyError:
        e["a"] = -x
    return d["a"], e["a"]


@PROGRAMS.add(*CASES)
def bound_to_another_before_it_fails(x, i, xs):
    ys = [x]
    log = [2.0, x]
    try:
        ys = log
        y = xs[i]
        ys = [y]
    except IndexError:
        log.append(3.0)
    return ys, sum(log)


@PROGRAMS.add(*CASES)
def one_of_two(x, i, xs):
    ys, zs = [x], [1.0]
    mine = ys
    try:
        if i > 1:
            ys = zs
        y = xs[i]
        ys = [y]
    except IndexError:
        ys.append(3.0)
    return ys, sum(mine), sum(zs)


@PROGRAMS.add(*CASES)
def row_of_a_list(x, i, xs):
    rows = [[x], [1.0]]
    row = rows[0]
    try:
        if x > 5:
            raise KeyError("k")
        rows.append([xs[i]])
    except (KeyError, IndexError):
        row.append(-x)
    return [sum(r) for r in rows], x


@PROGRAMS.add((0.5, 2), (0.9, 2), (0.9, 1), (0.5, 1))
def exchanged_in_a_loop(x, n):
    pair = [x, x * 2]
    same = pair
    try:
        for _ in np.array([0.5, 1.0]) * x:
            pair[n - 1] = 0.0
            pair = [x, x]
            if x < 0.85:
                raise KeyError("stop")
    except Exception:
        same.append(x)
        return [*pair, *same]
    return pair + same


test_eager, test_staged, test_gradients = PROGRAMS.tests()
