"""Products of the rows of one array with one matrix, where Python unrolled the loop, are one product."""

import numpy as np
import pytest

import autograph as ag

RANDOM = np.random.default_rng(4)


def numbers(*shape):
    return ag.constant(RANDOM.standard_normal(shape) * 0.4)


GIVEN = numbers(6, 4, 3), numbers(3, 5), numbers(5, 5), numbers(5)


def products(program, *given, native=False):
    """How many products there are; the result is plain Python's."""
    run = ag.function(program, jit_compile=native)
    for a, b in zip(ag.nest.flatten(run(*given)), ag.nest.flatten(program(*given)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)
    names = [node.op.name for node in run.get_concrete_function(*given).optimized_graph.nodes]
    return names.count("matmul"), names.count("add")


def cell(x, w, u, b):
    h, seen = ag.zeros((4, 5), ag.float64), []
    for t in range(6):
        h = ag.tanh(x[t] @ w + h @ u + b)
        seen.append(h)
    return ag.stack(seen)


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_a_cell(native):
    assert products(cell, *GIVEN, native=native) == (7, 7)


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_rows_from_the_end_and_vectors(native):
    def run(x, w, b):
        total = b * 0
        for t in range(1, 7):
            total = ag.tanh(total * 0.5 + x[-t] @ w)
        return total

    assert products(run, GIVEN[0][:, 0], GIVEN[1], GIVEN[3], native=native)[0] == 1


def test_a_sum_of_two_of_them_has_one_bias():
    def run(x, w, b):
        return [x[t] @ w + x[t + 1] @ w + b for t in (0, 2, 4)]

    assert products(run, GIVEN[0], GIVEN[1], GIVEN[3])[0] == 1


@pytest.mark.parametrize(
    "bias", [lambda b, h, t: b * (t + 1), lambda b, h, t: h[0, 0] + b, lambda b, h, t: ag.ones((4, 1), ag.float64)]
)
def test_what_is_not_added_to_all_alike_stays(bias):
    def run(x, w, u, b):
        h = ag.zeros((4, 5), ag.float64)
        for t in range(6):
            h = ag.tanh((x[t] @ w + h) + bias(b, h, t))
        return h

    assert products(run, *GIVEN)[0] == 1


def test_few_rows_of_many_are_multiplied_alone():
    def run(x, w):
        return [x[t] @ w for t in (0, 3)], [x[t] @ w * 2 for t in (1, 1, 1)]

    assert products(run, *GIVEN[:2])[0] > 1


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_gradients(native):
    def slopes(x, w, u, b):
        with ag.GradientTape() as tape:
            tape.watch((x, w, u, b))
            loss = ag.reduce_sum(cell(x, w, u, b) ** 2)
        return tape.gradient(loss, (x, w, u, b))

    products(slopes, *GIVEN, native=native)
