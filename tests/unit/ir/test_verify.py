"""The checker accepts good graphs and names what is wrong with others."""

import pytest

from runtime.ir.parse import parse_graph
from runtime.ir.verify import verify
from runtime.typesys.errors import GraphError

GOOD = """\
graph f(x: float32[n,3], limit: int64*[], c: bool[]):
  %0: int64*[] = constant(0)
  i: int64*[], y: float32[n,3] = while_loop(%0, x; limit)
    test(i, y, limit):
      %0: bool*[] = less(i, limit)
      return %0
    body(i, y, limit):
      %0: int64*[] = constant(1)
      i.1: int64*[] = add(i, %0)
      y.1: float32[n,3] = add(y, y)
      return i.1, y.1
  z: float32[n,3] = cond(c; y)
    then(y):
      return y
    else(y):
      %0: float32[n,3] = neg(y)
      return %0
  w: float32[n,3] = for_loop(i, z)
    body(k: int64*[], z):
      %0: float32[n,3] = neg(z)
      return %0
  r: float32[n,3] = call @g(w)
  return r

function g(x: float32[m,3]):
  return x
"""


def test_a_good_graph_passes():
    graph = parse_graph(GOOD)
    assert verify(graph) is graph


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("y.1: float32[n,3] = add(y, y)", "y.1: float64[n,3] = add(y, y)", "rule says float32"),
        ("y.1: float32[n,3] = add(y, y)", "y.1: float32[n,4] = add(y, y)", r"node 2 \(add\): output 0"),
        ("return i.1, y.1", "return i.1", "what the body carries on: 1 values where 2"),
        ("return i.1, y.1", "return y.1, i.1", "what the body carries on"),
        ("      return %0\n    body(i, y", "      return i\n    body(i, y", "result of the test is int64"),
        ("cond(c; y)", "cond(limit; y)", "predicate is int64"),
        ("for_loop(i, z)", "for_loop(z, z)", "count is float32"),
        ("    else(y):\n      %0: float32[n,3] = neg(y)", "    else(y):\n      %0: float64[n,3] = cast(y, dtype=float64)",  # noqa: E501
         "outputs of 'else': float64"),
        ("function g(x: float32[m,3]):", "function g(x: float64[m,3]):", "arguments: float32"),
        ("function g(x: float32[m,3]):", "function g(x: float32[5,3]):", r"arguments: float32\[n,3\] is passed"),
        ("call @g(w)", "call @h(w)", "'h', which is not in the table"),
    ],
)  # fmt: skip
def test_broken_graphs_are_named(old, new, message):
    assert old in GOOD
    with pytest.raises(GraphError, match=message):
        try:
            graph = parse_graph(GOOD.replace(old, new))
        except KeyError as error:
            raise GraphError(f"{error}, which is not in the table") from None
        verify(graph)


def test_use_before_definition():
    graph = parse_graph(GOOD)
    body = graph.nodes[1].regions[1]
    body.nodes.reverse()
    with pytest.raises(GraphError, match="used before it is defined"):
        verify(graph)


def test_regions_are_closed():
    graph = parse_graph(GOOD)
    body = graph.nodes[1].regions[1]
    body.nodes[2].inputs[0] = graph.inputs[0]
    with pytest.raises(GraphError, match="f/while_loop.1..1, node 2 .add.: operand 0 .* belongs to another region"):
        verify(graph)


def test_inputs_know_their_place():
    graph = parse_graph(GOOD)
    graph.inputs.reverse()
    with pytest.raises(GraphError, match="input 0 says that it is number 2"):
        verify(graph)
