"""Everyday programs over the whole language: small algorithms. Each plain, eager and staged, with gradients."""

import itertools

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((17.0,), (3.0,))
def newton(a):
    x = a
    while True:
        y = (x + a / x) / 2
        if abs(y - x) < 1e-9:
            break
        x = y
    return y


@PROGRAMS.add((np.array([1, 5, 3, 9, 2]),), (np.array([9, 1, 1, 4, 0]),))
def stack_(xs):
    st = []
    out = []
    for x in xs:
        while st and st[-1] < x:
            st.pop()
        out.append(len(st))
        st.append(x)
    return st, out


@PROGRAMS.add((12, 18), (7, 5))
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


@PROGRAMS.add((27,), (6,))
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@PROGRAMS.add((V,), (W,))
def setdef(xs):
    d = {}
    for i, x in enumerate([x for x in xs]):
        d.setdefault(i % 2, []).append(x)
    return d


@PROGRAMS.add((V,), (W,))
def strs(xs):
    label = "up" if xs[0] > 0 else "down"
    if label == "up":
        return 1.0
    return -1.0


@PROGRAMS.add((V,), (W,))
def fstr(xs):
    for x in xs:
        print(f"{x:.2f}!", end=" ")
    print(f"{len(xs)=} {xs[0]:8.3f}|")
    return xs[0]


@PROGRAMS.add((V,), (W,))
def acc2(xs):
    seen = []
    for x in xs:
        if x in seen or -x in seen:
            return True
        seen.append(x)
    return False


@PROGRAMS.add((V,), (W,))
def chained(xs):
    n = 0
    for x in xs:
        if -2 < x <= 4 != n:
            n += 1
        elif not (x > 0 and n) or x == 4.3:
            n += 10
    return n


@PROGRAMS.add((V,), (W,))
def multi(xs):
    a = b = c = 0.0
    for x in xs:
        a = b = x * 2 if x > 0 else b
        c += a - b + a
    return a, b, c


@PROGRAMS.add((4,), (0,))
def fibs(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@PROGRAMS.add((V,), (W,))
def iters(xs):
    return list(itertools.accumulate([x for x in xs])), list(map(lambda a, b: a - b, xs, xs[1:]))


@PROGRAMS.add((V,), (W,))
def lists_slices(xs):
    l = [x for x in xs]
    l[1:3] = [l[0], l[4]]
    l.insert(2, xs[0])
    l.extend([1.0])
    l.reverse()
    return l, l[::-1], l[-2:]


@PROGRAMS.add((V, 2), (W, 3))
def insert_pop(xs, k):
    l = []
    for x in xs:
        l.insert(0, x)
        if len(l) > k:
            l.pop()
    return l, l[-1], l[:1]


@PROGRAMS.add((V, 7), (W, 3))
def return_in_finally_loop(xs, n):
    s = 0.0
    for i in range(n):
        try:
            if i >= 5:
                break
            if xs[i] < 0:
                continue
            s = s + xs[i]
        finally:
            s = s + 0.5
    return s


@PROGRAMS.add((V,), (W,))
def while_else(xs):
    i = 0
    while i < 5:
        if xs[i] > 4:
            break
        i += 1
    else:
        i = -1
    return i


@PROGRAMS.add((V,), (W,))
def rows_of_matrix(xs):
    m = np.stack([xs, xs * 2])
    t = 0.0
    for r in m:
        for v in r:
            if v > 5:
                break
            t = t + v
    return t, [max(r) for r in m], [[v + 1 for v in r if v > 0] for r in m][0] if False else 0


@PROGRAMS.add((V,), (W,))
def dictloop(xs):
    w = {"a": 1.0, "b": xs[1]}
    for x in xs:
        for k in w:
            w[k] = w[k] + x if x > 0 else w[k] * 0.5
    return w


@PROGRAMS.add((V,), (W,))
def attr_chain(xs):
    class N:
        pass

    n = N()
    n.c = N()
    n.c.v = 0.0
    n.c.l = []
    for x in xs:
        if x > 0:
            n.c.v += x
        else:
            n.c.l.append(x)
    return n.c.v, n.c.l


@PROGRAMS.add((V,), (W,))
def ternaries(xs):
    return [a if a > b else b if b > 0 else -1.0 for a, b in zip(xs, xs[::-1])]


@PROGRAMS.add((V,), (W,))
def conditional_fn(xs):
    f = (lambda v: v * 2) if xs[0] > 0 else (lambda v: v - 1)
    g = np.sin if xs[1] > 0 else np.cos
    return f(xs[2]), g(xs[2])


@PROGRAMS.add((V,), (W,))
def early(xs):
    if xs[0] > 0:
        for x in xs:
            if x > 4:
                while True:
                    x = x - 1
                    if x < 2:
                        return x
        return 0.0
    elif xs[1] > 7:
        return xs[1]


@PROGRAMS.add((V,), (W,))
def stars(xs):
    a, *b = [x * 2 for x in xs]

    def f(*v, **k):
        return sum(v) + k["z"]

    return f(*b, z=a), [*b, a][2], {**{"q": a}, "r": b[0]}


@PROGRAMS.add((3, 4), (5, 2))
def acker(m, n):
    def a(m, n):
        if m == 0:
            return n + 1
        if n == 0:
            return a(m - 1, 1)
        return a(m - 1, a(m, n - 1))

    return a(m % 3, n)


@PROGRAMS.add((6,), (9,))
def even(n):
    def ev(k):
        return True if k == 0 else od(k - 1)

    def od(k):
        return False if k == 0 else ev(k - 1)

    return ev(n)


@PROGRAMS.add((V,), (W,))
def memo(xs):
    cache = {}

    def f(n):
        if n in cache:
            return cache[n]
        r = xs[0] if n < 2 else f(n - 1) + f(n - 2)
        cache[n] = r
        return r

    return f(6)


@PROGRAMS.add((V, 2.0), (W, 100.0))
def search(xs, t):
    lo, hi = 0, len(xs)
    s = np.sort(xs)
    while lo < hi:
        mid = (lo + hi) // 2
        if s[mid] < t:
            lo = mid + 1
        else:
            hi = mid
    return lo


@PROGRAMS.add((V,), (W,))
def running_max(xs):
    m = xs[0]
    out = [m]
    for x in xs[1:]:
        m = max(m, x)
        out.append(m)
    return out


@PROGRAMS.add((V,), (W,))
def shapes(xs):
    acc = xs[:1]
    for x in xs:
        if x > 0:
            acc = np.concatenate([acc, acc[:1] * x])
    return acc, len(acc)


@PROGRAMS.add((V,), (W,), gradients=False)
def augs(xs):
    a = np.zeros(3)
    a[1] += xs[0]
    a[2:] = xs[2]
    a *= 2
    b = a
    b[0] = xs[1]
    return a, b


@PROGRAMS.add((np.array([1, 2, 3, 4, 1]), np.array([3, 4, 1, 2, 1, 3])), (np.array([1]), np.array([2])), traces=2)
def common_subsequence(a, b):
    m, n = len(a), len(b)
    table = [[0] * (n + 1) for _ in range(m + 1)]
    for i in range(m):
        for j in range(n):
            if a[i] == b[j]:
                table[i + 1][j + 1] = table[i][j] + 1
            else:
                table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j])
    out = []
    i, j = m, n
    while i and j:
        if a[i - 1] == b[j - 1]:
            out.append(a[i - 1])
            i -= 1
            j -= 1
        elif table[i - 1][j] >= table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return table[m][n], out[::-1]


test_eager, test_staged, test_gradients = PROGRAMS.tests()
