"""Dictionaries and sets made of one of several, and what is deleted from one of several."""

import itertools
from collections import OrderedDict

from tests.programs.harness import Programs

PROGRAMS = Programs()


@PROGRAMS.add((1, 0), (1, 1), (1, 2), (1, -3))
def made_of_one_of_two(a, n):
    d = {1: a}
    if n > 0:
        d[2] = a * 2
    e = dict(d or {})
    e[3] = a
    f = dict(d if n > 1 else {5: a})
    f[7] = a
    g = OrderedDict(d if n > 0 else {4: a}, x=3)
    s = set([a, 2] if n > 0 else (3, 4, 5))
    s.add(9)
    d[1] = 100
    return e, f, len(e), len(f), list(f.items()), list(g.items()), len(s), 2 in s


@PROGRAMS.add((2, 1), (2, 0))
def deleted_from_one_of_two(a, n):
    xs, ys = [a, a, 1], [a * 2]
    del (xs if n > 0 else ys)[0]
    return xs, ys


class Sparse:
    """A polynomial: exponents with their factors, none of which is 0."""

    def __init__(self, terms=None):
        self.terms = dict(terms or {})

    def __add__(self, other):
        out = Sparse(self.terms)
        for e, c in other.terms.items():
            out.terms[e] = out.terms.get(e, 0) + c
            if out.terms[e] == 0:
                del out.terms[e]
        return out

    def __mul__(self, other):
        out = Sparse()
        for (e1, c1), (e2, c2) in itertools.product(self.terms.items(), other.terms.items()):
            out = out + Sparse({e1 + e2: c1 * c2})
        return out

    def __call__(self, x):
        return sum(c * x**e for e, c in self.terms.items())


@PROGRAMS.add((2, -2, 1.5), (1, 3, 2.0))
def polynomials(a, b, x):
    p, q = Sparse({1: a, 0: 1}), Sparse({1: b, 0: 1})
    s, m = p + q, p * q
    return max(s.terms, default=-1), max(m.terms, default=-1), m(x), s(x), sorted(s.terms)


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
