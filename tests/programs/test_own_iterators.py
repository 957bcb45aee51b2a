"""Classes with a `__next__` of the user's, and iterators that a loop leaves by a staged `break`: each item is taken once."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, compare, values
from tests.programs.iterating import Countdown

PROGRAMS = Programs()
V, W = np.array([1.0, -2.0, 3.0, 4.0]), np.array([-5.0, -6.0])


class Fibonacci:
    def __init__(self):
        self.a, self.b = 0, 1

    def __iter__(self):
        return self

    def __next__(self):
        self.a, self.b = self.b, self.a + self.b
        return self.a


class Counted:
    def __init__(self, items):
        self.items = iter(items)
        self.taken = 0

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        self.taken += 1
        return item


class Positive:
    """An iterable that is no iterator."""

    def __init__(self, xs):
        self.xs = xs

    def __iter__(self):
        return Walker(self.xs)


class Walker:
    def __init__(self, xs):
        self.xs, self.k = xs, 0

    def __iter__(self):
        return self

    def __next__(self):
        while self.k < len(self.xs) and self.xs[self.k] < 0:
            self.k += 1
        if self.k >= len(self.xs):
            raise StopIteration
        self.k += 1
        return self.xs[self.k - 1]


@PROGRAMS.add((5, 3), (2, 7), (9, 1), (0, 0))
def until_small(n, limit):
    c = Countdown(n)
    got = []
    for v in c:
        got.append(v)
        if v <= limit:
            break
    return got, [v for v in c], c.n


@PROGRAMS.add((5,), (0,), (1,))
def consumers(n):
    pairs = [i * v for i, v in enumerate(Countdown(n))]
    return sum(Countdown(n)), list(Countdown(n)), max(Countdown(n), default=-1), pairs, [*map(abs, Countdown(n))]


@PROGRAMS.add((30,), (1,), (100,))
def endless(n):
    s = 0
    f = Fibonacci()
    for v in f:
        if v > n:
            break
        s += v
    return s, f.a, next(f)


@PROGRAMS.add((np.array([1, 2, 3, 4]), 2), (np.array([5, 6, 0, 0]), 1))
def over_a_tensor(xs, n):
    c = Counted(xs)
    t = 0
    for v in c:
        if v > n:
            break
        t += v
    return t, c.taken, [v for v in c]


@PROGRAMS.add((3,), (0,), (1,))
def over_a_list(n):
    c = Counted([1, 2, 3])
    t = 0
    for v in c:
        if v > n:
            break
        t += v
    return t, c.taken


@PROGRAMS.add((V, 2.5), (W, 1.0), traces=2)
def made_by_iter(xs, n):
    p = Positive(xs)
    s = 0.0
    for v in p:
        if v > n:
            break
        s += v
    return s, [v * 2 for v in p], list(map(abs, p))


@PROGRAMS.add((7,), (1,), (20,), (0,))
def by_next(n):
    c = Countdown(n)
    first, second = next(c, -1), next(c, -1)
    s = 0
    while True:
        try:
            s += next(c)
        except StopIteration:
            break
    return first, second, s, c.n


@PROGRAMS.add((2,), (-1,), (9,))
def rest_of_a_list(n):
    it = iter([1, 2, 3, 4, 5])
    s = 0
    for v in it:
        if v > n:
            break
        s += v
    return s, list(it)


@PROGRAMS.add((2,), (-1,), (9,))
def next_on_a_path(n):
    it = iter((1, 2, 3, 4, 5))
    a = next(it)
    if n > a:
        a = next(it) * 10
    return a, list(it)


@PROGRAMS.add((2,), (-1,), (9,))
def next_in_try(n):
    it = iter([1, 2, 3, 4, 5])
    out = []
    for _ in range(3):
        try:
            a = next(it)
            if a > n:
                raise ValueError
            out.append(a)
        except ValueError:
            out.append(-a)
    return out, list(it)


@PROGRAMS.add((2,), (-1,), (3,))
def given_to_others(n):
    found = iter([1, 2, 3])
    known = [2 in found, next(found, -1), n in iter((1, 2, 3)), sum(iter([1, 2])), max(iter([n, 2]))]
    mixed = [a * b for a, b in zip(iter([1, 2, 3]), [n, n, n], strict=True)]
    it = iter([1, 2, 3, 4])
    pairs = list(zip(it, it, strict=False))
    return known, mixed, pairs, list(map(lambda a, b: a + b, iter([1, 2]), [n, 5])), [*enumerate(iter([n, 6]))], list(it)


@PROGRAMS.add((np.array([1, 2, 3]),), (np.array([4, 5, 0]),))
def beside_a_tensor(xs):
    it = iter([10, 20, 30, 40])
    pairs = [a * b for a, b in zip(xs, it, strict=False)]
    return pairs, list(it)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


MAKERS = [lambda items: enumerate(items), lambda items: (2 * k for k in items), lambda items: zip(items)]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_what_is_left_only_the_run_knows(make, n):
    """Of an iterator in C, after a loop that the run may leave."""

    def rest(n):
        it = make([1, 2, 3])
        s = 0
        for _ in it:
            if s > n:
                break
            s += 1
        return s, list(it)

    compare(values(ag.function(rest)(ag.constant(n))), rest(n))


@pytest.mark.parametrize("n", [0, 1, 3, 5])
def test_taken_from_by_another(n):
    """The iterator that an `enumerate` takes from stands somewhere that only the run knows, too."""

    def rest(n):
        it = iter([1, 2, 3])
        s = 0
        for i, v in enumerate(it):
            if v > n:
                break
            s += i
        return s, list(it)

    compare(values(ag.function(rest)(ag.constant(n))), rest(n))


def test_a_generator_that_was_used_up_is_sent_nothing():
    """Its end, which `send` would tell, is not the generator's own."""

    def totals(xs):
        total = 0
        for x in xs:
            more = yield x + total
            if more is not None:
                total += more

    @ag.function(input_signature=[ag.TensorSpec([None], ag.int64)])
    def sent(xs):
        made = totals(xs)
        out = [next(made)]
        try:
            out.append(made.send(10))
        except StopIteration:
            out.append(-1)
        return out

    with pytest.raises(TypeError, match="generator-items"):
        sent(np.array([1, 2, 3]))
