"""Whiles over Python numbers: one graph loop of what is left after turns that were much code, where that is the same."""

import numpy as np
import pytest

import autograph as ag


def counts(x):
    i = 0
    while i < 500:
        x = x * 0.5 + i
        i += 1
    return x, i, range(i)[-1]


def halves_a_float(x):
    i, f = 0, 1.0
    while f > 1e-12:
        x = x * 0.5 + f
        f /= 1.3
        i += 1
    return x, f, np.zeros(i).shape


def breaks_by_a_number(x):
    i = 0
    while True:
        x = x * 0.5 + i
        i += 1
        if i == 200:
            break
    return x, i


def returns_by_a_number(x):
    i = 0
    while i < 300:
        x = x * 0.5 + i
        i += 1
        if i == 200:
            return x, i
    return x, -i


def goes_on_and_ends(x):
    i = 0
    while i < 300:
        i += 1
        if i % 7 == 3:
            continue
        x = x * 0.5 + i
    else:
        x = x + 100
    return x, -i


def counts_in_a_dictionary(x):
    at = {"i": 0}
    while at["i"] < 200:
        x = x * 0.5 + at["i"]
        at["i"] += 2
    return x, at["i"]


def numbers_from_a_list(x):
    numbers = list(range(100))
    while numbers:
        x = x * 0.5 + numbers.pop()
    return x, len(numbers)


def binds_in_its_test(x):
    i = 0
    while (i := i + 1) < 100:
        x = x * 0.5 + i
    return x, i


def keys_by_number(x):
    weights = {f"w{i}": float(i) for i in range(100)}
    i = 0
    while i < 100:
        x = x * 0.5 + weights[f"w{i}"]
        i += 1
    return x


def list_of_results(x):
    i, ys = 0, []
    while i < 400:
        x = x * 0.99 + i
        ys.append(x)
        i += 1
    return ys[-1], ys[7], len(ys)


def is_large(x):
    i, f = 0, 1
    while i != 100:
        i += 1
        x = x + f
        f = f * 3
    return x, f


def ends_by_a_tensor(x):
    i = 0
    while i < 400:
        x = x * 1.1 + 1.0
        i += 1
        if x > 1e6:
            break
    return x, i


def nested(x):
    i = total = 0
    while i < 60:
        j = i
        while j * j < 2000:
            x = x * 0.5 + j
            j += 3
            total += 1
        i += 1
    return x, i, j, total


def heap_sort(x):
    a = x * np.sin(np.arange(40.0))
    n = len(a)
    start = n // 2 - 1
    while start >= 0:
        root = start
        while True:
            child = 2 * root + 1
            if child >= n:
                break
            if child + 1 < n and a[child] < a[child + 1]:
                child += 1
            if a[root] < a[child]:
                a[root], a[child] = a[child], a[root]
                root = child
            else:
                break
        start -= 1
    while n > 1:
        n -= 1
        a[n], a[0] = a[0], a[n]
        root = 0
        while 2 * root + 1 < n:
            child = 2 * root + 1
            if child + 1 < n and a[child] < a[child + 1]:
                child += 1
            if a[root] >= a[child]:
                break
            a[root], a[child] = a[child], a[root]
            root = child
    return a


ROLLED = (counts, halves_a_float, breaks_by_a_number, goes_on_and_ends, counts_in_a_dictionary, list_of_results, heap_sort)
OTHERS = (
    returns_by_a_number,
    numbers_from_a_list,
    binds_in_its_test,
    keys_by_number,
    is_large,
    ends_by_a_tensor,
    nested,
)


def plain(result):
    return [np.asarray(r) for r in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("f", [*ROLLED, *OTHERS], ids=lambda f: f.__name__)
def test_results_are_pythons(f, jit_compile):
    got = ag.function(f, jit_compile=jit_compile)(ag.constant(np.float64(1.5)))
    for want, result in zip(plain(f(np.float64(1.5))), plain(got), strict=True):
        np.testing.assert_allclose(result.astype(np.float64), want.astype(np.float64), rtol=1e-12)


@pytest.mark.parametrize("f", ROLLED, ids=lambda f: f.__name__)
def test_are_rolled(f):
    graph = ag.function(f).get_concrete_function(ag.constant(np.float64(1.5))).graph
    assert any(node.op.name == "for_loop" for node in graph.nodes)
    assert len(graph.nodes) < 400


def test_gradients():
    def slope(f, x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return float(tape.gradient(y, x))

    def f(x):
        i, k = 0, 1.0
        while i < 150:
            x = x * 0.9 + ag.sin(x) * k
            k *= 0.95
            i += 1
        return x

    x = ag.constant(np.float64(0.7))
    assert abs(slope(ag.function(f), x) - slope(f, x)) < 1e-12


def test_short_ones_are_unrolled():
    @ag.function
    def f(x):
        i = 0
        while i < 20:
            x = x * 0.5 + i
            i += 1
        return x

    graph = f.get_concrete_function(ag.constant(1.5)).graph
    assert all(node.op.name != "for_loop" for node in graph.nodes)


def test_errors_come_at_their_turn():
    @ag.function
    def f(x):
        i = 0
        while i < 200:
            i += 1
            x = x * 0.5 + 1 / (i - 150)
        return x

    with pytest.raises(ZeroDivisionError, match="division by zero"):
        f(ag.constant(1.5))

    @ag.function
    def g(x):
        i = 0
        while i < 200:
            i += 1
            x = x * 0.5
            if i == 150:
                raise KeyError(i)
        return x

    with pytest.raises(KeyError, match="150"):
        g(ag.constant(1.5))


def test_attributes_and_calls():
    class Walk:
        def __init__(self):
            self.at, self.seen = 0, 0

        def step(self, x):
            self.at += 2
            self.seen += self.at % 3 == 0
            return x * 0.5 + self.at

    def f(walk, x):
        while walk.at < 300:
            x = walk.step(x)
        return x

    want, got = Walk(), Walk()
    y = f(want, np.float64(1.0))
    assert abs(float(ag.function(f)(got, ag.constant(np.float64(1.0)))) - y) < 1e-12
    assert (got.at, got.seen) == (want.at, want.seen)


def test_prints_come_in_order(capsys):
    @ag.function
    def f(x):
        i = 0
        while i < 100:
            x = x + i
            if i % 30 == 0:
                print(i, x)
            i += 1
        return x

    f(ag.constant(np.float64(0.5)))
    assert capsys.readouterr().out == "0 0.5\n30 465.5\n60 1830.5\n90 4095.5\n"
