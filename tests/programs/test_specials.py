"""Methods that Python calls by itself, of classes whose bodies hold tensor conditions: operators, properties, `with`."""

import collections
import dataclasses
import functools
import threading

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
CASES = ((1.3, 2.2), (3.1, 3.2), (-1.3, 4.1), (0.5, -3.3))


class Bent:
    def __init__(self, x):
        self.x = x

    def __add__(self, other):
        if self.x > 0:
            return Bent(self.x + other.x)
        return Bent(self.x - other.x)

    def __radd__(self, other):
        return Bent(other + self.x) if self.x > 0 else Bent(other - self.x)

    def __iadd__(self, step):
        if step > 0:
            self.x = self.x + step
        else:
            self.x = self.x * step
        return self

    def __neg__(self):
        if self.x > 2:
            return Bent(-self.x)
        return self

    def __getitem__(self, i):
        if i > 1:
            return self.x * i
        return self.x

    def __setitem__(self, i, value):
        if value > 1:
            self.x = value * i

    def __contains__(self, k):
        if k > 2:
            return self.x < k
        return False

    def __eq__(self, other):
        if self.x > other.x:
            return False
        return self.x > 1

    def __lt__(self, other):
        if self.x > 3:
            return False
        return self.x < other.x

    __hash__ = object.__hash__

    @property
    def size(self):
        if self.x > 1:
            return self.x * 2
        return self.x

    @size.setter
    def size(self, value):
        if value > 2:
            self.x = value
        else:
            self.x = -value

    @functools.cached_property
    def kept(self):
        if self.x > 1:
            return self.x * 20
        return self.x

    def __enter__(self):
        if self.x > 0:
            self.x = self.x + 1
        return self

    def __exit__(self, *error):
        if self.x > 2:
            self.x = self.x * 3


class Steps:
    def __init__(self, x, n):
        self.x, self.n, self.i = x, n, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.i >= self.n:
            raise StopIteration
        self.i += 1
        if self.x > 0:
            self.x = self.x - 1.0
        else:
            self.x = self.x + 2.5
        return self.x


@dataclasses.dataclass
class Clipped:
    value: float
    limit: float

    def __post_init__(self):
        if self.value > self.limit:
            self.value = self.limit


class Half:
    """A descriptor."""

    def __get__(self, instance, owner=None):
        if instance.x > 1:
            return instance.x / 2
        return instance.x


class Halved(Bent):
    half = Half()

    def __add__(self, other):
        if other.x > 2:
            return super().__add__(other)
        return Bent(other.x)


@PROGRAMS.add(*CASES)
def operators(x, y):
    return (Bent(x) + Bent(y)).x, (y + Bent(x)).x, (-Bent(x)).x


@PROGRAMS.add(*CASES)
def in_place(x, y):
    b = Bent(x)
    b += y
    b[2] = y
    return b.x, b[y]


@PROGRAMS.add(*CASES)
def comparisons(x, y):
    t = 1.0 if Bent(x) == Bent(y) else 2.0
    if y in Bent(x):
        t = t + 5.0
    if Bent(x) != Bent(y):
        t = t * 3.0
    return t, min(Bent(x), Bent(y)).x, max(Bent(x), Bent(y)).x


@PROGRAMS.add(*CASES)
def properties(x, y):
    b = Bent(x)
    before = b.size
    b.size = y
    b.size += 1
    return before, b.x, b.size, b.kept + b.kept * y


@PROGRAMS.add(*CASES)
def contexts(x, y):
    total = 0.0
    for i in range(3):
        with Bent(x + i) as b:
            total = total + b.x * y
        total = total + b.size
    return total


@PROGRAMS.add(*CASES)
def iteration(x, y):
    t = 0.0
    for e in Steps(x, 4):
        t = t * y + e
    first, second = Steps(y, 2)
    return t, sum(Steps(x, 3)), list(Steps(y, 2)), [e * 2 for e in Steps(x, 3)], first - second


@PROGRAMS.add((np.array([0.3, 1.2, 2.6]), 0.5), (np.array([-0.7, 4.1, 0.2]), 1.5))
def in_a_staged_loop(xs, start):
    b = Bent(start)
    total = 0.0
    for x in xs:
        b = b + Bent(x)
        b += x
        total = total + b.size
    return total, b.x


@PROGRAMS.add(*CASES)
def after_generated_init(x, y):
    c = Clipped(x, y)
    return c.value * c.limit


@PROGRAMS.add(*CASES)
def inherited_and_described(x, y):
    h = Halved(x)
    return (h + Bent(y)).x, h.half, h.size


@functools.total_ordering
class Ordered:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x

    def __lt__(self, other):
        if self.x > 3:
            return False
        return self.x < other.x


@PROGRAMS.add(*CASES)
def total_ordering(x, y):
    a, b = Ordered(x), Ordered(y)
    t = 1.0
    if a > b:
        t = t + 1.0
    if a <= b:
        t = t + 2.0
    if a >= b:
        t = t + 4.0
    return t * x, max(a, b).x


OUTSIDE = Bent(3.25)


@PROGRAMS.add(*CASES)
def met_by_name_only(x, y):
    return (OUTSIDE + Bent(x)).x * y


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_a_class_is_left_as_it_was():
    before = dict(vars(Bent))
    seen = []

    @ag.function
    def f(x):
        seen.append(dict(vars(Bent)))
        return (Bent(x) + Bent(x)).x

    assert f(ag.constant(2.0)).numpy() == 4.0
    assert seen[0]["__add__"] is not before["__add__"]
    assert seen[0]["__add__"].__name__ == "__add__"
    assert dict(vars(Bent)) == before


def test_another_thread_runs_the_original():
    found = []

    @ag.function
    def f(x):
        worker = threading.Thread(target=lambda: found.append((Bent(1) + Bent(2)).x))
        worker.start()
        worker.join()
        return (Bent(x) + Bent(x)).x

    assert f(ag.constant(2.0)).numpy() == 4.0
    assert found == [3]


def test_an_error_in_a_trace_leaves_the_class_as_it_was():
    before = dict(vars(Bent))

    @ag.function
    def f(x):
        (Bent(x) + Bent(x)).missing  # noqa: B018
        return x

    with pytest.raises(AttributeError, match="missing"):
        f(ag.constant(2.0))
    assert dict(vars(Bent)) == before


@dataclasses.dataclass(order=True)
class Scored:
    score: object
    rank: object = 0
    note: object = dataclasses.field(default=None, compare=False)


Pair = collections.namedtuple("Pair", "x y")  # noqa: PYI024


@pytest.mark.parametrize("value", [0, 1, 3, -2])
def test_methods_that_dataclass_writes_compare_staged_fields(value):
    def f(x):
        p, q = Scored(x, 1), Scored(x * 2, 1, "other")
        found = 0
        if p == q:
            found += 1
        if p != q:
            found += 10
        if p < q:
            found += 100
        if q <= p:
            found += 1000
        if Scored(x, 1) < Scored(x, 2):
            found += 10000
        if Scored(x, 1) > Scored(x, 1):
            found += 100000
        if Pair(x, 1) == Pair(x * 1, 1):
            found += 1000000
        if Pair(x, 1) != Pair(x, x):
            found += 10000000
        return found

    assert int(ag.function(f)(ag.constant(value))) == f(value)
    assert Scored(1) == Scored(1, note="x")


class Costly:
    def __init__(self, x):
        self.x, self.asked = x, 0

    @functools.cached_property
    def square(self):
        self.asked += 1
        return self.x * self.x


def _asked_twice(x):
    costly = Costly(x)
    return costly.square + costly.square, costly.asked


def _asked_in_a_branch(x):
    costly = Costly(x)
    y = costly.square if x > 2 else x
    return y, costly.asked


def _asked_in_a_loop(x):
    costly = Costly(x)
    total = x * 0
    for i in range(3):
        if x > i:
            total = total + costly.square
    return total, costly.asked


@pytest.mark.parametrize("f", [_asked_twice, _asked_in_a_branch, _asked_in_a_loop])
def test_a_cached_property_is_worked_out_once(f):
    for x in (3.0, 1.0):
        assert [float(v) for v in ag.function(f)(ag.constant(x))] == list(f(x))
