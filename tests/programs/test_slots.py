"""Methods of lists and dictionaries called by name, by their class or from a class derived from them, and what `operator`
has: as the syntax they stand for."""

import operator
from collections import OrderedDict
from functools import reduce
from itertools import accumulate

import numpy as np

from tests.programs.harness import Programs

PROGRAMS = Programs()


class Lower(dict):
    """Its keys are as in lower case."""

    def __getitem__(self, k):
        return super().__getitem__(k.lower())

    def __setitem__(self, k, v):
        super().__setitem__(k.lower(), v)

    def bump(self, k, by=1):
        self[k] = self.get(k.lower(), 0) + by


class Logged(dict):
    """It counts what is done to it."""

    def __init__(self):
        super().__init__()
        self.log = 0

    def __setitem__(self, k, v):
        self.log += 1
        dict.__setitem__(self, k, v)

    def __delitem__(self, k):
        self.log -= 1
        super().__delitem__(k)

    def pop(self, k):
        self.log += 10
        return super().pop(k)

    def update(self, **items):
        self.log += 100
        super().update(**items)


class Recent(OrderedDict):
    """It keeps the last items."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def __setitem__(self, k, v):
        super().__setitem__(k, v)
        if len(self) > self.size:
            self.popitem(last=False)


class Around(list):
    """Its indices go around."""

    def __getitem__(self, i):
        return super().__getitem__(i % len(self))

    def push(self, v):
        super().append(v)


@PROGRAMS.add((3,), (-3,))
def keys_in_lower_case(x):
    d = Lower()
    d["A"] = 1
    if x > 0:
        d["A"] = x
        d.bump("a", 3)
    else:
        d.bump("A")
    return d["a"]


@PROGRAMS.add((3,), (-3,))
def counted_changes(x):
    d = Logged()
    d["a"] = 1
    d["b"] = 2
    if x > 0:
        d["a"] = x
        d.update(b=x + 1)
    else:
        d["b"] = -x
        del d["a"]
    return len(d), d["b"], d.log


@PROGRAMS.add((3,), (-3,))
def popped_and_put_back(x):
    d = Logged()
    d["a"] = 1
    y = 0
    if x > 0:
        y = d.pop("a") + x
        d["a"] = y
    return d["a"], d.log, y


@PROGRAMS.add((3,), (0,), (5,))
def sums_in_a_loop(x):
    d = Logged()
    d["s"] = n = 0
    while n < x:
        d["s"] += n
        n += 1
    return d["s"], d.log


@PROGRAMS.add((3,), (-3,))
def the_last_items(x):
    d = Recent(2)
    d["a"], d["b"], d["c"] = x, 2, x + 3
    return sum(d.values()), len(d)


@PROGRAMS.add((3,), (-3,))
def indices_around(x):
    xs = Around([1, 2, 3])
    xs.push(x)
    return xs[7], xs[-1], len(xs)


@PROGRAMS.add((3,), (-3,))
def methods_by_name(x):
    xs, d = [1, 2], {"k": 1}
    if x > 0:
        xs.__setitem__(0, x)
        d.__setitem__("k", x)
        list.append(xs, x)
        dict.update(d, k=x + d.__getitem__("k"))
    return xs.__len__(), xs[0], xs[-1], d["k"], xs.__contains__(3), dict.get(d, "q", 5)


@PROGRAMS.add((3,), (-3,), (0,))
def functions_of_operator(x):
    xs = [1, 2]
    n = 0
    while n < x:
        xs = operator.add(xs, [n])
        operator.setitem(xs, 0, n)
        n += 1
    ys = xs
    if x > 1:
        operator.iadd(xs, [7])
        operator.delitem(xs, 1)
    found = operator.contains(xs, 7), operator.countOf(xs, 7), operator.length_hint(xs), operator.not_(xs)
    return len(ys), operator.getitem(xs, -1), found


@PROGRAMS.add((np.array([2, 4, 6]),), (np.array([5, 4]),), traces=2)
def lists_of_any_length(rows):
    xs = [v * 2 for v in rows]
    xs.__iadd__([8])
    list.insert(xs, 0, 1)
    xs.__delitem__(1)
    best = max(range(len(xs)), key=xs.__getitem__)
    return best, list(map(xs.__getitem__, [0, 1])), list(xs.__reversed__()), list.__len__(xs), operator.indexOf(xs, 8)


@PROGRAMS.add((3,), (-3,))
def folded(x):
    xs = [i * x for i in range(4)]
    return (
        reduce(operator.add, xs),
        list(accumulate(xs, operator.mul)),
        list(map(operator.mul, xs, xs)),
        reduce(operator.concat, [[x], [1], [2]]),
    )


@PROGRAMS.add((3,), (-3,))
def the_key_of_the_largest(x):
    d = {"a": 3, "b": 1, "c": 2}
    d["b"] = x
    return d[max(d, key=d.get)], d[min(d, key=d.__getitem__)]


@PROGRAMS.add((3,), (-3,))
def keys_are_asked_for_once(x):
    asked = 0

    def distance(v):
        nonlocal asked
        asked += 1
        return abs(v - x)

    return min([1, 5, 3], key=distance), asked


@PROGRAMS.add((np.array([3, 1, 2]),), (np.array([1, 7]),), traces=2)
def keys_that_print(xs):
    def key(v):
        print("key", v)
        return -v

    return max(xs, key=key)


@PROGRAMS.add((3,), (-3,))
def an_order_that_the_run_decides(x):
    d = OrderedDict(a=1, b=2)
    if x > 0:
        d.move_to_end("a")
    return list(d.values())


test_eager, test_staged, _ = PROGRAMS.tests()
test_natively = PROGRAMS.natively()

