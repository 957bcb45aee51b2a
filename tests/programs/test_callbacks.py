"""Functions written in C that compare, convert or call back: sorting, heaps, bisection, `math`, and what looks like tqdm."""

import bisect
import functools
import heapq
import math
import string

import numpy as np
import pytest

import autograph as ag

X = ag.constant(np.array([3.0, 1.0, 2.0, 1.0]))
S = ag.constant(np.float64(2.5))
N = ag.constant(3)


class Bar:
    """The protocol of tqdm's progress bars."""

    def __init__(self, iterable=None, total=None, desc=None):
        self.iterable, self.total, self.desc = iterable, total, desc
        self.n = 0
        self.postfix = None

    def __iter__(self):
        for item in self.iterable:
            yield item
            self.update(1)

    def update(self, count=1):
        self.n += count

    def set_postfix(self, **values):
        self.postfix = values

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return False


def with_a_bar(x, s, n):
    for i in Bar(range(3), desc="first"):
        x = x + i
    bar = Bar(range(4))
    for _ in bar:
        x = x * s
        bar.set_postfix(loss=x)
    with Bar(total=3) as manual:
        for _ in range(n):
            x = x + 1
            manual.update(1)
    for i in Bar(range(n)):
        x = x + i
    for v in Bar(x):
        x = x + v
    return x, bar.n


def sorting(x, s, n):
    pairs = [(x[i], i) for i in range(4)]
    xs = [x[0], x[1], x[2]]
    xs.sort(key=lambda v: -v)
    by_text = sorted(["ccc", "a", "bb"], key=len)
    return (
        sorted(pairs), sorted(pairs, key=lambda p: -p[0]), sorted(pairs, key=lambda p: (p[0], -p[1]), reverse=True), xs,
        sorted([1, 3, 2], key=lambda i: x[i]), sorted(x, reverse=True), len(by_text[0]),
    )  # fmt: skip


def extremes(x, s, n):
    xs = [x[0], x[1], x[2]]
    return min(xs, key=lambda v: abs(v - s)), max(x, key=lambda v: -v), max(["a", "bb"], key=len) == "bb"


def reducing(x, s, n):
    return functools.reduce(lambda a, b: a if a > b else b, x), functools.reduce(lambda a, b: a * b, [x[0], s, 2.0], 1.0)


def mapping(x, s, n):
    return list(map(lambda v: v * 2 if v > s else v, x)), list(filter(lambda v: v > 1.5, x))


def heaps(x, s, n):
    heap = []
    for i in range(4):
        heapq.heappush(heap, x[i])
    first = heapq.heappop(heap)
    second = heapq.heappushpop(heap, s)
    other = [x[0], x[2], s]
    heapq.heapify(other)
    return first, second, heapq.heapreplace(heap, x[1]), other[0], heapq.nsmallest(2, x), heapq.nlargest(2, other)


def heap_in_a_loop(x, s, n):
    heap = [s]
    for v in x:
        if v > 1.5:
            heapq.heappush(heap, v)
    total = 0.0
    while len(heap) > 0:
        total = total * 10 + heapq.heappop(heap)
    return total


def bisecting(x, s, n):
    levels = [1.0, 2.0, 3.0]
    found = bisect.bisect(levels, s), bisect.bisect_left([x[1], x[2]], 2.0), bisect.bisect(levels, s, key=lambda v: v * 2)
    bisect.insort(levels, s)
    return *found, levels[2], len(levels)


def conversions(x, s, n):
    return float(s) + 1, int(s), bool(s), s.item() * 2, x[2:3].item(), sum(x.tolist()), n.item() + 1


def math_functions(x, s, n):
    a, b = math.sqrt(s), math.atan2(s, x[0])
    return (
        a, b, math.floor(s) + n, math.ceil(s), math.log(s, 2), math.log(s), math.hypot(s, 3.0), math.exp(-s),
        math.isnan(s), math.isclose(s, 2.5), math.fsum([x[0], s]), math.pow(s, 2), math.erf(s), math.degrees(s),
        math.sqrt(4.0),
    )  # fmt: skip


PROGRAMS = [
    with_a_bar, sorting, extremes, reducing, mapping, heaps, heap_in_a_loop, bisecting, conversions, math_functions,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_results_are_pythons(program):
    arguments = [[X, S, N], [ag.constant(np.array([0.5, 4.0, 1.0, 7.0])), ag.constant(np.float64(0.5)), ag.constant(1)]]
    f = ag.function(program)
    for case in arguments:
        got, want = ag.nest.flatten(f(*case)), ag.nest.flatten(program(*case))
        for p, q in zip(got, want, strict=True):
            assert np.allclose(np.asarray(p), np.asarray(q)), (p, q)
    assert f.experimental_get_tracing_count() == 1


def test_gradients_through_sorting_and_math():
    @ag.function
    def f(x):
        ordered = sorted([x[0], x[1], x[2]], key=lambda v: -v)
        return ordered[0] * 3 + math.sqrt(ordered[1]) + ag.reduce_sum(ag.stack(x[2:3].tolist()))

    with ag.GradientTape() as tape:
        tape.watch(X)
        y = f(X)
    assert np.allclose(tape.gradient(y, X), [3, 0, 1 + 0.5 / np.sqrt(2.0), 0])


@pytest.mark.parametrize(
    ("program", "id"),
    [
        (lambda x: x.numpy(), "tensor-value"),
        (lambda x: sorted(map(str, range(100)), key=lambda k: f"{x[0]}{k}"), "sort-of-objects"),
        (lambda x: string.Template("$x").substitute(x=x), "text-of-tensor"),
        (lambda x: list(heapq.merge([x[0]], [x[1]])), "truth-in-python"),
    ],
)
def test_what_cannot_be_is_one_sentence_at_the_line(program, id):
    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match=rf"\[{id}\]\n  File .*test_callbacks.py") as caught:
        ag.function(program)(X)
    assert "Instead: " in str(caught.value)


def test_a_key_that_changes_the_list_is_found_out_as_by_python():
    def program(x):
        items = [2, 1]

        def key(i):
            items.append(i)
            return i

        try:
            items.sort(key=key)
        except ValueError as error:
            return x, str(error)
        return x, ""

    assert ag.function(program)(ag.constant(1.0))[1] == "list modified during sort"


def test_a_class_may_say_anything_of_its_module():
    class Odd:
        pass

    Odd.__module__ = 3
    assert float(ag.function(lambda x, o: x if isinstance(o, Odd) else x + 1)(ag.constant(1.0), Odd())) == 1


def test_the_text_of_a_command_is_not_that_of_generated_methods(monkeypatch):
    """`python -c` of newer Pythons keeps its text under the name that dataclasses give their methods."""
    import dataclasses
    import linecache

    text = "import sys\nprint(sys.argv)\n"
    monkeypatch.setitem(linecache.cache, "<string>", (len(text), None, text.splitlines(True), "<string>"))

    @dataclasses.dataclass
    class Point:
        x: float
        y: float

    def program(x):
        p = Point(x, 2 * x)
        return p.x + p.y

    assert float(ag.function(program)(ag.constant(1.5))) == 4.5


class Positive:
    """True where its number is positive."""

    def __init__(self, x):
        self.x = x

    def __bool__(self):
        return self.x > 0


def numbers_that_are_true(x):
    return sum(filter(None, [x, -x, x * 0, 4])), sum(filter(bool, [x, x - x]))


def objects_that_are_true(x):
    return sum([v.x for v in filter(None, [Positive(x), Positive(-x), Positive(x - 1)])])


def objects_by_a_test(x):
    return len(list(filter(lambda v: v.x > 0, [Positive(x), Positive(-x), Positive(x - 1)])))


def true_objects_counted(x):
    return len(list(filter(bool, [Positive(x), Positive(-x)]))), len(list(filter(None, ["a", "", x > 5, 0])))


def the_first_true_object(x):
    for v in filter(None, (Positive(x), Positive(-x))):
        return v.x
    return 0


@pytest.mark.parametrize(
    "f",
    [numbers_that_are_true, objects_that_are_true, objects_by_a_test, true_objects_counted, the_first_true_object],
)
def test_filter_by_truths_of_tensors(f):
    staged = ag.function(f)
    for x in (3, -2, 0, 1):
        assert np.ravel(staged(ag.constant(x))).tolist() == np.ravel(f(x)).tolist(), x
