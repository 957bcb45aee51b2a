"""Writing at index arrays natively."""

import numpy as np
import pytest

import autograph as ag
from runtime.backends.native import toolchain
from tests.unit.native.both import check, check_gradient

pytestmark = pytest.mark.skipif(not toolchain.available(), reason="llvmlite is not installed")

X = np.arange(12, dtype=np.float64).reshape(4, 3) * 0.5
ROWS = np.array([2, 0, 2, -1], np.int32)


def put_rows(x, rows):
    y = x * 2.0
    y[rows] = ag.reshape(ag.range(12, dtype="float64"), (4, 3))
    return y, x


def add_rows(x, rows):
    y = x + 0.0
    y[rows] += x * 3.0
    return ag.reduce_sum(y, axis=0), y


def put_a_number(x, rows):
    y = x * 1.5
    y[rows] = 7
    return y


def put_columns(x, rows):
    y = x + 0.0
    y[:, ag.abs(rows)] = 1.5
    y[1:3, ag.abs(rows)] = y[:1, :1] + 1.0
    return y


def put_what_is_read(x, rows):
    y = x + 0.0
    y[rows] = y[::-1]
    return y


def in_a_loop(x, rows):
    counts = ag.zeros((4,), "int64")
    for r in rows:
        counts[ag.cast(ag.reshape(r, (1,)), "int64")] += 1
    return counts


def grid(x, rows):
    y = x + 0.0
    at = ag.stack([rows, rows])
    y[at] = ag.ones((2, 4, 3), "float64") * 5.0
    return y


@pytest.mark.parametrize("f", [put_rows, add_rows, put_a_number, grid])
def test_writes_at_an_index_array(f, monkeypatch):
    check(f, X, ROWS, monkeypatch=monkeypatch, islands=())


@pytest.mark.parametrize("f", [put_what_is_read, in_a_loop])
def test_writes_that_read_what_they_change(f, monkeypatch):
    check(f, X, ROWS, monkeypatch=monkeypatch)


def test_columns(monkeypatch):
    check(put_columns, X, np.array([2, 0], np.int32), monkeypatch=monkeypatch)


def test_no_indices(monkeypatch):
    check(put_a_number, X, np.zeros(0, np.int64), monkeypatch=monkeypatch)


@pytest.mark.parametrize("f", [put_a_number, add_rows])
def test_out_of_range_is_the_plans_error(f):
    rows = np.array([0, 4, 1, 1], np.int32)
    with pytest.raises((IndexError, ag.errors.OutOfRangeError)):
        ag.function(f, jit_compile=True)(ag.constant(X), ag.constant(rows))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("indices", [[0, 2, 2, 1], [[0, 1], [2, 2]], [], 1])
def test_gradients_of_gather_add_up(axis, indices):
    at = np.array(indices, np.int64)
    check_gradient(lambda x: ag.gather(x, at, axis=axis) ** 2.0, X)


def test_gradients_of_indexing_add_up():
    check_gradient(lambda x: x[ROWS] * x[ROWS] + x[ROWS][::-1], X)
    check_gradient(lambda x: x[:, ag.constant(np.array([1, 1, 0]))] ** 2.0, X)


def embedding_step(table, words):
    for _ in range(3):
        with ag.GradientTape() as tape:
            tape.watch(table)
            loss = ag.reduce_sum(ag.tanh(ag.gather(table, words)) ** 2.0)
        table = table - 0.1 * tape.gradient(loss, table)
    return table


def test_an_embeddings_steps(monkeypatch):
    check(embedding_step, X, np.array([[0, 1], [3, 1]], np.int64), monkeypatch=monkeypatch, islands=())
