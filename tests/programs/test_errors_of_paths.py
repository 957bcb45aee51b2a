"""What Python raises where a path is taken, it raises there: not while the path is traced."""

import math

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((np.array([3, 1, 2]), 1), (np.array([3, 1, 2]), 0), (np.array([1, 1, 3]), 1))
def removed_of_an_empty_list(xs, k):
    seen = []
    for x in xs:
        if x > 2 and k > 0:
            seen.remove(3)
        seen.append(x)
    return seen


@PROGRAMS.add((2, 1.0), (-1, 1.0), (-3, 2.0))
def least_of_what_is_empty_before_the_loop(n, x):
    best = []
    while n < 3:
        if n < -2:
            x = x + min(best)
        best.append(x)
        n += 1
    return x, best


class Cache:
    """Forgets what was asked for least often."""

    def __init__(self, size):
        self.size = size
        self.values, self.uses = {}, {}

    def put(self, key, value):
        if key in self.values:
            self.values[key] = value
            self.uses[key] += 1
            return None
        evicted = None
        if len(self.values) >= self.size:
            evicted = min(self.uses, key=self.uses.get)
            del self.values[evicted], self.uses[evicted]
        self.values[key] = value
        self.uses[key] = 1
        return evicted


@PROGRAMS.add((np.array([1, 2, 1, 3, 2, 4]), 2), (np.array([2, 2, 5, 5, 1, 2]), 3), (np.array([1, 2, 3, 4, 5, 6]), 0))
def evicted_keys(keys, size):
    cache = Cache(size)
    log = []
    for i, k in enumerate(keys):
        gone = cache.put(k, i * 10)
        log.append(-1 if gone is None else gone)
    return log, cache.uses


@PROGRAMS.add((np.array([1, -1, 1]), np.array([3.0, 2.5, 1.0])), (np.array([-1, -1, 1]), np.array([1.0, 2.0, 3.0])))
def two_books(sides, prices):
    bids, asks = [], []
    cash = 0.0
    for side, price in zip(sides, prices):
        book, other = (bids, asks) if side > 0 else (asks, bids)
        if other:
            best = min(other, key=lambda p: p * side)
            if (best - price) * side <= 0:
                other.remove(best)
                cash += best
                continue
        book.append(price)
    return cash, len(bids), len(asks)


@PROGRAMS.add((1, 1.0), (0, 1.0), (-1, 2.0), (-2, 2.0), (-3, 2.0), (-4, 2.0))
def of_what_python_knows(n, x):
    nothing, none, text, big = [], None, "abc", 1000.0
    if n == 0:
        x = x + max(nothing)
    elif n == -1:
        a, b = [x]
        x = a + b
    elif n == -2:
        x = x + int(text) + math.sqrt(-1.0)
    elif n == -3:
        x = x + next(iter(nothing))
    elif n == -4:
        x = x + none.value
    elif n < -4:
        x = x + math.exp(big)
    return x


@PROGRAMS.add((3, 1.0), (3, -7.5), (0, 2.0), (0, 0.5), (3, 2.5))
def from_the_last_of_many(n, x):
    last = None
    for _ in range(n):
        try:
            if x > 1:
                raise ValueError("v")
            x = x + 1
        except ValueError as e:
            last = e
            x = x - 3
    if x > 0:
        raise LookupError("gone") from last
    return x


@PROGRAMS.add((1, 2.0), (0, 2.0), (2, 2.0))
def from_what_is_no_cause(n, x):
    cause = 3
    if n == 1:
        raise LookupError("gone") from cause
    if n == 2:
        raise LookupError from ValueError
    return x


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


def test_the_cause_is_kept_outside_of_traces():
    def fails(cause):
        raise LookupError("gone") from cause

    for cause in (ValueError("v"), ValueError, None):
        with pytest.raises(LookupError, match="gone") as found:
            ag.autograph.to_graph(fails)(cause)
        assert found.value.__suppress_context__
        assert type(found.value.__cause__) is (type(None) if cause is None else ValueError)
