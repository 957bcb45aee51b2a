"""Iterators that a branch of the graph uses up, or in part, whatever takes the items: what is left, the run says."""

import collections
import functools
import itertools

import pytest

import autograph as ag


def numbers():
    yield 1
    yield 2
    yield 3


def following(x):
    yield x
    yield x + 1
    yield x + 2


MADE = {
    "generator": lambda x: numbers(),
    "of tensors": following,
    "expression": lambda x: (v for v in (1, 2, 3)),
    "expression with tensors": lambda x: (v + x for v in (1, 2, 3)),
    "chain": lambda x: itertools.chain([1, 2], [3]),
    "tee": lambda x: itertools.tee([1, 2, 3])[0],
    "list": lambda x: iter([1, 2, 3]),
    "map": lambda x: map(abs, [1, 2, 3]),
    "zip": lambda x: (a for a, in zip([1, 2, 3])),
    "filter": lambda x: filter(None, [1, 2, 3]),
    "dictionary": lambda x: iter({1: 1, 2: 2, 3: 3}),
    "islice": lambda x: itertools.islice([1, 2, 3], 3),
}


def first_of(it):
    for v in it:
        return v
    return 0


def until_three(it):
    total = 0
    for v in it:
        total += v
        if total > 2:
            break
    return total


def outer(a, b, c):
    return a + c


def extended(it):
    found = []
    found.extend(it)
    return len(found)


TAKEN = {
    "next": lambda it: next(it),
    "next or": lambda it: next(it, 0),
    "sum": lambda it: sum(it),
    "list": lambda it: len(list(it)),
    "tuple": lambda it: len(tuple(it)),
    "max": lambda it: max(it),
    "sorted": lambda it: sorted(it)[0],
    "return": first_of,
    "break": until_three,
    "in": lambda it: 2 if 2 in it else 0,
    "star": lambda it: len([*it]),
    "comprehension": lambda it: [v * 2 for v in it][0],
    "any": lambda it: 1 if any(it) else 0,
    "zip": lambda it: [a * b for a, b in zip(it, [1, 1])][0],
    "enumerate": lambda it: [i for i, v in enumerate(it)][1],
    "map": lambda it: list(map(abs, it))[0],
    "arguments": lambda it: outer(*it),
    "reduce": lambda it: functools.reduce(lambda a, b: a + b, it),
    "extend": extended,
    "deque": lambda it: len(collections.deque(it)),
    "accumulate": lambda it: list(itertools.accumulate(it))[-1],
    "islice": lambda it: list(itertools.islice(it, 2))[0],
}


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("made", MADE)
def test_in_a_branch(made, taken):
    make, take = MADE[made], TAKEN[taken]

    def f(x):
        it = make(x)
        found = 0
        if x > 0:
            found = take(it)
        return found * 100 + len(list(it))

    staged = ag.function(f)
    for x in (1, -1):
        wanted = f(x)
        assert int(staged(ag.constant(x))) == wanted


@pytest.mark.parametrize("made", [name for name in MADE if "tensors" not in name])
def test_in_a_set(made):
    make = MADE[made]

    def f(x):
        it = make(x)
        found = 0
        if x > 0:
            found = len(set(it))
        return found * 100 + len(list(it))

    staged = ag.function(f)
    assert [int(staged(ag.constant(x))) for x in (1, -1)] == [300, 3]
