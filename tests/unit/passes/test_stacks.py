"""What loops in loops save for their gradients: one list of all turns in the place of lists of lists."""

import textwrap

import numpy as np
import pytest

import autograph as ag
from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.passes.algebra import simplify
from runtime.passes.dce import eliminate_dead_code
from runtime.passes.manager import run_passes
from runtime.passes.stacks import flatten_stacks


def after(text, *passes):
    graph = verify(parse_graph(textwrap.dedent(text).lstrip()))
    return graph_text(run_passes(graph, [*passes, eliminate_dead_code], check=True))


NESTED = """
    graph f(x: float32[2], n: int64*[]):
      %0: list<list<float32[2]>> = list_new(element=list<float32[2]>)
      %1: int64*[] = constant(5)
      %2: float32[2], %3: list<list<float32[2]>> = for_loop(%1, x, %0; n)
        body(i, x, %0, n):
          %1: list<float32[2]> = list_new(element=float32[2])
          %2: float32[2], %3: list<float32[2]> = for_loop(n, x, %1)
            body(i, x, %0):
              %1: float32[2] = sin(x)
              %2: list<float32[2]> = list_append(%0, x)
              return %1, %2
          %4: list<list<float32[2]>> = list_append(%0, %3)
          return %2, %4
      %4: float32[2], %5: list<list<float32[2]>> = for_loop(%1, x, %3; TRIPS)
        body(i, d, %0, n):
          %1: int64*[] = constant(-1)
          %2: list<list<float32[2]>>, %3: list<float32[2]> = list_pop(%0, %1)
          %4: float32[2], %5: list<float32[2]> = for_loop(n, d, %3)
            body(i, d, %0):
              %1: int64*[] = constant(-1)
              %2: list<float32[2]>, %3: float32[2] = list_pop(%0, %1)
              %4: float32[2] = mul(d, %3)
              return %4, %2
          return %4, %2
      return %2, %4
"""


def test_lists_that_are_taken_off_as_they_were_filled_are_one():
    out = after(NESTED.replace("TRIPS", "n"), flatten_stacks)
    assert "list<list" not in out
    assert out.count("list_append") == out.count("list_pop") == 1


@pytest.mark.parametrize(
    "change",
    [
        ("TRIPS", "%1"),  # other numbers of turns
        ("return %4, %2\n      return %2, %4", "return %4, %2\n      return %2, %5"),  # what is left is asked for
    ],
)
def test_lists_of_which_that_is_not_known_stay(change):
    text = NESTED.replace(*change).replace("TRIPS", "n")
    assert after(text, flatten_stacks) == after(text)


def test_what_was_just_appended_is_at_hand():
    out = after(
        """
        graph f(x: float32[2]):
          %0: list<float32[2]> = list_new(element=float32[2])
          %1: list<float32[2]> = list_append(%0, x)
          %2: int64*[] = constant(-1)
          %3: list<float32[2]>, %4: float32[2] = list_pop(%1, %2)
          %5: int64*[] = list_len(%3)
          return %4, %5
        """,
        simplify,
    )
    assert "list_pop" not in out and "list_append" not in out


def triangle(w, x, n):
    for i in ag.range(n):
        for _ in ag.range(i):
            x = ag.tanh(w @ x) + 0.1 * x
    return x


def three_deep(w, x, n):
    for _ in ag.range(n):
        for _ in ag.range(3):
            for _ in ag.range(2):
                x = ag.tanh(w @ x) * x
    return x


def until(w, x, n):
    for _ in ag.range(n):
        while ag.reduce_sum(x * x) > 0.5:
            x = ag.tanh(w @ x) * 0.7
        x = x * 3.0
    return x


def counted_by_conditions(w, x, n):
    i = 0
    while i < n and ag.reduce_sum(x) < 1e6:
        k = 0
        while k < i * 2 and ag.reduce_sum(x * x) > 0.001:
            x = ag.sin(w @ x) * x
            k += 1
        x = x * 1.5
        i += 1
    return x


def with_break(w, x, n):
    for _ in ag.range(n):
        for _ in ag.range(5):
            x = ag.tanh(w @ x)
            if ag.reduce_sum(x) < 0.3:
                break
            x = x * x
        x = x * 2.0
    return x


def of_one_turn(w, x, n):
    for i in ag.range(n):
        for _ in ag.range(1):
            x = ag.tanh(w @ x) * x
        for _ in range(2):
            if i > 1:
                x = ag.sin(x)
    return x


def arrays_read_while_written(w, x, n):
    for _ in ag.range(n):
        rows = ag.TensorArray(ag.float64, size=5, clear_after_read=False)
        for j in ag.range(5):
            if j < 2:
                row = ag.sin(x)
            else:
                row = ag.tanh(w @ rows.read(j - 2)) + rows.read(j - 1)
            rows = rows.write(j, row)
        x = rows.read(4) * 0.5
    return x


@pytest.mark.parametrize(
    "loops",
    [triangle, three_deep, until, counted_by_conditions, with_break, of_one_turn, arrays_read_while_written],
)
def test_gradients_of_loops_in_loops_are_native(loops):
    pytest.importorskip("llvmlite")

    def gradients(w, x, n):
        with ag.GradientTape() as tape:
            tape.watch([w, x])
            y = ag.reduce_sum(loops(w, x, n))
        return y, *tape.gradient(y, [w, x])

    rng = np.random.default_rng(0)
    arguments = ag.constant(rng.standard_normal((4, 4)) * 0.6), ag.constant(rng.standard_normal((4, 2))), ag.constant(4)
    native = ag.function(gradients, jit_compile=True)
    for staged in (native, ag.function(gradients, jit_compile=False)):
        for got, expected in zip(staged(*arguments), gradients(*arguments), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert str(native.inspect(*arguments).regions).startswith("native: all ")
