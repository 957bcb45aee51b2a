"""Generators over tensors: consumed by loops, comprehensions and built-in functions in the same staged function."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


# c generators
def evens(xs):
    for x in xs:
        if x > 0:
            yield x


def pairs(xs):
    for i in range(len(xs)):
        yield i, xs[i]


def gwhile(x):
    while x > 1:
        yield x
        x = x / 2


@PROGRAMS.add((V,), (W,))
def gen1(xs):
    s = 0.0
    for e in evens(xs):
        s = s + e * e
    return s


@PROGRAMS.add((V,), (W,))
def gen2(xs):
    return sum(evens(xs))


@PROGRAMS.add((V,), (W,))
def gen3(xs):
    return list(evens(xs))


@PROGRAMS.add((V,), (W,))
def gen4(xs):
    return [e * 2 for e in evens(xs)]


@PROGRAMS.add((V,), (W,))
def gen5(xs):
    s = 0.0
    for i, e in pairs(xs):
        if e < 0:
            continue
        if i > 3:
            break
        s = s + e * i
    return s


@PROGRAMS.add((9.5,), (3.2,))
def gen6(x):
    s = 0.0
    for v in gwhile(x):
        s = s + v
    return s


@PROGRAMS.add((9.5,), (3.2,))
def gen7(x):
    return max(gwhile(x)), list(gwhile(x))


@PROGRAMS.add((V,), (W,))
def gen8(xs):
    return sum(x * x for x in xs if x > 0)


@PROGRAMS.add((V,), (W,))
def gen9(xs):
    g = (x * x for x in xs if x > 0)
    s = 0.0
    for e in g:
        s = s + e
    return s


def twice(xs):
    for x in xs:
        yield x
        yield x * 2


def deleg(xs):
    yield from evens(xs)
    yield xs[0]


@PROGRAMS.add((V,), (W,))
def gen10(xs):
    s = 0.0
    for e in twice(xs):
        s = s * 0.5 + e
    return s


@PROGRAMS.add((V,), (W,))
def gen11(xs):
    s = 0.0
    for e in deleg(xs):
        s = s * 0.5 + e
    return s


@PROGRAMS.add((V,), (W,))
def gen12(xs):
    for i, e in enumerate(evens(xs)):
        if e > 3.5:
            return i
    return -1


@PROGRAMS.add((V,), (W,))
def gen13(xs):
    def local():
        acc = 0.0
        for x in xs:
            acc = acc + x
            yield acc

    s = 0.0
    for a, b in zip(local(), xs):
        s = s + a * b
    return s, any(e > 4 for e in local())


def halves(x):
    while True:
        yield x
        x = x / 2


@PROGRAMS.add((9.5,), (3.2,))
def inf1(x):
    s = 0.0
    for v in halves(x):
        if v < 1:
            break
        s = s + v
    return s


@PROGRAMS.add((9.5,), (3.2,))
def inf2(x):
    for i, v in enumerate(halves(x)):
        if v < 1:
            return i, v


@PROGRAMS.add((9.5, V), (3.2, W))
def inf3(x, xs):
    s = 0.0
    for v, w in zip(halves(x), xs):
        s = s + v * w
    for w, v in zip(xs, halves(x)):
        if v < 0.7:
            break
        s = s + v * w
    return s


@PROGRAMS.add((9.5,), (3.2,))
def reuse(x):
    g = halves(x)
    s = 0.0
    for i, v in enumerate(g):
        if i == 2:
            break
        s = s + v
    t = next(g)
    for v in g:
        t = t + v
        break
    return s, t


class Tree:
    def __init__(self, v, kids=()):
        self.v = v
        self.kids = kids

    def __iter__(self):
        yield self.v
        for k in self.kids:
            yield from k

    def positive(self):
        for v in self:
            if v > 0:
                yield v


@PROGRAMS.add((9.5, -3.0), (-3.2, 2.0))
def tree(a, b):
    t = Tree(a, [Tree(b, [Tree(a * b)]), Tree(a + b)])
    s = 0.0
    for v in t:
        s = s * 0.5 + v
    return s, sum(t.positive()), [v * 2 for v in t.positive()], max(t)


def fin(xs, log):
    try:
        for x in xs:
            if x > 4:
                yield x
    finally:
        log.append(1.0)


@PROGRAMS.add((V,), (W,))
def finally_gen(xs):
    log = []
    s = 0.0
    for v in fin(xs, log):
        s = s + v
    return s, log


def grid(xs):
    for i, a in enumerate(xs):
        for b in xs[:2]:
            if a > b:
                yield i, a * b


@PROGRAMS.add((V,), (W,))
def nested(xs):
    s = 0.0
    k = 0
    for i, p in grid(xs):
        for q in evens(xs):
            s = s + p * q
            k += i
    return s, k


def running(xs):
    total = 0.0
    for x in xs:
        total = total + x
        if total < 0:
            return
        yield total


@PROGRAMS.add((V,), (W,))
def ret_in_gen(xs):
    out = []
    for t in running(xs):
        out.append(t)
    return out, list(running(xs)), len(list(running(xs)))


@PROGRAMS.add((V,), (W,))
def ret_consumer(xs):
    for t in evens(xs):
        for u in running(xs):
            if u > t + 1:
                return u * t
    return None


@PROGRAMS.add((V,), (W,))
def genexp(xs):
    g = (x * 2 for x in evens(xs))
    h = [a + b for a, b in zip(evens(xs), g)]
    return (
        h,
        any(x > 4 for x in evens(xs)),
        all(x > 0 for x in evens(xs)),
        sorted(evens(xs)),
        min(evens(xs), default=0.0),
    )


@PROGRAMS.add((V,), (W,))
def mapfilter(xs):
    return (
        list(map(lambda v: v + 1, evens(xs))),
        [v for v in filter(lambda v: v < 4, evens(xs))],
        sum(v for _, v in enumerate(evens(xs))),
    )


def counter(n):
    i = 0
    while i < n:
        yield i
        i += 1


@PROGRAMS.add((5, V), (3, W))
def countn(n, xs):
    s = 0.0
    for i in counter(n):
        s = s + xs[i]
    return s, list(counter(n)), sum(counter(n))


def state(xs):
    m = -1.0

    def inner():
        nonlocal m
        for x in xs:
            if x > m:
                m = x
                yield m

    return inner, lambda: m


@PROGRAMS.add((V,), (W,))
def nonloc(xs):
    g, last = state(xs)
    s = []
    for v in g():
        s.append(v)
    return s, last()


@PROGRAMS.add((V,), (W,))
def in_loop(xs):
    s = 0.0
    for x in xs:
        for h in halves(x + 6.0):
            if h < 2:
                break
            s = s + h
    return s


@PROGRAMS.add((V,), (W,))
def for_else(xs):
    for v in evens(xs):
        if v > 100:
            break
    else:
        return v * 3
    return v


@PROGRAMS.add((V,), (W,))
def acc(xs):
    best = None
    for v in evens(xs):
        if best is None or v > best:
            best = v
    return best


def window(xs, k):
    buf = []
    for x in xs:
        buf.append(x)
        if len(buf) == k:
            yield sum(buf)
            buf.pop(0)


@PROGRAMS.add((V,), (W,))
def windows(xs):
    return list(window(xs, 2)), max(window(xs, 3))


def take(it, n):
    k = 0
    for x in it:
        if k >= n:
            return
        yield x
        k += 1


@PROGRAMS.add((V, 2), (W, 1))
def take_(xs, n):
    return list(take(evens(xs), n)), sum(take(halves(xs[0]), n))


@PROGRAMS.add((V,), (W,))
def nexts(xs):
    return (
        next(v for v in xs if v > 0),
        next((v for v in xs if v > 100), -1.0),
        next(evens(xs)),
        next((v for v in evens(xs) if v < 4), None),
    )


@PROGRAMS.add((V, 2.5), (W, 2.0))
def firstindex(xs, t):
    return next(i for i, v in enumerate(xs) if v > t)


@PROGRAMS.add((V,), (W,))
def reuse2(xs):
    g = evens(xs)
    a = sum(g)
    b = sum(g)
    return a, b


test_eager, test_staged, test_gradients = PROGRAMS.tests()
