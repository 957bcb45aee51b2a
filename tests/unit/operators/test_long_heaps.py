"""Heaps too long to be copied at each call: the same steps as Python's, and nothing changed where a comparison fails."""

import heapq
import random
import time

import pytest

from autograph.operators.functions.python_forms import python_form

PUSH, POP, REPLACE, PUSHPOP = FUNCTIONS = [heapq.heappush, heapq.heappop, heapq.heapreplace, heapq.heappushpop]


def formed(f):
    return python_form(f, lambda g: g)


class Failing:
    """A number whose comparisons fail from some comparison on."""

    left = 0

    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        Failing.left -= 1
        if not Failing.left:
            raise ValueError("no more")
        return self.value < other.value


def arguments(f, item):
    return () if f is POP else (item,)


@pytest.mark.parametrize("seed", range(4))
def test_long_heaps_are_changed_as_python_changes_them(seed):
    rng = random.Random(seed)
    heap = [(rng.randrange(40), i) for i in range(500 + rng.randrange(300))]
    if seed:
        heapq.heapify(heap)
    for step in range(1500):
        f = rng.choice(FUNCTIONS)
        given = arguments(f, (rng.randrange(40), -step))
        expected = heap[:]
        result = f(expected, *given)
        assert formed(f)(heap, *given) is result
        assert all(a is b for a, b in zip(heap, expected, strict=True))


@pytest.mark.parametrize("f", FUNCTIONS)
def test_a_comparison_that_fails_leaves_a_long_heap_as_it_was(f):
    rng = random.Random(1)
    Failing.left = 0
    heap = [Failing(rng.random()) for _ in range(700)]
    heapq.heapify(heap)
    before = heap[:]
    given = arguments(f, Failing(-1.0 if f is PUSH else 0.9))
    for fails_at in range(1, 30):
        Failing.left = fails_at
        try:
            formed(f)(heap, *given)
        except ValueError:
            assert heap == before
        else:
            break
    assert 2 < fails_at < 29


@pytest.mark.parametrize("f", FUNCTIONS)
def test_wrong_arguments_are_named_as_python_names_them(f):
    heap = list(range(700))
    for given in [(1, 2), ()] if f is not POP else [(1,)]:
        with pytest.raises(TypeError) as expected:
            f(heap, *given)
        with pytest.raises(TypeError) as found:
            formed(f)(heap, *given)
        assert str(found.value) == str(expected.value)


def test_a_call_costs_no_copy_of_the_heap():
    def seconds(count):
        heap, push, pop = list(range(count)), formed(PUSH), formed(POP)
        started = time.process_time()
        for i in range(300):
            push(heap, i)
            pop(heap)
        return time.process_time() - started

    assert min(seconds(1_000_000) for _ in range(3)) < 10 * min(seconds(2_000) for _ in range(3))
