"""Python loops go round in place until something staged turns up: what is left then, and what must not happen twice."""

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.float64(1.5)


@PROGRAMS.add((X,))
def staged_from_a_turn_on(x):
    total = 0
    for i in range(200):
        if i < 40:
            total += i
        else:
            total = total + x * i
    return total


@PROGRAMS.add((X,), (np.float64(70.0),))
def stops_a_long_range(x):
    count = 0
    for i in range(100):
        count += 1
        if i + x > 80:
            break
    else:
        count = -count
    return count, i


@PROGRAMS.add((X,), (np.float64(5.0),))
def stops_a_list(x):
    seen = []
    for name, number in [("a", 1), ("b", 3), ("c", 7)]:
        if number > x:
            break
        seen.append(number)
    return sum(seen), number


@PROGRAMS.add((X,))
def staged_after_python_turns(x):
    n, total = 0, 0.0
    while n < 5:
        n += 1
        total += x
    while total < 100.0:
        total = total * 2 + n
    return total


class Watched:
    """Its attributes may run code: tests that read them are asked by a hook."""

    def __init__(self):
        self.outer = self.inner = 0

    def __getattr__(self, name):
        raise AttributeError(name)


@PROGRAMS.add((X,))
def a_test_in_a_loop_with_a_test(x):
    watched, turns = Watched(), []
    while watched.outer < 3:
        watched.inner = 0
        while watched.inner < 2:
            watched.inner += 1
            turns.append(watched.outer)
        watched.outer += 1
    return x * len(turns), turns


@PROGRAMS.add((X,))
def staged_after_turns_with_a_test_inside(x):
    same = lambda i: i  # noqa: E731
    i, total = 0, x * 0
    while same(i) < 3 and total < 100.0:
        j = 0
        while same(j) < 2:
            j += 1
            total = total + x
        i += 1
    return total, i


@PROGRAMS.add((X,))
def inner_loops(x):
    rows = [[1, 2], [3, 4], [5]]
    total = x * 0
    for row in rows:
        for value in row:
            if value == 4:
                continue
            k = value
            while k > 0:
                total = total + x
                k -= 1
    return total


@PROGRAMS.add((X,))
def the_same_name_twice(x):
    out = []
    for i in range(3):
        out.append(i)
    for i in (5, 6):
        out.append(i + x)
    for a, b in zip([1, 2], [3, 4]):
        out.append(a * b)
    return out


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_a_test_with_effects_is_asked_once():
    asked = []

    @ag.autograph.do_not_convert
    def more():
        asked.append(len(asked))
        return len(asked) < 4

    @ag.function
    def f(x):
        turns = 0
        while more():
            turns += 1
        return x + turns

    assert float(f(np.float64(1.0))) == 4.0
    assert asked == [0, 1, 2, 3]


def test_a_generator_is_closed_where_its_loop_is_left():
    events = []

    def numbers():
        try:
            yield 1
            yield 2
        finally:
            events.append("closed")

    @ag.function
    def f(x):
        for n in numbers():
            if n == 1:
                break
        events.append("after")
        return x * n

    assert float(f(np.float64(3.0))) == 3.0
    assert events == ["closed", "after"]
