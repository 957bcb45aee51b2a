"""Dictionaries, sets and deques outside of a staged function whose keys or length only the run knows."""

from collections import Counter, OrderedDict, defaultdict, deque

import numpy as np
import pytest

import autograph as ag
from tests.programs.test_outside_arrays import values


def seen():
    found = set()

    def f(n, x):
        if n in found:
            return -1
        found.add(n)
        found.update({n + 1, n + 10})
        if x > 2:
            found.discard(n + 1)
        return len(found)

    return f, lambda: sorted(found)


def pairs():
    found = set()

    def f(n, x):
        found.add((n, n % 2))
        return len(found) + ((n, 0) in found)

    return f, lambda: sorted(found)


def memo():
    known = {0: 0, 1: 1}

    def fib(n):
        if n in known:
            return known[n]
        known[n] = fib(n - 1) + fib(n - 2)
        return known[n]

    return lambda n, x: fib(n + 4), lambda: known


def counts():
    counted = Counter({7: 1})

    def f(n, x):
        for i in range(n + 1):
            counted[i % 3] += 1
        return counted[n] + counted[100]

    return f, lambda: counted


def sums():
    totals = defaultdict(float)

    def f(n, x):
        totals[n] += x
        best, most = max(totals.items(), key=lambda pair: pair[1])
        return best

    return f, lambda: totals


def recent():
    cache = OrderedDict()

    def f(n, x):
        if n in cache:
            cache.move_to_end(n)
        else:
            cache[n] = n * n
            if len(cache) > 2:
                cache.popitem(last=False)
        return cache[n]

    return f, lambda: list(cache.items())


def mixed_keys():
    table = {"total": 0.0}

    def f(n, x):
        table["total"] += x
        table[n] = x
        return table["total"]

    return f, lambda: table


def window():
    last = deque(maxlen=3)

    def f(n, x):
        if x > 1:
            last.append(x)
        for i in range(n):
            last.append(i * 2.0)
        return sum(last) / max(len(last), 1)

    return f, lambda: list(last)


class Walk:
    def __init__(self):
        self.seen, self.todo, self.steps = set(), deque(), 0

    def visit(self, n):
        if n not in self.seen:
            self.seen.add(n)
            self.todo.append((n, self.steps))
            self.steps += 1

    def rest(self):
        while len(self.todo) > 2:
            self.todo.popleft()


def walk():
    state = Walk()
    also = {"seen": state.seen, "pair": (state.todo, 1)}

    def f(n, x):
        for i in range(n + 2):
            state.visit(i * i % 5)
        state.rest()
        return len(also["seen"]) + len(also["pair"][0])

    def left():
        assert also["seen"] is state.seen
        return sorted(state.seen), list(state.todo), state.steps

    return f, left


PROGRAMS = [seen, pairs, memo, counts, sums, recent, mixed_keys, window, walk]
CALLS = [(1, 1.5), (2, 3.0), (1, 0.5), (2, 2.0), (0, 4.0)]


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_calls_leave_in_containers_what_python_does(make, native):
    f, state = make()
    expected = [(values(f(n, x)), values(state())) for n, x in CALLS]
    f, state = make()
    staged = ag.function(f, jit_compile=native)
    got = [(values(staged(ag.constant(n), ag.constant(x, ag.float64))), values(state())) for n, x in CALLS]
    assert got == expected


def test_one_trace_serves_all_contents():
    found = set()

    @ag.function(input_signature=[ag.TensorSpec([None], ag.int64)])
    def f(xs):
        for x in xs:
            found.add(x)
        return len(found)

    assert int(f(ag.constant(np.array([3, 5, 3])))) == 2
    found.add(100)
    assert int(f(ag.constant(np.array([5, 6])))) == 4
    assert found == {3, 5, 6, 100}
    assert {type(x) for x in found} == {int}
    assert f.experimental_get_tracing_count() == 1


def test_another_set_in_the_place_is_seen():
    state = Walk()
    visit = ag.function(state.visit)
    visit(ag.constant(1))
    before = state.seen
    state.seen = {5}
    visit(ag.constant(2))
    assert (before, state.seen) == ({1}, {2, 5})


def test_what_is_kept_has_a_gradient_within_the_call():
    known = {}

    @ag.function
    def f(n, x):
        known[n] = x * x
        return known[n] * x

    x = ag.constant(2.0)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = f(ag.constant(1), x)
    assert float(tape.gradient(y, x)) == 12.0
    assert float(known[1]) == 4.0


def test_nothing_is_kept_where_the_call_raises():
    found = set()

    @ag.function
    def f(n):
        found.add(n)
        if n > 1:
            raise ValueError("too large")

    with pytest.raises(ValueError, match="too large"):
        f(ag.constant(2))
    assert found == set()
    assert type(found) is set


def test_lists_as_values_are_refused():
    groups = defaultdict(list)

    @ag.function
    def f(n, x):
        groups[n].append(x)
        return len(groups[n])

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError):
        f(ag.constant(1), ag.constant(2.0))
    assert groups == {}


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
@pytest.mark.parametrize("outside", [False, True])
def test_sets_change_in_branches_and_loops(outside, native):
    found = {"zero"}

    def f(n):
        seen = found if outside else {"zero"}
        for i in range(n):
            if i % 2 == 0:
                seen.add("even")
            else:
                seen.add("odd")
        return len(seen)

    staged = ag.function(f, jit_compile=native)
    assert [int(staged(ag.constant(n))) for n in (0, 1, 3)] == [1, 2, 3]
    assert found == ({"zero", "even", "odd"} if outside else {"zero"})
