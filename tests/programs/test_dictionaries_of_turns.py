"""Dictionaries that each turn of a staged loop makes for itself: nobody else holds them, whatever is done with them."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V, W = np.array([2.0, 3.0, 4.0]), np.array([-1.0, 2.5, 0.5])


@PROGRAMS.add((V, 4), (W, 1))
def asked_beside_a_set_of_numbers(xs, n):
    seen, total = set(), 0.0
    for k in range(n):
        seen.add(k % 3)
        counts = {}
        for c in range(3):
            counts[c] = counts.get(c, 0.5) + k
        total += counts[2] * xs[0]
    return total, len(seen)


@PROGRAMS.add((V, 4), (W, 3))
def methods_beside_a_set_of_numbers(xs, n):
    seen, total = set(), 0.0
    for k in range(n):
        seen.add(k)
        own = {"a": 1.0}
        own.setdefault("b", xs[0])
        own.update(c=total)
        own.pop("a")
        total = sum(own.values())
    return total, len(seen)


@PROGRAMS.add((V, 4), (W, 3))
def filled_from_one_of_two(xs, n):
    total = 0.0
    for k in range(n):
        ys = xs if k > 1 else (1.0, 2.0)
        own = {}
        for y in ys:
            own["a"] = own.get("a", 0.0) + y
        total += own["a"]
    return total


@PROGRAMS.add((V, 4), (W, 3))
def filled_in_a_call(xs, n):
    def tally(ys):
        own = {"a": 0.0}
        for y in ys:
            own["a"] += y
        return own["a"]

    total = 0.0
    for k in range(n):
        total += tally(xs if k > 1 else (1.0, 2.0))
    return total


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
