"""Fields of dataclasses that a `default_factory` fills, and cached properties that some paths ask for."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


@dataclass
class Inventory:
    name: str
    stock: dict = field(default_factory=dict)
    seen: set = field(default_factory=set, init=False)
    log: deque = field(default_factory=lambda: deque(maxlen=2), repr=False)
    groups: defaultdict = field(default_factory=lambda: defaultdict(list), kw_only=True)
    cost: float = 0.0

    def __post_init__(self):
        self.moves = 0

    def add(self, key, n):
        self.stock[key] = self.stock.get(key, 0) + n
        self.seen.add(key)
        if n > 1:
            self.log.append(n)
        self.groups[n % 2].append(key)
        self.moves += 1


@PROGRAMS.add((np.array([1, 2, 1]), np.array([3, 1, 2])), (np.array([1, 1, 1]), np.array([2, 2, 4])))
def containers_of_each_object(keys, ns):
    one, other = Inventory("a"), Inventory("b", {1: 5}, cost=1.0)
    for k, n in zip(keys, ns):
        if n > 1:
            one.add(k, n)
        else:
            other.add(k, n)
    return one.stock, other.stock, sorted(one.seen), list(one.log), one.groups[0], other.groups[1], one.moves


@dataclass(frozen=True)
class Tagged:
    x: float
    tags: list = field(default_factory=lambda: [0.0])


@PROGRAMS.add(np.array([1.0, 2.0, -1.0]), np.array([-1.0, 2.0, 3.0]))
def lists_of_frozen_objects(xs):
    best = Tagged(0.0)
    for x in xs:
        made = Tagged(x)
        made.tags.append(x * 2)
        if made.x > best.x:
            best = made
    return best.x, best.tags


@dataclass(slots=True)
class Slotted:
    x: float
    sums: dict = field(default_factory=dict)


@PROGRAMS.add((np.array([1.0, 2.0, -1.0]), np.array([1, 2, 1])), (np.array([-1.0, 2.0, 3.0]), np.array([3, 2, 1])))
def dictionaries_in_slots(xs, keys):
    s = Slotted(1.0)
    for x, k in zip(xs, keys):
        if x > 0:
            s.sums[k] = s.sums.get(k, 0.0) + x
            s.x += x
    return s.x, s.sums


class Sample:
    def __init__(self, xs):
        self.xs = xs
        self.asked = 0

    @cached_property
    def mean(self):
        self.asked += 1
        return sum(self.xs) / len(self.xs)

    @cached_property
    def spread(self):
        return sum((x - self.mean) ** 2 for x in self.xs)


@PROGRAMS.add(np.array([1.0, 2.0, -1.0]), np.array([-1.0, 2.0, 3.5]))
def cached_on_some_paths(xs):
    s = Sample(xs)
    first = s.mean if xs[0] > 0 else s.spread
    if xs[1] > xs[2]:
        first += s.spread
    return first, s.spread, s.mean, s.asked


@PROGRAMS.add((2.0, 4), (-2.0, 5), (-2.0, 0))
def cached_and_forgotten(x, n):
    s = Sample([x, 1.0])
    total = 0.0
    for i in range(n):
        if i > 1:
            s.xs[0] = s.xs[0] + 1.0
            total += s.mean
            if x < 0:
                del s.mean
    return total, s.mean, s.asked


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()
