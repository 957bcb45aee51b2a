"""Graphs as text, and back."""

import numpy as np
import pytest

from runtime.ir.build import Builder
from runtime.ir.compare import difference
from runtime.ir.graph import Graph
from runtime.ir.parse import GraphTextError, parse_graph, parse_literal, parse_type
from runtime.ir.text import attribute_text, graph_text
from runtime.ops.registry import get
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import ListType, TensorType

LOOP = """\
graph f(x: float32[n,3], limit: int64*[]):
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
  return y
"""

NESTED = """\
graph 'outer <lambda>'(x: float64[2], c: bool[]):
  r: float64[2] = cond(c; x)
    then(x):
      %0: int64*[] = constant(3)
      y: float64[2] = for_loop(%0, x)
        body(i, y):
          %0: float64[2] = mul(y, i)
          return %0
      return y
    else(x):
      %0: float64[2] = constant([1.5, -0.0])
      return %0
  total: float64[] = reduce_sum(r, axis=None, keepdims=False)
  return total, r
"""

CALLS = """\
graph main(n: int64[]):
  r: int64[] = call @fact(n)
  s: int64[] = call @'a b'(r)
  return s

function fact(n: int64[]):
  r: int64[] = call @fact(n)
  return r

function 'a b'(x: int64[]):
  return x
"""

ATTRIBUTES = """\
graph g(x: float32[a,b]):
  %0: list<float32[a,b]> = placeholder()
  %1: list<> = placeholder()
  %2: float32[?] = placeholder()
  %3: bool[] = constant(True)
  %4: string*[] = constant('text # no comment')
  %5: complex128[1] = constant([complex(1.0, -0.0)])
  %6: uint64[] = constant(18446744073709551615)
  %7: float16[0,2] = constant([])
  %8: float32[1,2] = constant([[inf, nan]])
  raise_(x, exception=ValueError, arguments=None, template=('a', (0, '.2f')))
  %9: float64*[] = constant(-inf)
  return %0, %1
"""


@pytest.mark.parametrize("text", [LOOP, CALLS, ATTRIBUTES, NESTED])
def test_text_reads_back_as_the_same_text(text):
    if "raise_" in text and "raise_" not in _names():
        text = "\n".join(line for line in text.splitlines() if "raise_" not in line) + "\n"
    graph = parse_graph(text)
    assert graph_text(graph) == text
    assert difference(graph, parse_graph(text)) is None


def _names():
    from runtime.ops.registry import OPS, load_all

    load_all()
    return OPS


def graph_with(value, name=None):
    from runtime.typesys.spec import type_of_payload

    builder = Builder(Graph("g"))
    kind = type_of_payload(value)
    out = builder.emit(get("constant"), [], {"value": value, "type": kind}).outputs[0]
    out.name = name
    builder.graph.outputs = [out]
    return builder.graph


@pytest.mark.parametrize(
    "value",
    [
        1, True, 0.1, -0.0, float("nan"), 1e300, 2 + 3j, "é\n'", np.float32(0.1), np.array(0.1, "float32")[()],
        np.arange(1000.0), np.arange(100, dtype="int8").reshape(4, 25), np.zeros((0, 5), "float32"),
        np.array([np.nan, -np.nan]), np.array([1 + 2j, np.inf * 1j]), np.array(["a", "b"], object),
        np.array([1e-45, 3.4028235e38], "float32"), np.float16(65504), np.array([2**63, 1], "uint64"),
        np.array([[True, False]]), np.random.default_rng(0).normal(size=(5, 6)).astype("float32"),
    ],
)  # fmt: skip
def test_constants_come_back_bit_for_bit(value):
    graph = graph_with(value)
    again = parse_graph(graph_text(graph))
    assert difference(graph, again) is None
    assert type(again.nodes[0].attrs["value"]) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        None, ..., True, -3, 2.5, 1j, "a'b", b"\x00", (), (1,), (1, "x"), [1, [2]], {"a": (1, 2)}, slice(None, 3, -1),
        as_dtype("float32"), as_dtype("string"), TensorType("int32", (2, 3)), ListType(TensorType("bool")),
        ZeroDivisionError, np.float32(0.3), np.arange(3), np.array(3.0),
    ],
)  # fmt: skip
def test_attributes_come_back(value):
    from runtime.ir.compare import _Matcher

    again = parse_literal(attribute_text(value))
    assert _Matcher().same(value, again), again


def test_names_of_unknown_sizes_are_stable():
    a, b, n = Dim(), Dim(), Dim("batch")
    graph = Graph("g")
    graph.add_input(TensorType("float32", (b, n, a, b)), "x")
    assert graph_text(graph).startswith("graph g(x: float32[n0,batch,n1,n0]):")
    x = parse_graph(graph_text(graph)).inputs[0].type
    assert x.shape[0] is x.shape[3]
    assert x.shape[0] is not x.shape[2]


def test_two_sizes_of_one_name_are_told_apart():
    graph = Graph("g")
    graph.add_input(TensorType("float32", (Dim("n"), Dim("n"))), "x")
    assert "float32[n,n_1]" in graph_text(graph)


def test_locations_as_comments():
    def build():
        builder = Builder(Graph("g"))
        builder.emit(get("constant"), [], {"value": 1, "type": parse_type("int64*[]")})
        return builder.graph

    text = graph_text(build(), locations=True)
    assert "constant(1)  # " in text
    location = parse_graph(text).nodes[0].location
    assert location.file == __file__
    assert graph_text(parse_graph(text), locations=True) == text


def test_python_objects_are_printed_and_refused_by_name():
    builder = Builder(Graph("g"))
    builder.emit(get("constant"), [], {"value": len, "type": parse_type("int64*[]")})
    text = graph_text(builder.graph)
    assert "<builtin_function_or_method len>" in text
    with pytest.raises(GraphTextError, match="line 2: the Python object <builtin_function_or_method len> has no text"):
        parse_graph(text)


def test_large_constants_can_be_described_instead():
    text = graph_text(graph_with(np.zeros(1000)), short=True)
    assert "constant(<1000 elements>)" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no graph"),
        ("graph f(x: float32[]):\n  return y", "line 2: y is not defined"),
        ("graph f(x: float99[]):\n  return x", "line 1: no element type 'float99'"),
        ("graph f(x: float32[]):\n  y: float32[] = frobnicate(x)\n  return y", "line 2: no operation 'frobnicate'"),
        ("graph f(x: float32[]):\n  y: float32[] = neg(x", "line 2: expected"),
        ("graph f(x: float32[]):\n  y: float32[] = neg(x)\n", "line 1: its body does not end with 'return'"),
        ("graph f(x: float32[]):\n  y: float32[] = neg(!)\n", "line 2: unexpected '!"),
    ],
)
def test_errors_name_the_line(text, message):
    with pytest.raises(GraphTextError, match=message):
        parse_graph(text)
