"""Arrays of two to four elements in loops: their elements are written out, one after the other."""

import numpy as np
import pytest

import autograph as ag

pytest.importorskip("llvmlite")


def steps(work):
    """`work` five times, in a loop."""

    def program(x):
        y = x
        for _ in ag.range(5):
            y = work(y)
        return y

    return program


def summed(y):
    total = ag.reduce_sum(y * y) + ag.reduce_max(y) - ag.reduce_min(y)
    return y / (1.0 + abs(total)) + ag.reduce_mean(y)


def stacked(y):
    return ag.stack([y[1], y[0] * 0.5 - y[1], *(y[i] for i in range(2, len(y)))])


def swapped(y):
    return ag.reverse(y, [0]) * 0.9 + ag.cast(ag.range(len(y)), y.dtype)


def counted(y):
    places = ag.cast(ag.argmax(y), y.dtype)
    return ag.where(y > ag.reduce_prod(y), y - 1, y + places)


def across(y):
    return y - 0.1 * ag.reduce_sum(y, 0) + 0.2 * ag.reduce_sum(y, 1, keepdims=True)


def pairs(y):
    apart = y[:, None] - y[None]
    return y + 0.1 * ag.reduce_sum(ag.sin(apart) / (1.0 + apart * apart), 1)


def gathered(y):
    return ag.gather(y, [1, 0]) + ag.transpose(y) * 0.25


SHAPES = {
    summed: (2, 3, 4, 5, (2, 2)),
    stacked: (2, 3, 4),
    swapped: (2, 3, 4),
    counted: (2, 3, 4),
    across: ((2, 2), (1, 3)),
    pairs: (2, 3),
    gathered: ((2, 2),),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("work", SHAPES, ids=lambda f: f.__name__)
def test_as_the_plan(work, dtype):
    if dtype == "int32" and work not in (swapped, counted, stacked):
        return
    for shape in SHAPES[work]:
        x = ag.constant((np.random.default_rng(3).standard_normal(shape) * 3).astype(dtype))
        if dtype == "int32":
            program = steps(lambda y: ag.cast(work(ag.cast(y, ag.float32)), ag.int32))
        else:
            program = steps(work)

        def slope(x, program=program):
            with ag.GradientTape() as tape:
                tape.watch(x)
                y = program(x)
            return y, tape.gradient(y, x)

        f = program if dtype == "int32" else slope
        found = [ag.function(f, jit_compile=native)(x) for native in (True, False)]
        for a, b in zip(*(r if isinstance(r, tuple) else (r,) for r in found), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)
            assert a.dtype == b.dtype and a.shape == b.shape


def test_what_one_loop_writes_the_next_need_not_read_as_a_vector():
    def turn(y):
        k = ag.stack([y[1], (1 - y[0] * y[0]) * y[1] - y[0], *(y[i] for i in range(2, len(y)))])
        return y + 0.1 * k

    def branches(work, x):
        f = ag.function(steps(work), jit_compile=True)
        return f.inspect(ag.constant(x)).llvm.count("br i1")

    assert [branches(turn, np.ones(n)) for n in (2, 3, 4)] == [2] * 3  # whether there is memory, and the turns
