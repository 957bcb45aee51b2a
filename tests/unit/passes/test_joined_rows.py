"""Products of joined rows in loops: what the index decides of them is multiplied before the loop."""

import numpy as np
import pytest

import autograph as ag

RANDOM = np.random.default_rng(3)


def numbers(*shape):
    return ag.constant(RANDOM.standard_normal(shape) * 0.4)


def bodies(run, *given):
    """The names of the operations in the loop, and the result beside plain Python's."""
    graph = run.get_concrete_function(*given).optimized_graph
    loop = next(node for node in graph.nodes if node.op.name == "for_loop")
    got, wanted = run(*given).numpy(), run.python_function(*given).numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    return [node.op.name for node in loop.regions[0].walk()]


def cell(join):
    def run(x, w, h, v):
        for i in ag.range(5):
            h = ag.tanh(ag.matmul(join(x[i], h, v), w) * 0.5)
        return h

    return run


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
@pytest.mark.parametrize(
    ("join", "rows", "left"),
    [
        (lambda x, h, v: ag.concat([x, h], 1), 5, 1),
        (lambda x, h, v: ag.concat([h, x], -1), 5, 1),
        (lambda x, h, v: ag.concat([x, v, h], 1), 7, 1),
        (lambda x, h, v: ag.concat([x, h, h * h], 1), 7, 1),
        (lambda x, h, v: ag.concat([h, x, h], 1), 7, 1),  # what is left would be joined of what is not side by side
    ],
    ids=["first", "last", "with an invariant", "two in the loop", "around"],
)
def test_each_part_by_itself(join, rows, left, native):
    given = numbers(5, 4, 3), numbers(rows, 2), numbers(4, 2), numbers(4, 2)
    names = bodies(ag.function(cell(join), jit_compile=native), *given)
    assert names.count("matmul") == left


def test_nothing_is_joined():
    given = numbers(5, 4, 3), numbers(5, 2), numbers(4, 2), numbers(4, 2)
    names = bodies(ag.function(cell(lambda x, h, v: ag.concat([x, h], 1)), jit_compile=False), *given)
    assert "concatenate" not in names


def test_joined_rows_that_something_else_reads_stay():
    def run(x, w, h, v):
        for i in ag.range(5):
            both = ag.concat([x[i], h], 1)
            h = ag.tanh(ag.matmul(both, w)) + both[:, 1:3]
        return h

    given = numbers(5, 4, 3), numbers(5, 2), numbers(4, 2), numbers(4, 2)
    assert bodies(ag.function(run, jit_compile=False), *given).count("concatenate") == 1


def test_vectors_are_rows():
    def run(x, w, h):
        for i in ag.range(5):
            h = ag.tanh(ag.concat([x[i], h], 0) @ w)
        return h

    assert "concatenate" not in bodies(ag.function(run, jit_compile=False), numbers(5, 3), numbers(5, 2), numbers(2))


def test_large_products_stay_whole():
    given = numbers(5, 64, 3), numbers(67, 64), numbers(64, 64), numbers(64, 2)
    names = bodies(ag.function(cell(lambda x, h, v: ag.concat([x, h], 1)), jit_compile=False), *given)
    assert names.count("concatenate") == 1


@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_gradients(native):
    def slopes(x, w, h):
        with ag.GradientTape() as tape:
            tape.watch((x, w, h))
            y = h
            for i in ag.range(5):
                y = ag.tanh(ag.matmul(ag.concat([x[i], y], 1), w))
            loss = ag.reduce_sum(y * y)
        return tape.gradient(loss, (x, w, h))

    given = numbers(5, 4, 3), numbers(5, 2), numbers(4, 2)
    for got, wanted in zip(ag.function(slopes, jit_compile=native)(*given), slopes(*given), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-12)
