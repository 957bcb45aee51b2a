"""Objects whose `__iter__` acts: who goes over one asks for its iterator once, as Python does."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([1.1, 2.1, 3.1])


class Rewound:
    """An iterator that begins again whenever it is asked."""

    def __init__(self, xs):
        self.xs, self.asked, self.i = xs, [], 0

    def __iter__(self):
        self.i = 0
        self.asked.append(0)
        return self

    def __next__(self):
        if self.i >= len(self.xs):
            raise StopIteration
        self.i += 1
        return self.xs[self.i - 1]


class Counting:
    """An iterable that counts who asks."""

    def __init__(self, xs):
        self.xs, self.asked = xs, []

    def __iter__(self):
        self.asked.append(0)
        return iter(self.xs)


class Filtering(Counting):
    def __iter__(self):
        self.asked.append(0)
        return self.walk()

    def walk(self):
        for x in self.xs:
            if x > 1:
                yield x


class Handing(Counting):
    def __iter__(self):
        self.asked.append(0)
        return Rewound(self.xs)


CLASSES = Rewound, Counting, Filtering, Handing


@PROGRAMS.add(V, V * 0, V[::-1])
def loops(xs):
    out = []
    for kind in CLASSES:
        it, total = kind(xs), 0.0
        for v in it:
            total = total + v
        for v in it:
            if v > 2:
                break
            total = total + v
        out.append((total, len(it.asked)))
    return out


@PROGRAMS.add((V, 2), (V[::-1], 1), (V, 0))
def loops_in_loops_and_branches(xs, n):
    out, asked = [], []
    for kind in CLASSES:
        it = kind(xs)
        k = 0
        while k < n:
            for v in it:
                if v > 2:
                    break
                out.append(v * k)
            k += 1
        if xs[0] > 1:
            for v in it:
                out.append(v)
        asked.append(len(it.asked))
    return out, asked


@PROGRAMS.add(V, V[::-1] * 2, gradients=False)
def consumers(xs):
    out = []
    for kind in CLASSES:
        it = kind(xs)
        made = sum(it), [v * 2 for v in it], [i * v for i, v in enumerate(it)], [a * b for a, b in zip(it, [1.0, 2.0])]
        more = max(it), sorted(it), all(it), any(v > 2 for v in it), [*map(lambda v: v + 1, it)], list(filter(None, it))
        out.append((made, more, len(it.asked)))
    return out


@PROGRAMS.add(V, V[::-1] * 2)
def lists_and_names(xs):
    out = []
    for kind in CLASSES:
        it, ys = kind(xs), [0.0]
        ys.extend(it)
        ys += it
        first = next(iter(it))
        out.append((ys, [*it], first, len(it.asked)))
    return out


@PROGRAMS.add(2.5)
def numbers_beside_tensors(x):
    it = Rewound([1, 2, 3])
    for v in it:
        if x > 3:
            x = x + v
        x = x + 1
    return x, len(it.asked)


@PROGRAMS.add(V, V * 2)
def iterators_over_tensors_that_lists_take(xs):
    ys, zs = [5.0], []
    ys += iter(xs)
    zs += iter(xs[:1])
    for _ in range(2):
        zs += iter(xs)
    return ys, zs


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
