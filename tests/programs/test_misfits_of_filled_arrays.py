"""`x + np.ones(n)`, where only the run knows whether the sizes fit: it raises where they do not, as NumPy does."""

import numpy as np
import pytest

import autograph as ag

X = np.array([1.0, 2.0, 3.0])
PROGRAMS = {
    "add": lambda x, n: x + np.ones(n),
    "mul": lambda x, n: np.zeros(n) * x,
    "sub": lambda x, n: (x - np.ones(n)).sum(),
    "div": lambda x, n: x / np.full(n, 2.0),
    "where": lambda x, n: np.where(x > 1, x, np.zeros(n)),
    "otherwise": lambda x, n: np.where(x > 1, np.ones(n), x),
    "column": lambda x, n: x + np.ones((n, 2)),
}


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_numpy(name, jit_compile) -> None:
    program = PROGRAMS[name]
    staged = ag.function(program, jit_compile=jit_compile)
    for n in (3, 2, 1):
        try:
            want = program(X, n)
        except ValueError:
            with pytest.raises(ValueError, match="could not be broadcast together"):
                staged(ag.constant(X), ag.constant(n))
        else:
            np.testing.assert_array_equal(staged(ag.constant(X), ag.constant(n)), want)
