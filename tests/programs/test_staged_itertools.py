"""`itertools` over what only the run counts, and functions of the standard library that hold what they are given."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import types
from typing import NamedTuple

import numpy as np
import pytest

import autograph as ag
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


M = np.arange(6.0).reshape(2, 3)


@PROGRAMS.add((M, 2.0), (M + 1.0, 9.0), gradients=False)
def walked(x, limit):
    total, first = 0.0, None
    for (i, j), v in np.ndenumerate(x):
        total += v * j
        if first is None and v > limit:
            first = i, j
    for index in np.ndindex(x.shape):
        total += x[index] * (index[0] + 1)
    return total, first


def test_a_diagonal_is_filled() -> None:
    def nearest(x):
        distances = (x[:, None] - x[None]) ** 2
        np.fill_diagonal(distances, np.inf)
        return distances, distances.argmin(axis=1)

    for relaxed in (False, True):
        staged = ag.function(nearest, reduce_retracing=relaxed)
        for x in (np.array([1.0, 4.0, 2.0]), np.array([1.0, 1.5]), np.array([0.0, 9.0, 2.0, 8.5])):
            for got, want in zip(staged(ag.constant(x)), nearest(x), strict=True):
                np.testing.assert_array_equal(got.numpy(), want)


def test_a_diagonal_of_several_numbers_is_refused() -> None:
    @ag.function
    def filled(x):
        np.fill_diagonal(x, x[0])
        return x

    with pytest.raises(ag.errors.UnimplementedError, match="numpy-function"):
        filled(ag.constant(M))


@PROGRAMS.add((M[0], 2.0), (M[1], 0.0), gradients=False)
def tee_of_what_only_the_run_counts(x, least):
    big = [v * 2 for v in x if v > least]
    a, b, c = itertools.tee(big, 3)
    most, first = max(a, default=-1.0), next(b, 0.0)
    if least > 1:
        first += next(b, 0.0)
    return most, first, sum(b, 0.0), len(list(c))


@pytest.mark.parametrize("jit", [False, True])
def test_tee_of_an_open_size(jit):
    @ag.function(input_signature=[ag.TensorSpec([None], ag.int64)], jit_compile=jit)
    def program(v):
        a, b = itertools.tee(v)
        next(b)
        return sum([x * y for x, y in zip(a, b)])  # noqa: B905

    assert [int(program(np.arange(n))) for n in (1, 2, 5)] == [0, 0, 20]


test_eager, test_staged, test_gradients = PROGRAMS.tests()
