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
