"""Indexing and item assignment against NumPy: values, aliases, chains, gradients."""

import gc
import sys

import numpy as np
import pytest

import runtime.tensor.methods  # noqa: F401
from runtime.grad.tape import GradientTape
from runtime.tensor import items
from runtime.tensor.dispatch import op
from runtime.tensor.tensor import Tensor
from runtime.tensor.trace import Trace, tracing
from runtime.typesys.errors import OutOfRangeError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType

A = np.arange(60.0).reshape(3, 4, 5)
I = np.array([0, 2, 1])
M = A[:, :, 0] % 3 == 0

INDICES = [
    0,
    -1,
    (1, 2),
    (0, 1, 2),
    slice(None),
    slice(1, 3),
    slice(None, None, -1),
    slice(-2, None),
    slice(3, 0, -2),
    (slice(None), 1),
    (Ellipsis, 1),
    (0, Ellipsis),
    (Ellipsis, slice(1, 4, 2)),
    None,
    (None, 0),
    (0, None, 1),
    (Ellipsis, None),
    (),
    Ellipsis,
    [0, 2],
    [[0, 1], [2, 0]],
    I,
    (I, I),
    (I, slice(None), I),
    (slice(None), I),
    (slice(None), I, 0),
    (0, slice(None), I),
    (0, I),
    (I, 0),
    (I, None, 0),
    (slice(1, None), [0, 1]),
    (Ellipsis, I),
    M,
    (M, 0),
    (M, [1]),
    A > 20,
    (slice(None), [True, False, True, False]),
    (0, [True, False, True, False], slice(1, 3)),
    True,
    False,
    (True, 0),
    ([],),
    np.int64(2),
    (np.int64(1), I),
    np.array(1),
    (np.array(1), I),
    (slice(0, 2), None, I, slice(None), None),
    ([0], slice(None), [1, 2, 3]),
    range(2),
    ((0, 1),),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_reads_as_numpy(index):
    want = A[index if not isinstance(index, range) else list(index)]
    x = Tensor(A.copy())
    got = x[index]
    np.testing.assert_array_equal(got.numpy(), want)
    with GradientTape() as tape:  # the general way
        tape.watch(x)
        y = x[index]
        total = op.sum_all(op.mul(y, np.cos(np.arange(want.size)).reshape(want.shape)))
    np.testing.assert_array_equal(y.numpy(), want)
    zeros = np.zeros_like(A)
    np.add.at(
        zeros, index if not isinstance(index, range) else list(index), np.cos(np.arange(want.size)).reshape(want.shape)
    )
    np.testing.assert_allclose(tape.gradient(total, x).numpy(), zeros)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_staged_type_is_numpys(index, unknown):
    want = A[index if not isinstance(index, range) else list(index)]
    trace = Trace()
    with tracing(trace):
        shape = tuple(Dim() for _ in A.shape) if unknown else A.shape
        x = Tensor(trace.graph.add_input(TensorType("float64", shape)))
        got = x[index].type.shape
    assert len(got) == want.ndim
    assert all(not isinstance(g, int) or g == w for g, w in zip(got, want.shape, strict=True))
    if not unknown and not any(
        np.asarray(e).dtype == bool
        for e in (index if isinstance(index, tuple) else (index,))
        if isinstance(e, (list, np.ndarray, bool))
    ):
        assert got == want.shape


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_writes_as_numpy(index):
    where = index if not isinstance(index, range) else list(index)
    value = np.sin(np.arange(A[where].size)).reshape(A[where].shape)
    for v in (7.0, value):
        want = A.copy()
        want[where] = v
        x = Tensor(A.copy())
        x[index] = v
        np.testing.assert_array_equal(x.numpy(), want)
        x = Tensor(A.copy())
        with GradientTape():
            x[index] = Tensor(np.array(v))
        np.testing.assert_array_equal(x.numpy(), want)


def test_tensors_as_indices():
    x, i = Tensor(A.copy()), Tensor(np.int32(1))
    np.testing.assert_array_equal(x[i].numpy(), A[1])
    np.testing.assert_array_equal(x[i:, ..., : i + 1].numpy(), A[1:, ..., :2])
    np.testing.assert_array_equal(x[Tensor(M)].numpy(), A[M])
    np.testing.assert_array_equal(x[[i, 0]].numpy(), A[[1, 0]])


def test_outside_is_an_index_error():
    x = Tensor(A.copy())
    for bad in (3, -4, (0, 4), [0, 5], (0, 0, 0, 0)):
        with pytest.raises(OutOfRangeError):
            x[bad]
        with pytest.raises(OutOfRangeError), GradientTape():
            x[bad]
        with pytest.raises(OutOfRangeError):
            x[bad] = 1.0
    with pytest.raises(TypeError):
        x[1.5]
    with pytest.raises(ValueError, match="broadcast|shape"):
        x[0] = np.ones(7)


def test_aliases_and_views_see_a_write():
    x = Tensor(A.copy())
    alias, row = x, x[0]
    x[0, 0, 0] = -1.0
    assert alias[0, 0, 0].numpy() == -1.0
    assert row[0, 0].numpy() == -1.0
    row[1] = -5.0
    assert x[0, 1, 0].numpy() == -5.0


def test_chains_write_back():
    x = Tensor(A.copy())
    x[0][1] = 9.0
    x[1][2][3] = 8.0
    x[2][0][1:3] += 1.0
    want = A.copy()
    want[0, 1], want[1, 2, 3] = 9.0, 8.0
    want[2, 0, 1:3] += 1.0
    np.testing.assert_array_equal(x.numpy(), want)
    y = x[0]
    y[1] = 0.0
    y[2][3] = 0.0
    want[0, 1], want[0, 2, 3] = 0.0, 0.0
    np.testing.assert_array_equal(x.numpy(), want)
    assert y[2, 3].numpy() == 0.0
    x[[0, 1]][0] = 4.0  # NumPy: a copy
    np.testing.assert_array_equal(x.numpy(), want)


def test_chains_write_back_in_hot_code():
    x = Tensor(np.zeros((2, 3, 4)))
    for k in range(200):
        x[1][2][k % 4] += 1.0
        held = x[0]
        held[1][2] = 7.0
    np.testing.assert_array_equal(x.numpy()[1, 2], [50.0] * 4)
    assert x.numpy()[0, 1, 2] == x.numpy()[0].sum() == 7.0


def test_chains_write_back_while_tracing():
    trace = Trace()
    with tracing(trace):
        x = Tensor(trace.graph.add_input(TensorType("float64", (3, 4))))
        before = x._value
        x[0][1] = 2.0
        assert x._value is not before
        assert [n.op.name for n in trace.graph.nodes].count("index_update") == 2
        now, y = x._value, x[0]
        y[1] = 3.0
        assert x._value is not now


def test_indexing_keeps_nothing_alive():
    x = Tensor(np.zeros((4, 4)))
    chain = [x]
    for _ in range(5):
        chain = [chain[0][:]]
    last = chain[0]
    gc.collect()
    assert not isinstance(last._parent[0], Tensor) or sys.version_info >= (3, 14)


def test_writes_in_place_only_where_nobody_looks():
    assert items._OWNED > 0
    assert items._TEMPORARY_SET > 0
    x = Tensor(np.zeros(4))
    array_id = id(x._value)
    x[1] = 1.0
    assert id(x._value) == array_id
    view = x[1:]
    x[1] = 2.0
    assert view[0].numpy() == 2.0
    held = x._value
    x[1] = 3.0
    assert held[1] == 2.0
    x[:] = x[::-1]
    np.testing.assert_array_equal(x.numpy(), [0, 0, 3.0, 0])


def test_a_repeated_place_keeps_the_last_value_and_its_gradient():
    x, v = Tensor(np.zeros(3)), Tensor(np.array([1.0, 2.0, 3.0]))
    with GradientTape() as tape:
        tape.watch(v)
        x[[0, 1, 0]] = v
        y = op.sum_all(op.mul(x, np.array([1.0, 10.0, 100.0])))
    np.testing.assert_array_equal(x.numpy(), [3.0, 2.0, 0.0])
    np.testing.assert_array_equal(tape.gradient(y, v).numpy(), [0.0, 10.0, 1.0])


def test_iteration_length_and_shape():
    x = Tensor(A.copy())
    assert len(x) == 3
    assert x.shape == (3, 4, 5)
    assert (x.ndim, x.size, x.shape.rank, x.shape.num_elements()) == (3, 60, 3, 60)
    np.testing.assert_array_equal([row.numpy() for row in x], A)
    with pytest.raises(TypeError):
        len(Tensor(np.float64(1)))


def test_staged_shape():
    n = Dim()
    trace = Trace()
    with tracing(trace):
        x = Tensor(trace.graph.add_input(TensorType("float64", (n, 3))))
        assert x.shape.as_list() == [None, 3]
        rows, columns = x.shape
        assert columns == 3
        assert rows.type.weak
        assert op.reshape_method(x, x.shape[0], 3, 1).type.shape == (n, 3, 1)
        assert op.reshape_method(x, (-1, x.shape[0])).type.shape == (3, n)
        assert op.flatten(x).type.rank == 1
        assert op.get_item(op.shape(x), 0).dtype == "int32"
        assert (x.shape == x.shape) is True
        assert (x.shape == (2, 4)) is False
        assert isinstance(x.shape == (2, 3), Tensor)
        with pytest.raises(TypeError, match="shape"):
            len(x)
        with pytest.raises(TypeError, match="until it runs|when the graph runs"):
            list(x)
