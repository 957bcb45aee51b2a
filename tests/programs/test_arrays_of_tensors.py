"""`np.array` and `np.asarray` of what only the run knows: copies, casts, and NumPy's own types for Python's numbers."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import outcome, plain, tensors

V = np.array([1.0, -2.0, 3.0])


def at_the_top(x, n):
    x = np.asarray(x)
    y = np.array(x)
    y[0] = 5.0
    return x.sum() * n, y, np.asarray(n)


def given_a_type(x, n):
    out = np.array(x, dtype=float)
    for i in range(len(out)):
        out[i] += i * n
    return out, np.asarray(x, dtype=np.float32), np.array([x[0], n], dtype=float)


def shares_its_elements(x, n):
    y = np.asarray(x * n)
    z = np.asarray(y)
    z[0] = 1.0
    return y, np.array(y.T), np.array(x[1:])


def of_bare_numbers(x, n):
    scaled = [float(e) / 3 for e in x]
    bare = np.array(int(x[0])), np.array([round(x[1])])
    return np.array(scaled), np.array([len(scaled), 2]), np.array([float(n) / 3]), *bare


def functions_of_bare_numbers(x, n):
    thirds = [float(e) / 3 for e in x if e > -5]
    return np.mean([float(n) / 3, float(n) / 7]), np.sum(thirds), np.stack([float(n) / 3, 1.0])


def functions_of_grown_lists(x, n):
    kept = [e * n for e in x if e > -5]
    grown = []
    for e in x:
        if e > 0:
            grown.append(float(e) / 3)
    joined = np.concatenate([kept, x]), np.stack([grown, grown]), np.hstack([grown, kept])
    single = np.mean(kept), np.max(grown), np.sort(kept), np.maximum(grown, 0.5), np.dot(kept, kept), np.zeros_like(grown)
    return *joined, *single


def best_so_far(x, n):
    best = None
    for e in x:
        if best is None or e > best:
            best = e
    return np.array(best) * n, np.array([best, best])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    "f",
    [
        at_the_top, given_a_type, shares_its_elements, of_bare_numbers, functions_of_bare_numbers, functions_of_grown_lists,
        best_so_far,
    ],
)  # fmt: skip
def test_staged(f, jit):
    staged = ag.function(f, jit_compile=jit)
    for case in ((V, 3), (V[::-1], 2)):
        got, want = outcome(staged, tensors(case)), outcome(f, plain(case))
        for g, w in zip(got[0], want[0], strict=True):
            assert g.dtype == w.dtype
            np.testing.assert_allclose(g, w, rtol=1e-15)
        np.testing.assert_array_equal(got[1][0], want[1][0])


def test_gradient():
    x = ag.constant(V)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.function(lambda x: (np.array(x) * np.asarray(x)).sum())(x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2 * V)
