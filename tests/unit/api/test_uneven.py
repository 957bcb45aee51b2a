"""Sparse and ragged tensors as parts: made, taken apart, carried by loops; and small names of TensorFlow's guides."""

import numpy as np
import pytest

import autograph as ag

PLACES, VALUES, SIZES = [[0, 1], [2, 0]], [5.0, 7.0], [3, 2]


def sparse():
    return ag.SparseTensor(PLACES, VALUES, SIZES)


@pytest.mark.parametrize("staged", [False, True])
def test_sparse_to_dense_and_back(staged):
    def there_and_back(s):
        dense = ag.sparse.to_dense(s)
        return dense, ag.sparse.from_dense(dense)

    dense, again = (ag.function(there_and_back) if staged else there_and_back)(sparse())
    assert dense.numpy().tolist() == [[0, 5], [0, 0], [7, 0]]
    assert again.indices.numpy().tolist() == PLACES
    assert again.values.numpy().tolist() == VALUES
    assert again.shape == (3, 2)


def test_a_default_for_the_rest():
    assert ag.sparse.to_dense(sparse(), -1).numpy().tolist() == [[-1, 5], [-1, -1], [7, -1]]


@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
def test_a_new_axis(axis):
    want = np.expand_dims(ag.sparse.to_dense(sparse()).numpy(), -1 if axis is None else axis)
    got = ag.sparse.expand_dims(sparse(), axis)
    assert got.shape == want.shape
    assert (ag.sparse.to_dense(got).numpy() == want).all()


def test_a_loop_carries_a_sparse_tensor_of_growing_rank():
    @ag.function
    def grow(n):
        s = sparse()
        while n > 0:
            s = ag.sparse.expand_dims(s)
            n -= 1
        return s

    made = grow(ag.constant(3))
    assert made.dense_shape.numpy().tolist() == [3, 2, 1, 1, 1]
    assert made.indices.numpy().tolist() == [[0, 1, 0, 0, 0], [2, 0, 0, 0, 0]]


def test_gradients_reach_the_values():
    values = ag.Variable(VALUES)
    with ag.GradientTape() as tape:
        y = ag.reduce_sum(ag.sparse.to_dense(ag.SparseTensor(PLACES, values, SIZES)) ** 2)
    assert tape.gradient(y, values).numpy().tolist() == [10, 14]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (([0, 1], VALUES, SIZES), "indices of a SparseTensor must have rank 2"),
        ((PLACES, [1.0], SIZES), "2 indices and 1 values"),
        ((PLACES, VALUES, 3), "dense_shape of a SparseTensor must have rank 1"),
    ],
)
def test_parts_must_fit(parts, words):
    with pytest.raises(ag.errors.InvalidArgumentError, match=words):
        ag.SparseTensor(*parts)


def sums(rows):
    n, s = 0, 0
    for row in rows:
        n += 1
        for x in row:
            s = s * 10 + x
    return n, s


def test_loops_over_ragged_rows():
    rows = ag.ragged.constant([[1, 2], [], [3], [4, 5, 6]])
    assert tuple(map(int, sums(rows))) == tuple(map(int, ag.function(sums)(rows))) == (4, 123456)
    assert rows.shape.as_list() == [4, None]
    assert rows.to_list() == [[1, 2], [], [3], [4, 5, 6]]
    assert rows.to_tensor(-1).numpy().tolist() == [[1, 2, -1], [-1] * 3, [3, -1, -1], [4, 5, 6]]
    assert rows[-2].numpy().tolist() == rows[2].numpy().tolist() == [3]
    again = ag.RaggedTensor.from_row_lengths(rows.flat_values, rows.row_lengths())
    assert again.row_splits.numpy().tolist() == [0, 2, 2, 3, 6]


def test_what_ragged_tensors_do_not_do_says_so():
    rows = ag.ragged.constant([[1, 2], [3]], dtype=ag.float32)
    assert rows.dtype == ag.float32
    with pytest.raises(ag.errors.OutOfRangeError, match="row 2 is out of bounds for 2 rows"):
        rows[2]
    with pytest.raises(ag.errors.InvalidArgumentError, match="one row at a time"):
        rows[:1]
    with pytest.raises(ag.errors.InvalidArgumentError, match="one axis can be ragged"):
        ag.ragged.constant([[[1], [2, 3]]])


def test_a_timestamp_is_taken_when_the_graph_runs():
    now = ag.function(lambda: ag.timestamp())
    first, second = float(now()), float(now())
    assert second > first > 1e9


def test_a_shape_that_is_told():
    @ag.function(input_signature=[ag.TensorSpec([None], ag.float32)])
    def f(x):
        x.set_shape([3])
        return ag.zeros(x.shape) + x

    assert f(ag.ones([3])).shape == (3,)
    with pytest.raises(ValueError, match="shape"):
        ag.ones([2]).set_shape([3])


def test_devices_and_dtypes():
    assert [d.device_type for d in ag.config.list_physical_devices()] == ["CPU"]
    assert ag.config.list_physical_devices("GPU") == []
    assert ag.dtypes.float32 is ag.float32


@pytest.mark.parametrize("staged", [False, True])
def test_texts_are_compared(staged):
    def greet(x):
        if x == "wolf":
            return ag.constant(1)
        return ag.constant(2)

    run = ag.function(greet) if staged else greet
    assert [int(run(ag.constant(t))) for t in ("wolf", "fox")] == [1, 2]
    same = ag.function(lambda x: x == "a") if staged else lambda x: x == "a"
    assert bool(same(ag.constant("a")))
    assert not bool(same(ag.constant("b")))
