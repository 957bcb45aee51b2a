"""Objects whose `__iter__` is a generator over tensors, wherever Python iterates over them."""

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()

V, W = np.array([1.1, 2.0, -1.0, 3.2, 5.3]), np.array([-1.0, 4.0, 0.5, 2.0, 1.7])


class Positive:
    def __init__(self, xs):
        self.xs = xs

    def __iter__(self):
        for x in self.xs:
            if x > 0:
                yield x


class Tree:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        if self.value > 0:
            yield self.value
        if self.right is not None:
            yield from self.right


@PROGRAMS.add((V,), (W,))
def consumed(xs):
    p = Positive(xs)
    return sum(p), sum(p, 10.0), max(p), min(p), list(p), tuple(p)[1], sorted(p, key=lambda x: -x), [x * x for x in p]


@PROGRAMS.add((V,), (W,))
def asked(xs):
    return 2.0 in Positive(xs), 7.0 not in Positive(xs), any(x > 2 for x in Positive(xs)), len(list(Positive(xs)))


@PROGRAMS.add((V,), (W,))
def combined(xs):
    p = Positive(xs)
    return list(zip(p, xs)), [x for (x,) in zip(p)], list(map(lambda x: x + 1, p)), list(reversed(list(p))), next(iter(p))


@PROGRAMS.add((V,), (W,))
def twice(xs):
    p = Positive(xs)
    total = xs[0] * 0
    for a in p:
        for b in p:
            total = total + a * b
    return total


@PROGRAMS.add((V,), (W,))
def found(xs):
    for x in Positive(xs):
        if x > 1:
            return x
    return xs[0]


@PROGRAMS.add((V,), (W,))
def extended(xs):
    items = [xs[0]]
    items.extend(Positive(xs))
    items.extend(x + 1 for x in xs if x > 0)
    return sum(items), len(items)


@PROGRAMS.add((V,), (W,))
def in_order(xs):
    tree = Tree(xs[0], Tree(xs[1], None, Tree(xs[2])), Tree(xs[1] * 2))
    return list(tree), sum(tree)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
