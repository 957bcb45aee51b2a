"""Dictionaries of lists by keys that a tensor's test picks, and lists in order, by plain Python on the same numbers."""

from collections import Counter, defaultdict

import numpy as np
import pytest

import autograph as ag


def by_setdefault(x):
    groups = {}
    for v in x:
        groups.setdefault("pos" if v > 0 else "neg", []).append(v)
    return groups


def by_defaultdict(x):
    groups = defaultdict(list)
    for v in x:
        groups["pos" if v > 0 else "neg" if v < -1 else "near"].append(v)
    return groups


def by_membership(x):
    groups = {}
    for v in x:
        key = "pos" if v > 0 else "neg"
        if key not in groups:
            groups[key] = []
        groups[key].append(v)
    return groups


def by_branches(x):
    groups = {}
    for v in x:
        key = "pos" if v > 0 else "neg"
        if key in groups:
            groups[key].append(v)
        else:
            groups[key] = [v]
    return groups


def sums(x):
    total = {}
    for v in x:
        key = "pos" if v > 0 else "neg"
        if key not in total:
            total[key] = 0.0
        total[key] += v
    return total


def counts(x):
    counted = Counter()
    for v in x:
        counted["pos" if v > 0 else "neg"] += 1
    return counted["pos"], counted["neg"]


def in_order(x):
    groups = {}
    for v in x:
        groups.setdefault("pos" if v > 0 else "neg", []).append(v)
    return {key: max(vs) for key, vs in sorted(groups.items())}


def of_two_branches(x):
    groups = {}
    for v in x:
        if v > 0:
            groups.setdefault("pos", []).append(v)
        else:
            groups.setdefault("neg", []).append(v)
    return [(key, len(vs)) for key, vs in sorted(groups.items())]


def by_numbers(x):
    groups = {}
    for v in x:
        groups.setdefault(int(v) % 3, []).append(v)
    return {key: sum(vs) for key, vs in sorted(groups.items())}


def lists_compared(x):
    a = [v for v in x if v > 1]
    b = [v for v in x if v < 2]
    return a < b, a <= b, a > b, a >= b, a < [3.0], [1.0] < a, max(a, b), min([b, a]), max([a, [x[0], x[1]]])


def rows_in_order(x):
    rows = []
    for v in x:
        if v > 0:
            rows.append([w for w in x if w <= v])
    return sorted(rows), sorted(rows, reverse=True), max(rows)


PROGRAMS = [
    by_setdefault, by_defaultdict, by_membership, by_branches, sums, counts, in_order, of_two_branches, by_numbers,
    lists_compared, rows_in_order,
]  # fmt: skip
INPUTS = [1.0, 2.0, -3.0], [1.5, 1.5, 1.9], [5.0, -2.0, 4.0, -0.5, 3.0], [2.0, 1.0]


def plain(x):
    if isinstance(x, dict):
        return {str(k) if isinstance(k, str) else int(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return list(map(plain, x))
    return x if isinstance(x, str) else np.asarray(x).tolist()


@pytest.mark.parametrize("f", PROGRAMS)
@pytest.mark.parametrize("mode", ["plan", "native", "any size"])
def test_as_python(f, mode):
    signature = [ag.TensorSpec([None], "float64")] if mode == "any size" else None
    staged = ag.function(f, input_signature=signature, jit_compile=mode != "plan")
    for given in INPUTS:
        x = np.array(given)
        want, got = plain(f(x)), plain(staged(ag.constant(x)))
        assert got == want
        if isinstance(want, dict):
            assert list(got) == list(want)
