"""Tensors that index what is no tensor: NumPy arrays, texts, ranges. As Python and NumPy do with the numbers."""

import numpy as np
import pytest

import autograph as ag

TABLE = np.arange(24.0).reshape(4, 6)
MASK = np.tril(np.ones((6, 6), bool))
ORDER = np.array([3, 1, 2])

ARRAYS = {
    "row": lambda i, n: TABLE[i],
    "item": lambda i, n: TABLE[i, 0],
    "first rows": lambda i, n: TABLE[:n],
    "steps": lambda i, n: TABLE[1:n, ::2],
    "first columns": lambda i, n: TABLE[:, :n],
    "corner": lambda i, n: MASK[:n, :n],
    "from": lambda i, n: TABLE[i:, -1],
    "list": lambda i, n: TABLE[[i, 0]],
    "by another": lambda i, n: TABLE[ORDER[i - 1]],
    "last axis": lambda i, n: TABLE[..., i],
    "new axis": lambda i, n: TABLE[None, i],
    "twice": lambda i, n: TABLE[i][n],
}


@pytest.mark.parametrize("taken", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("staged", [False, True])
def test_arrays(taken, staged):
    run = ag.function(taken) if staged else taken
    for i, n in ((2, 3), (1, 2)):
        expected = taken(i, n)
        found = np.asarray(run(ag.constant(i), ag.constant(n)))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


SEQUENCES = {"text": "abcde", "bytes": b"abcde", "range": range(5, 20, 3), "backwards": range(9, 4, -1)}


@pytest.mark.parametrize("x", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("at", [-6, -5, -1, 0, 4, 5])
def test_sequences(x, at):
    taken = ag.function(lambda i: x[i])
    try:
        expected = x[at]
    except IndexError:
        with pytest.raises(IndexError, match="out of range"):
            taken(ag.constant(at))
    else:
        assert taken(ag.constant(at)) == expected


def test_a_character_decides():
    @ag.function
    def step(state, i):
        move = "lrlud"[i]
        return state - 1 if move == "l" else state + 1 if move == "r" else state * 10

    assert [int(step(ag.constant(3), ag.constant(i))) for i in range(5)] == [2, 4, 2, 30, 30]
