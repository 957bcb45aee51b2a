"""NumPy's functions that write into an array, and those that give places: on tensors as on arrays."""

import numpy as np
import pytest

import autograph as ag
from tests.programs.harness import Programs

PROGRAMS = Programs()
X = np.array([[3.0, 1.0, 5.0], [2.0, 4.0, 0.5]])


@PROGRAMS.add((X, np.array([0, 1])), (X * 2, np.array([2, 0])))
def put_along_axis(x, i):
    y, z = x * 1, x.copy()
    np.put_along_axis(y, i[:, None], 9.0, 1)
    np.put_along_axis(y, np.array([[0, 1, 0]]), x[0] * 2, 0)
    np.put_along_axis(z, i + 2, [7.0, 8.0], None)
    np.put_along_axis(x, i[:, None], x[:, 1:2], 1)
    return y, z


@PROGRAMS.add((X, np.array([0, 1])), (X * 2, np.array([2, 0])), gradients=False)
def put_along_axis_of_new_arrays(x, i):
    made, largest = np.zeros((2, 3)), np.zeros((2, 3))
    np.put_along_axis(made, np.array([[0], [2]]), x[:, :1], -1)
    np.put_along_axis(largest, np.argmax(x, 1)[:, None], 1.0, 1)
    return made, largest


@PROGRAMS.add((X, np.array([0, 1])), (X * 2, np.array([1, 1])))
def open_meshes(x, i):
    y = x * 1
    y[np.ix_(i, [0, 2])] = 0.0
    return x[np.ix_(i, i)], x[np.ix_([0, 1], [1])], x[np.ix_([True, False], i)], x[np.ix_(x[:, 0] > 2.5, i)], y


@PROGRAMS.add((X, np.array([0, 1])), gradients=False)
def into_copies(x, i):
    a, b, c, d = x.copy(), x.copy(), x.copy(), x.copy()
    np.fill_diagonal(a, 7.0)
    np.put(b, [0, 1], [5.0, 6.0])
    np.put(b, i, 3.0)
    np.copyto(c, x * 2, where=x > 2)
    np.putmask(d, x > 2, 0.0)
    return a, b, c, d


test_eager, test_staged, test_gradients = PROGRAMS.tests()
test_natively = PROGRAMS.natively()


@pytest.mark.parametrize(
    "write",
    [
        lambda x: np.place(x, np.asarray(X) > 2, [0.0, 1.0]),
        lambda x: np.put(x, [0, 9], [5.0, 6.0], mode="clip"),
        lambda x: np.fill_diagonal(x, [7.0, 8.0], wrap=True),
        lambda x: np.copyto(x[0], 4),
    ],
)
def test_eagerly_who_shares_the_memory_keeps_what_it_held(write) -> None:
    x = ag.constant(X)
    y = x.copy()
    write(y)
    want = X.copy()
    write(want)
    np.testing.assert_array_equal(y.numpy(), want)
    np.testing.assert_array_equal(x.numpy(), X)


def test_what_is_no_vector_gives_no_mesh() -> None:
    with pytest.raises(ValueError, match="Cross index must be 1 dimensional"):
        np.ix_(ag.constant(X))
