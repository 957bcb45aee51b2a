"""Memory of sizes that only the run knows is written over where nobody reads it any more, and only there."""

import random

import numpy as np
import pytest

import autograph as ag

SPECS = [ag.TensorSpec([None, 4], ag.float32), ag.TensorSpec([4, 4], ag.float32), ag.TensorSpec([], ag.int32)]


def program(seed):
    """Products, elementwise work, reductions, views and branches over what was made before, in a random order."""
    plans = random.Random(seed)
    steps = [(plans.randrange(7), plans.random(), plans.random()) for _ in range(14)]
    kept = [plans.random() for _ in range(3)]

    def f(x, w, n):
        made = [x]
        for kind, a, b in steps:
            p, q = made[int(a * len(made))], made[int(b * len(made))]
            if kind == 0:
                made.append(p @ w)
            elif kind == 1:
                made.append(ag.tanh(p) + q)
            elif kind == 2:
                made.append(p * 0.5 - ag.reduce_sum(q, axis=1, keepdims=True))
            elif kind == 3:
                made.append(ag.reverse(p, [0]) * 0.9)
            elif kind == 4:
                made.append(ag.cond(n > 2, lambda p=p, q=q: p + q, lambda p=p: p * 2.0))
            elif kind == 5:
                y = p @ w
                for _ in ag.range(n):
                    y = ag.sin(y + q)
                made.append(y)
            else:
                made.append(ag.cumsum(p, axis=0) * 0.1)
        return [made[-1], *(made[int(k * len(made))] for k in kept)]

    return f


@pytest.mark.parametrize("seed", range(40))
def test_native_code_is_the_plan(seed):
    f = program(seed)
    native, plan = (ag.function(f, input_signature=SPECS, jit_compile=jit) for jit in (True, False))
    numbers = np.random.default_rng(seed)
    w = ag.constant(numbers.standard_normal((4, 4)), ag.float32) * 0.5
    for rows in (3, 50, 1):
        x = ag.constant(numbers.standard_normal((rows, 4)), ag.float32)
        for got, wanted in zip(native(x, w, ag.constant(3)), plan(x, w, ag.constant(3)), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(25))
def test_large_outputs_hold_what_is_over_before_they_are_made(seed):
    f = program(seed)
    specs = [ag.TensorSpec([160, 128], ag.float32), ag.TensorSpec([128, 128], ag.float32), SPECS[2]]
    native = ag.function(f, input_signature=specs, jit_compile=True)
    plan = ag.function(f, input_signature=specs, jit_compile=False)
    values = np.random.default_rng(seed)
    w = ag.constant((values.standard_normal((128, 128)) * 0.05).astype(np.float32))
    for n in (1, 4):
        x = ag.constant(values.standard_normal((160, 128)).astype(np.float32))
        for a, b in zip(native(x, w, ag.constant(n)), plan(x, w, ag.constant(n)), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)


def test_a_step_of_training_takes_little_beside_its_results():
    def step(x, w, b):
        with ag.GradientTape() as tape:
            tape.watch([w, b])
            loss = ag.reduce_mean((ag.nn.relu(x @ w) @ b) ** 2)
        slopes = tape.gradient(loss, [w, b])
        return loss, w - 0.1 * slopes[0], b - 0.1 * slopes[1]

    values = np.random.default_rng(0)
    shapes = (64, 512), (512, 256), (256, 256)
    arguments = [ag.constant((values.standard_normal(s) * 0.1).astype(np.float32)) for s in shapes]
    native = ag.function(step, jit_compile=True)
    for a, b in zip(native(*arguments), ag.function(step, jit_compile=False)(*arguments), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    frame = native.get_concrete_function(*arguments).executable.lowered.frame
    assert frame <= 64 * 256 * 4 + 4096  # the hidden layer's cotangent: its weights' results come last


def lstm(xs, w, b):
    """The last state of a recurrent cell, its steps in a loop."""
    h = c = ag.zeros([16, 32])
    for x in xs:
        i, f, g, o = ag.split(ag.concat([x, h], 1) @ w + b, 4, axis=1)
        c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
        h = ag.sigmoid(o) * ag.tanh(c)
    return h


def lstm_step(xs, w, b):
    with ag.GradientTape() as tape:
        tape.watch([w, b])
        loss = ag.reduce_sum(lstm(xs, w, b) ** 2)
    return [w - 0.1 * slope for w, slope in zip([w, b], tape.gradient(loss, [w, b]), strict=True)]


def lstm_arguments():
    values = np.random.default_rng(0)
    return [ag.constant((values.standard_normal(s) * 0.2).astype(np.float32)) for s in ((20, 16, 24), (56, 128), (128,))]


def test_what_loops_keep_for_gradients_is_planned():
    """Lists of a known length lie in the frame, where what lives at other times may be."""
    arguments = lstm_arguments()
    native = ag.function(lstm_step, jit_compile=True)
    for _ in range(2):
        for a, b in zip(native(*arguments), ag.function(lstm_step, jit_compile=False)(*arguments), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    lowered = native.get_concrete_function(*arguments).executable.lowered
    kept = 20 * 16 * 4  # bytes of a number at every step
    together = (6 * 32 + 56 + 4 * 32) * kept + 4 * 32 * 20 * 16 * 4  # and what the product of weights puts in order
    assert 11 * 32 * kept < lowered.frame < together


def test_planned_lists_that_change_places_go_on_and_are_given_away():
    """Lists in the frame, read twice, reversed, grown beyond what was planned, stacked and returned."""

    def f(x):
        a, b = [], []
        for i in ag.range(40):
            a.append(x * ag.cast(i, ag.float32))
            b.append(x - ag.cast(i, ag.float32))
        total = ag.zeros([200])
        for i in ag.range(40):
            total += a[i] * b[39 - i]
            a, b = b, a
        for i in ag.range(5):
            a.append(total + ag.cast(i, ag.float32))
        return total, ag.stack(a), ag.reduce_sum(ag.stack(b), axis=0)

    x = ag.constant(np.random.default_rng(1).standard_normal(200).astype(np.float32))
    native, plan = (ag.function(f, jit_compile=jit) for jit in (True, False))
    first = native(x)
    native(x + 1)  # writes into the same frame
    for a, b in zip(first, plan(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_memory_that_a_list_was_made_of_is_not_written_over():
    """The gradient of stacked steps is taken apart where it lies, and its product with `u` is made beside it."""

    def f(x, u):
        with ag.GradientTape() as tape:
            tape.watch([x, u])
            first, then = [], []
            for i in ag.range(5):
                first.append(x[i] * 2.0)
            for i in ag.range(5):
                then.append(first[i] * u)
            total = ag.reduce_sum(ag.stack(then) * 0.1)
        return tape.gradient(total, [x, u])

    random = np.random.default_rng(0)
    x, u = (ag.constant(random.standard_normal(shape).astype(np.float32)) for shape in ((5, 4, 40), (40,)))
    for made, wanted in zip(ag.function(f, jit_compile=True)(x, u), f(x, u), strict=True):
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-5)
