"""Arrays that NumPy makes in a staged function, filled by staged loops."""

import numpy as np

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((V,), (W,), gradients=False)
def fill(xs):
    out = np.zeros(5)
    for i in range(5):
        if xs[i] > 0:
            out[i] = xs[i] * 2
    return out


@PROGRAMS.add((V,), (W,), gradients=False)
def fill2(xs):
    out = np.zeros_like(xs)
    m = np.ones((2, 5))
    c = np.empty(5)
    f = np.full(3, xs[0])
    for i in range(len(xs)):
        out[i] = xs[i] * 2
        m[0, i] += xs[i]
        c[i] = 1.0
    return out, m, c, f


@PROGRAMS.add((4,), (1,), gradients=False)
def filled_as_numpy_does(n):
    """Numbers of Python's make arrays of 64 bits, whose sums do not wrap around at 32."""
    large = np.full(n, 10**9)
    for i in range(n):
        for _ in range(i + 3):
            large[i] += 10**9
    return large, np.full((n, 2), 7.5), np.full((1 << n, n), -1), np.full(n, n > 2), np.full(3, n), np.full(n, n / 2)


@PROGRAMS.add((V, 4), (W, 3), gradients=False)
def counted(xs, n):
    p = np.arange(n)
    for i in range(n - 1):
        if xs[i] > 0:
            p[i] = p[i + 1]
    return p, np.arange(1, n + 1, 2), np.arange(0.0, n, step=0.5)


@PROGRAMS.add((V, 4), (W, 3), gradients=False)
def fill3(xs, n):
    out = np.zeros(5)
    k = 0
    for i in range(n):
        out[i] += xs[i]
        k += 1
    out[1:3] = xs[2]
    out *= 2
    b = out
    b[0] = 1.0
    return out, b


@PROGRAMS.add((np.array([0, 2, 2, 1, 0]), 3), (np.array([2, 2, 2, 2, 1]), 4))
def histogram(ks, n):
    counts = np.zeros(n, dtype=int)
    for k in ks:
        counts[k] += 1
    seen = np.zeros(5, bool)
    for k in ks:
        seen[k] = True
    return counts, seen, counts.sum()


@PROGRAMS.add((V, 3), (W, 4), gradients=False)
def table(xs, n):
    t = np.zeros((n, len(xs)))
    for i in range(n):
        for j in range(len(xs)):
            t[i, j] = xs[j] * i if i != j else np.full(2, xs[j])[0]
    return t, t.shape[1]


KNOWN = np.array([5.0, 6.0, 7.0, 8.0, 9.0])


@PROGRAMS.add((V, 4), (W, 0), gradients=False)
def written_where_the_run_says_so(xs, n):
    p = np.arange(5)
    q = np.array([1.5, 2.5])
    k = KNOWN.copy()
    if n > 2:
        p[0] = 7
        q[1] = 0.5
    while n > 0:
        k[1] = 4.0
        n -= 1
    return p, q, k


@PROGRAMS.add((V,), (W,), gradients=False)
def set_to_tensors(xs):
    a, b, c = np.linspace(0.0, 1.0, 5), np.eye(5), np.sort(KNOWN)
    z = np.zeros_like(KNOWN)
    for i in range(5):
        a[i] = xs[i]
        b[i, 0] += xs[i]
        c[i] *= xs[0]
        z[i] = c[4 - i]
    return a, b, c, z


@PROGRAMS.add((V, 3), (W, 0), gradients=False)
def read_only(xs, n):
    names = [xs * 1, xs * 2, xs * 3]
    total = xs[0]
    for i in np.arange(3):
        total += names[i][0]
    return total, [1, 2, 3][np.array([2, 1])[0]]


test_eager, test_staged, _ = PROGRAMS.tests()


def test_what_was_filled_has_a_gradient():
    @ag.function
    def f(xs):
        out = np.zeros(3)
        for i in range(3):
            if xs[i] > 0:
                out[i] = xs[i] * 2
        return out * out

    xs = ag.constant([1.0, -2.0, 3.0], ag.float64)
    with ag.GradientTape() as tape:
        tape.watch(xs)
        y = f(xs)
    assert tape.gradient(y, xs).numpy().tolist() == [8.0, 0.0, 24.0]


def test_an_array_from_outside_is_not_written_by_what_may_not_run():
    outside = np.array([1.0, 2.0])

    @ag.function
    def f(n):
        if n > 0:
            outside[0] = 5.0
        return n

    f(ag.constant(0))
    assert outside.tolist() == [1.0, 2.0]
    f(ag.constant(1))
    assert outside.tolist() == [5.0, 2.0]
