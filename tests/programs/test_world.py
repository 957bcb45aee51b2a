"""Random numbers and clocks in staged functions: asked at each run, in program order, with the numbers Python would get."""

import datetime as dt
import random
import time
import uuid
import warnings

import numpy as np
import pytest

import autograph as ag

X = ag.constant(np.array([1.0, 2.0, 3.0]))
N = ag.constant(4)


def arrays(x, n):
    return x * np.random.rand(3) + np.random.normal(size=3), np.random.choice(5, size=2, replace=False)


def numbers(x, n):
    return x * random.random() + random.uniform(2, 3) + random.gauss(0, 1) + random.randint(0, 5)


def condition(x, n):
    if random.random() < 0.5:
        return x
    return -x


def in_a_loop(x, n):
    total = x * 0
    for i in range(n):
        total = total + np.random.randint(0, 10) * (i + 1) + random.random()
        if np.random.rand() < 0.2:
            break
    return total


def until_it_is_small(x, n):
    rounds = 0
    while np.random.rand() < 0.8:
        rounds += 1
    return rounds, x


def sizes_from_tensors(x, n):
    return np.random.uniform(size=(n, 2)).sum(), np.random.normal(x, 0.5), np.random.permutation(x)


def items(x, n):
    xs = [x, x * 2, x * 3]
    random.shuffle(xs)
    return random.choice(xs), xs[0], random.sample(xs, 2)[1], random.choice((1, 2, 3)) * x, random.sample(range(9), 3)


def own_generator(x, n):
    rng = np.random.default_rng(7)
    python = random.Random(3)
    return x * rng.normal(size=3), rng.integers(0, 5, size=(2,)), python.random()


def seeded_inside(x, n):
    np.random.seed(11)
    random.seed(12)
    return x * np.random.rand(3), random.random()


def methods_of_arrays(x, n):
    mask = np.random.rand(3) > 0.5
    return ag.where(mask, x, -x), np.random.randn(2, 3).astype("float32") @ np.ones((3,), "float32")


def order_with_printing(x, n):
    for _ in range(n):
        print(random.randrange(100))
    return x


@pytest.mark.parametrize(
    "program",
    [
        arrays, numbers, condition, in_a_loop, until_it_is_small, sizes_from_tensors, items, own_generator, seeded_inside,
        methods_of_arrays, order_with_printing,
    ],
)  # fmt: skip
def test_numbers_are_those_of_python(program, capsys):
    results = []
    for run in (program, ag.function(program)):
        np.random.seed(5)
        random.seed(6)
        flat = [ag.nest.flatten(run(X, N)) for _ in range(3)]
        after = np.random.rand(), random.random()  # as many were drawn
        results.append(([[np.asarray(v).round(9).tolist() for v in r] for r in flat], after, capsys.readouterr().out))
    assert results[0] == results[1]


def test_generator_outside_goes_on():
    def make():
        rng = np.random.default_rng(3)
        return lambda x: x * rng.standard_normal()

    plain, staged = make(), ag.function(make())
    assert [plain(X).numpy().tolist() for _ in range(4)] == [staged(X).numpy().tolist() for _ in range(4)]


def test_draws_that_nobody_uses_are_made_all_the_same():
    @ag.function
    def f(x):
        np.random.rand(3)
        return x

    np.random.seed(0)
    f(X)
    f(X)
    got = np.random.rand()
    np.random.seed(0)
    np.random.rand(6)
    assert got == np.random.rand()


def test_equal_draws_are_not_merged_or_hoisted():
    @ag.function
    def f(x, n):
        total = 0.0
        for _ in range(n):
            total = total + random.random()
        return random.random(), random.random(), total

    random.seed(1)
    a, b, total = f(X, ag.constant(3))
    random.seed(1)
    want = [random.random() for _ in range(5)]
    assert (float(total), float(a), float(b)) == (sum(want[:3]), want[3], want[4])


def test_variables_start_from_numbers_drawn_once():
    class Layer:
        def __init__(self):
            self.w = None

        @ag.function
        def __call__(self, x):
            if self.w is None:
                self.w = ag.Variable(np.random.normal(size=3))
            return x * self.w

    np.random.seed(0)
    layer = Layer()
    outs = [layer(X).numpy() for _ in range(3)]
    after = np.random.rand()
    np.random.seed(0)
    want = X.numpy() * np.random.normal(size=3)
    assert all(np.array_equal(out, want) for out in outs)
    assert after == np.random.rand()


def test_clocks_go_on_and_sleep_sleeps():
    @ag.function
    def f(x):
        start = time.perf_counter()
        time.sleep(0.02)
        return time.perf_counter() - start, time.time(), time.time_ns()

    first = f(X)
    second = f(X)
    assert 0.02 <= float(first[0]) < 5
    assert 0.02 <= float(second[0]) < 5
    assert float(second[1]) > float(first[1])
    assert int(second[2]) > int(first[2])
    assert abs(float(second[1]) - time.time()) < 60


def test_gradient_through_noise():
    @ag.function
    def f(x):
        return ag.reduce_sum(x * np.random.rand(3))

    np.random.seed(2)
    with ag.GradientTape() as tape:
        tape.watch(X)
        y = f(X)
    np.random.seed(2)
    assert np.array_equal(tape.gradient(y, X), np.random.rand(3))


def test_what_is_no_number_is_frozen_with_one_warning_each():
    @ag.function
    def f(x):
        for _ in range(3):
            now = dt.datetime.now()
        return x, str(now), uuid.uuid4(), random.getrandbits(100)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        first = f(X)
        assert f(X)[1:] == first[1:]
    names = [str(w.message).split("(")[0] for w in seen]
    assert names == ["datetime.now", "uuid.uuid4", "random.getrandbits"]
    assert {w.filename for w in seen} == {__file__}


def test_plain_python_is_left_alone():
    def f():
        random.seed(4)
        return random.random(), time.time(), dt.date.today()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = ag.autograph.to_graph(f)()
    assert [type(v) for v in made] == [float, float, dt.date]
