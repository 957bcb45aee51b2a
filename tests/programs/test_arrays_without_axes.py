"""Numbers that a caller gives as NumPy arrays without axes: they count, repeat and index as Python's numbers do."""

import numpy as np
import pytest

import autograph as ag


def repeated(n):
    xs = [1] * n + [2]
    xs *= n
    return xs, (0, 1) * n, n * [0.5], [[0] * n for _ in range(n)]


def grid(n):
    rows = [[0] * n for _ in range(n)]
    for i in range(n):
        rows[i][n - 1 - i] = i + 1
    return rows


def powers(n):
    return pow(2, n, 5), pow(n, 2, 5), pow(n, n, 7), pow(2, 3, n)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("program", [repeated, grid, powers], ids=lambda program: program.__name__)
def test_as_python(program, jit_compile) -> None:
    staged = ag.function(program, jit_compile=jit_compile)
    for n in (3, 2, 4):
        found = ag.nest.map_structure(lambda x: getattr(x, "numpy", lambda: x)(), staged(ag.constant(np.array(n))))  # noqa: B023
        assert found == program(n)
