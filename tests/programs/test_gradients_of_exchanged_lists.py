"""Gradients through lists that a loop exchanges, which lie in a list of lists: against finite differences."""

import pytest

import autograph as ag


def reversed_or_longer(x, n):
    values = [x, 0.5]
    for _ in range(n):
        if x < 1.31:
            values = values[::-1]
        else:
            values.append(x * x)
    return sum(values)


def reversed_or_much_longer(x, n):
    values, a, t = [x, 0.5], x * 1.0, 0
    while True:
        t += 1
        if t > n or x > 5.0:
            break
        if a < 2.0:
            values = values[::-1]
        else:
            for _ in range(n):
                values.append(a)
        a = a * 0.5 + values[0] * values[-1]
    return a + sum(values)


def sliced_while_held(x, n):
    xs, ys = [x, x * x, 2.0], [x * 3.0]
    held = {"xs": xs}
    for i in range(n):
        xs, ys = ys, xs
        xs.append(x * i)
    tail = held["xs"][1:]
    tail.append(x)
    return sum(tail) * xs[0] + sum(ys[::-1])


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("f", [reversed_or_longer, reversed_or_much_longer, sliced_while_held], ids=lambda f: f.__name__)
def test_against_finite_differences(f, inside):
    def gradient(x, n):
        with ag.GradientTape() as tape:
            tape.watch(x)
            y = staged(x, n)
        return tape.gradient(y, x)

    staged = f if inside else ag.function(f)
    taken = ag.function(gradient) if inside else gradient
    for x in (0.7, 1.5, 3.0):
        for n in range(4):
            want = (f(x + 1e-6, n) - f(x - 1e-6, n)) / 2e-6
            assert float(taken(ag.constant(x, dtype=ag.float64), ag.constant(n))) == pytest.approx(want, rel=1e-5), (x, n)
