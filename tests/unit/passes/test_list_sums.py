"""Cotangents of lists are added to in place, and what was saved for the zeros they began with goes."""

import textwrap

import numpy as np
import pytest

import autograph as ag
from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.passes.dce import eliminate_dead_code
from runtime.passes.list_sums import add_in_place
from runtime.passes.manager import run_passes


def after(text):
    graph = verify(parse_graph(textwrap.dedent(text).lstrip()))
    return graph_text(run_passes(graph, [add_in_place, eliminate_dead_code], check=True))


def test_a_row_is_added_where_it_belongs():
    assert after(
        """
        graph f(d: list<float32[2]>, x: list<float32[2]>, i: int64*[], dy: float32[2]):
          %0: list<float32[2]> = list_zeros_like(x)
          %1: list<float32[2]> = list_accumulate_at(%0, i, dy)
          %2: list<float32[2]> = list_add(d, %1)
          return %2
        """
    ) == textwrap.dedent(
        """
        graph f(d: list<float32[2]>, x: list<float32[2]>, i: int64*[], dy: float32[2]):
          %0: list<float32[2]> = list_accumulate_at(d, i, dy)
          return %0
        """
    ).lstrip()


BRANCHES = """
    graph f(p: bool[], d: list<float32[2]>, x: list<float32[2]>, i: int64*[], dy: float32[2]):
      %0: list<float32[2]> = cond(p; x, i, dy)
        then(x, i, dy):
          %0: list<float32[2]> = list_zeros_like(x)
          %1: list<float32[2]> = list_accumulate_at(%0, i, dy)
          return %1
        else(x, i, dy):
          %0: list<float32[2]> = list_zeros_like(x)
          return %0
      %1: list<float32[2]> = list_add(d, %0)
      return RESULTS
"""


def test_branches_begin_with_what_there_is():
    out = after(BRANCHES.replace("RESULTS", "%1"))
    assert "list_add" not in out and "list_zeros_like" not in out


def test_what_is_used_besides_stays():
    out = after(BRANCHES.replace("RESULTS", "%1, %0"))
    assert "list_add" in out and out.count("list_zeros_like") == 2


SIZE = 11


@pytest.mark.parametrize("shape", [None, [3]])
@pytest.mark.parametrize("jit_compile", [True, False])
def test_gradients_through_arrays_that_are_read_while_written(shape, jit_compile):
    if jit_compile:
        pytest.importorskip("llvmlite")

    def loss(x, w, left, right):
        ta = ag.TensorArray(ag.float64, size=SIZE, element_shape=shape, clear_after_read=False)
        for j in ag.range(SIZE):
            if left[j] < 0:
                h = ag.sin(x[j])
            else:
                h = ag.tanh(ag.linalg.matvec(w, ta.read(left[j]) * 0.5 + ta.read(right[j])))
            ta = ta.write(j, h)
        return ag.reduce_sum(ta.stack() ** 2)

    def gradients(x, w, left, right):
        with ag.GradientTape() as tape:
            tape.watch([x, w])
            y = loss(x, w, left, right)
        return y, *tape.gradient(y, [x, w])

    rng = np.random.default_rng(1)
    left = np.array([-1, -1, 0, -1, 2, -1, 4, 4, -1, 1, 9], "i4")
    right = np.array([-1, -1, 1, -1, 3, -1, 5, 4, -1, 8, 7], "i4")
    arguments = [ag.constant(a) for a in (rng.standard_normal((SIZE, 3)), rng.standard_normal((3, 3)), left, right)]
    staged = ag.function(gradients, jit_compile=jit_compile)
    for got, expected in zip(staged(*arguments), gradients(*arguments), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9)
    if jit_compile:
        assert str(staged.inspect(*arguments).regions).startswith("native: all ")


@pytest.mark.parametrize("jit_compile", [True, False])
def test_elements_never_written_read_as_zeros_and_others_are_errors(jit_compile):
    @ag.function(jit_compile=jit_compile)
    def read(n, at):
        ta = ag.TensorArray(ag.float32, size=4, element_shape=[2])
        for i in ag.range(n):
            ta = ta.write(i, ag.fill([2], ag.cast(i + 1, ag.float32)))
        return ta.read(at)

    assert read(ag.constant(2), ag.constant(1)).numpy().tolist() == [2.0, 2.0]
    assert read(ag.constant(2), ag.constant(3)).numpy().tolist() == [0.0, 0.0]
    with pytest.raises(IndexError):
        read(ag.constant(2), ag.constant(4))


SUMS = """
    graph f(p: bool[], d: float32[40,50], x: float32[1,40], y: float32[1,50]):
      %0: float32[40,50] = cond(p; x, y)
        then(x, y):
          %0: float32[40,50] = zeros(shape=(40, 50), dtype=float32)
          return %0
        else(x, y):
          %0: float32[40,50] = TERM
          return %0
      %1: float32[40,50] = add(d, %0)
      return %1
"""


def test_a_product_in_a_branch_is_one_of_what_branches_give():
    assert after(SUMS.replace("TERM", "matmul(x, y, transpose_a=True)")) == textwrap.dedent(
        """
        graph f(p: bool[], d: float32[40,50], x: float32[1,40], y: float32[1,50]):
          %0: float32[1,40], %1: float32[1,50] = cond(p; x, y)
            then(x, y):
              %0: float32[1,40] = zeros(shape=(1, 40), dtype=float32)
              %1: float32[1,50] = zeros(shape=(1, 50), dtype=float32)
              return %0, %1
            else(x, y):
              return x, y
          %2: float32[40,50] = matmul(%0, %1, transpose_a=True)
          %3: float32[40,50] = add(d, %2)
          return %3
        """
    ).lstrip()


def test_zeros_of_a_branch_are_not_added():
    assert after(SUMS.replace("TERM", "broadcast_to(y, shape=(40, 50))")) == textwrap.dedent(
        """
        graph f(p: bool[], d: float32[40,50], x: float32[1,40], y: float32[1,50]):
          %0: float32[40,50] = cond(p; y, d)
            then(y, %0):
              return %0
            else(y, %0):
              %1: float32[40,50] = broadcast_to(y, shape=(40, 50))
              %2: float32[40,50] = add(%0, %1)
              return %2
          return %0
        """
    ).lstrip()
