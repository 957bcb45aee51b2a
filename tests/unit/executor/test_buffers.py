"""Lists that a loop fills only to be stacked are arrays in the plan, and stay lists where they are used otherwise."""

import textwrap

import numpy as np
import pytest

from runtime.backends.numpy_executor.executor import compile_graph
from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify


def filled(after, returned, count="n", body="", value="%8"):
    """A graph that appends `value`, x * i, at every step and then does `after`."""
    return verify(
        parse_graph(
            textwrap.dedent(f"""\
        graph f(x: float64[3], n: int64*[]):
          %0: list<float64[3]> = list_new(element=float64[3])
          %9: int64*[] = constant(4)
          %1: list<float64[3]> = for_loop({count}, %0; x)
            body(i, list, x):
              %8: float64[3] = mul(x, i)
              {body or "%7: int64*[] = constant(0)"}
              %2: list<float64[3]> = list_append(list, {value})
              return %2
          {after}
          return {returned}
        """)
        )
    )


STACK = "%2: float64[k,3] = list_stack(%1, element=float64[3])"
REVERSED = (
    "%3: list<float64[3]> = list_reverse(%1)\n          %2: float64[k,3] = list_stack(%3, element=float64[3])"
)


@pytest.mark.parametrize("count", ["n", "%9"])
@pytest.mark.parametrize("after", [STACK, REVERSED], ids=["as it is", "reversed"])
def test_rows_are_written_into_an_array(after, count):
    graph = filled(after, "%2", count)
    text = graph_text(graph)
    run = compile_graph(graph)
    assert graph_text(graph) == text, "the graph changed"
    assert "append" not in run.source
    assert "zeros((" in run.source
    x = np.arange(3.0)
    for n in (4, 0, -2) if count == "n" else (4,):
        rows = np.arange(max(n, 0))[:, None] * x
        np.testing.assert_array_equal(run(x, n)[0], rows[::-1] if after == REVERSED else rows)


@pytest.mark.parametrize(
    ("after", "returned", "body"),
    [
        (STACK, "%2, %1", ""),
        (STACK + "\n          %4: int64*[] = list_len(%1)", "%2, %4", ""),
        (STACK + "\n          %3: list<float64[3]> = list_reverse(%1)", "%2, %3", ""),
        (STACK, "%2", "%7: int64*[] = list_len(list)"),
    ],
    ids=["returned", "measured", "reversed too", "read in the loop"],
)
def test_lists_that_are_used_otherwise_stay(after, returned, body):
    run = compile_graph(filled(after, returned, body=body))
    assert "append" in run.source
    np.testing.assert_array_equal(run(np.ones(3), 2)[0], [[0, 0, 0], [1, 1, 1]])


def read_out(read="i", value="add(%5, %5)", uses="%2: float64[k,3] = list_stack(%1, element=float64[3])", returned="%2"):
    """A graph whose loop reads rows of a product of its own and appends them doubled."""
    return verify(
        parse_graph(
            textwrap.dedent(f"""\
        graph f(x: float64[4,3], w: float64[3,3]):
          %9: int64*[] = constant(4)
          p: float64[4,3] = matmul(x, w)
          %0: list<float64[3]> = list_new(element=float64[3])
          %1: list<float64[3]> = for_loop(%9, %0; p)
            body(i, list, p):
              %3: int64*[] = constant(3)
              %4: int64*[] = sub(%3, i)
              %5: float64[3] = index(p, {read}, spec=('?',))
              %6: float64[3] = {value}
              %7: list<float64[3]> = list_append(list, %6)
              return %7
          {uses}
          return {returned}
        """)
        )
    )


def test_rows_are_written_over_those_of_an_array_that_is_read_out():
    run = compile_graph(read_out())
    assert "zeros" not in run.source
    x, w = np.arange(12.0).reshape(4, 3), np.eye(3)
    np.testing.assert_array_equal(run(x, w)[0], 2 * x)
    np.testing.assert_array_equal(x, np.arange(12.0).reshape(4, 3))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (read_out(read="%4"), lambda x: 2 * x[::-1]),  # from the other end: rows not read yet would be lost
        (read_out(returned="%2, p"), lambda x: 2 * x),
        (read_out(value="reverse(%5, axis=(0,))"), lambda x: x[:, ::-1]),  # a view of the row that is written over
    ],
    ids=["in another order", "needed afterwards", "seen through a view"],
)
def test_other_arrays_are_left_alone(graph, expected):
    run = compile_graph(graph)
    assert "zeros" in run.source
    x = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(run(x, np.eye(3))[0], expected(x))
