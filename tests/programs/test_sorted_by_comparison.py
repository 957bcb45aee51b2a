"""Sorting by `<` of objects, by `functools.cmp_to_key`, and by texts and lists that the run decides about."""

import dataclasses
import functools
import heapq

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, agree, outcome

PROGRAMS = Programs()
V = np.array([3.5, -1.25, 4.5, 1.5, -5.5])
W = np.array([-2.0, 7.0, 1.0, -8.0, 2.0])
EQUAL = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
each = PROGRAMS.add((V,), (W,), (EQUAL,), gradients=False)
NAMES = []


def opened(f):
    NAMES.append(f)
    return f


@dataclasses.dataclass(order=True)
class Job:
    urgency: float
    size: int = dataclasses.field(compare=False)


class Card:
    def __init__(self, value, name):
        self.value, self.name = value, name

    def __lt__(self, other):
        return abs(self.value) < abs(other.value)


class Cell:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return self.value < other.value


def by_size(a, b):
    if abs(a) < abs(b):
        return -1
    return 1 if abs(a) > abs(b) else 0


@each
@opened
def dataclasses_in_order(xs):
    jobs = [Job(x, i) for i, x in enumerate(xs)]
    a, b = sorted(jobs), sorted(jobs, reverse=True)
    jobs.sort()
    return [j.size for j in a], [j.urgency for j in b], [j.size for j in jobs], max(jobs).size


@each
def objects_with_slots(xs):
    cells = sorted(map(Cell, xs))
    return [c.value for c in cells], min(cells).value


@each
@opened
def changed_after_sorting(xs):
    cards = [Card(x, i) for i, x in enumerate(xs)]
    found = sorted(cards)
    found[0].value = 0.5
    return [c.name for c in found], [c.value for c in cards], [c.value for c in sorted(cards, reverse=True)]


@each
@opened
def compared_by_a_function(xs):
    items = list(xs)
    items.sort(key=functools.cmp_to_key(by_size), reverse=True)
    places = sorted(range(3), key=functools.cmp_to_key(lambda i, j: by_size(xs[i], xs[j])))
    words = sorted("bca", key=functools.cmp_to_key(lambda a, b: (a > b) - (a < b)))
    return sorted(xs, key=functools.cmp_to_key(by_size)), places, items, words


@each
@opened
def texts_of_the_run(xs):
    names = [("low" if x < 0 else "up") + str(i % 2) for i, x in enumerate(xs)]
    d = {"q": 1}
    if xs[0] > 0:
        d["a"] = 2
    return sorted(names), sorted(d), sorted(names, key=lambda n: n + "z")


@each
def lists_of_other_lengths(xs):
    rows = [[x] * (1 + i % 2) for i, x in enumerate(xs)]
    return sorted(rows), sorted([(x > 0, [x, i]) for i, x in enumerate(xs)]), rows[0] < rows[1]


@each
def smallest(xs):
    return [c.name for c in heapq.nsmallest(2, [Card(x, i) for i, x in enumerate(xs)])]


test_eager, test_staged, test_gradients = PROGRAMS.tests()


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("program", NAMES, ids=lambda f: f.__name__)
def test_of_unknown_length(program, jit):
    staged = ag.function(program, input_signature=[ag.TensorSpec([None], ag.float64)], jit_compile=jit)
    for xs in (V, W, EQUAL):
        agree(outcome(staged, (ag.constant(xs),)), outcome(program, (xs,)))


def test_what_holds_no_tensors_is_sorted_by_python():
    asked = []

    class Word:
        def __init__(self, text):
            self.text = text

        def __lt__(self, other):
            asked.append((self.text, other.text))
            return self.text < other.text

    def program(x):
        asked.clear()
        return "".join(w.text for w in sorted(map(Word, "dbca"))), len(asked)

    assert ag.function(program)(ag.constant(1.0)) == program(1.0)
