"""Dictionaries and sets that tensors are keys of: counting, grouping, memo dictionaries, visited sets."""

import collections

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
KEYS = np.array([4, 1, 4, 2, 1, 4])
OTHERS = np.array([5, 5, 0, 7, 7, 5])
V = np.array([1.5, 2.5, -1.0, 4.0, 0.5, 2.0])
EDGES = np.array([[0, 1], [0, 2], [1, 3], [2, 3], [3, 4]])
OUTSIDE = {1: 10.0, 2: 20.0, "three": 30.0}
PLACES = {(0, 1): 2.5, (1, 1): 3.5}
SEEN = {1, 4}
COUNTS = collections.Counter({1: 5, 3: 2})


@PROGRAMS.add((KEYS,), (OTHERS,))
def counted(xs):
    counts, first, total = {}, collections.Counter(), collections.defaultdict(int)
    for x in xs:
        counts[x] = counts.get(x, 0) + 1
        first[x] += 1
        total[x] += x
    best = max(counts, key=counts.get)
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    ends = max(counts.values()), min(counts), sorted(counts), sum(total.values())
    return best, ends, ranked, first.most_common(1), len(first)


@PROGRAMS.add((KEYS, V), (OTHERS, V))
def grouped(keys, xs):
    sums, groups, lists = collections.defaultdict(float), {}, collections.defaultdict(list)
    for k, x in zip(keys, xs, strict=True):
        sums[k] += x * x
        groups.setdefault(k, []).append(x)
        lists[k].append(2 * x)
    best = 0.0
    for k in groups:
        best = max(best, sum(groups[k]))
    return best, [sum(lists[k]) for k in lists], len(sums), sum(sums.values())


@PROGRAMS.add((EDGES, 0, 4), (EDGES, 1, 4))
def distance(edges, start, end):
    found = {start: 0}
    queue = [start]
    while queue:
        u = queue.pop(0)
        for a, b in edges:
            if a == u and b not in found:
                found[b] = found[u] + 1
                queue.append(b)
    return found[end]


@PROGRAMS.add((3, 3), (2, 4))
def places_of_a_grid(n, m):
    seen = set()
    stack = [(0, 0)]
    while stack:
        i, j = stack.pop()
        if (i, j) in seen:
            continue
        seen.add((i, j))
        if i + 1 < n:
            stack.append((i + 1, j))
        if j + 1 < m:
            stack.append((i, j + 1))
    return len(seen)


@PROGRAMS.add((3, 4), (0, 2), (2, 2))
def paths(n, m):
    memo = {}

    def go(i, j):
        if i == 0 or j == 0:
            return 1
        if (i, j) in memo:
            return memo[(i, j)]
        made = go(i - 1, j) + go(i, j - 1)
        memo[i, j] = made
        return made

    return go(n, m)


class Memo:
    def __init__(self):
        self.known = {0: 0, 1: 1}

    def fibonacci(self, n):
        if n not in self.known:
            self.known[n] = self.fibonacci(n - 1) + self.fibonacci(n - 2)
        return self.known[n]


@PROGRAMS.add(20, 1)
def fibonacci(n):
    memo = Memo()
    return memo.fibonacci(n), len(memo.known)


@PROGRAMS.add(19, 4, 97)
def happy(n):
    seen = set()
    while n != 1 and n not in seen:
        seen.add(n)
        total = 0
        while n > 0:
            total += (n % 10) ** 2
            n //= 10
        n = total
    return n == 1, len(seen)


@PROGRAMS.add((np.array([2, 7, 11, 15]), 26), (np.array([2, 7, 11, 15]), 3))
def two_that_sum_to(xs, target):
    places = {}
    for i, x in enumerate(xs):
        if target - x in places:
            return places[target - x], i
        places[x] = i
    return -1, -1


@PROGRAMS.add((np.array([1, 1, 1, 2, -1]), 2))
def parts_that_sum_to(xs, k):
    seen = {0: 1}
    total = found = 0
    for x in xs:
        total += x
        found += seen.get(total - k, 0)
        seen[total] = seen.get(total, 0) + 1
    return found


@PROGRAMS.add((np.array([100, 4, 200, 1, 3, 2]),))
def longest_run(xs):
    s = set(xs)
    best = 0
    for x in s:
        if x - 1 not in s:
            k = x
            while k + 1 in s:
                k += 1
            best = max(best, k - x + 1)
    return best


@PROGRAMS.add((KEYS, OTHERS), (OTHERS, KEYS + 1))
def sets(a, b):
    s, t = set(a), {x + 1 for x in b}
    u = s.copy()
    u |= t
    u.discard(5)
    both = s & t
    s.update(t)
    return sorted(both), sorted(u), sorted(s - t), sorted(s ^ t), t <= s, both.isdisjoint(t), 4 in s, len({4, *()} | s)


@PROGRAMS.add(12, 0)
def deleted(n):
    d, o = {}, collections.OrderedDict()
    for i in range(n):
        d[i % 5] = i
        o[i % 4] = i
        if i % 3 == 0 and i % 5 in d:
            del d[i % 5]
        if i % 3 == 1:
            o.move_to_end(i % 4)
        if len(o) > 3:
            o.popitem(last=False)
    popped = d.pop(4, -1), d.pop(77, -2)
    return popped, len(d), sum(d.values()), list(d.keys()), list(o)


class Recent:
    def __init__(self, size):
        self.size = size
        self.data = collections.OrderedDict()
        self.misses = 0

    def square(self, k):
        if k in self.data:
            self.data.move_to_end(k)
            return self.data[k]
        self.misses += 1
        self.data[k] = k * k
        if len(self.data) > self.size:
            self.data.popitem(last=False)
        return self.data[k]


@PROGRAMS.add((KEYS,), (OTHERS,))
def recent(xs):
    cache = Recent(2)
    total = 0
    for x in xs:
        total += cache.square(x)
    return total, cache.misses


class Union:
    def __init__(self):
        self.parent = {}

    def find(self, a):
        if a not in self.parent:
            self.parent[a] = a
        while self.parent[a] != a:
            a = self.parent[a]
        return a

    def join(self, a, b):
        self.parent[self.find(a)] = self.find(b)


@PROGRAMS.add((EDGES,), (EDGES[:3],), traces=2)
def joined(edges):
    union = Union()
    for a, b in edges:
        union.join(a, b)
    return union.find(0) == union.find(4), union.find(1) == union.find(2), len(union.parent)


@PROGRAMS.add((KEYS, V), (OTHERS, V))
def made_at_once(keys, xs):
    by_comprehension = {k: 2 * x for k, x in zip(keys, xs, strict=True)}
    by_pairs = dict(zip(keys, xs, strict=True))
    counts = collections.Counter(keys)
    counts.update(keys)
    by_pairs.update({keys[0]: xs[1] * xs[1]})
    for k in keys:
        if counts[k] == 2:
            return k, by_pairs[keys[0]], by_comprehension[k]
    return -1, by_pairs[keys[0]], sum(by_comprehension.values())


@PROGRAMS.add((1, 1), (2, 7), (0, 1))
def read_from_outside(n, k):
    total = OUTSIDE.get(n, 0.5) + OUTSIDE["three"]
    if n in OUTSIDE:
        total += OUTSIDE[n]
    if (n, k) in PLACES:
        total += PLACES[n, k]
    return total, n in SEEN, COUNTS[n] + COUNTS[n + 1], PLACES.get((n, k), -1.0)


@PROGRAMS.add(3, 1)
def in_a_branch(n):
    d = {}
    if n > 2:
        d[n] = 1
    else:
        d[n + 1] = 2
    return n in d, len(d), d == {3: 1}, isinstance(d, dict), type(d) is dict


@PROGRAMS.add((7, 8), (7, 3))
def missing(n, k):
    d = {}
    for i in range(3):
        d[n + i] = i
    try:
        found = d[k]
    except KeyError:
        found = -5
    return found, d[n]


@PROGRAMS.add((7, 3), (7, 8))
def missing_in_the_run(n, k):
    d = {}
    for i in range(3):
        d[n + i] = i
    return d[k]


@PROGRAMS.add((3, 1.5), (2, 2.5))
def powers(n, x):
    known = {0: 1.0}
    for i in range(n):
        known[i + 1] = known[i] * x
    total = 0.0
    for i, power in known.items():
        total += i * power
    return total


@PROGRAMS.add((KEYS,), (OTHERS,))
def frozen(xs):
    edges, met = {}, set()
    for a, b in zip(xs, xs[1:]):  # noqa: B905
        edge = frozenset((a, b))
        edges[edge] = edges.get(edge, 0) + 1
        met |= edge
    one, other = frozenset(xs), frozenset(x + 1 for x in xs)
    joined = sorted(one | other), sorted(one & other), sorted(one - other), sorted(one ^ other), sorted(met)
    asked = one == other, one <= one | other, 4 in one, one == frozenset(list(xs)), isinstance(one, frozenset), len(other)
    one |= {9}
    return len(edges), max(edges.values()), frozenset((4, 1)) in edges, joined, asked, sorted(one), other


@PROGRAMS.add((KEYS,))
def never_changed(xs):
    one = frozenset(xs)
    try:
        one.add(3)
    except AttributeError:
        return len(one)
    return -1


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_a_dictionary_of_tensors_is_a_result():
    @ag.function
    def count(xs):
        counts, seen = {}, set()
        for x in xs:
            counts[x] = counts.get(x, 0) + 1
            seen.add(x % 2)
        return counts, collections.Counter(xs), seen

    for keys in (KEYS, OTHERS):
        want = dict(collections.Counter(keys.tolist()))
        counts, counter, seen = count(ag.constant(keys))
        assert type(counts) is dict and type(counter) is collections.Counter and type(seen) is set
        assert {int(k): int(n) for k, n in counts.items()} == want == {int(k): int(n) for k, n in counter.items()}
        assert counts[4 if 4 in want else 5] == max(want.values())
        assert sorted(map(int, seen)) == sorted({k % 2 for k in keys.tolist()})


def test_new_keys_of_the_users_classes_outside_are_refused():
    class Table(dict):
        pass

    class Seen(set):
        pass

    outside, seen = Table(), Seen()

    @ag.function
    def write(n):
        outside[n] = 1

    @ag.function
    def add(n):
        seen.add(n)

    for f, name in ((write, "tensor-key"), (add, "number-as-key")):
        with pytest.raises(ag.errors.OperatorNotAllowedInGraphError) as caught:
            f(ag.constant(1))
        assert caught.value.id == name
    assert not outside and not seen


def test_eager_scalars_are_keys_by_their_value():
    x = ag.constant(2)
    assert {2: "two"}[x] == "two" and {x: 1}[2] == 1 and x in {1, 2} and np.int64(2) in {x}
    v, w = ag.Variable(2), ag.Variable(2)
    assert len({v: 1, w: 2}) == 2  # their values change: they are themselves


def test_a_missing_key_is_named():
    @ag.function
    def get(n):
        return {1: 2.0, 3: 4.0}[n]

    with pytest.raises(KeyError, match="5"):
        get(ag.constant(5))
    with pytest.raises(KeyError):
        ag.function(lambda n: {"a": 1.0}[n])(ag.constant(5))


def test_dictionaries_that_a_loop_has_set_items_of_are_put_back():
    @ag.function
    def without(n):
        counts = {}
        for c in range(5):
            if n > 1:
                break
            counts[c] = c
        counts.pop(n, None)
        return sum(counts.values()), len(counts)

    assert [int(v) for v in without(ag.constant(1))] == [9, 4]
    assert [int(v) for v in without(ag.constant(3))] == [0, 0]
