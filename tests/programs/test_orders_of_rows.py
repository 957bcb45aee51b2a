"""Rows have no order: sorting them, or asking for the largest, is refused as eagerly, unless a key says what counts."""

import pytest

import autograph as ag

ROWS = ag.constant([[2.0, 1.0], [1.0, 5.0], [1.0, 2.0]])
MODES = pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "plan", "native"])


def _grown(x):
    xs = []
    for i in range(ag.shape(x)[0]):
        xs.append(x[i])
    return xs


def _sorted_in_place(x):
    xs = _grown(x)
    xs.sort()
    return xs


PROGRAMS = {
    "sorted": lambda x: sorted(x),
    "sorted_by_rows": lambda x: sorted(x, key=lambda row: row),
    "sorted_list": lambda x: sorted(_grown(x), reverse=True),
    "sort": _sorted_in_place,
    "max": lambda x: max(x),
    "min": lambda x: min(x),
    "max_of_a_list": lambda x: max(_grown(x)),
}


def _in_mode(program, jit):
    return program if jit is None else ag.function(program, jit_compile=jit)


@MODES
@pytest.mark.parametrize("name", PROGRAMS)
def test_rows_are_refused(name, jit):
    with pytest.raises(ValueError, match=r"the truth value of a tensor of shape \(2,\) is ambiguous"):
        _in_mode(PROGRAMS[name], jit)(ROWS)


@MODES
def test_rows_of_one_number_have_an_order(jit):
    column = ag.constant([[3.0], [1.0], [2.0]])
    assert [row.numpy().tolist() for row in _in_mode(lambda x: sorted(x), jit)(column)] == [
        [1.0],
        [2.0],
        [3.0],
    ]
    by_key = _in_mode(lambda x: sorted(x, key=lambda row: -row), jit)(column)
    assert [row.numpy().tolist() for row in by_key] == [[3.0], [2.0], [1.0]]
    assert _in_mode(lambda x: max(x), jit)(column).numpy().tolist() == [3.0]


@MODES
def test_rows_are_sorted_by_a_number_of_each(jit):
    rows = _in_mode(lambda x: sorted(x, key=lambda row: row[0]), jit)(ROWS)
    assert [row.numpy().tolist() for row in rows] == [[1.0, 5.0], [1.0, 2.0], [2.0, 1.0]]


@MODES
@pytest.mark.parametrize("digits", ["2", 1.0])
def test_digits_of_round_are_an_integer(digits, jit):
    with pytest.raises(TypeError, match="object cannot be interpreted as an integer"):
        _in_mode(lambda x: round(x, digits), jit)(ag.constant(2.567))
