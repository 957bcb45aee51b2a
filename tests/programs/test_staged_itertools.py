"""`itertools` over what only the run counts, and functions of the standard library that hold what they are given."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import types
from typing import NamedTuple

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((3, 2), (0, 2), (2, 0))
def product(n, m):
    found = []
    for i, j in itertools.product(range(n), range(m)):
        found.append(10 * i + j)
    return found, [a + b * c for a, b, c in itertools.product(range(m), repeat=3)]


@PROGRAMS.add((6,), (0,), (3,))
def chosen(n):
    xs = [i * i for i in range(n)]
    pairs = [a - b for a, b in itertools.combinations(xs, 2)]
    again = [a - b for a, b in itertools.combinations_with_replacement(range(n), 2)]
    return pairs, again, [a - 10 * b for a, b in itertools.permutations(range(n), 2)]


@PROGRAMS.add((8,), (3,))
def triple(n):
    for i, j, k in itertools.combinations(range(1, n), 3):
        if i * i + j * j == k * k:
            return i, j, k
    return None


@PROGRAMS.add((4,), (0,))
def joined(n):
    longest = [a - b for a, b in itertools.zip_longest(range(n), range(2), fillvalue=-1)]
    chained = list(itertools.chain.from_iterable([range(n), range(1)]))
    return longest, chained, [x for x in itertools.repeat(7, n)], [x for x in itertools.repeat(5, times=n)]


class Beam(NamedTuple):
    score: float
    words: list


@dataclasses.dataclass(frozen=True)
class State:
    weight: float
    history: list = dataclasses.field(default_factory=list)

    def stepped(self, rate):
        return dataclasses.replace(self, weight=self.weight * rate, history=[*self.history, self.weight])


@PROGRAMS.add((2.0, 3), (2.0, 0))
def replaced(x, n):
    beam, state = Beam(0.0, [x]), State(x)
    for _ in range(n):
        beam = beam._replace(score=beam.score + x, words=[*beam.words, beam.score])
        state = state.stepped(0.5)
    return beam.score, beam.words, state.weight, state.history


@PROGRAMS.add((2.0, 3), (2.0, 1))
def held(x, n):
    xs = [x * i for i in range(n)]
    space = types.SimpleNamespace(xs=xs)
    space.xs.append(x)
    last = functools.partial(lambda items, k: items[-1] + k, xs)
    return space.xs, len(xs), last(1.0)


@PROGRAMS.add((3,), (0,), (1,))
def identities(n):
    return np.eye(n), np.eye(n, n + 1, k=1, dtype=int), np.identity(n)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
