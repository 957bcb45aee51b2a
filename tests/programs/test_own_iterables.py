"""Objects with an `__iter__` of the user's, items taken apart in loops, dictionaries by comprehension, heaps of tuples."""

import heapq

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V, W = np.array([1, 3, 2, 4]), np.array([2, -1, 5])


class Stack:
    def __init__(self):
        self.items = []

    def __iter__(self):
        return iter(self.items)


class Doubled:
    def __init__(self, inner):
        self.inner = inner

    def __iter__(self):
        for x in self.inner:
            if x > 1:
                yield 2 * x


def filled(xs):
    stack = Stack()
    for x in xs:
        if x > 0:
            stack.items.append(x)
    return stack


@PROGRAMS.add(V, W, traces=2)
def by_iter(xs):
    s = filled(xs)
    total = 0
    for x in s:
        if x > 3:
            break
        total += x
    return total, [x + 1 for x in s], [x for x in s if x > 1], sum(s), max(s), any(x > 2 for x in s), list(s), sorted(s)


@PROGRAMS.add(V, W, traces=2)
def by_generator(xs):
    s = Doubled(filled(xs))
    return [x for x in s], sum(s), list(enumerate(s)), list(zip(s, s, strict=False)), list(map(abs, s)), next(iter(s))


@PROGRAMS.add(V, W, traces=2)
def heap_of_tuples(xs):
    heap = [(0, 7)]
    for i, x in enumerate(xs):
        heapq.heappush(heap, (x, i))
        if x > 2:
            heapq.heappush(heap, (x - 3, i * 10))
    out = []
    while heap:
        out.append(heapq.heappop(heap)[1])
    return out


@PROGRAMS.add(V, W, traces=2)
def sorted_by_hand(xs):
    pairs = [(x * x, i) for i, x in enumerate(xs)]
    for i in range(len(pairs)):
        for j in range(len(pairs) - 1 - i):
            if pairs[j] > pairs[j + 1]:
                pairs[j], pairs[j + 1] = pairs[j + 1], pairs[j]
    best = pairs[0]
    for pair in pairs:
        if pair >= best:
            best = pair
    return pairs, best


@PROGRAMS.add(V, W, traces=2)
def dictionaries(xs):
    kept = {i: x for i, x in enumerate(xs) if x > 1}
    nested = {(i, j): a * b for i, a in enumerate(xs) for j, b in enumerate(xs) if i > j}
    return len(kept), sum(kept.values()), sum(nested.values()), 2 in kept, kept.get(1, -7)


test_eager, test_staged, _ = PROGRAMS.tests()


@pytest.mark.parametrize("name", ["by_iter", "by_generator", "heap_of_tuples", "sorted_by_hand"])
def test_of_unknown_length(name):
    program = PROGRAMS.table[name].function
    compiled = ag.function(program, input_signature=[ag.TensorSpec([None], "int64")])
    for xs in (V, W):
        assert ag.nest.map_structure(int, compiled(xs)) == ag.nest.map_structure(int, program(xs))


def test_rows_of_unknown_length_taken_apart():
    @ag.function(input_signature=[ag.TensorSpec([None, None], "int64")])
    def products(rows):
        total = 0
        for a, b in rows:
            total += a * b
        return total

    assert int(products(np.array([[1, 2], [3, 4]]))) == 14
    with pytest.raises(ValueError, match="too many values to unpack"):
        products(np.array([[1, 2, 3]]))
