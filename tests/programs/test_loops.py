"""Loops: early returns, break, continue, else clauses, ranges and other iterables."""

import contextlib

import numpy as np

import autograph as ag
from tests.programs.harness import Programs, Py

PROGRAMS = Programs()
A = np.array([[1.02, -2.13, 3.24], [0.5, 4.33, -1.21]])
B = np.array([[7.04, 2.35, -3.01], [9.1, 0.17, 6.29]])
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])  # no two sums of these meet a limit: tests have derivatives
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])


@PROGRAMS.add((A, 3.5), (B, 6.5), (A, 100.0))
def first_above_in_matrix(m, limit):
    for i, row in enumerate(m):
        for j, v in enumerate(row):
            if v > limit:
                return v * 2, i, j
    return limit, -1, -1


@PROGRAMS.add((2.0, 50.0), (3.0, 7.0))
def doubling_until(x, limit):
    n = 0
    while True:
        x = x * 2
        n += 1
        if x > limit:
            break
    return x, n


@PROGRAMS.add((5.0, 3), (0.5, 4))
def while_true_two_exits(x, n):
    k = 0
    while True:
        if x < 1:
            return x * 10
        k += 1
        if k >= n:
            return x + k
        x = x / 2


@PROGRAMS.add(V, W)
def sum_of_positive(xs):
    s = 0
    for x in xs:
        if x < 0:
            continue
        s += x
    return s


@PROGRAMS.add(V, W)
def sum_until_negative(xs):
    s = 0.0
    for x in xs:
        if x < 0:
            break
        s = s + x * x
    return s


@PROGRAMS.add((V, 4.37), (V, 40.0), (W, 7.29))
def find_or_else(xs, wanted):
    for i, x in enumerate(xs):
        if x == wanted:
            where = i
            break
    else:
        where = -1
    return where


@PROGRAMS.add((1.0, 3), (9.0, 3))
def while_else(x, n):
    while n > 0:
        if x > 8:
            r = x
            break
        x = x * 2
        n -= 1
    else:
        r = -x
    return r, n


@PROGRAMS.add(7, 12, 1)
def triangle(n):
    total = 0
    for i in range(n):
        for j in range(i):
            if (i + j) % 3 == 0:
                continue
            total += i * j
    return total


@PROGRAMS.add((2, 11, 3), (1, 4, 1), (5, 5, 2))
def range_with_bounds(a, b, step):
    seen = 0
    for i in range(a, b, step):
        seen = seen * 10 + i
    return seen


@PROGRAMS.add((9, 1), (6, 0), (1, 1))
def range_downwards(a, b):
    seen = 0
    for i in range(a, b, -2):
        seen = seen * 10 + i
    return seen


@PROGRAMS.add((9, 1, -3), (2, 9, 3), (2, 9, -1))
def range_with_step_of_any_sign(a, b, step):
    seen = 0
    for i in range(a, b, step):
        seen = seen * 10 + i
    return seen


@PROGRAMS.add((V, W), (W, V))
def zipped(xs, ys):
    s = 0.0
    for x, y in zip(xs, ys):
        if x > y:
            s += x * y
        else:
            s -= y
    return s


@PROGRAMS.add(V, W)
def zip_with_python_list(xs):
    s = 0.0
    for x, weight in zip(xs, [1.0, 2.0, 3.0]):
        s += x * weight
    return s


@PROGRAMS.add(V, W)
def backwards(xs):
    s = 0.0
    for x in reversed(xs):
        s = s * 0.5 + x
    return s


@PROGRAMS.add((V, 1), (W, 5))
def enumerate_from(xs, start):
    s = 0.0
    for i, x in enumerate(xs, start):
        s += i * x
    return s


@PROGRAMS.add((V, W), (W, V))
def nested_targets(xs, ys):
    s = 0.0
    for i, (x, y) in enumerate(zip(xs, ys)):
        s += i * x - y
    return s


@PROGRAMS.add((V, 3), (W, 1), (W, 0))
def last_index_after_loop(xs, n):
    i = -1
    x = 0.0
    for i in range(n):
        x = xs[i]
    return i, x


@PROGRAMS.add((3, 1.5), (0, 2.0), (5, -1.0))
def name_bound_only_in_loop(n, x):
    for _ in range(n):
        y = x * 2
        x = y + 1
    if n > 0:
        return y
    return x


@PROGRAMS.add((V, 2.0), (W, -7.0), (V, -100.0))
def return_from_three_loops(xs, limit):
    for x in xs:
        for y in xs:
            if x + y < limit:
                for z in xs:
                    if x + y + z > limit:
                        return x * y * z
            if x - y > 6:
                break
    return None


@PROGRAMS.add((V, 10.0), (W, 3.0))
def python_loop_with_tensor_break(xs, limit):
    s = 0.0
    for k in range(4):
        s = s + xs[k] * xs[k]
        if s > limit:
            break
        s = s + k
    else:
        s = -s
    return s


@PROGRAMS.add((Py([1, 2, 3, 4]), 3.1), (Py([1, 2, 3, 4]), 20.0))
def python_loop_with_tensor_return(numbers, limit):
    s = limit * 0
    for n in numbers:
        s = s + n
        if s > limit:
            return s, n
    return s, None


@PROGRAMS.add((V, 2.0), (W, 100.0))
def return_in_with_and_finally(xs, limit):
    log = 0.0
    with contextlib.nullcontext(1.0) as one:
        for x in xs:
            try:
                if x > limit:
                    return x + one, log
                log += x
            finally:
                log += 1.0
    return -one, log


@PROGRAMS.add((V, 2.0), (W, 100.0))
def break_in_try(xs, limit):
    n = 0
    for x in xs:
        try:
            if x > limit:
                break
            if x < 0:
                continue
            n += 1
        finally:
            n += 10
    return n


@PROGRAMS.add((1.0, 5), (2.0, 0))
def growing_by_concat(x, n):
    row = np.ones((1,)) * x
    for i in range(n):
        row = np.concatenate([row, row[-1:] * 2])
    return row


@PROGRAMS.add((3, 0.5), (0, 0.5))
def int_becomes_float(n, step):
    s = 0
    for _ in range(n):
        s += step
    return s * 1.0


@PROGRAMS.add((3, 2.0), (4, 2.0))
def number_becomes_vector(n, x):
    s = 0.0
    for i in range(n):
        s = s + np.array([1.0, 2.0]) * x
    return s


@PROGRAMS.add((10, 3), (10, 4))
def fibonacci_swap(n, skip):
    a, b = 0, 1
    for i in range(n):
        if i == skip:
            a, b = b, a
        a, b = b, a + b
    return a, b


@PROGRAMS.add((6.0, 4), (6.0, 1))
def countdown_with_pass(x, n):
    while n:
        n -= 1
        if n == 2:
            pass
        elif n == 1:
            continue
        x = x - n
    return x


@PROGRAMS.add((1.5, 0), (1.5, 3))
def loop_in_branch_in_loop(x, n):
    for i in range(3):
        if i < n:
            k = 0
            while k < n:
                x = x * 1.1
                k = k + 1
        else:
            x = x - k if n > 0 else x
    return x


@PROGRAMS.add((A, V), (B, W))
def over_rows(m, xs):
    out = xs[:3] * 0
    for row in m:
        if np.sum(row) > 2:
            out = out + row
    return out


@PROGRAMS.add((3.0, 2), (0.25, 5))
def walrus_in_test(x, n):
    while (y := x * 2) < 20 and n > 0:
        x = y + 1
        n -= 1
    return x, y


@PROGRAMS.add((V, -1.0), (W, 9.0))
def loop_variable_rebound(xs, limit):
    s = 0.0
    for x in xs:
        while x > limit and x > 0:
            x = x - 1.5
        s += x
    return s


@PROGRAMS.add((V, 2), (W, 4))
def loop_over_list_of_tensors(xs, n):
    parts = [xs[0], xs[1] * 2, xs[2]]
    s = 0.0
    for k, p in enumerate(parts):
        if k == n:
            break
        s += p
    return s


@PROGRAMS.add((V, 3.0), (W, -1.0))
def del_in_loop(xs, y):
    s = y
    for x in xs:
        t = x * y
        s = s + t
        del t
    return s


@PROGRAMS.add(5, 0)
def empty_while_bool(n):
    done = False
    steps = 0
    while not done:
        steps += 1
        done = steps >= n
    return steps, done


class Counted:
    def __init__(self):
        self.turns = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.turns += 1


@PROGRAMS.add((V, 2.0), (V, -9.0), (W, 0.5))
def break_in_a_with_before_a_branch(xs, limit):
    counted, total = Counted(), 0.0
    for x in xs:
        with counted:
            if x > limit:
                break
        total += x
    return total, counted.turns


def test_what_a_loop_returns_is_no_choice_with_nothing():
    @ag.function
    def first(flags, n):
        for i in range(n):
            if flags[i]:
                return i, i * 2
        return -1, 0

    flags = np.array([False, False, True, True])
    for n in (4, 2, 0):
        want = first.python_function(flags, n)
        assert tuple(map(int, first(ag.constant(flags), ag.constant(n)))) == want
    assert len(first.get_concrete_function(ag.constant(flags), ag.constant(4)).graph.outputs) == 2


test_eager, test_staged, test_gradients = PROGRAMS.tests()
