"""Loops over long Python ranges: one graph loop where that is the same, else unrolled."""

import time

import numpy as np
import pytest

import autograph as ag
from autograph.operators.statements.rolling import ROLLED, UNROLLED

X = ag.constant(np.float64(1.5))


def newton(x):
    for _ in range(1000):
        x = 0.5 * (x + 2.0 / x)
    return x


def python_numbers_stay_numbers(x):
    n, t, odd = 0, 0.0, 0
    for i in range(500):
        t += 0.1
        if i % 2:
            odd += 1
        x = x + t * i
        n += 1
    return x, ag.zeros([n]), np.ones(odd).sum(), range(i)[-1], round(t, 3)


def tensors_by_index(x):
    weights = [ag.constant(float(i)) for i in range(300)]
    for i in range(300):
        x = x + weights[i]
    return x


def stops_by_a_tensor(x):
    for i in range(500):
        x = x * 1.1
        if x > 100.0:
            break
    else:
        x = x * 0
    return x, i


def returns_by_a_tensor(x):
    for i in range(500):
        x = x * 1.1
        if x > 100.0:
            return x, i
    return x, -1


def list_of_results(x):
    ys = []
    for i in range(400):
        x = x * 1.01 + i
        ys.append(x)
    return ag.stack(ys), len(ys), ys[7]


def none_before(x):
    previous = None
    for _ in range(200):
        if previous is not None:
            x = x + 0.001 * previous
        previous = x
    return x


def nested(x):
    for i in range(100):
        for k in range(100):
            x = x * 0.999 + i * k * 1e-5
    return x


def downwards(x):
    for i in range(900, 3, -3):
        x = x + i
    return x, i


def best_of_many(x):
    best, at = -1.0, -1
    for i in range(200):
        value = ag.sin(x * i)
        if value > best:
            best, at = value, at + i
    return best, at


def continues(x):
    total = x * 0
    for i in range(200):
        if i % 3 == 0:
            continue
        total = total + x * i
    return total


def matrix_products(x):
    h = ag.ones([3]) * x
    w = ag.constant(np.eye(3) * 0.9)
    for _ in range(128):
        h = ag.tanh(ag.linalg.matvec(w, h))
    return ag.reduce_sum(h)


def text_keys(x):
    weights = {f"w{i}": ag.constant(float(i)) for i in range(100)}
    for i in range(100):
        x = x + weights[f"w{i}"]
    return x


def stops_by_a_number(x):
    for i in range(500):
        x = x * 1.01
        if i == 70:
            break
    return x, ag.zeros([i])


def iterator_outside(x):
    numbers = iter(range(1000, 2000))
    for _ in range(200):
        x = x + next(numbers)
    return x, next(numbers)


def short_list(x):
    ys = []
    for _ in range(100):
        x = x * 1.01
        ys.append(x)
    return ag.reshape(ag.stack(ys), [len(ys)])


def unbound_until_late(x):
    for i in range(100):
        if i == 70:
            y = x * 2
        x = x + 1
    return x, y


def calls_with_a_memory(x):
    seen = set()
    for i in range(100):
        seen.add(i % 7)
        x = x + len(seen)
    return x


def objects_by_index(x):
    names = ["a", "bb", "ccc"] * 50
    for i in range(150):
        x = x + len(names[i])
    return x


ROLLS = [
    newton, python_numbers_stay_numbers, tensors_by_index, stops_by_a_tensor, returns_by_a_tensor, list_of_results,
    none_before, nested, downwards, best_of_many, continues, matrix_products, objects_by_index,
]  # fmt: skip
UNROLLS = [
    text_keys, stops_by_a_number, iterator_outside, short_list, unbound_until_late, calls_with_a_memory,
]  # fmt: skip


def same(a, b):
    for p, q in zip(ag.nest.flatten(a), ag.nest.flatten(b), strict=True):
        assert np.allclose(np.asarray(p), np.asarray(q), rtol=1e-9), (p, q)


def loops(concrete):
    return [n for n in concrete.graph.nodes if n.op.name in ("for_loop", "while_loop")]


@pytest.mark.parametrize("program", [*ROLLS, *UNROLLS])
def test_results_are_pythons(program):
    f = ag.function(program)
    same(f(X), program(X))
    graph = f.get_concrete_function(X).graph
    assert bool(loops(f.get_concrete_function(X))) == (program in ROLLS)
    assert (len(graph.nodes) < 350) or program in UNROLLS


@pytest.mark.parametrize("program", [p for p in ROLLS if p is not best_of_many])
def test_gradients_are_pythons(program):
    def loss(f, x):
        return ag.add_n([ag.reduce_sum(ag.cast(y, ag.float64)) for y in ag.nest.flatten(f(x)) if isinstance(y, ag.Tensor)])

    found = []
    for f in (program, ag.function(program)):
        with ag.GradientTape() as tape:
            tape.watch(X)
            y = loss(f, X)
        found.append(tape.gradient(y, X))
    same(*found)


def test_attributes_in_called_methods():
    class Counter:
        def __init__(self):
            self.count = 0
            self.total = 0.0

        def add(self, x):
            self.count += 1
            self.total = self.total + x

    def run(counter):
        def f(x):
            for _ in range(300):
                counter.add(x)
            return counter.total, ag.zeros([counter.count])

        return f

    plain, staged = Counter(), Counter()
    f = ag.function(run(staged))
    same(f(X), run(plain)(X))
    assert loops(f.get_concrete_function(X))
    assert float(staged.total) == float(plain.total)
    assert int(staged.count) == 300


def test_python_loops_without_tensors_stay_python():
    def primes(x):
        found = []
        for n in range(2, 20_000):
            if all(n % p for p in found[:10]):
                found.append(n)
        return x * len(found), found[-1]

    f = ag.function(primes)
    start = time.perf_counter()
    same(f(X), primes(X))
    assert time.perf_counter() - start < 20
    assert len(f.get_concrete_function(X).graph.nodes) < 5


def test_prints_come_in_order(capsys):
    def f(x):
        for i in range(ROLLED + 40):
            x = x + 1
            if i % 20 == 0:
                print(i, x)
        return x

    f(X)
    plain = capsys.readouterr().out
    ag.function(f)(X)
    assert capsys.readouterr().out == plain


def test_errors_come_at_their_turn():
    def f(x):
        for i in range(200):
            x = x + 1
            if i == 150:
                raise KeyError("at 150")
        return x

    with pytest.raises(KeyError, match="at 150"):
        ag.function(f)(X)


def test_a_long_unrolled_loop_is_named():
    def f(x):
        weights = {f"w{i}": float(i) for i in range(UNROLLED + 10)}
        for i in range(UNROLLED + 10):
            x = x + weights[f"w{i}"]
        return x

    with pytest.warns(UserWarning, match=rf"{UNROLLED} turns .* \[unrolled-loop\]\nInstead: .*ag.range") as seen:
        result = ag.function(f)(X)
    assert [w.filename for w in seen] == [__file__]
    same(result, f(X))


def test_random_numbers_are_drawn_at_each_turn():
    def f(x):
        for _ in range(100):
            x = x + np.random.rand()
        return x

    g = ag.function(f)
    np.random.seed(3)
    plain = [f(X), f(X)]
    np.random.seed(3)
    same([g(X), g(X)], plain)
    assert loops(g.get_concrete_function(X))


def product(a, b):
    n, k = a.shape
    c = np.zeros((n, b.shape[1]))
    for i in range(n):
        for j in range(b.shape[1]):
            for t in range(k):
                c[i, j] += a[i, t] * b[t, j]
    return c


def test_loops_within_loops_are_rolled_before_they_are_much_code():
    a, b = np.arange(40.0 * 30).reshape(40, 30), np.arange(30.0 * 50).reshape(30, 50)
    f = ag.function(product)
    assert sum(1 for _ in f.get_concrete_function(a, b).graph.walk()) < 1000
    same(f(a, b), a @ b)


def test_short_loops_of_little_code_are_unrolled():
    def f(x):
        for i in range(20):
            x = x * i
        return x

    g = ag.function(f)
    assert not loops(g.get_concrete_function(X))
    same(g(X), f(X))
