"""Dictionaries of every kind whose keys are set on some paths only, and keys and texts that a branch chooses."""

import heapq
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, agree, outcome

CASES = [np.array(c) for c in ([1.0, -2.0], [-2.0, 2.0], [-1.0, -1.0], [3.0, 4.0])]
KINDS = {"dict": dict, "Counter": Counter, "OrderedDict": OrderedDict, "defaultdict": lambda: defaultdict(int)}
USES = {}


def use(f):
    USES[f.__name__] = f
    return f


def made(kind, x):
    d = KINDS[kind]()
    d["q"] = 4
    if x[0] > 0:
        d["a"] = 1
    if x[1] > 0:
        d["b"] = 2
    return d


@use
def sizes(d):
    return len(d), bool(d), "a" in d, "c" in d, sum(d.values())


@use
def items(d):
    n = 0
    for _ in d:
        n += 1
    for _, v in d.items():
        n += v
    return n, list(d), [k for k in d], [*d], {k: v + 1 for k, v in d.items()}, list(enumerate(d))


@use
def reads(d):
    return d.get("a", 9), d.get("b"), d.get("z", 3), max(d, key=d.get), max(d.values())


@use
def pops(d):
    return d.pop("a", 5), len(d), d.pop("z", 6)


@use
def pops_what_may_lack(d):
    if "b" not in d:
        return None
    return d.pop("b"), len(d)


@use
def compared(d):
    return d == {"q": 4}, d != {"q": 4, "a": 1}


@use
def copied(d):
    e, f = dict(d), d.copy()
    e["z"] = 1
    return len(e), len(f), "a" in f, {"a": 7, **d}["a"]


@use
def changed(d):
    d["q"] += 1
    d.setdefault("b", 5)
    if "a" in d:
        del d["a"]
    return d["b"], d["q"], len(d)


@use
def emptied(d):
    if d.get("b", 0) > 0:
        d.clear()
    return len(d), not d, 1 if d else 0


@use
def ranked(d):
    return sorted(d.items(), key=lambda p: -p[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", USES)
def test_as_in_python(kind, name):
    def program(x):
        return USES[name](made(kind, x))

    staged = ag.function(program)
    for x in CASES:
        agree(outcome(staged, (ag.constant(x),)), outcome(program, (x,)))


PROGRAMS = Programs()


@PROGRAMS.add(*CASES)
def updated(xs):
    d = {"a": 7, "b": 8}
    more = made("dict", xs)
    d.update(more)
    return d["a"], d["b"], len(d)


@PROGRAMS.add(*CASES)
def chosen_keys(xs):
    k = "a" if xs[0] > 0 else "z"
    d, s, c = {"a": 1, "b": 2}, {"q"}, Counter()
    v = d.setdefault(k, 10)
    d[k] += 1
    s.add(k)
    c[k] += 1
    c["a"] += 2
    return v, d[k], len(d), "a" in s, len(s), k in s, c["a"], len(c), k in "abc", len({"a", "c"} & {k})


@PROGRAMS.add(*CASES)
def chosen_keys_of_groups(xs):
    d, n = {}, defaultdict(list)
    for x in xs:
        d.setdefault("up" if x > 0 else "down", []).append(x)
        n["up" if x > 0 else "down"].append(2 * x)
    return len(d), sum(d.get("up", []), 0.0), len(n), sum(n["down"], 0.0)


@PROGRAMS.add(*CASES)
def chosen_keys_taken(xs):
    d = {"a": 1, "b": 2, "c": 3}
    k = "a" if xs[0] > 0 else "b"
    del d[k]
    v = d.pop("b" if xs[0] > 0 else "a")
    return len(d), "a" in d, v


@PROGRAMS.add(*CASES)
def chosen_parts_of_keys(xs):
    k = "a" if xs[0] > 0 else "b"
    d, s = {}, set()
    d[k, 1] = 5
    d["a", 1] = 7
    s.add((k, 2))
    s.add(("a", 2))
    known = {("a", 1): 3, ("b", 1): 4}
    return len(d), d[k, 1], ("b", 1) in d, len(s), ("b", 2) in s, known[k, 1], known.get((k, 2), 0)


@PROGRAMS.add(*CASES)
def chosen_texts_raised(xs):
    k = "a" if xs[0] > 0 else "b"
    if xs[1] > 3:
        raise KeyError(k)
    if xs[1] > 0:
        raise ValueError("no " + k)
    return xs[0]


@PROGRAMS.add(3, 4, 1)
def chosen_ends(n):
    for i in range(n):
        print(i, i * 2, sep="-" if i % 2 else None, end=" " if i < n - 1 else "\n")
    xs = [i * i for i in range(n)]
    print(*xs, sep=", " if n > 3 else "/", end="!\n" if n > 1 else "?\n")
    print(*xs, "all", n, sep=f"<{n}>")
    return n


@PROGRAMS.add(*CASES)
def lengths_of_local_classes(xs):
    class Queue:
        def __init__(self):
            self.items = []

        def __len__(self):
            return len(self.items)

        def __contains__(self, x):
            return x in self.items

    q, out = Queue(), []
    for x in xs:
        q.items.append(x)
        if x > 0 and len(q) > 1:
            out.append(q.items.pop())
        if x * 2 in q or not q:
            out.append(x)
    return out, len(q)


@PROGRAMS.add(*CASES)
def events_in_order(times):
    queue = [(t * t, i, "come") for i, t in enumerate(times)]
    heapq.heapify(queue)
    served, log = 0, []
    while queue:
        now, who, kind = heapq.heappop(queue)
        if kind == "come":
            heapq.heappush(queue, (now + 1.5, who, "go"))
        else:
            served += 1
            log.append(now)
    return served, log


def found(xs):
    for x in xs:
        if x > 0:
            return x
    return None


def total(x):
    if isinstance(x, tuple):
        parts = [total(e) for e in x]
    elif isinstance(x, ag.Tensor):
        return ag.reduce_sum(x)
    elif isinstance(x, float):
        return x
    else:
        return 0.0
    return sum(parts, 0.0)


@PROGRAMS.add(*CASES, gradients=False)
def told_by_a_chain_of_tests(xs):
    r = found(xs)
    return total(("none", 1.0) if r is None else (r, 2.0))


@PROGRAMS.add((1.5, 0), (0.5, 3), (2.5, 5))
def matched(x, n):
    d = {"a": x, "b": 1.0}
    r = 0.0
    for i in range(n):
        match d:
            case {"c": w, "a": v}:
                r += w * v
            case {"a": w, "b": u} if w > u:
                r += 10.0
            case _:
                r -= 1.0
        if i > 0:
            d["c"] = x + i
    match d:
        case {"c": w, **rest}:
            return r + w, len(rest)
        case _:
            return -r, len(d)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_the_text_of_an_error_is_the_one_chosen():
    staged = ag.function(chosen_texts_raised)
    with pytest.raises(ValueError, match="^no b"):
        staged(ag.constant([-1.0, 1.0]))
    with pytest.raises(KeyError, match="^'a'"):
        staged(ag.constant([1.0, 4.0]))


def test_a_chain_of_dictionaries_is_refused_by_name():
    @ag.function
    def depth(keys):
        root = at = {}
        for k in keys:
            if k == 9:
                at["end"] = True
                break
            at = at.setdefault("next", {})
        return "next" in root

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="shared-list"):
        depth(ag.constant([3, 1, 9]))
