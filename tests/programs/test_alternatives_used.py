"""Values that are one of several texts, enumeration members, functions or tuples, used as Python uses them; objects that are
there on some paths only, changed after they were made."""

import enum
import functools
import math

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
XS = np.array([3.0, -1.0, 4.0, 1.0])
YS = np.array([-5.0, 2.0, -6.0, 0.5])


class Color(enum.Enum):
    RED = 1
    GREEN = 2


class Node:
    def __init__(self, value):
        self.value, self.left, self.right = value, None, None

    def insert(self, value):
        if value < self.value:
            if self.left is None:
                self.left = Node(value)
            else:
                self.left.insert(value)
        elif self.right is None:
            self.right = Node(value)
        else:
            self.right.insert(value)

    def depth(self):
        left = self.left.depth() if self.left else 0
        right = self.right.depth() if self.right else 0
        return 1 + max(left, right)

    def total(self):
        return self.value + (self.left.total() * 2 if self.left else 0.0) + (self.right.total() if self.right else 0.0)


def word_of(n):
    if n > 4:
        return "big"
    if n > 0:
        return "small"
    return "none"


@PROGRAMS.add(8, 1, 0)
def printed(n):
    word = word_of(n)
    print("it is", word, n)
    print(f"{word}: {n} {word!r} {word:>6}| {word!r:>9}")
    print("%s and %d" % (word, n), "{} {}".format(word, n), ", ".join([word, *"ab"]))  # noqa: UP031, UP032
    return n


@PROGRAMS.add(8, 1, 0)
def put_together(n):
    word = word_of(n)
    more = word + "!"
    most = "<" + more + ">"
    word += "s"
    print(word, more, most, most * 2)
    return most


@PROGRAMS.add(8, 1, 0)
def looked_into(n):
    w = word_of(n)
    tests = w.startswith("s"), w in ("big", "none"), w == "small", "a" in w, w < "c", w != "big"
    return w.upper(), len(w), w[0], w[::-1], w.replace("n", "m"), sorted(w), tests, "".join(reversed(w)), max(w)


@PROGRAMS.add(8, 1, 0)
def gone_over(n):
    w, count, seen = word_of(n), 0, ""
    for ch in w:
        if ch == "l":
            count += 1
        if ch == "e":
            break
        seen = ch
    else:
        count += 100
    return count, seen, [ch for ch in w if ch > "b"], any(ch == "g" for ch in w)


@PROGRAMS.add(8, 1, 0)
def keys(n):
    w = word_of(n)
    d = {"big": 10.0, "small": 1.0, "none": 0.0}
    return d[w] * 2, d.get(w, 5.0), w in d, {"big": 3}.get(w, -1)


@PROGRAMS.add(8, 1, 0)
def raised(n):
    w = word_of(n)
    if n != 1:
        raise ValueError(f"bad {w} {n}")
    return w


@PROGRAMS.add(16, 2, 0)
def fizz_buzz(n):
    for i in range(1, n + 1):
        s = ""
        if i % 3 == 0:
            s += "Fizz"
        if i % 5 == 0:
            s += "Buzz"
        print(s or i)
    return n


@PROGRAMS.add(3, -1, 0)
def members(n):
    c = Color.RED if n > 0 else Color.GREEN
    print(c, c.name, c.value)
    return c.value, {Color.RED: "stop", Color.GREEN: "go"}[c], c is Color.RED, c.name


@PROGRAMS.add(3.0, 1.5, 0.25, gradients=False)  # `math.sqrt` has none outside of a function
def functions(x):
    f = math.sqrt if x > 1 else abs
    g = (lambda v: v * v) if x > 2 else (lambda v: v * 2)
    return f(x), g(x) * f(x), f.__name__


@PROGRAMS.add(3.0, -1.0)
def structures(x):
    r = (x, "pos") if x > 0 else (x * x, "neg", 0)
    y = [x, 2.0] if x > 0 else (1.0,)
    a, b = (x, 2.0) if x > 0 else (x, 3)
    print(len(r), r[1])
    return r[0], len(y), isinstance(y, list), sum(y), a * b


@PROGRAMS.add(3.0, -1.0, 0.5, gradients=False)  # a list among alternatives is a reference
def narrowed(x):
    r = [x, x * 2] if x > 1 else ({"a": x * x} if x > 0 else x * 3)
    if isinstance(r, dict):
        return sum(r.values())
    if isinstance(r, list):
        return r[1] + len(r)
    return r


class Cat:
    def __init__(self, weight):
        self.weight = weight

    def speak(self):
        return "meow"


class Dog(Cat):
    def __init__(self, weight):
        self.weight, self.tricks = weight * 2, 3

    def speak(self):
        return "woof"


@PROGRAMS.add(3.0, -1.0)
def matched(x):
    pet, total = Cat(x * x) if x > 0 else Dog(x), 0.0
    print(pet.speak(), type(pet).__name__, isinstance(pet, Dog), hasattr(pet, "tricks"), getattr(pet, "tricks", None))
    match pet:
        case Dog(tricks=k):
            total = total + k
        case Cat(weight=w):
            total = total + w
    parts = (x, x * 2, 5.0) if x > 0 else {"a": x, "b": 1.0}
    match parts:
        case [a, _, *rest]:
            total = total + a * len(rest)
        case {"a": a, **rest}:
            total = total - a * 5 + len(rest)
    return total * pet.weight


@PROGRAMS.add(3.0, -1.0)
def without_a_method(x):
    r = "text" if x > 0 else (x, x)
    try:
        return r.upper()
    except AttributeError:
        return "no method"


@PROGRAMS.add(3, -1)
def absent(n):
    x = None
    if n > 0:
        x = n * 2
    print("x is", x, f"{x}")
    return x if x is not None else "nothing"


@PROGRAMS.add(XS, YS)
def tree(xs):
    root = Node(xs[0])
    for x in xs[1:]:
        root.insert(x)
    return root.depth(), root.total()


@PROGRAMS.add((1.0, 2.0), (2.0, 1.0), (1.0, 3.0))
def changed_later(a, b):
    node, held, items = None, {"a": a}, None
    if b > a:
        node = Node(a)
        items = {"k": a}
        held["n"] = Node(None)
    for i in range(3):
        if node is not None:
            node.value = b * 1.5 + node.value
            node.right = b if b > i + 1.5 else None
        if items is not None:
            items["k"] = items["k"] * b
            items["j"] = (i, b)
        if "n" in held:
            held["n"].value = a * i
    if node is None:
        return None
    return node.value, node.right, items["k"], items["j"], held["n"].value


@PROGRAMS.add((1.0, 2.0), (2.0, 1.0))
def one_of_two_names(a, b):
    owner, node = Node(None), Node(a)
    if b > a:
        owner.right = node
    node.right = Node(b)
    node.value = "text"
    if owner.right is not None:
        owner.right.right.value = a * b
    return node.right.value, None if owner.right is None else owner.right.right.value


class Pair:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        yield self.x
        yield self.y


class Ordered(Pair):
    def __iter__(self):
        return iter(sorted((self.x, self.y)))


@PROGRAMS.add((1.0, 2.0), (3.0, 2.0))
def taken_apart_of_two(a, b):
    pair = Pair(a, b) if a < b else Ordered(2 * a, b)
    x, y = pair
    first, *more = pair
    return x - 3 * y, first, more, [*pair, a], (b, *pair)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def shown(node):
    return None if node is None else (float(node.value), shown(node.left), shown(node.right))


@pytest.mark.parametrize("values", [(1, 2, 3), (3, 1, 2), (3, 2, 1), (2, 1, 3), (1, 3, 2)])
def test_a_tree_that_leaves(values):
    def build(a, b, c):
        root = Node(a)
        root.insert(b)
        root.insert(c)
        return root

    assert shown(ag.function(build)(*map(ag.constant, values))) == shown(build(*values))


def test_what_a_class_says_of_an_exception():
    @ag.function
    def check(n):
        state = "ready" if n > 0 else "late"
        assert state == "ready", f"it is {state}"
        return n

    assert int(check(ag.constant(1))) == 1
    with pytest.raises(AssertionError, match="it is late"):
        check(ag.constant(-1))


def test_lambdas_in_comprehensions():
    def program(b, y, n):
        totals = sum(u * functools.reduce(lambda p, q: p * 0.5 + q, [b, b, y]) for u in range(3) if u < n)
        late = [lambda: k for k in range(3)]  # Python has one `k`
        return totals, [f() for f in late], [functools.reduce(lambda p, q: p + q, [k, b]) for k in range(4) if k > y]

    got = ag.function(program)(ag.constant(1.0), ag.constant(2.0), ag.constant(2))
    assert ag.nest.map_structure(lambda x: x.numpy().item() if isinstance(x, ag.Tensor) else x, got) == program(1.0, 2.0, 2)
