"""Objects and functions: attributes, methods that change their object, closures, globals, recursion, ways to call."""

import functools

import numpy as np

from tests.programs.harness import Programs, Py

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([-2.17, 7.29, 1.31, -8.43, 2.57])


class Total:
    def __init__(self, start):
        self.total = start
        self.count = 0

    def add(self, x):
        self.total += x
        self.count += 1
        return self

    @property
    def mean(self):
        return self.total / self.count

    def __call__(self, x):
        return x * self.total


class Signed(Total):
    def __init__(self, start):
        super().__init__(start)
        self.signs = []

    def add(self, x):
        if x < 0:
            self.signs.append(-1.0)
            return self
        self.signs.append(1.0)
        return super().add(x)


class Stack:
    def __init__(self):
        self._items = []

    def push(self, x):
        self._items.append(x)

    def pop(self):
        return self._items.pop()

    def __len__(self):
        return len(self._items)


@PROGRAMS.add((V, 1.0), (W, 2.0))
def method_in_loop(xs, start):
    t = Total(start)
    for x in xs:
        t.add(x)
    return t.total, t.count, t.mean


@PROGRAMS.add((V, 1.5), (W, -2.0))
def method_in_branch(xs, y):
    t = Total(0.0)
    if y > 0:
        t.add(y).add(y)
    else:
        t.count = 10
    return t.total, t.count


@PROGRAMS.add((V, 1.5), (W, 2.0))
def overridden_method(xs, start):
    t = Signed(start)
    for x in xs:
        t.add(x)
    return t.total, t.count, sum(t.signs)


@PROGRAMS.add((V, 3), (W, 4))
def stack_object(xs, n):
    s = Stack()
    for i in range(n):
        s.push(xs[i])
    top = s.pop()
    while len(s) > 1:
        top = top * 0.5 + s.pop()
    return top, len(s)


@PROGRAMS.add((V, 3), (W, 4))
def object_born_in_loop(xs, n):
    s = 0.0
    for i in range(n):
        t = Total(xs[i])
        t.add(2.0)
        s += t.mean
    return s


@PROGRAMS.add((1.52, 3), (-0.53, 1))
def object_rebound_in_loop(x, n):
    t = Total(x)
    for _ in range(n):
        if t.total > 2:
            t = Total(t.total - 1)
        t.add(0.75)
    return t.total, t.count


@PROGRAMS.add((1.5, True), (-0.5, False))
def object_chosen(x, c):
    a, b = Total(x), Total(x * 2)
    t = a if c else b
    t.add(10.0)
    return a.total, b.total, t.count


@PROGRAMS.add((V, 2.0), (W, -1.0))
def best_object(xs, limit):
    best = None
    for x in xs:
        if best is None or x > best.total:
            best = Total(x)
            best.count = 7
    return best.total, best.count


@PROGRAMS.add((1.5, True), (-0.5, False))
def attribute_first_set_in_branch(x, c):
    t = Total(x)
    if c:
        t.extra = x * 2
    if hasattr(t, "extra") and c:
        return t.extra
    return t.total


@PROGRAMS.add((2.0, 3), (0.5, 2))
def closure_reads(x, n):
    def scaled(y):
        return y * x + n

    s = 0.0
    for i in range(n):
        s = scaled(s) + i
    return s


@PROGRAMS.add((2.0, 3), (0.5, 2))
def nonlocal_counter(x, n):
    calls = 0
    s = x

    def step(k):
        nonlocal calls, s
        calls += 1
        if k % 2 == 0:
            s = s * 1.5
        else:
            s -= 1

    for i in range(n):
        step(i)
    return s, calls


@PROGRAMS.add((2.0, 3), (0.5, 2))
def counter_factory(x, n):
    def make(start):
        value = start

        def step(by):
            nonlocal value
            value = value + by
            return value

        return step

    a, b = make(x), make(0.0)
    for i in range(n):
        a(1.0)
        if i > 0:
            b(a(0.5))
    return a(0.0), b(0.0)


@PROGRAMS.add((2.0, 3), (0.5, 2))
def lambda_before_loop(x, n):
    f = lambda y: y * 0.5 + x  # noqa: E731
    for _ in range(n):
        x = f(x)
        g = lambda y, k=x: y - k  # noqa: E731
        x = g(2 * x)
    return f(x)


@PROGRAMS.add((2.0, True), (0.5, False))
def function_chosen(x, c):
    def double(y):
        return y * 2

    f = double if c else np.tanh
    return f(x)


@PROGRAMS.add((2.0, 3), (0.5, 2))
def partial_of_method(x, n):
    t = Total(x)
    add_two = functools.partial(t.add, 2.0)
    for _ in range(n):
        add_two()
    return functools.partial(pow, t.total)(2)


@PROGRAMS.add((2.0, 3), (0.5, 2))
def callable_object(x, n):
    t = Total(x)
    y = x
    while y < 50 and n > 0:
        y = t(y) + 1
        n -= 1
    return y


def power(x, n):
    if n == 0:
        return x * 0 + 1.0
    half = power(x, n // 2)
    return half * half if n % 2 == 0 else half * half * x


@PROGRAMS.add((2.0, Py(13)), (0.5, Py(13)))
def recursion_of_python_depth(x, n):
    return power(x, n)


def helper(x, /, scale=2.0, *rest, offset=1.0, **more):
    if x > 0:
        x = x * scale
    for r in rest:
        x = x + r
    return x + offset + more.get("bonus", 0.0)


@PROGRAMS.add((2.0, V), (-0.5, W))
def ways_to_pass_arguments(x, xs):
    return (
        helper(x)
        + helper(x, 3.0)
        + helper(x, 3.0, xs[0], xs[1], offset=x)
        + helper(*[x, 0.5], **{"offset": 2.0, "bonus": xs[2]})
    )


COUNTER = {"steps": 0}
LEVEL = 1.0


def bump(x):
    global LEVEL
    LEVEL = LEVEL * 2
    return x * LEVEL


@PROGRAMS.add((2.0, 3), (0.5, 2))
def global_changed(x, n):
    global LEVEL
    LEVEL = 1.0
    for _ in range(n):
        if x < 100:
            x = bump(x)
    level, LEVEL = LEVEL, 1.0
    return x, level


@PROGRAMS.add((2.0, 3), (0.5, 0))
def early_return_in_callee(x, n):
    def find(limit):
        for i in range(n):
            if x * i > limit:
                return i, x * i
        return -1, limit

    a, b = find(1.0)
    c, d = find(100.0)
    return a + c, b + d


@PROGRAMS.add((2.0, 3), (0.5, 0))
def conditional_inner_def(x, n):
    if n > 1:
        def f(y):
            return y * x
    else:
        def f(y):
            return y + x
    return f(3.0)


@PROGRAMS.add((V, 1.0), (W, 2.0))
def static_and_class_methods(xs, y):
    class Tools:
        scale = 2.0

        @staticmethod
        def clip(x):
            return 1.0 if x > 1 else x

        @classmethod
        def scaled(cls, x):
            return cls.scale * cls.clip(x)

    s = y
    for x in xs:
        s += Tools.scaled(x)
    return s


@PROGRAMS.add((V, 2), (W, 1))
def objects_in_a_list(xs, n):
    totals = [Total(0.0), Total(1.0)]
    for i in range(n):
        for t in totals:
            t.add(xs[i])
    return totals[0].total, totals[1].mean


@PROGRAMS.add((V, 2), (W, 1))
def object_in_object(xs, n):
    class Pair:
        def __init__(self, x):
            self.left = Total(x)
            self.right = Total(-x)

        def swap(self):
            self.left, self.right = self.right, self.left

    p = Pair(xs[0])
    for i in range(n):
        p.left.add(xs[i])
        p.swap()
    return p.left.total, p.right.total


def decorated(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return f(*args, **kwargs) + 1.0

    return inner


@decorated
def halved_until(x, limit=1.0):
    while x > limit:
        x = x / 2
    return x


@PROGRAMS.add((9.5, 2.0), (0.5, 3.0))
def decorated_function(x, limit):
    return halved_until(x) + halved_until(x, limit=limit)


@PROGRAMS.add((V, 3), (W, 2))
def generator_with_python_loop(xs, n):
    def pairs():
        for k in range(4):
            yield xs[k], xs[k + 1]

    s = 0.0
    for a, b in pairs():
        if a > b:
            s += a * n
        else:
            s -= b
    return s


test_eager, test_staged, test_gradients = PROGRAMS.tests()
