"""Programs of many operations: what is done where the usual way would take the square of their length."""

import random

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from runtime.backends.native.lower import memory
from runtime.backends.native.lower.memory import Buffer

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="no compiler")


def places(put, seed):
    """Buffers with random sizes and lifetimes, put into a frame; and its size."""
    numbers = random.Random(seed)
    buffers = []
    for k in range(60):
        buffer = Buffer(f"%b{k}", numbers.choice((8, 64, 100, 4096, 5000)))
        buffer.first = numbers.randrange(100)
        buffer.last = buffer.first + numbers.randrange(30)
        buffers.append(buffer)
    return buffers, put(buffers)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("put", [memory._best_places, memory._first_places])
def test_buffers_that_live_at_one_time_do_not_overlap(put, seed):
    buffers, frame = places(put, seed)
    for k, a in enumerate(buffers):
        assert a.offset % memory.ALIGNMENT == 0
        assert a.offset + a.size <= frame
        for b in buffers[:k]:
            if a.first <= b.last and b.first <= a.last:
                assert a.offset + a.size <= b.offset or b.offset + b.size <= a.offset


def test_places_that_are_free_again_are_taken():
    for put in (memory._best_places, memory._first_places):
        buffers, frame = places(put, 1)
        assert frame < 0.6 * sum(b.size for b in buffers)


def test_a_long_line_of_numbers():
    @ag.function(jit_compile=True)
    @ag.autograph.experimental.do_not_convert  # a long range would become a loop
    def line(x):
        for k in range(3000):
            x = ag.tanh(x) if k % 2 else x * 0.9
            x = x + 0.1
        return x

    assert toolchain.is_long(line.inspect(ag.TensorSpec([], ag.float32)).llvm)
    want = np.float32(0.5)
    for k in range(3000):
        want = np.tanh(want) if k % 2 else want * np.float32(0.9)
        want = want + np.float32(0.1)
    np.testing.assert_allclose(line(ag.constant(0.5)), want, rtol=1e-5)


def test_a_long_line_of_arrays_and_its_gradient():
    @ag.autograph.experimental.do_not_convert
    def slope(x):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = x
            for k in range(700):
                y = ag.sin(y) if k % 2 else y * 1.01
                y = y + 0.01
        return tape.gradient(y, x)

    x = ag.constant(np.linspace(-1, 1, 9))
    native, plan = (ag.function(slope, jit_compile=jit)(x).numpy() for jit in (True, False))
    np.testing.assert_allclose(native, plan, rtol=1e-9)


def test_many_loops_and_branches_in_a_row():
    source = ["def f(x, n):", "    y = x"]
    for k in range(60):
        source += ["    for i in ag.range(n):", "        y = ag.tanh(y) * 0.99 + 0.01"]
        source += [f"    if ag.reduce_sum(y) > {k / 20}:", "        y = y * 0.9", "    else:", "        y = y + 0.1"]
    text = "\n".join([*source, "    return y", ""])
    import linecache

    linecache.cache["<many>"] = len(text), None, text.splitlines(True), "<many>"
    names = {"ag": ag}
    exec(compile(text, "<many>", "exec"), names)
    x, n = ag.constant(np.linspace(-1, 1, 8)), ag.constant(3)
    plain = names["f"](x, n)
    for jit in (False, True):
        np.testing.assert_allclose(ag.function(names["f"], jit_compile=jit)(x, n), plain, rtol=1e-9)
