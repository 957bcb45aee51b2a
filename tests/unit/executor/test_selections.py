"""`where` by rows and by bits gives what NumPy's gives, bit for bit, new or written into an operand."""

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.backends.numpy_executor.selections import choose_bits
from tests.unit.executor.build import F, array

CONDITIONS = {
    "rows": lambda random, shape: random.random((shape[0], 1)) < 0.5,
    "mixed": lambda random, shape: random.random(shape) < 0.5,
    "runs": lambda random, shape: np.add.outer(np.arange(shape[0]), np.arange(shape[1])) < shape[0],
    "columns": lambda random, shape: random.random(shape[1:]) < 0.5,
    "one": lambda random, shape: np.array([[True]]),
}


def numbers(random, shape, dtype):
    out = random.integers(-100, 100, shape).astype(dtype)
    if np.dtype(dtype).kind == "f":
        out.reshape(-1)[:4] = [np.nan, np.inf, -0.0, 0.0][: out.size]
    return out


def selecting(shape, dtype, condition, x, y, into):
    """A graph of `where` whose operand `into` is made in it and dies there."""
    f = F("select")
    given = [f.input(array(*condition.shape, dtype="bool"), "c")]
    operands = [v if v is not None else f.input(array(*shape, dtype=dtype)) for v in (x, y)]
    if into is not None:
        operands[into] = f.neg(operands[into])
    return f.returns(f.where(given[0], *operands))


@pytest.mark.parametrize(
    ("scalar", "into"), [(None, None), (None, 0), (None, 1), (0, None), (0, 0), (1, None), (1, 0)]
)
@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("shape", [(40, 300), (4, 6), (5, 3), (0, 8), (3, 1)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int8", "complex64"])
def test_the_same_as_numpy(dtype, shape, kind, into, scalar):
    random = np.random.default_rng(len(kind))
    condition = CONDITIONS[kind](random, shape)
    x, y = numbers(random, shape, dtype), numbers(random, shape, dtype)[::-1]
    if scalar is None:
        arguments, constants = [x, y], (None, None)
    else:
        arguments, constants = [x], (None, scalar)
    run = compile_graph(selecting(shape, dtype, condition, *constants, into))
    kept = [a.copy() for a in arguments]
    given = [-a if into == k else a for k, a in enumerate(arguments)]
    wanted = np.where(condition, given[0], given[1] if scalar is None else np.dtype(dtype).type(scalar))
    [got] = run(condition, *arguments)
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    assert got.tobytes() == wanted.tobytes()
    for a, b in zip(arguments, kept, strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("order", ["transposed", "strided"])
@pytest.mark.parametrize("into", [None, 0, 1])
def test_rows_that_are_no_blocks(order, into):
    random = np.random.default_rng(3)
    shape = (40, 300)
    base = random.random((300, 40) if order == "transposed" else (40, 600)).astype("float32")
    x = base.T if order == "transposed" else base[:, ::2]
    y = random.random(shape).astype("float32")
    for kind in ("rows", "mixed"):
        condition = CONDITIONS[kind](random, shape)
        run = compile_graph(selecting(shape, "float32", condition, None, None, into))
        given = [-a if into == k else a for k, a in enumerate((x, y))]
        np.testing.assert_array_equal(run(condition, x, y)[0], np.where(condition, *given))


def test_how_it_is_written():
    source = {}
    for kind, condition in (("rows", np.ones((40, 1))), ("bits", np.ones((40, 300)))):
        source[kind] = compile_graph(selecting((40, 300), "float32", condition, None, 0.0, None)).source
    assert "choose_rows(" in source["rows"]
    assert "choose_bits(" in source["bits"]
    small = compile_graph(selecting((4, 3), "float32", np.ones((4, 3)), None, None, None)).source
    assert "= np.where" in small


def test_numbers_stay_numbers():
    f = F("select")
    c, x, y = f.input(array(dtype="bool"), "c"), f.input(array(dtype="int64"), "x"), f.input(array(dtype="int64"), "y")
    run = compile_graph(f.returns(f.where(c, f.add(x, 1), y), f.where(c, 3, y)))
    assert "where" not in run.source
    for condition in (True, False):
        got = run(np.bool_(condition), np.int64(5), np.int64(7))
        assert got == ([6, 3] if condition else [7, 7])
        assert [type(v) for v in got] == [np.int64, np.int64]


@pytest.mark.parametrize("first", [(33, 17, 10), (33, 1, 10)])
def test_operands_of_one_rank_and_different_sizes(first):
    random = np.random.default_rng(0)
    second = (33, 1, 10) if first[1] == 17 else (33, 17, 10)
    a, b = (random.standard_normal(shape).astype(np.float32) for shape in (first, second))
    np.testing.assert_array_equal(choose_bits(a < b, a, b), np.minimum(a, b))
