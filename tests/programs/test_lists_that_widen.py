"""Lists of integers that get floats where a test says so, and more of either afterwards: natively, too, they hold floats."""

import numpy as np
import pytest

import autograph as ag


def twice_on_a_path(n, p):
    ys = []
    for _ in range(n):
        ys.append(2)
    if p > 0:
        ys.append(0.5)
    if p > 0:
        ys.append(0.25)
    return ys


def by_turns(n, p):
    ys = []
    for _ in range(n):
        ys.append(2)
    if p > 0:
        ys.append(0.5)
    for _ in range(n):
        ys.append(3)
    if p > 0:
        ys[0] += 0.5
    return ys


def set_on_a_path(n, p):
    ys = []
    if p > 5:
        ys.append(2)
    if p > 0:
        ys.append(0.5)
    c = 0
    while c < n:
        c += 1
        if p > 10:
            ys[c] = 2
    if p > 0:
        ys.append(0.5)
    return ys


def on_either_path(n, p):
    ys = [n, n]
    if p > 2:
        ys[0] = 0.5
    else:
        ys.append(p)
    ys.append(0.75)
    return ys


def inside_of_loops(n, p):
    ys = [n]
    for i in range(n):
        if i > p:
            ys.append(i)
        if i > p + 1:
            ys[-1] = i * 0.5
    return ys


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("program", [twice_on_a_path, by_turns, set_on_a_path, on_either_path, inside_of_loops])
def test_as_python(program, jit):
    staged = ag.function(program, jit_compile=jit)
    for n in (3, 1, 5):
        for p in (-1, 3, 6):
            made = staged(ag.constant(np.int64(n)), ag.constant(np.int64(p)))
            assert list(map(float, made)) == program(n, p)
