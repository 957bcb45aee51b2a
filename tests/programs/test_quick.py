"""What generated code does without hooks, where something stands in for the values after all."""

import heapq
from collections import defaultdict

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.float64(1.5)


@PROGRAMS.add((X,), (np.float64(-1.5),))
def a_list_that_grows(x):
    values = [1.0, 2.0]
    first = values[0]
    while x < 4.0:
        values.append(x)
        x = x + 1.0
    n = len(values)
    return values[n - 1] + values[0] + first, n, values[1:3][0]


@PROGRAMS.add((X,), (np.float64(-1.5),))
def absent_or_there(x):
    best = None
    if x > 0:
        best = x * 2
    table = {"a": 1.0}
    if x > 0:
        table["b"] = x
    known = best is not None
    return known, len(table), table["a"], "b" in table


@PROGRAMS.add((X,), (np.float64(-1.5),))
def a_list_written_in_branches(x):
    row = [0.0, 1.0, 2.0]
    row[0] = 5.0
    if x > 0:
        row[0] = x
        row[1] += x
    row[2] -= 1.0
    return row[0], row[1], row[2]


class Point:
    def __new__(cls, *args):
        made = super().__new__(cls)
        made.kind = "point"
        return made

    def __init__(self, x):
        self.x = x
        self.moves = 0

    def move(self, by):
        self.x = self.x + by
        self.moves += 1
        return self


@PROGRAMS.add((X,), (np.float64(-1.5),))
def objects_written_in_branches(x):
    p = Point(1.0)
    p.move(2.0)
    if x > 0:
        p.move(x)
    return p.x, p.moves, p.kind


@PROGRAMS.add((X,))
def a_heap_with_numbers_then_tensors(x):
    heap = []
    for number in (5.0, 2.0, 8.0):
        heapq.heappush(heap, number)
    heapq.heappush(heap, x)
    return [heapq.heappop(heap) for _ in range(4)]


@PROGRAMS.add((X,))
def default_items(x):
    counts = defaultdict(float)
    for k in "abca":
        counts[k] += x
        counts[k] += 1.0
    return counts["a"], counts["c"]


@PROGRAMS.add((X,))
def pops(x):
    stack = [1, 2, 3, 4]
    total = x
    while stack:
        total = total + stack.pop()
        if len(stack) > 2:
            stack.pop(0)
    return total


@PROGRAMS.add((X,))
def indices_that_read_items(x):
    sizes = {"a": [0, 1, 2]}
    grid = {"rows": [[1.0, 2.0], [3.0, 4.0]]}
    order = [1, 0, 2]
    values = [0.0, 0.0, 0.0]
    for k in range(3):
        values[order[sizes["a"][k]]] = x * k
        values[len(sizes["a"]) - 1 - order[k]] += 1.0
        grid["rows"][order[k] % 2][sizes["a"][k] % 2] = values[order[k]]
    del values[order[len(sizes["a"]) - 2]]
    return sum(values) + sum(grid["rows"][0])


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_a_list_outside_is_written_at_each_call():
    log = [0.0, 0.0]

    @ag.function
    def f(x):
        log[0] = 1.0
        log[0] = x
        log[1] += 1.0
        return x

    f(ag.constant(3.0))
    f(ag.constant(4.0))
    assert float(log[0]) == 4.0
    assert float(log[1]) == 2.0
