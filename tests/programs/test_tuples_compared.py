"""Tuples and dictionaries with staged items, compared as Python compares them, and looked for in lists."""

import heapq
from typing import NamedTuple

import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
FOUR = [(1, 2, 1, 3), (1, 3, 1, 2), (2, 0, 1, 9), (0, 0, 0, 0), (1, 2, 3, 1)]


@PROGRAMS.add(*FOUR)
def orders(a, b, c, d):
    return (a, b) < (c, d), (a, b) <= (c, d), (a, b) > (c, d), (a, b) >= (c, d), (a, b) != (c, d)


@PROGRAMS.add(*FOUR)
def chained(a, b, c, d):
    return (a, b) < (c, d) <= (d, c)


@PROGRAMS.add(*FOUR)
def nested(a, b, c, d):
    return ((a, b), c) < ((c, d), a), ((a, b), c) >= ((a, b), d)


@PROGRAMS.add(*FOUR)
def uneven(a, b, c, d):
    return (a, b) < (c, d, a), (a, b, c) <= (a, b), (a,) > (), (a, b) >= (a, b)


@PROGRAMS.add(*FOUR)
def members(a, b, c, d):
    seen = [(a, b), (c, d)]
    return (b, a) in seen, (c, d) not in seen, (c, b) in ((a, b), (d, d))


@PROGRAMS.add(*FOUR)
def members_of_grown(a, b, c, d):
    seen = []
    for i in range(d):
        seen.append((i % 2, i))
    return (a, b) in seen, (c, c) in seen


@PROGRAMS.add(*FOUR)
def best_of(a, b, c, d):
    best = (a, b)
    for candidate in ((c, d), (d, a), (b, c)):
        if candidate > best:
            best = candidate
    return best


@PROGRAMS.add(*FOUR)
def until_past(a, b, c, d):
    key = (a, b)
    n = 0
    while key < (c, d):
        n = n + 1
        key = (key[0] + (n % 2), key[1] + 1)
    return n, key


@PROGRAMS.add(*FOUR)
def dictionaries(a, b, c, d):
    grown, other = [], [0, 1, 2]
    for i in range(d):
        grown.append(i)
    one, two = {"k": grown, "v": a}, {"v": c, "k": other}
    return one == two, one != two, {"k": (a, b)} == {"k": (c, b)}, {"v": a} == {"w": a}


class Job(NamedTuple):
    due: int
    number: int


class ByNumber(Job):
    def __lt__(self, other):
        return self.number < other.number


@PROGRAMS.add(*FOUR)
def named(a, b, c, d):
    p, q = Job(a, b), Job(c, d)
    return p < q, p <= q, p > q, p >= q, p == q, p != q, p < (d, c), (a, b) >= q, p == (c, d), (a, b) != q


@PROGRAMS.add(*FOUR)
def named_in_their_own_way(a, b, c, d):
    p, q = ByNumber(a, b), ByNumber(c, d)
    return p < q, p > q, p >= q


@PROGRAMS.add(*FOUR)
def best_named(a, b, c, d):
    jobs = [Job(a, b), Job(c, d), Job(d, a)]
    first = jobs[0]
    for job in jobs:
        if job < first:
            first = job
    return list(first), list(max(jobs)), list(min(jobs, key=lambda job: (job, 1)))


@PROGRAMS.add(*FOUR)
def with_what_has_no_order(a, b, c, d):
    """Python asks whether items are equal first: `None < None` is not asked for."""
    p, q = (1, None, a, b), (1, None, c, d)
    return p < q, p >= q, (a, 1, None) < (b, 2, None), (1, None) <= (1, None), min((c, 0, {}), (d, 1, {}))[:2]


@PROGRAMS.add(*FOUR)
def heap_of_nodes(a, b, c, d):
    heap = [(x, i, None) for i, x in enumerate((a, b, c, d))]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        one, other = heapq.heappop(heap), heapq.heappop(heap)
        total += one[0] + other[0]
        heapq.heappush(heap, (one[0] + other[0], 9 + total, None))
    return total


@PROGRAMS.add(*FOUR)
def lists_and_numbers(a, b, c, d):
    xs = [x for x in (a, b, c, d) if x > 0]
    pair, table = (a, b), {"a": a}
    count = len([x for x in xs if x > 1])
    return xs == (not xs), [a, b] != count, pair == count, count == xs, count != pair, table == (not xs), not xs != table


test_eager, test_staged, _ = PROGRAMS.tests()


@pytest.mark.parametrize("name", PROGRAMS.table)
def test_native(name):
    program = PROGRAMS.table[name]
    compiled = ag.function(program.function, jit_compile=True)
    for case in program.cases:
        got = compiled(*map(ag.constant, case))
        assert ag.nest.map_structure(int, got) == ag.nest.map_structure(int, program.function(*case))
