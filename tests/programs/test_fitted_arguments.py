"""What a function with an input signature writes to its arguments: the caller's lists, dictionaries and arrays hold it."""

import numpy as np
import pytest

import autograph as ag

NUMBER = ag.TensorSpec([], ag.float64)


def appends(xs, y):
    xs.append(y)
    xs[0] = y + 1
    return xs[0]


def sets(table, y):
    if y > 0:
        table["a"] = table["a"] + y
    return table["a"]


def writes_rows(rows, y):
    rows[1][0] = y
    rows[0].pop()
    return y


def writes_into_pair(pair, y):
    pair[1].append(y * 2)
    return y


CASES = [
    (appends, [NUMBER, NUMBER], lambda: [1.0, 2.0]),
    (sets, {"a": NUMBER, "b": [NUMBER]}, lambda: {"b": [3.0], "a": 1.0}),
    (writes_rows, [[NUMBER, NUMBER], [NUMBER]], lambda: [[1.0, 2.0], [3.0]]),
    (writes_into_pair, (NUMBER, [NUMBER]), lambda: (1.0, [2.0])),
    (writes_into_pair, [NUMBER, [NUMBER]], lambda: (1.0, [2.0])),
]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(("program", "spec", "make"), CASES)
def test_containers_as_python(program, spec, make, jit):
    staged = ag.function(program, input_signature=[spec, NUMBER], jit_compile=jit)
    for y in (5.0, -2.0, 3.0):
        given, expected = make(), make()
        parts = [part for part in (given.values() if isinstance(given, dict) else given) if isinstance(part, list)]
        assert float(staged(given, ag.constant(y, ag.float64))) == program(expected, y)
        assert ag.nest.map_structure(float, given) == expected
        now = list(given.values() if isinstance(given, dict) else given)
        assert all(any(part is x for x in now) for part in parts)  # the caller's own


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_arrays_as_numpy(dtype, jit):
    def writes(v, rows):
        v[0] = v[1] + 5
        rows[0][1] = v[0] * 2
        return v.sum()

    vector = ag.TensorSpec([None], ag.float64)
    staged = ag.function(writes, input_signature=[vector, [vector]], jit_compile=jit)
    for size in (2, 3):
        given, expected = ([np.arange(size, dtype=dtype), [np.ones(size, dtype)]] for _ in range(2))
        assert float(staged(*given)) == float(writes(*expected))
        assert np.array_equal(given[0], expected[0])
        assert np.array_equal(given[1][0], expected[1][0])


@pytest.mark.parametrize("jit", [False, True])
def test_arrays_beside_lists(jit):
    def writes(numbers, v):
        numbers[0] = numbers[0] + 1
        v[0] = numbers[0] * 2
        return v.sum()

    staged = ag.function(writes, input_signature=[[NUMBER], ag.TensorSpec([None], ag.float64)], jit_compile=jit)
    given, expected = ([[np.float64(2.0)], np.ones(3)] for _ in range(2))
    assert float(staged(*given)) == writes(*expected)
    assert float(given[0][0]) == expected[0][0]
    assert np.array_equal(given[1], expected[1])
