"""Built-in functions, comprehensions, assert and print on tensors."""

import functools
import math

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])
A = np.array([[1.02, -2.13, 3.24], [0.5, 4.33, -1.21]])
B = np.array([[7.04, 2.35, -3.01], [9.1, 0.17, 6.29]])
N = np.array([3, 1, 4, 1, 5])
M = np.array([2, 7, 1, 8, 2])


NAN = float("nan")
V_FIRST = np.where(np.arange(5) == 0, NAN, V)
V_LATER = np.where(np.arange(5) == 1, NAN, V)


@PROGRAMS.add(([3.0, 1.0, 2.0], 1), ([3.0, -4.0, 2.0], 5))
def sorted_either_way(xs, k):
    xs = xs[:]
    xs.sort(key=abs, reverse=bool(k > 3))
    ids = [3, 1, 2]
    ids.sort(reverse=bool(k > 3))
    return xs, ids, sorted(xs, reverse=not k > 3), sorted((x for x in xs if x > 1.5), reverse=bool(k % 2))


@PROGRAMS.add((V, 1.0), (V_FIRST, 1.5), (V_LATER, NAN), (V * NAN, 0.0), gradients=False)
def most_and_least_with_nan(xs, y):
    """No comparison with it holds: it stays where it is the first."""
    low = high = y
    for x in xs:
        low, high = min(low, x), max(x, high)
    return max(xs[0], xs[1]), max(xs[1], xs[0]), min(xs[0], y, 1.0), max(y, 0.0), max(0.0, y), max(xs), min(xs), low, high


@PROGRAMS.add((0.0, -0.0), (-0.0, 0.0), gradients=False)
def most_and_least_of_zeros(x, y):
    """The first of equals."""
    return [1 / (z + 1e-300) if math.copysign(1.0, z) > 0 else -1.0 for z in (max(x, y), min(x, y), max(y, x), min(y, x))]


@PROGRAMS.add((V, 2), (W, 7), gradients=False)
def most_of_both_kinds(xs, n):
    return max(n, xs[1] + 100), min(xs[0] - 100, n), max(n, 3), min(n, 4, 3)


@PROGRAMS.add(V, W)
def most_of_a_loop(xs):
    best = here = xs[0]
    for i in range(1, len(xs)):
        here = max(xs[i], here + xs[i])
        best = max(best, here)
    return best


@PROGRAMS.add(V, W)
def comprehension(xs):
    return [x * 2 + i for i, x in enumerate(xs)]


@PROGRAMS.add((V, 1.0), (W, -3.0))
def filtered_comprehension(xs, y):
    kept = [x * y for x in xs if x > y]
    return sum(kept), len(kept)


@PROGRAMS.add((V, 3), (W, 5))
def comprehension_over_range(xs, n):
    return sum([xs[i] * i for i in range(n)])


@PROGRAMS.add(A, B)
def nested_comprehension(m):
    rows = [[x * 2 for x in row] for row in m]
    return rows[1][2] + rows[0][1]


@PROGRAMS.add(A, B)
def flat_comprehension(m):
    return sum([x * x for row in m for x in row])


@PROGRAMS.add((V, 0.5), (W, 1.5))
def generator_expressions(xs, y):
    return sum(x * y for x in xs if x > 0), max(x - y for x in xs), any(x > 5 for x in xs), all(x > -9 for x in xs)


@PROGRAMS.add(V, W)
def dictionary_comprehension(xs):
    d = {k: x * x for k, x in zip("abc", xs)}
    return d["a"] + d["c"]


@PROGRAMS.add(V, W)
def reductions(xs):
    return sum(xs), min(xs), max(xs), abs(xs[1]), len(xs)


@PROGRAMS.add((1.5, -2.5), (-3.5, 4.5))
def extremes_of_scalars(x, y):
    return max(x, y), min(x, y, 0.25), max([x, y]) - min((x, y))


@PROGRAMS.add((V, W), (W, V))
def extremes_with_key(xs, ys):
    best = max(zip(xs, ys), key=lambda pair: pair[0] * pair[1])
    least = min(xs, key=lambda x: (x - 1) ** 2)
    return best, least


@PROGRAMS.add(V, W)
def sorted_values(xs):
    up = sorted(xs)
    down = sorted(xs, reverse=True)
    return up[0] + down[0] * 2, sorted([xs[0], xs[1], xs[2]])[1]


@PROGRAMS.add((3.7, 5), (-3.7, -2), gradients=False)
def conversions(x, n):
    return int(x), float(n), bool(n), float(round(x)), int(x > 1), round(x, 1)


@PROGRAMS.add((17, 5), (-17, 5), (17, -5))
def integer_division(a, b):
    q, r = divmod(a, b)
    return q, r, a // b, a % b, pow(b, 2)


@PROGRAMS.add(N, M)
def any_and_all(ns):
    big = any(n > 6 for n in ns)
    small = all(n < 6 for n in ns)
    if any(ns > 6) and not all(ns > 1):
        return 1, big, small
    return 2, big, small


@PROGRAMS.add((V, W), (W, V))
def map_and_filter(xs, ys):
    products = list(map(lambda a, b: a * b, xs, ys))
    positive = list(filter(lambda p: p > 0, products))
    return products, len(positive), sum(positive)


@PROGRAMS.add(V, W)
def reduced(xs):
    return functools.reduce(lambda a, b: a * 0.5 + b, xs), functools.reduce(lambda a, b: a - b, xs, 100.0)


@PROGRAMS.add((3, 10), (0, 10), (15, 10))
def range_membership(n, stop):
    hits = 0
    if n in range(1, stop, 2):
        hits += 1
    if n not in (0, 15):
        hits += 10
    for k in reversed(range(n)):
        hits += k
    return hits + len(range(2, n + 5, 3))


@PROGRAMS.add((1.5, 3), (-0.5, 0))
def isinstance_tests(x, n):
    y = None
    if n > 0:
        y = x
    if isinstance(y, str):
        return 0.0
    return x if y is None else y * 2


@PROGRAMS.add((2.5, 3.5), (0.5, 4.5))
def math_functions(x, y):
    return math.pi * x + np.sqrt(y) + np.hypot(x, y) + np.exp(-x) ** 2


@PROGRAMS.add((1.5, 1.0), (-0.5, 1.0))
def assertion_fails_on_a_path(x, y):
    if x < 0:
        assert y > 2, "y is too small"
    return x * y


@PROGRAMS.add((3, 1), (5, 2))
def assertion_in_loop(n, k):
    for i in range(n):
        assert i * k < 6, f"too big: {i}"
    return n


@PROGRAMS.add((2, 3), (0, 1))
def prints_in_order(n, k):
    print("start", k)
    for i in range(n):
        if i > 0:
            print("more", i, sep="-", end=";\n")
        else:
            print(f"first {i} of {n}")
    print("done", n, k)
    return n


@PROGRAMS.add((V, 2), (W, 3))
def printing_arrays(xs, n):
    print(xs[:2] > 0, n)
    while n > 0:
        print(n)
        n -= 1
    return n


@PROGRAMS.add((V, 2), (W, 0))
def unpacking_and_indexing(xs, n):
    a, b, *rest = [x for x in xs]
    c, d = xs[1:3]
    return a * b + c - d * n, len(rest)


@PROGRAMS.add((V, 1), (W, 2))
def zip_enumerate_reversed(xs, n):
    s = 0.0
    for i, (a, b) in enumerate(zip(xs, reversed(xs)), start=n):
        s += i * a * b
    return s


@PROGRAMS.add((A, 0), (B, 1))
def loops_over_shapes(m, k):
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(len(m[0])):
            if (i + j) % 2 == k:
                s += m[i, j]
    return s


@PROGRAMS.add((4, 2.0), (2, 3.0))
def sum_of_generator_over_range(n, x):
    return sum(x**k / (k + 1) for k in range(n))


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(("x", "y"), [(1.5, -0.0), (np.inf, 2.0), (3, 4), (-0.0, np.nan)])
def test_complex_is_pythons(x, y, jit_compile):
    def f(x, y):
        both = complex(x, y), complex(y, x)
        return *both, complex(x), complex(imag=y), complex(x, 2j), complex(1j, y), complex(*both), complex(real=3, imag=x)

    got = ag.function(f, jit_compile=jit_compile)(ag.constant(x), ag.constant(y))
    assert [repr(complex(z)) for z in got] == [repr(z) for z in f(x, y)]


def test_complex_of_several_numbers_is_refused():
    with pytest.raises(TypeError, match=r"one element can be converted by complex\(\)"):
        ag.function(lambda x: complex(x, 1.0))(ag.constant([1.0, 2.0]))


test_eager, test_staged, test_gradients = PROGRAMS.tests()
