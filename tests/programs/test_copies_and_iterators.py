"""Copies, iterators and statistics of lists that only the run knows, and of tensors."""

import copy
import itertools
import statistics

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs, compare, tensors, values

PROGRAMS = Programs()
F = np.array([1.5, 2.5, -1.0, 4.0, 0.5, 2.0])
G = np.array([3.5, 0.5, 2.0, 4.5, -0.25, 1.0])


@PROGRAMS.add(4, 3)
def next_of_a_list(n):
    xs = []
    for i in range(n):
        xs.append(i + 5)
    it = iter(xs)
    first, second = next(it), next(it)
    return first, second, sum(it), next(it, -1), next(iter(xs)), [a + b for a, b in zip(iter(xs), iter(xs), strict=True)]


@PROGRAMS.add((F,), (G,))
def rest_of_a_tensor(xs):
    it = iter(xs)
    best = next(it)
    while best < 3.0:
        best = max(best, next(it, 100.0))
    total = 0.0
    for x in it:
        if x < 0:
            break
        total += x * best
    return best, total, list(it), next(it, -1.0)


@PROGRAMS.add((F,), (G,))
def one_by_one(xs):
    it = iter(sorted(xs))
    out = []
    x = next(it, None)
    while x is not None:
        out.append(x)
        x = next(it, None)
    return out


@PROGRAMS.add((F, 1), (G, 2))
def nothing_left(xs, n):
    it = iter(xs[:n])
    first = next(it)
    try:
        return next(it)
    except StopIteration:
        return first - 5.0


@PROGRAMS.add(4, 2)
def deep_and_shallow(n):
    xs, table = [], {"a": [], "b": ([], 1)}
    for i in range(n):
        xs.append([i])
        table["a"].append(i)
        table["b"][0].append(2 * i)
    shallow, deep, other = copy.copy(xs), copy.deepcopy(xs), copy.deepcopy(table)
    deep[0].append(9)
    shallow.append([7])
    other["a"][0] = 99
    other["b"][0].append(7)
    return xs, shallow, deep, table, other


class Bag:
    def __init__(self):
        self.xs = []
        self.k = 2


@PROGRAMS.add(4, 2)
def copied_objects(n):
    bag, d = Bag(), {}
    for i in range(n):
        bag.xs.append([i])
        d[i] = [i]
    deep, shallow, e, f = copy.deepcopy(bag), copy.copy(bag), copy.deepcopy(d), copy.copy(d)
    deep.xs[0].append(5)
    deep.k = 7
    shallow.xs.append([9])
    e[0].append(5)
    f[9] = [1]
    return bag.xs, deep.xs, shallow.xs, bag.k, deep.k, d[0], e[0], len(f), len(d)


@PROGRAMS.add((F,), (G,))
def accumulated(xs):
    least = itertools.accumulate(xs, min, initial=1.0)
    return list(itertools.accumulate(xs)), list(itertools.accumulate(xs, max)), list(least)


@PROGRAMS.add(4, 3)
def chosen_texts(n):
    names = []
    for i in range(n):
        names.append("even" if i % 2 == 0 else "odd")
    return names.count("odd"), names.index("odd"), names[1] == "odd"


@PROGRAMS.add(9, 0, 255, -6)
def bits(n):
    return int(n).bit_length(), int(n).bit_count()


@PROGRAMS.add(2.0, 2.5, -0.5)
def parts_of_numbers(x):
    return x.is_integer(), x.real * 2, x.imag, x.conjugate() * x, round(x), round(x, 1)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def of_a_list(xs):
    kept = []
    for x in xs:
        if x > 0:
            kept.append(x)
    spread = statistics.variance(kept), statistics.pvariance(kept), statistics.stdev(kept), statistics.pstdev(kept, 1.0)
    middle = statistics.median(kept), statistics.median_low(kept), statistics.median_high(kept[1:])
    return statistics.mean(xs), statistics.fmean(kept), statistics.geometric_mean(kept), spread, middle


@pytest.mark.parametrize("jit_compile", [False, True])
def test_statistics(jit_compile):
    staged = ag.function(of_a_list, jit_compile=jit_compile)
    for xs in (F, G):
        compare(values(staged(*tensors((xs,)))), of_a_list([float(x) for x in xs]))
    with pytest.raises(statistics.StatisticsError, match="no median"):
        ag.function(lambda xs: statistics.median([x for x in xs if x > 9]))(ag.constant(F))


def test_statistics_have_gradients():
    x = ag.constant(F)
    with ag.GradientTape() as tape:
        tape.watch(x)
        y = ag.function(lambda xs: statistics.variance(xs))(x)
    compare(tape.gradient(y, x).numpy(), 2 * (F - F.mean()) / (len(F) - 1))


def test_one_iterator_twice_in_a_zip_with_another_is_refused():
    @ag.function(input_signature=[ag.TensorSpec([None], ag.float64)])
    def pairs(xs):
        it = iter(xs)
        return [a + b for a, b, _ in zip(it, it, xs, strict=False)]

    with pytest.raises(ag.errors.OperatorNotAllowedInGraphError, match="one iterator with itself"):
        pairs(ag.constant(F))


def test_a_warning_gets_the_type():
    @ag.function
    def f(x):
        import warnings

        warnings.warn(f"x is {x}", stacklevel=1)
        return x

    with pytest.warns(UserWarning, match="x is <Tensor staged float32"):
        f(ag.constant(1.0))
