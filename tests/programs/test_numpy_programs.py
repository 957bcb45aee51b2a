"""NumPy's functions whose results depend on values, and pow, round and divmod with all their arguments, on tensors."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
V = np.array([3.1, -1.2, 4.3, 1.4, -5.5])
W = np.array([-2.1, 7.2, 1.3, -8.4, 2.5])


@PROGRAMS.add((V,), (W,))
def copied(x):
    y = x.copy()
    y[0] = 3.0
    return y, x


@PROGRAMS.add((V,), (W,))
def closeness(x):
    return np.median(x), np.allclose(x, x + 1e-12), np.allclose(x, 3.0)


@PROGRAMS.add((V,), (W,), gradients=False)
def nonzero(x):
    return np.nonzero(x > 0)[0]


@PROGRAMS.add((np.array([3, 1, 3, 2]),), (np.array([5, 5, 5, 5]),))
def distinct(x):
    return np.unique(x)


@PROGRAMS.add((2.34567,), (-1.5551,))
def rounded(x):
    return round(x, 2)


@PROGRAMS.add((7, 3), (-7, 2))
def divmod_of_ints(a, b):
    return divmod(a, b)


@PROGRAMS.add((7, 30), (5, 12))
def power_of_ints(a, b):
    return pow(a, b, 13), pow(b, a, a)


@PROGRAMS.add((7.5, 3.25), (-7.25, 2.5))
def divmod_of_floats(a, b):
    return divmod(a, b)


@PROGRAMS.add((V,), (W,))
def medians(x):
    m = np.stack([x, x * 2, -x, x + 1.0])
    pos = x[x > 0]
    return np.median(m, axis=0), np.median(m, axis=1, keepdims=True), np.median(pos), np.median(m)


@PROGRAMS.add((np.array([3, 1, 3, 2]),), (np.array([5, 5, 4, 5]),))
def uniques(x):
    u, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return u, inverse, counts, len(u), np.unique(x * 0.5)


@PROGRAMS.add((V,), (W,), gradients=False)
def places(x):
    rows, columns = np.nonzero(np.stack([x, -x]) > 0)
    return (
        rows,
        columns,
        np.flatnonzero(x > 0),
        np.argwhere(x < 0),
        np.array_equal(x, x * 1.0),
        np.array_equal(x, x[1:]),
        np.isclose(x, x + 1e-9),
    )


@PROGRAMS.add((7, 3, 5), (2, 12, 11))
def powers(a, b, m):
    return pow(a, b, m), pow(a, 40, 1000000007), pow(b, -1, m)


@PROGRAMS.add((7, 2, 6), (4, 12, 8))
def no_inverse(a, b, m):
    return pow(b, -1, m)


test_eager, test_staged, test_gradients = PROGRAMS.tests()


def test_items_of_a_variable_are_assigned():
    v, w = ag.Variable(np.zeros(3)), ag.Variable(np.zeros((2, 2)))

    @ag.function
    def f(x):
        v[1].assign(x)
        w[0, 1:].assign([x * 2])
        return v * 1.0

    v[0].assign(2.0)
    assert f(ag.constant(5.0, ag.float64)).numpy().tolist() == [2.0, 5.0, 0.0]
    assert v.numpy().tolist() == [2.0, 5.0, 0.0]
    assert w.numpy().tolist() == [[0.0, 10.0], [0.0, 0.0]]


def test_only_variables_are_assigned():
    with pytest.raises(AttributeError, match="only a Variable"):
        ag.constant([1.0])[0].assign(2.0)
    assert not hasattr(ag.constant(1.0), "assign")


def test_a_staged_base_may_be_a_python_number():
    f = ag.function(lambda b, m: pow(3, b, m))
    assert f(ag.constant(200), ag.constant(1000007)).numpy() == pow(3, 200, 1000007)
