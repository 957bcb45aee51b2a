"""What is taken from a list stays what it was when nested loops, branches and `pop` change the list, natively, too."""

import numpy as np
import pytest

import autograph as ag


def changed_by_a_nested_loop(x, n):
    xs = [x, x * 2, x * 3]
    out = x * 0
    for _ in ag.range(n):
        first = xs[0]
        for j in ag.range(2):
            xs[j] = xs[j + 1] * 0.9
        out = out * 0.5 + first
    return out


def changed_by_a_branch(x, n):
    xs, sums = [x, x * 2, x * 3], []
    out = x * 0
    for _ in ag.range(n):
        first, last = xs[0], xs[-1]
        sums.append(ag.reduce_sum(first))
        if sums[-1] > 3:
            xs.append(first + last)
            xs.pop(0)
        out = out * 0.5 + first - last + xs[0]
    return out, ag.stack(sums)


def moved_by_pop(x, n):
    xs = [x, x * 2, x * 3, x * 4, x * 5]
    out = x * 0
    for _ in ag.range(n):
        second, last = xs[1], xs[-1]
        xs.pop(0)
        out = out * 0.5 + second - last
    return out


def beside_another_that_grows(x, n):
    xs, sums = [x, x * 2, x * 3], []
    out = x * 0
    for _ in ag.range(n):
        for v in xs:
            sums.append(ag.reduce_sum(v * out))
            out = out * 0.5 + v
        xs.append(xs[0] + xs.pop(0))
    return out, sums[-1]


def exchanged_and_changed(x, n):
    xs, ys = [x, x * 2, x * 3], [x * 4, x * 5, x]
    out = x * 0
    for _ in ag.range(n):
        first, last = xs[0], ys[-1]
        ys.append(first * 0.5)
        ys.pop(0)
        xs, ys = ys, xs
        xs[1] = last + first
        out = out * 0.5 + first - last + xs[0]
    return out


@pytest.mark.parametrize(
    "program",
    [changed_by_a_nested_loop, changed_by_a_branch, moved_by_pop, beside_another_that_grows, exchanged_and_changed],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("native", [False, True], ids=["plan", "native"])
def test_as_plain_python(program, native):
    x = ag.constant(np.linspace(0.3, 0.9, 7))
    run = ag.function(program, jit_compile=native)
    for n in (1, 3):
        got, wanted = run(x, ag.constant(n)), program(x, n)
        for a, b in zip(ag.nest.flatten(got), ag.nest.flatten(wanted), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
