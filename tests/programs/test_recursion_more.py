"""More recursive programs: classics, state in many forms, functions as arguments, met by loops and by mutual calls."""

import collections
import dataclasses
import functools

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
State = collections.namedtuple("State", "a b")


@dataclasses.dataclass
class Acc:
    total: float
    count: int = 0


class Tree:
    def __init__(self, w):
        self.w = w

    def __call__(self, x, n):
        return x if n == 0 else self(x * self.w, n - 1) + 1


class Base:
    def go(self, x, n):
        return x if n == 0 else self.go(x * 2, n - 1)


class Derived(Base):
    def go(self, x, n):
        return super().go(x + 1, n)


@PROGRAMS.add(5, 0)
def hanoi(n):
    moves = []

    def move(k, a, b, c):
        if k == 0:
            return
        move(k - 1, a, c, b)
        moves.append(a * 10 + b)
        move(k - 1, c, b, a)

    move(n, 1, 2, 3)
    return moves


@PROGRAMS.add((3, 2), (5, 0), (6, 3))
def binom(n, k):
    if k == 0 or k == n:
        return 1
    return binom(n - 1, k - 1) + binom(n - 1, k)


@PROGRAMS.add(13, 2)
def binary_digits(n):
    if n < 2:
        return [n]
    return binary_digits(n // 2) + [n % 2]


@PROGRAMS.add((V, 7.7), (V, 0.0))
def subset_count(xs, target):
    def go(i, left):
        if i == len(xs):
            return 1 if left > 0 else 0
        return go(i + 1, left) + go(i + 1, left - xs[i])

    return go(0, target)


@PROGRAMS.add((np.array([1, 3, 5, 7, 9]), 7), (np.array([1, 3, 5, 7, 9]), 4))
def bsearch(a, t):
    def go(lo, hi):
        if lo > hi:
            return -1
        m = (lo + hi) // 2
        if a[m] == t:
            return m
        elif a[m] < t:
            return go(m + 1, hi)
        return go(lo, m - 1)

    return go(0, len(a) - 1)


@PROGRAMS.add((0.0, 3.0, 1e-3), (1.0, 2.0, 1e-2))
def adaptive(a, b, tol):
    f = lambda x: x * x * x - x

    def simpson(a, b):
        return (b - a) / 6 * (f(a) + 4 * f((a + b) / 2) + f(b))

    def go(a, b, tol, whole):
        m = (a + b) / 2
        l, r = simpson(a, m), simpson(m, b)
        if abs(l + r - whole) < tol or b - a < 0.2:
            return l + r
        return go(a, m, tol / 2, l) + go(m, b, tol / 2, r)

    return go(a, b, tol, simpson(a, b))


@PROGRAMS.add((np.array([1.5, -2.0, 0.5]), 2), (np.array([1.5, 2.0, 3.0]), 0), (np.array([1.0, 2.0, 4.0]), 1))
def handlers_at_each_depth(xs, n):
    log = [xs[0]]

    def go(k):
        try:
            try:
                log.append(xs[k] * k)
                if k == 0:
                    return xs[7]
                if xs[k] < 0:
                    raise ValueError
                return go(k - 1) * xs[k]
            except ValueError:
                log.append(-xs[k])
                return xs[0] * xs[k]
        except IndexError:
            log.append(xs[k] ** 2)
            if k == n:
                return xs[k] * 2
            raise

    return go(n), log


@PROGRAMS.add((1.5, 4), (2.0, 0))
def named_state(x, n):
    def go(s, n):
        if n == 0:
            return s
        return go(State(s.b, s.a + s.b), n - 1)

    return go(State(x, x * 2), n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def dataclass_arg_mut(x, n):
    def go(acc, n):
        if n == 0:
            return
        acc.total = acc.total * 1.5
        acc.count += 1
        go(acc, n - 1)

    acc = Acc(x)
    go(acc, n)
    return acc


@PROGRAMS.add((V, 3), (V, 0))
def three_mutual(x, n):
    def a(x, n):
        return x if n <= 0 else b(x * 1.1, n - 1) + 1

    def b(x, n):
        return x * 2 if n <= 0 else c(x + 1, n - 1)

    def c(x, n):
        return x - 1 if n <= 0 else a(x, n - 2) + b(x, n - 3)

    return a(x, n), c(x, n)


@PROGRAMS.add((0.5, 3), (2.5, 6))
def with_while(x, n):
    def go(x, n):
        while x < 10.0:
            if n == 0:
                return x
            n -= 1
            x = x * 1.5 + 1
        return go(x - 9.0, n) if n > 0 else x

    return go(x, n)


@PROGRAMS.add((V, 4), (V, 0))
def try_finally(xs, n):
    log = []

    def go(k):
        try:
            if k == 0:
                return xs[0]
            return go(k - 1) + xs[k]
        finally:
            log.append(k)

    return go(n), log


@PROGRAMS.add((1.5, 4), (2.0, 0))
def varargs(x, n):
    def go(n, *xs):
        if n == 0:
            return xs
        return go(n - 1, *[v * 1.5 for v in xs])

    return go(n, x, x + 1)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def mode_string(x, n):
    def go(x, n, mode):
        if n == 0:
            return x if mode == "up" else -x
        if mode == "up":
            return go(x * 2, n - 1, "down")
        return go(x - 1, n - 1, "up")

    return go(x, n, "up")


@PROGRAMS.add((1.5, 4), (2.0, 0))
def op_arg(x, n):
    def apply(f, x, n):
        return x if n == 0 else apply(f, f(x), n - 1)

    return apply(np.sin, x, n), apply(lambda v: v * 1.5, x, n), apply(abs, x, n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def fresh_lambda(x, n):
    def apply(f, x, n):
        if n == 0:
            return f(x)
        return apply(lambda v: v * 1.5, x, n - 1)

    return apply(lambda v: v + 1, x, n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def ycomb(x, n):
    Y = lambda f: (lambda g: g(g))(lambda h: f(lambda *a: h(h)(*a)))
    return Y(lambda self: lambda x, n: x if n == 0 else self(x * 1.5, n - 1))(x, n)


@PROGRAMS.add((4,), (1,))
def permutations_count(n):
    def go(used, depth):
        if depth == n:
            return 1
        s = 0
        for i in range(n):
            if (used >> i) & 1 == 0:
                s += go(used | (1 << i), depth + 1)
        return s

    return go(0, 0)


@PROGRAMS.add((V, 3), (V, 0))
def array_state(xs, n):
    out = xs * 0.0

    def go(k):
        if k >= 0:
            out[k] = xs[k] * 2
            go(k - 1)

    go(n)
    return out


@PROGRAMS.add((np.arange(6.0).reshape(2, 3), 1, 2), (np.arange(6.0).reshape(2, 3), 0, 1))
def grid_paths(g, i, j):
    if i == 0 and j == 0:
        return g[0, 0]
    if i == 0:
        return g[0, j] + grid_paths(g, 0, j - 1)
    if j == 0:
        return g[i, 0] + grid_paths(g, i - 1, 0)
    return g[i, j] + max(grid_paths(g, i - 1, j), grid_paths(g, i, j - 1))


@PROGRAMS.add((1.5, 4), (2.0, 0))
def listcomp_rec(x, n):
    def go(x, n):
        if n == 0:
            return x
        return sum([go(x * w, n - 1) for w in (0.5, 1.5)])

    return go(x, n)


@PROGRAMS.add((V, 3), (V, 0))
def list_acc(xs, n):
    def go(k, acc):
        if k == 0:
            return acc
        return go(k - 1, acc + [xs[k]])

    return go(n, [])


@PROGRAMS.add((1.5, 4), (2.0, 0))
def call_object(x, n):
    return Tree(x)(x, n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def with_super(x, n):
    return Derived().go(x, n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def by_partial(x, n):
    def go(s, x, n):
        return x if n == 0 else functools.partial(go, s)(x * s, n - 1)

    return go(2.0, x, n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def by_map(x, n):
    def go(x, n):
        if n == 0:
            return x
        a, b = map(lambda w: go(x * w, n - 1), (0.5, 2.0))
        return a + b

    return go(x, n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def nested_rec(x, n):
    def inner(y, k):
        return y if k == 0 else inner(y * 0.9 + x, k - 1)

    def outer(y, m):
        return y if m == 0 else outer(inner(y, m), m - 1) + inner(y, 2)

    return outer(x, n)


@PROGRAMS.add((V, 3), (V, 0))
def loop_around_inside(xs, n):
    def f(i, k):
        s = xs[i]
        for j in range(k):
            while s < 20.0:
                s = s * s + f((i + 1) % 3, k - 1) + 1
            s = s - 15.0
        return s

    return f(0, n)


@PROGRAMS.add((V, 3), (V, 0))
def rank_two(xs, n):
    def go(m, k):
        if k == 0:
            return m
        return go(np.concatenate([m, m[-1:] * 2], 0), k - 1)

    return go(xs[None], n)


@PROGRAMS.add((5,), (2,))
def catalan(n):
    if n <= 1:
        return 1
    s = 0
    for i in range(n):
        s += catalan(i) * catalan(n - 1 - i)
    return s


@PROGRAMS.add((V, 3), (V, 0))
def dict_tensor_state(xs, n):
    d = {"a": xs[0], "n": 0}

    def go(k):
        if k == 0:
            return d["a"]
        d["a"] = d["a"] * 1.5
        d["n"] += 1
        return go(k - 1) + d["n"]

    r = go(n)
    return r, d


@PROGRAMS.add((V, 3), (V, 0))
def stack_pop(xs, n):
    st = [xs[0], xs[1]]

    def go(k):
        if k == 0:
            return st.pop()
        st.append(xs[k] * 2)
        r = go(k - 1)
        return r + st.pop()

    return go(n), len(st)


@PROGRAMS.add((1.5, 3), (2.0, 0))
def merge_like(x, n):
    def split(a):
        if len(a) <= 1:
            return a
        m = len(a) // 2
        l, r = split(a[:m]), split(a[m:])
        return np.concatenate([r, l]) * 1.5

    a = np.ones(8) * x
    return split(a[: n + 1])


@PROGRAMS.add((6,), (1,))
def mutual_results(n):
    def male(n):
        return 0 if n == 0 else n - female(male(n - 1))

    def female(n):
        return 1 if n == 0 else n - male(female(n - 1))

    return male(n), female(n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def with_match(x, n):
    def go(s, n):
        match s:
            case (a, b) if n == 0:
                return a + b
            case (a, b):
                return go((b, a * 2), n - 1)

    return go((x, x), n)


@PROGRAMS.add((1.5, 4), (2.0, 0))
def walrus_assert(x, n):
    def go(x, n):
        assert n >= 0, "neg"
        if (m := n - 1) < 0:
            return x
        return go(x * 1.1, m) + m

    return go(x, n)


@PROGRAMS.add((V, 2), (V, 0))
def two_state(xs, n):
    lo = xs[0]
    hi = xs[0]

    def go(k):
        nonlocal lo, hi
        if k < 0:
            return
        if xs[k] < lo:
            lo = xs[k]
        if xs[k] > hi:
            hi = xs[k]
        go(k - 1)

    go(n)
    return hi - lo


test_eager, test_staged, test_gradients = PROGRAMS.tests()
