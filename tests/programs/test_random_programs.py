"""Random programs, staged, do what they do in plain Python; their gradients are those of central differences."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import total, values
from tests.programs.random_programs import Generator, compiled

STEP = 1e-6


def arguments(generator):
    x, y = generator.uniform(-1, 1, 2)
    return float(x), float(y), int(generator.integers(0, 4)), generator.uniform(-1, 1, 3)


def tensors(x, y, n, xs):
    return ag.constant(np.float64(x)), ag.constant(np.float64(y)), ag.constant(np.int64(n)), ag.constant(xs.copy())


def same(got, want, tolerance):
    if isinstance(want, (tuple, list)):
        assert type(got) is type(want)
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            same(g, w, tolerance)
    elif want is None:
        assert got is None
    else:
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def slopes(f, x, y, n, xs, step):
    def at(dx, dy):
        return float(total(f(x + dx, y + dy, n, xs.copy())))

    return (at(step, 0) - at(-step, 0)) / (2 * step), (at(0, step) - at(0, -step)) / (2 * step)


def check(seed, depth=3):
    source = Generator(seed, depth).program()
    f = compiled(source, f"{seed} of depth {depth}")
    staged = ag.function(f)
    numbers = np.random.default_rng(seed)
    for _ in range(2):
        case = arguments(numbers)
        try:
            want = f(*case[:3], case[3].copy())
        except (NameError, IndexError) as error:
            with pytest.raises(type(error)):
                staged(*tensors(*case))
            continue
        same(values(staged(*tensors(*case))), want, 1e-9)
        check_gradient(f, staged, case)
    assert staged.experimental_get_tracing_count() <= 1


def check_gradient(f, staged, case):
    inputs = tensors(*case)
    with ag.GradientTape() as tape:
        tape.watch(inputs[:2])
        loss = total(staged(*inputs))
    if not isinstance(loss, ag.Tensor):
        return
    got = tape.gradient(loss, inputs[:2], unconnected_gradients="zero")
    try:
        near, nearer = slopes(f, *case, STEP), slopes(f, *case, STEP / 8)
    except NameError:
        return
    for g, w, finer in zip(got, near, nearer, strict=True):
        if abs(w - finer) <= 1e-4 * max(1, abs(w)):  # else there is a jump within a step
            same(float(g), w, 1e-3 * max(1, abs(w)))


@pytest.mark.parametrize("seed", range(200))
def test_random_program(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 4000))
def test_many_random_programs(seed):
    check(seed, 3 + seed % 2)
