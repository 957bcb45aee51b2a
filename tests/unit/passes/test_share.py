"""Equal functions become one, also where they call each other."""

import textwrap

from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.passes.share import share_functions


def shared(text):
    return graph_text(share_functions(verify(parse_graph(textwrap.dedent(text).lstrip()))))


def test_mutually_recursive_copies_are_merged():
    text = """
        graph f(x: float32[]):
          y = call @even(x)
          z = call @even_2(y)
          return z

        function even(x: float32[]):
          y = call @odd(x)
          return y

        function odd(x: float32[]):
          %0: float32[] = neg(x)
          y = call @even(%0)
          return y

        function even_2(x: float32[]):
          y = call @odd_2(x)
          return y

        function odd_2(x: float32[]):
          %0: float32[] = neg(x)
          y = call @even_2(%0)
          return y
        """
    text = text.replace("y = call", "y: float32[] = call").replace("z = call", "z: float32[] = call")
    result = shared(text)
    assert "_2" not in result
    assert result.count("function ") == 2
    assert "call @even(y)" in result


def test_functions_that_call_different_ones_stay():
    text = """
        graph f(x: float32[]):
          y: float32[] = call @a(x)
          z: float32[] = call @b(y)
          return z

        function a(x: float32[]):
          y: float32[] = call @c(x)
          return y

        function b(x: float32[]):
          y: float32[] = call @d(x)
          return y

        function c(x: float32[]):
          y: float32[] = neg(x)
          return y

        function d(x: float32[]):
          y: float32[] = exp(x)
          return y

        function unused(x: float32[]):
          y: float32[] = exp(x)
          return y
        """
    result = shared(text)
    assert result.count("function ") == 4
    assert "unused" not in result
