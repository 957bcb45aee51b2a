"""Iterators of which somebody takes some items, as tensors decide, and somebody else what is left."""

import itertools
from collections import deque

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()

V, W = np.array([4.2, 0.9, 2.1, 3.3, 3.6]), np.array([0.6, 5.2, 5.9, -1.1, 2.3])


def above(xs, low):
    for x in xs:
        if x > low:
            yield x


@PROGRAMS.add((V,), (W,))
def products_over_generators(xs):
    pairs = list(v + w for v in above(xs, 1) for w in above(xs, 2))
    return sum(v * w for v in above(xs, 1) for w in xs), len(pairs), max(pairs)


@PROGRAMS.add((V,), (W,))
def first_few(xs):
    few = (x * 2 for x in xs if x > 1)
    return list(itertools.islice(few, 2)), len(list(itertools.islice((x for x in xs if x < 4), 1)))


@PROGRAMS.add((np.array([1.0, 1.0, 2.0, 3.0, 3.0]),), (W,), gradients=False)
def groups_taken_in_part(xs):
    repeated = []
    for _, group in itertools.groupby(xs):
        next(group)
        repeated.extend(group)
    again = list(v for _, group in itertools.groupby(xs) for _ in group for v in group)
    return repeated, again, [sum(group) for _, group in itertools.groupby(xs)]


@PROGRAMS.add((V,), (W,))
def mapped_methods(xs):
    seen, counts = [], []
    for _ in map(seen.append, xs):
        counts.append(len(seen))
    return seen, counts


@PROGRAMS.add((V,), (W,))
def windows(xs):
    window = deque(itertools.islice(iter(xs), 2), maxlen=2)
    found = [sum(window)]
    following = map(window.append, itertools.chain(xs[2:], ()))
    for _ in itertools.islice(following, 0, None, 1):
        found.append(sum(window))
    return found


@PROGRAMS.add((V,), (W,))
def skipped_by_islice(xs):
    it, kept = above(xs, 0), []
    for x in it:
        if x > 3:
            next(itertools.islice(it, 1, 1), None)
        kept.append(x)
    return kept


def value(item):
    while isinstance(item, tuple):
        item = item[-1]
    return item


MADE = {
    "iter": iter,
    "zip": lambda xs: zip(xs, xs),
    "enumerate": enumerate,
    "map": lambda xs: map(lambda v: v + 1, xs),
    "expression": lambda xs: (v + 1 for v in xs),
    "filtered": lambda xs: (v for v in xs if v != 1),
    "filter": lambda xs: filter(lambda v: v > 0, xs),
    "chain": lambda xs: itertools.chain(xs, xs),
    "pairwise": itertools.pairwise,
    "starmap": lambda xs: itertools.starmap(lambda a, b: a + b, zip(xs, xs)),
    "reversed": reversed,
    "longest": lambda xs: itertools.zip_longest(xs, xs[1:], fillvalue=0),
}
TAKEN = {
    "any": lambda it: any(value(v) < 3 for v in it),
    "next": lambda it: next(v for v in it if value(v) < 3),
    "filter": lambda it: next(filter(lambda v: value(v) < 3, it)),
    "dropwhile": lambda it: next(itertools.dropwhile(lambda v: value(v) > 2, it)),
    "takewhile": lambda it: len(list(itertools.takewhile(lambda v: value(v) > 3, it))),
    "islice": lambda it: len(list(itertools.islice((v for v in it if value(v) > 1), 2))),
    "twice": lambda it: (next(v for v in it if value(v) < 4), next((v for v in it if value(v) < 4), -1)),
}
WORK = {"iter", "zip", "enumerate", "map", "expression", "filtered", "pairwise", "reversed"}
EXCEPT = {"takewhile", "islice"}


def numbers(x):
    return [numbers(v) for v in x] if isinstance(x, (list, tuple)) else float(x)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("made", MADE)
def test_what_is_left(made, taken, listed):
    """What is left is what Python leaves; a few pairs are refused by name."""
    make, take = MADE[made], TAKEN[taken]

    def f(xs):
        it = make(xs)
        return take(it), list(it)

    items = [4, 1, 2, 3]
    given = [ag.constant(v) for v in items] if listed else ag.constant(items)
    try:
        got = ag.function(f)(given)
    except ag.errors.OperatorNotAllowedInGraphError:
        if made in WORK and taken not in EXCEPT:
            raise
        return
    assert numbers(got) == numbers(f(items))


test_eager, test_staged, test_gradients = PROGRAMS.tests()
