"""Gradients of loops within a memory budget: the same numbers as without one, from less memory, and no effect twice."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograph as ag

ROOT = str(Path(__file__).parents[2])
options = ag.autograph.experimental.set_loop_options
X = np.linspace(-1, 1, 5)
A = np.linspace(0.9, 1.1, 5)


def compared(program, *args, budgets=(1, 800, 3000), exact=True, jit):
    """The gradients within each budget are those without."""
    x, a = ag.constant(X), ag.constant(A)
    results = []
    for budget in (None, *budgets):
        ag.random.set_seed(3)
        got = ag.function(program, jit_compile=jit)(x, a, *map(ag.constant, args), budget)
        results.append([None if g is None else g.numpy() for g in ag.nest.flatten(got)])
    for got in results[1:]:
        for g, wanted in zip(got, results[0], strict=True):
            if exact:
                np.testing.assert_array_equal(g, wanted)
            else:
                np.testing.assert_allclose(g, wanted, rtol=1e-12)


def counted(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for i in ag.range(n):
            options(memory_budget=budget)
            y = ag.tanh(y * a + 0.1) + 0.01 * ag.cast(i, y.dtype)
        s = ag.reduce_sum(y * y)
    return tape.gradient(s, [x, a])


def ended_by_values(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y, i = x, 0
        while ag.reduce_sum(ag.abs(y)) < 1e9 and i < n:
            options(memory_budget=budget)
            if i % 3 == 0:
                y = ag.sin(y + a)
            else:
                y = y * a
            i += 1
        s = ag.reduce_sum(y * y)
    return tape.gradient(s, [x, a])


def broken(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for _ in ag.range(n):
            options(memory_budget=budget)
            y = y * a * 1.1
            if ag.reduce_sum(y * y) > 5.0:
                break
        s = ag.reduce_sum(y * y)
    return tape.gradient(s, [x, a])


def loops_in_loops(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for i in ag.range(n):
            options(memory_budget=budget)
            k = 0
            while k < i % 5:
                y = ag.tanh(y * a + 0.1)
                k += 1
            for j in ag.range(3):
                y = ag.sin(y + a * ag.cast(j, y.dtype))
        s = ag.reduce_sum(y * y)
    return tape.gradient(s, [x, a])


def lists(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y, ys, zs = x, [], [x]
        for i in ag.range(n):
            options(memory_budget=budget)
            y = ag.tanh(y * a + 0.1)
            ys.append(y)
            zs.append(ag.tanh(zs[-1] * a + 0.1 * zs[i // 2]))
        s = ag.reduce_sum(ag.stack(ys) ** 3) + ag.reduce_sum(ag.stack(zs) ** 2)
    return tape.gradient(s, [x, a])


def random_draws(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for _ in ag.range(n):
            options(memory_budget=budget)
            y = ag.tanh(y * a + 0.1 * ag.random.normal([5], dtype=ag.float64))
        s = ag.reduce_sum(y * y)
    return [*tape.gradient(s, [x, a]), y, ag.random.normal([2])]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    "program", [counted, ended_by_values, broken, loops_in_loops, lists, random_draws]
)
@pytest.mark.parametrize("n", [0, 1, 2, 7, 41])
def test_gradients_are_those_without_a_budget(program, n, jit):
    if program is lists and n == 0:
        pytest.skip("nothing to stack")
    compared(program, n, budgets=(1, 3000) if n < 41 else (1, 600, 1500, 6000), jit=jit)


def while_it_counts(x, a, n, budget):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y, i = x, 0
        while i < n:
            options(memory_budget=budget)
            y = ag.tanh(y * a + 0.1)
            i += 1
        s = ag.reduce_sum(y * y)
    return tape.gradient(s, [x, a])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_a_while_takes_checkpoints_on_its_way(n, jit):
    """With budgets from one place, taken again and again, to places for all."""
    compared(while_it_counts, n, budgets=(1, 2000, 12_000, 60_000), jit=jit)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("program", [counted, while_it_counts])
def test_sizes_that_only_the_run_knows(program, jit):
    def gradient(budget):
        @ag.function(
            jit_compile=jit,
            input_signature=[ag.TensorSpec([None], ag.float64), ag.TensorSpec([], ag.int32)],
        )
        def f(x, n):
            return program(x, x + 0.5, n, budget)[1]

        return [f(ag.constant(np.linspace(-1, 1, size)), ag.constant(30)).numpy() for size in (1, 5, 200)]

    plain = gradient(None)
    for budget in (1, 3000, 30_000):
        for got, wanted in zip(gradient(budget), plain, strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("jit", [False, True])
def test_second_derivatives(jit):
    def program(x, a, n, budget):
        with ag.GradientTape() as outer:
            outer.watch([x, a])
            with ag.GradientTape() as tape:
                tape.watch([x, a])
                y = x
                for _ in ag.range(n):
                    options(memory_budget=budget)
                    y = ag.tanh(y * a + 0.1)
                s = ag.reduce_sum(y * y)
            dx, da = tape.gradient(s, [x, a])
            t = ag.reduce_sum(dx * da)
        return outer.gradient(t, [x, a])

    compared(program, 20, exact=False, jit=jit)


@pytest.mark.parametrize("jit", [False, True])
def test_variables_that_steps_read_and_write(jit):
    v = ag.Variable(np.linspace(0.5, 1, 5))

    def program(x, a, n, budget):
        v.assign(np.linspace(0.5, 1, 5))
        with ag.GradientTape() as tape:
            tape.watch([x, a])
            y = x
            for _ in ag.range(n):
                options(memory_budget=budget)
                y = ag.tanh(y * a + 0.1 * v)
                v.assign_add(y * 0.01)
            s = ag.reduce_sum(y * y * v)
        return [*tape.gradient(s, [x, a, v]), v.read_value()]

    compared(program, 30, jit=jit)


@pytest.mark.parametrize("jit", [False, True])
def test_nothing_is_printed_twice_and_no_python_called_twice(jit):
    calls = []

    def number():
        calls.append(None)
        return np.float64(len(calls) * 0.1)

    def program(x, a, n, budget):
        with ag.GradientTape() as tape:
            tape.watch([x, a])
            y = x
            for i in ag.range(n):
                options(memory_budget=budget)
                y = ag.tanh(y * a) + ag.py_function(number, [], ag.float64)
                print("step", i)
                if ag.reduce_sum(y) > 0.5:
                    print("in a branch")
                    y = y * 0.5
                assert ag.reduce_sum(y) < 100
            s = ag.reduce_sum(y * y)
        return tape.gradient(s, [x, a])

    texts, found = [], []
    for budget in (None, 1, 800):
        calls.clear()
        with contextlib.redirect_stdout(io.StringIO()) as text:
            got = ag.function(program, jit_compile=jit)(ag.constant(X), ag.constant(A), ag.constant(10), budget)
        texts.append(text.getvalue())
        found.append([g.numpy() for g in got])
        assert len(calls) == 10
    assert texts[0] == texts[1] == texts[2]
    assert "in a branch" in texts[0]
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_python_called_in_a_branch_is_refused_by_name():
    @ag.function
    def f(x, n):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = x
            for i in ag.range(n):
                options(memory_budget=1)
                if i % 2 == 0:
                    y = y * y * ag.py_function(lambda: np.float64(2.0), [], ag.float64)
        return tape.gradient(y, x)

    with pytest.raises(ag.errors.UnimplementedError, match="what runs again for its gradient"):
        f(ag.constant(1.0, ag.float64), ag.constant(3))


@pytest.mark.parametrize("jit", [False, True])
def test_budget_of_a_function_under_a_tape_outside(jit):
    def gradient(budget):
        @ag.function(jit_compile=jit, experimental_memory_budget=budget)
        def f(x, a, n):
            y = x
            while n > 0:
                y = ag.tanh(y * a + 0.1)
                n -= 1
            return y

        x, a = ag.constant(X), ag.constant(A)
        with ag.GradientTape() as tape:
            tape.watch([x, a])
            y = f(x, a, ag.constant(40))
        return [g.numpy() for g in tape.gradient(y, [x, a])]

    plain = gradient(None)
    for budget in (1, 700, 5000):
        np.testing.assert_array_equal(gradient(budget), plain)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_a_budget_is_a_positive_number_of_bytes(wrong):
    with pytest.raises(ValueError, match="positive number of bytes"):
        options(memory_budget=wrong)
    with pytest.raises(ValueError, match="positive number of bytes"):
        ag.function(lambda x: x, experimental_memory_budget=wrong)


PEAK = """
import sys
import numpy as np
import autograph as ag

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

@ag.function(jit_compile=sys.argv[1] == "native")
def f(x, a, n):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for i in ag.range(n):
            ag.autograph.experimental.set_loop_options(memory_budget=4 * 2**20)
            y = ag.tanh(y * a + 0.1)
    return tape.gradient(y, [x, a])

@ag.function(jit_compile=sys.argv[1] == "native", experimental_memory_budget=4 * 2**20)
def nested(x, a, n):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y = x
        for i in ag.range(n // 200):
            for j in ag.range(200):
                y = ag.tanh(y * a + 0.1)
    return tape.gradient(y, [x, a])

@ag.function(jit_compile=sys.argv[1] == "native", experimental_memory_budget=4 * 2**20)
def recurrent(x, a, n):
    w = ag.eye(100, dtype=ag.float64)
    with ag.GradientTape() as tape:
        tape.watch([x, a, w])
        y = x
        for i in ag.range(n):
            y = ag.tanh(ag.reshape(ag.reshape(y, [1, 100]) @ w + a, [100]))
    return tape.gradient(y, [x, a, w])

@ag.function(jit_compile=sys.argv[1] == "native", experimental_memory_budget=4 * 2**20)
def unbounded(x, a, n):
    with ag.GradientTape() as tape:
        tape.watch([x, a])
        y, i = x, 0
        while i < n and ag.reduce_sum(y) < 1e9:
            y = ag.tanh(y * a + 0.1)
            i += 1
    return tape.gradient(y, [x, a])

f = {"f": f, "nested": nested, "recurrent": recurrent, "unbounded": unbounded}[sys.argv[3]]
x, a = ag.constant(np.linspace(-1, 1, 100)), ag.constant(np.linspace(0.9, 1.1, 100))
f(x, a, ag.constant(300))
open("/proc/self/clear_refs", "w").write("5")  # the peak begins here
before = peak()
f(x, a, ag.constant(int(sys.argv[2])))
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("what", ["f", "nested", "recurrent", "unbounded"])
@pytest.mark.parametrize(("side", "steps"), [("native", 100_000), ("plan", 20_000)])
def test_memory_stays_within_the_budget(side, steps, what, tmp_path):
    """Of 80 MB for each value that is saved at 100,000 steps, 16 MB at 20,000."""
    script = tmp_path / "peak.py"
    script.write_text(PEAK)
    command = [sys.executable, str(script), side, str(steps), what]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": ROOT})
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 4
