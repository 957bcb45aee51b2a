"""Recursion whose depth depends on tensors: direct, mutual, through methods, closures and decorated functions."""

import functools

import numpy as np

from tests.programs.harness import Programs, Py

PROGRAMS = Programs()
V = np.array([3.11, -1.23, 4.37, 1.41, -5.59])
W = np.array([[0.31, -0.52, 0.13], [0.24, 0.45, -0.33], [-0.17, 0.62, 0.21]])


@PROGRAMS.add((48, 18), (17, 5), (12, 0))
def gcd(a, b):
    if b == 0:
        return a
    return gcd(b, a % b)


@PROGRAMS.add(5, 0, 12)
def factorial(n):
    return 1 if n <= 1 else n * factorial(n - 1)


@PROGRAMS.add(0, 1, 15)
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


@PROGRAMS.add((2, 3), (1, 4), (0, 7))
def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


@PROGRAMS.add(5, 99, 120)
def mccarthy(n):
    if n > 100:
        return n - 10
    return mccarthy(mccarthy(n + 11))


@PROGRAMS.add((1.7, 10), (-0.9, 5), (2.0, 0))
def power(x, n):
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    if n % 2 == 1:
        return half * half * x
    return half * half


@PROGRAMS.add(27, 1, 97)
def collatz(n, steps=0):
    if n == 1:
        return steps
    if n % 2 == 0:
        return collatz(n // 2, steps + 1)
    return collatz(3 * n + 1, steps + 1)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


@PROGRAMS.add(0, 7, 30)
def parities(n):
    return is_even(n), is_odd(n), is_odd(n + 1)


def sines(x, n):
    if n == 0:
        return x, x * x
    a, b = cosines(x * 0.5, n - 1)
    return 2.0 * a * b, a + b


def cosines(x, n):
    if n == 0:
        return 1.0 - x * x, x
    a, b = sines(x * 0.5, n - 1)
    return a * a - b, b


@PROGRAMS.add((0.7, 3), (0.4, 4), (1.1, 0))
def mutual_tuples(x, n):
    return sines(x, n)


@PROGRAMS.add((V, 2), (V[:3], 0), traces=2)
def quickselect(xs, k):
    pivot = xs[0]
    low = xs[xs < pivot]
    high = xs[xs > pivot]
    if k < len(low):
        return quickselect(low, k)
    if k == len(low):
        return pivot
    return quickselect(high, k - len(low) - 1)


def _quicksort(xs):
    if len(xs) <= 1:
        return xs
    pivot = xs[0]
    rest = xs[1:]
    return np.concatenate([_quicksort(rest[rest < pivot]), pivot[None], _quicksort(rest[rest >= pivot])])


@PROGRAMS.add(V, V[::-1].copy())
def quicksort(xs):
    return _quicksort(xs[xs > -1000.0])


@PROGRAMS.add((V, 3), (V, 0))
def shrinking_slices(xs, k):
    if k == 0:
        return xs.sum()
    return xs[0] * 2.0 + shrinking_slices(xs[1:], k - 1)


@PROGRAMS.add((1.5, 4), (0.5, 0))
def growing_shape(x, n):
    def grow(xs, k):
        if k == 0:
            return xs
        return grow(np.concatenate([xs, xs[-1:] * 2.0]), k - 1)

    return grow(np.ones(1) * x, n).sum()


@PROGRAMS.add((1.5, 6), (-0.7, 0))
def python_counter(x, n):
    def go(x, n, depth):
        if n == 0:
            return x * depth
        return go(x * 1.1 + depth, n - 1, depth + 1)

    return go(x, n, 0)


@PROGRAMS.add((1.5, 3.0), (-0.7, 3.0), (40.0, 3.0))
def python_static_depth(x, limit):
    def go(x, n):
        if n == 0:
            return x
        if x > limit:
            return go(x * 0.5, n - 1)
        return go(x * x, n - 1) + n

    return go(x, 2) + go(x, 6)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def number_needed_by_python(x, limit):
    names = ["a", "b", "c", "d", "e", "f"]

    def go(x, n):
        if n == 5:
            return x
        if x > limit:
            return go(x * 0.5, n + 1) + ord(names[n])
        return go(x + 1.0, n + 1)

    return go(x, 0)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def accumulator_from_none(x, n):
    def go(x, n, best=None):
        if n == 0:
            return best
        y = np.sin(x * 3.0)
        if best is None or y > best:
            best = y
        return go(x + 1.0, n - 1, best)

    return go(x, n + 1)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def dictionaries(x, n):
    if n == 0:
        return {"total": x, "count": 0}
    below = dictionaries(x * 0.9, n - 1)
    return {"total": below["total"] * x + 1.0, "count": below["count"] + 1}


@PROGRAMS.add((1.5, 4), (0.25, 0))
def none_or_value(x, n):
    def find(x, k):
        if k == 0:
            return None
        if x > 3.0:
            return x
        return find(x * 1.5, k - 1)

    found = find(x, n)
    return -1.0 if found is None else found * 2.0


@PROGRAMS.add((1.5, 4), (0.25, 0))
def captured_names(x, n):
    scale = x * 2.0

    def go(k):
        if k == 0:
            return scale
        return go(k - 1) * 0.5 + scale

    first = go(n)
    scale = scale + 1.0
    return first, go(n)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def inner_function_made_anew(x, n):
    def outer(v, k):
        w = v * 1.1

        def inner(j):
            if j <= 0:
                return w
            return outer(v * 0.9, j - 1) + w

        return inner(k)

    return outer(x, n)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def lambda_by_name(x, n):
    go = lambda x, n: x if n == 0 else go(x * 1.5, n - 1) - 1.0  # noqa: E731
    return go(x, n)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def nonlocal_counter(x, n):
    count = 0
    total = x

    def go(k):
        nonlocal count, total
        count += 1
        total = total * 1.1 + k
        if k > 0:
            go(k - 1)
            if k > 2:
                go(k - 2)

    go(n)
    return total, count


class Visitor:
    def __init__(self, factor):
        self.factor = factor
        self.visits = 0
        self.total = 0.0

    def visit(self, x, n):
        self.visits += 1
        self.total += x
        if n == 0:
            return x
        return self.visit(x * self.factor, n - 1) + 1.0

    @classmethod
    def twice(cls, x, n):
        return x if n == 0 else cls.twice(x * 2.0, n - 1)

    @staticmethod
    def thrice(x, n):
        return x if n == 0 else Visitor.thrice(x * 3.0, n - 1)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def methods(x, n):
    visitor = Visitor(x)
    result = visitor.visit(x, n)
    return result, visitor.visits, visitor.total, Visitor.twice(x, n), Visitor.thrice(x, n)


@PROGRAMS.add((V, 4), (V[::-1].copy(), 1))
def list_passed_on(xs, n):
    out = []

    def collect(k):
        if k > 0:
            out.append(xs[k] * 2.0)
            collect(k - 1)

    collect(n)
    return out


@PROGRAMS.add((V, 4), (V[::-1].copy(), 1))
def list_argument(xs, n):
    def collect(k, out):
        if k > 0:
            out.append(xs[k] * 2.0)
            collect(k - 1, out)
        return out

    return collect(n, [])


def _swap_sort(a, low, high):
    if low < high:
        pivot = a[high]
        i = low
        for j in range(low, high):
            if a[j] < pivot:
                t = a[i] * 1.0
                a[i] = a[j]
                a[j] = t
                i += 1
        t = a[i] * 1.0
        a[i] = a[high]
        a[high] = t
        _swap_sort(a, low, i - 1)
        _swap_sort(a, i + 1, high)


@PROGRAMS.add((V, 4), (V[::-1].copy(), 3))
def sort_in_place(xs, last):
    a = xs * 1.0
    _swap_sort(a, 0, last)
    return a


@PROGRAMS.add((V, 4), (V[::-1].copy(), 3))
def sort_argument_in_place(xs, last):
    _swap_sort(xs, 0, last)
    return xs[0]


LEFT = np.array([1, 3, -1, -1, -1])
RIGHT = np.array([2, 4, -1, -1, -1])


@PROGRAMS.add((W, V, LEFT, RIGHT, 0), (W, V[::-1].copy(), LEFT, RIGHT, 1), (W, V, LEFT, RIGHT, 4))
def tree_network(w, leaves, left, right, root):
    def node(i):
        if left[i] < 0:
            return np.tanh(w[0] * leaves[i]), w[1] * leaves[i]
        lh, lc = node(left[i])
        rh, rc = node(right[i])
        gates = 1.0 / (1.0 + np.exp(-(w @ lh + w[2] * rh)))
        c = gates * lc + (1.0 - gates) * rc
        return np.tanh(c) * gates, c

    h, c = node(root)
    return h + c


@PROGRAMS.add((V, 3), (V, 0))
def recursion_in_a_loop(xs, n):
    s = 0.0
    for x in xs:
        s += power(x, n)
    return s


@PROGRAMS.add((V, 3), (V, 0))
def loop_in_recursion(xs, n):
    s = 0.0
    for x in xs:
        s += x * n
    if n == 0:
        return s
    return s * 0.5 + loop_in_recursion(xs * 0.9, n - 1)


@PROGRAMS.add((0.7, 3), (0.3, 0))
def loop_of_recursive_calls(x, n):
    if n == 0:
        return x
    s = 0.0
    for i in range(n):
        s += loop_of_recursive_calls(x * 0.9, i)
    return s + x


def traced_calls(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)

    return wrapper


@traced_calls
def wrapped_power(x, n):
    return 1.0 if n == 0 else x * wrapped_power(x, n=n - 1)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def through_a_decorator(x, n):
    return wrapped_power(x, n)


@PROGRAMS.add((1.5, 4), (0.25, 0))
def raises_at_the_end(x, n):
    def go(x, n):
        if n < 0:
            raise ValueError("negative")
        if x > 3.0:
            return x
        return go(x * 1.5, n - 1)

    return go(x, n)


@PROGRAMS.add(3, 0)
def prints(n):
    def go(n):
        print("at", n)
        if n > 0:
            go(n - 1)
            print("back", n)

    go(n)


@PROGRAMS.add((2.5, Py(((1.0, 2.0), (3.0, (4.0, 5.0))))), (0.1, Py(((1.0, 2.0), (3.0, (4.0, 5.0))))))
def tree_of_python_values(x, tree):
    def total(t):
        if not isinstance(t, tuple):
            return t
        if x > 1.0:
            return total(t[0]) + total(t[1])
        return total(t[1])

    return total(tree) * x


test_eager, test_staged, test_gradients = PROGRAMS.tests()
