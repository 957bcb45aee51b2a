"""Everyday programs over the whole language: objects, functions, matching, loops. Each plain, eager and staged."""

import dataclasses
import functools
import operator
from typing import NamedTuple

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


class P(NamedTuple):
    x: float
    y: float

    def norm(self):
        return self.x * self.x + self.y * self.y if self.x > 0 else -self.y


@dataclasses.dataclass
class S:
    pos: float
    vel: float
    hits: int = 0
    log: list = dataclasses.field(default_factory=list)

    def step(self, f):
        self.vel = self.vel + f
        self.pos += self.vel
        if self.pos < 0:
            self.pos = -self.pos
            self.hits += 1
            self.log.append(self.vel)


@PROGRAMS.add((V,), (W,))
def forelse_nested(xs):
    for i, x in enumerate(xs):
        for y in xs[i + 1 :]:
            if x + y > 5:
                break
        else:
            if x < 0:
                continue
            return i, x
        if i == 3:
            break
    else:
        return None
    return -1, x


@PROGRAMS.add((V,), (W,))
def none_then(xs):
    best = None
    where = None
    for i, x in enumerate(xs):
        if best is None or x > best:
            best, where = x, i
    return best, where


@PROGRAMS.add((V,), (W,))
def tuples(xs):
    p = P(0.0, 1.0)
    for x in xs:
        p = p._replace(x=p.x + x) if x > 0 else P(p.y, p.x)
    return p.x, p.y, p.norm()


@PROGRAMS.add((V, 1.0), (W, -2.0))
def dc(xs, v):
    s = S(0.5, v)
    for x in xs:
        s.step(x * 0.1)
    return s.pos, s.vel, s.hits, s.log


@PROGRAMS.add((V,), (W,))
def nonlocal_(xs):
    total = 0.0
    n = 0

    def add(x):
        nonlocal total, n
        if x > 0:
            total += x
            n += 1

    for x in xs:
        add(x)
    return total, n


G = 0.0


def bump(x):
    global G
    if x > 0:
        G = G + x


@PROGRAMS.add((V,), (W,), gradients=False)
def globals_(xs):
    global G
    G = 0.0
    for x in xs:
        bump(x)
    r = G
    G = 0.0
    return r


@PROGRAMS.add((V, 3), (W, 2))
def lol(xs, n):
    rows = []
    for i in range(n):
        row = []
        for j in range(i + 1):
            row.append(xs[j] * i)
        rows.append(row)
    s = 0.0
    for r in rows:
        for v in r:
            s = s + v
    return rows, s, len(rows[n - 1])


@PROGRAMS.add((V,), (W,))
def builtins_(xs):
    return (
        sorted(xs),
        sorted(xs, reverse=True)[0],
        min(xs),
        max(xs, key=lambda v: abs(v)),
        any(x > 4 for x in xs),
        all(x < 9 for x in xs),
        sum(x for x in xs if x > 0),
        abs(xs[1]),
    )


@PROGRAMS.add((V, W), (W, V))
def zips(a, b):
    s = 0.0
    for i, (x, y) in enumerate(zip(a, reversed(b))):
        s = s + x * y * i
    for x, (j, y) in zip(a, enumerate(b, start=2)):
        if x > y:
            s = s - j
    return s, [x * y for x, y in zip(a, b) if x > y], {i: x for i, x in enumerate(a)}


class Sh:
    pass


class Circle(Sh):
    __match_args__ = ("r",)

    def __init__(self, r):
        self.r = r


class Rect(Sh):
    __match_args__ = ("w", "h")

    def __init__(self, w, h):
        self.w, self.h = w, h


def area(s):
    match s:
        case Circle(r) if r > 2:
            return r * r * 3.0
        case Circle(r):
            return r
        case Rect(w, h=h) if w > h:
            return w * h
        case Rect(w, h):
            return w + h
        case (a, b, *rest):
            return a - b + sum(rest)
        case {"k": v, **other}:
            return v * len(other)
        case [] | None:
            return 0.0
        case _:
            return -1.0


@PROGRAMS.add((V,), (W,))
def matches(xs):
    return (
        area(Circle(xs[0])),
        area(Rect(xs[0], xs[2])),
        area((xs[0], xs[1], xs[2])),
        area({"k": xs[0], "z": 1}),
        area(None),
        area([]),
        area("q"),
    )


@PROGRAMS.add((3,), (1,), (7,))
def matchv(n):
    match n:
        case 0 | 1:
            return 1.0
        case 3:
            return 3.0
        case k if k > 5:
            return k * 2.0
        case _:
            return 0.5


@PROGRAMS.add((V,), (W,))
def walrus(xs):
    out = []
    i = 0
    while i < 5 and (y := xs[i] * 2) < 8:
        out.append(y)
        i += 1
    return out, i


@PROGRAMS.add((V,), (W,))
def partials(xs):
    def aff(a, b, *, c=1.0):
        return a * xs + b if c > 0 else a - xs

    f = functools.partial(aff, 2.0, c=xs[0])
    return f(1.0), functools.reduce(operator.add, [x for x in xs])


class Base:
    scale = 2.0

    def __init__(self, w):
        self.w = w

    def f(self, x):
        return self.w * x if x > 0 else self.bias()

    def bias(self):
        return 0.5

    @classmethod
    def make(cls, x):
        return cls(x * cls.scale)

    @staticmethod
    def clip(v):
        return v if v < 3 else 3.0


class Kid(Base):
    def f(self, x):
        if x > 3:
            return super().f(x) + 1
        return self.clip(super().f(x) * 2)

    def bias(self):
        return self.w


@PROGRAMS.add((V,), (W,))
def supers(xs):
    k = Kid.make(xs[1])
    s = 0.0
    for x in xs:
        s = s + k.f(x)
    return s


@PROGRAMS.add((V,), (W,))
def kwonly(xs):
    def g(a, /, b, *args, c, d=2.0, **kw):
        if a > b:
            return a * c + sum(args) + kw.get("e", 0.0)
        return d

    return g(xs[0], xs[1], 1.0, 2.0, c=3.0, e=xs[2]), g(xs[1], b=xs[0], c=1.0)


@PROGRAMS.add((V,), (W,))
def deleted(xs):
    t = xs[0]
    if t > 0:
        u = t * 2
        del t
        t = u + 1
    return t


@PROGRAMS.add((V,), (W,))
def swap(xs):
    a, b, c = xs[0], xs[1], xs[2]
    for i in range(4):
        if a > b:
            a, b = b, a
        if b > c:
            b, c = c, b
        a, b, c = b, c, a
    return a, b, c


@PROGRAMS.add((V,), (W,))
def bubble(xs):
    xs = [x for x in xs]
    n = len(xs)
    for i in range(n):
        for j in range(n - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
    return xs


test_eager, test_staged, test_gradients = PROGRAMS.tests()
