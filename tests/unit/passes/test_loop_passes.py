"""Passes over loops, text in and text out: products out of loops, counted loops; and what stays where it is."""

import textwrap

import pytest

from runtime.ir.parse import parse_graph
from runtime.ir.text import graph_text
from runtime.ir.verify import verify
from runtime.passes.algebra import simplify
from runtime.passes.batch import batch_products
from runtime.passes.counted import count_loops
from runtime.passes.dce import eliminate_dead_code
from runtime.passes.manager import run_passes
from runtime.passes.sink import sink_sums


def after(text, *passes):
    graph = verify(parse_graph(textwrap.dedent(text).lstrip()))
    return graph_text(run_passes(graph, [*passes, eliminate_dead_code], check=True))


def check(before, expected, *passes):
    assert after(before, *passes) == textwrap.dedent(expected).lstrip()


def unchanged(text, *passes):
    assert after(text, *passes) == after(text)


def test_a_product_of_the_steps_inputs_is_one_before_the_loop():
    check(
        """
        graph f(x: float32[8,2,3], w: float32[3,4], b: float32[4], s0: float32[2,4]):
          %0: int64*[] = constant(8)
          %1: float32[2,4] = for_loop(%0, s0; x, w, b)
            body(i, s, x, w, b):
              %0: float32[2,3] = index(x, i, spec=('?',))
              %1: float32[2,4] = matmul(%0, w)
              %2: float32[2,4] = mul(%1, s)
              return %2
          return %1
        """,
        """
        graph f(x: float32[8,2,3], w: float32[3,4], b: float32[4], s0: float32[2,4]):
          %0: int64*[] = constant(8)
          %1: float32[16,3] = reshape(x, shape=(-1, 3))
          %2: float32[16,4] = matmul(%1, w)
          %3: float32[8,2,4] = reshape(%2, shape=(-1, 2, 4))
          %4: float32[2,4] = for_loop(%0, s0; %3)
            body(i, s, %0):
              %1: float32[2,4] = index(%0, i, spec=('?',))
              %2: float32[2,4] = mul(%1, s)
              return %2
          return %4
        """,
        batch_products,
    )


def test_a_while_loop_that_counts_is_a_for_loop():
    check(
        """
        graph f(n: int64*[], s0: float32[2,4]):
          %0: int64*[] = constant(0)
          t: int64*[], s: float32[2,4] = while_loop(%0, s0; n)
            test(t, s, n):
              %0: bool*[] = less(t, n)
              return %0
            body(t, s, n):
              %0: float32[2,4] = mul(s, t)
              %1: int64*[] = constant(1)
              %2: int64*[] = add(t, %1)
              return %2, %0
          return t, s
        """,
        """
        graph f(n: int64*[], s0: float32[2,4]):
          %0: int64*[] = constant(0)
          %1: int64*[] = maximum(n, %0)
          s: float32[2,4] = for_loop(%1, s0)
            body(i, s):
              %0: float32[2,4] = mul(s, i)
              return %0
          return %1, s
        """,
        count_loops,
    )


def test_sums_of_products_and_of_rows_are_one_after_the_loop():
    check(
        """
        graph f(x: float32[8,2,3], y: float32[2,4], d0: float32[3,4], e0: float32[4]):
          %0: int64*[] = constant(8)
          %1: float32[2,4], %2: float32[3,4], %3: float32[4] = for_loop(%0, y, d0, e0; x)
            body(i, y, d, e, x):
              %0: float32[2,4] = tanh(y)
              %1: float32[2,3] = index(x, i, spec=('?',))
              %2: float32[3,4] = matmul(%1, %0, transpose_a=True)
              %3: float32[3,4] = add(d, %2)
              %4: float32[4] = reduce_sum(%0, axis=0, keepdims=False)
              %5: float32[4] = add(e, %4)
              return %0, %3, %5
          return %1, %2, %3
        """,
        """
        graph f(x: float32[8,2,3], y: float32[2,4], d0: float32[3,4], e0: float32[4]):
          %0: int64*[] = constant(8)
          %1: list<float32[2,4]> = list_new(element=float32[2,4])
          %2: float32[2,4], %3: float32[3,4], %4: float32[4], %5: list<float32[2,4]> = for_loop(%0, y, d0, e0, %1)
            body(i, y, d, e, %0):
              %1: float32[2,4] = tanh(y)
              %2: list<float32[2,4]> = list_append(%0, %1)
              return %1, d, e, %2
          %6: float32[16,3] = reshape(x, shape=(-1, 3))
          %7: float32[n0,2,4] = list_stack(%5, element=float32[2,4])
          %8: float32[n1,4] = reshape(%7, shape=(-1, 4))
          %9: float32[3,4] = matmul(%6, %8, transpose_a=True)
          %10: float32[3,4] = add(%3, %9)
          %11: float32[n2,4] = reshape(%7, shape=(-1, 4))
          %12: float32[4] = reduce_sum(%11, axis=0, keepdims=False)
          %13: float32[4] = add(%4, %12)
          return %2, %10, %13
        """,
        sink_sums,
    )


def test_products_of_what_is_read_from_the_end():
    check(
        """
        graph f(x: float32[8,2,3], w: float32[4,3], s0: float32[2,3], u: float32[3,3]):
          %0: int64*[] = constant(8)
          %9: int64*[] = constant(7)
          %1: float32[2,3] = for_loop(%0, s0; x, w, %9, u)
            body(i, s, x, w, last, u):
              at: int64*[] = sub(last, i)
              %0: float32[2,3] = index(x, at, spec=('?',))
              %1: float32[2,4] = matmul(%0, w, transpose_b=True)
              %2: float32[2,3] = matmul(%1, w)
              %3: float32[2,3] = matmul(s, u, transpose_b=True)
              %4: float32[2,3] = add(%2, %3)
              return %4
          return %1
        """,
        """
        graph f(x: float32[8,2,3], w: float32[4,3], s0: float32[2,3], u: float32[3,3]):
          %0: int64*[] = constant(8)
          %1: int64*[] = constant(7)
          %2: float32[16,3] = reshape(x, shape=(-1, 3))
          %3: float32[16,4] = matmul(%2, w, transpose_b=True)
          %4: float32[8,2,4] = reshape(%3, shape=(-1, 2, 4))
          %5: float32[16,4] = reshape(%4, shape=(-1, 4))
          %6: float32[16,3] = matmul(%5, w)
          %7: float32[8,2,3] = reshape(%6, shape=(-1, 2, 3))
          %8: float32[3,3] = transpose(u, perm=(1, 0))
          %9: float32[3,3] = contiguous(%8)
          %10: float32[2,3] = for_loop(%0, s0; %1, %7, %9)
            body(i, s, last, %0, %1):
              at: int64*[] = sub(last, i)
              %2: float32[2,3] = index(%0, at, spec=('?',))
              %3: float32[2,3] = matmul(s, %1)
              %4: float32[2,3] = add(%2, %3)
              return %4
          return %10
        """,
        batch_products,
    )


def loop(body, inputs="x: float32[8,2,3], w: float32[3,4], n: int64*[]", count="n", start="s0: float32[2,4]"):
    """A for_loop over one carried state, with `x` and `w` passed in."""
    name, kind = start.split(": ")
    return (
        f"graph f({inputs}, {start}):\n"
        f"  %0: {kind} = for_loop({count}, {name}; x, w, n)\n"
        f"    body(i, s, x, w, n):\n{textwrap.indent(textwrap.dedent(body).strip(), ' ' * 6)}\n"
        "      return %9\n"
        "  return %0\n"
    )


def test_only_as_many_rows_are_multiplied_as_there_are_steps():
    text = after(
        loop("""
        %0: float32[2,3] = index(x, i, spec=('?',))
        %1: float32[2,4] = matmul(%0, w)
        %9: float32[2,4] = mul(%1, s)
        """),
        batch_products,
    )
    assert "index(x, n, spec=((None, '?', None),))" in text


@pytest.mark.parametrize(
    "body",
    [
        # another place than the index, or one that is not known to be in range
        """
        %0: int64*[] = constant(2)
        %1: int64*[] = mul(i, %0)
        %2: float32[2,3] = index(x, %1, spec=('?',))
        %3: float32[2,4] = matmul(%2, w)
        %9: float32[2,4] = mul(%3, s)
        """,
        # n - i is not the last place less the index
        """
        %0: int64*[] = sub(n, i)
        %1: float32[2,3] = index(x, %0, spec=('?',))
        %2: float32[2,4] = matmul(%1, w)
        %9: float32[2,4] = mul(%2, s)
        """,
        # the product depends on the state
        """
        %0: float32[2,3] = index(x, i, spec=('?',))
        %1: float32[2,1] = reduce_sum(s, axis=1, keepdims=True)
        %2: float32[2,3] = mul(%0, %1)
        %3: float32[2,4] = matmul(%2, w)
        %9: float32[2,4] = mul(%3, s)
        """,
    ],
)
def test_products_that_stay_in_the_loop(body):
    unchanged(loop(body), batch_products)


def test_products_of_many_rows_stay_in_the_loop():
    text = loop(
        """
        %0: float32[600,3] = index(x, i, spec=('?',))
        %1: float32[600,4] = matmul(%0, w)
        %9: float32[600,4] = mul(%1, s)
        """,
        "x: float32[8,600,3], w: float32[3,4], n: int64*[]",
        start="s0: float32[600,4]",
    )
    unchanged(text, batch_products)


def test_a_bias_goes_with_the_product():
    text = after(
        loop(
            """
        %0: float32[2,3] = index(x, i, spec=('?',))
        %1: float32[2,4] = matmul(%0, w)
        %2: float32[2,4] = add(%1, s)
        %9: float32[2,4] = add(%2, n)
        """,
            "x: float32[8,2,3], w: float32[3,4], n: float32[4], c: int64*[]",
            count="c",
        ),
        batch_products,
    )
    body = text[text.index("body") :]
    assert body.count("add(") == 1
    assert "matmul" not in body


def test_sums_that_are_read_in_the_loop_stay():
    unchanged(
        """
        graph f(x: float32[8,2,3], y: float32[2,3], d0: float32[3,3]):
          %0: int64*[] = constant(8)
          %1: float32[2,3], %2: float32[3,3] = for_loop(%0, y, d0; x)
            body(i, y, d, x):
              %0: float32[2,3] = index(x, i, spec=('?',))
              %1: float32[2,3] = matmul(%0, d)
              %2: float32[3,3] = matmul(%0, y, transpose_a=True)
              %3: float32[3,3] = add(d, %2)
              return %1, %3
          return %1, %2
        """,
        sink_sums,
    )


def test_saved_rows_that_outweigh_the_sum_are_not_saved():
    unchanged(
        """
        graph f(y: float32[500,3], d0: float32[3,3]):
          %0: int64*[] = constant(8)
          %1: float32[500,3], %2: float32[3,3] = for_loop(%0, y, d0)
            body(i, y, d):
              %0: float32[500,3] = tanh(y)
              %1: float32[3,3] = matmul(y, %0, transpose_a=True)
              %2: float32[3,3] = add(d, %1)
              return %0, %2
          return %1, %2
        """,
        sink_sums,
    )


@pytest.mark.parametrize(
    ("test", "step"),
    [
        ("not_equal(t, n)", "add(t, %1)"),  # may go past n
        ("less(t, n)", "sub(t, %1)"),
        ("less(n, t)", "add(t, %1)"),
    ],
)
def test_loops_that_do_not_count_up_to_a_bound_stay(test, step):
    unchanged(
        f"""
        graph f(n: int64*[]):
          %0: int64*[] = constant(0)
          t: int64*[] = while_loop(%0; n)
            test(t, n):
              %0: bool*[] = {test}
              return %0
            body(t, n):
              %1: int64*[] = constant(1)
              %2: int64*[] = {step}
              return %2
          return t
        """,
        count_loops,
    )


def test_a_counter_beside_the_index_is_the_index():
    check(
        """
        graph f(n: int64*[]):
          %0: int64*[] = constant(3)
          %1: int64*[] = constant(0)
          k: int64*[], s: int64*[] = for_loop(n, %0, %1)
            body(i, k, s):
              %0: int64*[] = add(s, k)
              %1: int64*[] = constant(1)
              %2: int64*[] = add(k, %1)
              return %2, %0
          return k, s
        """,
        """
        graph f(n: int64*[]):
          %0: int64*[] = constant(3)
          %1: int64*[] = constant(0)
          s: int64*[] = for_loop(n, %1)
            body(i, s):
              %0: int64*[] = constant(3)
              %1: int64*[] = add(i, %0)
              %2: int64*[] = add(s, %1)
              return %2
          %2: int64*[] = constant(0)
          %3: int64*[] = maximum(n, %2)
          %4: int64*[] = add(%3, %0)
          return %4, s
        """,
        count_loops,
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "p: float32[2,3] = where(c, x, z)\nq: float32[2,3] = where(c, y, z)\nr: float32[2,3] = add(p, q)",
            "add(x, y)\n  r: float32[2,3] = where(c, %0, z)",
        ),
        (
            "p: float32[2,3] = index_grad(v, x, i, spec=('?',))\nr: float32[2,3] = add(x, p)",
            "index_add(x, v, i, spec=('?',))",
        ),
        (
            "p: float32[3,2] = transpose(x, perm=(1, 0))\nr: float32[3,3] = matmul(p, y)",
            "matmul(x, y, transpose_a=True)",
        ),
        (
            "p: float32[3,2] = transpose(x, perm=(1, 0))\nr: float32[2,2] = matmul(y, p)",
            "matmul(y, x, transpose_b=True)",
        ),
        ("p: float32[2,3] = broadcast_like(k, x)\nr: float32[2,3] = mul(p, x)", "mul(k, x)"),
        (
            "p: float32[2,3] = zeros(shape=(2, 3), dtype=float32)\nr: float32[2,3] = where(c, x, p)",
            "%0: float64*[] = constant(0.0)\n  r: float32[2,3] = where(c, x, %0)",
        ),
        (
            "p: float32[2,3] = fill(k1, shape=(2, 3), dtype=float32)\nr: float32[2,3] = where(c, p, x)",
            "%0: float64*[] = constant(0.5)\n  r: float32[2,3] = where(c, %0, x)",
        ),
        (
            "p: float32[2,3] = zeros(shape=(2, 3), dtype=float32)\nr: float32[2,3] = where(c, v, p)",
            "r: float32[2,3] = where(c, v, p)",  # nothing else would have three columns and two rows
        ),
        (
            "p: list<float32[3]> = list_unstack(x)\nr: list<float32[3]> = list_cast(p, type=float32[3])",
            "list_unstack(x)",
        ),
    ],
)
def test_simplified(line, found):
    text = after(
        "graph f(c: bool[2,1], x: float32[2,3], y: float32[2,3], k: float32[], v: float32[3], i: int64*[]):\n"
         "  z: int64*[] = constant(0)\n  k1: float32[] = constant(0.5)\n"
        + textwrap.indent(line, "  ")
        + "\n  return r\n",
        simplify,
    )
    assert found in text


def test_rows_of_the_inputs_gradient_are_one_product_after_the_loop():
    check(
        """
        graph f(y: float32[2,4], w: float32[4,3], x0: float32[8,2,3]):
          %0: int64*[] = constant(8)
          %1: float32[2,4], %2: float32[8,2,3] = for_loop(%0, y, x0; w)
            body(i, y, x, w):
              %0: float32[2,4] = tanh(y)
              %1: float32[2,3] = matmul(%0, w)
              %2: float32[8,2,3] = index_add(x, %1, i, spec=('?',))
              return %0, %2
          return %1, %2
        """,
        """
        graph f(y: float32[2,4], w: float32[4,3], x0: float32[8,2,3]):
          %0: int64*[] = constant(8)
          %1: list<float32[2,4]> = list_new(element=float32[2,4])
          %2: float32[2,4], %3: float32[8,2,3], %4: list<float32[2,4]> = for_loop(%0, y, x0, %1)
            body(i, y, x, %0):
              %1: float32[2,4] = tanh(y)
              %2: list<float32[2,4]> = list_append(%0, %1)
              return %1, x, %2
          %5: float32[n0,2,4] = list_stack(%4, element=float32[2,4])
          %6: float32[n1,4] = reshape(%5, shape=(-1, 4))
          %7: float32[n1,3] = matmul(%6, w)
          %8: float32[n2,2,3] = reshape(%7, shape=(-1, 2, 3))
          %9: float32[8,2,3] = index_add(%3, %8, %0, spec=((None, '?', None),))
          return %2, %9
        """,
        sink_sums,
    )


def test_a_product_of_rows_from_a_later_one_on_is_one_before_the_loop():
    check(
        """
        graph f(x: float32[8,2,3], w: float32[3,4], s0: float32[2,4]):
          %0: int64*[] = constant(5)
          %1: float32[2,4] = for_loop(%0, s0; x, w)
            body(i, s, x, w):
              %0: int64*[] = constant(3)
              %1: int64*[] = add(%0, i)
              %2: float32[2,3] = index(x, %1, spec=('?',))
              %3: float32[2,4] = matmul(%2, w)
              %4: float32[2,4] = mul(%3, s)
              return %4
          return %1
        """,
        """
        graph f(x: float32[8,2,3], w: float32[3,4], s0: float32[2,4]):
          %0: int64*[] = constant(5)
          %1: float32[5,2,3] = index(x, spec=((3, 8, None),))
          %2: float32[10,3] = reshape(%1, shape=(-1, 3))
          %3: float32[10,4] = matmul(%2, w)
          %4: float32[5,2,4] = reshape(%3, shape=(-1, 2, 4))
          %5: float32[2,4] = for_loop(%0, s0; %4)
            body(i, s, %0):
              %1: float32[2,4] = index(%0, i, spec=('?',))
              %2: float32[2,4] = mul(%1, s)
              return %2
          return %5
        """,
        batch_products,
    )


def test_rows_behind_the_last_stay_in_the_loop():
    unchanged(
        """
        graph f(x: float32[8,2,3], w: float32[3,4], s0: float32[2,4]):
          %0: int64*[] = constant(6)
          %1: float32[2,4] = for_loop(%0, s0; x, w)
            body(i, s, x, w):
              %0: int64*[] = constant(3)
              %1: int64*[] = add(%0, i)
              %2: float32[2,3] = index(x, %1, spec=('?',))
              %3: float32[2,4] = matmul(%2, w)
              %4: float32[2,4] = mul(%3, s)
              return %4
          return %1
        """,
        batch_products,
    )


@pytest.mark.parametrize(("steps", "columns", "copies"), [(20, 512, 1), (5, 512, 0), (20, 500, 0)])
def test_weights_whose_rows_begin_at_one_place_are_copied_before_the_loop(steps, columns, copies):
    text = f"""
        graph f(s0: float32[4,{columns}], w: float32[{columns},{columns}]):
          %0: int64*[] = constant({steps})
          %1: float32[4,{columns}] = for_loop(%0, s0; w)
            body(i, s, w):
              %0: float32[4,{columns}] = matmul(s, w)
              %1: float32[4,{columns}] = tanh(%0)
              %2: float32[4,{columns}] = matmul(%1, w)
              return %2
          return %1
        """
    assert after(text, batch_products).count("contiguous(w)") == copies
